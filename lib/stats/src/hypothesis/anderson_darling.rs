//! Anderson-Darling for two samples, with midranks: like Cramér-von Mises, with more weight on the tails.
//!
//! Scholz and Stephens, *K-sample Anderson-Darling tests* (1987), <https://doi.org/10.2307/2288805>.

use crate::error::{Reason, Result, ensure};
use crate::linalg::solve;
use crate::result::Test;
use crate::sample::Pair;

/// Critical values of Table 2 for two samples, and the significance they stand for.
const CRITICAL: [(f64, f64); 7] = [
    (0.675 - 0.245 - 0.105, 0.25),
    (1.281 + 0.25 - 0.305, 0.1),
    (1.645 + 0.678 - 0.362, 0.05),
    (1.96 + 1.149 - 0.391, 0.025),
    (2.326 + 1.822 - 0.396, 0.01),
    (2.573 + 2.364 - 0.345, 0.005),
    (3.085 + 3.615 - 0.154, 0.001),
];

/// The test. Its p is interpolated in a table and clipped to `[0.001, 0.25]`, as in `scipy.stats.anderson_ksamp`.
pub fn anderson_darling(pair: &Pair) -> Result<Test> {
    let (n, m) = pair.sizes();
    ensure(n + m >= 4, Reason::TooFewRows { needed: 2, found: n.min(m) })?;
    let raw = statistic(pair).ok_or(Reason::NoVariation)?;
    let statistic = (raw - 1.0) / variance(n, m).sqrt();
    Ok(Test { statistic, p: tabled_p(statistic), n_reference: n, n_current: m })
}

fn statistic(pair: &Pair) -> Option<f64> {
    let (n, m) = (pair.reference.len() as f64, pair.current.len() as f64);
    let all = n + m;
    let (mut sum, mut before, mut groups) = (0.0, (0.0, 0.0), 0);
    let mut group = |i: f64, j: f64| {
        let (a, b) = (i - before.0, j - before.1);
        let ties = a + b;
        let below = before.0 + before.1 + ties / 2.0;
        let weight = ties / all / (below * (all - below) - all * ties / 4.0);
        sum += weight * (all * (before.0 + a / 2.0) - below * n).powi(2) / n;
        sum += weight * (all * (before.1 + b / 2.0) - below * m).powi(2) / m;
        before = (i, j);
        groups += 1;
    };
    pair.steps(|_, _, i, j| group(i as f64, j as f64));
    group(n, m);
    (groups > 1).then_some(sum * (all - 1.0) / all)
}

/// Variance of the statistic if nothing changed, equation 4, for two samples.
fn variance(n: usize, m: usize) -> f64 {
    let all = (n + m) as f64;
    let inverse = 1.0 / n as f64 + 1.0 / m as f64;
    let (mut harmonic, mut g) = (0.0, 0.0);
    for i in 2..n + m {
        harmonic += 1.0 / (all - i as f64 + 1.0);
        g += harmonic / i as f64;
    }
    let h = harmonic + 1.0;
    let k = 2.0;
    let a = (4.0 * g - 6.0) * (k - 1.0) + (10.0 - 6.0 * g) * inverse;
    let b = (2.0 * g - 4.0) * k * k + 8.0 * h * k + (2.0 * g - 14.0 * h - 4.0) * inverse - 8.0 * h + 4.0 * g
        - 6.0;
    let c = (6.0 * h + 2.0 * g - 2.0) * k * k
        + (4.0 * h - 4.0 * g + 6.0) * k
        + (2.0 * h - 6.0) * inverse
        + 4.0 * h;
    let d = (2.0 * h + 6.0) * k * k - 4.0 * h * k;
    (a * all.powi(3) + b * all.powi(2) + c * all + d) / ((all - 1.0) * (all - 2.0) * (all - 3.0))
}

fn tabled_p(statistic: f64) -> f64 {
    let (first, last) = (CRITICAL[0], CRITICAL[CRITICAL.len() - 1]);
    if statistic < first.0 {
        return first.1;
    }
    if statistic > last.0 {
        return last.1;
    }
    let [a, b, c] = parabola();
    let x = statistic - CENTRE;
    (a + b * x + c * x * x).exp()
}

/// The fit is centred here, or its normal equations would lose half of their digits.
const CENTRE: f64 = 2.8;

/// Least squares of `ln p` on the critical values.
fn parabola() -> [f64; 3] {
    let mut normal = vec![vec![0.0; 3]; 3];
    let mut right = vec![0.0; 3];
    for (critical, p) in CRITICAL {
        let powers = [1.0, critical - CENTRE, (critical - CENTRE).powi(2)];
        for (i, x) in powers.iter().enumerate() {
            right[i] += x * p.ln();
            for (j, y) in powers.iter().enumerate() {
                normal[i][j] += x * y;
            }
        }
    }
    let fit = solve(normal, right).unwrap_or_default();
    std::array::from_fn(|i| fit.get(i).copied().unwrap_or(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hypothesis::examples::{close, pair};

    #[test]
    #[rustfmt::skip]
    fn equal_to_scipy() {
        let check = |name: &str, statistic, p| {
            let test = anderson_darling(&pair(name)).unwrap();
            close(name, test.statistic, statistic);
            close(name, test.p, p);
        };
        check("tiny", -0.4920359440009871, 0.25);
        check("small", 2.228878421706871, 0.03937680201706134);
        check("equal n", 1.5071657459700145, 0.07761481415411083);
        check("ties", 1.8268930015914913, 0.057328608645553274);
        check("large", 3.939753188978468, 0.008501866483564541);
        check("shift", 21.93281278883775, 0.001);
        check("apart", 34.85063977518692, 0.001);
        check("two constants", 45.65206418829345, 0.001);
    }

    #[test]
    fn constants_have_no_spread() {
        assert_eq!(anderson_darling(&pair("constant")), Err(Reason::NoVariation.into()));
    }
}
