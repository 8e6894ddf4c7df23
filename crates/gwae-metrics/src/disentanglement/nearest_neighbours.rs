//! Mutual information of a code and a factor from distances to neighbours.

use super::labelled_codes::Factor;
use super::learners::standardised::center_and_scale;
use crate::random::{generator, normal};

/// Standard deviation of the noise that separates equal values, as scikit-learn and Kraskov advise.
const NOISE: f64 = 1e-10;

/// A standardised code with its values in ascending order.
pub(super) struct SortedCode {
    values: Vec<f64>,
    /// Each item, in ascending order of its value.
    order: Vec<usize>,
}

impl SortedCode {
    /// Standardises the code and adds noise of 10⁻¹⁰ of its size, so that equal values have an order.
    /// `stream` gives each code noise of its own.
    pub fn new(code: &[f64], seed: u64, stream: u64) -> Self {
        let (center, scale) = center_and_scale(code);
        let mut generator = generator(seed, stream);
        let standard: Vec<f64> = code.iter().map(|value| (value - center) / scale).collect();
        let size = standard.iter().map(|value| value.abs()).sum::<f64>() / code.len() as f64;
        let values: Vec<f64> = standard
            .iter()
            .map(|value| value + NOISE * size.max(1.0) * normal(&mut generator))
            .collect();
        let mut order: Vec<usize> = (0..code.len()).collect();
        order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
        Self { values, order }
    }

    /// Ross's estimate (2014) of the mutual information with a factor, in nats, at least 0:
    /// `ψ(n) + ⟨ψ(k)⟩ − ⟨ψ(n_class)⟩ − ⟨ψ(m)⟩`, where m counts the items within the distance of an
    /// item to its kth neighbour of the same class. As scikit-learn's `mutual_info_classif`: k is
    /// smaller in classes of at most k items, and classes of one item are left out.
    pub fn mutual_information(&self, factor: &Factor, neighbours: usize) -> f64 {
        let mut counts = vec![0usize; factor.class_count];
        factor.classes.iter().for_each(|&class| counts[class] += 1);
        let mut members: Vec<Vec<f64>> = counts.iter().map(|&n| Vec::with_capacity(n)).collect();
        let mut all = Vec::with_capacity(self.order.len());
        for &item in &self.order {
            let class = factor.classes[item];
            if counts[class] > 1 {
                members[class].push(self.values[item]);
                all.push(self.values[item]);
            }
        }
        if all.is_empty() {
            return 0.0;
        }
        let harmonic = harmonic_numbers(all.len());
        // Euler's constant, the difference of ψ and harmonic numbers, cancels.
        let digamma = |count: usize| harmonic[count - 1];
        let mut sum = 0.0;
        for values in members.iter().filter(|values| values.len() > 1) {
            let nearest = neighbours.min(values.len() - 1);
            let constant = digamma(nearest) - digamma(values.len());
            for (place, &value) in values.iter().enumerate() {
                // The next smaller number, so that the neighbour itself is not counted.
                let radius = kth_distance(values, place, nearest).next_down().max(0.0);
                let before = all.partition_point(|&other| value - other > radius);
                let within = all.partition_point(|&other| other - value <= radius);
                sum += constant - digamma(within - before);
            }
        }
        (digamma(all.len()) + sum / all.len() as f64).max(0.0)
    }
}

/// The distance of a value to its kth nearest among ascending values, itself left out.
fn kth_distance(values: &[f64], place: usize, nearest: usize) -> f64 {
    let value = values[place];
    let (mut low, mut high) = (place, place);
    let mut distance = 0.0;
    for _ in 0..nearest {
        let below = (low > 0).then(|| value - values[low - 1]);
        let above = (high + 1 < values.len()).then(|| values[high + 1] - value);
        match (below, above) {
            (Some(below), Some(above)) if below > above => {
                high += 1;
                distance = above;
            }
            (None, Some(above)) => {
                high += 1;
                distance = above;
            }
            (Some(below), _) => {
                low -= 1;
                distance = below;
            }
            (None, None) => break,
        }
    }
    distance
}

/// The sums of `1/i` for i up to each number below `count`; the first is 0.
fn harmonic_numbers(count: usize) -> Vec<f64> {
    let mut sum = 0.0;
    (0..count)
        .map(|number| {
            if number > 0 {
                sum += 1.0 / number as f64;
            }
            sum
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::below;

    fn factor(classes: Vec<usize>) -> Factor {
        let values = classes.iter().map(|&class| class as f64).collect();
        Factor::new(0, values).unwrap()
    }

    #[test]
    fn a_copy_tells_the_entropy_and_noise_nothing() {
        let mut generator = generator(3, 0);
        let classes: Vec<usize> = (0..2_000).map(|_| below(&mut generator, 4)).collect();
        let copy: Vec<f64> = classes.iter().map(|&class| -3.0 * class as f64).collect();
        let noise: Vec<f64> = (0..2_000).map(|_| normal(&mut generator)).collect();
        let factor = factor(classes);
        let found = SortedCode::new(&copy, 0, 0).mutual_information(&factor, 10);
        assert!((found - 4f64.ln()).abs() < 2e-3, "{found}");
        let found = SortedCode::new(&noise, 0, 0).mutual_information(&factor, 10);
        assert!(found < 0.02, "{found}");
        let found = SortedCode::new(&[5.0; 2_000], 0, 0).mutual_information(&factor, 10);
        assert!(found < 0.02, "{found}");
    }

    #[test]
    fn distances_are_those_of_sorted_differences() {
        let values = [0.0f64, 1.0, 1.5, 4.0, 4.25];
        for (place, &value) in values.iter().enumerate() {
            let mut distances: Vec<f64> =
                values.iter().map(|other| (other - value).abs()).collect();
            distances.sort_by(f64::total_cmp);
            for (nearest, &expected) in distances.iter().enumerate().skip(1) {
                assert_eq!(kth_distance(&values, place, nearest), expected);
            }
        }
    }

    #[test]
    fn classes_of_one_item_are_left_out() {
        let alone = factor(vec![0, 1, 2]);
        let code = SortedCode::new(&[1.0, 2.0, 3.0], 0, 0);
        assert_eq!(code.mutual_information(&alone, 10), 0.0);
    }
}
