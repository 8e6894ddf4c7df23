//! Distances between the rows of a matrix.

use burn::backend::Dispatch;
use burn::tensor::Tensor;

use crate::extension::Kernels;

/// Euclidean distances between all rows, computed from their differences, without a gradient:
/// accurate in single precision for nearly equal rows too. `None` where there is no kernel that
/// does so: anywhere but on the CPU in single precision.
///
/// # Shapes
/// - `rows`: `[batch, features]`, without autodiff
/// - output: `[batch, batch]`, symmetric with a zero diagonal
pub fn direct_distances(rows: &Tensor<2>) -> Option<Tensor<2>> {
    #[cfg(feature = "cpu")]
    if rows.dtype() == burn::tensor::DType::F32 && rows.device() == burn::tensor::Device::flex() {
        let rows = rows.clone().into_dispatch();
        return Some(Tensor::from_dispatch(<Dispatch as Kernels>::distances(
            rows,
        )));
    }
    let _ = rows;
    None
}

/// Known distances between rows, with the gradient `∂d_ij/∂r_i = (r_i − r_j)/d_ij`, 0 where the
/// distance is 0 or, in single precision, below about 1e-6 of those to the rows farthest from both,
/// where rounding would leave little of it and of the other distances' gradients.
///
/// # Shapes
/// - `rows`: `[batch, features]`
/// - `distances` and output: `[batch, batch]`, symmetric
pub fn attach_distances(rows: Tensor<2>, distances: Tensor<2>) -> Tensor<2> {
    let distances = if rows.is_autodiff() && !distances.is_autodiff() {
        distances.autodiff()
    } else {
        distances
    };
    let (rows, distances) = (rows.into_dispatch(), distances.into_dispatch());
    Tensor::from_dispatch(<Dispatch as Kernels>::attach_distances(rows, distances))
}
