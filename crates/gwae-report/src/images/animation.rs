//! Pictures that change over time, as animated PNG files (APNG).

use std::io::Cursor;
use std::path::{Path, PathBuf};

use gwae_formats::atomic::write_atomically;
use gwae_formats::bounded_file::read_bytes;
use image::{ImageFormat, ImageReader, Limits, RgbImage};
use png::{BitDepth, ColorType, Encoder, EncodingError};

use crate::error::ReportError;

/// Most frames of an animation.
const MOST_FRAMES: usize = 50;

/// Largest animation in bytes.
const LARGEST: usize = 2_000_000;

/// Longest frame file that is read, and the most memory for its pixels: 16 and 64 MiB.
const LONGEST_FRAME: u64 = 1 << 24;
const LARGEST_FRAME: u64 = 1 << 26;

/// How long a frame is shown, and the last one, in milliseconds.
const SHOWN: u16 = 200;
const LAST_SHOWN: u16 = 1500;

/// Colours whose parts differ by less than this count as grey. Letters are not quite grey.
const GREY: u8 = 16;

/// Joins PNG files, the oldest first, to an animation that repeats for ever. Viewers that show a
/// single picture show the last. Writes nothing if there is no file.
///
/// It has at most 50 frames and 2 MB, or one frame: with more, evenly many are left out, but never
/// the last. Files that cannot be read, and those whose size in pixels is not that of the last one,
/// are left out too.
///
/// # Errors
/// When the animation cannot be written.
pub fn save_animation(frames: &[PathBuf], path: &Path) -> Result<(), ReportError> {
    let chosen = evenly(frames.len(), MOST_FRAMES);
    let read = chosen.into_iter().filter_map(|index| read(&frames[index]));
    let mut frames: Vec<RgbImage> = read.collect();
    let Some(size) = frames.last().map(RgbImage::dimensions) else {
        return Ok(());
    };
    frames.retain(|frame| frame.dimensions() == size);
    let mut count = frames.len();
    let encoded = loop {
        let chosen: Vec<&RgbImage> = evenly(frames.len(), count)
            .into_iter()
            .map(|index| &frames[index])
            .collect();
        let encoded = encode(&chosen).map_err(|error| ReportError::Draw(error.to_string()))?;
        if encoded.len() <= LARGEST || count == 1 {
            break encoded;
        }
        // One frame less at least: the still picture takes the room of one too.
        count = (count * LARGEST / encoded.len()).clamp(1, count - 1);
    };
    Ok(write_atomically(path, &encoded)?)
}

/// The indices of `most` of `count` things, evenly spaced, with the first (if there is more than one)
/// and the last.
fn evenly(count: usize, most: usize) -> Vec<usize> {
    match (count, most) {
        (0, _) => Vec::new(),
        _ if count <= most => (0..count).collect(),
        (_, 1) => vec![count - 1],
        _ => (0..most).map(|n| n * (count - 1) / (most - 1)).collect(),
    }
}

fn read(path: &Path) -> Option<RgbImage> {
    let bytes = read_bytes(path, LONGEST_FRAME).ok()?;
    let mut reader = ImageReader::with_format(Cursor::new(bytes), ImageFormat::Png);
    let mut limits = Limits::default();
    limits.max_alloc = Some(LARGEST_FRAME);
    reader.limits(limits);
    Some(reader.decode().ok()?.into_rgb8())
}

fn encode(frames: &[&RgbImage]) -> Result<Vec<u8>, EncodingError> {
    let last = frames[frames.len() - 1];
    let mut encoded = Vec::new();
    let mut encoder = Encoder::new(&mut encoded, last.width(), last.height());
    let is_grey = frames
        .iter()
        .all(|frame| frame.pixels().all(|p| is_grey(p.0)));
    encoder.set_color(match is_grey {
        true => ColorType::Grayscale,
        false => ColorType::Rgb,
    });
    encoder.set_depth(BitDepth::Eight);
    let pixels = |frame: &RgbImage| match is_grey {
        true => frame.pixels().map(|pixel| pixel.0[1]).collect(),
        false => frame.as_raw().clone(),
    };
    if frames.len() > 1 {
        encoder.set_animated(frames.len() as u32, 0)?;
        encoder.set_sep_def_img(true)?;
        encoder.set_frame_delay(SHOWN, 1000)?;
    }
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels(last))?;
    if frames.len() > 1 {
        for (index, frame) in frames.iter().enumerate() {
            if index + 1 == frames.len() {
                writer.set_frame_delay(LAST_SHOWN, 1000)?;
            }
            writer.write_image_data(&pixels(frame))?;
        }
    }
    writer.finish()?;
    Ok(encoded)
}

fn is_grey([red, green, blue]: [u8; 3]) -> bool {
    let (least, most) = (red.min(green).min(blue), red.max(green).max(blue));
    most - least < GREY
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pictures of noise, which do not compress; `grey` or in colour.
    fn frames(directory: &Path, count: usize, side: u32, grey: bool) -> Vec<PathBuf> {
        let mut state = 1_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        (0..count)
            .map(|number| {
                let path = directory.join(format!("{number}.png"));
                let picture = RgbImage::from_fn(side, side, |_, _| match (next(), grey) {
                    (value, true) => [value; 3].into(),
                    (value, false) => [value, next(), next()].into(),
                });
                picture.save(&path).unwrap();
                path
            })
            .collect()
    }

    /// The frames of an animation, without the still picture.
    fn decoded(path: &Path) -> (png::Info<'static>, Vec<Vec<u8>>) {
        let bytes = std::fs::read(path).unwrap();
        let mut reader = png::Decoder::new(Cursor::new(bytes)).read_info().unwrap();
        let count = reader.info().animation_control.map_or(0, |a| a.num_frames);
        let mut buffer = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut buffer).unwrap();
        let frames = (0..count).map(|_| {
            reader.next_frame(&mut buffer).unwrap();
            buffer.clone()
        });
        let frames = frames.collect();
        (reader.info().clone(), frames)
    }

    #[test]
    fn every_frame_is_in_the_animation_and_the_last_is_the_still_picture() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("animated.png");
        for grey in [true, false] {
            let files = frames(directory.path(), 3, 20, grey);
            save_animation(&files, &path).unwrap();
            let (info, found) = decoded(&path);
            assert_eq!(info.color_type == ColorType::Grayscale, grey);
            assert_eq!(found.len(), 3);
            for (file, found) in files.iter().zip(&found) {
                let expected = image::open(file).unwrap();
                match grey {
                    true => assert_eq!(expected.to_luma8().as_raw(), found),
                    false => assert_eq!(expected.to_rgb8().as_raw(), found),
                }
            }
            let still = image::open(&path).unwrap().to_rgb8();
            assert_eq!(still, image::open(&files[2]).unwrap().to_rgb8());
        }
    }

    #[test]
    fn the_number_of_frames_and_the_size_are_bounded() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("animated.png");
        let many = frames(directory.path(), 70, 8, true);
        save_animation(&many, &path).unwrap();
        assert_eq!(decoded(&path).1.len(), MOST_FRAMES);
        let large = frames(directory.path(), 10, 350, false);
        save_animation(&large, &path).unwrap();
        assert!(path.metadata().unwrap().len() <= LARGEST as u64);
        let (_, found) = decoded(&path);
        assert!((3..=5).contains(&found.len()), "{}", found.len());
        let last = image::open(&large[9]).unwrap().to_rgb8();
        assert_eq!(&found[found.len() - 1], last.as_raw());
    }

    #[test]
    fn what_is_no_frame_is_left_out() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("animated.png");
        save_animation(&[], &path).unwrap();
        assert!(!path.exists());
        let mut files = frames(directory.path(), 2, 20, true);
        RgbImage::new(7, 9).save(&files[0]).unwrap();
        save_animation(&files, &path).unwrap();
        assert!(decoded(&path).1.is_empty());
        std::fs::write(&files[0], "text").unwrap();
        files.push(directory.path().join("none.png"));
        save_animation(&files, &path).unwrap();
        let still = image::open(&path).unwrap().to_rgb8();
        assert_eq!(still, image::open(&files[1]).unwrap().to_rgb8());
        let nowhere = directory.path().join("none/animated.png");
        assert!(save_animation(&files, &nowhere).is_err());
    }

    #[test]
    fn what_is_left_out_is_even() {
        assert_eq!(evenly(5, 3), [0, 2, 4]);
        assert_eq!(evenly(3, 5), [0, 1, 2]);
        assert_eq!(evenly(9, 1), [8]);
        assert!(evenly(0, 3).is_empty());
    }
}
