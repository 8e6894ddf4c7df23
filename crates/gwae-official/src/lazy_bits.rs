//! Finds tensors whose values PyTorch changes only when it uses them.
//!
//! A tensor such as `x.imag` of a conjugated tensor shares its memory with another one and has the
//! negative bit: PyTorch negates the values when it uses them, and `torch.save` writes the values
//! before that. The bit is in the seventh argument of `torch._utils._rebuild_tensor_v2`, the
//! dictionary `{"neg": True}` or `{"conj": True}`, which Burn's reader drops.

/// The name of the bit, `neg` or `conj`, if a tensor in the pickle of `torch.save` has one.
///
/// A dictionary of the user with the same entry is taken for a bit too.
pub(crate) fn lazy_bit(pickle: &[u8]) -> Option<&'static str> {
    ["neg", "conj"]
        .into_iter()
        .find(|name| is_set(pickle, name))
}

/// Whether the pickle has the text `name` followed by `True`.
fn is_set(pickle: &[u8], name: &str) -> bool {
    let places = pickle.windows(name.len()).enumerate();
    let mut places = places.filter(|(_, window)| *window == name.as_bytes());
    places.any(|(start, _)| {
        let length = name.len() as u8;
        let before = &pickle[..start];
        // BINUNICODE with a length of four bytes, or SHORT_BINUNICODE with one.
        let is_text =
            before.ends_with(&[b'X', length, 0, 0, 0]) || before.ends_with(&[0x8c, length]);
        // The text may first be stored under a number: BINPUT, LONG_BINPUT or MEMOIZE.
        let after = &pickle[start + name.len()..];
        let after = match after {
            [b'q', _, rest @ ..] | [b'r', _, _, _, _, rest @ ..] | [0x94, rest @ ..] => rest,
            rest => rest,
        };
        // NEWTRUE
        is_text && after.first() == Some(&0x88)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_text_followed_by_true_counts() {
        for (pickle, expected) in [
            // As torch.save of PyTorch 2 writes it, in protocol 2.
            (
                &b"Rq\x11}q\x12X\x03\x00\x00\x00negq\x13\x88stq\x14R"[..],
                true,
            ),
            (
                b"}r\x00\x01\x00\x00X\x03\x00\x00\x00negr\x01\x01\x00\x00\x88s",
                true,
            ),
            (b"}\x94\x8c\x03neg\x94\x88s", true),
            (b"X\x03\x00\x00\x00neg\x88s", true),
            (b"X\x03\x00\x00\x00negq\x13\x89s", false),
            (b"X\x07\x00\x00\x00enc_negq\x13\x88s", false),
            (b"X\x03\x00\x00\x00neg", false),
            (b"", false),
        ] {
            assert_eq!(is_set(pickle, "neg"), expected, "{pickle:?}");
        }
    }
}
