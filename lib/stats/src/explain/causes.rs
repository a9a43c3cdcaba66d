//! What moved, ranked, in plain sentences.

use serde::{Deserialize, Serialize};

use super::mix_rate::{Group, mix_rate};
use super::words::Word;
use crate::distance::{jensen_shannon, psi};
use crate::error::Result;
use crate::sample::Counts;
use crate::special::normal_sf;

/// Why a number moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A group talks differently than before.
    Rate,
    /// A group weighs more or less than before.
    Mix,
    /// A word appears more or less often than before.
    Word,
}

/// One cause.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cause {
    /// The group or the word.
    pub name: String,
    /// How it moved the number.
    pub kind: Kind,
    /// Its part of the change; for a word, its log-odds in standard errors.
    pub contribution: f64,
    /// Probability of such a part if this group had not changed.
    pub p: f64,
    /// The cause in a sentence.
    pub sentence: String,
}

/// The parts of a change of rate, the largest first.
pub fn of_rate(groups: &[Group]) -> Result<Vec<Cause>> {
    let parts = mix_rate(groups)?.parts;
    let total = |f: fn(&Group) -> f64| groups.iter().map(f).sum::<f64>();
    let (n, m) = (total(|g| g.n_reference), total(|g| g.n_current));
    let mut causes = Vec::with_capacity(2 * groups.len());
    for (group, part) in groups.iter().zip(parts) {
        causes.push(rate_cause(group, part.rate));
        causes.push(mix_cause(group, part.mix, n, m));
    }
    rank(&mut causes);
    Ok(causes)
}

fn rate_cause(group: &Group, contribution: f64) -> Cause {
    let p = two_shares(
        group.rate_reference * group.n_reference,
        group.n_reference,
        group.rate_current * group.n_current,
        group.n_current,
    );
    let sentence = format!(
        "{}: the rate went from {:.1} % to {:.1} % (n {:.0} and {:.0}), which moves the whole by {:+.1} points",
        group.name,
        100.0 * group.rate_reference,
        100.0 * group.rate_current,
        group.n_reference,
        group.n_current,
        100.0 * contribution
    );
    Cause { name: group.name.clone(), kind: Kind::Rate, contribution, p, sentence }
}

fn mix_cause(group: &Group, contribution: f64, n: f64, m: f64) -> Cause {
    let p = two_shares(group.n_reference, n, group.n_current, m);
    let sentence = format!(
        "{}: its share of all rows went from {:.1} % to {:.1} %, which moves the whole by {:+.1} points",
        group.name,
        100.0 * group.n_reference / n,
        100.0 * group.n_current / m,
        100.0 * contribution
    );
    Cause { name: group.name.clone(), kind: Kind::Mix, contribution, p, sentence }
}

/// The pooled z test of `a` of `n` against `b` of `m`; one where there is nothing to compare.
fn two_shares(a: f64, n: f64, b: f64, m: f64) -> f64 {
    let pooled = (a + b) / (n + m);
    let error = (pooled * (1.0 - pooled) * (1.0 / n + 1.0 / m)).sqrt();
    let z = (a / n - b / m) / error;
    if z.is_finite() { (2.0 * normal_sf(z.abs())).min(1.0) } else { 1.0 }
}

/// The words as causes.
pub fn of_words(words: &[Word]) -> Vec<Cause> {
    let cause = |w: &Word| Cause {
        name: w.word.clone(),
        kind: Kind::Word,
        contribution: w.z,
        p: w.p_adjusted,
        sentence: format!(
            "“{}” is written {} often than before ({} times, {} before)",
            w.word,
            if w.z > 0.0 { "more" } else { "less" },
            w.n_current,
            w.n_reference
        ),
    };
    words.iter().map(cause).collect()
}

/// Which distance is taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Distance {
    /// Population stability index, Laplace-smoothed.
    Psi,
    /// The square of the Jensen-Shannon distance.
    JensenShannon,
}

/// What each category contributes to a distance, the largest first.
pub fn of_distance(counts: &Counts, distance: Distance) -> Vec<(String, f64)> {
    let (p, q) = counts.shares();
    let terms = match distance {
        Distance::JensenShannon => jensen_shannon::terms(&p, &q),
        Distance::Psi => {
            let smooth = |side: &[u64]| -> Vec<f64> {
                let total = side.iter().sum::<u64>() as f64 + 0.5 * side.len() as f64;
                side.iter().map(|&c| (c as f64 + 0.5) / total).collect()
            };
            psi::terms(&smooth(&counts.reference), &smooth(&counts.current))
        }
    };
    let mut named: Vec<(String, f64)> = counts.labels.iter().cloned().zip(terms).collect();
    named.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
    named
}

/// Largest part first.
pub fn rank(causes: &mut [Cause]) {
    causes.sort_by(|a, b| b.contribution.abs().total_cmp(&a.contribution.abs()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups() -> Vec<Group> {
        let group = |i: u32| Group {
            name: format!("reddit/c{i}"),
            n_reference: 400.0,
            rate_reference: 0.3,
            n_current: 100.0,
            rate_current: if i == 7 { 0.5 } else { 0.3 },
        };
        (0..30).map(group).collect()
    }

    #[test]
    fn the_planted_cause_comes_first() {
        let first = &of_rate(&groups()).unwrap()[0];
        assert_eq!((first.name.as_str(), first.kind), ("reddit/c7", Kind::Rate));
        assert!(first.p < 0.001);
        assert_eq!(
            first.sentence,
            "reddit/c7: the rate went from 30.0 % to 50.0 % (n 400 and 100), which moves the whole by +0.7 points"
        );
    }

    #[test]
    fn a_new_channel_is_mix() {
        let mut groups = groups();
        groups[7].rate_current = 0.3;
        groups.push(Group {
            name: "tiktok/new".into(),
            n_reference: 0.0,
            rate_reference: f64::NAN,
            n_current: 1000.0,
            rate_current: 0.8,
        });
        let first = &of_rate(&groups).unwrap()[0];
        assert_eq!((first.name.as_str(), first.kind), ("tiktok/new", Kind::Mix));
        assert!(of_rate(&groups).unwrap().iter().all(|c| !c.p.is_nan() && !c.contribution.is_nan()));
    }

    #[test]
    fn terms_of_a_distance() {
        let counts = Counts::new(&["a", "b", "c"], &[50, 50, 0], &[50, 30, 20]).unwrap();
        assert_eq!(of_distance(&counts, Distance::Psi)[0].0, "c");
        assert_eq!(of_distance(&counts, Distance::JensenShannon)[0].0, "c");
    }
}
