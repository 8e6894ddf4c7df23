//! Reads all images once: their checksums, and whether they can be decoded.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use gwae_formats::one_line::one_line;
use gwae_formats::parallel::{default_threads, in_parallel};

use crate::images::decode::decode_image;
use crate::images::error::{ImageFileError, ImageFileProblem};
use crate::images::listing::FileEntry;
use crate::images::memory::{Decoded, Known, Memory, file_of};
use crate::images::tree::{FileTree, crc_of};

/// Number of files that are read between two reports.
const LAYER: usize = 256;

/// Reading takes at least this long before it is reported.
const QUICK: Duration = Duration::from_secs(1);

/// What was learnt is kept if at least this many bytes were read. Less is read again in no time.
const WORTH_KEEPING: u64 = 1 << 20;

/// What was learnt is kept this often, so that an interruption loses little.
const KEPT_EVERY: Duration = Duration::from_secs(60);

/// What is learnt about each file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    /// Its checksum.
    Checksum,
    /// Its checksum, and whether it can be decoded.
    Image,
}

/// Learns about all `files`. What was learnt earlier, and is kept in `directory`, is not read again if the file has
/// the same size, times and number. `progress` gets the numbers of files done and in total, unless reading is quick.
///
/// # Errors
/// If a file cannot be read for another reason than its content.
pub(crate) fn check(
    tree: &FileTree,
    files: &[FileEntry],
    depth: Depth,
    directory: Option<&Path>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Vec<Known>, ImageFileError> {
    let started = Instant::now();
    let now = SystemTime::now();
    let place = directory.map(|directory| file_of(directory, tree.root()));
    let memory = place.as_deref().map(Memory::read).unwrap_or_default();
    let mut known: Vec<Option<Known>> = files
        .iter()
        .map(|file| recall(tree, file, depth, &memory))
        .collect();
    let open: Vec<usize> = (0..files.len()).filter(|&n| known[n].is_none()).collect();
    let bytes = AtomicU64::new(0);
    let keep = |known: &[Option<Known>]| {
        let Some(place) = &place else { return };
        if bytes.load(Ordering::Relaxed) < WORTH_KEEPING {
            return;
        }
        let known = files.iter().zip(known).filter_map(|(file, known)| {
            // A change within the resolution of the clock would go unnoticed.
            let known = known.clone().filter(|_| !file.stamp.is_recent(now))?;
            Some((file.path.as_path(), file.stamp, known))
        });
        Memory::of(tree.root(), known).write(place);
    };
    let mut kept = Instant::now();
    let mut done = 0;
    let mut failed = None;
    for layer in open.chunks(LAYER) {
        let learnt = in_parallel(default_threads().get(), layer.len(), |place| {
            let file = &files[layer[place]];
            bytes.fetch_add(file.bytes, Ordering::Relaxed);
            learn(tree, file, depth)
        });
        match learnt {
            Ok(learnt) => {
                for (&number, learnt) in layer.iter().zip(learnt) {
                    known[number] = Some(learnt);
                }
            }
            Err(error) => {
                failed = Some(error);
                break;
            }
        }
        done += layer.len();
        if started.elapsed() >= QUICK {
            progress(done as u64, open.len() as u64);
        }
        if kept.elapsed() >= KEPT_EVERY {
            keep(&known);
            kept = Instant::now();
        }
    }
    keep(&known);
    match failed {
        Some(error) => Err(error),
        None => Ok(known.into_iter().flatten().collect()),
    }
}

/// What is known about a file without reading it.
fn recall(tree: &FileTree, file: &FileEntry, depth: Depth, memory: &Memory) -> Option<Known> {
    let stored = tree.stored_checksum(file);
    if let (Depth::Checksum, Some(crc)) = (depth, stored) {
        return Some(Known { crc, image: None });
    }
    let known = memory.get(&file.path, &file.stamp)?;
    let is_enough = depth == Depth::Checksum || known.image.is_some();
    let is_same = stored.is_none_or(|stored| stored == known.crc);
    (is_enough && is_same).then(|| known.clone())
}

fn learn(tree: &FileTree, file: &FileEntry, depth: Depth) -> Result<Known, ImageFileError> {
    let bytes = match tree.read(file) {
        Ok(bytes) => bytes,
        Err(error) if error.problem.is_of_content() => {
            return Ok(Known {
                // A file that is too long is not read to its end, and has no checksum.
                crc: tree.stored_checksum(file).unwrap_or_default(),
                image: (depth == Depth::Image).then(|| unreadable(&error.problem)),
            });
        }
        Err(error) => return Err(error),
    };
    let image = (depth == Depth::Image).then(|| match decode_image("", &bytes) {
        Ok(image) => Decoded::Size(image.height as u32, image.width as u32),
        Err(error) => unreadable(&error.problem),
    });
    Ok(Known {
        crc: crc_of(&bytes),
        image,
    })
}

fn unreadable(problem: &ImageFileProblem) -> Decoded {
    Decoded::Unreadable(one_line(&problem.reason()))
}
