//! Huffman codes and their coefficients (ITU-T T.81, annex F.2).

use super::failure::Failure;
use super::zigzag::ZIGZAG;

/// Codes with up to this many bits are decoded with one table lookup.
const LOOKUP_BITS: u32 = 10;

/// One table of codes.
pub(super) struct HuffmanTable {
    /// Indexed by the next [`LOOKUP_BITS`] bits; see [`Entry`].
    lookup: [Entry; 1 << LOOKUP_BITS],
    /// Indexed by length: one more than the last code, left-justified in 16 bits; 0 if there are
    /// no such codes or the lookup covers the length.
    ends: [u32; 17],
    /// Indexed by length: position of the symbol for code 0 of that length, if it existed.
    offsets: [i32; 17],
    symbols: Box<[u8]>,
}

/// The meaning of the next bits: `0` means unknown; otherwise
///
/// | bits | content |
/// |---|---|
/// | 0..6 | number of bits to take: the code, and its value if the entry has it |
/// | 6 | whether the entry has the value |
/// | 8..16 | the symbol: number of zeros before the value (upper half), bits of the value (lower half) |
/// | 16..32 | the value |
type Entry = u32;

const HAS_VALUE: Entry = 1 << 6;

impl HuffmanTable {
    /// The table of the codes of 1 to 16 bits for `symbols`; `counts` holds the number of codes per
    /// length. With `values`, short codes are stored together with the value that follows them.
    pub(super) fn new(counts: &[u8; 16], symbols: &[u8], values: bool) -> Result<Self, Failure> {
        let mut table = Self {
            lookup: [0; 1 << LOOKUP_BITS],
            ends: [0; 17],
            offsets: [0; 17],
            symbols: symbols.into(),
        };
        // First coefficients have no zeros before them.
        if !values && symbols.iter().any(|&symbol| symbol > 15) {
            return Err(Failure::Damaged("a Huffman table of another kind"));
        }
        let mut code = 0u32;
        let mut place = 0;
        for (length, &count) in (1u32..).zip(counts) {
            table.offsets[length as usize] = place as i32 - code as i32;
            for &symbol in &symbols[place..place + usize::from(count)] {
                // The code with only ones is reserved (annex C.2).
                if code + 1 >= 1 << length {
                    return Err(Failure::Damaged("a Huffman table with too many codes"));
                }
                if length <= LOOKUP_BITS {
                    let rest = LOOKUP_BITS - length;
                    for low in 0..1 << rest {
                        let entry = entry(length, symbol, values, low, rest);
                        table.lookup[(code << rest | low) as usize] = entry;
                    }
                }
                code += 1;
            }
            place += usize::from(count);
            if count > 0 && length > LOOKUP_BITS {
                table.ends[length as usize] = code << (16 - length);
            }
            code <<= 1;
        }
        Ok(table)
    }
}

/// The entry of a code of `length` bits; `low` holds the `rest` bits after it.
fn entry(length: u32, symbol: u8, values: bool, low: u32, rest: u32) -> Entry {
    let size = u32::from(symbol & 15);
    let entry = u32::from(symbol) << 8 | length;
    if !values || size == 0 || size > rest {
        return entry;
    }
    let value = extend(u64::from(low >> (rest - size)), size) as i16;
    u32::from(value.cast_unsigned()) << 16 | u32::from(symbol) << 8 | HAS_VALUE | (length + size)
}

/// The number that `size` bits encode: the lower half of the range is negative.
#[inline(always)]
fn extend(bits: u64, size: u32) -> i32 {
    let bits = bits as i32;
    let half = 1 << size >> 1;
    if bits < half {
        bits - (1 << size) + 1
    } else {
        bits
    }
}

/// Symbol and length of the code at the start of the 16 bits `next`, if it is not a short code.
#[cold]
#[inline(never)]
fn long_code(next: u32, table: &HuffmanTable) -> Result<(u32, u32), Failure> {
    for length in LOOKUP_BITS + 1..=16 {
        if next < table.ends[length as usize] {
            let code = (next >> (16 - length)) as i32;
            let place = code + table.offsets[length as usize];
            let symbol = usize::try_from(place)
                .ok()
                .and_then(|p| table.symbols.get(p));
            let Some(&symbol) = symbol else { break };
            return Ok((symbol.into(), length));
        }
    }
    Err(Failure::Damaged("a code that no table has"))
}

/// The bits of one stretch of coded data. Rarely called functions take and return it by value, so
/// that the other ones can keep it in registers.
#[derive(Clone, Copy)]
pub(super) struct Bits<'a> {
    data: &'a [u8],
    /// Number of bytes that are already in `next`.
    place: usize,
    /// The next bits, starting with the highest.
    next: u64,
    /// Number of valid bits in `next`. After the end, zeros follow.
    count: u32,
    /// Number of zero bytes that were added after the end.
    missing: usize,
}

impl<'a> Bits<'a> {
    pub(super) fn new(data: &'a [u8]) -> Self {
        Self {
            data,
            place: 0,
            next: 0,
            count: 0,
            missing: 0,
        }
    }

    /// Whether more bits were taken than exist.
    #[inline(always)]
    pub(super) fn overrun(&self) -> bool {
        8 * self.missing > self.count as usize
    }

    /// Makes at least 56 bits valid.
    #[inline(always)]
    fn refill(&mut self) {
        if let Some(word) = self.data[self.place..].first_chunk::<8>() {
            self.next |= u64::from_be_bytes(*word) >> self.count;
            let bytes = (63 - self.count) / 8;
            self.place += bytes as usize;
            self.count += 8 * bytes;
        } else {
            *self = self.refilled_at_end();
        }
    }

    #[cold]
    #[inline(never)]
    fn refilled_at_end(mut self) -> Self {
        while self.count <= 56 {
            let byte = self.data.get(self.place).copied();
            match byte {
                Some(_) => self.place += 1,
                None => self.missing += 1,
            }
            self.next |= u64::from(byte.unwrap_or(0)) << (56 - self.count);
            self.count += 8;
        }
        self
    }

    #[inline(always)]
    fn skip(&mut self, bits: u32) {
        self.next <<= bits;
        self.count -= bits;
    }

    /// The next `size` bits (1 to 16) as a number.
    #[inline(always)]
    fn value(&mut self, size: u32) -> i32 {
        let value = extend(self.next >> (64 - size), size);
        self.skip(size);
        value
    }

    /// Reads the next code. At least 32 bits must be valid.
    #[inline(always)]
    fn code(&mut self, table: &HuffmanTable) -> Result<Entry, Failure> {
        let entry = table.lookup[(self.next >> (64 - LOOKUP_BITS)) as usize];
        if entry != 0 {
            self.skip(entry & 63);
            return Ok(entry);
        }
        let (symbol, length) = long_code((self.next >> 48) as u32, table)?;
        self.skip(length);
        Ok(symbol << 8)
    }

    /// The difference between a block's first coefficient and that of the block before.
    #[inline(always)]
    fn difference(&mut self, table: &HuffmanTable) -> Result<i32, Failure> {
        self.refill();
        let size = self.code(table)? >> 8 & 0xff;
        match size {
            0 => Ok(0),
            1..=11 => Ok(self.value(size)),
            _ => Err(Failure::Damaged("a first coefficient that is too large")),
        }
    }

    /// Reads one block into `block` (in row order; it must be zero before) and returns the zigzag
    /// position of its last coefficient. `previous` is the first coefficient of the block before.
    #[inline(never)]
    pub(super) fn block(
        &mut self,
        dc: &HuffmanTable,
        ac: &HuffmanTable,
        previous: &mut i32,
        block: &mut [i16; 64],
    ) -> Result<usize, Failure> {
        let mut bits = *self;
        *previous = previous.wrapping_add(bits.difference(dc)?);
        block[0] = *previous as i16;
        let last = bits.others(ac, block)?;
        *self = bits;
        Ok(last)
    }

    /// Reads the coefficients after the first one.
    #[inline(always)]
    fn others(&mut self, ac: &HuffmanTable, block: &mut [i16; 64]) -> Result<usize, Failure> {
        let mut last = 0;
        let mut place = 1;
        while place < 64 {
            if self.count < 32 {
                self.refill();
            }
            let entry = self.code(ac)?;
            let run = (entry >> 12 & 15) as usize;
            let size = entry >> 8 & 15;
            let value = if entry & HAS_VALUE != 0 {
                (entry >> 16) as i16
            } else if size != 0 {
                self.value(size) as i16
            } else if run == 15 {
                place += 16;
                continue;
            } else {
                return Ok(last);
            };
            place += run;
            let Some(&target) = ZIGZAG.get(place) else {
                return Err(Failure::Damaged("a block of more than 64 coefficients"));
            };
            block[usize::from(target & 63)] = value;
            last = place;
            place += 1;
        }
        // Sixteen zeros that continue past the end.
        if place > 64 {
            return Err(Failure::Damaged("a block of more than 64 coefficients"));
        }
        Ok(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table with the given numbers of codes of 1, 2, … bits.
    fn table(counts: &[u8], symbols: &[u8], values: bool) -> Result<HuffmanTable, Failure> {
        let mut all = [0; 16];
        all[..counts.len()].copy_from_slice(counts);
        HuffmanTable::new(&all, symbols, values)
    }

    #[test]
    fn tables_that_the_reference_refuses_are_refused() {
        assert!(table(&[1, 1], &[0, 15], false).is_ok());
        // 0, 10, 11: the last code has only ones.
        assert!(table(&[1, 2], &[0, 1, 2], false).is_err());
        assert!(table(&[2], &[0, 1], true).is_err());
        let mut counts = [1; 16];
        assert!(table(&counts, &[0; 16], true).is_ok());
        counts[15] = 2;
        assert!(table(&counts, &[0; 17], true).is_err());
        // There is no room for that many codes.
        assert!(table(&[3], &[0, 1, 2], true).is_err());
        // A first coefficient has at most 15 bits, and only the others have zeros before them.
        assert!(table(&[1], &[16], false).is_err());
        assert!(table(&[1], &[16], true).is_ok());
    }
}
