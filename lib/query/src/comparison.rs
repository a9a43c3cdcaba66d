//! The comparison operators of Choice rules: `NumericLessThan`, `StringMatches`, `IsPresent` and their like.

use std::cmp::Ordering;

use serde_json::Value;

use crate::path::Path;
use crate::timestamp;

/// What a rule asks of its variable: an operator with its operand.
#[derive(Clone, Debug)]
pub struct Test(Asks);

#[derive(Clone, Debug)]
enum Asks {
    Present(bool),
    Is(Type, bool),
    Compare(Type, Order, Operand),
    Matches(String),
}

/// The types that a rule may ask for or compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    String,
    Numeric,
    Boolean,
    Timestamp,
    Null,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Equals,
    Less,
    Greater,
    LessOrEqual,
    GreaterOrEqual,
}

#[derive(Clone, Debug)]
enum Operand {
    Literal(Value),
    Path(Path),
}

impl Test {
    /// Reads an operator such as `NumericGreaterThanEqualsPath` with its operand; `None` where it is no operator.
    pub fn parse(operator: &str, operand: &Value) -> Option<Result<Self, &'static str>> {
        Some(asks(operator, operand)?.map(Self))
    }

    /// The path of the other side, where the operator compares by path.
    pub fn path(&self) -> Option<&Path> {
        match &self.0 {
            Asks::Compare(_, _, Operand::Path(path)) => Some(path),
            Asks::Compare(_, _, Operand::Literal(_)) | Asks::Present(_) | Asks::Is(..) | Asks::Matches(_) => {
                None
            }
        }
    }

    /// Whether a variable passes that is not there; `None` where that is an error.
    pub fn absent(&self) -> Option<bool> {
        match self.0 {
            Asks::Present(wanted) => Some(!wanted),
            Asks::Compare(..) | Asks::Is(..) | Asks::Matches(_) => None,
        }
    }

    /// Whether `value` passes; a value of another type does not. `other` is what [`path`](Self::path) found.
    pub fn passes(&self, value: &Value, other: Option<&Value>) -> bool {
        match &self.0 {
            Asks::Present(wanted) => *wanted,
            Asks::Is(of, wanted) => of.fits(value) == *wanted,
            Asks::Compare(of, order, operand) => {
                let other = if let Operand::Literal(literal) = operand { Some(literal) } else { other };
                other.and_then(|other| of.compare(value, other)).is_some_and(|found| order.holds(found))
            }
            Asks::Matches(pattern) => value.as_str().is_some_and(|text| glob(pattern, text)),
        }
    }
}

fn asks(operator: &str, operand: &Value) -> Option<Result<Asks, &'static str>> {
    let flag = |make: &dyn Fn(bool) -> Asks| Some(operand.as_bool().map(make).ok_or("Expected a boolean"));
    match operator {
        "IsPresent" => return flag(&Asks::Present),
        "IsNull" => return flag(&|yes| Asks::Is(Type::Null, yes)),
        "IsString" => return flag(&|yes| Asks::Is(Type::String, yes)),
        "IsNumeric" => return flag(&|yes| Asks::Is(Type::Numeric, yes)),
        "IsBoolean" => return flag(&|yes| Asks::Is(Type::Boolean, yes)),
        "IsTimestamp" => return flag(&|yes| Asks::Is(Type::Timestamp, yes)),
        "StringMatches" => {
            return Some(
                operand.as_str().map(|text| Asks::Matches(text.to_owned())).ok_or("Expected a string"),
            );
        }
        _ => {}
    }
    let types = [
        ("String", Type::String),
        ("Numeric", Type::Numeric),
        ("Boolean", Type::Boolean),
        ("Timestamp", Type::Timestamp),
    ];
    let (rest, of) = types.iter().find_map(|(name, of)| Some((operator.strip_prefix(name)?, *of)))?;
    let (rest, by_path) = rest.strip_suffix("Path").map_or((rest, false), |rest| (rest, true));
    let order = match rest {
        "Equals" => Order::Equals,
        _ if of == Type::Boolean => return None,
        "LessThan" => Order::Less,
        "GreaterThan" => Order::Greater,
        "LessThanEquals" => Order::LessOrEqual,
        "GreaterThanEquals" => Order::GreaterOrEqual,
        _ => return None,
    };
    Some(operand_of(of, operand, by_path).map(|operand| Asks::Compare(of, order, operand)))
}

fn operand_of(of: Type, operand: &Value, by_path: bool) -> Result<Operand, &'static str> {
    if by_path {
        let path = operand.as_str().and_then(|text| Path::parse(text).ok());
        return path.map(Operand::Path).ok_or("Value is not a Reference Path");
    }
    let wrong = match of {
        Type::String if !operand.is_string() => "Expected a string",
        Type::Numeric if !operand.is_number() => "Expected a number",
        Type::Boolean if !operand.is_boolean() => "Expected a boolean",
        Type::Timestamp if !of.fits(operand) => "String does not match RFC3339 timestamp",
        _ => return Ok(Operand::Literal(operand.clone())),
    };
    Err(wrong)
}

impl Type {
    fn fits(self, value: &Value) -> bool {
        match self {
            Type::String => value.is_string(),
            Type::Numeric => value.is_number(),
            Type::Boolean => value.is_boolean(),
            Type::Timestamp => value.as_str().and_then(timestamp::parse).is_some(),
            Type::Null => value.is_null(),
        }
    }

    fn compare(self, left: &Value, right: &Value) -> Option<Ordering> {
        match self {
            Type::String => Some(left.as_str()?.cmp(right.as_str()?)),
            Type::Numeric => left.as_f64()?.partial_cmp(&right.as_f64()?),
            Type::Boolean => Some(left.as_bool()?.cmp(&right.as_bool()?)),
            Type::Timestamp => {
                Some(timestamp::parse(left.as_str()?)?.cmp(&timestamp::parse(right.as_str()?)?))
            }
            Type::Null => None,
        }
    }
}

impl Order {
    fn holds(self, found: Ordering) -> bool {
        match self {
            Order::Equals => found.is_eq(),
            Order::Less => found.is_lt(),
            Order::Greater => found.is_gt(),
            Order::LessOrEqual => found.is_le(),
            Order::GreaterOrEqual => found.is_ge(),
        }
    }
}

/// `*` stands for any text, `\*` for a star. Greedy with one backtrack point, so it is never slower than quadratic.
fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (tokens(pattern), text.chars().collect::<Vec<_>>());
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some(None) => {
                star = Some((p, t));
                p += 1;
            }
            Some(Some(letter)) if *letter == text[t] => (p, t) = (p + 1, t + 1),
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    (p, t) = (at + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(Option::is_none)
}

fn tokens(pattern: &str) -> Vec<Option<char>> {
    let (mut tokens, mut letters) = (Vec::new(), pattern.chars());
    while let Some(letter) = letters.next() {
        tokens.push(match letter {
            '*' => None,
            '\\' => Some(letters.next().unwrap_or('\\')),
            other => Some(other),
        });
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn operators_compare_their_own_type_only() {
        let rows = [
            ("StringEquals", json!("a"), json!("a"), true),
            ("StringEquals", json!("a"), json!(1), false),
            ("StringLessThan", json!("b"), json!("a"), true),
            ("NumericEquals", json!(1), json!(1.0), true),
            ("NumericGreaterThanEquals", json!(2), json!("2"), false),
            ("BooleanEquals", json!(false), json!(false), true),
            ("BooleanEquals", json!(false), json!(null), false),
            ("TimestampLessThan", json!("2020-01-01T00:00:00Z"), json!("2019-12-31T23:00:00-02:00"), false),
            ("TimestampEquals", json!("2020-01-01T00:00:00Z"), json!("2020-01-01T01:00:00+01:00"), true),
            ("IsNull", json!(true), json!(null), true),
            ("IsNumeric", json!(false), json!("1"), true),
            ("IsTimestamp", json!(true), json!("2020-01-01"), false),
            ("StringMatches", json!("a*c\\*"), json!("abbc*"), true),
            ("StringMatches", json!("*.log"), json!("a.log.txt"), false),
            ("StringMatches", json!("*"), json!(""), true),
        ];
        for (operator, operand, value, want) in rows {
            let test = Test::parse(operator, &operand).unwrap().unwrap();
            assert_eq!(test.passes(&value, None), want, "{operator} {operand} {value}");
        }
    }

    #[test]
    fn the_other_side_may_be_a_path() {
        let test = Test::parse("NumericLessThanPath", &json!("$.most")).unwrap().unwrap();
        assert_eq!(test.path().map(Path::text), Some("$.most"));
        let rows =
            [(json!(1), Some(json!(2)), true), (json!(2), Some(json!(2)), false), (json!(1), None, false)];
        for (value, other, want) in rows {
            assert_eq!(test.passes(&value, other.as_ref()), want, "{value} {other:?}");
        }
    }

    #[test]
    fn only_presence_may_be_asked_of_nothing() {
        let rows = [
            ("IsPresent", json!(true), Some(false)),
            ("IsPresent", json!(false), Some(true)),
            ("IsNull", json!(true), None),
            ("StringMatches", json!("*"), None),
            ("NumericEquals", json!(1), None),
        ];
        for (operator, operand, want) in rows {
            assert_eq!(
                Test::parse(operator, &operand).unwrap().unwrap().absent(),
                want,
                "{operator} {operand}"
            );
        }
    }

    #[test]
    fn wrong_operators_are_refused() {
        assert!(Test::parse("BooleanLessThan", &json!(true)).is_none());
        assert!(Test::parse("Next", &json!("x")).is_none());
        assert!(Test::parse("NumericEquals", &json!("1")).unwrap().is_err());
        assert!(Test::parse("StringEqualsPath", &json!("x")).unwrap().is_err());
    }
}
