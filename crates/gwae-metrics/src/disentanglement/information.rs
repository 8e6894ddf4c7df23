//! Mutual information of codes and factors, from codes in bins of equal width.

use rayon::prelude::*;

use super::labelled_codes::LabelledCodes;
use crate::clustering::ContingencyTable;
use crate::error::MetricError;

/// Number of bins that the studies of disentanglement use (Locatello et al. 2019).
pub const DEFAULT_BINS: usize = 20;

/// Largest number of bins.
const MOST_BINS: usize = 1 << 16;

/// Entropies and mutual information, in nats, of binned codes and factors. MIG, MIG-sup, JEMMIG,
/// DCIMIG and modularity are functions of these numbers.
///
/// A code's range is divided into bins of equal width, as by `numpy.histogram`. A constant code has
/// entropy 0.
#[derive(Clone, Debug)]
pub struct BinnedInformation {
    /// Mutual information, `[dimensions][factors]`.
    pub mutual_information: Vec<Vec<f64>>,
    /// Entropy of each pair of code and factor, `[dimensions][factors]`.
    pub joint_entropy: Vec<Vec<f64>>,
    /// Entropy of each factor; above 0.
    pub factor_entropy: Vec<f64>,
    /// Number of bins.
    pub bins: usize,
}

impl BinnedInformation {
    /// Counts all pairs of code and factor.
    ///
    /// # Errors
    /// [`MetricError::OutOfRange`] unless `2 ≤ bins ≤ 65536`.
    pub fn new(labelled: &LabelledCodes, bins: usize) -> Result<Self, MetricError> {
        check_bins(bins)?;
        let tables: Vec<Vec<ContingencyTable>> = labelled
            .codes()
            .par_iter()
            .map(|code| {
                let places = equal_width_bins(code, bins);
                let factors = labelled.factors().iter();
                factors
                    .map(|factor| ContingencyTable::new(&factor.classes, &places))
                    .collect()
            })
            .collect::<Result<_, _>>()?;
        let each = |measure: fn(&ContingencyTable) -> f64| {
            let rows = tables.iter();
            rows.map(|row| row.iter().map(measure).collect()).collect()
        };
        Ok(Self {
            mutual_information: each(ContingencyTable::mutual_information),
            joint_entropy: each(ContingencyTable::joint_entropy),
            factor_entropy: tables[0]
                .iter()
                .map(|table| table.class_entropy())
                .collect(),
            bins,
        })
    }

    pub(super) fn dimensions(&self) -> usize {
        self.mutual_information.len()
    }

    pub(super) fn factor_count(&self) -> usize {
        self.factor_entropy.len()
    }

    /// Mutual information of all codes with one factor.
    pub(super) fn of_factor(&self, factor: usize) -> impl Iterator<Item = f64> + '_ {
        self.mutual_information.iter().map(move |row| row[factor])
    }
}

/// # Errors
/// [`MetricError::OutOfRange`] unless `2 ≤ bins ≤ 65536`.
pub(super) fn check_bins(bins: usize) -> Result<(), MetricError> {
    if (2..=MOST_BINS).contains(&bins) {
        return Ok(());
    }
    Err(MetricError::OutOfRange {
        field: "bins",
        value: bins.to_string(),
        allowed: "2 to 65536",
    })
}

/// The bin of each value: `bins` bins of equal width from the smallest to the largest value. The
/// largest value falls into the last bin. All values of a constant code share a bin.
pub(super) fn equal_width_bins(values: &[f64], bins: usize) -> Vec<usize> {
    let smallest = values.iter().copied().fold(f64::INFINITY, f64::min);
    let largest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let width = (largest - smallest) / bins as f64;
    // The width of tiny ranges rounds to 0, and that of huge ones to infinity.
    if width == 0.0 || !width.is_finite() {
        return values
            .iter()
            .map(|&v| usize::from(v > smallest / 2.0 + largest / 2.0))
            .collect();
    }
    let edges: Vec<f64> = (1..bins)
        .map(|edge| edge as f64 * width + smallest)
        .collect();
    let place = |value: &f64| edges.partition_point(|edge| edge <= value);
    values.iter().map(place).collect()
}

/// The largest value, its place, and the second largest value. The second is 0 if there is only one
/// value. Of equal values the first is the largest.
pub(super) fn two_largest(values: impl Iterator<Item = f64>) -> (usize, f64, f64) {
    let (mut place, mut largest, mut second) = (0, f64::NEG_INFINITY, 0.0);
    for (index, value) in values.enumerate() {
        if value > largest {
            second = if index == 0 { 0.0 } else { largest };
            (place, largest) = (index, value);
        } else if index == 1 || value > second {
            second = value;
        }
    }
    (place, largest, second)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Items with every combination of `factors` factors of `classes` values each, and the codes
    /// that `code` makes of the factors.
    pub(in crate::disentanglement) fn combinations(
        factors: usize,
        classes: usize,
        code: impl Fn(&[f64]) -> Vec<f64>,
    ) -> LabelledCodes {
        let items = classes.pow(factors as u32);
        let mut values = Vec::new();
        let mut codes = Vec::new();
        for item in 0..items {
            let row: Vec<f64> = (0..factors)
                .map(|factor| (item / classes.pow(factor as u32) % classes) as f64)
                .collect();
            codes.extend(code(&row));
            values.extend(row);
        }
        let dimensions = codes.len() / items;
        LabelledCodes::new(&codes, dimensions, &values, factors).unwrap()
    }

    /// Two factors of five values each, and codes that are sums of the factors with these weights.
    pub(in crate::disentanglement) fn weighted(weights: &[[f64; 2]]) -> LabelledCodes {
        combinations(2, 5, |row| {
            let sum = |weights: &[f64; 2]| weights[0] * row[0] + weights[1] * row[1];
            weights.iter().map(sum).collect()
        })
    }

    pub(in crate::disentanglement) fn information(labelled: &LabelledCodes) -> BinnedInformation {
        BinnedInformation::new(labelled, DEFAULT_BINS).unwrap()
    }

    #[test]
    fn bins_are_those_of_numpy() {
        // numpy.digitize(x, numpy.histogram(x, 4)[1][:-1]) − 1
        let values = [0.0, 0.24, 0.25, 0.5, 0.74, 0.99, 1.0];
        assert_eq!(equal_width_bins(&values, 4), [0, 0, 1, 2, 2, 3, 3]);
        assert_eq!(equal_width_bins(&[3.0; 4], 20), [0; 4]);
        assert_eq!(equal_width_bins(&[-1e308, 1e308], 2), [0, 1]);
        assert_eq!(equal_width_bins(&[0.0, 5e-324], 20), [0, 1]);
    }

    #[test]
    fn copies_of_factors_have_all_information_and_other_codes_none() {
        let labelled = combinations(2, 5, |row| vec![row[1], 0.0, -2.0 * row[0]]);
        let found = information(&labelled);
        let entropy = 5f64.ln();
        for (code, factor, expected) in [
            (0, 0, 0.0),
            (0, 1, entropy),
            (1, 0, 0.0),
            (1, 1, 0.0),
            (2, 0, entropy),
            (2, 1, 0.0),
        ] {
            let value = found.mutual_information[code][factor];
            assert!((value - expected).abs() < 1e-12, "{code} {factor}");
        }
        assert!((found.joint_entropy[0][0] - 2.0 * entropy).abs() < 1e-12);
        assert!((found.joint_entropy[0][1] - entropy).abs() < 1e-12);
        assert!((found.factor_entropy[1] - entropy).abs() < 1e-12);
    }

    #[test]
    fn the_second_of_one_value_is_zero() {
        assert_eq!(two_largest([2.0].into_iter()), (0, 2.0, 0.0));
        assert_eq!(two_largest([0.5, 2.0, 1.0].into_iter()), (1, 2.0, 1.0));
        assert_eq!(two_largest([2.0, 0.5].into_iter()), (0, 2.0, 0.5));
        assert_eq!(two_largest([2.0, 2.0].into_iter()), (0, 2.0, 2.0));
        assert_eq!(two_largest([-2.0, -3.0].into_iter()), (0, -2.0, -3.0));
    }
}
