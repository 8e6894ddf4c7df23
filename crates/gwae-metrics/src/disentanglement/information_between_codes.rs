//! How much codes tell about each other.

use rayon::prelude::*;

use super::information::{check_bins, equal_width_bins};
use super::labelled_codes::LabelledCodes;
use crate::clustering::ContingencyTable;
use crate::error::MetricError;

/// The mean mutual information of two different codes, in nats, from bins of equal width (protocol
/// `mutual-information-between-codes` with 20 bins), as the `mutual_info_score` of disentanglement_lib.
///
/// 0 for independent codes, and for a single code. Dead codes tell nothing, so they lower the mean.
///
/// # Errors
/// [`MetricError::OutOfRange`] unless `2 ≤ bins ≤ 65536`.
pub fn mutual_information_between_codes(
    labelled: &LabelledCodes,
    bins: usize,
) -> Result<f64, MetricError> {
    check_bins(bins)?;
    let codes = labelled.codes().par_iter();
    let codes: Vec<Vec<usize>> = codes.map(|code| equal_width_bins(code, bins)).collect();
    let pairs: Vec<(usize, usize)> = (0..codes.len())
        .flat_map(|first| (0..first).map(move |second| (first, second)))
        .collect();
    let information: Vec<f64> = pairs
        .par_iter()
        .map(|&(first, second)| {
            let table = ContingencyTable::new(&codes[first], &codes[second])?;
            Ok(table.mutual_information())
        })
        .collect::<Result<_, MetricError>>()?;
    Ok(information.iter().sum::<f64>() / pairs.len().max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::super::information::tests::weighted;
    use super::*;

    #[test]
    fn copies_tell_everything_and_independent_codes_nothing() {
        let score =
            |code: &[[f64; 2]]| mutual_information_between_codes(&weighted(code), 20).unwrap();
        assert!(score(&[[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]) < 1e-12);
        // One pair of three is a copy of five values.
        let copied = score(&[[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]);
        assert!((copied - 5f64.ln() / 3.0).abs() < 1e-12);
        assert_eq!(score(&[[1.0, 0.0]]), 0.0);
    }
}
