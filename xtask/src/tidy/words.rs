//! Words in the source: what must stand on top of a file, and what must stand nowhere.

use super::rust::{Line, Source, sources};
use super::{Rule, Violation};
use crate::house::House;

/// A word that must not stand in code.
struct Banned {
    what: &'static str,
    stands_in: fn(&str) -> bool,
    scope: Scope,
    rule: Rule,
}

#[derive(PartialEq)]
enum Scope {
    Everywhere,
    OutsideTests,
}

const BANNED: &[Banned] = &[
    Banned {
        what: "`.unwrap()` outside tests",
        stands_in: |code| code.contains(".unwrap()"),
        scope: Scope::OutsideTests,
        rule: Rule {
            why: "a panic without its sentence tells the operator nothing and the next reader less",
            mend: "return an error that names what was attempted on which thing, or `expect` with the invariant as text",
        },
    },
    Banned {
        what: "an unfinished place (`todo!` or `unimplemented!`)",
        stands_in: |code| calls(code, "todo!") || calls(code, "unimplemented!"),
        scope: Scope::Everywhere,
        rule: Rule {
            why: "what is laid is finished: a stub on the main branch is a crash that compiles",
            mend: "write it, or leave out what calls it until it is written",
        },
    },
    Banned {
        what: "`dbg!`",
        stands_in: |code| calls(code, "dbg!"),
        scope: Scope::Everywhere,
        rule: Rule {
            why: "a note to oneself on stderr is noise to everyone else",
            mend: "remove it; what an operator should see is a `tracing` event",
        },
    },
    Banned {
        what: "an ignored test",
        stands_in: |code| code.contains("#[ignore"),
        scope: Scope::Everywhere,
        rule: Rule {
            why: "a test that does not run is a promise that nobody keeps",
            mend: "mend it or delete it; what needs a server starts it through the testkit",
        },
    },
    Banned {
        what: "dead code that is allowed",
        stands_in: |code| code.contains("dead_code") && (code.contains("allow(") || code.contains("expect(")),
        scope: Scope::Everywhere,
        rule: Rule {
            why: "code that nothing calls is read, built and maintained for nobody",
            mend: "delete it: git remembers",
        },
    },
];

const DOC: Rule = Rule {
    why: "the first lines of a file tell a reader whether this is the file to read",
    mend: "begin it with `//!`: what comes in, what goes out, what never happens here",
};

const GLOB: Rule = Rule {
    why: "a glob re-export hides the table of contents that a list of names would be",
    mend: "name what is public, one by one",
};

const MACHINE: Rule = Rule {
    why: "a path of one machine works on that machine",
    mend: "take the path as an argument or a setting, or ask for a temporary folder",
};

/// Where a machine keeps what is its own; written in two parts, so that this line is not one of them.
const MACHINE_PATHS: &[&str] =
    &[concat!("/", "work/"), concat!("/", "root/"), concat!("/", "home/"), concat!("/", "Users/")];
const TEMPORARY: &str = concat!("/", "tmp/");

pub(super) fn check(house: &House) -> Vec<Violation> {
    let mut found: Vec<Violation> = sources(house).iter().flat_map(check_source).collect();
    let prose = house
        .files
        .iter()
        .filter(|file| [".md", ".toml", ".yml", ".yaml"].iter().any(|ending| file.path.ends_with(ending)));
    for file in prose {
        for (number, line) in (1..).zip(file.text.lines()) {
            let path = MACHINE_PATHS.iter().find(|path| names_path(line, path));
            found.extend(
                path.map(|path| MACHINE.broken(&file.path, number, format!("a path under `{path}`"))),
            );
        }
    }
    found
}

fn check_source(source: &Source<'_>) -> Vec<Violation> {
    let path = &source.file.path;
    let mut found = Vec::new();
    let first = source.file.text.lines().find(|line| !line.trim().is_empty());
    if !first.is_some_and(|line| line.starts_with("//!")) {
        found.push(DOC.broken(path, 1, "no module doc"));
    }
    for line in &source.lines {
        let banned = BANNED.iter().filter(|banned| !(line.test && banned.scope == Scope::OutsideTests));
        let banned = banned.filter(|banned| (banned.stands_in)(&line.code));
        found.extend(banned.map(|banned| banned.rule.broken(path, line.number, banned.what)));
        if !line.test {
            let mut paths = MACHINE_PATHS.iter().chain([&TEMPORARY]);
            let named = paths.find(|path| names_path(&line.said, path));
            found.extend(
                named.map(|named| MACHINE.broken(path, line.number, format!("a path under `{named}`"))),
            );
        }
    }
    found.extend(globs(&source.lines).into_iter().map(|line| GLOB.broken(path, line, "a glob re-export")));
    found
}

/// Whether `code` calls the macro: `dbg!(…)`, but not `my_dbg!(…)`.
fn calls(code: &str, name: &str) -> bool {
    let whole = |at: usize| !code[..at].ends_with(|one: char| one.is_alphanumeric() || one == '_');
    code.match_indices(name).any(|(at, _)| whole(at))
}

/// Whether `text` names an absolute path that begins so: a folder of that name further inside a path is none.
fn names_path(text: &str, path: &str) -> bool {
    let begins =
        |at: usize| !text[..at].ends_with(|one: char| one.is_alphanumeric() || "._-}~/$".contains(one));
    text.match_indices(path).any(|(at, _)| begins(at))
}

/// The lines on which a public `use` ends in a star; the statement may run over several.
fn globs(lines: &[Line]) -> Vec<usize> {
    let mut found = Vec::new();
    let mut open = false;
    for line in lines.iter().filter(|line| !line.test) {
        let code = line.code.trim_start();
        let begins = code.starts_with("pub use ") || (code.starts_with("pub(") && code.contains(") use "));
        open |= begins;
        if open && (code.contains("::*") || code.contains(" *") || code.contains("{*")) {
            found.push(line.number);
        }
        open &= !code.contains(';');
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::tidy::tests::check;

    fn found(path: &str, text: &str) -> Vec<String> {
        let found = check(super::check, &[(path, text)]);
        found.iter().map(|one| one.strip_prefix(&format!("{path}:")).unwrap_or(one).to_owned()).collect()
    }

    #[test]
    fn words_that_stand_nowhere() {
        let rows = [
            ("a().unwrap();", vec!["2: `.unwrap()` outside tests"]),
            ("a().unwrap_or(1);", vec![]),
            ("// a().unwrap();", vec![]),
            ("let a = \".unwrap()\";", vec![]),
            ("#[cfg(test)]\nmod tests {\n  fn b() { a().unwrap() }\n}", vec![]),
            ("#[cfg(test)]\nmod tests {\n}\nfn b() { a().unwrap() }", vec!["5: `.unwrap()` outside tests"]),
            ("todo!()", vec!["2: an unfinished place (`todo!` or `unimplemented!`)"]),
            ("unimplemented!(\"later\")", vec!["2: an unfinished place (`todo!` or `unimplemented!`)"]),
            (
                "#[cfg(test)]\nfn b() { todo!() }",
                vec!["3: an unfinished place (`todo!` or `unimplemented!`)"],
            ),
            ("dbg!(a);", vec!["2: `dbg!`"]),
            ("not_dbg!(a);", vec![]),
            ("#[ignore = \"slow\"]", vec!["2: an ignored test"]),
            ("#[cfg(test)]\nmod tests {\n  #[test]\n  #[ignore]\n  fn a() {}\n}", vec!["5: an ignored test"]),
            ("#[allow(dead_code)]", vec!["2: dead code that is allowed"]),
            ("#![expect(unused, dead_code)]", vec!["2: dead code that is allowed"]),
            ("pub use a::*;", vec!["2: a glob re-export"]),
            ("pub(crate) use a::{\n  b,\n  c::*,\n};", vec!["4: a glob re-export"]),
            ("use a::*;", vec![]),
            ("pub use a::b;\nlet c = d * e;", vec![]),
        ];
        for (text, wanted) in rows {
            assert_eq!(found("a/src/lib.rs", &format!("//! A.\n{text}\n")), wanted, "{text}");
        }
    }

    #[test]
    fn every_file_says_what_it_is() {
        let rows = [
            ("//! A.\n", vec![]),
            ("\n//! A.\n", vec![]),
            ("", vec!["1: no module doc"]),
            ("use a::b;\n", vec!["1: no module doc"]),
            ("// A.\n", vec!["1: no module doc"]),
            ("/// A.\nfn a() {}\n", vec!["1: no module doc"]),
        ];
        for (text, wanted) in rows {
            assert_eq!(found("a/tests/all.rs", text), wanted, "{text}");
        }
    }

    #[test]
    fn no_path_of_one_machine() {
        let rows = [
            ("a/src/lib.rs", "let a = \"/root/data\";", vec!["2: a path under `/root/`"]),
            ("a/src/lib.rs", "// as in /work/main", vec!["2: a path under `/work/`"]),
            ("a/src/lib.rs", "let a = \"/tmp/doxa\";", vec!["2: a path under `/tmp/`"]),
            ("a/src/lib.rs", "#[cfg(test)]\nmod tests {\n const A: &str = \"/tmp/doxa\";\n}", vec![]),
            ("a/src/lib.rs", "let a = \"docs/work/b\"; let c = b / root / d;", vec![]),
            ("a/tests/all.rs", "let a = \"/tmp/doxa\";", vec![]),
            ("README.md", "see `/home/someone/doxa`", vec!["2: a path under `/home/`"]),
            ("README.md", "see /tmp/doxa or ~/work/doxa", vec![]),
            ("scripts/a", "cd /root/data", vec![]),
        ];
        for (path, text, wanted) in rows {
            assert_eq!(found(path, &format!("//! A.\n{text}\n")), wanted, "{path}: {text}");
        }
    }
}
