//! Names of files and modules: each says what is inside.

use super::rust::{Source, sources};
use super::{Rule, Violation};
use crate::house::House;

/// Names that say nothing, so that everything fits.
const DRAWERS: &[&str] = &["util", "utils", "helper", "helpers", "misc", "common"];

const MOD: Rule = Rule {
    why: "ten tabs named mod.rs are ten tabs nobody can tell apart",
    mend: "name the file after its module: `table/mod.rs` becomes `table.rs` beside `table/`",
};

const DRAWER: Rule = Rule {
    why: "a drawer for everything is where the next thing goes without a thought, and where nobody looks for it",
    mend: "name the file by what it holds in the domain's words, and split it if it holds two things",
};

pub(super) fn check(house: &House) -> Vec<Violation> {
    sources(house).iter().flat_map(check_source).collect()
}

fn check_source(source: &Source<'_>) -> Vec<Violation> {
    let path = &source.file.path;
    let mut found = Vec::new();
    if path.ends_with("/mod.rs") {
        found.push(MOD.broken(path, 1, "a file named `mod.rs`"));
    }
    for part in path.trim_end_matches(".rs").split('/').filter(|part| DRAWERS.contains(part)) {
        found.push(DRAWER.broken(path, 1, format!("a file or folder named `{part}`")));
    }
    for line in &source.lines {
        let name = line.code.split_once("mod ").map(|(_, rest)| rest.trim_end_matches(['{', ';', '}', ' ']));
        if let Some(name) = name.filter(|name| DRAWERS.contains(name)) {
            found.push(DRAWER.broken(path, line.number, format!("a module named `{name}`")));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::tidy::tests::check;

    #[test]
    fn a_name_says_what_is_inside() {
        let rows = [
            ("a/src/table.rs", "mod memory;", vec![]),
            ("a/src/commons.rs", "// mod utils;", vec![]),
            ("a/src/table/mod.rs", "", vec!["a/src/table/mod.rs:1: a file named `mod.rs`"]),
            ("a/src/utils.rs", "", vec!["a/src/utils.rs:1: a file or folder named `utils`"]),
            ("a/src/common/time.rs", "", vec!["a/src/common/time.rs:1: a file or folder named `common`"]),
            ("a/tests/helpers.rs", "", vec!["a/tests/helpers.rs:1: a file or folder named `helpers`"]),
            ("a/src/lib.rs", "\npub(crate) mod misc {", vec!["a/src/lib.rs:2: a module named `misc`"]),
            ("a/src/lib.rs", "mod util;", vec!["a/src/lib.rs:1: a module named `util`"]),
        ];
        for (path, text, wanted) in rows {
            assert_eq!(check(super::check, &[(path, text)]), wanted, "{path}");
        }
    }
}
