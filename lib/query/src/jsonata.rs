//! JSONata behind a small interface: compile once, evaluate with bound variables, get plain JSON back.
//!
//! The engine is the crate `jsonata-core`. Its values are reference-counted and not `Send`, so none of them outlives
//! a call here: compiled expressions hold the syntax tree only, results leave as [`serde_json::Value`].
//!
//! An expression is the author's of the machine, what it reads may be anybody's. Stack, sequences, time and most of the
//! text it makes are bounded; `bound` says what is not.

mod bound;

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use jsonata_core::ast::AstNode;
use jsonata_core::evaluator::{Context, Evaluator, EvaluatorError, EvaluatorOptions};
use jsonata_core::parser;
use jsonata_core::value::JValue;
use serde_json::Value;

use crate::chance::Chance;
use crate::intrinsic::Function;

/// Longest expression that is compiled.
const TEXT_LIMIT: usize = 65_536;
/// Deepest evaluation.
const STACK_LIMIT: usize = 1_000;
/// Longest sequence an evaluation may build.
const SEQUENCE_LIMIT: usize = 200_000;
/// The engine has no step counter, so an endless tail call can only be stopped by its clock.
const TIMEOUT_MS: u64 = 2_000;

/// A compiled expression.
#[derive(Clone)]
pub struct Expression {
    tree: Arc<AstNode>,
    text: Arc<str>,
    names: Arc<[String]>,
}

/// What the evaluation of an expression came to, where it came to no value.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Failed {
    /// The result is undefined.
    #[error("returned nothing (undefined).")]
    Undefined,
    /// The result is a function or a regular expression.
    #[error("returned an unsupported result type.")]
    Unsupported,
    /// The evaluation threw; the text starts with JSONata's code.
    #[error("threw an error during evaluation. {0}")]
    Threw(String),
}

/// Where an evaluation stands: the event's time, and the randomness of its place in history.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// The time that `$now` and `$millis` tell.
    pub now: Timestamp,
    /// The randomness of `$random` and `$uuid`.
    pub chance: Chance,
}

impl Expression {
    /// Compiles the text between `{%` and `%}`.
    pub fn compile(text: &str) -> Result<Self, String> {
        if text.len() > TEXT_LIMIT {
            return Err(format!("an expression of {} bytes is too long", text.len()));
        }
        let mut tree = parser::parse(text).map_err(|error| error.to_string())?;
        bound::rewrite(&mut tree);
        Ok(Self { tree: Arc::new(tree), text: text.into(), names: variables(text).into() })
    }

    /// The source text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Evaluates with the mentioned variables bound to what `lookup` knows.
    pub fn evaluate(
        &self,
        moment: Moment,
        lookup: &mut dyn FnMut(&str) -> Option<Value>,
    ) -> Result<Value, Failed> {
        let mut context = Context::new();
        for name in self.names.iter() {
            if let Some(value) = lookup(name) {
                context.bind(name.clone(), JValue::from(value));
            }
        }
        let options = EvaluatorOptions {
            timeout_ms: Some(TIMEOUT_MS),
            max_stack_depth: Some(STACK_LIMIT),
            max_sequence_length: Some(SEQUENCE_LIMIT),
            ..EvaluatorOptions::default()
        };
        let mut evaluator = Evaluator::with_options(context, options);
        bound::register(&mut evaluator).map_err(threw)?;
        additions(&mut evaluator, moment).map_err(threw)?;
        let result = evaluator.evaluate(&self.tree, &JValue::Undefined).map_err(threw)?;
        plain(&result)
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expression({})", self.text)
    }
}

/// The text inside `{% … %}`, if `text` is an expression: it must start and end with the marks.
pub fn enclosed(text: &str) -> Option<&str> {
    text.strip_prefix("{%")?.strip_suffix("%}").map(str::trim)
}

#[allow(clippy::needless_pass_by_value, reason = "used as a function value by map_err")]
fn threw(error: EvaluatorError) -> Failed {
    // The reference implementation, and so AWS, does not name what was no function.
    const NO_FUNCTION: &str = "T1006: Attempted to invoke a non-function";
    let text = error.message();
    Failed::Threw(if text.starts_with(NO_FUNCTION) { NO_FUNCTION.to_owned() } else { text.to_owned() })
}

fn plain(result: &JValue) -> Result<Value, Failed> {
    if result.is_undefined() {
        return Err(Failed::Undefined);
    }
    if bound::measure(result).is_none() {
        return Err(Failed::Threw("D3050: The result is too large or too deeply nested".to_owned()));
    }
    if !is_plain(result) {
        return Err(Failed::Unsupported);
    }
    Ok(whole_numbers(Value::from(result)))
}

fn is_plain(value: &JValue) -> bool {
    let items = value.as_array().is_none_or(|items| items.iter().all(is_plain));
    let fields = value.as_object().is_none_or(|fields| fields.values().all(is_plain));
    items && fields && !value.is_function() && !value.is_regex()
}

/// JSONata knows only floats; JSON should read `7`, not `7.0`.
fn whole_numbers(value: Value) -> Value {
    match value {
        Value::Number(ref number) if number.is_f64() => {
            crate::value::as_whole(&value).map_or(value, Value::from)
        }
        Value::Array(items) => items.into_iter().map(whole_numbers).collect(),
        Value::Object(fields) => fields.into_iter().map(|(key, value)| (key, whole_numbers(value))).collect(),
        other => other,
    }
}

/// Every `$name` of the text. A name inside a string is bound too, which is harmless.
fn variables(text: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (at, _) in text.match_indices('$') {
        let rest = &text[at + 1..];
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let name = &rest[..end];
        if !name.is_empty() && !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}

/// AWS adds `$partition`, `$range`, `$hash`, `$random(seed)`, `$uuid` and `$parse`, and forbids `$eval`.
fn additions(evaluator: &mut Evaluator, moment: Moment) -> Result<(), EvaluatorError> {
    let Moment { now, chance } = moment;
    evaluator
        .register_fn("partition", |args: &[JValue]| intrinsic("partition", Function::ArrayPartition, args))?;
    // A sequence, as JSONata's own functions answer: one item comes out bare.
    evaluator.register_fn("range", |args: &[JValue]| {
        intrinsic("range", Function::ArrayRange, args).map(|list| match list.as_array().map(Vec::as_slice) {
            Some([only]) => only.clone(),
            _ => list,
        })
    })?;
    evaluator.register_fn("hash", |args: &[JValue]| intrinsic("hash", Function::Hash, args))?;
    evaluator.register_fn("parse", |args: &[JValue]| intrinsic("parse", Function::StringToJson, args))?;
    let (asked, drawn) = (Cell::new(0), Cell::new(0));
    evaluator.register_fn("uuid", move |_: &[JValue]| {
        asked.set(asked.get() + 1);
        Ok(JValue::from(chance.uuid(asked.get())))
    })?;
    evaluator.register_fn_override("random", move |args: &[JValue]| {
        let seed = args.first().and_then(JValue::as_f64);
        drawn.set(drawn.get() + 1);
        Ok(JValue::from(match seed {
            Some(seed) => Chance { seed: seed.to_bits(), event: 0 }.unit(0),
            None => chance.unit(drawn.get()),
        }))
    })?;
    evaluator
        .register_fn_override("now", move |_: &[JValue]| Ok(JValue::from(crate::timestamp::format(now))))?;
    evaluator.register_fn_override("millis", move |_: &[JValue]| Ok(JValue::from(now.as_millisecond())))?;
    evaluator
        .register_fn_override("eval", |_: &[JValue]| Err(failed("T1006: Attempted to invoke a non-function")))
}

fn intrinsic(name: &str, function: Function, args: &[JValue]) -> Result<JValue, EvaluatorError> {
    let args: Vec<Value> = args.iter().map(|arg| whole_numbers(Value::from(arg))).collect();
    let given = args.len();
    if given != function.arguments() {
        let at = given.min(function.arguments()) + 1;
        return Err(failed(&format!(
            "T0410: Argument {at} of function \"{name}\" does not match function signature"
        )));
    }
    function.plain(&args).map(JValue::from).map_err(|why| failed(&format!("D3000: {why}")))
}

fn failed(text: &str) -> EvaluatorError {
    EvaluatorError::EvaluationError(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn run(text: &str) -> Result<Value, Failed> {
        let moment = Moment { now: Timestamp::UNIX_EPOCH, chance: Chance { seed: 1, event: 1 } };
        let mut lookup = |name: &str| (name == "states").then(|| json!({"input": {"l": [3, 4], "s": "x"}}));
        Expression::compile(text).map_err(Failed::Threw)?.evaluate(moment, &mut lookup)
    }

    #[test]
    fn expressions_answer_plain_json() {
        let rows = [
            ("$sum($states.input.l) + 1", json!(8)),
            ("$states.input.s", json!("x")),
            ("$partition([1,2,3], 2)", json!([[1, 2], [3]])),
            ("$range(0, 6, 3)", json!([0, 3, 6])),
            ("$hash('hello', 'MD5')", json!("5d41402abc4b2a76b9719d911017c592")),
            ("$parse('{\"a\": 1}')", json!({"a": 1})),
            ("$random(5) = $random(5)", json!(true)),
            ("$uuid() = $uuid()", json!(false)),
            ("$now()", json!("1970-01-01T00:00:00.000Z")),
            ("$millis()", json!(0)),
            ("$pad('a', 3, '-')", json!("a--")),
            ("$pad('a', -3)", json!("  a")),
            ("1.5", json!(1.5)),
        ];
        for (text, want) in rows {
            assert_eq!(run(text), Ok(want), "{text}");
        }
    }

    #[test]
    fn failures_are_told_apart() {
        assert_eq!(run("$nothing"), Err(Failed::Undefined));
        assert_eq!(run("function($x){$x}"), Err(Failed::Unsupported));
        assert_eq!(
            run("$nothing(1)"),
            Err(Failed::Threw("T1006: Attempted to invoke a non-function".to_owned()))
        );
        assert!(matches!(run("$eval('1')"), Err(Failed::Threw(_))));
        assert!(matches!(run("$parse('{')"), Err(Failed::Threw(_))));
        assert!(matches!(run("($f := function($n){$f($n) + 1}; $f(1))"), Err(Failed::Threw(_))));
        assert!(matches!(run("$pad('x', 1000000000)"), Err(Failed::Threw(_))));
        assert!(matches!(run("$map([1..10000000], function($x){$x})"), Err(Failed::Threw(_))));
    }

    #[test]
    fn text_is_made_as_the_engine_makes_it() {
        let rows = [
            ("'a' & 1 & true & null", json!("a1truenull")),
            ("'a' & $nothing & 'b'", json!("ab")),
            ("[1, 'x'] & {'k': [2.5]}", json!(r#"[1,"x"]{"k":[2.5]}"#)),
            ("$states.input.l.('v' & $)", json!(["v3", "v4"])),
            ("$map([1, 2], function($i) {$i & '!'})", json!(["1!", "2!"])),
            ("($f := function($n, $t) {$n = 0 ? $t : $f($n - 1, $t & 'x')}; $f(3, ''))", json!("xxx")),
            ("$join(['a', 'b'], '-') & $join(['c'])", json!("a-bc")),
            ("['a', 'b'] ~> $join('+')", json!("a+b")),
            ("$string({'a': 1}) & $string([1..2])", json!(r#"{"a":1}[1,2]"#)),
            ("($j := $join(?, '/'); $j(['a', 'b']))", json!("a/b")),
            ("($join := function($x, $y) {$y}; $join(1, 'mine'))", json!("mine")),
            ("$map([1, 2], $string)", json!(["1", "2"])),
            ("'b' in ['a' & '', 'b' & '']", json!(true)),
            ("{'k' & 1: 'v' & 2}", json!({"k1": "v2"})),
            ("[{'n': 'a1'}, {'n': 'a2'}][n = 'a' & 2].n", json!("a2")),
            ("$states.input ~> |$|{'s': s & s}| ~> $string", json!(r#"{"l":[3,4],"s":"xx"}"#)),
        ];
        for (text, want) in rows {
            assert_eq!(run(text), Ok(want), "{text}");
        }
    }

    #[test]
    fn what_is_made_without_end_is_refused() {
        let rows = [
            "$reduce([1..60], function($a, $i) {$a & $a}, 'x')",
            "($big := $pad('', 500000); $map([1..100000], function($i) {$big & $i}))",
            "$reduce([1..60], function($a, $i) {$join([$a, $a])}, 'x')",
            "$reduce([1..60], function($a, $i) {[$a, $a] ~> $join('-')}, 'x')",
            "$join(['a', 'b'], $pad('', 257))",
            "$reduce([1..60], function($a, $i) {{'l': $a, 'r': $a}}, 'x')",
            "$string($reduce([1..60], function($a, $i) {{'l': $a, 'r': $a}}, 'x'))",
            "$reduce([1..60], function($a, $i) {[[$a], [$a]]}, 'x') & ''",
            "$reduce([1..600], function($a, $i) {{'a': $a}}, 'x')",
        ];
        for text in rows {
            let Err(Failed::Threw(why)) = run(text) else { panic!("{text} is not refused") };
            assert!(why.starts_with("D3050"), "{text}: {why}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in r"[\PC$()\[\]{}.'a-z0-9 +*:=?-]{0,30}") {
            let _ = run(&text);
        }
    }
}
