//! Many small images in one picture.

use std::path::Path;

use image::{Rgb, RgbImage};

use super::pixels::{Images, check_size};
use crate::error::ReportError;
use crate::png_file;

/// Images are enlarged to at least this number of pixels per side, unless a scale is given.
const VISIBLE_SIDE: usize = 64;

/// Pixels between neighbouring images, and around the grid.
const SEPARATOR: usize = 2;

/// Pixels between groups of rows.
const GROUP_SEPARATOR: usize = 10;

const SEPARATOR_COLOUR: Rgb<u8> = Rgb([200, 200, 200]);

/// The layout of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Images per row.
    pub columns: usize,
    /// Side in pixels of the square for each image pixel (nearest neighbour). `None` selects the
    /// smallest scale at which images are at least 64 pixels wide.
    pub scale: Option<usize>,
}

impl Grid {
    /// A grid of `columns` columns with the automatic scale.
    pub fn new(columns: usize) -> Self {
        Self {
            columns,
            scale: None,
        }
    }

    /// Draws the images row by row, in order. An incomplete last row is padded.
    ///
    /// # Errors
    /// [`ReportError::Zero`] and [`ReportError::TooLarge`].
    pub fn render(&self, images: Images<'_>) -> Result<RgbImage, ReportError> {
        let cells: Vec<_> = (0..images.len()).map(|n| Some((images, n))).collect();
        self.draw(&cells, 1, images.shape())
    }

    /// Like [`Grid::render`], into a PNG file.
    ///
    /// # Errors
    /// Those of [`Grid::render`], and [`ReportError::File`].
    pub fn save(&self, images: Images<'_>, path: &Path) -> Result<(), ReportError> {
        png_file::save(&self.render(images)?, path)
    }

    /// Draws inputs above their outputs: a row of inputs, the row of their outputs, a wider gap, and so
    /// on.
    ///
    /// # Errors
    /// Those of [`Grid::render`], and [`ReportError::ShapesDiffer`].
    pub fn render_reconstructions(
        &self,
        inputs: Images<'_>,
        outputs: Images<'_>,
    ) -> Result<RgbImage, ReportError> {
        if inputs.shape() != outputs.shape() {
            return Err(ReportError::ShapesDiffer {
                inputs: inputs.shape(),
                outputs: outputs.shape(),
            });
        }
        // More columns than images would only add empty cells. The code below reports a grid without
        // columns.
        let columns = self.columns.min(inputs.len());
        let mut cells = Vec::new();
        for start in (0..inputs.len()).step_by(columns.max(1)) {
            for images in [inputs, outputs] {
                let row = start..start + columns;
                cells.extend(row.map(|index| (index < images.len()).then_some((images, index))));
            }
        }
        let grid = Grid { columns, ..*self };
        grid.draw(&cells, 2, inputs.shape())
    }

    fn draw(
        &self,
        cells: &[Option<(Images<'_>, usize)>],
        rows_per_group: usize,
        [_, _, height, width]: [usize; 4],
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
        // Computed in wide numbers, because each of these products may overflow a usize.
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
        check_size(picture_width, picture_height)?;
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
            for (column, cell) in cells.iter().enumerate() {
                let Some((images, index)) = cell else {
                    continue;
                };
                let left = SEPARATOR + column * (width * scale + SEPARATOR);
                images.paint(&mut picture, *index, [left, top], scale);
            }
            top += height * scale + SEPARATOR;
        }
        Ok(picture)
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
        // The temporary file no longer exists.
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn impossible_pictures_are_refused_in_one_line() {
        let values = [0.0; 4];
        let images = Images::new(&values, [1, 1, 2, 2]).unwrap();
        let others = Images::new(&values, [4, 1, 1, 1]).unwrap();
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
            Grid::new(1).save(images, nowhere).unwrap_err(),
        ];
        let messages = errors.map(|error| error.to_string());
        for (message, part) in messages.iter().zip([
            "columns: 0",
            "columns: 0",
            "scale: 0",
            "too large",
            "differ",
            "/there/is/no/such/directory/grid.png",
        ]) {
            assert!(message.contains(part), "{message}");
            assert!(!message.contains('\n'), "{message}");
        }
    }
}
