//! Whether each code stays where it is when all factors but one change.

use super::labelled_codes::LabelledCodes;

/// The quantile of distances that counts as the largest.
const QUANTILE: f64 = 0.99;

/// Interventional robustness score (IRS; Suter et al. 2019) as in disentanglement_lib (protocol `irs`):
/// for each code and factor the distance of items to the mean of their class, its 99 % quantile averaged
/// over classes and divided by the code's largest distance from its mean. A code's score is 1 minus the
/// smallest of these over factors; codes are averaged with their largest distance as weights.
///
/// 1 if each code is a function of one factor. Dead codes have no weight; 0 if all codes are dead.
/// The score depends on the relative scales of the codes. Classes of one item count as robust.
pub fn interventional_robustness(labelled: &LabelledCodes) -> f64 {
    let (mut sum, mut weights) = (0.0, 0.0);
    for code in labelled.codes() {
        let all: Vec<usize> = (0..code.len()).collect();
        let largest = distances_to_mean(code, &all)
            .into_iter()
            .fold(0.0, f64::max);
        // Rounding of the mean of equal values.
        if code.iter().all(|&value| value == code[0]) || largest == 0.0 {
            continue;
        }
        let scores = labelled.factors().iter().map(|factor| {
            let groups = factor.items_of_classes();
            let quantiles = groups
                .iter()
                .map(|items| quantile(distances_to_mean(code, items)));
            1.0 - quantiles.sum::<f64>() / groups.len() as f64 / largest
        });
        sum += largest * scores.fold(f64::NEG_INFINITY, f64::max);
        weights += largest;
    }
    if weights > 0.0 { sum / weights } else { 0.0 }
}

fn distances_to_mean(code: &[f64], items: &[usize]) -> Vec<f64> {
    let count = items.len() as f64;
    let mean: f64 = items.iter().map(|&item| code[item] / count).sum();
    items
        .iter()
        .map(|&item| (code[item] - mean).abs())
        .collect()
}

/// The quantile, linear between two values, as `numpy.percentile`.
fn quantile(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let place = QUANTILE * (values.len() - 1) as f64;
    let below = place as usize;
    let above = (below + 1).min(values.len() - 1);
    values[below] + (place - below as f64) * (values[above] - values[below])
}

#[cfg(test)]
mod tests {
    use super::super::information::tests::weighted;
    use super::*;

    #[test]
    fn functions_of_one_factor_are_robust() {
        for (code, expected) in [
            (vec![[1.0, 0.0], [0.0, -2.0]], 1.0),
            (vec![[1.0, 0.0], [2.0, 0.0], [0.0, 0.0]], 1.0),
            (vec![[0.0, 0.0]], 0.0),
            // −2…2 twice: within a class the distance reaches 2 of at most 4 (its 99 % quantile: 2).
            (vec![[1.0, 1.0]], 0.5),
        ] {
            let found = interventional_robustness(&weighted(&code));
            assert!((found - expected).abs() < 1e-12, "{code:?}: {found}");
        }
    }

    #[test]
    fn the_quantile_is_that_of_numpy() {
        // numpy.percentile([1, 2, 5], 99)
        assert!((quantile(vec![5.0, 1.0, 2.0]) - 4.94).abs() < 1e-12);
        assert_eq!(quantile(vec![3.0]), 3.0);
    }
}
