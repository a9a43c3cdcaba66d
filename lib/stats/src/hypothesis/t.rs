//! The t tests: whether the means differ.
//!
//! Student (1908), <https://doi.org/10.1093/biomet/6.1.1>; Welch (1947), <https://doi.org/10.1093/biomet/34.1-2.28>.

use crate::error::{Reason, Result, ensure};
use crate::result::{Estimate, Interval, Test};
use crate::sample::{Pair, moments};
use crate::special::{t_quantile, t_two_sided};

/// Welch's test, which does not assume equal variances: the default.
pub fn welch(pair: &Pair) -> Result<Test> {
    let (difference, error, dof) = welch_parts(pair)?;
    test(pair, difference, error, dof)
}

/// Student's test with a pooled variance.
pub fn student(pair: &Pair) -> Result<Test> {
    let (n, m) = (pair.reference.len() as f64, pair.current.len() as f64);
    let dof = n + m - 2.0;
    ensure(n.min(m) >= 1.0 && dof >= 1.0, Reason::TooFewRows { needed: 2, found: n.min(m) as usize })?;
    let ((mean_a, square_a), (mean_b, square_b)) = (squares(&pair.reference), squares(&pair.current));
    let error = ((square_a + square_b) / dof * (1.0 / n + 1.0 / m)).sqrt();
    test(pair, mean_a - mean_b, error, dof)
}

/// The difference of the means, current less reference, with Welch's interval.
pub fn mean_difference(pair: &Pair, level: f64) -> Result<Estimate> {
    let (difference, error, dof) = welch_parts(pair)?;
    ensure(error > 0.0, Reason::NoVariation)?;
    let half = t_quantile(0.5 + level / 2.0, dof) * error;
    let interval = Interval { low: -difference - half, high: -difference + half, level };
    Ok(Estimate { value: -difference, interval, n: pair.reference.len() + pair.current.len() })
}

fn welch_parts(pair: &Pair) -> Result<(f64, f64, f64)> {
    pair.at_least(2)?;
    let ((mean_a, var_a), (mean_b, var_b)) = (moments(&pair.reference, 1.0), moments(&pair.current, 1.0));
    let (n, m) = (pair.reference.len() as f64, pair.current.len() as f64);
    let (a, b) = (var_a / n, var_b / m);
    let dof = (a + b).powi(2) / (a * a / (n - 1.0) + b * b / (m - 1.0));
    Ok((mean_a - mean_b, (a + b).sqrt(), dof))
}

fn squares(values: &[f64]) -> (f64, f64) {
    let (mean, variance) = moments(values, 0.0);
    (mean, variance * values.len() as f64)
}

fn test(pair: &Pair, difference: f64, error: f64, dof: f64) -> Result<Test> {
    ensure(error > 0.0 || difference != 0.0, Reason::NoVariation)?;
    let statistic = difference / error;
    // Two different constants: infinitely many standard errors apart, as scipy has it.
    let p = if error > 0.0 { t_two_sided(statistic, dof) } else { 0.0 };
    let (n_reference, n_current) = pair.sizes();
    Ok(Test { statistic, p, n_reference, n_current })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hypothesis::examples::{close, pair};

    #[test]
    #[rustfmt::skip]
    fn equal_to_scipy() {
        let check = |name: &str, statistic: f64, p, welch_statistic: f64, welch_p| {
            let [student, welch] = [student(&pair(name)).unwrap(), welch(&pair(name)).unwrap()];
            if statistic.is_finite() {
                close(name, student.statistic, statistic);
                close(name, welch.statistic, welch_statistic);
            }
            close(name, student.p, p);
            close(name, welch.p, welch_p);
        };
        check("tiny", -0.19410690866783567, 0.858492361825282, -0.23719663729038698, 0.8297639738512897);
        check("small", -2.058444492542598, 0.05011278746440369, -2.055574481124968, 0.05105632952048278);
        check("equal n", -2.1189231461366345, 0.05009416852224316, -2.1189231461366345, 0.0506863014543181);
        check("ties", -1.7280311231260255, 0.08697956196172675, -1.681068836205271, 0.09646447438199524);
        check("large", -2.4212556192551347, 0.016599769242178476, -2.349563551259369, 0.02032499824696769);
        check("shift", -7.036915180119224, 5.639928305807361e-11, -6.513541858883696, 3.520594772182595e-09);
        check("apart", -9.239073458395854, 1.2518425615963401e-13, -10.687952948466386, 3.7607037722357614e-13);
        check("two constants", f64::NEG_INFINITY, 0.0, f64::NEG_INFINITY, 0.0);
    }

    #[test]
    fn equal_constants_have_no_t() {
        assert_eq!(student(&pair("constant")), Err(Reason::NoVariation.into()));
        assert_eq!(welch(&pair("constant")), Err(Reason::NoVariation.into()));
    }

    #[test]
    fn the_interval_agrees_with_the_test() {
        for name in ["large", "shift", "small"] {
            let difference = mean_difference(&pair(name), 0.95).unwrap();
            let significant = welch(&pair(name)).unwrap().p < 0.05;
            assert_eq!(difference.interval.contains(0.0), !significant, "{name}");
        }
    }
}
