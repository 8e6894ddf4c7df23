//! Gradient-boosted trees for classification.

use rayon::prelude::*;

use super::presorted::Presorted;
use super::regression_tree::{RegressionTree, grow};
use crate::random::generator;

/// Number of stages.
const STAGES: usize = 100;
/// How much of each tree's prediction is added.
const LEARNING_RATE: f64 = 0.1;
/// Largest depth of a tree.
const DEPTH: usize = 3;

/// A classifier as scikit-learn's `GradientBoostingClassifier()` with its defaults: 100 stages,
/// learning rate 0.1, trees of depth 3, Friedman's criterion, multinomial deviance (Friedman 2001,
/// algorithm 6) or, for two classes, binomial deviance (algorithm 5).
pub(in crate::disentanglement) struct GradientBoosting {
    /// `[stages][trees]`; one tree for each class, or a single one for two classes.
    stages: Vec<Vec<BoostedTree>>,
    /// Logits before the first stage.
    start: Vec<f64>,
    /// Share of each feature in the decrease of the squared error, with sum 1; all 0 if no tree has
    /// a split.
    pub importance: Vec<f64>,
}

struct BoostedTree {
    tree: RegressionTree,
    /// What each leaf adds to the logit.
    steps: Vec<f64>,
}

impl GradientBoosting {
    /// `classes`: of each item, `0..class_count`, each of which occurs; at least two.
    pub fn fit(sorted: &Presorted, classes: &[usize], class_count: usize, seed: u64) -> Self {
        let start = starting_logits(classes, class_count);
        let outputs = start.len();
        // One row for each output.
        let mut logits: Vec<Vec<f64>> = start
            .iter()
            .map(|&logit| vec![logit; classes.len()])
            .collect();
        let mut stages = Vec::with_capacity(STAGES);
        for stage in 0..STAGES {
            let probabilities = probabilities(&logits);
            let stage: Vec<BoostedTree> = logits
                .par_iter_mut()
                .zip(&probabilities)
                .enumerate()
                .map(|(output, (logits, probabilities))| {
                    let of_class = if outputs == 1 { 1 } else { output };
                    let stream = (stage * outputs + output) as u64;
                    boost(
                        sorted,
                        classes,
                        of_class,
                        outputs,
                        probabilities,
                        logits,
                        (seed, stream),
                    )
                })
                .collect();
            stages.push(stage);
        }
        Self {
            importance: importance(&stages, sorted.features()),
            stages,
            start,
        }
    }

    /// The most probable class of an item. Of equally probable ones, the first.
    pub fn predict(&self, feature: impl Fn(usize) -> f64) -> usize {
        let mut logits = self.start.clone();
        for stage in &self.stages {
            for (logit, tree) in logits.iter_mut().zip(stage) {
                *logit += tree.steps[tree.tree.leaf(&feature)];
            }
        }
        if let [logit] = logits[..] {
            return usize::from(logit > 0.0);
        }
        let mut best = 0;
        for (class, &logit) in logits.iter().enumerate() {
            if logit > logits[best] {
                best = class;
            }
        }
        best
    }
}

/// Logarithms of the shares of the classes, or the log odds of the second of two classes.
fn starting_logits(classes: &[usize], class_count: usize) -> Vec<f64> {
    let mut counts = vec![0.0; class_count];
    classes.iter().for_each(|&class| counts[class] += 1.0);
    if let [first, second] = counts[..] {
        return vec![f64::ln(second / first)];
    }
    counts
        .iter()
        .map(|count| (count / classes.len() as f64).ln())
        .collect()
}

/// The probabilities of `[outputs][items]` logits: a softmax over outputs, or a sigmoid of a single
/// output.
fn probabilities(logits: &[Vec<f64>]) -> Vec<Vec<f64>> {
    if let [logits] = logits {
        return vec![
            logits
                .iter()
                .map(|logit| 1.0 / (1.0 + (-logit).exp()))
                .collect(),
        ];
    }
    let mut largest = logits[0].clone();
    for row in &logits[1..] {
        for (largest, &logit) in largest.iter_mut().zip(row) {
            *largest = largest.max(logit);
        }
    }
    let mut exponentials: Vec<Vec<f64>> = logits
        .par_iter()
        .map(|row| {
            row.iter()
                .zip(&largest)
                .map(|(logit, most)| (logit - most).exp())
                .collect()
        })
        .collect();
    let mut sums = vec![0.0; largest.len()];
    for row in &exponentials {
        for (sum, value) in sums.iter_mut().zip(row) {
            *sum += value;
        }
    }
    exponentials.par_iter_mut().for_each(|row| {
        for (value, sum) in row.iter_mut().zip(&sums) {
            *value /= sum;
        }
    });
    exponentials
}

/// Fits one tree to the gradient of one output, and adds it to the logits.
fn boost(
    sorted: &Presorted,
    classes: &[usize],
    of_class: usize,
    outputs: usize,
    probabilities: &[f64],
    logits: &mut [f64],
    (seed, stream): (u64, u64),
) -> BoostedTree {
    let items = classes.iter().zip(probabilities);
    let gradient =
        items.map(|(&class, probability)| f64::from(u8::from(class == of_class)) - probability);
    let gradient: Vec<f64> = gradient.collect();
    let (tree, leaves) = grow(sorted, &gradient, DEPTH, &mut generator(seed, stream));
    // One step of Newton's method in each leaf.
    let (mut sums, mut curvatures) = (vec![0.0; tree.leaves], vec![0.0; tree.leaves]);
    for ((&leaf, &gradient), &probability) in leaves.iter().zip(&gradient).zip(probabilities) {
        sums[leaf as usize] += gradient;
        curvatures[leaf as usize] += probability * (1.0 - probability);
    }
    let factor = if outputs == 1 {
        1.0
    } else {
        (outputs - 1) as f64 / outputs as f64
    };
    let steps = sums.iter().zip(&curvatures).map(|(sum, &curvature)| {
        // scikit-learn's guard against items that are already certain.
        if curvature < 1e-150 {
            0.0
        } else {
            LEARNING_RATE * factor * sum / curvature
        }
    });
    let steps: Vec<f64> = steps.collect();
    for (logit, &leaf) in logits.iter_mut().zip(&leaves) {
        *logit += steps[leaf as usize];
    }
    BoostedTree { tree, steps }
}

/// The mean of all trees with a split, divided by its sum.
fn importance(stages: &[Vec<BoostedTree>], features: usize) -> Vec<f64> {
    let mut importance = vec![0.0; features];
    for tree in stages.iter().flatten().filter(|tree| tree.tree.has_split()) {
        for (sum, value) in importance.iter_mut().zip(&tree.tree.importance) {
            *sum += value;
        }
    }
    let total: f64 = importance.iter().sum();
    if total > 0.0 {
        importance.iter_mut().for_each(|value| *value /= total);
    }
    importance
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns() -> [Vec<f64>; 2] {
        let value = |item: usize, step: usize| (item * step % 101) as f64;
        [
            (0..200).map(|i| value(i, 37)).collect(),
            (0..200).map(|i| value(i, 53)).collect(),
        ]
    }

    #[test]
    fn classes_that_one_feature_decides_are_learned() {
        for class_count in [2, 4] {
            let columns = columns();
            let class =
                |value: f64| ((value / 101.0 * class_count as f64) as usize).min(class_count - 1);
            let classes: Vec<usize> = columns[1].iter().map(|&value| class(value)).collect();
            let model = GradientBoosting::fit(&Presorted::new(&columns), &classes, class_count, 0);
            assert!(model.importance[1] > 0.95, "{:?}", model.importance);
            assert!((model.importance.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            let right = (0..200)
                .filter(|&item| model.predict(|feature| columns[feature][item]) == classes[item]);
            assert_eq!(right.count(), 200);
        }
    }

    #[test]
    fn constant_features_have_no_importance_and_predict_the_commonest_class() {
        let columns = [vec![1.0; 5]];
        let model = GradientBoosting::fit(&Presorted::new(&columns), &[0, 1, 1, 2, 1], 3, 0);
        assert_eq!(model.importance, [0.0]);
        assert_eq!(model.predict(|_| 1.0), 1);
    }
}
