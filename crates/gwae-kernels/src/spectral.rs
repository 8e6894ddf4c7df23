//! Spectral normalisation of a weight (Miyato et al. 2018).

use burn::backend::Dispatch;
use burn::tensor::Tensor;

use crate::extension::Kernels;

/// The least length that a vector is divided by.
const EPSILON: f64 = 1e-12;

/// One power iteration from a left singular vector, `v = Wᵀu/‖·‖` and then `u = Wv/‖·‖`, without
/// a gradient.
///
/// # Shapes
/// - `weight`: `[rows, columns]`, neither of them 0, `left`: `[rows]`
/// - output: `u` `[rows]` and `v` `[columns]`
///
/// # Panics
/// If the sizes do not fit.
pub fn power_iteration(weight: Tensor<2>, left: Tensor<1>) -> (Tensor<1>, Tensor<1>) {
    let [rows, columns] = weight.dims();
    assert!(rows > 0 && columns > 0, "the weight has values");
    assert_eq!(left.dims(), [rows], "the left vector has a value per row");
    let weight = weight.without_autodiff().into_dispatch();
    let left = left.without_autodiff().into_dispatch();
    let right = <Dispatch as Kernels>::transposed_product(weight.clone(), left);
    let right = unit_vector(Tensor::from_dispatch(right));
    let left = <Dispatch as Kernels>::product(weight, right.clone().into_dispatch());
    (unit_vector(Tensor::from_dispatch(left)), right)
}

/// `W/σ` with `σ = uᵀWv`. The gradient reaches the weight, through σ too; u and v are constants.
///
/// # Shapes
/// - `weight` and output: `[rows, columns]`, neither of them 0
/// - `left`: `[rows]`, `right`: `[columns]`
///
/// # Panics
/// If the sizes do not fit.
pub fn divide_by_spectral_norm(weight: Tensor<2>, left: Tensor<1>, right: Tensor<1>) -> Tensor<2> {
    let [rows, columns] = weight.dims();
    assert!(rows > 0 && columns > 0, "the weight has values");
    assert_eq!(left.dims(), [rows], "the left vector has a value per row");
    assert_eq!(
        right.dims(),
        [columns],
        "the right one has a value per column"
    );
    let (left, right) = (left.without_autodiff(), right.without_autodiff());
    let plain = weight.clone().without_autodiff().into_dispatch();
    let product = <Dispatch as Kernels>::product(plain, right.clone().into_dispatch());
    let sigma = (Tensor::from_dispatch(product) * left.clone()).sum();
    let constants = [left, right, sigma].map(|constant: Tensor<1>| {
        let constant = if weight.is_autodiff() {
            constant.autodiff()
        } else {
            constant
        };
        constant.into_dispatch()
    });
    let [left, right, sigma] = constants;
    let weight = weight.into_dispatch();
    Tensor::from_dispatch(<Dispatch as Kernels>::divide_by_norm(
        weight, left, right, sigma,
    ))
}

/// A vector scaled to unit length.
///
/// # Shapes
/// - `vector` and output: `[length]`
pub fn unit_vector(vector: Tensor<1>) -> Tensor<1> {
    let norm = vector.clone().square().sum().sqrt().clamp_min(EPSILON);
    vector / norm
}
