//! Random numbers for drawings and orders. They are the same on every machine and for all library versions.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

/// A stream of random numbers for one purpose, seed and number.
///
/// The conversions are implemented here and use no transcendental functions: libraries may change theirs, and
/// a change of a drawing would change the fingerprint of its dataset.
pub(crate) struct Draws(ChaCha8Rng);

impl Draws {
    /// The purpose is hashed into the key, so that this stream is independent of other generators with the
    /// same seed.
    pub(crate) fn new(purpose: &str, seed: u64, number: u64) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"gwae-datasets\0");
        hash.update(purpose.as_bytes());
        hash.update([0]);
        hash.update(seed.to_le_bytes());
        hash.update(number.to_le_bytes());
        Self(ChaCha8Rng::from_seed(hash.finalize().into()))
    }

    /// Uniform in `[0, 1)`.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Uniform between two bounds.
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Bell-shaped around 0 with this standard deviation, and at most 3.47 standard deviations away: a sum of
    /// four uniform numbers.
    pub(crate) fn bell(&mut self, deviation: f64) -> f64 {
        let sum: f64 = (0..4).map(|_| self.unit()).sum();
        // The variance of a uniform number is 1/12, that of four is 1/3.
        (sum - 2.0) * deviation * 3.0_f64.sqrt()
    }

    /// True with this probability.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// Uniform in `0..bound`, without bias (Lemire 2019, arXiv:1805.10941); `bound` is at least 1.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let bound = bound as u64;
        // 2⁶⁴ mod bound: lower halves below it belong to values that would be drawn too often.
        let threshold = bound.wrapping_neg() % bound;
        loop {
            let product = u128::from(self.0.next_u64()) * u128::from(bound);
            if product as u64 >= threshold {
                return (product >> 64) as usize;
            }
        }
    }

    /// Fills `bytes` with uniform values.
    pub(crate) fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let word = self.0.next_u64().to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
    }

    /// Shuffles `values` uniformly (Fisher–Yates). It is implemented here because the order is part of a
    /// run's record, and a library's shuffle may change between versions.
    pub(crate) fn shuffle(&mut self, values: &mut [u32]) {
        for last in (1..values.len()).rev() {
            values.swap(last, self.below(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_distributions() {
        let mut draws = Draws::new("test", 1, 0);
        let count = 40_000;
        let (mut sum, mut squares) = (0.0, 0.0);
        for _ in 0..count {
            let bell = draws.bell(0.5);
            assert!(bell.abs() <= 0.5 * 3.465);
            sum += bell;
            squares += bell * bell;
            assert!((2.0..3.0).contains(&draws.between(2.0, 3.0)));
            assert!(draws.below(3) < 3);
        }
        let count = f64::from(count);
        // Five standard errors: 0.5 / √40000 = 0.0025, and less than 0.0018 for the variance.
        assert!((sum / count).abs() < 0.0125, "{sum}");
        assert!((squares / count - 0.25).abs() < 0.009, "{squares}");
    }

    #[test]
    fn streams_differ_by_purpose_seed_and_number() {
        let first = |purpose, seed, number| Draws::new(purpose, seed, number).unit();
        assert_eq!(first("a", 1, 2), first("a", 1, 2));
        assert_ne!(first("a", 1, 2), first("b", 1, 2));
        assert_ne!(first("a", 1, 2), first("a", 2, 2));
        assert_ne!(first("a", 1, 2), first("a", 1, 3));
    }

    #[test]
    fn bytes_of_any_length_are_filled() {
        for length in 0..20 {
            let mut bytes = vec![0; length];
            Draws::new("test", 3, 0).fill(&mut bytes);
            let mut longer = vec![0; 32];
            Draws::new("test", 3, 0).fill(&mut longer);
            assert_eq!(bytes, longer[..length]);
        }
    }
}
