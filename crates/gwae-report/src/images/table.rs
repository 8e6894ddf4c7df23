//! Tables of images with named rows.

use std::path::Path;

use image::RgbImage;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::grid::Grid;
use super::pixels::Images;
use crate::drawing::canvas::{draw_picture, text};
use crate::drawing::font::{font, text_width};
use crate::drawing::labels::printable;
use crate::error::ReportError;
use crate::png_file;

/// Height in pixels of the letters of row names, and the space on each side of the names.
const NAME_SIZE: i32 = 18;
const NAME_GAP: u32 = 8;

/// Saves a table of images with the name of each row on its left. `images` are in row-major order.
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

/// A white margin on the left of rows of equal height, with right-aligned row names.
fn with_row_names(picture: &RgbImage, names: &[String]) -> Result<RgbImage, ReportError> {
    let style = font(NAME_SIZE, BLACK).pos(Pos::new(HPos::Right, VPos::Center));
    let names: Vec<String> = names.iter().map(|name| printable(name, 24)).collect();
    let widths = names.iter().map(|name| text_width(name, NAME_SIZE) as u32);
    let margin = widths.max().unwrap_or_default() + 2 * NAME_GAP;
    let (width, height) = (picture.width() + margin, picture.height());
    let rows = names.len().max(1) as u32;
    let mut named = draw_picture((width, height), |canvas| {
        names.iter().zip(0..).try_for_each(|(name, row)| {
            let middle = (2 * row + 1) * height / (2 * rows);
            let place = ((margin - NAME_GAP) as i32, middle as i32);
            canvas.draw_text(name, &style, place).map_err(text)
        })
    })?;
    image::imageops::replace(&mut named, picture, i64::from(margin), 0);
    Ok(named)
}

#[cfg(test)]
mod tests {
    use super::*;

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
        // Letters beside the first row, and none beside the second, whose name is empty.
        let dark = |rows: std::ops::Range<u32>| {
            let pixels = rows.flat_map(|y| (0..margin).map(move |x| (x, y)));
            let dark = pixels.filter(|&(x, y)| table.get_pixel(x, y).0[0] < 128);
            dark.count()
        };
        let middle = table.height() / 2;
        assert!(dark(0..middle) > 10 && dark(middle..table.height()) == 0);
    }

    #[test]
    fn tables_that_are_not_full_are_refused() {
        let images = Images::new(&[0.0; 4], [4, 1, 1, 1]).unwrap();
        let names = ["a".to_owned(), "b".to_owned()];
        let nowhere = Path::new("/there/is/no/such/directory/grid.png");
        let error = save_table(images, &names, 3, nowhere).unwrap_err();
        let message = error.to_string();
        assert!(message.contains("4 images do not make 2 rows of 3 columns"));
        assert!(!message.contains('\n'), "{message}");
    }
}
