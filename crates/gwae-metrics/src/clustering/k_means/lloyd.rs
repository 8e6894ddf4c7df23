//! Lloyd's iteration from the given centres.

use super::lanes::Lanes;
use crate::points::Points;

/// The result of one start.
pub(super) struct Run {
    pub labels: Vec<usize>,
    pub iterations: usize,
    pub converged: bool,
}

/// Assigns points and averages them in turn. It stops when no label changes, or when the sum of the
/// squared distances that the centres move is `least_move` or less. Then it assigns the points once
/// more.
pub(super) fn lloyd<const LANES: usize>(
    points: &Points,
    mut centres: Vec<f32>,
    most: usize,
    least_move: f64,
) -> Run {
    let mut labels = vec![None; points.count()];
    let mut distances = vec![0.0; points.count()];
    let mut clusters = ClusterSums::new(centres.len() / points.dimensions, points.dimensions);
    let mut converged = false;
    let mut iterations = 0;
    while iterations < most {
        iterations += 1;
        let lanes = Lanes::<LANES>::new(&centres, points.dimensions);
        let mut changed = false;
        for ((row, label), distance) in points.rows().zip(&mut labels).zip(&mut distances) {
            let (nearest, squared) = lanes.nearest(row);
            *distance = squared;
            changed |= clusters.move_point(row, label, nearest);
        }
        changed |= fill_empty_clusters(points, &mut labels, &mut distances, &mut clusters);
        if !changed || converged {
            converged = true;
            break;
        }
        converged = clusters.move_centres(&mut centres) <= least_move;
    }
    Run {
        // Every point was assigned in the first iteration.
        labels: labels.into_iter().map(|label| label.unwrap_or(0)).collect(),
        iterations,
        converged,
    }
}

/// Gives each empty cluster the point farthest from its centre, if any point differs from its
/// centre. Returns whether a label changed.
fn fill_empty_clusters(
    points: &Points,
    labels: &mut [Option<usize>],
    distances: &mut [f32],
    clusters: &mut ClusterSums,
) -> bool {
    let mut changed = false;
    for cluster in 0..clusters.counts.len() {
        if clusters.counts[cluster] > 0 {
            continue;
        }
        let farthest = (0..labels.len())
            .filter(|&point| {
                let shared = labels[point].is_some_and(|label| clusters.counts[label] > 1);
                shared && distances[point] > 0.0
            })
            .max_by(|&a, &b| distances[a].total_cmp(&distances[b]));
        let Some(point) = farthest else { break };
        distances[point] = 0.0;
        changed |= clusters.move_point(points.row(point), &mut labels[point], cluster);
    }
    changed
}

/// The sum and number of each cluster's points, updated at every change: after the first iterations
/// few points change their cluster.
struct ClusterSums {
    /// Row-major `[clusters, dimensions]`.
    sums: Vec<f64>,
    counts: Vec<u64>,
    dimensions: usize,
}

impl ClusterSums {
    fn new(clusters: usize, dimensions: usize) -> Self {
        Self {
            sums: vec![0.0; clusters * dimensions],
            counts: vec![0; clusters],
            dimensions,
        }
    }

    /// Moves a point from its current cluster to another one. Returns whether the two differ.
    fn move_point(&mut self, row: &[f32], label: &mut Option<usize>, to: usize) -> bool {
        if *label == Some(to) {
            return false;
        }
        if let Some(from) = *label {
            self.counts[from] -= 1;
            for (sum, &value) in self.sum_mut(from).iter_mut().zip(row) {
                *sum -= f64::from(value);
            }
        }
        self.counts[to] += 1;
        for (sum, &value) in self.sum_mut(to).iter_mut().zip(row) {
            *sum += f64::from(value);
        }
        *label = Some(to);
        true
    }

    fn sum_mut(&mut self, cluster: usize) -> &mut [f64] {
        &mut self.sums[cluster * self.dimensions..][..self.dimensions]
    }

    /// Moves each centre to the mean of its points; the centre of an empty cluster stays. Returns
    /// the sum of the squared distances moved.
    fn move_centres(&self, centres: &mut [f32]) -> f64 {
        let mut moved = 0.0;
        for ((centre, sum), &count) in centres
            .chunks_exact_mut(self.dimensions)
            .zip(self.sums.chunks_exact(self.dimensions))
            .zip(&self.counts)
            .filter(|&(_, &count)| count > 0)
        {
            for (value, sum) in centre.iter_mut().zip(sum) {
                let mean = (sum / count as f64) as f32;
                moved += f64::from(mean - *value).powi(2);
                *value = mean;
            }
        }
        moved
    }
}

/// The mean of each cluster, and the sum of squared distances to these means. The mean of an empty
/// cluster is the first point.
pub(super) fn means_and_inertia(
    points: &Points,
    labels: &[usize],
    clusters: usize,
) -> (Vec<f32>, f64) {
    let dimensions = points.dimensions;
    let mut clusters = ClusterSums::new(clusters, dimensions);
    for (row, &label) in points.rows().zip(labels) {
        clusters.move_point(row, &mut None, label);
    }
    let ClusterSums {
        sums: mut means,
        counts,
        ..
    } = clusters;
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
