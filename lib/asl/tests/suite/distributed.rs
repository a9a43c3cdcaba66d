//! Distributed Map: readers, batches, tolerated failures, writers.

use doxa_asl::Dispatch;
use serde_json::{Value, json};

use crate::world::{Answer, World, compile};

fn map(extra: &Value, inner: &Value) -> Value {
    let mut state = json!({
        "Type": "Map",
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "One",
            "States": {"One": inner},
        },
        "End": true,
    });
    for (key, value) in extra.as_object().unwrap() {
        state[key] = value.clone();
    }
    json!({"StartAt": "M", "States": {"M": state}})
}

fn reader(config: &Value, key: &str) -> Value {
    json!({"Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": config, "Parameters": {"Bucket": "b", "Key": key}})
}

fn run(extra: &Value, inner: &Value, input: Value) -> Result<Value, (String, String)> {
    let machine = compile(&map(extra, inner));
    let tasks = |dispatch: &Dispatch, _: usize| {
        if dispatch.arguments["n"] == 3 {
            Answer::Failure("Bad", "three")
        } else {
            Answer::Output((*dispatch.arguments).clone())
        }
    };
    let mut world = World::new(&machine, input, &tasks);
    world.objects = vec![
        ("lines", "{\"n\": 1}\n{\"n\": 2}\n\n{\"n\": 3}\n"),
        ("broken", "{\"n\": 1}\n{"),
        ("list", "[1, 2, 3, 4, 5]"),
        ("table", "a,b\n1,2\n3,4\n"),
    ];
    let world = world.run();
    if world.execution.status().name() == "SUCCEEDED" { Ok(world.output()) } else { Err(world.failure()) }
}

#[test]
fn readers_bring_items() {
    let pass = json!({"Type": "Pass", "End": true});
    let csv = json!({"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"});
    let rows = [
        (reader(&json!({"InputType": "JSONL"}), "lines"), json!([{"n": 1}, {"n": 2}, {"n": 3}])),
        (reader(&json!({"InputType": "JSON", "MaxItems": 2}), "list"), json!([1, 2])),
        (reader(&csv, "table"), json!([{"a": "1", "b": "2"}, {"a": "3", "b": "4"}])),
    ];
    for (reader, want) in rows {
        assert_eq!(run(&json!({"ItemReader": reader}), &pass, json!({})), Ok(want), "{reader}");
    }
    for key in ["broken", "absent"] {
        let reader = reader(&json!({"InputType": "JSONL"}), key);
        let error = run(&json!({"ItemReader": reader}), &pass, json!({})).unwrap_err();
        assert_eq!(error.0, "States.ItemReaderFailed", "{key}");
    }
}

#[test]
fn batches_and_selectors_shape_the_children() {
    let pass = json!({"Type": "Pass", "End": true});
    let batcher = json!({"MaxItemsPerBatch": 2, "BatchInput": {"k.$": "$.k"}});
    let selector = json!({"v.$": "$$.Map.Item.Value", "i.$": "$$.Map.Item.Index", "k.$": "$.k"});
    let items = json!({"k": "x", "items": [7, 8, 9]});
    let got = run(&json!({"ItemsPath": "$.items", "ItemBatcher": batcher}), &pass, items.clone());
    let batch = |list: Value| json!({"BatchInput": {"k": "x"}, "Items": list});
    assert_eq!(got, Ok(json!([batch(json!([7, 8])), batch(json!([9]))])));
    let got = run(&json!({"ItemsPath": "$.items", "ItemSelector": selector}), &pass, items);
    assert_eq!(got.unwrap()[2], json!({"v": 9, "i": 2, "k": "x"}));
}

#[test]
fn failures_are_tolerated_up_to_the_limit() {
    let task = json!({"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": true});
    let rows = [
        (json!({}), false),
        (json!({"ToleratedFailureCount": 1}), true),
        (json!({"ToleratedFailureCount": 0}), false),
        (json!({"ToleratedFailurePercentage": 34}), true),
        (json!({"ToleratedFailurePercentage": 33}), false),
        (json!({"ToleratedFailureCount": 5, "ToleratedFailurePercentage": 10}), false),
    ];
    for (mut extra, passes) in rows {
        extra["ItemReader"] = reader(&json!({"InputType": "JSONL"}), "lines");
        extra["MaxConcurrency"] = json!(2);
        let got = run(&extra, &task, json!({}));
        match got {
            Ok(output) => assert!(passes && output == json!([{"n": 1}, {"n": 2}]), "{extra} {output}"),
            Err((error, _)) => {
                assert!(!passes && error == "States.ExceedToleratedFailureThreshold", "{extra}");
            }
        }
    }
}

#[test]
fn a_writer_answers_for_the_results() {
    let writer = json!({"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "b"}});
    let pass = json!({"Type": "Pass", "End": true});
    assert_eq!(run(&json!({"ResultWriter": writer}), &pass, json!([1, 2])), Ok(json!({"written": 2})));
}

#[test]
fn children_do_not_see_outer_variables() {
    let machine = compile(&json!({"QueryLanguage": "JSONata", "StartAt": "Set", "States": {
        "Set": {"Type": "Pass", "Assign": {"outer": 1}, "Output": [1], "Next": "M"},
        "M": {"Type": "Map", "End": true, "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "One", "States": {"One": {"Type": "Pass", "Output": "{% $exists($outer) %}", "End": true}},
        }},
    }}));
    let world = World::new(&machine, json!({}), &|_, _| Answer::Silence).run();
    assert_eq!(world.output(), json!([false]));
}
