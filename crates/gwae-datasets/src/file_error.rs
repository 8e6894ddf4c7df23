//! What can go wrong with a dataset's files on the way from the network to a directory.

use std::io::{self, ErrorKind};
use std::path::Path;

use crate::manifest::Checksum;

/// A dataset, manifest or file that cannot be obtained or verified, and why.
#[derive(Debug, thiserror::Error)]
#[error("{subject}: {problem}")]
pub struct DataFileError {
    /// The dataset, manifest, file or address, as the reader of the message knows it.
    pub subject: String,
    /// What is wrong with it.
    pub problem: DataFileProblem,
}

/// What is wrong with a dataset's files.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataFileProblem {
    /// No manifest has this name.
    #[error("no dataset of this name is known; use one of {known}")]
    UnknownDataset {
        /// All names, separated by commas.
        known: String,
    },

    /// A manifest is no TOML, or has a missing, unknown or mistyped key.
    #[error("line {line}: {message}; correct the manifest")]
    ManifestSyntax {
        /// Line in the manifest, counted from 1.
        line: usize,
        /// What the parser says, on one line.
        message: String,
    },

    /// A manifest's value cannot be used.
    #[error("{field}: {message}; correct the manifest")]
    ManifestValue {
        /// The key, with the file it belongs to.
        field: String,
        /// What is wrong with the value.
        message: String,
    },

    /// The system refuses access.
    #[error("no permission: {0}; change the permissions, or choose another directory")]
    Permission(#[source] io::Error),

    /// The disk or the user's quota is full.
    #[error(
        "no space left on the disk (about {missing} bytes are missing): {source}; free some \
         space and run the command again, it continues where it stopped"
    )]
    DiskFull {
        /// Bytes of the file that are not written yet.
        missing: u64,
        /// What the system says.
        source: io::Error,
    },

    /// A file stands where a directory is needed, or the reverse.
    #[error("{0}; choose another directory")]
    WrongKind(&'static str),

    /// Any other error of the file system.
    #[error("cannot {action} it: {source}; check the path and the disk")]
    Io {
        /// What was tried, such as `read`.
        action: &'static str,
        /// What the system says.
        source: io::Error,
    },

    /// A file that was there before is not the one that the manifest describes.
    #[error(
        "is there but {found} instead of {expected}; move it away, or ask to replace it (it is \
         then kept under another name)"
    )]
    WrongFileThere {
        /// What the manifest says.
        expected: String,
        /// What the file has.
        found: String,
    },

    /// Another process downloads the same file.
    #[error("another process is downloading this file; wait for it to end")]
    Busy,

    /// An address that does not say which of several files it is for.
    #[error(
        "names none of this dataset's files; end the address with the name of the file ({names}), \
         or with / to fetch all files from below it"
    )]
    AddressWithoutFile {
        /// The dataset's file names, separated by commas.
        names: String,
    },

    /// An address that is no HTTP address.
    #[error("{0}; use an address that starts with http:// or https://")]
    BadAddress(String),

    /// The server has no such file, or refuses it.
    #[error("{url}: the server answers {status}; try another address")]
    Status {
        /// Address asked for.
        url: String,
        /// HTTP status code.
        status: u16,
    },

    /// The server announces or sends another number of bytes than the manifest states.
    #[error(
        "{url}: the server has {found} bytes, but the file has {expected}; it is not this file, \
         try another address"
    )]
    WrongLength {
        /// Address asked for.
        url: String,
        /// What the manifest says, such as `exactly 12`.
        expected: String,
        /// What the server announces or sends, such as `at least 13`.
        found: String,
    },

    /// The bytes are complete but not the right ones.
    #[error(
        "{url}: the checksum should be {expected} but is {found}; the wrong bytes were removed, \
         try again or another address"
    )]
    WrongChecksum {
        /// Address asked for.
        url: String,
        /// What the manifest says.
        expected: Checksum,
        /// What arrived.
        found: Checksum,
    },

    /// The server sends from one address to the next without end.
    #[error("{url}: too many redirects; try another address")]
    Redirects {
        /// Address asked for.
        url: String,
    },

    /// No such host, or one that does not prove to be the right one.
    #[error("{url}: {message}; check the address and the network, or try another address")]
    NoConnection {
        /// Address asked for.
        url: String,
        /// What is wrong.
        message: String,
    },

    /// No answer, a lost connection or a server in trouble, after all attempts.
    #[error(
        "{url}: {message} (failures in a row: {attempts}); what has arrived is kept, run the \
         command again to continue"
    )]
    Connection {
        /// Address asked for.
        url: String,
        /// Failures in a row after which it was given up.
        attempts: u32,
        /// What happened last.
        message: String,
    },

    /// An encrypted connection is not possible on this processor.
    #[error(
        "{url}: this build has no encrypted connections on this processor; give an http:// \
         address, or download the file by other means"
    )]
    NoEncryption {
        /// Address asked for.
        url: String,
    },

    /// Several addresses were tried, none worked.
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

    /// Sorts an error of the file system; `missing` are the bytes yet to be written.
    pub(crate) fn from_io(action: &'static str, missing: u64, source: io::Error) -> Self {
        match source.kind() {
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Self::Permission(source),
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                Self::DiskFull { missing, source }
            }
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
