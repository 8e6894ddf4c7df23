//! The canvas of every picture, and the shared sizes and colours.

use image::{RgbImage, imageops};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::font::register;
use super::labels::fitted;
use crate::error::ReportError;

/// Width in pixels of a picture with panels: the width of a README.
pub(crate) const WIDTH: u32 = 1200;

/// Height of the strip that holds the title.
pub(crate) const HEADER: u32 = 56;

/// Space at the left and right edge.
pub(crate) const MARGIN: u32 = 22;

/// Plots are drawn larger by this factor and averaged down, which makes lines and letters smooth.
pub(crate) const OVERSAMPLING: u32 = 2;

pub(crate) const TEXT: RGBColor = RGBColor(40, 44, 52);
pub(crate) const SOFT_TEXT: RGBColor = RGBColor(100, 106, 115);
pub(crate) const AXIS: RGBColor = RGBColor(150, 155, 163);

pub(crate) type Canvas<'a> = DrawingArea<BitMapBackend<'a>, Shift>;

/// A picture of `width` by `height` pixels. A function draws it on a white canvas.
pub(crate) fn draw_picture(
    (width, height): (u32, u32),
    draw: impl FnOnce(&Canvas<'_>) -> Result<(), String>,
) -> Result<RgbImage, ReportError> {
    let mut pixels = vec![255; width as usize * height as usize * 3];
    {
        let canvas = BitMapBackend::with_buffer(&mut pixels, (width, height)).into_drawing_area();
        register()
            .and_then(|()| draw(&canvas))
            .and_then(|()| canvas.present().map_err(text))
            .map_err(ReportError::Draw)?;
    }
    RgbImage::from_raw(width, height, pixels)
        .ok_or_else(|| ReportError::Draw("the canvas has another size".to_owned()))
}

/// Like [`draw_picture`], on a larger canvas that is averaged down.
pub(crate) fn draw_smooth_picture(
    (width, height): (u32, u32),
    draw: impl FnOnce(&Canvas<'_>) -> Result<(), String>,
) -> Result<RgbImage, ReportError> {
    let large = draw_picture((width * OVERSAMPLING, height * OVERSAMPLING), draw)?;
    Ok(imageops::thumbnail(&large, width, height))
}

/// Writes the title at the left of the strip `area`, and cuts it if it is too long.
pub(crate) fn draw_title(area: &Canvas<'_>, title: &str) -> Result<(), String> {
    let room = area.dim_in_pixel().0 as i32 - 2 * scaled(MARGIN);
    let title = fitted(title, scaled(22), room);
    let place = (scaled(MARGIN), header_middle());
    area.draw_text(&title, &left_of(22, TEXT), place)
        .map_err(text)
}

/// The vertical middle of the title's line.
pub(crate) fn header_middle() -> i32 {
    scaled(HEADER) / 2 + scaled(4)
}

/// Letters that have `size` pixels in the finished picture.
pub(crate) fn font(size: u32, colour: RGBColor) -> TextStyle<'static> {
    super::font::font(scaled(size), colour)
}

/// Like [`font`], for words placed by the middle of their left edge.
pub(crate) fn left_of(size: u32, colour: RGBColor) -> TextStyle<'static> {
    font(size, colour).pos(Pos::new(HPos::Left, VPos::Center))
}

pub(crate) fn stroke(colour: RGBColor, thickness: u32) -> ShapeStyle {
    colour.stroke_width(thickness * OVERSAMPLING)
}

pub(crate) fn scaled(pixels: u32) -> i32 {
    (pixels * OVERSAMPLING) as i32
}

pub(crate) fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
