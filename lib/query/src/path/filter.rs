//! Filter predicates: `[?(@.status == 0 && @.name != 'x')]`.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::Value;

use super::Step;
use super::select::matches;
use crate::value::loosely_equal;

/// A predicate over the current item.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Filter {
    Any(Vec<Filter>),
    All(Vec<Filter>),
    Not(Box<Filter>),
    Exists(Operand),
    Compare(Operand, Compare, Operand),
}

/// A comparison operator.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Compare {
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
    In,
    NotIn,
}

/// A side of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Operand {
    Current(Vec<Step>),
    Document(Vec<Step>),
    Literal(Value),
}

impl Filter {
    pub(super) fn accepts(&self, item: &Value, document: &Value) -> bool {
        match self {
            Filter::Any(all) => all.iter().any(|filter| filter.accepts(item, document)),
            Filter::All(all) => all.iter().all(|filter| filter.accepts(item, document)),
            Filter::Not(inner) => !inner.accepts(item, document),
            Filter::Exists(operand) => operand.value(item, document).is_some(),
            Filter::Compare(left, compare, right) => {
                let (left, right) = (left.value(item, document), right.value(item, document));
                compare.holds(left.as_deref(), right.as_deref())
            }
        }
    }
}

impl Operand {
    fn value<'v>(&'v self, item: &'v Value, document: &'v Value) -> Option<Cow<'v, Value>> {
        let (steps, root) = match self {
            Operand::Literal(value) => return Some(Cow::Borrowed(value)),
            Operand::Current(steps) => (steps, item),
            Operand::Document(steps) => (steps, document),
        };
        let found = matches(steps, root, document);
        let definite = steps.iter().all(|step| matches!(step, Step::Field(_) | Step::Index(_)));
        if definite {
            return found.first().map(|value| Cow::Borrowed(*value));
        }
        Some(Cow::Owned(Value::Array(found.into_iter().cloned().collect())))
    }
}

impl Compare {
    fn holds(self, left: Option<&Value>, right: Option<&Value>) -> bool {
        let (Some(left), Some(right)) = (left, right) else {
            return matches!(self, Compare::Unequal | Compare::NotIn) && left.is_some() != right.is_some();
        };
        match self {
            Compare::Equal => loosely_equal(left, right),
            Compare::Unequal => !loosely_equal(left, right),
            Compare::Less => order(left, right).is_some_and(Ordering::is_lt),
            Compare::AtMost => order(left, right).is_some_and(Ordering::is_le),
            Compare::Greater => order(left, right).is_some_and(Ordering::is_gt),
            Compare::AtLeast => order(left, right).is_some_and(Ordering::is_ge),
            Compare::In => contains(right, left),
            Compare::NotIn => !contains(right, left),
        }
    }
}

fn contains(list: &Value, item: &Value) -> bool {
    list.as_array().is_some_and(|list| list.iter().any(|other| loosely_equal(other, item)))
}

fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Number(a), Value::Number(b)) => a.as_f64()?.partial_cmp(&b.as_f64()?),
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        _ => None,
    }
}
