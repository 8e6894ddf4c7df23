//! Matrix products of packed panels.

use pulp::{Arch, Simd, WithSimd};

/// Rows per panel of a left factor.
pub(super) const ROWS: usize = 8;
/// Columns per panel of a right factor.
pub(super) const COLUMNS: usize = 32;

/// `c = a·b`, or `c += a·b`, for one panel of columns.
///
/// - `a`: panels `[k][8]`, `stride` values apart
/// - `b`: `[k][32]`
/// - `c`: `[rows][32]`
pub(super) fn multiply(a: &[f32], stride: usize, b: &[f32], c: &mut [f32], accumulate: bool) {
    struct Multiply<'a> {
        a: &'a [f32],
        stride: usize,
        b: &'a [f32],
        c: &'a mut [f32],
        accumulate: bool,
    }
    impl WithSimd for Multiply<'_> {
        type Output = ();

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            let Self {
                a,
                stride,
                b,
                c,
                accumulate,
            } = self;
            let inner = b.len() / COLUMNS;
            let panels = a.chunks(stride).zip(c.chunks_exact_mut(ROWS * COLUMNS));
            for (a, c) in panels {
                let a = &a[..inner * ROWS];
                // As many accumulators as the registers hold.
                match S::F32_LANES {
                    16 => block::<S, 8, 2>(simd, a, b, c, 0, 0, accumulate),
                    8 => {
                        for row in [0, 4] {
                            for column in [0, 16] {
                                block::<S, 4, 2>(simd, a, b, c, row, column, accumulate);
                            }
                        }
                    }
                    4 => {
                        for row in [0, 4] {
                            for column in [0, 16] {
                                block::<S, 4, 4>(simd, a, b, c, row, column, accumulate);
                            }
                        }
                    }
                    lanes => {
                        for row in 0..ROWS {
                            for column in (0..COLUMNS).step_by(lanes) {
                                block::<S, 1, 1>(simd, a, b, c, row, column, accumulate);
                            }
                        }
                    }
                }
            }
        }
    }
    if !b.is_empty() {
        Arch::new().dispatch(Multiply {
            a,
            stride,
            b,
            c,
            accumulate,
        });
    }
}

#[inline(always)]
fn block<S: Simd, const R: usize, const V: usize>(
    simd: S,
    a: &[f32],
    b: &[f32],
    c: &mut [f32],
    row: usize,
    column: usize,
    accumulate: bool,
) {
    let lanes = S::F32_LANES;
    let mut sums = [[simd.splat_f32s(0.0); V]; R];
    let (b, _) = S::as_simd_f32s(b);
    let first = column / lanes;
    for (a, b) in a.chunks_exact(ROWS).zip(b.chunks_exact(COLUMNS / lanes)) {
        let a: &[f32; R] = a[row..row + R].try_into().unwrap();
        let b: &[S::f32s; V] = b[first..first + V].try_into().unwrap();
        for r in 0..R {
            let value = simd.splat_f32s(a[r]);
            for v in 0..V {
                sums[r][v] = simd.mul_add_f32s(value, b[v], sums[r][v]);
            }
        }
    }
    for r in 0..R {
        let line = &mut c[(row + r) * COLUMNS + column..][..V * lanes];
        let (line, _) = S::as_mut_simd_f32s(line);
        for v in 0..V {
            line[v] = if accumulate {
                simd.add_f32s(line[v], sums[r][v])
            } else {
                sums[r][v]
            };
        }
    }
}

/// Number of panels of `size` that hold `count` rows or columns.
pub(super) fn panels(count: usize, size: usize) -> usize {
    count.div_ceil(size)
}
