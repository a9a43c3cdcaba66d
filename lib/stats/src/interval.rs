//! Intervals for shares, and for anything by the bootstrap.
//!
//! Wilson (1927), <https://doi.org/10.1080/01621459.1927.10502953>; Clopper and Pearson (1934),
//! <https://doi.org/10.1093/biomet/26.4.404>; Efron, *Better bootstrap confidence intervals* (1987),
//! <https://doi.org/10.1080/01621459.1987.10478410>.

use crate::error::{Reason, Result, ensure, in_range, number};
use crate::result::{Estimate, Interval};
use crate::rng::Rng;
use crate::sample::quantile;
use crate::special::{beta_quantile, normal_quantile};

/// Wilson's interval for `k` of `n`: never empty, never outside `[0, 1]`, honest down to a single row.
pub fn wilson(k: u64, n: u64, level: f64) -> Result<Estimate> {
    weighted_wilson(k as f64, n as f64, level)
}

/// Wilson's interval where rows carry weights: `n` is then the effective number of rows.
pub fn weighted_wilson(k: f64, n: f64, level: f64) -> Result<Estimate> {
    check(k, n, level)?;
    let z = normal_quantile(0.5 + level / 2.0);
    let (share, z2) = (k / n, z * z);
    let centre = (share + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = z / (1.0 + z2 / n) * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt();
    let low = if k == 0.0 { 0.0 } else { (centre - half).max(0.0) };
    let high = if k == n { 1.0 } else { (centre + half).min(1.0) };
    Ok(Estimate { value: share, interval: Interval { low, high, level }, n: n as usize })
}

/// The exact interval: its coverage is at least `level`, often more.
pub fn clopper_pearson(k: u64, n: u64, level: f64) -> Result<Estimate> {
    check(k as f64, n as f64, level)?;
    let tail = (1.0 - level) / 2.0;
    let (hits, misses) = (k as f64, (n - k) as f64);
    let low = if k == 0 { 0.0 } else { beta_quantile(hits, misses + 1.0, tail) };
    let high = if k == n { 1.0 } else { beta_quantile(hits + 1.0, misses, 1.0 - tail) };
    Ok(Estimate { value: hits / n as f64, interval: Interval { low, high, level }, n: n as usize })
}

fn check(k: f64, n: f64, level: f64) -> Result<()> {
    ensure(n > 0.0, Reason::EmptyCurrent)?;
    in_range(0.0 <= k && k <= n, "the number of hits")?;
    check_level(level)
}

/// Fails unless `level` is a probability strictly between zero and one.
pub(crate) fn check_level(level: f64) -> Result<()> {
    in_range(level > 0.0 && level < 1.0, "the confidence level")
}

/// The percentile bootstrap of any statistic of rows drawn again with replacement.
pub fn bootstrap<T: Clone>(
    rows: &[T],
    statistic: impl Fn(&[T]) -> f64,
    resamples: usize,
    level: f64,
    seed: u64,
) -> Result<Estimate> {
    ensure(!rows.is_empty(), Reason::EmptyCurrent)?;
    check_level(level)?;
    let mut rng = Rng::new(seed);
    let mut draw = || {
        let again: Vec<T> = (0..rows.len()).map(|_| rows[rng.below(rows.len())].clone()).collect();
        statistic(&again)
    };
    let mut draws: Vec<f64> = (0..resamples.max(20)).map(|_| draw()).filter(|v| v.is_finite()).collect();
    let value = number(statistic(rows))?;
    ensure(!draws.is_empty(), Reason::NoVariation)?;
    Ok(Estimate { value, interval: percentile(&mut draws, level), n: rows.len() })
}

/// The middle `level` of the draws.
pub(crate) fn percentile(draws: &mut [f64], level: f64) -> Interval {
    draws.sort_by(f64::total_cmp);
    let tail = (1.0 - level) / 2.0;
    Interval { low: quantile(draws, tail), high: quantile(draws, 1.0 - tail), level }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hypothesis::examples::close;

    #[test]
    #[rustfmt::skip]
    fn equal_to_scipy() {
        let check = |k, n, wilson_low, wilson_high, low, high| {
            let [ours, exact] = [wilson(k, n, 0.95).unwrap(), clopper_pearson(k, n, 0.95).unwrap()];
            close("wilson low", ours.interval.low, wilson_low);
            close("wilson high", ours.interval.high, wilson_high);
            close("exact low", exact.interval.low, low);
            close("exact high", exact.interval.high, high);
        };
        check(0, 20, 0.0, 0.16112515805281935, 0.0, 0.16843347098308548);
        check(3, 20, 0.05236874589621662, 0.3604188647407569, 0.03207093718554477, 0.37892682654529564);
        check(20, 20, 0.8388748419471808, 1.0, 0.8315665290169145, 1.0);
        check(1, 1, 0.20654931437723745, 1.0, 0.025000000000000022, 1.0);
        check(450, 1000, 0.41941538407429674, 0.48096729177425873, 0.4188517096799507, 0.48144346662340654);
        check(7, 100000, 3.390903779016497e-05, 0.000144498696957113, 2.8144079025196645e-05, 0.00014422140092245166);
    }

    #[test]
    fn what_has_no_interval() {
        assert_eq!(wilson(0, 0, 0.95), Err(Reason::EmptyCurrent.into()));
        assert!(wilson(3, 2, 0.95).is_err() && wilson(1, 2, 1.0).is_err());
        assert!(bootstrap(&[] as &[f64], |_| 0.0, 100, 0.9, 1).is_err());
        assert!(bootstrap(&[1.0], |_| f64::NAN, 100, 0.9, 1).is_err());
    }

    #[test]
    fn bootstrap_of_a_mean() {
        let rows: Vec<f64> = (0..100).map(f64::from).collect();
        let mean = |rows: &[f64]| rows.iter().sum::<f64>() / rows.len() as f64;
        let ours = bootstrap(&rows, mean, 2000, 0.95, 1).unwrap();
        assert!((ours.interval.half_width() - 1.96 * 2.886).abs() < 0.4);
    }
}
