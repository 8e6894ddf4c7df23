use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::convert::Conversion;
use super::*;
use crate::error::DatasetError;
use gwae_formats::positioned_file::PositionedFile;

/// A source with two grey pixels per image, `i` and `2i`. It counts the decoded images.
#[derive(Default)]
struct Pairs {
    decoded: AtomicUsize,
}

impl BlockSource for Pairs {
    fn read(&self, images: Range<u64>, stored: &mut [u8]) -> std::result::Result<(), DatasetError> {
        self.decoded
            .fetch_add((images.end - images.start) as usize, Ordering::Relaxed);
        for (image, pixels) in images.zip(stored.chunks_exact_mut(2)) {
            pixels.copy_from_slice(&[image as u8, (2 * image) as u8]);
        }
        Ok(())
    }
}

const IMAGES: u64 = 103;

fn header() -> Header {
    Header {
        geometry: Geometry {
            channels: 1,
            height: 1,
            width: 2,
            bits: 8,
            images: IMAGES,
            layer: 20,
            block: 7,
        },
        source: SourceStamp {
            length: 99,
            modified: 1,
        },
        fingerprint: [5; 32],
        content: None,
    }
}

fn items() -> Vec<u32> {
    (0..IMAGES as u32).map(|item| item * 3).collect()
}

type Write<'a> = &'a (dyn Fn(&PositionedFile, &[u8], u64) -> io::Result<()> + Sync);

/// One attempt that writes through `write`: the number of decoded images, and the result.
fn try_with(
    path: &Path,
    header: &Header,
    write: Write<'_>,
) -> (usize, std::result::Result<ImageCache, DatasetError>) {
    let source = Pairs::default();
    let result = Conversion::new(path, header, &items(), &source, write).run(&mut |_, _| {});
    (source.decoded.into_inner(), result)
}

fn plain(file: &PositionedFile, bytes: &[u8], offset: u64) -> io::Result<()> {
    file.write_all_at(bytes, offset)
}

fn check(cache: &ImageCache) {
    for index in 0..IMAGES as usize {
        assert_eq!(cache.read(index).unwrap(), [index as u8, (2 * index) as u8]);
    }
    assert_eq!(cache.items().unwrap(), items());
    cache.verify().unwrap();
    let error = cache.read(IMAGES as usize).unwrap_err();
    assert!(matches!(
        error.problem,
        RawCacheProblem::OutOfRange {
            index: 103,
            images: 103
        }
    ));
}

#[test]
fn progress_reaches_the_end_and_the_cache_is_used_afterwards() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cache");
    assert!(ImageCache::open(&path).unwrap().is_none());
    let source = Pairs::default();
    let mut seen = Vec::new();
    let cache = convert(&path, &header(), &items(), &source, &mut |done, total| {
        seen.push((done, total));
    })
    .unwrap();
    check(&cache);
    let expected: Vec<_> = [20, 40, 60, 80, 100, 103].map(|done| (done, 103)).into();
    assert_eq!(seen, expected);
    check(&ImageCache::open(&path).unwrap().unwrap());
    // No other file is left.
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    // A second conversion has nothing to do.
    let (decoded, result) = try_with(&path, &header(), &plain);
    assert_eq!(decoded, 0);
    check(&result.unwrap());
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn an_interruption_at_any_write_leaves_nothing_that_passes_for_complete() {
    // Every write may also have stopped halfway.
    for half in [false, true] {
        for fatal in 0.. {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("cache");
            let writes = AtomicUsize::new(0);
            let (first, result) = try_with(&path, &header(), &|file, bytes, offset| match writes
                .fetch_add(1, Ordering::Relaxed)
            {
                number if number < fatal => file.write_all_at(bytes, offset),
                number if number == fatal && half => {
                    file.write_all_at(&bytes[..bytes.len() / 2], offset)?;
                    Err(io::Error::other("cut"))
                }
                _ => Err(io::Error::other("cut")),
            });
            let Err(error) = result else {
                assert!(fatal > 30, "{fatal}");
                break;
            };
            assert!(error.to_string().contains(".partial: cannot write it: cut"));
            assert!(ImageCache::open(&path).unwrap().is_none());
            let (second, result) = try_with(&path, &header(), &plain);
            check(&result.unwrap());
            // Each of the two threads may have been interrupted in a block that was already
            // decoded.
            assert!(first + second <= IMAGES as usize + 16 * 7, "{fatal}");
            if fatal > 20 {
                assert!(second < IMAGES as usize, "{fatal}: nothing was resumed");
            }
        }
    }
}

#[test]
fn blocks_that_a_crash_of_the_machine_lost_are_made_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cache");
    // The images of block 4 (27 to 33) never reach the disk, but their digest does.
    let lost = header().geometry.image_offset(27);
    let writes = AtomicUsize::new(0);
    let (_, result) = try_with(&path, &header(), &|file, bytes, offset| {
        if writes.fetch_add(1, Ordering::Relaxed) == 20 {
            return Err(io::Error::other("crash"));
        }
        if offset == lost {
            return Ok(());
        }
        file.write_all_at(bytes, offset)
    });
    result.unwrap_err();
    let (decoded, result) = try_with(&path, &header(), &plain);
    check(&result.unwrap());
    assert!(decoded < IMAGES as usize);

    // The conversion fails on a disk that never stores them.
    std::fs::remove_file(&path).unwrap();
    let (_, result) = try_with(&path, &header(), &|file, bytes, offset| {
        if offset == lost {
            return Ok(());
        }
        file.write_all_at(bytes, offset)
    });
    let error = result.unwrap_err();
    assert!(
        matches!(
            error.downcast_ref(),
            Some(RawCacheError {
                problem: RawCacheProblem::ReadBack { start: 27, end: 34 },
                ..
            })
        ),
        "{error}"
    );
    assert!(ImageCache::open(&path).unwrap().is_none());
}

#[test]
fn a_full_disk_is_named_and_the_next_try_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cache");
    let writes = AtomicUsize::new(0);
    let (_, result) = try_with(&path, &header(), &|file, bytes, offset| {
        if writes.fetch_add(1, Ordering::Relaxed) >= 20 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        file.write_all_at(bytes, offset)
    });
    let error = result.unwrap_err();
    assert!(
        matches!(
            error.downcast_ref(),
            Some(RawCacheError {
                problem: RawCacheProblem::DiskFull {
                    images_done: 1..100,
                    images: 103,
                    ..
                },
                ..
            })
        ),
        "{error}"
    );
    assert!(!error.to_string().contains('\n'));
    let (decoded, result) = try_with(&path, &header(), &plain);
    check(&result.unwrap());
    assert!(decoded < IMAGES as usize);
}

/// A device that is always full: this tests the system's own error.
#[cfg(target_os = "linux")]
#[test]
fn the_systems_full_disk_error_is_recognised() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cache");
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let full = PositionedFile::new(full);
    let (_, result) = try_with(&path, &header(), &|_, bytes, offset| {
        full.write_all_at(bytes, offset)
    });
    assert!(result.unwrap_err().to_string().contains("the disk is full"));
}

#[test]
fn a_cache_of_another_source_is_made_again_and_another_file_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cache");
    try_with(&path, &header(), &plain).1.unwrap();
    let other = Header {
        fingerprint: [6; 32],
        ..header()
    };
    let (decoded, result) = try_with(&path, &other, &plain);
    assert_eq!(decoded, IMAGES as usize);
    assert_eq!(result.unwrap().header().fingerprint, [6; 32]);
    // An unfinished file of another source is not continued either.
    let writes = AtomicUsize::new(0);
    let third = Header {
        fingerprint: [7; 32],
        ..header()
    };
    let (_, result) = try_with(&path, &third, &|file, bytes, offset| match writes
        .fetch_add(1, Ordering::Relaxed)
    {
        20.. => Err(io::Error::other("cut")),
        _ => file.write_all_at(bytes, offset),
    });
    result.unwrap_err();
    // The complete file is still there.
    let found = ImageCache::open(&path).unwrap().unwrap();
    assert_eq!(found.header().fingerprint, [6; 32]);
    std::fs::remove_file(&path).unwrap();
    assert_eq!(try_with(&path, &header(), &plain).0, IMAGES as usize);

    std::fs::write(&path, b"a letter to a friend").unwrap();
    assert!(matches!(
        ImageCache::open(&path).unwrap_err().problem,
        RawCacheProblem::NotACache
    ));
    assert_eq!(std::fs::read(&path).unwrap(), b"a letter to a friend");
}

#[test]
fn every_damage_of_a_complete_file_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cache");
    let cache = try_with(&path, &header(), &plain).1.unwrap();
    let images_offset = cache.header().geometry.images_offset() as usize;
    let items_end = cache.header().geometry.items_offset() as usize + 4 * IMAGES as usize;
    let whole = std::fs::read(&path).unwrap();
    for place in (0..whole.len()).step_by(13) {
        let mut bytes = whole.clone();
        bytes[place] ^= 0x40;
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, bytes).unwrap();
        let opened = ImageCache::open(&path);
        // The bytes before the images are checked at once, because they hold the grid numbers.
        assert_eq!(opened.is_ok(), place >= items_end, "{place}");
        let found = opened.and_then(|cache| cache.unwrap().verify());
        // The bytes between the grid numbers and the images are unused.
        let unused = (items_end..images_offset).contains(&place);
        assert_eq!(found.is_ok(), unused, "{place}");
    }
    for length in (0..whole.len()).step_by(512) {
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, &whole[..length]).unwrap();
        assert!(ImageCache::open(&path).is_err(), "{length}");
    }
}

/// A real crash: a process is killed (SIGKILL) after some milliseconds, again and again until the
/// conversion finishes.
#[test]
fn a_killed_process_leaves_what_the_next_one_goes_on_with() {
    const CHILD: &str = "GWAE_TEST_KILLED_CONVERSION";
    /// A source that converts slowly.
    struct Slow(Pairs);
    impl BlockSource for Slow {
        fn read(
            &self,
            images: Range<u64>,
            stored: &mut [u8],
        ) -> std::result::Result<(), DatasetError> {
            std::thread::sleep(std::time::Duration::from_millis(4));
            self.0.read(images, stored)
        }
    }
    if let Some(path) = std::env::var_os(CHILD) {
        let source = Slow(Pairs::default());
        convert(path.as_ref(), &header(), &items(), &source, &mut |_, _| {}).unwrap();
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cache");
    let mut killed = 0;
    // The wait grows by a factor, so the test ends soon on a machine of any speed.
    let waits = std::iter::successors(Some(5.0_f64), |wait| Some(1.3 * wait));
    for milliseconds in waits {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--test-threads=1"])
            .arg("published::raw_cache::tests::a_killed_process_leaves_what_the_next_one_goes_on_with")
            .env(CHILD, &path)
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_secs_f64(1e-3 * milliseconds));
        child.kill().unwrap();
        if child.wait().unwrap().success() {
            break;
        }
        killed += 1;
        // The file is either complete or missing.
        if let Some(cache) = ImageCache::open(&path).unwrap() {
            check(&cache);
        }
    }
    assert!(killed > 1);
    check(&ImageCache::open(&path).unwrap().unwrap());
}

#[test]
fn two_conversions_at_once_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cache");
    let partial = directory.path().join("cache.partial");
    let busy = std::fs::File::create(partial).unwrap();
    busy.lock().unwrap();
    let (_, result) = try_with(&path, &header(), &plain);
    assert!(matches!(
        result.unwrap_err().downcast_ref(),
        Some(RawCacheError {
            problem: RawCacheProblem::Busy,
            ..
        })
    ));
    drop(busy);
    check(&try_with(&path, &header(), &plain).1.unwrap());
}

#[test]
fn black_and_white_images_are_unpacked() {
    struct Bits;
    impl BlockSource for Bits {
        fn read(
            &self,
            images: Range<u64>,
            stored: &mut [u8],
        ) -> std::result::Result<(), DatasetError> {
            for (image, bytes) in images.zip(stored.chunks_exact_mut(2)) {
                bytes.copy_from_slice(&[0b0000_0101, image as u8]);
            }
            Ok(())
        }
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cache");
    let mut header = header();
    header.geometry = Geometry {
        height: 3,
        width: 3,
        bits: 1,
        images: 4,
        ..header.geometry
    };
    let cache = convert(&path, &header, &[0, 1, 2, 3], &Bits, &mut |_, _| {}).unwrap();
    assert_eq!(cache.read(0).unwrap(), [255, 0, 255, 0, 0, 0, 0, 0, 0]);
    assert_eq!(cache.read(3).unwrap(), [255, 0, 255, 0, 0, 0, 0, 0, 255]);
}
