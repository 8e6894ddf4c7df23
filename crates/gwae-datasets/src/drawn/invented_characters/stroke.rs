//! One movement of the pen.

use crate::drawn::pen::Point;
use crate::draws::Draws;

/// Number of curve points between two points of a smooth stroke.
const STEPS: usize = 8;

/// One movement of the pen, from the first point to the last.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stroke {
    pub(super) points: Vec<Point>,
    /// True for a curve through the points, false for straight lines between them.
    pub(super) smooth: bool,
}

impl Stroke {
    /// A nearly straight stroke of length 1: vertical, horizontal or slanted.
    pub(super) fn straight(draws: &mut Draws) -> Self {
        let angle = [0.0, 90.0, 90.0, 0.0, 45.0, -45.0, 60.0, -60.0][draws.below(8)];
        let bow = draws.bell(0.04);
        Self::turned(
            vec![[-0.5, 0.0], [0.0, bow], [0.5, 0.0]],
            true,
            angle + draws.bell(5.0),
        )
    }

    /// Whether it is a stroke of the kind that [`Stroke::straight`] makes.
    pub(super) fn is_straight(&self) -> bool {
        self.smooth && self.points.len() == 3
    }

    /// Two straight parts that meet at a corner.
    pub(super) fn corner(draws: &mut Draws) -> Self {
        let angle = [0.0, 90.0, 180.0, 270.0][draws.below(4)];
        let second = draws.between(0.4, 0.9);
        let lean = draws.between(-0.35, 0.35);
        Self::turned(
            vec![[0.35, -0.4], [-0.35, -0.4], [-0.35 + lean, -0.4 + second]],
            false,
            angle + draws.bell(4.0),
        )
    }

    /// Part of an ellipse, from a third of it to most of it.
    pub(super) fn arc(draws: &mut Draws) -> Self {
        let half = [draws.between(0.3, 0.5), draws.between(0.3, 0.5)];
        let from = 45.0 * draws.below(8) as f64;
        let sweep = draws.between(130.0, 290.0);
        Self {
            points: ellipse(half, from, from + sweep, 7),
            smooth: true,
        }
    }

    /// A whole ellipse.
    pub(super) fn ring(draws: &mut Draws) -> Self {
        let half = [draws.between(0.18, 0.4), draws.between(0.18, 0.4)];
        let from = 90.0 * draws.below(4) as f64;
        Self {
            points: ellipse(half, from, from + 355.0, 9),
            smooth: true,
        }
    }

    /// A straight part with a bent end, like a fishing hook.
    pub(super) fn hook(draws: &mut Draws) -> Self {
        let radius = draws.between(0.1, 0.24);
        let side = if draws.chance(0.5) { 1.0 } else { -1.0 };
        let mut points = vec![[0.0, -0.5], [0.0, -0.1], [0.0, 0.25]];
        let sweep = draws.between(110.0, 220.0);
        for step in 1..=4 {
            let angle = (sweep * f64::from(step) / 4.0).to_radians();
            points.push([
                side * radius * (1.0 - angle.cos()),
                0.25 + radius * angle.sin(),
            ]);
        }
        let angle = [0.0, 0.0, 90.0, 180.0, 270.0][draws.below(5)];
        Self::turned(points, true, angle + draws.bell(6.0))
    }

    /// A straight part that ends in a loop.
    pub(super) fn lasso(draws: &mut Draws) -> Self {
        let half = [draws.between(0.14, 0.28), draws.between(0.14, 0.28)];
        let side = if draws.chance(0.5) { 1.0 } else { -1.0 };
        let mut points = vec![[0.0, -0.5], [0.0, -0.15]];
        points.extend(
            ellipse(half, 180.0, -180.0, 8)
                .into_iter()
                .map(|[x, y]| [side * (x + half[0]), y + 0.2]),
        );
        let angle = [0.0, 90.0, 180.0, 270.0][draws.below(4)];
        Self::turned(points, true, angle + draws.bell(8.0))
    }

    /// A wave of `halves` half periods, or one or two more.
    pub(super) fn wave(draws: &mut Draws, halves: usize) -> Self {
        let halves = halves + draws.below(2);
        let height = draws.between(0.18, 0.34);
        let mut points = Vec::with_capacity(2 * halves + 1);
        for step in 0..=2 * halves {
            let across = match step % 4 {
                1 => -height,
                3 => height,
                _ => 0.0,
            };
            let along = step as f64 / (2 * halves) as f64 - 0.5;
            points.push([along, across + draws.bell(0.04)]);
        }
        let angle = [0.0, 0.0, 90.0, 180.0][draws.below(4)];
        Self::turned(points, true, angle + draws.bell(8.0))
    }

    /// `parts` straight parts to and fro, or one more.
    pub(super) fn zigzag(draws: &mut Draws, parts: usize) -> Self {
        let parts = parts + draws.below(2);
        let height = draws.between(0.2, 0.4);
        let points = (0..=parts)
            .map(|step| {
                let along = step as f64 / parts as f64 - 0.5;
                let across = if step % 2 == 0 { height } else { -height };
                [along + draws.bell(0.02), across + draws.bell(0.07)]
            })
            .collect();
        let angle = [0.0, 0.0, 0.0, 90.0][draws.below(4)];
        Self::turned(points, false, angle + draws.bell(5.0))
    }

    /// A curve through `points` points; each continues from the direction of the last one.
    pub(super) fn wandering(draws: &mut Draws, points: usize) -> Self {
        let mut direction = 45.0 * draws.below(8) as f64;
        let mut turn = draws.bell(50.0);
        let mut place = [0.0, 0.0];
        let mut path = vec![place];
        for _ in 1..points {
            let step = draws.between(0.22, 0.42);
            let (sin, cos) = f64::to_radians(direction).sin_cos();
            place = [place[0] + step * cos, place[1] + step * sin];
            path.push(place);
            turn = 0.5 * turn + draws.bell(62.0);
            direction += turn.clamp(-110.0, 110.0);
        }
        let mut stroke = Self {
            points: path,
            smooth: true,
        };
        let [low, high] = crate::drawn::pen::bounds(&stroke.points);
        let side = (high[0] - low[0]).max(high[1] - low[1]);
        stroke
            .map(|point| [0, 1].map(|axis| (point[axis] - (low[axis] + high[axis]) / 2.0) / side));
        stroke
    }

    /// A dot.
    pub(super) fn dot() -> Self {
        Self {
            points: vec![[0.0, 0.0], [0.03, 0.03]],
            smooth: false,
        }
    }

    fn turned(points: Vec<Point>, smooth: bool, degrees: f64) -> Self {
        let (sin, cos) = degrees.to_radians().sin_cos();
        let mut stroke = Self { points, smooth };
        stroke.map(|[x, y]| [x * cos - y * sin, x * sin + y * cos]);
        stroke
    }

    /// Moves every point.
    pub(super) fn map(&mut self, mut to: impl FnMut(Point) -> Point) {
        for point in &mut self.points {
            *point = to(*point);
        }
    }

    /// The point after a share of the points: 0 is the start, 1 is the end.
    pub(super) fn at(&self, share: f64) -> Point {
        let line = self.line();
        line[(share * (line.len() - 1) as f64).round() as usize]
    }

    /// The stroke as a line that is straight between its points and passes through all points of
    /// the stroke.
    ///
    /// Smooth strokes are uniform Catmull-Rom splines (Catmull & Rom 1974) whose ends are doubled.
    pub(super) fn line(&self) -> Vec<Point> {
        if !self.smooth || self.points.len() < 3 {
            return self.points.clone();
        }
        let last = self.points.len() - 1;
        let mut line = Vec::with_capacity(last * STEPS + 1);
        for piece in 0..last {
            let around = [
                self.points[piece.saturating_sub(1)],
                self.points[piece],
                self.points[piece + 1],
                self.points[(piece + 2).min(last)],
            ];
            for step in 0..STEPS {
                let t = step as f64 / STEPS as f64;
                line.push([0, 1].map(|axis| {
                    let [a, b, c, d] = around.map(|point| point[axis]);
                    let slope = (c - a) / 2.0;
                    let bend = a - 2.5 * b + 2.0 * c - 0.5 * d;
                    let twist = (d - a) / 2.0 + 1.5 * (b - c);
                    b + t * (slope + t * (bend + t * twist))
                }));
            }
        }
        line.push(self.points[last]);
        line
    }
}

/// `count` points of an ellipse around the origin, by degrees clockwise from its right end.
fn ellipse(half: Point, from: f64, to: f64, count: usize) -> Vec<Point> {
    (0..count)
        .map(|i| {
            let angle = (from + (to - from) * i as f64 / (count - 1) as f64).to_radians();
            [half[0] * angle.cos(), half[1] * angle.sin()]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_go_through_all_points() {
        let mut draws = Draws::new("test", 1, 0);
        for _ in 0..50 {
            let stroke = Stroke::wandering(&mut draws, 6);
            let line = stroke.line();
            assert_eq!(line.len(), 5 * STEPS + 1);
            for (place, point) in stroke.points.iter().enumerate() {
                let found = line[place * STEPS];
                assert!((found[0] - point[0]).hypot(found[1] - point[1]) < 1e-12);
            }
            assert_eq!(stroke.at(0.0), stroke.points[0]);
            assert_eq!(stroke.at(1.0), stroke.points[5]);
        }
    }

    #[test]
    fn splines_of_points_on_a_straight_line_are_straight() {
        let stroke = Stroke {
            points: (0..5).map(|i| [f64::from(i), 2.0 * f64::from(i)]).collect(),
            smooth: true,
        };
        for [x, y] in stroke.line() {
            assert!((y - 2.0 * x).abs() < 1e-12);
        }
    }
}
