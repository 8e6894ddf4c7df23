//! Several quantities over training in one panel, such as the area under the ROC curve of each score.

use std::ops::Range;
use std::path::Path;

use image::RgbImage;

use crate::drawing::axes::{Axis, HEADING, draw_axes, draw_dots, draw_heading};
use crate::drawing::canvas::{AXIS, Canvas};
use crate::drawing::checks::{check_panels, check_values};
use crate::drawing::labels::{step_label, tick_label};
use crate::drawing::legend::{Entry, Key, distinct, place_of};
use crate::drawing::lines::Pen;
use crate::drawing::palette::{MAX_LINES, colour, pen};
use crate::drawing::panels::render_panels;
use crate::drawing::series::{Point, padded_range, thin};
use crate::error::ReportError;
use crate::png_file;

const PLOT: &str = "line plot";

/// Lines with at most this number of points show each point as a dot.
const MARKED: usize = 40;

/// One quantity over training.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// Name in the legend. Lines with the same name have the same colour in all panels.
    pub name: &'a str,
    /// Training step and value, steps ascending.
    pub points: &'a [(u64, f64)],
}

/// One panel of a [`LinePlot`].
#[derive(Clone, Copy, Debug)]
pub struct LinePanel<'a> {
    /// Heading of the panel; may be empty.
    pub name: &'a str,
    /// Its lines.
    pub lines: &'a [Line<'a>],
}

/// Lines over common axes, in one panel or several, 1200 pixels wide.
#[derive(Clone, Copy, Debug)]
pub struct LinePlot<'a> {
    /// A line at the top.
    pub title: &'a str,
    /// Name of the measured quantity, beside the vertical axis.
    pub quantity: &'a str,
    /// Least range of the vertical axis; `None` uses the range of the lines.
    pub range: Option<(f64, f64)>,
    /// Value and name of a dashed horizontal line, such as `(0.5, "chance")`.
    pub reference: Option<(f64, &'a str)>,
    /// The panels; at most 48, with at most 20 different names of lines.
    pub panels: &'a [LinePanel<'a>],
}

impl LinePlot<'_> {
    /// Draws the panels below a common legend. Lines of up to 40 points show each point as a dot.
    ///
    /// # Errors
    /// [`ReportError::NoSeries`], [`ReportError::TooManySeries`], [`ReportError::EmptySeries`], and
    /// [`ReportError::BadValue`] for NaN, infinite values and values beyond ±10³⁰.
    pub fn render(&self) -> Result<RgbImage, ReportError> {
        let lines = || self.panels.iter().flat_map(|panel| panel.lines);
        for line in lines() {
            check_values(PLOT, line.name, line.points.iter().map(|point| point.1))?;
        }
        let names = distinct(lines().map(|line| line.name));
        let counts = self.panels.iter().map(|panel| panel.lines.len());
        check_panels(PLOT, counts, names.len(), MAX_LINES)?;
        let ends = self.range.map(|range| [range.0, range.1]);
        let reference = self.reference.map(|reference| reference.0);
        let asked = ends.into_iter().flatten().chain(reference);
        let asked: Vec<f64> = asked.collect();
        if !asked.is_empty() {
            check_values(PLOT, "range and reference", asked.iter().copied())?;
        }
        let points = || lines().flat_map(|line| line.points);
        let steps = padded_range(points().map(|point| point.0 as f64), 0.0);
        let values = points().map(|point| point.1);
        let values = padded_range(values.chain(asked), 0.04);
        let ranges = (steps.unwrap_or(0.0..1.0), values.unwrap_or(0.0..1.0));

        let legend = self.legend(&names);
        render_panels(self.title, legend, self.panels.len(), |area, number| {
            self.draw_panel(area, &self.panels[number], &names, ranges.clone())
        })
    }

    /// Like [`LinePlot::render`], into a PNG file.
    ///
    /// # Errors
    /// Those of [`LinePlot::render`], and [`ReportError::File`].
    pub fn save(&self, path: &Path) -> Result<(), ReportError> {
        png_file::save(&self.render()?, path)
    }

    fn legend(&self, names: &[&str]) -> Vec<Entry> {
        let lines = names.iter().enumerate();
        let lines = lines.map(|(index, name)| (*name, pen(index)));
        let reference = self.reference.map(|(_, name)| (name, Pen::dashed(AXIS, 2)));
        let entries = lines.chain(reference);
        entries
            .map(|(name, pen)| Entry::new(name, Key::Line { pen }))
            .collect()
    }

    fn draw_panel(
        &self,
        panel: &Canvas<'_>,
        LinePanel { name, lines }: &LinePanel<'_>,
        names: &[&str],
        (steps, values): (Range<f64>, Range<f64>),
    ) -> Result<(), String> {
        draw_heading(panel, name)?;
        let x = Axis::new("step", steps.clone(), |step, _| step_label(step));
        let y = Axis::new(self.quantity, values, tick_label);
        let area = draw_axes(panel, HEADING, x, y)?;
        if let Some((value, _)) = self.reference {
            let ends = [(steps.start, value), (steps.end, value)];
            Pen::dashed(AXIS, 2).plot(&area, &ends)?;
        }
        for line in *lines {
            let index = place_of(line.name, names);
            let points = line.points.iter();
            let points: Vec<Point> = points.map(|&(step, value)| (step as f64, value)).collect();
            let points = thin(&points);
            pen(index).plot(&area, &points)?;
            if points.len() <= MARKED {
                draw_dots(&area, &points, colour(index))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plotters::prelude::*;

    use crate::drawing::canvas::HEADER;
    use crate::drawing::panels::MAX_PANELS;

    fn plot<'a>(panels: &'a [LinePanel<'a>]) -> LinePlot<'a> {
        LinePlot {
            title: "title",
            quantity: "AUC",
            range: Some((0.0, 1.0)),
            reference: Some((0.5, "chance")),
            panels,
        }
    }

    fn panel<'a>(lines: &'a [Line<'a>]) -> LinePanel<'a> {
        LinePanel {
            name: "panel",
            lines,
        }
    }

    fn line<'a>(name: &'a str, points: &'a [(u64, f64)]) -> Line<'a> {
        Line { name, points }
    }

    /// Rows of the pixels of this colour in column `x`, below the legend.
    fn rows(picture: &RgbImage, x: u32, colour: RGBColor) -> Vec<u32> {
        let wanted = [colour.0, colour.1, colour.2];
        (HEADER + 32..picture.height())
            .filter(|&y| picture.get_pixel(x, y).0 == wanted)
            .collect()
    }

    #[test]
    fn lines_are_where_the_values_say() {
        let (upper, lower) = ([(0, 0.8), (1000, 0.8)], [(0, 0.1), (1000, 0.1)]);
        let lines = [line("upper", &upper), line("lower", &lower)];
        let picture = plot(&[panel(&lines)]).render().unwrap();
        let middle = |index: usize| {
            let rows = rows(&picture, 500, colour(index));
            assert!(!rows.is_empty() && rows.len() <= 3, "{rows:?}");
            f64::from(rows[0] + rows[rows.len() - 1]) / 2.0
        };
        // The axis shows 0 to 1 plus 4 % at each end, over 296 of the panel's 380 pixels.
        let per_unit = (middle(1) - middle(0)) / 0.7;
        let height = f64::from(380 - HEADING - 44 - 8);
        assert!((per_unit - height / 1.08).abs() < 4.0, "{per_unit}");
        // The dashed line at 0.5 lies between.
        let expected = middle(1) - 0.4 * per_unit;
        let dashes = (200..1000).flat_map(|x| rows(&picture, x, AXIS));
        let dashes: Vec<u32> = dashes.filter(|y| f64::from(*y) < middle(1)).collect();
        assert!(dashes.len() > 300);
        assert!(
            dashes
                .iter()
                .all(|&y| (f64::from(y) - expected).abs() < 2.5)
        );
    }

    #[test]
    fn a_name_has_one_colour_in_all_panels() {
        let points = [(0, 0.7), (1000, 0.7)];
        let first = [line("a", &points), line("b", &[(0, 0.2), (1000, 0.2)])];
        let second = [line("b", &points)];
        let picture = plot(&[panel(&first), panel(&second)]).render().unwrap();
        assert!(!rows(&picture, 300, colour(0)).is_empty());
        assert!(!rows(&picture, 300, colour(1)).is_empty());
        assert!(rows(&picture, 900, colour(0)).is_empty());
        assert!(!rows(&picture, 900, colour(1)).is_empty());
    }

    #[test]
    fn ranges_hold_what_is_asked_and_what_is_there() {
        // A line outside the requested range widens it.
        let points = [(0, 3.0), (1000, 3.0)];
        let lines = [line("a", &points)];
        let panels = [panel(&lines)];
        let picture = plot(&panels).render().unwrap();
        assert!(!rows(&picture, 500, colour(0)).is_empty());
        let free = LinePlot {
            range: None,
            reference: None,
            ..plot(&panels)
        };
        assert_ne!(free.render().unwrap(), picture);
    }

    #[test]
    fn nothing_odd_panics() {
        let odd: [&[(u64, f64)]; 7] = [
            &[(5, 1.0)],
            &[(0, 0.0), (1, 0.0)],
            &[(u64::MAX, 1e30), (u64::MAX, -1e30)],
            &[(3, 1e-320), (2, 5e-324), (1, f64::MIN_POSITIVE)],
            &[(0, 1e30), (1, 1e30 * (1.0 - 1e-15))],
            &[(9, 0.3), (1, 0.4), (9, 0.5)],
            &[(0, -1e-9), (u64::MAX, 123_456_789.25)],
        ];
        let name = "\u{3bb}\n a name without an end ".repeat(20);
        for points in odd {
            for range in [None, Some((0.0, 1.0)), Some((1.0, 0.0)), Some((0.0, 0.0))] {
                let lines = [line(&name, points), line("", points)];
                let named = LinePanel {
                    name: &name,
                    lines: &lines,
                };
                let panels = [panel(&lines), named];
                let plot = LinePlot {
                    title: &name,
                    quantity: &name,
                    range,
                    ..plot(&panels)
                };
                let picture = plot.render().unwrap();
                assert_eq!(picture.width(), 1200);
            }
        }
        let points = [(0, 0.5), (1000, 0.7)];
        let lines = [line("a", &points)];
        let most = vec![panel(&lines); MAX_PANELS];
        plot(&most).render().unwrap();
        let few = plot(&most[..2]);
        assert_eq!(few.render().unwrap(), few.render().unwrap());
    }

    #[test]
    fn none_broken_and_too_many_are_refused() {
        let points = [(0, 0.5), (10, f64::NAN)];
        let message = |panels: &[LinePanel<'_>]| plot(panels).render().unwrap_err().to_string();
        let broken = message(&[panel(&[line("a", &points[..1]), line("b", &points)])]);
        assert!(broken.contains("value 1 of `b` is NaN"), "{broken}");
        assert!(message(&[panel(&[line("c", &[])])]).contains("`c` is empty"));
        assert!(message(&[]).contains("no series given"));
        assert!(message(&[panel(&[])]).contains("no series given"));
        let names: Vec<String> = (0..=MAX_LINES).map(|n| n.to_string()).collect();
        let lines: Vec<_> = names.iter().map(|name| line(name, &points[..1])).collect();
        assert!(message(&[panel(&lines)]).contains("21 series are too many"));
        plot(&[panel(&lines[1..])]).render().unwrap();
        let many = vec![panel(&lines[1..]); MAX_PANELS + 1];
        assert!(message(&many).contains("49 panels are too many"));
        let reference = LinePlot {
            reference: Some((f64::INFINITY, "")),
            ..plot(&many[..1])
        };
        let error = reference.render().unwrap_err().to_string();
        assert!(error.contains("`range and reference` is inf"), "{error}");
    }
}
