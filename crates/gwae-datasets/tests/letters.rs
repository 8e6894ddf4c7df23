//! Rendered letters: their layout is that of digits.

use std::collections::HashSet;

use gwae_datasets::{
    Dataset, DatasetError, FactorGridError, Letters, LettersConfig, SettingError, embedded_digits,
    items_in_parallel,
};

fn letters(drawings: usize, seed: u64) -> Letters {
    Letters::new(LettersConfig { drawings, seed }).unwrap()
}

/// First and last columns and rows of the pixels that are not black.
fn extent(pixels: &[u8]) -> [(usize, usize); 2] {
    let lit = || (0..784).filter(|&place| pixels[place] > 0);
    [
        (
            lit().map(|p| p % 28).min().unwrap(),
            lit().map(|p| p % 28).max().unwrap(),
        ),
        (
            lit().map(|p| p / 28).min().unwrap(),
            lit().map(|p| p / 28).max().unwrap(),
        ),
    ]
}

#[test]
fn factors_are_a_grid_of_letters_and_drawings() {
    let dataset = letters(3, 0);
    let names = dataset.value_names(0).unwrap();
    assert_eq!(dataset.len(), names.len() * 3);
    assert_eq!(dataset.value_names(1), None);
    assert_eq!(dataset.factors()[0].values as usize, names.len());
    assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len());
    for letter in "OoDQIlJSsZzBGbgqy".chars() {
        assert!(!names.contains(&letter.to_string()), "{letter}");
    }
    for index in 0..dataset.len() {
        let factors = dataset.item(index).unwrap().factors;
        assert_eq!(factors, [index as u32 / 3, index as u32 % 3]);
        assert_eq!(dataset.find(&factors), Some(index));
    }
    assert!(matches!(
        dataset.item(dataset.len()),
        Err(DatasetError::IndexOutOfRange { .. })
    ));
}

#[test]
fn drawings_repeat_and_all_differ() {
    let dataset = letters(10, 5);
    let indices: Vec<usize> = (0..dataset.len()).collect();
    let items = items_in_parallel(&dataset, &indices).unwrap();
    let again = letters(20, 5);
    let mut seen = HashSet::new();
    for item in items {
        // A larger number of drawings does not change earlier ones.
        let index = again.find(&item.factors).unwrap();
        assert_eq!(again.item(index).unwrap(), item);
        assert!(seen.insert(item.image.pixels));
    }
    let other = letters(10, 6).item(0).unwrap();
    assert!(!seen.contains(&other.image.pixels));
}

#[test]
fn letters_have_the_size_and_the_middle_of_digits() {
    let dataset = letters(12, 1);
    for index in 0..dataset.len() {
        let image = dataset.item(index).unwrap().image;
        assert_eq!((image.channels, image.height, image.width), (1, 28, 28));
        let pixels = image.pixels;
        let extent = extent(&pixels);
        // The longer side has 20 pixels, which may cover parts of 21.
        let sides = extent.map(|(first, last)| last - first + 1);
        let longer = sides[0].max(sides[1]);
        assert!((20..=22).contains(&longer), "{index}: {longer}");
        // At most half a pixel off, unless the letter would leave the image.
        let mass: f64 = pixels.iter().map(|&value| f64::from(value)).sum();
        for (axis, (first, last)) in extent.into_iter().enumerate() {
            let moment: f64 = pixels
                .iter()
                .enumerate()
                .map(|(place, &value)| [place % 28, place / 28][axis] as f64 * f64::from(value))
                .sum();
            let off = moment / mass - 13.5;
            let at_border = first == 0 || last == 27;
            assert!(off.abs() <= 0.5 + 1e-9 || at_border, "{index}: {off}");
        }
    }
}

#[test]
fn brightness_is_close_to_that_of_digits() {
    let mean = |dataset: &dyn Dataset, count: usize| {
        let sum: u64 = (0..count)
            .flat_map(|index| dataset.item(index).unwrap().image.pixels)
            .map(u64::from)
            .sum();
        sum as f64 / (count * 784) as f64 / 255.0
    };
    let dataset = letters(40, 0);
    let of_letters = mean(&dataset, dataset.len());
    let of_digits = mean(&embedded_digits().unwrap(), 2_000);
    assert!((of_letters - 0.142).abs() < 0.006, "{of_letters}");
    assert!((of_letters - of_digits).abs() < 0.02, "{of_digits}");
}

#[test]
fn every_setting_is_in_the_fingerprint() {
    let all = [letters(2, 0), letters(3, 0), letters(2, 1)];
    let found: HashSet<String> = all.iter().map(Dataset::fingerprint).collect();
    assert_eq!(found.len(), 3);
    assert_eq!(letters(2, 0).fingerprint(), all[0].fingerprint());
}

#[test]
fn settings_out_of_range_are_refused() {
    let found = Letters::new(LettersConfig {
        drawings: 0,
        seed: 0,
    });
    assert!(matches!(
        found,
        Err(DatasetError::Setting(SettingError::Count {
            field: "drawings",
            ..
        }))
    ));
    let drawings = u32::MAX as usize;
    let found = Letters::new(LettersConfig { drawings, seed: 0 });
    assert!(matches!(found, Err(error) if error.downcast_ref::<FactorGridError>().is_some()));
}
