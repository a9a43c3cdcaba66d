//! The grammar of paths: text to steps, with the byte where it went wrong.

use serde_json::Value;

use super::filter::{Compare, Filter, Operand};
use super::{Path, Root, Step};

/// Deepest nesting of filters within filters; an attacker's `[?([?(…` stops here.
const DEPTH_LIMIT: usize = 20;

/// Why a path is not one, and at which byte.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{what} at byte {at} of `{text}`")]
pub struct Invalid {
    /// The path's text.
    pub text: String,
    /// Byte offset of the fault.
    pub at: usize,
    /// What was expected.
    pub what: &'static str,
}

type Parsed<T> = Result<T, (usize, &'static str)>;

pub(super) fn path(text: &str) -> Result<Path, Invalid> {
    let mut reader = Reader { text, at: 0, depth: 0 };
    let whole = reader.whole();
    let (root, steps) = whole.map_err(|(at, what)| Invalid { text: text.to_owned(), at, what })?;
    let definite = steps.iter().all(|step| matches!(step, Step::Field(_) | Step::Index(_)));
    Ok(Path { root, steps, definite, text: text.to_owned() })
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn eat(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn expect(&mut self, token: &str, what: &'static str) -> Parsed<()> {
        if self.eat(token) { Ok(()) } else { self.fail(what) }
    }

    fn fail<T>(&self, what: &'static str) -> Parsed<T> {
        Err((self.at, what))
    }

    fn spaces(&mut self) {
        while self.eat(" ") {}
    }

    fn take_while(&mut self, accept: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let end = rest.find(|c| !accept(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn whole(&mut self) -> Parsed<(Root, Vec<Step>)> {
        self.expect("$", "a path starts with `$`")?;
        let root = if self.eat("$") {
            Root::Context
        } else {
            match self.take_while(|c| c.is_alphanumeric() || c == '_') {
                "" => Root::Input,
                name => Root::Variable(name.to_owned()),
            }
        };
        let steps = self.steps()?;
        if self.rest().is_empty() { Ok((root, steps)) } else { self.fail("expected `.` or `[`") }
    }

    fn steps(&mut self) -> Parsed<Vec<Step>> {
        let mut steps = Vec::new();
        loop {
            if self.eat("..") {
                let inner = if self.peek() == Some('[') { self.bracket()? } else { self.name()? };
                steps.push(Step::Descend(Box::new(inner)));
            } else if self.eat(".") {
                steps.push(self.name()?);
            } else if self.peek() == Some('[') {
                steps.push(self.bracket()?);
            } else {
                return Ok(steps);
            }
        }
    }

    fn name(&mut self) -> Parsed<Step> {
        if self.eat("*") {
            return Ok(Step::Wildcard);
        }
        // Within a filter an operator ends the name, so `@.a==1` reads as Jayway reads it.
        let in_filter = self.depth > 0;
        let accept = |c: char| !(".[]() ,'\"".contains(c) || in_filter && "=!<>&|".contains(c));
        match self.take_while(accept) {
            "" => self.fail("expected a property name"),
            name => Ok(Step::Field(name.to_owned())),
        }
    }

    fn bracket(&mut self) -> Parsed<Step> {
        self.expect("[", "expected `[`")?;
        self.spaces();
        let step = match self.peek() {
            Some('*') => {
                self.at += 1;
                Step::Wildcard
            }
            Some('?') => self.filter_step()?,
            Some('(') => self.end_index()?,
            Some('\'' | '"') => self.quoted_names()?,
            _ => self.indexes()?,
        };
        self.spaces();
        self.expect("]", "expected `]`")?;
        Ok(step)
    }

    fn quoted_names(&mut self) -> Parsed<Step> {
        let mut names = vec![self.quoted()?];
        self.spaces();
        while self.eat(",") {
            self.spaces();
            names.push(self.quoted()?);
            self.spaces();
        }
        Ok(if names.len() == 1 { Step::Field(names.swap_remove(0)) } else { Step::Fields(names) })
    }

    /// A quoted name. A backslash guards the next character from ending the name but stays in it: so AWS finds
    /// `$['a\"b']` under the key `a\"b`.
    fn quoted(&mut self) -> Parsed<String> {
        let Some(quote @ ('\'' | '"')) = self.peek() else { return self.fail("expected a quoted name") };
        self.at += 1;
        let mut escaped = false;
        for (offset, c) in self.rest().char_indices() {
            if c == quote && !escaped {
                let name = self.rest()[..offset].to_owned();
                self.at += offset + 1;
                return Ok(name);
            }
            escaped = c == '\\' && !escaped;
        }
        self.fail("the quote is not closed")
    }

    fn integer(&mut self) -> Parsed<Option<i64>> {
        let text = self.take_while(|c| c == '-' || c.is_ascii_digit());
        match text {
            "" => Ok(None),
            _ => text.parse().map(Some).or_else(|_| self.fail("not an index")),
        }
    }

    fn indexes(&mut self) -> Parsed<Step> {
        let first = self.integer()?;
        self.spaces();
        if self.eat(":") {
            self.spaces();
            return Ok(Step::Slice(first, self.integer()?));
        }
        let Some(first) = first else { return self.fail("expected an index, a name or a filter") };
        let mut all = vec![first];
        while self.eat(",") {
            self.spaces();
            let Some(next) = self.integer()? else { return self.fail("expected an index") };
            all.push(next);
            self.spaces();
        }
        Ok(if all.len() == 1 { Step::Index(first) } else { Step::Indexes(all) })
    }

    /// `(@.length-1)`: Jayway's way to count from the end.
    fn end_index(&mut self) -> Parsed<Step> {
        self.expect("(@.length", "expected `(@.length-1)`")?;
        match self.integer()? {
            Some(at @ ..0) => self.expect(")", "expected `)`").map(|()| Step::Index(at)),
            _ => self.fail("expected a number to subtract"),
        }
    }

    fn filter_step(&mut self) -> Parsed<Step> {
        self.expect("?", "expected `?`")?;
        self.spaces();
        self.expect("(", "expected `(`")?;
        let filter = self.nested(Self::any_of)?;
        self.expect(")", "expected `)`")?;
        Ok(Step::Filter(filter))
    }

    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= DEPTH_LIMIT {
            return self.fail("nested too deeply");
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    fn any_of(&mut self) -> Parsed<Filter> {
        let mut all = vec![self.all_of()?];
        while self.eat("||") {
            all.push(self.all_of()?);
        }
        Ok(if all.len() == 1 { all.swap_remove(0) } else { Filter::Any(all) })
    }

    fn all_of(&mut self) -> Parsed<Filter> {
        let mut all = vec![self.term()?];
        while self.eat("&&") {
            all.push(self.term()?);
        }
        Ok(if all.len() == 1 { all.swap_remove(0) } else { Filter::All(all) })
    }

    fn term(&mut self) -> Parsed<Filter> {
        self.spaces();
        let term = if self.eat("!") {
            Filter::Not(Box::new(self.nested(Self::term)?))
        } else if self.eat("(") {
            let inner = self.nested(Self::any_of)?;
            self.expect(")", "expected `)`")?;
            inner
        } else {
            self.comparison()?
        };
        self.spaces();
        Ok(term)
    }

    fn comparison(&mut self) -> Parsed<Filter> {
        let left = self.operand()?;
        self.spaces();
        let tokens = [
            ("==", Compare::Equal),
            ("!=", Compare::Unequal),
            ("<=", Compare::AtMost),
            (">=", Compare::AtLeast),
            ("<", Compare::Less),
            (">", Compare::Greater),
            ("in ", Compare::In),
            ("nin ", Compare::NotIn),
        ];
        for (token, compare) in tokens {
            if self.eat(token) {
                self.spaces();
                return Ok(Filter::Compare(left, compare, self.operand()?));
            }
        }
        Ok(Filter::Exists(left))
    }

    fn operand(&mut self) -> Parsed<Operand> {
        match self.peek() {
            Some('@') => {
                self.at += 1;
                Ok(Operand::Current(self.steps()?))
            }
            Some('$') => {
                self.at += 1;
                Ok(Operand::Document(self.steps()?))
            }
            Some('\'' | '"') => Ok(Operand::Literal(Value::String(self.quoted()?))),
            Some('[') => self.list(),
            _ => self.literal(),
        }
    }

    fn list(&mut self) -> Parsed<Operand> {
        let rest = self.rest();
        let Some(end) = rest.find(']') else { return self.fail("the list is not closed") };
        let text = rest[..=end].replace('\'', "\"");
        let Ok(value) = serde_json::from_str(&text) else { return self.fail("not a list of literals") };
        self.at += end + 1;
        Ok(Operand::Literal(value))
    }

    fn literal(&mut self) -> Parsed<Operand> {
        let start = self.at;
        let word = self.take_while(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
        match serde_json::from_str(word) {
            Ok(value) => Ok(Operand::Literal(value)),
            Err(_) => Err((start, "expected a path or a literal")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_name_the_byte() {
        let rows = [
            ("", 0),
            ("a.b", 0),
            ("$.", 2),
            ("$.a b", 3),
            ("$[", 2),
            ("$['a", 3),
            ("$[a]", 2),
            ("$.a[?(@.x ==)]", 12),
            ("$.a]", 3),
        ];
        for (text, at) in rows {
            assert_eq!(path(text).unwrap_err().at, at, "{text}");
        }
    }

    #[test]
    fn filters_nest_only_so_deep() {
        let text = format!("$[?({}@.a{})]", "(".repeat(100_000), ")".repeat(100_000));
        assert_eq!(path(&text).unwrap_err().what, "nested too deeply");
    }
}
