//! Replays and chaos: the same events lead to the same execution and history; arbitrary events in any order never panic.

use std::sync::Arc;

use doxa_asl::{Command, Event, Execution, Flavour, Machine, Status, step, validate};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::world::{Answer, World, compile, identity};

const LAMBDA: &str = "arn:aws:states:::lambda:invoke";

/// A machine with everything in it that waits: tasks with retries, timers, branches, iterations, a callback.
fn everything() -> Value {
    let task = json!({"Type": "Task", "Resource": LAMBDA, "TimeoutSeconds": 20, "HeartbeatSeconds": 7, "End": true,
        "Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 3, "MaxAttempts": 2, "JitterStrategy": "FULL"}]});
    let iterate = json!({"Type": "Map", "ItemsPath": "$.l", "MaxConcurrency": 2, "ItemProcessor": {
        "StartAt": "I", "States": {"I": task}}, "ResultPath": "$.m", "Next": "Pause"});
    let distributed = json!({"Type": "Map", "MaxConcurrency": 2, "ToleratedFailureCount": 1, "End": true,
        "ItemReader": {"Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": {"InputType": "JSONL"}, "Parameters": {"Bucket": "b", "Key": "k"}},
        "ResultWriter": {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "b"}},
        "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED"}, "StartAt": "C", "States": {"C": {"Type": "Pass", "End": true}}}});
    json!({"StartAt": "Fork", "TimeoutSeconds": 3000, "States": {
        "Fork": {"Type": "Parallel", "ResultPath": "$.p", "Next": "Each",
            "Branches": [{"StartAt": "D", "States": {"D": distributed}}, {"StartAt": "B", "States": {"B": task}}, {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 5, "End": true}}}],
            "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.e", "Next": "Each"}]},
        "Each": iterate,
        "Pause": {"Type": "Wait", "Seconds": 2, "Next": "Token"},
        "Token": {"Type": "Pass", "Parameters": {"id.$": "States.UUID()", "at.$": "$$.State.EnteredTime"}, "End": true},
    }})
}

#[test]
fn a_replay_of_every_prefix_is_the_state_that_was_stored() {
    let machine = compile(&everything());
    let tasks = |_: &doxa_asl::Dispatch, attempt: usize| match attempt % 3 {
        0 => Answer::Failure("E", "c"),
        1 => Answer::Beats(vec![5, 5], json!({"n": 1})),
        _ => Answer::Output(json!(2)),
    };
    let mut world = World::new(&machine, json!({"l": [1, 2, 3]}), &tasks);
    world.objects = vec![("k", "1\n2\n3")];
    let world = world.run();
    assert_eq!(world.execution.status().name(), "SUCCEEDED");
    let start = world.events[0].1;
    let mut execution = Execution::new(identity(), json!({"l": [1, 2, 3]}), start);
    let mut history = Vec::new();
    for (event, at) in &world.events {
        // Through text each time, as an engine would.
        execution = serde_json::from_str(&serde_json::to_string(&execution).unwrap()).unwrap();
        for command in step(&machine, &mut execution, event.clone(), *at) {
            if let Command::Append(event) = command {
                history.push(event);
            }
        }
    }
    assert_eq!((execution, history), (world.execution, world.history));
}

#[derive(Clone, Debug)]
enum Kick {
    Started(u64),
    Succeeded(u64),
    Failed(u64),
    Beat(u64),
    Timer(u64),
    Read(u64),
    Unread(u64),
    Written(u64),
    Child(u64),
    Childless(u64),
    Stop,
    Redrive,
    Continue,
    Start,
}

fn kick() -> impl Strategy<Value = Kick> {
    let handle = 1u64..40;
    prop_oneof![
        4 => handle.clone().prop_map(Kick::Started),
        8 => handle.clone().prop_map(Kick::Succeeded),
        4 => handle.clone().prop_map(Kick::Failed),
        2 => handle.clone().prop_map(Kick::Beat),
        8 => handle.clone().prop_map(Kick::Timer),
        3 => handle.clone().prop_map(Kick::Read),
        1 => handle.clone().prop_map(Kick::Unread),
        2 => handle.clone().prop_map(Kick::Written),
        4 => handle.clone().prop_map(Kick::Child),
        2 => handle.prop_map(Kick::Childless),
        1 => Just(Kick::Stop),
        1 => Just(Kick::Redrive),
        1 => Just(Kick::Continue),
        1 => Just(Kick::Start),
    ]
}

fn event(kick: &Kick) -> Event {
    match *kick {
        Kick::Started(task) => Event::TaskStarted { task, worker: None },
        Kick::Succeeded(task) => Event::TaskSucceeded { task, output: json!({"n": task}) },
        Kick::Failed(task) => Event::TaskFailed { task, error: Some("E".to_owned()), cause: None },
        Kick::Beat(task) => Event::Heartbeat { task },
        Kick::Timer(timer) => Event::TimerFired { timer },
        Kick::Read(task) => Event::ItemsRead { task, text: "1\n2\n3".to_owned() },
        Kick::Unread(task) => Event::ItemsFailed { task, cause: "gone".to_owned() },
        Kick::Written(task) => Event::ResultsWritten { task, output: json!({}) },
        Kick::Child(child) => {
            Event::ChildDone { child, status: Status::Succeeded { output: Arc::new(json!(1)) } }
        }
        Kick::Childless(child) => {
            Event::ChildDone { child, status: Status::Aborted { error: None, cause: None } }
        }
        Kick::Stop => Event::Stop { error: None, cause: None },
        Kick::Redrive => Event::Redrive,
        Kick::Continue => Event::Continue,
        Kick::Start => Event::Start,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_order_of_events_keeps_the_history_whole(kicks in prop::collection::vec(kick(), 0..120)) {
        let machine = compile(&everything());
        let mut execution = Execution::new(identity(), json!({"l": [1, 2, 3]}), Timestamp::UNIX_EPOCH);
        let mut last = 0;
        for (second, kick) in std::iter::once(&Kick::Start).chain(&kicks).enumerate() {
            let at = Timestamp::from_second(second as i64).unwrap();
            for command in step(&machine, &mut execution, event(kick), at) {
                if let Command::Append(event) = command {
                    prop_assert_eq!(event.id, last + 1);
                    prop_assert!(event.previous < event.id);
                    last = event.id;
                }
            }
            let text = serde_json::to_string(&execution).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Execution>(&text).unwrap(), &execution);
        }
    }

    #[test]
    fn arbitrary_definitions_never_panic(text in r#"[{}\[\]":,A-Za-z0-9$.% ]{0,80}"#) {
        let _ = validate(&text, Flavour::Standard);
    }

    #[test]
    fn mangled_definitions_never_panic(at in 0usize..1200, with in r#"[{}\[\]":,a$.%0-9]{0,3}"#) {
        let mut text = everything().to_string();
        let at = at.min(text.len());
        text.insert_str(at, &with);
        if let Ok(machine) = Machine::compile(&text, Flavour::Express) {
            let mut execution = Execution::new(identity(), json!({"l": [1]}), Timestamp::UNIX_EPOCH);
            let _ = step(&machine, &mut execution, Event::Start, Timestamp::UNIX_EPOCH);
        }
    }
}
