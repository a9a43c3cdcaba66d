//! Gathers the settings from their places, the strongest last, and remembers where each came from.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use doxa_ports::secrets::SecretRef;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Problem;
use super::keys::{KEYS, Key, Kind, closest, find};

/// Where a setting came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Nobody said anything.
    Default,
    /// A file, with the line and the column.
    File(PathBuf, usize, usize),
    /// An environment variable.
    Variable(String),
    /// The command line.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path, line, column) => write!(f, "{}:{line}:{column}", path.display()),
            Self::Variable(name) => write!(f, "${name}"),
            Self::Flag(name) => f.write_str(name),
        }
    }
}

/// The places where settings can stand.
pub(crate) struct Sources {
    /// Files, the strongest last; one that is not there is passed over unless it was asked for by name.
    pub(crate) files: Vec<(PathBuf, Need)>,
    /// The environment.
    pub(crate) variables: Vec<(String, String)>,
    /// `name=value` of the command line, with the flag that said it.
    pub(crate) flags: Vec<(&'static str, String, String)>,
}

/// Whether a file must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// It was named.
    Must,
    /// It is looked for.
    May,
}

/// Every setting, and where it came from.
#[derive(Debug, Clone)]
pub(crate) struct Resolved(BTreeMap<&'static str, (String, Origin)>);

impl Sources {
    /// Reads all places. Every problem is told, not only the first.
    pub(crate) fn load(&self) -> Result<Resolved, Vec<Problem>> {
        let defaults = KEYS.iter().map(|key| (key.name, (key.default.to_owned(), Origin::Default)));
        let mut found = Resolved(defaults.collect());
        let mut problems = Vec::new();
        for (path, need) in &self.files {
            load_file(path, *need, &mut found, &mut problems);
        }
        for (variable, value) in &self.variables {
            let Some(key) = KEYS.iter().find(|key| key.variable() == *variable) else {
                problems.extend(unknown_variable(variable));
                continue;
            };
            found.set(key, value, Origin::Variable(variable.clone()), &mut problems);
        }
        for (flag, name, value) in &self.flags {
            let origin = Origin::Flag(flag);
            match find(name) {
                Some(key) => found.set(key, value, origin, &mut problems),
                None => problems.push(unknown(name, origin)),
            }
        }
        if problems.is_empty() { Ok(found) } else { Err(problems) }
    }
}

fn unknown(name: &str, origin: Origin) -> Problem {
    let suggestion = closest(name).map(str::to_owned);
    Problem { origin, name: name.to_owned(), message: "there is no such setting".to_owned(), suggestion }
}

/// Variables that steer the program without being settings.
const OTHER_VARIABLES: [&str; 1] = ["DOXA_CONFIG"];

fn unknown_variable(variable: &str) -> Option<Problem> {
    if OTHER_VARIABLES.contains(&variable) {
        return None;
    }
    let name = variable.trim_start_matches("DOXA_").to_ascii_lowercase();
    let closeness = |key: &&Key| strsim::jaro_winkler(&key.name.replace('.', "_"), &name);
    let closest = KEYS.iter().max_by(|a, b| closeness(a).total_cmp(&closeness(b)));
    let suggestion = closest.filter(|key| closeness(key) > 0.8).map(Key::variable);
    let origin = Origin::Variable(variable.to_owned());
    Some(Problem { origin, name, message: "there is no such setting".to_owned(), suggestion })
}

fn load_file(path: &Path, need: Need, found: &mut Resolved, problems: &mut Vec<Problem>) {
    let problem = |line, column, message: String| Problem {
        origin: Origin::File(path.to_owned(), line, column),
        name: "settings".to_owned(),
        message,
        suggestion: None,
    };
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && need == Need::May => return,
        Err(error) => return problems.push(problem(1, 1, format!("cannot read the file: {error}"))),
    };
    match DeTable::parse(&text) {
        Ok(table) => {
            let mut file = SettingsFile { path, text: &text, found, problems };
            file.table("", table.get_ref());
        }
        Err(error) => {
            let (line, column) = position(&text, error.span().map_or(0, |span| span.start));
            problems.push(problem(line, column, error.message().to_owned()));
        }
    }
}

/// The line and the column of a byte, from 1.
fn position(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..at.min(text.len())];
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

struct SettingsFile<'a> {
    path: &'a Path,
    text: &'a str,
    found: &'a mut Resolved,
    problems: &'a mut Vec<Problem>,
}

impl SettingsFile<'_> {
    fn table(&mut self, above: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            let name = if above.is_empty() {
                key.get_ref().to_string()
            } else {
                format!("{above}.{}", key.get_ref())
            };
            match value.get_ref() {
                DeValue::Table(below) if find(&name).is_none() => self.table(&name, below),
                _ => self.value(&name, key.span().start, value),
            }
        }
    }

    fn value(&mut self, name: &str, at: usize, value: &Spanned<DeValue<'_>>) {
        let (line, column) = position(self.text, at);
        let origin = Origin::File(self.path.to_owned(), line, column);
        let Some(key) = find(name) else { return self.problems.push(unknown(name, origin)) };
        let text = match value.get_ref() {
            DeValue::String(text) => text.to_string(),
            DeValue::Integer(number) => number.as_str().replace('_', ""),
            DeValue::Boolean(truth) => truth.to_string(),
            DeValue::Array(items) => {
                let items = items.iter().map(|item| item.get_ref().as_str().unwrap_or_default().to_owned());
                items.collect::<Vec<_>>().join(",")
            }
            DeValue::Float(_) | DeValue::Datetime(_) | DeValue::Table(_) => {
                let message = "the value is neither a text nor a whole number nor true or false".to_owned();
                return self.problems.push(Problem {
                    origin,
                    name: name.to_owned(),
                    message,
                    suggestion: None,
                });
            }
        };
        self.found.set(key, &text, origin, self.problems);
    }
}

impl Resolved {
    fn set(&mut self, key: &'static Key, value: &str, origin: Origin, problems: &mut Vec<Problem>) {
        match wrong(key.kind, value) {
            None => {
                self.0.insert(key.name, (value.to_owned(), origin));
            }
            Some(message) => {
                problems.push(Problem { origin, name: key.name.to_owned(), message, suggestion: None });
            }
        }
    }

    /// A setting and where it came from.
    pub(crate) fn get(&self, name: &str) -> (&str, &Origin) {
        let (value, origin) = self.0.get(name).expect("every setting has a value, if only its default");
        (value, origin)
    }

    pub(super) fn text(&self, name: &str) -> &str {
        self.get(name).0
    }

    pub(super) fn filled(&self, name: &str) -> Option<&str> {
        Some(self.text(name)).filter(|value| !value.is_empty())
    }

    pub(super) fn count(&self, name: &str) -> u64 {
        self.text(name).parse().expect("what was set was checked")
    }

    pub(super) fn truth(&self, name: &str) -> bool {
        self.text(name) == "true"
    }

    pub(super) fn secret(&self, name: &str) -> Option<SecretRef> {
        self.filled(name).map(|value| value.parse().expect("what was set was checked"))
    }

    pub(super) fn problem(&self, name: &str, message: &str) -> Problem {
        let origin = self.get(name).1.clone();
        Problem { origin, name: name.to_owned(), message: message.to_owned(), suggestion: None }
    }
}

/// What is wrong with a value, if anything.
fn wrong(kind: Kind, value: &str) -> Option<String> {
    match kind {
        Kind::Text => None,
        Kind::Word(words) if words.contains(&value) => None,
        Kind::Word(words) => Some(format!("`{value}` is none of {}", words.join(", "))),
        Kind::Count(least, most) => match value.parse::<u64>() {
            Ok(number) if (least..=most).contains(&number) => None,
            _ => Some(format!("`{value}` is no whole number from {least} to {most}")),
        },
        Kind::Truth if matches!(value, "true" | "false") => None,
        Kind::Truth => Some(format!("`{value}` is neither true nor false")),
        // The value is not repeated: it may be the secret itself.
        Kind::Secret => {
            value.parse::<SecretRef>().err().filter(|_| !value.is_empty()).map(|error| error.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(file: &str, variables: &[(&str, &str)], flags: &[(&str, &str)]) -> Result<Resolved, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("doxa.toml");
        std::fs::write(&path, file).unwrap();
        let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let sources = Sources {
            files: vec![(path, Need::Must)],
            variables: variables.iter().map(pair).collect(),
            flags: flags.iter().map(pair).map(|(name, value)| ("--set", name, value)).collect(),
        };
        let shown = |problems: Vec<Problem>| {
            let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
            lines.join("\n").replace(&format!("{}/", folder.path().display()), "")
        };
        sources.load().map_err(shown)
    }

    #[test]
    fn the_strongest_place_wins() {
        let file = "data_dir = \"a\"\nlog = \"info\"\n[import]\nrow_bytes = 4_096\n";
        let found = load(file, &[("DOXA_LOG", "debug"), ("DOXA_CONFIG", "x")], &[("data_dir", "c")]).unwrap();
        let origin = |name| found.get(name).1.to_string();
        assert_eq!((found.text("data_dir"), origin("data_dir").as_str()), ("c", "--set"));
        assert_eq!((found.text("log"), origin("log").as_str()), ("debug", "$DOXA_LOG"));
        assert_eq!(found.count("import.row_bytes"), 4096);
        assert!(origin("import.row_bytes").ends_with("doxa.toml:4:1"));
        assert_eq!(
            (found.count("import.unfold_ratio"), origin("import.unfold_ratio").as_str()),
            (1000, "default")
        );
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        type Pairs<'a> = &'a [(&'a str, &'a str)];
        let rows: [(&str, Pairs<'_>, Pairs<'_>, &str); 10] = [
            (
                "dta_dir = 1",
                &[],
                &[],
                "doxa.toml:1:1: dta_dir: there is no such setting (did you mean `data_dir`?)",
            ),
            (
                "[import]\n  row_byte = 1",
                &[],
                &[],
                "doxa.toml:2:3: import.row_byte: there is no such setting (did you mean `import.row_bytes`?)",
            ),
            (
                "[import]\nrow_bytes = 1",
                &[],
                &[],
                "doxa.toml:2:1: import.row_bytes: `1` is no whole number from 1024 to 67108864",
            ),
            (
                "[notify.webhook]\nurl = \"https://hooks.example/hunter2\"",
                &[],
                &[],
                "doxa.toml:2:1: notify.webhook.url: a secret is given by reference, as env:NAME, file:PATH or aws-sm:NAME, not by its value",
            ),
            (
                "data_dir = ",
                &[],
                &[],
                "doxa.toml:1:12: settings: string values must be quoted, expected literal string",
            ),
            (
                "[store]\ntable = \"mysql\"",
                &[],
                &[],
                "doxa.toml:2:1: store.table: `mysql` is none of sqlite, postgres",
            ),
            (
                "",
                &[("DOXA_IMPORT_ROWBYTES", "1")],
                &[],
                "$DOXA_IMPORT_ROWBYTES: import_rowbytes: there is no such setting (did you mean `DOXA_IMPORT_ROW_BYTES`?)",
            ),
            (
                "",
                &[("DOXA_NOTIFY_WEBHOOK_ALLOW_PRIVATE", "yes")],
                &[],
                "$DOXA_NOTIFY_WEBHOOK_ALLOW_PRIVATE: notify.webhook.allow_private: `yes` is neither true nor false",
            ),
            (
                "",
                &[],
                &[("row_bytes", "1")],
                "--set: row_bytes: there is no such setting (did you mean `import.row_bytes`?)",
            ),
            (
                "data_dir = 1.5",
                &[],
                &[],
                "doxa.toml:1:1: data_dir: the value is neither a text nor a whole number nor true or false",
            ),
        ];
        for (file, variables, flags, wanted) in rows {
            let got = load(file, variables, flags).err().unwrap_or_default();
            assert_eq!(got, wanted, "{file} {variables:?} {flags:?}");
        }
    }
}
