//! What is remembered about images, so that they are read only once.

mod common;

use std::fs::{self, File};
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use common::pictures::{png_of, write};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use gwae_datasets::{Dataset, ImageFolder, Unreadable};
use std::io::Write;

const IMAGES: u8 = 8;

/// A grey PNG file of about 160,000 bytes, whatever the seed.
fn picture(seed: u8) -> Vec<u8> {
    const SIDE: u32 = 400;
    let rows: Vec<u8> = (0..SIDE)
        .flat_map(|y| {
            [0].into_iter()
                .chain((0..SIDE).map(move |x| (x * y) as u8 ^ seed))
        })
        .collect();
    let mut data = ZlibEncoder::new(Vec::new(), Compression::none());
    data.write_all(&rows).unwrap();
    let side = SIDE.to_be_bytes();
    let header = [&side[..], &side, &[8, 0, 0, 0, 0]].concat();
    png_of(&header, &data.finish().unwrap())
}

/// The fingerprint of the images that can be read.
fn open(root: &Path, memory: Option<&Path>) -> String {
    let folder = ImageFolder::open_with(root, Unreadable::Skip, memory, &mut |_, _| {});
    folder.unwrap().fingerprint()
}

/// Gives a file the modification time of 1970.
fn reset(path: &Path) {
    let file = File::options().append(true).open(path).unwrap();
    file.set_modified(std::time::UNIX_EPOCH).unwrap();
}

/// Files that changed so recently that the clock could hide another change are not remembered.
fn wait() {
    sleep(Duration::from_millis(2_100));
}

#[test]
fn images_are_read_again_only_after_a_change() {
    let directory = tempfile::tempdir().unwrap();
    let (root, memory) = (
        directory.path().join("set"),
        directory.path().join("memory"),
    );
    for number in 0..IMAGES {
        write(&root.join(format!("{number}.png")), &picture(number));
    }
    // An image that cannot be read is remembered, too.
    write(&root.join("damaged.png"), &picture(99)[..1000]);
    let read = open(&root, None);
    assert_eq!(open(&root, Some(&memory)), read);
    wait();
    assert_eq!(open(&root, Some(&memory)), read);
    let mut files = fs::read_dir(&memory)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let file = files
        .find(|file| file.extension().unwrap() == "json")
        .unwrap();
    let kept = fs::read(&file).unwrap();

    // Another checksum in the memory shows: the files are not read.
    let mut changed: serde_json::Value = serde_json::from_slice(&kept).unwrap();
    changed["files"]["3.png"][1]["c"] = 1.into();
    fs::write(&file, serde_json::to_vec(&changed).unwrap()).unwrap();
    assert_ne!(open(&root, Some(&memory)), read);
    // A memory that is damaged or of another version is not used.
    for wrong in [&kept[..kept.len() / 2], b"", b"{}"] {
        fs::write(&file, wrong).unwrap();
        assert_eq!(open(&root, Some(&memory)), read);
    }
    changed["decoder"] = 0.into();
    fs::write(&file, serde_json::to_vec(&changed).unwrap()).unwrap();
    assert_eq!(open(&root, Some(&memory)), read);

    // A file that was touched has the same content.
    fs::write(&file, &kept).unwrap();
    let third = root.join("3.png");
    reset(&third);
    assert_eq!(open(&root, Some(&memory)), read);
    // Another content of the same size and modification time is noticed: the system's own time changes.
    #[cfg(unix)]
    {
        fs::write(&third, picture(33)).unwrap();
        reset(&third);
        let other = open(&root, Some(&memory));
        assert_ne!(other, read);
        assert_eq!(other, open(&root, None));
    }
    fs::write(&third, picture(3)).unwrap();
    assert_eq!(open(&root, Some(&memory)), read);
}
