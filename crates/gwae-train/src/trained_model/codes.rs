//! The codes of a dataset's images, for other tools.

use std::path::Path;

use burn::tensor::Tensor;
use gwae_core::random::SeededGenerator;
use gwae_formats::atomic::FileError;
use gwae_formats::npz::{ArrayValues, NamedArray, write_npz};

use super::{BATCH, ImageRequestError, RequestedImages, TrainedModel};

/// Which images to encode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CodedPart {
    /// The images that the model was not trained on.
    #[default]
    Unseen,
    /// Every image of the dataset.
    All,
}

/// The codes of N images with L entries each, and what is known of the images.
#[derive(Clone, Debug, PartialEq)]
pub struct Codes {
    /// Latent dimension L.
    pub latent_dim: usize,
    /// The index of each image in its dataset.
    pub indices: Vec<u32>,
    /// Means of the posteriors, or the codes of a model without posteriors: N·L values, row-major.
    pub means: Vec<f32>,
    /// Logarithms of the variances, N·L values; `None` for a model without posteriors.
    pub logvars: Option<Vec<f32>>,
    /// One draw from each posterior, N·L values; `None` for a model without posteriors.
    pub samples: Option<Vec<f32>>,
    /// Names of the F factors of the dataset.
    pub factor_names: Vec<String>,
    /// Their values, N·F integers, row-major.
    pub factors: Vec<u32>,
}

impl TrainedModel {
    /// Encodes up to `limit` images of a part of `images`, in the order of the dataset. The same `seed` gives
    /// the same draws. `done` gets the number of images done and of all images.
    ///
    /// # Errors
    /// When the model saw all images and unseen ones are asked for, or an image cannot be read.
    pub fn codes(
        &self,
        images: &RequestedImages,
        part: CodedPart,
        limit: Option<usize>,
        seed: u64,
        mut done: impl FnMut(usize, usize),
    ) -> Result<Codes, ImageRequestError> {
        let dataset = images.data.dataset();
        let mut indices: Vec<u32> = match part {
            CodedPart::Unseen => images.unseen()?.to_vec(),
            CodedPart::All => (0..dataset.len() as u32).collect(),
        };
        indices.sort_unstable();
        indices.truncate(limit.unwrap_or(usize::MAX));
        let model = self.autoencoder();
        let mut noise = SeededGenerator::new(seed, 0);
        let mut codes = Codes {
            latent_dim: model.latent_dim(),
            indices,
            means: Vec::new(),
            logvars: None,
            samples: None,
            factor_names: dataset
                .factors()
                .iter()
                .map(|factor| factor.name.clone())
                .collect(),
            factors: Vec::new(),
        };
        let count = codes.indices.len();
        for start in (0..count).step_by(BATCH) {
            let batch = &codes.indices[start..count.min(start + BATCH)];
            let pixels = images.data.images(batch, &self.device)?;
            match model.posterior(pixels.clone()) {
                Some(posterior) => {
                    let sampled = read(posterior.sample(&mut noise));
                    codes.means.extend(read(posterior.mean));
                    codes
                        .logvars
                        .get_or_insert_default()
                        .extend(read(posterior.logvar));
                    codes.samples.get_or_insert_default().extend(sampled);
                }
                None => codes.means.extend(read(model.encode(pixels))),
            }
            if !codes.factor_names.is_empty() {
                for &index in batch {
                    codes.factors.extend(dataset.item(index as usize)?.factors);
                }
            }
            done(count.min(start + BATCH), count);
        }
        Ok(codes)
    }
}

impl Codes {
    /// Writes an `.npz` archive with the arrays `means`, `logvars`, `samples` (`[N, L]`), `factors` (`[N, F]`)
    /// and `indices` (`[N]`). Arrays that the model or the dataset does not have are left out.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), FileError> {
        let count = self.indices.len() as u64;
        let of_indices = [count];
        let of_codes = [count, self.latent_dim as u64];
        let of_factors = [count, self.factor_names.len() as u64];
        let integers =
            |values: &[u32]| -> Vec<i64> { values.iter().copied().map(i64::from).collect() };
        let (factors, indices) = (integers(&self.factors), integers(&self.indices));
        let codes = [
            ("means", Some(&self.means)),
            ("logvars", self.logvars.as_ref()),
            ("samples", self.samples.as_ref()),
        ];
        let codes = codes.iter().filter_map(|(name, values)| {
            Some(NamedArray {
                name,
                values: ArrayValues::F32((*values)?),
                shape: &of_codes,
            })
        });
        let mut arrays: Vec<NamedArray<'_>> = codes.collect();
        if !self.factor_names.is_empty() {
            arrays.push(NamedArray {
                name: "factors",
                values: ArrayValues::I64(&factors),
                shape: &of_factors,
            });
        }
        arrays.push(NamedArray {
            name: "indices",
            values: ArrayValues::I64(&indices),
            shape: &of_indices,
        });
        write_npz(path, &arrays)
    }
}

fn read(codes: Tensor<2>) -> Vec<f32> {
    codes.into_data().iter::<f32>().collect()
}
