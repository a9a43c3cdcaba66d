//! The generator of `numpy.random.RandomState`, as far as scikit-learn's split and shuffle use it.
//!
//! Matsumoto and Nishimura, *Mersenne twister* (1998), <https://doi.org/10.1145/272991.272995>.

const SIZE: usize = 624;

/// Mersenne twister with numpy's legacy seeding.
pub(crate) struct RandomState {
    key: [u32; SIZE],
    place: usize,
}

impl RandomState {
    pub(crate) fn new(seed: u32) -> Self {
        let mut key = [seed; SIZE];
        for i in 1..SIZE {
            let last = key[i - 1];
            key[i] = 1_812_433_253_u32.wrapping_mul(last ^ (last >> 30)).wrapping_add(i as u32);
        }
        Self { key, place: SIZE }
    }

    fn next(&mut self) -> u32 {
        if self.place == SIZE {
            self.twist();
        }
        let mut y = self.key[self.place];
        self.place += 1;
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c_5680;
        y ^= (y << 15) & 0xefc6_0000;
        y ^ (y >> 18)
    }

    fn twist(&mut self) {
        for i in 0..SIZE {
            let y = (self.key[i] & 0x8000_0000) | (self.key[(i + 1) % SIZE] & 0x7fff_ffff);
            let odd = if y & 1 == 1 { 0x9908_b0df } else { 0 };
            self.key[i] = self.key[(i + 397) % SIZE] ^ (y >> 1) ^ odd;
        }
        self.place = 0;
    }

    /// Uniform on `0..=most`, by masking and rejecting.
    pub(crate) fn at_most(&mut self, most: u32) -> u32 {
        let mask = u32::MAX.checked_shr(most.leading_zeros()).unwrap_or(0);
        loop {
            let value = self.next() & mask;
            if value <= most {
                return value;
            }
        }
    }

    /// Uniform on `[0, 1)` with 53 bits.
    pub(crate) fn uniform(&mut self) -> f64 {
        let (a, b) = (self.next() >> 5, self.next() >> 6);
        (f64::from(a) * 67_108_864.0 + f64::from(b)) / 9_007_199_254_740_992.0
    }

    /// `permutation(n)`.
    pub(crate) fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        for i in (1..n).rev() {
            order.swap(i, self.at_most(i as u32) as usize);
        }
        order
    }
}

/// Training and test rows of `train_test_split(test_size=0.5, random_state=seed)`.
pub(crate) fn split_in_half(n: usize, seed: u32) -> (Vec<usize>, Vec<usize>) {
    let order = RandomState::new(seed).permutation(n);
    let (test, train) = order.split_at(n.div_ceil(2));
    (train.to_vec(), test.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_to_numpy() {
        let mut state = RandomState::new(42);
        assert!((state.uniform() - 0.374_540_118_847_362_5).abs() < 1e-16);
        assert_eq!(RandomState::new(42).permutation(10), [8, 1, 5, 0, 7, 2, 9, 4, 3, 6]);
    }
}
