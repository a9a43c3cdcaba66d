//! The profile of a column: everything an hourly comparison needs of its reference, in some 20 KB.

use serde::{Deserialize, Serialize};

use super::distinct::Distinct;
use super::heavy::HeavyHitters;
use super::quantiles::Quantiles;
use crate::drift::{Method, Options, Report, categories};
use crate::error::{Reason, Result, ensure};
use crate::sample::{Counts, sorted};

/// The label that stands for all categories a profile does not keep.
pub const REST: &str = "(rest)";

/// A mergeable profile of one column.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Profile {
    version: u8,
    rows: u64,
    missing: u64,
    numbers: Quantiles,
    categories: HeavyHitters,
    distinct: Distinct,
}

impl Profile {
    /// Takes numbers; NaN and infinities count as missing.
    pub fn add_numbers(&mut self, values: &[f64]) {
        for &value in values {
            self.rows += 1;
            self.missing += u64::from(!value.is_finite());
            self.numbers.add(value);
            if value.is_finite() {
                self.distinct.add(&(value + 0.0).to_le_bytes());
            }
        }
    }

    /// Takes names; `None` counts as missing.
    pub fn add_names<'a>(&mut self, names: impl IntoIterator<Item = Option<&'a str>>) {
        for name in names {
            self.rows += 1;
            let Some(name) = name else {
                self.missing += 1;
                continue;
            };
            self.categories.add(name, 1);
            self.distinct.add(name.as_bytes());
        }
    }

    /// Takes all rows of another profile of the same column.
    pub fn merge(&mut self, other: &Self) {
        self.rows += other.rows;
        self.missing += other.missing;
        self.numbers.merge(&other.numbers);
        self.categories.merge(&other.categories);
        self.distinct.merge(&other.distinct);
    }

    /// Rows taken, missing ones included.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Rows without a usable value.
    pub fn missing(&self) -> u64 {
        self.missing
    }

    /// Number of distinct values; exact up to 256.
    pub fn distinct(&self) -> f64 {
        self.distinct.count()
    }

    /// Quantiles of the numbers.
    pub fn numbers(&self) -> &Quantiles {
        &self.numbers
    }

    /// Frequent names.
    pub fn names(&self) -> &HeavyHitters {
        &self.categories
    }

    /// Compares an hour of numbers with the profile, on its quantile bins.
    pub fn compare_numbers(&self, method: Method, current: &[f64], options: &Options) -> Result<Report> {
        let current = sorted(current);
        ensure(!current.is_empty(), Reason::EmptyCurrent)?;
        let mut cuts = Vec::new();
        for i in 1..options.bins {
            cuts.push(self.numbers.quantile(i as f64 / options.bins as f64)?);
        }
        cuts.dedup();
        let (mut labels, mut reference, mut hour) = (Vec::new(), Vec::new(), Vec::new());
        let (mut below, mut before) = (0, 0);
        for i in 0..=cuts.len() {
            let (upto, place) = match cuts.get(i) {
                Some(&cut) => {
                    let share = self.numbers.rank(cut)?;
                    ((share * self.numbers.n() as f64).round() as u64, current.partition_point(|&x| x <= cut))
                }
                None => (self.numbers.n(), current.len()),
            };
            labels.push(i.to_string());
            reference.push(upto - below);
            hour.push((place - before) as u64);
            (below, before) = (upto, place);
        }
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        categories(method, &Counts::new(&labels, &reference, &hour)?, options)
    }

    /// Compares an hour of names with the profile; names it does not keep are one category on both sides.
    pub fn compare_names(&self, method: Method, current: &[&str], options: &Options) -> Result<Report> {
        ensure(self.categories.n() > 0, Reason::EmptyReference)?;
        let counted = Counts::of_strings(current, current)?;
        let mut table: Vec<(&str, u64, u64)> =
            self.categories.top().iter().map(|(l, c)| (*l, *c, 0)).collect();
        table.sort_by(|a, b| a.0.cmp(b.0));
        let (mut new, exact) = (0, self.categories.lost() == 0);
        let known = table.len();
        for (label, &count) in counted.labels.iter().zip(&counted.current) {
            match table[..known].binary_search_by(|row| row.0.cmp(label)) {
                Ok(i) => table[i].2 += count,
                Err(_) if exact => table.push((label, 0, count)),
                Err(_) => new += count,
            }
        }
        let kept: u64 = table.iter().map(|row| row.1).sum();
        table.push((REST, self.categories.n() - kept, new));
        let labels: Vec<&str> = table.iter().map(|row| row.0).collect();
        let reference: Vec<u64> = table.iter().map(|row| row.1).collect();
        let hour: Vec<u64> = table.iter().map(|row| row.2).collect();
        categories(method, &Counts::new(&labels, &reference, &hour)?, options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    #[test]
    fn an_hour_against_a_profile() {
        let mut rng = Rng::new(2);
        let mut draw = |n: usize, shift: f64| (0..n).map(|_| rng.normal() + shift).collect::<Vec<f64>>();
        let (mut profile, mut half) = (Profile::default(), Profile::default());
        profile.add_numbers(&draw(30_000, 0.0));
        half.add_numbers(&draw(30_000, 0.0));
        profile.merge(&half);
        let drift =
            |hour: &[f64]| profile.compare_numbers(Method::Psi, hour, &Options::default()).unwrap().drift;
        assert!(!drift(&draw(60, 0.0)) && drift(&draw(300, 1.0)));
        assert!(serde_json::to_string(&profile).unwrap().len() < 40_000);
        assert!(profile.compare_numbers(Method::Psi, &[f64::NAN], &Options::default()).is_err());
    }

    #[test]
    fn new_names_are_seen() {
        let mut profile = Profile::default();
        profile.add_names((0..3000).map(|i| Some(["a", "b", "c"][i % 3])));
        profile.add_names([None]);
        let hour = |names: &[&str]| {
            profile.compare_names(Method::JensenShannon, names, &Options::default()).unwrap()
        };
        assert!(!hour(&["a", "b", "c", "a", "b", "c"]).drift);
        assert!(
            hour(&["a", "b", "new", "new", "new", "new", "new", "new", "new", "new", "new", "new"]).drift
        );
        assert_eq!((profile.rows(), profile.missing(), profile.distinct()), (3001, 1, 3.0));
        assert!(Profile::default().compare_names(Method::Psi, &["a"], &Options::default()).is_err());
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { cases: 40, failure_persistence: None, ..Default::default() })]

        #[test]
        fn any_rows_any_split(rows in proptest::collection::vec(proptest::num::f64::ANY, 0..900), at in 0..900_usize) {
            let (left, right) = rows.split_at(at.min(rows.len()));
            let (mut profile, mut rest) = (Profile::default(), Profile::default());
            profile.add_numbers(left);
            rest.add_numbers(right);
            profile.merge(&rest);
            proptest::prop_assert_eq!(profile.rows(), rows.len() as u64);
            let finite = rows.iter().filter(|x| x.is_finite()).count() as u64;
            proptest::prop_assert_eq!(profile.numbers().n(), finite);
            if let Ok(median) = profile.numbers().quantile(0.5) {
                proptest::prop_assert!(median.is_finite());
            }
            let _ = profile.compare_numbers(Method::Psi, &rows, &Options { resamples: 20, ..Options::default() });
        }
    }
}
