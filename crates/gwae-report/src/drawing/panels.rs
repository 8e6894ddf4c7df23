//! Pictures of several panels below a header.

use image::RgbImage;

use super::canvas::{Canvas, HEADER, WIDTH, draw_smooth_picture, draw_title, scaled};
use super::legend::{Entry, Row};
use crate::error::ReportError;

/// Largest number of panels in one picture.
pub(crate) const MAX_PANELS: usize = 48;

/// Rows, columns and panel height of a picture with `count` panels.
fn panel_grid(count: usize) -> (usize, usize, u32) {
    let columns = match count {
        1 => 1,
        2 | 4 => 2,
        _ => 3,
    };
    let height = if columns == 3 { 290 } else { 380 };
    (count.div_ceil(columns), columns, height)
}

/// Size of a picture with `count` panels below a header of `top` pixels.
pub(crate) fn panels_size(top: u32, count: usize) -> (u32, u32) {
    let (rows, _, height) = panel_grid(count);
    (WIDTH, top + rows as u32 * height)
}

/// Draws a header of `top` pixels and `count` panels below it, each by its number.
pub(crate) fn draw_panels(
    canvas: &Canvas<'_>,
    top: u32,
    count: usize,
    header: impl Fn(&Canvas<'_>) -> Result<(), String>,
    panel: impl Fn(&Canvas<'_>, usize) -> Result<(), String>,
) -> Result<(), String> {
    let (above, body) = canvas.split_vertically(scaled(top));
    header(&above)?;
    let (rows, columns, _) = panel_grid(count);
    let areas = body.split_evenly((rows, columns));
    (0..count).try_for_each(|number| panel(&areas[number], number))
}

/// A picture with `count` panels below a title and a legend.
pub(crate) fn render_panels(
    title: &str,
    legend: Vec<Entry>,
    count: usize,
    panel: impl Fn(&Canvas<'_>, usize) -> Result<(), String>,
) -> Result<RgbImage, ReportError> {
    let legend = Row::new(legend, WIDTH);
    let top = HEADER + legend.height();
    let header = |area: &Canvas<'_>| {
        draw_title(area, title)?;
        legend.draw(&area.split_vertically(scaled(HEADER)).1)
    };
    draw_smooth_picture(panels_size(top, count), |canvas| {
        draw_panels(canvas, top, count, header, panel)
    })
}
