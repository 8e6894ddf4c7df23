//! The errors of downloading and checking a dataset's files.

use crate::error::behind;
use std::io::{self, ErrorKind};
use std::path::Path;

use crate::published::checksum::Checksum;
use gwae_formats::atomic::is_out_of_room;

/// The error for a dataset, manifest or file that cannot be downloaded or verified.
#[derive(Debug, thiserror::Error)]
#[error("{subject}: {problem}")]
pub struct DataFileError {
    /// The dataset, manifest, file or address that the message names.
    pub subject: String,
    /// The problem.
    pub problem: DataFileProblem,
}

behind!(Files, DataFileError);

/// A problem of a dataset's files.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataFileProblem {
    /// No manifest has this name.
    #[error("no dataset of this name is known; use one of {known}")]
    UnknownDataset {
        /// All names, separated by commas.
        known: String,
    },

    /// A manifest is not valid TOML, or has a missing, unknown or mistyped key.
    #[error("line {line}: {message}; correct the manifest")]
    ManifestSyntax {
        /// Line in the manifest, counted from 1.
        line: usize,
        /// The message of the parser, on one line.
        message: String,
    },

    /// A value in a manifest cannot be used.
    #[error("{field}: {message}; correct the manifest")]
    ManifestValue {
        /// The key, with the file that it belongs to.
        field: String,
        /// The problem of the value.
        message: String,
    },

    /// The system denies access.
    #[error("no permission: {0}; change the permissions, or choose another directory")]
    Permission(#[source] io::Error),

    /// The disk or the user's quota is full.
    #[error(
        "no space left on the disk (about {missing} bytes are missing): {source}; free some \
         space and run the command again"
    )]
    DiskFull {
        /// Number of bytes of the file that are not written yet.
        missing: u64,
        /// The error of the system.
        source: io::Error,
    },

    /// A file is where a directory is needed, or a directory is where a file is needed.
    #[error("{0}; choose another directory")]
    WrongKind(&'static str),

    /// Any other error of the file system.
    #[error("cannot {action} it: {source}; check the path and the disk")]
    Io {
        /// The operation, such as `read`.
        action: &'static str,
        /// The error of the system.
        source: io::Error,
    },

    /// An existing file is not the one that the manifest describes.
    #[error(
        "is there but {found} instead of {expected}; move it away, or ask to replace it (it is \
         then kept under another name)"
    )]
    WrongFileThere {
        /// The value in the manifest.
        expected: String,
        /// The value of the file.
        found: String,
    },

    /// Another process downloads the same file.
    #[error("another process is downloading this file; wait for it to end")]
    Busy,

    /// An address does not say which of several files it is for.
    #[error(
        "names none of this dataset's files; end the address with the name of the file ({names}), \
         or with / to fetch all files from below it"
    )]
    AddressWithoutFile {
        /// The dataset's file names, separated by commas.
        names: String,
    },

    /// An address is not an HTTP address.
    #[error("{0}; use an address that starts with http:// or https://")]
    BadAddress(String),

    /// The server does not have the file, or refuses to send it.
    #[error("{url}: the server answers {status}; try another address")]
    Status {
        /// The address.
        url: String,
        /// HTTP status code.
        status: u16,
    },

    /// The server announces or sends another number of bytes than the manifest says.
    #[error(
        "{url}: the server has {found} bytes, but the file has {expected}; it is not this file, \
         try another address"
    )]
    WrongLength {
        /// The address.
        url: String,
        /// The size in the manifest, such as `exactly 12`.
        expected: String,
        /// The size that the server announces or sends, such as `at least 13`.
        found: String,
    },

    /// The download is complete, but its content is wrong.
    #[error(
        "{url}: the checksum should be {expected} but is {found}; the wrong bytes were removed, \
         try again or another address"
    )]
    WrongChecksum {
        /// The address.
        url: String,
        /// The checksum in the manifest.
        expected: Checksum,
        /// The checksum of the download.
        found: Checksum,
    },

    /// The server redirects to an address that is not fetched.
    #[error("{url}: the server redirects to {target}, {reason}; try another address")]
    Redirect {
        /// The address.
        url: String,
        /// The address that the server names.
        target: String,
        /// Why it is not fetched.
        reason: &'static str,
    },

    /// The server redirects too many times.
    #[error("{url}: too many redirects; try another address")]
    Redirects {
        /// The address.
        url: String,
    },

    /// The host does not exist, or cannot prove its identity.
    #[error("{url}: {message}; check the address and the network, or try another address")]
    NoConnection {
        /// The address.
        url: String,
        /// The problem.
        message: String,
    },

    /// After all attempts: no answer, a lost connection or a server error.
    #[error(
        "{url}: {message} (failures in a row: {attempts}); check the network and run the command again, or try \
         another address"
    )]
    Connection {
        /// The address.
        url: String,
        /// Number of failures in a row.
        attempts: u32,
        /// The last error.
        message: String,
    },

    /// This build does not support encrypted connections on this processor.
    #[error(
        "{url}: this build has no encrypted connections on this processor; give an http:// \
         address, or download the file by other means"
    )]
    NoEncryption {
        /// The address.
        url: String,
    },

    /// Several addresses were tried and none worked.
    #[error("none of {} addresses works: {}", failures.len(), join(failures))]
    NoAddressWorks {
        /// The problem of each address.
        failures: Vec<DataFileProblem>,
    },
}

fn join(failures: &[DataFileProblem]) -> String {
    let lines: Vec<String> = failures.iter().map(ToString::to_string).collect();
    lines.join(" | ")
}

impl DataFileProblem {
    pub(crate) fn of(self, subject: impl Into<String>) -> DataFileError {
        DataFileError {
            subject: subject.into(),
            problem: self,
        }
    }

    /// Maps an error of the file system to a problem; `missing` is the number of bytes yet to be
    /// written.
    pub(crate) fn from_io(action: &'static str, missing: u64, source: io::Error) -> Self {
        match source.kind() {
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Self::Permission(source),
            kind if is_out_of_room(kind) => Self::DiskFull { missing, source },
            ErrorKind::NotADirectory => {
                Self::WrongKind("a file stands where a directory is needed")
            }
            ErrorKind::IsADirectory => Self::WrongKind("a directory stands where a file is needed"),
            _ => Self::Io { action, source },
        }
    }
}

/// For `map_err`: an error of the file system about `path`.
pub(crate) fn at<'a>(
    path: &'a Path,
    action: &'static str,
) -> impl FnOnce(io::Error) -> DataFileError + use<'a> {
    move |source| DataFileProblem::from_io(action, 0, source).of(path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_file_system_are_told_apart() {
        let sort = |kind: ErrorKind| DataFileProblem::from_io("write", 7, io::Error::from(kind));
        for kind in [ErrorKind::PermissionDenied, ErrorKind::ReadOnlyFilesystem] {
            assert!(matches!(sort(kind), DataFileProblem::Permission(_)));
        }
        for kind in [
            ErrorKind::StorageFull,
            ErrorKind::QuotaExceeded,
            ErrorKind::FileTooLarge,
        ] {
            let problem = sort(kind);
            assert!(matches!(
                problem,
                DataFileProblem::DiskFull { missing: 7, .. }
            ));
            assert!(problem.to_string().contains("7 bytes"), "{problem}");
        }
        for kind in [ErrorKind::NotADirectory, ErrorKind::IsADirectory] {
            assert!(matches!(sort(kind), DataFileProblem::WrongKind(_)));
        }
        assert!(matches!(
            sort(ErrorKind::Interrupted),
            DataFileProblem::Io {
                action: "write",
                ..
            }
        ));
    }
}
