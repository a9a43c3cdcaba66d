//! Heavy hitters: the categories that matter, of a column that may have a million.
//!
//! Misra and Gries, *Finding repeated elements* (1982), <https://doi.org/10.1016/0167-6423(82)90012-0>; merging after
//! Agarwal et al., *Mergeable summaries* (2013), <https://doi.org/10.1145/2500128>. No count is too high, and none is too
//! low by more than `lost()`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Categories that are kept.
const CAPACITY: usize = 512;

/// A mergeable sketch of category counts.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct HeavyHitters {
    version: u8,
    counts: BTreeMap<String, u64>,
    n: u64,
    lost: u64,
}

impl HeavyHitters {
    /// Takes `count` rows of a category.
    pub fn add(&mut self, label: &str, count: u64) {
        self.n += count;
        if count == 0 {
            return;
        }
        if let Some(known) = self.counts.get_mut(label) {
            *known += count;
            return;
        }
        self.counts.insert(label.to_owned(), count);
        // A little slack, so that a stream of new names does not pay for the cut at every row.
        if self.counts.len() > 2 * CAPACITY {
            self.cut();
        }
    }

    /// Takes all rows of another sketch.
    pub fn merge(&mut self, other: &Self) {
        self.n += other.n;
        self.lost += other.lost;
        for (label, count) in &other.counts {
            *self.counts.entry(label.clone()).or_default() += count;
        }
        if self.counts.len() > 2 * CAPACITY {
            self.cut();
        }
    }

    /// Takes the count of the first category beyond the capacity away from all.
    fn cut(&mut self) {
        let mut counts: Vec<u64> = self.counts.values().copied().collect();
        counts.sort_unstable_by(|a, b| b.cmp(a));
        let toll = counts[CAPACITY];
        self.lost += toll;
        self.counts.retain(|_, count| {
            *count = count.saturating_sub(toll);
            *count > 0
        });
    }

    /// Categories, the most frequent first. Never too high; too low by at most [`Self::lost`].
    pub fn top(&self) -> Vec<(&str, u64)> {
        let mut top: Vec<(&str, u64)> =
            self.counts.iter().map(|(label, count)| (label.as_str(), *count)).collect();
        top.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        top
    }

    /// The count of one category, too low by at most [`Self::lost`].
    pub fn count(&self, label: &str) -> u64 {
        self.counts.get(label).copied().unwrap_or(0)
    }

    /// By how much a count may be too low; zero while every category is kept.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Rows taken.
    pub fn n(&self) -> u64 {
        self.n
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_are_exact_and_many_are_bounded() {
        let mut sketch = HeavyHitters::default();
        for i in 0..100_000_u32 {
            sketch.add(&if i % 10 == 0 { "phone".to_owned() } else { format!("c{}", i % 30_011) }, 1);
        }
        let (label, count) = sketch.top()[0];
        assert_eq!(label, "phone");
        assert!(count <= 10_000 && count + sketch.lost() >= 10_000, "{count} {}", sketch.lost());
        assert!(sketch.lost() <= 100_000 / 512 && sketch.top().len() <= 2 * CAPACITY);
        let mut small = HeavyHitters::default();
        small.add("a", 3);
        small.merge(&small.clone());
        assert_eq!((small.count("a"), small.lost(), small.n()), (6, 0, 6));
    }
}
