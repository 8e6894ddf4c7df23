//! Receiver operating characteristics: true positive rate against false positive rate.

use std::path::Path;

use image::RgbImage;

use crate::drawing::axes::{Axis, MARGIN_BELOW, NUMBERS_BELOW, PANEL_MARGINS, draw_axes};
use crate::drawing::beside::render_beside;
use crate::drawing::canvas::{AXIS, Canvas};
use crate::drawing::checks::{check_count, check_each, check_values};
use crate::drawing::labels::value_label;
use crate::drawing::legend::{Entry, Key};
use crate::drawing::lines::Pen;
use crate::drawing::palette::{MAX_LINES, pen};
use crate::drawing::series::{Point, thin};
use crate::error::ReportError;
use crate::png_file;

const PLOT: &str = "ROC curves";

/// Side of the square between the axes in pixels.
const SIDE: u32 = 560;

/// Space above the square.
const ABOVE: u32 = 10;

/// Largest width of the legend.
const LEGEND: u32 = 320;

/// The axes extend beyond 0 and 1 by this amount, so that curves along the edges are fully visible.
const BEYOND: f64 = 0.01;

/// The diagonal, which is the curve of random guesses.
const CHANCE: Pen = Pen::dashed(AXIS, 2);

/// Rates may lie outside 0..1 by this amount because of rounding.
const ROUNDING: f64 = 1e-6;

/// The receiver operating characteristic of one score.
#[derive(Clone, Copy, Debug)]
pub struct RocCurve<'a> {
    /// Name of the score, the model or both.
    pub name: &'a str,
    /// Area under the curve.
    pub auc: f64,
    /// Ends of the area's 95 % confidence interval.
    pub interval: Option<(f64, f64)>,
    /// False and true positive rate at each threshold, thresholds in order.
    pub points: &'a [(f64, f64)],
}

/// Several receiver operating characteristics in one picture.
#[derive(Clone, Copy, Debug)]
pub struct RocPlot<'a> {
    /// A line at the top.
    pub title: &'a str,
    /// The curves; at most 20.
    pub curves: &'a [RocCurve<'a>],
}

impl RocPlot<'_> {
    /// Draws the curves and the diagonal of random guesses in a square from 0 to 1, beside a legend
    /// with the areas.
    ///
    /// # Errors
    /// [`ReportError::NoSeries`], [`ReportError::TooManySeries`], [`ReportError::EmptySeries`], and
    /// [`ReportError::BadValue`] for a rate or an area outside 0..1 or NaN.
    pub fn render(&self) -> Result<RgbImage, ReportError> {
        let curves = self.curves.iter().map(points);
        let curves = curves.collect::<Result<Vec<_>, _>>()?;
        if curves.is_empty() {
            return Err(ReportError::NoSeries { plot: PLOT });
        }
        check_count(PLOT, "series", curves.len(), MAX_LINES)?;
        let size = (
            PANEL_MARGINS + SIDE,
            ABOVE + SIDE + NUMBERS_BELOW + MARGIN_BELOW,
        );
        let legend = (self.legend(), LEGEND, ABOVE);
        render_beside(self.title, size, legend, |area| draw(area, &curves))
    }

    /// Like [`RocPlot::render`], into a PNG file.
    ///
    /// # Errors
    /// Those of [`RocPlot::render`], and [`ReportError::File`].
    pub fn save(&self, path: &Path) -> Result<(), ReportError> {
        png_file::save(&self.render()?, path)
    }

    fn legend(&self) -> Vec<Entry> {
        let entry = |name: &str, note: String, pen| Entry {
            note,
            ..Entry::new(name, Key::Line { pen })
        };
        let curves = self.curves.iter().enumerate().map(|(index, curve)| {
            let interval = curve.interval.map_or_else(String::new, |(low, high)| {
                format!(", 95 % interval {low:.3} to {high:.3}")
            });
            let note = format!("AUC {:.3}{interval}", curve.auc);
            entry(curve.name, note, pen(index))
        });
        let chance = entry("chance", "AUC 0.500".to_owned(), CHANCE);
        curves.chain([chance]).collect()
    }
}

/// The points of a curve, starting at the lower left.
fn points(curve: &RocCurve<'_>) -> Result<Vec<Point>, ReportError> {
    let rates = |rate: fn(&Point) -> f64| curve.points.iter().map(rate);
    let ends = curve.interval.map(|ends| [ends.0, ends.1]);
    let areas: Vec<f64> = [curve.auc]
        .into_iter()
        .chain(ends.into_iter().flatten())
        .collect();
    check_rates(&format!("area under {}", curve.name), areas.into_iter())?;
    check_rates(curve.name, rates(|point| point.0))?;
    check_rates(curve.name, rates(|point| point.1))?;
    let inside = |rate: f64| rate.clamp(0.0, 1.0);
    let mut points: Vec<Point> = curve
        .points
        .iter()
        .map(|&(x, y)| (inside(x), inside(y)))
        .collect();
    // With the threshold, both rates only rise or only fall.
    points.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    Ok(points)
}

fn check_rates(
    series: &str,
    rates: impl ExactSizeIterator<Item = f64> + Clone,
) -> Result<(), ReportError> {
    check_values(PLOT, series, rates.clone())?;
    let allowed = -ROUNDING..=1.0 + ROUNDING;
    let fine = |rate| allowed.contains(&rate);
    check_each(PLOT, series, rates, fine, "a rate from 0 to 1")
}

fn draw(square: &Canvas<'_>, curves: &[Vec<Point>]) -> Result<(), String> {
    let range = -BEYOND..1.0 + BEYOND;
    let axis = |name| Axis::new(name, range.clone(), |rate, _| value_label(rate));
    let (x, y) = (axis("false positive rate"), axis("true positive rate"));
    let area = draw_axes(square, ABOVE, x, y)?;
    CHANCE.plot(&area, &[(0.0, 0.0), (1.0, 1.0)])?;
    for (index, points) in curves.iter().enumerate() {
        pen(index).plot(&area, &thin(points))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drawing::axes::{NAME_LEFT, NUMBERS_LEFT};
    use crate::drawing::canvas::{HEADER, MARGIN, scaled};
    use crate::drawing::labels::fitted;
    use crate::drawing::palette::colour;

    const CURVE: RocCurve<'_> = RocCurve {
        name: "potential",
        auc: 0.75,
        interval: None,
        points: &[(0.0, 0.0), (0.25, 0.75), (1.0, 1.0)],
    };

    fn plot<'a>(title: &'a str, curves: &'a [RocCurve<'a>]) -> RocPlot<'a> {
        RocPlot { title, curves }
    }

    /// Whether a pixel near the given rates has this colour.
    fn drawn(picture: &RgbImage, (x, y): (f64, f64), colour: plotters::style::RGBColor) -> bool {
        let along = |rate: f64| f64::from(SIDE) * (rate + BEYOND) / (1.0 + 2.0 * BEYOND);
        let left = f64::from(MARGIN + NUMBERS_LEFT + NAME_LEFT) + along(x);
        let top = f64::from(HEADER + ABOVE + SIDE) - along(y);
        let around = |place: f64| place.round() as u32 - 1..=place.round() as u32 + 1;
        around(left).any(|column| {
            around(top).any(|row| {
                let pixel = picture.get_pixel(column, row).0;
                let wanted = [colour.0, colour.1, colour.2];
                pixel.iter().zip(wanted).all(|(a, b)| a.abs_diff(b) < 8)
            })
        })
    }

    #[test]
    fn curves_are_where_the_rates_say() {
        let second = RocCurve {
            points: &[(0.0, 0.0), (0.75, 0.25), (1.0, 1.0)],
            ..CURVE
        };
        let picture = plot("title", &[CURVE, second]).render().unwrap();
        for share in [0.1, 0.35, 0.5, 0.8, 0.95] {
            let (low, high) = (0.25 * share, 0.75 * share);
            assert!(drawn(&picture, (low, high), colour(0)), "{share}");
            assert!(drawn(&picture, (high, low), colour(1)), "{share}");
            assert!(!drawn(&picture, (low, high), colour(1)), "{share}");
        }
        // The diagonal is dashed, so it covers some of its pixels but not all.
        let dashes = (0..100).filter(|n| {
            drawn(
                &picture,
                (f64::from(*n) / 100.0, f64::from(*n) / 100.0),
                AXIS,
            )
        });
        let dashes = dashes.count();
        assert!((40..100).contains(&dashes), "{dashes}");
        // A perfect curve runs along the edges and is visible.
        let perfect = RocCurve {
            points: &[(0.0, 0.0), (0.0, 1.0), (1.0, 1.0)],
            ..CURVE
        };
        let picture = plot("", &[perfect]).render().unwrap();
        for place in [(0.0, 0.33), (0.0, 0.87), (0.13, 1.0), (0.61, 1.0)] {
            assert!(drawn(&picture, place, colour(0)), "{place:?}");
        }
    }

    #[test]
    fn the_direction_of_the_thresholds_does_not_matter() {
        let points: Vec<(f64, f64)> = (0..=5000)
            .map(|n| f64::from(n) / 5000.0)
            .map(|x| (x, x.sqrt()))
            .collect();
        let reversed: Vec<_> = points.iter().rev().copied().collect();
        let picture = |points: &[(f64, f64)]| {
            let curve = RocCurve { points, ..CURVE };
            plot("", &[curve]).render().unwrap()
        };
        assert_eq!(picture(&points), picture(&reversed));
    }

    #[test]
    fn words_are_drawn_and_stay_inside() {
        let name = "a name that goes on and on and_does_not_stop_where_a_word_would_have_its_end "
            .repeat(5);
        let odd = RocCurve {
            name: &name,
            interval: Some((0.123_456, 1.0)),
            ..CURVE
        };
        let nameless = RocCurve { name: "", ..CURVE };
        let glyphs = RocCurve {
            name: "\u{3bb}\n\u{1F600}",
            points: &[(0.5, 0.5)],
            ..CURVE
        };
        let many = [[odd; 7], [nameless; 7], [glyphs; 7]].concat();
        let title = "a title without an end ".repeat(30);
        let picture = plot(&title, &many[..MAX_LINES]).render().unwrap();
        let (width, height) = picture.dimensions();
        for (x, y, pixel) in picture.enumerate_pixels() {
            let inside = (10..width - 10).contains(&x) && (10..height - 10).contains(&y);
            assert!(inside || pixel.0 == [255; 3], "({x}, {y})");
        }
        // The complete note with the interval fits.
        let entries = plot("", &[odd]).legend();
        let room = scaled(LEGEND - 36);
        assert_eq!(fitted(&entries[0].note, scaled(14), room), entries[0].note);
        // Each of them changes the picture.
        let plain = plot("title", &[CURVE]).render().unwrap();
        assert_eq!(plain, plot("title", &[CURVE]).render().unwrap());
        let other = |change: fn(&mut RocCurve<'_>)| {
            let mut curve = CURVE;
            change(&mut curve);
            plot("title", &[curve]).render().unwrap()
        };
        assert_ne!(plain, other(|curve| curve.name = "energy"));
        assert_ne!(plain, other(|curve| curve.auc = 0.751));
        assert_ne!(plain, other(|curve| curve.interval = Some((0.7, 0.8))));
        assert_ne!(plain, plot("", &[CURVE]).render().unwrap());
    }

    #[test]
    fn what_is_no_characteristic_is_refused() {
        let message = |curve: RocCurve<'_>| {
            let error = plot("", &[CURVE, curve]).render().unwrap_err();
            error.to_string()
        };
        let at = |points| message(RocCurve { points, ..CURVE });
        assert!(at(&[]).contains("`potential` is empty"));
        assert!(at(&[(0.0, 0.0), (f64::NAN, 0.5)]).contains("value 1 of `potential` is NaN"));
        assert!(at(&[(0.0, 0.0), (0.5, f64::INFINITY)]).contains("value 1 of `potential` is inf"));
        assert!(at(&[(0.0, 1.01)]).contains("is 1.01; expected a rate from 0 to 1"));
        assert!(at(&[(-0.1, 1.0)]).contains("is -0.1; expected a rate from 0 to 1"));
        let area = message(RocCurve {
            auc: f64::NAN,
            ..CURVE
        });
        assert!(area.contains("`area under potential` is NaN"), "{area}");
        let interval = message(RocCurve {
            interval: Some((0.5, 1.5)),
            ..CURVE
        });
        assert!(
            interval.contains("`area under potential` is 1.5"),
            "{interval}"
        );
        // Small rounding errors are accepted.
        let rounded = RocCurve {
            points: &[(0.0, 0.0), (1.0 + 1e-12, 1.0 + 1e-12)],
            auc: 1.0 + 1e-15,
            ..CURVE
        };
        plot("", &[rounded]).render().unwrap();
        assert!(matches!(
            plot("", &[]).render(),
            Err(ReportError::NoSeries { plot: PLOT })
        ));
        assert!(matches!(
            plot("", &[CURVE; MAX_LINES + 1]).render(),
            Err(ReportError::TooManySeries { count: 21, .. })
        ));
    }

    #[test]
    fn files_hold_what_was_rendered() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("roc.png");
        let plot = plot("title", &[CURVE]);
        plot.save(&path).unwrap();
        let read = image::open(&path).unwrap().into_rgb8();
        assert_eq!(read, plot.render().unwrap());
        let nowhere = plot.save(&directory.path().join("none/roc.png"));
        assert!(matches!(nowhere, Err(ReportError::File(_))));
    }
}
