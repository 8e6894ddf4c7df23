//! Contact sheets: images with words beside, above and below.

use std::path::Path;

use image::{Rgb, RgbImage};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::pixels::{Images, check_size};
use crate::drawing::canvas::{Canvas, draw_picture, text};
use crate::drawing::font::{font, text_width};
use crate::drawing::labels::printable;
use crate::error::ReportError;
use crate::png_file;

/// Images are enlarged to at least this number of pixels per side, unless a sheet names another.
const VISIBLE_SIDE: usize = 96;

/// Pixels between columns, between rows, and around the sheet.
const GAP: usize = 10;

/// Heights in pixels of letters, and of lines of letters. All even: the plotting library rounds half
/// a height differently for high and for low letters.
const TITLE: (i32, usize) = (20, 30);
const HEADING: (i32, usize) = (16, 24);
const CAPTION: (i32, usize) = (14, 17);

/// The plotting library draws letters too high, by their height divided by this.
const RISE: i32 = 4;

/// Pixels between an image and its caption.
const CAPTION_GAP: usize = 3;

/// The line around every image, which makes white images visible on the white sheet.
const FRAME: Rgb<u8> = Rgb([200, 200, 200]);

/// Largest number of characters in a line.
const TITLE_LIMIT: usize = 100;
const CAPTION_LIMIT: usize = 36;

/// A contact sheet: a title, and rows of images with captions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sheet {
    /// A line at the top of the sheet.
    pub title: String,
    /// A word above each column; empty for none.
    pub column_names: Vec<String>,
    /// The rows.
    pub rows: Vec<SheetRow>,
    /// Images are enlarged (nearest neighbour) until neither side is shorter than this number of
    /// pixels; `None` for 96.
    pub visible_side: Option<usize>,
}

/// A row of a contact sheet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SheetRow {
    /// Lines on the left of the row.
    pub name: Vec<String>,
    /// Its images; `None` leaves a cell empty.
    pub cells: Vec<Option<SheetCell>>,
}

/// An image of a contact sheet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SheetCell {
    /// Index of the image.
    pub image: usize,
    /// Lines below the image.
    pub caption: Vec<String>,
}

/// The positions of all parts, in pixels.
struct Layout {
    scale: usize,
    margin: usize,
    column: usize,
    header: usize,
    image: [usize; 2],
    /// Top of each row, and the end of the last one.
    tops: Vec<usize>,
    width: usize,
}

impl Sheet {
    /// Draws the sheet.
    ///
    /// # Errors
    /// [`ReportError::NoSuchImage`] for a cell without its image, and [`ReportError::TooLarge`].
    pub fn render(&self, images: Images<'_>) -> Result<RgbImage, ReportError> {
        let cells = self.rows.iter().flat_map(|row| &row.cells).flatten();
        if let Some(wrong) = cells.map(|cell| cell.image).find(|i| *i >= images.len()) {
            return Err(ReportError::NoSuchImage {
                index: wrong,
                images: images.len(),
            });
        }
        let layout = self.layout(images.shape());
        let size = (layout.width, layout.tops.last().copied().unwrap_or(0) + GAP);
        check_size(size.0 as u128, size.1 as u128)?;
        let size = (size.0 as u32, size.1 as u32);
        let mut picture = draw_picture(size, |canvas| self.write(canvas, &layout))?;
        for (row, top) in self.rows.iter().zip(&layout.tops) {
            for (column, cell) in row.cells.iter().enumerate() {
                let Some(cell) = cell else { continue };
                let left = layout.left(column) + (layout.column - layout.image[1]) / 2;
                let place = [left, *top];
                frame(&mut picture, place, layout.image);
                images.paint(&mut picture, cell.image, place, layout.scale);
            }
        }
        Ok(picture)
    }

    /// Like [`Sheet::render`], into a PNG file.
    ///
    /// # Errors
    /// Those of [`Sheet::render`], and [`ReportError::File`].
    pub fn save(&self, images: Images<'_>, path: &Path) -> Result<(), ReportError> {
        png_file::save(&self.render(images)?, path)
    }

    fn layout(&self, [_, _, height, width]: [usize; 4]) -> Layout {
        let side = self.visible_side.unwrap_or(VISIBLE_SIDE).max(1);
        let scale = side.div_ceil(width.min(height));
        let image = [height * scale, width * scale];
        let widest = |lines: &mut dyn Iterator<Item = &String>, size| {
            lines
                .map(|line| text_width(&printable(line, CAPTION_LIMIT), size))
                .max()
                .unwrap_or(0)
        };
        let cells = || self.rows.iter().flat_map(|row| &row.cells).flatten();
        let column = image[1]
            .max(widest(
                &mut cells().flat_map(|cell| &cell.caption),
                CAPTION.0,
            ))
            .max(widest(&mut self.column_names.iter(), HEADING.0));
        let names = widest(&mut self.rows.iter().flat_map(|row| &row.name), CAPTION.0);
        let margin = GAP + if names > 0 { names + GAP } else { 0 };
        let header = GAP + TITLE.1;
        let headings = if self.column_names.is_empty() {
            0
        } else {
            HEADING.1
        };
        let mut tops = vec![header + headings];
        for row in &self.rows {
            let captions = row.cells.iter().flatten().map(|cell| cell.caption.len());
            let beside = row.name.len() * CAPTION.1;
            let below = match captions.max() {
                None | Some(0) => image[0],
                Some(lines) => image[0] + CAPTION_GAP + lines * CAPTION.1,
            };
            let top = tops[tops.len() - 1];
            tops.push(top + below.max(beside) + GAP);
        }
        let columns = self.rows.iter().map(|row| row.cells.len()).max();
        let columns = columns.unwrap_or(0).max(self.column_names.len());
        let title = text_width(&printable(&self.title, TITLE_LIMIT), TITLE.0);
        Layout {
            scale,
            margin,
            column,
            header,
            image,
            tops,
            width: (margin + columns * (column + GAP)).max(title + 2 * GAP),
        }
    }

    fn write(&self, canvas: &Canvas<'_>, layout: &Layout) -> Result<(), String> {
        let line = |words: &str, limit, size, at: (usize, usize), place: HPos| {
            let style = font(size, BLACK).pos(Pos::new(place, VPos::Top));
            let at = (at.0 as i32, at.1 as i32 + size / RISE);
            canvas
                .draw_text(&printable(words, limit), &style, at)
                .map_err(text)
        };
        line(&self.title, TITLE_LIMIT, TITLE.0, (GAP, GAP), HPos::Left)?;
        let middle = |column| layout.left(column) + layout.column / 2;
        for (column, name) in self.column_names.iter().enumerate() {
            let at = (middle(column), layout.header);
            line(name, CAPTION_LIMIT, HEADING.0, at, HPos::Center)?;
        }
        for (row, top) in self.rows.iter().zip(&layout.tops) {
            let free = layout.image[0].saturating_sub(row.name.len() * CAPTION.1);
            for (number, words) in row.name.iter().enumerate() {
                let at = (layout.margin - GAP, top + free / 2 + number * CAPTION.1);
                line(words, CAPTION_LIMIT, CAPTION.0, at, HPos::Right)?;
            }
            for (column, cell) in row.cells.iter().enumerate() {
                let caption = cell.iter().flat_map(|cell| &cell.caption);
                for (number, words) in caption.enumerate() {
                    let at = top + layout.image[0] + CAPTION_GAP + number * CAPTION.1;
                    let at = (middle(column), at);
                    line(words, CAPTION_LIMIT, CAPTION.0, at, HPos::Center)?;
                }
            }
        }
        Ok(())
    }
}

impl Layout {
    fn left(&self, column: usize) -> usize {
        self.margin + column * (self.column + GAP)
    }
}

/// Draws the line around an image.
fn frame(picture: &mut RgbImage, [left, top]: [usize; 2], [height, width]: [usize; 2]) {
    let (left, top) = (left as u32 - 1, top as u32 - 1);
    let (right, bottom) = (left + width as u32 + 1, top + height as u32 + 1);
    for x in left..=right {
        picture.put_pixel(x, top, FRAME);
        picture.put_pixel(x, bottom, FRAME);
    }
    for y in top..=bottom {
        picture.put_pixel(left, y, FRAME);
        picture.put_pixel(right, y, FRAME);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(image: usize, caption: &[&str]) -> Option<SheetCell> {
        Some(SheetCell {
            image,
            caption: caption.iter().copied().map(String::from).collect(),
        })
    }

    fn sheet() -> Sheet {
        Sheet {
            title: "a sheet".into(),
            column_names: vec!["left".into(), "right".into()],
            rows: vec![
                SheetRow {
                    name: vec!["first".into(), "row".into()],
                    cells: vec![cell(0, &["a caption"]), None],
                },
                SheetRow {
                    name: Vec::new(),
                    cells: vec![cell(2, &[]), cell(1, &[])],
                },
            ],
            visible_side: None,
        }
    }

    #[test]
    fn images_and_words_are_where_the_layout_says() {
        // One pixel each: red, green, blue.
        let values = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0];
        let images = Images::new(&values, [3, 3, 1, 1]).unwrap();
        let sheet = sheet();
        let layout = sheet.layout(images.shape());
        assert_eq!((layout.scale, layout.image), (96, [96, 96]));
        let picture = sheet.render(images).unwrap();
        let colour = |column: usize, row: usize| {
            let x = layout.left(column) + layout.column / 2;
            picture.get_pixel(x as u32, layout.tops[row] as u32 + 48).0
        };
        assert_eq!(colour(0, 0), [255, 0, 0]);
        assert_eq!(colour(1, 0), [255, 255, 255]);
        assert_eq!(colour(0, 1), [0, 0, 255]);
        assert_eq!(colour(1, 1), [0, 255, 0]);
        let dark = |x: std::ops::Range<usize>, y: std::ops::Range<usize>| {
            let pixels = y.flat_map(|y| x.clone().map(move |x| (x as u32, y as u32)));
            let dark = pixels.filter(|&(x, y)| picture.get_pixel(x, y).0.iter().all(|v| *v < 99));
            dark.count()
        };
        let (margin, tops) = (layout.margin, &layout.tops);
        assert!(dark(0..layout.width, 0..layout.header) > 20, "title");
        assert!(dark(margin..layout.width, layout.header..tops[0]) > 20);
        assert!(dark(0..margin, tops[0]..tops[1]) > 20, "row name");
        assert_eq!(dark(0..margin, tops[1]..tops[2]), 0);
        assert!(dark(margin..layout.width, tops[0] + 96..tops[1]) > 20);
        assert_eq!(dark(margin..layout.width, tops[1] + 96..tops[2]), 0);
    }

    #[test]
    fn impossible_sheets_are_refused() {
        let values = [0.0; 2];
        let images = Images::new(&values, [2, 1, 1, 1]).unwrap();
        let error = sheet().render(images).unwrap_err().to_string();
        assert!(error.contains("image 2"), "{error}");
        let long = SheetRow {
            name: Vec::new(),
            cells: vec![cell(0, &[]); 2000],
        };
        let large = Sheet {
            rows: vec![long; 100],
            ..Sheet::default()
        };
        let error = large.render(images).unwrap_err();
        assert!(matches!(error, ReportError::TooLarge { .. }));
        Sheet::default().render(images).unwrap();
    }
}
