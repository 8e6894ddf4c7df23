//! The superblock: the version of the file and the address of the root group. It is at the start of the file, or
//! after a user block of 512, 1024, 2048, … bytes, in which programs such as MATLAB keep a text.

use super::error::{Hdf5Problem, Result};
use super::source::{Cursor, Source};
use crate::positioned_file::PositionedFile;

const SIGNATURE: [u8; 8] = *b"\x89HDF\r\n\x1a\n";

/// Length of the user block of a file of `length` bytes: the offset of the signature.
pub(super) fn user_block(file: &PositionedFile, length: u64) -> Result<u64> {
    let mut offset = 0;
    while length.saturating_sub(offset) > SIGNATURE.len() as u64 {
        let mut found = [0; SIGNATURE.len()];
        file.read_exact_at(&mut found, offset)
            .map_err(Hdf5Problem::Io)?;
        if found == SIGNATURE {
            return Ok(offset);
        }
        offset = (2 * offset).max(512);
    }
    Err(Hdf5Problem::NotHdf5)
}

/// Address of the root group's object header.
pub(super) fn root_group(source: &Source) -> Result<u64> {
    const WHAT: &str = "superblock";
    let start = source.block(WHAT, 0, 9)?;
    match start.bytes[8] {
        version @ (0 | 1) => {
            let block = source.block(WHAT, 0, if version == 0 { 96 } else { 100 })?;
            let mut cursor = block.cursor();
            // Signature, four version numbers and a reserved byte.
            cursor.skip(13)?;
            check_widths(&mut cursor)?;
            // Reserved byte, two sizes of B-tree nodes, consistency flags.
            cursor.skip(9)?;
            if version == 1 {
                cursor.skip(4)?;
            }
            let base = cursor.u64()?;
            let _free_space = cursor.u64()?;
            let end = cursor.u64()?;
            let _driver_information = cursor.u64()?;
            check_extent(source, base, end)?;
            let _link_name = cursor.u64()?;
            cursor.u64()
        }
        2 | 3 => {
            let block = source.block(WHAT, 0, 48)?;
            block.verify_checksum()?;
            let mut cursor = block.cursor();
            cursor.skip(9)?;
            check_widths(&mut cursor)?;
            let _consistency_flags = cursor.u8()?;
            let base = cursor.u64()?;
            let _extension = cursor.u64()?;
            let end = cursor.u64()?;
            check_extent(source, base, end)?;
            cursor.u64()
        }
        version => Err(start.unsupported(format!("version {version}"))),
    }
}

fn check_widths(cursor: &mut Cursor<'_>) -> Result<()> {
    let (offsets, lengths) = (cursor.u8()?, cursor.u8()?);
    if (offsets, lengths) == (8, 8) {
        return Ok(());
    }
    Err(Hdf5Problem::unsupported(
        "superblock",
        format!("offsets of {offsets} and lengths of {lengths} bytes (instead of 8)"),
    ))
}

/// `base` and `end` are the user block and the whole file as the program that made the file knew them. Another
/// program may have put a user block before it, or taken one away; the HDF5 library reads such files too.
fn check_extent(source: &Source, base: u64, end: u64) -> Result<()> {
    let end = end.saturating_sub(base);
    if end > source.length {
        return Err(Hdf5Problem::Truncated {
            found: source.length,
            declared: end,
        });
    }
    Ok(())
}
