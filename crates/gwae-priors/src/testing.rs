//! Helpers of the families' tests: recorded and prepared noise, and simple arithmetic in f64.

use std::collections::VecDeque;

use burn::module::Param;
use burn::tensor::{Gradients, Tensor, TensorData};
use gwae_core::BatchNorm;
use gwae_core::random::{RandomSource, SeededGenerator};

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Normal,
    Uniform,
}

/// A generator that records its draws.
pub struct Tape {
    generator: SeededGenerator,
    pub draws: Vec<(Kind, Vec<f32>)>,
}

impl Tape {
    pub fn new(seed: u64) -> Self {
        let generator = SeededGenerator::new(seed, 0);
        Self {
            generator,
            draws: Vec::new(),
        }
    }

    /// Kind and size of every draw since `draws` was cleared.
    pub fn shapes(&self) -> Vec<(Kind, usize)> {
        self.draws
            .iter()
            .map(|(kind, v)| (*kind, v.len()))
            .collect()
    }

    pub fn read(&self, draw: usize) -> Vec<f64> {
        self.draws[draw].1.iter().map(|&x| f64::from(x)).collect()
    }
}

impl RandomSource for Tape {
    fn standard_normal(&mut self, count: usize) -> Vec<f32> {
        let values = self.generator.standard_normal(count);
        self.draws.push((Kind::Normal, values.clone()));
        values
    }

    fn uniform(&mut self, count: usize) -> Vec<f32> {
        let values = self.generator.uniform(count);
        self.draws.push((Kind::Uniform, values.clone()));
        values
    }
}

/// Noise chosen by the test, returned in order.
pub struct Replay(VecDeque<Vec<f32>>);

impl Replay {
    pub fn new(draws: impl IntoIterator<Item = Vec<f32>>) -> Self {
        Self(draws.into_iter().collect())
    }

    fn next(&mut self, count: usize) -> Vec<f32> {
        let values = self.0.pop_front().expect("one draw more than scripted");
        assert_eq!(values.len(), count);
        values
    }
}

impl RandomSource for Replay {
    fn standard_normal(&mut self, count: usize) -> Vec<f32> {
        self.next(count)
    }

    fn uniform(&mut self, count: usize) -> Vec<f32> {
        self.next(count)
    }
}

pub fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}

pub fn gradient<const D: usize>(
    parameter: &Param<Tensor<D>>,
    gradients: &Gradients,
) -> Option<Vec<f64>> {
    parameter.val().grad(gradients).map(values)
}

#[track_caller]
pub fn assert_close(actual: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(actual.len(), expected.len());
    for (index, (a, e)) in actual.iter().zip(expected).enumerate() {
        let close = (a - e).abs() <= tolerance * e.abs().max(1.0);
        assert!(close, "entry {index}: {a} instead of {e}");
    }
}

pub fn moment(values: &[f64], power: i32) -> f64 {
    values.iter().map(|x| x.powi(power)).sum::<f64>() / values.len() as f64
}

/// Unequal weights: equal ones could hide a gradient by the symmetry of a batch normalisation.
fn weights(count: usize) -> Vec<f64> {
    (0..count).map(|i| (1.7 * i as f64 + 0.3).sin()).collect()
}

pub fn weighted_sum<const D: usize>(tensor: Tensor<D>) -> Tensor<1> {
    let shape = tensor.dims();
    let weights = weights(shape.iter().product());
    let weights = TensorData::new(weights, shape).convert::<f32>();
    let weights = Tensor::<D>::from_data(weights, &tensor.device());
    (tensor * weights).sum()
}

pub fn naive_weighted_sum(values: &[f64]) -> f64 {
    let weights = weights(values.len());
    values.iter().zip(weights).map(|(x, w)| x * w).sum()
}

/// Compares `gradients` with central differences of `loss` at `parameters`.
#[track_caller]
pub fn check_gradients(
    parameters: &[Vec<f64>],
    gradients: &[Vec<f64>],
    loss: impl Fn(&[Vec<f64>]) -> f64,
) {
    assert_eq!(parameters.len(), gradients.len());
    let step = 1e-5;
    let mut largest = 0.0f64;
    for (which, gradient) in gradients.iter().enumerate() {
        let expected: Vec<f64> = (0..parameters[which].len())
            .map(|index| {
                let shifted = |by: f64| {
                    let mut moved = parameters.to_vec();
                    moved[which][index] += by;
                    loss(&moved)
                };
                (shifted(step) - shifted(-step)) / (2.0 * step)
            })
            .collect();
        largest = expected.iter().fold(largest, |a, x| a.max(x.abs()));
        assert_close(gradient, &expected, 2e-3);
    }
    assert!(largest > 0.01, "a vanishing gradient shows nothing");
}

pub fn naive_leaky_silu(x: f64) -> f64 {
    0.8 * x / (1.0 + (-x).exp()) + 0.2 * x
}

/// Batch normalisation of rows of `features` by their own (biased) statistics.
pub fn naive_batch_norm(rows: &[f64], features: usize) -> Vec<f64> {
    let count = (rows.len() / features) as f64;
    let mut means = vec![0.0; features];
    for (i, x) in rows.iter().enumerate() {
        means[i % features] += x / count;
    }
    let mut variances = vec![0.0; features];
    for (i, x) in rows.iter().enumerate() {
        variances[i % features] += (x - means[i % features]).powi(2) / count;
    }
    naive_normalise(rows, &(means, variances))
}

pub fn naive_normalise(rows: &[f64], (means, variances): &(Vec<f64>, Vec<f64>)) -> Vec<f64> {
    let features = means.len();
    let normalise =
        |(i, x): (usize, &f64)| (x - means[i % features]) / (variances[i % features] + 1e-5).sqrt();
    rows.iter().enumerate().map(normalise).collect()
}

pub fn running_statistics(layer: &BatchNorm) -> (Vec<f64>, Vec<f64>) {
    let mean = values(layer.running_mean.value_sync());
    (mean, values(layer.running_variance.value_sync()))
}
