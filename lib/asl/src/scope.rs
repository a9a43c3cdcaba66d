//! What a state's fields are evaluated against: its input, the context object, the variables, JSONata's `$states`.

use std::borrow::Cow;
use std::cell::OnceCell;

use doxa_query::Chance;
use doxa_query::intrinsic::Failed;
use doxa_query::jsonata::{Expression, Moment};
use doxa_query::path::{NoResults, Path, Root};
use doxa_query::template::{Question, Source, Template};
use doxa_query::timestamp;
use doxa_query::value::as_whole;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::execution::{Execution, Frame, Item};
use crate::fault::Fault;
use crate::machine::{Amount, Kind, State, Whole};

/// The surroundings of one evaluation.
pub(crate) struct Scope<'a> {
    pub(crate) execution: &'a Execution,
    pub(crate) frame: &'a Frame,
    pub(crate) state: &'a State,
    pub(crate) now: Timestamp,
    pub(crate) token: Option<String>,
    /// The item at hand, where an ItemSelector is evaluated.
    pub(crate) item: Option<Item>,
    context: OnceCell<Value>,
}

/// The payloads at hand: `$` in JSONPath; `$states.input`, `.result`, `.errorOutput` in JSONata.
#[derive(Clone, Copy)]
pub(crate) struct Given<'a> {
    pub(crate) input: &'a Value,
    pub(crate) result: Option<&'a Value>,
    pub(crate) error: Option<&'a Value>,
}

impl<'a> Given<'a> {
    pub(crate) fn input(input: &'a Value) -> Self {
        Self { input, result: None, error: None }
    }
}

impl<'a> Scope<'a> {
    pub(crate) fn new(execution: &'a Execution, frame: &'a Frame, state: &'a State, now: Timestamp) -> Self {
        Self { execution, frame, state, now, token: None, item: None, context: OnceCell::new() }
    }

    /// Randomness of the event that comes next, so that two evaluations at one place in history differ by question only.
    pub(crate) fn chance(&self) -> Chance {
        Chance { seed: self.execution.identity.seed, event: self.execution.events + 1 }
    }

    /// The context object, made when first asked for.
    pub(crate) fn context(&self) -> &Value {
        self.context.get_or_init(|| self.execution.context.clone().unwrap_or_else(|| self.make_context()))
    }

    fn make_context(&self) -> Value {
        let (execution, who) = (self.execution, &self.execution.identity);
        let mut run = json!({
            "Id": who.arn,
            "Input": execution.input,
            "Name": who.name,
            "RoleArn": who.role_arn,
            "StartTime": timestamp::format(execution.started),
        });
        if !execution.express {
            run["RedriveCount"] = json!(execution.redrives);
        }
        if let Some(redriven) = execution.redriven {
            run["RedriveTime"] = json!(timestamp::format(redriven));
        }
        let mut state =
            json!({"Name": &*self.state.name, "EnteredTime": timestamp::format(self.frame.entered_at)});
        if matches!(self.state.kind, Kind::Task(_) | Kind::Map(_) | Kind::Parallel { .. }) {
            state["RetryCount"] = json!(self.frame.attempts.iter().sum::<u64>());
        }
        let mut context = json!({
            "Execution": run,
            "StateMachine": {"Id": who.machine_arn, "Name": who.machine_name},
            "State": state,
        });
        if let Some(token) = &self.token {
            context["Task"] = json!({"Token": token});
        }
        if let Some(item) = self.item.as_ref().or_else(|| execution.item(self.frame)) {
            context["Map"] = json!({"Item": {"Index": item.index, "Value": &*item.value}});
        }
        context
    }

    /// The value that a path finds.
    pub(crate) fn select<'v>(&'v self, path: &Path, input: &'v Value) -> Result<Cow<'v, Value>, NoResults> {
        match path.root() {
            Root::Input => path.select(input),
            Root::Context => path.select(self.context()),
            Root::Variable(name) => match self.execution.variable(self.frame, name) {
                Some(value) => path.select(value),
                None => Err(NoResults(format!("No results for path: $['{name}']"))),
            },
        }
    }

    /// InputPath and OutputPath.
    pub(crate) fn whole<'v>(&'v self, whole: &Whole, input: &'v Value) -> Result<Cow<'v, Value>, Fault> {
        match whole {
            Whole::All => Ok(Cow::Borrowed(input)),
            Whole::Nothing => Ok(Cow::Owned(Value::Object(Map::new()))),
            Whole::At(path) => self.select(path, input).map_err(|why| Fault::path(path.text(), &why)),
        }
    }

    /// A `key.$`, or a Fail's ErrorPath and CausePath.
    pub(crate) fn source(&self, field: &str, source: &Source, input: &Value) -> Result<Value, Fault> {
        match source {
            Source::Path(path) => self.field(field, path, input),
            Source::Call(call) => {
                let mut resolve = |path: &Path| self.field(field, path, input);
                call.evaluate(self.chance(), &mut resolve).map_err(|failed| match failed {
                    Failed::Path(fault) => fault,
                    Failed::Function(why) => {
                        let text = call.text();
                        Fault::error(
                            "States.IntrinsicFailure",
                            format!("The function '{text}' had the following error: {why}"),
                        )
                    }
                })
            }
        }
    }

    fn field(&self, field: &str, path: &Path, input: &Value) -> Result<Value, Fault> {
        let found = self.select(path, input);
        found.map(Cow::into_owned).map_err(|_| {
            Fault::runtime(format!(
                "The JSONPath '{path}' specified for the field '{field}' could not be found in the input '{input}'"
            ))
        })
    }

    /// Fills a template.
    pub(crate) fn fill(&self, template: &Template, given: Given<'_>) -> Result<Value, Fault> {
        template.fill(&mut |field, question| match question {
            Question::Source(source) => self.source(field, source, given.input),
            Question::Expression(expression) => self.evaluate(expression, field, given),
        })
    }

    /// Evaluates an expression that stands in `field`.
    pub(crate) fn evaluate(
        &self,
        expression: &Expression,
        field: &str,
        given: Given<'_>,
    ) -> Result<Value, Fault> {
        let moment = Moment { now: self.now, chance: self.chance() };
        let mut lookup = |name: &str| match name {
            "states" => Some(self.states(expression.text(), given)),
            name => self.execution.variable(self.frame, name).cloned(),
        };
        let result = expression.evaluate(moment, &mut lookup);
        result.map_err(|why| Fault::expression(expression.text(), field, &why))
    }

    /// `$states`, without the parts that the expression cannot mean: they are copies, and may be large.
    fn states(&self, text: &str, given: Given<'_>) -> Value {
        let whole = text.match_indices("$states").any(|(at, name)| !text[at + name.len()..].starts_with('.'));
        let mut states = Map::new();
        states.insert(
            "input".into(),
            if whole || text.contains("input") { given.input.clone() } else { Value::Null },
        );
        if whole || text.contains("context") {
            states.insert("context".into(), self.context().clone());
        }
        for (key, value) in [("result", given.result), ("errorOutput", given.error)] {
            if let Some(value) = value {
                states.insert(key.into(), value.clone());
            }
        }
        Value::Object(states)
    }

    /// A number field; what it refers to must be one.
    pub(crate) fn amount(
        &self,
        name: &str,
        amount: &Amount,
        input: &Value,
        kind: Number,
    ) -> Result<f64, Fault> {
        match amount {
            Amount::Fixed(number) => Ok(*number),
            Amount::Path(path) => {
                let value = self.select(path, input).map_err(|why| Fault::path(path.text(), &why))?;
                kind.read(&value).ok_or_else(|| {
                    let kind = kind.name();
                    let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    Fault::runtime(format!(
                        "The {name}Path field refers to value \"{shown}\" which is not a valid {kind}: {path}"
                    ))
                })
            }
            Amount::Expression(expression) => {
                let value = self.evaluate(expression, name, Given::input(input))?;
                let number =
                    if kind == Number::Float { value.as_f64() } else { as_whole(&value).map(|n| n as f64) };
                number.ok_or_else(|| Fault::wrong_type(expression.text(), name, "number", &value))
            }
        }
    }
}

/// What a number field must be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Number {
    Integer,
    Float,
}

impl Number {
    fn name(self) -> &'static str {
        if self == Number::Integer { "integer" } else { "float" }
    }

    /// A number, or a text that is one.
    fn read(self, value: &Value) -> Option<f64> {
        match (self, value) {
            (Number::Integer, Value::String(text)) => text.parse::<i64>().ok().map(|n| n as f64),
            (Number::Integer, value) => as_whole(value).map(|n| n as f64),
            (Number::Float, Value::String(text)) => text.parse().ok(),
            (Number::Float, value) => value.as_f64(),
        }
    }
}
