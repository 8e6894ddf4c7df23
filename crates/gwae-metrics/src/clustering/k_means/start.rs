//! The centres of a start, by greedy k-means++ (Arthur & Vassilvitskii 2007).

use rand_chacha::ChaCha8Rng;

use super::lanes::Lanes;
use crate::points::Points;
use crate::random::{below, fraction};

/// Candidates for a centre are measured together, each in one lane.
const MOST_DRAWS: usize = 8;

/// Selects `clusters` of the points as first centres, row-major.
pub(super) fn starting_centres(
    points: &Points,
    clusters: usize,
    generator: &mut ChaCha8Rng,
) -> Vec<f32> {
    let draws = (2 + (clusters as f64).ln() as usize).min(MOST_DRAWS);
    let mut centres = points.row(below(generator, points.count())).to_vec();
    let first = Lanes::<1>::new(&centres, points.dimensions);
    let mut nearest: Vec<f32> = points
        .rows()
        .map(|row| first.distances(0, row)[0])
        .collect();
    for _ in 1..clusters {
        let total: f64 = nearest.iter().copied().map(f64::from).sum();
        let candidates: Vec<usize> = (0..draws)
            .map(|_| draw_by_weight(&nearest, total, generator))
            .collect();
        let rows: Vec<f32> = candidates
            .iter()
            .flat_map(|&candidate| points.row(candidate).iter().copied())
            .collect();
        let lanes = Lanes::<MOST_DRAWS>::new(&rows, points.dimensions);
        let mut sums = [0.0; MOST_DRAWS];
        for (row, &so_far) in points.rows().zip(&nearest) {
            let distances = lanes.distances(0, row);
            for (sum, distance) in sums.iter_mut().zip(distances) {
                *sum += f64::from(distance.min(so_far));
            }
        }
        let best = (0..draws)
            .min_by(|&a, &b| sums[a].total_cmp(&sums[b]))
            .unwrap_or(0);
        for (row, so_far) in points.rows().zip(&mut nearest) {
            *so_far = so_far.min(lanes.distances(0, row)[best]);
        }
        centres.extend_from_slice(points.row(candidates[best]));
    }
    centres
}

/// Draws a point with probability proportional to its weight; uniformly if all weights are 0.
fn draw_by_weight(weights: &[f32], total: f64, generator: &mut ChaCha8Rng) -> usize {
    if total <= 0.0 {
        return below(generator, weights.len());
    }
    let mut rest = fraction(generator) * total;
    for (index, &weight) in weights.iter().enumerate() {
        rest -= f64::from(weight);
        if rest < 0.0 {
            return index;
        }
    }
    // Rounding left a small rest, so take the last point that can be drawn.
    weights
        .iter()
        .rposition(|&weight| weight > 0.0)
        .unwrap_or(0)
}
