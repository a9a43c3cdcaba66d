//! NannyML 0.13: distances of a chunk from a reference, and thresholds of three standard deviations over the chunks of
//! that same reference. Looked at often enough, that rule always alarms.

use doxa_stats::distance::{jensen_shannon::jensen_shannon, l_infinity::l_infinity, wasserstein};
use doxa_stats::error::{Reason, Result, ensure};
use doxa_stats::histogram::{count, doane_edges};
use doxa_stats::hypothesis::kolmogorov_smirnov;
use doxa_stats::sample::{Column, Counts, Pair, moments, sorted};
use doxa_stats::special::chi_square_sf;
use serde::{Deserialize, Serialize};

/// NannyML's univariate methods, by NannyML's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are NannyML's and are documented there")]
pub enum Method {
    JensenShannon,
    Hellinger,
    KolmogorovSmirnov,
    Wasserstein,
    LInfinity,
    Chi2,
}

/// From so many reference rows on, two methods work on 10,000 bins.
const BINNED_FROM: usize = 10_000;

/// What NannyML would have reported.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The statistic or distance of the chunk.
    pub score: f64,
    /// Three standard deviations above the mean of the reference chunks; none for chi-square, which goes by its p.
    pub upper_threshold: Option<f64>,
    /// Whether NannyML alerts.
    pub alert: bool,
}

/// Holds a chunk against a reference that is itself cut into chunks of `chunk_rows`.
pub fn compare(
    method: Method,
    reference: Column<'_>,
    chunk: Column<'_>,
    chunk_rows: usize,
) -> Result<Verdict> {
    ensure(chunk_rows > 0, Reason::OutOfRange { what: "the size of a chunk".into() })?;
    match (reference, chunk) {
        (Column::Numbers(a), Column::Numbers(b)) => judge(a, b, chunk_rows, |x, y| numbers(method, x, y)),
        (Column::Strings(a), Column::Strings(b)) if method == Method::Chi2 => chi_square(a, b),
        (Column::Strings(a), Column::Strings(b)) => judge(a, b, chunk_rows, |x, y| names(method, x, y)),
        (Column::Vectors(_), _) | (_, Column::Vectors(_)) => Err(Reason::WrongKind.into()),
        _ => Err(Reason::MixedTypes.into()),
    }
}

fn judge<T>(
    reference: &[T],
    chunk: &[T],
    chunk_rows: usize,
    distance: impl Fn(&[T], &[T]) -> Result<f64>,
) -> Result<Verdict> {
    let score = distance(reference, chunk)?;
    let known: Vec<f64> = reference.chunks(chunk_rows).filter_map(|c| distance(reference, c).ok()).collect();
    let (mean, variance) = moments(&known, 0.0);
    let threshold = mean + 3.0 * variance.sqrt();
    Ok(Verdict { score, upper_threshold: Some(threshold), alert: score > threshold })
}

fn numbers(method: Method, reference: &[f64], chunk: &[f64]) -> Result<f64> {
    let pair = Pair::new(reference, chunk)?;
    let large = pair.reference.len() >= BINNED_FROM;
    match method {
        Method::KolmogorovSmirnov if large => Ok(binned_kolmogorov_smirnov(&pair)),
        Method::KolmogorovSmirnov => Ok(kolmogorov_smirnov::statistic(&pair)),
        Method::Wasserstein if large => Ok(binned_wasserstein(&pair)),
        Method::Wasserstein => Ok(wasserstein::wasserstein(&pair)),
        Method::JensenShannon | Method::Hellinger => {
            let edges = doane_edges(&pair.reference);
            let part = |rows: &[f64]| -> Vec<f64> {
                count(rows, &edges).iter().map(|&c| c as f64 / rows.len() as f64).collect()
            };
            Ok(share_distance(method, part(&pair.reference), part(&pair.current)))
        }
        Method::LInfinity | Method::Chi2 => Err(Reason::WrongKind.into()),
    }
}

fn names(method: Method, reference: &[&str], chunk: &[&str]) -> Result<f64> {
    let counts = Counts::of_strings(reference, chunk)?;
    let (p, q) = counts.shares();
    if method == Method::LInfinity {
        return Ok(l_infinity(&p, &q));
    }
    ensure(matches!(method, Method::JensenShannon | Method::Hellinger), Reason::WrongKind)?;
    let known = |of: &[f64]| of.iter().zip(&p).filter(|(_, p)| **p > 0.0).map(|(s, _)| *s).collect();
    Ok(share_distance(method, known(&p), known(&q)))
}

/// What fell into none of the reference's bins is one bin more.
fn share_distance(method: Method, mut p: Vec<f64>, mut q: Vec<f64>) -> f64 {
    let leftover = 1.0 - q.iter().sum::<f64>();
    if leftover > 0.0 {
        p.push(0.0);
        q.push(leftover);
    }
    match method {
        Method::Hellinger => {
            let squares: f64 = p.iter().zip(&q).map(|(p, q)| (p.sqrt() - q.sqrt()).powi(2)).sum();
            (squares / 2.0).sqrt()
        }
        _ => jensen_shannon(&p, &q) / std::f64::consts::LN_2.sqrt(),
    }
}

fn cumulated(rows: &[f64], edges: &[f64]) -> Vec<f64> {
    let mut sum = 0.0;
    let step = |c: &u64| {
        sum += *c as f64 / rows.len() as f64;
        sum
    };
    count(rows, edges).iter().map(step).collect()
}

fn bins(pair: &Pair) -> (Vec<f64>, f64, f64) {
    let (low, high) = (pair.reference[0], pair.reference[pair.reference.len() - 1]);
    let (low, high) = if low == high { (low - 0.5, high + 0.5) } else { (low, high) };
    let step = (high - low) / BINNED_FROM as f64;
    let mut edges: Vec<f64> = (0..BINNED_FROM).map(|i| i as f64 * step + low).collect();
    edges.push(high);
    (edges, low, high)
}

fn binned_kolmogorov_smirnov(pair: &Pair) -> f64 {
    let (edges, low, _) = bins(pair);
    let below = pair.current.partition_point(|&x| x < low) as f64 / pair.current.len() as f64;
    let (a, b) = (cumulated(&pair.reference, &edges), cumulated(&pair.current, &edges));
    a.iter().zip(&b).map(|(a, b)| (a - b - below).abs()).fold(0.0, f64::max)
}

/// What lies outside is integrated on its own, with its number of rows one too high.
fn binned_wasserstein(pair: &Pair) -> f64 {
    let (edges, low, high) = bins(pair);
    let n = pair.current.len() as f64;
    let smaller = &pair.current[..pair.current.partition_point(|&x| x < low)];
    let bigger = &pair.current[pair.current.partition_point(|&x| x <= high)..];
    let outside = |rows: &[f64]| if rows.is_empty() { 0.0 } else { (rows.len() + 1) as f64 / n };
    let left = step_area(&sorted(&[smaller, &[low]].concat()), |f| f) * outside(smaller);
    let right = step_area(&sorted(&[&[high], bigger].concat()), |f| 1.0 - f) * outside(bigger);
    let (a, b) = (cumulated(&pair.reference, &edges), cumulated(&pair.current, &edges));
    let width = edges[1] - edges[0];
    let within: f64 = a.iter().zip(&b).map(|(a, b)| (a - b - outside(smaller)).abs() * width).sum();
    within + left + right
}

fn step_area(ascending: &[f64], height: impl Fn(f64) -> f64) -> f64 {
    let n = ascending.len() as f64;
    ascending.windows(2).enumerate().map(|(i, w)| height((i + 1) as f64 / n) * (w[1] - w[0])).sum()
}

/// The contingency test with Yates' correction where there are two categories, at 5 %.
fn chi_square(reference: &[&str], chunk: &[&str]) -> Result<Verdict> {
    let counts = Counts::of_strings(reference, chunk)?;
    ensure(counts.len() > 1, Reason::OneCategory)?;
    let (n, m) = counts.totals();
    let yates = if counts.len() == 2 { 0.5 } else { 0.0 };
    let cell = |observed: f64, expected: f64| {
        let gap = (observed - expected).abs();
        (gap - gap.min(yates)).powi(2) / expected
    };
    let both = |(a, b): (f64, f64)| cell(a, (a + b) * n / (n + m)) + cell(b, (a + b) * m / (n + m));
    let score: f64 = counts.pairs().map(both).sum();
    let p = chi_square_sf(score, counts.len() as f64 - 1.0);
    Ok(Verdict { score, upper_threshold: None, alert: p < 0.05 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::close;

    #[test]
    fn what_the_reference_never_had_is_one_bin() {
        let reference = ["a"; 30].iter().chain(&["b"; 30]).copied().collect::<Vec<_>>();
        let chunk = ["a", "b", "c", "c"];
        let score =
            |method| compare(method, Column::Strings(&reference), Column::Strings(&chunk), 10).unwrap().score;
        close("l infinity", score(Method::LInfinity), 0.5);
        close("hellinger", score(Method::Hellinger), (1.0 - 2.0 * 0.125_f64.sqrt()).sqrt());
    }

    #[test]
    fn bins_agree_with_rows_where_they_must() {
        let reference: Vec<f64> = (0..12_000).map(|i| f64::from(i * 7919 % 12_007) / 120.07).collect();
        let chunk: Vec<f64> = (0..100).map(|i| f64::from(i * 37 % 101) + 5.0).collect();
        let check = |method, exact: f64, tolerance: f64| {
            let ours = numbers(method, &reference, &chunk).unwrap();
            assert!((ours - exact).abs() < tolerance, "{ours} {exact}");
        };
        let pair = Pair::new(&reference, &chunk).unwrap();
        check(Method::KolmogorovSmirnov, kolmogorov_smirnov::statistic(&pair), 0.011);
        check(Method::Wasserstein, wasserstein::wasserstein(&pair), 0.2);
    }

    #[test]
    fn what_has_no_answer() {
        let check = |method, a, b| assert!(compare(method, a, b, 10).is_err());
        check(Method::Chi2, Column::Strings(&["a"; 9]), Column::Strings(&["a"; 9]));
        check(Method::LInfinity, Column::Numbers(&[1.0]), Column::Numbers(&[1.0]));
        check(Method::Wasserstein, Column::Numbers(&[1.0]), Column::Strings(&["a"]));
        check(Method::Wasserstein, Column::Numbers(&[1.0]), Column::Numbers(&[]));
    }
}
