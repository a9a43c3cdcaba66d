//! Who may lean on whom.
//!
//! The table is DESIGN's, a floor at a time. Cargo alone would allow every arrow that makes no circle, and each arrow that
//! should not be there looks harmless on the day it is drawn.

use toml::Table;

use super::manifests::{dependencies, parse};
use super::{Rule, Violation};
use crate::house::House;

/// A folder, or all folders below it, and what it may lean on. The first row that fits a folder counts.
const ARROWS: &[(&str, &[&str])] = &[
    ("schema", &[]),
    ("lib/classify", &["lib/text"]),
    // Two subjects: what an expression says of values, and what a state machine does with the answer.
    ("lib/asl", &["lib/query"]),
    // What other tools get right is taken from the statistics; only their mistakes are written again.
    ("lib/compat", &["lib/stats"]),
    ("lib", &[]),
    ("ports", &["schema"]),
    ("stages", &["ports", "schema", "lib"]),
    ("engine", &["lib/asl", "ports", "schema"]),
    ("adapters", &["ports", "schema"]),
    ("server", &["engine", "stages/3-score", "stages/8-learn", "ports", "schema", "lib"]),
    ("doxa", &["server", "engine", "stages", "adapters", "ports", "schema", "lib"]),
    ("testkit", &["ports", "schema", "lib"]),
    // `asl-corpus` and the proofs of the statistics run the instruments themselves: no binary of ours could be asked instead.
    ("xtask", &["lib/asl", "lib/stats", "lib/compat"]),
];

/// What any crate may lean on in its tests, besides the arrows above.
const IN_TESTS: &[&str] = &["testkit", "ports"];

const ARROW: Rule = Rule {
    why: "each floor leans only on those below it, so that a stage can be read, tested and replaced by itself",
    mend: "hand the thing over through a port or the lake, or move it to the floor that both stand on; \
           an arrow that is truly needed is a row in xtask/src/tidy/arrows.rs, and a decision",
};

const UNKNOWN: Rule = Rule {
    why: "a crate without a floor could lean on anything, and anything on it",
    mend: "give its folder a row in xtask/src/tidy/arrows.rs and in the table of DESIGN",
};

const SUITE: Rule = Rule {
    why: "a conformance suite is test code: it panics where a product reports",
    mend: "enable the feature `suite` under [dev-dependencies] only",
};

pub(super) fn check(house: &House) -> Vec<Violation> {
    let mut found = Vec::new();
    let crates: Vec<(String, &str)> = house
        .members()
        .map(|member| (name(&parse(&member.manifest.text)).unwrap_or_default(), member.folder))
        .collect();
    for member in house.members() {
        let path = &member.manifest.path;
        let Some(row) = row(member.folder) else {
            found.push(UNKNOWN.broken(path, 1, format!("`{}` stands on no floor", member.folder)));
            continue;
        };
        for dependency in dependencies(&member.manifest.text) {
            let Some((_, target)) = crates.iter().find(|(name, _)| *name == dependency.name) else {
                continue;
            };
            let allowed = row.iter().any(|floor| within(target, floor))
                || (dependency.dev && IN_TESTS.iter().any(|floor| within(target, floor)));
            if !allowed {
                let what = format!("`{}` leans on `{target}`", member.folder);
                found.push(ARROW.broken(path, dependency.line, what));
            }
            if !dependency.dev && dependency.features.iter().any(|feature| feature == "suite") {
                let what = format!("`{}` takes the suite of `{target}` along", member.folder);
                found.push(SUITE.broken(path, dependency.line, what));
            }
        }
    }
    found
}

fn name(manifest: &Table) -> Option<String> {
    Some(manifest.get("package")?.get("name")?.as_str()?.to_owned())
}

fn row(folder: &str) -> Option<&'static [&'static str]> {
    ARROWS.iter().find(|(floor, _)| within(folder, floor)).map(|(_, row)| *row)
}

/// Whether `folder` is `floor` or stands below it.
fn within(folder: &str, floor: &str) -> bool {
    folder.strip_prefix(floor).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use crate::tidy::tests::check;

    /// A crate of this folder with these lines after its package.
    fn manifest(name: &str, rest: &str) -> String {
        format!("[package]\nname = \"{name}\"\n{rest}")
    }

    #[test]
    fn arrows_point_down() {
        let dependency = |kind: &str, name: &str| format!("[{kind}]\n{name}.workspace = true\n");
        let normal = |name| dependency("dependencies", name);
        let dev = |name| dependency("dev-dependencies", name);
        let rows = [
            ("ports", normal("doxa-schema"), None),
            ("schema", normal("doxa-ports"), Some("`schema` leans on `ports`")),
            ("stages/3-score", normal("doxa-classify"), None),
            ("lib/asl", normal("doxa-query"), None),
            ("lib/query", normal("doxa-asl"), Some("`lib/query` leans on `lib/asl`")),
            ("engine", normal("doxa-query"), Some("`engine` leans on `lib/query`")),
            ("xtask", normal("doxa-asl"), None),
            ("stages/3-score", normal("doxa-ingest"), Some("`stages/3-score` leans on `stages/1-ingest`")),
            (
                "stages/3-score",
                normal("doxa-embedded"),
                Some("`stages/3-score` leans on `adapters/embedded`"),
            ),
            ("stages/3-score", dev("doxa-embedded"), Some("`stages/3-score` leans on `adapters/embedded`")),
            ("stages/3-score", normal("doxa-testkit"), Some("`stages/3-score` leans on `testkit`")),
            ("stages/3-score", dev("doxa-testkit"), None),
            ("adapters/aws", normal("doxa-embedded"), Some("`adapters/aws` leans on `adapters/embedded`")),
            ("lib/classify", normal("doxa-text"), None),
            ("lib/stats", normal("doxa-text"), Some("`lib/stats` leans on `lib/text`")),
            ("lib/compat", normal("doxa-stats"), None),
            ("lib/stats", normal("doxa-compat"), Some("`lib/stats` leans on `lib/compat`")),
            ("xtask", normal("doxa-compat"), None),
            ("xtask", normal("doxa-ports"), Some("`xtask` leans on `ports`")),
            ("doxa", normal("doxa-embedded"), None),
            ("doxa", normal("doxa-testkit"), Some("`doxa` leans on `testkit`")),
            (
                "doxa",
                "[target.'cfg(unix)'.dependencies]\ndoxa-testkit.workspace = true\n".to_owned(),
                Some("`doxa` leans on `testkit`"),
            ),
            ("libraries", String::new(), Some("`libraries` stands on no floor")),
            (
                "doxa",
                "[dependencies]\ndoxa-ports = { workspace = true, features = [\"suite\"] }\n".to_owned(),
                Some("`doxa` takes the suite of `ports` along"),
            ),
            (
                "adapters/aws",
                "[dev-dependencies]\ndoxa-ports = { workspace = true, features = [\"suite\"] }\n".to_owned(),
                None,
            ),
        ];
        let others = [
            ("schema", "doxa-schema"),
            ("ports", "doxa-ports"),
            ("testkit", "doxa-testkit"),
            ("stages/1-ingest", "doxa-ingest"),
            ("adapters/embedded", "doxa-embedded"),
            ("lib/text", "doxa-text"),
            ("lib/classify", "doxa-classify"),
            ("lib/query", "doxa-query"),
            ("lib/asl", "doxa-asl"),
            ("lib/stats", "doxa-stats"),
            ("lib/compat", "doxa-compat"),
        ];
        for (folder, rest, wanted) in rows {
            let mut files = vec![(format!("{folder}/Cargo.toml"), manifest("subject", &rest))];
            for (other, name) in others.iter().filter(|(other, _)| *other != folder) {
                files.push((format!("{other}/Cargo.toml"), manifest(name, "")));
            }
            let files: Vec<(&str, &str)> = files.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
            let wanted: Vec<String> = wanted
                .map(|what| format!("{folder}/Cargo.toml:{}: {what}", if rest.is_empty() { 1 } else { 4 }))
                .into_iter()
                .collect();
            assert_eq!(check(super::check, &files), wanted, "{folder} with {rest}");
        }
    }
}
