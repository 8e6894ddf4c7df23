//! Datasets from arrays in memory.

use std::sync::OnceLock;

use gwae_formats::hexadecimal::hexadecimal;
use sha2::{Digest, Sha256};

use crate::dataset::{Dataset, out_of_range};
use crate::derived::transformed::in_bytes;
use crate::error::{DatasetError, behind};
use crate::float_image::FloatImage;
use crate::image_shape::ImageShape;
use crate::item::{FactorSpec, Image, Item};

/// Images in memory, `[count, channels, height, width]`, as bytes or as numbers in `[0, 1]`, with optional
/// factors.
///
/// Numbers reach a model without rounding if the images are used directly. Copies on disk, inverted images
/// and shuffled images use bytes, so numbers are rounded to 8 bits.
///
/// ```
/// use gwae_datasets::{ArrayDataset, Dataset, FactorKind, FactorSpec, ImageShape};
///
/// # fn main() -> Result<(), gwae_datasets::DatasetError> {
/// let shape = ImageShape { channels: 2, height: 4, width: 6 };
/// let values = (0..10 * shape.values()).map(|n| (n % 100) as f32 / 99.0).collect();
/// let parity = FactorSpec { name: "parity".into(), kind: FactorKind::Categorical, values: 2 };
/// let dataset = ArrayDataset::from_floats("stripes", shape, values)?
///     .with_factor(parity, (0..10).map(|n| n % 2).collect())?
///     .with_test_share(0.2)?;
/// assert_eq!((dataset.len(), dataset.train_len()), (10, 8));
/// assert_eq!(dataset.item(3)?.factors, [1]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ArrayDataset {
    name: String,
    shape: ImageShape,
    values: Values,
    len: usize,
    train_len: usize,
    specs: Vec<FactorSpec>,
    /// One column per factor.
    columns: Vec<Vec<u32>>,
    fingerprint: OnceLock<String>,
}

#[derive(Clone, Debug)]
enum Values {
    Bytes(Vec<u8>),
    Floats(Vec<f32>),
}

/// The error for arrays that do not make a dataset.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("dataset {dataset}: {problem}")]
pub struct ArrayError {
    /// Name of the dataset.
    pub dataset: String,
    /// The problem.
    pub problem: ArrayProblem,
}

behind!(Other, ArrayError);

/// A problem of a dataset's arrays.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ArrayProblem {
    /// The values are not a whole number of images, or there are none.
    #[error(
        "{values} values make no whole number of images of {shape} (channels × height × width); \
         give count·channels·height·width values, for one image or more"
    )]
    Length {
        /// Number of values.
        values: usize,
        /// The shape of an image.
        shape: ImageShape,
    },

    /// A number is not a brightness in `[0, 1]`.
    #[error(
        "image {image} has the value {value}; numbers must be from 0 to 1, so scale them first"
    )]
    Range {
        /// Index of the image.
        image: usize,
        /// The value.
        value: f32,
    },

    /// A factor does not have one value for each image.
    #[error("factor {factor}: {found} values for {len} images; give one for each")]
    FactorLength {
        /// Name of the factor.
        factor: String,
        /// Number of values given.
        found: usize,
        /// Number of images.
        len: usize,
    },

    /// A factor does not have the value.
    #[error(
        "factor {factor}: image {image} has the value {value}, but values go from 0 to below {values}"
    )]
    FactorValue {
        /// Name of the factor.
        factor: String,
        /// Index of the image.
        image: usize,
        /// Its value.
        value: u32,
        /// Number of values.
        values: u32,
    },

    /// Two factors have the same name.
    #[error("factor {factor} is given twice; name each factor differently")]
    FactorTwice {
        /// The name.
        factor: String,
    },

    /// The share is out of range, or leaves nothing to train on.
    #[error(
        "a test share of {share} leaves nothing to train on or is no share; use at least 0 and less than 1"
    )]
    TestShare {
        /// The value given.
        share: f64,
    },
}

impl ArrayDataset {
    /// A dataset from bytes: 0 is black, 255 is full intensity. All images are for training.
    ///
    /// # Errors
    /// [`ArrayProblem::Length`].
    pub fn from_bytes(
        name: impl Into<String>,
        shape: ImageShape,
        pixels: Vec<u8>,
    ) -> Result<Self, DatasetError> {
        Self::new(name.into(), shape, pixels.len(), Values::Bytes(pixels))
    }

    /// A dataset from numbers in `[0, 1]`. All images are for training.
    ///
    /// # Errors
    /// [`ArrayProblem::Length`] and [`ArrayProblem::Range`].
    pub fn from_floats(
        name: impl Into<String>,
        shape: ImageShape,
        values: Vec<f32>,
    ) -> Result<Self, DatasetError> {
        let count = values.len();
        let wrong = |value: &f32| !(0.0..=1.0).contains(value);
        let place = values.iter().position(wrong);
        let wrong = place.map(|place| (place, values[place]));
        let dataset = Self::new(name.into(), shape, count, Values::Floats(values))?;
        match wrong {
            Some((place, value)) => dataset.refuse(ArrayProblem::Range {
                image: place / shape.values(),
                value,
            }),
            None => Ok(dataset),
        }
    }

    fn new(
        name: String,
        shape: ImageShape,
        count: usize,
        values: Values,
    ) -> Result<Self, DatasetError> {
        let len = count.checked_div(shape.values()).unwrap_or(0);
        let dataset = Self {
            name,
            shape,
            values,
            len,
            train_len: len,
            specs: Vec::new(),
            columns: Vec::new(),
            fingerprint: OnceLock::new(),
        };
        if len == 0 || len * shape.values() != count {
            let values = count;
            return dataset.refuse(ArrayProblem::Length { values, shape });
        }
        Ok(dataset)
    }

    /// The same dataset with one more factor, and its value for each image.
    ///
    /// # Errors
    /// [`ArrayProblem::FactorLength`], [`ArrayProblem::FactorValue`] and [`ArrayProblem::FactorTwice`].
    pub fn with_factor(mut self, spec: FactorSpec, values: Vec<u32>) -> Result<Self, DatasetError> {
        let factor = spec.name.clone();
        if self.specs.iter().any(|other| other.name == factor) {
            return self.refuse(ArrayProblem::FactorTwice { factor });
        }
        if values.len() != self.len {
            let (found, len) = (values.len(), self.len);
            return self.refuse(ArrayProblem::FactorLength { factor, found, len });
        }
        if let Some(image) = values.iter().position(|value| *value >= spec.values) {
            return self.refuse(ArrayProblem::FactorValue {
                factor,
                image,
                value: values[image],
                values: spec.values,
            });
        }
        self.specs.push(spec);
        self.columns.push(values);
        self.fingerprint = OnceLock::new();
        Ok(self)
    }

    /// The same dataset with the last images as the test part: `round(share · len)` images.
    ///
    /// # Errors
    /// [`ArrayProblem::TestShare`].
    pub fn with_test_share(mut self, share: f64) -> Result<Self, DatasetError> {
        let count = (share * self.len as f64).round() as usize;
        if !(0.0..1.0).contains(&share) || count >= self.len {
            return self.refuse(ArrayProblem::TestShare { share });
        }
        self.train_len = self.len - count;
        self.fingerprint = OnceLock::new();
        Ok(self)
    }

    /// Channels, height and width of every image.
    pub fn shape(&self) -> ImageShape {
        self.shape
    }

    fn refuse<T>(&self, problem: ArrayProblem) -> Result<T, DatasetError> {
        let dataset = self.name.clone();
        Err(ArrayError { dataset, problem }.into())
    }

    /// The slice of `values` for the image at `index`.
    fn part<'a, T>(&self, values: &'a [T], index: usize) -> Option<&'a [T]> {
        values.chunks_exact(self.shape.values()).nth(index)
    }

    fn digest(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(b"gwae-datasets: arrays, version 1\0");
        let ImageShape {
            channels,
            height,
            width,
        } = self.shape;
        for number in [channels, height, width, self.len, self.train_len] {
            hash.update((number as u64).to_le_bytes());
        }
        for (spec, column) in self.specs.iter().zip(&self.columns) {
            hash.update(format!("{}\0{:?}\0{}\0", spec.name, spec.kind, spec.values));
            for value in column {
                hash.update(value.to_le_bytes());
            }
        }
        match &self.values {
            Values::Bytes(values) => hash.update(values),
            Values::Floats(values) => values
                .iter()
                .for_each(|value| hash.update(value.to_le_bytes())),
        }
        hexadecimal(&hash.finalize())
    }
}

impl Dataset for ArrayDataset {
    fn name(&self) -> &str {
        &self.name
    }

    fn len(&self) -> usize {
        self.len
    }

    fn train_len(&self) -> usize {
        self.train_len
    }

    fn item(&self, index: usize) -> Result<Item, DatasetError> {
        let pixels = match &self.values {
            Values::Bytes(values) => self.part(values, index).map(<[u8]>::to_vec),
            Values::Floats(values) => self.part(values, index).map(in_bytes),
        };
        let pixels = pixels.ok_or_else(|| out_of_range(self, index))?;
        Ok(Item {
            image: Image::new(self.shape, pixels),
            factors: self.columns.iter().map(|column| column[index]).collect(),
        })
    }

    fn float_image(&self, index: usize) -> Option<FloatImage> {
        let Values::Floats(values) = &self.values else {
            return None;
        };
        let values = self.part(values, index)?.to_vec();
        Some(FloatImage {
            shape: self.shape,
            values,
        })
    }

    fn factors(&self) -> &[FactorSpec] {
        &self.specs
    }

    fn find(&self, factors: &[u32]) -> Option<usize> {
        let is_there = |index: &usize| {
            let values = self.columns.iter().map(|column| column[*index]);
            values.eq(factors.iter().copied())
        };
        (0..self.len).find(is_there)
    }

    fn fingerprint(&self) -> String {
        self.fingerprint.get_or_init(|| self.digest()).clone()
    }
}
