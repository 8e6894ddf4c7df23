//! Many small images in one picture.

use std::path::Path;

use image::{Rgb, RgbImage};

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::font::{font, register, text_width};
use super::labels::printable;
use super::{ReportError, png_file};

/// Most pixels of a picture; what a viewer opens without trouble.
pub(super) const MAX_PIXELS: u128 = 200_000_000;

/// Images are enlarged to at least this many pixels a side unless a scale is given.
const VISIBLE_SIDE: usize = 64;

/// Pixels between neighbouring images, and around all of them.
const SEPARATOR: usize = 2;

/// Pixels between groups of rows that belong together.
const GROUP_SEPARATOR: usize = 10;

const SEPARATOR_COLOUR: Rgb<u8> = Rgb([200, 200, 200]);

/// Height of the letters of row names in pixels, and the space on either side of them.
const NAME_SIZE: i32 = 18;
const NAME_GAP: u32 = 8;

/// NaN and infinite values: a colour that no model means.
const BROKEN: [u8; 3] = [255, 0, 255];

/// A checked view of images on the host.
#[derive(Clone, Copy, Debug)]
pub struct Images<'a> {
    values: &'a [f32],
    shape: [usize; 4],
}

impl<'a> Images<'a> {
    /// Views `values`, row-major `[N, C, H, W]` with 1 or 3 channels, as images. Values are meant
    /// to be in `[0, 1]`; outside they are drawn as the nearer end, and NaN and infinite ones as
    /// magenta, so that a broken model shows.
    ///
    /// # Errors
    /// [`ReportError::Shape`] where the length is not that of the shape, a dimension is 0, or the
    /// channels are neither 1 nor 3.
    pub fn new(values: &'a [f32], shape: [usize; 4]) -> Result<Self, ReportError> {
        let expected = shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
        if values.is_empty() || expected != Some(values.len()) || !matches!(shape[1], 1 | 3) {
            return Err(ReportError::Shape {
                values: values.len(),
                shape,
            });
        }
        Ok(Self { values, shape })
    }

    pub(super) fn len(&self) -> usize {
        self.shape[0]
    }

    pub(super) fn shape(&self) -> [usize; 4] {
        self.shape
    }

    fn image(&self, index: usize) -> &'a [f32] {
        let [_, channels, height, width] = self.shape;
        let size = channels * height * width;
        &self.values[index * size..(index + 1) * size]
    }
}

/// How a picture is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Images per row.
    pub columns: usize,
    /// Side in pixels of the square that each image pixel becomes (nearest neighbour);
    /// `None` takes the least that makes images at least 64 pixels wide.
    pub scale: Option<usize>,
}

impl Grid {
    /// A grid of `columns` columns at the automatic scale.
    pub fn new(columns: usize) -> Self {
        Self {
            columns,
            scale: None,
        }
    }

    /// Draws the images row by row, in order. A last row that is not full is padded.
    ///
    /// # Errors
    /// [`ReportError::Zero`] and [`ReportError::TooLarge`].
    pub fn render(&self, images: Images<'_>) -> Result<RgbImage, ReportError> {
        let cells: Vec<_> = (0..images.len()).map(|n| Some(images.image(n))).collect();
        self.draw(&cells, 1, images.shape)
    }

    /// As [`Grid::render`], into a PNG file.
    ///
    /// # Errors
    /// Those of [`Grid::render`], and [`ReportError::File`].
    pub fn save(&self, images: Images<'_>, path: &Path) -> Result<(), ReportError> {
        png_file::save(&self.render(images)?, path)
    }

    /// Draws inputs above their outputs: a row of inputs, the row of their outputs, a wider gap,
    /// and so on.
    ///
    /// # Errors
    /// Those of [`Grid::render`], and [`ReportError::ShapesDiffer`].
    pub fn render_reconstructions(
        &self,
        inputs: Images<'_>,
        outputs: Images<'_>,
    ) -> Result<RgbImage, ReportError> {
        if inputs.shape != outputs.shape {
            return Err(ReportError::ShapesDiffer {
                inputs: inputs.shape,
                outputs: outputs.shape,
            });
        }
        if self.columns == 0 {
            return Err(ReportError::Zero { field: "columns" });
        }
        // A grid wider than the images would only add empty cells.
        let grid = Grid {
            columns: self.columns.min(inputs.len()),
            ..*self
        };
        let mut cells = Vec::new();
        for start in (0..inputs.len()).step_by(grid.columns) {
            for images in [inputs, outputs] {
                cells.extend(
                    (start..start + grid.columns)
                        .map(|index| (index < images.len()).then(|| images.image(index))),
                );
            }
        }
        grid.draw(&cells, 2, inputs.shape)
    }

    fn draw(
        &self,
        cells: &[Option<&[f32]>],
        rows_per_group: usize,
        [_, channels, height, width]: [usize; 4],
    ) -> Result<RgbImage, ReportError> {
        if self.columns == 0 {
            return Err(ReportError::Zero { field: "columns" });
        }
        let scale = self.scale.unwrap_or_else(|| VISIBLE_SIDE.div_ceil(width));
        if scale == 0 {
            return Err(ReportError::Zero { field: "scale" });
        }
        let columns = self.columns.min(cells.len());
        let rows = cells.len().div_ceil(columns);
        // Wide numbers first: any of these products may overflow a usize.
        let side = |pixels: usize, count: usize, gaps: usize| {
            (pixels as u128 * scale as u128 + SEPARATOR as u128) * count as u128
                + (SEPARATOR + gaps * (GROUP_SEPARATOR - SEPARATOR)) as u128
        };
        let picture_width = side(width, columns, 0);
        let picture_height = side(
            height,
            rows,
            (rows - 1) / rows_per_group * usize::from(rows_per_group > 1),
        );
        if picture_width.saturating_mul(picture_height) > MAX_PIXELS {
            return Err(ReportError::TooLarge {
                width: picture_width,
                height: picture_height,
            });
        }
        let mut picture = RgbImage::from_pixel(
            picture_width as u32,
            picture_height as u32,
            SEPARATOR_COLOUR,
        );
        let mut top = SEPARATOR;
        for (row, cells) in cells.chunks(columns).enumerate() {
            if rows_per_group > 1 && row > 0 && row % rows_per_group == 0 {
                top += GROUP_SEPARATOR - SEPARATOR;
            }
            for (column, values) in cells.iter().enumerate() {
                let Some(values) = values else { continue };
                let left = SEPARATOR + column * (width * scale + SEPARATOR);
                let shape = [channels, height, width];
                paint_values(&mut picture, values, shape, [left, top], scale);
            }
            top += height * scale + SEPARATOR;
        }
        Ok(picture)
    }
}

/// Saves a picture of inputs above outputs, `columns` pairs side by side.
///
/// # Errors
/// Those of [`Grid::render_reconstructions`], and [`ReportError::File`].
pub fn save_reconstructions(
    inputs: Images<'_>,
    outputs: Images<'_>,
    columns: usize,
    path: &Path,
) -> Result<(), ReportError> {
    let picture = Grid::new(columns).render_reconstructions(inputs, outputs)?;
    png_file::save(&picture, path)
}

/// Saves a table of images with the name of each row on its left, `images` in row-major order.
///
/// # Errors
/// [`ReportError::Table`] unless there are `columns` images for each name, and those of
/// [`Grid::save`].
pub fn save_table(
    images: Images<'_>,
    row_names: &[String],
    columns: usize,
    path: &Path,
) -> Result<(), ReportError> {
    let rows = row_names.len();
    if rows.checked_mul(columns) != Some(images.len()) {
        return Err(ReportError::Table {
            images: images.len(),
            rows,
            columns,
        });
    }
    let picture = Grid::new(columns).render(images)?;
    png_file::save(&with_row_names(&picture, row_names)?, path)
}

/// A white margin on the left of rows of equal height, with their names right beside them.
fn with_row_names(picture: &RgbImage, names: &[String]) -> Result<RgbImage, ReportError> {
    register().map_err(ReportError::Draw)?;
    let style = font(NAME_SIZE, BLACK).pos(Pos::new(HPos::Right, VPos::Center));
    let names: Vec<String> = names.iter().map(|name| printable(name, 24)).collect();
    let widths = names.iter().map(|name| text_width(name, NAME_SIZE) as u32);
    let margin = widths.max().unwrap_or_default() + 2 * NAME_GAP;
    let (width, height) = (picture.width() + margin, picture.height());
    let mut pixels = vec![255; (width * height * 3) as usize];
    {
        let size = (width, height);
        let canvas = BitMapBackend::with_buffer(&mut pixels, size).into_drawing_area();
        let rows = names.len().max(1) as u32;
        for (row, name) in names.iter().enumerate() {
            let middle = (2 * row as u32 + 1) * height / (2 * rows);
            let place = ((margin - NAME_GAP) as i32, middle as i32);
            let drawn = canvas.draw_text(name, &style, place);
            drawn.map_err(|error| ReportError::Draw(error.to_string()))?;
        }
    }
    let mut named = RgbImage::from_raw(width, height, pixels)
        .ok_or_else(|| ReportError::Draw("the canvas has another size".to_owned()))?;
    image::imageops::replace(&mut named, picture, i64::from(margin), 0);
    Ok(named)
}

/// Draws one image, each of its pixels a square of `scale` pixels a side, from `[left, top]` on.
pub(super) fn paint(
    picture: &mut RgbImage,
    images: Images<'_>,
    index: usize,
    [left, top]: [usize; 2],
    scale: usize,
) {
    let [_, channels, height, width] = images.shape;
    paint_values(
        picture,
        images.image(index),
        [channels, height, width],
        [left, top],
        scale,
    );
}

fn paint_values(
    picture: &mut RgbImage,
    values: &[f32],
    [channels, height, width]: [usize; 3],
    [left, top]: [usize; 2],
    scale: usize,
) {
    for y in 0..height * scale {
        for x in 0..width * scale {
            let place = y / scale * width + x / scale;
            let colour = colour(values, channels, height * width, place);
            picture.put_pixel((left + x) as u32, (top + y) as u32, colour);
        }
    }
}

fn colour(values: &[f32], channels: usize, area: usize, place: usize) -> Rgb<u8> {
    let channel = |index: usize| values[index * area + place];
    let colour = match channels {
        1 => [channel(0); 3],
        _ => [channel(0), channel(1), channel(2)],
    };
    if colour.iter().all(|value| value.is_finite()) {
        Rgb(colour.map(|value| (value.clamp(0.0, 1.0) * 255.0).round() as u8))
    } else {
        Rgb(BROKEN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GREY: Rgb<u8> = SEPARATOR_COLOUR;

    fn grid(columns: usize, scale: usize) -> Grid {
        Grid {
            columns,
            scale: Some(scale),
        }
    }

    #[test]
    fn every_pixel_is_where_the_layout_says() {
        // Three grey images of 1×2 in two columns, enlarged twice: cells of 4×2 pixels.
        let values = [0.0, 1.0, 0.2, 0.4, 0.6, 0.8];
        let images = Images::new(&values, [3, 1, 1, 2]).unwrap();
        let picture = grid(2, 2).render(images).unwrap();
        assert_eq!(picture.dimensions(), (2 + 2 * (4 + 2), 2 + 2 * (2 + 2)));
        for (x, y, &found) in picture.enumerate_pixels() {
            let (column, within_x) = ((x as i32 - 2).div_euclid(6), (x as i32 - 2).rem_euclid(6));
            let (row, within_y) = ((y as i32 - 2).div_euclid(4), (y as i32 - 2).rem_euclid(4));
            let image = row * 2 + column;
            let inside = row >= 0 && column >= 0 && within_x < 4 && within_y < 2 && image < 3;
            let expected =
                if inside {
                    Rgb([[0u8, 255], [51, 102], [153, 204]][image as usize]
                        [within_x as usize / 2..][..1]
                        .repeat(3)
                        .try_into()
                        .unwrap())
                } else {
                    GREY
                };
            assert_eq!(found, expected, "({x}, {y})");
        }
    }

    #[test]
    fn colour_planes_and_odd_values_are_drawn() {
        // Two pixels, planes red, green, blue.
        let values = [1.5, f32::NAN, -0.5, 0.0, 0.5, 0.0];
        let images = Images::new(&values, [1, 3, 1, 2]).unwrap();
        let picture = grid(1, 1).render(images).unwrap();
        assert_eq!(*picture.get_pixel(2, 2), Rgb([255, 0, 128]));
        assert_eq!(*picture.get_pixel(3, 2), Rgb(BROKEN));
    }

    #[test]
    fn small_images_are_enlarged_and_large_ones_are_not() {
        for (side, expected) in [(8, 64), (28, 84), (32, 64), (64, 64), (128, 128)] {
            let values = vec![0.0; side * side];
            let images = Images::new(&values, [1, 1, side, side]).unwrap();
            let picture = Grid::new(9).render(images).unwrap();
            assert_eq!(picture.dimensions(), (expected + 4, expected + 4));
        }
    }

    #[test]
    fn inputs_stand_above_their_outputs() {
        // Three images of one pixel; outputs are inputs + 0.5.
        let (inputs, outputs) = ([0.0, 0.1, 0.2], [0.5, 0.6, 0.7]);
        let shape = [3, 1, 1, 1];
        let picture = grid(2, 1)
            .render_reconstructions(
                Images::new(&inputs, shape).unwrap(),
                Images::new(&outputs, shape).unwrap(),
            )
            .unwrap();
        // Rows: inputs 0 1, outputs 0 1, wide gap, input 2, output 2.
        assert_eq!(picture.dimensions(), (8, 2 + 3 + 1 + 10 + 3 + 1 + 2));
        let grey = |value: f32| Rgb([(value * 255.0).round() as u8; 3]);
        for (x, y, value) in [
            (2, 2, 0.0),
            (5, 2, 0.1),
            (2, 5, 0.5),
            (5, 5, 0.6),
            (2, 16, 0.2),
            (2, 19, 0.7),
        ] {
            assert_eq!(*picture.get_pixel(x, y), grey(value), "({x}, {y})");
        }
        assert_eq!(*picture.get_pixel(5, 16), GREY);
    }

    #[test]
    fn files_hold_what_was_rendered() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("grid.png");
        std::fs::write(&path, "an older picture").unwrap();
        let values: Vec<f32> = (0..6 * 4).map(|n| n as f32 / 23.0).collect();
        let images = Images::new(&values, [6, 1, 2, 2]).unwrap();
        Grid::new(3).save(images, &path).unwrap();
        let read = image::open(&path).unwrap().into_rgb8();
        assert_eq!(read, Grid::new(3).render(images).unwrap());
        // The temporary file is gone.
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn rows_have_their_names_beside_them() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("table.png");
        let values = vec![0.5; 6 * 4];
        let images = Images::new(&values, [6, 1, 2, 2]).unwrap();
        save_table(images, &["z3".to_owned(), String::new()], 3, &path).unwrap();
        let table = image::open(&path).unwrap().into_rgb8();
        let grid = Grid::new(3).render(images).unwrap();
        assert_eq!(table.height(), grid.height());
        let margin = table.width() - grid.width();
        let inside = image::imageops::crop_imm(&table, margin, 0, grid.width(), grid.height());
        assert_eq!(inside.to_image(), grid);
        // Letters beside the first row, and none beside the second, which has no name.
        let dark = |rows: std::ops::Range<u32>| {
            let pixels = rows.flat_map(|y| (0..margin).map(move |x| (x, y)));
            let dark = pixels.filter(|&(x, y)| table.get_pixel(x, y).0[0] < 128);
            dark.count()
        };
        let middle = table.height() / 2;
        assert!(dark(0..middle) > 10 && dark(middle..table.height()) == 0);
    }

    #[test]
    fn impossible_pictures_are_refused_in_one_line() {
        let values = [0.0; 4];
        for shape in [
            [1, 1, 2, 3],
            [2, 2, 1, 1],
            [0, 1, 2, 2],
            [usize::MAX, 1, 2, 2],
        ] {
            let error = Images::new(&values, shape).unwrap_err();
            assert!(matches!(error, ReportError::Shape { values: 4, .. }));
        }
        let images = Images::new(&values, [1, 1, 2, 2]).unwrap();
        let others = Images::new(&values, [4, 1, 1, 1]).unwrap();
        let names = ["a".to_owned(), "b".to_owned()];
        let nowhere = Path::new("/there/is/no/such/directory/grid.png");
        let errors = [
            Grid::new(0).render(images).unwrap_err(),
            Grid::new(0)
                .render_reconstructions(images, images)
                .unwrap_err(),
            grid(1, 0).render(images).unwrap_err(),
            grid(1, usize::MAX).render(images).unwrap_err(),
            Grid::new(1)
                .render_reconstructions(images, others)
                .unwrap_err(),
            save_table(others, &names, 3, nowhere).unwrap_err(),
            Grid::new(1).save(images, nowhere).unwrap_err(),
        ];
        let messages = errors.map(|error| error.to_string());
        for (message, part) in messages.iter().zip([
            "columns: 0",
            "columns: 0",
            "scale: 0",
            "too large",
            "differ",
            "4 images do not make 2 rows of 3 columns",
            "/there/is/no/such/directory/grid.png",
        ]) {
            assert!(message.contains(part), "{message}");
            assert!(!message.contains('\n'), "{message}");
        }
    }
}
