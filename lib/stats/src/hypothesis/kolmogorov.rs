//! The law of Kolmogorov's statistic for one sample, which is the large-sample law for two.
//!
//! Simard and L'Ecuyer, *Computing the two-sided Kolmogorov-Smirnov distribution* (2011),
//! <https://doi.org/10.18637/jss.v039.i11>: which of three formulas holds its digits where.

use crate::special::{PI_SQUARED, binomial_mass};
use std::f64::consts::PI;

/// Probability that the statistic of `n` rows is at least `d`.
pub fn sf(n: u64, d: f64) -> f64 {
    let size = n as f64;
    let t = size * d;
    if d <= 0.0 || t <= 0.5 {
        return 1.0;
    }
    if d >= 1.0 {
        return 0.0;
    }
    let exact_tail = t >= size - 1.0 || d >= 0.5 || t * d >= if n <= 140 { 4.0 } else { 2.2 };
    let p = if exact_tail {
        2.0 * one_sided_sf(n, d)
    } else if n <= 140 || n <= 100_000 && size * d.powf(1.5) <= 1.4 {
        1.0 - durbin_matrix_cdf(n, d)
    } else {
        1.0 - pelz_good_cdf(size, d)
    };
    p.clamp(0.0, 1.0)
}

/// Smirnov's one-sided tail: a sum of positive terms.
fn one_sided_sf(n: u64, d: f64) -> f64 {
    let size = n as f64;
    if (size * d * d) >= 370.0 {
        return 0.0;
    }
    let last = (size * (1.0 - d)).floor() as u64;
    let term = |j: u64| {
        let at = d + j as f64 / size;
        if at < 1.0 { binomial_mass(size, j as f64, at) / at } else { 0.0 }
    };
    d * (0..=last).map(term).sum::<f64>()
}

/// Marsaglia, Tsang and Wang, *Evaluating Kolmogorov's distribution* (2003), <https://doi.org/10.18637/jss.v008.i18>.
fn durbin_matrix_cdf(n: u64, d: f64) -> f64 {
    let size = n as f64;
    let k = (size * d).ceil() as usize;
    let base = durbin_matrix(2 * k - 1, k as f64 - size * d);
    let (power, exponent) = matrix_power(&base, n);
    let mut value = power[k - 1][k - 1];
    let mut scale = exponent;
    for i in 1..=n {
        value *= i as f64 / size;
        if value < 1e-140 {
            value *= 1e140;
            scale -= 140;
        }
    }
    value * 10f64.powi(scale)
}

fn durbin_matrix(m: usize, h: f64) -> Vec<Vec<f64>> {
    let mut inverse_factorial = vec![1.0; m + 1];
    for j in 1..=m {
        inverse_factorial[j] = inverse_factorial[j - 1] / j as f64;
    }
    let mut matrix = vec![vec![0.0; m]; m];
    for (i, row) in matrix.iter_mut().enumerate() {
        for (j, cell) in row.iter_mut().enumerate().take(i + 2) {
            *cell = inverse_factorial[i + 1 - j];
        }
    }
    for i in 0..m {
        let edge = (1.0 - h.powi(i as i32 + 1)) * inverse_factorial[i + 1];
        matrix[i][0] = edge;
        matrix[m - 1][m - 1 - i] = edge;
    }
    let corner = (2.0 * h - 1.0).max(0.0).powi(m as i32) - 2.0 * h.powi(m as i32);
    matrix[m - 1][0] = (1.0 + corner) * inverse_factorial[m];
    matrix
}

/// The `n`-th power and the decimal exponent that was taken out on the way.
fn matrix_power(base: &[Vec<f64>], n: u64) -> (Vec<Vec<f64>>, i32) {
    if n == 1 {
        return (base.to_vec(), 0);
    }
    let (half, exponent) = matrix_power(base, n / 2);
    let mut power = multiply(&half, &half);
    if n % 2 == 1 {
        power = multiply(&power, base);
    }
    let mut exponent = 2 * exponent;
    if power[base.len() / 2][base.len() / 2] > 1e140 {
        power.iter_mut().flatten().for_each(|x| *x *= 1e-140);
        exponent += 140;
    }
    (power, exponent)
}

fn multiply(a: &[Vec<f64>], b: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let m = a.len();
    let mut product = vec![vec![0.0; m]; m];
    for (row, out) in a.iter().zip(&mut product) {
        for (x, other) in row.iter().zip(b) {
            out.iter_mut().zip(other).for_each(|(o, y)| *o += x * y);
        }
    }
    product
}

/// Pelz and Good, *Approximating the lower tail-areas of the Kolmogorov-Smirnov one-sample statistic* (1976).
fn pelz_good_cdf(n: f64, d: f64) -> f64 {
    let z = n.sqrt() * d;
    let (z2, z4, z6) = (z.powi(2), z.powi(4), z.powi(6));
    let pi4 = PI_SQUARED * PI_SQUARED;
    let pi6 = pi4 * PI_SQUARED;
    let mut sums = [0.0; 4];
    let last = (16.0 * z / PI).ceil() as i32;
    for k in (1..=last).rev() {
        let m2 = f64::from(2 * k - 1).powi(2);
        let q = (-PI_SQUARED * m2 / (8.0 * z2)).exp();
        sums[0] += q;
        sums[1] += q * (-z2 + PI_SQUARED / 4.0 * m2);
        sums[2] += q
            * (6.0 * z6
                + 2.0 * z4
                + (2.0 * z4 - 5.0 * z2) * PI_SQUARED / 4.0 * m2
                + pi4 * (1.0 - 2.0 * z2) / 16.0 * m2 * m2);
        sums[3] += q
            * (-30.0 * z6 - 90.0 * z.powi(8)
                + PI_SQUARED * (135.0 * z4 - 96.0 * z6) / 4.0 * m2
                + pi4 * (-60.0 * z2 + 212.0 * z4) / 16.0 * m2 * m2
                + pi6 * (5.0 - 30.0 * z2) / 64.0 * m2.powi(3));
    }
    let root = (2.0 * PI).sqrt();
    let scales = [z, 6.0 * z4, 72.0 * z.powi(7), 6480.0 * z.powi(10)];
    let mut terms: Vec<f64> = sums.iter().zip(scales).map(|(s, scale)| s * root / scale).collect();
    for k in 1..=last {
        let k2 = f64::from(k).powi(2);
        let q = (-PI_SQUARED * k2 / (2.0 * z2)).exp();
        terms[2] -= k2 * q * PI_SQUARED * root / (36.0 * z.powi(3));
        terms[3] += (3.0 * z2 - PI_SQUARED * k2) * k2 * q * PI_SQUARED * root / (216.0 * z6);
    }
    terms.iter().enumerate().map(|(i, term)| term / n.powf(i as f64 / 2.0)).sum()
}

#[cfg(test)]
mod tests {
    use super::sf;
    use crate::hypothesis::examples::close;

    #[test]
    #[rustfmt::skip]
    fn equal_to_scipy() {
        let check = |n, d, want| close(&format!("n {n}, d {d}"), sf(n, d), want);
        check(1, 0.7, 0.6000000000000001);
        check(10, 0.03, 1.0);
        check(12, 0.28, 0.2523316463956983);
        check(20, 0.1, 0.976255094592155);
        check(30, 0.0933, 0.934715463824179);
        check(100, 0.1, 0.2526927570063874);
        check(100, 0.19, 0.0012339926382722768);
        check(140, 0.05, 0.8576480297656114);
        check(141, 0.12, 0.03160060527758468);
        check(500, 0.03, 0.7473166700457021);
        check(3000, 0.02, 0.17889813623188966);
        check(5000, 0.01, 0.6954557253913853);
        check(20000, 0.0005, 1.0);
        check(200000, 0.002, 0.39995085369038097);
        check(5000000, 0.0004, 0.40036692000218665);
        check(400, 0.3, 2.0109751414226633e-32);
    }
}
