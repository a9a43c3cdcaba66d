//! Texts: words, and whether two sides can be told apart by them.

pub mod domain;

use std::sync::LazyLock;

static STOP_WORDS: LazyLock<Vec<&str>> =
    LazyLock::new(|| include_str!("text/stop_words.txt").split_whitespace().collect());

/// English words that carry no topic, scikit-learn's list of 318.
pub fn stop_words() -> impl Iterator<Item = &'static str> {
    STOP_WORDS.iter().copied()
}

/// Lower-case words of two or more letters, digits or underscores.
pub fn words(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let parts = lower.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    parts.filter(|word| word.chars().nth(1).is_some()).map(str::to_owned).collect()
}

/// The area under the ROC curve: the chance that a positive row scores above a negative one, ties counting half.
/// `None` if a class is missing.
pub fn area_under_curve(scores: &[f64], positive: &[bool]) -> Option<f64> {
    let mut rows: Vec<(f64, bool)> = scores.iter().copied().zip(positive.iter().copied()).collect();
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut below, mut wins, mut hits) = (0.0, 0.0, 0.0);
    for group in rows.chunk_by(|a, b| a.0 == b.0) {
        let positives = group.iter().filter(|row| row.1).count() as f64;
        let negatives = group.len() as f64 - positives;
        wins += positives * (below + negatives / 2.0);
        below += negatives;
        hits += positives;
    }
    (hits > 0.0 && below > 0.0).then(|| wins / (hits * below))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_text() {
        assert_eq!(
            words("It's a GREAT phone_2, isn't it? Über!"),
            ["it", "great", "phone_2", "isn", "it", "über"]
        );
        assert_eq!(stop_words().count(), 318);
    }

    #[test]
    fn areas() {
        assert_eq!(area_under_curve(&[0.1, 0.4, 0.35, 0.8], &[false, false, true, true]), Some(0.75));
        assert_eq!(area_under_curve(&[0.5, 0.5], &[false, true]), Some(0.5));
        assert_eq!(area_under_curve(&[0.5], &[true]), None);
    }
}
