//! The layout of a cache file.
//!
//! | offset | content |
//! |---|---|
//! | 0 | header: 184 bytes, the last 32 of which are the SHA-256 of the others; zeros up to 4096 |
//! | 4096 | SHA-256 of every block of images, 32 bytes each; zeros for blocks not written yet |
//! | then | for every image: its number in the factor grid, u32 |
//! | next multiple of 4096 | the images, one after the other |
//!
//! All numbers are little-endian. The header has: magic (16 bytes), version, state (0 unfinished, 1
//! complete), channels, height, width, bits per value (8, or 1 for black and white), all u32;
//! images, images per layer, images per block, length of the source in bytes, all u64; modification
//! time of the source (nanoseconds since 1970, i128); fingerprint of the source and SHA-256 of the
//! content (grid numbers, then block digests), 32 bytes each. The header fits into one sector,
//! which disks write as a whole.

use std::ops::Range;
use std::time::UNIX_EPOCH;

use sha2::{Digest, Sha256};

pub(super) const HEADER_BYTES: usize = 4096;
pub(super) const DIGEST_BYTES: usize = 32;
const MAGIC: &[u8; 16] = b"gwae image cache";
const VERSION: u32 = 1;
/// Size of the header in bytes before its checksum.
const FIELDS_BYTES: usize = 152;

pub(crate) type Sha256Bytes = [u8; DIGEST_BYTES];

/// Distinguishes source files without reading them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SourceStamp {
    pub(crate) length: u64,
    /// Nanoseconds since 1970; 0 if the system does not know.
    pub(crate) modified: i128,
}

impl SourceStamp {
    pub(crate) fn of(metadata: &std::fs::Metadata) -> Self {
        let modified =
            metadata
                .modified()
                .ok()
                .map_or(0, |time| match time.duration_since(UNIX_EPOCH) {
                    Ok(after) => after.as_nanos() as i128,
                    Err(before) => -(before.duration().as_nanos() as i128),
                });
        Self {
            length: metadata.len(),
            modified,
        }
    }
}

/// Sizes of the images and their division into layers and blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Geometry {
    pub(crate) channels: u32,
    pub(crate) height: u32,
    pub(crate) width: u32,
    /// Bits per value: 8, or 1 for images of black (0) and white (1).
    pub(crate) bits: u32,
    pub(crate) images: u64,
    /// Number of images that the source prepares together.
    pub(crate) layer: u64,
    /// Maximum number of images per block. Layers are divided into blocks.
    pub(crate) block: u64,
}

impl Geometry {
    /// Number of values of one image.
    pub(crate) fn values(&self) -> usize {
        (self.channels * self.height * self.width) as usize
    }

    /// Size of one stored image in bytes.
    pub(crate) fn image_bytes(&self) -> usize {
        (self.values() * self.bits as usize).div_ceil(8)
    }

    pub(super) fn layers(&self) -> u64 {
        self.images.div_ceil(self.layer)
    }

    pub(super) fn layer_images(&self, layer: u64) -> Range<u64> {
        layer * self.layer..self.images.min((layer + 1) * self.layer)
    }

    fn blocks_per_layer(&self) -> u64 {
        self.layer.div_ceil(self.block)
    }

    /// The numbers of a layer's blocks.
    pub(super) fn layer_blocks(&self, layer: u64) -> Range<u64> {
        let images = self.layer_images(layer);
        let first = layer * self.blocks_per_layer();
        first..first + (images.end - images.start).div_ceil(self.block)
    }

    pub(super) fn blocks(&self) -> u64 {
        self.layer_blocks(self.layers() - 1).end
    }

    pub(super) fn block_images(&self, block: u64) -> Range<u64> {
        let layer = self.layer_images(block / self.blocks_per_layer());
        let start = layer.start + block % self.blocks_per_layer() * self.block;
        start..layer.end.min(start + self.block)
    }

    pub(super) fn digest_offset(&self, block: u64) -> u64 {
        HEADER_BYTES as u64 + block * DIGEST_BYTES as u64
    }

    pub(super) fn items_offset(&self) -> u64 {
        self.digest_offset(self.blocks())
    }

    pub(super) fn images_offset(&self) -> u64 {
        (self.items_offset() + 4 * self.images).next_multiple_of(HEADER_BYTES as u64)
    }

    pub(super) fn image_offset(&self, image: u64) -> u64 {
        self.images_offset() + image * self.image_bytes() as u64
    }

    pub(super) fn file_bytes(&self) -> u64 {
        self.image_offset(self.images)
    }

    /// Whether the numbers are consistent. Those of a damaged header must not cause an overflow.
    fn is_plausible(&self) -> bool {
        const MOST: u32 = 1 << 14;
        let sides = [self.channels, self.height, self.width];
        sides.iter().all(|side| (1..=MOST).contains(side))
            && self.channels <= 3
            && matches!(self.bits, 1 | 8)
            && (1..=1 << 32).contains(&self.images)
            && (1..=1 << 32).contains(&self.layer)
            && (1..=self.layer).contains(&self.block)
    }
}

/// The header of a cache file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) geometry: Geometry,
    pub(crate) source: SourceStamp,
    pub(crate) fingerprint: Sha256Bytes,
    /// SHA-256 over grid numbers and block digests, once complete.
    pub(super) content: Option<Sha256Bytes>,
}

impl Header {
    /// The header of a new, unfinished cache.
    pub(crate) fn new(geometry: Geometry, source: SourceStamp, fingerprint: Sha256Bytes) -> Self {
        Self {
            geometry,
            source,
            fingerprint,
            content: None,
        }
    }

    pub(super) fn encode(&self) -> [u8; HEADER_BYTES] {
        let Geometry {
            channels,
            height,
            width,
            bits,
            images,
            layer,
            block,
        } = self.geometry;
        let mut bytes = MAGIC.to_vec();
        let state = u32::from(self.content.is_some());
        for number in [VERSION, state, channels, height, width, bits] {
            bytes.extend(number.to_le_bytes());
        }
        for number in [images, layer, block, self.source.length] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend(self.source.modified.to_le_bytes());
        bytes.extend(self.fingerprint);
        bytes.extend(self.content.unwrap_or_default());
        let checksum = Sha256::digest(&bytes);
        bytes.extend(checksum);
        let mut header = [0; HEADER_BYTES];
        header[..FIELDS_BYTES + DIGEST_BYTES].copy_from_slice(&bytes);
        header
    }

    /// Whether the bytes start like such a header.
    pub(super) fn has_magic(bytes: &[u8]) -> bool {
        bytes.starts_with(MAGIC)
    }

    /// `None` for a header that is damaged or of another version.
    pub(super) fn decode(bytes: &[u8; HEADER_BYTES]) -> Option<Self> {
        let (body, rest) = bytes.split_at(FIELDS_BYTES);
        let (checksum, padding) = rest.split_at(DIGEST_BYTES);
        // Builds for fuzzing skip this check, so that changed bytes reach the code behind it.
        let matches = Sha256::digest(body)[..] == *checksum || cfg!(fuzzing);
        if !matches || !Self::has_magic(body) || padding.iter().any(|&byte| byte != 0) {
            return None;
        }
        let mut rest = &body[MAGIC.len()..];
        let mut next = |count: usize| {
            let (taken, left) = rest.split_at(count);
            rest = left;
            taken
        };
        let mut u32s = [0; 6];
        for number in &mut u32s {
            *number = u32::from_le_bytes(next(4).try_into().ok()?);
        }
        let mut u64s = [0; 4];
        for number in &mut u64s {
            *number = u64::from_le_bytes(next(8).try_into().ok()?);
        }
        let modified = i128::from_le_bytes(next(16).try_into().ok()?);
        let fingerprint = next(32).try_into().ok()?;
        let content: Sha256Bytes = next(32).try_into().ok()?;
        let [version, state, channels, height, width, bits] = u32s;
        let [images, layer, block, length] = u64s;
        let geometry = Geometry {
            channels,
            height,
            width,
            bits,
            images,
            layer,
            block,
        };
        if version != VERSION || state > 1 || !geometry.is_plausible() {
            return None;
        }
        Some(Self {
            geometry,
            source: SourceStamp { length, modified },
            fingerprint,
            content: (state == 1).then_some(content),
        })
    }

    /// The same header, marked as unfinished.
    pub(super) fn unfinished(&self) -> Self {
        Self {
            content: None,
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn geometry(images: u64, layer: u64, block: u64) -> Geometry {
        Geometry {
            channels: 3,
            height: 4,
            width: 5,
            bits: 8,
            images,
            layer,
            block,
        }
    }

    #[test]
    fn blocks_cover_every_image_once_in_order() {
        for images in 1..40 {
            for layer in 1..12 {
                for block in 1..=layer {
                    let geometry = geometry(images, layer, block);
                    let mut next_image = 0;
                    let mut next_block = 0;
                    for layer in 0..geometry.layers() {
                        let whole = geometry.layer_images(layer);
                        assert_eq!(whole.start, next_image);
                        for number in geometry.layer_blocks(layer) {
                            assert_eq!(number, next_block);
                            next_block += 1;
                            let images = geometry.block_images(number);
                            assert_eq!(images.start, next_image);
                            assert!(images.start < images.end && images.end <= whole.end);
                            next_image = images.end;
                        }
                    }
                    assert_eq!(next_image, images);
                    assert_eq!(next_block, geometry.blocks());
                }
            }
        }
    }

    #[test]
    fn a_header_survives_the_round_trip_and_no_damage() {
        for content in [None, Some([7; 32])] {
            let header = Header {
                geometry: geometry(100, 10, 5),
                source: SourceStamp {
                    length: 1 << 40,
                    modified: -5,
                },
                fingerprint: [3; 32],
                content,
            };
            let mut bytes = header.encode();
            assert_eq!(Header::decode(&bytes), Some(header));
            for place in 0..HEADER_BYTES {
                bytes[place] ^= 0x10;
                assert_eq!(Header::decode(&bytes), None, "{place}");
                bytes[place] ^= 0x10;
            }
        }
    }
}
