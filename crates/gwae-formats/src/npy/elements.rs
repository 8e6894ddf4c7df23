//! The numeric element types, and the conversion of elements to `f64`.
//!
//! A type is written as byte order, kind and number of bytes: `<f8`, `>i2`, `|u1`. The byte order is `<`
//! (little-endian), `>` (big-endian), `=` or nothing (that of the machine), or `|` (none). NumPy writes `<`, `>`
//! and `|`. It reads the others too, as numbers of the machine that reads, and also names such as `float64`.

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
pub(crate) struct Elements {
    kind: Kind,
    size: usize,
    big_endian: bool,
}

impl Elements {
    /// The type that NumPy reads from `text`. The error describes a type that is not supported.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let (order, name) = match text.chars().next() {
            Some(order @ ('<' | '>' | '|' | '=')) => (order, &text[1..]),
            _ => ('=', text),
        };
        let (kind, size) = match name {
            "f2" | "e" | "float16" | "half" => (Kind::Half, 2),
            "f4" | "f" | "float32" | "single" => (Kind::Single, 4),
            "f8" | "d" | "float64" | "double" | "float" => (Kind::Double, 8),
            "b1" | "?" | "bool" => (Kind::Boolean, 1),
            "i1" | "b" | "int8" | "byte" => (Kind::Signed, 1),
            "i2" | "h" | "int16" | "short" => (Kind::Signed, 2),
            "i4" | "i" | "int32" | "intc" => (Kind::Signed, 4),
            "i8" | "q" | "int64" | "longlong" => (Kind::Signed, 8),
            "u1" | "B" | "uint8" | "ubyte" => (Kind::Unsigned, 1),
            "u2" | "H" | "uint16" | "ushort" => (Kind::Unsigned, 2),
            "u4" | "I" | "uint32" | "uintc" => (Kind::Unsigned, 4),
            "u8" | "Q" | "uint64" | "ulonglong" => (Kind::Unsigned, 8),
            _ => return Err(describe(name)),
        };
        Ok(Self {
            kind,
            size,
            big_endian: match order {
                '<' => false,
                '>' => true,
                _ => cfg!(target_endian = "big"),
            },
        })
    }

    /// Number of bytes of one element.
    pub(crate) fn size(self) -> usize {
        self.size
    }

    /// Whether an element is one byte of 0 to 255 as it stands, where booleans are 0 and 1.
    pub(crate) fn is_byte(self) -> bool {
        matches!(self.kind, Kind::Unsigned | Kind::Boolean) && self.size == 1
    }

    /// Whether an element is a whole number.
    pub(crate) fn is_integer(self) -> bool {
        matches!(self.kind, Kind::Signed | Kind::Unsigned | Kind::Boolean)
    }

    /// The number in `bytes`, which must be [`Self::size`] long. For booleans, any byte but 0 is 1.
    ///
    /// # Errors
    /// The integer, if no `f64` equals it.
    pub(super) fn number(self, bytes: &[u8]) -> Result<f64, i128> {
        let bits = self.bits(bytes);
        Ok(match self.kind {
            Kind::Half => half(bits as u16),
            Kind::Single => f64::from(f32::from_bits(bits as u32)),
            Kind::Double => f64::from_bits(bits),
            Kind::Signed | Kind::Unsigned | Kind::Boolean => exact(self.integer(bytes))?,
        })
    }

    /// The whole number in `bytes`, for a type that [is one](Self::is_integer).
    pub(crate) fn integer(self, bytes: &[u8]) -> i128 {
        let bits = self.bits(bytes);
        match self.kind {
            Kind::Signed => {
                let unused = 64 - 8 * self.size;
                ((bits << unused) as i64 >> unused).into()
            }
            Kind::Boolean => (bits != 0).into(),
            _ => bits.into(),
        }
    }

    fn bits(self, bytes: &[u8]) -> u64 {
        let mut little = [0; 8];
        for (place, &byte) in bytes.iter().enumerate() {
            let place = if self.big_endian {
                bytes.len() - 1 - place
            } else {
                place
            };
            little[place] = byte;
        }
        u64::from_le_bytes(little)
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
    // The letters that name a type by themselves, and the words.
    match name {
        "l" | "L" | "long" | "ulong" | "p" | "P" | "n" | "N" | "int" | "uint" | "int_" | "intp"
        | "uintp" => {
            return "integers whose size depends on the machine";
        }
        "g" | "longdouble" => return "floating-point numbers of unusual size",
        "F" | "D" | "G" | "complex" | "complex64" | "complex128" => return "complex numbers",
        "object" => return "Python objects",
        "str" | "bytes" | "T" => return "strings",
        _ if name.contains(',') => return "records of named fields",
        _ if name.starts_with("datetime64") => return "dates",
        _ if name.starts_with("timedelta64") => return "durations",
        _ => {}
    }
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
    fn the_order_of_the_machine_is_taken_where_none_is_written() {
        let machine = if cfg!(target_endian = "big") {
            '>'
        } else {
            '<'
        };
        for (text, plain) in [
            ("|f8", "f8"),
            ("=i4", "i4"),
            ("f8", "f8"),
            ("|i2", "i2"),
            ("uint16", "u2"),
        ] {
            let expected = Elements::parse(&format!("{machine}{plain}"));
            assert_eq!(Elements::parse(text), expected, "{text}");
        }
    }

    #[test]
    fn types_of_no_fixed_size_are_refused() {
        for text in ["l", "<L", "int", "uintp"] {
            let refused = Err("integers whose size depends on the machine");
            assert_eq!(Elements::parse(text), refused, "{text}");
        }
    }
}
