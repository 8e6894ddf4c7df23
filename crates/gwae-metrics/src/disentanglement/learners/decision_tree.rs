//! Decision trees whose nodes each look at some random features.

use rand_chacha::ChaCha8Rng;

use super::presorted::{SMALLEST_STEP, threshold_between};
use crate::random::below;

/// What a tree predicts, and how good a division of items is.
pub(super) trait Criterion: Sync {
    /// Sums over the items on one side of a split.
    type Side: Clone;
    /// The prediction of a node.
    type Value: Send + Sync;

    fn empty(&self) -> Self::Side;
    /// Adds an item that occurs `times` times.
    fn add(&self, side: &mut Self::Side, item: usize, times: u32);
    /// Takes an item away that was added.
    fn remove(&self, side: &mut Self::Side, item: usize, times: u32);
    /// Minus the impurity times the number of items, up to a constant that splits do not change.
    fn score(&self, side: &Self::Side) -> f64;
    /// Whether all items have equal targets.
    fn is_pure(&self, side: &Self::Side) -> bool;
    fn value(&self, side: &Self::Side) -> Self::Value;
}

/// How far a tree grows.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    pub depth: usize,
    /// Features that a node looks at. It looks at more if all of them are constant.
    pub features: usize,
}

pub(super) struct DecisionTree<V> {
    nodes: Vec<Node<V>>,
    /// Share of each feature in the decrease of impurity, with sum 1; all 0 without a split.
    pub importance: Vec<f64>,
}

struct Node<V> {
    value: V,
    split: Option<Split>,
}

struct Split {
    feature: usize,
    threshold: f64,
    left: usize,
    right: usize,
}

struct BestSplit {
    score: f64,
    feature: usize,
    threshold: f64,
}

/// Items of a node that has not been split yet.
struct Open {
    node: usize,
    depth: usize,
    first: usize,
    end: usize,
}

/// Grows a tree as scikit-learn's `DecisionTree…` with `splitter="best"`. `columns`: one for each
/// feature. `times`: how often each item occurs; items that do not occur are left out.
pub(super) fn grow<C: Criterion>(
    columns: &[Vec<f32>],
    criterion: &C,
    times: &[u32],
    limits: Limits,
    generator: &mut ChaCha8Rng,
) -> DecisionTree<C::Value> {
    let present = (0..times.len()).filter(|&item| times[item] > 0);
    let mut items: Vec<u32> = present.map(|item| item as u32).collect();
    let mut features: Vec<usize> = (0..columns.len()).collect();
    let mut importance = vec![0.0; columns.len()];
    let mut nodes = Vec::new();
    let mut keys = Vec::with_capacity(items.len());
    let side = |items: &[u32]| {
        let mut side = criterion.empty();
        for &item in items {
            criterion.add(&mut side, item as usize, times[item as usize]);
        }
        side
    };
    let node = |side: &C::Side| Node {
        value: criterion.value(side),
        split: None,
    };
    nodes.push(node(&side(&items)));
    let mut open = vec![Open {
        node: 0,
        depth: 0,
        first: 0,
        end: items.len(),
    }];
    while let Some(place) = open.pop() {
        let members = &mut items[place.first..place.end];
        if place.depth == limits.depth || members.len() < 2 {
            continue;
        }
        let all = side(members);
        if criterion.is_pure(&all) {
            continue;
        }
        let Some(best) = best_split(
            columns,
            criterion,
            times,
            (members, &all),
            &mut keys,
            (&mut features, limits.features),
            generator,
        ) else {
            continue;
        };
        let values = &columns[best.feature];
        let goes_left = |item: u32| f64::from(values[item as usize]) <= best.threshold;
        members.sort_by_key(|&item| !goes_left(item));
        let middle = place.first + members.partition_point(|&item| goes_left(item));
        importance[best.feature] += (best.score - criterion.score(&all)).max(0.0);
        let left = nodes.len();
        nodes[place.node].split = Some(Split {
            feature: best.feature,
            threshold: best.threshold,
            left,
            right: left + 1,
        });
        for (node_place, first, end) in [(left, place.first, middle), (left + 1, middle, place.end)]
        {
            nodes.push(node(&side(&items[first..end])));
            open.push(Open {
                node: node_place,
                depth: place.depth + 1,
                first,
                end,
            });
        }
    }
    let total: f64 = importance.iter().sum();
    if total > 0.0 {
        importance.iter_mut().for_each(|value| *value /= total);
    }
    DecisionTree { nodes, importance }
}

/// The best threshold of randomly chosen features. Of equal ones, the first.
fn best_split<C: Criterion>(
    columns: &[Vec<f32>],
    criterion: &C,
    times: &[u32],
    (members, all): (&[u32], &C::Side),
    keys: &mut Vec<u64>,
    (features, most): (&mut [usize], usize),
    generator: &mut ChaCha8Rng,
) -> Option<BestSplit> {
    let mut best: Option<BestSplit> = None;
    let mut found_variable = false;
    for visited in 0..features.len() {
        if visited >= most && found_variable {
            break;
        }
        let pick = visited + below(generator, features.len() - visited);
        features.swap(visited, pick);
        let feature = features[visited];
        let values = &columns[feature];
        keys.clear();
        keys.extend(members.iter().map(|&item| {
            (u64::from(ascending_bits(values[item as usize])) << 32) | u64::from(item)
        }));
        keys.sort_unstable();
        let item_of = |key: u64| (key & u64::from(u32::MAX)) as usize;
        let (Some(&first), Some(&last)) = (keys.first(), keys.last()) else {
            continue;
        };
        if values[item_of(last)] <= values[item_of(first)] + SMALLEST_STEP {
            continue;
        }
        found_variable = true;
        let (mut left, mut right) = (criterion.empty(), all.clone());
        for pair in keys.windows(2) {
            let item = item_of(pair[0]);
            criterion.add(&mut left, item, times[item]);
            criterion.remove(&mut right, item, times[item]);
            let (below, above) = (values[item], values[item_of(pair[1])]);
            if below == above {
                continue;
            }
            let score = criterion.score(&left) + criterion.score(&right);
            if best.as_ref().is_none_or(|best| score > best.score)
                && let Some(threshold) = threshold_between(below, above)
            {
                best = Some(BestSplit {
                    score,
                    feature,
                    threshold,
                });
            }
        }
    }
    best
}

/// A number whose order is that of the value. 0 and −0 have equal order.
fn ascending_bits(value: f32) -> u32 {
    let bits = (value + 0.0).to_bits();
    if bits >> 31 == 1 {
        !bits
    } else {
        bits | (1 << 31)
    }
}

impl<V> DecisionTree<V> {
    pub fn has_split(&self) -> bool {
        self.nodes.len() > 1
    }

    /// The prediction for an item if the tree had grown to this depth only.
    pub fn predict(&self, feature: impl Fn(usize) -> f32, depth: usize) -> &V {
        let mut node = &self.nodes[0];
        for _ in 0..depth {
            let Some(split) = &node.split else {
                break;
            };
            let left = f64::from(feature(split.feature)) <= split.threshold;
            node = &self.nodes[if left { split.left } else { split.right }];
        }
        &node.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_have_the_order_of_the_values() {
        let values = [f32::MIN, -1.0, -1e-40, 0.0, 1e-40, 2.0, f32::MAX];
        assert!(values.is_sorted_by_key(|&value| ascending_bits(value)));
        assert_eq!(ascending_bits(-0.0), ascending_bits(0.0));
    }
}
