//! Rows of many components: embeddings, compared as they are.

use crate::error::{Reason, Result, ensure};

/// Fails unless both sides hold finite vectors of one dimension.
pub fn check_vectors(reference: &[Vec<f64>], current: &[Vec<f64>]) -> Result<()> {
    ensure(!current.is_empty(), Reason::EmptyCurrent)?;
    let width = reference.first().ok_or(Reason::EmptyReference)?.len();
    ensure(width > 0 && reference.iter().chain(current).all(|v| v.len() == width), Reason::WrongShape)?;
    let finite = reference.iter().chain(current).flatten().all(|x| x.is_finite());
    ensure(finite, Reason::OutOfRange { what: "a component of a vector".into() })
}

/// The mean vector.
pub fn mean(rows: &[Vec<f64>]) -> Vec<f64> {
    let n = rows.len() as f64;
    (0..rows[0].len()).map(|j| rows.iter().map(|row| row[j]).sum::<f64>() / n).collect()
}

/// The squared Euclidean distance of two vectors.
pub fn square(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| (x - y).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn centres_and_gaps() {
        let rows = [vec![0.0, 2.0], vec![4.0, 0.0]];
        assert_eq!(mean(&rows), [2.0, 1.0]);
        assert_eq!(square(&rows[0], &rows[1]), 20.0);
    }

    #[test]
    fn what_is_no_set_of_vectors() {
        let check = |a: &[Vec<f64>], b: &[Vec<f64>], reason: Reason| {
            assert_eq!(check_vectors(a, b), Err(reason.into()));
        };
        let one = [vec![1.0, 2.0]];
        assert_eq!(check_vectors(&one, &one), Ok(()));
        check(&[], &one, Reason::EmptyReference);
        check(&one, &[], Reason::EmptyCurrent);
        check(&one, &[vec![1.0]], Reason::WrongShape);
        check(&one, &[vec![1.0, f64::NAN]], Reason::OutOfRange { what: "a component of a vector".into() });
    }
}
