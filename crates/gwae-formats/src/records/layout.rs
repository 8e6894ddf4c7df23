//! The places of the parts of a file of records, and its head.
//!
//! | offset | content |
//! |---|---|
//! | 0 | `gwaecopy`, version (u32), CRC-32 of the rest of the head (u32) |
//! | 16 | length of the description in bytes, number of records, length of a record in bytes, all u64 |
//! | 40 | the description; the head ends with it |
//! | then | for every record: CRC-32 of its number (u64) and its bytes |
//! | next multiple of 4096 | the records, one after the other |
//!
//! All numbers are little-endian.

use std::ops::Range;

use flate2::Crc;

use super::Head;

const MAGIC: &[u8; 8] = b"gwaecopy";
const VERSION: u32 = 1;

/// The first bytes of the formats that earlier versions wrote.
const EARLIER: [&[u8]; 2] = [b"gwae image cache", b"gwaeimg1"];

/// Length of the head without the description.
pub(super) const FIXED_BYTES: usize = 40;

/// Offset of the first byte that the checksum of the head covers.
const CHECKED: usize = 16;

/// The records begin at a multiple of this many bytes, the unit in which systems read files.
const PAGE: u64 = 4096;

/// Where the parts of a file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) description_bytes: u64,
    pub(super) records: u64,
    pub(super) record_bytes: u64,
}

/// What the first bytes of a file say.
pub(super) enum Start {
    /// The layout. The checksum of the head has not been compared.
    Current(Layout),
    Earlier,
    Foreign,
    Damaged,
}

impl Layout {
    pub(super) fn of(head: &Head) -> Self {
        Self {
            description_bytes: head.description.len() as u64,
            records: head.records,
            record_bytes: head.record_bytes,
        }
    }

    pub(super) fn checksums_offset(&self) -> u64 {
        FIXED_BYTES as u64 + self.description_bytes
    }

    pub(super) fn checksum_offset(&self, record: u64) -> u64 {
        self.checksums_offset() + 4 * record
    }

    pub(super) fn record_offset(&self, record: u64) -> u64 {
        let first = self.checksum_offset(self.records).next_multiple_of(PAGE);
        first + record * self.record_bytes
    }

    pub(super) fn file_bytes(&self) -> u64 {
        self.record_offset(self.records)
    }

    /// Whether such a file can have `length` bytes. Sizes of a damaged head cannot cause an overflow.
    fn fits(&self, length: u64) -> bool {
        let parts = [self.description_bytes, self.records, self.record_bytes];
        parts.iter().all(|&part| part <= length)
            && self.records > 0
            && self.record_bytes > 0
            && self
                .records
                .checked_mul(self.record_bytes)
                .is_some_and(|bytes| bytes <= length)
            && length <= (1 << 60)
            && self.file_bytes() == length
    }

    /// Reads the first bytes of a file of `length` bytes.
    pub(super) fn read(start: &[u8], length: u64) -> Start {
        if EARLIER.iter().any(|magic| start.starts_with(magic)) {
            return Start::Earlier;
        }
        if !MAGIC.starts_with(&start[..start.len().min(MAGIC.len())]) {
            return Start::Foreign;
        }
        let Some(fixed) = start.first_chunk::<FIXED_BYTES>() else {
            return Start::Damaged;
        };
        if fixed[8..12] != VERSION.to_le_bytes() {
            return Start::Damaged;
        }
        let (numbers, _) = fixed[CHECKED..].as_chunks();
        let [description_bytes, records, record_bytes] =
            [0, 1, 2].map(|place| u64::from_le_bytes(numbers[place]));
        let layout = Self {
            description_bytes,
            records,
            record_bytes,
        };
        if layout.fits(length) {
            Start::Current(layout)
        } else {
            Start::Damaged
        }
    }
}

/// The bytes of a head.
pub(super) fn encode(head: &Head) -> Vec<u8> {
    let mut bytes = vec![0; CHECKED];
    for number in [
        head.description.len() as u64,
        head.records,
        head.record_bytes,
    ] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend(&head.description);
    let checksum = crc(&[&bytes[CHECKED..]]);
    bytes[..8].copy_from_slice(MAGIC);
    bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
    bytes[12..CHECKED].copy_from_slice(&checksum.to_le_bytes());
    bytes
}

/// Whether the bytes of a head match their checksum.
pub(super) fn is_whole(head: &[u8]) -> bool {
    // Builds for fuzzing skip this check, so that changed bytes reach the code behind it.
    head[12..CHECKED] == crc(&[&head[CHECKED..]]).to_le_bytes() || cfg!(fuzzing)
}

/// The checksum of a record. It covers the number too, so that exchanged records are noticed.
pub(super) fn record_checksum(number: u64, record: &[u8]) -> u32 {
    crc(&[&number.to_le_bytes(), record])
}

/// The checksums of consecutive records, as they are stored.
pub(super) fn checksums(records: Range<u64>, bytes: &[u8], record_bytes: u64) -> Vec<u8> {
    records
        .zip(bytes.chunks_exact(record_bytes as usize))
        .flat_map(|(number, record)| record_checksum(number, record).to_le_bytes())
        .collect()
}

fn crc(parts: &[&[u8]]) -> u32 {
    let mut crc = Crc::new();
    for part in parts {
        crc.update(part);
    }
    crc.sum()
}
