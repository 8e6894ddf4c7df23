//! The first bytes of the file: its version and the address of the root group.

use super::error::{Hdf5Problem, Result};
use super::source::{Cursor, Source};

const SIGNATURE: [u8; 8] = *b"\x89HDF\r\n\x1a\n";

/// Address of the root group's object header.
pub(super) fn root_group(source: &Source) -> Result<u64> {
    const WHAT: &str = "superblock";
    if source.length < 9 {
        return Err(Hdf5Problem::NotHdf5);
    }
    let start = source.block(WHAT, 0, 9)?;
    if start.bytes[..8] != SIGNATURE {
        return Err(Hdf5Problem::NotHdf5);
    }
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

fn check_extent(source: &Source, base: u64, end: u64) -> Result<()> {
    if base != 0 {
        return Err(Hdf5Problem::unsupported("superblock", "a user block"));
    }
    if end > source.length {
        return Err(Hdf5Problem::Truncated {
            found: source.length,
            declared: end,
        });
    }
    Ok(())
}
