//! Published checksums.

use std::fmt;

/// A checksum in lower-case hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Checksum {
    /// SHA-256, 64 digits.
    Sha256(String),
    /// MD5, 32 digits. It detects accidental damage, but not forgery. Often no other checksum is
    /// published.
    Md5(String),
}

impl fmt::Display for Checksum {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sha256(digits) => write!(formatter, "SHA-256 {digits}"),
            Self::Md5(digits) => write!(formatter, "MD5 {digits}"),
        }
    }
}
