//! Helpers of this folder's tests.

use std::collections::HashMap;

use burn::tensor::{Device, Tensor};
use gwae_core::random::RandomSource;

use super::regulariser::Regulariser;
use crate::networks::Posterior;
use crate::testing::values;

/// Draws that are all zero, so that codes are means.
struct Zeros;

impl RandomSource for Zeros {
    fn standard_normal(&mut self, count: usize) -> Vec<f32> {
        vec![0.0; count]
    }

    fn uniform(&mut self, count: usize) -> Vec<f32> {
        vec![0.5; count]
    }
}

/// The posteriors of two images with codes of two entries.
pub fn posterior(mean: [[f64; 2]; 2], logvar: [[f64; 2]; 2]) -> Posterior {
    let device = Device::flex();
    Posterior {
        mean: Tensor::from_data(mean, &device),
        logvar: Tensor::from_data(logvar, &device),
    }
}

/// The weighted sum of a regulariser and its terms by name, with codes that are the means.
pub fn penalty_of(
    regulariser: &impl Regulariser,
    posterior: Posterior,
) -> (f64, HashMap<&'static str, f64>) {
    let codes = regulariser.codes(&posterior, &mut Zeros);
    let penalty = regulariser.penalty(&posterior, &codes, &mut Zeros);
    let named = penalty.terms.into_iter();
    let terms = named.map(|(name, value)| (name, values(value)[0]));
    (values(penalty.weighted)[0], terms.collect())
}

#[track_caller]
pub fn assert_near(actual: f64, expected: f64) {
    let tolerance = 1e-5 * expected.abs().max(1.0);
    assert!((actual - expected).abs() < tolerance, "{actual} {expected}");
}
