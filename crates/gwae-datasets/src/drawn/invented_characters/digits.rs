//! Whether a character looks like a digit.

use std::sync::LazyLock;

use crate::drawn::pen::{Point, bounds};

/// A character looks like a digit if its distance from the digit's skeleton is below this. The unit
/// is the longer side of the character's box.
const TOO_CLOSE: f64 = 0.08;
/// Number of points of a skeleton and of a character in a comparison.
const POINTS: usize = 32;
/// Sideways shift from bottom to top, in heights: digits lean to either side.
const SLANTS: [f64; 3] = [-0.3, 0.0, 0.3];
/// Widths, as multiples of the skeletons' widths: digits are narrow or wide.
const WIDTHS: [f64; 2] = [0.8, 1.4];

/// Skeletons of the ten digits in their usual forms, slants and widths, as points at equal
/// distances.
static SKELETONS: LazyLock<Vec<Vec<Point>>> = LazyLock::new(|| {
    let mut skeletons = Vec::new();
    for digit in digits() {
        for slant in SLANTS {
            for width in WIDTHS {
                let lines: Vec<Vec<Point>> = digit
                    .iter()
                    .map(|line| {
                        line.iter()
                            .map(|[x, y]| [x * width - y * slant, *y])
                            .collect()
                    })
                    .collect();
                skeletons.push(comparable(&lines));
            }
        }
    }
    skeletons
});

/// Whether the lines, straight between their points, are close to those of a digit in any usual
/// form, slant and width.
pub(super) fn looks_like_a_digit(lines: &[Vec<Point>]) -> bool {
    let points = comparable(lines);
    SKELETONS
        .iter()
        .any(|skeleton| distance(&points, skeleton) < TOO_CLOSE)
}

/// Symmetric chamfer distance (Barrow et al. 1977): the mean distance of each set's points from the
/// closest point of the other set, averaged over both directions.
fn distance(a: &[Point], b: &[Point]) -> f64 {
    let mut from_b = vec![f64::INFINITY; b.len()];
    let mut sum = 0.0;
    for p in a {
        let mut from_p = f64::INFINITY;
        for (q, from_q) in b.iter().zip(&mut from_b) {
            let squared = (p[0] - q[0]).powi(2) + (p[1] - q[1]).powi(2);
            from_p = from_p.min(squared);
            *from_q = from_q.min(squared);
        }
        sum += from_p.sqrt();
    }
    let back: f64 = from_b.into_iter().map(f64::sqrt).sum();
    (sum / a.len() as f64 + back / b.len() as f64) / 2.0
}

/// Points at equal distances along the lines, in a box centred at the origin whose longer side is
/// 1.
fn comparable(lines: &[Vec<Point>]) -> Vec<Point> {
    let pieces = || lines.iter().flat_map(|line| line.windows(2));
    let length = |piece: &[Point]| (piece[1][0] - piece[0][0]).hypot(piece[1][1] - piece[0][1]);
    let step = pieces().map(length).sum::<f64>() / POINTS as f64;
    let [low, high] = bounds(lines.iter().flatten());
    let side = (high[0] - low[0])
        .max(high[1] - low[1])
        .max(f64::MIN_POSITIVE);
    let mut points = Vec::with_capacity(POINTS + 1);
    let mut next = step / 2.0;
    for piece in pieces() {
        let length = length(piece);
        while next < length {
            points.push([0, 1].map(|axis| {
                let place = piece[0][axis] + (piece[1][axis] - piece[0][axis]) * next / length;
                (place - (low[axis] + high[axis]) / 2.0) / side
            }));
            next += step;
        }
        next -= length;
    }
    points
}

/// The usual forms of the digits, about 1 high and 0.6 wide.
fn digits() -> Vec<Vec<Vec<Point>>> {
    let line = |points: &[Point]| points.to_vec();
    let joined = |parts: &[Vec<Point>]| parts.concat();
    vec![
        // 0: oval and round
        vec![arc([0.3, 0.5], [0.3, 0.5], 0.0, 360.0)],
        vec![arc([0.5, 0.5], [0.5, 0.5], 0.0, 360.0)],
        // 1: a stroke, with a flag, with a flag and a foot
        vec![line(&[[0.3, 0.0], [0.3, 1.0]])],
        vec![line(&[[0.0, 0.25], [0.3, 0.0], [0.3, 1.0]])],
        vec![
            line(&[[0.1, 0.2], [0.3, 0.0], [0.3, 1.0]]),
            line(&[[0.0, 1.0], [0.6, 1.0]]),
        ],
        // 2
        vec![joined(&[
            arc([0.3, 0.28], [0.28, 0.28], 180.0, 400.0),
            line(&[[0.0, 1.0], [0.6, 1.0]]),
        ])],
        // 3
        vec![joined(&[
            arc([0.28, 0.25], [0.26, 0.25], 200.0, 450.0),
            arc([0.28, 0.72], [0.3, 0.28], 270.0, 520.0),
        ])],
        // 4: open and closed
        vec![
            line(&[[0.05, 0.0], [0.0, 0.6], [0.6, 0.6]]),
            line(&[[0.45, 0.0], [0.45, 1.0]]),
        ],
        vec![
            line(&[[0.45, 0.0], [0.0, 0.6], [0.6, 0.6]]),
            line(&[[0.45, 0.0], [0.45, 1.0]]),
        ],
        // 5
        vec![joined(&[
            line(&[[0.55, 0.0], [0.1, 0.0], [0.05, 0.45]]),
            arc([0.27, 0.68], [0.3, 0.3], 225.0, 500.0),
        ])],
        // 6
        vec![joined(&[
            line(&[[0.45, 0.0], [0.2, 0.25], [0.02, 0.7]]),
            arc([0.3, 0.7], [0.28, 0.28], 180.0, -180.0),
        ])],
        // 7: without and with a bar
        vec![line(&[[0.0, 0.0], [0.6, 0.0], [0.2, 1.0]])],
        vec![
            line(&[[0.0, 0.0], [0.6, 0.0], [0.2, 1.0]]),
            line(&[[0.1, 0.5], [0.6, 0.5]]),
        ],
        // 8
        vec![
            arc([0.3, 0.25], [0.24, 0.24], 0.0, 360.0),
            arc([0.3, 0.73], [0.28, 0.27], 0.0, 360.0),
        ],
        // 9: straight and curved
        vec![
            arc([0.3, 0.28], [0.28, 0.28], 0.0, 360.0),
            line(&[[0.58, 0.28], [0.5, 1.0]]),
        ],
        vec![
            arc([0.3, 0.28], [0.28, 0.28], 0.0, 360.0),
            line(&[[0.58, 0.28], [0.5, 0.8], [0.1, 1.0]]),
        ],
    ]
}

/// Part of an ellipse, by degrees clockwise from its right end.
fn arc(middle: Point, half: Point, from: f64, to: f64) -> Vec<Point> {
    (0..=24)
        .map(|i| {
            let angle = (from + (to - from) * f64::from(i) / 24.0).to_radians();
            [
                middle[0] + half[0] * angle.cos(),
                middle[1] + half[1] * angle.sin(),
            ]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_of_any_size_look_like_digits() {
        for (number, digit) in digits().iter().enumerate() {
            let moved: Vec<Vec<Point>> = digit
                .iter()
                .map(|line| {
                    line.iter()
                        .map(|[x, y]| [5.0 + 30.0 * x, 30.0 * y])
                        .collect()
                })
                .collect();
            assert!(looks_like_a_digit(&moved), "form {number}");
        }
    }

    #[test]
    fn a_cross_with_a_frame_does_not() {
        let lines = [
            vec![[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.0, 0.0]],
            vec![[0.0, 0.0], [1.0, 1.0]],
            vec![[1.0, 0.0], [0.0, 1.0]],
        ];
        assert!(!looks_like_a_digit(&lines));
    }

    #[test]
    fn distances_are_those_of_the_closest_points() {
        let a = [[0.0, 0.0], [1.0, 0.0]];
        let b = [[0.0, 3.0], [1.0, 1.0], [5.0, 0.0]];
        // From a: √2 and 1. From b: 3, 1 and 4.
        let expected = ((2.0_f64.sqrt() + 1.0) / 2.0 + 8.0 / 3.0) / 2.0;
        assert!((distance(&a, &b) - expected).abs() < 1e-12);
        assert!((distance(&b, &a) - expected).abs() < 1e-12);
    }

    #[test]
    fn points_are_at_equal_distances_over_all_lines() {
        let points = comparable(&[vec![[2.0, 2.0], [2.0, 4.0]], vec![[3.0, 2.0], [3.0, 4.0]]]);
        assert!(points.len().abs_diff(POINTS) <= 1);
        assert_eq!(
            points.iter().filter(|point| point[0] < 0.0).count(),
            POINTS / 2
        );
        // Two lines of half the points each, so a step is 1 of 16 lengths of a line.
        assert!((points[1][1] - points[0][1] - 1.0 / 16.0).abs() < 1e-12);
    }
}
