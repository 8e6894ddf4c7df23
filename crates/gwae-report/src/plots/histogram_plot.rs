//! Histograms of scores on several sets of images, each beside the same reference.

use std::path::Path;

use image::RgbImage;
use plotters::prelude::*;

use crate::drawing::axes::{Axis, HEADING, MARGIN_RIGHT, NUMBERS_LEFT, draw_axes};
use crate::drawing::bins::{Bins, fill_bars};
use crate::drawing::canvas::{
    Canvas, HEADER, MARGIN, TEXT, WIDTH, draw_smooth_picture, draw_title, left_of, scaled, text,
};
use crate::drawing::checks::{check_count, check_values};
use crate::drawing::font::text_width;
use crate::drawing::labels::{fitted, tick_label};
use crate::drawing::legend::{Entry, Key, Row};
use crate::drawing::lines::Pen;
use crate::drawing::palette::colour;
use crate::error::ReportError;
use crate::png_file;

const PLOT: &str = "histogram";

/// Most panels side by side.
const COLUMNS: usize = 4;

/// Largest number of panels in one picture.
const MOST_PANELS: usize = 160;

/// Height of the strip with the name of a row, and of a panel.
const ROW_NAME: u32 = 34;
const PANEL: u32 = 190;

/// Opacity of the fill of a set, and of the reference, from 0 to 1.
const OPACITY: f64 = 0.38;
const FAINT: f64 = 0.45;

/// Colour of the reference.
const REFERENCE: RGBColor = RGBColor(150, 150, 150);

/// The scores of one set of images.
#[derive(Clone, Copy, Debug)]
pub struct Scores<'a> {
    /// Name above the panel, or of the reference in the legend.
    pub name: &'a str,
    /// Its scores.
    pub values: &'a [f64],
}

/// A row of a [`HistogramPlot`]: one score on each set.
#[derive(Clone, Copy, Debug)]
pub struct HistogramRow<'a> {
    /// Name of the score, above the row.
    pub name: &'a str,
    /// The set that is drawn faintly in every panel, such as the images like the training images.
    pub reference: Scores<'a>,
    /// The sets, one panel each.
    pub sets: &'a [Scores<'a>],
}

/// Histograms as many small panels, 1200 pixels wide: a row for each score, in it a panel for each
/// set, beside the same reference.
#[derive(Clone, Copy, Debug)]
pub struct HistogramPlot<'a> {
    /// A line at the top.
    pub title: &'a str,
    /// The rows; at most 160 panels in all.
    pub rows: &'a [HistogramRow<'a>],
}

impl HistogramPlot<'_> {
    /// Draws the rows below a legend. The panels of a row have the same axes and bins, and each set
    /// has an area of 1. The axis holds the central 98 % of every set and the values near them.
    /// Values outside count in the outermost bins, and their number stands below the axis.
    ///
    /// # Errors
    /// [`ReportError::NoSeries`], [`ReportError::TooManySeries`], [`ReportError::EmptySeries`], and
    /// [`ReportError::BadValue`] for NaN, infinite values and values beyond ±10³⁰.
    pub fn render(&self) -> Result<RgbImage, ReportError> {
        if self.rows.is_empty() || self.rows.iter().any(|row| row.sets.is_empty()) {
            return Err(ReportError::NoSeries { plot: PLOT });
        }
        let panels = self.rows.iter().map(|row| row.sets.len()).sum();
        check_count(PLOT, "panels", panels, MOST_PANELS)?;
        for row in self.rows {
            for set in row.sets.iter().chain([&row.reference]) {
                let name = format!("{} {}", row.name, set.name);
                check_values(PLOT, name.trim(), set.values.iter().copied())?;
            }
        }
        let reference = self.rows[0].reference.name;
        let fill = |colour, opacity| Key::Fill { colour, opacity };
        let legend = vec![
            Entry::new(
                "the set above each panel, as a density",
                fill(colour(0), OPACITY),
            ),
            Entry::new(reference, fill(REFERENCE, FAINT)),
        ];
        let legend = Row::new(legend, WIDTH);
        let heights = self.rows.iter().map(|row| ROW_NAME + lines(row) * PANEL);
        let height = HEADER + legend.height() + heights.sum::<u32>();
        draw_smooth_picture((WIDTH, height), |canvas| {
            let (title, rest) = canvas.split_vertically(scaled(HEADER));
            draw_title(&title, self.title)?;
            let (above, mut rest) = rest.split_vertically(scaled(legend.height()));
            legend.draw(&above)?;
            for row in self.rows {
                let (heading, below) = rest.split_vertically(scaled(ROW_NAME));
                let (panels, next) = below.split_vertically(scaled(lines(row) * PANEL));
                draw_row_name(&heading, row.name)?;
                draw_row(&panels, row)?;
                rest = next;
            }
            Ok(())
        })
    }

    /// Like [`HistogramPlot::render`], into a PNG file.
    ///
    /// # Errors
    /// Those of [`HistogramPlot::render`], and [`ReportError::File`].
    pub fn save(&self, path: &Path) -> Result<(), ReportError> {
        png_file::save(&self.render()?, path)
    }
}

/// Number of lines of panels in a row.
fn lines(row: &HistogramRow<'_>) -> u32 {
    row.sets.len().div_ceil(COLUMNS) as u32
}

fn draw_row_name(area: &Canvas<'_>, name: &str) -> Result<(), String> {
    let room = area.dim_in_pixel().0 as i32 - 2 * scaled(MARGIN);
    let name = fitted(name, scaled(18), room);
    let place = (scaled(MARGIN), scaled(ROW_NAME) / 2);
    area.draw_text(&name, &left_of(18, TEXT), place)
        .map_err(text)
}

fn draw_row(area: &Canvas<'_>, row: &HistogramRow<'_>) -> Result<(), String> {
    let all = || row.sets.iter().chain([&row.reference]);
    let bins = Bins::of(&all().map(|set| set.values).collect::<Vec<_>>());
    let reference = bins.densities(row.reference.values);
    let of_sets = row.sets.iter().map(|set| bins.densities(set.values));
    let of_sets: Vec<Vec<f64>> = of_sets.collect();
    let densities = of_sets.iter().chain([&reference]).flatten();
    let highest = densities.fold(0.0f64, |a, &b| a.max(b));
    let all_inside = row.sets.iter().all(|set| bins.beyond(set.values) == 0);
    let lines = lines(row) as usize;
    // Panels of a last line that is not full would otherwise be few and wide.
    let areas = area.split_evenly((lines, row.sets.len().div_ceil(lines)));
    for ((set, densities), panel) in row.sets.iter().zip(&of_sets).zip(&areas) {
        let beyond = bins.beyond(set.values);
        let note = match beyond {
            0 if all_inside => "",
            // The same room below all panels of the row.
            0 => " ",
            1 => "1 beyond, in the outermost bin",
            _ => &format!("{beyond} beyond, in the outermost bins"),
        };
        draw_panel(
            panel,
            &bins,
            (set.name, densities, note),
            &reference,
            highest,
        )?;
    }
    Ok(())
}

fn draw_panel(
    panel: &Canvas<'_>,
    bins: &Bins,
    (name, densities, note): (&str, &[f64], &str),
    reference: &[f64],
    highest: f64,
) -> Result<(), String> {
    let left = scaled(MARGIN + NUMBERS_LEFT);
    let between = panel.dim_in_pixel().0 as i32 - left - scaled(MARGIN_RIGHT);
    let heading = fitted(name, scaled(16), between);
    panel
        .draw_text(&heading, &left_of(16, TEXT), (left, scaled(HEADING) / 2))
        .map_err(text)?;
    let below = fitted(note, scaled(15), between);
    let range = bins.range();
    let number = |value| text_width(&tick_label(value, &range), scaled(14)) as i32;
    let widest = number(range.start).max(number(range.end)) + scaled(28);
    let x = Axis::new(&below, range.clone(), tick_label);
    let x = x.with_numbers((between / widest).clamp(2, 10) as usize);
    let y = Axis::new("", 0.0..1.05 * highest, tick_label).with_numbers(4);
    let area = draw_axes(panel, HEADING, x, y)?;
    fill_bars(&area, bins, reference, (REFERENCE, FAINT))?;
    fill_bars(&area, bins, densities, (colour(0), OPACITY))?;
    for outline in bins.outlines(densities) {
        Pen::solid(colour(0), 1).plot(&area, &outline)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores<'a>(name: &'a str, values: &'a [f64]) -> Scores<'a> {
        Scores { name, values }
    }

    fn row<'a>(reference: &'a [f64], sets: &'a [Scores<'a>]) -> HistogramRow<'a> {
        HistogramRow {
            name: "score",
            reference: scores("inside", reference),
            sets,
        }
    }

    fn render(rows: &[HistogramRow<'_>]) -> Result<RgbImage, ReportError> {
        let title = "title";
        HistogramPlot { title, rows }.render()
    }

    /// Evenly spread values around `middle`.
    fn around(middle: f64) -> Vec<f64> {
        (0..500)
            .map(|n| middle + f64::from(n) / 250.0 - 1.0)
            .collect()
    }

    /// Columns from `from` to `to` in which, just above the lowest axis, a fill stands alone on
    /// white.
    fn columns(picture: &RgbImage, (from, to): (u32, u32), fill: (RGBColor, f64)) -> Vec<u32> {
        let (RGBColor(r, g, b), opacity) = fill;
        let mixed = |part: u8| f64::from(part).mul_add(opacity, 255.0 * (1.0 - opacity));
        let wanted = [r, g, b].map(|part| mixed(part).round() as u8);
        let close =
            |pixel: &image::Rgb<u8>| pixel.0.iter().zip(wanted).all(|(a, b)| a.abs_diff(b) <= 3);
        (from..to)
            .filter(|&x| {
                (picture.height() - 60..picture.height() - 40)
                    .any(|y| close(picture.get_pixel(x, y)))
            })
            .collect()
    }

    #[test]
    fn every_panel_has_its_set_and_the_reference_on_the_same_axis() {
        let (inside, near, far) = (around(0.0), around(10.0), around(20.0));
        let sets = [scores("near", &near), scores("far", &far)];
        let picture = render(&[row(&inside, &sets)]).unwrap();
        assert_eq!(picture.width(), 1200);
        let of = |panel: u32, fill| -> (u32, u32) {
            let columns = columns(&picture, (600 * panel, 600 * (panel + 1)), fill);
            (
                columns[0] - 600 * panel,
                columns[columns.len() - 1] - 600 * panel,
            )
        };
        let (set, reference) = ((colour(0), OPACITY), (REFERENCE, FAINT));
        let (references, sets) = ([0, 1].map(|p| of(p, reference)), [0, 1].map(|p| of(p, set)));
        // The axes run from 84 to 574, over −1 to 21.
        let place = |value: f64| 84.0 + (value + 1.0) / 22.0 * 490.0;
        for (found, middle) in [
            (references[0], 0.0),
            (references[1], 0.0),
            (sets[0], 10.0),
            (sets[1], 20.0),
        ] {
            assert!(
                (f64::from(found.0) - place(middle - 1.0)).abs() < 25.0,
                "{found:?}"
            );
            assert!(
                (f64::from(found.1) - place(middle + 1.0)).abs() < 25.0,
                "{found:?}"
            );
        }
    }

    #[test]
    fn many_sets_fill_several_lines() {
        let values = around(0.0);
        let sets = [scores("a", &values); 5];
        let height = |sets: &[Scores<'_>]| render(&[row(&values, sets)]).unwrap().height();
        assert_eq!(height(&sets[..4]), height(&sets[..1]));
        assert_eq!(height(&sets), height(&sets[..1]) + PANEL);
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
        let sets = odd.map(|values| scores(&name, values));
        let rows = odd.map(|values| HistogramRow {
            name: &name,
            reference: scores(&name, values),
            sets: &sets,
        });
        let plot = HistogramPlot {
            title: &name,
            rows: &rows,
        };
        assert_eq!(plot.render().unwrap().width(), 1200);
        let few = &rows[..1];
        assert_eq!(render(few).unwrap(), render(few).unwrap());
    }

    #[test]
    fn none_broken_and_too_many_are_refused() {
        let message = |rows: &[HistogramRow<'_>]| render(rows).unwrap_err().to_string();
        let broken = message(&[row(&[1.0], &[scores("b", &[1.0, f64::NAN])])]);
        assert!(broken.contains("value 1 of `score b` is NaN"), "{broken}");
        let empty = message(&[row(&[], &[scores("b", &[1.0])])]);
        assert!(empty.contains("`score inside` is empty"), "{empty}");
        assert!(message(&[]).contains("no series given"));
        assert!(message(&[row(&[1.0], &[])]).contains("no series given"));
        let sets = [scores("a", &[1.0]); 100];
        let many = [row(&[1.0], &sets); 2];
        assert!(message(&many).contains("200 panels are too many"));
    }
}
