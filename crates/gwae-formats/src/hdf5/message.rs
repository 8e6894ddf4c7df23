//! The messages that describe a dataset: shape, element type, storage and filters.

use super::error::{Hdf5Problem, Result};
use super::source::{Block, UNDEFINED};

/// Maximum number of dimensions in the format.
const MAX_DIMENSIONS: usize = 32;

/// Maximum number of filters in the format.
const MAX_FILTERS: usize = 32;

/// Element type of a dataset. All numbers are little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hdf5Element {
    /// Unsigned bytes.
    U8,
    /// IEEE 754 single precision.
    F32,
    /// IEEE 754 double precision.
    F64,
}

impl Hdf5Element {
    /// Size of one element in bytes.
    pub fn size(self) -> usize {
        match self {
            Self::U8 => 1,
            Self::F32 => 4,
            Self::F64 => 8,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::U8 => "u8",
            Self::F32 => "f32",
            Self::F64 => "f64",
        }
    }
}

/// The current sizes of a dataset and the sizes that it may grow to.
pub(super) struct Shape {
    pub(super) sizes: Vec<u64>,
    pub(super) maximum: Vec<u64>,
}

pub(super) fn shape(block: &Block) -> Result<Shape> {
    let mut cursor = block.cursor();
    let (version, dimensions, flags) = (cursor.u8()?, usize::from(cursor.u8()?), cursor.u8()?);
    match version {
        1 => cursor.skip(5)?,
        2 => {
            if cursor.u8()? != 1 {
                return Err(block.unsupported("a dataset without dimensions"));
            }
        }
        _ => return Err(block.unsupported(format!("version {version}"))),
    }
    if dimensions == 0 {
        return Err(block.unsupported("a dataset without dimensions"));
    }
    if dimensions > MAX_DIMENSIONS {
        return Err(block.damaged(format!("declares {dimensions} dimensions")));
    }
    let mut read = || -> Result<Vec<u64>> { (0..dimensions).map(|_| cursor.u64()).collect() };
    let sizes = read()?;
    let maximum = if flags & 1 != 0 {
        read()?
    } else {
        sizes.clone()
    };
    if sizes.iter().zip(&maximum).any(|(size, most)| size > most) {
        return Err(block.damaged("declares sizes above their own maximum"));
    }
    Ok(Shape { sizes, maximum })
}

pub(super) fn element(block: &Block) -> Result<Hdf5Element> {
    let mut cursor = block.cursor();
    let class_and_version = cursor.u8()?;
    let (class, version) = (class_and_version & 0x0f, class_and_version >> 4);
    if !(1..=5).contains(&version) {
        return Err(block.damaged(format!("is of version {version}")));
    }
    let bits = cursor.number(3)?;
    let size = cursor.u32()?;
    // Bit offset and precision; for floats also the positions and sizes of exponent and mantissa.
    let found = match class {
        0 => Some((cursor.u16()?, cursor.u16()?, [0; 4], 0)),
        1 => {
            let (offset, precision) = (cursor.u16()?, cursor.u16()?);
            let parts = [cursor.u8()?, cursor.u8()?, cursor.u8()?, cursor.u8()?];
            Some((offset, precision, parts, cursor.u32()?))
        }
        _ => None,
    };
    // Byte order and sign bit. The other bits only say how padding is filled.
    let order_and_sign = bits & 0x41;
    match (class, size, order_and_sign, bits >> 8, found) {
        (0, 1, 0 | 1, 0, Some((0, 8, ..))) if bits & 0x08 == 0 => Ok(Hdf5Element::U8),
        (1, 4, 0, 31, Some((0, 32, [23, 8, 0, 23], 127))) => Ok(Hdf5Element::F32),
        (1, 8, 0, 63, Some((0, 64, [52, 11, 0, 52], 1023))) => Ok(Hdf5Element::F64),
        _ => Err(block.unsupported(format!(
            "elements of class {class} and {size} bytes (only unsigned bytes and \
             little-endian IEEE floats are read)"
        ))),
    }
}

/// Where and how the elements are stored.
pub(super) enum Layout {
    Contiguous {
        address: u64,
        length: u64,
    },
    Chunked {
        /// Sizes of a chunk, without the element size.
        shape: Vec<u64>,
        index: ChunkIndex,
    },
}

/// How to find a chunk. The address is that of the index or, without an index, that of the data.
pub(super) enum ChunkIndex {
    BTree {
        address: u64,
    },
    Single {
        address: u64,
        length: Option<u64>,
        filter_mask: u32,
    },
    Implicit {
        address: u64,
    },
    FixedArray {
        address: u64,
    },
}

pub(super) fn layout(block: &Block, dimensions: usize, element_size: usize) -> Result<Layout> {
    let mut cursor = block.cursor();
    let (version, class) = (cursor.u8()?, cursor.u8()?);
    if !(3..=5).contains(&version) {
        return Err(block.unsupported(format!("version {version}")));
    }
    match class {
        0 => return Err(block.unsupported("a dataset stored inside its header (compact)")),
        3 => {
            return Err(block
                .unsupported("a virtual dataset, whose elements are in other datasets or files,"));
        }
        1 => {
            return Ok(Layout::Contiguous {
                address: cursor.u64()?,
                length: cursor.u64()?,
            });
        }
        2 => {}
        _ => return Err(block.unsupported(format!("storage class {class}"))),
    }
    let flags = if version == 3 { 0 } else { cursor.u8()? };
    let declared = usize::from(cursor.u8()?);
    if declared != dimensions + 1 {
        return Err(block.damaged(format!(
            "has chunks of {declared} dimensions (element size included) \
             for a dataset of {dimensions}"
        )));
    }
    let index_of_v3 = if version == 3 {
        cursor.u64()?
    } else {
        UNDEFINED
    };
    let width = if version == 3 {
        4
    } else {
        usize::from(cursor.u8()?)
    };
    let mut shape = (0..declared)
        .map(|_| cursor.number(width))
        .collect::<Result<Vec<u64>>>()?;
    if shape.pop() != Some(element_size as u64) {
        return Err(block.damaged("has chunks of elements of another size"));
    }
    if shape.contains(&0) {
        return Err(block.damaged("has chunks without elements"));
    }
    let index = if version == 3 {
        ChunkIndex::BTree {
            address: index_of_v3,
        }
    } else {
        match cursor.u8()? {
            1 => {
                let filtered = flags & 0x02 != 0;
                let length = if filtered { Some(cursor.u64()?) } else { None };
                let filter_mask = if filtered { cursor.u32()? } else { 0 };
                ChunkIndex::Single {
                    length,
                    filter_mask,
                    address: cursor.u64()?,
                }
            }
            2 => ChunkIndex::Implicit {
                address: cursor.u64()?,
            },
            3 => {
                let _page_bits = cursor.u8()?;
                ChunkIndex::FixedArray {
                    address: cursor.u64()?,
                }
            }
            _ => {
                return Err(block.unsupported(
                    "a resizable dataset of the newest format (extensible array or B-tree v2)",
                ));
            }
        }
    };
    // With flag 0, chunks that extend past the end of the dataset are stored without filters.
    if flags & 0x01 != 0 {
        return Err(block.unsupported("edge chunks without filters"));
    }
    Ok(Layout::Chunked { shape, index })
}

/// A step that turns stored bytes into elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filter {
    Deflate,
    /// Bytes of equal significance are stored together; the number is the element size.
    Shuffle(usize),
    Fletcher32,
}

/// The filters in the order in which the writer applied them.
pub(super) fn filters(block: &Block) -> Result<Vec<Filter>> {
    let mut cursor = block.cursor();
    let (version, count) = (cursor.u8()?, usize::from(cursor.u8()?));
    match version {
        1 => cursor.skip(6)?,
        2 => {}
        _ => return Err(block.unsupported(format!("version {version}"))),
    }
    if count > MAX_FILTERS {
        return Err(block.damaged(format!("declares {count} filters")));
    }
    let mut filters = Vec::new();
    for _ in 0..count {
        let identifier = cursor.u16()?;
        let named = version == 1 || identifier >= 256;
        let name_length = if named { usize::from(cursor.u16()?) } else { 0 };
        let _flags = cursor.u16()?;
        let values = usize::from(cursor.u16()?);
        let padding = if version == 1 {
            name_length.next_multiple_of(8) - name_length
        } else {
            0
        };
        let name = cursor.bytes(name_length)?;
        cursor.skip(padding)?;
        let parameters = (0..values)
            .map(|_| cursor.u32())
            .collect::<Result<Vec<u32>>>()?;
        if version == 1 && values % 2 == 1 {
            cursor.skip(4)?;
        }
        filters.push(match (identifier, parameters.as_slice()) {
            (1, _) => Filter::Deflate,
            (2, &[size, ..]) if size > 0 => Filter::Shuffle(size as usize),
            (3, _) => Filter::Fletcher32,
            _ => {
                let name = name.split(|&byte| byte == 0).next().unwrap_or_default();
                let name = match name {
                    b"" => filter_name(identifier).to_owned(),
                    name => name.escape_ascii().to_string(),
                };
                return Err(Hdf5Problem::unsupported(
                    block.what,
                    format!("filter {identifier} `{name}`"),
                ));
            }
        });
    }
    Ok(filters)
}

/// The name of a filter that this reader does not have, from the registry of the HDF Group.
fn filter_name(identifier: u16) -> &'static str {
    match identifier {
        4 => "szip",
        5 => "nbit",
        6 => "scaleoffset",
        305 => "lzo",
        307 => "bzip2",
        32000 => "lzf",
        32001 => "blosc",
        32004 => "lz4",
        32008 => "bitshuffle",
        32013 => "zfp",
        32015 => "zstd",
        32017 => "sz",
        32026 => "blosc2",
        _ => "unknown",
    }
}

/// The element of `size` bytes that stands where nothing was written; `None` if the file does not say.
///
/// `block` is the message of kind [`FILL_VALUE`](super::kind::FILL_VALUE), or of the older kind without a version.
pub(super) fn fill_value(block: &Block, size: usize, is_old: bool) -> Result<Option<Vec<u8>>> {
    /// The fill value is never written.
    const NEVER: u8 = 1;
    let mut cursor = block.cursor();
    let mut has_value = true;
    if !is_old {
        match cursor.u8()? {
            1 | 2 => {
                let _allocation = cursor.u8()?;
                let time = cursor.u8()?;
                let is_defined = cursor.u8()? != 0;
                if time == NEVER || !is_defined {
                    return Ok(None);
                }
            }
            3 => {
                let flags = cursor.u8()?;
                let is_undefined = flags & 0x10 != 0;
                if flags >> 2 & 3 == NEVER || is_undefined {
                    return Ok(None);
                }
                has_value = flags & 0x20 != 0;
            }
            version => return Err(block.unsupported(format!("version {version}"))),
        }
    }
    let length = if has_value { cursor.u32()? as usize } else { 0 };
    match length {
        0 => Ok(Some(vec![0; size])),
        _ if length == size => Ok(Some(cursor.bytes(size)?.to_vec())),
        _ => Err(block.damaged(format!("holds {length} bytes for an element of {size}"))),
    }
}
