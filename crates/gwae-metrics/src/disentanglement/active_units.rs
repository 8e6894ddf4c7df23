//! How many codes vary.

use super::covariance::scaled_covariance;
use super::labelled_codes::LabelledCodes;

/// Least variance of an active code in the study of Burda et al.
pub const ACTIVE_VARIANCE: f64 = 0.01;

/// Active units (Burda et al. 2016, appendix C; protocol `active-units` with variance 0.01): the number of
/// codes whose variance over items exceeds `variance`. Give the means of the posterior.
pub fn active_units(labelled: &LabelledCodes, variance: f64) -> usize {
    let codes = labelled.codes().iter();
    let active = codes.filter(|code| {
        let (covariance, unit) = scaled_covariance(&[code]);
        covariance[0].sqrt() * unit > variance.sqrt()
    });
    active.count()
}

#[cfg(test)]
mod tests {
    use super::super::information::tests::weighted;
    use super::*;

    #[test]
    fn codes_of_small_variance_are_not_active() {
        // The variance of 0…4 is about 2.
        let codes = weighted(&[[1.0, 0.0], [0.05, 0.0], [0.0, 0.08], [0.0, 0.0]]);
        assert_eq!(active_units(&codes, ACTIVE_VARIANCE), 2);
    }
}
