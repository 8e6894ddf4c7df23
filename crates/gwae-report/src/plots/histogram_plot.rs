//! Overlaid histograms of scores on several sets of images.

use std::path::Path;

use image::RgbImage;
use plotters::prelude::*;

use crate::drawing::axes::{Axis, HEADING, PANEL_MARGINS, PlottingArea, draw_axes, draw_heading};
use crate::drawing::canvas::{Canvas, scaled, text};
use crate::drawing::checks::{check_panels, check_values};
use crate::drawing::font::text_width;
use crate::drawing::labels::{fitted, tick_label};
use crate::drawing::legend::{Entry, Key, distinct, place_of};
use crate::drawing::lines::Pen;
use crate::drawing::palette::{MAX_FILLS, colour};
use crate::drawing::panels::render_panels;
use crate::drawing::series::{Point, robust_range};
use crate::error::ReportError;
use crate::png_file;

const PLOT: &str = "histogram";

/// Share of the values at each end that may be outliers.
const OUTLIERS: f64 = 0.01;

/// Least and largest number of bins.
const BINS: (usize, usize) = (10, 80);

/// Opacity of a fill, from 0 to 1.
const OPACITY: f64 = 0.38;

/// The scores of one set of images.
#[derive(Clone, Copy, Debug)]
pub struct Scores<'a> {
    /// Name in the legend. Sets with the same name have the same colour in all panels.
    pub name: &'a str,
    /// Its scores.
    pub values: &'a [f64],
}

/// One panel of a [`HistogramPlot`]: one score on each set.
#[derive(Clone, Copy, Debug)]
pub struct HistogramPanel<'a> {
    /// Name of the score or the model, above the panel; may be empty.
    pub name: &'a str,
    /// The overlaid sets; two or three are easy to read.
    pub sets: &'a [Scores<'a>],
}

/// Overlaid histograms, in one panel or several, 1200 pixels wide.
#[derive(Clone, Copy, Debug)]
pub struct HistogramPlot<'a> {
    /// A line at the top.
    pub title: &'a str,
    /// Name of the quantity along the horizontal axes, such as `score`.
    pub quantity: &'a str,
    /// The panels; at most 48, with at most 10 different names of sets.
    pub panels: &'a [HistogramPanel<'a>],
}

impl HistogramPlot<'_> {
    /// Draws the panels below a common legend. The sets of a panel share their bins, and each has
    /// an area of 1. The axis holds the central 98 % of every set and the values near them. Values
    /// outside count in the outermost bins, and their number stands below the axis.
    ///
    /// # Errors
    /// [`ReportError::NoSeries`], [`ReportError::TooManySeries`], [`ReportError::EmptySeries`], and
    /// [`ReportError::BadValue`] for NaN, infinite values and values beyond ±10³⁰.
    pub fn render(&self) -> Result<RgbImage, ReportError> {
        let sets = || self.panels.iter().flat_map(|panel| panel.sets);
        for panel in self.panels {
            for set in panel.sets {
                let name = format!("{} {}", panel.name, set.name);
                check_values(PLOT, name.trim(), set.values.iter().copied())?;
            }
        }
        let names = distinct(sets().map(|set| set.name));
        let counts = self.panels.iter().map(|panel| panel.sets.len());
        check_panels(PLOT, counts, names.len(), MAX_FILLS)?;
        let legend = names.iter().enumerate().map(|(index, name)| {
            let (colour, opacity) = (colour(index), OPACITY);
            Entry::new(name, Key::Fill { colour, opacity })
        });
        render_panels(
            self.title,
            legend.collect(),
            self.panels.len(),
            |area, number| self.draw_panel(area, &self.panels[number], &names),
        )
    }

    /// Like [`HistogramPlot::render`], into a PNG file.
    ///
    /// # Errors
    /// Those of [`HistogramPlot::render`], and [`ReportError::File`].
    pub fn save(&self, path: &Path) -> Result<(), ReportError> {
        png_file::save(&self.render()?, path)
    }

    fn draw_panel(
        &self,
        panel: &Canvas<'_>,
        HistogramPanel { name, sets }: &HistogramPanel<'_>,
        names: &[&str],
    ) -> Result<(), String> {
        draw_heading(panel, name)?;
        let bins = Bins::of(sets);
        let densities: Vec<Vec<f64>> = sets.iter().map(|set| bins.densities(set.values)).collect();
        let highest = densities.iter().flatten().fold(0.0f64, |a, &b| a.max(b));
        let beyond: usize = sets.iter().map(|set| bins.beyond(set.values)).sum();
        let room = panel.dim_in_pixel().0 as i32 - scaled(40);
        let quantity = match beyond {
            0 => self.quantity.to_owned(),
            1 => format!("{} (1 beyond, in the outermost bin)", self.quantity),
            _ => format!("{} ({beyond} beyond, in the outermost bins)", self.quantity),
        };
        let x_range = bins.start..bins.edge(bins.count);
        let number = |value| text_width(&tick_label(value, &x_range), scaled(14)) as i32;
        let widest = number(x_range.start).max(number(x_range.end)) + scaled(28);
        let between = panel.dim_in_pixel().0 as i32 - scaled(PANEL_MARGINS);
        let numbers = (between / widest).clamp(2, 10);
        let quantity = fitted(&quantity, scaled(15), room);
        let x = Axis::new(&quantity, x_range, tick_label).with_numbers(numbers as usize);
        let y = Axis::new("density", 0.0..1.05 * highest, tick_label);
        let area = draw_axes(panel, HEADING, x, y)?;
        let colour_of = |set: &Scores<'_>| colour(place_of(set.name, names));
        for (set, densities) in sets.iter().zip(&densities) {
            fill(&area, &bins, densities, colour_of(set))?;
        }
        for (set, densities) in sets.iter().zip(&densities) {
            for outline in bins.outlines(densities) {
                Pen::solid(colour_of(set), 1).plot(&area, &outline)?;
            }
        }
        Ok(())
    }
}

/// Bins of equal width, shared by the sets of a panel.
#[derive(Clone, Debug)]
struct Bins {
    start: f64,
    width: f64,
    count: usize,
}

impl Bins {
    fn of(sets: &[Scores<'_>]) -> Self {
        let values = sets.iter().map(|set| set.values);
        let range = robust_range(values, OUTLIERS).unwrap_or(0.0..1.0);
        let fewest = sets.iter().map(|set| set.values.len()).min();
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

    fn densities(&self, values: &[f64]) -> Vec<f64> {
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
    fn beyond(&self, values: &[f64]) -> usize {
        // Rounding can put the last edge slightly below the largest value.
        let slack = 1e-6 * self.width;
        let inside = self.start - slack..=self.edge(self.count) + slack;
        values.iter().filter(|v| !inside.contains(v)).count()
    }

    /// The outline of each group of adjacent bars, which starts and ends at the axis.
    fn outlines(&self, densities: &[f64]) -> Vec<Vec<Point>> {
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
fn fill(
    area: &PlottingArea<'_>,
    bins: &Bins,
    densities: &[f64],
    colour: RGBColor,
) -> Result<(), String> {
    let (left, top) = area.get_base_pixel();
    let canvas = area.strip_coord_spec();
    for (index, &density) in densities.iter().enumerate() {
        let (from, bottom) = area.map_coordinate(&(bins.edge(index), 0.0));
        let (to, upper) = area.map_coordinate(&(bins.edge(index + 1), density));
        for x in from..to {
            for y in upper..bottom {
                canvas
                    .draw_pixel((x - left, y - top), &colour.mix(OPACITY))
                    .map_err(text)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drawing::canvas::HEADER;
    use crate::drawing::panels::MAX_PANELS;

    fn scores<'a>(name: &'a str, values: &'a [f64]) -> Scores<'a> {
        Scores { name, values }
    }

    fn plot<'a>(panels: &'a [HistogramPanel<'a>]) -> HistogramPlot<'a> {
        HistogramPlot {
            title: "title",
            quantity: "score",
            panels,
        }
    }

    fn panel<'a>(sets: &'a [Scores<'a>]) -> HistogramPanel<'a> {
        HistogramPanel {
            name: "panel",
            sets,
        }
    }

    /// Sums of uniform numbers: bell-shaped around `middle`.
    fn bell(count: u64, middle: f64) -> Vec<f64> {
        let uniform = |n: u64| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 11) as f64 / 2f64.powi(53);
        let sum = |n: u64| {
            (0..6)
                .map(|k| uniform(6 * n + k + 1).mul_add(2.0, -1.0))
                .sum::<f64>()
        };
        (0..count).map(|n| middle + sum(n)).collect()
    }

    /// Columns below the legend in which the fill of one set stands alone on white.
    fn columns(picture: &RgbImage, index: usize) -> Vec<u32> {
        let part = |channel: u8| {
            let mixed = f64::from(channel) * OPACITY + 255.0 * (1.0 - OPACITY);
            mixed.round() as u8
        };
        let colour = colour(index);
        let wanted = [colour.0, colour.1, colour.2].map(part);
        let close =
            |pixel: &image::Rgb<u8>| pixel.0.iter().zip(wanted).all(|(a, b)| a.abs_diff(b) <= 3);
        (0..picture.width())
            .filter(|&x| (HEADER + 40..picture.height()).any(|y| close(picture.get_pixel(x, y))))
            .collect()
    }

    #[test]
    fn every_set_has_an_area_of_one() {
        let (mut many, few) = (bell(2000, 0.0), vec![2.0, 2.5, 2.5]);
        many[3] = 1e6;
        many[4] = -1e6;
        let bins = Bins::of(&[scores("a", &many), scores("b", &few)]);
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
        assert!(bins.edge(bins.count) < 10.0 && bins.start > -10.0);
    }

    #[test]
    fn bins_follow_the_number_of_values() {
        let count = |values: &[f64]| Bins::of(&[scores("", values)]).count;
        assert_eq!(count(&[1.0]), 10);
        assert_eq!(count(&bell(1000, 0.0)), 40);
        assert_eq!(count(&bell(100_000, 0.0)), 80);
    }

    #[test]
    fn sets_are_filled_where_their_values_are() {
        let (left, right) = (bell(2000, -8.0), bell(2000, 8.0));
        let sets = [scores("left", &left), scores("right", &right)];
        let picture = plot(&[panel(&sets)]).render().unwrap();
        let (left, right) = (columns(&picture, 0), columns(&picture, 1));
        assert!(left.len() > 150 && right.len() > 150);
        // The axis runs from 106 to 1174.
        assert!(left.iter().all(|x| (106..640).contains(x)));
        assert!(right.iter().all(|x| (640..1175).contains(x)));
        // Two sets in the same place overlap completely, so neither stands alone.
        let both = bell(2000, 0.0);
        let sets = [scores("left", &both), scores("right", &both)];
        let picture = plot(&[panel(&sets)]).render().unwrap();
        assert!(columns(&picture, 0).is_empty() && columns(&picture, 1).is_empty());
    }

    #[test]
    fn an_outlier_does_not_flatten_the_rest() {
        let mut values = bell(2000, 0.0);
        let plain = values.clone();
        values[7] = 1e9;
        let sets = [scores("a", &values)];
        let picture = plot(&[panel(&sets)]).render().unwrap();
        assert!(columns(&picture, 0).len() > 500);
        // The number of outliers stands below the axis. Without it, the label only names the score.
        let sets = [scores("a", &plain)];
        let without = plot(&[panel(&sets)]).render().unwrap();
        let dark = |picture: &RgbImage| {
            let name = picture.height() - 30..picture.height();
            let pixels = picture.enumerate_pixels();
            pixels
                .filter(|(_, y, pixel)| name.contains(y) && pixel.0[0] < 200)
                .count()
        };
        assert!(dark(&picture) > 3 * dark(&without));
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

    #[test]
    fn nothing_odd_panics() {
        let odd: [&[f64]; 9] = [
            &[0.0],
            &[5.0; 100],
            &[0.0, 1.0],
            &[1e30, -1e30],
            &[1e30; 3],
            &[1e-320, 5e-324, 0.0],
            &[1e30, 1e30 * (1.0 - 1e-15)],
            &[1.0, 1.0 + 1e-7, 1.0 + 3e-7],
            &[0.0, 0.0, 0.0, 1e-30],
        ];
        let name = "\u{3bb}\n a name without an end ".repeat(20);
        for one in odd {
            let sets: Vec<_> = odd
                .iter()
                .map(|other| [scores(&name, one), scores("", other)])
                .collect();
            let panels = sets.iter().map(|sets| HistogramPanel { name: &name, sets });
            let panels: Vec<_> = panels.collect();
            let plot = HistogramPlot {
                title: &name,
                quantity: &name,
                panels: &panels,
            };
            assert_eq!(plot.render().unwrap().width(), 1200);
        }
        let sets = [scores("a", &[0.0, 1.0])];
        let most = vec![panel(&sets); MAX_PANELS];
        plot(&most).render().unwrap();
        let few = plot(&most[..2]);
        assert_eq!(few.render().unwrap(), few.render().unwrap());
    }

    #[test]
    fn none_broken_and_too_many_are_refused() {
        let message = |panels: &[HistogramPanel<'_>]| {
            let error = plot(panels).render().unwrap_err();
            error.to_string()
        };
        let broken = message(&[panel(&[scores("a", &[1.0]), scores("b", &[1.0, f64::NAN])])]);
        assert!(broken.contains("value 1 of `panel b` is NaN"), "{broken}");
        assert!(message(&[panel(&[scores("c", &[])])]).contains("`panel c` is empty"));
        assert!(message(&[]).contains("no series given"));
        assert!(message(&[panel(&[])]).contains("no series given"));
        let names: Vec<String> = (0..=MAX_FILLS).map(|n| n.to_string()).collect();
        let sets: Vec<_> = names.iter().map(|name| scores(name, &[0.0])).collect();
        assert!(message(&[panel(&sets)]).contains("11 series are too many"));
        plot(&[panel(&sets[1..])]).render().unwrap();
        let many = vec![panel(&sets[..1]); MAX_PANELS + 1];
        assert!(message(&many).contains("49 panels are too many"));
    }
}
