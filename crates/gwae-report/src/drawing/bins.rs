//! The bars of histograms.

use std::ops::Range;

use plotters::prelude::*;

use super::axes::PlottingArea;
use super::canvas::text;
use super::series::{Point, robust_range};

/// Share of the values at each end that may be outliers.
const OUTLIERS: f64 = 0.01;

/// Least and largest number of bins.
const BINS: (usize, usize) = (10, 80);

/// Bins of equal width, shared by several sets of values.
#[derive(Clone, Debug)]
pub(crate) struct Bins {
    start: f64,
    width: f64,
    count: usize,
}

impl Bins {
    /// Bins over the central 98 % of every set and the values near them.
    pub(crate) fn of(sets: &[&[f64]]) -> Self {
        let range = robust_range(sets.iter().copied(), OUTLIERS).unwrap_or(0.0..1.0);
        let fewest = sets.iter().map(|values| values.len()).min();
        // Twice the number of the Rice rule, because the range is that of all sets together.
        let count = 4.0 * (fewest.unwrap_or_default() as f64).cbrt();
        let count = (count as usize).clamp(BINS.0, BINS.1);
        Self {
            start: range.start,
            width: (range.end - range.start) / count as f64,
            count,
        }
    }

    /// The lower edge of bin `index`.
    fn edge(&self, index: usize) -> f64 {
        self.start + self.width * index as f64
    }

    /// From the lower edge of the first bin to the upper edge of the last.
    pub(crate) fn range(&self) -> Range<f64> {
        self.start..self.edge(self.count)
    }

    /// The height of each bar; the area of all bars is 1. Values outside all bins count in the
    /// outermost.
    pub(crate) fn densities(&self, values: &[f64]) -> Vec<f64> {
        let mut counts = vec![0usize; self.count];
        for value in values {
            // Too small a float becomes 0, too large a float the largest integer.
            let bin = ((value - self.start) / self.width) as usize;
            counts[bin.min(self.count - 1)] += 1;
        }
        let whole = values.len() as f64 * self.width;
        counts.iter().map(|&count| count as f64 / whole).collect()
    }

    /// The number of values outside all bins.
    pub(crate) fn beyond(&self, values: &[f64]) -> usize {
        // Rounding can put the last edge slightly below the largest value.
        let slack = 1e-6 * self.width;
        let inside = self.start - slack..=self.edge(self.count) + slack;
        values.iter().filter(|v| !inside.contains(v)).count()
    }

    /// The outline of each group of adjacent bars, which starts and ends at the axis.
    pub(crate) fn outlines(&self, densities: &[f64]) -> Vec<Vec<Point>> {
        let bars: Vec<(usize, f64)> = densities.iter().copied().enumerate().collect();
        let groups = bars.split(|bar| bar.1 == 0.0);
        let groups = groups.filter_map(|group| Some((group.first()?.0, group.last()?.0, group)));
        let outlines = groups.map(|(first, last, group)| {
            let tops = group.iter().flat_map(|&(index, density)| {
                [index, index + 1].map(|edge| (self.edge(edge), density))
            });
            let end = (self.edge(last + 1), 0.0);
            [(self.edge(first), 0.0)]
                .into_iter()
                .chain(tops)
                .chain([end])
                .collect()
        });
        outlines.collect()
    }
}

/// Fills the bars column by column, each pixel once. Overlapping edges would be visible as dark
/// lines.
pub(crate) fn fill_bars(
    area: &PlottingArea<'_>,
    bins: &Bins,
    densities: &[f64],
    (colour, opacity): (RGBColor, f64),
) -> Result<(), String> {
    let (left, top) = area.get_base_pixel();
    let canvas = area.strip_coord_spec();
    for (index, &density) in densities.iter().enumerate() {
        let (from, bottom) = area.map_coordinate(&(bins.edge(index), 0.0));
        let (to, upper) = area.map_coordinate(&(bins.edge(index + 1), density));
        for x in from..to {
            for y in upper..bottom {
                canvas
                    .draw_pixel((x - left, y - top), &colour.mix(opacity))
                    .map_err(text)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sums of uniform numbers: bell-shaped around 0.
    fn bell(count: u64) -> Vec<f64> {
        let uniform = |n: u64| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 11) as f64 / 2f64.powi(53);
        let sum = |n: u64| {
            (0..6)
                .map(|k| uniform(6 * n + k + 1).mul_add(2.0, -1.0))
                .sum::<f64>()
        };
        (0..count).map(sum).collect()
    }

    #[test]
    fn every_set_has_an_area_of_one() {
        let (mut many, few) = (bell(2000), vec![2.0, 2.5, 2.5]);
        many[3] = 1e6;
        many[4] = -1e6;
        let bins = Bins::of(&[&many, &few]);
        for values in [&many, &few] {
            let densities = bins.densities(values);
            let area: f64 = densities.iter().map(|density| density * bins.width).sum();
            assert!((area - 1.0).abs() < 1e-9, "{area}");
            // Independent count by comparison with the edges; the outermost bins have no outer
            // edge.
            for (index, density) in densities.iter().enumerate() {
                let from = if index == 0 {
                    f64::MIN
                } else {
                    bins.edge(index)
                };
                let last = index + 1 == bins.count;
                let to = if last { f64::MAX } else { bins.edge(index + 1) };
                let inside = values.iter().filter(|value| (from..to).contains(*value));
                let expected = inside.count() as f64 / values.len() as f64 / bins.width;
                assert!((density - expected).abs() < 1e-9, "bin {index}");
            }
        }
        assert_eq!(bins.beyond(&many), 2);
        assert_eq!(bins.beyond(&few), 0);
        assert!(bins.range().end < 10.0 && bins.range().start > -10.0);
    }

    #[test]
    fn bins_follow_the_number_of_values() {
        let count = |values: &[f64]| Bins::of(&[values]).count;
        assert_eq!(count(&[1.0]), 10);
        assert_eq!(count(&bell(1000)), 40);
        assert_eq!(count(&bell(100_000)), 80);
    }

    #[test]
    fn outlines_skip_empty_bins() {
        let bins = Bins {
            start: 0.0,
            width: 1.0,
            count: 5,
        };
        let outlines = bins.outlines(&[0.0, 0.5, 0.25, 0.0, 0.25]);
        let first = [
            (1.0, 0.0),
            (1.0, 0.5),
            (2.0, 0.5),
            (2.0, 0.25),
            (3.0, 0.25),
            (3.0, 0.0),
        ];
        let second = [(4.0, 0.0), (4.0, 0.25), (5.0, 0.25), (5.0, 0.0)];
        assert_eq!(outlines, [first.to_vec(), second.to_vec()]);
    }
}
