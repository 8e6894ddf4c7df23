//! Reverses the filters of a chunk.

use flate2::{Decompress, FlushDecompress, Status};

use super::checksum::fletcher32;
use super::message::Filter;

/// Maximum size in bytes of a chunk of `length` bytes after any of the filters. Deflate adds five
/// bytes per 64 KiB of data that it cannot compress; the rest is for checksums.
pub(super) fn most_stored(length: u64) -> u64 {
    length + length / 1024 + 1024
}

/// The elements of a chunk: `length` bytes. If bit `i` of the mask is 1, the writer skipped filter
/// `i`.
pub(super) fn decode(
    mut stored: Vec<u8>,
    filters: &[Filter],
    filter_mask: u32,
    length: usize,
) -> Result<Vec<u8>, String> {
    for (place, filter) in filters.iter().enumerate().rev() {
        if filter_mask >> place & 1 != 0 {
            continue;
        }
        stored = match *filter {
            // Filters between this one and the elements may have added bytes.
            Filter::Deflate => inflate(&stored, length, most_stored(length as u64) as usize)?,
            Filter::Shuffle(size) => unshuffle(&stored, size),
            Filter::Fletcher32 => {
                let Some((bytes, checksum)) = stored.split_last_chunk() else {
                    return Err("is too short for its checksum".to_owned());
                };
                if fletcher32(bytes) != u32::from_le_bytes(*checksum) && !cfg!(fuzzing) {
                    return Err("its checksum does not match".to_owned());
                }
                stored.truncate(stored.len() - 4);
                stored
            }
        };
    }
    if stored.len() != length {
        return Err(format!("holds {} bytes instead of {length}", stored.len()));
    }
    Ok(stored)
}

fn inflate(stored: &[u8], likely: usize, most: usize) -> Result<Vec<u8>, String> {
    let mut decompress = Decompress::new(true);
    // One byte more than expected, so that the buffer need not grow to see the end.
    let mut output = Vec::with_capacity(likely + 1);
    loop {
        let consumed = decompress.total_in() as usize;
        let before = output.len();
        let status = decompress
            .decompress_vec(&stored[consumed..], &mut output, FlushDecompress::Finish)
            .map_err(|error| format!("damaged deflate data ({error})"))?;
        if output.len() > most {
            return Err(format!("expands to more than {most} bytes"));
        }
        match status {
            Status::StreamEnd => return Ok(output),
            _ if output.len() == output.capacity() && output.len() <= most => {
                output.reserve(most + 1 - output.len());
            }
            _ if output.len() == before && decompress.total_in() as usize == consumed => {
                return Err("deflate data is cut short".to_owned());
            }
            _ => {}
        }
    }
}

fn unshuffle(stored: &[u8], size: usize) -> Vec<u8> {
    let count = stored.len() / size;
    if size == 1 || count == 0 {
        return stored.to_vec();
    }
    let mut output = vec![0; stored.len()];
    for (place, plane) in stored.chunks_exact(count).take(size).enumerate() {
        for (element, &byte) in output.chunks_exact_mut(size).zip(plane) {
            element[place] = byte;
        }
    }
    // The bytes of an incomplete last element stay in place.
    output[count * size..].copy_from_slice(&stored[count * size..]);
    output
}
