//! Reference parameters: the official name of a parameter determines its values.

use std::collections::BTreeMap;

use super::stream;
use crate::state::{OfficialState, OfficialTensor};

/// The state of `template` with the initial values of the reference computations.
///
/// Batch norms start as identities with empty statistics. Spectral vectors are random unit vectors.
/// Mixture, embedding and graph parameters are normal draws. Everything else is uniform in
/// `±1/√fan_in` of its layer's weight. The distance scale keeps its value from `template`.
pub fn reference_state(template: &OfficialState) -> OfficialState {
    let shapes: BTreeMap<&str, &[usize]> = template
        .iter()
        .map(|(name, tensor)| (name.as_str(), tensor.shape.as_slice()))
        .collect();
    let values = |name: &str, tensor: &OfficialTensor| -> Vec<f32> {
        let count = tensor.values.len();
        let layer = name.rsplit_once('.').map_or("", |(layer, _)| layer);
        let batch_norm = shapes.contains_key(format!("{layer}.running_var").as_str());
        if name == "log_distance_coef" {
            tensor.values.clone()
        } else if name.ends_with("running_var") || (batch_norm && name.ends_with(".weight")) {
            vec![1.0; count]
        } else if batch_norm || starts_at_zero(name) {
            vec![0.0; count]
        } else if name.ends_with(".weight_u") || name.ends_with(".weight_v") {
            unit(stream::normal(name, count))
        } else if name == "sampler.component_sqrtprecision" {
            near_identity(stream::normal(name, count), tensor.shape[1])
        } else if is_normal(name) {
            stream::normal(name, count)
        } else {
            let bound = 1.0 / (fan_in(layer, &shapes) as f32).sqrt();
            let scale = |u: f32| (2.0 * u - 1.0) * bound;
            stream::uniform(name, count)
                .into_iter()
                .map(scale)
                .collect()
        }
    };
    let filled = |(name, tensor): &(String, OfficialTensor)| {
        let tensor = OfficialTensor {
            shape: tensor.shape.clone(),
            values: values(name, tensor),
        };
        (name.clone(), tensor)
    };
    template.iter().map(filled).collect()
}

/// Whether `name` belongs to the statistics of the latent standardisation.
fn starts_at_zero(name: &str) -> bool {
    matches!(
        name,
        "enc_block.running_mean" | "enc_block.running_logvar" | "enc_block.num_batches_tracked"
    )
}

fn is_normal(name: &str) -> bool {
    [
        "sampler.component_",
        "sampler.logits",
        "sampler.embeddings",
        "sampler.dag.",
    ]
    .iter()
    .any(|prefix| name.starts_with(prefix))
}

/// Scales to unit length. The norm is in single precision, as in PyTorch: its last bit matters
/// where rounding decides the sign of a gradient.
fn unit(values: Vec<f32>) -> Vec<f32> {
    let squares = values.iter().map(|&v| f64::from(v).powi(2));
    let norm = squares.sum::<f64>().sqrt() as f32;
    values.into_iter().map(|v| v / norm).collect()
}

fn near_identity(values: Vec<f32>, size: usize) -> Vec<f32> {
    let entry = |(k, v): (usize, f32)| {
        let (row, column) = (k / size % size, k % size);
        0.1 * v + if row == column { 1.0 } else { 0.0 }
    };
    values.into_iter().enumerate().map(entry).collect()
}

/// Product of all dimensions of the layer's weight except the first.
fn fan_in(layer: &str, shapes: &BTreeMap<&str, &[usize]>) -> usize {
    ["weight", "weight_orig"]
        .iter()
        .find_map(|suffix| shapes.get(format!("{layer}.{suffix}").as_str()))
        .map_or(1, |shape| shape[1..].iter().product())
}
