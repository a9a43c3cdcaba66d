//! The grammar of intrinsic calls.

use serde_json::Value;

use super::{Argument, Call, DEPTH_LIMIT, Function};
use crate::path::Path;

/// Why a text is no intrinsic call, and at which byte.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{what} at byte {at}")]
pub struct Invalid {
    /// Byte offset of the fault.
    pub at: usize,
    /// What was expected.
    pub what: &'static str,
}

pub(super) fn call(text: &str) -> Result<Call, Invalid> {
    let mut reader = Reader { text, at: 0 };
    let call = reader.call(1)?;
    reader.spaces();
    if reader.rest().is_empty() { Ok(call) } else { reader.fail("unexpected text after the call") }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn eat(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn fail<T>(&self, what: &'static str) -> Result<T, Invalid> {
        Err(Invalid { at: self.at, what })
    }

    fn spaces(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn call(&mut self, depth: usize) -> Result<Call, Invalid> {
        if depth > DEPTH_LIMIT {
            return self.fail("calls are nested more than 10 deep");
        }
        let start = self.at;
        let end = self.rest().find('(').unwrap_or(self.rest().len());
        let Some(function) = Function::named(self.rest()[..end].trim_end()) else {
            return self.fail("not an intrinsic function");
        };
        self.at += end;
        let arguments = self.arguments(depth)?;
        let (least, most) = function.arity();
        if !(least..=most).contains(&arguments.len()) {
            return self.fail("wrong number of arguments");
        }
        Ok(Call { function, arguments, text: self.text[start..self.at].to_owned() })
    }

    fn arguments(&mut self, depth: usize) -> Result<Vec<Argument>, Invalid> {
        if !self.eat("(") {
            return self.fail("expected `(`");
        }
        self.spaces();
        let mut all = Vec::new();
        if self.eat(")") {
            return Ok(all);
        }
        loop {
            self.spaces();
            all.push(self.argument(depth)?);
            self.spaces();
            if self.eat(")") {
                return Ok(all);
            }
            if !self.eat(",") {
                return self.fail("expected `,` or `)`");
            }
        }
    }

    fn argument(&mut self, depth: usize) -> Result<Argument, Invalid> {
        let rest = self.rest();
        if rest.starts_with('\'') {
            return self.string().map(|text| Argument::Literal(Value::String(text)));
        }
        if rest.starts_with("States.") {
            return self.call(depth + 1).map(Argument::Call);
        }
        let word = bare(rest);
        let argument = if word.starts_with('$') {
            Path::parse(word).ok().map(Argument::Path)
        } else {
            serde_json::from_str(word).ok().filter(|value: &Value| !value.is_string()).map(Argument::Literal)
        };
        let Some(argument) = argument else {
            return self.fail("not a path, string, number, boolean or null");
        };
        self.at += word.len();
        Ok(argument)
    }

    fn string(&mut self) -> Result<String, Invalid> {
        self.at += 1;
        let mut text = String::new();
        let mut letters = self.rest().char_indices();
        while let Some((offset, letter)) = letters.next() {
            match letter {
                '\'' => {
                    self.at += offset + 1;
                    return Ok(text);
                }
                '\\' => match letters.next() {
                    Some((_, '\'')) => text.push('\''),
                    // Kept escaped: whether a brace is a placeholder is Format's question.
                    Some((_, brace @ ('{' | '}' | '\\'))) => text.extend(['\\', brace]),
                    Some((_, 'n')) => text.push('\n'),
                    Some((_, 't')) => text.push('\t'),
                    Some((_, 'r')) => text.push('\r'),
                    _ => return Err(Invalid { at: self.at + offset, what: "illegal escape" }),
                },
                other => text.push(other),
            }
        }
        self.fail("the string is not closed")
    }
}

/// A path or literal: up to the `,` or `)` that is outside of brackets and quotes.
fn bare(rest: &str) -> &str {
    let (mut depth, mut quote) = (0usize, None);
    for (at, letter) in rest.char_indices() {
        match (letter, quote) {
            (c, Some(open)) if c == open => quote = None,
            (_, Some(_)) => {}
            ('\'' | '"', None) if depth > 0 => quote = Some(letter),
            ('[' | '(', None) => depth += 1,
            (',' | ')', None) if depth == 0 => return rest[..at].trim_end(),
            (']' | ')', None) => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    rest.trim_end()
}
