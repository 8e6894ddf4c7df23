//! Prepares a series of numbers for drawing: gaps, smoothing, thinning, ranges.

use std::ops::Range;

/// Larger values are not drawn: their differences would overflow.
const LARGEST: f64 = 1e30;

/// Longer series are divided into this number of buckets and drawn as minimum and maximum of each.
const BUCKETS: usize = 1000;

/// Series of at least this length get a running mean.
pub(crate) const SMOOTHED_FROM: usize = 100;

/// A running mean covers this fraction of the series.
const WINDOWS: usize = 40;

/// A point in data coordinates: step, value.
pub(crate) type Point = (f64, f64);

pub(crate) fn drawable(value: f64) -> bool {
    value.is_finite() && value.abs() <= LARGEST
}

/// The runs of drawable points between the other points.
pub(crate) fn runs(points: &[(u64, f64)]) -> Vec<Vec<Point>> {
    points
        .split(|&(_, value)| !drawable(value))
        .filter(|run| !run.is_empty())
        .map(|run| {
            run.iter()
                .map(|&(step, value)| (step as f64, value))
                .collect()
        })
        .collect()
}

/// Minimum and maximum of each bucket, in their order. A short series does not change.
pub(crate) fn thin(run: &[Point]) -> Vec<Point> {
    if run.len() <= 2 * BUCKETS {
        return run.to_vec();
    }
    run.chunks(run.len().div_ceil(BUCKETS))
        .flat_map(|bucket| {
            let by_value = |a: &&Point, b: &&Point| a.1.total_cmp(&b.1);
            let lowest = bucket.iter().min_by(by_value).copied();
            let highest = bucket.iter().max_by(by_value).copied();
            let mut both: Vec<Point> = lowest.into_iter().chain(highest).collect();
            both.sort_by(|a, b| a.0.total_cmp(&b.0));
            both
        })
        .collect()
}

/// Centred running mean; the window is cut at the ends.
pub(crate) fn running_mean(run: &[Point], series_len: usize) -> Vec<Point> {
    let reach = series_len / WINDOWS / 2;
    let mut sums = Vec::with_capacity(run.len() + 1);
    let mut sum = 0.0;
    sums.push(sum);
    for &(_, value) in run {
        sum += value;
        sums.push(sum);
    }
    (0..run.len())
        .map(|place| {
            let (start, end) = (
                place.saturating_sub(reach),
                (place + reach + 1).min(run.len()),
            );
            (
                run[place].0,
                (sums[end] - sums[start]) / (end - start) as f64,
            )
        })
        .collect()
}

/// Points at equal distances in the list, including the last one; for series without outliers.
pub(crate) fn sampled(run: &[Point]) -> Vec<Point> {
    let stride = run.len().div_ceil(BUCKETS).max(1);
    let mut sample: Vec<Point> = run.iter().step_by(stride).copied().collect();
    if let Some(last) = run.last()
        && !(run.len() - 1).is_multiple_of(stride)
    {
        sample.push(*last);
    }
    sample
}

/// The smallest range that holds all `values`, slightly widened; never empty.
pub(crate) fn padded_range(values: impl Iterator<Item = f64>, padding: f64) -> Option<Range<f64>> {
    let (lowest, highest) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| {
        (low.min(v), high.max(v))
    });
    if lowest > highest {
        return None;
    }
    let magnitude = lowest.abs().max(highest.abs());
    let width = highest - lowest;
    let margin = if width > 1e-9 * magnitude {
        padding * width
    } else if magnitude > 1e-12 {
        0.1 * magnitude
    } else {
        1.0
    };
    Some(lowest - margin..highest + margin)
}

/// The quantiles `edge` and `1 − edge`. A range between them keeps a few outliers from flattening
/// the rest.
pub(crate) fn central_range(mut values: Vec<f64>, edge: f64) -> Option<(f64, f64)> {
    values.sort_by(f64::total_cmp);
    let cut = (values.len() as f64 * edge) as usize;
    let central = &values[cut..values.len() - cut];
    Some((*central.first()?, *central.last()?))
}

/// The range that holds the central part of every set of drawable values, and the values near it.
/// For each set, it extends beyond the quantiles `edge` and `1 − edge` by at most a quarter of the
/// distance between them. Outliers lie outside; the range is never empty.
pub(crate) fn robust_range<'a>(
    sets: impl Iterator<Item = &'a [f64]>,
    edge: f64,
) -> Option<Range<f64>> {
    let ranges = sets.filter_map(|set| {
        let (lowest, highest) = central_range(set.to_vec(), 0.0)?;
        let (low, high) = central_range(set.to_vec(), edge)?;
        let beyond = 0.25 * (high - low);
        Some((lowest.max(low - beyond), highest.min(high + beyond)))
    });
    let (low, high) = ranges.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))?;
    // In a narrower range, the numbers along the axis would look equal.
    let narrow = (1e-6 * low.abs().max(high.abs())).max(1e-30);
    if high - low > narrow {
        Some(low..high)
    } else {
        padded_range([low].into_iter(), 0.0)
    }
}

/// The points with their values limited to the range from `lowest` to `highest`.
pub(crate) fn held(run: &[Point], (lowest, highest): (f64, f64)) -> Vec<Point> {
    run.iter()
        .map(|&(step, value)| (step, value.clamp(lowest, highest)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_values_split_a_series() {
        let points = [
            (0, f64::NAN),
            (1, 1.0),
            (2, 2.0),
            (3, f64::INFINITY),
            (4, 1e31),
            (5, 3.0),
        ];
        assert_eq!(
            runs(&points),
            [vec![(1.0, 1.0), (2.0, 2.0)], vec![(5.0, 3.0)]]
        );
        assert!(runs(&[]).is_empty());
    }

    #[test]
    fn thinning_keeps_the_extremes() {
        let run: Vec<Point> = (0..50_000)
            .map(|n| (n as f64, if n == 777 { 9.0 } else { f64::from(n % 7) }))
            .collect();
        let thinned = thin(&run);
        assert!(thinned.len() <= 2 * BUCKETS);
        assert!(thinned.contains(&(777.0, 9.0)));
        assert!(thinned.is_sorted_by(|a, b| a.0 <= b.0));
        assert_eq!(thin(&run[..5]), run[..5]);
    }

    #[test]
    fn a_running_mean_keeps_lines_and_flattens_alternation() {
        let line: Vec<Point> = (0..400).map(|n| (n as f64, 3.0 * n as f64)).collect();
        let smooth = running_mean(&line, 400);
        for place in 5..395 {
            assert!((smooth[place].1 - line[place].1).abs() < 1e-9);
        }
        // At the ends, six of the eleven values are left: 0, 3, …, 15 have the mean 7.5.
        assert!((smooth[0].1 - 7.5).abs() < 1e-9);
        assert!((smooth[399].1 - (3.0 * 399.0 - 7.5)).abs() < 1e-9);
        // A window of 11 over ±1 gives 1/11.
        let alternation: Vec<Point> = (0..400)
            .map(|n| (n as f64, f64::from(n % 2 * 2 - 1)))
            .collect();
        let middle = running_mean(&alternation, 400)[200].1;
        assert!((middle.abs() - 1.0 / 11.0).abs() < 1e-12);
    }

    #[test]
    fn sampling_keeps_both_ends() {
        for count in [0, 1, 2, 999, 1000, 1001, 1999, 2000, 2001, 12_345] {
            let run: Vec<Point> = (0..count).map(|n| (f64::from(n), 0.0)).collect();
            let sample = sampled(&run);
            assert!(sample.len() <= BUCKETS + 1, "{count}");
            assert_eq!(sample.first(), run.first());
            assert_eq!(sample.last(), run.last());
            assert!(sample.is_sorted_by(|a, b| a.0 < b.0), "{count}");
        }
    }

    #[test]
    fn ranges_are_never_empty() {
        let range = |values: &[f64]| padded_range(values.iter().copied(), 0.05);
        assert_eq!(range(&[]), None);
        assert_eq!(range(&[0.0]), Some(-1.0..1.0));
        assert_eq!(range(&[0.0, 10.0]), Some(-0.5..10.5));
        let flat = range(&[5.0, 5.0]).unwrap();
        assert!((flat.start - 4.5).abs() < 1e-12 && (flat.end - 5.5).abs() < 1e-12);
        let wide = range(&[-1e30, 1e30]).unwrap();
        assert!(wide.start.is_finite() && wide.end.is_finite());
    }

    #[test]
    fn outliers_are_cut_from_long_series_only() {
        let mut values: Vec<f64> = (0..200).map(f64::from).collect();
        values[17] = 1e9;
        assert_eq!(central_range(values, 0.01), Some((2.0, 198.0)));
        assert_eq!(central_range(vec![3.0, 1e9], 0.01), Some((3.0, 1e9)));
        assert_eq!(central_range(Vec::new(), 0.01), None);
        assert_eq!(
            held(&[(1.0, 5.0), (2.0, -5.0)], (-1.0, 1.0)),
            [(1.0, 1.0), (2.0, -1.0)]
        );
    }

    #[test]
    fn robust_ranges_hold_every_set_and_no_outliers() {
        let range = |sets: &[&[f64]]| robust_range(sets.iter().copied(), 0.01);
        // 0..=200 fits completely: 2 % beyond the quantiles 2 and 198 is less than a quarter.
        let mut plain: Vec<f64> = (0..=200).map(f64::from).collect();
        assert_eq!(range(&[&plain]), Some(0.0..200.0));
        plain[17] = 1e9;
        // Quantiles 2 and 199, and a quarter of the 197 between them.
        assert_eq!(range(&[&plain]), Some(0.0..199.0 + 197.0 / 4.0));
        // A second set far away does not count as outliers.
        assert_eq!(
            range(&[&plain, &[-5e3, -4e3]]),
            Some(-5e3..199.0 + 197.0 / 4.0)
        );
        assert_eq!(range(&[]), None);
        assert_eq!(range(&[&[]]), None);
        assert_eq!(range(&[&[0.0]]), Some(-1.0..1.0));
        assert_eq!(range(&[&[1e-320, 2e-320]]), Some(-1.0..1.0));
        let flat = range(&[&[5.0], &[5.0 + 1e-9]]).unwrap();
        assert!((flat.start - 4.5).abs() < 1e-12 && (flat.end - 5.5).abs() < 1e-12);
        assert_eq!(range(&[&[-1e30, 1e30]]), Some(-1e30..1e30));
    }
}
