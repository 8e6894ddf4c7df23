//! How a person draws a character: each drawing varies, but the style is the person's own.

use super::script::Character;
use super::stroke::Stroke;
use crate::drawn::pen::{Point, bounds};
use crate::draws::Draws;

/// Minimum distance of a stroke's middle from the border, relative to the frame.
const MARGIN: f64 = 0.04;

/// The habits of one drawer.
pub(super) struct Hand {
    /// Width of the pen, relative to the frame.
    pub(super) pen: f64,
    /// Longer side of a character, relative to the frame.
    size: f64,
    /// Ratio of width to height.
    stretch: f64,
    /// Sideways shift per height, upwards to the right.
    slant: f64,
    /// Standard deviation of the pen's position, relative to the character.
    care: f64,
}

impl Hand {
    /// The drawer with this number.
    pub(super) fn new(seed: u64, drawer: u64) -> Self {
        let mut draws = Draws::new("drawer of invented characters", seed, drawer);
        Self {
            pen: draws.between(0.0357, 0.0450),
            size: draws.between(0.58, 0.80),
            stretch: draws.between(0.87, 1.15),
            slant: draws.bell(0.12),
            care: draws.between(0.012, 0.028),
        }
    }

    /// The lines of one drawing of a character, relative to the frame, from its top left corner.
    pub(super) fn draw(&self, character: &Character, draws: &mut Draws) -> Vec<Vec<Point>> {
        let size = self.size * (1.0 + draws.bell(0.08));
        let stretch = self.stretch * (1.0 + draws.bell(0.05));
        let slant = self.slant + draws.bell(0.06);
        let (sin, cos) = draws.bell(4.0).to_radians().sin_cos();
        let middle = [0.48 + draws.bell(0.04), 0.48 + draws.bell(0.04)];
        let mut lines: Vec<Vec<Point>> = character
            .strokes
            .iter()
            .map(|stroke| self.line(stroke, draws))
            .collect();
        for [x, y] in lines.iter_mut().flatten() {
            let (u, v) = (*x * stretch - *y * slant, *y / stretch);
            *x = middle[0] + size * (u * cos - v * sin);
            *y = middle[1] + size * (u * sin + v * cos);
        }
        fit(&mut lines);
        lines
    }

    /// One stroke with small changes of position, size and direction. Each point moves a little,
    /// and straight parts bend a little.
    fn line(&self, stroke: &Stroke, draws: &mut Draws) -> Vec<Point> {
        let [low, high] = bounds(&stroke.points);
        let middle = [(low[0] + high[0]) / 2.0, (low[1] + high[1]) / 2.0];
        let shift = [draws.bell(self.care), draws.bell(self.care)];
        let scale = 1.0 + draws.bell(2.0 * self.care);
        let (sin, cos) = draws.bell(150.0 * self.care).to_radians().sin_cos();
        let mut drawn = stroke.clone();
        drawn.map(|point| {
            let [x, y] = [point[0] - middle[0], point[1] - middle[1]];
            [
                middle[0] + shift[0] + scale * (x * cos - y * sin) + draws.bell(self.care),
                middle[1] + shift[1] + scale * (x * sin + y * cos) + draws.bell(self.care),
            ]
        });
        if !drawn.smooth {
            drawn = self.bent(&drawn, draws);
        }
        let mut line = drawn.line();
        for place in line.iter_mut().flatten() {
            *place += draws.bell(0.003);
        }
        line
    }

    /// Bends straight parts slightly, as a hand does, and keeps their corners.
    fn bent(&self, stroke: &Stroke, draws: &mut Draws) -> Stroke {
        let mut points = Vec::new();
        for ends in stroke.points.windows(2) {
            let along = [ends[1][0] - ends[0][0], ends[1][1] - ends[0][1]];
            let bow = draws.bell(2.0 * self.care);
            let part = Stroke {
                points: vec![
                    ends[0],
                    [
                        (ends[0][0] + ends[1][0]) / 2.0 - bow * along[1],
                        (ends[0][1] + ends[1][1]) / 2.0 + bow * along[0],
                    ],
                    ends[1],
                ],
                smooth: true,
            };
            points.extend(part.line());
        }
        Stroke {
            points,
            smooth: false,
        }
    }
}

/// Shrinks lines that leave the frame, and moves them back into it.
fn fit(lines: &mut [Vec<Point>]) {
    let [low, high] = bounds(lines.iter().flatten());
    let free = 1.0 - 2.0 * MARGIN;
    let side = (high[0] - low[0]).max(high[1] - low[1]);
    let scale = (free / side).min(1.0);
    for axis in 0..2 {
        let half = scale * (high[axis] - low[axis]) / 2.0;
        let middle = (low[axis] + high[axis]) / 2.0;
        // Rounding may reverse the bounds if there is no free space.
        let inside = middle.max(MARGIN + half).min(1.0 - MARGIN - half);
        for point in lines.iter_mut().flatten() {
            point[axis] = inside + scale * (point[axis] - middle);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawings_are_inside_of_the_frame() {
        for number in 0..60 {
            let character = Character::invent(3, number);
            for drawer in 0..20 {
                let mut draws = Draws::new("test", number, drawer);
                let lines = Hand::new(3, drawer).draw(&character, &mut draws);
                let [low, high] = bounds(lines.iter().flatten());
                for axis in 0..2 {
                    assert!(low[axis] > MARGIN - 1e-9 && high[axis] < 1.0 - MARGIN + 1e-9);
                }
            }
        }
    }

    #[test]
    fn what_is_too_large_is_made_to_fit() {
        let mut lines = vec![vec![[-3.0, 0.2], [5.0, 0.2]], vec![[0.0, 0.2], [0.0, 1.2]]];
        fit(&mut lines);
        let [low, high] = bounds(lines.iter().flatten());
        assert!((low[0] - MARGIN).abs() < 1e-12 && (high[0] - 1.0 + MARGIN).abs() < 1e-12);
        // The shapes do not change.
        let width = high[0] - low[0];
        assert!(((high[1] - low[1]) / width - 1.0 / 8.0).abs() < 1e-12);
    }
}
