//! Peak signal-to-noise ratio.

use super::mean_squared_error::{check_comparable, mean_square};
use crate::error::MetricError;

/// The value of [`psnr`] for identical images, whose true PSNR is infinite: 100 dB, a mean squared
/// error of 10⁻¹⁰. Images with a smaller error also get this value. 8-bit rounding alone gives
/// about 59 dB.
pub const PSNR_LIMIT_DECIBELS: f64 = 100.0;

/// Peak signal-to-noise ratio in dB for images in `[0, 1]`: `10·log₁₀(1 / MSE)` of each image,
/// averaged over the images. Larger is better.
///
/// As in the literature, the decibels are averaged, not the errors, so a single bad image does not
/// decide the result. The value of each image is at most [`PSNR_LIMIT_DECIBELS`]. The peak is 1 for
/// all values; they are not clamped.
///
/// # Shapes
/// `expected`, `actual`: row-major `[N, C, H, W]`, `image_len = C·H·W`.
///
/// # Errors
/// Those of [`mean_squared_error`](crate::mean_squared_error), and [`MetricError::PartialImage`] if
/// the length is not a multiple of `image_len` or `image_len` is 0.
pub fn psnr(expected: &[f32], actual: &[f32], image_len: usize) -> Result<f64, MetricError> {
    check_comparable(expected, actual)?;
    if image_len == 0 || !expected.len().is_multiple_of(image_len) {
        return Err(MetricError::PartialImage {
            values: expected.len(),
            image_len,
        });
    }
    let images = expected.len() / image_len;
    let sum: f64 = expected
        .chunks_exact(image_len)
        .zip(actual.chunks_exact(image_len))
        .map(|(x, y)| (-10.0 * mean_square(x, y).log10()).min(PSNR_LIMIT_DECIBELS))
        .sum();
    Ok(sum / images as f64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::mean_squared_error::mean_squared_error;
    use super::*;

    #[test]
    fn a_uniform_error_has_a_closed_form() {
        // MSE of a constant difference d is d², PSNR −20·log₁₀ d: 0.5 gives 6.0206 dB.
        let (zeros, halves) = ([0.0; 12], [0.5; 12]);
        assert_eq!(mean_squared_error(&zeros, &halves).unwrap(), 0.25);
        let decibels = psnr(&zeros, &halves, 4).unwrap();
        assert!((decibels - 20.0 * 2f64.log10()).abs() < 1e-12);
        // Black against white is the full peak: 0 dB.
        assert_eq!(psnr(&[0.0; 4], &[1.0; 4], 4).unwrap(), 0.0);
    }

    #[test]
    fn decibels_are_averaged_not_errors() {
        // Differences 1 and 2⁻⁴: 0 dB and 80·log₁₀ 2 dB. The MSE of both together would be 3 dB.
        let expected = [0.0; 4];
        let actual = [1.0, 1.0, 0.0625, 0.0625];
        let decibels = psnr(&expected, &actual, 2).unwrap();
        assert!((decibels - 40.0 * 2f64.log10()).abs() < 1e-12);
        let error = mean_squared_error(&expected, &actual).unwrap();
        assert_eq!(error, (1.0 + 1.0 / 256.0) / 2.0);
    }

    #[test]
    fn identical_images_count_the_limit_each() {
        let images = [0.25; 6];
        assert_eq!(psnr(&images, &images, 3).unwrap(), PSNR_LIMIT_DECIBELS);
        let mut other = images;
        other[0] = 0.25 + 0.5;
        // One image of three pixels with one difference of 1/2: MSE 1/12.
        let expected = (10.0 * 12f64.log10() + PSNR_LIMIT_DECIBELS) / 2.0;
        assert!((psnr(&images, &other, 3).unwrap() - expected).abs() < 1e-12);
    }

    #[test]
    fn what_cannot_be_compared_is_refused() {
        let mismatch = MetricError::LengthMismatch {
            expected: 2,
            actual: 3,
        };
        assert_eq!(psnr(&[0.0; 2], &[0.0; 3], 1), Err(mismatch.clone()));
        assert_eq!(mean_squared_error(&[0.0; 2], &[0.0; 3]), Err(mismatch));
        let empty = MetricError::Empty { field: "expected" };
        assert_eq!(mean_squared_error(&[], &[]), Err(empty.clone()));
        assert_eq!(psnr(&[], &[], 1), Err(empty));
        for image_len in [0, 3, 5] {
            assert_eq!(
                psnr(&[0.0; 4], &[0.0; 4], image_len),
                Err(MetricError::PartialImage {
                    values: 4,
                    image_len
                })
            );
        }
        assert_eq!(
            psnr(&[0.0; 2], &[0.0, f32::NAN], 1),
            Err(MetricError::NotFinite {
                field: "actual",
                index: 1
            })
        );
        assert_eq!(
            mean_squared_error(&[f32::INFINITY], &[0.0]),
            Err(MetricError::NotFinite {
                field: "expected",
                index: 0
            })
        );
    }

    proptest! {
        /// For one image, PSNR and MSE carry the same information, and both are symmetric.
        #[test]
        fn agrees_with_the_mean_squared_error(
            pairs in proptest::collection::vec((0f32..=1.0, 0f32..=1.0), 1..50),
        ) {
            let (x, y): (Vec<f32>, Vec<f32>) = pairs.into_iter().unzip();
            let error = mean_squared_error(&x, &y).unwrap();
            let decibels = psnr(&x, &y, x.len()).unwrap();
            prop_assert!((10f64.powf(-decibels / 10.0) - error.max(1e-10)).abs() < 1e-12);
            prop_assert_eq!(decibels, psnr(&y, &x, x.len()).unwrap());
        }
    }
}
