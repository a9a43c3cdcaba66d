//! Cramér-von Mises: the squared gap between two step functions, summed.
//!
//! Anderson, *On the distribution of the two-sample Cramér-von Mises criterion* (1962),
//! <https://doi.org/10.1214/aoms/1177704477>; Xiao, Gordon and Yakovlev (2006), <https://doi.org/10.18637/jss.v017.i08>,
//! for the exact law; Csörgő and Faraway (1996) for the large-sample law.

use std::collections::HashMap;
use std::f64::consts::PI;

use crate::error::Result;
use crate::result::Test;
use crate::sample::Pair;
use crate::special::{bessel_k_scaled, ln_choose, ln_gamma};

/// Largest side for which the exact law is used.
pub const EXACT_LIMIT: usize = 20;

/// The test: exact up to 20 rows a side, asymptotic beyond.
pub fn cramer_von_mises(pair: &Pair) -> Result<Test> {
    pair.at_least(2)?;
    let (n, m) = pair.sizes();
    let u = rank_sum(pair);
    let statistic = criterion(u, n, m);
    let p = if n.max(m) <= EXACT_LIMIT { exact(u, n, m) } else { asymptotic(statistic, n, m) };
    Ok(Test { statistic, p: p.clamp(0.0, 1.0), n_reference: n, n_current: m })
}

/// Anderson's `U`: squared distances between midranks and ranks.
pub fn rank_sum(pair: &Pair) -> f64 {
    let (n, m) = pair.sizes();
    let (mut own, mut other, mut before) = (0.0, 0.0, (0, 0));
    let mut group = |i: usize, j: usize| {
        let midrank = (before.0 + before.1 + i + j + 1) as f64 / 2.0;
        own += (before.0..i).map(|k| (midrank - (k + 1) as f64).powi(2)).sum::<f64>();
        other += (before.1..j).map(|k| (midrank - (k + 1) as f64).powi(2)).sum::<f64>();
        before = (i, j);
    };
    pair.steps(|_, _, i, j| group(i, j));
    group(n, m);
    n as f64 * own + m as f64 * other
}

/// The criterion `T` that belongs to `U`, equation 9 of Anderson.
fn criterion(u: f64, n: usize, m: usize) -> f64 {
    let (pairs, all) = ((n * m) as f64, (n + m) as f64);
    u / (pairs * all) - (4.0 * pairs - 1.0) / (6.0 * all)
}

/// The threshold of Xiao's frequency table that `U` stands for; both are scaled to whole numbers.
pub fn scaled_threshold(u: f64, n: usize, m: usize) -> f64 {
    let pairs = (n * m) as f64;
    let lcm = lcm(n, m) as f64;
    (lcm * lcm * (n + m) as f64 * (6.0 * u - pairs * (4.0 * pairs - 1.0)) / (6.0 * pairs * pairs)).floor()
}

/// The least common multiple of two sizes.
pub fn lcm(a: usize, b: usize) -> usize {
    let (mut x, mut y) = (a, b);
    while y > 0 {
        (x, y) = (y, x % y);
    }
    a / x * b
}

/// All lattice paths, by the height they collect. Tables hold shares, so that no count overflows.
fn exact(u: f64, n: usize, m: usize) -> f64 {
    let threshold = scaled_threshold(u, n, m);
    let lcm = lcm(n, m);
    let (a, b) = ((lcm / n) as i64, (lcm / m) as i64);
    let mut row: Vec<HashMap<i64, f64>> = vec![HashMap::new(); n + 1];
    row[0].insert(0, 1.0);
    for right in 0..=m {
        let mut left: HashMap<i64, f64> = HashMap::new();
        for (up, cell) in row.iter_mut().enumerate() {
            for (height, ways) in cell.iter() {
                *left.entry(*height).or_insert(0.0) += ways;
            }
            let step = (a * up as i64 - b * right as i64).pow(2);
            left = left.iter().map(|(height, ways)| (height + step, *ways)).collect();
            cell.clone_from(&left);
        }
    }
    let beyond: f64 = row[n].iter().filter(|(height, _)| **height as f64 >= threshold).map(|(_, w)| w).sum();
    beyond / ln_choose((n + m) as f64, n as f64).exp().round()
}

fn asymptotic(statistic: f64, n: usize, m: usize) -> f64 {
    let (n, m) = (n as f64, m as f64);
    let (pairs, all) = (n * m, n + m);
    let mean = (1.0 + 1.0 / all) / 6.0;
    let variance = (all + 1.0) * (4.0 * pairs * all - 3.0 * (n * n + m * m) - 2.0 * pairs)
        / (45.0 * all * all * 4.0 * pairs);
    let standard = 1.0 / 6.0 + (statistic - mean) / (45.0 * variance).sqrt();
    if standard < 0.003 { 1.0 } else { (1.0 - limit_cdf(standard)).max(0.0) }
}

/// Csörgő and Faraway, equation 1.2.
fn limit_cdf(x: f64) -> f64 {
    let mut sum = 0.0;
    for k in 0..100 {
        let k = f64::from(k);
        let y = 4.0 * k + 1.0;
        let q = y * y / (16.0 * x);
        let front = (ln_gamma(k + 0.5) - ln_gamma(k + 1.0)).exp() / (PI.powf(1.5) * x.sqrt());
        let term = front * y.sqrt() * (-2.0 * q).exp() * bessel_k_scaled(0.25, q);
        sum += term;
        if term < 1e-7 {
            break;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Reason;
    use crate::hypothesis::examples::{close, pair};

    #[test]
    #[rustfmt::skip]
    fn equal_to_scipy() {
        let check = |name: &str, statistic, p| {
            let test = cramer_von_mises(&pair(name)).unwrap();
            close(name, test.statistic, statistic);
            close(name, test.p, p);
        };
        check("tiny", 0.16666666666666663, 0.6);
        check("small", 0.401234567901235, 0.07484672564091059);
        check("equal n", 0.32407407407407396, 0.12871246400658165);
        check("ties", 0.27829365079364976, 0.15686735102578764);
        check("large", 0.5506845238095224, 0.029645275511226865);
        check("shift", 3.22171626984127, 2.3373038282592518e-08);
        check("apart", 5.716666666666667, 7.270193336239572e-10);
        check("constant", 0.24285714285714288, 0.20694152110716124);
        check("two constants", 4.528571428571428, 0.0);
    }

    #[test]
    fn one_row_is_too_few() {
        let one = Pair::new(&[1.0], &[2.0, 3.0]).unwrap();
        assert_eq!(cramer_von_mises(&one), Err(Reason::TooFewRows { needed: 2, found: 1 }.into()));
    }
}
