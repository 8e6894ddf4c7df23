//! Points in the plane, coloured by class, such as an embedding of codes.

use std::ops::Range;
use std::path::Path;

use image::RgbImage;
use plotters::prelude::*;

use crate::drawing::axes::MARGIN_RIGHT;
use crate::drawing::beside::render_beside;
use crate::drawing::canvas::{
    AXIS, Canvas, MARGIN, OVERSAMPLING, SOFT_TEXT, left_of, scaled, stroke, text,
};
use crate::drawing::checks::{check_count, check_values};
use crate::drawing::labels::wrapped;
use crate::drawing::legend::{Entry, Key};
use crate::drawing::palette::{MAX_CLASSES, colour, mark};
use crate::drawing::series::robust_range;
use crate::error::ReportError;
use crate::png_file;

const PLOT: &str = "scatter plot";

/// Side of the square that holds the points, in pixels.
const SIDE: u32 = 720;

/// Largest width of the legend.
const LEGEND: u32 = 200;

/// Height of a line of the caption, height of its letters, and largest number of lines.
const LINE: u32 = 20;
const LETTERS: u32 = 15;
const MAX_LINES: usize = 3;

/// Share of the points at each end of an axis that may be outliers.
const OUTLIERS: f64 = 0.005;

/// Space around the points, as a share of their extent.
const AROUND: f64 = 0.03;

const OPACITY: f64 = 0.7;

/// Points of several classes.
#[derive(Clone, Copy, Debug)]
pub struct ScatterPlot<'a> {
    /// A line at the top.
    pub title: &'a str,
    /// Description below the points, such as `t-SNE of the codes of 2000 images`.
    pub caption: &'a str,
    /// The points.
    pub points: &'a [(f64, f64)],
    /// The class of each point, from 0.
    pub classes: &'a [usize],
    /// Names of the classes; at most 30.
    pub class_names: &'a [&'a str],
}

impl ScatterPlot<'_> {
    /// Draws the points with equal units on both axes, and without numbers, because those of an
    /// embedding have no meaning. From the eleventh class on, the colours repeat with other marks.
    /// Points far outside are drawn at the edge, and the caption gives their number.
    ///
    /// # Errors
    /// [`ReportError::EmptySeries`], [`ReportError::ClassCount`], [`ReportError::UnnamedClass`],
    /// [`ReportError::TooManySeries`], and [`ReportError::BadValue`] for NaN, infinite coordinates
    /// and coordinates beyond ±10³⁰.
    pub fn render(&self) -> Result<RgbImage, ReportError> {
        self.check_classes_and_points()?;
        let axis = |coordinate: fn(&(f64, f64)) -> f64| {
            let values: Vec<f64> = self.points.iter().map(coordinate).collect();
            robust_range([&values[..]].into_iter(), OUTLIERS).unwrap_or(0.0..1.0)
        };
        let (x, y) = square(axis(|point| point.0), axis(|point| point.1));
        let outside = |&&point: &&(f64, f64)| !(x.contains(&point.0) && y.contains(&point.1));
        let beyond = self.points.iter().filter(outside).count();
        let caption = self.caption;
        let caption = match beyond {
            0 => caption.to_owned(),
            1 => format!("{caption} (1 point beyond, drawn at the edge)"),
            _ => format!("{caption} ({beyond} points beyond, drawn at the edge)"),
        };
        let caption = wrapped(&caption, scaled(LETTERS), scaled(SIDE), MAX_LINES);
        let below = caption.len() as u32 * LINE + MARGIN;
        let size = (MARGIN + SIDE + MARGIN_RIGHT, SIDE + below);
        render_beside(self.title, size, (self.legend(), LEGEND, 0), |area| {
            for (number, line) in caption.iter().enumerate() {
                let middle = SIDE + LINE * (number as u32 + 1);
                let place = (scaled(MARGIN), scaled(middle));
                area.draw_text(line, &left_of(LETTERS, SOFT_TEXT), place)
                    .map_err(text)?;
            }
            self.draw(area, &x, &y)
        })
    }

    /// Like [`ScatterPlot::render`], into a PNG file.
    ///
    /// # Errors
    /// Those of [`ScatterPlot::render`], and [`ReportError::File`].
    pub fn save(&self, path: &Path) -> Result<(), ReportError> {
        png_file::save(&self.render()?, path)
    }

    fn check_classes_and_points(&self) -> Result<(), ReportError> {
        if self.points.len() != self.classes.len() {
            return Err(ReportError::ClassCount {
                points: self.points.len(),
                classes: self.classes.len(),
            });
        }
        let names = self.class_names.len();
        check_count(PLOT, "classes", names, MAX_CLASSES)?;
        let mut classes = self.classes.iter().enumerate();
        if let Some((index, &class)) = classes.find(|(_, class)| **class >= names) {
            return Err(ReportError::UnnamedClass {
                index,
                class,
                names,
            });
        }
        check_values(PLOT, "points, x", self.points.iter().map(|point| point.0))?;
        check_values(PLOT, "points, y", self.points.iter().map(|point| point.1))
    }

    fn legend(&self) -> Vec<Entry> {
        let names = self.class_names.iter().enumerate();
        let entries = names.map(|(index, name)| {
            let (colour, mark) = (colour(index), mark(index));
            Entry::new(name, Key::Mark { colour, mark })
        });
        entries.collect()
    }

    fn draw(&self, body: &Canvas<'_>, x: &Range<f64>, y: &Range<f64>) -> Result<(), String> {
        let corners = [(scaled(MARGIN), 0), (scaled(MARGIN + SIDE), scaled(SIDE))];
        let frame = Rectangle::new(corners, stroke(AXIS, 1));
        body.draw(&frame).map_err(text)?;
        let side = f64::from(scaled(SIDE));
        // Marks at the edge stay inside the frame.
        let radius = radius(self.points.len());
        let inside = |place: f64| place.clamp(1.5 * radius, side - 1.5 * radius);
        for index in mixed(self.points.len()) {
            let ((px, py), class) = (self.points[index], self.classes[index]);
            let across = inside(side * (px - x.start) / (x.end - x.start));
            let down = inside(side * (y.end - py) / (y.end - y.start));
            let place = (f64::from(scaled(MARGIN)) + across, down);
            mark(class).draw(body, place, radius, colour(class), OPACITY)?;
        }
        Ok(())
    }
}

/// Both ranges, widened to the same length around their middles, with some space around.
fn square(x: Range<f64>, y: Range<f64>) -> (Range<f64>, Range<f64>) {
    let half = (x.end - x.start).max(y.end - y.start) * (0.5 + AROUND);
    let around = |range: Range<f64>| {
        let middle = range.start + (range.end - range.start) / 2.0;
        middle - half..middle + half
    };
    (around(x), around(y))
}

/// Radius of a mark on the large canvas. The more points, the smaller the marks.
fn radius(points: usize) -> f64 {
    let radius = 4.2 * (500.0 / points.max(1) as f64).powf(0.2);
    radius.clamp(1.5, 4.2) * f64::from(OVERSAMPLING)
}

/// The numbers below `count` in a mixed order, which is always the same. Otherwise the points of
/// one class would cover those of the class before.
fn mixed(count: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    // The finaliser of SplitMix64.
    order.sort_by_key(|&index| {
        let mut mixed = (index as u64).wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    });
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drawing::canvas::HEADER;

    const NAMES: [&str; 3] = ["zero", "one", "two"];

    fn plot<'a>(points: &'a [(f64, f64)], classes: &'a [usize]) -> ScatterPlot<'a> {
        ScatterPlot {
            title: "title",
            caption: "caption",
            points,
            classes,
            class_names: &NAMES,
        }
    }

    /// Places inside the frame of the pixels that are coloured.
    fn coloured(picture: &RgbImage) -> Vec<(u32, u32)> {
        let inside =
            |x, y| (MARGIN..MARGIN + SIDE).contains(&x) && (HEADER..HEADER + SIDE).contains(&y);
        let pixels = picture.enumerate_pixels().filter(|(x, y, pixel)| {
            let [low, high] = [pixel.0.iter().min(), pixel.0.iter().max()];
            inside(*x, *y) && high.zip(low).is_some_and(|(high, low)| high - low > 40)
        });
        pixels.map(|(x, y, _)| (x, y)).collect()
    }

    fn extent(places: impl Iterator<Item = u32>) -> (u32, u32) {
        places.fold((u32::MAX, 0), |(low, high), place| {
            (low.min(place), high.max(place))
        })
    }

    #[test]
    fn both_axes_have_the_same_unit_and_up_is_up() {
        // A rectangle of 4 by 1, and a point on its upper edge.
        let points = [(0.0, 0.0), (4.0, 0.0), (0.0, 1.0), (4.0, 1.0), (1.0, 1.0)];
        let picture = plot(&points, &[0; 5]).render().unwrap();
        let places = coloured(&picture);
        let (left, right) = extent(places.iter().map(|place| place.0));
        let (top, bottom) = extent(places.iter().map(|place| place.1));
        let mark = 2.0 * radius(5) / f64::from(OVERSAMPLING);
        let (width, height) = (
            f64::from(right - left) - mark,
            f64::from(bottom - top) - mark,
        );
        assert!((width - f64::from(SIDE) / 1.06).abs() < 3.0, "{width}");
        assert!((width / height - 4.0).abs() < 0.1, "{width}, {height}");
        // The point at one quarter lies only on the upper edge.
        let quarter = left + (right - left) / 4;
        let near = places.iter().filter(|place| place.0.abs_diff(quarter) < 8);
        let (_, lowest) = extent(near.map(|place| place.1));
        assert!(lowest < top + 12, "{lowest}, {top}");
    }

    #[test]
    fn classes_have_their_colours_in_plot_and_legend() {
        let points = [(0.0, 0.0), (1.0, 0.0), (2.0, 0.0)];
        let picture = plot(&points, &[2, 0, 1]).render().unwrap();
        let near = |x: u32, y: u32| -> Vec<[u8; 3]> {
            let around = (x - 1..=x + 1).flat_map(|x| (y - 1..=y + 1).map(move |y| (x, y)));
            around.map(|(x, y)| picture.get_pixel(x, y).0).collect()
        };
        let mixed = |class: usize, opacity: f64| {
            let colour = colour(class);
            [colour.0, colour.1, colour.2]
                .map(|part| (f64::from(part) * opacity + 255.0 * (1.0 - opacity)).round() as u8)
        };
        let has = |pixels: &[[u8; 3]], wanted: [u8; 3]| {
            let same = |pixel: &[u8; 3]| pixel.iter().zip(wanted).all(|(a, b)| a.abs_diff(b) <= 4);
            pixels.iter().any(same)
        };
        let middle = HEADER + SIDE / 2;
        let step = (f64::from(SIDE) / 2.12) as u32;
        for (place, class) in [2, 0, 1].into_iter().enumerate() {
            let x = MARGIN + SIDE / 2 + step * place as u32 - step;
            assert!(has(&near(x, middle), mixed(class, OPACITY)), "{class}");
        }
        for class in 0..3 {
            let x = MARGIN + SIDE + MARGIN_RIGHT + 14;
            let y = HEADER + 27 * class as u32 + 7;
            assert!(has(&near(x, y), mixed(class, 1.0)), "{class}");
        }
    }

    #[test]
    fn a_few_far_points_are_held_at_the_edge_and_counted() {
        let mut points: Vec<(f64, f64)> = (0..2000)
            .map(|n| f64::from(n) * 0.1)
            .map(|t| (t.cos(), t.sin()))
            .collect();
        let classes = vec![0; points.len()];
        let plain = plot(&points, &classes).render().unwrap();
        points[5] = (1e6, 0.0);
        let held = plot(&points, &classes).render().unwrap();
        let width = |picture| {
            let places = coloured(picture);
            extent(
                places
                    .iter()
                    .map(|place| place.0)
                    .filter(|x| *x < MARGIN + SIDE - 12),
            )
        };
        let ((left, right), (held_left, held_right)) = (width(&plain), width(&held));
        // The extent grows by a quarter, on the right.
        let (before, after) = (right - left, held_right - held_left);
        assert!(after > before / 2, "{before}, {after}");
        // The captions differ, but have the same number of lines.
        let caption = HEADER + SIDE + 4..plain.height();
        assert_eq!(plain.height(), held.height());
        let differs = caption.clone().any(|y| {
            (MARGIN..MARGIN + SIDE).any(|x| plain.get_pixel(x, y) != held.get_pixel(x, y))
        });
        assert!(differs);
        let edge = coloured(&held)
            .iter()
            .any(|place| place.0 > MARGIN + SIDE - 12);
        assert!(edge);
    }

    #[test]
    fn a_class_is_not_covered_by_those_listed_after_it() {
        // Both classes have the same 400 places, one class after the other.
        let places = (0..800).map(|n| (f64::from(n % 20), f64::from(n % 400 / 20)));
        let points: Vec<(f64, f64)> = places.collect();
        let classes: Vec<usize> = (0..800).map(|n| n / 400).collect();
        let picture = plot(&points, &classes).render().unwrap();
        let places = coloured(&picture);
        let blue = places.iter().filter(|&&(x, y)| {
            let [red, _, blue] = picture.get_pixel(x, y).0;
            blue > red
        });
        let share = blue.count() as f64 / places.len() as f64;
        assert!((0.35..0.65).contains(&share), "{share}");
    }

    #[test]
    fn the_order_is_mixed_and_always_the_same() {
        let order = mixed(1000);
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..1000).collect::<Vec<_>>());
        // In a mixed order, about half of the neighbours rise.
        let rising = order.windows(2).filter(|pair| pair[0] < pair[1]).count();
        assert!((400..600).contains(&rising), "{rising}");
        let points: Vec<(f64, f64)> = order
            .iter()
            .map(|&n| ((n % 31) as f64, (n % 37) as f64))
            .collect();
        let classes: Vec<usize> = order.iter().map(|n| n % 3).collect();
        let picture = || plot(&points, &classes).render().unwrap();
        assert_eq!(picture(), picture());
    }

    #[test]
    fn nothing_odd_panics_and_words_stay_inside() {
        let odd: [&[(f64, f64)]; 6] = [
            &[(0.0, 0.0)],
            &[(5.0, -3.0); 4],
            &[(1e30, -1e30), (-1e30, 1e30)],
            &[(1e-320, 5e-324), (0.0, 0.0)],
            &[(1e30, 0.0), (1e30 * (1.0 - 1e-15), 0.0)],
            &[(0.0, 0.0), (0.0, 1.0), (0.0, 2.0)],
        ];
        let name = "\u{3bb}\n a name without an end ".repeat(20);
        let names = vec![&name[..]; MAX_CLASSES];
        for points in odd {
            let classes: Vec<usize> = (0..points.len()).map(|n| n * 9).collect();
            let picture = ScatterPlot {
                title: &name,
                caption: &name,
                points,
                classes: &classes,
                class_names: &names,
            };
            let picture = picture.render().unwrap();
            let (width, height) = picture.dimensions();
            for (x, y, pixel) in picture.enumerate_pixels() {
                let inside = (10..width - 10).contains(&x) && (8..height - 8).contains(&y);
                assert!(inside || pixel.0 == [255; 3], "({x}, {y})");
            }
        }
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
        let points = [(0.0, 0.0), (1.0, 1.0)];
        let message = |plot: ScatterPlot<'_>| plot.render().unwrap_err().to_string();
        assert!(message(plot(&points, &[0])).contains("2 points and 1 classes"));
        let unnamed = message(plot(&points, &[0, 3]));
        assert!(
            unnamed.contains("point 1 is of class 3, but only 3"),
            "{unnamed}"
        );
        assert!(message(plot(&[], &[])).contains("is empty"));
        let broken = message(plot(&[(0.0, 0.0), (0.0, f64::NAN)], &[0, 0]));
        assert!(broken.contains("value 1 of `points, y` is NaN"), "{broken}");
        let broken = message(plot(&[(f64::INFINITY, 0.0)], &[0]));
        assert!(broken.contains("value 0 of `points, x` is inf"), "{broken}");
        let many = ScatterPlot {
            class_names: &[""; MAX_CLASSES + 1],
            ..plot(&points, &[0, 1])
        };
        assert!(message(many).contains("31 classes are too many"));
    }
}
