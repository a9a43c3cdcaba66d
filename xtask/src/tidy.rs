//! `cargo xtask tidy`: the rules of the house that no compiler knows.
//!
//! A rule is a function from the house to what breaks it. A violation says where, what, why the rule stands and how to
//! mend it, for whoever meets a rule first meets it by breaking it. The same checks run as a test of this crate.
//!
//! A rule that hinders is to be changed here, in the open, with its reason; there is no comment that silences one.

mod arrows;
mod manifests;
mod names;
mod pages;
mod rust;
mod sizes;
mod words;

use std::fmt;
use std::process::ExitCode;

use anyhow::Result;

use crate::house::{self, House};

/// One place where a rule is broken.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Violation {
    path: String,
    /// Counted from one; a rule about a whole file names its first line.
    line: usize,
    what: String,
    rule: &'static Rule,
}

/// Why a rule stands, and how to keep it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rule {
    why: &'static str,
    mend: &'static str,
}

type Check = fn(&House) -> Vec<Violation>;

const CHECKS: &[(&str, Check)] = &[
    ("arrows between crates", arrows::check),
    ("manifests", manifests::check),
    ("sizes", sizes::check),
    ("names of files and modules", names::check),
    ("words in the source", words::check),
    ("pages and their links", pages::check),
];

/// Prints every violation; fails if there is one.
pub(crate) fn run(_: &[String]) -> Result<ExitCode> {
    let house = House::read(&house::root())?;
    let violations = violations(&house);
    for violation in &violations {
        println!("{violation}\n");
    }
    let names: Vec<&str> = CHECKS.iter().map(|(name, _)| *name).collect();
    println!("tidy: {} violations in {} files ({})", violations.len(), house.files.len(), names.join(", "));
    Ok(if violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn violations(house: &House) -> Vec<Violation> {
    let mut found: Vec<Violation> = CHECKS.iter().flat_map(|(_, check)| check(house)).collect();
    found.sort();
    found
}

impl Rule {
    fn broken(&'static self, path: &str, line: usize, what: impl Into<String>) -> Violation {
        Violation { path: path.to_owned(), line, what: what.into(), rule: self }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, what, rule } = self;
        write!(f, "{path}:{line}: {what}\n  why:  {}\n  mend: {}", rule.why, rule.mend)
    }
}

#[cfg(test)]
mod tests {
    use super::{Check, violations};
    use crate::house::{self, House};

    /// Runs one check on a house of these files; each violation as `path:line: what`.
    pub(super) fn check(check: Check, files: &[(&str, &str)]) -> Vec<String> {
        let found = check(&House::of(files));
        found.iter().map(|one| format!("{}:{}: {}", one.path, one.line, one.what)).collect()
    }

    #[test]
    fn the_house_is_tidy() {
        let house = House::read(&house::root()).unwrap();
        let found: Vec<String> = violations(&house).iter().map(ToString::to_string).collect();
        assert!(found.is_empty(), "{}", found.join("\n\n"));
    }

    #[test]
    fn a_violation_teaches() {
        let house = House::of(&[("a/src/mod.rs", "//! A.\n")]);
        let found = violations(&house);
        let text = found.iter().find(|one| one.path == "a/src/mod.rs").unwrap().to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "a/src/mod.rs:1: a file named `mod.rs`");
        assert!(lines[1].starts_with("  why:  "), "{text}");
        assert!(lines[2].starts_with("  mend: "), "{text}");
    }
}
