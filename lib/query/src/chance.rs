//! Randomness as a function: every UUID, random number and jitter is a hash of the execution's seed and a position in
//! its history, so that a replay makes the same choices.

use sha2::{Digest, Sha256};

/// The seed of one execution's randomness, and the place in its history that asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chance {
    /// Of the execution.
    pub seed: u64,
    /// The place in its history.
    pub event: u64,
}

impl Chance {
    /// 16 bytes that only depend on the seed, the event and the number of the question.
    fn bytes(self, question: u64) -> [u8; 16] {
        let mut hash = Sha256::new();
        for part in [self.seed, self.event, question] {
            hash.update(part.to_le_bytes());
        }
        let mut out = [0; 16];
        out.copy_from_slice(&hash.finalize()[..16]);
        out
    }

    /// A number in `[0, 1)`.
    pub fn unit(self, question: u64) -> f64 {
        let bytes = self.bytes(question);
        let mut word = [0; 8];
        word.copy_from_slice(&bytes[..8]);
        (u64::from_le_bytes(word) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A version 4 UUID.
    pub fn uuid(self, question: u64) -> String {
        let mut bytes = self.bytes(question);
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_place_same_answer() {
        let chance = Chance { seed: 7, event: 3 };
        assert_eq!(chance.uuid(0), chance.uuid(0));
        assert_ne!(chance.uuid(0), chance.uuid(1));
        assert_ne!(chance.uuid(0), Chance { seed: 8, event: 3 }.uuid(0));
        assert_eq!(chance.uuid(0).as_bytes()[14], b'4');
        assert!((0..100).all(|n| (0.0..1.0).contains(&chance.unit(n))));
    }
}
