//! Smooth lines, solid or dashed. The plotting library's lines are thinner at some slopes.

use plotters::prelude::*;

use super::axes::PlottingArea;
use super::canvas::{Canvas, OVERSAMPLING, text};
use super::series::Point;

/// Lengths in pixels of the dashes of a dashed line, and of the gaps between them.
const DASH: (f64, f64) = (9.0, 5.0);

/// The appearance of a line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pen {
    pub(crate) colour: RGBColor,
    /// Thickness in pixels.
    pub(crate) thickness: u32,
    pub(crate) dashed: bool,
}

impl Pen {
    /// A solid line.
    pub(crate) const fn solid(colour: RGBColor, thickness: u32) -> Self {
        Self {
            colour,
            thickness,
            dashed: false,
        }
    }

    /// A dashed line.
    pub(crate) const fn dashed(colour: RGBColor, thickness: u32) -> Self {
        Self {
            dashed: true,
            ..Self::solid(colour, thickness)
        }
    }

    /// Draws a line through `points`, in data coordinates inside the area.
    pub(crate) fn plot(self, area: &PlottingArea<'_>, points: &[Point]) -> Result<(), String> {
        let (left, top) = area.get_base_pixel();
        let place = |point: &Point| {
            let (x, y) = area.map_coordinate(point);
            (f64::from(x - left), f64::from(y - top))
        };
        let points: Vec<Point> = points.iter().map(place).collect();
        self.draw(&area.strip_coord_spec(), &points)
    }

    /// Draws a line through `points`, in pixels of the large canvas.
    pub(crate) fn draw(self, area: &Canvas<'_>, points: &[Point]) -> Result<(), String> {
        let segments = if self.dashed {
            dashes(points)
        } else {
            points.windows(2).map(|ends| [ends[0], ends[1]]).collect()
        };
        let radius = f64::from(self.thickness * OVERSAMPLING) / 2.0;
        let coverage = Coverage::of(&segments, radius, area.dim_in_pixel());
        coverage.paint(area, self.colour)
    }
}

/// The share of each pixel of a rectangle that a line covers. A pixel under several segments counts
/// once.
struct Coverage {
    left: i32,
    top: i32,
    columns: usize,
    rows: usize,
    shares: Vec<f32>,
}

impl Coverage {
    fn of(segments: &[[Point; 2]], radius: f64, (width, height): (u32, u32)) -> Self {
        let reach = radius + 1.0;
        // Half of a line along the edge lies outside.
        let range = |coordinate: fn(&Point) -> f64, size: u32| {
            let values = segments.iter().flatten().map(coordinate);
            let (low, high) = values.fold((f64::MAX, f64::MIN), |(low, high), value| {
                (low.min(value), high.max(value))
            });
            let low = (low - reach).floor().max(-reach) as i32;
            let high = (high + reach).ceil().min(f64::from(size) + reach) as i32;
            // Without segments, `high` is far below `low`.
            let count = high.saturating_sub(low).saturating_add(1);
            (low, usize::try_from(count).unwrap_or(0))
        };
        let (left, columns) = range(|point| point.0, width);
        let (top, rows) = range(|point| point.1, height);
        let mut coverage = Self {
            left,
            top,
            columns,
            rows,
            shares: vec![0.0; columns * rows],
        };
        for segment in segments {
            coverage.add(segment, radius);
        }
        coverage
    }

    fn add(&mut self, &[start, end]: &[Point; 2], radius: f64) {
        let along = (end.0 - start.0, end.1 - start.1);
        let squared = along.0 * along.0 + along.1 * along.1;
        let reach = radius + 1.0;
        let within = |low: f64, high: f64, first: i32, count: usize| {
            let low = (low - reach).floor() - f64::from(first);
            let high = (high + reach).ceil() - f64::from(first);
            // Negative numbers become 0.
            (low as usize)..(high.max(-1.0) + 1.0).min(count as f64) as usize
        };
        let rows = within(start.1.min(end.1), start.1.max(end.1), self.top, self.rows);
        for row in rows {
            let y = f64::from(self.top) + row as f64;
            // Visit only the part of the row near the segment.
            let at = |y: f64| match along.1 {
                0.0 => None,
                down => Some(start.0 + along.0 * ((y - start.1) / down).clamp(0.0, 1.0)),
            };
            let (from, to) = match (at(y - 2.0 * reach), at(y + 2.0 * reach)) {
                (Some(from), Some(to)) => (from.min(to), from.max(to)),
                _ => (start.0.min(end.0), start.0.max(end.0)),
            };
            for column in within(from, to, self.left, self.columns) {
                let x = f64::from(self.left) + column as f64;
                let away = (x - start.0, y - start.1);
                let share = if squared > 0.0 {
                    ((away.0 * along.0 + away.1 * along.1) / squared).clamp(0.0, 1.0)
                } else {
                    0.0
                };
                let distance = (away.0 - share * along.0).hypot(away.1 - share * along.1);
                let covered = (radius + 0.5 - distance).clamp(0.0, 1.0) as f32;
                let cell = &mut self.shares[row * self.columns + column];
                *cell = cell.max(covered);
            }
        }
    }

    fn paint(&self, area: &Canvas<'_>, colour: RGBColor) -> Result<(), String> {
        for (index, &share) in self.shares.iter().enumerate() {
            if share > 0.0 {
                let (row, column) = (index / self.columns, index % self.columns);
                let place = (self.left + column as i32, self.top + row as i32);
                area.draw_pixel(place, &colour.mix(f64::from(share)))
                    .map_err(text)?;
            }
        }
        Ok(())
    }
}

/// The visible parts of a dashed line through `points`; the pattern continues around corners.
fn dashes(points: &[Point]) -> Vec<[Point; 2]> {
    let (dash, gap) = (
        DASH.0 * f64::from(OVERSAMPLING),
        DASH.1 * f64::from(OVERSAMPLING),
    );
    let mut drawn = Vec::new();
    let (mut on, mut left) = (true, dash);
    for ends in points.windows(2) {
        let (start, end) = (ends[0], ends[1]);
        let length = (end.0 - start.0).hypot(end.1 - start.1);
        let at = |done: f64| {
            let share = done / length;
            (
                start.0 + share * (end.0 - start.0),
                start.1 + share * (end.1 - start.1),
            )
        };
        let mut done = 0.0;
        while done < length {
            let next = (done + left).min(length);
            if on {
                drawn.push([at(done), at(next)]);
            }
            left -= next - done;
            done = next;
            if left <= 0.0 {
                on = !on;
                left = if on { dash } else { gap };
            }
        }
    }
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dashes_go_on_around_corners() {
        // Dashes of 18 and gaps of 10 pixels of the large canvas, over 40 + 40.
        let drawn = dashes(&[(0.0, 0.0), (40.0, 0.0), (40.0, 40.0)]);
        let expected = [
            [(0.0, 0.0), (18.0, 0.0)],
            [(28.0, 0.0), (40.0, 0.0)],
            [(40.0, 0.0), (40.0, 6.0)],
            [(40.0, 16.0), (40.0, 34.0)],
        ];
        assert_eq!(drawn, expected);
        assert!(dashes(&[]).is_empty());
        assert!(dashes(&[(1.0, 1.0), (1.0, 1.0)]).is_empty());
    }

    fn coverage(segments: &[[Point; 2]], radius: f64) -> Coverage {
        Coverage::of(segments, radius, (100, 100))
    }

    #[test]
    fn lines_are_as_thick_at_every_slope() {
        for degrees in (0..180).step_by(7) {
            let (sine, cosine) = f64::from(degrees).to_radians().sin_cos();
            let end = |side: f64| (50.0 + side * 30.0 * cosine, 50.0 + side * 30.0 * sine);
            let covered: f32 = coverage(&[[end(-1.0), end(1.0)]], 2.0).shares.iter().sum();
            // 60 by 4, and half a disc at each end.
            let expected = 240.0 + std::f32::consts::PI * 4.0;
            assert!(
                (covered - expected).abs() < 0.02 * expected,
                "{degrees}: {covered}"
            );
        }
    }

    #[test]
    fn pixels_of_several_segments_count_once() {
        let (start, middle, end) = ((10.0, 10.0), (40.0, 25.0), (70.0, 40.0));
        let whole = coverage(&[[start, end]], 2.0);
        let parts = coverage(&[[start, middle], [middle, end], [start, end]], 2.0);
        assert_eq!(whole.shares.len(), parts.shares.len());
        for (one, other) in whole.shares.iter().zip(&parts.shares) {
            assert!((one - other).abs() < 1e-5);
        }
    }

    #[test]
    fn points_and_nothing_and_far_away_do_no_harm() {
        assert!(coverage(&[], 2.0).shares.is_empty());
        let dot: f32 = coverage(&[[(5.0, 5.0); 2]], 2.0).shares.iter().sum();
        assert!((dot - std::f32::consts::PI * 4.0).abs() < 0.6, "{dot}");
        for away in [-1e9, 1e9] {
            let cells = coverage(&[[(away, 5.0), (away, 9.0)]], 2.0).shares;
            assert!(cells.iter().all(|&share| share == 0.0));
            let crossing = coverage(&[[(5.0, 5.0), (away, away)]], 2.0);
            assert!(crossing.shares.len() < 110 * 110);
        }
    }
}
