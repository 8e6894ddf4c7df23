//! Entries of zip archives that are not read, and why.

use zip::CompressionMethod;

/// Why the content of an entry cannot be read, and what to do; `None` if it can.
///
/// Compression is by deflate or none; there is no decryption.
pub fn why_unread(method: CompressionMethod, encrypted: bool) -> Option<String> {
    if encrypted {
        return Some("is encrypted, which is not read; pack the archive without a password".into());
    }
    #[allow(deprecated)] // The only way to learn the number of a method without a reader.
    let number = match method {
        CompressionMethod::Stored | CompressionMethod::Deflated => return None,
        CompressionMethod::Unsupported(number) => Some(number),
        _ => None,
    };
    let method = match number {
        Some(number) => match name(number) {
            Some(name) => format!("compression method {number} ({name})"),
            None => format!("compression method {number}"),
        },
        // A method that another crate of the program has turned on.
        None => format!("compression method {method:?}"),
    };
    Some(format!(
        "{method} is not read; pack the archive with deflate"
    ))
}

/// The name of a method, from section 4.4.5 of PKWARE's APPNOTE.TXT.
fn name(method: u16) -> Option<&'static str> {
    Some(match method {
        1 => "Shrink",
        2..=5 => "Reduce",
        6 => "Implode",
        9 => "Deflate64",
        10 => "PKWARE Implode",
        12 => "bzip2",
        14 => "LZMA",
        20 | 93 => "Zstandard",
        94 => "MP3",
        95 => "XZ",
        96 => "JPEG",
        97 => "WavPack",
        98 => "PPMd",
        99 => "AES",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_have_a_number_and_a_name() {
        for (method, text) in [
            (
                CompressionMethod::LZMA,
                "compression method 14 (LZMA) is not read; pack",
            ),
            (
                CompressionMethod::DEFLATE64,
                "compression method 9 (Deflate64) is",
            ),
            (CompressionMethod::BZIP2, "compression method 12 (bzip2) is"),
            (
                CompressionMethod::ZSTD,
                "compression method 93 (Zstandard) is",
            ),
        ] {
            let found = why_unread(method, false).unwrap();
            assert!(found.starts_with(text), "{found}");
        }
        assert_eq!(why_unread(CompressionMethod::Stored, false), None);
        assert_eq!(why_unread(CompressionMethod::Deflated, false), None);
        let found = why_unread(CompressionMethod::Deflated, true).unwrap();
        assert!(found.contains("encrypted"), "{found}");
    }
}
