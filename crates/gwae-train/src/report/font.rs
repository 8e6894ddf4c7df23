//! The typeface of all pictures, which comes with the program.

use std::sync::{LazyLock, OnceLock};

use plotters::prelude::*;
use plotters::style::register_font;
use plotters::style::text_anchor::Pos;
use ttf_parser::Face;

const FONT: &[u8] = include_bytes!("../../../../assets/fonts/DejaVuSans-subset.ttf");
const FONT_NAME: &str = "gwae report";

/// Makes the typeface known to the plotting library; call it before drawing.
pub(super) fn register() -> Result<(), String> {
    static REGISTERED: OnceLock<bool> = OnceLock::new();
    let fine =
        *REGISTERED.get_or_init(|| register_font(FONT_NAME, FontStyle::Normal, FONT).is_ok());
    fine.then_some(())
        .ok_or_else(|| "the built-in font is damaged".to_owned())
}

/// Whether the typeface has the character; the plotting library leaves out those it has not.
pub(super) fn has_character(character: char) -> bool {
    static FACE: LazyLock<Option<Face<'static>>> = LazyLock::new(|| Face::parse(FONT, 0).ok());
    // Drawing reports a damaged font.
    FACE.as_ref()
        .is_none_or(|face| face.glyph_index(character).is_some())
}

/// Letters of `size` pixels.
pub(super) fn font(size: i32, colour: RGBColor) -> TextStyle<'static> {
    TextStyle {
        font: (FONT_NAME, size).into_font(),
        color: colour.to_backend_color(),
        pos: Pos::default(),
    }
}

/// Width in pixels of words in letters of `size` pixels.
pub(super) fn text_width(words: &str, size: i32) -> usize {
    // Drawing reports a damaged font.
    let _ = register();
    let bounds = font(size, BLACK).font.layout_box(words);
    let width = bounds.map_or(0, |((left, _), (right, _))| right - left);
    usize::try_from(width).unwrap_or(0)
}
