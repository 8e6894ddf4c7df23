//! Draws lines of a round pen as pixels.

/// A point: to the right, downwards.
pub(crate) type Point = [f64; 2];

/// A grey square of `size`×`size` pixels: white (255) where a round pen of `width` pixels moved
/// along `lines`, black elsewhere. Points are in pixels from the top left corner. Each line is
/// straight between its points; a line of one point is a dot.
///
/// The value of a pixel is its coverage by a straight vertical or horizontal stroke at the same
/// distance. So strokes thinner than a pixel become greyer, and the mean of all pixels does not
/// depend on their size.
pub(crate) fn draw(size: usize, width: f64, lines: &[Vec<Point>]) -> Vec<u8> {
    let radius = width / 2.0;
    // Squared distance of every pixel's middle from the closest line.
    let mut nearest = vec![f64::INFINITY; size * size];
    for line in lines {
        match line[..] {
            [] => {}
            [dot] => draw_piece(size, radius, dot, dot, &mut nearest),
            _ => {
                for ends in line.windows(2) {
                    draw_piece(size, radius, ends[0], ends[1], &mut nearest);
                }
            }
        }
    }
    nearest
        .into_iter()
        .map(|squared| {
            if squared == f64::INFINITY {
                return 0;
            }
            (share(squared.sqrt(), radius) * 255.0).round() as u8
        })
        .collect()
}

/// The share of a pixel's width that a stroke from `-radius` to `radius` covers if the pixel's
/// middle is at `distance`.
fn share(distance: f64, radius: f64) -> f64 {
    ((distance + 0.5).min(radius) - (distance - 0.5).max(-radius)).clamp(0.0, 1.0)
}

fn draw_piece(size: usize, radius: f64, from: Point, to: Point, nearest: &mut [f64]) {
    let reach = radius + 0.5;
    let near = |axis: usize| {
        let low = from[axis].min(to[axis]) - reach - 0.5;
        let high = from[axis].max(to[axis]) + reach - 0.5;
        // Negative positions become 0.
        (low.ceil() as usize)..((high + 1.0).floor() as usize).min(size)
    };
    let columns = near(0);
    for row in near(1) {
        for column in columns.clone() {
            let middle = [column as f64 + 0.5, row as f64 + 0.5];
            let squared = squared_distance(middle, from, to);
            let known = &mut nearest[row * size + column];
            *known = known.min(squared);
        }
    }
}

/// Squared distance of a point from the segment between two others.
pub(crate) fn squared_distance(point: Point, from: Point, to: Point) -> f64 {
    let along = [to[0] - from[0], to[1] - from[1]];
    let off = [point[0] - from[0], point[1] - from[1]];
    let length = along[0] * along[0] + along[1] * along[1];
    let part = if length > 0.0 {
        ((off[0] * along[0] + off[1] * along[1]) / length).clamp(0.0, 1.0)
    } else {
        0.0
    };
    let rest = [off[0] - part * along[0], off[1] - part * along[1]];
    rest[0] * rest[0] + rest[1] * rest[1]
}

/// The bounding box of all points: its top left and its bottom right corner. Without points, the
/// corners are infinite and reversed.
pub(crate) fn bounds<'a>(points: impl IntoIterator<Item = &'a Point>) -> [Point; 2] {
    let mut bounds = [[f64::INFINITY; 2], [f64::NEG_INFINITY; 2]];
    for point in points {
        for axis in 0..2 {
            bounds[0][axis] = bounds[0][axis].min(point[axis]);
            bounds[1][axis] = bounds[1][axis].max(point[axis]);
        }
    }
    bounds
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ink(pixels: &[u8]) -> f64 {
        pixels.iter().map(|&value| f64::from(value)).sum::<f64>() / 255.0
    }

    #[test]
    fn upright_strokes_cover_exactly_their_area() {
        // Across the whole square, so that the ends have no effect.
        for width in [0.25, 0.5, 1.0, 1.7, 3.0] {
            for place in [8.0, 8.2, 8.5, 8.9] {
                let line = vec![vec![[place, -5.0], [place, 25.0]]];
                let found = ink(&draw(16, width, &line));
                // 16 rows; values are rounded to 255 steps, 5 pixels in each row.
                assert!((found - 16.0 * width).abs() <= 16.0 * 5.0 * 0.5 / 255.0);
            }
        }
    }

    #[test]
    fn slanted_strokes_and_dots_cover_about_their_area() {
        let line = vec![vec![[10.0, 12.0], [50.0, 40.0]]];
        let length = 40.0_f64.hypot(28.0);
        for width in [2.0, 4.0, 6.0] {
            let cap = std::f64::consts::PI * width * width / 4.0;
            let found = ink(&draw(64, width, &line));
            assert!((found / (length * width + cap) - 1.0).abs() < 0.02);
            let dot = ink(&draw(64, width, &[vec![[20.3, 30.6]]]));
            assert!((dot / cap - 1.0).abs() < 0.2, "{dot} {cap}");
        }
    }

    #[test]
    fn nothing_outside_of_the_square_matters() {
        let outside = [
            vec![[-30.0, -30.0]],
            vec![[100.0, 5.0], [200.0, 9.0]],
            vec![[5.0, -100.0], [9.0, -20.0]],
            vec![],
        ];
        assert_eq!(draw(16, 3.0, &outside), vec![0; 256]);
        assert_eq!(draw(1, 3.0, &[vec![[0.5, 0.5]]]), [255]);
    }

    #[test]
    fn every_pixel_in_reach_is_drawn() {
        // Compared with all pixels, not only with those near a segment.
        let line = vec![vec![[3.2, 4.1], [12.9, 9.7], [4.4, 13.3]]];
        let found = draw(16, 2.6, &line);
        for (place, &value) in found.iter().enumerate() {
            let middle = [(place % 16) as f64 + 0.5, (place / 16) as f64 + 0.5];
            let squared = line[0]
                .windows(2)
                .map(|ends| squared_distance(middle, ends[0], ends[1]))
                .fold(f64::INFINITY, f64::min);
            assert_eq!(value, (share(squared.sqrt(), 1.3) * 255.0).round() as u8);
        }
    }
}
