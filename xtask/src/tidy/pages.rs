//! Pages: the ones that must be there, and links that lead somewhere.

use super::{Rule, Violation};
use crate::house::{File, House};

/// What a newcomer opens first.
const PAGES: &[&str] = &["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT"];

const PAGE: Rule = Rule {
    why: "these pages are where every reader begins: what it is, how it is built, what changed, what one may do with it",
    mend: "write it",
};

const LINK: Rule = Rule {
    why: "a link that leads nowhere costs the reader's trust in all the others",
    mend: "mend the path or the heading, or drop the link",
};

const ROOM: Rule = Rule {
    why: "ARCHITECTURE.md is the map of the house, and a room that is not on the map is not found",
    mend: "name the crate's folder there, with one sentence on what it is for",
};

pub(super) fn check(house: &House) -> Vec<Violation> {
    let missing = PAGES.iter().filter(|page| house.file(page).is_none());
    let mut found: Vec<Violation> = missing.map(|page| PAGE.broken(page, 1, "the page is missing")).collect();
    for file in house.files.iter().filter(|file| file.path.ends_with(".md")) {
        for (line, target) in links(&file.text) {
            if !leads_somewhere(house, file, &target) {
                found.push(LINK.broken(&file.path, line, format!("`{target}` leads nowhere")));
            }
        }
    }
    if let Some(map) = house.file("ARCHITECTURE.md") {
        let unnamed = house.members().filter(|member| !map.text.contains(member.folder));
        found.extend(
            unnamed.map(|member| ROOM.broken(&map.path, 1, format!("`{}` is not named", member.folder))),
        );
    }
    found
}

/// Every link and picture of a page outside code, with its line.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut fenced = false;
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        let line = without_code(line);
        for opening in ["](", "src=\"", "href=\""] {
            for (at, _) in line.match_indices(opening) {
                let rest = &line[at + opening.len()..];
                let target = rest.split([')', '"', ' ']).next().unwrap_or_default();
                found.push((number, target.to_owned()));
            }
        }
        let reference = line.strip_prefix('[').and_then(|rest| rest.split_once("]: "));
        found.extend(reference.map(|(_, target)| (number, target.trim().to_owned())));
    }
    found
}

/// The line without its `code spans`.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect()
}

fn leads_somewhere(house: &House, from: &File, target: &str) -> bool {
    if target.contains("://") || target.starts_with("mailto:") {
        return true;
    }
    let (path, heading) = target.split_once('#').unwrap_or((target, ""));
    let path = if path.is_empty() { Some(from.path.clone()) } else { resolve(&from.path, path) };
    let Some(path) = path.filter(|path| house.holds(path)) else { return false };
    match house.file(&path) {
        Some(page) if !heading.is_empty() && path.ends_with(".md") => {
            anchors(&page.text).any(|anchor| anchor == heading)
        }
        _ => true,
    }
}

/// The path that `link` means on the page `from`; none if it leaves the house.
fn resolve(from: &str, link: &str) -> Option<String> {
    let (mut parts, link) = match link.strip_prefix('/') {
        Some(rooted) => (Vec::new(), rooted),
        None => (from.rsplit_once('/').map_or(Vec::new(), |(folder, _)| folder.split('/').collect()), link),
    };
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// The anchors of a page's headings, as GitHub makes them.
fn anchors(text: &str) -> impl Iterator<Item = String> + '_ {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings.map(|heading| {
        let heading = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = heading.chars().filter(|one| one.is_alphanumeric() || " -_".contains(*one));
        kept.map(|one| if one == ' ' { '-' } else { one }).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::PAGES;
    use crate::tidy::tests::check;

    /// Checks a house that has all its pages, and these besides or instead.
    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let mut all: Vec<(&str, &str)> = files.to_vec();
        all.extend(
            PAGES.iter().filter(|page| files.iter().all(|(path, _)| path != *page)).map(|page| (*page, "")),
        );
        check(super::check, &all)
    }

    #[test]
    fn links_lead_somewhere() {
        let rows = [
            ("[a](ports/src/lib.rs)", vec![]),
            ("[a](ports)", vec![]),
            ("[a](./ports/) and [b](CHANGELOG.md)", vec![]),
            ("[a](https://example.org/b)", vec![]),
            ("`[a](nowhere)`", vec![]),
            ("```\n[a](nowhere)\n```", vec![]),
            ("# Ten minutes, `use`d\n[a](#ten-minutes-used)", vec![]),
            ("[a](docs/b.md#the-heading \"title\")", vec![]),
            ("[a](nowhere.md)", vec!["README.md:1: `nowhere.md` leads nowhere"]),
            ("\n![a](img/a.png)", vec!["README.md:2: `img/a.png` leads nowhere"]),
            ("<img src=\"img/a.png\">", vec!["README.md:1: `img/a.png` leads nowhere"]),
            ("[a]: docs/c.md", vec!["README.md:1: `docs/c.md` leads nowhere"]),
            ("[a](../outside)", vec!["README.md:1: `../outside` leads nowhere"]),
            ("[a](#nowhere)", vec!["README.md:1: `#nowhere` leads nowhere"]),
            ("[a](docs/b.md#nowhere)", vec!["README.md:1: `docs/b.md#nowhere` leads nowhere"]),
        ];
        for (text, wanted) in rows {
            let files = [
                ("README.md", text),
                ("ports/src/lib.rs", ""),
                ("docs/b.md", "## The heading\n[up](../README.md)"),
            ];
            assert_eq!(found(&files), wanted, "{text}");
        }
    }

    #[test]
    fn the_pages_are_there() {
        let wanted: Vec<String> = PAGES.iter().map(|page| format!("{page}:1: the page is missing")).collect();
        assert_eq!(check(super::check, &[]), wanted);
    }

    #[test]
    fn every_crate_is_on_the_map() {
        let map = ("ARCHITECTURE.md", "`ports` is the sockets.");
        let none: [&str; 0] = [];
        assert_eq!(found(&[map, ("ports/Cargo.toml", "")]), none);
        assert_eq!(
            found(&[map, ("lib/stats/Cargo.toml", "")]),
            ["ARCHITECTURE.md:1: `lib/stats` is not named"]
        );
    }
}
