//! Outlines of letters, and their areas as pixels.

use ab_glyph::{Font, FontRef, OutlineCurve};

use crate::drawn::pen::{Point, bounds, squared_distance};
use crate::error::{DatasetError, behind};

const FONT: &[u8] = include_bytes!("../../../assets/fonts/DejaVuSans-subset.ttf");

/// The letters inside the program cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("built-in font of the letters: {problem}; the program was built over a damaged file")]
struct FontError {
    /// The problem.
    problem: &'static str,
}

behind!(Other, FontError);

/// Number of segments for a curve.
const STEPS: usize = 6;

/// Closed lines, straight between their points; y points downwards.
#[derive(Clone, Debug, Default)]
pub(super) struct Outline {
    contours: Vec<Vec<Point>>,
}

/// The outlines of the letters. A unit is the height of a line.
///
/// # Errors
/// If the font cannot be read or lacks a letter.
pub(super) fn outlines(letters: &str) -> Result<Vec<Outline>, DatasetError> {
    let failed = |problem| DatasetError::from(FontError { problem });
    let face = FontRef::try_from_slice(FONT).map_err(|_| failed("it cannot be read"))?;
    let unit = face
        .units_per_em()
        .ok_or_else(|| failed("it cannot be read"))?;
    let unit = 1.0 / f64::from(unit);
    letters
        .chars()
        .map(|letter| {
            // Glyph 0 stands for every letter that is not there.
            let glyph = Some(face.glyph_id(letter)).filter(|glyph| glyph.0 != 0);
            let curves = glyph.and_then(|glyph| face.outline(glyph));
            let curves = curves.ok_or_else(|| failed("a letter is missing"))?.curves;
            let mut outline = Outline::default();
            curves.iter().for_each(|curve| outline.add(curve));
            Ok(outline.map(|[x, y]| [unit * x, -unit * y]))
        })
        .collect()
}

impl Outline {
    pub(super) fn map(&self, to: impl Fn(Point) -> Point) -> Self {
        let contours = self.contours.iter();
        Self {
            contours: contours
                .map(|contour| contour.iter().map(|&point| to(point)).collect())
                .collect(),
        }
    }

    pub(super) fn bounds(&self) -> [Point; 2] {
        bounds(self.contours.iter().flatten())
    }

    /// A square of `size`×`size` pixels: white (255) inside the outline and up to `thicker` pixels
    /// around it, black elsewhere. A negative `thicker` shrinks the white area. Points are in
    /// pixels from the top left corner. The nonzero winding rule defines the inside.
    ///
    /// The value of a pixel is its coverage by a vertical or horizontal edge at the same distance
    /// from the pixel's middle.
    pub(super) fn fill(&self, size: usize, thicker: f64) -> Vec<u8> {
        let [low, high] = self.bounds();
        let reach = thicker.max(0.0) + 1.0;
        let near = |axis: usize| {
            let first = (low[axis] - reach).max(0.0) as usize;
            // Negative positions become 0.
            first..((high[axis] + reach) as usize).min(size)
        };
        let mut pixels = vec![0; size * size];
        for row in near(1) {
            for column in near(0) {
                let middle = [column as f64 + 0.5, row as f64 + 0.5];
                let share = 0.5 + thicker - self.signed_distance(middle);
                pixels[row * size + column] = (share.clamp(0.0, 1.0) * 255.0).round() as u8;
            }
        }
        pixels
    }

    /// Distance from the outline, negative inside.
    fn signed_distance(&self, point: Point) -> f64 {
        let mut squared = f64::INFINITY;
        let mut turns = 0;
        for contour in &self.contours {
            let mut from = match contour.last() {
                Some(&last) => last,
                None => continue,
            };
            for &to in contour {
                squared = squared.min(squared_distance(point, from, to));
                // Segments that pass to the right of the point, up or down.
                if (from[1] <= point[1]) != (to[1] <= point[1]) {
                    let along = [to[0] - from[0], to[1] - from[1]];
                    let side = along[0] * (point[1] - from[1]) - along[1] * (point[0] - from[0]);
                    let down = along[1] > 0.0;
                    if down == (side > 0.0) {
                        turns += if down { 1 } else { -1 };
                    }
                }
                from = to;
            }
        }
        let distance = squared.sqrt();
        if turns != 0 { -distance } else { distance }
    }

    /// Adds a line or curve. One that does not begin at the end of the last begins a new contour.
    fn add(&mut self, curve: &OutlineCurve) {
        let point = |point: ab_glyph::Point| [point.x, point.y].map(f64::from);
        match *curve {
            OutlineCurve::Line(from, to) => self.contour(point(from)).push(point(to)),
            OutlineCurve::Quad(a, b, c) => {
                let points = [a, b, c].map(point);
                self.curve(points[0], |t| {
                    [0, 1].map(|axis| {
                        let [a, b, c] = points.map(|point| point[axis]);
                        (1.0 - t) * ((1.0 - t) * a + 2.0 * t * b) + t * t * c
                    })
                });
            }
            OutlineCurve::Cubic(a, b, c, d) => {
                let points = [a, b, c, d].map(point);
                self.curve(points[0], |t| {
                    [0, 1].map(|axis| {
                        let [a, b, c, d] = points.map(|point| point[axis]);
                        let s = 1.0 - t;
                        s * s * (s * a + 3.0 * t * b) + t * t * (3.0 * s * c + t * d)
                    })
                });
            }
        }
    }

    /// The contour that ends at `from`.
    fn contour(&mut self, from: Point) -> &mut Vec<Point> {
        let last = self.contours.last().and_then(|contour| contour.last());
        if last != Some(&from) {
            self.contours.push(vec![from]);
        }
        self.contours.last_mut().expect("there is one now")
    }

    /// Adds points of a curve: `at` gives the point for a parameter from 0 to 1.
    fn curve(&mut self, from: Point, at: impl Fn(f64) -> Point) {
        let points = (1..=STEPS).map(|step| at(step as f64 / STEPS as f64));
        self.contour(from).extend(points);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ab_glyph::point;

    /// A square of side 8 with a square hole of side 4. As in fonts, the hole has the opposite
    /// direction.
    fn frame() -> Outline {
        Outline {
            contours: vec![
                vec![[4.0, 4.0], [12.0, 4.0], [12.0, 12.0], [4.0, 12.0]],
                vec![[6.0, 6.0], [6.0, 10.0], [10.0, 10.0], [10.0, 6.0]],
            ],
        }
    }

    #[test]
    fn areas_are_filled_and_holes_are_not() {
        let pixels = frame().fill(16, 0.0);
        for (place, &value) in pixels.iter().enumerate() {
            let (x, y) = (place % 16, place / 16);
            let inside = |low, high| (low..high).contains(&x) && (low..high).contains(&y);
            // All edges are on pixel edges.
            let expected = if inside(4, 12) && !inside(6, 10) {
                255
            } else {
                0
            };
            assert_eq!(value, expected, "{x} {y}");
        }
    }

    #[test]
    fn strokes_get_thicker_and_thinner() {
        let white = |thicker| {
            let pixels = frame().fill(16, thicker);
            // A row through the hole, where both bars are vertical.
            let row = pixels[8 * 16..9 * 16].iter();
            row.map(|&value| f64::from(value)).sum::<f64>() / 255.0
        };
        for thicker in [-0.5, -0.25, 0.0, 0.4, 0.9] {
            let expected = 2.0 * (2.0 + 2.0 * thicker);
            assert!((white(thicker) - expected).abs() < 0.02, "{thicker}");
        }
    }

    #[test]
    fn the_font_has_letters_of_their_usual_proportions() {
        let found = outlines("EMШ").unwrap();
        let widths: Vec<f64> = found
            .iter()
            .map(|outline| {
                let [low, high] = outline.bounds();
                // Capitals of DejaVu Sans are 0.729 high and stand on the baseline.
                assert!((low[1] + 0.729).abs() < 0.001 && high[1].abs() < 0.001);
                high[0] - low[0]
            })
            .collect();
        assert!(widths[0] < widths[1] && widths[1] < widths[2]);
        let error = outlines("語").unwrap_err();
        assert!(matches!(
            error.downcast_ref(),
            Some(FontError {
                problem: "a letter is missing"
            })
        ));
    }

    #[test]
    fn curves_end_where_they_should() {
        let mut outline = Outline::default();
        let [a, b, c] = [point(0.0, 0.0), point(1.0, 2.0), point(2.0, 0.0)];
        let [d, e, f] = [point(3.0, 1.0), point(4.0, -1.0), point(5.0, 0.0)];
        outline.add(&OutlineCurve::Quad(a, b, c));
        outline.add(&OutlineCurve::Cubic(c, d, e, f));
        assert_eq!(outline.contours.len(), 1);
        let points = &outline.contours[0];
        assert_eq!(points.len(), 1 + 2 * STEPS);
        // The middle of a quadratic curve is (a + 2b + c)/4, that of a cubic one (a + 3b + 3c +
        // d)/8.
        assert_eq!(points[STEPS / 2], [1.0, 1.0]);
        assert_eq!(points[STEPS], [2.0, 0.0]);
        let middle = points[STEPS + STEPS / 2];
        assert!((middle[0] - 3.5).abs() < 1e-12 && middle[1].abs() < 1e-12);
        assert_eq!(points[2 * STEPS], [5.0, 0.0]);
        outline.add(&OutlineCurve::Line(a, b));
        assert_eq!(outline.contours[1], [[0.0, 0.0], [1.0, 2.0]]);
    }
}
