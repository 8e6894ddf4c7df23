//! Datasets made from other datasets: shuffled patches and inverted images.

use std::sync::Arc;

use gwae_datasets::{
    Dataset, DatasetError, FactorSpec, Image, ImageError, ImageShape, Inverted, Item, NoiseImages,
    NoiseImagesConfig, PatchShuffled, SettingError, Split, Transform, Transformed, embedded_digits,
};
use proptest::prelude::*;

/// Items with pixels as different as bytes allow, with three official parts.
struct Numbered {
    channels: usize,
    height: usize,
    width: usize,
}

impl Dataset for Numbered {
    fn name(&self) -> &str {
        "numbered"
    }

    fn len(&self) -> usize {
        30
    }

    fn train_len(&self) -> usize {
        20
    }

    fn validation_len(&self) -> usize {
        4
    }

    fn item(&self, index: usize) -> Result<Item, DatasetError> {
        if index >= 30 {
            return Err(DatasetError::IndexOutOfRange {
                dataset: "numbered".to_owned(),
                index,
                len: 30,
            });
        }
        let Self {
            channels,
            height,
            width,
        } = *self;
        Ok(Item {
            image: Image {
                channels,
                height,
                width,
                pixels: (0..channels * height * width)
                    .map(|i| (i * 7 + index) as u8)
                    .collect(),
            },
            factors: Vec::new(),
        })
    }

    fn factors(&self) -> &[FactorSpec] {
        &[]
    }

    fn fingerprint(&self) -> String {
        format!("{} {} {}", self.channels, self.height, self.width)
    }
}

/// The origins of an image's patches, found by comparing each with all patches of the original. The
/// patches of the original must differ.
fn origins(original: &Image, shuffled: &[u8], grid: usize) -> Vec<usize> {
    let &Image {
        channels,
        height,
        width,
        ref pixels,
    } = original;
    let (rows, columns) = (height / grid, width / grid);
    let (top, left) = ((height - rows * grid) / 2, (width - columns * grid) / 2);
    let patch = |pixels: &[u8], number: usize| {
        let mut patch = Vec::new();
        for plane in 0..channels {
            for row in 0..rows {
                for column in 0..columns {
                    let y = top + number / grid * rows + row;
                    let x = left + number % grid * columns + column;
                    patch.push(pixels[(plane * height + y) * width + x]);
                }
            }
        }
        patch
    };
    (0..grid * grid)
        .map(|to| {
            let found = patch(shuffled, to);
            let mut from = (0..grid * grid).filter(|&from| patch(pixels, from) == found);
            let origin = from.next().expect("a patch of the original");
            assert_eq!(from.next(), None, "patches of the original differ");
            origin
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn patches_are_permuted_and_never_left_where_they_were(
        channels in prop_oneof![Just(1_usize), Just(3)],
        size in (1_usize..30, 1_usize..30),
        grid in 2_usize..6,
        index in 0_usize..30,
        seed in any::<u64>(),
    ) {
        let (height, width) = size;
        // Noise: patches of at least four pixels are all different, as `origins` requires.
        let noise = Arc::new(NoiseImages::new(NoiseImagesConfig {
            size: 30,
            channels,
            items: 1,
            seed,
        }).unwrap());
        let dataset = Arc::new(Numbered { channels, height, width });
        let shuffled = PatchShuffled::new(dataset.clone(), grid, seed).unwrap();
        if height < grid || width < grid {
            let error = shuffled.item(index).unwrap_err();
            let DatasetError::Item { error, .. } = error else { panic!("{error}") };
            let is_expected = matches!(*error, DatasetError::Image(ImageError::SmallerThanGrid { .. }));
            prop_assert!(is_expected);
        } else {
            let original = dataset.item(index).unwrap();
            let item = shuffled.item(index).unwrap();
            prop_assert_eq!(&item, &shuffled.item(index).unwrap());
            let mut sorted = [original.image.pixels.clone(), item.image.pixels.clone()];
            for pixels in &mut sorted {
                pixels.sort_unstable();
            }
            prop_assert_eq!(&sorted[0], &sorted[1]);
            // The border around the patches does not change.
            let (rows, columns) = (height / grid * grid, width / grid * grid);
            let (top, left) = ((height - rows) / 2, (width - columns) / 2);
            for place in 0..channels * height * width {
                let (y, x) = (place / width % height, place % width);
                let around = !(top..top + rows).contains(&y) || !(left..left + columns).contains(&x);
                if around {
                    prop_assert_eq!(original.image.pixels[place], item.image.pixels[place]);
                }
            }
        }
        let original = noise.item(0).unwrap().image;
        let item = PatchShuffled::new(noise, grid, seed).unwrap().item(0).unwrap();
        let origins = origins(&original, &item.image.pixels, grid);
        let mut sorted = origins.clone();
        sorted.sort_unstable();
        prop_assert_eq!(sorted, (0..grid * grid).collect::<Vec<_>>());
        prop_assert!(origins.iter().enumerate().any(|(to, &from)| to != from));
    }
}

#[test]
fn every_order_but_the_original_is_equally_likely() {
    let noise = Arc::new(
        NoiseImages::new(NoiseImagesConfig {
            size: 8,
            items: 4_600,
            ..Default::default()
        })
        .unwrap(),
    );
    let shuffled = PatchShuffled::new(noise.clone(), 2, 3).unwrap();
    let mut counts = std::collections::HashMap::new();
    for index in 0..4_600 {
        let original = noise.item(index).unwrap().image;
        let item = shuffled.item(index).unwrap();
        *counts
            .entry(origins(&original, &item.image.pixels, 2))
            .or_insert(0_i32) += 1;
    }
    // 4! − 1 orders. Binomial(4600, 1/23): mean 200, standard deviation 13.8; the bound is five
    // standard deviations.
    assert_eq!(counts.len(), 23);
    assert!(
        counts.values().all(|count| (count - 200).abs() < 70),
        "{counts:?}"
    );
}

#[test]
fn digits_keep_all_but_their_shape() {
    let digits = Arc::new(embedded_digits().unwrap());
    let shuffled = PatchShuffled::new(digits.clone(), PatchShuffled::DEFAULT_GRID, 0).unwrap();
    assert_eq!(shuffled.name(), "mnist10k-shuffled-4x4");
    assert_eq!(shuffled.len(), digits.len());
    let mut changed = 0;
    for index in 0..500 {
        let (own, original) = (shuffled.item(index).unwrap(), digits.item(index).unwrap());
        assert_eq!(own.factors, original.factors);
        let sum = |item: &Item| item.image.pixels.iter().map(|&v| u64::from(v)).sum::<u64>();
        assert_eq!(sum(&own), sum(&original));
        changed += usize::from(own.image.pixels != original.image.pixels);
    }
    assert_eq!(changed, 500);
}

#[test]
fn parts_names_and_errors_are_passed_on() {
    let dataset: Arc<dyn Dataset> = Arc::new(Numbered {
        channels: 1,
        height: 8,
        width: 8,
    });
    let shuffled: Arc<dyn Dataset> = Arc::new(PatchShuffled::new(dataset.clone(), 4, 0).unwrap());
    let inverted: Arc<dyn Dataset> = Arc::new(Inverted::new(dataset.clone()));
    for (derived, name) in [
        (&shuffled, "numbered-shuffled-4x4"),
        (&inverted, "numbered-inverted"),
    ] {
        assert_eq!(derived.name(), name);
        let split = Split::official(derived.as_ref()).unwrap();
        assert_eq!(
            (split.train.len(), split.validation.len(), split.test.len()),
            (20, 4, 6)
        );
        assert_eq!(derived.factors(), dataset.factors());
        let message = derived.item(30).unwrap_err().to_string();
        assert_eq!(
            message,
            format!("dataset {name}: index 30 is out of range, it has 30 items")
        );
        assert_ne!(derived.fingerprint(), dataset.fingerprint());
    }
    assert_ne!(shuffled.fingerprint(), inverted.fingerprint());
}

#[test]
fn transformed_images_are_those_of_the_transform_and_all_else_stays() {
    let dataset: Arc<dyn Dataset> = Arc::new(Numbered {
        channels: 3,
        height: 9,
        width: 12,
    });
    for transform in [
        Transform::new(7, 3),
        Transform::new(5, 1).cropped(8),
        Transform::new(8, 3).cropped(8),
    ] {
        let transformed = Transformed::new(dataset.clone(), transform).unwrap();
        assert_eq!(transformed.name(), dataset.name());
        assert_eq!(transformed.fingerprint(), dataset.fingerprint());
        let split = Split::official(&transformed).unwrap();
        assert_eq!(split, Split::official(dataset.as_ref()).unwrap());
        for index in [0, 29] {
            let expected = transform
                .apply(&dataset.item(index).unwrap().image)
                .unwrap();
            let image = transformed.item(index).unwrap().image;
            let ImageShape {
                channels,
                height: size,
                ..
            } = transform.shape;
            assert_eq!((image.channels, image.height), (channels, size));
            for (byte, value) in image.pixels.iter().zip(expected) {
                assert!((f32::from(*byte) - 255.0 * value).abs() <= 0.5 + 1e-4);
            }
        }
        let message = transformed.item(30).err().unwrap().to_string();
        assert_eq!(
            message,
            "dataset numbered: index 30 is out of range, it has 30 items"
        );
    }
    // An image with one plane keeps one plane, even for a model of three channels.
    let grey: Arc<dyn Dataset> = Arc::new(embedded_digits().unwrap());
    let grey = Transformed::new(grey, Transform::new(32, 3)).unwrap();
    assert_eq!(grey.item(0).unwrap().image.channels, 1);
    let too_large = Transformed::new(dataset, Transform::new(8, 3).cropped(10)).unwrap();
    let message = too_large.item(1).err().unwrap().to_string();
    assert!(
        message.contains("numbered") && message.contains('1'),
        "{message}"
    );
}

/// Returns its items only together.
struct Together(Numbered);

impl Dataset for Together {
    fn name(&self) -> &str {
        "together"
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn train_len(&self) -> usize {
        self.0.len()
    }

    fn item(&self, _: usize) -> Result<Item, DatasetError> {
        unreachable!("read one by one")
    }

    fn items_together(&self, indices: &[usize]) -> Option<Result<Vec<Item>, DatasetError>> {
        Some(indices.iter().map(|index| self.0.item(*index)).collect())
    }

    fn factors(&self) -> &[FactorSpec] {
        &[]
    }

    fn fingerprint(&self) -> String {
        self.0.fingerprint()
    }
}

#[test]
fn items_that_are_read_together_are_changed_as_single_ones() {
    let numbered = || Numbered {
        channels: 1,
        height: 8,
        width: 8,
    };
    let (single, together): (Arc<dyn Dataset>, Arc<dyn Dataset>) =
        (Arc::new(numbered()), Arc::new(Together(numbered())));
    let derived = |dataset: &Arc<dyn Dataset>| -> Vec<Arc<dyn Dataset>> {
        let transform = Transform::new(4, 1).cropped(6);
        vec![
            Arc::new(Inverted::new(dataset.clone())),
            Arc::new(PatchShuffled::new(dataset.clone(), 2, 0).unwrap()),
            Arc::new(Transformed::new(dataset.clone(), transform).unwrap()),
        ]
    };
    for (single, together) in derived(&single).iter().zip(derived(&together)) {
        assert!(single.items_together(&[0]).is_none());
        let indices = [7, 0, 23];
        let found = together.items_together(&indices).unwrap().unwrap();
        let expected: Vec<Item> = indices.iter().map(|i| single.item(*i).unwrap()).collect();
        assert_eq!(found, expected);
        let wrong = together.items_together(&[2, 30]).unwrap().unwrap_err();
        assert!(wrong.to_string().contains("index 30"), "{wrong}");
    }
}

#[test]
fn shuffles_differ_by_grid_and_seed_and_fingerprints_say_so() {
    let dataset: Arc<dyn Dataset> = Arc::new(Numbered {
        channels: 1,
        height: 12,
        width: 12,
    });
    let make = |grid, seed| PatchShuffled::new(dataset.clone(), grid, seed).unwrap();
    let all = [make(4, 0), make(4, 1), make(3, 0)];
    let pixels: std::collections::HashSet<Vec<u8>> = all
        .iter()
        .map(|set| set.item(0).unwrap().image.pixels)
        .collect();
    let fingerprints: std::collections::HashSet<String> =
        all.iter().map(Dataset::fingerprint).collect();
    assert_eq!((pixels.len(), fingerprints.len()), (3, 3));
}

#[test]
fn grids_that_shuffle_nothing_are_refused() {
    let digits: Arc<dyn Dataset> = Arc::new(embedded_digits().unwrap());
    for grid in [0, 1] {
        let found = PatchShuffled::new(digits.clone(), grid, 0).err().unwrap();
        assert!(matches!(
            found,
            DatasetError::Setting(SettingError::PatchGrid { .. })
        ));
    }
    // A grid too fine for the images gives an error and allocates no memory.
    for grid in [29, usize::MAX] {
        let found = PatchShuffled::new(digits.clone(), grid, 0).unwrap().item(0);
        assert!(matches!(found, Err(DatasetError::Item { .. })), "{grid}");
    }
    PatchShuffled::new(digits, 28, 0).unwrap().item(0).unwrap();
}

#[test]
fn black_and_white_are_exchanged_and_back() {
    let digits: Arc<dyn Dataset> = Arc::new(embedded_digits().unwrap());
    let inverted: Arc<dyn Dataset> = Arc::new(Inverted::new(digits.clone()));
    let back = Inverted::new(inverted.clone());
    for index in [0, 17, 9_999] {
        let original = digits.item(index).unwrap();
        let item = inverted.item(index).unwrap();
        assert_eq!(item.factors, original.factors);
        for (value, other) in item.image.pixels.iter().zip(&original.image.pixels) {
            assert_eq!(u16::from(*value) + u16::from(*other), 255);
        }
        assert_eq!(inverted.cropped_item(index, 20).unwrap(), item);
        assert_eq!(back.item(index).unwrap(), original);
    }
}
