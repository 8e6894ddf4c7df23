//! Checks and filters the chunks of a PNG file before the decoder sees it.

use std::borrow::Cow;

use crate::images::error::ImageFileProblem;

const SIGNATURE: usize = 8;
/// Length and kind before a chunk's content, and its checksum after it.
const FRAME: usize = 12;

/// Chunks that the decoder would decompress or keep, and that say nothing about the pixels. A
/// profile of one megabyte can expand to a gigabyte.
const METADATA: [&[u8; 4]; 4] = [b"iCCP", b"zTXt", b"iTXt", b"tEXt"];

/// A chunk with its length, kind and checksum.
struct Chunk<'a> {
    kind: [u8; 4],
    length: usize,
    whole: &'a [u8],
}

/// The chunks of a file. The last one may be cut short.
fn chunks(png: &[u8]) -> impl Iterator<Item = Chunk<'_>> {
    let mut rest = png.get(SIGNATURE..).unwrap_or_default();
    std::iter::from_fn(move || {
        let &[a, b, c, d, ref kind @ ..] = rest.first_chunk::<8>()?;
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        let end = length.saturating_add(FRAME).min(rest.len());
        let (whole, after) = rest.split_at(end);
        let kind = *kind;
        rest = after;
        Some(Chunk {
            kind,
            length,
            whole,
        })
    })
}

/// Width and height that the file declares; `None` if it is too short.
pub(super) fn dimensions(png: &[u8]) -> Option<(usize, usize)> {
    let sides = png.get(16..24)?.as_chunks::<4>().0;
    let [width, height] = sides else { return None };
    Some((
        u32::from_be_bytes(*width) as usize,
        u32::from_be_bytes(*height) as usize,
    ))
}

/// The file without colour profiles and texts.
///
/// # Errors
/// [`ImageFileProblem::Damaged`] for a palette that ends inside a colour, because the decoder would
/// panic (png 0.18.1).
pub(super) fn without_metadata(png: &[u8]) -> Result<Cow<'_, [u8]>, ImageFileProblem> {
    for chunk in chunks(png) {
        if &chunk.kind == b"PLTE" && !chunk.length.is_multiple_of(3) {
            return Err(ImageFileProblem::Damaged {
                format: "PNG",
                message: format!(
                    "a palette of {} bytes, which are no whole colours",
                    chunk.length
                ),
            });
        }
    }
    let is_metadata = |chunk: &Chunk| METADATA.contains(&&chunk.kind);
    if !chunks(png).any(|chunk| is_metadata(&chunk)) {
        return Ok(Cow::Borrowed(png));
    }
    let mut kept = png[..SIGNATURE].to_vec();
    for chunk in chunks(png).filter(|chunk| !is_metadata(chunk)) {
        kept.extend_from_slice(chunk.whole);
    }
    Ok(Cow::Owned(kept))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
        let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
        for (kind, content) in chunks {
            png.extend((content.len() as u32).to_be_bytes());
            png.extend(*kind);
            png.extend(*content);
            png.extend([0; 4]);
        }
        png
    }

    #[test]
    fn profiles_and_texts_are_left_out() {
        let header = [0, 0, 0, 5, 0, 0, 1, 0, 8, 2, 0, 0, 0];
        let plain = file(&[
            (b"IHDR", &header),
            (b"eXIf", b"x"),
            (b"IDAT", b"y"),
            (b"IEND", b""),
        ]);
        let with = file(&[
            (b"IHDR", &header),
            (b"iCCP", b"a profile"),
            (b"eXIf", b"x"),
            (b"zTXt", b"text"),
            (b"IDAT", b"y"),
            (b"iTXt", b""),
            (b"tEXt", b"text"),
            (b"IEND", b""),
        ]);
        assert_eq!(*without_metadata(&with).unwrap(), plain);
        assert!(matches!(
            without_metadata(&plain).unwrap(),
            Cow::Borrowed(_)
        ));
        assert_eq!(dimensions(&plain), Some((5, 256)));
        // A cut file stays cut.
        let cut = &plain[..plain.len() - 13];
        assert_eq!(*without_metadata(cut).unwrap(), *cut);
        assert_eq!(dimensions(&plain[..23]), None);
    }

    #[test]
    fn a_palette_of_broken_colours_is_refused() {
        let png = file(&[(b"PLTE", &[1, 2, 3, 4])]);
        assert!(
            without_metadata(&png)
                .unwrap_err()
                .to_string()
                .contains("palette of 4 bytes")
        );
    }
}
