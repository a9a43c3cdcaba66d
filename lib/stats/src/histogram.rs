//! Bins for numbers: equal widths as numpy chooses them, and quantiles of the reference.

use crate::sample::{distinct, moments, quantile};

/// Edges of equal width by Sturges' rule, as `numpy.histogram_bin_edges(values, "sturges")`.
pub fn sturges_edges(ascending: &[f64]) -> Vec<f64> {
    edges(ascending, range(ascending) / ((ascending.len() as f64).log2() + 1.0))
}

/// Edges of equal width by Doane's rule, as `numpy.histogram_bin_edges(values, "doane")`.
pub fn doane_edges(ascending: &[f64]) -> Vec<f64> {
    edges(ascending, doane_width(ascending))
}

fn doane_width(ascending: &[f64]) -> f64 {
    let n = ascending.len() as f64;
    let (mean, variance) = moments(ascending, 0.0);
    if n <= 2.0 || variance <= 0.0 {
        return 0.0;
    }
    let spread = variance.sqrt();
    let skewness = ascending.iter().map(|x| ((x - mean) / spread).powi(3)).sum::<f64>() / n;
    let error = (6.0 * (n - 2.0) / ((n + 1.0) * (n + 3.0))).sqrt();
    range(ascending) / (1.0 + n.log2() + (1.0 + skewness.abs() / error).log2())
}

fn range(ascending: &[f64]) -> f64 {
    ascending.last().unwrap_or(&0.0) - ascending.first().unwrap_or(&0.0)
}

fn edges(ascending: &[f64], width: f64) -> Vec<f64> {
    let (Some(&first), Some(&last)) = (ascending.first(), ascending.last()) else { return Vec::new() };
    if first == last {
        return vec![first - 0.5, last + 0.5];
    }
    let bins = if width > 0.0 { ((last - first) / width).ceil().clamp(1.0, 1e6) } else { 1.0 };
    let step = (last - first) / bins;
    let mut edges: Vec<f64> = (0..bins as usize).map(|i| i as f64 * step + first).collect();
    edges.push(last);
    edges
}

/// Rows between the edges; the last bin is closed. What lies outside is not counted.
pub fn count(ascending: &[f64], edges: &[f64]) -> Vec<u64> {
    let last = edges.len().saturating_sub(1);
    let below = |i: usize, edge: f64| match i == last {
        true => ascending.partition_point(|&x| x <= edge),
        false => ascending.partition_point(|&x| x < edge),
    };
    let places: Vec<usize> = edges.iter().enumerate().map(|(i, &edge)| below(i, edge)).collect();
    places.windows(2).map(|w| (w[1] - w[0]) as u64).collect()
}

/// Inner edges at the quantiles of the reference, at most `bins` bins; the outer bins are open, so that nothing is lost.
/// A value that is itself an edge belongs to the bin on its left.
pub fn quantile_cuts(ascending: &[f64], bins: usize) -> Vec<f64> {
    if distinct(ascending) <= bins {
        let mut cuts: Vec<f64> = ascending.to_vec();
        cuts.dedup();
        return cuts;
    }
    let mut cuts: Vec<f64> = (1..bins).map(|i| quantile(ascending, i as f64 / bins as f64)).collect();
    cuts.dedup();
    cuts
}

/// Rows in the bins `(-∞, c₁], (c₁, c₂], … (cₖ, ∞)`.
pub fn count_cuts(ascending: &[f64], cuts: &[f64]) -> Vec<u64> {
    let mut places: Vec<usize> = cuts.iter().map(|&cut| ascending.partition_point(|&x| x <= cut)).collect();
    places.push(ascending.len());
    let mut before = 0;
    places.iter().map(|&place| (place - std::mem::replace(&mut before, place)) as u64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_of_numpy() {
        let values: Vec<f64> = (0..20).map(|i| f64::from(i * i)).collect();
        let sturges = sturges_edges(&values);
        assert_eq!(sturges.len(), 7);
        assert!((sturges[1] - 60.166_666_666_666_664).abs() < 1e-12);
        assert_eq!(doane_edges(&values).len(), 8);
        assert_eq!(sturges_edges(&[2.5, 2.5]), [2.0, 3.0]);
        assert_eq!((sturges_edges(&[]), doane_edges(&[])), (vec![], vec![]));
    }

    #[test]
    fn the_last_bin_is_closed_and_outer_bins_are_open() {
        assert_eq!(count(&[0.0, 1.0, 2.0, 2.0, 9.0], &[0.0, 1.0, 2.0]), [1, 3]);
        assert!(count(&[1.0], &[]).is_empty());
        assert_eq!(count_cuts(&[-5.0, 0.0, 1.0, 9.0], &[0.0, 1.0]), [2, 1, 1]);
    }

    #[test]
    fn quantiles_of_ties_are_merged() {
        assert_eq!(quantile_cuts(&[1.0, 1.0, 1.0, 2.0], 10), [1.0, 2.0]);
        let values: Vec<f64> = (0..100).map(f64::from).collect();
        assert_eq!(quantile_cuts(&values, 10).len(), 9);
        assert_eq!(count_cuts(&values, &quantile_cuts(&values, 10)), [10; 10]);
    }
}
