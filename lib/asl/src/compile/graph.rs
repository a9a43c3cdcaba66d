//! Graphs: StartAt and States of the machine, a branch or an item processor; names, targets, reachability.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::Compiler;
use crate::diagnostic::Code;
use crate::machine::{Graph, GraphId, Language, StateId};

/// Deepest nesting of Maps and Parallels within each other.
const DEPTH_LIMIT: usize = 20;
/// Longest name of a state.
const NAME_LIMIT: usize = 80;

/// Where the states of the graph at hand go by name.
pub(super) struct Scope<'g> {
    pub(super) names: &'g HashMap<String, StateId>,
    pub(super) language: Language,
    pub(super) depth: usize,
}

impl Compiler {
    /// Compiles a graph and answers its place.
    pub(super) fn graph(
        &mut self,
        at: &str,
        fields: &Map<String, Value>,
        language: Language,
        depth: usize,
    ) -> Option<GraphId> {
        let id = GraphId::try_from(self.graphs.len()).ok()?;
        self.graphs.push(None);
        if depth > DEPTH_LIMIT {
            self.error(Code::TooDeeplyNested, at, format!("States are nested more than {DEPTH_LIMIT} deep"));
            return None;
        }
        if !self.require(at, fields, &["States", "StartAt"]) {
            return None;
        }
        let start = self.string(at, fields, "StartAt")?;
        let states = self.object(at, fields, "States")?;
        if states.is_empty() {
            self.schema(&format!("{at}/States"), "Value cannot be empty");
            return None;
        }
        let names = self.names(at, states);
        for (name, state) in states {
            let scope = Scope { names: &names, language, depth };
            self.state(&format!("{at}/States/{name}"), name, state, &scope);
        }
        self.reachable(at, start, states, &names);
        if !states.values().any(is_terminal) {
            self.error(
                Code::MissingEndState,
                at,
                "No state is terminal: one must have End, or be a Succeed or Fail",
            );
        }
        let start = *names.get(start)?;
        self.graphs[id as usize] = Some(Graph { start });
        Some(id)
    }

    fn names(&mut self, at: &str, states: &Map<String, Value>) -> HashMap<String, StateId> {
        let mut names = HashMap::new();
        for name in states.keys() {
            if name.chars().count() > NAME_LIMIT || name.is_empty() {
                let message = format!("State name must have 1 to {NAME_LIMIT} characters");
                self.error(Code::InvalidStateName, &format!("{at}/States/{name}"), message);
            }
            if !self.names.insert(name.clone()) {
                let message = format!("Duplicate state name: {name}");
                self.error(Code::DuplicateStateName, &format!("{at}/States/{name}"), message);
            }
            names.insert(name.clone(), self.states.len() as StateId);
            self.states.push(None);
        }
        names
    }

    /// The state that a transition names.
    pub(super) fn target(&mut self, at: &str, field: &str, name: &str, scope: &Scope<'_>) -> Option<StateId> {
        let id = scope.names.get(name).copied();
        if id.is_none() {
            let message = format!("Missing '{field}' target: {name}");
            self.error(Code::MissingTransitionTarget, &format!("{at}/{field}"), message);
        }
        id
    }

    fn reachable(
        &mut self,
        at: &str,
        start: &str,
        states: &Map<String, Value>,
        names: &HashMap<String, StateId>,
    ) {
        if !names.contains_key(start) {
            let message = format!("Missing 'StartAt' target: {start}");
            self.error(Code::MissingTransitionTarget, &format!("{at}/StartAt"), message);
            return;
        }
        let mut seen = std::collections::HashSet::from([start]);
        let mut open = vec![start];
        while let Some(name) = open.pop() {
            let targets = states.get(name).map(targets).unwrap_or_default();
            open.extend(
                targets.into_iter().filter(|target| states.contains_key(*target) && seen.insert(target)),
            );
        }
        for name in states.keys().filter(|name| !seen.contains(name.as_str())) {
            let message = format!("State \"{name}\" is not reachable.");
            self.error(Code::MissingTransitionTarget, &format!("{at}/States/{name}"), message);
        }
    }
}

fn is_terminal(state: &Value) -> bool {
    let kind = state.get("Type").and_then(Value::as_str);
    kind.is_some_and(|kind| kind == "Succeed" || kind == "Fail")
        || state.get("End") == Some(&Value::Bool(true))
}

/// Names that a state may go to.
fn targets(state: &Value) -> Vec<&str> {
    let mut targets = Vec::new();
    targets.extend(["Next", "Default"].iter().filter_map(|key| state.get(key)?.as_str()));
    for list in ["Choices", "Catch"] {
        let items = state.get(list).and_then(Value::as_array);
        targets.extend(items.into_iter().flatten().filter_map(|item| item.get("Next")?.as_str()));
    }
    targets
}
