//! What an hour of the week is usually like.
//!
//! Sparse hours of the week lean on the hour of the day, and that on the whole, as far as they are short of rows. Under
//! two weeks of reference there is no hour of the day, under four no hour of the week; the tolerance then grows by the
//! uncertainty of the baseline instead.

use serde::{Deserialize, Serialize};

use super::share::{Baseline, Hour};
use crate::error::{Reason, Result, ensure, in_range};
use crate::special::normal_quantile;

/// Hours of a week.
pub const WEEK: usize = 168;
const DAY: usize = 24;
/// Rows that the hour of the day is worth to the hour of the week, and the whole to the hour of the day.
const TRUST: (f64, f64) = (300.0, 20.0);

/// A learnt season: constant in size and mergeable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Season {
    version: u8,
    hits: Vec<f64>,
    rows: Vec<f64>,
    hours: Vec<f64>,
}

impl Default for Season {
    fn default() -> Self {
        Self { version: 1, hits: vec![0.0; WEEK], rows: vec![0.0; WEEK], hours: vec![0.0; WEEK] }
    }
}

impl Season {
    /// Learns from consecutive hours, the first of which is `first_hour` of its week.
    pub fn learn(reference: &[Hour], first_hour: usize) -> Result<Self> {
        let mut season = Self::default();
        for (i, &hour) in reference.iter().enumerate() {
            season.add(first_hour + i, hour)?;
        }
        ensure(season.rows.iter().sum::<f64>() > 0.0, Reason::EmptyReference)?;
        Ok(season)
    }

    /// Takes one more hour.
    pub fn add(&mut self, hour_of_week: usize, hour: Hour) -> Result<()> {
        in_range(hour.hits <= hour.rows, "the number of hits")?;
        let i = hour_of_week % WEEK;
        self.hits[i] += hour.hits as f64;
        self.rows[i] += hour.rows as f64;
        self.hours[i] += 1.0;
        Ok(())
    }

    /// Takes all hours of another season of the same stream.
    pub fn merge(&mut self, other: &Self) {
        for (own, more) in
            [(&mut self.hits, &other.hits), (&mut self.rows, &other.rows), (&mut self.hours, &other.hours)]
        {
            own.iter_mut().zip(more).for_each(|(a, b)| *a += b);
        }
    }

    /// Weeks of reference.
    pub fn weeks(&self) -> f64 {
        self.hours.iter().sum::<f64>() / WEEK as f64
    }

    /// The baseline of an hour, with `tolerance` widened by the baseline's own uncertainty while it is young.
    pub fn baseline(&self, hour_of_week: usize, tolerance: f64) -> Baseline {
        let (share, rows) = self.share_without(hour_of_week, Hour { hits: 0, rows: 0 });
        let young = self.weeks() < 4.0;
        let error = (share * (1.0 - share) / rows.max(1.0)).sqrt() * normal_quantile(0.975);
        Baseline { share, tolerance: if young { (tolerance + error).min(0.5) } else { tolerance } }
    }

    /// The usual share of each of `hours` hours from `first_hour` of the week on.
    pub fn shares(&self, first_hour: usize, hours: usize) -> Vec<f64> {
        let week: Vec<f64> = (0..WEEK).map(|i| self.baseline(i, 0.0).share).collect();
        (0..hours).map(|i| week[(first_hour + i) % WEEK]).collect()
    }

    /// The usual share of an hour as if one hour had not been seen, so that the reference can be replayed honestly; and
    /// the rows it rests on.
    pub fn share_without(&self, hour_of_week: usize, left_out: Hour) -> (f64, f64) {
        let (k, n) = (left_out.hits as f64, left_out.rows as f64);
        let sum = |of: &[f64], pick: &dyn Fn(usize) -> bool| -> f64 {
            of.iter().enumerate().filter(|(i, _)| pick(*i)).map(|(_, v)| v).sum()
        };
        let week = hour_of_week % WEEK;
        let day = move |i: usize| i % DAY == week % DAY;
        let (all_rows, all_hits) = (sum(&self.rows, &|_| true) - n, sum(&self.hits, &|_| true) - k);
        let overall = if all_rows > 0.0 { all_hits / all_rows } else { 0.5 };
        if self.weeks() < 2.0 {
            return (overall, all_rows);
        }
        let (day_rows, day_hits) = (sum(&self.rows, &day) - n, sum(&self.hits, &day) - k);
        let daily = (day_hits + TRUST.1 * overall) / (day_rows + TRUST.1);
        if self.weeks() < 4.0 {
            return (daily, day_rows + TRUST.1);
        }
        let (rows, hits) = (self.rows[week] - n, self.hits[week] - k);
        ((hits + TRUST.0 * daily) / (rows + TRUST.0), rows + TRUST.0)
    }

    /// Usual rows of an hour: hours lean on the same hour of other days in the same way.
    pub fn usual_rows(&self, hour_of_week: usize) -> f64 {
        let week = hour_of_week % WEEK;
        let total: f64 = self.rows.iter().sum();
        let hours: f64 = self.hours.iter().sum();
        let overall = total / hours.max(1.0);
        let (mut day_rows, mut day_hours) = (0.0, 0.0);
        for i in (week % DAY..WEEK).step_by(DAY) {
            day_rows += self.rows[i];
            day_hours += self.hours[i];
        }
        let daily = (day_rows + 3.0 * overall) / (day_hours + 3.0);
        (self.rows[week] + 3.0 * daily) / (self.hours[week] + 3.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(weeks: usize) -> Vec<Hour> {
        (0..weeks * WEEK).map(|i| Hour { hits: if i % DAY < 12 { 20 } else { 40 }, rows: 100 }).collect()
    }

    #[test]
    fn learns_the_day() {
        let season = Season::learn(&reference(8), 0).unwrap();
        let check = |hour, want: f64| {
            assert!((season.baseline(hour, 0.02).share - want).abs() < 0.002, "hour {hour}");
        };
        check(3, 0.2);
        check(20, 0.4);
        check(WEEK + 3, 0.2);
        assert_eq!(season.baseline(3, 0.02).tolerance, 0.02);
        assert!((season.usual_rows(7) - 100.0).abs() < 1e-9);
    }

    #[test]
    fn the_young_are_careful() {
        let day = Season::learn(&reference(1)[..20], 0).unwrap();
        let baseline = day.baseline(3, 0.02);
        assert!((baseline.share - 0.28).abs() < 1e-12 && baseline.tolerance > 0.03);
        let three = Season::learn(&reference(3), 0).unwrap().baseline(3, 0.02);
        assert!((three.share - 0.2).abs() < 0.01 && three.tolerance > 0.02);
        assert_eq!(Season::learn(&[], 0), Err(Reason::EmptyReference.into()));
    }

    #[test]
    fn halves_merge_into_the_whole() {
        let rows = reference(6);
        let (first, second) = rows.split_at(3 * WEEK);
        let mut merged = Season::learn(first, 0).unwrap();
        merged.merge(&Season::learn(second, 0).unwrap());
        assert_eq!(merged, Season::learn(&rows, 0).unwrap());
    }
}
