//! Manifests: one place for versions, one lint table, one reading order.

use toml::{Table, Value};

use super::{Rule, Violation};
use crate::house::{House, Member};

/// What a member takes from the workspace instead of saying it itself.
const SHARED: &[&str] = &["version", "edition", "rust-version", "license", "repository", "publish"];

/// The groups of crates in the order in which the house is read.
const READING_ORDER: &[(&str, &str)] = &[
    ("schema", "the nouns"),
    ("ports", "the sockets"),
    ("lib", "the instruments"),
    ("stages", "the verbs"),
    ("engine", "what runs them"),
    ("adapters", "the plugs"),
    ("server", "the surface"),
    ("doxa", "the binary"),
    ("testkit", "what tests lean on"),
    ("xtask", "the chores"),
];

const LINTS: Rule = Rule {
    why: "a crate outside the common lint table is a crate where an `unwrap` passes unseen",
    mend: "add `[lints]` with `workspace = true`",
};

const PACKAGE: Rule = Rule {
    why: "the workspace speaks once for all crates, so that none of them is of another edition or licence by accident",
    mend: "write `KEY.workspace = true` in [package]",
};

const VERSION: Rule = Rule {
    why: "two crates that name a version each will one day name two",
    mend: "name it under [workspace.dependencies] in the root manifest and write `workspace = true` here",
};

const ORDER: Rule = Rule {
    why: "the member list is the table of contents: nouns, sockets, instruments, verbs, plugs, binary, chores",
    mend: "list the crate among its own, stages by their number",
};

/// One line under a `dependencies` heading of any kind.
pub(super) struct Dependency {
    pub(super) name: String,
    /// Whether only tests, examples and benchmarks see it.
    pub(super) dev: bool,
    pub(super) features: Vec<String>,
    pub(super) line: usize,
    /// Whether version and place are left to the workspace.
    inherited: bool,
}

pub(super) fn check(house: &House) -> Vec<Violation> {
    let mut found: Vec<Violation> = house.members().flat_map(|member| check_member(&member)).collect();
    found.extend(check_order(house));
    found
}

fn check_member(member: &Member<'_>) -> Vec<Violation> {
    let mut found = Vec::new();
    let (path, text) = (&member.manifest.path, &member.manifest.text);
    let manifest = parse(text);
    let inherits = |table: &str, key: &str| -> bool {
        let value = manifest.get(table).and_then(|table| table.get(key));
        value.and_then(|value| value.get("workspace")).and_then(Value::as_bool) == Some(true)
    };
    for key in SHARED.iter().filter(|key| !inherits("package", key)) {
        let line = line_of(text, "package", key);
        found.push(PACKAGE.broken(path, line, format!("`{key}` is not the workspace's")));
    }
    if manifest.get("lints").and_then(|lints| lints.get("workspace")).and_then(Value::as_bool) != Some(true) {
        found.push(LINTS.broken(path, line_of(text, "lints", ""), "the lints are not the workspace's"));
    }
    for dependency in dependencies(text).into_iter().filter(|dependency| !dependency.inherited) {
        let what = format!("`{}` is not taken from the workspace", dependency.name);
        found.push(VERSION.broken(path, dependency.line, what));
    }
    found
}

fn check_order(house: &House) -> Vec<Violation> {
    let Some(root) = house.file("Cargo.toml") else { return Vec::new() };
    let manifest = parse(&root.text);
    let members =
        manifest.get("workspace").and_then(|workspace| workspace.get("members")).and_then(Value::as_array);
    let listed: Vec<&str> = members.into_iter().flatten().filter_map(Value::as_str).collect();
    let line = |name: &str| {
        let quoted = format!("\"{name}\"");
        1 + root.text.lines().position(|line| line.contains(&quoted)).unwrap_or(0)
    };
    let mut found = Vec::new();
    for pair in listed.windows(2).filter(|pair| rank(pair[0]) > rank(pair[1])) {
        let what = format!("`{}` is listed after `{}`", pair[1], pair[0]);
        found.push(ORDER.broken(&root.path, line(pair[1]), what));
    }
    for member in house.members().filter(|member| !listed.contains(&member.folder)) {
        found.push(ORDER.broken(
            &root.path,
            line("members"),
            format!("`{}` is not listed by its own name", member.folder),
        ));
    }
    found
}

/// The place of a crate in the reading order; stages and their like are ordered by folder within it.
fn rank(folder: &str) -> (usize, &str) {
    let (group, rest) = folder.split_once('/').unwrap_or((folder, ""));
    let place = READING_ORDER.iter().position(|(name, _)| *name == group);
    (place.unwrap_or(READING_ORDER.len()), if group == "stages" { rest } else { "" })
}

/// The manifest as a table; an empty one if it is no TOML, which cargo itself reports better.
pub(super) fn parse(text: &str) -> Table {
    text.parse().unwrap_or_default()
}

/// Every dependency of a manifest, those of single platforms included.
pub(super) fn dependencies(text: &str) -> Vec<Dependency> {
    let manifest = parse(text);
    let mut found = Vec::new();
    let targets = manifest.get("target").and_then(Value::as_table).into_iter().flatten();
    let targets = targets.filter_map(|(_, target)| target.as_table());
    for table in std::iter::once(&manifest).chain(targets) {
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let entries = table.get(kind).and_then(Value::as_table).into_iter().flatten();
            found.extend(entries.map(|(name, value)| dependency(text, kind, name, value)));
        }
    }
    found
}

fn dependency(text: &str, kind: &str, name: &str, value: &Value) -> Dependency {
    let features = value.get("features").and_then(Value::as_array).into_iter().flatten();
    Dependency {
        name: name.to_owned(),
        dev: kind == "dev-dependencies",
        features: features.filter_map(Value::as_str).map(str::to_owned).collect(),
        line: line_of(text, kind, name),
        inherited: value.get("workspace").and_then(Value::as_bool) == Some(true),
    }
}

/// The first line under a heading that ends in `heading` which begins with `key`; else the heading's; else the first.
fn line_of(text: &str, heading: &str, key: &str) -> usize {
    let (mut under, mut fallback) = (false, 1);
    for (number, line) in (1..).zip(text.lines()) {
        if let Some(name) = line.strip_prefix('[') {
            let name = name.trim_end().trim_end_matches(']');
            under = name == heading || name.ends_with(&format!(".{heading}"));
            if under && fallback == 1 {
                fallback = number;
            }
        } else if under && !key.is_empty() && line.split(['.', ' ', '=']).next() == Some(key) {
            return number;
        }
    }
    fallback
}

#[cfg(test)]
mod tests {
    use super::SHARED;
    use crate::tidy::tests::check;

    fn sound() -> String {
        let shared: String = SHARED.iter().map(|key| format!("{key}.workspace = true\n")).collect();
        format!(
            "[package]\nname = \"a\"\n{shared}\n[dependencies]\nserde.workspace = true\n\n[lints]\nworkspace = true\n"
        )
    }

    #[test]
    fn members_leave_to_the_workspace_what_is_common() {
        let rows = [
            ("", "", vec![]),
            ("edition.workspace = true\n", "", vec!["1: `edition` is not the workspace's"]),
            ("license.workspace = true", "license = \"MIT\"", vec!["6: `license` is not the workspace's"]),
            ("[lints]\nworkspace = true\n", "", vec!["1: the lints are not the workspace's"]),
            (
                "[lints]\nworkspace = true\n",
                "[lints.clippy]\nall = \"allow\"\n",
                vec!["1: the lints are not the workspace's"],
            ),
            ("serde.workspace = true", "serde = \"1\"", vec!["11: `serde` is not taken from the workspace"]),
            (
                "serde.workspace = true",
                "serde = { path = \"../serde\" }",
                vec!["11: `serde` is not taken from the workspace"],
            ),
            (
                "[dependencies]",
                "[build-dependencies]\ncc = \"1\"",
                vec!["11: `cc` is not taken from the workspace"],
            ),
            (
                "[dependencies]",
                "[target.'cfg(unix)'.dependencies]\nlibc = \"1\"",
                vec!["11: `libc` is not taken from the workspace"],
            ),
        ];
        for (from, to, wanted) in rows {
            let text = sound().replacen(from, to, 1);
            let wanted: Vec<String> = wanted.iter().map(|what| format!("a/Cargo.toml:{what}")).collect();
            assert_eq!(check(super::check, &[("a/Cargo.toml", &text)]), wanted, "`{from}` → `{to}`");
        }
    }

    #[test]
    fn members_are_listed_as_they_are_read() {
        let rows = [
            (r#"["schema", "ports", "stages/1-a", "stages/2-b", "xtask"]"#, vec![]),
            (r#"["ports", "schema"]"#, vec!["Cargo.toml:2: `schema` is listed after `ports`"]),
            (
                r#"["stages/2-b", "stages/1-a"]"#,
                vec!["Cargo.toml:2: `stages/1-a` is listed after `stages/2-b`"],
            ),
            (r#"["adapters/postgres", "adapters/aws", "doxa"]"#, vec![]),
            (r#"["xtask", "attic"]"#, vec![]),
            (r#"["attic", "xtask"]"#, vec!["Cargo.toml:2: `xtask` is listed after `attic`"]),
        ];
        for (members, wanted) in rows {
            let root = format!("[workspace]\nmembers = {members}\n");
            assert_eq!(check(super::check, &[("Cargo.toml", &root)]), wanted, "{members}");
        }
    }

    #[test]
    fn no_member_hides_behind_a_star() {
        let root = "[workspace]\nmembers = [\"stages/*\"]\n";
        let found = check(super::check, &[("Cargo.toml", root), ("stages/1-a/Cargo.toml", &sound())]);
        assert_eq!(found, ["Cargo.toml:1: `stages/1-a` is not listed by its own name"]);
    }
}
