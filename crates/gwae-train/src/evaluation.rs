//! How well a model does on images outside its training set.

use burn::tensor::{Device, Tensor};
use gwae_core::NamedLosses;
use gwae_core::random::SeededGenerator;
use gwae_datasets::DatasetError;
use gwae_metrics::psnr;
use gwae_models::Autoencoder;

use crate::algorithm::Learner;
use crate::data::RunData;

/// Images reconstructed at a time; the result does not depend on it.
const PSNR_BATCH: usize = 128;

/// The losses of the images at `indices`: the mean over batches, weighted by their size. `noise`
/// starts from the beginning, so every validation of a run draws the same numbers. `None` for fewer
/// than two images, or when `stop` returns true; it is asked before each batch.
///
/// `model` is a copy without autodiff ([`burn::module::Module::valid`]).
///
/// # Errors
/// When an image cannot be read.
#[allow(clippy::too_many_arguments)] // A validation depends on all of them.
pub fn validation_losses<L: Learner>(
    learner: &L,
    model: &L::Model,
    data: &RunData,
    indices: &[u32],
    batch_size: usize,
    mut noise: SeededGenerator,
    device: &Device,
    stop: &dyn Fn() -> bool,
) -> Result<Option<NamedLosses<f64>>, DatasetError> {
    let mut all = Vec::new();
    for batch in batches(indices, batch_size) {
        if stop() {
            return Ok(None);
        }
        let images = data.images(batch, device)?;
        let losses = learner.evaluate(model, images, &mut noise).read();
        all.push((losses, batch.len() as f64));
    }
    Ok(NamedLosses::weighted_mean(&all))
}

/// Batches of `batch_size`, in order. The losses need at least two images, so a single remaining
/// image joins the batch before it. Without such a batch there is none at all.
fn batches(indices: &[u32], batch_size: usize) -> Vec<&[u32]> {
    let mut rest = indices;
    let mut batches = Vec::new();
    while rest.len() > 1 {
        let size = match rest.len() {
            left if left == batch_size + 1 => left,
            left => left.min(batch_size),
        };
        let (batch, after) = rest.split_at(size);
        batches.push(batch);
        rest = after;
    }
    batches
}

/// Peak signal-to-noise ratio in dB of the images at `indices`, reconstructed through the posterior
/// mean; the mean over the images. `None` without images.
///
/// # Errors
/// When an image cannot be read.
pub fn reconstruction_psnr(
    model: &dyn Autoencoder,
    data: &RunData,
    indices: &[u32],
    device: &Device,
) -> Result<Option<f64>, DatasetError> {
    let mut sum = 0.0;
    for batch in indices.chunks(PSNR_BATCH) {
        let images = data.images(batch, device)?;
        let reconstructed = model.reconstruct(images.clone());
        sum += batch.len() as f64 * psnr_of(images, reconstructed);
    }
    Ok((!indices.is_empty()).then(|| sum / indices.len() as f64))
}

/// Peak signal-to-noise ratio in dB of reconstructed images; the mean over the images. A model that
/// returns NaN has none, and the result is NaN.
///
/// # Shapes
/// - both: `[images, channels, height, width]`, at least one image
pub fn psnr_of(images: Tensor<4>, reconstructed: Tensor<4>) -> f64 {
    let image_len = images.dims()[1..].iter().product();
    let [images, reconstructed] = [images, reconstructed].map(|tensor| {
        let data = tensor.into_data();
        data.iter::<f32>().collect::<Vec<f32>>()
    });
    psnr(&images, &reconstructed, image_len).unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_image_is_left_out_and_none_is_alone() {
        let indices: Vec<u32> = (0..100).collect();
        for count in 2..=100 {
            for batch_size in 2..=12 {
                let batches = batches(&indices[..count], batch_size);
                assert_eq!(batches.concat(), indices[..count]);
                let sizes = 2..=batch_size + 1;
                assert!(batches.iter().all(|batch| sizes.contains(&batch.len())));
            }
        }
        assert!(batches(&indices[..1], 8).is_empty());
        assert!(batches(&[], 8).is_empty());
    }
}
