//! Loss curves, with one panel per loss because losses have very different scales.

use std::ops::Range;
use std::path::Path;

use image::RgbImage;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::drawing::axes::{Axis, HEADING, NUMBERS_LEFT, draw_axes, draw_dots};
use crate::drawing::canvas::{
    Canvas, HEADER, MARGIN, SOFT_TEXT, TEXT, WIDTH, draw_smooth_picture, font, header_middle,
    left_of, scaled, stroke, text,
};
use crate::drawing::checks::check_panels;
use crate::drawing::labels::{printable, step_label, value_label};
use crate::drawing::panels::{draw_panels, panels_size};
use crate::drawing::series::{
    Point, SMOOTHED_FROM, central_range, drawable, held, padded_range, running_mean, runs, sampled,
    thin,
};
use crate::error::ReportError;
use crate::png_file;

/// Share of single steps at each end of the scale that are limited to the quantile.
const OUTLIERS: f64 = 0.01;

const TRAIN: RGBColor = RGBColor(31, 105, 180);
const TRAIN_STEPS: RGBColor = RGBColor(186, 209, 234);
const NOTE: RGBColor = RGBColor(180, 30, 50);
const VALIDATION: RGBColor = RGBColor(217, 95, 2);

/// One loss over training. Points that are NaN, infinite or beyond ±10³⁰ leave a gap, and the
/// panel's heading counts them.
#[derive(Clone, Copy, Debug)]
pub struct Curve<'a> {
    /// Name of the loss, such as `reconstruction`.
    pub name: &'a str,
    /// Training step and value, steps ascending; may be empty.
    pub train: &'a [(u64, f64)],
    /// Training step and value on the validation part; may be empty.
    pub validation: &'a [(u64, f64)],
}

/// Draws one panel per curve over a common axis of training steps, 1200 pixels wide. With 100 or
/// more training points, the single steps are drawn faintly behind their running mean. The
/// outermost 1 % of them at each end are then limited to the quantile, also in the mean. So a spike
/// does not flatten the rest.
///
/// # Errors
/// [`ReportError::NoSeries`], [`ReportError::TooManySeries`].
pub fn render_curves(title: &str, curves: &[Curve<'_>]) -> Result<RgbImage, ReportError> {
    let counts = curves.iter().map(|_| 1);
    check_panels("curves", counts, 1, 1)?;
    draw_smooth_picture(panels_size(HEADER, curves.len()), |canvas| {
        draw(canvas, title, curves)
    })
}

/// Like [`render_curves`], into a PNG file.
///
/// # Errors
/// Those of [`render_curves`], and [`ReportError::File`].
pub fn save_curves(title: &str, curves: &[Curve<'_>], path: &Path) -> Result<(), ReportError> {
    png_file::save(&render_curves(title, curves)?, path)
}

fn draw(canvas: &Canvas<'_>, title: &str, curves: &[Curve<'_>]) -> Result<(), String> {
    let smoothed = curves.iter().any(|c| c.train.len() >= SMOOTHED_FROM);
    let steps = curves
        .iter()
        .flat_map(|curve| curve.train.iter().chain(curve.validation))
        .map(|&(step, _)| step as f64);
    let steps = padded_range(steps, 0.0).unwrap_or(0.0..1.0);
    let header = |area: &Canvas<'_>| draw_header(area, title, smoothed);
    draw_panels(canvas, HEADER, curves.len(), header, |panel, number| {
        draw_panel(panel, &curves[number], steps.clone())
    })
}

fn draw_header(area: &Canvas<'_>, title: &str, smoothed: bool) -> Result<(), String> {
    let middle = header_middle();
    let place = (scaled(MARGIN), middle);
    area.draw_text(&printable(title, 60), &left_of(22, TEXT), place)
        .map_err(text)?;

    let train = if smoothed {
        "train (running mean, single steps behind)"
    } else {
        "train"
    };
    let style = left_of(16, TEXT);
    let mut right = scaled(WIDTH - MARGIN);
    for (name, colour, marker) in [("validation", VALIDATION, true), (train, TRAIN, false)] {
        let (name_width, _) = area.estimate_text_size(name, &style).map_err(text)?;
        let left = right - name_width as i32;
        area.draw_text(name, &style, (left, middle)).map_err(text)?;
        let line = vec![(left - scaled(36), middle), (left - scaled(8), middle)];
        area.draw(&PathElement::new(line, stroke(colour, 2)))
            .map_err(text)?;
        if marker {
            let dot = Circle::new((left - scaled(22), middle), scaled(4), colour.filled());
            area.draw(&dot).map_err(text)?;
        }
        right = left - scaled(36 + 24);
    }
    Ok(())
}

fn draw_panel(panel: &Canvas<'_>, curve: &Curve<'_>, steps: Range<f64>) -> Result<(), String> {
    let (train, validation) = (runs(curve.train), runs(curve.validation));
    let smoothed = curve.train.len() >= SMOOTHED_FROM;
    let singles = train.iter().flatten().map(|point| point.1).collect();
    // Infinite bounds for a series that has no points.
    let bounds = central_range(singles, OUTLIERS).unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
    let train: Vec<Vec<Point>> = train.iter().map(|run| held(run, bounds)).collect();
    let means: Vec<Vec<Point>> = if smoothed {
        train
            .iter()
            .map(|run| sampled(&running_mean(run, curve.train.len())))
            .collect()
    } else {
        train.clone()
    };
    let values = train.iter().chain(&validation).flatten();
    let values = values.map(|point| point.1);
    let range = padded_range(values, 0.06);
    let empty = range.is_none();
    let range = range.unwrap_or(0.0..1.0);

    let heading = left_of(17, TEXT);
    let left = scaled(MARGIN + NUMBERS_LEFT);
    let name = printable(curve.name, 32);
    panel
        .draw_text(&name, &heading, (left, scaled(16)))
        .map_err(text)?;
    let skipped = curve
        .train
        .iter()
        .chain(curve.validation)
        .filter(|point| !drawable(point.1))
        .count();
    if skipped > 0 {
        let (name_width, _) = panel.estimate_text_size(&name, &heading).map_err(text)?;
        let note = left_of(14, NOTE);
        let place = (left + name_width as i32 + scaled(14), scaled(16));
        panel
            .draw_text(&format!("{skipped} not finite"), &note, place)
            .map_err(text)?;
    }

    let x = Axis::new("step", steps, |step, _| step_label(step));
    let y = Axis::new("", range, |value, _| value_label(value));
    let area = draw_axes(panel, HEADING, x, y)?;
    if empty {
        let (width, height) = area.dim_in_pixel();
        let style = font(16, SOFT_TEXT).pos(Pos::new(HPos::Center, VPos::Center));
        let place = (width as i32 / 2, height as i32 / 2);
        return area
            .strip_coord_spec()
            .draw_text("nothing to draw", &style, place)
            .map_err(text);
    }
    let layers = [
        (&train, TRAIN_STEPS, 1, smoothed),
        (&means, TRAIN, 2, true),
        (&validation, VALIDATION, 2, true),
    ];
    for (runs, colour, thickness, visible) in layers {
        for run in runs.iter().filter(|_| visible) {
            let points = thin(run);
            if points.len() == 1 || (colour == VALIDATION && points.len() <= 40) {
                draw_dots(&area, &points, colour)?;
            }
            // Segment by segment: the library mitres the corners of a whole path, so sharp corners
            // would extend far beyond the panel.
            for segment in points.windows(2) {
                let line = PathElement::new(segment.to_vec(), stroke(colour, thickness));
                area.draw(&line).map_err(text)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drawing::panels::MAX_PANELS;

    fn series(count: u64, value: impl Fn(u64) -> f64) -> Vec<(u64, f64)> {
        (0..count).map(|n| (n, value(n))).collect()
    }

    fn count(picture: &RgbImage, colour: RGBColor) -> usize {
        let wanted = image::Rgb([colour.0, colour.1, colour.2]);
        picture.pixels().filter(|&&pixel| pixel == wanted).count()
    }

    #[test]
    fn draws_both_series_and_labels_in_every_panel() {
        let train = series(50, |n| 10.0 / (n + 1) as f64);
        let validation = vec![(10, 2.0), (30, 1.0), (49, 0.5)];
        let curve = |name| Curve {
            name,
            train: &train,
            validation: &validation,
        };
        for (panels, height) in [(1, 436), (2, 436), (3, 346), (4, 816), (7, 926)] {
            let curves = vec![curve("total"); panels];
            let picture = render_curves("losses", &curves).unwrap();
            assert_eq!(picture.dimensions(), (1200, height));
            assert!(count(&picture, TRAIN) > 100 * panels);
            assert!(count(&picture, VALIDATION) > 100 * panels);
        }
        // The title is drawn as text, so the picture differs without it.
        let with = render_curves("losses", &[curve("total")]).unwrap();
        let without = render_curves("", &[curve("total")]).unwrap();
        assert_ne!(with, without);
    }

    #[test]
    fn nothing_broken_or_empty_panics() {
        let odd: Vec<Vec<(u64, f64)>> = vec![
            vec![],
            vec![(5, 1.0)],
            vec![(5, f64::NAN)],
            vec![(0, f64::INFINITY), (1, f64::NEG_INFINITY)],
            vec![(0, 0.0), (1, 0.0)],
            vec![(u64::MAX, 1e300), (u64::MAX, -1e300)],
            vec![(0, -1e30), (u64::MAX, 1e30)],
            vec![(3, 1e-320), (2, 5e-324), (1, f64::MIN_POSITIVE)],
            vec![(0, 1e30), (1, 1e30 * (1.0 + 1e-15))],
            series(500, |n| if n % 3 == 0 { f64::NAN } else { n as f64 }),
        ];
        for train in &odd {
            for validation in &odd {
                let curve = Curve {
                    name: "λ\n\u{1F600} a name that goes on and on and on and on",
                    train,
                    validation,
                };
                draw_smooth_picture((400, 300), |canvas| {
                    let title = "a very long title ".repeat(20);
                    draw(canvas, &title, &[curve])
                })
                .unwrap();
            }
        }
    }

    #[test]
    fn broken_points_leave_a_gap_and_a_note() {
        let whole = series(40, |_| 1.0);
        let mut broken = whole.clone();
        for point in &mut broken[15..25] {
            point.1 = f64::NAN;
        }
        let picture = |train| {
            let curve = Curve {
                name: "gw",
                train,
                validation: &[],
            };
            render_curves("", &[curve]).unwrap()
        };
        let (whole, broken) = (picture(&whole), picture(&broken));
        // Eleven of 39 segments are missing.
        let legend = count(&picture(&[]), TRAIN) as f64;
        let share =
            (count(&broken, TRAIN) as f64 - legend) / (count(&whole, TRAIN) as f64 - legend);
        assert!((share - 28.0 / 39.0).abs() < 0.05, "{share}");
        assert!(count(&broken, NOTE) > count(&whole, NOTE));
    }

    #[test]
    fn a_spike_does_not_flatten_the_rest() {
        let mut train = series(1000, |n| if n < 500 { 1.0 } else { 0.0 });
        train[3].1 = 1e6;
        let curve = Curve {
            name: "gw",
            train: &train,
            validation: &[],
        };
        let picture = render_curves("", &[curve]).unwrap();
        let rows: Vec<u32> = picture
            .enumerate_pixels()
            .filter(|(_, y, pixel)| *y > HEADER && pixel.0 == [TRAIN.0, TRAIN.1, TRAIN.2])
            .map(|(_, y, _)| y)
            .collect();
        let (top, bottom) = (rows.iter().min().unwrap(), rows.iter().max().unwrap());
        assert!(bottom - top > 200, "{top}, {bottom}");
    }

    #[test]
    fn sharp_corners_stay_inside_the_panel() {
        // Neighbours at opposite ends make very sharp corners. Joined lines would extend far out.
        let train = series(1500, |n| (n % 2) as f64 + n as f64 * 1e-4);
        let curve = Curve {
            name: "",
            train: &train,
            validation: &train,
        };
        let picture = render_curves("", &[curve]).unwrap();
        // The plotting area starts 32 pixels below the header and ends 52 above the lower edge.
        let top = HEADER..HEADER + 30;
        let bottom = picture.height() - 44..picture.height();
        for (x, y, pixel) in picture.enumerate_pixels() {
            let [red, _, blue] = pixel.0;
            let coloured = red.abs_diff(blue) > 30;
            let outside = top.contains(&y) || bottom.contains(&y);
            assert!(!(coloured && outside), "({x}, {y}): {pixel:?}");
        }
    }

    #[test]
    fn none_and_too_many_are_refused() {
        assert!(matches!(
            render_curves("", &[]),
            Err(ReportError::NoSeries { plot: "curves" })
        ));
        let curve = Curve {
            name: "",
            train: &[],
            validation: &[],
        };
        assert!(matches!(
            render_curves("", &[curve; MAX_PANELS + 1]),
            Err(ReportError::TooManySeries {
                what: "panels",
                count: 49,
                limit: 48,
                ..
            })
        ));
    }
}
