//! t-SNE: maps points to the plane so that near points stay near.
//!
//! `bhtsne` does the iterations. It takes no seed, and its sums depend on the timing of its threads. So
//! this code gives it neighbours and starting positions, which it would otherwise draw at random, and a
//! single thread.

use bhtsne::{Neighbor, tSNE};
use rayon::ThreadPoolBuilder;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::pca::{MAX_PCA_DIMENSIONS, principal_components};
use crate::error::MetricError;
use crate::points::Points;
use crate::random::{fraction, generator};

/// Barnes & Hut's angle: a cell that looks smaller from a point counts as one point.
const ANGLE: f64 = 0.5;

/// Least number of distinct points that the algorithm can arrange.
const FEWEST: usize = 4;

/// Settings of t-SNE.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TSneConfig {
    /// Perplexity: effective number of neighbours that a point keeps near; by default 30, at least 1.
    /// At most a third of the number of points is used.
    pub perplexity: f64,
    /// Number of iterations; by default 1,000. The first 250 exaggerate attraction.
    pub iterations: usize,
    /// Seed of the small noise around the starting positions; by default 0.
    pub seed: u64,
}

impl Default for TSneConfig {
    fn default() -> Self {
        Self {
            perplexity: 30.0,
            iterations: 1_000,
            seed: 0,
        }
    }
}

/// Arranges `points` (row-major `[n, dimensions]`) in the plane by t-SNE (van der Maaten & Hinton
/// 2008) with Barnes & Hut's approximation (van der Maaten 2014): row-major `[n, 2]`, centred.
///
/// In such a picture only nearness has a meaning. Distances between far groups, sizes of groups and
/// axes have none.
///
/// The start is the first two principal components with a standard deviation of 10⁻⁴ (Kobak & Berens
/// 2019), so the rough arrangement is that of the data. Noise of a hundredth of that separates points
/// that would coincide. Equal points count once and get the same place. Fewer than four distinct points
/// are placed by their principal components. If there are more coordinates than [`MAX_PCA_DIMENSIONS`],
/// only those with the largest variances make the principal components. Neighbours always depend on all
/// coordinates.
///
/// The same points and seed give the same picture: neighbours are found exactly, and the iterations run
/// on one thread, because sums over several threads depend on their timing. The time is O(n² ·
/// dimensions) for the neighbours (on all threads) and O(n log n) for each iteration: seconds for some
/// thousands of points.
///
/// # Errors
/// [`MetricError::Empty`], [`MetricError::PartialPoint`], [`MetricError::NotFinite`],
/// [`MetricError::NoThread`], and [`MetricError::OutOfRange`] for a perplexity below 1
/// or NaN, or more than 100,000 iterations.
pub fn t_sne(
    points: &[f32],
    dimensions: usize,
    config: &TSneConfig,
) -> Result<Vec<f32>, MetricError> {
    let points = Points::new(points, dimensions)?;
    if config.perplexity.is_nan() || config.perplexity < 1.0 {
        return Err(MetricError::OutOfRange {
            field: "perplexity",
            value: config.perplexity.to_string(),
            allowed: "1 or more",
        });
    }
    if config.iterations > 100_000 {
        return Err(MetricError::OutOfRange {
            field: "iterations",
            value: config.iterations.to_string(),
            allowed: "0 to 100000",
        });
    }
    let (distinct, place_of) = distinct_rows(&points);
    let distinct = Points {
        values: &distinct,
        dimensions,
    };
    let start = first_components(&distinct)?;
    let placed = if distinct.count() < FEWEST {
        start
    } else {
        arrange(&distinct, &start, config)?
    };
    let coordinates = place_of
        .iter()
        .flat_map(|&place| [placed[2 * place] as f32, placed[2 * place + 1] as f32]);
    Ok(coordinates.collect())
}

/// Coordinates along the first two principal components, `[n, 2]`; the second one is 0 for points with
/// one dimension. If there are more than [`MAX_PCA_DIMENSIONS`] coordinates, only those with the
/// largest variances count.
fn first_components(points: &Points) -> Result<Vec<f64>, MetricError> {
    let chosen;
    let points = if points.dimensions > MAX_PCA_DIMENSIONS {
        chosen = most_varying(points, MAX_PCA_DIMENSIONS);
        &Points {
            values: &chosen,
            dimensions: MAX_PCA_DIMENSIONS,
        }
    } else {
        points
    };
    let components = points.dimensions.min(2);
    let projected = principal_components(points.values, points.dimensions, components)?
        .project(points.values)?;
    Ok(match components {
        1 => projected.into_iter().flat_map(|x| [x, 0.0]).collect(),
        _ => projected,
    })
}

/// The `count` coordinates with the largest variances, row-major `[n, count]`. Of equal variances, the
/// first.
fn most_varying(points: &Points, count: usize) -> Vec<f32> {
    let mean = points.mean();
    let mut squares = vec![0.0; points.dimensions];
    for row in points.rows() {
        for ((sum, mean), &value) in squares.iter_mut().zip(&mean).zip(row) {
            *sum += (f64::from(value) - mean).powi(2);
        }
    }
    let mut order: Vec<usize> = (0..points.dimensions).collect();
    order.sort_by(|&a, &b| squares[b].total_cmp(&squares[a]));
    order.truncate(count);
    let rows = points.rows();
    rows.flat_map(|row| order.iter().map(|&coordinate| row[coordinate]))
        .collect()
}

/// Runs the iterations on distinct points.
fn arrange(
    points: &Points,
    components: &[f64],
    config: &TSneConfig,
) -> Result<Vec<f64>, MetricError> {
    let most = (points.count() - 1) as f64 / 3.0;
    let perplexity = config.perplexity.min(most);
    // Three times the perplexity, as in the Barnes-Hut paper.
    let neighbours = nearest(points, (3.0 * perplexity) as usize);
    let mut random = generator(config.seed, 2);
    let scale = 1e-4 / standard_deviation(components);
    let start: Vec<f64> = components
        .iter()
        .map(|x| x * scale + 1e-6 * (fraction(&mut random) - 0.5))
        .collect();
    let pool = ThreadPoolBuilder::new().num_threads(1).build();
    let pool = pool.map_err(|error| MetricError::NoThread {
        reason: error.to_string(),
    })?;
    Ok(pool.install(|| {
        let items = vec![(); points.count()];
        let mut solver = tSNE::<f64, (), 2>::new(&items);
        solver
            .perplexity(perplexity)
            .epochs(config.iterations)
            .initial_embedding(start)
            .barnes_hut_with_neighbors(ANGLE, &neighbours);
        solver.embedding()
    }))
}

/// The larger of the two coordinates' standard deviations around their mean 0.
fn standard_deviation(coordinates: &[f64]) -> f64 {
    let sum = |offset: usize| -> f64 {
        let axis = coordinates.iter().skip(offset).step_by(2);
        axis.map(|x| x * x).sum()
    };
    (sum(0).max(sum(1)) / (coordinates.len() / 2) as f64).sqrt()
}

/// The `count` nearest other points of each point, ascending. Of equally near points, the lower index
/// first.
///
/// Distances are `√(d² − d²₁)`, where d₁ is the distance to the nearest point. This does not change the
/// neighbours' normalised Gaussian weights, but keeps them from all rounding to 0 for a point far from
/// all others. For the same reason the unit is the spread of the points.
fn nearest(points: &Points, count: usize) -> Vec<Vec<Neighbor<f64>>> {
    let mean = points.mean();
    let spread: f64 = points
        .rows()
        .flat_map(|row| row.iter().zip(&mean))
        .map(|(&value, mean)| (f64::from(value) - mean).powi(2))
        .sum::<f64>()
        / points.count() as f64;
    let squared = |a: &[f32], b: &[f32]| -> f64 {
        let pairs = a.iter().zip(b);
        pairs
            .map(|(&x, &y)| (f64::from(x) - f64::from(y)).powi(2))
            .sum()
    };
    (0..points.count())
        .into_par_iter()
        .map(|own| {
            let row = points.row(own);
            let mut others: Vec<(f64, usize)> = (0..points.count())
                .filter(|&other| other != own)
                .map(|other| (squared(row, points.row(other)), other))
                .collect();
            let order =
                |a: &(f64, usize), b: &(f64, usize)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
            if count < others.len() {
                others.select_nth_unstable_by(count, order);
                others.truncate(count);
            }
            others.sort_unstable_by(order);
            let first = others.first().map_or(0.0, |&(distance, _)| distance);
            let neighbour = |(distance, index): (f64, usize)| Neighbor {
                index,
                distance: ((distance - first) / spread).sqrt(),
            };
            others.into_iter().map(neighbour).collect()
        })
        .collect()
}

/// The distinct rows in the order of their first occurrence, and the index of each row among them. `−0`
/// equals `+0`.
fn distinct_rows(points: &Points) -> (Vec<f32>, Vec<usize>) {
    let compare = |&a: &usize, &b: &usize| {
        let pairs = points.row(a).iter().zip(points.row(b));
        // Adding zero turns −0 into +0.
        pairs
            .map(|(x, y)| (x + 0.0).total_cmp(&(y + 0.0)))
            .find(|order| order.is_ne())
            .unwrap_or(std::cmp::Ordering::Equal)
    };
    let mut order: Vec<usize> = (0..points.count()).collect();
    order.sort_unstable_by(|a, b| compare(a, b).then(a.cmp(b)));
    let mut first: Vec<usize> = (0..points.count()).collect();
    for equal in order.chunk_by(|a, b| compare(a, b).is_eq()) {
        equal.iter().for_each(|&item| first[item] = equal[0]);
    }
    let mut values = Vec::new();
    let mut place_of = Vec::with_capacity(points.count());
    for (item, &first) in first.iter().enumerate() {
        if first == item {
            place_of.push(values.len() / points.dimensions);
            values.extend_from_slice(points.row(item));
        } else {
            // The first occurrence already has its index.
            place_of.push(place_of[first]);
        }
    }
    (values, place_of)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Points around the centres of clusters, one point of each cluster in turn.
    fn blobs(count: usize, clusters: usize) -> Vec<f32> {
        let mut random = generator(11, 0);
        let centres: Vec<f32> = (0..5 * clusters)
            .map(|_| 8.0 * fraction(&mut random) as f32)
            .collect();
        (0..5 * count)
            .map(|i| centres[i / 5 % clusters * 5 + i % 5] + fraction(&mut random) as f32)
            .collect()
    }

    fn quick() -> TSneConfig {
        TSneConfig {
            iterations: 350,
            ..TSneConfig::default()
        }
    }

    fn distance(placed: &[f32], a: usize, b: usize) -> f32 {
        (placed[2 * a] - placed[2 * b]).hypot(placed[2 * a + 1] - placed[2 * b + 1])
    }

    #[test]
    fn clusters_stay_together() {
        let placed = t_sne(&blobs(200, 4), 5, &quick()).unwrap();
        assert_eq!(placed.len(), 400);
        let mut alike = 0;
        for i in 0..200 {
            let others = (0..200).filter(|&j| j != i);
            let nearest =
                others.min_by(|&a, &b| distance(&placed, i, a).total_cmp(&distance(&placed, i, b)));
            alike += usize::from(nearest.unwrap() % 4 == i % 4);
        }
        assert!(alike >= 199, "{alike} of 200");
        let mean: f32 = placed.iter().sum::<f32>() / 400.0;
        assert!(mean.abs() < 1e-3);
    }

    #[test]
    fn the_seed_decides_on_any_number_of_threads() {
        let points = blobs(150, 3);
        let run = |threads, config| {
            let pool = ThreadPoolBuilder::new().num_threads(threads).build();
            pool.unwrap()
                .install(|| t_sne(&points, 5, &config).unwrap())
        };
        let first = run(1, quick());
        assert_eq!(first, run(4, quick()));
        assert_eq!(first, t_sne(&points, 5, &quick()).unwrap());
        let other = TSneConfig { seed: 1, ..quick() };
        assert_ne!(first, run(1, other));
    }

    #[test]
    fn few_points_are_placed() {
        for count in 1..12 {
            let placed = t_sne(&blobs(count, 3), 5, &quick()).unwrap();
            assert_eq!(placed.len(), 2 * count);
            assert!(placed.iter().all(|value| value.is_finite()), "{count}");
        }
        assert_eq!(t_sne(&[3.0, 4.0], 2, &quick()).unwrap(), [0.0, 0.0]);
        assert_eq!(t_sne(&[3.0; 40], 1, &quick()).unwrap(), [0.0; 80]);
        // Two distinct points on a line: their principal component.
        let placed = t_sne(&[1.0, 5.0, 1.0], 1, &quick()).unwrap();
        assert_eq!(placed, [-2.0, 0.0, 2.0, 0.0, -2.0, 0.0]);
    }

    #[test]
    fn points_that_are_hard_to_arrange_are_placed() {
        let line: Vec<f32> = (0..60).map(|i| i as f32).collect();
        let simplex: Vec<f32> = (0..900).map(|i| f32::from(i / 30 == i % 30)).collect();
        let mut outlier = blobs(60, 2);
        outlier[0] = 1e30;
        let tiny: Vec<f32> = blobs(60, 2).iter().map(|x| x * 1e-38).collect();
        let huge: Vec<f32> = blobs(60, 2).iter().map(|x| x * 1e37).collect();
        // All points but one are equal up to rounding.
        let collapsed: Vec<f32> = (0..60u32)
            .map(|i| f32::from_bits(0x3f80_0000 + i))
            .collect();
        for (points, dimensions) in [
            (line, 1),
            (simplex, 30),
            (outlier, 5),
            (tiny, 5),
            (huge, 5),
            (collapsed, 1),
        ] {
            let placed = t_sne(&points, dimensions, &quick()).unwrap();
            assert!(placed.iter().all(|value| value.is_finite()));
            for i in 1..placed.len() / 2 {
                assert!(distance(&placed, 0, i) > 0.0);
            }
        }
    }

    #[test]
    fn points_of_many_dimensions_start_from_those_that_vary() {
        let few = blobs(60, 2);
        // The five last coordinates, after many that hardly vary.
        let noise = |i: usize, d: usize| ((i * 31 + d * 17) % 7) as f32 * 1e-3;
        let many: Vec<f32> = few
            .chunks(5)
            .enumerate()
            .flat_map(|(i, row)| {
                (0..400)
                    .map(move |d| noise(i, d))
                    .chain(row.iter().copied())
            })
            .collect();
        let start =
            |values: &[f32], dimensions| first_components(&Points { values, dimensions }).unwrap();
        for (a, b) in start(&few, 5).iter().zip(start(&many, 405)) {
            assert!((a - b).abs() < 0.05, "{a} {b}");
        }
        let placed = t_sne(&many, 405, &quick()).unwrap();
        assert!(placed.iter().all(|value| value.is_finite()));
    }

    #[test]
    fn equal_points_share_a_place() {
        let mut points = blobs(80, 2);
        points.extend_from_within(..5 * 30);
        let placed = t_sne(&points, 5, &quick()).unwrap();
        assert_eq!(placed[..60], placed[160..]);
        assert_eq!(placed[..160], t_sne(&points[..400], 5, &quick()).unwrap());
        let distinct = distinct_rows(&Points {
            values: &[1.0, 0.0, 1.0, -0.0, 2.0],
            dimensions: 1,
        });
        assert_eq!(distinct, (vec![1.0, 0.0, 2.0], vec![0, 1, 0, 1, 2]));
    }

    #[test]
    fn neighbours_are_the_nearest() {
        let values = blobs(50, 3);
        let points = Points {
            values: &values,
            dimensions: 5,
        };
        let found = nearest(&points, 7);
        for (own, neighbours) in found.iter().enumerate() {
            let squared = |other: usize| -> f32 {
                let pairs = points.row(own).iter().zip(points.row(other));
                pairs.map(|(x, y)| (x - y) * (x - y)).sum()
            };
            let mut others: Vec<usize> = (0..50).filter(|&other| other != own).collect();
            others.sort_by(|&a, &b| squared(a).total_cmp(&squared(b)));
            let indices: Vec<usize> = neighbours.iter().map(|n| n.index).collect();
            assert_eq!(indices, others[..7]);
            assert_eq!(neighbours[0].distance, 0.0);
        }
        // Equally near: the lower index first.
        let line = Points {
            values: &[0.0, 1.0, 2.0, 3.0],
            dimensions: 1,
        };
        let found = nearest(&line, 2);
        assert_eq!(found[1].iter().map(|n| n.index).collect::<Vec<_>>(), [0, 2]);
        // Spread 5/4; d² = 4 less the nearest 1.
        assert!((found[0][1].distance - (3.0f64 / 1.25).sqrt()).abs() < 1e-12);
    }

    #[test]
    fn impossible_input_is_refused() {
        let refused = |config: TSneConfig| {
            matches!(
                t_sne(&[0.0, 1.0], 1, &config),
                Err(MetricError::OutOfRange { .. })
            )
        };
        for perplexity in [0.0, 0.5, -1.0, f64::NAN] {
            assert!(refused(TSneConfig {
                perplexity,
                ..quick()
            }));
        }
        assert!(refused(TSneConfig {
            iterations: 100_001,
            ..quick()
        }));
        assert!(t_sne(&[], 1, &quick()).is_err());
        assert!(t_sne(&[0.0; 3], 2, &quick()).is_err());
        assert!(t_sne(&[f32::INFINITY], 1, &quick()).is_err());
        let infinite = TSneConfig {
            perplexity: f64::INFINITY,
            ..quick()
        };
        assert!(t_sne(&blobs(20, 2), 5, &infinite).is_ok());
    }
}
