//! Whether each code depends on one factor only.

use super::information::{BinnedInformation, two_largest};

/// Modularity (Ridgeway & Mozer 2018, section 2): for each code
/// `1 − Σ I(z; y)² / (max² · (factors − 1))`, where the sum leaves out the factor with the largest
/// mutual information; averaged over codes. A code that tells nothing counts as 0.
///
/// With a single factor, a code that tells something counts as 1.
pub fn modularity(information: &BinnedInformation) -> f64 {
    let others = information.factor_count() - 1;
    let scores = information.mutual_information.iter().map(|row| {
        let (_, largest, _) = two_largest(row.iter().copied());
        if largest == 0.0 {
            return 0.0;
        }
        if others == 0 {
            return 1.0;
        }
        let squares: f64 = row.iter().map(|value| value * value).sum();
        let largest = largest * largest;
        1.0 - (squares - largest) / (largest * others as f64)
    });
    scores.sum::<f64>() / information.dimensions() as f64
}

#[cfg(test)]
mod tests {
    use super::super::information::tests::{combinations, information};
    use super::*;

    #[test]
    fn codes_of_one_factor_are_modular() {
        let score =
            |code: fn(&[f64]) -> Vec<f64>| modularity(&information(&combinations(3, 4, code)));
        assert!((score(|row| row.to_vec()) - 1.0).abs() < 1e-12);
        // Copies are modular too; a dead code is not.
        assert!((score(|row| vec![row[0], row[0]]) - 1.0).abs() < 1e-12);
        assert!((score(|row| vec![row[0], 1.0]) - 0.5).abs() < 1e-12);
        // A code that tells two of three factors equally well: 1 − I²/(2·I²).
        let both = |row: &[f64]| vec![row[0] + 4.0 * row[1]];
        assert!((score(both) - 0.5).abs() < 1e-12);
    }
}
