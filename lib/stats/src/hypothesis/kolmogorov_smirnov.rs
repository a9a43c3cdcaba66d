//! Kolmogorov-Smirnov: the largest gap between two step functions.
//!
//! Hodges, *The significance probability of the Smirnov two-sample test* (1958), <https://doi.org/10.1007/BF02589501>,
//! for the exact law; `scipy.stats.ks_2samp` for the choice between the laws.

use super::kolmogorov;
use crate::result::Test;
use crate::sample::Pair;

/// Largest side for which the exact law is used.
const EXACT_LIMIT: usize = 10_000;

/// The two-sided test: exact up to 10,000 rows a side, asymptotic beyond.
pub fn kolmogorov_smirnov(pair: &Pair) -> Test {
    let (n, m) = pair.sizes();
    let mut test = asymptotic(pair);
    if n.max(m) <= EXACT_LIMIT {
        let lcm = n / gcd(n, m) * m;
        let height = (test.statistic * lcm as f64).round() as usize;
        test.statistic = height as f64 / lcm as f64;
        test.p = exact(n, m, height).clamp(0.0, 1.0);
    }
    test
}

/// The two-sided test by the large-sample law, whatever the size.
pub fn asymptotic(pair: &Pair) -> Test {
    let (n, m) = pair.sizes();
    let statistic = statistic(pair);
    let effective = n as f64 * m as f64 / (n as f64 + m as f64);
    let p = kolmogorov::sf(effective.round_ties_even() as u64, statistic);
    Test { statistic, p, n_reference: n, n_current: m }
}

/// The largest gap between the two step functions.
pub fn statistic(pair: &Pair) -> f64 {
    let (n, m) = pair.sizes();
    let mut gap = 0.0_f64;
    pair.steps(|_, _, i, j| gap = gap.max((i as f64 / n as f64 - j as f64 / m as f64).abs()));
    gap
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Probability that a random lattice path from `(0, 0)` to `(n, m)` leaves the band of height `height / lcm(n, m)`.
fn exact(n: usize, m: usize, height: usize) -> f64 {
    match height {
        0 => 1.0,
        _ if n == m => outside_square(n as f64, height as f64),
        _ => outside_band(n.max(m), n.min(m), gcd(n, m), height),
    }
}

/// The reflection principle, as a Horner scheme whose terms do not cancel.
fn outside_square(n: f64, h: f64) -> f64 {
    let mut p = 0.0;
    let mut k = (n / h).floor();
    while k >= 0.0 {
        let mut term = 1.0;
        for j in 0..h as u64 {
            term *= (n - k * h - j as f64) / (n + k * h + j as f64 + 1.0);
        }
        p = term * (1.0 - p);
        k -= 1.0;
    }
    2.0 * p
}

/// Column by column, the probability of having left the band; only the part of a column inside the band is kept.
fn outside_band(n: usize, m: usize, g: usize, h: usize) -> f64 {
    let (ng, mg) = (n / g, m / g);
    let (mut low, mut high) = (0, (h.div_ceil(ng)).min(m + 1));
    let mut column = vec![0.0; (2 * high + 2).min(m + 1)];
    column[..high].fill(0.0);
    let mut width = high;
    column[width..].fill(1.0);
    for i in 1..=n {
        let (low_before, width_before) = (low, width);
        low = if mg * i < h { 0 } else { (mg * i - h) / ng + 1 }.min(m);
        high = (mg * i + h).div_ceil(ng).min(m + 1);
        if high <= low {
            return 1.0;
        }
        width = high - low;
        let mut value = if low == 0 { 0.0 } else { 1.0 };
        for k in 0..width {
            let j = k + low;
            let left = column.get(j - low_before).copied().unwrap_or(1.0);
            value = (left * i as f64 + value * j as f64) / (i + j) as f64;
            column[k] = value;
        }
        let end = (width + width_before.saturating_sub(width)).min(column.len());
        column[width..end].fill(1.0);
    }
    column[width - 1]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hypothesis::examples::{close, pair};

    #[test]
    #[rustfmt::skip]
    fn equal_to_scipy() {
        let check = |name: &str, statistic, p, p_asymptotic| {
            let test = kolmogorov_smirnov(&pair(name));
            close(name, test.statistic, statistic);
            close(name, test.p, p);
            close(name, asymptotic(&pair(name)).p, p_asymptotic);
        };
        check("tiny", 0.6666666666666666, 0.6, 0.6666666666666665);
        check("small", 0.4166666666666667, 0.15079102109658038, 0.12927089670015546);
        check("equal n", 0.4444444444444444, 0.35170711641299873, 0.3072892851699437);
        check("ties", 0.17777777777777778, 0.35504808666772125, 0.3425396939880305);
        check("large", 0.21746031746031746, 0.040705961482320266, 0.04241331880805144);
        check("shift", 0.5031746031746032, 1.3178744207363032e-09, 1.1542511343653966e-09);
        check("apart", 1.0, 3.6135170070159586e-20, 0.0);
        check("constant", 0.0, 1.0, 1.0);
        check("two constants", 1.0, 6.157743228486796e-10, 0.0);
    }
}
