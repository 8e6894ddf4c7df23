//! The typeface of all pictures, which is part of the program.

use std::sync::{LazyLock, OnceLock};

use ab_glyph::{Font, FontRef};
use plotters::prelude::*;
use plotters::style::register_font;
use plotters::style::text_anchor::Pos;

const FONT: &[u8] = include_bytes!("../../assets/DejaVuSans-subset.ttf");
const FONT_NAME: &str = "gwae report";

/// Registers the typeface with the plotting library; call it before drawing.
pub(crate) fn register() -> Result<(), String> {
    static REGISTERED: OnceLock<bool> = OnceLock::new();
    let fine =
        *REGISTERED.get_or_init(|| register_font(FONT_NAME, FontStyle::Normal, FONT).is_ok());
    fine.then_some(())
        .ok_or_else(|| "the built-in font is damaged".to_owned())
}

/// Whether the typeface has the character. The plotting library omits characters that it lacks.
pub(crate) fn has_character(character: char) -> bool {
    static FACE: LazyLock<Option<FontRef<'static>>> =
        LazyLock::new(|| FontRef::try_from_slice(FONT).ok());
    // Drawing itself reports a damaged font. Glyph 0 stands for every character that is not there.
    FACE.as_ref()
        .is_none_or(|face| face.glyph_id(character).0 != 0)
}

/// Letters of `size` pixels.
pub(crate) fn font(size: i32, colour: RGBColor) -> TextStyle<'static> {
    // A style looks up its typeface when it is made. Drawing itself reports a damaged font.
    let _ = register();
    TextStyle {
        font: (FONT_NAME, size).into_font(),
        color: colour.to_backend_color(),
        pos: Pos::default(),
    }
}

/// Width in pixels of `words` in letters of `size` pixels.
pub(crate) fn text_width(words: &str, size: i32) -> usize {
    let bounds = font(size, BLACK).font.layout_box(words);
    let width = bounds.map_or(0, |((left, _), (right, _))| right - left);
    usize::try_from(width).unwrap_or(0)
}
