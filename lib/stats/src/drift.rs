//! The right way to compare two columns once: a test, or a distance with an interval.
//!
//! A distance alone is drift only if it reaches its threshold **and** the lower end of its interval lies above the noise
//! floor: what two samples of these sizes would show although nothing changed. So a small hour cannot cry wolf, and a
//! huge one cannot make a mountain of a speck.

pub mod embedding;
mod resample;

use serde::{Deserialize, Serialize};

use crate::distance::{
    energy::energy, hellinger::hellinger, jensen_shannon::jensen_shannon, kullback_leibler::kullback_leibler,
    l_infinity::l_infinity, psi::psi, total_variation::total_variation, wasserstein::wasserstein,
};
use crate::error::{Reason, Result, ensure, in_range, number};
use crate::histogram::{count_cuts, quantile_cuts};
use crate::hypothesis::{
    anderson_darling::anderson_darling,
    chi_square::{Statistic, homogeneity},
    cramer_von_mises::cramer_von_mises,
    epps_singleton::epps_singleton,
    fisher::fisher,
    kolmogorov_smirnov::kolmogorov_smirnov,
    mann_whitney::{Alternative, mann_whitney},
    mmd::Kernel,
    t::welch,
    z::z,
};
use crate::interval::check_level;
use crate::result::{Interval, Test};
use crate::sample::{Column, Counts, Kind, Pair, distinct, moments, quantile};
use crate::text::domain::{Options as TextOptions, text_drift};

/// The methods of the default mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is a file of its own")]
pub enum Method {
    AndersonDarling,
    ChiSquare,
    CramerVonMises,
    Energy,
    EppsSingleton,
    Fisher,
    G,
    Hellinger,
    JensenShannon,
    KolmogorovSmirnov,
    KullbackLeibler,
    LInfinity,
    MannWhitney,
    Mmd,
    Psi,
    TextDomain,
    TotalVariation,
    Wasserstein,
    Welch,
    Z,
}

/// What a distance is measured in, which decides how it is resampled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Measure {
    /// A p-value: held against `1 - level`.
    Test,
    /// A distance of shares.
    Shares,
    /// A distance of numbers, in standard deviations of the reference.
    Numbers,
}

impl Method {
    fn measure(self) -> Measure {
        match self {
            Self::Energy | Self::Wasserstein => Measure::Numbers,
            Self::Hellinger | Self::JensenShannon | Self::KullbackLeibler | Self::LInfinity => {
                Measure::Shares
            }
            Self::Psi | Self::TotalVariation => Measure::Shares,
            Self::AndersonDarling | Self::ChiSquare | Self::CramerVonMises | Self::EppsSingleton => {
                Measure::Test
            }
            Self::Fisher | Self::G | Self::KolmogorovSmirnov | Self::MannWhitney | Self::Mmd => Measure::Test,
            Self::TextDomain | Self::Welch | Self::Z => Measure::Test,
        }
    }

    /// Whether the distance behaves like the square of a small change; its root is what resampling can be centred on.
    fn is_square(self) -> bool {
        matches!(self, Self::Psi | Self::KullbackLeibler)
    }

    fn default_for(kind: Kind) -> Result<Self> {
        match kind {
            Kind::Number => Ok(Self::Wasserstein),
            Kind::Category => Ok(Self::JensenShannon),
            Kind::Text => Ok(Self::TextDomain),
            // Vectors have their own entrance, for they are no column.
            Kind::Vector => Err(Reason::WrongKind.into()),
        }
    }
}

/// How to compare.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Options {
    /// The method; by default Wasserstein for numbers, Jensen-Shannon for categories, a domain classifier for texts.
    pub method: Option<Method>,
    /// The smallest distance that matters.
    pub threshold: f64,
    /// Confidence level of intervals; a test calls drift below `1 - level`.
    pub level: f64,
    /// Bins for numbers, where a distance of shares is asked for: quantiles of the reference.
    pub bins: usize,
    /// Resamples of intervals and permutations of tests.
    pub resamples: usize,
    /// Seed of the resamples.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { method: None, threshold: 0.1, level: 0.95, bins: 10, resamples: 200, seed: 1 }
    }
}

/// The result of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The method that was used.
    pub method: Method,
    /// The distance or the test statistic.
    pub statistic: f64,
    /// The p-value, if the method is a test.
    pub p: Option<f64>,
    /// The interval of the true distance, if the method is a distance.
    pub interval: Option<Interval>,
    /// What the distance of such samples stays below, with probability `level`, if nothing changed.
    pub noise_floor: Option<f64>,
    /// What the distance or the p-value was held against.
    pub threshold: f64,
    /// The verdict.
    pub drift: bool,
    /// Usable rows of the reference.
    pub n_reference: usize,
    /// Usable rows of the current side.
    pub n_current: usize,
}

/// Compares two columns.
pub fn compare(kind: Kind, reference: Column<'_>, current: Column<'_>, options: &Options) -> Result<Report> {
    check_level(options.level)?;
    in_range(options.bins >= 2 && options.resamples >= 20, "the number of bins or resamples")?;
    let method = options.method.map_or_else(|| Method::default_for(kind), Ok)?;
    match (kind, reference, current) {
        (Kind::Number, Column::Numbers(a), Column::Numbers(b)) => numbers(method, &Pair::new(a, b)?, options),
        (Kind::Category, Column::Numbers(a), Column::Numbers(b)) => {
            categories(method, &Pair::new(a, b)?.counts(), options)
        }
        (Kind::Category, Column::Strings(a), Column::Strings(b)) => {
            categories(method, &Counts::of_strings(a, b)?, options)
        }
        (Kind::Text, Column::Strings(a), Column::Strings(b)) => texts(method, a, b, options),
        (Kind::Vector, Column::Vectors(_), Column::Vectors(_)) => Err(Reason::WrongKind.into()),
        _ => Err(Reason::MixedTypes.into()),
    }
}

fn texts(method: Method, reference: &[&str], current: &[&str], options: &Options) -> Result<Report> {
    ensure(method == Method::TextDomain, Reason::WrongKind)?;
    let settings =
        TextOptions { permutations: options.resamples, seed: options.seed, ..TextOptions::default() };
    let drift = text_drift(reference, current, &settings)?;
    let (n_reference, n_current) = (drift.n_reference, drift.n_current);
    judged(method, Test { statistic: drift.area, p: drift.p, n_reference, n_current }, options)
}

/// Compares two numeric columns that were cleaned already.
pub fn numbers(method: Method, pair: &Pair, options: &Options) -> Result<Report> {
    if method.measure() != Measure::Test {
        return match method.measure() {
            Measure::Numbers => number_distance(method, pair, options),
            _ => categories(method, &binned(pair, options.bins), options),
        };
    }
    if matches!(method, Method::ChiSquare | Method::G | Method::Z | Method::Fisher) {
        return categories(method, &pair.counts(), options);
    }
    ensure(distinct(&pair.pooled()) > 1, Reason::NoVariation)?;
    let test = match method {
        Method::AndersonDarling => anderson_darling(pair)?,
        Method::CramerVonMises => cramer_von_mises(pair)?,
        Method::EppsSingleton => epps_singleton(pair)?,
        Method::KolmogorovSmirnov => kolmogorov_smirnov(pair),
        Method::MannWhitney => mann_whitney(pair, Alternative::TwoSided),
        Method::Welch => welch(pair)?,
        Method::Mmd => mmd(pair, options)?,
        _ => return Err(Reason::WrongKind.into()),
    };
    judged(method, test, options)
}

fn mmd(pair: &Pair, options: &Options) -> Result<Test> {
    let rows = [pair.reference.as_slice(), &pair.current].concat();
    let mut gaps: Vec<f64> =
        pair.pooled().windows(1 + rows.len() / 2).map(|w| w[w.len() - 1] - w[0]).collect();
    gaps.sort_by(f64::total_cmp);
    let width = quantile(&gaps, 0.5).max(f64::MIN_POSITIVE.sqrt());
    Ok(Kernel::gaussian(&rows, pair.reference.len(), 0.5 / (width * width), |a, b| (a - b).powi(2))?
        .test(options.resamples, options.seed))
}

/// Compares two columns of names that were counted already: a rollup is enough, no row is needed.
pub fn categories(method: Method, counts: &Counts, options: &Options) -> Result<Report> {
    let test = match method {
        Method::ChiSquare => homogeneity(counts, Statistic::Pearson)?,
        Method::G => homogeneity(counts, Statistic::G)?,
        Method::Fisher => fisher(counts)?,
        Method::Z => {
            ensure(counts.len() == 2, Reason::NotBinary { found: counts.len() })?;
            z(counts)?
        }
        _ if method.measure() == Measure::Shares => return Ok(share_distance(method, counts, options)),
        _ => return Err(Reason::WrongKind.into()),
    };
    judged(method, test, options)
}

fn judged(method: Method, test: Test, options: &Options) -> Result<Report> {
    let threshold = 1.0 - options.level;
    // Values whose squares overflow have no moments.
    number(test.p).and(number(test.statistic))?;
    Ok(Report {
        method,
        statistic: test.statistic,
        p: Some(test.p),
        interval: None,
        noise_floor: None,
        threshold,
        drift: test.p < threshold,
        n_reference: test.n_reference,
        n_current: test.n_current,
    })
}

/// Quantile bins of the reference: as many as were asked for, open at the ends.
fn binned(pair: &Pair, bins: usize) -> Counts {
    let cuts = quantile_cuts(&pair.reference, bins);
    let mut counts = Counts::default();
    counts.reference = count_cuts(&pair.reference, &cuts);
    counts.current = count_cuts(&pair.current, &cuts);
    counts.labels = (0..counts.reference.len()).map(|i| i.to_string()).collect();
    counts
}

fn share_distance(method: Method, counts: &Counts, options: &Options) -> Report {
    let distance = |a: &[u64], b: &[u64]| distance_of_counts(method, a, b);
    let value = distance(&counts.reference, &counts.current);
    let spread = resample::shares(counts, options, distance);
    let (n_reference, n_current) = counts.sizes();
    distance_report(method, value, &spread, (n_reference, n_current), options)
}

/// Laplace-smoothed where a logarithm of an empty bin would be infinite, and the first quiet night would page someone.
fn distance_of_counts(method: Method, a: &[u64], b: &[u64]) -> f64 {
    let smoothing = if method.is_square() { 0.5 } else { 0.0 };
    let shares = |counts: &[u64]| -> Vec<f64> {
        let total = counts.iter().sum::<u64>() as f64 + smoothing * counts.len() as f64;
        counts.iter().map(|&c| (c as f64 + smoothing) / total).collect()
    };
    let (p, q) = (shares(a), shares(b));
    match method {
        Method::Psi => psi(&p, &q),
        Method::KullbackLeibler => kullback_leibler(&p, &q),
        Method::JensenShannon => jensen_shannon(&p, &q),
        Method::Hellinger => hellinger(&p, &q),
        Method::LInfinity => l_infinity(&p, &q),
        _ => total_variation(&p, &q),
    }
}

fn number_distance(method: Method, pair: &Pair, options: &Options) -> Result<Report> {
    let scale = moments(&pair.pooled(), 0.0).1.sqrt();
    ensure(scale > 0.0 && scale.is_finite(), Reason::NoVariation)?;
    // The reference's own spread where it has one: a shift should not shrink the unit it is measured in.
    let own = moments(&pair.reference, 0.0).1.sqrt();
    let unit = if own > scale * 1e-3 { own } else { scale };
    let distance = |pair: &Pair| match method {
        Method::Energy => energy(pair) / unit.sqrt(),
        _ => wasserstein(pair) / unit,
    };
    let spread = resample::numbers(pair, options, distance);
    Ok(distance_report(method, distance(pair), &spread, pair.sizes(), options))
}

/// Centres the interval on the true distance: resampling adds the noise of the samples once more, and as much is taken
/// away (the basic bootstrap; on the root for squared distances).
fn distance_report(
    method: Method,
    value: f64,
    spread: &resample::Spread,
    (n_reference, n_current): (usize, usize),
    options: &Options,
) -> Report {
    let root = |x: f64| if method.is_square() { x.max(0.0).sqrt() } else { x };
    let back = |x: f64| if method.is_square() { x * x } else { x };
    let tail = (1.0 - options.level) / 2.0;
    let end = |q: f64| back((2.0 * root(value) - root(quantile(&spread.again, q))).max(0.0));
    let (low, high) = (end(1.0 - tail), end(tail));
    let interval = Interval { low: low.min(value), high: high.max(low), level: options.level };
    let noise_floor = quantile(&spread.unchanged, options.level);
    Report {
        method,
        statistic: value,
        p: None,
        interval: Some(interval),
        noise_floor: Some(noise_floor),
        threshold: options.threshold,
        drift: value >= options.threshold && interval.low > noise_floor,
        n_reference,
        n_current,
    }
}

#[cfg(test)]
mod tests;
