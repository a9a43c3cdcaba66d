//! Whether annotators mean the same.
//!
//! Cohen, *A coefficient of agreement for nominal scales* (1960), <https://doi.org/10.1177/001316446002000104>;
//! Krippendorff, *Computing Krippendorff's alpha-reliability* (2011), <https://repository.upenn.edu/asc_papers/43>.

use crate::error::{Reason, Result, ensure, in_range};

/// Cohen's kappa of two annotators over the same items.
pub fn cohen_kappa(first: &[usize], second: &[usize]) -> Result<f64> {
    ensure(first.len() == second.len(), Reason::WrongShape)?;
    ensure(!first.is_empty(), Reason::EmptyReference)?;
    let n = first.len() as f64;
    let classes = first.iter().chain(second).max().map_or(0, |m| m + 1);
    in_range(classes <= 1_000_000, "a class")?;
    let share = |of: &[usize]| {
        let mut shares = vec![0.0; classes];
        of.iter().for_each(|&c| shares[c] += 1.0 / n);
        shares
    };
    let agreed = first.iter().zip(second).filter(|(a, b)| a == b).count() as f64 / n;
    let chance: f64 = share(first).iter().zip(share(second)).map(|(a, b)| a * b).sum();
    ensure(chance < 1.0, Reason::OneCategory)?;
    Ok((agreed - chance) / (1.0 - chance))
}

/// How far two values are apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Names: equal or not.
    Nominal,
    /// Numbers: the squared difference.
    Interval,
}

/// Krippendorff's alpha: any number of annotators, any of whom may have skipped any item.
pub fn krippendorff_alpha(items: &[Vec<Option<f64>>], scale: Scale) -> Result<f64> {
    let distance = |a: f64, b: f64| match scale {
        Scale::Nominal => f64::from(u8::from(a != b)),
        Scale::Interval => (a - b).powi(2),
    };
    let rated: Vec<Vec<f64>> = items.iter().map(|item| item.iter().flatten().copied().collect()).collect();
    let rated: Vec<Vec<f64>> = rated.into_iter().filter(|values: &Vec<f64>| values.len() >= 2).collect();
    in_range(rated.iter().flatten().all(|v| v.is_finite()), "a rating")?;
    let n: f64 = rated.iter().map(|values| values.len() as f64).sum();
    ensure(n > 0.0, Reason::EmptyReference)?;
    let within = |values: &Vec<f64>| {
        let pairs: f64 = values.iter().flat_map(|&a| values.iter().map(move |&b| distance(a, b))).sum();
        pairs / (values.len() as f64 - 1.0)
    };
    let observed = rated.iter().map(within).sum::<f64>() / n;
    let expected = pooled_distance(rated.into_iter().flatten().collect(), scale) / (n * (n - 1.0));
    ensure(expected > 0.0, Reason::NoVariation)?;
    Ok(1.0 - observed / expected)
}

/// The sum of distances over all ordered pairs, without visiting them all.
fn pooled_distance(mut values: Vec<f64>, scale: Scale) -> f64 {
    let n = values.len() as f64;
    match scale {
        Scale::Interval => {
            let mean = values.iter().sum::<f64>() / n;
            2.0 * n * values.iter().map(|v| (v - mean).powi(2)).sum::<f64>()
        }
        Scale::Nominal => {
            values.sort_by(f64::total_cmp);
            n * n - values.chunk_by(|a, b| a == b).map(|group| (group.len() as f64).powi(2)).sum::<f64>()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hypothesis::examples::close;

    #[test]
    fn kappa() {
        let check = |a: &[usize], b: &[usize], want| close("kappa", cohen_kappa(a, b).unwrap(), want);
        check(&[0, 1, 0, 1], &[0, 1, 0, 1], 1.0);
        check(&[0, 0, 1, 1], &[0, 1, 0, 1], 0.0);
        // sklearn.metrics.cohen_kappa_score
        check(&[0, 1, 2, 2, 1, 0, 0, 2], &[0, 2, 2, 2, 1, 0, 1, 1], 0.441_860_465_116_279_1);
        assert!(cohen_kappa(&[1, 1], &[1, 1]).is_err() && cohen_kappa(&[], &[]).is_err());
    }

    /// The worked example of Krippendorff (2011), part C: four observers, twelve units, gaps.
    #[test]
    fn alpha() {
        let table = [
            [1, 1, 0, 1],
            [2, 2, 3, 2],
            [3, 3, 3, 3],
            [3, 3, 3, 3],
            [2, 2, 2, 2],
            [1, 2, 3, 4],
            [4, 4, 4, 4],
            [1, 1, 2, 1],
            [2, 2, 2, 2],
            [0, 5, 5, 5],
            [0, 0, 1, 1],
            [0, 0, 3, 0],
        ];
        let rating = |r: u8| (r > 0).then_some(f64::from(r));
        let items: Vec<Vec<Option<f64>>> = table.iter().map(|row| row.map(rating).to_vec()).collect();
        close("nominal", krippendorff_alpha(&items, Scale::Nominal).unwrap(), 0.743_421_052_631_578_9);
        close("interval", krippendorff_alpha(&items, Scale::Interval).unwrap(), 0.849_107_142_857_142_8);
        assert!(krippendorff_alpha(&[vec![Some(1.0), None]], Scale::Nominal).is_err());
        assert!(krippendorff_alpha(&[vec![Some(1.0); 3]], Scale::Nominal).is_err());
    }
}
