//! Noise: its distribution, and the effect of smoothing.

use std::collections::HashSet;

use gwae_datasets::{Dataset, DatasetError, NoiseImages, NoiseImagesConfig, SettingError};

fn noise(config: NoiseImagesConfig) -> NoiseImages {
    NoiseImages::new(config).unwrap()
}

#[test]
fn items_have_their_shape_and_smoothing_in_turn() {
    for channels in [1, 3] {
        for size in [1, 2, 5, 28] {
            let dataset = noise(NoiseImagesConfig {
                size,
                channels,
                items: 12,
                seed: 1,
            });
            assert_eq!((dataset.len(), dataset.train_len()), (12, 12));
            for index in 0..12 {
                let item = dataset.item(index).unwrap();
                assert_eq!(item, dataset.item(index).unwrap());
                assert_eq!(item.factors, [index as u32 % 5]);
                assert_eq!(item.image.pixels.len(), channels * size * size);
                let found = dataset.find(&item.factors).unwrap();
                assert_eq!(dataset.item(found).unwrap().factors, item.factors);
            }
            assert!(matches!(
                dataset.item(12),
                Err(DatasetError::IndexOutOfRange { index: 12, .. })
            ));
        }
    }
    let few = noise(NoiseImagesConfig {
        items: 3,
        ..Default::default()
    });
    assert_eq!(few.find(&[2]), Some(2));
    assert_eq!(few.find(&[3]), None);
    assert_eq!(few.find(&[]), None);
    assert_eq!(
        few.value_names(0).unwrap().len(),
        few.factors()[0].values as usize
    );
    assert_eq!(few.value_names(0).unwrap()[1], "1.4 pixels");
}

#[test]
fn pixels_without_smoothing_are_uniform() {
    let dataset = noise(NoiseImagesConfig::default());
    let mut counts = [0_u32; 256];
    for index in (0..500).step_by(5) {
        for pixel in dataset.item(index).unwrap().image.pixels {
            counts[usize::from(pixel)] += 1;
        }
    }
    // Binomial(78400, 1/256): mean 306, standard deviation 17.5; the bound is six standard
    // deviations.
    assert!(
        counts.iter().all(|count| count.abs_diff(306) < 105),
        "{counts:?}"
    );
}

#[test]
fn smoother_images_change_less_between_neighbours() {
    let size = 64;
    let dataset = noise(NoiseImagesConfig {
        size,
        ..Default::default()
    });
    let mut last = f64::INFINITY;
    for smoothing in 0..5 {
        let (mut squares, mut count, mut sum) = (0.0, 0.0, 0.0);
        for index in (smoothing..200).step_by(5) {
            let pixels = dataset.item(index).unwrap().image.pixels;
            if smoothing > 0 {
                // The values are stretched to the whole range.
                assert_eq!(pixels.iter().min(), Some(&0));
                assert_eq!(pixels.iter().max(), Some(&255));
            }
            for row in pixels.chunks_exact(size) {
                for pair in row.windows(2) {
                    squares += (f64::from(pair[0]) - f64::from(pair[1])).powi(2);
                    sum += f64::from(pair[0]);
                    count += 1.0;
                }
            }
        }
        assert!(
            (0.44..0.56).contains(&(sum / count / 255.0)),
            "{smoothing}: {sum}"
        );
        let change = (squares / count).sqrt();
        assert!(change < 0.75 * last, "{smoothing}: {change} after {last}");
        last = change;
    }
}

#[test]
fn planes_items_and_seeds_have_nothing_in_common() {
    let config = NoiseImagesConfig {
        size: 16,
        channels: 3,
        items: 20,
        seed: 0,
    };
    let dataset = noise(config);
    let other = noise(NoiseImagesConfig { seed: 1, ..config });
    let mut seen = HashSet::new();
    for index in 0..20 {
        for dataset in [&dataset, &other] {
            let pixels = dataset.item(index).unwrap().image.pixels;
            for plane in pixels.chunks_exact(256) {
                assert!(seen.insert(plane.to_vec()));
            }
        }
    }
}

#[test]
fn every_setting_is_in_the_fingerprint() {
    let base = NoiseImagesConfig::default();
    let all = [
        base,
        NoiseImagesConfig { size: 29, ..base },
        NoiseImagesConfig {
            channels: 3,
            ..base
        },
        NoiseImagesConfig { items: 7, ..base },
        NoiseImagesConfig { seed: 9, ..base },
    ];
    let found: HashSet<String> = all
        .iter()
        .map(|&config| noise(config).fingerprint())
        .collect();
    assert_eq!(found.len(), all.len());
}

#[test]
fn settings_out_of_range_are_refused() {
    let base = NoiseImagesConfig::default();
    for size in [0, 4097] {
        let found = NoiseImages::new(NoiseImagesConfig { size, ..base });
        assert!(matches!(
            found,
            Err(DatasetError::Setting(SettingError::Size { .. }))
        ));
    }
    for channels in [0, 2, 4] {
        let found = NoiseImages::new(NoiseImagesConfig { channels, ..base });
        assert!(matches!(
            found,
            Err(DatasetError::Setting(SettingError::Channels { .. }))
        ));
    }
    for items in [0, usize::MAX] {
        let found = NoiseImages::new(NoiseImagesConfig { items, ..base });
        assert!(matches!(
            found,
            Err(DatasetError::Setting(SettingError::Count {
                field: "items",
                ..
            }))
        ));
    }
}
