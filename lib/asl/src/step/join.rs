//! Parallel and inline Map: opening frames, gathering their results.

use std::sync::Arc;

use doxa_query::template::Template;
use serde_json::Value;

use super::exit::{checked, effective, produce};
use super::failure::Origin;
use super::{Done, Turn};
use crate::execution::{Item, Join, Phase};
use crate::fault::Fault;
use crate::history::{Details, EventType};
use crate::machine::{GraphId, Items, Kind, Language, Map};
use crate::scope::{Given, Number, Scope};

/// Most iterations of an inline Map at a time, as on AWS.
const CONCURRENCY_LIMIT: usize = 40;

impl Turn<'_> {
    pub(super) fn fork(&mut self, id: u32, branches: &[GraphId]) -> Done {
        let scope = self.scope(id);
        let raw = scope.frame.input.clone();
        let effective = effective(&scope, &raw)?;
        self.append(id, EventType::ParallelStateStarted, Details::None);
        let previous = self.frame(id).previous;
        let mut join = Join {
            children: Vec::new(),
            results: vec![None; branches.len()],
            items: Vec::new(),
            next: branches.len(),
            done: 0,
            effective: effective.clone(),
        };
        for (index, branch) in (0..).zip(branches) {
            let start = self.machine.graph(*branch).start;
            join.children.push(self.open(Some(id), index, start, effective.clone(), previous));
        }
        self.frame_mut(id).phase = Phase::Join(join);
        Ok(())
    }

    pub(super) fn iterate(&mut self, id: u32, map: &Map) -> Done {
        let scope = self.scope(id);
        let raw = scope.frame.input.clone();
        // Parameters is ItemSelector's old name here, so only InputPath makes the effective input.
        let effective = Arc::new(scope.whole(&scope.state.io.input_path, &raw)?.into_owned());
        let limit = concurrency(&scope, map, &raw)?;
        let items = items(&scope, map, &effective)?;
        self.append(id, EventType::MapStateStarted, Details::Length { length: items.len() as u64 });
        let previous = self.frame(id).previous;
        let total = items.len();
        let join =
            Join { children: Vec::new(), results: vec![None; total], items, next: 0, done: 0, effective };
        self.frame_mut(id).phase = Phase::Join(join);
        if total == 0 {
            return self.join_done(id);
        }
        let limit = if limit == 0 { CONCURRENCY_LIMIT } else { limit.min(CONCURRENCY_LIMIT) };
        for _ in 0..limit.min(total) {
            self.spawn(id, map, previous)?;
        }
        Ok(())
    }

    /// Begins the next iteration.
    fn spawn(&mut self, id: u32, map: &Map, previous: u64) -> Done {
        let Phase::Join(join) = &self.frame(id).phase else { return Ok(()) };
        let (at, effective) = (join.next, join.effective.clone());
        let Some(value) = join.items.get(at) else { return Ok(()) };
        let item = Item { index: at as u64, value: Arc::new(value.clone()) };
        let input = item_input(self.scope(id), map, &item, &effective)?;
        if let Phase::Join(join) = &mut self.frame_mut(id).phase {
            join.next += 1;
        }
        let details = Details::Iteration { name: self.state_of(id).name.clone(), index: item.index };
        let started = self.append_after(previous, EventType::MapIterationStarted, details);
        let child = self.open(Some(id), item.index, self.machine.graph(map.processor).start, input, started);
        self.frame_mut(child).item = Some(item);
        Ok(())
    }

    /// A frame is at its end: its result goes to its parent.
    pub(super) fn joined(&mut self, child: u32, output: Arc<Value>) {
        let frame = self.frame(child);
        let (Some(parent), index, previous) = (frame.parent, frame.index, frame.previous) else { return };
        self.close(child);
        let machine = self.machine;
        let outer = machine.state(self.frame(parent).state);
        let Phase::Join(join) = &mut self.frame_mut(parent).phase else { return };
        if let Some(slot) = join.results.get_mut(index as usize) {
            *slot = Some(Arc::unwrap_or_clone(output));
        }
        join.done += 1;
        let (over, more) = (join.done == join.results.len(), join.next < join.results.len());
        let mut last = previous;
        if let Kind::Map(map) = &outer.kind {
            let details = Details::Iteration { name: outer.name.clone(), index };
            last = self.append_after(previous, EventType::MapIterationSucceeded, details);
            if more && let Err(fault) = self.spawn(parent, map, previous) {
                return self.fail(parent, fault, Origin::Own);
            }
        }
        if over {
            self.frame_mut(parent).previous = last;
            let done = self.join_done(parent);
            self.settle(parent, done);
        }
    }

    fn join_done(&mut self, id: u32) -> Done {
        let Phase::Join(join) = &mut self.frame_mut(id).phase else { return Ok(()) };
        let results: Vec<Value> =
            std::mem::take(&mut join.results).into_iter().map(Option::unwrap_or_default).collect();
        let state = self.state_of(id);
        let kind = if matches!(state.kind, Kind::Map(_)) {
            EventType::MapStateSucceeded
        } else {
            EventType::ParallelStateSucceeded
        };
        self.append_after(self.frame(id).previous, kind, Details::None);
        let result = Arc::new(Value::Array(results));
        let scope = self.scope(id);
        let raw = scope.frame.input.clone();
        let produced = produce(&scope, state, &raw, &result, None)?;
        self.exit(id, produced, state.next)
    }
}

/// MaxConcurrency; 0 is "as many as there may be".
pub(super) fn concurrency(scope: &Scope<'_>, map: &Map, raw: &Value) -> Done<usize> {
    match &map.max_concurrency {
        None => Ok(0),
        Some(amount) => {
            let limit = scope.amount("MaxConcurrency", amount, raw, Number::Integer)?;
            if limit < 0.0 {
                Err(Fault::runtime("MaxConcurrency cannot be negative."))
            } else {
                Ok(limit as usize)
            }
        }
    }
}

/// The items of a Map that does not read them from elsewhere.
pub(crate) fn items(scope: &Scope<'_>, map: &Map, effective: &Value) -> Done<Vec<Value>> {
    match &map.items {
        Items::Input => match effective {
            Value::Array(items) => Ok(items.clone()),
            other if scope.state.language == Language::Jsonata => {
                let mut fault =
                    Fault::query("", format!("Map state input must be an array but was: {other}"));
                if let Some(evaluation) = &mut fault.evaluation {
                    evaluation.location = None;
                }
                Err(fault)
            }
            other => Err(not_a_list("$", other)),
        },
        Items::Path(path) => {
            let value =
                scope.select(path, effective).map_err(|why| Fault::path(path.text(), &why))?.into_owned();
            match value {
                Value::Array(items) => Ok(items),
                other => Err(not_a_list(path.text(), &other)),
            }
        }
        Items::Template(template) => match (scope.fill(template, Given::input(effective))?, template) {
            (Value::Array(items), _) => Ok(items),
            (other, Template::Expression { field, expression }) => {
                Err(Fault::wrong_type(expression.text(), field, "array", &other))
            }
            (other, _) => Err(not_a_list("Items", &other)),
        },
    }
}

fn not_a_list(path: &str, value: &Value) -> Fault {
    Fault::runtime(format!("Reference path \"{path}\" must point to array, but was: {value}"))
}

/// What an iteration or a child starts with: ItemSelector's answer, else the item.
pub(super) fn item_input(
    mut scope: Scope<'_>,
    map: &Map,
    item: &Item,
    effective: &Value,
) -> Done<Arc<Value>> {
    scope.item = Some(item.clone());
    match &map.selector {
        None => Ok(item.value.clone()),
        Some(template) => checked(scope.fill(template, Given::input(effective))?),
    }
}
