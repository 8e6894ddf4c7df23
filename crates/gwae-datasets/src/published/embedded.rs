//! Real digits inside the program, so that a first training run needs no download.

use crate::error::DatasetError;
use crate::published::mnist::Mnist;
use crate::published::mnist::Part;
use gwae_formats::idx::{read_images_from, read_labels_from};

macro_rules! embedded {
    ($file:literal) => {
        (
            concat!("datasets/mnist10k/", $file),
            include_bytes!(concat!("../../datasets/mnist10k/", $file)).as_slice(),
        )
    };
}

type File = (&'static str, &'static [u8]);

const TRAIN_IMAGES: File = embedded!("train-images-idx3-ubyte.gz");
const TRAIN_LABELS: File = embedded!("train-labels-idx1-ubyte.gz");
const TEST_IMAGES: File = embedded!("t10k-images-idx3-ubyte.gz");
const TEST_LABELS: File = embedded!("t10k-labels-idx1-ubyte.gz");

/// 10,000 MNIST digits, 28×28 grey, white on black: 8,000 for training, then 2,000 for testing. The
/// only factor is `digit`. Origin and licence: `datasets/mnist10k/README.md`.
///
/// Each call decompresses them again (1.6 MB to 7.9 MB, a fraction of a second). To share the
/// result, use an [`Arc`](std::sync::Arc).
///
/// # Errors
/// Only if the program was built with damaged files.
pub fn embedded_digits() -> Result<Mnist, DatasetError> {
    let part = |images: File, labels: File| {
        Ok::<_, DatasetError>(Part {
            images_file: images.0.to_owned(),
            images: read_images_from(images.0, images.1)?,
            labels_file: labels.0.to_owned(),
            labels: read_labels_from(labels.0, labels.1)?,
        })
    };
    Mnist::from_parts(
        "mnist10k",
        "digit",
        part(TRAIN_IMAGES, TRAIN_LABELS)?,
        part(TEST_IMAGES, TEST_LABELS)?,
    )
}
