//! The query languages of the states language: what an expression says of values.
//!
//! In comes a text from a definition, once: a [`path`] (JSONPath as Jayway reads it), an [`intrinsic`] call, a [`jsonata`]
//! expression, a [`template`] with any of them inside, a [`comparison`] of a Choice. Out comes what was compiled, or why
//! it is wrong. Then come values, as often as one likes, and out comes a value or AWS's sentence on why there is none.
//!
//! What never happens here: a state machine, input or output, and a clock but one: JSONata's engine is stopped by the
//! time it has taken. The time an expression sees is an argument; its randomness is a function of a seed and a place
//! ([`Chance`]).
//!
//! ```
//! use doxa_query::path::Path;
//! use serde_json::json;
//!
//! let input = json!({"scores": [{"lang": "de", "value": 3}, {"lang": "en", "value": 5}]});
//! let path = Path::parse("$.scores[?(@.lang == 'de')].value")?;
//! assert_eq!(*path.select(&input)?, json!([3]));
//! let nowhere = Path::parse("$.score")?;
//! assert_eq!(nowhere.select(&input).unwrap_err().to_string(), "No results for path: $['score']");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod timestamp;
pub mod value;

mod chance;

pub mod intrinsic;
pub mod jsonata;
pub mod path;

pub mod comparison;
pub mod template;

pub use chance::Chance;

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_compiled_crosses_threads() {
        fn crosses<T: Send + Sync>() {}
        crosses::<super::path::Path>();
        crosses::<super::intrinsic::Call>();
        crosses::<super::jsonata::Expression>();
        crosses::<super::template::Template>();
    }
}
