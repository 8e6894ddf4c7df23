//! Invented characters: the effect of the settings, and the comparison with digits.

use gwae_datasets::{
    Dataset, DatasetError, FactorGridError, InventedCharacters, InventedCharactersConfig, Polarity,
    SettingError, Transform, embedded_digits, items_in_parallel,
};

fn make(config: InventedCharactersConfig) -> InventedCharacters {
    InventedCharacters::new(config).unwrap()
}

fn inverted() -> InventedCharactersConfig {
    InventedCharactersConfig {
        polarity: Polarity::Inverted,
        ..Default::default()
    }
}

fn pixels(dataset: &dyn Dataset, index: usize) -> Vec<u8> {
    dataset.item(index).unwrap().image.pixels
}

fn mean(pixels: &[u8]) -> f64 {
    let sum: u64 = pixels.iter().map(|&value| u64::from(value)).sum();
    sum as f64 / pixels.len() as f64 / 255.0
}

#[test]
fn factors_are_a_grid_of_characters_and_drawers() {
    let dataset = make(InventedCharactersConfig {
        size: 20,
        characters: 7,
        drawers: 3,
        ..Default::default()
    });
    assert_eq!((dataset.len(), dataset.train_len()), (21, 21));
    let names: Vec<&str> = dataset.factors().iter().map(|f| f.name.as_str()).collect();
    assert_eq!(names, ["character", "drawer"]);
    for index in 0..21 {
        let item = dataset.item(index).unwrap();
        assert_eq!(item.factors, [index as u32 / 3, index as u32 % 3]);
        assert_eq!(dataset.find(&item.factors), Some(index));
        let image = item.image;
        assert_eq!((image.channels, image.height, image.width), (1, 20, 20));
        assert_eq!(image.pixels.len(), 400);
    }
    assert_eq!(dataset.find(&[7, 0]), None);
    assert!(matches!(
        dataset.item(21),
        Err(DatasetError::IndexOutOfRange {
            index: 21,
            len: 21,
            ..
        })
    ));
}

#[test]
fn drawings_repeat_on_any_thread_and_all_differ() {
    let dataset = make(inverted());
    let indices: Vec<usize> = (0..400).collect();
    let items = items_in_parallel(&dataset, &indices).unwrap();
    let again = make(inverted());
    let mut seen = std::collections::HashSet::new();
    for (index, item) in items.into_iter().enumerate() {
        assert_eq!(again.item(index).unwrap(), item);
        assert!(seen.insert(item.image.pixels), "{index}");
    }
}

#[test]
fn drawings_of_a_character_are_more_alike_than_those_of_different_ones() {
    let dataset = make(inverted());
    // Coarse enough that a stroke with a small shift stays in the same cell.
    let rough: Vec<Vec<f32>> = (0..40 * 20)
        .map(|index| {
            let image = dataset.item(index).unwrap().image;
            Transform::new(12, 1).apply(&image).unwrap()
        })
        .collect();
    let distance =
        |a: &[f32], b: &[f32]| -> f32 { a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum() };
    let mut right = 0;
    for (index, own) in rough.iter().enumerate() {
        let nearest = (0..rough.len())
            .filter(|&other| other != index)
            .min_by(|&a, &b| distance(own, &rough[a]).total_cmp(&distance(own, &rough[b])))
            .unwrap();
        right += usize::from(nearest / 20 == index / 20);
    }
    // By chance, it would be 1 in 42.
    assert!(right > rough.len() * 6 / 10, "{right} of {}", rough.len());
}

#[test]
fn brightness_is_that_of_omniglot_at_every_size() {
    // Mean of all pixels of the 4,840 images of the small archives, inverted: 0.0789.
    for size in [28, 64, 105] {
        let dataset = make(InventedCharactersConfig { size, ..inverted() });
        let means: Vec<f64> = (0..dataset.len())
            .step_by(7)
            .map(|index| mean(&pixels(&dataset, index)))
            .collect();
        let average = means.iter().sum::<f64>() / means.len() as f64;
        assert!((average - 0.079).abs() < 0.005, "{size}: {average}");
        assert!(means.iter().all(|&mean| (0.02..0.25).contains(&mean)));
    }
}

#[test]
fn strokes_are_white_on_black_or_the_other_way_round() {
    let white = make(inverted());
    let black = make(InventedCharactersConfig::default());
    for index in (0..4_000).step_by(97) {
        let strokes = pixels(&white, index);
        assert_eq!(strokes.iter().min(), Some(&0));
        assert_eq!(strokes.iter().max(), Some(&255));
        let other: Vec<u8> = pixels(&black, index)
            .iter()
            .map(|value| 255 - value)
            .collect();
        assert_eq!(strokes, other);
        // The border is empty.
        for place in 0..105 {
            for border in [place, 104 * 105 + place, place * 105, place * 105 + 104] {
                assert_eq!(strokes[border], 0);
            }
        }
    }
    assert_ne!(white.fingerprint(), black.fingerprint());
}

#[test]
fn more_characters_and_drawers_leave_the_known_drawings_as_they_are() {
    let few = make(InventedCharactersConfig {
        characters: 5,
        drawers: 2,
        ..inverted()
    });
    let many = make(inverted());
    for index in 0..10 {
        let item = few.item(index).unwrap();
        let other = many.find(&item.factors).unwrap();
        assert_eq!(many.item(other).unwrap(), item);
    }
}

#[test]
fn every_setting_is_in_the_fingerprint() {
    let base = InventedCharactersConfig {
        size: 16,
        characters: 3,
        drawers: 4,
        ..Default::default()
    };
    let all = [
        base,
        InventedCharactersConfig { size: 17, ..base },
        InventedCharactersConfig {
            characters: 4,
            ..base
        },
        InventedCharactersConfig { drawers: 5, ..base },
        InventedCharactersConfig { seed: 1, ..base },
        InventedCharactersConfig {
            polarity: Polarity::Inverted,
            ..base
        },
    ];
    let fingerprints: std::collections::HashSet<String> = all
        .iter()
        .map(|&config| make(config).fingerprint())
        .collect();
    assert_eq!(fingerprints.len(), all.len());
    assert_eq!(make(base).fingerprint(), make(base).fingerprint());
    assert_ne!(
        pixels(&make(base), 0),
        pixels(&make(InventedCharactersConfig { seed: 1, ..base }), 0)
    );
}

#[test]
fn settings_out_of_range_are_refused() {
    let base = InventedCharactersConfig::default();
    for size in [0, 4097, usize::MAX] {
        let found = InventedCharacters::new(InventedCharactersConfig { size, ..base });
        assert!(matches!(
            found,
            Err(DatasetError::Setting(SettingError::Size { .. }))
        ));
    }
    for characters in [0, 2_001, usize::MAX] {
        let found = InventedCharacters::new(InventedCharactersConfig { characters, ..base });
        assert!(matches!(
            found,
            Err(DatasetError::Setting(SettingError::Count {
                field: "characters",
                ..
            }))
        ));
    }
    let found = InventedCharacters::new(InventedCharactersConfig { drawers: 0, ..base });
    let message = found.err().unwrap().to_string();
    assert_eq!(message, "drawers: 0 is out of range; use 1 to 4294967295");
    let drawers = u32::MAX as usize;
    let found = InventedCharacters::new(InventedCharactersConfig { drawers, ..base });
    assert!(matches!(found, Err(error) if error.downcast_ref::<FactorGridError>().is_some()));
}

#[test]
fn the_smallest_and_large_pictures_can_be_drawn() {
    for size in [1, 2, 3, 1024] {
        let dataset = make(InventedCharactersConfig {
            size,
            characters: 2,
            drawers: 2,
            ..inverted()
        });
        assert_eq!(pixels(&dataset, 3).len(), size * size);
    }
}

/// A check, without any model, that these are not digits. The score is the distance of an image
/// from the closest of some digits, after fitting both into a box. It distinguishes characters from
/// other digits. (Different stroke widths contribute. For Omniglot, the area is 0.955.)
#[test]
fn characters_are_further_from_digits_than_digits_are() {
    let digits = embedded_digits().unwrap();
    let known: Vec<Vec<f32>> = (0..2_000)
        .map(|index| boxed(&pixels(&digits, index), 28))
        .collect();
    let nearest = |image: &[f32]| {
        known
            .iter()
            .map(|other| {
                image
                    .iter()
                    .zip(other)
                    .map(|(a, b)| (a - b).powi(2))
                    .sum::<f32>()
            })
            .fold(f32::INFINITY, f32::min)
    };
    let dataset = make(inverted());
    let characters: Vec<f32> = (0..200)
        .map(|character| {
            nearest(&boxed(
                &pixels(&dataset, character * 20 + character % 20),
                105,
            ))
        })
        .collect();
    let others: Vec<f32> = (8_000..8_200)
        .map(|index| nearest(&boxed(&pixels(&digits, index), 28)))
        .collect();
    let further = characters
        .iter()
        .map(|a| others.iter().filter(|b| a > b).count())
        .sum::<usize>();
    let area = further as f64 / (characters.len() * others.len()) as f64;
    assert!(area > 0.9, "{area}");
}

/// The square around all pixels that are not black, as 10×10 values of norm 1, so that position,
/// size and brightness have no effect.
fn boxed(pixels: &[u8], size: usize) -> Vec<f32> {
    let lit = || (0..pixels.len()).filter(|&place| pixels[place] > 127);
    let columns = (
        lit().map(|p| p % size).min().unwrap(),
        lit().map(|p| p % size).max().unwrap(),
    );
    let rows = (
        lit().map(|p| p / size).min().unwrap(),
        lit().map(|p| p / size).max().unwrap(),
    );
    let side = (columns.1 - columns.0).max(rows.1 - rows.0) + 1;
    let middle = [
        (columns.0 + columns.1 + 1) as f64 / 2.0,
        (rows.0 + rows.1 + 1) as f64 / 2.0,
    ];
    let mut grid = vec![0.0_f32; 100];
    for (place, &value) in pixels.iter().enumerate() {
        let cell = |place: usize, middle: f64| {
            let share = (place as f64 + 0.5 - middle) / side as f64 + 0.5;
            (0.0..1.0)
                .contains(&share)
                .then_some((share * 10.0) as usize)
        };
        if let (Some(x), Some(y)) = (cell(place % size, middle[0]), cell(place / size, middle[1])) {
            grid[y * 10 + x] += f32::from(value);
        }
    }
    let norm = grid.iter().map(|v| v * v).sum::<f32>().sqrt();
    grid.iter().map(|v| v / norm).collect()
}
