//! The `context` of a request: a context object of the caller's making, checked as AWS checks it.

use serde_json::{Map, Value};

use super::{Error, text};
use crate::machine::{Kind, State};
use crate::resource::Pattern;

/// What a section may have, and of which type.
const SECTIONS: [(&str, &[(&str, &str)]); 4] = [
    (
        "Execution",
        &[
            ("Id", "string"),
            ("Input", ""),
            ("Name", "string"),
            ("RoleArn", "string"),
            ("StartTime", "string"),
            ("RedriveCount", "number"),
            ("RedriveTime", "string"),
        ],
    ),
    ("State", &[("EnteredTime", "string"), ("Name", "string"), ("RetryCount", "number")]),
    ("StateMachine", &[("Id", "string"), ("Name", "string")]),
    ("Task", &[("Token", "string")]),
];

pub(super) fn read(request: &Value, state: &State, _mocked: bool) -> Result<Option<Value>, Error> {
    let Some(text) = text(request, "context") else { return Ok(None) };
    let invalid = |why: String| Error::validation(format!("Invalid Context object provided: {why}"));
    let context: Map<String, Value> =
        serde_json::from_str(text).map_err(|_| invalid("Context must be a valid JSON object".to_owned()))?;
    for (name, section) in &context {
        check(name, section, state).map_err(invalid)?;
    }
    Ok(Some(Value::Object(context)))
}

fn check(name: &str, section: &Value, state: &State) -> Result<(), String> {
    if name == "Map" {
        return Err("'Map' field is not supported when mocking a Context object".to_owned());
    }
    let Some((_, allowed)) = SECTIONS.iter().find(|(known, _)| *known == name) else {
        return Err(format!("Field '{name}' is not allowed"));
    };
    let waits = matches!(&state.kind, Kind::Task(task) if task.resource.pattern != Pattern::RequestResponse);
    if name == "Task" && !waits {
        return Err("Context object contains 'Task' when state is not a Task state with a '.sync' or \
                    '.waitForTaskToken' service integration pattern"
            .to_owned());
    }
    let fields = section.as_object().ok_or_else(|| format!("{name} must be an object"))?;
    for (key, value) in fields {
        let Some((_, kind)) = allowed.iter().find(|(known, _)| known == key) else {
            return Err(format!("Field '{key}' is not allowed"));
        };
        if !kind.is_empty() && doxa_query::value::type_name(value) != *kind {
            return Err(format!("{name}.{key} must be a {kind}"));
        }
    }
    Ok(())
}
