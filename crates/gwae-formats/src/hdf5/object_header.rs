//! Object headers: the lists of messages that describe an object.

use std::collections::VecDeque;

use super::error::Result;
use super::kind::{
    DATASPACE, DATATYPE, FILL_VALUE, FILTERS, LAYOUT, LINK, LINK_INFO, OLD_FILL_VALUE, SYMBOL_TABLE,
};
use super::source::{Block, Cursor, Source};

/// Maximum number of blocks and messages of one header, far more than in real files. It limits the
/// cost of blocks that refer to each other.
const MAX_BLOCKS: usize = 64;
const MAX_MESSAGES: usize = 4096;

const CONTINUATION: u16 = 0x10;
const SHARED: u8 = 0x02;

/// One message: its type number in the format, and its body.
pub(super) struct Message {
    pub(super) kind: u16,
    shared: bool,
    body: Block,
}

impl Message {
    /// The body, if it is stored here and not elsewhere in the file.
    pub(super) fn body(&self) -> Result<&Block> {
        if self.shared {
            return Err(self.body.unsupported("a message shared between objects"));
        }
        Ok(&self.body)
    }
}

/// All messages of the object at `address`, including empty ones.
pub(super) fn messages(source: &Source, address: u64) -> Result<Vec<Message>> {
    const WHAT: &str = "object header";
    let start = source.block(WHAT, address, 4)?;
    if start.bytes == *b"OHDR" {
        return messages_v2(source, address);
    }
    if start.bytes[0] != 1 {
        return Err(start.damaged("is of no known version"));
    }
    let prefix = source.block(WHAT, address, 16)?;
    let mut cursor = prefix.cursor();
    cursor.skip(8)?;
    let length = u64::from(cursor.u32()?);
    let mut messages = Vec::new();
    let mut blocks = VecDeque::from([(address.saturating_add(16), length)]);
    let mut visited = 0;
    while let Some((offset, length)) = blocks.pop_front() {
        let block = source.block(WHAT, offset, length)?;
        count_block(&block, &mut visited)?;
        let mut cursor = block.cursor();
        while cursor.remaining() >= 8 {
            let kind = cursor.u16()?;
            let length = usize::from(cursor.u16()?);
            let flags = cursor.u8()?;
            cursor.skip(3)?;
            push(&mut cursor, kind, length, flags, &mut messages, &mut blocks)?;
        }
    }
    Ok(messages)
}

fn messages_v2(source: &Source, address: u64) -> Result<Vec<Message>> {
    const WHAT: &str = "object header";
    let start = source.block(WHAT, address, 6)?;
    let (version, flags) = (start.bytes[4], start.bytes[5]);
    if version != 2 {
        return Err(start.damaged("is of no known version"));
    }
    let times = if flags & 0x20 != 0 { 16 } else { 0 };
    let phase_change = if flags & 0x10 != 0 { 4 } else { 0 };
    let width = 1_u64 << (flags & 3);
    let prefix_length = 6 + times + phase_change + width;
    let prefix = source.block(WHAT, address, prefix_length)?;
    let mut cursor = prefix.cursor();
    cursor.skip((prefix_length - width) as usize)?;
    let length = cursor.number(width as usize)?;

    let mut messages = Vec::new();
    let whole = prefix_length.saturating_add(length).saturating_add(4);
    let mut blocks = VecDeque::from([(address, whole)]);
    let mut visited = 0;
    while let Some((offset, length)) = blocks.pop_front() {
        let block = source.block(WHAT, offset, length)?;
        block.verify_checksum()?;
        count_block(&block, &mut visited)?;
        let mut cursor = block.cursor().without_last(4);
        if visited == 1 {
            cursor.skip(prefix_length as usize)?;
        } else {
            cursor.signature(b"OCHK")?;
        }
        let creation_order = if flags & 0x04 != 0 { 2 } else { 0 };
        // A rest too short for a message is a gap.
        while cursor.remaining() >= 4 + creation_order {
            let kind = u16::from(cursor.u8()?);
            let length = usize::from(cursor.u16()?);
            let flags = cursor.u8()?;
            cursor.skip(creation_order)?;
            push(&mut cursor, kind, length, flags, &mut messages, &mut blocks)?;
        }
    }
    Ok(messages)
}

fn count_block(block: &Block, visited: &mut usize) -> Result<()> {
    *visited += 1;
    if *visited > MAX_BLOCKS {
        return Err(block.damaged("has more continuations than any real file"));
    }
    Ok(())
}

fn push(
    cursor: &mut Cursor<'_>,
    kind: u16,
    length: usize,
    flags: u8,
    messages: &mut Vec<Message>,
    blocks: &mut VecDeque<(u64, u64)>,
) -> Result<()> {
    let body = Block {
        what: name(kind),
        offset: cursor.offset(),
        bytes: cursor.bytes(length)?.to_vec(),
    };
    if kind == CONTINUATION {
        let mut cursor = body.cursor();
        blocks.push_back((cursor.u64()?, cursor.u64()?));
    }
    if messages.len() == MAX_MESSAGES {
        return Err(body.damaged("stands in a header of more messages than any real file has"));
    }
    messages.push(Message {
        kind,
        shared: flags & SHARED != 0,
        body,
    });
    Ok(())
}

fn name(kind: u16) -> &'static str {
    match kind {
        DATASPACE => "dataspace message",
        DATATYPE => "datatype message",
        LAYOUT => "data layout message",
        FILL_VALUE | OLD_FILL_VALUE => "fill value message",
        FILTERS => "filter pipeline message",
        LINK_INFO => "link info message",
        LINK => "link message",
        SYMBOL_TABLE => "symbol table message",
        CONTINUATION => "object header continuation message",
        _ => "object header message",
    }
}
