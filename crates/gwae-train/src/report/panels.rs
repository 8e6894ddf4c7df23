//! Pictures of several panels below a title and a common legend.

use image::RgbImage;

use super::ReportError;
use super::canvas::{Canvas, HEADER, MAX_PANELS, WIDTH, draw_title, panel_grid, render, scaled};
use super::legend::Row;

/// Refuses more than `limit` of what is counted as `what`: `series`, `classes` or `panels`.
pub(super) fn check_count(
    plot: &'static str,
    what: &'static str,
    count: usize,
    limit: usize,
) -> Result<(), ReportError> {
    if count > limit {
        return Err(ReportError::TooManySeries {
            plot,
            what,
            count,
            limit,
        });
    }
    Ok(())
}

/// Refuses a picture without panels, panels without series, and too many of either. `series` are the
/// numbers of series of each panel, `names` that of different names, of which `most` have colours.
pub(super) fn check_panels(
    plot: &'static str,
    series: impl ExactSizeIterator<Item = usize>,
    names: usize,
    most: usize,
) -> Result<(), ReportError> {
    let panels = series.len();
    if panels == 0 || series.into_iter().any(|count| count == 0) {
        return Err(ReportError::NoSeries { plot });
    }
    check_count(plot, "series", names, most)?;
    check_count(plot, "panels", panels, MAX_PANELS)
}

/// Draws a title, the legend below it, and `count` panels, each by its number.
pub(super) fn render_panels(
    title: &str,
    legend: &Row,
    count: usize,
    draw: impl Fn(&Canvas<'_>, usize) -> Result<(), String>,
) -> Result<RgbImage, ReportError> {
    let (rows, columns, panel_height) = panel_grid(count);
    let top = HEADER + legend.height();
    render((WIDTH, top + rows as u32 * panel_height), |canvas| {
        let (header, body) = canvas.split_vertically(scaled(top));
        draw_title(&header, title)?;
        legend.draw(&header.split_vertically(scaled(HEADER)).1)?;
        let areas = body.split_evenly((rows, columns));
        (0..count).try_for_each(|panel| draw(&areas[panel], panel))
    })
}
