//! How far codes are from independent, as if they were Gaussian.

use serde::{Deserialize, Serialize};

use super::covariance::scaled_covariance;
use super::labelled_codes::LabelledCodes;
use crate::symmetric_matrix::eigen;

/// Gaussian total correlation (protocol `total-correlation`): `½ (Σ ln Cᵢᵢ − ln det C)` of the
/// covariance C, in nats, as in disentanglement_lib.
///
/// 0 for uncorrelated codes. It does not depend on the scale of each code. Dead codes are left out.
/// Infinite if codes determine each other linearly, for example two equal ones.
pub fn gaussian_total_correlation(labelled: &LabelledCodes) -> f64 {
    let standard: Vec<Vec<f64>> = labelled
        .codes()
        .iter()
        .filter_map(|code| {
            let (covariance, unit) = scaled_covariance(&[code]);
            let deviation = covariance[0].sqrt();
            // Dividing by the unit first keeps huge codes finite.
            let scaled = || code.iter().map(|value| value / unit / deviation).collect();
            (deviation > 0.0).then(scaled)
        })
        .collect();
    if standard.is_empty() {
        return 0.0;
    }
    let columns: Vec<&[f64]> = standard.iter().map(|code| &code[..]).collect();
    let (mut correlation, unit) = scaled_covariance(&columns);
    correlation
        .iter_mut()
        .for_each(|value| *value *= unit * unit);
    let (values, _) = eigen(correlation, columns.len());
    // Rounding leaves about this much of an eigenvalue that is 0.
    let rounding = 16.0 * f64::EPSILON * columns.len() as f64;
    if values.iter().any(|&value| value <= rounding) {
        return f64::INFINITY;
    }
    (-0.5 * values.iter().map(|value| value.ln()).sum::<f64>()).max(0.0)
}

/// The scores of [`gaussian_wasserstein_correlation`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct WassersteinCorrelation {
    /// The squared distance.
    pub distance: f64,
    /// The squared distance divided by the sum of the variances, in `[0, 2]`.
    pub relative: f64,
}

/// Gaussian Wasserstein correlation (protocol `wasserstein-correlation`): the squared Wasserstein
/// distance of a Gaussian with the codes' covariance C to the product of its marginals,
/// `2 tr C − 2 tr (D C)^½` with `D = diag C`, as in disentanglement_lib; also divided by `tr C`.
///
/// 0 for uncorrelated codes, and if all codes are dead. It depends on the scales of the codes.
pub fn gaussian_wasserstein_correlation(labelled: &LabelledCodes) -> WassersteinCorrelation {
    let columns: Vec<&[f64]> = labelled.codes().iter().map(|code| &code[..]).collect();
    let size = columns.len();
    let (covariance, unit) = scaled_covariance(&columns);
    let variances: Vec<f64> = (0..size).map(|i| covariance[i * size + i]).collect();
    let trace: f64 = variances.iter().sum();
    if trace == 0.0 {
        return WassersteinCorrelation {
            distance: 0.0,
            relative: 0.0,
        };
    }
    // D^½ C D^½ is symmetric and has the eigenvalues of D C.
    let product = (0..size * size).map(|place| {
        let scale = variances[place / size].sqrt() * variances[place % size].sqrt();
        covariance[place] / trace * (scale / trace)
    });
    let (values, _) = eigen(product.collect(), size);
    let root: f64 = values.iter().map(|value| value.max(0.0).sqrt()).sum();
    let relative = (2.0 - 2.0 * root).max(0.0);
    WassersteinCorrelation {
        distance: relative * trace * unit * unit,
        relative,
    }
}

#[cfg(test)]
mod tests {
    use super::super::information::tests::weighted;
    use super::*;

    #[test]
    fn independent_correlated_and_equal_codes_have_closed_forms() {
        let independent = weighted(&[[1.0, 0.0], [0.0, -7.0], [0.0, 0.0]]);
        assert!(gaussian_total_correlation(&independent) < 1e-12);
        assert!(gaussian_wasserstein_correlation(&independent).relative < 1e-7);
        // Correlation 1/√2: −½ ln(1 − ½).
        let half = weighted(&[[1.0, 0.0], [1.0, 1.0]]);
        let found = gaussian_total_correlation(&half);
        assert!((found - 0.5 * 2f64.ln()).abs() < 1e-12, "{found}");
        let equal = weighted(&[[1.0, 0.0], [2.0, 0.0]]);
        assert_eq!(gaussian_total_correlation(&equal), f64::INFINITY);
        // Two equal codes of variance v: C has eigenvalue 2v, D C has 2v². 4v − 2√2 v of 2v.
        let equal = gaussian_wasserstein_correlation(&weighted(&[[1.0, 0.0], [1.0, 0.0]]));
        assert!(
            (equal.relative - (2.0 - 2f64.sqrt())).abs() < 1e-7,
            "{equal:?}"
        );
        // The unbiased variance of 0…4, five times each: 2·25/24.
        assert!((equal.distance - equal.relative * 2.0 * 50.0 / 24.0).abs() < 1e-12);
    }

    #[test]
    fn dead_and_huge_codes_are_defined() {
        let dead = weighted(&[[0.0, 0.0], [0.0, 0.0]]);
        assert_eq!(gaussian_total_correlation(&dead), 0.0);
        assert_eq!(gaussian_wasserstein_correlation(&dead).relative, 0.0);
        for scale in [1e-50, 1e37] {
            let codes = weighted(&[[scale, 0.0], [scale, scale]]);
            let found = gaussian_total_correlation(&codes);
            assert!((found - 0.5 * 2f64.ln()).abs() < 1e-12, "{found}");
        }
    }
}
