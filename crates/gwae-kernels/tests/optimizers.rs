//! The optimisers' kernels in single precision against their formulas in double precision.

mod common;

use burn::tensor::{DType, Tensor};
use common::{assert_close, values};
use gwae_kernels::{moving_average, moving_square, scaled_step};

/// More than one block.
const SHAPE: [usize; 2] = [300, 250];

/// Without autodiff, as in an optimiser. With autodiff the updates use Burn's operations.
fn tensor(seed: u64, dtype: DType) -> Tensor<2> {
    common::tensor(seed, SHAPE, dtype).without_autodiff()
}

type Update = fn(Tensor<2>, Tensor<2>, Tensor<2>) -> Tensor<2>;

const UPDATES: [Update; 3] = [
    |a, b, _| moving_average(a, b, 0.9),
    |a, b, _| moving_square(a, b, 0.99),
    // Averages of squares are not negative.
    |a, b, c| scaled_step(a, b, c.square(), 1e-2, 1e-3),
];

#[test]
fn equal_their_formulas_in_double_precision() {
    for update in UPDATES {
        let result = |dtype| {
            let [a, b, c] = [1, 2, 3].map(|seed| tensor(seed, dtype));
            values(update(a, b, c))
        };
        assert_close(&result(DType::F32), &result(DType::F64), 1e-6);
    }
}

#[test]
fn tensors_in_use_elsewhere_and_views_are_left_as_they_are() {
    for update in UPDATES {
        let [a, b, c] = [1, 2, 3].map(|seed| tensor(seed, DType::F32));
        let before = values(a.clone());
        let whole = values(update(a.clone(), b.clone(), c.clone()));
        assert_eq!(values(a.clone()), before);
        let part = |x: &Tensor<2>| x.clone().narrow(0, 100, 50);
        let of_parts = values(update(part(&a), part(&b), part(&c)));
        assert_eq!(of_parts, whole[100 * SHAPE[1]..150 * SHAPE[1]]);
        assert_eq!(values(a), before);
    }
}
