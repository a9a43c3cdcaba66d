//! What validation says of wrong definitions, and where.

use doxa_asl::{Flavour, Severity, validate};
use serde_json::{Value, json};

fn found(definition: &Value) -> Vec<(Severity, String)> {
    let all = validate(&definition.to_string(), Flavour::Standard);
    all.into_iter().map(|one| (one.severity, one.to_string())).collect()
}

fn machine(state: &Value) -> Value {
    let fork = json!({"Type": "Choice", "Choices": [{"Variable": "$", "IsNull": true, "Next": "A"}], "Default": "B"});
    json!({"StartAt": "Fork", "States": {"Fork": fork, "A": state, "B": {"Type": "Succeed"}}})
}

#[test]
fn each_fault_has_its_code_and_place() {
    let schema = |text: &str| format!("SCHEMA_VALIDATION_FAILED: {text}");
    let rows = [
        (
            json!({"Type": "Pass", "Next": "C"}),
            "MISSING_TRANSITION_TARGET: Missing 'Next' target: C at /States/A/Next".to_owned(),
        ),
        (json!({"Type": "Pass"}), schema("One of these fields is required: [Next, End] at /States/A")),
        (
            json!({"Type": "Pass", "End": true, "Next": "B"}),
            schema("Only one of these fields is allowed: [Next, End] at /States/A"),
        ),
        (
            json!({"Type": "Dance", "End": true}),
            schema(
                "Value is not one of [Task, Pass, Choice, Wait, Succeed, Fail, Parallel, Map] at /States/A/Type",
            ),
        ),
        (json!({"Type": "Pass", "End": true, "Foo": 1}), schema("Field 'Foo' is not supported at /States/A")),
        (
            json!({"Type": "Pass", "End": true, "QueryLanguage": "JSONata", "InputPath": "$.a"}),
            schema(
                "The QueryLanguage is set to 'JSONata', but field 'InputPath' is only supported for the 'JSONPath' QueryLanguage at /States/A",
            ),
        ),
        (
            json!({"Type": "Pass", "End": true, "Output": 1}),
            schema(
                "The QueryLanguage is set to 'JSONPath', but field 'Output' is only supported for the 'JSONata' QueryLanguage at /States/A",
            ),
        ),
        (
            json!({"Type": "Pass", "End": true, "ResultPath": "$.a[*]"}),
            schema("Value is not a Reference Path at /States/A/ResultPath"),
        ),
        (
            json!({"Type": "Task", "Resource": "arn:aws:states:::dynamodb:query", "End": true}),
            schema(
                "The resource provided arn:aws:states:::dynamodb:query is not recognized. The value is not a valid resource ARN, or the resource is not available in this region. at /States/A/Resource",
            ),
        ),
        (
            json!({"Type": "Parallel", "Branches": [], "End": true}),
            schema("Value cannot be empty at /States/A/Branches"),
        ),
        (
            json!({"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": true, "Retry": [{"ErrorEquals": ["States.ALL", "E"]}]}),
            schema(
                "'States.ALL' must appear alone and at the end of the list at /States/A/Retry[0]/ErrorEquals",
            ),
        ),
        (
            json!({"Type": "Pass", "End": true, "Assign": {"1a": 1}}),
            schema("'1a' is not a valid variable name at /States/A/Assign/1a"),
        ),
    ];
    for (state, want) in rows {
        let errors: Vec<_> = found(&machine(&state))
            .into_iter()
            .filter(|(severity, _)| *severity == Severity::Error)
            .collect();
        assert!(errors.iter().any(|(_, text)| *text == want), "{state}\n want {want}\n got {errors:?}");
    }
}

#[test]
fn doubts_are_warnings() {
    let rows = [(
        json!({"Type": "Pass", "Result": {"a.$": "$"}, "Next": "B"}),
        "PASS_RESULT_IS_STATIC: Result is static: its `.$` fields are not evaluated at /States/A/Result",
    )];
    for (state, want) in rows {
        assert_eq!(found(&machine(&state)), [(Severity::Warning, want.to_owned())], "{state}");
    }
    let plain = machine(&json!({"Type": "Pass", "Parameters": {"x": {"y": "$.a"}}, "Next": "B"}));
    assert!(
        found(&plain)[0].1.starts_with("NO_DOLLAR") && found(&plain)[0].1.ends_with("/States/A/Parameters/x")
    );
    let big = machine(&json!({"Type": "Pass", "Parameters": {"x": "y".repeat(300_000)}, "Next": "B"}));
    assert!(found(&big)[0].1.starts_with("PAYLOAD_TOO_LARGE"));
}

#[test]
fn graphs_must_hang_together() {
    let island =
        json!({"StartAt": "A", "States": {"A": {"Type": "Succeed"}, "B": {"Type": "Pass", "Next": "A"}}});
    let endless = json!({"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "A"}}});
    let rows = [
        (island, "MISSING_TRANSITION_TARGET: State \"B\" is not reachable. at /States/B"),
        (endless, "MISSING_END_STATE: No state is terminal: one must have End, or be a Succeed or Fail"),
    ];
    for (definition, want) in rows {
        assert_eq!(found(&definition), [(Severity::Error, want.to_owned())]);
    }
}

#[test]
fn diagnostics_have_lines() {
    let text =
        "{\n  \"StartAt\": \"A\",\n  \"States\": {\n    \"A\": {\"Type\": \"Pass\", \"Next\": \"C\"}\n  }\n}";
    assert_eq!(validate(text, Flavour::Standard)[0].position, Some((4, 35)));
    let twice = validate("{\n\"a\": 1,\n\"a\": 2}", Flavour::Standard);
    assert!(
        twice[0].message.contains("duplicate field 'a'")
            && twice[0].position.is_some_and(|(line, _)| line == 3)
    );
    assert_eq!(validate("{\"a\": ", Flavour::Standard)[0].position, Some((1, 6)));
}

#[test]
fn monstrous_definitions_are_answered() {
    let mut states: serde_json::Map<String, Value> = (0..10_000)
        .map(|n| (format!("S{n}"), json!({"Type": "Pass", "Next": format!("S{}", n + 1)})))
        .collect();
    states.insert("S10000".to_owned(), json!({"Type": "Succeed"}));
    assert!(found(&json!({"StartAt": "S0", "States": states})).is_empty());
    let deep = format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
    assert_eq!(validate(&deep, Flavour::Standard)[0].severity, Severity::Error);
    let long = format!("{{\"Comment\": \"{}\"}}", "x".repeat(2_000_000));
    assert_eq!(validate(&long, Flavour::Standard).len(), 1);
    let mut nested = json!({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": true}}});
    for n in 0..25 {
        let name = format!("N{n}");
        nested = json!({"StartAt": name, "States": {name.clone(): {"Type": "Parallel", "Branches": [nested], "End": true}}});
    }
    assert!(
        found(&nested)
            .iter()
            .any(|(_, text)| text.starts_with("TOO_DEEPLY_NESTED") || text.starts_with("INVALID_JSON"))
    );
}
