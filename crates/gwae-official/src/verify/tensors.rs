//! The tensors in reference files.

use burn::tensor::{Device, Tensor, TensorData};

use super::stream;

/// Images from the uniform stream `name`.
pub fn uniform_images(name: &str, shape: [usize; 4], device: &Device) -> Tensor<4> {
    let values = stream::uniform(name, shape.iter().product());
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// Values of a tensor in double precision.
pub fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}

/// Row 32 of the first channel of the first image.
pub(crate) fn row_32(images: Tensor<4>) -> Result<Vec<f64>, String> {
    let [_, _, height, _] = images.dims();
    if height <= 32 {
        return Err(format!("row 32 of images of {height} rows does not exist"));
    }
    let first = images.narrow(0, 0, 1).narrow(1, 0, 1);
    Ok(values(first.narrow(2, 32, 1)))
}
