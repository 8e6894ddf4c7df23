//! Shared code of the fuzz targets.

use std::fmt::Display;
use std::fs;
use std::path::PathBuf;

use gwae_datasets::{Image, ImageFileError};

/// A new directory for the files of this process.
///
/// # Panics
/// If the directory cannot be made.
pub fn scratch_directory() -> PathBuf {
    let directory = std::env::temp_dir().join(format!("gwae-fuzz-{}", std::process::id()));
    fs::create_dir_all(&directory).expect("a temporary directory");
    directory
}

/// An error must be one line without control characters, because it is read in terminals and logs,
/// whatever text it quotes.
///
/// # Panics
/// If the text breaks this rule.
pub fn check_message(error: &impl Display) {
    let text = error.to_string();
    assert!(!text.contains(char::is_control), "{text:?}");
}

/// An image must have as many values as it says; an error must have a valid text.
///
/// # Panics
/// If the result breaks this rule.
pub fn check_image(result: &Result<Image, ImageFileError>) {
    match result {
        Ok(image) => {
            assert!(matches!(image.channels, 1 | 3));
            let values = image.channels * image.height * image.width;
            assert!(values > 0 && image.pixels.len() == values);
        }
        Err(error) => check_message(error),
    }
}

/// `file` with damage. The first two bytes of `damage` say how much to cut off at the end. Then
/// every three bytes say which byte to replace, and by what. The rest is appended. So files with
/// checksums and large headers stay almost whole, and inputs are small.
pub fn damaged(file: &[u8], damage: &[u8]) -> Vec<u8> {
    let mut file = file.to_vec();
    let Some((cut, edits)) = damage.split_first_chunk() else {
        return file;
    };
    file.truncate(file.len().saturating_sub(u16::from_le_bytes(*cut).into()));
    let (edits, rest) = edits.as_chunks();
    for &[low, high, value] in edits {
        let place = usize::from(u16::from_le_bytes([low, high]));
        if let Some(byte) = file.get_mut(place) {
            *byte = value;
        }
    }
    file.extend(rest);
    file
}

/// A CelebA dataset with correct lists and three images, which are empty files.
///
/// # Panics
/// If the files cannot be written.
pub fn celeba_directory() -> PathBuf {
    let directory = scratch_directory();
    let write = |name: &str, text: &str| {
        fs::write(directory.join(name), text).expect("a temporary file");
    };
    fs::create_dir_all(directory.join("img_align_celeba")).expect("a temporary directory");
    for image in ["000001.jpg", "000002.jpg", "000003.jpg"] {
        write(&format!("img_align_celeba/{image}"), "");
    }
    write(
        "list_attr_celeba.txt",
        "3\nBald Young\n000001.jpg 1 -1\n000002.jpg -1 -1\n000003.jpg -1 1\n",
    );
    write(
        "list_eval_partition.txt",
        "000001.jpg 0\n000002.jpg 1\n000003.jpg 2\n",
    );
    directory
}
