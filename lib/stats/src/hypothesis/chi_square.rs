//! Chi-square and G: whether two columns of counts have the same shares.
//!
//! Pearson (1900), <https://doi.org/10.1080/14786440009463897>; Cressie and Read (1984),
//! <https://doi.org/10.1111/j.2517-6161.1984.tb01318.x>, for the family both belong to.

use serde::{Deserialize, Serialize};

use crate::error::{Reason, Result, ensure};
use crate::result::Test;
use crate::sample::Counts;
use crate::special::chi_square_sf;

/// Which of the two statistics; they agree when counts are large.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Statistic {
    /// Pearson's chi-square.
    Pearson,
    /// Twice the log-likelihood ratio.
    G,
}

impl Statistic {
    fn term(self, observed: f64, expected: f64) -> f64 {
        match self {
            Self::Pearson => (observed - expected).powi(2) / expected,
            Self::G if observed > 0.0 => 2.0 * observed * (observed / expected).ln(),
            Self::G => 0.0,
        }
    }
}

/// The two-sample test: both sides are samples, as they are in truth.
pub fn homogeneity(counts: &Counts, statistic: Statistic) -> Result<Test> {
    ensure(counts.len() > 1, Reason::OneCategory)?;
    let (n, m) = counts.totals();
    let cells = |(a, b): (f64, f64)| {
        let (left, right) = ((a + b) * n / (n + m), (a + b) * m / (n + m));
        statistic.term(a, left) + statistic.term(b, right)
    };
    let value: f64 = counts.pairs().map(cells).sum();
    test(counts, value)
}

/// Goodness of fit: the reference is taken to be the exact truth, which it is not. Only `doxa-compat` wants this.
///
/// With `rescale`, expected counts are brought to the total of the observed ones; without, the totals must agree.
pub fn goodness_of_fit(counts: &Counts, statistic: Statistic, rescale: bool) -> Result<Test> {
    let (n, m) = counts.totals();
    let factor = if rescale { m / n } else { 1.0 };
    let gap = (n * factor - m).abs() / m.min(n * factor);
    ensure(gap <= f64::EPSILON.sqrt(), Reason::UnequalTotals)?;
    ensure(counts.len() > 1, Reason::OneCategory)?;
    let value: f64 = counts.pairs().map(|(a, b)| statistic.term(b, a * factor)).sum();
    test(counts, value)
}

fn test(counts: &Counts, statistic: f64) -> Result<Test> {
    let p = chi_square_sf(statistic, counts.len() as f64 - 1.0);
    let (n_reference, n_current) = counts.sizes();
    Ok(Test { statistic, p, n_reference, n_current })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hypothesis::examples::close;

    fn counts(reference: &[u64], current: &[u64]) -> Counts {
        let labels: Vec<String> = (0..reference.len()).map(|i| i.to_string()).collect();
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        Counts::new(&labels, reference, current).unwrap()
    }

    #[test]
    #[rustfmt::skip]
    fn equal_to_scipy() {
        let check = |a: &[u64], b: &[u64], statistic, p, g, g_p| {
            let pearson = homogeneity(&counts(a, b), Statistic::Pearson).unwrap();
            let likelihood = homogeneity(&counts(a, b), Statistic::G).unwrap();
            close("chi2", pearson.statistic, statistic);
            close("chi2 p", pearson.p, p);
            close("G", likelihood.statistic, g);
            close("G p", likelihood.p, g_p);
        };
        check(&[30, 34, 26], &[19, 43, 28], 3.5954098811241666, 0.16567869466754806, 3.619006070857833, 0.16373548732309517);
        check(&[22, 41, 27], &[33, 22, 5], 17.76579034391535, 0.00013874190186781532, 18.618490733337012, 9.058287624759503e-05);
        check(&[30, 28, 22, 0], &[25, 31, 23, 1], 1.6293100496490327, 0.6527623737988018, 2.0163002149436506, 0.5690304362959011);
        check(&[193, 1, 2, 1, 1, 2], &[39, 0, 1, 0, 0, 0], 1.603448275862069, 0.9008320310998119, 2.320376108287773, 0.8032695841578478);
        check(&[60000, 40000], &[600, 410], 0.14702257453688689, 0.7013970869563805, 0.14678902371466407, 0.701622963870236);
    }

    #[test]
    fn one_sided_truth_is_overconfident() {
        let table = counts(&[30, 34, 26], &[19, 43, 28]);
        let naive = goodness_of_fit(&table, Statistic::Pearson, true).unwrap();
        assert!(naive.p < homogeneity(&table, Statistic::Pearson).unwrap().p / 3.0);
        let unseen = goodness_of_fit(&counts(&[50, 0], &[49, 1]), Statistic::Pearson, true).unwrap();
        assert_eq!((unseen.statistic, unseen.p), (f64::INFINITY, 0.0));
    }

    #[test]
    fn what_has_no_answer() {
        let one = homogeneity(&counts(&[5], &[7]), Statistic::G);
        assert_eq!(one, Err(Reason::OneCategory.into()));
        let uneven = goodness_of_fit(&counts(&[5, 5], &[5, 6]), Statistic::G, false);
        assert_eq!(uneven, Err(Reason::UnequalTotals.into()));
    }
}
