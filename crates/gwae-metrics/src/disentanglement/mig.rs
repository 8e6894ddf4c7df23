//! Mutual information gap.

use super::information::{BinnedInformation, two_largest};

/// Mutual information gap (MIG; Chen et al. 2018): for each factor the difference between the two
/// codes that tell most about it, divided by the factor's entropy; averaged over factors.
///
/// 1 if one code tells everything about a factor and no other code tells anything. With a single
/// code, the second one counts as 0. `mig` of disentanglement_lib has 20 bins and 10,000 items.
pub fn mig(information: &BinnedInformation) -> f64 {
    let factors = information.factor_entropy.iter().enumerate();
    let gaps = factors.map(|(factor, entropy)| {
        let (_, largest, second) = two_largest(information.of_factor(factor));
        (largest - second) / entropy
    });
    gaps.sum::<f64>() / information.factor_count() as f64
}

#[cfg(test)]
mod tests {
    use super::super::information::tests::{combinations, information};
    use super::*;

    #[track_caller]
    fn assert_mig(code: impl Fn(&[f64]) -> Vec<f64>, expected: f64) {
        let found = mig(&information(&combinations(2, 5, code)));
        assert!(
            (found - expected).abs() < 1e-12,
            "{found} is not {expected}"
        );
    }

    #[test]
    fn ideal_duplicated_and_dead_codes_have_closed_forms() {
        assert_mig(|row| row.to_vec(), 1.0);
        assert_mig(|row| vec![3.0 - row[1], 7.0, 1e-3 * row[0]], 1.0);
        // A second copy of the first factor closes its gap.
        assert_mig(|row| vec![row[0], row[1], row[0]], 0.5);
        assert_mig(|_| vec![1.0, 2.0], 0.0);
        // One code, which tells one of two factors.
        assert_mig(|row| vec![row[0]], 0.5);
        // One code with a bin for each pair of values tells both factors.
        let both = mig(&BinnedInformation::new(
            &combinations(2, 5, |row| vec![5.0 * row[0] + row[1]]),
            25,
        )
        .unwrap());
        assert!((both - 1.0).abs() < 1e-12);
    }
}
