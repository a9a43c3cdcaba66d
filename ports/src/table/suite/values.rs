//! A value comes back as it was given. Compared as text: `1` and `1.0`, or two orders of keys, are not the same there.

use serde_json::{Map, Value, json};

use super::random::Random;
use super::{Failure, HOME, Outcome, Trial, put};
use crate::table::{Condition, Query};

async fn check(t: &Trial, values: &[Value]) -> Outcome {
    let names: Vec<_> = (0..values.len()).map(|n| format!("{n:04}")).collect();
    let puts: Vec<_> =
        names.iter().zip(values).map(|(name, value)| put(name, value.clone(), Condition::Any)).collect();
    for some in puts.chunks(100) {
        t.table.transact(some.to_vec()).await?;
    }
    let found = t.table.query_all(Query::all(HOME)).await?;
    assert_eq!(found.len(), values.len());
    for ((name, given), item) in names.iter().zip(values).zip(found) {
        assert_eq!(item.value.to_string(), given.to_string(), "by query");
        assert_eq!(t.value(name).await?.map(|value| value.to_string()), Some(given.to_string()), "by get");
    }
    Ok(())
}

pub(super) async fn as_they_were_given(t: Trial) -> Outcome {
    let mut nested = json!({"innermost": []});
    for n in 0..60 {
        nested = if n % 2 == 0 { json!([nested, n]) } else { json!({"z": nested, "a": n}) };
    }
    let long_key: Map<_, _> = [("k".repeat(10_000), Value::Null)].into_iter().collect();
    check(
        &t,
        &[
            Value::Null,
            json!(true),
            json!(false),
            json!(""),
            json!({}),
            json!([]),
            json!({"": {"": ""}}),
            json!({"b": 1, "a": 2, "B": 3, "10": 4, "9": 5, "aa": 6}),
            json!({"null": null, "list": [1, "1", 1.0, null, [], {}]}),
            json!("a NUL \u{0}, a bell \u{7}, an escape \u{1b}, a delete \u{7f}"),
            json!({"a NUL \u{0}": "\u{0}\u{0}"}),
            json!("\\u0000 \\ \" ' / \n \r \t \u{8} \u{c}"),
            json!("\u{feff}\u{200b}\u{200e}\u{2028}\u{2029}\u{fffd}\u{fffe}\u{ffff}"),
            json!("👩‍👩‍👧‍👦 🇺🇦 😀\u{10ffff} e\u{301} é ﬀ İ"),
            json!("   spaces at both ends   "),
            json!("'; DROP TABLE item; --"),
            json!("x".repeat(200_000)),
            nested,
            Value::Object(long_key),
        ],
    )
    .await
}

pub(super) async fn every_digit(t: Trial) -> Outcome {
    let mut numbers = vec![
        json!(0),
        json!(-1),
        json!(9_007_199_254_740_993_u64),
        json!(-9_007_199_254_740_993_i64),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(i64::MAX),
        json!(1),
        json!(1.0),
        json!(100.0),
        json!(-0.0),
        json!(0.1),
        json!(1e21),
        json!(1e-7),
        json!(f64::MAX),
        json!(f64::MIN_POSITIVE),
        json!(5e-324),
        json!(123_456_789_012_345_680.0),
    ];
    let mut random = Random(3);
    // NaN and the infinities are no JSON: `json!` makes null of them, which is taken as well.
    numbers.extend((0..300).map(|_| json!(f64::from_bits(random.bits()))));
    numbers.extend((0..100).map(|_| json!(random.bits())));
    numbers.extend((0..100).map(|_| json!(random.bits().cast_signed())));
    check(&t, &numbers).await?;
    read_as_numbers(&t).await
}

/// They are not only printed alike, but read as what they were.
async fn read_as_numbers(t: &Trial) -> Outcome {
    t.put("number", u64::MAX).await?;
    let item = t.get("number").await?.ok_or::<Failure>("the item was put and is not there".into())?;
    assert_eq!(item.parse::<u64>()?, u64::MAX);
    let refused = item.parse::<i64>().expect_err("it does not fit").to_string();
    assert!(refused.contains("home number"), "the refusal names the item: {refused}");
    Ok(())
}
