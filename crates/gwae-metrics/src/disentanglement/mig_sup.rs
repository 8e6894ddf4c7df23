//! Mutual information gap of the codes.

use super::information::{BinnedInformation, two_largest};

/// MIG-sup (Li et al. 2020, equation 7): for each code the difference between the two factors about
/// which it tells most, each divided by the factor's entropy; averaged over codes.
///
/// It complements [`mig`](super::mig): MIG is small if several codes share a factor, MIG-sup if a
/// code mixes factors. A code that tells nothing counts as 0, so unused codes lower the score. With
/// a single factor, the second one counts as 0.
pub fn mig_sup(information: &BinnedInformation) -> f64 {
    let gaps = information.mutual_information.iter().map(|row| {
        let shares = row.iter().zip(&information.factor_entropy);
        let (_, largest, second) = two_largest(shares.map(|(value, entropy)| value / entropy));
        largest - second
    });
    gaps.sum::<f64>() / information.dimensions() as f64
}

#[cfg(test)]
mod tests {
    use super::super::information::tests::{information, weighted};
    use super::*;

    #[test]
    fn mixing_lowers_it_and_copies_do_not() {
        for (code, expected) in [
            (vec![[1.0, 0.0], [0.0, -2.0]], 1.0),
            (vec![[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]], 1.0),
            (vec![[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]], 2.0 / 3.0),
            (vec![[1.0, 1.0], [1.0, -1.0]], 0.0),
        ] {
            let found = mig_sup(&information(&weighted(&code)));
            assert!((found - expected).abs() < 1e-12, "{code:?}: {found}");
        }
    }
}
