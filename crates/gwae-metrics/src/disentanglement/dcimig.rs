//! DCI's requirements in one number, from mutual information.

use super::information::{BinnedInformation, two_largest};

/// DCIMIG (Sepliarskaia et al. 2019, section 4): each code is given to the factor about which it
/// tells most, with the gap to its second factor as its value. The best values of all factors are
/// added and divided by the sum of the factors' entropies.
///
/// 1 if each factor has a code that tells everything about it and nothing about other factors. More
/// copies of a code change nothing. With a single factor, the second one counts as 0.
pub fn dcimig(information: &BinnedInformation) -> f64 {
    let mut best = vec![0.0f64; information.factor_count()];
    for row in &information.mutual_information {
        let (factor, largest, second) = two_largest(row.iter().copied());
        best[factor] = best[factor].max(largest - second);
    }
    best.iter().sum::<f64>() / information.factor_entropy.iter().sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::super::information::tests::{information, weighted};
    use super::*;

    #[test]
    fn factors_without_a_code_of_their_own_count_as_zero() {
        for (code, expected) in [
            (vec![[1.0, 0.0], [0.0, 1.0]], 1.0),
            (vec![[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, 0.0]], 1.0),
            (vec![[1.0, 0.0], [1.0, 0.0]], 0.5),
            (vec![[0.0, 0.0]], 0.0),
        ] {
            let found = dcimig(&information(&weighted(&code)));
            assert!((found - expected).abs() < 1e-12, "{code:?}: {found}");
        }
    }
}
