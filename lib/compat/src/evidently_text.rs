//! Evidently's text drift: can a classifier tell the sides apart?

use std::collections::{BTreeMap, HashMap, HashSet};

use doxa_stats::error::{Reason, Result, ensure};
use doxa_stats::sample::{quantile, sorted};
use doxa_stats::text::{area_under_curve, stop_words, words};

use crate::numpy_random::{RandomState, split_in_half};
use crate::sgd::{Model, Recipe, Row};

/// Weights words as `TfidfVectorizer(sublinear_tf=True, max_df=0.5, stop_words="english")` does.
struct Weighting<'a> {
    index: BTreeMap<&'a str, usize>,
    rarity: Vec<f64>,
    /// When each word was first seen: the order in which rows are stored there, and summed.
    seen: Vec<usize>,
}

impl<'a> Weighting<'a> {
    fn learn(texts: &[&'a [String]]) -> Self {
        let mut frequency: BTreeMap<&str, usize> = BTreeMap::new();
        for text in texts {
            for word in text.iter().map(String::as_str).collect::<HashSet<_>>() {
                *frequency.entry(word).or_default() += 1;
            }
        }
        frequency.retain(|_, n| *n as f64 <= 0.5 * texts.len() as f64);
        let rarity = frequency.values().map(|&n| ((1.0 + texts.len() as f64) / (1.0 + n as f64)).ln() + 1.0);
        let rarity = rarity.collect();
        let index: BTreeMap<&str, usize> = frequency.keys().enumerate().map(|(i, word)| (*word, i)).collect();
        let mut seen = vec![usize::MAX; index.len()];
        for (time, word) in texts.iter().flat_map(|text| text.iter()).enumerate() {
            if let Some(&i) = index.get(word.as_str()) {
                seen[i] = seen[i].min(time);
            }
        }
        Self { index, rarity, seen }
    }

    /// A row to train on: its order decides how sums are rounded, and the early giant steps amplify that.
    fn training_row(&self, text: &[String]) -> Row {
        let mut row = self.weights(text);
        row.sort_by_key(|(i, _)| self.seen[*i]);
        normalised(row)
    }

    /// A row to be scored.
    fn row(&self, text: &[String]) -> Row {
        normalised(self.weights(text))
    }

    fn weights(&self, text: &[String]) -> Row {
        let mut counts: BTreeMap<usize, f64> = BTreeMap::new();
        for word in text {
            if let Some(&i) = self.index.get(word.as_str()) {
                *counts.entry(i).or_default() += 1.0;
            }
        }
        counts.into_iter().map(|(i, n)| (i, (n.ln() + 1.0) * self.rarity[i])).collect()
    }
}

fn normalised(mut row: Row) -> Row {
    let length = row.iter().map(|(_, x)| x * x).sum::<f64>().sqrt();
    row.iter_mut().for_each(|(_, x)| *x /= length);
    row
}

/// The words of every text, reference first, without those that carry no topic.
fn tokens(reference: &[&str], current: &[&str]) -> Vec<Vec<String>> {
    let stop: HashSet<&str> = stop_words().collect();
    let words = |text: &&str| words(text).into_iter().filter(|w| !stop.contains(w.as_str())).collect();
    reference.iter().chain(current).map(words).collect()
}

/// The area under the curve, and the 1000 areas of a random classifier on the same test rows.
pub(crate) struct Separation {
    pub(crate) area: f64,
    current_in_test: Vec<bool>,
}

/// Trains on one half, tests on the other.
pub(crate) fn separation(reference: &[&str], current: &[&str]) -> Result<Separation> {
    ensure(!reference.is_empty(), Reason::EmptyReference)?;
    ensure(!current.is_empty(), Reason::EmptyCurrent)?;
    let texts = tokens(reference, current);
    let (train, test) = split_in_half(texts.len(), 42);
    let is_current = |rows: &[usize]| rows.iter().map(|&i| i >= reference.len()).collect::<Vec<bool>>();
    let weighting = Weighting::learn(&train.iter().map(|&i| texts[i].as_slice()).collect::<Vec<_>>());
    ensure(!weighting.index.is_empty(), Reason::NoVariation)?;
    let rows: Vec<Row> = train.iter().map(|&i| weighting.training_row(&texts[i])).collect();
    let model = Model::fit(Recipe::ModifiedHuberL1, &rows, &is_current(&train), weighting.rarity.len());
    let scores: Vec<f64> = test.iter().map(|&i| model.probability(&weighting.row(&texts[i]))).collect();
    let current_in_test = is_current(&test);
    let area = area_under_curve(&scores, &current_in_test).ok_or(Reason::NoVariation)?;
    Ok(Separation { area, current_in_test })
}

impl Separation {
    /// The area that a random classifier exceeds with probability `p`, over 1000 tries.
    pub(crate) fn random_percentile(&self, p: f64) -> f64 {
        let mut random = RandomState::new(42);
        let seeds: Vec<u32> = (0..1000).map(|_| random.at_most(9999)).collect();
        let area = |seed: u32| {
            let mut random = RandomState::new(seed);
            let scores: Vec<f64> = self.current_in_test.iter().map(|_| random.uniform()).collect();
            area_under_curve(&scores, &self.current_in_test).unwrap_or(0.5)
        };
        quantile(&sorted(&seeds.into_iter().map(area).collect::<Vec<_>>()), 1.0 - p)
    }
}

/// The 25 words with the largest weights on each side, current first, as Evidently lists them.
pub fn characteristic_words(reference: &[&str], current: &[&str]) -> (Vec<String>, Vec<String>) {
    let texts = tokens(reference, current);
    let (train, _) = split_in_half(texts.len(), 42);
    let weighting = Weighting::learn(&train.iter().map(|&i| texts[i].as_slice()).collect::<Vec<_>>());
    let rows: Vec<Row> = train.iter().map(|&i| weighting.training_row(&texts[i])).collect();
    let positive: Vec<bool> = train.iter().map(|&i| i >= reference.len()).collect();
    let model = Model::fit(Recipe::ModifiedHuberL1, &rows, &positive, weighting.rarity.len());
    let names: HashMap<usize, &str> = weighting.index.iter().map(|(word, i)| (*i, *word)).collect();
    let side = |sign: f64| {
        let mut ranked: Vec<(f64, &str)> = model
            .weights
            .iter()
            .enumerate()
            .map(|(i, w)| (w * sign, names[&i]))
            .filter(|(w, _)| *w > 0.0)
            .collect();
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
        ranked.into_iter().take(25).map(|(_, word)| word.to_owned()).collect()
    };
    (side(1.0), side(-1.0))
}
