//! `cargo xtask asl-corpus FILE.jsonl`: runs a conformance corpus recorded from AWS against `doxa-asl`.
//!
//! A case scripts what its tasks answer, so that nothing but the core runs, on a virtual clock. Three levels: L1 the
//! outcome, L2 the sequence of event types, L3 the whole history. `<<ANY>>` in an expectation matches any text.

mod compare;
mod world;

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use doxa_asl::{Flavour, Identity, Machine, Refused, Status, test_state, validate};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use compare::{compare_history, matches};
use world::World;

/// Why a case cannot be judged.
const UNSCRIPTED: &str = "not judged: the recording does not say what the task answered";

/// What a case reached: passed or not, per level that it has.
#[derive(Default)]
struct Levels {
    l1: Option<bool>,
    l2: Option<bool>,
    l3: Option<bool>,
    why: String,
}

/// Runs the corpus named by the first argument; `-v` prints reasons at length, a further word selects case ids.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    let (file, rest) = arguments.split_first().context("usage: asl-corpus FILE.jsonl [-v] [ID-PART]")?;
    let verbose = rest.iter().any(|arg| arg == "-v");
    let part = rest.iter().find(|arg| *arg != "-v");
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read corpus `{file}`"))?;
    let mut tally: BTreeMap<String, [[usize; 2]; 3]> = BTreeMap::new();
    let mut failures = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let case: Value =
            serde_json::from_str(line).with_context(|| format!("line {} of `{file}`", number + 1))?;
        let id = case["id"].as_str().unwrap_or_default();
        if part.is_some_and(|part| !id.contains(part.as_str())) {
            continue;
        }
        let levels = judge(&case);
        let row = tally.entry(case["category"].as_str().unwrap_or("?").to_owned()).or_default();
        for (count, level) in row.iter_mut().zip([levels.l1, levels.l2, levels.l3]) {
            if let Some(passed) = level {
                count[0] += usize::from(passed);
                count[1] += 1;
            }
        }
        if levels.why == UNSCRIPTED {
            failures.push(format!("  -- {id}\n      {UNSCRIPTED}"));
        }
        if [levels.l1, levels.l2, levels.l3].contains(&Some(false)) {
            failures.push(describe(id, &levels, verbose));
        }
    }
    let mut total = [[0; 2]; 3];
    for (category, row) in &tally {
        println!("{category:28} L1 {:>9}  L2 {:>9}  L3 {:>9}", ratio(row[0]), ratio(row[1]), ratio(row[2]));
        for (sum, count) in total.iter_mut().flatten().zip(row.iter().flatten()) {
            *sum += count;
        }
    }
    println!("\n{} cases fail at some level:", failures.len());
    for failure in failures {
        println!("{failure}");
    }
    println!("L1 {} L2 {} L3 {}", ratio(total[0]), ratio(total[1]), ratio(total[2]));
    Ok(ExitCode::SUCCESS)
}

fn ratio(count: [usize; 2]) -> String {
    format!("{}/{}", count[0], count[1])
}

fn describe(id: &str, levels: &Levels, verbose: bool) -> String {
    let names = [("L1", levels.l1), ("L2", levels.l2), ("L3", levels.l3)];
    let failed: Vec<_> =
        names.iter().filter(|(_, level)| *level == Some(false)).map(|(name, _)| *name).collect();
    let most = if verbose { 4_000 } else { 300 };
    let why: String = levels.why.chars().take(most).collect();
    format!("  {} {id}\n      {why}", failed.join("+"))
}

fn judge(case: &Value) -> Levels {
    match case["kind"].as_str() {
        Some("execution" | "express_sync") => execution(case),
        Some("create_error") => create_error(case),
        Some("validate") => validation(case),
        Some("test_state") => state_test(case),
        _ => Levels { l1: Some(false), why: "unknown kind".to_owned(), ..Levels::default() },
    }
}

fn flavour(case: &Value) -> Flavour {
    if case["machine_type"] == "EXPRESS" { Flavour::Express } else { Flavour::Standard }
}

fn definition_text(case: &Value) -> String {
    case["definition_text"].as_str().map_or_else(|| case["definition"].to_string(), str::to_owned)
}

fn create_error(case: &Value) -> Levels {
    let expected = &case["expect"]["message"];
    let got = match Machine::compile(&definition_text(case), flavour(case)) {
        Ok(_) => "accepted".to_owned(),
        Err(refused) => refused.to_string(),
    };
    Levels {
        l1: Some(matches(expected, &json!(got))),
        why: format!("want {expected} got {got}"),
        ..Levels::default()
    }
}

fn validation(case: &Value) -> Levels {
    let found = validate(&definition_text(case), flavour(case));
    let result =
        if found.iter().any(|one| one.severity == doxa_asl::Severity::Error) { "FAIL" } else { "OK" };
    let diagnostics: Vec<Value> = found.iter().map(doxa_asl::Diagnostic::to_json).collect();
    let got = json!({"diagnostics": diagnostics, "result": result, "truncated": false});
    let passed = matches(&case["response"], &got);
    Levels { l1: Some(passed), why: format!("want {} got {got}", case["response"]), ..Levels::default() }
}

fn state_test(case: &Value) -> Levels {
    let now = Timestamp::from_second(1_795_223_646).unwrap_or_default();
    let got = test_state(&case["request"], &tester(case), now);
    let want = &case["response"];
    let passed = match (&got, want.get("Error"), want.get("exception_value")) {
        (Err(error), Some(expected), _) => {
            expected["Code"] == error.code && matches(&expected["Message"], &json!(error.message))
        }
        (Err(error), None, Some(expected)) => {
            let text = format!(
                "An error occurred ({}) when calling the TestState operation: {}",
                error.code, error.message
            );
            matches(expected, &json!(text))
        }
        (Ok(got), None, None) => matches(&parsed(want), &parsed(got)),
        _ => false,
    };
    let got = got.map_or_else(|error| format!("{} {}", error.code, error.message), |got| got.to_string());
    Levels { l1: Some(passed), why: format!("want {want} got {got}"), ..Levels::default() }
}

/// Who tests: AWS names a role in the context object where a mock stands for the work.
fn tester(case: &Value) -> Identity {
    let role = case["request"].get("mock").map(|_| "arn:aws:iam::111111111111:role/tester".to_owned());
    Identity {
        arn: "arn:aws:states:us-east-1:111111111111:express:tested:run".to_owned(),
        name: "run".to_owned(),
        machine_arn: "arn:aws:states:us-east-1:111111111111:stateMachine:tested".to_owned(),
        machine_name: "tested".to_owned(),
        role_arn: role,
        ..Identity::default()
    }
}

/// Payloads inside a TestState answer are JSON texts; the corpus has some parsed, some not.
fn parsed(value: &Value) -> Value {
    match value {
        Value::String(text) => match serde_json::from_str(text) {
            Ok(inner @ (Value::Object(_) | Value::Array(_) | Value::String(_))) => parsed(&inner),
            _ => value.clone(),
        },
        Value::Object(fields) => {
            fields.iter().map(|(key, value)| (key.clone(), parsed(value))).collect::<Map<_, _>>().into()
        }
        Value::Array(items) => items.iter().map(parsed).collect(),
        other => other.clone(),
    }
}

fn execution(case: &Value) -> Levels {
    let outcome = match Machine::compile(&definition_text(case), flavour(case)) {
        Ok(machine) => World::new(case).run(&machine, case),
        Err(refused) => Err(refusal(&refused)),
    };
    let expect = if case["kind"] == "express_sync" { &case["response"] } else { &case["expect"] };
    let (status, history) = match outcome {
        Ok(outcome) => outcome,
        // Of synchronous express runs AWS tells no history, so the corpus has no script for their tasks.
        Err(why) if why == UNSCRIPTED => return Levels { why, ..Levels::default() },
        Err(why) => return failed_at_every_level(expect, why),
    };
    let mut levels = Levels::default();
    let got = outcome_json(&status);
    let compared = ["status", "output", "error", "cause"].iter().all(|key| match expect.get(*key) {
        Some(want) => matches(want, &got[*key]),
        None => true,
    });
    levels.l1 = Some(compared);
    if !compared {
        levels.why = format!("got {got} want {}", only(expect, &["status", "output", "error", "cause"]));
    }
    if let Some(types) = expect.get("event_types").and_then(Value::as_array) {
        compare_history(case, types, &history, &mut levels);
    }
    levels
}

fn failed_at_every_level(expect: &Value, why: String) -> Levels {
    let history = expect.get("event_types").map(|_| false);
    Levels { l1: Some(false), l2: history, l3: history, why }
}

fn refusal(refused: &Refused) -> String {
    format!("refused: {refused}")
}

fn only(value: &Value, keys: &[&str]) -> Value {
    let fields = keys.iter().filter_map(|key| Some(((*key).to_owned(), value.get(*key)?.clone())));
    Value::Object(fields.collect())
}

fn outcome_json(status: &Status) -> Value {
    let (output, error, cause) = match status {
        Status::Running => (None, None, None),
        Status::Succeeded { output } => (Some(&**output), None, None),
        Status::Failed { error, cause }
        | Status::TimedOut { error, cause }
        | Status::Aborted { error, cause } => (None, error.clone(), cause.clone()),
    };
    json!({"status": status.name(), "output": output, "error": error, "cause": cause})
}
