//! Random forests for numbers and for classes.

use rayon::prelude::*;

use super::decision_tree::{Criterion, DecisionTree, Limits, grow};
use crate::random::{below, generator};

/// How to grow a forest.
#[derive(Clone, Copy)]
pub(in crate::disentanglement) struct ForestSettings {
    pub trees: usize,
    pub depth: usize,
    /// Features that each node looks at.
    pub features: usize,
    pub seed: u64,
    /// First of as many streams of the generator as there are trees.
    pub stream: u64,
}

/// Trees that are each grown from as many random draws of items, with replacement, as there are items.
pub(in crate::disentanglement) struct Forest<V> {
    trees: Vec<DecisionTree<V>>,
    /// The mean of the trees' importances, with sum 1; all 0 if no tree has a split.
    pub importance: Vec<f64>,
}

impl<V: Send> Forest<V> {
    fn fit<C: Criterion<Value = V>>(
        columns: &[Vec<f32>],
        criterion: &C,
        settings: &ForestSettings,
    ) -> Self {
        let items = columns[0].len();
        let limits = Limits {
            depth: settings.depth,
            features: settings.features,
        };
        let trees: Vec<DecisionTree<V>> = (0..settings.trees)
            .into_par_iter()
            .map(|tree| {
                let mut generator = generator(settings.seed, settings.stream + tree as u64);
                let mut times = vec![0u32; items];
                for _ in 0..items {
                    times[below(&mut generator, items)] += 1;
                }
                grow(columns, criterion, &times, limits, &mut generator)
            })
            .collect();
        let mut importance = vec![0.0; columns.len()];
        for tree in trees.iter().filter(|tree| tree.has_split()) {
            for (sum, value) in importance.iter_mut().zip(&tree.importance) {
                *sum += value;
            }
        }
        let total: f64 = importance.iter().sum();
        if total > 0.0 {
            importance.iter_mut().for_each(|value| *value /= total);
        }
        Self { trees, importance }
    }
}

impl Forest<f64> {
    /// A forest for numbers, as scikit-learn's `RandomForestRegressor`: squared error.
    pub fn regression(columns: &[Vec<f32>], targets: &[f64], settings: &ForestSettings) -> Self {
        Self::fit(columns, &SquaredError { targets }, settings)
    }

    /// The mean of the trees' predictions, if they had grown to this depth only.
    pub fn predict(&self, feature: impl Fn(usize) -> f32, depth: usize) -> f64 {
        let predictions = self.trees.iter().map(|tree| tree.predict(&feature, depth));
        predictions.sum::<f64>() / self.trees.len() as f64
    }
}

impl Forest<Vec<f64>> {
    /// A forest for classes, as scikit-learn's `RandomForestClassifier(criterion="entropy")`.
    pub fn classification(
        columns: &[Vec<f32>],
        classes: &[usize],
        class_count: usize,
        settings: &ForestSettings,
    ) -> Self {
        let criterion = Entropy::new(classes, class_count);
        Self::fit(columns, &criterion, settings)
    }

    /// The class with the largest mean of the trees' probabilities. Of equal ones, the first.
    pub fn predict(&self, feature: impl Fn(usize) -> f32) -> usize {
        let mut sums: Vec<f64> = Vec::new();
        for tree in &self.trees {
            let shares = tree.predict(&feature, usize::MAX);
            sums.resize(shares.len(), 0.0);
            for (sum, share) in sums.iter_mut().zip(shares) {
                *sum += share;
            }
        }
        let mut best = 0;
        for (class, &sum) in sums.iter().enumerate() {
            if sum > sums[best] {
                best = class;
            }
        }
        best
    }
}

struct SquaredError<'a> {
    targets: &'a [f64],
}

#[derive(Clone)]
struct Moments {
    count: f64,
    sum: f64,
    squares: f64,
}

impl Criterion for SquaredError<'_> {
    type Side = Moments;
    type Value = f64;

    fn empty(&self) -> Moments {
        Moments {
            count: 0.0,
            sum: 0.0,
            squares: 0.0,
        }
    }

    fn add(&self, side: &mut Moments, item: usize, times: u32) {
        let (times, target) = (f64::from(times), self.targets[item]);
        side.count += times;
        side.sum += times * target;
        side.squares += times * target * target;
    }

    fn remove(&self, side: &mut Moments, item: usize, times: u32) {
        let (times, target) = (f64::from(times), self.targets[item]);
        side.count -= times;
        side.sum -= times * target;
        side.squares -= times * target * target;
    }

    fn score(&self, side: &Moments) -> f64 {
        side.sum * side.sum / side.count
    }

    fn is_pure(&self, side: &Moments) -> bool {
        let mean = side.sum / side.count;
        side.squares / side.count - mean * mean <= f64::EPSILON
    }

    fn value(&self, side: &Moments) -> f64 {
        side.sum / side.count
    }
}

struct Entropy<'a> {
    classes: &'a [usize],
    class_count: usize,
    /// `n ln n` for every number of items.
    products: Vec<f64>,
}

impl<'a> Entropy<'a> {
    fn new(classes: &'a [usize], class_count: usize) -> Self {
        let product = |count: usize| match count {
            0 => 0.0,
            _ => count as f64 * (count as f64).ln(),
        };
        Self {
            classes,
            class_count,
            products: (0..=classes.len()).map(product).collect(),
        }
    }

    fn move_items(&self, side: &mut ClassCounts, item: usize, change: impl Fn(u32) -> u32) {
        let count = &mut side.counts[self.classes[item]];
        side.products -= self.products[*count as usize];
        *count = change(*count);
        side.products += self.products[*count as usize];
        side.total = change(side.total);
    }
}

#[derive(Clone)]
struct ClassCounts {
    counts: Vec<u32>,
    total: u32,
    /// The sum of `n ln n` over classes.
    products: f64,
}

impl Criterion for Entropy<'_> {
    type Side = ClassCounts;
    type Value = Vec<f64>;

    fn empty(&self) -> ClassCounts {
        ClassCounts {
            counts: vec![0; self.class_count],
            total: 0,
            products: 0.0,
        }
    }

    fn add(&self, side: &mut ClassCounts, item: usize, times: u32) {
        self.move_items(side, item, |count| count + times);
    }

    fn remove(&self, side: &mut ClassCounts, item: usize, times: u32) {
        self.move_items(side, item, |count| count - times);
    }

    fn score(&self, side: &ClassCounts) -> f64 {
        side.products - self.products[side.total as usize]
    }

    fn is_pure(&self, side: &ClassCounts) -> bool {
        side.counts.contains(&side.total)
    }

    fn value(&self, side: &ClassCounts) -> Vec<f64> {
        let total = f64::from(side.total);
        side.counts
            .iter()
            .map(|&count| f64::from(count) / total)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: ForestSettings = ForestSettings {
        trees: 10,
        depth: 4,
        features: 2,
        seed: 0,
        stream: 0,
    };

    fn columns() -> Vec<Vec<f32>> {
        let column = |step: usize| (0..200).map(|item| (item * step % 101) as f32).collect();
        vec![column(37), column(53)]
    }

    #[test]
    fn a_step_of_one_feature_is_learned() {
        let columns = columns();
        let targets: Vec<f64> = columns[1]
            .iter()
            .map(|&v| f64::from(u8::from(v > 50.0)))
            .collect();
        let forest = Forest::regression(&columns, &targets, &SETTINGS);
        assert!(forest.importance[1] > 0.95, "{:?}", forest.importance);
        let error = (0..200).map(|item| {
            (forest.predict(|feature| columns[feature][item], 4) - targets[item]).abs()
        });
        assert!(error.sum::<f64>() / 200.0 < 0.02);
        // Without a split every tree predicts the mean of its items.
        let mean = forest.predict(|_| 0.0, 0);
        assert!((mean - 0.5).abs() < 0.05, "{mean}");
    }

    #[test]
    fn classes_are_learned() {
        let columns = columns();
        let classes: Vec<usize> = columns[0].iter().map(|&v| (v / 34.0) as usize).collect();
        let forest = Forest::classification(&columns, &classes, 3, &SETTINGS);
        assert!(forest.importance[0] > 0.95, "{:?}", forest.importance);
        let right = (0..200)
            .filter(|&item| forest.predict(|feature| columns[feature][item]) == classes[item]);
        assert!(right.count() >= 198);
    }

    #[test]
    fn constant_features_and_equal_targets_have_no_importance() {
        let constant = vec![vec![1.0f32; 20]];
        let classes: Vec<usize> = (0..20).map(|item| usize::from(item < 12)).collect();
        let forest = Forest::classification(&constant, &classes, 2, &SETTINGS);
        assert_eq!(forest.importance, [0.0]);
        assert_eq!(forest.predict(|_| 1.0), 1);
        let equal = Forest::regression(&columns(), &[3.0; 200], &SETTINGS);
        assert_eq!(equal.importance, [0.0, 0.0]);
        assert_eq!(equal.predict(|_| 0.0, 4), 3.0);
    }
}
