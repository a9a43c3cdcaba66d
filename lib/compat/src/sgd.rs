//! Scikit-learn's stochastic gradient descent for two classes, step by step, so that scores agree and not only flags.

use crate::numpy_random::RandomState;

/// A sparse row: indices and values.
pub(crate) type Row = Vec<(usize, f64)>;

/// Loss, penalty and schedule, as they are named there.
#[derive(Clone, Copy)]
pub(crate) enum Recipe {
    /// `SGDClassifier(loss="modified_huber", penalty="l1", max_iter=50)` on sparse rows.
    ModifiedHuberL1,
    /// `SGDClassifier(loss="log_loss")` on dense rows.
    LogLossL2,
}

const ALPHA: f64 = 1e-4;
const TOLERANCE: f64 = 1e-3;
const PATIENCE: u32 = 5;

impl Recipe {
    fn most_epochs(self) -> usize {
        match self {
            Self::ModifiedHuberL1 => 50,
            Self::LogLossL2 => 1000,
        }
    }

    fn intercept_decay(self) -> f64 {
        match self {
            Self::ModifiedHuberL1 => 0.01,
            Self::LogLossL2 => 1.0,
        }
    }

    fn l1_ratio(self) -> f64 {
        match self {
            Self::ModifiedHuberL1 => 1.0,
            Self::LogLossL2 => 0.0,
        }
    }

    fn loss(self, y: f64, p: f64) -> f64 {
        let z = y * p;
        match self {
            Self::ModifiedHuberL1 if z >= 1.0 => 0.0,
            Self::ModifiedHuberL1 if z >= -1.0 => (1.0 - z).powi(2),
            Self::ModifiedHuberL1 => -4.0 * z,
            Self::LogLossL2 if z > 0.0 => (-z).exp().ln_1p(),
            Self::LogLossL2 => z.exp().ln_1p() - z,
        }
    }

    fn gradient(self, y: f64, p: f64) -> f64 {
        let z = y * p;
        match self {
            Self::ModifiedHuberL1 if z >= 1.0 => 0.0,
            Self::ModifiedHuberL1 if z >= -1.0 => -2.0 * y * (1.0 - z),
            Self::ModifiedHuberL1 => -4.0 * y,
            Self::LogLossL2 if p > -37.0 => {
                let (truth, tail) = ((y + 1.0) / 2.0, (-p).exp());
                ((1.0 - truth) - truth * tail) / (1.0 + tail)
            }
            Self::LogLossL2 => p.exp() - (y + 1.0) / 2.0,
        }
    }

    fn probability(self, p: f64) -> f64 {
        match self {
            Self::ModifiedHuberL1 => (p.clamp(-1.0, 1.0) + 1.0) / 2.0,
            Self::LogLossL2 => 1.0 / (1.0 + (-p).exp()),
        }
    }
}

/// A fitted separator of two classes.
pub(crate) struct Model {
    recipe: Recipe,
    pub(crate) weights: Vec<f64>,
    /// All weights are to be multiplied by this. Rounding is amplified by the early giant steps, so that even the order
    /// of operations has to be theirs.
    scale: f64,
    intercept: f64,
    paid: Vec<f64>,
    owed: f64,
    penalty: f64,
}

impl Model {
    /// Fits `positive` rows against the rest with `random_state=42`.
    pub(crate) fn fit(recipe: Recipe, rows: &[Row], positive: &[bool], features: usize) -> Self {
        let mut model = Self {
            recipe,
            weights: vec![0.0; features],
            scale: 1.0,
            intercept: 0.0,
            paid: vec![0.0; features],
            owed: 0.0,
            penalty: 0.0,
        };
        let start = (1.0 / ALPHA.sqrt()).sqrt();
        let first_rate = start / recipe.gradient(1.0, -start).max(1.0);
        let offset = 1.0 / (first_rate * ALPHA);
        let mut random = RandomState::new(42);
        // The data set draws a seed of its own first.
        random.at_most(i32::MAX as u32 - 2);
        let seed = random.at_most(i32::MAX as u32 - 1);
        let mut order: Vec<usize> = (0..rows.len()).collect();
        let (mut time, mut best, mut idle) = (0.0, f64::INFINITY, 0);
        for _ in 0..recipe.most_epochs() {
            shuffle(&mut order, seed);
            let mut objective = 0.0;
            for &i in &order {
                let y = if positive[i] { 1.0 } else { -1.0 };
                objective += model.step(&rows[i], y, 1.0 / (ALPHA * (offset + time)));
                time += 1.0;
            }
            objective /= rows.len() as f64;
            idle = if objective > best - TOLERANCE { idle + 1 } else { 0 };
            best = best.min(objective);
            if idle >= PATIENCE {
                break;
            }
        }
        let scale = std::mem::replace(&mut model.scale, 1.0);
        model.weights.iter_mut().for_each(|w| *w *= scale);
        model
    }

    /// The probability of the positive class.
    pub(crate) fn probability(&self, row: &Row) -> f64 {
        self.recipe.probability(self.score(row))
    }

    fn score(&self, row: &Row) -> f64 {
        row.iter().map(|(j, x)| self.weights[*j] * x).sum::<f64>() * self.scale + self.intercept
    }

    /// One row: gives what it adds to the objective, before the weights move.
    fn step(&mut self, row: &Row, y: f64, rate: f64) -> f64 {
        let p = self.score(row);
        let share = self.recipe.l1_ratio();
        let objective = self.recipe.loss(y, p) + ALPHA * self.penalty;
        let update = -rate * self.recipe.gradient(y, p);
        if share < 1.0 {
            let shrink = (1.0 - (1.0 - share) * rate * ALPHA).max(0.0);
            self.scale *= shrink;
            self.penalty *= shrink * shrink;
        }
        if update != 0.0 {
            self.add(row, update);
        }
        self.intercept += update * self.recipe.intercept_decay();
        if share > 0.0 {
            self.owed += share * rate * ALPHA;
            self.truncate(row);
        }
        objective
    }

    /// The penalty that enters the objective is, there, that of the features of the last row that moved anything.
    fn add(&mut self, row: &Row, update: f64) {
        for &(j, x) in row {
            self.weights[j] += x * (update / self.scale);
        }
        let share = self.recipe.l1_ratio();
        let norm = |w: f64| (1.0 - share) * 0.5 * w * w + share * w.abs();
        self.penalty = row.iter().map(|(j, _)| norm(self.weights[*j] * self.scale)).sum();
    }

    /// The cumulative penalty of Tsuruoka, Tsujii and Ananiadou (2009), <https://aclanthology.org/P09-1054>.
    fn truncate(&mut self, row: &Row) {
        for &(j, _) in row {
            let before = self.weights[j];
            if before > 0.0 {
                self.weights[j] = (before - (self.owed + self.paid[j])).max(0.0);
            } else if before < 0.0 {
                self.weights[j] = (before + (self.owed - self.paid[j])).min(0.0);
            }
            self.paid[j] += self.weights[j] - before;
        }
    }
}

/// The shuffle of its data sets: the same small generator from the same seed before every epoch.
fn shuffle(order: &mut [usize], seed: u32) {
    let mut state = seed.max(1);
    for i in 0..order.len().saturating_sub(1) {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        let random = (state % (1 << 31)) as usize;
        order.swap(i, i + random % (order.len() - i));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_to_scikit_learn() {
        let rows: Vec<Row> = [[1.0, 2.0], [2.0, -1.0], [0.5, 0.3], [-1.0, 0.2], [0.7, -0.4], [1.5, 0.9]]
            .iter()
            .map(|x| x.iter().copied().enumerate().collect())
            .collect();
        let positive = [false, true, false, true, true, false];
        let check = |recipe, weights: [f64; 2], intercept: f64| {
            let model = Model::fit(recipe, &rows, &positive, 2);
            for (ours, want) in
                model.weights.iter().chain([&model.intercept]).zip(weights.iter().chain([&intercept]))
            {
                assert!((ours - want).abs() < 1e-7, "{ours} instead of {want}");
            }
        };
        check(Recipe::LogLossL2, [-5.997_156_320_808_638, -16.250_992_768_908_297], 2.787_004_450_997_702_3);
        check(
            Recipe::ModifiedHuberL1,
            [-21.579_593_584_703_44, -69.761_399_443_010_48],
            0.985_012_861_751_794_6,
        );
    }
}
