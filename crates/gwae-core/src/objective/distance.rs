//! Pairwise Euclidean distances without a `[B, B, D]` tensor.

use burn::tensor::{DType, Tensor};
use gwae_kernels::{attach_distances, direct_distances};

/// Number of columns converted to double precision at a time, which bounds the extra memory.
const CHUNK: usize = 2048;

/// A squared distance below this multiple of the squared norms is only rounding noise of the
/// double-precision Gram matrix. The rows then count as equal.
const ROUNDING_F64: f64 = 4e-15;

/// The same limit on a device that only computes in single precision.
const ROUNDING_F32: f64 = 1e-6;

/// Euclidean distances between all rows, `d_ij = ‖r_i − r_j‖₂`.
///
/// Takes `O(B² + B·D)` memory. On the CPU in single precision, the distances are computed from the
/// differences of rows. Elsewhere they are computed from the Gram matrix,
/// `d_ij² = ‖r_i‖² + ‖r_j‖² − 2⟨r_i, r_j⟩`. That formula loses digits for nearly equal rows, so the rows
/// are centred first and, if the device has double precision, converted to it. CUDA devices have it.
/// Most wgpu devices do not; there, a distance below about a thousandth of the spread of the rows
/// becomes 0.
///
/// The gradient is `∂d_ij/∂r_i = (r_i − r_j)/d_ij`. It is 0 for a distance of 0, and for a distance
/// below about 1e-6 of the distances to the farthest rows (1e-14 in double precision). It is summed over
/// centred rows; its rounding error is relative to their norms.
///
/// # Shapes
/// - `rows`: `[batch, features]`
/// - output: `[batch, batch]`, symmetric with a zero diagonal
pub fn pairwise_distances(rows: Tensor<2>) -> Tensor<2> {
    let plain = rows.clone().without_autodiff();
    let distances = direct_distances(&plain).unwrap_or_else(|| distance_values(plain));
    attach_distances(rows, distances)
}

/// Squared Euclidean distances between the rows of two matrices, at least 0, with a gradient.
///
/// The error is relative to the squared norms. For the distances themselves use [`pairwise_distances`].
///
/// # Shapes
/// - `a`: `[m, features]`, `b`: `[n, features]`
/// - output: `[m, n]`
pub fn squared_distances(a: Tensor<2>, b: Tensor<2>) -> Tensor<2> {
    let norms_a = a.clone().square().sum_dim(1);
    let norms_b = b.clone().square().sum_dim(1).transpose();
    (norms_a + norms_b - a.matmul(b.transpose()) * 2.0).clamp_min(0.0)
}

fn distance_values(rows: Tensor<2>) -> Tensor<2> {
    let dtype = rows.dtype();
    let [batch, features] = rows.dims();
    let device = rows.device();
    let wide = device.supports_dtype(DType::F64);
    let (working, rounding) = if wide {
        (DType::F64, ROUNDING_F64)
    } else {
        (dtype, ROUNDING_F32)
    };

    let mut gram = Tensor::<2>::zeros([batch, batch], (&device, working));
    for start in (0..features).step_by(CHUNK) {
        let columns = rows
            .clone()
            .narrow(1, start, CHUNK.min(features - start))
            .cast(working);
        let centred = columns.clone() - columns.mean_dim(0);
        gram = gram + centred.clone().matmul(centred.transpose());
    }
    // Norms from the diagonal, so that equal rows cancel exactly.
    let identity = Tensor::<2>::eye(batch, &device).cast(working);
    let norms = (gram.clone() * identity).sum_dim(1);
    let norm_sums = norms.clone() + norms.transpose();
    let squared = norm_sums.clone() - gram * 2.0;
    let noise = squared.clone().lower_equal(norm_sums * rounding);
    squared.mask_fill(noise, 0.0).sqrt().cast(dtype)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{RandomSource, SeededGenerator};
    use crate::testing::{assert_close, f64_tensor, finite_difference, values};
    use burn::tensor::{Device, TensorData};
    use proptest::prelude::*;

    fn direct(rows: &[f32], batch: usize) -> Vec<f64> {
        let features = rows.len() / batch;
        let row = |i: usize| &rows[i * features..(i + 1) * features];
        let distance = |i: usize, j: usize| -> f64 {
            let pairs = row(i).iter().zip(row(j));
            pairs
                .map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2))
                .sum::<f64>()
                .sqrt()
        };
        (0..batch * batch)
            .map(|k| distance(k / batch, k % batch))
            .collect()
    }

    fn tensor(rows: &[f32], batch: usize) -> Tensor<2> {
        let shape = [batch, rows.len() / batch];
        Tensor::from_data(TensorData::new(rows.to_vec(), shape), &Device::flex())
    }

    #[test]
    fn equals_the_direct_formula_in_double_precision() {
        let rows = SeededGenerator::new(1, 0).uniform(16 * 5000);
        let ours = values(pairwise_distances(tensor(&rows, 16)));
        assert_close(&ours, &direct(&rows, 16), 1e-6);
    }

    #[test]
    fn nearly_equal_rows_keep_their_accuracy() {
        // Offsets from 1e-2 down to 1e-5 beside rows of norm 60: the plain single-precision
        // Gram formula loses everything below 1e-3 here.
        let mut generator = SeededGenerator::new(2, 0);
        let base = generator.uniform(12_288);
        let mut rows = base.clone();
        for scale in [1e-2f32, 1e-3, 1e-4, 1e-5] {
            let offset = generator.standard_normal(base.len());
            rows.extend(base.iter().zip(offset).map(|(b, o)| b + scale * o));
        }
        rows.extend(generator.uniform(12_288));
        let ours = values(pairwise_distances(tensor(&rows, 6)));
        assert_close(&ours, &direct(&rows, 6), 1e-5);
    }

    #[test]
    fn equal_rows_have_distance_and_gradient_zero() {
        let row = SeededGenerator::new(3, 0).uniform(300);
        let rows = [row.clone(), row.clone(), row].concat();
        let data = TensorData::new(rows, [3, 300]);
        let rows = Tensor::<2>::from_data(data, &Device::flex().autodiff()).require_grad();
        let distances = pairwise_distances(rows.clone());
        assert_eq!(values(distances.clone()), [0.0; 9]);
        let gradient = rows.grad(&distances.sum().backward()).unwrap();
        assert!(values(gradient).iter().all(|&g| g == 0.0));
    }

    #[test]
    fn gradient_matches_finite_differences() {
        let mut generator = SeededGenerator::new(4, 0);
        let point: Vec<f64> = generator
            .standard_normal(5 * 7)
            .into_iter()
            .map(f64::from)
            .collect();
        // Asymmetric weights, so that the two directions of each pair differ.
        let weights = generator
            .uniform(25)
            .into_iter()
            .map(f64::from)
            .collect::<Vec<_>>();
        finite_difference(&point, [5, 7], 1e-6, |rows| {
            let weights = f64_tensor(&weights, [5, 5], &rows.device());
            (pairwise_distances(rows) * weights).sum()
        });
    }

    #[test]
    fn gradient_in_single_precision_is_the_direct_one() {
        // Compare with the gradient that autodiff gets from the broadcast formula.
        let device = Device::flex().autodiff();
        let data = TensorData::new(SeededGenerator::new(6, 0).uniform(8 * 400), [8, 400]);
        let rows = Tensor::<2>::from_data(data, &device).require_grad();
        let ours = rows
            .grad(&pairwise_distances(rows.clone()).sum().backward())
            .unwrap();
        let differences = rows.clone().unsqueeze_dim::<3>(1) - rows.clone().unsqueeze_dim::<3>(0);
        let squared: Tensor<2> = differences.square().sum_dim(2).squeeze_dim(2);
        let broadcast = (squared + Tensor::eye(8, &device)).sqrt();
        let off_diagonal = broadcast * (Tensor::<2>::eye(8, &device) * -1.0 + 1.0);
        let theirs = rows.grad(&off_diagonal.sum().backward()).unwrap();
        assert_close(&values(ours), &values(theirs), 1e-4);
    }

    #[test]
    fn squared_distances_equal_the_naive_ones_and_have_their_gradient() {
        let mut generator = SeededGenerator::new(7, 0);
        let mut draw = |count| -> Vec<f64> {
            let values = generator.standard_normal(count).into_iter();
            values.map(f64::from).collect()
        };
        let (a, b) = (draw(4 * 3), draw(5 * 3));
        let squared =
            |x: &[f64], y: &[f64]| -> f64 { x.iter().zip(y).map(|(x, y)| (x - y).powi(2)).sum() };
        let rows = a.chunks(3);
        let expected: Vec<f64> = rows
            .flat_map(|x| b.chunks(3).map(move |y| squared(x, y)))
            .collect();
        let device = Device::flex();
        let found = squared_distances(
            f64_tensor(&a, [4, 3], &device),
            f64_tensor(&b, [5, 3], &device),
        );
        assert_close(&values(found), &expected, 1e-12);
        let weights = draw(4 * 5);
        finite_difference(&a, [4, 3], 1e-6, |a| {
            let b = f64_tensor(&b, [5, 3], &a.device());
            let weights = f64_tensor(&weights, [4, 5], &a.device());
            (squared_distances(a, b) * weights).sum()
        });
        finite_difference(&b, [5, 3], 1e-6, |b| {
            let a = f64_tensor(&a, [4, 3], &b.device());
            let weights = f64_tensor(&weights, [4, 5], &b.device());
            (squared_distances(a, b) * weights).sum()
        });
    }

    #[test]
    fn a_triangle_has_its_sides() {
        let rows = f64_tensor(&[0.0, 0.0, 3.0, 0.0, 0.0, 4.0], [3, 2], &Device::flex());
        let sides = [0.0, 3.0, 4.0, 3.0, 0.0, 5.0, 4.0, 5.0, 0.0];
        assert_close(&values(pairwise_distances(rows.clone())), &sides, 1e-12);
        let squares = sides.map(|side| side * side);
        assert_close(
            &values(squared_distances(rows.clone(), rows)),
            &squares,
            1e-12,
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn is_a_metric(seed in 0u64..1000, batch in 2usize..9, features in 1usize..40) {
            let rows = SeededGenerator::new(seed, 0).standard_normal(batch * features);
            let d = values(pairwise_distances(tensor(&rows, batch)));
            for i in 0..batch {
                prop_assert_eq!(d[i * batch + i], 0.0);
                for j in 0..batch {
                    prop_assert_eq!(d[i * batch + j], d[j * batch + i]);
                    for k in 0..batch {
                        prop_assert!(d[i * batch + k] <= d[i * batch + j] + d[j * batch + k] + 1e-5);
                    }
                }
            }
        }
    }
}
