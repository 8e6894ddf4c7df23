//! Seeded draws whose values do not depend on the version of a library's distributions.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A generator for one purpose (a separate ChaCha stream), so that two computations with the same
/// seed share no draws.
pub(crate) fn generator(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    generator.set_stream(stream);
    generator
}

/// A number below `bound ≥ 1`, from the upper half of a 128-bit product. Its bias is below
/// `bound · 2⁻⁶⁴`.
pub(crate) fn below(generator: &mut ChaCha8Rng, bound: usize) -> usize {
    ((u128::from(generator.next_u64()) * bound as u128) >> 64) as usize
}

/// A number in `[0, 1)` with 53 random bits.
pub(crate) fn fraction(generator: &mut ChaCha8Rng) -> f64 {
    (generator.next_u64() >> 11) as f64 * 2f64.powi(-53)
}

/// A standard normal number, by Box and Muller's transformation.
pub(crate) fn normal(generator: &mut ChaCha8Rng) -> f64 {
    let radius = (-2.0 * (1.0 - fraction(generator)).ln()).sqrt();
    radius * (std::f64::consts::TAU * fraction(generator)).cos()
}
