//! The segments before the scan of a JPEG file.

use std::rc::Rc;

use super::failure::Failure;
use super::huffman::HuffmanTable;
use super::zigzag::ZIGZAG;

/// The header of a baseline JPEG file.
pub(super) struct Header {
    pub(super) width: usize,
    pub(super) height: usize,
    /// One component (grey) or three (luma, blue difference, red difference).
    pub(super) components: Vec<Component>,
    /// Number of luma blocks per minimum coded unit, across and down; 1 or 2.
    pub(super) across: usize,
    pub(super) down: usize,
    /// Number of minimum coded units between two restart markers; 0 if there are no markers.
    pub(super) restart_interval: usize,
    /// Offset of the coded data in the file.
    pub(super) scan: usize,
}

pub(super) struct Component {
    /// Quantisation steps, in row order.
    pub(super) steps: [i32; 64],
    pub(super) dc: Rc<HuffmanTable>,
    pub(super) ac: Rc<HuffmanTable>,
}

struct Frame {
    width: usize,
    height: usize,
    /// Identifier, horizontal and vertical sampling, quantisation table.
    components: Vec<(u8, u8, u8, u8)>,
}

#[derive(Default)]
struct Tables {
    steps: [Option<[i32; 64]>; 4],
    dc: [Option<Rc<HuffmanTable>>; 4],
    ac: [Option<Rc<HuffmanTable>>; 4],
    restart_interval: usize,
}

impl Header {
    /// Reads up to the first scan.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Failure> {
        let mut tables = Tables::default();
        let mut frame = None;
        let mut place = 2;
        loop {
            let (marker, content, next) = segment(bytes, place)?;
            match marker {
                // Baseline, and the kinds that differ from it only in tables and precision.
                0xc0 | 0xc1 => frame = Some(read_frame(content)?),
                0xc4 => read_huffman(content, &mut tables)?,
                0xdb => read_quantisation(content, &mut tables)?,
                0xdd => match content {
                    &[high, low] => {
                        tables.restart_interval = u16::from_be_bytes([high, low]).into();
                    }
                    _ => return Err(Failure::Damaged("a restart interval of another length")),
                },
                0xda => return start(frame, tables, content, next),
                // Adobe's segment states the colour transform: 1 is luma and differences.
                0xee if content.starts_with(b"Adobe") && content.get(11) != Some(&1) => {
                    return Err(Failure::Other);
                }
                // Data of other applications, and comments.
                0xe0..=0xef | 0xfe => {}
                _ => return Err(Failure::Other),
            }
            place = next;
        }
    }
}

/// The marker at `place`, the content of its segment, and the offset of the next marker.
fn segment(bytes: &[u8], place: usize) -> Result<(u8, &[u8], usize), Failure> {
    match bytes.get(place..) {
        Some(&[0xff, marker, high, low, ref rest @ ..]) if marker != 0xff => {
            let length = usize::from(u16::from_be_bytes([high, low]));
            let content = length.checked_sub(2).and_then(|length| rest.get(..length));
            let content = content.ok_or(Failure::Damaged("a segment beyond the end"))?;
            Ok((marker, content, place + 2 + length))
        }
        _ => Err(Failure::Other),
    }
}

fn read_frame(content: &[u8]) -> Result<Frame, Failure> {
    let &[precision, h1, h0, w1, w0, count, ref components @ ..] = content else {
        return Err(Failure::Damaged("a frame header that is too short"));
    };
    let (components, rest) = components.as_chunks::<3>();
    if components.len() != usize::from(count) || !rest.is_empty() {
        return Err(Failure::Damaged("a frame header of another length"));
    }
    if precision != 8 {
        return Err(Failure::Other);
    }
    let component = |&[id, sampling, table]: &[u8; 3]| (id, sampling >> 4, sampling & 15, table);
    Ok(Frame {
        width: u16::from_be_bytes([w1, w0]).into(),
        height: u16::from_be_bytes([h1, h0]).into(),
        components: components.iter().map(component).collect(),
    })
}

fn read_quantisation(mut content: &[u8], tables: &mut Tables) -> Result<(), Failure> {
    while let Some((&kind, rest)) = content.split_first() {
        if kind >= 4 {
            // Steps of 16 bits, or an invalid table number.
            return Err(Failure::Other);
        }
        let Some((values, rest)) = rest.split_first_chunk::<64>() else {
            return Err(Failure::Damaged("a quantisation table that is too short"));
        };
        let mut steps = [0; 64];
        for (&value, place) in values.iter().zip(ZIGZAG) {
            steps[usize::from(place)] = value.into();
        }
        tables.steps[usize::from(kind)] = Some(steps);
        content = rest;
    }
    Ok(())
}

fn read_huffman(mut content: &[u8], tables: &mut Tables) -> Result<(), Failure> {
    while let Some((&kind, rest)) = content.split_first() {
        let Some((counts, rest)) = rest.split_first_chunk::<16>() else {
            return Err(Failure::Damaged("a Huffman table that is too short"));
        };
        let total = counts.iter().map(|&count| usize::from(count)).sum();
        let Some((symbols, rest)) = rest.split_at_checked(total) else {
            return Err(Failure::Damaged("a Huffman table that is too short"));
        };
        let (class, number) = (kind >> 4, usize::from(kind & 15));
        let place = match class {
            0 => tables.dc.get_mut(number),
            1 => tables.ac.get_mut(number),
            _ => None,
        };
        let place = place.ok_or(Failure::Damaged("a Huffman table without a place"))?;
        *place = Some(Rc::new(HuffmanTable::new(counts, symbols, class == 1)?));
        content = rest;
    }
    Ok(())
}

/// Combines frame, tables and scan header.
fn start(
    frame: Option<Frame>,
    tables: Tables,
    content: &[u8],
    scan: usize,
) -> Result<Header, Failure> {
    let frame = frame.ok_or(Failure::Other)?;
    let Some((&count, selectors)) = content.split_first() else {
        return Err(Failure::Damaged("an empty scan header"));
    };
    let (selectors, precision) = selectors.as_chunks::<2>();
    // The general decoder handles scans with only some of the components.
    let all = frame.components.len();
    let [selectors @ .., coefficients] = selectors else {
        return Err(Failure::Other);
    };
    let complete = (coefficients, precision) == (&[0, 63], &[0][..]);
    if usize::from(count) != all || selectors.len() != all || !complete {
        return Err(Failure::Other);
    }
    let sampling: Vec<(u8, u8)> = frame.components.iter().map(|c| (c.1, c.2)).collect();
    let ids: Vec<u8> = frame.components.iter().map(|c| c.0).collect();
    let (across, down) = match sampling[..] {
        [_] => (1, 1),
        [luma @ ((1, 1) | (2, 1) | (2, 2)), (1, 1), (1, 1)] if ids != *b"RGB" => luma,
        _ => return Err(Failure::Other),
    };
    let mut components = Vec::with_capacity(all);
    for (&(id, _, _, steps), &[selected, table]) in frame.components.iter().zip(selectors) {
        let table_of = |list: &[Option<Rc<HuffmanTable>>; 4], number: u8| {
            list.get(usize::from(number)).cloned().flatten()
        };
        let steps = tables.steps.get(usize::from(steps)).copied().flatten();
        let (dc, ac) = (
            table_of(&tables.dc, table >> 4),
            table_of(&tables.ac, table & 15),
        );
        let (Some(steps), Some(dc), Some(ac)) = (steps, dc, ac) else {
            return Err(Failure::Damaged("a table that is used but not there"));
        };
        if selected != id {
            return Err(Failure::Other);
        }
        components.push(Component { steps, dc, ac });
    }
    Ok(Header {
        width: frame.width,
        height: frame.height,
        components,
        across: across.into(),
        down: down.into(),
        restart_interval: tables.restart_interval,
        scan,
    })
}
