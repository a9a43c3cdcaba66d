//! Text to machine: one walk that parses, validates and compiles, and collects every diagnostic on its way.

mod fields;
mod flow;
mod graph;
mod kinds;
mod map;
mod read;

use serde_json::Value;

use crate::diagnostic::{Code, Diagnostic, Refused, Severity};
use crate::machine::{Flavour, Graph, Language, Machine, State};
use crate::position;

/// Largest definition, as AWS allows.
pub const DEFINITION_LIMIT: usize = 1_048_576;

/// The walk's product so far.
struct Compiler {
    flavour: Flavour,
    states: Vec<Option<State>>,
    graphs: Vec<Option<Graph>>,
    found: Vec<Diagnostic>,
    labels: Vec<String>,
    names: std::collections::HashSet<String>,
}

impl Machine {
    /// Compiles a definition, or says everything that is wrong with it, with lines and columns.
    pub fn compile(text: &str, flavour: Flavour) -> Result<Self, Refused> {
        let value = read::definition(text).map_err(|diagnostic| Refused(vec![diagnostic]))?;
        let place = |mut diagnostic: Diagnostic| {
            diagnostic.position = position::locate(text, &diagnostic.location);
            diagnostic
        };
        match Self::from_value(&value, flavour) {
            Ok(mut machine) => {
                machine.warnings = machine.warnings.into_iter().map(place).collect();
                Ok(machine)
            }
            Err(refused) => Err(Refused(refused.0.into_iter().map(place).collect())),
        }
    }

    /// Compiles a definition that is parsed already; its diagnostics have no positions.
    pub fn from_value(definition: &Value, flavour: Flavour) -> Result<Self, Refused> {
        let mut compiler = Compiler {
            flavour,
            states: Vec::new(),
            graphs: Vec::new(),
            found: Vec::new(),
            labels: Vec::new(),
            names: std::collections::HashSet::new(),
        };
        let timeout_secs = compiler.machine(definition);
        let (errors, warnings): (Vec<_>, Vec<_>) =
            compiler.found.into_iter().partition(|found| found.severity == Severity::Error);
        let states: Option<Vec<_>> = compiler.states.into_iter().collect();
        let graphs: Option<Vec<_>> = compiler.graphs.into_iter().collect();
        match (states, graphs) {
            (Some(states), Some(graphs)) if errors.is_empty() => {
                Ok(Self { states, graphs, flavour, timeout_secs, warnings })
            }
            _ => Err(Refused(errors)),
        }
    }
}

/// Validates like AWS's ValidateStateMachineDefinition: errors and warnings, worst first.
pub fn validate(text: &str, flavour: Flavour) -> Vec<Diagnostic> {
    match Machine::compile(text, flavour) {
        Ok(machine) => machine.warnings,
        Err(refused) => refused.0,
    }
}

impl Compiler {
    fn error(&mut self, code: Code, at: &str, message: impl Into<String>) {
        self.found.push(Diagnostic::error(code, at, message));
    }

    fn schema(&mut self, at: &str, message: impl Into<String>) {
        self.error(Code::SchemaValidationFailed, at, message);
    }

    fn machine(&mut self, definition: &Value) -> Option<u64> {
        let Some(fields) = definition.as_object() else {
            self.schema("", "Definition must be a valid JSON object");
            return None;
        };
        let allowed = ["Comment", "StartAt", "States", "Version", "TimeoutSeconds", "QueryLanguage"];
        self.allow("", fields, &[&allowed]);
        if fields.get("Version").is_some_and(|version| version != "1.0") {
            self.schema("/Version", "Value is not valid. Expected '1.0'");
        }
        let language = self.language("", fields, Language::JsonPath);
        self.graph("", fields, language, 1);
        self.whole("", fields, "TimeoutSeconds", 1, 99_999_999)
    }
}
