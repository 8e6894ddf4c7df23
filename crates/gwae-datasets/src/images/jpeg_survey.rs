//! What the segments of a JPEG file say, read before any decoder sees the file.
//!
//! The general decoder gives wrong pixels without an error for a few legal kinds of file. So this
//! module refuses every kind that the decoder was not found right on, and says which kind it is.
//! `tests/jpeg/sweep.py` writes files of all kinds beside the pixels of libjpeg.

use image::metadata::Orientation;
use jpeg_decoder::ColorTransform;

use crate::images::error::ImageFileProblem;

/// The facts that decide how a file is decoded.
pub(super) struct Survey {
    /// The marker that begins the frame: the coding process.
    process: u8,
    precision: u8,
    components: Vec<Component>,
    /// Whether the file has a JFIF segment, which fixes the colours.
    jfif: bool,
    /// The colour transform in Adobe's segment.
    adobe: Option<u8>,
    /// Whether Huffman tables precede the first scan.
    pub(super) has_tables: bool,
    /// How the image is to be turned, by its EXIF segment.
    pub(super) orientation: Orientation,
    scans: usize,
    pub(super) width: usize,
    pub(super) height: usize,
}

struct Component {
    id: u8,
    across: u8,
    down: u8,
    /// Bit `k` is set once coefficient `k` in zigzag order has its full precision.
    exact: u64,
}

impl Survey {
    /// Walks over all segments and scans. `None` if the end marker does not follow the last scan:
    /// then bytes of the image are missing, which decoders would fill with grey.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        let mut survey = Self {
            process: 0,
            precision: 0,
            components: Vec::new(),
            jfif: false,
            adobe: None,
            has_tables: false,
            orientation: Orientation::NoTransforms,
            scans: 0,
            width: 0,
            height: 0,
        };
        let mut place = 2;
        let mut in_scan = false;
        loop {
            // Stray bytes between segments are passed over, as libjpeg does.
            let offset = bytes.get(place..)?.iter().position(|&byte| byte == 0xff)?;
            place += offset + 1;
            match *bytes.get(place)? {
                0xd9 => return Some(survey),
                // A fill byte.
                0xff => {}
                // An escaped 0xff, or a restart marker.
                0 => place += 1,
                0xd0..=0xd7 if in_scan => place += 1,
                marker => {
                    let &[high, low] = bytes.get(place + 1..)?.first_chunk()?;
                    let next = place + 1 + usize::from(u16::from_be_bytes([high, low]));
                    let content = bytes.get(place + 3..next).unwrap_or_default();
                    survey.note(marker, content);
                    in_scan = marker == 0xda;
                    place = next;
                }
            }
        }
    }

    fn note(&mut self, marker: u8, content: &[u8]) {
        match marker {
            0xc4 if self.scans == 0 => self.has_tables = true,
            0xda => self.note_scan(content),
            0xe0 => self.jfif |= content.starts_with(b"JFIF\0"),
            0xe1 if self.orientation == Orientation::NoTransforms => {
                let exif = content.strip_prefix(b"Exif\0\0");
                let found = exif.and_then(Orientation::from_exif_chunk);
                self.orientation = found.unwrap_or(Orientation::NoTransforms);
            }
            0xee if content.starts_with(b"Adobe") => self.adobe = content.get(11).copied(),
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                let &[precision, h1, h0, w1, w0, _, ref components @ ..] = content else {
                    return;
                };
                self.process = marker;
                self.precision = precision;
                self.height = u16::from_be_bytes([h1, h0]).into();
                self.width = u16::from_be_bytes([w1, w0]).into();
                let component = |&[id, sampling, _]: &[u8; 3]| Component {
                    id,
                    across: sampling >> 4,
                    down: sampling & 15,
                    exact: 0,
                };
                self.components = components.as_chunks().0.iter().map(component).collect();
            }
            _ => {}
        }
    }

    fn note_scan(&mut self, content: &[u8]) {
        self.scans += 1;
        let Some((_, [selectors @ .., first, last, bits])) = content.split_first() else {
            return;
        };
        // The lower half is the number of bits that later scans add.
        if bits & 15 != 0 || first > last || *last > 63 {
            return;
        }
        let exact = (u64::MAX >> (63 - last)) & (u64::MAX << first);
        for &[id, _] in selectors.as_chunks().0 {
            for component in self.components.iter_mut().filter(|c| c.id == id) {
                component.exact |= exact;
            }
        }
    }

    /// Refuses the kinds of file that the general decoder does not read, or reads wrongly.
    pub(super) fn check(&self) -> Result<(), ImageFileProblem> {
        let kind = match self.process {
            0xc0..=0xc2 => self.unusual(),
            0xc3 => Some("lossless coding"),
            0xc9..=0xcb => Some("arithmetic coding"),
            0 => Some("no frame header"),
            _ => Some("hierarchical coding"),
        };
        let format = "JPEG";
        kind.map_or(Ok(()), |kind| {
            Err(ImageFileProblem::Unsupported { format, kind })
        })
    }

    fn unusual(&self) -> Option<&'static str> {
        let across = |c: &Component| c.across;
        let down = |c: &Component| c.down;
        if self.precision != 8 {
            Some("more than 8 bits per value")
        } else if self.height == 0 {
            Some("a height that follows the first scan")
        } else if !matches!(self.components.len(), 1 | 3 | 4) {
            Some("colours of other than 1, 3 or 4 components")
        } else if !self.full_or_single(across) || !self.full_or_single(down) {
            Some("sampling factors other than 1 and the highest one")
        } else if self.adobe.is_some_and(|transform| transform > 2) {
            Some("an unknown colour transform in Adobe's segment")
        } else if self.components.len() == 4 && self.adobe == Some(1) {
            Some("four components with a transform for three")
        } else if self.process == 0xc2 && self.components.iter().any(|c| c.exact != u64::MAX) {
            Some("progressive coding whose last scans were left out")
        } else {
            None
        }
    }

    /// Whether every component has the highest sampling factor, or factor one. The decoder is wrong
    /// for factors such as 4, 2 and 1 in separate scans.
    fn full_or_single(&self, factor: fn(&Component) -> u8) -> bool {
        let most = self.components.iter().map(factor).max().unwrap_or(0);
        self.components
            .iter()
            .all(|component| matches!(factor(component), f if f == most || f == 1))
    }

    /// The meaning of the components, by the rules of libjpeg.
    pub(super) fn colours(&self) -> ColorTransform {
        let ids: Vec<u8> = self.components.iter().map(|c| c.id).collect();
        match (ids.len(), self.adobe) {
            (1, _) => ColorTransform::Grayscale,
            (4, Some(2)) => ColorTransform::YCCK,
            (4, _) => ColorTransform::CMYK,
            _ if self.jfif => ColorTransform::YCbCr,
            (_, Some(0)) => ColorTransform::RGB,
            (_, None) if ids == *b"RGB" => ColorTransform::RGB,
            _ => ColorTransform::YCbCr,
        }
    }
}
