//! Positions: the line and column at which a JSON pointer's value starts in a text.
//!
//! Serde forgets positions, so a diagnostic's pointer is looked up afterwards by walking the text once more. The text is
//! known to be valid JSON by then, which keeps the walker small.

/// Finds line and column, both from 1, of the value at `pointer` (`/States/A/Next`); the nearest parent's where the
/// value itself is missing.
pub fn locate(text: &str, pointer: &str) -> Option<(usize, usize)> {
    let mut walker = Walker { bytes: text.as_bytes(), at: 0 };
    walker.spaces();
    let mut found = walker.at;
    let mut rest = pointer.trim_start_matches('/');
    while !rest.is_empty() {
        let Some(left) = walker.enter(rest) else { break };
        found = walker.at;
        rest = left;
    }
    let before = text.get(..found)?;
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |tail| tail.chars().count()) + 1;
    Some((line, column))
}

struct Walker<'t> {
    bytes: &'t [u8],
    at: usize,
}

impl Walker<'_> {
    fn peek(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    fn spaces(&mut self) {
        while self.peek().is_ascii_whitespace() {
            self.at += 1;
        }
    }

    /// Steps into the member that `path` starts with and returns the rest of the path. Names may hold slashes, so the
    /// longest member name that fits wins.
    fn enter<'p>(&mut self, path: &'p str) -> Option<&'p str> {
        if self.peek() != b'{' {
            return None;
        }
        let mut best: Option<(usize, &str)> = None;
        self.at += 1;
        loop {
            self.spaces();
            if self.peek() != b'"' {
                break;
            }
            let name = self.string();
            self.spaces();
            self.at += 1;
            self.spaces();
            let fits = path
                .strip_prefix(name.as_str())
                .filter(|rest| rest.is_empty() || rest.starts_with(['/', '[']));
            if let Some(rest) = fits.filter(|rest| best.is_none_or(|(_, kept)| rest.len() < kept.len())) {
                best = Some((self.at, rest));
            }
            self.skip();
            self.spaces();
            self.at += 1;
        }
        let (at, rest) = best?;
        self.at = at;
        self.index(rest)
    }

    /// Steps through `[0][1]` at the start of `path`.
    fn index<'p>(&mut self, mut path: &'p str) -> Option<&'p str> {
        while let Some((number, rest)) = path.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            self.at += 1;
            for _ in 0..number.parse::<usize>().ok()? {
                self.skip();
                self.spaces();
                self.at += 1;
            }
            self.spaces();
            path = rest;
        }
        Some(path.trim_start_matches('/'))
    }

    fn string(&mut self) -> String {
        let start = self.at;
        self.skip();
        let text = self.bytes.get(start..self.at).unwrap_or_default();
        serde_json::from_slice(text).unwrap_or_default()
    }

    /// Passes over one value.
    fn skip(&mut self) {
        self.spaces();
        let mut depth = 0usize;
        while self.at < self.bytes.len() {
            match self.peek() {
                b'"' => self.skip_string(),
                b'{' | b'[' => depth += 1,
                b'}' | b']' if depth == 0 => return,
                b'}' | b']' => depth -= 1,
                b',' if depth == 0 => return,
                b':' if depth == 0 => return,
                _ => {}
            }
            self.at += 1;
        }
    }

    /// Leaves the cursor on the closing quote.
    fn skip_string(&mut self) {
        self.at += 1;
        while self.at < self.bytes.len() && self.peek() != b'"' {
            self.at += if self.peek() == b'\\' { 2 } else { 1 };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn pointers_lead_to_lines() {
        let text = "{\n  \"StartAt\": \"A\",\n  \"States\": {\n    \"A\": {\"Next\": \"B\", \"L\": [1, {\"x\": 2}]},\n    \"A/é\": {\"Next\": 1}\n  }\n}";
        let rows = [
            ("/", (1, 1)),
            ("/StartAt", (2, 14)),
            ("/States/A", (4, 10)),
            ("/States/A/Next", (4, 19)),
            ("/States/A/L[1]", (4, 33)),
            ("/States/A/L[1]/x", (4, 39)),
            ("/States/A/é/Next", (5, 21)),
            ("/States/A/Nothing", (4, 10)),
        ];
        for (pointer, want) in rows {
            assert_eq!(locate(text, pointer), Some(want), "{pointer}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in "\\PC{0,40}", pointer in r"[/a\[\]0-9]{0,20}") {
            let _ = locate(&text, &pointer);
        }

        #[test]
        fn broken_json_never_panics(text in r#"[{}\[\]":,a0 \\\n]{0,40}"#) {
            let _ = locate(&text, "/a/a[1]/0");
        }
    }
}
