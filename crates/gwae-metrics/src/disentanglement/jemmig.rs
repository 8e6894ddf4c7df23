//! Joint entropy minus mutual information gap.

use super::information::{BinnedInformation, two_largest};

/// JEMMIG (Do & Tran 2020, section 4.4), normalised so that 1 is best: for each factor
/// `1 − (H(z, y) − I(z; y) + I(z°; y)) / (H(y) + ln bins)`, where `z` is the code that tells most
/// about the factor `y` and `z°` the second; averaged over factors.
///
/// Unlike [`mig`](super::mig) it is small if the best code holds more than the factor. Because of
/// the bins, even ideal codes reach 1 only if each value of the factor has a bin of its own.
pub fn jemmig(information: &BinnedInformation) -> f64 {
    let bins = (information.bins as f64).ln();
    let factors = information.factor_entropy.iter().enumerate();
    let scores = factors.map(|(factor, entropy)| {
        let (best, largest, second) = two_largest(information.of_factor(factor));
        let excess = information.joint_entropy[best][factor] - largest + second;
        1.0 - excess / (entropy + bins)
    });
    scores.sum::<f64>() / information.factor_count() as f64
}

#[cfg(test)]
mod tests {
    use super::super::information::tests::{combinations, information};
    use super::*;

    #[test]
    fn only_copies_of_factors_reach_one() {
        let (classes, bins) = (5f64.ln(), 20f64.ln());
        // The copy: H(z, y) = I(z; y).
        let ideal = jemmig(&information(&combinations(2, 5, |row| row.to_vec())));
        assert!((ideal - 1.0).abs() < 1e-12);
        // Two copies of one factor, none of the other: the gap of the first is closed by its
        // entropy; for the second H(z, y) = 2 ln 5 with a code that tells nothing.
        let copies = jemmig(&information(&combinations(2, 5, |row| {
            vec![row[0], row[0]]
        })));
        let expected = 1.0 - (classes / (classes + bins) + 2.0 * classes / (classes + bins)) / 2.0;
        assert!((copies - expected).abs() < 1e-12);
        // Dead codes: H(z, y) = H(y).
        let dead = jemmig(&information(&combinations(2, 5, |_| vec![1.0])));
        assert!((dead - (1.0 - classes / (classes + bins))).abs() < 1e-12);
    }
}
