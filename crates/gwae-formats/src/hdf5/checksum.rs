//! The two checksums of the format.

/// Jenkins' `lookup3` (`hashlittle` with initial value 0), the checksum of metadata.
/// B. Jenkins, <https://burtleburtle.net/bob/c/lookup3.c>, public domain.
pub(super) fn lookup3(bytes: &[u8]) -> u32 {
    let start = 0xdead_beef_u32.wrapping_add(bytes.len() as u32);
    let (mut a, mut b, mut c) = (start, start, start);
    let word = |bytes: &[u8]| {
        bytes
            .iter()
            .rev()
            .fold(0_u32, |number, &byte| number << 8 | u32::from(byte))
    };
    let mut rest = bytes;
    // The last block is mixed differently, even if it is full.
    while rest.len() > 12 {
        a = a.wrapping_add(word(&rest[..4]));
        b = b.wrapping_add(word(&rest[4..8]));
        c = c.wrapping_add(word(&rest[8..12]));
        for (rotation_a, rotation_b, rotation_c) in [(4, 6, 8), (16, 19, 4)] {
            a = a.wrapping_sub(c) ^ c.rotate_left(rotation_a);
            c = c.wrapping_add(b);
            b = b.wrapping_sub(a) ^ a.rotate_left(rotation_b);
            a = a.wrapping_add(c);
            c = c.wrapping_sub(b) ^ b.rotate_left(rotation_c);
            b = b.wrapping_add(a);
        }
        rest = &rest[12..];
    }
    if rest.is_empty() {
        return c;
    }
    let part = |from: usize| &rest[from.min(rest.len())..(from + 4).min(rest.len())];
    a = a.wrapping_add(word(part(0)));
    b = b.wrapping_add(word(part(4)));
    c = c.wrapping_add(word(part(8)));
    c = (c ^ b).wrapping_sub(b.rotate_left(14));
    a = (a ^ c).wrapping_sub(c.rotate_left(11));
    b = (b ^ a).wrapping_sub(a.rotate_left(25));
    c = (c ^ b).wrapping_sub(b.rotate_left(16));
    a = (a ^ c).wrapping_sub(c.rotate_left(4));
    b = (b ^ a).wrapping_sub(a.rotate_left(14));
    (c ^ b).wrapping_sub(b.rotate_left(24))
}

/// Fletcher's checksum over big-endian 16-bit words. The filter of that name appends it to a chunk.
/// An odd last byte is the high half of a word.
pub(super) fn fletcher32(bytes: &[u8]) -> u32 {
    let fold = |sum: u32| (sum & 0xffff) + (sum >> 16);
    let (mut sum, mut sum_of_sums) = (0_u32, 0_u32);
    // 360 words are the most that fit into 32 bits before the sums are folded.
    for piece in bytes.chunks(720) {
        for word in piece.chunks(2) {
            let low = word.get(1).copied().unwrap_or(0);
            sum += u32::from(word[0]) << 8 | u32::from(low);
            sum_of_sums += sum;
        }
        sum = fold(sum);
        sum_of_sums = fold(sum_of_sums);
    }
    fold(sum_of_sums) << 16 | fold(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lookup3_gives_the_values_that_its_author_states() {
        // Values from the self-test in lookup3.c.
        assert_eq!(lookup3(b""), 0xdead_beef);
        assert_eq!(lookup3(b"Four score and seven years ago"), 0x1777_0551);
    }

    #[test]
    fn fletcher32_gives_the_published_example_values() {
        // The usual test strings, read as big-endian words and computed again with 64-bit sums.
        for bytes in [&b"abcde"[..], b"abcdef", b"abcdefgh", &[0xff; 5000]] {
            let (mut sum, mut sum_of_sums) = (0_u64, 0_u64);
            for word in bytes.chunks(2) {
                let word = u64::from(word[0]) * 256 + word.get(1).map_or(0, |&b| u64::from(b));
                sum += word;
                sum_of_sums += sum;
            }
            // Folding leaves 0xffff where the remainder would be 0.
            let remainder = |sum: u64| match sum % 0xffff {
                0 if sum > 0 => 0xffff,
                remainder => remainder,
            };
            let expected = remainder(sum_of_sums) << 16 | remainder(sum);
            assert_eq!(u64::from(fletcher32(bytes)), expected);
        }
    }
}
