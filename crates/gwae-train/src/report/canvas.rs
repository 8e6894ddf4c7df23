//! What all plots share: a canvas drawn large and averaged down, colours, letters, axes.

use std::ops::Range;

use image::{RgbImage, imageops};
use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::ReportError;
use super::font::register;
use super::labels::fitted;

/// Most panels of one picture.
pub(super) const MAX_PANELS: usize = 48;

/// Width of a picture of panels in pixels: what a README shows.
pub(super) const WIDTH: u32 = 1200;

/// Height of the strip that holds the title.
pub(super) const HEADER: u32 = 56;

/// Space at the left and right edge.
pub(super) const MARGIN: u32 = 22;

/// Space right of a plotting area.
pub(super) const MARGIN_RIGHT: u32 = 26;

/// Space below the axis of a plotting area.
pub(super) const MARGIN_BELOW: u32 = 8;

/// Space for the numbers of either axis, and the name of the horizontal one.
pub(super) const NUMBERS_BELOW: u32 = 44;
pub(super) const NUMBERS_LEFT: u32 = 62;

/// Space for the name of the vertical axis.
pub(super) const NAME_LEFT: u32 = 22;

/// Space left and right of a plotting area whose axes are named.
pub(super) const PANEL_MARGINS: u32 = MARGIN + NUMBERS_LEFT + NAME_LEFT + MARGIN_RIGHT;

/// Height of the strip above a plotting area that holds its heading.
pub(super) const HEADING: u32 = 32;

/// Everything is drawn this many times larger and averaged down: smooth lines and letters.
pub(super) const OVERSAMPLING: u32 = 2;

pub(super) const TEXT: RGBColor = RGBColor(40, 44, 52);
pub(super) const SOFT_TEXT: RGBColor = RGBColor(100, 106, 115);
pub(super) const AXIS: RGBColor = RGBColor(150, 155, 163);
const BACKGROUND: RGBColor = RGBColor(255, 255, 255);
const MESH: RGBColor = RGBColor(232, 234, 237);

pub(super) type Canvas<'a> = DrawingArea<BitMapBackend<'a>, Shift>;
pub(super) type Coordinates = Cartesian2d<RangedCoordf64, RangedCoordf64>;
pub(super) type PlottingArea<'a> = DrawingArea<BitMapBackend<'a>, Coordinates>;

/// A picture of `width` by `height` pixels, drawn by a function on a larger canvas.
pub(super) fn render(
    (width, height): (u32, u32),
    draw: impl FnOnce(&Canvas<'_>) -> Result<(), String>,
) -> Result<RgbImage, ReportError> {
    let size = (width * OVERSAMPLING, height * OVERSAMPLING);
    let mut pixels = vec![255; size.0 as usize * size.1 as usize * 3];
    {
        let canvas = BitMapBackend::with_buffer(&mut pixels, size).into_drawing_area();
        register()
            .and_then(|()| canvas.fill(&BACKGROUND).map_err(text))
            .and_then(|()| draw(&canvas))
            .and_then(|()| canvas.present().map_err(text))
            .map_err(ReportError::Draw)?;
    }
    let large = RgbImage::from_raw(size.0, size.1, pixels)
        .ok_or_else(|| ReportError::Draw("the canvas has another size".to_owned()))?;
    Ok(imageops::thumbnail(&large, width, height))
}

/// Rows, columns and the height of each panel of a picture of `count` of them.
pub(super) fn panel_grid(count: usize) -> (usize, usize, u32) {
    let columns = match count {
        1 => 1,
        2 | 4 => 2,
        _ => 3,
    };
    let height = if columns == 3 { 290 } else { 380 };
    (count.div_ceil(columns), columns, height)
}

/// Writes the title at the left of the strip `area`, cut where it is too long.
pub(super) fn draw_title(area: &Canvas<'_>, title: &str) -> Result<(), String> {
    let room = area.dim_in_pixel().0 as i32 - 2 * scaled(MARGIN);
    let title = fitted(title, scaled(22), room);
    let place = (scaled(MARGIN), header_middle());
    area.draw_text(&title, &left_of(22, TEXT), place)
        .map_err(text)
}

/// Writes what a panel with a named vertical axis shows above it.
pub(super) fn draw_heading(panel: &Canvas<'_>, name: &str) -> Result<(), String> {
    let left = scaled(MARGIN + NUMBERS_LEFT + NAME_LEFT);
    let room = panel.dim_in_pixel().0 as i32 - left - scaled(MARGIN);
    let name = fitted(name, scaled(17), room);
    panel
        .draw_text(&name, &left_of(17, TEXT), (left, scaled(16)))
        .map_err(text)
}

/// Where the middle of the title's line is.
pub(super) fn header_middle() -> i32 {
    scaled(HEADER) / 2 + scaled(4)
}

/// An axis of a plot.
pub(super) struct Axis<'a> {
    /// What it measures; empty for no name.
    pub(super) name: &'a str,
    pub(super) range: Range<f64>,
    /// Most numbers along it.
    pub(super) numbers: usize,
    pub(super) label: &'a dyn Fn(f64) -> String,
}

/// Draws axes and the lines of the mesh, leaving `above` pixels free, and returns the area between.
pub(super) fn draw_axes<'a>(
    panel: &Canvas<'a>,
    above: u32,
    x: Axis<'_>,
    y: Axis<'_>,
) -> Result<PlottingArea<'a>, String> {
    let left = if y.name.is_empty() { 0 } else { NAME_LEFT };
    let mut chart = ChartBuilder::on(panel)
        .margin_top(scaled(above))
        .margin_left(scaled(MARGIN))
        .margin_right(scaled(MARGIN_RIGHT))
        .margin_bottom(scaled(MARGIN_BELOW))
        .x_label_area_size(scaled(NUMBERS_BELOW))
        .y_label_area_size(scaled(NUMBERS_LEFT + left))
        .build_cartesian_2d(x.range, y.range)
        .map_err(text)?;
    let (x_label, y_label) = (
        |value: &f64| (x.label)(*value),
        |value: &f64| (y.label)(*value),
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

/// Letters of `size` pixels in the finished picture.
pub(super) fn font(size: u32, colour: RGBColor) -> TextStyle<'static> {
    super::font::font(scaled(size), colour)
}

/// As [`font`], for words whose place is the middle of their left edge.
pub(super) fn left_of(size: u32, colour: RGBColor) -> TextStyle<'static> {
    font(size, colour).pos(Pos::new(HPos::Left, VPos::Center))
}

pub(super) fn stroke(colour: RGBColor, thickness: u32) -> ShapeStyle {
    colour.stroke_width(thickness * OVERSAMPLING)
}

pub(super) fn scaled(pixels: u32) -> i32 {
    (pixels * OVERSAMPLING) as i32
}

pub(super) fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
