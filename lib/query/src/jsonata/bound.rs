//! Bounds on the text that an expression makes, for the engine has none.
//!
//! The engine bounds the stack, sequences and time, but no text: within its time a `$reduce` that doubles a text with `&`
//! fills gigabytes. So a parsed tree is rewritten before it is kept. `a & b` becomes a call of ours, which gives the
//! same text and counts it; what `$join` and `$string` are given passes through a call of ours that measures it. Their
//! names cannot be written in an expression. `$pad` is ours altogether.
//!
//! Values share their parts, so that sixty doublings `{"l": $a, "r": $a}` are small until someone writes them out:
//! measuring stops at its bound, and what is handed back is measured first.
//!
//! What is not bounded: an array's constructor, which flattens `[$a, $a]` and is no sequence to the engine; `$replace`,
//! which multiplies a text by its replacement; `$join` and `$string` where they are handed on as values
//! (`$map($texts, $join)`). Only the engine's clock stops these, and it looks between calls: whoever evaluates a
//! stranger's expressions gives the process a bound of memory too.

use std::cell::Cell;
use std::rc::Rc;

use jsonata_core::ast::{AstNode, BinaryOp, Stage};
use jsonata_core::evaluator::{Evaluator, EvaluatorError};
use jsonata_core::functions::string;
use jsonata_core::value::JValue;

use super::failed;

/// Longest text, and largest value that is written out, in bytes: four times a payload.
const TEXT_LIMIT: usize = 1 << 20;
/// Most bytes of text that one evaluation makes. A text that grows piece by piece makes the sum of its lengths.
const MADE_LIMIT: usize = 1 << 28;
/// Longest text between the parts of `$join`; each part counts as if it had one.
const MARK_LIMIT: usize = 256;
/// Deepest nesting of a value that is written out.
const DEPTH_LIMIT: usize = 500;

const CONCATENATE: &str = "&";
const MEASURE: &str = "&measure";
const MARK: &str = "&mark";

/// Rewrites what makes text without a bound.
pub(super) fn rewrite(tree: &mut AstNode) {
    // A list of work instead of recursion: a tree may be two thousand levels deep.
    let mut work = vec![tree];
    while let Some(node) = work.pop() {
        concatenation(node);
        arguments(node);
        children(node, &mut work);
    }
}

/// `a & b` becomes a call.
fn concatenation(node: &mut AstNode) {
    if let AstNode::Binary { op: BinaryOp::Concatenate, lhs, rhs } = node {
        let args = [lhs, rhs].map(|side| std::mem::replace(&mut **side, AstNode::Null));
        *node = call(CONCATENATE, Vec::from(args));
    }
}

/// `$join(a, b)` becomes `$join(measure(a), mark(b))`; `a ~> $join(b)` is the same call.
fn arguments(node: &mut AstNode) {
    match node {
        AstNode::Function { name, args, .. } => pass_through(name, &mut args.iter_mut()),
        AstNode::Binary { op: BinaryOp::ChainPipe, lhs, rhs } => {
            if let AstNode::Function { name, args, .. } = &mut **rhs {
                pass_through(name, &mut std::iter::once(&mut **lhs).chain(args));
            }
        }
        _ => {}
    }
}

fn pass_through(function: &str, args: &mut dyn Iterator<Item = &mut AstNode>) {
    let through: &[&str] = match function {
        "join" => &[MEASURE, MARK],
        "string" => &[MEASURE],
        _ => &[],
    };
    for (name, arg) in through.iter().zip(args) {
        // A placeholder makes a partial application, which is a value that is handed on.
        let done = matches!(arg, AstNode::Function { name, .. } if [MEASURE, MARK].contains(&name.as_str()));
        if !done && !matches!(arg, AstNode::Placeholder) {
            let inner = std::mem::replace(arg, AstNode::Null);
            *arg = call(name, vec![inner]);
        }
    }
}

fn call(name: &str, args: Vec<AstNode>) -> AstNode {
    AstNode::Function { name: name.to_owned(), args, is_builtin: true }
}

fn children<'t>(node: &'t mut AstNode, work: &mut Vec<&'t mut AstNode>) {
    match node {
        AstNode::Path { steps } => {
            for step in steps {
                work.push(&mut step.node);
                work.extend(step.stages.iter_mut().filter_map(|stage| match stage {
                    Stage::Filter(filter) => Some(&mut **filter),
                    _ => None,
                }));
            }
        }
        AstNode::Binary { lhs, rhs, .. } => work.extend([&mut **lhs, &mut **rhs]),
        AstNode::Unary { operand, .. } => work.push(operand),
        AstNode::Function { args, .. } => work.extend(args),
        AstNode::Call { procedure, args } => {
            work.push(procedure);
            work.extend(args);
        }
        AstNode::Lambda { body, .. } => work.push(body),
        AstNode::Array(items) | AstNode::Block(items) | AstNode::ArrayGroup(items) => work.extend(items),
        AstNode::Object(pairs) => work.extend(pairs.iter_mut().flat_map(|(key, value)| [key, value])),
        AstNode::ObjectTransform { input, pattern } => {
            work.push(input);
            work.extend(pattern.iter_mut().flat_map(|(key, value)| [key, value]));
        }
        AstNode::Conditional { condition, then_branch, else_branch } => {
            work.extend([&mut **condition, &mut **then_branch]);
            work.extend(else_branch.as_deref_mut());
        }
        AstNode::Sort { input, terms } => {
            work.push(input);
            work.extend(terms.iter_mut().map(|(term, _)| term));
        }
        AstNode::Transform { location, update, delete } => {
            work.extend([&mut **location, &mut **update]);
            work.extend(delete.as_deref_mut());
        }
        AstNode::FunctionApplication(inner) => work.push(inner),
        AstNode::String(_)
        | AstNode::Name(_)
        | AstNode::Number(_)
        | AstNode::Boolean(_)
        | AstNode::Null
        | AstNode::Undefined
        | AstNode::Placeholder
        | AstNode::Regex { .. }
        | AstNode::Variable(_)
        | AstNode::ParentVariable(_)
        | AstNode::Wildcard
        | AstNode::Descendant
        | AstNode::Parent(_) => {}
    }
}

/// Gives an evaluation the calls that [`rewrite`] writes, with an account of their own.
pub(super) fn register(evaluator: &mut Evaluator) -> Result<(), EvaluatorError> {
    let made = Rc::new(Cell::new(0));
    let account = made.clone();
    evaluator.register_fn_override("pad", move |args: &[JValue]| pad(&account, args))?;
    let account = made.clone();
    evaluator.register_fn(CONCATENATE, move |sides: &[JValue]| {
        let text = sides.iter().map(text).collect::<Result<Vec<_>, _>>()?.concat();
        make(&account, text.len())?;
        Ok(JValue::from(text))
    })?;
    evaluator.register_fn(MEASURE, move |args: &[JValue]| {
        let value = args.first().unwrap_or(&JValue::Undefined);
        let parts = value.as_array().map_or(0, Vec::len);
        let bytes = measure(value).ok_or_else(too_long)?;
        charge(&made, bytes + parts * MARK_LIMIT)?;
        Ok(value.clone())
    })?;
    evaluator.register_fn(MARK, |args: &[JValue]| {
        let value = args.first().unwrap_or(&JValue::Undefined);
        match value.as_str() {
            Some(mark) if mark.len() > MARK_LIMIT => {
                Err(failed(&format!("D3050: The separator of $join is longer than {MARK_LIMIT} bytes")))
            }
            _ => Ok(value.clone()),
        }
    })
}

/// A side of `&`, as the engine would write it.
fn text(value: &JValue) -> Result<String, EvaluatorError> {
    match value {
        JValue::String(text) => Ok(text.to_string()),
        JValue::Null | JValue::Number(_) | JValue::Bool(_) | JValue::Array(_) | JValue::Object(_) => {
            measure(value).ok_or_else(too_long)?;
            match string::string(value, None) {
                Ok(JValue::String(text)) => Ok(text.to_string()),
                Ok(_) => Ok(String::new()),
                Err(_) => Err(EvaluatorError::TypeError("Cannot concatenate complex types".to_owned())),
            }
        }
        _ => Ok(String::new()),
    }
}

/// `$pad`, which the engine lets fill memory with one call.
fn pad(account: &Cell<usize>, args: &[JValue]) -> Result<JValue, EvaluatorError> {
    let [text, width, rest @ ..] = args else { return Err(failed("T0410: $pad needs a string and a width")) };
    let (Some(text), Some(width)) = (text.as_str(), width.as_f64()) else { return Ok(JValue::Undefined) };
    // A width too large for the type becomes its largest, which is refused.
    let letters = width.abs() as usize;
    make(account, letters.max(text.len()))?;
    let fill = rest.first().and_then(JValue::as_str).filter(|fill| !fill.is_empty()).unwrap_or(" ");
    let missing = letters.saturating_sub(text.chars().count());
    let padding: String = fill.chars().cycle().take(missing).collect();
    Ok(JValue::from(if width < 0.0 { padding + text } else { text.to_owned() + &padding }))
}

fn make(made: &Cell<usize>, bytes: usize) -> Result<(), EvaluatorError> {
    if bytes > TEXT_LIMIT { Err(too_long()) } else { charge(made, bytes) }
}

fn charge(made: &Cell<usize>, bytes: usize) -> Result<(), EvaluatorError> {
    made.set(made.get() + bytes);
    if made.get() > MADE_LIMIT {
        return Err(failed(&format!("D3050: The expression makes more than {MADE_LIMIT} bytes of text")));
    }
    Ok(())
}

fn too_long() -> EvaluatorError {
    failed(&format!("D3050: A text or value of the expression is larger than {TEXT_LIMIT} bytes"))
}

/// About how many bytes `value` takes when it is written out; `None` where that is too many, or it is nested too deeply.
pub(super) fn measure(value: &JValue) -> Option<usize> {
    fn spend(value: &JValue, depth: usize, left: &mut usize) -> Option<()> {
        let bytes = value.as_str().map_or(0, str::len);
        *left = left.checked_sub(bytes + 1).filter(|_| depth < DEPTH_LIMIT)?;
        if let Some(items) = value.as_array() {
            items.iter().try_for_each(|item| spend(item, depth + 1, left))?;
        }
        if let Some(fields) = value.as_object() {
            for (key, field) in fields {
                *left = left.checked_sub(key.len() + 1)?;
                spend(field, depth + 1, left)?;
            }
        }
        Some(())
    }
    let mut left = TEXT_LIMIT;
    spend(value, 0, &mut left).map(|()| TEXT_LIMIT - left)
}
