//! The inverse discrete cosine transform in integers: C. Loeffler, A. Ligtenberg, G. Moschytz,
//! "Practical fast 1-D DCT algorithms with 11 multiplications", ICASSP 1989. Constants have 13
//! bits, and values have two extra bits between columns and rows. The results equal those of the
//! accurate method in the reference implementation of the Independent JPEG Group, to the last bit.

/// Fraction bits of the constants.
const CONSTANT_BITS: u32 = 13;
/// Extra bits of the values between the two steps.
const BETWEEN_BITS: u32 = 2;

const fn constant(value: f64) -> i32 {
    (value * (1 << CONSTANT_BITS) as f64 + 0.5) as i32
}

/// Transforms eight frequencies to eight values. The values are `1 << CONSTANT_BITS` times too
/// large.
#[inline(always)]
const fn transform(f: [i32; 8]) -> [i32; 8] {
    // Even part.
    let z1 = f[2]
        .wrapping_add(f[6])
        .wrapping_mul(constant(0.541_196_100));
    let t2 = z1.wrapping_sub(f[6].wrapping_mul(constant(1.847_759_065)));
    let t3 = z1.wrapping_add(f[2].wrapping_mul(constant(0.765_366_865)));
    let t0 = f[0].wrapping_add(f[4]) << CONSTANT_BITS;
    let t1 = f[0].wrapping_sub(f[4]) << CONSTANT_BITS;
    let (e0, e3) = (t0.wrapping_add(t3), t0.wrapping_sub(t3));
    let (e1, e2) = (t1.wrapping_add(t2), t1.wrapping_sub(t2));
    // Odd part.
    let (z1, z2) = (f[7].wrapping_add(f[1]), f[5].wrapping_add(f[3]));
    let (z3, z4) = (f[7].wrapping_add(f[3]), f[5].wrapping_add(f[1]));
    let z5 = z3.wrapping_add(z4).wrapping_mul(constant(1.175_875_602));
    let z1 = z1.wrapping_mul(-constant(0.899_976_223));
    let z2 = z2.wrapping_mul(-constant(2.562_915_447));
    let z3 = z3.wrapping_mul(-constant(1.961_570_560)).wrapping_add(z5);
    let z4 = z4.wrapping_mul(-constant(0.390_180_644)).wrapping_add(z5);
    let o0 = f[7]
        .wrapping_mul(constant(0.298_631_336))
        .wrapping_add(z1)
        .wrapping_add(z3);
    let o1 = f[5]
        .wrapping_mul(constant(2.053_119_869))
        .wrapping_add(z2)
        .wrapping_add(z4);
    let o2 = f[3]
        .wrapping_mul(constant(3.072_711_026))
        .wrapping_add(z2)
        .wrapping_add(z3);
    let o3 = f[1]
        .wrapping_mul(constant(1.501_321_110))
        .wrapping_add(z1)
        .wrapping_add(z4);
    [
        e0.wrapping_add(o3),
        e1.wrapping_add(o2),
        e2.wrapping_add(o1),
        e3.wrapping_add(o0),
        e3.wrapping_sub(o0),
        e2.wrapping_sub(o1),
        e1.wrapping_sub(o2),
        e0.wrapping_sub(o3),
    ]
}

/// [`transform`] as a matrix, `[frequency][place]`, because it is linear. Rows use it so that
/// blocks need not be transposed.
const MATRIX: [[i32; 8]; 8] = {
    let mut matrix = [[0; 8]; 8];
    let mut frequency = 0;
    while frequency < 8 {
        let mut unit = [0; 8];
        unit[frequency] = 1;
        matrix[frequency] = transform(unit);
        frequency += 1;
    }
    matrix
};

/// The pixels of a block of coefficients (both in row order). In every row, the coefficients from
/// `columns` on are zero.
// The plain loops over columns of rows become vector operations. Closures would not be compiled for
// the instruction set that the caller chose.
#[allow(clippy::needless_range_loop)]
#[inline(always)]
pub(super) fn block(coefficients: &[i16; 64], steps: &[i32; 64], columns: usize) -> [[u8; 8]; 8] {
    let mut between = [[0i32; 8]; 8];
    for column in 0..8 {
        let mut frequencies = [0; 8];
        for row in 0..8 {
            let place = 8 * row + column;
            frequencies[row] = i32::from(coefficients[place]).wrapping_mul(steps[place]);
        }
        let values = transform(frequencies);
        for row in 0..8 {
            between[row][column] = descale::<{ CONSTANT_BITS - BETWEEN_BITS }>(values[row]);
        }
    }
    let mut pixels = [[0; 8]; 8];
    for row in 0..8 {
        let mut sums = [0i32; 8];
        for (frequency, weights) in between[row].iter().zip(&MATRIX).take(columns) {
            for place in 0..8 {
                sums[place] = sums[place].wrapping_add(frequency.wrapping_mul(weights[place]));
            }
        }
        for place in 0..8 {
            let value = descale::<{ CONSTANT_BITS + BETWEEN_BITS + 3 }>(sums[place]);
            pixels[row][place] = level(value);
        }
    }
    pixels
}

/// The pixel value of a block that has only its first coefficient.
#[inline(always)]
pub(super) fn flat(coefficient: i16, step: i32) -> u8 {
    level(descale::<3>(i32::from(coefficient).wrapping_mul(step)))
}

/// Divides by a power of two and rounds.
#[inline(always)]
fn descale<const BITS: u32>(value: i32) -> i32 {
    value.wrapping_add(1 << (BITS - 1)) >> BITS
}

#[inline(always)]
fn level(value: i32) -> u8 {
    value.wrapping_add(128).clamp(0, 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pseudorandom numbers from -`bound` to `bound`.
    fn numbers(bound: i32) -> impl Iterator<Item = i32> {
        let mut state = 1u64;
        std::iter::repeat_with(move || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) as i32 % (bound + 1) * if state >> 32 & 1 == 0 { 1 } else { -1 }
        })
    }

    #[test]
    fn rows_through_the_matrix_are_rows_through_the_transform() {
        let mut numbers = numbers(40_000);
        for _ in 0..1000 {
            let frequencies: [i32; 8] = std::array::from_fn(|_| numbers.next().unwrap());
            let by_matrix = std::array::from_fn(|place| {
                let terms = frequencies
                    .iter()
                    .zip(&MATRIX)
                    .map(|(f, row)| f * row[place]);
                terms.sum::<i32>()
            });
            assert_eq!(transform(frequencies), by_matrix);
        }
    }

    #[test]
    fn a_block_is_the_transform_by_its_definition() {
        let cosine = |place: usize, frequency: usize| {
            let scale = if frequency == 0 { 0.5f64.sqrt() } else { 1.0 };
            let angle = (2 * place + 1) as f64 * frequency as f64 * std::f64::consts::PI / 16.0;
            scale * angle.cos() / 2.0
        };
        let mut numbers = numbers(25);
        let steps: [i32; 64] = std::array::from_fn(|place| 1 + place as i32 % 7);
        for columns in 1..=8 {
            let coefficients: [i16; 64] = std::array::from_fn(|place| {
                let number = numbers.next().unwrap() as i16;
                if place % 8 < columns { number } else { 0 }
            });
            let found = block(&coefficients, &steps, columns);
            for (y, row) in found.iter().enumerate() {
                for (x, &pixel) in row.iter().enumerate() {
                    let expected: f64 = (0..64)
                        .map(|place| {
                            let value = f64::from(i32::from(coefficients[place]) * steps[place]);
                            value * cosine(y, place / 8) * cosine(x, place % 8)
                        })
                        .sum();
                    let expected = (expected + 128.0).clamp(0.0, 255.0);
                    // Half a level for rounding, and a little for the constants.
                    assert!(
                        (f64::from(pixel) - expected).abs() < 0.6,
                        "{pixel}, {expected}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_flat_block_is_the_general_one() {
        // Eight times the range of pixels, times two: no encoder exceeds it.
        for step in [1i16, 3, 16, 255] {
            let largest = 4096 / step;
            for coefficient in -largest..=largest {
                let mut coefficients = [0; 64];
                coefficients[0] = coefficient;
                let expected = [[flat(coefficient, step.into()); 8]; 8];
                assert_eq!(block(&coefficients, &[step.into(); 64], 1), expected);
                assert_eq!(block(&coefficients, &[step.into(); 64], 8), expected);
            }
        }
    }
}
