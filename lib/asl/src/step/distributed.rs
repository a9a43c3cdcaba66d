//! Distributed Map: items from the input or a reader, batches, child executions, tolerated failures, a result writer.

use std::collections::BTreeMap;
use std::sync::Arc;

use doxa_query::template::Template;
use serde_json::{Value, json};

use super::exit::produce;
use super::failure::Origin;
use super::join::{concurrency, item_input, items};
use super::{Done, Turn};
use crate::event::{Command, Dispatch, StartChild};
use crate::execution::{Identity, Item, MapRun, Phase, Status};
use crate::fault::Fault;
use crate::history::{Details, EventType};
use crate::items::{Batching, ITEM_LIMIT};
use crate::machine::{Batcher, Distributed, Kind, Map, Reader};
use crate::payload::is_too_deep;
use crate::scope::{Given, Number, Scope};

/// Most children of a run at a time, as on AWS.
const CONCURRENCY_LIMIT: usize = 10_000;

impl<'t> Turn<'t> {
    fn map_of(&self, id: u32) -> Option<(&'t Map, &'t Distributed)> {
        match &self.state_of(id).kind {
            Kind::Map(map) => map.distributed.as_ref().map(|distributed| (&**map, distributed)),
            _ => None,
        }
    }

    pub(super) fn map_run(&mut self, id: u32, map: &Map, distributed: &Distributed) -> Done {
        let scope = self.scope(id);
        let raw = scope.frame.input.clone();
        let effective = Arc::new(scope.whole(&scope.state.io.input_path, &raw)?.into_owned());
        let given = if distributed.reader.is_some() { Vec::new() } else { items(&scope, map, &effective)? };
        self.append(id, EventType::MapStateStarted, Details::Length { length: given.len() as u64 });
        let run = self.plan(id, map, distributed, effective.clone())?;
        self.append(id, EventType::MapRunStarted, Details::MapRun { arn: run.arn.clone() });
        let started = self.frame(id).previous;
        self.frame_mut(id).phase = Phase::Distributed(Box::new(MapRun { started, ..run }));
        match &distributed.reader {
            None => self.begin(id, given),
            Some(reader) => {
                let arguments = filled(&self.scope(id), reader.parameters.as_ref(), &effective)?;
                self.ask(id, &reader.resource, arguments, Command::ReadItems);
                Ok(())
            }
        }
    }

    fn plan(&self, id: u32, map: &Map, distributed: &Distributed, effective: Arc<Value>) -> Done<MapRun> {
        let scope = self.scope(id);
        let raw = &scope.frame.input;
        let limit = concurrency(&scope, map, raw)?;
        let tolerated_count = distributed.tolerated_count.as_ref();
        let tolerated_count = tolerated_count
            .map(|amount| scope.amount("ToleratedFailureCount", amount, raw, Number::Integer))
            .transpose()?;
        if tolerated_count.is_some_and(|count| count < 0.0) {
            return Err(Fault::runtime("ToleratedFailureCount cannot be negative."));
        }
        let tolerated_percentage = distributed.tolerated_percentage.as_ref();
        let tolerated_percentage = tolerated_percentage
            .map(|amount| scope.amount("ToleratedFailurePercentage", amount, raw, Number::Float))
            .transpose()?;
        if tolerated_percentage.is_some_and(|percentage| !(0.0..=100.0).contains(&percentage)) {
            return Err(Fault::runtime("ToleratedFailurePercentage must be between 0 and 100."));
        }
        let chance = scope.chance();
        let label = if distributed.label.is_empty() { chance.uuid(1) } else { distributed.label.clone() };
        let who = &self.execution.identity;
        let arn = who.machine_arn.replace(":stateMachine:", ":mapRun:");
        Ok(MapRun {
            arn: format!("{arn}/{label}:{}", chance.uuid(2)),
            effective,
            awaited: None,
            started: 0,
            inputs: Vec::new(),
            next: 0,
            running: BTreeMap::new(),
            results: Vec::new(),
            failed: 0,
            limit: if limit == 0 { CONCURRENCY_LIMIT } else { limit.min(CONCURRENCY_LIMIT) },
            tolerated_count,
            tolerated_percentage,
        })
    }

    fn ask(&mut self, id: u32, resource: &str, arguments: Value, command: fn(Box<Dispatch>) -> Command) {
        let task = self.handle();
        self.execution.waiting.insert(task, id);
        if let Some(run) = self.run_mut(id) {
            run.awaited = Some(task);
        }
        let state = self.state_of(id).name.to_string();
        self.commands.push(command(Box::new(Dispatch {
            task,
            token: String::new(),
            state,
            resource: resource.to_owned(),
            arguments: Arc::new(arguments),
            timeout_secs: None,
            heartbeat_secs: None,
        })));
    }

    fn run_mut(&mut self, id: u32) -> Option<&mut MapRun> {
        match &mut self.frame_mut(id).phase {
            Phase::Distributed(run) => Some(run),
            _ => None,
        }
    }

    /// The frame whose run awaits the handle; it no longer does.
    fn answered(&mut self, task: u64) -> Option<u32> {
        let id = *self.execution.waiting.get(&task)?;
        self.run_mut(id)?.awaited.take_if(|awaited| *awaited == task)?;
        self.execution.waiting.remove(&task);
        Some(id)
    }

    pub(super) fn items_read(&mut self, task: u64, read: Result<String, String>) {
        let Some(id) = self.answered(task) else { return };
        let Some((_, distributed)) = self.map_of(id) else { return };
        if let Err(cause) = &read
            && distributed.reader.is_none()
        {
            return self.run_failed(id, "States.ResultWriterFailed", cause);
        }
        let Some(reader) = &distributed.reader else { return };
        let items = read.and_then(|text| reader.format.items(&text));
        let done = match items {
            Err(cause) => return self.run_failed(id, "States.ItemReaderFailed", &cause),
            Ok(items) => self.take(id, reader, items).and_then(|items| self.begin(id, items)),
        };
        self.settle(id, done);
    }

    /// The first MaxItems of what was read.
    fn take(&self, id: u32, reader: &Reader, mut items: Vec<Value>) -> Done<Vec<Value>> {
        let scope = self.scope(id);
        let most = match &reader.max_items {
            None => ITEM_LIMIT,
            Some(amount) => {
                let most = scope.amount("MaxItems", amount, &scope.frame.input, Number::Integer)?;
                if most < 0.0 {
                    return Err(Fault::runtime("field MaxItems must be positive"));
                }
                most as usize
            }
        };
        // AWS reads 0 as no limit.
        items.truncate(if most == 0 { ITEM_LIMIT } else { most.min(ITEM_LIMIT) });
        Ok(items)
    }

    /// Selects and batches the items, then starts the first children.
    fn begin(&mut self, id: u32, items: Vec<Value>) -> Done {
        let Some((map, distributed)) = self.map_of(id) else { return Ok(()) };
        let Phase::Distributed(run) = &self.frame(id).phase else { return Ok(()) };
        let effective = run.effective.clone();
        let mut inputs = Vec::with_capacity(items.len());
        if items.iter().any(is_too_deep) {
            return Err(Fault::too_deep());
        }
        for (index, value) in (0..).zip(items) {
            let item = Item { index, value: Arc::new(value) };
            inputs.push(Arc::unwrap_or_clone(item_input(self.scope(id), map, &item, &effective)?));
        }
        if let Some(batcher) = &distributed.batcher {
            inputs = batching(&self.scope(id), batcher, &effective)?.pack(inputs);
        }
        let Some(run) = self.run_mut(id) else { return Ok(()) };
        run.results = vec![None; inputs.len()];
        run.inputs = inputs;
        for _ in 0..run.limit.min(run.inputs.len()) {
            self.start_child(id);
        }
        self.over(id)
    }

    fn start_child(&mut self, id: u32) {
        let Some((map, distributed)) = self.map_of(id) else { return };
        let child = self.handle();
        let Some(run) = self.run_mut(id) else { return };
        let index = run.next;
        let Some(input) = run.inputs.get_mut(index).map(std::mem::take) else { return };
        run.next += 1;
        run.running.insert(child, index);
        let map_run_arn = run.arn.clone();
        self.execution.waiting.insert(child, id);
        let name = self.scope(id).chance().uuid(index as u64 + 10);
        let who = &self.execution.identity;
        let identity = Identity {
            arn: format!(
                "{}/{}:{name}",
                who.machine_arn.replace(":stateMachine:", ":execution:"),
                distributed.label
            ),
            name,
            history_limit: who.history_limit,
            ..who.clone()
        };
        self.commands.push(Command::StartChild(Box::new(StartChild {
            child,
            map_run_arn,
            index: index as u64,
            input: Arc::new(input),
            flavour: distributed.flavour,
            identity,
            graph: map.processor,
        })));
    }

    pub(super) fn child_done(&mut self, child: u64, status: Status) {
        let Some(id) = self.execution.waiting.remove(&child) else { return };
        let Some(run) = self.run_mut(id) else { return };
        let Some(index) = run.running.remove(&child) else { return };
        match status {
            Status::Succeeded { output } => run.results[index] = Some(Arc::unwrap_or_clone(output)),
            Status::Running | Status::Failed { .. } | Status::TimedOut { .. } | Status::Aborted { .. } => {
                run.failed += 1;
            }
        }
        if run.exceeded() {
            return self.run_failed(
                id,
                "States.ExceedToleratedFailureThreshold",
                "The specified tolerated failure threshold was exceeded",
            );
        }
        self.start_child(id);
        let done = self.over(id);
        self.settle(id, done);
    }

    /// Ends the run if no child is left.
    fn over(&mut self, id: u32) -> Done {
        let Some((_, distributed)) = self.map_of(id) else { return Ok(()) };
        let Some(run) = self.run_mut(id) else { return Ok(()) };
        if !run.running.is_empty() || run.next < run.inputs.len() {
            return Ok(());
        }
        let results: Vec<Value> = std::mem::take(&mut run.results).into_iter().flatten().collect();
        let (arn, effective) = (run.arn.clone(), run.effective.clone());
        let writer = distributed.writer.as_ref().and_then(|writer| Some((writer, writer.resource.as_ref()?)));
        let Some((writer, resource)) = writer else { return self.run_succeeded(id, Value::Array(results)) };
        let mut arguments = filled(&self.scope(id), writer.parameters.as_ref(), &effective)?;
        if let Value::Object(fields) = &mut arguments {
            fields.insert("MapRunArn".into(), json!(arn));
            fields.insert("WriterConfig".into(), writer.config.clone());
            fields.insert("Results".into(), Value::Array(results));
        }
        self.ask(id, resource, arguments, Command::WriteResults);
        Ok(())
    }

    pub(super) fn results_written(&mut self, task: u64, output: Value) {
        let Some(id) = self.answered(task) else { return };
        let done = self.run_succeeded(id, output);
        self.settle(id, done);
    }

    fn run_succeeded(&mut self, id: u32, result: Value) -> Done {
        // Since November 2024 AWS links the Map's exit to the run's start, not to its end.
        let started = self.run_mut(id).map(|run| run.started).unwrap_or_default();
        let ended = self.append_after(started, EventType::MapRunSucceeded, Details::None);
        self.append_after(ended, EventType::MapStateSucceeded, Details::None);
        let result = Arc::new(result);
        let scope = self.scope(id);
        let (state, raw) = (scope.state, scope.frame.input.clone());
        let produced = produce(&scope, state, &raw, &result, None)?;
        self.exit(id, produced, state.next)
    }

    fn run_failed(&mut self, id: u32, error: &str, cause: &str) {
        if let Some(run) = self.run_mut(id) {
            let children: Vec<u64> = std::mem::take(&mut run.running).into_keys().collect();
            for child in children {
                self.execution.waiting.remove(&child);
                self.commands.push(Command::StopChild { child });
            }
        }
        let (error, cause) = (Some(error.to_owned()), Some(cause.to_owned()));
        self.append(
            id,
            EventType::MapRunFailed,
            Details::Failure { error: error.clone(), cause: cause.clone() },
        );
        self.fail(id, Fault::named(error, cause), Origin::Own);
    }
}

impl MapRun {
    /// Whether more children failed than count and percentage allow; with neither, none may fail.
    fn exceeded(&self) -> bool {
        let share = self.failed as f64 * 100.0 / self.inputs.len().max(1) as f64;
        match (self.tolerated_count, self.tolerated_percentage) {
            (None, None) => self.failed > 0,
            (count, percentage) => {
                count.is_some_and(|count| self.failed as f64 > count)
                    || percentage.is_some_and(|most| share > most)
            }
        }
    }
}

fn filled(scope: &Scope<'_>, template: Option<&Template>, effective: &Value) -> Done<Value> {
    template.map_or_else(|| Ok(json!({})), |template| scope.fill(template, Given::input(effective)))
}

fn batching(scope: &Scope<'_>, batcher: &Batcher, effective: &Value) -> Done<Batching> {
    let raw = &scope.frame.input;
    let amount = |name, amount: Option<&_>| {
        let number = amount.map(|amount| scope.amount(name, amount, raw, Number::Integer)).transpose()?;
        Ok::<_, Fault>(number.filter(|number| *number > 0.0).map(|number| number as usize))
    };
    Ok(Batching {
        max_items: amount("MaxItemsPerBatch", batcher.max_items.as_ref())?,
        max_bytes: amount("MaxInputBytesPerBatch", batcher.max_bytes.as_ref())?.map(|most| most.min(262_144)),
        input: batcher
            .input
            .as_ref()
            .map(|template| scope.fill(template, Given::input(effective)))
            .transpose()?,
    })
}
