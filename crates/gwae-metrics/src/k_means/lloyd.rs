//! Lloyd's iteration from given centres.

use super::lanes::Lanes;
use crate::points::Points;

/// Where one start ended.
pub(super) struct Run {
    pub labels: Vec<usize>,
    pub iterations: usize,
    pub converged: bool,
}

/// Assigns and averages in turn until no label changes.
pub(super) fn lloyd<const LANES: usize>(
    points: &Points,
    mut centres: Vec<f32>,
    most: usize,
) -> Run {
    let clusters = centres.len() / points.dimensions;
    let mut labels = vec![usize::MAX; points.count()];
    let mut distances = vec![0.0; points.count()];
    for iteration in 1..=most {
        let lanes = Lanes::<LANES>::new(&centres, points.dimensions);
        let mut changed = false;
        for ((row, label), distance) in points.rows().zip(&mut labels).zip(&mut distances) {
            let (nearest, squared) = lanes.nearest(row);
            changed |= *label != nearest;
            (*label, *distance) = (nearest, squared);
        }
        changed |= fill_empty_clusters(&mut labels, &mut distances, clusters);
        if !changed {
            return Run {
                labels,
                iterations: iteration,
                converged: true,
            };
        }
        update(&mut centres, points, &labels);
    }
    Run {
        labels,
        iterations: most,
        converged: false,
    }
}

/// Gives each empty cluster the point farthest from its centre, as long as there is one that is
/// not at its centre. Says whether a label changed.
fn fill_empty_clusters(labels: &mut [usize], distances: &mut [f32], clusters: usize) -> bool {
    let mut counts = vec![0usize; clusters];
    labels.iter().for_each(|&label| counts[label] += 1);
    let mut changed = false;
    for cluster in 0..clusters {
        if counts[cluster] > 0 {
            continue;
        }
        let farthest = (0..labels.len())
            .filter(|&point| distances[point] > 0.0 && counts[labels[point]] > 1)
            .max_by(|&a, &b| distances[a].total_cmp(&distances[b]));
        let Some(point) = farthest else { break };
        counts[labels[point]] -= 1;
        counts[cluster] = 1;
        (labels[point], distances[point]) = (cluster, 0.0);
        changed = true;
    }
    changed
}

/// Moves each centre to the mean of its points. An empty cluster's stays.
fn update(centres: &mut [f32], points: &Points, labels: &[usize]) {
    let mut sums = vec![0.0; centres.len()];
    let mut counts = vec![0u64; centres.len() / points.dimensions];
    sum_by_label(points, labels, &mut sums, &mut counts);
    for ((centre, sum), &count) in centres
        .chunks_exact_mut(points.dimensions)
        .zip(sums.chunks_exact(points.dimensions))
        .zip(&counts)
        .filter(|&(_, &count)| count > 0)
    {
        for (value, sum) in centre.iter_mut().zip(sum) {
            *value = (sum / count as f64) as f32;
        }
    }
}

fn sum_by_label(points: &Points, labels: &[usize], sums: &mut [f64], counts: &mut [u64]) {
    for (row, &label) in points.rows().zip(labels) {
        counts[label] += 1;
        let sum = &mut sums[label * points.dimensions..][..points.dimensions];
        for (sum, &value) in sum.iter_mut().zip(row) {
            *sum += f64::from(value);
        }
    }
}

/// The mean of each cluster, and the sum of squared distances to these means. An empty cluster's
/// mean is the first point.
pub(super) fn means_and_inertia(
    points: &Points,
    labels: &[usize],
    clusters: usize,
) -> (Vec<f32>, f64) {
    let dimensions = points.dimensions;
    let mut means = vec![0.0; clusters * dimensions];
    let mut counts = vec![0u64; clusters];
    sum_by_label(points, labels, &mut means, &mut counts);
    for (mean, &count) in means.chunks_exact_mut(dimensions).zip(&counts) {
        if count == 0 {
            let first = points.row(0).iter().copied().map(f64::from);
            mean.iter_mut().zip(first).for_each(|(m, x)| *m = x);
        } else {
            mean.iter_mut().for_each(|sum| *sum /= count as f64);
        }
    }
    let inertia = points.rows().zip(labels).map(|(row, &label)| {
        let mean = &means[label * dimensions..][..dimensions];
        let squares = row
            .iter()
            .zip(mean)
            .map(|(&x, m)| (f64::from(x) - m).powi(2));
        squares.sum::<f64>()
    });
    let inertia = inertia.sum();
    (means.into_iter().map(|mean| mean as f32).collect(), inertia)
}
