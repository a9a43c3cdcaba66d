//! Words that tell two sides apart.
//!
//! Monroe, Colaresi and Quinn, *Fightin' words* (2008), <https://doi.org/10.1093/pan/mpn018>: log-odds with a prior that
//! keeps rare words from shouting.

use serde::{Deserialize, Serialize};

use crate::error::{Reason, Result, ensure};
use crate::multiplicity::{Dependence, adjusted};
use crate::special::normal_sf;

/// Words seen less often than this on both sides together are not judged.
const LEAST_COUNT: u64 = 5;

/// A word and how strongly it belongs to the current side (positive) or to the reference (negative).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Word {
    /// The word.
    pub word: String,
    /// Its log-odds ratio in standard errors.
    pub z: f64,
    /// Its p-value, adjusted for all words looked at.
    pub p_adjusted: f64,
    /// Occurrences in the reference.
    pub n_reference: u64,
    /// Occurrences on the current side.
    pub n_current: u64,
}

/// The z score of every word, with the prior `count · 10 / total + 0.01` of the pooled counts.
pub fn z_scores(reference: &[u64], current: &[u64]) -> Result<Vec<f64>> {
    ensure(reference.len() == current.len(), Reason::WrongShape)?;
    let (n, m) = (reference.iter().sum::<u64>() as f64, current.iter().sum::<u64>() as f64);
    ensure(n + m > 0.0, Reason::EmptyReference)?;
    let prior = |a: u64, b: u64| (a + b) as f64 * 10.0 / (n + m) + 0.01;
    let mass: f64 = reference.iter().zip(current).map(|(&a, &b)| prior(a, b)).sum();
    let score = |(&a, &b): (&u64, &u64)| {
        let (x, y) = (a as f64 + prior(a, b), b as f64 + prior(a, b));
        // A vocabulary of one word has no odds; it then says nothing.
        let (rest_x, rest_y) = ((n + mass - x).max(1e-9), (m + mass - y).max(1e-9));
        ((y / rest_y).ln() - (x / rest_x).ln()) / (1.0 / x + 1.0 / y).sqrt()
    };
    Ok(reference.iter().zip(current).map(score).collect())
}

/// The words whose adjusted p-value is at most `alpha`, strongest first.
pub fn telling(words: &[&str], reference: &[u64], current: &[u64], alpha: f64) -> Result<Vec<Word>> {
    ensure(words.len() == reference.len(), Reason::WrongShape)?;
    let z = z_scores(reference, current)?;
    let judged: Vec<usize> = (0..words.len()).filter(|&i| reference[i] + current[i] >= LEAST_COUNT).collect();
    let p: Vec<f64> = judged.iter().map(|&i| (2.0 * normal_sf(z[i].abs())).min(1.0)).collect();
    let word = |(&i, &p_adjusted): (&usize, &f64)| Word {
        word: words[i].to_owned(),
        z: z[i],
        p_adjusted,
        n_reference: reference[i],
        n_current: current[i],
    };
    let mut found: Vec<Word> = judged.iter().zip(&adjusted(&p, Dependence::Positive)).map(word).collect();
    found.retain(|w| w.p_adjusted <= alpha);
    found.sort_by(|a, b| b.z.abs().total_cmp(&a.z.abs()));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rare_words_do_not_shout() {
        let words = ["the", "a", "phone", "battery", "screen", "once"];
        let found = telling(&words, &[500, 480, 470, 5, 30, 0], &[490, 485, 480, 60, 28, 2], 0.05).unwrap();
        assert!(found.iter().all(|w| w.word != "once"));
        assert_eq!((found[0].word.as_str(), found[0].z > 4.0), ("battery", true));
    }

    #[test]
    fn nothing_moved_nothing_found() {
        assert_eq!(telling(&["a", "b"], &[50, 50], &[50, 50], 0.05).unwrap(), []);
        assert!(z_scores(&[0], &[0]).is_err() && z_scores(&[1], &[]).is_err());
        assert!(z_scores(&[7], &[9]).unwrap()[0].is_finite());
    }
}
