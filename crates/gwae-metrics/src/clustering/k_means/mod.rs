//! k-means clusters of points, a baseline for the clusters of a mixture prior.
//!
//! Lloyd's algorithm from several k-means++ starts (Arthur & Vassilvitskii 2007); the best result
//! is kept. We have our own code because the libraries do not fit: `kmeans` 2.0 needs a nightly
//! compiler, `clustering` 0.2 takes no seed, and `linfa-clustering` 0.8 brings seventy packages,
//! among them second versions of `ndarray` and `rand`.

mod lanes;
mod lloyd;
mod start;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::MetricError;
use crate::points::Points;
use crate::random::generator;

use lloyd::{lloyd, means_and_inertia};
use start::starting_centres;

/// Settings of the k-means search.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KMeansConfig {
    /// Number of starts; the result with the least inertia is kept. By default 10.
    pub restarts: u64,
    /// Largest number of iterations of a start; by default 300. A start ends earlier when no label
    /// changes.
    pub max_iterations: usize,
    /// A start also ends when the centres hardly move: in an iteration, the sum of their squared
    /// moves is at most this share of the points' variance (its mean over the dimensions). The
    /// default is 10⁻⁴, as in scikit-learn. With 0, a start ends only when no label changes.
    pub tolerance: f64,
    /// Seed of the starts; by default 0. The same seed gives the same clusters on any number of
    /// threads.
    pub seed: u64,
}

impl Default for KMeansConfig {
    fn default() -> Self {
        Self {
            restarts: 10,
            max_iterations: 300,
            tolerance: 1e-4,
            seed: 0,
        }
    }
}

/// Clusters of points.
#[derive(Clone, Debug, PartialEq)]
pub struct KMeans {
    /// Mean of each cluster's points, row-major `[clusters, dimensions]`. If there are fewer
    /// distinct points than clusters, the remaining centres repeat points.
    pub centres: Vec<f32>,
    /// Cluster of each point.
    pub labels: Vec<usize>,
    /// Sum of the squared distances from each point to the mean of its cluster.
    pub inertia: f64,
    /// Number of iterations of the start that was kept.
    pub iterations: usize,
    /// Whether that start ended before the largest number of iterations.
    pub converged: bool,
    dimensions: usize,
}

/// Divides `points` (row-major `[n, dimensions]`) into `clusters` clusters.
///
/// Each start draws its centres by greedy k-means++: the first point uniformly, each further one
/// with probability proportional to the squared distance to the nearest centre so far. Each further
/// point is the best of `2 + ⌊ln clusters⌋` draws, as in scikit-learn. A cluster that loses all its
/// points moves to the point farthest from its own centre.
///
/// Points are centred and scaled before distances are computed in single precision. Centres and
/// inertia are computed from the labels in double precision. Starts run in parallel. The memory is
/// that of one copy of the points.
///
/// # Errors
/// [`MetricError::Empty`], [`MetricError::PartialPoint`], [`MetricError::NotFinite`], and
/// [`MetricError::OutOfRange`] unless `1 ≤ clusters ≤ n`, `restarts ≥ 1`,
/// `max_iterations ≥ 1`, and `tolerance` is finite and not negative.
pub fn k_means(
    points: &[f32],
    dimensions: usize,
    clusters: usize,
    config: &KMeansConfig,
) -> Result<KMeans, MetricError> {
    let points = Points::new(points, dimensions)?;
    let refuse = |field, value: String, allowed| MetricError::OutOfRange {
        field,
        value,
        allowed,
    };
    if !(1..=points.count()).contains(&clusters) {
        let allowed = "1 to the number of points";
        return Err(refuse("clusters", clusters.to_string(), allowed));
    }
    if config.restarts == 0 {
        return Err(refuse("restarts", "0".to_owned(), "1 or more"));
    }
    if config.max_iterations == 0 {
        return Err(refuse("max_iterations", "0".to_owned(), "1 or more"));
    }
    if !(config.tolerance >= 0.0 && config.tolerance.is_finite()) {
        let allowed = "0 or more, and finite";
        return Err(refuse("tolerance", config.tolerance.to_string(), allowed));
    }
    let scaled = centred_and_scaled(&points);
    let scaled = Points {
        values: &scaled,
        dimensions,
    };
    let squares: f64 = scaled.values.iter().map(|&x| f64::from(x).powi(2)).sum();
    let least_move = config.tolerance * squares / scaled.values.len() as f64;
    let best = (0..config.restarts)
        .into_par_iter()
        .map(|restart| {
            let mut generator = generator(config.seed, restart);
            let first = starting_centres(&scaled, clusters, &mut generator);
            // One lane per cluster, if the processor has vectors of that size.
            let run = match clusters {
                0..=4 => lloyd::<4>,
                5..=8 => lloyd::<8>,
                _ => lloyd::<16>,
            };
            let run = run(&scaled, first, config.max_iterations, least_move);
            let inertia = means_and_inertia(&scaled, &run.labels, clusters).1;
            (restart, inertia, run)
        })
        .reduce_with(|a, b| match a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)) {
            std::cmp::Ordering::Greater => b,
            _ => a,
        });
    // There is at least one restart.
    let Some((_, _, run)) = best else {
        return Err(refuse("restarts", "0".to_owned(), "1 or more"));
    };
    let (centres, inertia) = means_and_inertia(&points, &run.labels, clusters);
    Ok(KMeans {
        centres,
        inertia,
        labels: run.labels,
        iterations: run.iterations,
        converged: run.converged,
        dimensions,
    })
}

impl KMeans {
    /// The cluster with the nearest centre for each of other points with the same number of
    /// dimensions. Of equally near centres, the lowest index.
    ///
    /// # Errors
    /// [`MetricError::Empty`], [`MetricError::PartialPoint`], [`MetricError::NotFinite`].
    pub fn assign(&self, points: &[f32]) -> Result<Vec<usize>, MetricError> {
        let points = Points::new(points, self.dimensions)?;
        let nearest = |row| {
            let distances = self
                .centres
                .chunks_exact(self.dimensions)
                .map(|centre| squared_distance(row, centre));
            distances
                .enumerate()
                .min_by(|a, b| a.1.total_cmp(&b.1))
                .map_or(0, |(cluster, _)| cluster)
        };
        Ok(points.rows().map(nearest).collect())
    }
}

/// The points minus their mean, divided by the largest remaining coordinate. In single precision no
/// square then overflows, and no square that matters becomes 0.
fn centred_and_scaled(points: &Points) -> Vec<f32> {
    let mean = points.mean();
    let centred = || {
        points.rows().flat_map(|row| {
            let pairs = row.iter().zip(&mean);
            pairs.map(|(&value, mean)| f64::from(value) - mean)
        })
    };
    let largest = centred().fold(0.0, |largest: f64, value| largest.max(value.abs()));
    let scale = if largest > 0.0 { largest } else { 1.0 };
    centred().map(|value| (value / scale) as f32).collect()
}

fn squared_distance(a: &[f32], b: &[f32]) -> f64 {
    let differences = a.iter().zip(b).map(|(&x, &y)| f64::from(x) - f64::from(y));
    differences.map(|difference| difference * difference).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::random::fraction;

    /// Points around random centres, one of each in turn.
    fn blobs(count: usize, dimensions: usize, clusters: usize, spread: f32) -> Vec<f32> {
        let mut generator = generator(7, 0);
        let mut draw = || fraction(&mut generator) as f32 - 0.5;
        let centres: Vec<f32> = (0..clusters * dimensions).map(|_| 10.0 * draw()).collect();
        (0..count * dimensions)
            .map(|i| {
                let cluster = i / dimensions % clusters;
                centres[cluster * dimensions + i % dimensions] + spread * draw()
            })
            .collect()
    }

    fn fit(points: &[f32], dimensions: usize, clusters: usize) -> KMeans {
        k_means(points, dimensions, clusters, &KMeansConfig::default()).unwrap()
    }

    /// Least inertia over all divisions of the points.
    fn exhaustive_inertia(points: &[f32], dimensions: usize, clusters: usize) -> f64 {
        let points = Points {
            values: points,
            dimensions,
        };
        let count = points.count();
        (0..clusters.pow(count as u32))
            .map(|code| {
                let label = |item| code / clusters.pow(item as u32) % clusters;
                let labels: Vec<usize> = (0..count).map(label).collect();
                let mut inertia = 0.0;
                for cluster in 0..clusters {
                    let members: Vec<&[f32]> = (0..count)
                        .filter(|&i| labels[i] == cluster)
                        .map(|i| points.row(i))
                        .collect();
                    // Σ‖x − mean‖² = Σ_{i<j} ‖xᵢ − xⱼ‖² / n.
                    for (i, a) in members.iter().enumerate() {
                        for b in &members[..i] {
                            inertia += squared_distance(a, b) / members.len() as f64;
                        }
                    }
                }
                inertia
            })
            .fold(f64::INFINITY, f64::min)
    }

    #[test]
    fn two_pairs_are_two_clusters() {
        let found = fit(&[0.0, 0.0, 0.0, 2.0, 10.0, 0.0, 10.0, 2.0], 2, 2);
        assert_eq!(found.inertia, 4.0);
        assert_eq!(found.labels[0], found.labels[1]);
        assert_eq!(found.labels[2], found.labels[3]);
        assert_ne!(found.labels[0], found.labels[2]);
        let near = found.labels[0];
        assert_eq!(found.centres[2 * near..][..2], [0.0, 1.0]);
        assert_eq!(found.centres[2 * (1 - near)..][..2], [10.0, 1.0]);
        assert!(found.converged);
        let assigned = found.assign(&[3.0, 3.0, 9.0, -1.0]).unwrap();
        assert_eq!(assigned, [near, 1 - near]);
    }

    #[test]
    fn separated_blobs_are_found() {
        for clusters in [1, 2, 5, 8, 9, 12, 17] {
            let found = fit(&blobs(20 * clusters, 6, clusters, 0.1), 6, clusters);
            for (i, label) in found.labels.iter().enumerate() {
                assert_eq!(*label, found.labels[i % clusters]);
            }
            assert_eq!(
                found.assign(&blobs(clusters, 6, clusters, 0.0)).unwrap(),
                found.labels[..clusters]
            );
        }
    }

    /// With few points, every division can be tried. No number of starts guarantees the best one:
    /// 0, 0, 1, 2, 3, 3 ended in {0, 0}, {1}, {2, 3, 3} from each of 2,000 greedy starts.
    #[test]
    fn the_best_division_of_few_points_is_nearly_always_found() {
        let mut generator = generator(3, 0);
        let mut missed = 0;
        for _ in 0..500 {
            let points: Vec<f32> = (0..7).map(|_| fraction(&mut generator) as f32).collect();
            let found = fit(&points, 1, 3).inertia;
            let best = exhaustive_inertia(&points, 1, 3);
            assert!(found > best - 1e-9);
            missed += usize::from(found > best + 1e-9);
        }
        assert!(missed <= 10);
    }

    #[test]
    fn the_seed_decides_on_any_number_of_threads() {
        let points = blobs(300, 3, 50, 4.0);
        let one = rayon::ThreadPoolBuilder::new()
            .num_threads(1)
            .build()
            .unwrap();
        let many = rayon::ThreadPoolBuilder::new()
            .num_threads(5)
            .build()
            .unwrap();
        let config = KMeansConfig {
            restarts: 7,
            ..KMeansConfig::default()
        };
        let run = |config| k_means(&points, 3, 9, &config).unwrap();
        assert_eq!(one.install(|| run(config)), many.install(|| run(config)));
        let other = KMeansConfig { seed: 1, ..config };
        assert_ne!(run(config).labels, run(other).labels);
        // More starts are never worse, because they include the fewer ones.
        let more = KMeansConfig {
            restarts: 30,
            ..config
        };
        assert!(run(more).inertia <= run(config).inertia);
    }

    #[test]
    fn fewer_distinct_points_than_clusters_do_no_harm() {
        let found = fit(&[1.0, 1.0, 1.0, 5.0, 5.0], 1, 4);
        assert_eq!(found.inertia, 0.0);
        assert_ne!(found.labels[0], found.labels[3]);
        assert_eq!(
            found.assign(&[0.0, 6.0]).unwrap(),
            [found.labels[0], found.labels[3]]
        );
        let constant = fit(&[3.0; 12], 2, 6);
        assert_eq!((constant.inertia, constant.labels), (0.0, vec![0; 6]));
    }

    #[test]
    fn an_empty_cluster_gets_the_farthest_point() {
        // The first two centres are equal, so the second one is never the lowest of the nearest.
        let values = [0.0, 1.0, 2.0, 9.0];
        let points = Points {
            values: &values,
            dimensions: 1,
        };
        let run = lloyd::<4>(&points, vec![1.0, 1.0], 10, 0.0);
        assert_eq!(run.labels, [0, 0, 0, 1]);
        assert!(run.converged);
    }

    #[test]
    fn scale_and_place_do_not_matter() {
        let points = blobs(60, 4, 3, 1.0);
        let labels = fit(&points, 4, 3).labels;
        for (factor, shift) in [(1e-30, 0.0), (1e30, 0.0), (f32::MAX / 8.0, 0.0), (1.0, 1e4)] {
            let moved: Vec<f32> = points.iter().map(|x| x * factor + shift).collect();
            let found = fit(&moved, 4, 3);
            assert_eq!(found.labels, labels, "{factor} {shift}");
            assert!(found.inertia.is_finite());
        }
    }

    #[test]
    fn impossible_input_is_refused() {
        let fit = |points: &[f32], dimensions, clusters, config: KMeansConfig| {
            k_means(points, dimensions, clusters, &config).unwrap_err()
        };
        let config = KMeansConfig::default();
        assert_eq!(
            fit(&[], 2, 1, config),
            MetricError::Empty { field: "points" }
        );
        for dimensions in [0, 2] {
            let values = 3;
            let refused = MetricError::PartialPoint { values, dimensions };
            assert_eq!(fit(&[0.0; 3], dimensions, 1, config), refused);
        }
        let refused = MetricError::NotFinite {
            field: "points",
            index: 1,
        };
        assert_eq!(fit(&[0.0, f32::NAN], 1, 1, config), refused);
        for clusters in [0, 3, usize::MAX] {
            let text = fit(&[0.0; 2], 1, clusters, config).to_string();
            let expected = format!("clusters = {clusters}; allowed is 1 to the number of points");
            assert_eq!(text, expected);
        }
        for config in [
            KMeansConfig {
                restarts: 0,
                ..config
            },
            KMeansConfig {
                max_iterations: 0,
                ..config
            },
            KMeansConfig {
                tolerance: -1.0,
                ..config
            },
            KMeansConfig {
                tolerance: f64::NAN,
                ..config
            },
        ] {
            assert!(matches!(
                fit(&[0.0], 1, 1, config),
                MetricError::OutOfRange { .. }
            ));
        }
        let found = k_means(&[0.0, 1.0], 1, 1, &config).unwrap();
        assert!(found.assign(&[f32::INFINITY]).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// From its best start, Lloyd's algorithm ends at most at twice the least inertia. Such a
        /// start has one point of each cluster of the best division: on average over the points,
        /// the squared distances from a point to the others of its cluster sum to twice the
        /// inertia.
        #[test]
        fn the_best_start_ends_within_twice_the_best_division(
            points in proptest::collection::vec(-4i32..5, 4..8),
            clusters in 1usize..4,
        ) {
            let values: Vec<f32> = points.into_iter().map(|x| x as f32).collect();
            let points = Points { values: &values, dimensions: 1 };
            let count = values.len();
            let found = (0..count.pow(clusters as u32))
                .map(|code| {
                    let centre = |cluster| values[code / count.pow(cluster as u32) % count];
                    let start = (0..clusters).map(centre).collect();
                    let run = lloyd::<4>(&points, start, 300, 0.0);
                    means_and_inertia(&points, &run.labels, clusters).1
                })
                .fold(f64::INFINITY, f64::min);
            let best = exhaustive_inertia(&values, 1, clusters);
            prop_assert!(best - 1e-9 <= found && found <= 2.0 * best + 1e-9, "{found} {best}");
        }

        /// Every point belongs to its nearest centre, and every centre is the mean of its points.
        #[test]
        fn a_converged_division_is_a_fixed_point(
            points in proptest::collection::vec(-10f32..10.0, 60..90),
            clusters in 1usize..20,
        ) {
            let points = &points[..points.len() / 3 * 3];
            let config = KMeansConfig { tolerance: 0.0, ..KMeansConfig::default() };
            let found = k_means(points, 3, clusters, &config).unwrap();
            prop_assert!(found.converged);
            let mut inertia = 0.0;
            for (row, &label) in points.chunks_exact(3).zip(&found.labels) {
                let own = squared_distance(row, &found.centres[3 * label..][..3]);
                inertia += own;
                for centre in found.centres.chunks_exact(3) {
                    prop_assert!(own <= squared_distance(row, centre) + 1e-3);
                }
            }
            prop_assert!((found.inertia - inertia).abs() < 1e-3);
        }
    }
}
