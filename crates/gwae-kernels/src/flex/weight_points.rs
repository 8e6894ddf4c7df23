//! Winograd's evaluation points of a weight, packed for the products, and back.

use rayon::prelude::*;

use super::points::{PHASES, POINTS};
use super::product::{COLUMNS, ROWS, panels};

/// Kernel positions.
pub(super) const TAPS: usize = 16;

/// `u` of a weight `[m, n, 4, 4]` with the rows of a product on the small side:
/// `[m/8][9][4n][8]`, rows beyond m zero.
pub(super) fn to_small(weight: &[f32], m: usize, n: usize) -> Vec<f32> {
    let inner = n * PHASES;
    let mut packed = vec![0.0; panels(m, ROWS) * POINTS * inner * ROWS];
    let panels = packed.par_chunks_mut(POINTS * inner * ROWS);
    panels
        .zip(weight.par_chunks(ROWS * n * TAPS))
        .for_each(|(panel, weight)| {
            for (number, kernel) in weight.chunks_exact(TAPS).enumerate() {
                let (o, c) = (number / n, number % n);
                for (point, phases) in kernel_points(kernel).into_iter().enumerate() {
                    for (phase, value) in phases.into_iter().enumerate() {
                        panel[(point * inner + c * PHASES + phase) * ROWS + o] = value;
                    }
                }
            }
        });
    packed
}

/// `u` of a weight `[m, n, 4, 4]` with the rows of a product on the large side:
/// `[4n/8][9][m][8]`, rows beyond 4n zero.
pub(super) fn to_large(weight: &[f32], m: usize, n: usize) -> Vec<f32> {
    /// Channels per panel.
    const CHANNELS: usize = ROWS / PHASES;
    let size = POINTS * m * ROWS;
    let mut packed = vec![0.0; panels(n, CHANNELS) * size];
    let panels = packed.par_chunks_mut(size).enumerate();
    panels.for_each(|(number, panel)| {
        let first = number * CHANNELS;
        let channels = CHANNELS.min(n - first);
        for (o, kernels) in weight.chunks_exact(n * TAPS).enumerate() {
            let kernels = &kernels[first * TAPS..][..channels * TAPS];
            for (c, kernel) in kernels.chunks_exact(TAPS).enumerate() {
                for (point, phases) in kernel_points(kernel).into_iter().enumerate() {
                    let row = &mut panel[(point * m + o) * ROWS..][..ROWS];
                    row[c * PHASES..][..PHASES].copy_from_slice(&phases);
                }
            }
        }
    });
    packed
}

/// `u` of one 4×4 kernel.
#[inline(always)]
fn kernel_points(kernel: &[f32]) -> [[f32; PHASES]; POINTS] {
    let mut points = [[0.0; PHASES]; POINTS];
    for phase in 0..PHASES {
        let tap = |k: usize, l: usize| kernel[(2 * k + phase / 2) * 4 + 2 * l + phase % 2];
        let column = |l| [tap(0, l), tap(0, l) + tap(1, l), tap(1, l)];
        let (left, right) = (column(0), column(1));
        for a in 0..3 {
            points[3 * a][phase] = left[a];
            points[3 * a + 1][phase] = left[a] + right[a];
            points[3 * a + 2][phase] = right[a];
        }
    }
    points
}

/// The transpose: the gradient `[m, n, 4, 4]` of a weight from that of its points,
/// `[9][4n/32][m to a multiple of 8][32]`.
pub(super) fn gradient(points: &[f32], m: usize, n: usize) -> Vec<f32> {
    let rows = panels(m, ROWS) * ROWS;
    let size = panels(n * PHASES, COLUMNS) * rows * COLUMNS;
    let mut weight = vec![0.0; m * n * TAPS];
    for (o, kernels) in weight.chunks_exact_mut(n * TAPS).enumerate() {
        for (c, kernel) in kernels.chunks_exact_mut(TAPS).enumerate() {
            for phase in 0..PHASES {
                let row = c * PHASES + phase;
                let at = (row / COLUMNS * rows + o) * COLUMNS + row % COLUMNS;
                let u: [f32; POINTS] = std::array::from_fn(|point| points[point * size + at]);
                let upper = [u[0] + u[3], u[1] + u[4], u[2] + u[5]];
                let lower = [u[3] + u[6], u[4] + u[7], u[5] + u[8]];
                for (k, line) in [upper, lower].into_iter().enumerate() {
                    let start = (2 * k + phase / 2) * 4 + phase % 2;
                    kernel[start] = line[0] + line[1];
                    kernel[start + 2] = line[1] + line[2];
                }
            }
        }
    }
    weight
}
