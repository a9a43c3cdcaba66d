//! Retry, Catch, timeouts, heartbeats, stops, redrives, limits.

use doxa_asl::Event;
use serde_json::{Value, json};

use crate::world::{Answer, World, compile};

const LAMBDA: &str = "arn:aws:states:::lambda:invoke";

fn task(extra: &Value) -> Value {
    let mut state = json!({"Type": "Task", "Resource": LAMBDA, "End": true});
    for (key, value) in extra.as_object().unwrap() {
        state[key] = value.clone();
    }
    let caught = json!({"Type": "Pass", "Result": "caught", "End": true});
    let mut states = json!({"T": state});
    if extra.to_string().contains("Caught") {
        states["Caught"] = caught;
    }
    json!({"StartAt": "T", "States": states})
}

#[test]
fn backoff_grows_to_its_cap() {
    let retry = json!([{"ErrorEquals": ["E"], "IntervalSeconds": 2, "MaxAttempts": 4, "BackoffRate": 3, "MaxDelaySeconds": 20}]);
    let machine = compile(&task(&json!({"Retry": retry})));
    let world = World::new(&machine, json!({}), &|_, _| Answer::Failure("E", "c")).run();
    // Waits of 2, 6, 18 and, capped, 20 seconds.
    assert_eq!(world.seconds("TaskScheduled"), [0, 2, 8, 26, 46]);
    assert_eq!(world.failure(), ("E".to_owned(), "c".to_owned()));
}

#[test]
fn jitter_stays_below_the_backoff_and_repeats_with_the_seed() {
    let retry = json!([{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 100, "MaxAttempts": 5, "BackoffRate": 1, "JitterStrategy": "FULL"}]);
    let machine = compile(&task(&json!({"Retry": retry})));
    let run =
        || World::new(&machine, json!({}), &|_, _| Answer::Failure("E", "c")).run().seconds("TaskScheduled");
    let times = run();
    let waits: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(
        waits.iter().all(|wait| (0..=100).contains(wait)) && waits.iter().any(|wait| *wait != waits[0]),
        "{waits:?}"
    );
    assert_eq!(times, run());
}

#[test]
fn each_retrier_counts_for_itself() {
    let retry = json!([
        {"ErrorEquals": ["A"], "MaxAttempts": 1, "IntervalSeconds": 1},
        {"ErrorEquals": ["B"], "MaxAttempts": 2, "IntervalSeconds": 1, "BackoffRate": 1},
    ]);
    let machine = compile(&task(&json!({"Retry": retry})));
    let errors = ["A", "B", "B", "A"];
    let tasks = |_: &doxa_asl::Dispatch, attempt: usize| Answer::Failure(errors[attempt], "c");
    let world = World::new(&machine, json!({}), &tasks).run();
    assert_eq!(world.dispatched.len(), 4);
    assert_eq!(world.failure().0, "A");
}

#[test]
fn errors_are_matched_as_aws_matches_them() {
    let rows = [
        ("E", json!(["States.ALL"]), true),
        ("E", json!(["States.TaskFailed"]), true),
        ("E", json!(["F", "E"]), true),
        ("E", json!(["F"]), false),
        ("States.Timeout", json!(["States.TaskFailed"]), false),
        ("States.Timeout", json!(["States.Timeout"]), true),
        ("States.Runtime", json!(["States.ALL"]), false),
    ];
    for (error, names, caught) in rows {
        let machine = compile(&task(&json!({"Catch": [{"ErrorEquals": names, "Next": "Caught"}]})));
        let tasks = |_: &doxa_asl::Dispatch, _: usize| Answer::Failure(error, "c");
        let world = World::new(&machine, json!({}), &tasks).run();
        assert_eq!(world.execution.status().name() == "SUCCEEDED", caught, "{error} {names}");
    }
}

#[test]
fn catchers_shape_the_error() {
    let rows = [
        (json!({"Next": "End"}), json!({"Error": "E", "Cause": "c"})),
        (
            json!({"Next": "End", "ResultPath": "$.why.deep"}),
            json!({"x": 1, "why": {"deep": {"Error": "E", "Cause": "c"}}}),
        ),
        (json!({"Next": "End", "ResultPath": null}), json!({"x": 1})),
    ];
    for (mut catcher, want) in rows {
        catcher["ErrorEquals"] = json!(["States.ALL"]);
        let mut definition = task(&json!({"Catch": [catcher.clone()]}));
        definition["States"]["End"] = json!({"Type": "Pass", "End": true});
        let machine = compile(&definition);
        let world = World::new(&machine, json!({"x": 1}), &|_, _| Answer::Failure("E", "c")).run();
        assert_eq!(world.output(), want, "{catcher}");
    }
}

#[test]
fn timeouts_and_heartbeats_end_a_silent_task() {
    let rows: [(Value, Answer, Option<i64>); 4] = [
        (json!({"TimeoutSeconds": 30}), Answer::Silence, Some(30)),
        (json!({"TimeoutSeconds": 30, "HeartbeatSeconds": 5}), Answer::Silence, Some(5)),
        (json!({"TimeoutSeconds": 30, "HeartbeatSeconds": 5}), Answer::Beats(vec![4, 4, 4], json!(1)), None),
        (
            json!({"TimeoutSeconds": 9, "HeartbeatSeconds": 5}),
            Answer::Beats(vec![4, 4, 4], json!(1)),
            Some(9),
        ),
    ];
    for (extra, answer, timed_out) in rows {
        let machine = compile(&task(&extra));
        let cell = std::cell::Cell::new(Some(answer));
        let tasks = |_: &doxa_asl::Dispatch, _: usize| cell.take().unwrap_or(Answer::Silence);
        let world = World::new(&machine, json!({}), &tasks).run();
        assert_eq!(world.seconds("TaskTimedOut").first().copied(), timed_out, "{extra}");
        if timed_out.is_some() {
            assert_eq!(world.failure().0, "States.Timeout");
        }
    }
}

#[test]
fn late_forged_and_repeated_answers_change_nothing() {
    let mut definition =
        task(&json!({"TimeoutSeconds": 5, "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Wait"}]}));
    definition["States"]["Wait"] = json!({"Type": "Task", "Resource": LAMBDA, "End": true});
    let machine = compile(&definition);
    let mut world = World::new(&machine, json!({}), &|_, _| Answer::Silence).run();
    let (first, second) = (world.dispatched[0].task, world.dispatched[1].task);
    let before = world.execution.clone();
    for task in [first, 999] {
        world.send(Event::TaskSucceeded { task, output: json!("late") });
        world.send(Event::TaskFailed { task, error: None, cause: None });
        world.send(Event::Heartbeat { task });
        world.send(Event::TaskStarted { task, worker: None });
        world.send(Event::TimerFired { timer: task });
        world.send(Event::ItemsRead { task, text: String::new() });
    }
    assert_eq!(world.execution, before);
    world.send(Event::TaskSucceeded { task: second, output: json!("right") });
    world.send(Event::TaskSucceeded { task: second, output: json!("again") });
    assert_eq!(world.output(), json!("right"));
}

#[test]
fn a_failed_branch_takes_its_siblings_with_it() {
    let branch = |name: &str| json!({"StartAt": name, "States": {name: {"Type": "Task", "Resource": LAMBDA, "End": true}}});
    let waiting = json!({"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 60, "End": true}}});
    let machine = compile(&json!({"StartAt": "P", "States": {
        "P": {"Type": "Parallel", "Branches": [branch("A"), branch("B"), waiting], "End": true,
              "Catch": [{"ErrorEquals": ["E"], "Next": "Caught"}]},
        "Caught": {"Type": "Pass", "End": true},
    }}));
    let tasks = |dispatch: &doxa_asl::Dispatch, _: usize| {
        if dispatch.state == "B" { Answer::Failure("E", "c") } else { Answer::Silence }
    };
    let world = World::new(&machine, json!({}), &tasks).run();
    assert_eq!(world.output(), json!({"Error": "E", "Cause": "c"}));
    assert_eq!(world.types().iter().filter(|kind| **kind == "TaskStateAborted").count(), 2);
    assert!(world.types().contains(&"WaitStateAborted") && world.types().contains(&"ParallelStateFailed"));
    assert_eq!(world.seconds("ExecutionSucceeded"), [0]);
}

#[test]
fn stops_and_time_limits_end_an_execution() {
    let machine = compile(&task(&json!({})));
    let mut world = World::new(&machine, json!({}), &|_, _| Answer::Silence).run();
    world.send(Event::Stop { error: Some("Mine".to_owned()), cause: None });
    assert_eq!((world.execution.status().name(), world.failure().0.as_str()), ("ABORTED", "Mine"));
    assert_eq!(world.types().last(), Some(&"ExecutionAborted"));
    let mut definition = task(&json!({}));
    definition["TimeoutSeconds"] = json!(90);
    let machine = compile(&definition);
    let world = World::new(&machine, json!({}), &|_, _| Answer::Silence).run();
    assert_eq!(world.seconds("ExecutionTimedOut"), [90]);
}

#[test]
fn a_redrive_goes_on_at_the_failed_state() {
    let mut definition = task(&json!({"ResultPath": "$.r"}));
    definition["StartAt"] = json!("First");
    definition["States"]["First"] = json!({"Type": "Pass", "Result": {"a": 1}, "Next": "T"});
    let machine = compile(&definition);
    let tasks = |_: &doxa_asl::Dispatch, attempt: usize| {
        if attempt == 0 { Answer::Failure("E", "c") } else { Answer::Output(json!(2)) }
    };
    let mut world = World::new(&machine, json!({}), &tasks).run();
    world.send(Event::Redrive);
    assert_eq!(world.output(), json!({"a": 1, "r": 2}));
    let redriven = world.types().iter().position(|kind| *kind == "ExecutionRedriven").unwrap();
    assert_eq!(world.types()[redriven + 1], "TaskScheduled");
    let before = world.execution.clone();
    world.send(Event::Redrive);
    assert_eq!(world.execution, before);
}

#[test]
fn limits_hold() {
    let more = json!({"Type": "Choice", "Choices": [{"Variable": "$.done", "IsPresent": true, "Next": "End"}], "Default": "A"});
    let endless = json!({"StartAt": "A", "States": {
        "A": {"Type": "Pass", "Next": "More"}, "More": more, "End": {"Type": "Succeed"},
    }});
    let machine = compile(&endless);
    let world = World::new(&machine, json!({}), &|_, _| Answer::Silence).run();
    assert_eq!(world.failure().0, "States.Runtime");
    assert!(world.history.len() <= 25_000);
    let wrap = json!({"Type": "Pass", "Parameters": {"n.$": "$"}, "Next": "More"});
    let mut wrapping = endless.clone();
    wrapping["States"]["A"] = wrap;
    let machine = compile(&wrapping);
    let world = World::new(&machine, json!({}), &|_, _| Answer::Silence).run();
    assert!(world.failure().1.contains("nested more than 100 levels"));
    let deep: Value = serde_json::from_str(&("[".repeat(120) + &"]".repeat(120))).unwrap();
    let world = World::new(&machine, deep, &|_, _| Answer::Silence).run();
    assert!(world.failure().1.contains("nested more than 100 levels"));
    let machine = compile(&task(&json!({})));
    let big = json!("x".repeat(300 * 1024));
    let tasks = |_: &doxa_asl::Dispatch, _: usize| Answer::Output(big.clone());
    let world = World::new(&machine, json!({}), &tasks).run();
    assert_eq!(world.failure().0, "States.DataLimitExceeded");
    let doubled = json!({"Parameters": {"a.$": "$", "b.$": "$"}});
    let assigned = json!({"Assign": {"a.$": "$", "b.$": "$"}, "ResultPath": null});
    for extra in [doubled, assigned] {
        let machine = compile(&task(&extra));
        let big = json!("x".repeat(200 * 1024));
        let tasks = |_: &doxa_asl::Dispatch, _: usize| Answer::Output(big.clone());
        let world = World::new(&machine, big.clone(), &tasks).run();
        assert_eq!(world.failure().0, "States.DataLimitExceeded", "{extra}");
    }
}
