//! The names in a group and the addresses of their objects, from symbol tables (the format's first
//! versions) or link messages (since 1.8).

use super::error::Result;
use super::kind::{LINK, LINK_INFO, SYMBOL_TABLE};
use super::object_header::messages;
use super::source::{Block, Source, UNDEFINED};

/// Maximum number of links in a group. The files read here have two.
const MAX_LINKS: usize = 4096;

/// Maximum length of a name in bytes.
const MAX_NAME: usize = 1024;

/// Maximum number of nodes of a group's B-tree that are visited, and maximum number of levels.
const MAX_NODES: usize = 4096;
const MAX_LEVELS: u8 = 16;

/// What a name in a group stands for.
#[derive(Clone, Debug)]
pub(super) enum Target {
    /// The object whose header is at this address.
    Object(u64),
    /// The path of another name in the file.
    Soft(String),
    /// An object of the file with this name.
    External(String),
    /// A link of a kind that a program defined.
    Unknown(u8),
}

/// Every name of the group at `address`, and what it stands for. Other objects have no names.
pub(super) fn links(source: &Source, address: u64) -> Result<Vec<(String, Target)>> {
    let mut links = Vec::new();
    for message in messages(source, address)? {
        match message.kind {
            LINK => {
                let body = message.body()?;
                push(body, &mut links, link(body)?)?;
            }
            LINK_INFO => check_link_info(message.body()?)?,
            SYMBOL_TABLE => {
                let mut cursor = message.body()?.cursor();
                let (tree, heap) = (cursor.u64()?, cursor.u64()?);
                let names = names(source, heap)?;
                let mut visited = 0;
                symbols(source, tree, MAX_LEVELS, &names, &mut visited, &mut links)?;
            }
            _ => {}
        }
    }
    Ok(links)
}

fn push(block: &Block, links: &mut Vec<(String, Target)>, link: (String, Target)) -> Result<()> {
    if links.len() == MAX_LINKS {
        return Err(block.unsupported(format!("a group of more than {MAX_LINKS} links")));
    }
    links.push(link);
    Ok(())
}

fn check_link_info(block: &Block) -> Result<()> {
    let mut cursor = block.cursor();
    let (version, flags) = (cursor.u8()?, cursor.u8()?);
    if version != 0 {
        return Err(block.unsupported(format!("version {version}")));
    }
    if flags & 0x01 != 0 {
        cursor.skip(8)?;
    }
    if cursor.u64()? == UNDEFINED {
        return Ok(());
    }
    Err(block.unsupported("a group of many links, stored in a heap"))
}

fn link(block: &Block) -> Result<(String, Target)> {
    let mut cursor = block.cursor();
    let (version, flags) = (cursor.u8()?, cursor.u8()?);
    if version != 1 {
        return Err(block.unsupported(format!("version {version}")));
    }
    let kind = if flags & 0x08 != 0 { cursor.u8()? } else { 0 };
    if flags & 0x04 != 0 {
        cursor.skip(8)?;
    }
    if flags & 0x10 != 0 {
        cursor.skip(1)?;
    }
    let length = cursor.number(1 << (flags & 3))?;
    if length > MAX_NAME as u64 {
        return Err(block.damaged(format!("declares a name of {length} bytes")));
    }
    let name = text(cursor.bytes(length as usize)?);
    let target = match kind {
        0 => Target::Object(cursor.u64()?),
        1 => {
            let length = usize::from(cursor.u16()?);
            Target::Soft(text(cursor.bytes(length)?))
        }
        64 => {
            let length = usize::from(cursor.u16()?);
            // A byte of flags, then the names of the file and of the object, each with a zero at its end.
            let names = cursor.bytes(length)?.get(1..).unwrap_or_default();
            Target::External(text(
                names.split(|&byte| byte == 0).next().unwrap_or_default(),
            ))
        }
        kind => Target::Unknown(kind),
    };
    Ok((name, target))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The data segment of a local heap: zero-terminated names.
fn names(source: &Source, heap: u64) -> Result<Block> {
    let header = source.block("local heap", heap, 32)?;
    let mut cursor = header.cursor();
    cursor.signature(b"HEAP")?;
    let version = cursor.u8()?;
    if version != 0 {
        return Err(header.unsupported(format!("version {version}")));
    }
    cursor.skip(3)?;
    let length = cursor.u64()?;
    let _free_list = cursor.u64()?;
    source.block("local heap", cursor.u64()?, length)
}

/// The symbols below the node at `address`. The level of the node must be less than `levels`.
fn symbols(
    source: &Source,
    address: u64,
    levels: u8,
    names: &Block,
    visited: &mut usize,
    links: &mut Vec<(String, Target)>,
) -> Result<()> {
    const HEADER: u64 = 24;
    let header = source.block("group B-tree node", address, HEADER)?;
    *visited += 1;
    if *visited > MAX_NODES {
        return Err(header.damaged("belongs to a tree of more nodes than any real file has"));
    }
    let mut cursor = header.cursor();
    cursor.signature(b"TREE")?;
    let (kind, level, used) = (cursor.u8()?, cursor.u8()?, cursor.u16()?);
    if kind != 0 {
        return Err(header.damaged("is not a node of a group"));
    }
    if level >= levels {
        return Err(header.damaged(format!("is on level {level}, not below its parent")));
    }
    let children = source.block(
        "group B-tree node",
        address.saturating_add(HEADER),
        16 * u64::from(used),
    )?;
    let mut cursor = children.cursor();
    for _ in 0..used {
        let _key = cursor.u64()?;
        let child = cursor.u64()?;
        if level > 0 {
            symbols(source, child, level, names, visited, links)?;
        } else {
            symbol_table(source, child, names, links)?;
        }
    }
    Ok(())
}

fn symbol_table(
    source: &Source,
    address: u64,
    names: &Block,
    links: &mut Vec<(String, Target)>,
) -> Result<()> {
    const HEADER: u64 = 8;
    const ENTRY: u64 = 40;
    /// The kind of cached information for an entry that is a symbolic link.
    const SOFT: u32 = 2;
    let header = source.block("symbol table node", address, HEADER)?;
    let mut cursor = header.cursor();
    cursor.signature(b"SNOD")?;
    cursor.skip(2)?;
    let count = cursor.u16()?;
    let entries = source.block(
        "symbol table node",
        address.saturating_add(HEADER),
        ENTRY * u64::from(count),
    )?;
    let mut cursor = entries.cursor();
    for _ in 0..count {
        let place = cursor.u64()?;
        let object = cursor.u64()?;
        let cached = cursor.u32()?;
        cursor.skip(4)?;
        let path = cursor.u32()?;
        cursor.skip(12)?;
        let in_heap = |place| {
            name_in(names, place)
                .ok_or_else(|| header.damaged("has a name that is not in the local heap"))
        };
        let target = if cached == SOFT {
            Target::Soft(in_heap(path.into())?)
        } else {
            Target::Object(object)
        };
        push(&header, links, (in_heap(place)?, target))?;
    }
    Ok(())
}

/// The name at `place` in the data segment of a local heap.
fn name_in(names: &Block, place: u64) -> Option<String> {
    let bytes = names.bytes.get(usize::try_from(place).ok()?..)?;
    let end = bytes
        .iter()
        .take(MAX_NAME + 1)
        .position(|&byte| byte == 0)?;
    Some(text(&bytes[..end]))
}
