//! Every setting: its name, what it takes, its default, and what it is for. The reference is made of this list.

/// One setting.
pub(crate) struct Key {
    /// Its name, with the tables it stands in: `import.row_bytes`.
    pub(crate) name: &'static str,
    /// What it takes.
    pub(crate) kind: Kind,
    /// What it is if nothing is said; empty if it is then not set.
    pub(crate) default: &'static str,
    /// What it is for, in a sentence.
    pub(crate) about: &'static str,
}

/// What a setting takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Any text.
    Text,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A whole number in this range.
    Count(u64, u64),
    /// `true` or `false`.
    Truth,
    /// A reference to a secret.
    Secret,
}

impl Key {
    /// The environment variable that sets it: `DOXA_IMPORT_ROW_BYTES`.
    pub(crate) fn variable(&self) -> String {
        format!("DOXA_{}", self.name.replace('.', "_").to_ascii_uppercase())
    }
}

/// All settings, in reading order.
pub(crate) const KEYS: &[Key] = &[
    Key { name: "data_dir", kind: Kind::Text, default: "doxa-data", about: "Where everything is kept." },
    Key {
        name: "log",
        kind: Kind::Text,
        default: "warn",
        about: "What is logged to stderr: error, warn, info, debug, or filters such as `doxa=debug`.",
    },
    Key {
        name: "import.row_bytes",
        kind: Kind::Count(1024, 64 << 20),
        default: "1048576",
        about: "The longest row; a longer one becomes a reject.",
    },
    Key {
        name: "import.unfolded_bytes",
        kind: Kind::Count(1 << 20, 1 << 50),
        default: "68719476736",
        about: "The most that a compressed file may unfold to.",
    },
    Key {
        name: "import.unfold_ratio",
        kind: Kind::Count(10, 1_000_000),
        default: "1000",
        about: "The most that a compressed file may unfold to per byte of its own.",
    },
    Key {
        name: "import.remember_days",
        kind: Kind::Count(0, 3650),
        default: "30",
        about: "For how many days a document that was fetched before is recognised.",
    },
    Key {
        name: "authors.names",
        kind: Kind::Word(&["pseudonym", "handle"]),
        default: "pseudonym",
        about: "Whether documents hold a pseudonym of their author or the handle itself.",
    },
    Key {
        name: "authors.key",
        kind: Kind::Secret,
        default: "",
        about: "The key of the pseudonyms; by default one that is made once and kept in the data directory.",
    },
    Key {
        name: "store.table",
        kind: Kind::Word(&["sqlite", "postgres"]),
        default: "sqlite",
        about: "Where the table is kept.",
    },
    Key {
        name: "store.postgres_url",
        kind: Kind::Secret,
        default: "",
        about: "The PostgreSQL server: a reference to a `postgres://…` URL.",
    },
    Key {
        name: "notify.webhook.url",
        kind: Kind::Secret,
        default: "",
        about: "A webhook that messages go to, Slack's or one that takes the same JSON.",
    },
    Key {
        name: "notify.webhook.allow_private",
        kind: Kind::Truth,
        default: "false",
        about: "Whether the webhook may be on this machine or in a private network.",
    },
    Key {
        name: "notify.smtp.host",
        kind: Kind::Text,
        default: "",
        about: "A mail server that messages go through.",
    },
    Key { name: "notify.smtp.port", kind: Kind::Count(1, 65535), default: "587", about: "Its port." },
    Key {
        name: "notify.smtp.tls",
        kind: Kind::Word(&["starttls", "tls", "none"]),
        default: "starttls",
        about: "How the connection is secured; `none` is for a server on this machine.",
    },
    Key { name: "notify.smtp.from", kind: Kind::Text, default: "", about: "The sender." },
    Key {
        name: "notify.smtp.to",
        kind: Kind::Text,
        default: "",
        about: "The receivers, separated by commas.",
    },
    Key {
        name: "notify.smtp.username",
        kind: Kind::Text,
        default: "",
        about: "The account on the mail server.",
    },
    Key { name: "notify.smtp.password", kind: Kind::Secret, default: "", about: "Its password." },
];

/// The setting of this name.
pub(crate) fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// The name of a setting that a mistyped one is closest to.
pub(crate) fn closest(name: &str) -> Option<&'static str> {
    let closeness = |key: &&Key| strsim::jaro_winkler(key.name, name);
    let whole = KEYS.iter().max_by(|a, b| closeness(a).total_cmp(&closeness(b)));
    // A name given without its table: `row_bytes` for `import.row_bytes`.
    let last = KEYS.iter().find(|key| key.name.rsplit('.').next() == Some(name));
    last.or(whole.filter(|key| closeness(key) > 0.8)).map(|key| key.name)
}
