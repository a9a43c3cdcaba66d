//! Randomness by an explicit seed: xoshiro256++ and the few distributions that resampling and replay need.
//!
//! Blackman and Vigna, *Scrambled linear pseudorandom number generators*, <https://arxiv.org/abs/1805.01407>.

use crate::special::ln_gamma;

/// A small generator: the same seed gives the same numbers on every machine.
#[derive(Debug, Clone)]
pub struct Rng([u64; 4]);

impl Rng {
    /// A generator for `seed`; splitmix64 spreads it over the state, so that 1 and 2 have nothing in common.
    pub fn new(seed: u64) -> Self {
        let mut state = seed;
        Self(std::array::from_fn(|_| splitmix(&mut state)))
    }

    /// Sixty-four random bits.
    pub fn bits(&mut self) -> u64 {
        let s = &mut self.0;
        let out = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        out
    }

    /// Uniform on `[0, 1)`.
    pub fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Uniform on `0..n`; zero where `n` is zero.
    pub fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.bits()) * n as u128) >> 64) as usize
    }

    /// True with probability `p`.
    pub fn chance(&mut self, p: f64) -> bool {
        self.uniform() < p
    }

    /// Standard normal (Marsaglia's polar method; the second value is dropped to keep the state one array).
    pub fn normal(&mut self) -> f64 {
        loop {
            let (u, v) = (2.0 * self.uniform() - 1.0, 2.0 * self.uniform() - 1.0);
            let s = u * u + v * v;
            if s > 0.0 && s < 1.0 {
                return u * (-2.0 * s.ln() / s).sqrt();
            }
        }
    }

    /// Gamma with the given shape and scale 1 (Marsaglia and Tsang 2000).
    pub fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            return self.gamma(shape + 1.0) * self.uniform().max(f64::MIN_POSITIVE).powf(1.0 / shape);
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.normal();
            let v = (1.0 + c * x).powi(3);
            if v > 0.0 && self.uniform().max(f64::MIN_POSITIVE).ln() < 0.5 * x * x + d * (1.0 - v + v.ln()) {
                return d * v;
            }
        }
    }

    /// Beta with the given shapes.
    pub fn beta(&mut self, a: f64, b: f64) -> f64 {
        let (x, y) = (self.gamma(a), self.gamma(b));
        x / (x + y)
    }

    /// Poisson with the given mean: inversion when small, Hörmann's PTRS otherwise.
    pub fn poisson(&mut self, mean: f64) -> u64 {
        if mean <= 0.0 {
            return 0;
        }
        if mean < 10.0 {
            return self.invert((-mean).exp(), u64::MAX, |k| mean / k as f64);
        }
        let ln_mean = mean.ln();
        let b = 0.931 + 2.53 * mean.sqrt();
        let a = -0.059 + 0.02483 * b;
        self.transformed_rejection(a, b, mean + 0.43, 0.9277 - 3.6224 / (b - 2.0), |k| {
            k * ln_mean - mean - ln_gamma(k + 1.0) - (1.1239 + 1.1328 / (b - 3.4)).ln()
        })
    }

    /// Binomial: inversion when small, Hörmann's BTRS otherwise.
    pub fn binomial(&mut self, n: u64, p: f64) -> u64 {
        if n == 0 || p <= 0.0 || p.is_nan() {
            return 0;
        }
        if p > 0.5 {
            return n - self.binomial(n, 1.0 - p);
        }
        let size = n as f64;
        let odds = p / (1.0 - p);
        if size * p < 10.0 {
            let start = (size * (-p).ln_1p()).exp();
            return self.invert(start, n, |k| odds * (size - k as f64 + 1.0) / k as f64);
        }
        let spread = (size * p * (1.0 - p)).sqrt();
        let b = 1.15 + 2.53 * spread;
        let a = -0.0873 + 0.0248 * b + 0.01 * p;
        let mode = ((size + 1.0) * p).floor();
        let height = (2.83 + 5.1 / b) * spread;
        let top = ln_gamma(mode + 1.0) + ln_gamma(size - mode + 1.0) - height.ln();
        self.transformed_rejection(a, b, size * p + 0.5, 0.92 - 4.2 / b, |k| {
            if k > size {
                return f64::NEG_INFINITY;
            }
            top - ln_gamma(k + 1.0) - ln_gamma(size - k + 1.0) + (k - mode) * odds.ln()
        })
    }

    /// Counts of `n` draws over `shares`, which need not sum to one.
    pub fn multinomial(&mut self, n: u64, shares: &[f64], counts: &mut [u64]) {
        let mut mass: f64 = shares.iter().sum();
        let mut left = n;
        for (count, &share) in counts.iter_mut().zip(shares) {
            let p = if mass > 0.0 { (share / mass).min(1.0) } else { 0.0 };
            *count = self.binomial(left, p);
            left -= *count;
            mass -= share;
        }
    }

    /// Shuffles in place (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }

    fn invert(&mut self, start: f64, most: u64, ratio: impl Fn(u64) -> f64) -> u64 {
        let (mut u, mut term, mut k) = (self.uniform(), start, 0);
        while u > term && k < most && term > 0.0 {
            u -= term;
            k += 1;
            term *= ratio(k);
        }
        k
    }

    /// Hörmann, *The transformed rejection method for generating Poisson random variables* (1993), without squeeze.
    fn transformed_rejection(
        &mut self,
        a: f64,
        b: f64,
        centre: f64,
        quick: f64,
        ln_mass: impl Fn(f64) -> f64,
    ) -> u64 {
        loop {
            let v = self.uniform();
            let u = self.uniform() - 0.5;
            let us = 0.5 - u.abs();
            let k = ((2.0 * a / us + b) * u + centre).floor();
            if k < 0.0 {
                continue;
            }
            let height = ln_mass(k);
            let inside = height > f64::NEG_INFINITY;
            if inside && us >= 0.07 && v <= quick || (v / (a / (us * us) + b)).ln() <= height {
                return k as u64;
            }
        }
    }
}

fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, mean: f64, variance: f64, mut draw: impl FnMut(&mut Rng) -> f64) {
        let mut rng = Rng::new(7);
        let n = 40_000;
        let draws: Vec<f64> = (0..n).map(|_| draw(&mut rng)).collect();
        let m = draws.iter().sum::<f64>() / f64::from(n);
        let v = draws.iter().map(|x| (x - m).powi(2)).sum::<f64>() / f64::from(n);
        let error = 5.0 * (variance / f64::from(n)).sqrt();
        assert!((m - mean).abs() < error, "{name}: mean {m}, not {mean}");
        assert!((v / variance - 1.0).abs() < 0.06, "{name}: variance {v}, not {variance}");
    }

    #[test]
    fn moments() {
        check("uniform", 0.5, 1.0 / 12.0, Rng::uniform);
        check("normal", 0.0, 1.0, Rng::normal);
        check("gamma 0.4", 0.4, 0.4, |r| r.gamma(0.4));
        check("gamma 7", 7.0, 7.0, |r| r.gamma(7.0));
        check("beta", 0.25, 0.1875 / 9.0, |r| r.beta(2.0, 6.0));
        check("poisson 3", 3.0, 3.0, |r| r.poisson(3.0) as f64);
        check("poisson 100", 100.0, 100.0, |r| r.poisson(100.0) as f64);
        check("binomial small", 3.0, 2.7, |r| r.binomial(30, 0.1) as f64);
        check("binomial large", 900.0, 90.0, |r| r.binomial(1000, 0.9) as f64);
        check("binomial half", 50.0, 25.0, |r| r.binomial(100, 0.5) as f64);
        check("below", 4.5, 8.25, |r| r.below(10) as f64);
    }

    #[test]
    fn edges() {
        let mut rng = Rng::new(1);
        assert_eq!((rng.binomial(0, 0.5), rng.binomial(9, 0.0), rng.binomial(9, 1.0)), (0, 0, 9));
        assert_eq!((rng.poisson(0.0), rng.below(0), rng.below(1)), (0, 0, 0));
        let mut counts = [0; 3];
        rng.multinomial(100, &[0.0, 2.0, 0.0], &mut counts);
        assert_eq!(counts, [0, 100, 0]);
    }
}
