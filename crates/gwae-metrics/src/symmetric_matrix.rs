//! Eigenvalues of symmetric matrices.

/// Largest number of sweeps of Jacobi's iteration over all pairs of axes. It converges
/// quadratically: matrices of every size allowed here need fewer than 15.
const MOST_SWEEPS: usize = 60;

/// Eigenvalues and eigenvectors (as rows) of a symmetric matrix, in no particular order.
pub(crate) fn eigen(mut matrix: Vec<f64>, size: usize) -> (Vec<f64>, Vec<f64>) {
    let mut vectors = vec![0.0; size * size];
    (0..size).for_each(|i| vectors[i * size + i] = 1.0);
    // Entries of this size are within the rounding errors of the covariances.
    let trace: f64 = (0..size).map(|i| matrix[i * size + i]).sum();
    let negligible = f64::EPSILON * trace / size as f64;
    for _ in 0..MOST_SWEEPS {
        let mut rotated = false;
        for p in 0..size {
            for q in p + 1..size {
                rotated |= rotate(&mut matrix, &mut vectors, size, [p, q], negligible);
            }
        }
        if !rotated {
            break;
        }
    }
    let values = (0..size).map(|i| matrix[i * size + i]).collect();
    (values, vectors)
}

/// Rotates the entries (p, q) and (q, p) to zero, p < q, unless they are negligible.
fn rotate(
    matrix: &mut [f64],
    vectors: &mut [f64],
    size: usize,
    [p, q]: [usize; 2],
    negligible: f64,
) -> bool {
    let (at_p, at_q) = (matrix[p * size + p], matrix[q * size + q]);
    let beside = matrix[p * size + q];
    if beside.abs() <= negligible {
        return false;
    }
    let ratio = (at_q - at_p) / (2.0 * beside);
    // The smaller root of t² + 2·ratio·t − 1; hypot does not overflow.
    let tangent = ratio.signum() / (ratio.abs() + ratio.hypot(1.0));
    let cosine = 1.0 / tangent.hypot(1.0);
    let sine = tangent * cosine;
    // The matrix stays symmetric: rows first, then columns.
    turn_rows(matrix, size, p, q, cosine, sine);
    for row in matrix.chunks_exact_mut(size) {
        let (a, b) = (row[p], row[q]);
        (row[p], row[q]) = (cosine * a - sine * b, sine * a + cosine * b);
    }
    (matrix[p * size + q], matrix[q * size + p]) = (0.0, 0.0);
    turn_rows(vectors, size, p, q, cosine, sine);
    true
}

fn turn_rows(matrix: &mut [f64], size: usize, p: usize, q: usize, cosine: f64, sine: f64) {
    let (above, below) = matrix.split_at_mut(q * size);
    let rows = above[p * size..][..size].iter_mut().zip(&mut below[..size]);
    for (a, b) in rows {
        (*a, *b) = (cosine * *a - sine * *b, sine * *a + cosine * *b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Eigenvectors of the matrix with 2 on the diagonal and −1 beside it are sines.
    #[test]
    fn the_eigenvalues_of_a_chain_are_cosines() {
        let size = 40;
        let mut matrix = vec![0.0; size * size];
        for i in 0..size {
            matrix[i * size + i] = 2.0;
            if i > 0 {
                matrix[i * size + i - 1] = -1.0;
                matrix[(i - 1) * size + i] = -1.0;
            }
        }
        let (mut values, _) = eigen(matrix, size);
        values.sort_by(f64::total_cmp);
        for (k, value) in values.iter().enumerate() {
            let angle = (k + 1) as f64 * std::f64::consts::PI / (size + 1) as f64;
            assert!((value - (2.0 - 2.0 * angle.cos())).abs() < 1e-9);
        }
    }
}
