//! The functions on arrays.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::value::{as_whole, loosely_equal};

/// Most items that a range or a partition may have.
const ITEM_LIMIT: i64 = 1_000;

type Answer = Result<Value, String>;

pub(super) fn partition(items: &[Value], size: &Value) -> Answer {
    let size = as_whole(size).and_then(|size| usize::try_from(size).ok()).filter(|size| *size > 0);
    let size = size.ok_or("the chunk size is not a positive integer")?;
    Ok(items.chunks(size).map(|chunk| json!(chunk)).collect())
}

pub(super) fn contains(items: &[Value], item: &Value) -> bool {
    items.iter().any(|other| loosely_equal(other, item))
}

pub(crate) fn range(first: &Value, last: &Value, step: &Value) -> Answer {
    let whole = |value| as_whole(value).ok_or("not an integer");
    let (first, last, step) = (whole(first)?, whole(last)?, whole(step)?);
    if step == 0 {
        return Err("the step is 0".to_owned());
    }
    let distance = last.saturating_sub(first);
    if distance.signum() * step.signum() < 0 {
        return Ok(json!([]));
    }
    let count = distance.checked_div(step).unwrap_or(i64::MAX);
    if count >= ITEM_LIMIT {
        return Err(format!("more than {ITEM_LIMIT} items"));
    }
    Ok((0..=count).filter_map(|n| step.checked_mul(n)?.checked_add(first)).map(Value::from).collect())
}

pub(super) fn item(items: &[Value], at: &Value) -> Answer {
    let at = as_whole(at)
        .and_then(|at| usize::try_from(at).ok())
        .ok_or("the index is not a non-negative integer")?;
    items.get(at).cloned().ok_or_else(|| format!("index {at} is out of range"))
}

pub(super) fn unique(items: &[Value]) -> Value {
    // By text, for a payload may hold 10⁵ items; a number written `1.0` is the same as `1`.
    let key = |item: &Value| as_whole(item).map_or_else(|| item.to_string(), |whole| whole.to_string());
    let mut seen = HashSet::new();
    items.iter().filter(|item| seen.insert(key(item))).cloned().collect()
}
