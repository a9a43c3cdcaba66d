//! Evidently 0.7: its methods, its default choice, its thresholds.
//!
//! Formulas from `evidently/legacy/calculations/stattests`; each mistake is named where it stands.

use doxa_stats::distance::{
    energy::energy, hellinger::hellinger, jensen_shannon::jensen_shannon, kullback_leibler::kullback_leibler,
    psi::psi, total_variation::total_variation, wasserstein::wasserstein,
};
use doxa_stats::error::{NotComputable, Reason, Result, ensure, number};
use doxa_stats::histogram::{count, sturges_edges};
use doxa_stats::hypothesis::{
    anderson_darling::anderson_darling,
    chi_square::{Statistic, goodness_of_fit},
    epps_singleton::epps_singleton,
    fisher::fisher,
    kolmogorov_smirnov::kolmogorov_smirnov,
    mann_whitney::{Alternative, mann_whitney},
    mmd::Kernel,
    t::student,
    z::z,
};
use doxa_stats::rng::Rng;
use doxa_stats::sample::{Column, Counts, Kind, Pair, distinct, moments, shares};
use serde::{Deserialize, Serialize};

use crate::evidently_text::separation;
use crate::vendored_cvm::vendored;

/// Evidently's methods, by Evidently's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are Evidently's and are documented there")]
pub enum Method {
    Anderson,
    Chisquare,
    CramerVonMises,
    Ed,
    EmpiricalMmd,
    Es,
    FisherExact,
    GTest,
    Hellinger,
    #[serde(rename = "jensenshannon")]
    JensenShannon,
    KlDiv,
    Ks,
    Mannw,
    Psi,
    TTest,
    #[serde(rename = "TVD")]
    Tvd,
    Wasserstein,
    Z,
    PercTextContentDrift,
    AbsTextContentDrift,
}

/// Which side of the threshold is drift.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    Below,
    AtMost,
    AtLeast,
    Above,
}

impl Method {
    /// The threshold that applies when nobody gives one.
    pub fn default_threshold(self) -> f64 {
        match self {
            Self::Chisquare | Self::Es | Self::Ks | Self::Mannw | Self::TTest | Self::Z => 0.05,
            Self::PercTextContentDrift => 0.95,
            Self::AbsTextContentDrift => 0.55,
            Self::Anderson | Self::CramerVonMises | Self::Ed | Self::EmpiricalMmd | Self::FisherExact => 0.1,
            Self::GTest | Self::Hellinger | Self::JensenShannon | Self::KlDiv | Self::Psi => 0.1,
            Self::Tvd | Self::Wasserstein => 0.1,
        }
    }

    fn rule(self) -> Rule {
        match self {
            Self::Ks | Self::CramerVonMises => Rule::AtMost,
            Self::Hellinger | Self::JensenShannon | Self::KlDiv | Self::Psi | Self::Wasserstein => {
                Rule::AtLeast
            }
            Self::Ed | Self::PercTextContentDrift | Self::AbsTextContentDrift => Rule::Above,
            Self::Anderson | Self::Chisquare | Self::EmpiricalMmd | Self::Es | Self::FisherExact => {
                Rule::Below
            }
            Self::GTest | Self::Mannw | Self::TTest | Self::Tvd | Self::Z => Rule::Below,
        }
    }

    /// What Evidently picks: only the size of the reference counts, never that of the current side.
    fn default_for(kind: Kind, n_reference: usize, distinct: usize) -> Result<Self> {
        let large = n_reference > 1000;
        match kind {
            Kind::Number if distinct > 5 => Ok(if large { Self::Wasserstein } else { Self::Ks }),
            Kind::Number | Kind::Category if large => Ok(Self::JensenShannon),
            Kind::Number | Kind::Category => Ok(if distinct > 2 { Self::Chisquare } else { Self::Z }),
            Kind::Text => Ok(if large { Self::AbsTextContentDrift } else { Self::PercTextContentDrift }),
            Kind::Vector => Err(Reason::WrongKind.into()),
        }
    }
}

/// What Evidently would have reported.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The method that was used.
    pub method: Method,
    /// A p-value, a distance or an area under the curve, depending on the method.
    pub score: f64,
    /// The statistic behind a p-value, where there is one.
    pub statistic: Option<f64>,
    /// The threshold that was applied.
    pub threshold: f64,
    /// Whether Evidently calls it drift.
    pub drift: bool,
}

/// Compares two columns as Evidently would; without a method, with the one it would choose.
pub fn compare(
    method: Option<Method>,
    kind: Kind,
    reference: Column<'_>,
    current: Column<'_>,
    threshold: Option<f64>,
) -> Result<Verdict> {
    let data = Data::new(kind, reference, current)?;
    let method = match method {
        Some(method) => method,
        None => Method::default_for(kind, data.n_reference(), data.distinct())?,
    };
    let (score, statistic, cut) = data.score(method, threshold.unwrap_or(method.default_threshold()))?;
    let drift = match method.rule() {
        Rule::Below => score < cut,
        Rule::AtMost => score <= cut,
        Rule::AtLeast => score >= cut,
        Rule::Above => score > cut,
    };
    let threshold = threshold.unwrap_or(method.default_threshold());
    Ok(Verdict { method, score: number(score)?, statistic, threshold, drift })
}

/// The columns as the methods want them.
enum Data<'a> {
    Numbers(Pair),
    Categories(Counts),
    Texts(&'a [&'a str], &'a [&'a str]),
}

impl<'a> Data<'a> {
    fn new(kind: Kind, reference: Column<'a>, current: Column<'a>) -> Result<Self> {
        match (kind, reference, current) {
            (Kind::Number, Column::Numbers(a), Column::Numbers(b)) => Ok(Self::Numbers(Pair::new(a, b)?)),
            (Kind::Category, Column::Numbers(a), Column::Numbers(b)) => {
                Ok(Self::Categories(Pair::new(a, b)?.counts()))
            }
            (Kind::Category, Column::Strings(a), Column::Strings(b)) => {
                Ok(Self::Categories(Counts::of_strings(a, b)?))
            }
            (Kind::Text, Column::Strings(a), Column::Strings(b)) => Ok(Self::Texts(a, b)),
            (Kind::Vector, ..) => Err(Reason::WrongKind.into()),
            _ => Err(Reason::MixedTypes.into()),
        }
    }

    fn n_reference(&self) -> usize {
        match self {
            Self::Numbers(pair) => pair.reference.len(),
            Self::Categories(counts) => counts.sizes().0,
            Self::Texts(reference, _) => reference.len(),
        }
    }

    fn distinct(&self) -> usize {
        match self {
            Self::Numbers(pair) => distinct(&pair.pooled()),
            Self::Categories(counts) => counts.len(),
            Self::Texts(..) => 0,
        }
    }

    /// Score, statistic, and the threshold to hold the score against.
    fn score(&self, method: Method, threshold: f64) -> Result<(f64, Option<f64>, f64)> {
        if let Self::Texts(reference, current) = self {
            let (score, cut) = text(method, reference, current, threshold)?;
            return Ok((score, None, cut));
        }
        let (score, statistic) = match (self, method) {
            (Self::Numbers(pair), Method::Z | Method::Chisquare) => categories(&pair.counts(), method)?,
            (Self::Numbers(pair), _) => numbers(pair, method)?,
            (Self::Categories(counts), _) => categories(counts, method)?,
            (Self::Texts(..), _) => return Err(Reason::WrongKind.into()),
        };
        Ok((score, statistic, threshold))
    }
}

/// The percentile method compares the area with that of a random classifier.
fn text(method: Method, reference: &[&str], current: &[&str], threshold: f64) -> Result<(f64, f64)> {
    let separation = separation(reference, current)?;
    match method {
        Method::AbsTextContentDrift => Ok((separation.area, threshold)),
        Method::PercTextContentDrift => Ok((separation.area, separation.random_percentile(1.0 - threshold))),
        _ => Err(Reason::WrongKind.into()),
    }
}

type Scored = Result<(f64, Option<f64>)>;

fn numbers(pair: &Pair, method: Method) -> Scored {
    let test = match method {
        Method::Ks => kolmogorov_smirnov(pair),
        Method::CramerVonMises => vendored(pair)?,
        Method::Anderson => anderson_darling(pair)?,
        // One-sided although documented as two-sided: it never sees a downward shift.
        Method::Mannw => mann_whitney(pair, Alternative::Less),
        Method::Es => epps_singleton(pair)?,
        Method::TTest => student(pair)?,
        Method::EmpiricalMmd => empirical_mmd(pair)?,
        _ => return numeric_distance(pair, method).map(|distance| (distance, None)),
    };
    Ok((test.p, Some(test.statistic)))
}

fn numeric_distance(pair: &Pair, method: Method) -> Result<f64> {
    match method {
        Method::Wasserstein => Ok(wasserstein(pair) / moments(&pair.reference, 0.0).1.sqrt().max(0.001)),
        // Not scale free: the same data in other units drifts.
        Method::Ed => Ok(energy(pair)),
        Method::Hellinger => Ok(binned_hellinger(pair)),
        Method::Psi | Method::KlDiv | Method::JensenShannon => {
            // `n_bins` is ignored there, and so it is here.
            if distinct(&pair.reference) <= 20 {
                return category_distance(&pair.counts(), method);
            }
            let edges = sturges_edges(&pair.pooled());
            let (p, q) = (shares(&count(&pair.reference, &edges)), shares(&count(&pair.current, &edges)));
            share_distance(p, q, method)
        }
        _ => Err(Reason::WrongKind.into()),
    }
}

/// The edges come from the distinct values, not from the rows.
fn binned_hellinger(pair: &Pair) -> f64 {
    let mut values = pair.pooled();
    values.dedup();
    let edges = sturges_edges(&values);
    hellinger(&shares(&count(&pair.reference, &edges)), &shares(&count(&pair.current, &edges)))
}

fn categories(counts: &Counts, method: Method) -> Scored {
    let test = match method {
        // The reference is taken to be exact, so that ordinary noise looks like drift.
        Method::Chisquare => goodness_of_fit(counts, Statistic::Pearson, true)?,
        Method::GTest => goodness_of_fit(counts, Statistic::G, false)?,
        Method::Z if counts.len() == 1 => return Ok((1.0, None)),
        Method::Z => z(counts)?,
        Method::FisherExact => {
            let (n, m) = counts.sizes();
            ensure(counts.len() <= 2, Reason::NotBinary { found: counts.len() })?;
            ensure(n == m, Reason::UnequalLengths)?;
            fisher(counts)?
        }
        Method::Tvd => return permuted_tvd(counts),
        _ => return category_distance(counts, method).map(|distance| (distance, None)),
    };
    Ok((test.p, Some(test.statistic)))
}

fn category_distance(counts: &Counts, method: Method) -> Result<f64> {
    let (p, q) = counts.shares();
    share_distance(p, q, method)
}

fn share_distance(mut p: Vec<f64>, mut q: Vec<f64>, method: Method) -> Result<f64> {
    if matches!(method, Method::Psi | Method::KlDiv) {
        fill_zeros(&mut p);
        fill_zeros(&mut q);
    }
    match method {
        Method::Psi => Ok(psi(&p, &q)),
        Method::KlDiv => Ok(kullback_leibler(&p, &q)),
        Method::JensenShannon => Ok(jensen_shannon(&p, &q)),
        Method::Hellinger => Ok(hellinger(&p, &q)),
        _ => Err(Reason::WrongKind.into()),
    }
}

/// Zero shares become small ones, and the rest is not scaled back.
fn fill_zeros(shares: &mut [f64]) {
    let least = shares.iter().copied().filter(|s| *s > 0.0).fold(f64::INFINITY, f64::min);
    let fill = if least <= 1e-4 { least / 1e6 } else { 1e-4 };
    shares.iter_mut().filter(|s| **s == 0.0).for_each(|s| *s = fill);
}

/// The share of permutations whose distance is at least the observed one.
fn permuted_tvd(counts: &Counts) -> Scored {
    const PERMUTATIONS: usize = 4000;
    let (n, m) = counts.sizes();
    ensure(n + m <= 5_000_000, Reason::OutOfRange { what: "the number of rows to permute".into() })?;
    let (p, q) = counts.shares();
    let observed = total_variation(&p, &q);
    let mut rows: Vec<u32> = Vec::with_capacity(n + m);
    for (i, (a, b)) in counts.pairs().enumerate() {
        rows.extend(std::iter::repeat_n(i as u32, (a + b) as usize));
    }
    let mut rng = Rng::new(0);
    let permutations = PERMUTATIONS.min(400_000_000 / (n + m)).max(100);
    let mut tally = |rows: &mut Vec<u32>| {
        let mut drawn = vec![0; counts.len()];
        for i in 0..n {
            rows.swap(i, i + rng.below(n + m - i));
            drawn[rows[i] as usize] += 1_u64;
        }
        let rest: Vec<u64> = drawn.iter().zip(counts.pairs()).map(|(d, (a, b))| (a + b) as u64 - d).collect();
        total_variation(&shares(&drawn), &shares(&rest)) >= observed - 1e-12
    };
    let beyond = (0..permutations).filter(|_| tally(&mut rows)).count();
    Ok((beyond as f64 / permutations as f64, Some(observed)))
}

/// The kernel width is the median of the squared distances within the reference, diagonal included.
fn empirical_mmd(pair: &Pair) -> Result<doxa_stats::result::Test> {
    let mut squares: Vec<f64> =
        pair.reference.iter().flat_map(|a| pair.reference.iter().map(move |b| (a - b).powi(2))).collect();
    let middle = ((squares.len() - 1) as f64 / 2.0).round_ties_even() as usize;
    let (_, median, _) = squares.select_nth_unstable_by(middle, f64::total_cmp);
    let width = if *median > 0.0 { *median } else { 1.0 };
    let rows = [pair.reference.as_slice(), &pair.current].concat();
    let kernel = Kernel::gaussian(&rows, pair.reference.len(), 1.0 / width, |a, b| (a - b).powi(2))?;
    let statistic = kernel.discrepancy();
    let draws = kernel.permuted(1000, 0);
    let p = draws.iter().filter(|d| statistic <= **d + 1e-12).count() as f64 / draws.len() as f64;
    let (n_reference, n_current) = pair.sizes();
    Ok(doxa_stats::result::Test { statistic, p, n_reference, n_current })
}

/// Whether a data set as a whole drifts: at least half of its columns do.
pub fn dataset_drift(columns: &[std::result::Result<Verdict, NotComputable>]) -> bool {
    let drifted = columns.iter().filter(|c| c.as_ref().is_ok_and(|v| v.drift)).count();
    !columns.is_empty() && 2 * drifted >= columns.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(method: Option<Method>, reference: &[f64], current: &[f64]) -> Result<Verdict> {
        compare(method, Kind::Number, Column::Numbers(reference), Column::Numbers(current), None)
    }

    #[test]
    fn the_choice_hangs_on_the_reference_alone() {
        let check = |n: u32, values: u32, method| {
            let rows: Vec<f64> = (0..n).map(|i| f64::from(i % values)).collect();
            assert_eq!(verdict(None, &rows, &[1.0, 0.0, 1.0]).unwrap().method, method);
        };
        check(1000, 50, Method::Ks);
        check(1001, 50, Method::Wasserstein);
        check(1000, 4, Method::Chisquare);
        check(1001, 4, Method::JensenShannon);
        check(1000, 2, Method::Z);
    }

    #[test]
    fn mistakes_are_kept() {
        let low: Vec<f64> = (0..30).map(f64::from).collect();
        let high: Vec<f64> = (0..30).map(|i| f64::from(i) + 20.0).collect();
        assert!(!verdict(Some(Method::Mannw), &high, &low).unwrap().drift);
        assert!(verdict(Some(Method::Mannw), &low, &high).unwrap().drift);
        let huge: Vec<f64> = low.iter().map(|x| x * 1e6).collect();
        let shifted: Vec<f64> = huge.iter().map(|x| x + 1e5).collect();
        assert!(verdict(Some(Method::Ed), &huge, &shifted).unwrap().drift);
    }

    #[test]
    fn what_raises_there_is_an_error_here() {
        let check = |method, a: &[f64], b: &[f64], reason: Reason| {
            assert_eq!(verdict(Some(method), a, b), Err(reason.into()));
        };
        check(Method::Ks, &[1.0], &[f64::NAN], Reason::EmptyCurrent);
        check(Method::Es, &[1.0; 9], &[1.0; 9], Reason::NoVariation);
        check(Method::Chisquare, &[1.0; 9], &[1.0; 9], Reason::OneCategory);
        check(Method::TTest, &[1.0; 9], &[1.0; 9], Reason::NoVariation);
        check(Method::GTest, &[1.0; 9], &[1.0; 9], Reason::WrongKind);
        assert_eq!(verdict(Some(Method::Z), &[1.0; 9], &[1.0; 9]).unwrap().score, 1.0);
    }
}
