//! Axes with their numbers, and the heading above the plot.

use std::ops::Range;

use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;

use super::canvas::{AXIS, Canvas, MARGIN, SOFT_TEXT, TEXT, font, left_of, scaled, stroke, text};
use super::labels::fitted;
use super::series::Point;

/// Space right of a plotting area.
pub(crate) const MARGIN_RIGHT: u32 = 26;

/// Space below the axis of a plotting area.
pub(crate) const MARGIN_BELOW: u32 = 8;

/// Space for the numbers of each axis, and for the name of the horizontal one.
pub(crate) const NUMBERS_BELOW: u32 = 44;
pub(crate) const NUMBERS_LEFT: u32 = 62;

/// Space for the name of the vertical axis.
pub(crate) const NAME_LEFT: u32 = 22;

/// Space left and right of a plotting area with named axes.
pub(crate) const PANEL_MARGINS: u32 = MARGIN + NUMBERS_LEFT + NAME_LEFT + MARGIN_RIGHT;

/// Height of the strip above a plotting area, for its heading.
pub(crate) const HEADING: u32 = 32;

const MESH: RGBColor = RGBColor(232, 234, 237);

pub(crate) type Coordinates = Cartesian2d<RangedCoordf64, RangedCoordf64>;
pub(crate) type PlottingArea<'a> = DrawingArea<BitMapBackend<'a>, Coordinates>;

/// An axis of a plot.
pub(crate) struct Axis<'a> {
    /// Name of its quantity; may be empty.
    name: &'a str,
    range: Range<f64>,
    /// Largest number of labels along it.
    numbers: usize,
    /// Formats a number, given the range.
    label: fn(f64, &Range<f64>) -> String,
}

impl<'a> Axis<'a> {
    /// An axis with at most six numbers.
    pub(crate) fn new(
        name: &'a str,
        range: Range<f64>,
        label: fn(f64, &Range<f64>) -> String,
    ) -> Self {
        Self {
            name,
            range,
            numbers: 6,
            label,
        }
    }

    /// The same axis with at most `most` numbers.
    pub(crate) fn with_numbers(self, numbers: usize) -> Self {
        Self { numbers, ..self }
    }
}

/// Space for the numbers of a horizontal axis without a name.
const NUMBERS_ALONE: u32 = 26;

/// Draws axes and the lines of the mesh, leaves `above` pixels free, and returns the area inside
/// the axes.
pub(crate) fn draw_axes<'a>(
    panel: &Canvas<'a>,
    above: u32,
    x: Axis<'_>,
    y: Axis<'_>,
) -> Result<PlottingArea<'a>, String> {
    let left = if y.name.is_empty() { 0 } else { NAME_LEFT };
    let below = match x.name.is_empty() {
        true => NUMBERS_ALONE,
        false => NUMBERS_BELOW,
    };
    let mut chart = ChartBuilder::on(panel)
        .margin_top(scaled(above))
        .margin_left(scaled(MARGIN))
        .margin_right(scaled(MARGIN_RIGHT))
        .margin_bottom(scaled(MARGIN_BELOW))
        .x_label_area_size(scaled(below))
        .y_label_area_size(scaled(NUMBERS_LEFT + left))
        .build_cartesian_2d(x.range.clone(), y.range.clone())
        .map_err(text)?;
    let (x_label, y_label) = (
        |value: &f64| (x.label)(*value, &x.range),
        |value: &f64| (y.label)(*value, &y.range),
    );
    let mut mesh = chart.configure_mesh();
    mesh.x_labels(x.numbers)
        .y_labels(y.numbers)
        .max_light_lines(0)
        .bold_line_style(stroke(MESH, 1))
        .axis_style(stroke(AXIS, 1))
        .set_all_tick_mark_size(scaled(4))
        .label_style(font(14, SOFT_TEXT))
        .axis_desc_style(font(15, SOFT_TEXT))
        .x_desc(x.name)
        .x_label_formatter(&x_label)
        .y_label_formatter(&y_label);
    if !y.name.is_empty() {
        mesh.y_desc(y.name);
    }
    mesh.draw().map_err(text)?;
    Ok(chart.plotting_area().clone())
}

/// Writes the name of a panel above its plotting area, which has a named vertical axis.
pub(crate) fn draw_heading(panel: &Canvas<'_>, name: &str) -> Result<(), String> {
    let left = scaled(MARGIN + NUMBERS_LEFT + NAME_LEFT);
    let room = panel.dim_in_pixel().0 as i32 - left - scaled(MARGIN);
    let name = fitted(name, scaled(17), room);
    panel
        .draw_text(&name, &left_of(17, TEXT), (left, scaled(16)))
        .map_err(text)
}

/// Draws a dot at each point, in data coordinates.
pub(crate) fn draw_dots(
    area: &PlottingArea<'_>,
    points: &[Point],
    colour: RGBColor,
) -> Result<(), String> {
    points.iter().try_for_each(|&point| {
        let dot = Circle::new(point, scaled(3), colour.filled());
        area.draw(&dot).map_err(text)
    })
}
