//! Mutual information gap of noisy codes.

use rayon::prelude::*;

use super::information::two_largest;
use super::labelled_codes::LabelledCodes;
use crate::error::MetricError;
use crate::points::check_rows;

/// Number of bins.
const BINS: usize = 100;
/// The bins divide the range between minus and plus this many standard deviations.
const RANGE: f64 = 4.0;

/// RMIG (Do & Tran 2020, section 4.3; protocol `rmig`): the mutual information gap of the codes that the
/// posterior draws, without drawing them. Each posterior is a Gaussian with the given means and standard
/// `deviations` (row-major `[items, dimensions]`). A code is standardised, and its posteriors are spread
/// over 100 bins of equal width in [−4, 4]; the outer bins reach to infinity. The gap is divided by the
/// factor's entropy and averaged over factors.
///
/// 1 if one code tells everything about a factor and no other code anything. Unlike
/// [`mig`](super::mig) of means it is small if the noise hides what the means tell. Dead codes tell
/// nothing. With a single code, the second one counts as 0.
///
/// # Errors
/// [`MetricError::ItemMismatch`] and [`MetricError::PartialPoint`] if there is not one deviation for each
/// mean, [`MetricError::NotFinite`] if one is negative, not finite or beyond single precision.
pub fn robust_mig(means: &LabelledCodes, deviations: &[f64]) -> Result<f64, MetricError> {
    let dimensions = means.dimensions();
    let allowed = |value: &f64| (0.0..=f64::from(f32::MAX)).contains(value);
    check_rows("deviations", deviations, dimensions, allowed)?;
    if deviations.len() != means.items() * dimensions {
        return Err(MetricError::ItemMismatch {
            codes: deviations.len() / dimensions,
            factors: means.items(),
        });
    }
    let information: Vec<Vec<f64>> = means
        .codes()
        .par_iter()
        .enumerate()
        .map(|(dimension, code)| {
            let of_code = deviations.iter().skip(dimension).step_by(dimensions);
            let shares = bin_shares(code, &of_code.copied().collect::<Vec<f64>>());
            let factors = means.factors().iter();
            factors
                .map(|factor| {
                    let all: Vec<usize> = (0..code.len()).collect();
                    let whole = entropy_of_mean(&shares, &all);
                    let groups = factor.items_of_classes();
                    let within = groups.iter().map(|items| {
                        items.len() as f64 / code.len() as f64 * entropy_of_mean(&shares, items)
                    });
                    (whole - within.sum::<f64>()).max(0.0)
                })
                .collect()
        })
        .collect();
    let factors = means.factors().iter().enumerate();
    let gaps = factors.map(|(index, factor)| {
        let (_, largest, second) = two_largest(information.iter().map(|row| row[index]));
        (largest - second) / factor.entropy()
    });
    Ok(gaps.sum::<f64>() / means.factor_count() as f64)
}

/// How each item's posterior is spread over the bins.
fn bin_shares(means: &[f64], deviations: &[f64]) -> Vec<[f64; BINS]> {
    let count = means.len() as f64;
    let largest = means
        .iter()
        .chain(deviations)
        .fold(0.0f64, |most, v| most.max(v.abs()));
    let unit = if largest > 0.0 { largest } else { 1.0 };
    let center = means.iter().map(|mean| mean / unit).sum::<f64>() / count;
    let squares = means
        .iter()
        .zip(deviations)
        .map(|(mean, deviation)| (mean / unit - center).powi(2) + (deviation / unit).powi(2));
    let scale = (squares.sum::<f64>() / count).sqrt();
    let dead = means.iter().all(|&mean| mean == means[0]);
    let width = 2.0 * RANGE / BINS as f64;
    means
        .iter()
        .zip(deviations)
        .map(|(mean, deviation)| {
            let mut shares = [0.0; BINS];
            if dead && scale <= f64::EPSILON {
                shares[0] = 1.0;
                return shares;
            }
            let (mean, deviation) = ((mean / unit - center) / scale, deviation / unit / scale);
            let mut below = 0.0;
            for (bin, share) in shares.iter_mut().enumerate() {
                let edge = (bin + 1) as f64 * width - RANGE;
                let up_to = if bin + 1 == BINS {
                    1.0
                } else if deviation > 0.0 {
                    0.5 * libm::erfc((mean - edge) / deviation * std::f64::consts::FRAC_1_SQRT_2)
                } else {
                    f64::from(u8::from(mean < edge))
                };
                *share = up_to - below;
                below = up_to;
            }
            shares
        })
        .collect()
}

/// Entropy, in nats, of the mean of some items' shares.
fn entropy_of_mean(shares: &[[f64; BINS]], items: &[usize]) -> f64 {
    let mut mean = [0.0; BINS];
    for &item in items {
        for (sum, share) in mean.iter_mut().zip(&shares[item]) {
            *sum += share;
        }
    }
    // A tiny sum divided by the items may be 0.
    let shares = mean
        .iter()
        .map(|sum| sum / items.len() as f64)
        .filter(|&share| share > 0.0);
    let terms = shares.map(|share| -share * share.ln());
    terms.sum()
}

#[cfg(test)]
mod tests {
    use super::super::information::tests::weighted;
    use super::*;

    fn score(code: &[[f64; 2]], deviation: f64) -> f64 {
        let deviations = vec![deviation; 25 * code.len()];
        robust_mig(&weighted(code), &deviations).unwrap()
    }

    #[test]
    fn without_noise_it_is_the_gap_of_the_means() {
        assert!((score(&[[1.0, 0.0], [0.0, -2.0]], 0.0) - 1.0).abs() < 1e-12);
        assert!((score(&[[1.0, 0.0], [0.0, 1.0], [3.0, 0.0]], 0.0) - 0.5).abs() < 1e-12);
        assert_eq!(score(&[[0.0, 0.0]], 0.0), 0.0);
    }

    #[test]
    fn noise_hides_what_the_means_tell() {
        let ideal = [[1.0, 0.0], [0.0, 1.0]];
        let scores = [0.0, 0.3, 1.0, 100.0].map(|deviation| score(&ideal, deviation));
        assert!(scores.is_sorted_by(|a, b| a > b), "{scores:?}");
        assert!(scores[3] < 1e-3, "{scores:?}");
        assert!(score(&[[0.0, 0.0]], 1.0) < 1e-12);
    }

    #[test]
    fn noise_of_one_of_two_values_has_a_closed_form() {
        // Means ±1 with deviation 1: the information of a sign through Gaussian noise, 0.3370 nats
        // (numerically: ln 2 − E ln(1 + e^(−2 − 2ε))).
        let labelled = LabelledCodes::new(&[-1.0, 1.0], 1, &[0.0, 1.0], 1).unwrap();
        let found = robust_mig(&labelled, &[1.0, 1.0]).unwrap() * 2f64.ln();
        let mut expected = 0.0;
        let step = 1e-3;
        for place in -8_000..8_000 {
            let noise = (f64::from(place) + 0.5) * step;
            let density = (-noise * noise / 2.0).exp() / std::f64::consts::TAU.sqrt();
            expected += step * density * (2f64.ln() - (-2.0 - 2.0 * noise).exp().ln_1p());
        }
        assert!((found - expected).abs() < 2e-3, "{found} {expected}");
    }

    #[test]
    fn shares_that_are_too_small_for_a_number_add_nothing() {
        let mut share = [0.0; BINS];
        (share[0], share[1]) = (1.0, f64::from_bits(1));
        let entropy = entropy_of_mean(&[share, share], &[0, 1]);
        assert!((0.0..1e-300).contains(&entropy), "{entropy}");
        let mut whole = [0.0; BINS];
        whole[0] = 1.0;
        assert_eq!(
            entropy_of_mean(&[share, whole, whole, whole], &[0, 1, 2, 3]),
            0.0
        );
    }

    #[test]
    fn deviations_that_do_not_fit_are_refused() {
        let codes = weighted(&[[1.0, 0.0]]);
        assert!(robust_mig(&codes, &[1.0; 24]).is_err());
        assert!(robust_mig(&codes, &[-1.0; 25]).is_err());
    }
}
