//! What was learnt about image files by reading them, kept in the user's cache directory.
//!
//! There is one file for each folder or archive. It is only a help: if it is missing, damaged or of another
//! version, the images are read again.

use std::collections::HashMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use gwae_formats::atomic::write_atomically;
use gwae_formats::bounded_file::read_bytes;
use gwae_formats::hexadecimal::hexadecimal;

use crate::decoder_version::DECODER_VERSION;
use crate::images::stamp::Stamp;

/// Version of the format of the file.
const FORMAT: u32 = 1;

/// Longest file that is read: 1 GiB, some million images.
const LONGEST: u64 = 1 << 30;

/// What is known about one image file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Known {
    /// CRC-32 of the content.
    #[serde(rename = "c")]
    pub(crate) crc: u32,
    /// The result of decoding it; `None` if that was not tried.
    #[serde(rename = "i", default, skip_serializing_if = "Option::is_none")]
    pub(crate) image: Option<Decoded>,
}

/// The result of decoding an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Decoded {
    /// Height and width in pixels.
    #[serde(rename = "s")]
    Size(u32, u32),
    /// The image cannot be decoded; the reason.
    #[serde(rename = "e")]
    Unreadable(String),
}

/// The known files by their paths, each with the state in which it was read.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Memory {
    format: u32,
    decoder: u32,
    /// The folder or archive, for people who look into the file.
    root: String,
    files: HashMap<String, (Stamp, Known)>,
}

impl Memory {
    /// What is remembered in the file at `path`; nothing if the file cannot be used.
    pub(super) fn read(path: &Path) -> Self {
        let bytes = read_bytes(path, LONGEST).ok();
        let memory: Option<Self> = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let memory =
            memory.filter(|memory| (memory.format, memory.decoder) == (FORMAT, DECODER_VERSION));
        memory.unwrap_or_default()
    }

    pub(super) fn get(&self, path: &Path, stamp: &Stamp) -> Option<&Known> {
        let (found, known) = self.files.get(path.to_str()?)?;
        (found == stamp).then_some(known)
    }

    /// Replaces everything by what is known about these files. Files whose names are no Unicode text are left out.
    pub(super) fn of<'a>(
        root: &Path,
        files: impl Iterator<Item = (&'a Path, Stamp, Known)>,
    ) -> Self {
        let files = files.filter_map(|(path, stamp, known)| {
            let path = path.to_str()?;
            Some((path.to_owned(), (stamp, known)))
        });
        Self {
            format: FORMAT,
            decoder: DECODER_VERSION,
            root: root.display().to_string(),
            files: files.collect(),
        }
    }

    /// Writes the file. Failures do not matter: the images are read again the next time.
    pub(super) fn write(&self, path: &Path) {
        let Ok(bytes) = serde_json::to_vec(self) else {
            return;
        };
        if let Some(directory) = path.parent() {
            let _ = fs::create_dir_all(directory);
        }
        let _ = write_atomically(path, &bytes);
    }
}

/// The file in `directory` for what is known about the folder or archive at `root`. It ends in `.json`.
pub(crate) fn file_of(directory: &Path, root: &Path) -> PathBuf {
    let real = fs::canonicalize(root).unwrap_or_else(|_| root.to_owned());
    let digest = Sha256::digest(real.as_os_str().as_encoded_bytes());
    let name: String = real
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .chars()
        .take(40)
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    directory.join(format!("{name}-{}.json", hexadecimal(&digest[..8])))
}

/// The directory of this program in the user's cache directory; `None` if the system has none.
pub(crate) fn user_cache() -> Option<PathBuf> {
    let given = |name: &str| {
        let path = PathBuf::from(env::var_os(name)?);
        path.is_absolute().then_some(path)
    };
    let cache = if cfg!(windows) {
        given("LOCALAPPDATA")?
    } else if cfg!(target_os = "macos") {
        env::home_dir()?.join("Library/Caches")
    } else {
        match given("XDG_CACHE_HOME") {
            Some(cache) => cache,
            None => env::home_dir()?.join(".cache"),
        }
    };
    Some(cache.join("gwae").join("images"))
}
