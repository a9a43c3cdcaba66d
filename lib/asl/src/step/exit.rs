//! Leaving a state: Pass, Choice, Succeed; ResultSelector, ResultPath, OutputPath, Output, Assign; the next state.

use std::borrow::Cow;
use std::sync::Arc;

use doxa_query::comparison::Test;
use doxa_query::path::Path;
use doxa_query::template::Template;
use serde_json::{Map, Value};

use super::{Done, Turn};
use crate::execution::{Phase, Status};
use crate::fault::{DATA_LIMIT, Fault};
use crate::history::{Details, EventType};
use crate::machine::{ChoiceRule, Kind, Language, Rule, State, StateId, Whole};
use crate::payload::{PAYLOAD_LIMIT, is_too_deep, size};
use crate::scope::{Given, Scope};

/// What leaves a state.
pub(super) struct Produced {
    pub(super) output: Arc<Value>,
    pub(super) assigned: Map<String, Value>,
}

impl Turn<'_> {
    pub(super) fn pass(&mut self, id: u32, result: Option<&Arc<Value>>) -> Done {
        let scope = self.scope(id);
        let (state, raw) = (scope.state, scope.frame.input.clone());
        let result = match result {
            Some(result) => result.clone(),
            None => effective(&scope, &raw)?,
        };
        let produced = produce(&scope, state, &raw, &result, None)?;
        self.exit(id, produced, state.next)
    }

    pub(super) fn succeed(&mut self, id: u32) -> Done {
        let scope = self.scope(id);
        let (state, raw) = (scope.state, scope.frame.input.clone());
        let effective = effective(&scope, &raw)?;
        let produced = produce(&scope, state, &raw, &effective, None)?;
        self.exit(id, produced, None)
    }

    pub(super) fn choose(&mut self, id: u32, rules: &[ChoiceRule], default: Option<StateId>) -> Done {
        let scope = self.scope(id);
        let (state, raw) = (scope.state, scope.frame.input.clone());
        let input = shared(scope.whole(&state.io.input_path, &raw)?, &raw);
        let chosen = first_match(&scope, rules, &input)?;
        let (next, assign, output) = match chosen {
            Some(rule) => (Some(rule.next), &rule.assign, &rule.output),
            None => (default, &state.assign, &state.io.output),
        };
        if next.is_none() {
            return Err(Fault::error(
                "States.NoChoiceMatched",
                "Failed to transition out of the state. The state does not point to a next state.",
            ));
        }
        let given = Given::input(if state.language == Language::Jsonata { &raw } else { &input });
        let assigned = assigned(&scope, assign.as_ref(), given)?;
        let output = match output {
            Some(output) => Arc::new(scope.fill(output, given)?),
            None => shared(scope.whole(&state.io.output_path, &input)?, &input),
        };
        self.exit(id, Produced { output, assigned }, next)
    }

    /// Leaves the state with its output, for `next` or for the end of the frame.
    pub(super) fn exit(&mut self, id: u32, produced: Produced, next: Option<StateId>) -> Done {
        let Produced { output, assigned } = produced;
        let state = self.state_of(id);
        if !Arc::ptr_eq(&output, &self.frame(id).input) {
            if is_too_deep(&output) {
                return Err(Fault::too_deep());
            }
            if size(&output) > PAYLOAD_LIMIT {
                return Err(Fault::too_large(&state.name));
            }
        }
        if assigned.values().any(is_too_deep) {
            return Err(Fault::too_deep());
        }
        if !assigned.is_empty() && assigned.values().map(size).sum::<usize>() > PAYLOAD_LIMIT {
            return Err(Fault::error(DATA_LIMIT, "The size of the assigned variables exceeds 262144 bytes."));
        }
        let details =
            Details::Exited { name: state.name.clone(), output: output.clone(), assigned: assigned.clone() };
        if let Some(kind) = exited(&state.kind) {
            self.append(id, kind, details);
        }
        let frame = self.frame_mut(id);
        frame.variables.extend(assigned);
        match next {
            Some(next) => {
                frame.state = next;
                frame.input = output;
                let waited = !matches!(frame.phase, Phase::Run);
                frame.phase = Phase::Enter;
                if waited {
                    self.execution.ready.push_back(id);
                }
            }
            None => self.finish(id, output),
        }
        Ok(())
    }

    fn finish(&mut self, id: u32, output: Arc<Value>) {
        let frame = self.frame(id);
        let previous = frame.previous;
        if frame.parent.is_some() {
            return self.joined(id, output);
        }
        self.append_after(
            previous,
            EventType::ExecutionSucceeded,
            Details::Output { output: output.clone() },
        );
        self.execution.frames.clear();
        self.complete(Status::Succeeded { output });
    }
}

/// The effective input: InputPath, then Parameters or Arguments.
pub(crate) fn effective(scope: &Scope<'_>, raw: &Arc<Value>) -> Done<Arc<Value>> {
    let io = &scope.state.io;
    let input = shared(scope.whole(&io.input_path, raw)?, raw);
    match &io.parameters {
        Some(template) => checked(scope.fill(template, Given::input(&input))?),
        None => Ok(input),
    }
}

/// A new payload, if it is not nested too deeply.
pub(super) fn checked(value: Value) -> Done<Arc<Value>> {
    if is_too_deep(&value) { Err(Fault::too_deep()) } else { Ok(Arc::new(value)) }
}

/// From a result to the output: ResultSelector, Assign, ResultPath, OutputPath; or Assign and Output.
pub(super) fn produce(
    scope: &Scope<'_>,
    state: &State,
    raw: &Arc<Value>,
    result: &Arc<Value>,
    selected: Option<Arc<Value>>,
) -> Done<Produced> {
    if state.language == Language::Jsonata {
        let has_result = matches!(state.kind, Kind::Task(_) | Kind::Map(_) | Kind::Parallel { .. });
        let given = Given { input: raw, result: has_result.then_some(&**result), error: None };
        let assigned = assigned(scope, state.assign.as_ref(), given)?;
        let output = match &state.io.output {
            Some(template) => Arc::new(scope.fill(template, given)?),
            None => result.clone(),
        };
        return Ok(Produced { output, assigned });
    }
    let selected = match (selected, &state.io.selector) {
        (Some(selected), _) => selected,
        (None, Some(template)) => Arc::new(scope.fill(template, Given::input(result))?),
        (None, None) => result.clone(),
    };
    let assigned = assigned(scope, state.assign.as_ref(), Given::input(&selected))?;
    let merged = merge(&state.io.result_path, raw, selected)?;
    let output = shared(scope.whole(&state.io.output_path, &merged)?, &merged);
    Ok(Produced { output, assigned })
}

/// ResultPath: the result replaces the input, is thrown away, or is put into it.
pub(crate) fn merge(path: &Whole, raw: &Arc<Value>, result: Arc<Value>) -> Done<Arc<Value>> {
    let path = match path {
        Whole::All => return Ok(result),
        Whole::Nothing => return Ok(raw.clone()),
        Whole::At(path) => path,
    };
    let mut merged = (**raw).clone();
    let written = path.write(&mut merged, Arc::unwrap_or_clone(result));
    written.map_err(|_| {
        let cause = format!("Unable to apply ReferencePath {path} to input {raw}");
        Fault::error("States.ResultPathMatchFailure", cause)
    })?;
    Ok(Arc::new(merged))
}

pub(super) fn assigned(
    scope: &Scope<'_>,
    assign: Option<&Template>,
    given: Given<'_>,
) -> Done<Map<String, Value>> {
    let Some(template) = assign else { return Ok(Map::new()) };
    match scope.fill(template, given)? {
        Value::Object(fields) => Ok(fields),
        _ => Ok(Map::new()),
    }
}

fn shared(value: Cow<'_, Value>, whole: &Arc<Value>) -> Arc<Value> {
    match value {
        Cow::Borrowed(value) if std::ptr::eq(value, &**whole) => whole.clone(),
        other => Arc::new(other.into_owned()),
    }
}

fn first_match<'r>(
    scope: &Scope<'_>,
    rules: &'r [ChoiceRule],
    input: &Value,
) -> Done<Option<&'r ChoiceRule>> {
    for rule in rules {
        if holds(scope, &rule.rule, input)? {
            return Ok(Some(rule));
        }
    }
    Ok(None)
}

fn holds(scope: &Scope<'_>, rule: &Rule, input: &Value) -> Done<bool> {
    match rule {
        Rule::All(rules) => {
            for rule in rules {
                if !holds(scope, rule, input)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        Rule::Any(rules) => {
            for rule in rules {
                if holds(scope, rule, input)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Rule::Not(rule) => Ok(!holds(scope, rule, input)?),
        Rule::Test { variable, test } => tested(scope, variable, test, input),
        Rule::Condition(template) => condition(scope, template, input),
    }
}

fn tested(scope: &Scope<'_>, variable: &Path, test: &Test, input: &Value) -> Done<bool> {
    let Ok(value) = scope.select(variable, input) else {
        return test.absent().ok_or_else(|| invalid(variable));
    };
    let other = |path| scope.select(path, input).map_err(|_| invalid(path));
    let other = test.path().map(other).transpose()?;
    Ok(test.passes(&value, other.as_deref()))
}

fn invalid(path: &Path) -> Fault {
    Fault::runtime(format!(
        "Invalid path '{path}': The choice state's condition path references an invalid value."
    ))
}

fn condition(scope: &Scope<'_>, template: &Template, input: &Value) -> Done<bool> {
    let value = scope.fill(template, Given::input(input))?;
    match (value.as_bool(), template) {
        (Some(flag), _) => Ok(flag),
        (None, Template::Expression { field, expression }) => {
            Err(Fault::wrong_type(expression.text(), field, "boolean", &value))
        }
        (None, _) => Ok(false),
    }
}

fn exited(kind: &Kind) -> Option<EventType> {
    match kind {
        Kind::Pass { .. } => Some(EventType::PassStateExited),
        Kind::Task(_) => Some(EventType::TaskStateExited),
        Kind::Choice { .. } => Some(EventType::ChoiceStateExited),
        Kind::Wait(_) => Some(EventType::WaitStateExited),
        Kind::Succeed => Some(EventType::SucceedStateExited),
        Kind::Fail { .. } => None,
        Kind::Parallel { .. } => Some(EventType::ParallelStateExited),
        Kind::Map(_) => Some(EventType::MapStateExited),
    }
}
