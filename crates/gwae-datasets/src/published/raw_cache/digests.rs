//! Digests of the blocks of a cache file, and of the whole file.

use gwae_formats::parallel::{default_threads, in_parallel};
use gwae_formats::positioned_file::PositionedFile;
use sha2::{Digest, Sha256};

use super::error::{RawCacheProblem, Result};
use super::layout::{DIGEST_BYTES, Geometry, Sha256Bytes};

/// The digests in the file, one per block.
pub(super) fn digests(file: &PositionedFile, geometry: &Geometry) -> Result<Vec<Sha256Bytes>> {
    // The geometry has been checked against the file's length, which limits the allocation.
    let mut bytes = vec![0; geometry.blocks() as usize * DIGEST_BYTES];
    file.read_exact_at(&mut bytes, geometry.digest_offset(0))
        .map_err(RawCacheProblem::io("read"))?;
    Ok(bytes.as_chunks().0.to_vec())
}

/// SHA-256 over the grid numbers and the block digests. If every block is checked too, it covers
/// the whole content.
pub(super) fn content_digest(
    file: &PositionedFile,
    geometry: &Geometry,
    digests: &[Sha256Bytes],
) -> Result<Sha256Bytes> {
    let mut items = vec![0; 4 * geometry.images as usize];
    file.read_exact_at(&mut items, geometry.items_offset())
        .map_err(RawCacheProblem::io("read"))?;
    let mut hash = Sha256::new();
    hash.update(&items);
    hash.update(digests.as_flattened());
    Ok(hash.finalize().into())
}

/// Reads all images and returns the numbers of the blocks that do not match their digests,
/// ascending.
pub(super) fn wrong_blocks(
    file: &PositionedFile,
    geometry: &Geometry,
    digests: &[Sha256Bytes],
) -> Result<Vec<u64>> {
    let is_wrong = |block: usize| {
        let found = block_digest(file, geometry, block as u64)?;
        Ok((found != digests[block]).then_some(block as u64))
    };
    let wrong = in_parallel(default_threads().get(), digests.len(), is_wrong)
        .map_err(RawCacheProblem::io("read"))?;
    Ok(wrong.into_iter().flatten().collect())
}

/// SHA-256 of a block in the file.
fn block_digest(
    file: &PositionedFile,
    geometry: &Geometry,
    block: u64,
) -> std::io::Result<Sha256Bytes> {
    /// Number of bytes read at once.
    const PIECE: u64 = 1 << 20;
    let images = geometry.block_images(block);
    let mut offset = geometry.image_offset(images.start);
    let end = geometry.image_offset(images.end);
    let mut buffer = vec![0; PIECE.min(end - offset) as usize];
    let mut hash = Sha256::new();
    while offset < end {
        let piece = &mut buffer[..PIECE.min(end - offset) as usize];
        file.read_exact_at(piece, offset)?;
        hash.update(&*piece);
        offset += piece.len() as u64;
    }
    Ok(hash.finalize().into())
}
