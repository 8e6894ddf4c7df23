//! Distances between the rows of a matrix.

use burn::backend::Dispatch;
use burn::tensor::Tensor;

use crate::extension::Kernels;

/// Euclidean distances between all rows, computed from their differences, without a gradient. They
/// are accurate in single precision even for nearly equal rows. `None` except on the CPU in single
/// precision, because no other backend has this kernel.
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

/// Known distances between rows, with the gradient `∂d_ij/∂r_i = (r_i − r_j)/d_ij`. A distance of 0
/// passes on no gradient. In single precision, neither does a distance below about 1e-6 of the
/// distances from its two rows to the rows farthest from them: rounding would destroy its gradient
/// and most of the others'.
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
