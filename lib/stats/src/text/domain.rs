//! Text drift: can the words tell the sides apart, better than chance, and which do?
//!
//! Rabanser, Günnemann and Lipton, *Failing loudly*, <https://arxiv.org/abs/1810.11953>; Kim et al., *Classification
//! accuracy as a proxy for two-sample testing*, <https://arxiv.org/abs/1602.02210>. The classifier is a naive one (sums
//! of smoothed log-odds), because it trains in one pass: so the permutation test can train it anew each time, and its p
//! is exact at any size.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};

use super::{area_under_curve, stop_words, words};
use crate::error::{Reason, Result, ensure};
use crate::explain::words::{Word, telling};
use crate::rng::Rng;

/// How the texts are taken apart and how hard chance is tried.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Options {
    /// Number of folds: each text is scored by a classifier that has not seen it.
    pub folds: usize,
    /// Number of permutations; `1 / (permutations + 1)` is the smallest p.
    pub permutations: usize,
    /// False share allowed among the words.
    pub alpha: f64,
    /// Seed of the folds and permutations.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { folds: 5, permutations: 199, alpha: 0.05, seed: 1 }
    }
}

/// What the texts say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TextDrift {
    /// The chance that a current text looks more current than a reference one; 0.5 is no difference.
    pub area: f64,
    /// Probability of such an area if nothing had changed.
    pub p: f64,
    /// Texts of the reference.
    pub n_reference: usize,
    /// Texts of the current side.
    pub n_current: usize,
    /// The words that tell the sides apart, strongest first.
    pub words: Vec<Word>,
}

/// Compares two sets of texts.
pub fn text_drift(reference: &[&str], current: &[&str], options: &Options) -> Result<TextDrift> {
    let found = reference.len().min(current.len());
    ensure(!reference.is_empty(), Reason::EmptyReference)?;
    ensure(!current.is_empty(), Reason::EmptyCurrent)?;
    let needed = options.folds.max(2);
    ensure(found >= needed, Reason::TooFewRows { needed, found })?;
    let corpus = Corpus::new(reference, current);
    ensure(!corpus.vocabulary.is_empty(), Reason::NoVariation)?;
    let mut side: Vec<bool> = (0..corpus.texts.len()).map(|i| i >= reference.len()).collect();
    let mut rng = Rng::new(options.seed);
    let mut folds: Vec<usize> = (0..side.len()).map(|i| i % needed).collect();
    rng.shuffle(&mut folds);
    let area = corpus.cross_fitted_area(&side, &folds, needed);
    let (a, b) = corpus.counts(&side);
    let names: Vec<&str> = corpus.vocabulary.iter().map(String::as_str).collect();
    let words = telling(&names, &a, &b, options.alpha)?;
    let mut beyond = 1;
    for _ in 0..options.permutations {
        rng.shuffle(&mut side);
        beyond += usize::from(corpus.cross_fitted_area(&side, &folds, needed) >= area - 1e-12);
    }
    let p = beyond as f64 / (options.permutations + 1) as f64;
    Ok(TextDrift { area, p, n_reference: reference.len(), n_current: current.len(), words })
}

struct Corpus {
    vocabulary: Vec<String>,
    /// Distinct words of each text: a text that repeats itself is still one voice.
    texts: Vec<Vec<u32>>,
}

impl Corpus {
    fn new(reference: &[&str], current: &[&str]) -> Self {
        let stop: HashSet<&str> = stop_words().collect();
        let mut index: BTreeMap<String, u32> = BTreeMap::new();
        let mut texts = Vec::new();
        for text in reference.iter().chain(current) {
            let mut ids: Vec<u32> = Vec::new();
            for word in words(text).into_iter().filter(|w| !stop.contains(w.as_str())) {
                let next = index.len() as u32;
                ids.push(*index.entry(word).or_insert(next));
            }
            ids.sort_unstable();
            ids.dedup();
            texts.push(ids);
        }
        let mut vocabulary = vec![String::new(); index.len()];
        for (word, id) in index {
            vocabulary[id as usize] = word;
        }
        Self { vocabulary, texts }
    }

    /// Texts that hold each word, on both sides.
    fn counts(&self, current: &[bool]) -> (Vec<u64>, Vec<u64>) {
        let mut counts = [vec![0; self.vocabulary.len()], vec![0; self.vocabulary.len()]];
        for (text, &side) in self.texts.iter().zip(current) {
            text.iter().for_each(|&word| counts[usize::from(side)][word as usize] += 1);
        }
        let [a, b] = counts;
        (a, b)
    }

    /// The mean of the areas of the folds.
    fn cross_fitted_area(&self, current: &[bool], folds: &[usize], k: usize) -> f64 {
        let mut areas = Vec::new();
        for fold in 0..k {
            let weights = self.log_odds(current, folds, fold);
            let (mut scores, mut sides) = (Vec::new(), Vec::new());
            for (i, text) in self.texts.iter().enumerate().filter(|(i, _)| folds[*i] == fold) {
                scores.push(text.iter().map(|&word| weights[word as usize]).sum());
                sides.push(current[i]);
            }
            areas.extend(area_under_curve(&scores, &sides));
        }
        areas.iter().sum::<f64>() / areas.len().max(1) as f64
    }

    fn log_odds(&self, current: &[bool], folds: &[usize], left_out: usize) -> Vec<f64> {
        let mut counts = vec![[0.5_f64; 2]; self.vocabulary.len()];
        let mut totals = [1.0_f64; 2];
        for ((text, &side), _) in self.texts.iter().zip(current).zip(folds).filter(|(_, f)| **f != left_out) {
            totals[usize::from(side)] += 1.0;
            text.iter().for_each(|&word| counts[word as usize][usize::from(side)] += 1.0);
        }
        counts.iter().map(|[a, b]| (b / totals[1] / (a / totals[0])).ln()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(n: usize, seed: u64, broken: f64) -> Vec<String> {
        let mut rng = Rng::new(seed);
        let vocabulary = ["screen", "battery", "price", "camera", "sound", "late", "love", "fast"];
        let text = |rng: &mut Rng| {
            let mut words: Vec<&str> = (0..6).map(|_| vocabulary[rng.below(8)]).collect();
            if rng.chance(broken) {
                words.push("broken");
            }
            words.join(" ")
        };
        (0..n).map(|_| text(&mut rng)).collect()
    }

    fn compare(a: &[String], b: &[String]) -> Result<TextDrift> {
        let a: Vec<&str> = a.iter().map(String::as_str).collect();
        let b: Vec<&str> = b.iter().map(String::as_str).collect();
        text_drift(&a, &b, &Options { permutations: 59, ..Options::default() })
    }

    #[test]
    fn finds_the_word() {
        let drift = compare(&texts(80, 1, 0.05), &texts(80, 2, 0.7)).unwrap();
        assert!(drift.p < 0.02 && drift.area > 0.7, "{drift:?}");
        assert_eq!(drift.words[0].word, "broken");
    }

    #[test]
    fn nothing_moved() {
        let alarms =
            (0..10).filter(|i| compare(&texts(30, 10 + i, 0.2), &texts(30, 90 + i, 0.2)).unwrap().p <= 0.05);
        assert!(alarms.count() <= 2);
    }

    #[test]
    fn what_cannot_be_compared() {
        assert_eq!(compare(&[], &texts(9, 1, 0.1)), Err(Reason::EmptyReference.into()));
        assert!(compare(&texts(3, 1, 0.1), &texts(9, 1, 0.1)).is_err());
        let empty = vec![String::from("the of"); 9];
        assert_eq!(compare(&empty, &empty), Err(Reason::NoVariation.into()));
    }
}
