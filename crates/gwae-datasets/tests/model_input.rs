//! The pixels that a model sees.

use std::path::Path;

use gwae_datasets::config::{DataConfig, DatasetName};
use gwae_datasets::open::{open_dataset, open_images};
use gwae_datasets::{ImageShape, Polarity};

const SIZE: usize = 32;
const GRID: usize = 4;
const IMAGES: usize = 6;

/// Some images as bytes, one plane after the other.
fn planes(data: &DataConfig, channels: usize) -> Vec<Vec<u8>> {
    data.validate().unwrap();
    let shape = ImageShape::square(SIZE, channels);
    let source = open_images(data, shape, &mut |_| {}).unwrap();
    let indices: Vec<u32> = (0..IMAGES as u32).collect();
    let images = source.load(&indices).unwrap().images;
    let bytes: Vec<u8> = images
        .iter()
        .map(|value| (value * 255.0).round() as u8)
        .collect();
    bytes.chunks(SIZE * SIZE).map(<[u8]>::to_vec).collect()
}

/// The patches of a square plane, in any order.
fn patches(plane: &[u8], size: usize) -> Vec<Vec<u8>> {
    let side = size / GRID;
    let patch = |place: usize| {
        let (top, left) = (place / GRID * side, place % GRID * side);
        let rows = (top..top + side).map(|row| &plane[row * size + left..][..side]);
        rows.flatten().copied().collect::<Vec<u8>>()
    };
    let mut patches: Vec<_> = (0..GRID * GRID).map(patch).collect();
    patches.sort();
    patches
}

fn shuffled(data: &DataConfig) -> DataConfig {
    DataConfig {
        patch_shuffle: Some(GRID),
        ..data.clone()
    }
}

/// Images of several sizes, not square, without any symmetry.
fn folder(directory: &Path) -> DataConfig {
    for number in 0..IMAGES as u32 {
        let picture = image::RgbImage::from_fn(50 + number, 41 + 2 * number, |x, y| {
            image::Rgb([(x * 5) as u8, (y * 5 + number) as u8, (x * y % 251) as u8])
        });
        let path = directory.join(format!("{number}.png"));
        picture.save(path).unwrap();
    }
    DataConfig {
        validation_fraction: 0.0,
        ..DataConfig::of(DatasetName::Folder, Some(directory.to_owned()))
    }
}

#[test]
fn a_shuffled_image_has_the_patches_that_the_model_sees_of_the_plain_one() {
    let root = tempfile::tempdir().unwrap();
    let folder = folder(root.path());
    let digits = DataConfig::default();
    let cropped = |data: &DataConfig, side| DataConfig {
        crop: Some(side),
        ..data.clone()
    };
    for (data, channels) in [
        (digits.clone(), 1),
        (cropped(&digits, 20), 1),
        (cropped(&digits, 21), 3),
        (folder.clone(), 3),
        (cropped(&folder, 40), 3),
        (cropped(&folder, 32), 1),
    ] {
        let plain = planes(&data, channels);
        let shuffled = planes(&shuffled(&data), channels);
        assert_eq!(plain.len(), IMAGES * channels);
        for (plain, shuffled) in plain.iter().zip(&shuffled) {
            assert_ne!(plain, shuffled);
            assert!(
                patches(plain, SIZE) == patches(shuffled, SIZE),
                "{data}, crop {:?}",
                data.crop
            );
        }
    }
}

#[test]
fn a_copy_on_the_disk_makes_no_difference_to_shuffled_images() {
    let root = tempfile::tempdir().unwrap();
    let cache = tempfile::tempdir().unwrap();
    let data = DataConfig {
        crop: Some(37),
        polarity: Some(Polarity::Inverted),
        ..shuffled(&folder(root.path()))
    };
    let with_copy = DataConfig {
        cache: Some(cache.path().to_owned()),
        ..data.clone()
    };
    for channels in [1, 3] {
        assert!(planes(&data, channels) == planes(&with_copy, channels));
    }
    assert_eq!(std::fs::read_dir(cache.path()).unwrap().count(), 2);
}

#[test]
fn images_at_their_own_size_are_cropped_before_they_are_shuffled_too() {
    const SIDE: usize = 20;
    let cropped = DataConfig {
        crop: Some(SIDE),
        ..DataConfig::default()
    };
    let plain = open_dataset(&cropped, SIZE, &mut |_| {}).unwrap();
    let changed = open_dataset(&shuffled(&cropped), SIZE, &mut |_| {}).unwrap();
    for index in 0..IMAGES {
        let plain = plain.item(index).unwrap();
        assert_eq!(plain.image.height, 28);
        let rows = plain.image.pixels.chunks(28).skip(4).take(SIDE);
        let square: Vec<u8> = rows.flat_map(|row| &row[4..4 + SIDE]).copied().collect();
        let changed = changed.item(index).unwrap();
        let (image, factors) = (changed.image, changed.factors);
        assert_eq!((image.channels, image.height, image.width), (1, SIDE, SIDE));
        assert!(patches(&square, SIDE) == patches(&image.pixels, SIDE));
        assert_eq!(factors, plain.factors);
    }
}
