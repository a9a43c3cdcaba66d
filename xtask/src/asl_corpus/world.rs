//! The world around one case.

use std::collections::{BTreeMap, VecDeque};

use doxa_asl::{
    Command, Dispatch, Event, Execution, HistoryEvent, Identity, Machine, StartChild, Status, step,
};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::UNSCRIPTED;
use super::compare::matches;

/// Most events that a case may take, should it run away.
const EVENT_LIMIT: usize = 100_000;

/// The world of one case: a virtual clock, scripted tasks, stored objects.
pub(super) struct World<'c> {
    script: Vec<(&'c Value, bool)>,
    unscripted: bool,
    objects: &'c Value,
    timers: BTreeMap<(Timestamp, u64), ()>,
    inbox: VecDeque<Event>,
    now: Timestamp,
}

type Outcome = Result<(Status, Vec<HistoryEvent>), String>;

impl<'c> World<'c> {
    pub(super) fn new(case: &'c Value) -> Self {
        let tasks = case["tasks"].as_array().into_iter().flatten();
        Self {
            script: tasks.map(|task| (task, false)).collect(),
            unscripted: case["kind"] == "express_sync",
            objects: &case["s3"],
            timers: BTreeMap::new(),
            inbox: VecDeque::new(),
            now: Timestamp::from_second(1_795_223_646).unwrap_or_default(),
        }
    }

    pub(super) fn run(&mut self, machine: &Machine, case: &Value) -> Outcome {
        let mut execution = Execution::new(identity(case), case["input"].clone(), self.now);
        self.drive(machine, &mut execution)
    }

    fn drive(&mut self, machine: &Machine, execution: &mut Execution) -> Outcome {
        let mut history = Vec::new();
        self.inbox.push_back(Event::Start);
        for _ in 0..EVENT_LIMIT {
            let Some(event) = self.next() else {
                return Err(format!(
                    "nothing more happens; {} events, status {}",
                    history.len(),
                    execution.status().name()
                ));
            };
            let commands = step(machine, execution, event, self.now);
            for command in commands {
                self.carry_out(machine, command, &mut history)?;
            }
            // What is persisted must be the whole truth: each step starts from the text of the last.
            let text = serde_json::to_string(execution).map_err(|error| error.to_string())?;
            *execution = serde_json::from_str(&text).map_err(|error| error.to_string())?;
            if *execution.status() != Status::Running {
                return Ok((execution.status().clone(), history));
            }
        }
        Err("the case does not end".to_owned())
    }

    fn next(&mut self) -> Option<Event> {
        if let Some(event) = self.inbox.pop_front() {
            return Some(event);
        }
        let ((at, timer), ()) = self.timers.pop_first()?;
        self.now = self.now.max(at);
        Some(Event::TimerFired { timer })
    }

    fn carry_out(
        &mut self,
        machine: &Machine,
        command: Command,
        history: &mut Vec<HistoryEvent>,
    ) -> Result<(), String> {
        match command {
            Command::Append(event) => history.push(event),
            Command::SetTimer { timer, at } => drop(self.timers.insert((at, timer), ())),
            Command::CancelTimer { timer } => self.timers.retain(|(_, other), ()| *other != timer),
            Command::Dispatch(_) if self.unscripted => return Err(UNSCRIPTED.to_owned()),
            Command::Dispatch(dispatch) => self.answer(&dispatch),
            Command::ReadItems(dispatch) => self.read(&dispatch),
            Command::WriteResults(dispatch) => {
                let output = json!({"MapRunArn": dispatch.arguments["MapRunArn"]});
                self.inbox.push_back(Event::ResultsWritten { task: dispatch.task, output });
            }
            Command::StartChild(child) => self.child(machine, &child)?,
            Command::Yield => self.inbox.push_back(Event::Continue),
            Command::CancelTask { .. } | Command::StopChild { .. } | Command::Complete(_) => {}
        }
        Ok(())
    }

    fn child(&mut self, machine: &Machine, child: &StartChild) -> Result<(), String> {
        let mut world = World {
            script: Vec::new(),
            unscripted: false,
            objects: self.objects,
            timers: BTreeMap::new(),
            inbox: VecDeque::new(),
            now: self.now,
        };
        let mut execution = Execution::child(child, child.child, self.now);
        let (status, _) = world.drive(machine, &mut execution)?;
        self.inbox.push_back(Event::ChildDone { child: child.child, status });
        Ok(())
    }

    fn read(&mut self, dispatch: &Dispatch) {
        let key = dispatch.arguments["Key"].as_str().unwrap_or_default();
        let bucket = dispatch.arguments["Bucket"].as_str().unwrap_or_default();
        let task = dispatch.task;
        self.inbox.push_back(match object(self.objects, bucket, key, &dispatch.resource) {
            Some(text) => Event::ItemsRead { task, text },
            None => Event::ItemsFailed { task, cause: format!("no object `{key}` in `{bucket}`") },
        });
    }

    /// Plays the script of the task: by state and parameters, else by state and order.
    fn answer(&mut self, dispatch: &Dispatch) {
        let same_state = |row: &&mut (&Value, bool)| !row.1 && row.0["state"] == dispatch.state.as_str();
        let same = |row: &&mut (&Value, bool)| {
            let details = &row.0["details"];
            let wanted = details.get("parameters").or_else(|| details.get("input")).unwrap_or(&Value::Null);
            same_state(row) && matches(wanted, &dispatch.arguments)
        };
        let found = match self.script.iter_mut().find(same) {
            Some(row) => Some(row),
            None => self.script.iter_mut().find(same_state),
        };
        let Some(row) = found else {
            // A scheduled task that has no recording is one whose resource was gone.
            let cause = format!("The activity {} does not exist.", dispatch.resource);
            return self.inbox.push_back(Event::TaskRefused { task: dispatch.task, cause });
        };
        row.1 = true;
        let steps = row.0["steps"].as_array().into_iter().flatten();
        let events: Vec<Event> = steps.filter_map(|step| task_event(dispatch.task, step)).collect();
        self.inbox.extend(events);
    }
}

fn task_event(task: u64, step: &Value) -> Option<Event> {
    let name = step["event"].as_str()?;
    let text = |key: &str| step[key].as_str().map(str::to_owned);
    match name.trim_start_matches("LambdaFunction").trim_start_matches("Activity").trim_start_matches("Task")
    {
        "Started" => Some(Event::TaskStarted { task, worker: text("workerName") }),
        "Submitted" => Some(Event::TaskSubmitted { task, output: step["output"].clone() }),
        "Succeeded" => Some(Event::TaskSucceeded { task, output: step["output"].clone() }),
        // Nothing answers, and the clock brings the timeout.
        "TimedOut" => None,
        _ => Some(Event::TaskFailed { task, error: text("error"), cause: text("cause") }),
    }
}

/// The text of a stored object, or a listing's objects.
fn object(objects: &Value, bucket: &str, key: &str, resource: &str) -> Option<String> {
    let all: Vec<&Value> = objects.as_array()?.iter().collect();
    if resource.ends_with("listObjectsV2") {
        let list = all.iter().map(|object| {
            let size = object["body"].as_str().map_or(0, str::len);
            json!({"Etag": "", "Key": object["key"], "LastModified": 0, "Size": size, "StorageClass": "STANDARD"})
        });
        return Some(Value::Array(list.collect()).to_string());
    }
    let field = |object: &Value, name: &str| object.get(name).and_then(Value::as_str).map(str::to_owned);
    let found = all.into_iter().find(|object| {
        field(object, "key").as_deref() == Some(key)
            && field(object, "bucket").is_none_or(|name| name == bucket)
    })?;
    field(found, "body")
}

fn identity(case: &Value) -> Identity {
    let named = case["execution_arn"].as_str().or_else(|| case["response"]["executionArn"].as_str());
    let arn =
        named.unwrap_or("arn:aws:states:us-east-1:111111111111:execution:statemachine_00000001:exec-0001");
    let parts: Vec<&str> = arn.split(':').collect();
    let (machine, name) =
        (parts.get(6).copied().unwrap_or_default(), parts.get(7).copied().unwrap_or_default());
    let role = case["role_arn"].as_str().unwrap_or("arn:aws:iam::111111111111:role/sfn-role-fixed");
    Identity {
        arn: arn.to_owned(),
        name: name.to_owned(),
        machine_arn: format!("arn:aws:states:us-east-1:111111111111:stateMachine:{machine}"),
        machine_name: machine.to_owned(),
        role_arn: Some(role.to_owned()),
        seed: 42,
        history_limit: Some(25_000),
    }
}
