//! Random numbers as an argument: all random numbers of a run come from one generator on the host.
//!
//! Networks and priors ask a [`RandomSource`] for numbers in a documented order and upload them to the
//! device. They never use the device's own generator. So the same seed repeats a run, every backend
//! gets the same numbers, and a stopped run continues exactly.

use burn::tensor::{Device, Tensor, TensorData};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

/// Uniform draws stay this far from 0 and 1, so that `−log(−log u)` is finite.
pub const UNIFORM_MARGIN: f32 = 1e-7;

/// A stream of random numbers on the host.
pub trait RandomSource {
    /// `count` independent draws from the standard normal distribution.
    fn standard_normal(&mut self, count: usize) -> Vec<f32>;

    /// `count` independent draws from the uniform distribution on
    /// `[UNIFORM_MARGIN, 1 − UNIFORM_MARGIN]`.
    fn uniform(&mut self, count: usize) -> Vec<f32>;
}

/// A tensor of standard normal draws, row-major.
pub fn normal_tensor<const D: usize>(
    random: &mut dyn RandomSource,
    shape: [usize; D],
    device: &Device,
) -> Tensor<D> {
    let values = random.standard_normal(shape.iter().product());
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// A tensor of uniform draws, row-major.
pub fn uniform_tensor<const D: usize>(
    random: &mut dyn RandomSource,
    shape: [usize; D],
    device: &Device,
) -> Tensor<D> {
    let values = random.uniform(shape.iter().product());
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// The generator of a run: ChaCha8. A seed and a position are its whole state.
#[derive(Clone, Debug)]
pub struct SeededGenerator {
    seed: u64,
    generator: ChaCha8Rng,
}

/// The state of a [`SeededGenerator`]. A generator made from it continues exactly at that point.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GeneratorState {
    /// Seed that the run was started with.
    pub seed: u64,
    /// Independent stream of that seed.
    pub stream: u64,
    /// Number of 32-bit words drawn so far.
    pub position: u64,
}

impl SeededGenerator {
    /// A generator at the start of `stream` of `seed`. Streams of one seed are independent.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(stream);
        Self { seed, generator }
    }

    /// The state from which [`SeededGenerator::from_state`] continues.
    pub fn state(&self) -> GeneratorState {
        GeneratorState {
            seed: self.seed,
            stream: self.generator.get_stream(),
            // No run reaches a position beyond 2⁶⁴ words (74 exabytes).
            position: self.generator.get_word_pos() as u64,
        }
    }

    /// The generator that `state` was taken from.
    pub fn from_state(state: &GeneratorState) -> Self {
        let mut this = Self::new(state.seed, state.stream);
        this.generator.set_word_pos(u128::from(state.position));
        this
    }
}

impl RandomSource for SeededGenerator {
    fn standard_normal(&mut self, count: usize) -> Vec<f32> {
        (0..count)
            .map(|_| StandardNormal.sample(&mut self.generator))
            .collect()
    }

    fn uniform(&mut self, count: usize) -> Vec<f32> {
        (0..count)
            .map(|_| {
                // 24 bits fill the mantissa: every value is an exact multiple of 2⁻²⁴.
                let value = (self.generator.next_u32() >> 8) as f32 / (1u32 << 24) as f32;
                value.clamp(UNIFORM_MARGIN, 1.0 - UNIFORM_MARGIN)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restored_generator_continues_the_same_stream() {
        let mut original = SeededGenerator::new(7, 3);
        original.standard_normal(1001);
        original.uniform(13);
        let mut restored = SeededGenerator::from_state(&original.state());
        assert_eq!(original.standard_normal(100), restored.standard_normal(100));
        assert_eq!(original.uniform(100), restored.uniform(100));
    }

    #[test]
    fn streams_of_one_seed_differ_and_repeat() {
        let draw = |seed, stream| SeededGenerator::new(seed, stream).uniform(8);
        assert_eq!(draw(1, 0), draw(1, 0));
        assert_ne!(draw(1, 0), draw(1, 1));
        assert_ne!(draw(1, 0), draw(2, 0));
    }

    #[test]
    fn moments_are_those_of_the_named_distributions() {
        let mut generator = SeededGenerator::new(11, 0);
        let count = 200_000;
        let mean = |v: &[f32]| v.iter().map(|&x| f64::from(x)).sum::<f64>() / count as f64;
        let square =
            |v: &[f32]| v.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / count as f64;
        let normal = generator.standard_normal(count);
        assert!(mean(&normal).abs() < 0.01 && (square(&normal) - 1.0).abs() < 0.02);
        let uniform = generator.uniform(count);
        assert!((mean(&uniform) - 0.5).abs() < 0.005);
        assert!((square(&uniform) - 1.0 / 3.0).abs() < 0.005);
    }
}
