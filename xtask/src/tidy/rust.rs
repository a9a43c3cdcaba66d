//! Rust source as the checks see it: what is code, what is said in strings and comments, and which lines are tests.
//!
//! A scanner, not a parser: it knows strings, characters, comments and braces, which is all that the checks ask about.
//! It takes no macro apart, so a word inside a macro's arguments counts as code, which is what a reader would say too.

use std::collections::BTreeSet;

use crate::house::{File, House};

/// One line of source.
pub(super) struct Line {
    /// Counted from one.
    pub(super) number: usize,
    /// The line without what it says: strings are empty, comments are gone.
    pub(super) code: String,
    /// What stands in its strings and comments, each followed by a space.
    pub(super) said: String,
    /// Whether it is compiled for tests only.
    pub(super) test: bool,
}

/// A source file, taken apart.
pub(super) struct Source<'a> {
    pub(super) file: &'a File,
    pub(super) lines: Vec<Line>,
}

/// Every source file of the house. A file is a test if its folder says so or if the module that declares it does.
pub(super) fn sources(house: &House) -> Vec<Source<'_>> {
    let mut sources: Vec<Source<'_>> =
        house.sources().map(|file| Source { file, lines: lines(&file.text) }).collect();
    let modules: BTreeSet<String> = sources.iter().flat_map(test_modules).collect();
    for source in &mut sources {
        let path = source.file.path.as_str();
        let in_module = |module: &String| {
            path.strip_prefix(module.as_str()).is_some_and(|rest| rest.starts_with(['.', '/']))
        };
        if test_by_folder(path) || modules.iter().any(in_module) {
            source.lines.iter_mut().for_each(|line| line.test = true);
        }
    }
    sources
}

fn test_by_folder(path: &str) -> bool {
    path.split('/').any(|part| matches!(part, "tests" | "benches" | "examples"))
}

/// The paths, without their ending, of the modules that a file declares for tests only.
fn test_modules(source: &Source<'_>) -> Vec<String> {
    let path = source.file.path.trim_end_matches(".rs");
    let (folder, stem) = path.rsplit_once('/').unwrap_or(("", path));
    let base = if matches!(stem, "lib" | "main") { folder } else { path };
    let declared = source.lines.iter().filter(|line| line.test).filter_map(|line| {
        let (_, name) = line.code.split_once("mod ")?;
        name.trim_end().strip_suffix(';')
    });
    declared.map(|name| format!("{base}/{name}")).collect()
}

/// Takes a file apart.
pub(super) fn lines(text: &str) -> Vec<Line> {
    let mut scanner = Scanner { rest: text, code: String::new(), said: String::new(), lines: Vec::new() };
    while !scanner.rest.is_empty() {
        scanner.token();
    }
    if !scanner.code.is_empty() || !scanner.said.is_empty() {
        scanner.end_line();
    }
    mark_tests(&mut scanner.lines);
    scanner.lines
}

struct Scanner<'a> {
    rest: &'a str,
    code: String,
    said: String,
    lines: Vec<Line>,
}

impl Scanner<'_> {
    fn token(&mut self) {
        let rest = self.rest;
        if rest.starts_with("//") {
            self.say(rest.find('\n').unwrap_or(rest.len()));
        } else if rest.starts_with("/*") {
            self.say(block_comment(rest));
        } else if let Some(length) = raw_string(rest).filter(|_| !self.in_word()) {
            self.code.push_str("\"\"");
            self.say(length);
        } else if rest.starts_with('"') {
            self.code.push_str("\"\"");
            self.say(quoted(rest, '"'));
        } else if let Some(length) = character(rest) {
            self.code.push_str("''");
            self.say(length);
        } else {
            let one = rest.chars().next().expect("the loop above ends with the text");
            self.rest = &rest[one.len_utf8()..];
            if one == '\n' { self.end_line() } else { self.code.push(one) }
        }
    }

    /// Moves what is said out of the way, line by line.
    fn say(&mut self, length: usize) {
        let (said, rest) = self.rest.split_at(length);
        self.rest = rest;
        for (index, part) in said.split('\n').enumerate() {
            if index > 0 {
                self.end_line();
            }
            self.said.push_str(part);
        }
        self.said.push(' ');
    }

    fn end_line(&mut self) {
        let (code, said) = (std::mem::take(&mut self.code), std::mem::take(&mut self.said));
        self.lines.push(Line { number: self.lines.len() + 1, code, said, test: false });
    }

    /// Whether the text so far ends inside a word: the `r` of `for"` begins no raw string, the one of `br"` does.
    fn in_word(&self) -> bool {
        let mut before = self.code.chars().rev();
        match before.next() {
            Some('b' | 'c') => before.next().is_some_and(is_word),
            last => last.is_some_and(is_word),
        }
    }
}

fn is_word(one: char) -> bool {
    one.is_alphanumeric() || one == '_'
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    loop {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest.starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
        } else {
            let Some(one) = rest.chars().next() else { return at };
            at += one.len_utf8();
        }
        if depth == 0 {
            return at;
        }
    }
}

fn raw_string(text: &str) -> Option<usize> {
    let hashes = text.strip_prefix('r')?.chars().take_while(|one| *one == '#').count();
    let body = text[1 + hashes..].strip_prefix('"')?;
    let close = format!("\"{}", "#".repeat(hashes));
    let end = body.find(&close).map_or(body.len(), |at| at + close.len());
    Some(2 + hashes + end)
}

/// The length of a quoted text, both quotes included.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, one) in text.char_indices().skip(1) {
        match one {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            one if one == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of a character literal; a lifetime is none.
fn character(text: &str) -> Option<usize> {
    let mut inside = text.strip_prefix('\'')?.chars();
    match (inside.next()?, inside.next()?) {
        ('\\', _) | (_, '\'') => Some(quoted(text, '\'')),
        _ => None,
    }
}

/// Marks each item that stands under `#[cfg(test)]`, from its attribute to its last line.
fn mark_tests(lines: &mut [Line]) {
    let mut from = 0;
    while let Some(start) = (from..lines.len()).find(|&at| for_tests(&lines[at].code)) {
        let end = item_end(lines, start);
        lines[start..=end].iter_mut().for_each(|line| line.test = true);
        from = end + 1;
    }
}

/// `any(test, feature = "suite")` is left out on purpose: that code is compiled into adapters' tests as a library.
fn for_tests(code: &str) -> bool {
    code.contains("#[cfg(test)]") || code.contains("#[cfg(all(test")
}

fn item_end(lines: &[Line], start: usize) -> usize {
    let mut depth = 0_usize;
    for (at, line) in lines.iter().enumerate().skip(start) {
        for one in line.code.chars() {
            match one {
                '{' => depth += 1,
                '}' if depth <= 1 => return at,
                '}' => depth -= 1,
                ';' if depth == 0 => return at,
                _ => {}
            }
        }
    }
    lines.len() - 1
}

#[cfg(test)]
mod tests {
    use super::{lines, sources};
    use crate::house::House;

    #[test]
    fn what_is_said_is_not_code() {
        let rows = [
            ("let a = 1; // b", "let a = 1; |// b "),
            (r#"let a = "x // y"; b()"#, r#"let a = ""; b()|"x // y" "#),
            (r#"let a = "x \" y"; b()"#, r#"let a = ""; b()|"x \" y" "#),
            (r###"let a = r#"x " y"#; b()"###, r###"let a = ""; b()|r#"x " y"# "###),
            (r#"let a = br"\"; b()"#, r#"let a = b""; b()|r"\" "#),
            ("let r#type = 1;", "let r#type = 1;|"),
            (r"let a = '\''; b::<'c>('d')", r"let a = ''; b::<'c>('')|'\'' 'd' "),
            ("a /* b /* c */ d */ e", "a  e|/* b /* c */ d */ "),
            (r#"let a = '"'; b"#, r#"let a = ''; b|'"' "#),
        ];
        for (source, wanted) in rows {
            let got: Vec<String> =
                lines(source).iter().map(|line| format!("{}|{}", line.code, line.said)).collect();
            assert_eq!(got, [wanted], "{source}");
        }
    }

    #[test]
    fn a_long_string_keeps_its_lines() {
        let numbers: Vec<(usize, String)> =
            lines("a(\"one\ntwo\");\nb();").into_iter().map(|line| (line.number, line.code)).collect();
        assert_eq!(numbers, [(1, "a(\"\"".to_owned()), (2, ");".to_owned()), (3, "b();".to_owned())]);
    }

    #[test]
    fn tests_are_known_line_by_line() {
        let rows = [
            ("fn a() {}\n#[cfg(test)]\nmod tests {\n  fn b() {}\n}\nfn c() {}", ".TTTT."),
            ("#[cfg(test)]\nuse a::{b, c};\nfn c() {}", "TT."),
            ("#[cfg(test)]\nmod tests;\nfn c() {}", "TT."),
            ("#[cfg(test)]\nimpl A {\n  fn b() { \"}\" }\n}\nfn c() {}", "TTTT."),
            ("#[cfg(any(test, feature = \"suite\"))]\nmod suite {\n}", "..."),
        ];
        for (source, wanted) in rows {
            let got: String = lines(source).iter().map(|line| if line.test { 'T' } else { '.' }).collect();
            assert_eq!(got, wanted, "{source}");
        }
    }

    #[test]
    fn a_file_is_a_test_where_it_is_declared_so() {
        let house = House::of(&[
            ("a/src/lib.rs", "#[cfg(test)]\nmod proofs;\nmod work;"),
            ("a/src/proofs.rs", "fn a() {}"),
            ("a/src/proofs/deep.rs", "fn a() {}"),
            ("a/src/work.rs", "#[cfg(test)]\nmod tables;"),
            ("a/src/work/tables.rs", "fn a() {}"),
            ("a/src/work/other.rs", "fn a() {}"),
            ("a/tests/all.rs", "fn a() {}"),
        ]);
        let tests: Vec<&str> = sources(&house)
            .iter()
            .filter(|source| source.lines.iter().all(|line| line.test))
            .map(|source| source.file.path.as_str())
            .collect();
        assert_eq!(
            tests,
            [
                "a/src/proofs.rs",
                "a/src/proofs/deep.rs",
                "a/src/work.rs",
                "a/src/work/tables.rs",
                "a/tests/all.rs"
            ]
        );
    }
}
