//! Spectral normalisation of a weight (Miyato et al. 2018).

use burn::backend::Dispatch;
use burn::tensor::Tensor;

use crate::extension::Kernels;

/// Lengths are raised to at least this before a vector is divided by its length.
const EPSILON: f64 = 1e-12;

/// Estimated singular vectors of a weight `W` `[rows, columns]`, and the singular value between
/// them. All three are without a gradient.
#[derive(Clone, Debug)]
pub struct SingularTriple {
    /// `u`, `[rows]`.
    pub left: Tensor<1>,
    /// `v`, `[columns]`.
    pub right: Tensor<1>,
    /// `σ = uᵀWv`, `[1]`.
    pub value: Tensor<1>,
}

impl SingularTriple {
    /// The singular value between given vectors.
    ///
    /// # Shapes
    /// - `weight`: `[rows, columns]`, both above 0, `left`: `[rows]`, `right`: `[columns]`
    ///
    /// # Panics
    /// If the sizes do not fit.
    pub fn between(weight: Tensor<2>, left: Tensor<1>, right: Tensor<1>) -> Self {
        check_left(&weight, &left);
        assert_eq!(
            right.dims(),
            [weight.dims()[1]],
            "the right vector has a value per column"
        );
        let (left, right) = (left.without_autodiff(), right.without_autodiff());
        let product = product(weight, &right);
        Self {
            value: (product * left.clone()).sum(),
            left,
            right,
        }
    }

    /// One power iteration from a left vector: `v = Wᵀu/‖·‖`, and then `u = Wv/‖·‖`.
    ///
    /// # Shapes
    /// - `weight`: `[rows, columns]`, both above 0, `left`: `[rows]`
    ///
    /// # Panics
    /// If the sizes do not fit.
    pub fn after_power_iteration(weight: Tensor<2>, left: Tensor<1>) -> Self {
        check_left(&weight, &left);
        let plain = weight.clone().without_autodiff().into_dispatch();
        let left = left.without_autodiff().into_dispatch();
        let right = <Dispatch as Kernels>::transposed_product(plain, left);
        let right = unit_vector(Tensor::from_dispatch(right));
        let product = product(weight, &right);
        let left = unit_vector(product.clone());
        Self {
            value: (product * left.clone()).sum(),
            left,
            right,
        }
    }
}

fn check_left(weight: &Tensor<2>, left: &Tensor<1>) {
    let [rows, columns] = weight.dims();
    assert!(rows > 0 && columns > 0, "the weight has values");
    assert_eq!(left.dims(), [rows], "the left vector has a value per row");
}

/// `Wv` without a gradient.
fn product(weight: Tensor<2>, right: &Tensor<1>) -> Tensor<1> {
    let weight = weight.without_autodiff().into_dispatch();
    Tensor::from_dispatch(<Dispatch as Kernels>::product(
        weight,
        right.clone().into_dispatch(),
    ))
}

/// `W/σ` with the σ of its triple. The gradient reaches the weight both directly and through
/// `σ = uᵀWv`; u and v are constants.
///
/// # Shapes
/// - `weight` and output: `[rows, columns]`, the shape of the triple's weight
pub fn divide_by_spectral_norm(weight: Tensor<2>, triple: SingularTriple) -> Tensor<2> {
    let constants = [triple.left, triple.right, triple.value].map(|constant| {
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
