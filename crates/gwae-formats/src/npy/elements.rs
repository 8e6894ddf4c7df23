//! The numeric element types, and the conversion of elements to `f64`.
//!
//! A type is written as byte order (`<` little-endian, `>` big-endian, `|` for single bytes), kind
//! and number of bytes: `<f8`, `>i2`, `|u1`.

/// How to convert the bytes of one element to a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Half,
    Single,
    Double,
    Signed,
    Unsigned,
    Boolean,
}

/// A numeric element type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Elements {
    kind: Kind,
    size: usize,
    big_endian: bool,
}

impl Elements {
    /// The type that NumPy writes as `text`. The error describes a type that is not supported.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let (order, name) = match text.chars().next() {
            Some(order @ ('<' | '>' | '|' | '=')) => (Some(order), &text[1..]),
            _ => (None, text),
        };
        let (kind, size) = match name {
            "f2" => (Kind::Half, 2),
            "f4" => (Kind::Single, 4),
            "f8" => (Kind::Double, 8),
            "b1" => (Kind::Boolean, 1),
            "i1" => (Kind::Signed, 1),
            "i2" => (Kind::Signed, 2),
            "i4" => (Kind::Signed, 4),
            "i8" => (Kind::Signed, 8),
            "u1" => (Kind::Unsigned, 1),
            "u2" => (Kind::Unsigned, 2),
            "u4" => (Kind::Unsigned, 4),
            "u8" => (Kind::Unsigned, 8),
            _ => return Err(describe(name)),
        };
        match order {
            Some('<' | '>') => {}
            Some('|') if size == 1 => {}
            // The byte order of the machine that wrote the file, which is unknown.
            _ => return Err("numbers without a byte order"),
        }
        Ok(Self {
            kind,
            size,
            big_endian: order == Some('>'),
        })
    }

    /// Number of bytes of one element.
    pub(super) fn size(self) -> usize {
        self.size
    }

    /// The number in `bytes`, which must be [`Self::size`] long. For booleans, any byte but 0 is 1.
    ///
    /// # Errors
    /// The integer, if no `f64` equals it.
    pub(super) fn number(self, bytes: &[u8]) -> Result<f64, i128> {
        let mut little = [0; 8];
        for (place, &byte) in bytes.iter().enumerate() {
            let place = if self.big_endian {
                bytes.len() - 1 - place
            } else {
                place
            };
            little[place] = byte;
        }
        let bits = u64::from_le_bytes(little);
        Ok(match self.kind {
            Kind::Half => half(bits as u16),
            Kind::Single => f64::from(f32::from_bits(bits as u32)),
            Kind::Double => f64::from_bits(bits),
            Kind::Signed => {
                let unused = 64 - 8 * self.size;
                exact(((bits << unused) as i64 >> unused).into())?
            }
            Kind::Unsigned => exact(bits.into())?,
            Kind::Boolean => f64::from(u8::from(bits != 0)),
        })
    }
}

/// The `f64` that equals an integer of at most 64 bits, if there is one.
fn exact(integer: i128) -> Result<f64, i128> {
    let number = integer as f64;
    // The conversion back to 128 bits cuts nothing off.
    if number as i128 == integer {
        Ok(number)
    } else {
        Err(integer)
    }
}

/// The value of a 16-bit floating-point number (IEEE 754 binary16): a sign, 5 bits of exponent, 10
/// of fraction.
fn half(bits: u16) -> f64 {
    let fraction = f64::from(bits & 0x3ff);
    let magnitude = match i32::from(bits >> 10 & 0x1f) {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        exponent => (1024.0 + fraction) * 2f64.powi(exponent - 25),
    };
    if bits >> 15 == 0 {
        magnitude
    } else {
        -magnitude
    }
}

/// Describes an unsupported type by its name without the byte order.
fn describe(name: &str) -> &'static str {
    match name.chars().next() {
        Some('O') => "Python objects",
        Some('S' | 'U' | 'a') => "strings",
        Some('c') => "complex numbers",
        Some('M') => "dates",
        Some('m') => "durations",
        // NumPy has no bfloat16. Packages that add it save it as two raw bytes.
        Some('V') => "raw bytes, as bfloat16 is saved",
        Some('f') => "floating-point numbers of unusual size",
        _ => "elements of unknown type",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_half_is_what_single_precision_makes_of_its_bits() {
        for bits in 0..=u16::MAX {
            // Exponent and fraction are moved to their positions in an `f32`, whose exponent bias
            // is larger by 112. Scaling by 2^112 is exact, also for subnormal numbers.
            let sign = u32::from(bits >> 15) << 31;
            let single = f32::from_bits(u32::from(bits & 0x7fff) << 13 | sign);
            let value = half(bits);
            if bits & 0x7c00 != 0x7c00 {
                let expected = f64::from(single) * 2f64.powi(112);
                assert_eq!(value.to_bits(), expected.to_bits(), "{bits:04x}");
            } else if bits & 0x3ff == 0 {
                let sign = if sign == 0 { 1.0 } else { -1.0 };
                assert_eq!(value, sign * f64::INFINITY, "{bits:04x}");
            } else {
                assert!(value.is_nan(), "{bits:04x}");
            }
        }
    }

    #[test]
    fn types_without_a_clear_byte_order_are_refused() {
        for text in ["|f8", "=i4", "f8", "|i2", "u1"] {
            assert_eq!(
                Elements::parse(text),
                Err("numbers without a byte order"),
                "{text}"
            );
        }
    }
}
