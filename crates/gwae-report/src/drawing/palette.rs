//! Colours and marks for series and classes that colour-blind readers can tell apart too.

use plotters::prelude::*;

use super::canvas::{Canvas, text};
use super::lines::Pen;

/// The ten colours of M. A. Petroff, "Accessible Color Sequences for Data Visualization" (2021,
/// arXiv:2107.02270), strongest first. People with the common forms of colour blindness can tell
/// them apart.
const COLOURS: [RGBColor; 10] = [
    RGBColor(63, 144, 218),
    RGBColor(189, 31, 1),
    RGBColor(255, 169, 14),
    RGBColor(131, 45, 182),
    RGBColor(113, 117, 129),
    RGBColor(231, 99, 0),
    RGBColor(146, 218, 221),
    RGBColor(169, 107, 89),
    RGBColor(185, 172, 112),
    RGBColor(148, 164, 162),
];

const MARKS: [Mark; 3] = [Mark::Disc, Mark::Ring, Mark::Cross];

/// Radius of the largest mark, relative to its nominal radius.
const LARGEST_MARK: f64 = 1.2;

/// Largest number of distinct lines: each colour solid and dashed.
pub(crate) const MAX_LINES: usize = 2 * COLOURS.len();

/// Largest number of distinct fills.
pub(crate) const MAX_FILLS: usize = COLOURS.len();

/// Largest number of distinct classes: each mark in each colour.
pub(crate) const MAX_CLASSES: usize = MARKS.len() * COLOURS.len();

/// The colour of series or class number `index`.
pub(crate) fn colour(index: usize) -> RGBColor {
    COLOURS[index % COLOURS.len()]
}

/// The line style of series number `index`.
pub(crate) fn pen(index: usize) -> Pen {
    Pen {
        colour: colour(index),
        thickness: 2,
        dashed: (index / COLOURS.len()) % 2 == 1,
    }
}

/// The mark of class number `index`.
pub(crate) fn mark(index: usize) -> Mark {
    MARKS[(index / COLOURS.len()) % MARKS.len()]
}

/// The shape of a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    Disc,
    Ring,
    Cross,
}

impl Mark {
    /// The covered share, from 0 to 1, of the pixel at distance `(x, y)` from the centre.
    fn coverage(self, x: f64, y: f64, radius: f64) -> f64 {
        let distance = x.hypot(y);
        let inside = match self {
            Self::Disc => radius - distance,
            Self::Ring => 0.28 * radius - (0.9 * radius - distance).abs(),
            Self::Cross => (0.28 * radius - x.abs().min(y.abs())).min(radius * 1.1 - distance),
        };
        (inside + 0.5).clamp(0.0, 1.0)
    }

    /// Draws the mark around `(x, y)`; all lengths are in pixels of the canvas.
    pub(crate) fn draw(
        self,
        area: &Canvas<'_>,
        (x, y): (f64, f64),
        radius: f64,
        colour: RGBColor,
        opacity: f64,
    ) -> Result<(), String> {
        let reach = (LARGEST_MARK * radius).ceil() as i32 + 1;
        let (middle_x, middle_y) = (x.round() as i32, y.round() as i32);
        for row in middle_y - reach..=middle_y + reach {
            for column in middle_x - reach..=middle_x + reach {
                let away = (f64::from(column) - x, f64::from(row) - y);
                let opacity = opacity * self.coverage(away.0, away.1, radius);
                if opacity > 0.0 {
                    area.draw_pixel((column, row), &colour.mix(opacity))
                        .map_err(text)?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Linear light of a colour.
    fn linear(colour: RGBColor) -> [f64; 3] {
        [colour.0, colour.1, colour.2].map(|value| {
            let value = f64::from(value) / 255.0;
            if value <= 0.04045 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        })
    }

    fn applied(matrix: [[f64; 3]; 3], light: [f64; 3]) -> [f64; 3] {
        matrix.map(|row| row.iter().zip(light).map(|(a, b)| a * b).sum())
    }

    /// CIE L*a*b* of linear light (sRGB primaries, D65).
    fn lab(light: [f64; 3]) -> [f64; 3] {
        let xyz = applied(
            [
                [0.4124, 0.3576, 0.1805],
                [0.2126, 0.7152, 0.0722],
                [0.0193, 0.1192, 0.9505],
            ],
            light,
        );
        let white = [0.9505, 1.0, 1.089];
        let [x, y, z] = [0, 1, 2].map(|n| {
            let ratio: f64 = xyz[n] / white[n];
            if ratio > 216.0 / 24389.0 {
                ratio.cbrt()
            } else {
                (24389.0 / 27.0 * ratio + 16.0) / 116.0
            }
        });
        [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
    }

    #[test]
    fn colours_stay_apart_for_colour_blind_eyes() {
        // Normal sight, and full protanopia, deuteranopia and tritanopia after Machado, Oliveira and
        // Fernandes (2009).
        let sights = [
            [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
            [
                [0.152286, 1.052583, -0.204868],
                [0.114503, 0.786281, 0.099216],
                [-0.003882, -0.048116, 1.051998],
            ],
            [
                [0.367322, 0.860646, -0.227968],
                [0.280085, 0.672501, 0.047413],
                [-0.011820, 0.042940, 0.968881],
            ],
            [
                [1.255528, -0.076749, -0.178779],
                [-0.078411, 0.930809, 0.147602],
                [0.004733, 0.691367, 0.303900],
            ],
        ];
        for sight in sights {
            let seen = COLOURS.map(|c| lab(applied(sight, linear(c)).map(|v| v.clamp(0.0, 1.0))));
            for (n, one) in seen.iter().enumerate() {
                for (m, other) in seen.iter().enumerate().take(n) {
                    let difference: f64 = one.iter().zip(other).map(|(a, b)| (a - b).powi(2)).sum();
                    // A just noticeable difference is about 2.3.
                    assert!(
                        difference.sqrt() > 9.0,
                        "{m} and {n}: {}",
                        difference.sqrt()
                    );
                }
            }
        }
    }

    #[test]
    fn no_two_series_or_classes_look_alike() {
        let lines: Vec<_> = (0..MAX_LINES)
            .map(|n| (pen(n).colour, pen(n).dashed))
            .collect();
        let classes: Vec<_> = (0..MAX_CLASSES).map(|n| (colour(n), mark(n))).collect();
        for (n, line) in lines.iter().enumerate() {
            assert!(!lines[..n].contains(line), "{n}");
        }
        for (n, class) in classes.iter().enumerate() {
            assert!(!classes[..n].contains(class), "{n}");
        }
        // Beyond the limits, colours and marks repeat.
        assert_eq!(lines[0], (pen(MAX_LINES).colour, pen(MAX_LINES).dashed));
        assert_eq!(classes[0], (colour(MAX_CLASSES), mark(MAX_CLASSES)));
    }

    #[test]
    fn marks_cover_what_their_shape_says() {
        let covered = |mark: Mark| {
            let side = -20..=20;
            let cells = side.clone().flat_map(|x| side.clone().map(move |y| (x, y)));
            cells
                .map(|(x, y)| mark.coverage(f64::from(x), f64::from(y), 10.0))
                .sum::<f64>()
        };
        let disc = covered(Mark::Disc);
        assert!((disc - std::f64::consts::PI * 100.0).abs() < 2.0, "{disc}");
        assert_eq!(Mark::Ring.coverage(0.0, 0.0, 10.0), 0.0);
        assert_eq!(Mark::Ring.coverage(9.0, 0.0, 10.0), 1.0);
        assert_eq!(Mark::Cross.coverage(9.0, 0.0, 10.0), 1.0);
        assert_eq!(Mark::Cross.coverage(7.0, 7.0, 10.0), 0.0);
        // The marks have similar areas, and all lie inside the drawn square.
        for mark in MARKS {
            let weight = covered(mark) / disc;
            assert!((0.6..1.1).contains(&weight), "{mark:?}: {weight}");
            let outside = 10.0 * LARGEST_MARK + 1.0;
            assert_eq!(mark.coverage(outside, 0.0, 10.0), 0.0, "{mark:?}");
        }
    }
}
