//! Regression trees of small depth, grown level by level.

use rand_chacha::ChaCha8Rng;

use super::presorted::{Presorted, threshold_between};
use crate::random::below;

/// A tree over presorted features. Its leaves are numbered.
pub(super) struct RegressionTree {
    nodes: Vec<Node>,
    /// Decrease of the squared error by the splits of each feature, divided by the items.
    pub importance: Vec<f64>,
    /// Number of leaves.
    pub leaves: usize,
}

enum Node {
    Leaf(usize),
    Split {
        feature: usize,
        threshold: f64,
        left: usize,
        right: usize,
    },
}

/// Items of a node that is being split: how many, the sum of their targets and of the squares.
#[derive(Clone, Copy, Default)]
struct Moments {
    count: f64,
    sum: f64,
    squares: f64,
}

impl Moments {
    fn add(&mut self, value: f64) {
        self.count += 1.0;
        self.sum += value;
        self.squares += value * value;
    }

    fn without(self, part: Self) -> Self {
        Self {
            count: self.count - part.count,
            sum: self.sum - part.sum,
            squares: self.squares - part.squares,
        }
    }

    /// Mean squared distance from the mean.
    fn variance(self) -> f64 {
        let mean = self.sum / self.count;
        self.squares / self.count - mean * mean
    }
}

/// What one pass over a sorted feature knows of a node.
#[derive(Clone, Copy)]
struct Scan {
    left: Moments,
    last: f32,
}

#[derive(Clone, Copy)]
struct BestSplit {
    gain: f64,
    feature: usize,
    threshold: f64,
    left: Moments,
}

/// A node of the present level.
struct Open {
    node: usize,
    moments: Moments,
    /// Whether all targets are equal. Such a node stays a leaf.
    pure: bool,
    best: Option<BestSplit>,
}

impl Open {
    fn new(node: usize, moments: Moments) -> Self {
        Self {
            node,
            moments,
            pure: moments.variance() <= f64::EPSILON,
            best: None,
        }
    }
}

/// Marks items that have reached a leaf.
const DONE: u32 = u32::MAX;

/// Grows a tree for `targets` with Friedman's criterion (2001, equation 35), and gives the leaf of
/// each item. Of splits with equal gain, the feature that comes first in a random order wins, as in
/// scikit-learn.
///
/// All nodes of a level are split in one pass over each sorted feature: O(depth · features · items).
pub(super) fn grow(
    sorted: &Presorted,
    targets: &[f64],
    depth: usize,
    generator: &mut ChaCha8Rng,
) -> (RegressionTree, Vec<u32>) {
    let items = sorted.items();
    let mut tree = RegressionTree {
        nodes: vec![Node::Leaf(0)],
        importance: vec![0.0; sorted.features()],
        leaves: 0,
    };
    let mut root = Moments::default();
    targets.iter().for_each(|&target| root.add(target));
    let mut open = vec![Open::new(0, root)];
    // The place of each item's node in `open`, and the node itself.
    let mut place = vec![0u32; items];
    let mut node_of = vec![0u32; items];
    let mut features: Vec<usize> = (0..sorted.features()).collect();
    for _ in 0..depth {
        shuffle(&mut features, generator);
        for &feature in &features {
            scan_feature(sorted, feature, targets, &place, &mut open);
        }
        let mut next = Vec::new();
        // For each open node its two children, as places in `next` and as nodes.
        let mut children = Vec::with_capacity(open.len());
        for open in &open {
            let Some(best) = open.best else {
                children.push(None);
                continue;
            };
            let right = open.moments.without(best.left);
            let (left_node, right_node) = (tree.nodes.len(), tree.nodes.len() + 1);
            tree.nodes.extend([Node::Leaf(0), Node::Leaf(0)]);
            tree.nodes[open.node] = Node::Split {
                feature: best.feature,
                threshold: best.threshold,
                left: left_node,
                right: right_node,
            };
            let within = |moments: Moments| moments.count * moments.variance();
            let decrease = within(open.moments) - within(best.left) - within(right);
            tree.importance[best.feature] += decrease / items as f64;
            children.push(Some((best, next.len() as u32)));
            for (node, moments) in [(left_node, best.left), (right_node, right)] {
                next.push(Open::new(node, moments));
            }
        }
        if next.is_empty() {
            break;
        }
        for item in 0..items {
            if place[item] == DONE {
                continue;
            }
            match &children[place[item] as usize] {
                None => place[item] = DONE,
                Some((best, first)) => {
                    let value = sorted.feature(best.feature).0[item];
                    let side = u32::from(f64::from(value) > best.threshold);
                    place[item] = first + side;
                    node_of[item] = next[place[item] as usize].node as u32;
                }
            }
        }
        open = next;
    }
    let mut leaf_of_node = vec![0u32; tree.nodes.len()];
    for (node, leaf) in tree.nodes.iter_mut().zip(&mut leaf_of_node) {
        if let Node::Leaf(number) = node {
            *number = tree.leaves;
            *leaf = tree.leaves as u32;
            tree.leaves += 1;
        }
    }
    let leaves = node_of.iter().map(|&node| leaf_of_node[node as usize]);
    (tree, leaves.collect())
}

/// Looks for better splits of all open nodes by one feature.
fn scan_feature(
    sorted: &Presorted,
    feature: usize,
    targets: &[f64],
    place: &[u32],
    open: &mut [Open],
) {
    let (values, order) = sorted.feature(feature);
    let mut scans = vec![
        Scan {
            left: Moments::default(),
            last: f32::NAN
        };
        open.len()
    ];
    for &item in order {
        let item = item as usize;
        if place[item] == DONE {
            continue;
        }
        let open = &mut open[place[item] as usize];
        if open.pure {
            continue;
        }
        let scan = &mut scans[place[item] as usize];
        let value = values[item];
        if scan.left.count > 0.0
            && value != scan.last
            && let Some(threshold) = threshold_between(scan.last, value)
        {
            let (left, all) = (scan.left, open.moments);
            let right_count = all.count - left.count;
            let difference = right_count * left.sum - left.count * (all.sum - left.sum);
            let gain = difference * difference / (left.count * right_count);
            if open.best.is_none_or(|best| gain > best.gain) {
                open.best = Some(BestSplit {
                    gain,
                    feature,
                    threshold,
                    left,
                });
            }
        }
        scan.left.add(targets[item]);
        scan.last = value;
    }
}

/// Fisher and Yates's shuffle.
fn shuffle(values: &mut [usize], generator: &mut ChaCha8Rng) {
    for last in (1..values.len()).rev() {
        values.swap(last, below(generator, last + 1));
    }
}

impl RegressionTree {
    /// Whether the tree has a split.
    pub fn has_split(&self) -> bool {
        self.nodes.len() > 1
    }

    /// The leaf of an item with these features, in single precision as in training.
    pub fn leaf(&self, feature: impl Fn(usize) -> f64) -> usize {
        let mut node = 0;
        loop {
            match self.nodes[node] {
                Node::Leaf(leaf) => return leaf,
                Node::Split {
                    feature: number,
                    threshold,
                    left,
                    right,
                } => {
                    let value = f64::from(feature(number) as f32);
                    node = if value <= threshold { left } else { right };
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::random::generator;

    /// The largest gain of a split, from all thresholds of all features.
    fn naive_gain(columns: &[Vec<f64>], targets: &[f64]) -> f64 {
        let mean = |side: &[f64]| side.iter().sum::<f64>() / side.len() as f64;
        let mut best = 0.0f64;
        for column in columns {
            for &threshold in column {
                let side = |left: bool| -> Vec<f64> {
                    let pairs = column.iter().zip(targets);
                    let pairs = pairs.filter(|&(&value, _)| (value <= threshold) == left);
                    pairs.map(|(_, &target)| target).collect()
                };
                let (left, right) = (side(true), side(false));
                if left.is_empty() || right.is_empty() {
                    continue;
                }
                let difference = mean(&left) - mean(&right);
                let counts = (left.len() * right.len()) as f64 / targets.len() as f64;
                best = best.max(counts * difference * difference);
            }
        }
        best
    }

    proptest! {
        #[test]
        fn the_first_split_is_the_best_of_all(
            rows in proptest::collection::vec((0i8..6, -3i8..3, -2i8..3), 2..40),
            seed in 0u64..5,
        ) {
            let column = |pick: fn(&(i8, i8, i8)) -> i8| -> Vec<f64> {
                rows.iter().map(|row| f64::from(pick(row))).collect()
            };
            let columns = [column(|row| row.0), column(|row| row.1)];
            let targets = column(|row| row.2);
            let mut generator = generator(seed, 0);
            let sorted = Presorted::new(&columns);
            let (tree, leaves) = grow(&sorted, &targets, 1, &mut generator);
            // The decrease of the squared error is the gain divided by the number of items.
            let decrease: f64 = tree.importance.iter().sum::<f64>() * targets.len() as f64;
            prop_assert!((decrease - naive_gain(&columns, &targets)).abs() < 1e-9);
            for (item, &leaf) in leaves.iter().enumerate() {
                prop_assert_eq!(tree.leaf(|feature| columns[feature][item]), leaf as usize);
            }
        }
    }

    #[test]
    fn a_tree_of_depth_two_solves_exclusive_or() {
        // The third value breaks the tie of the first split.
        let columns = [vec![0.0, 0.0, 1.0, 1.0, 0.0], vec![0.0, 1.0, 0.0, 1.0, 0.0]];
        let targets = [0.0, 1.0, 1.0, 0.0, 0.0];
        let (tree, leaves) = grow(&Presorted::new(&columns), &targets, 2, &mut generator(0, 0));
        assert_eq!(tree.leaves, 4);
        assert_eq!(leaves[0], leaves[4]);
        let variance =
            targets.iter().sum::<f64>() / 5.0 * (1.0 - targets.iter().sum::<f64>() / 5.0);
        assert!((tree.importance.iter().sum::<f64>() - variance).abs() < 1e-12);
    }

    #[test]
    fn equal_targets_and_equal_features_are_not_split() {
        let (tree, _) = grow(
            &Presorted::new(&[vec![1.0, 2.0]]),
            &[3.0; 2],
            3,
            &mut generator(0, 0),
        );
        assert!(!tree.has_split());
        let (tree, _) = grow(
            &Presorted::new(&[vec![1.0; 3]]),
            &[3.0, 1.0, 2.0],
            3,
            &mut generator(0, 0),
        );
        assert!(!tree.has_split());
    }
}
