//! Receiver operating characteristics: how many outliers a score finds, and at what price.

use std::path::Path;

use image::RgbImage;

use super::canvas::{
    AXIS, Axis, Canvas, HEADER, MARGIN, MARGIN_BELOW, MARGIN_RIGHT, NAME_LEFT, NUMBERS_BELOW,
    NUMBERS_LEFT, draw_axes, draw_title, render, scaled,
};
use super::labels::{printable, value_label};
use super::legend::{Column, Entry, Key};
use super::lines::Pen;
use super::palette::{MAX_LINES, pen};
use super::panels::check_count;
use super::series::{Point, check, thin};
use super::{ReportError, png_file};

const PLOT: &str = "ROC curves";

/// Side of the square between the axes in pixels.
const SIDE: u32 = 560;

/// Space above it.
const ABOVE: u32 = 10;

/// Greatest width of the legend.
const LEGEND: u32 = 320;

/// How far the axes go beyond 0 and 1, so that curves along the edges show in full.
const BEYOND: f64 = 0.01;

/// The diagonal of guesses.
const CHANCE: Pen = Pen::dashed(AXIS, 2);

/// Rates may leave 0..1 by this much: rounding.
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
    /// A line above everything.
    pub title: &'a str,
    /// The curves; at most 20.
    pub curves: &'a [RocCurve<'a>],
}

impl RocPlot<'_> {
    /// Draws the curves over one square from 0 to 1, with the diagonal of guesses, beside a legend
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
        let legend = Column::new(self.entries(), LEGEND);
        let panel = MARGIN + NUMBERS_LEFT + NAME_LEFT + SIDE + MARGIN_RIGHT;
        let below = NUMBERS_BELOW + MARGIN_BELOW;
        let height = (SIDE + below).max(legend.height() + MARGIN);
        let size = (panel + legend.width() + MARGIN, HEADER + ABOVE + height);
        render(size, |canvas| {
            let (header, body) = canvas.split_vertically(scaled(HEADER));
            draw_title(&header, self.title)?;
            let (square, beside) = body.split_horizontally(scaled(panel));
            let (square, _) = square.split_vertically(scaled(ABOVE + SIDE + below));
            draw(&square, &curves)?;
            legend.draw(&beside, (0, ABOVE))
        })
    }

    /// As [`RocPlot::render`], into a PNG file.
    ///
    /// # Errors
    /// Those of [`RocPlot::render`], and [`ReportError::File`].
    pub fn save(&self, path: &Path) -> Result<(), ReportError> {
        png_file::save(&self.render()?, path)
    }

    fn entries(&self) -> Vec<Entry> {
        let curves = self.curves.iter().enumerate().map(|(index, curve)| Entry {
            name: curve.name.to_owned(),
            note: match curve.interval {
                None => format!("AUC {:.3}", curve.auc),
                Some((low, high)) => {
                    format!("AUC {:.3}, 95 % interval {low:.3} to {high:.3}", curve.auc)
                }
            },
            key: Key::Line { pen: pen(index) },
        });
        let chance = Entry {
            name: "chance".to_owned(),
            note: "AUC 0.500".to_owned(),
            key: Key::Line { pen: CHANCE },
        };
        curves.chain([chance]).collect()
    }
}

/// The points of a curve from the lower left on.
fn points(curve: &RocCurve<'_>) -> Result<Vec<Point>, ReportError> {
    let rates = |rate: fn(&Point) -> f64| curve.points.iter().map(rate);
    let areas = [Some(curve.auc), curve.interval.map(|ends| ends.0)];
    let areas = areas.into_iter().chain([curve.interval.map(|ends| ends.1)]);
    let areas: Vec<f64> = areas.flatten().collect();
    check_rates(&format!("area under {}", curve.name), areas.into_iter())?;
    let (false_positive, true_positive) = (rates(|point| point.0), rates(|point| point.1));
    check_rates(curve.name, false_positive)?;
    check_rates(curve.name, true_positive)?;
    let inside = |rate: f64| rate.clamp(0.0, 1.0);
    let mut points: Vec<Point> = curve
        .points
        .iter()
        .map(|&(x, y)| (inside(x), inside(y)))
        .collect();
    // Both rates only rise, or only fall, with the threshold.
    points.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    Ok(points)
}

fn check_rates(
    series: &str,
    rates: impl ExactSizeIterator<Item = f64> + Clone,
) -> Result<(), ReportError> {
    check(PLOT, series, rates.clone())?;
    let allowed = -ROUNDING..=1.0 + ROUNDING;
    for (index, value) in rates.enumerate() {
        if !allowed.contains(&value) {
            return Err(ReportError::BadValue {
                plot: PLOT,
                series: printable(series, 80),
                index,
                value,
                expected: "a rate from 0 to 1",
            });
        }
    }
    Ok(())
}

fn draw(square: &Canvas<'_>, curves: &[Vec<Point>]) -> Result<(), String> {
    let axis = |name| Axis {
        name,
        range: -BEYOND..1.0 + BEYOND,
        numbers: 6,
        label: &value_label,
    };
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
    use super::super::palette::colour;
    use super::*;

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
        // The diagonal is dashed: somewhere on it, but not everywhere.
        let dashes = (0..100).filter(|n| {
            drawn(
                &picture,
                (f64::from(*n) / 100.0, f64::from(*n) / 100.0),
                AXIS,
            )
        });
        let dashes = dashes.count();
        assert!((40..100).contains(&dashes), "{dashes}");
        // A perfect curve runs along the edges and is seen.
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
        // The note with the interval has room whole.
        let entries = plot("", &[odd]).entries();
        let room = scaled(LEGEND - 36);
        assert_eq!(
            super::super::labels::fitted(&entries[0].note, scaled(14), room),
            entries[0].note
        );
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
        // Rounding is forgiven.
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
