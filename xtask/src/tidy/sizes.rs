//! Sizes: a file that is read in one sitting, a crate that is read in one day.
//!
//! A file counts whole, a crate without its tests: more tests never make a crate too large.

use super::rust::{Source, sources};
use super::{Rule, Violation};
use crate::house::House;

const FILE_LINES: usize = 500;
const CRATE_LINES: usize = 6_000;

const FILE: Rule = Rule {
    why: "nobody proofreads a file that does not fit in one sitting; most of ours are near a hundred lines",
    mend: "split it by responsibility, each part with a module doc that can say what it is without an `and`",
};

const CRATE: Rule = Rule {
    why: "a crate of this size has grown a second subject",
    mend: "find the second subject and give it a folder of its own, or delete what is no longer used",
};

pub(super) fn check(house: &House) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in house.sources() {
        let lines = file.text.lines().count();
        if lines > FILE_LINES {
            found.push(FILE.broken(
                &file.path,
                FILE_LINES + 1,
                format!("{lines} lines; a file ends at {FILE_LINES}"),
            ));
        }
    }
    let sources = sources(house);
    for member in house.members() {
        let folder = format!("{}/src/", member.folder);
        let of_member = sources.iter().filter(|source| source.file.path.starts_with(&folder));
        let lines: usize = of_member.map(product_lines).sum();
        if lines > CRATE_LINES {
            let what = format!("{lines} lines under {folder}; a crate ends at {CRATE_LINES}");
            found.push(CRATE.broken(&member.manifest.path, 1, what));
        }
    }
    found
}

/// The lines that are not for tests; a port's suite is for the tests of its adapters.
fn product_lines(source: &Source<'_>) -> usize {
    if source.file.path.split(['/', '.']).any(|part| part == "suite") {
        return 0;
    }
    source.lines.iter().filter(|line| !line.test).count()
}

#[cfg(test)]
mod tests {
    use crate::tidy::tests::check;

    #[test]
    fn files_and_crates_end_somewhere() {
        let short = "//\n".repeat(400);
        let (fits, long) = ("//\n".repeat(500), "//\n".repeat(501));
        let none: [&str; 0] = [];
        assert_eq!(check(super::check, &[("a/src/lib.rs", &fits)]), none);
        assert_eq!(
            check(super::check, &[("a/src/lib.rs", &long)]),
            ["a/src/lib.rs:501: 501 lines; a file ends at 500"]
        );

        let mut files = vec![("a/Cargo.toml".to_owned(), String::new())];
        files.extend((0..12).map(|number| (format!("a/src/part_{number}.rs"), fits.clone())));
        files.push(("a/tests/outside.rs".to_owned(), fits.clone()));
        files.push(("a/src/table/suite.rs".to_owned(), fits.clone()));
        files.push(("a/src/table/suite/order.rs".to_owned(), fits.clone()));
        files.push(("a/src/proofs.rs".to_owned(), format!("#[cfg(test)]\nmod tests {{\n{short}}}\n")));
        let house = |files: &[(String, String)]| {
            let files: Vec<(&str, &str)> = files.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
            check(super::check, &files)
        };
        assert_eq!(house(&files), none);
        files.push(("a/src/lib.rs".to_owned(), "//\n".to_owned()));
        assert_eq!(house(&files), ["a/Cargo.toml:1: 6001 lines under a/src/; a crate ends at 6000"]);
    }
}
