//! The two machines that Doxa was asked for, with in-process tasks, on their way to success and to each failure.

use doxa_asl::{Dispatch, Machine};
use serde_json::{Value, json};

use crate::world::{Answer, World, compile};

fn machine(text: &str) -> Machine {
    compile(&serde_json::from_str(text).unwrap())
}

fn hourly(fails: &'static str, drift: bool) -> (Vec<String>, Result<Value, (String, String)>) {
    let machine = machine(include_str!("../machines/hourly.asl.json"));
    let tasks = move |dispatch: &Dispatch, _: usize| {
        if dispatch.state == fails {
            return Answer::Failure("Lambda.Unknown", "out of memory");
        }
        Answer::Output(match dispatch.state.as_str() {
            "TransformComments" => json!({"Payload": {"predictions": [1], "model_version": "1.0.0"}}),
            "MonitorDrift" => json!({"Payload": {"drift_detected": drift, "drift_score": 0.4}}),
            _ => json!({"Payload": "ok"}),
        })
    };
    let world = World::new(&machine, json!({}), &tasks).run();
    let states = world.dispatched.iter().map(|dispatch| dispatch.state.clone()).collect();
    let succeeded = world.execution.status().name() == "SUCCEEDED";
    (states, if succeeded { Ok(world.output()) } else { Err(world.failure()) })
}

#[test]
fn the_hourly_machine_takes_every_way() {
    let done = || Ok(json!("Pipeline completed successfully"));
    let failed = || Err((String::new(), "Pipeline execution failed".to_owned()));
    let uncaught = || Err(("Lambda.Unknown".to_owned(), "out of memory".to_owned()));
    let (extract, transform, monitor) = ("ExtractComments", "TransformComments", "MonitorDrift");
    let rows = [
        ("", false, vec![extract, transform, monitor], done()),
        ("", true, vec![extract, transform, monitor, "SendAlert"], done()),
        (extract, false, vec![extract, extract, extract, extract, "HandleExtractFailure"], failed()),
        (transform, false, vec![extract, transform, transform, transform], uncaught()),
        (monitor, false, vec![extract, transform, monitor], uncaught()),
    ];
    for (fails, drift, states, outcome) in rows {
        let got = hourly(fails, drift);
        assert_eq!(got, (states.into_iter().map(str::to_owned).collect(), outcome), "{fails} {drift}");
    }
}

#[test]
fn the_transcript_machine_takes_every_way() {
    let rows = [
        (
            "",
            "SUCCEEDED",
            vec![
                "ValidateInput",
                "NormalizeTranscript",
                "ScoreTranscript",
                "AggregateResults",
                "PublishResults",
            ],
        ),
        ("ValidateInput", "FAILED", vec!["ValidateInput", "HandleFailure"]),
        ("invalid", "FAILED", vec!["ValidateInput"]),
        (
            "NormalizeTranscript",
            "FAILED",
            vec![
                "ValidateInput",
                "NormalizeTranscript",
                "NormalizeTranscript",
                "NormalizeTranscript",
                "HandleFailure",
            ],
        ),
        (
            "ScoreTranscript",
            "FAILED",
            vec![
                "ValidateInput",
                "NormalizeTranscript",
                "ScoreTranscript",
                "ScoreTranscript",
                "HandleFailure",
            ],
        ),
        (
            "AggregateResults",
            "FAILED",
            vec![
                "ValidateInput",
                "NormalizeTranscript",
                "ScoreTranscript",
                "AggregateResults",
                "HandleFailure",
            ],
        ),
        (
            "PublishResults",
            "SUCCEEDED",
            vec![
                "ValidateInput",
                "NormalizeTranscript",
                "ScoreTranscript",
                "AggregateResults",
                "PublishResults",
            ],
        ),
    ];
    let machine = machine(include_str!("../machines/transcripts.asl.json"));
    for (fails, status, states) in rows {
        let tasks = |dispatch: &Dispatch, _: usize| match dispatch.state.as_str() {
            // A silent queue worker: the heartbeat ends it, and the retry on States.Timeout tries once more.
            "ScoreTranscript" if fails == "ScoreTranscript" => Answer::Silence,
            state if state == fails => Answer::Failure("Broken", "it broke"),
            "ValidateInput" => Answer::Output(json!({"valid": fails != "invalid"})),
            "NormalizeTranscript" => Answer::Output(json!({"key": "k"})),
            "ScoreTranscript" => Answer::Beats(vec![50, 50, 50], json!({"s": 1})),
            _ => Answer::Output(json!({})),
        };
        let world = World::new(&machine, json!({"job_id": "j1"}), &tasks).run();
        let got: Vec<_> = world.dispatched.iter().map(|dispatch| dispatch.state.as_str()).collect();
        assert_eq!((got, world.execution.status().name()), (states, status), "{fails}");
        match fails {
            "PublishResults" => assert_eq!(world.output()["status"], "partial"),
            "ScoreTranscript" => assert_eq!(world.seconds("TaskTimedOut"), [60, 150]),
            "AggregateResults" => {
                let values = &world.dispatched.last().unwrap().arguments["ExpressionAttributeValues"];
                assert_eq!(values, &json!({":s": {"S": "failed"}, ":e": {"S": "it broke"}}));
            }
            _ => {}
        }
    }
}

#[test]
fn the_token_of_a_task_is_in_its_message() {
    let machine = machine(include_str!("../machines/transcripts.asl.json"));
    let tasks = |dispatch: &Dispatch, _: usize| match dispatch.state.as_str() {
        "ValidateInput" => Answer::Output(json!({"valid": true})),
        "ScoreTranscript" => Answer::Silence,
        _ => Answer::Output(json!({"key": "k"})),
    };
    let world = World::new(&machine, json!({"job_id": "j1"}), &tasks).run();
    let asked: Vec<_> =
        world.dispatched.iter().filter(|dispatch| dispatch.state == "ScoreTranscript").collect();
    assert!(
        asked.iter().all(|dispatch| dispatch.arguments["MessageBody"]["token"] == dispatch.token.as_str())
    );
    assert_ne!(asked[0].token, asked[1].token);
}
