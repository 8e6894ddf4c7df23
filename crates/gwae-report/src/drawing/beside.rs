//! Pictures with one plot and a legend beside it.

use image::RgbImage;

use super::canvas::{Canvas, HEADER, MARGIN, draw_smooth_picture, draw_title, scaled};
use super::legend::{Column, Entry};
use crate::error::ReportError;

/// A picture with a title. Below the title is a plot of `width` by `height` pixels. Right of the plot
/// is a legend of at most `legend_width` pixels, which begins `above` pixels below the title.
pub(crate) fn render_beside(
    title: &str,
    (width, height): (u32, u32),
    (legend, legend_width, above): (Vec<Entry>, u32, u32),
    draw: impl FnOnce(&Canvas<'_>) -> Result<(), String>,
) -> Result<RgbImage, ReportError> {
    let legend = Column::new(legend, legend_width);
    let size = (
        width + legend.width() + MARGIN,
        HEADER + height.max(above + legend.height() + MARGIN),
    );
    draw_smooth_picture(size, |canvas| {
        let (header, body) = canvas.split_vertically(scaled(HEADER));
        draw_title(&header, title)?;
        let (plot, beside) = body.split_horizontally(scaled(width));
        draw(&plot.split_vertically(scaled(height)).0)?;
        legend.draw(&beside, above)
    })
}
