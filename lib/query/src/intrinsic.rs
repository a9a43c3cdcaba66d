//! Intrinsic functions of the JSONPath language: `States.Format('{} of {}', $.a, $$.Execution.Name)`.
//!
//! Parsed once; evaluated with a closure that resolves paths, and with [`Chance`] for UUIDs and random numbers.

mod arrays;
mod functions;
mod parse;

use serde_json::Value;

use crate::chance::Chance;
use crate::path::Path;

pub use functions::Function;
pub use parse::Invalid;

/// Deepest nesting of calls, as AWS allows.
pub(crate) const DEPTH_LIMIT: usize = 10;

/// A parsed call.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    pub(crate) function: Function,
    pub(crate) arguments: Vec<Argument>,
    pub(crate) text: String,
}

/// An argument of a call.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Argument {
    Literal(Value),
    Path(Path),
    Call(Call),
}

/// Why a call has no answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Failed<E> {
    /// A path of its arguments failed.
    Path(E),
    /// The function rejects its arguments.
    Function(String),
}

impl Call {
    /// Parses a whole text such as `States.UUID()`; never panics, whatever the bytes.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        parse::call(text)
    }

    /// The source text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Evaluates the call; `resolve` answers for its paths.
    pub fn evaluate<E>(
        &self,
        chance: Chance,
        resolve: &mut dyn FnMut(&Path) -> Result<Value, E>,
    ) -> Result<Value, Failed<E>> {
        let mut question = 0;
        self.answer(chance, &mut question, resolve)
    }

    fn answer<E>(
        &self,
        chance: Chance,
        question: &mut u64,
        resolve: &mut dyn FnMut(&Path) -> Result<Value, E>,
    ) -> Result<Value, Failed<E>> {
        let mut arguments = Vec::with_capacity(self.arguments.len());
        for argument in &self.arguments {
            arguments.push(match argument {
                Argument::Literal(value) => value.clone(),
                Argument::Path(path) => resolve(path).map_err(Failed::Path)?,
                Argument::Call(call) => call.answer(chance, question, resolve)?,
            });
        }
        *question += 1;
        self.function.apply(&arguments, chance, *question).map_err(Failed::Function)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn run(text: &str) -> Result<Value, String> {
        let input =
            json!({"s": "a,b", "l": [1, 1.0, "x", {"k": 1}, {"k": 1}], "n": 3, "o": {"a": 1}, "null": null});
        let call = Call::parse(text).map_err(|error| error.what.to_owned())?;
        let mut resolve = |path: &Path| path.select(&input).map(std::borrow::Cow::into_owned);
        call.evaluate(Chance { seed: 1, event: 2 }, &mut resolve).map_err(|failed| match failed {
            Failed::Path(error) => error.0,
            Failed::Function(text) => text,
        })
    }

    #[test]
    fn each_function_answers() {
        let rows = [
            ("States.Format('a{}b{}', $.n, 'x')", json!("a3bx")),
            (r"States.Format('\{{}\} it\'s', $.o)", json!("{{a=1}} it's")),
            ("States.StringToJson('{\"a\": [1]}')", json!({"a": [1]})),
            ("States.JsonToString($.o)", json!("{\"a\":1}")),
            ("States.Array(1, 'a', null, true, $.n)", json!([1, "a", null, true, 3])),
            ("States.Array()", json!([])),
            ("States.ArrayPartition(States.Array(1,2,3), 2)", json!([[1, 2], [3]])),
            ("States.ArrayContains($.l, 'x')", json!(true)),
            ("States.ArrayContains($.l, 9)", json!(false)),
            ("States.ArrayRange(1, 9, 2)", json!([1, 3, 5, 7, 9])),
            ("States.ArrayRange(3, 1, -1)", json!([3, 2, 1])),
            ("States.ArrayGetItem($.l, 2)", json!("x")),
            ("States.ArrayLength($.l)", json!(5)),
            ("States.ArrayUnique($.l)", json!([1, "x", {"k": 1}])),
            ("States.Base64Encode('hello')", json!("aGVsbG8=")),
            ("States.Base64Decode('aGVsbG8=')", json!("hello")),
            ("States.Hash('hello', 'MD5')", json!("5d41402abc4b2a76b9719d911017c592")),
            ("States.Hash('hello', 'SHA-1')", json!("aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d")),
            ("States.JsonMerge($.o, States.StringToJson('{\"b\":2}'), false)", json!({"a": 1, "b": 2})),
            ("States.MathAdd($.n, -1)", json!(2)),
            ("States.StringSplit('1.2,3', '.,')", json!(["1", "2", "3"])),
        ];
        for (text, want) in rows {
            assert_eq!(run(text), Ok(want), "{text}");
        }
    }

    #[test]
    fn chance_is_repeatable() {
        assert_eq!(run("States.UUID()"), run("States.UUID()"));
        assert_ne!(run("States.Array(States.UUID())"), run("States.Array(States.UUID(), States.UUID())"));
        let drawn = run("States.MathRandom(1, 5)").unwrap().as_i64().unwrap();
        assert!((1..5).contains(&drawn));
    }

    #[test]
    fn wrong_arguments_are_refused() {
        let rows = [
            "States.ArrayGetItem($.l, 9)",
            "States.ArrayGetItem($.l, -1)",
            "States.ArrayPartition($.l, 0)",
            "States.ArrayRange(1, 3000, 1)",
            "States.ArrayRange(1, 3, 0)",
            "States.Base64Decode('???')",
            "States.Hash('x', 'CRC')",
            "States.JsonMerge($.o, $.o, true)",
            "States.MathAdd('a', 1)",
            "States.StringToJson('{')",
            "States.Format('{}')",
            "States.Nothing()",
            "States.UUID(1)",
            "States.Format('a",
            "States.Format('\\\"')",
            "States.Array(1,)",
            "States.UUID() x",
        ];
        for text in rows {
            assert!(run(text).is_err(), "{text}");
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let text = format!("{}{}", "States.Array(".repeat(50_000), ")".repeat(50_000));
        assert!(Call::parse(&text).is_err());
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in r#"(States\.(Format|Array|ArrayRange|MathAdd|Hash)\()?[\PC'(),$.{}\\]{0,40}\)?"#) {
            let _ = run(&text);
        }

        #[test]
        fn arbitrary_numbers_never_panic(a in any::<i64>(), b in any::<i64>(), c in any::<i64>()) {
            for name in ["ArrayRange", "MathRandom"] {
                let _ = run(&format!("States.{name}({a}, {b}, {c})"));
            }
            let _ = run(&format!("States.MathAdd({a}, {b})"));
            let _ = run(&format!("States.ArrayPartition($.l, {a})"));
            let _ = run(&format!("States.ArrayGetItem($.l, {a})"));
        }
    }
}
