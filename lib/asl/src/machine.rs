//! A compiled state machine: all states of all nesting levels in one arena, every path and expression parsed.

use std::sync::Arc;

use doxa_query::comparison::Test;
use doxa_query::jsonata::Expression;
use doxa_query::path::Path;
use doxa_query::template::{Source, Template};
use jiff::Timestamp;
use serde_json::Value;

use crate::resource::{Pattern, Resource};

/// Place of a state in [`Machine::states`]. Stable for a definition, so it may be persisted beside it.
pub(crate) type StateId = u32;
/// Place of a graph in [`Machine::graphs`]: 0 is the machine itself, others are branches and item processors.
pub(crate) type GraphId = u32;

/// The query language of a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// The default.
    JsonPath,
    /// Expressions in `{% … %}`.
    Jsonata,
}

/// The type of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Flavour {
    /// Full history, up to a year.
    #[default]
    Standard,
    /// No callbacks, no `.sync`, five minutes.
    Express,
}

/// A compiled machine. Immutable; share it between executions.
#[derive(Debug)]
pub struct Machine {
    pub(crate) states: Vec<State>,
    pub(crate) graphs: Vec<Graph>,
    pub(crate) flavour: Flavour,
    pub(crate) timeout_secs: Option<u64>,
    pub(crate) warnings: Vec<crate::Diagnostic>,
}

/// A set of states with a start: the machine, a branch, or a Map's processor.
#[derive(Debug)]
pub(crate) struct Graph {
    pub(crate) start: StateId,
}

/// One state.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) name: Arc<str>,
    pub(crate) language: Language,
    pub(crate) kind: Kind,
    pub(crate) next: Option<StateId>,
    pub(crate) io: Io,
    pub(crate) assign: Option<Template>,
    pub(crate) retry: Vec<Retrier>,
    pub(crate) catch: Vec<Catcher>,
}

/// The input and output processing of a state.
#[derive(Debug, Default)]
pub(crate) struct Io {
    pub(crate) input_path: Whole,
    /// Parameters, or Arguments.
    pub(crate) parameters: Option<Template>,
    pub(crate) selector: Option<Template>,
    pub(crate) result_path: Whole,
    pub(crate) output_path: Whole,
    /// JSONata's Output.
    pub(crate) output: Option<Template>,
}

/// A path field that may be absent (everything), `null` (nothing) or a path.
#[derive(Clone, Debug, Default)]
pub(crate) enum Whole {
    #[default]
    All,
    Nothing,
    At(Path),
}

/// What a state does.
#[derive(Debug)]
pub(crate) enum Kind {
    Pass { result: Option<Arc<Value>> },
    Task(Box<Task>),
    Choice { rules: Vec<ChoiceRule>, default: Option<StateId> },
    Wait(Until),
    Succeed,
    Fail { error: Text, cause: Text },
    Parallel { branches: Vec<GraphId> },
    Map(Box<Map>),
}

/// A Task's own fields.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) resource: Resource,
    pub(crate) timeout: Option<Amount>,
    pub(crate) heartbeat: Option<Amount>,
}

/// A rule of a Choice.
#[derive(Debug)]
pub(crate) struct ChoiceRule {
    pub(crate) rule: Rule,
    pub(crate) next: StateId,
    pub(crate) assign: Option<Template>,
    pub(crate) output: Option<Template>,
}

/// When a rule of a Choice applies: comparisons over paths, or a JSONata condition.
#[derive(Clone, Debug)]
pub(crate) enum Rule {
    All(Vec<Rule>),
    Any(Vec<Rule>),
    Not(Box<Rule>),
    Test { variable: Path, test: Test },
    Condition(Template),
}

/// How long a Wait waits.
#[derive(Debug)]
pub(crate) enum Until {
    Seconds(u64),
    SecondsPath(Path),
    SecondsExpression(Template),
    Timestamp(Timestamp),
    TimestampPath(Path),
    TimestampExpression(Template),
}

/// A Fail's text.
#[derive(Debug)]
pub(crate) enum Text {
    Absent,
    Literal(String),
    Source(Source),
    Expression(Template),
}

/// A number that may be given by a path or an expression.
#[derive(Clone, Debug)]
pub(crate) enum Amount {
    Fixed(f64),
    Path(Path),
    Expression(Expression),
}

/// A Map's own fields.
#[derive(Debug)]
pub(crate) struct Map {
    pub(crate) processor: GraphId,
    pub(crate) items: Items,
    pub(crate) selector: Option<Template>,
    pub(crate) max_concurrency: Option<Amount>,
    pub(crate) distributed: Option<Distributed>,
}

/// Where a Map's items come from.
#[derive(Debug)]
pub(crate) enum Items {
    Input,
    Path(Path),
    Template(Template),
}

/// The fields of a distributed Map.
#[derive(Debug)]
pub(crate) struct Distributed {
    pub(crate) flavour: Flavour,
    pub(crate) label: String,
    pub(crate) reader: Option<Reader>,
    pub(crate) batcher: Option<Batcher>,
    pub(crate) writer: Option<Writer>,
    pub(crate) tolerated_count: Option<Amount>,
    pub(crate) tolerated_percentage: Option<Amount>,
}

/// ItemReader.
#[derive(Debug)]
pub(crate) struct Reader {
    pub(crate) resource: String,
    pub(crate) parameters: Option<Template>,
    pub(crate) format: crate::items::Format,
    pub(crate) max_items: Option<Amount>,
}

/// ItemBatcher.
#[derive(Debug)]
pub(crate) struct Batcher {
    pub(crate) max_items: Option<Amount>,
    pub(crate) max_bytes: Option<Amount>,
    pub(crate) input: Option<Template>,
}

/// ResultWriter.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) resource: Option<String>,
    pub(crate) parameters: Option<Template>,
    pub(crate) config: Value,
}

/// A retrier.
#[derive(Clone, Debug)]
pub(crate) struct Retrier {
    pub(crate) errors: Vec<String>,
    pub(crate) interval_secs: f64,
    pub(crate) max_attempts: u64,
    pub(crate) backoff: f64,
    pub(crate) max_delay_secs: Option<f64>,
    pub(crate) jitter: bool,
}

/// A catcher.
#[derive(Debug)]
pub(crate) struct Catcher {
    pub(crate) errors: Vec<String>,
    pub(crate) next: StateId,
    pub(crate) result_path: Whole,
    pub(crate) assign: Option<Template>,
    pub(crate) output: Option<Template>,
}

impl State {
    /// Whether the context object has a task token: for `.waitForTaskToken`, and for `.sync` too.
    pub(crate) fn waits_for_token(&self) -> bool {
        let Kind::Task(task) = &self.kind else { return false };
        task.resource.pattern != Pattern::RequestResponse
    }
}

impl Machine {
    pub(crate) fn state(&self, id: StateId) -> &State {
        &self.states[id as usize]
    }

    pub(crate) fn graph(&self, id: GraphId) -> &Graph {
        &self.graphs[id as usize]
    }

    /// Standard or Express.
    pub fn flavour(&self) -> Flavour {
        self.flavour
    }

    /// What validation found worth saying about an accepted machine.
    pub fn warnings(&self) -> &[crate::Diagnostic] {
        &self.warnings
    }

    /// The resources that the machine's tasks, readers and writers call, for the engine to check against its table.
    pub fn resources(&self) -> impl Iterator<Item = (&str, &str)> {
        self.states.iter().filter_map(|state| match &state.kind {
            Kind::Task(task) => Some((&*state.name, task.resource.arn.as_str())),
            _ => None,
        })
    }
}
