//! Colours and marks for series and classes that colour-blind readers can tell apart too.

use plotters::prelude::*;

use super::canvas::{Canvas, text};
use super::lines::Pen;

/// Ten colours that are far from each other in every sight, found by simulated annealing. The
/// order is chosen so that every beginning of the list is far apart too.
///
/// The smallest CIEDE2000 distance between two of them, with full colour blindness after Machado,
/// Oliveira and Fernandes (2009), compared with published palettes:
///
/// | palette | colours | normal | protanopia | deuteranopia | tritanopia | contrast to white |
/// |---|---|---|---|---|---|---|
/// | this one | 10 | 22.8 | 17.5 | 17.8 | 18.0 | 3.01 |
/// | Petroff (2021) | 10 | 17.4 | 11.9 | 12.6 | 13.3 | 1.58 |
/// | Okabe and Ito | 8 | 21.7 | 12.3 | 11.6 | 10.9 | 1.32 |
/// | Tol, muted | 10 | 15.0 | 11.8 | 14.3 | 11.5 | 1.36 |
/// | Tableau 10 | 10 | 16.2 | 1.3 | 3.3 | 9.5 | 2.01 |
///
/// WCAG 2.1 asks for a contrast of 3 between graphics and their background.
const COLOURS: [RGBColor; 10] = [
    RGBColor(29, 0, 185),
    RGBColor(198, 137, 0),
    RGBColor(43, 164, 167),
    RGBColor(116, 100, 98),
    RGBColor(55, 56, 35),
    RGBColor(85, 38, 71),
    RGBColor(167, 98, 255),
    RGBColor(161, 77, 0),
    RGBColor(148, 151, 124),
    RGBColor(53, 110, 143),
];

const MARKS: [Mark; 3] = [Mark::Disc, Mark::Ring, Mark::Cross];

/// Radius of the largest mark, relative to its nominal radius.
const LARGEST_MARK: f64 = 1.2;

/// Largest number of distinct lines: each colour solid and dashed.
pub(crate) const MAX_LINES: usize = 2 * COLOURS.len();

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

    /// CIEDE2000, after Sharma, Wu and Dalal (2005).
    fn difference(one: [f64; 3], other: [f64; 3]) -> f64 {
        let chroma = |[_, a, b]: [f64; 3]| a.hypot(b);
        let seventh = |chroma: f64| {
            let power = chroma.powi(7);
            (power / (power + 25f64.powi(7))).sqrt()
        };
        let stretch = 1.5 - 0.5 * seventh((chroma(one) + chroma(other)) / 2.0);
        let [one, other] = [one, other].map(|[l, a, b]| [l, a * stretch, b]);
        let (c1, c2) = (chroma(one), chroma(other));
        let hue = |[_, a, b]: [f64; 3]| b.atan2(a).to_degrees().rem_euclid(360.0);
        let (h1, h2) = (hue(one), hue(other));
        let turn = (h2 - h1 + 180.0).rem_euclid(360.0) - 180.0;
        let (lightness, c) = ((one[0] + other[0]) / 2.0, (c1 + c2) / 2.0);
        let h = h1 + turn / 2.0;
        let cosine = |degrees: f64| degrees.to_radians().cos();
        let t =
            1.0 - 0.17 * cosine(h - 30.0) + 0.24 * cosine(2.0 * h) + 0.32 * cosine(3.0 * h + 6.0)
                - 0.20 * cosine(4.0 * h - 63.0);
        let from_blue = (h.rem_euclid(360.0) - 275.0) / 25.0;
        let rotation = 60.0 * (-from_blue * from_blue).exp();
        let square = (lightness - 50.0).powi(2);
        let along_l = (other[0] - one[0]) / (1.0 + 0.015 * square / (20.0 + square).sqrt());
        let along_c = (c2 - c1) / (1.0 + 0.045 * c);
        let chord = 2.0 * (c1 * c2).sqrt() * (turn / 2.0).to_radians().sin();
        let along_h = chord / (1.0 + 0.015 * c * t);
        let cross = -2.0 * seventh(c) * rotation.to_radians().sin() * along_c * along_h;
        (along_l * along_l + along_c * along_c + along_h * along_h + cross).sqrt()
    }

    /// Four pairs of the test data that Sharma, Wu and Dalal publish.
    #[test]
    fn colour_differences_are_those_of_the_published_test_data() {
        for (one, other, expected) in [
            ([50.0, 2.6772, -79.7751], [50.0, 0.0, -82.7485], 2.0425),
            ([50.0, 2.5, 0.0], [61.0, -5.0, 29.0], 22.8977),
            ([50.0, 2.5, 0.0], [58.0, 24.0, 15.0], 19.4535),
            ([2.0776, 0.0795, -1.135], [0.9033, -0.0636, -0.5514], 0.9082),
        ] {
            let found = difference(one, other);
            assert!((found - expected).abs() < 1e-4, "{found} {expected}");
        }
    }

    /// The smallest difference between two colours with normal sight, and with full protanopia,
    /// deuteranopia and tritanopia after Machado, Oliveira and Fernandes (2009).
    fn smallest_differences(colours: &[RGBColor]) -> [f64; 4] {
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
        sights.map(|sight| {
            let seen = colours.iter().map(|colour| {
                let light = applied(sight, linear(*colour));
                lab(light.map(|part| part.clamp(0.0, 1.0)))
            });
            let seen: Vec<[f64; 3]> = seen.collect();
            let pairs = seen.iter().enumerate();
            let pairs = pairs.flat_map(|(n, one)| seen[..n].iter().map(move |other| (one, other)));
            pairs.fold(f64::INFINITY, |least, (one, other)| {
                least.min(difference(*one, *other))
            })
        })
    }

    #[test]
    fn colours_are_further_apart_than_those_of_published_palettes() {
        let found = smallest_differences(&COLOURS);
        for (found, documented) in found.iter().zip([22.8, 17.5, 17.8, 18.0]) {
            assert!((found - documented).abs() < 0.1, "{found}, {documented}");
        }
        let worst = |differences: [f64; 4]| differences.into_iter().fold(f64::INFINITY, f64::min);
        let okabe_ito = [
            RGBColor(0, 0, 0),
            RGBColor(230, 159, 0),
            RGBColor(86, 180, 233),
            RGBColor(0, 158, 115),
            RGBColor(240, 228, 66),
            RGBColor(0, 114, 178),
            RGBColor(213, 94, 0),
            RGBColor(204, 121, 167),
        ];
        let petroff = [
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
        for published in [&okabe_ito[..], &petroff[..]] {
            let published = worst(smallest_differences(published));
            assert!(worst(found) > 1.4 * published, "{published}");
        }
    }

    #[test]
    fn colours_stand_out_from_white() {
        for colour in COLOURS {
            let light: f64 = [0.2126, 0.7152, 0.0722]
                .iter()
                .zip(linear(colour))
                .map(|(weight, light)| weight * light)
                .sum();
            // The contrast that WCAG 2.1 defines.
            let contrast = 1.05 / (light + 0.05);
            assert!(contrast >= 3.0, "{colour:?}: {contrast}");
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
