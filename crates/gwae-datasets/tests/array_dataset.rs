//! Datasets from arrays in memory: checks, model input, and the fingerprint.

use std::sync::Arc;

use gwae_datasets::config::DataConfig;
use gwae_datasets::open::{draw_split, images_of, open_dataset};
use gwae_datasets::{
    ArrayDataset, ArrayError, ArrayProblem, Dataset, DatasetError, FactorKind, FactorSpec,
    ImageShape, ImageSource, Inverted, SettingError, Split, Transform,
};

const SHAPE: ImageShape = ImageShape {
    channels: 2,
    height: 3,
    width: 5,
};

/// Numbers that bytes cannot represent.
fn values(count: usize) -> Vec<f32> {
    let value = |n: usize| (n * 37 % 1009) as f32 / 1008.0;
    (0..count * SHAPE.values()).map(value).collect()
}

fn factor(name: &str, values: u32) -> FactorSpec {
    FactorSpec {
        name: name.to_owned(),
        kind: FactorKind::Ordered,
        values,
    }
}

fn problem(result: Result<ArrayDataset, DatasetError>) -> ArrayProblem {
    let error = result.unwrap_err();
    let message = error.to_string();
    assert!(message.starts_with("dataset stripes: "), "{message}");
    assert!(!message.contains('\n'), "{message}");
    let ArrayError { problem, .. } = error.downcast().unwrap();
    problem
}

#[test]
fn numbers_reach_a_model_as_they_are() {
    let dataset = Arc::new(ArrayDataset::from_floats("stripes", SHAPE, values(4)).unwrap());
    let source = ImageSource::new(dataset.clone(), Transform::to(SHAPE)).unwrap();
    for _ in 0..2 {
        let loaded = source.load(&[2, 0]).unwrap();
        assert_eq!(loaded.shape, [2, 2, 3, 5]);
        let all = values(4);
        assert_eq!(loaded.images[..30], all[60..90]);
        assert_eq!(loaded.images[30..], all[..30]);
    }
    // Bytes are the nearest values.
    let item = dataset.item(1).unwrap();
    assert_eq!(
        (item.image.channels, item.image.height, item.image.width),
        (2, 3, 5)
    );
    for (byte, value) in item.image.pixels.iter().zip(&values(4)[30..60]) {
        assert!((f32::from(*byte) / 255.0 - value).abs() <= 0.5 / 255.0 + 1e-6);
    }
    let inverted = ImageSource::new(Arc::new(Inverted::new(dataset)), Transform::to(SHAPE));
    let inverted = inverted.unwrap().load(&[1]).unwrap().images;
    for (inverted, value) in inverted.iter().zip(&values(4)[30..60]) {
        assert!((1.0 - inverted - value).abs() <= 0.5 / 255.0 + 1e-6);
    }
}

#[test]
fn bytes_are_items() {
    let pixels: Vec<u8> = (0..60).collect();
    let dataset = ArrayDataset::from_bytes("stripes", SHAPE, pixels.clone()).unwrap();
    assert_eq!((dataset.len(), dataset.train_len()), (2, 2));
    assert_eq!(dataset.item(1).unwrap().image.pixels, pixels[30..]);
    assert!(dataset.float_image(1).is_none());
    assert!(matches!(
        dataset.item(2),
        Err(DatasetError::IndexOutOfRange {
            index: 2,
            len: 2,
            ..
        })
    ));
}

#[test]
fn rectangles_are_resized_and_other_channels_kept() {
    let shape = ImageShape {
        channels: 1,
        height: 4,
        width: 6,
    };
    // Brightness rises to the right, in steps of 0.1.
    let ramp: Vec<f32> = (0..24).map(|n| (n % 6) as f32 * 0.1).collect();
    let dataset = Arc::new(ArrayDataset::from_floats("ramp", shape, ramp).unwrap());
    let wide = ImageShape {
        channels: 3,
        height: 2,
        width: 12,
    };
    let source = ImageSource::new(dataset.clone(), Transform::to(wide)).unwrap();
    let loaded = source.load(&[0]).unwrap();
    assert_eq!(loaded.shape, [1, 3, 2, 12]);
    for row in loaded.images.chunks(12) {
        for (place, value) in row.iter().enumerate() {
            let centre = ((place as f32 + 0.5) / 2.0 - 0.5).clamp(0.0, 5.0);
            assert!((value - 0.1 * centre).abs() < 1e-6, "{place}: {value}");
        }
    }
    // There is no conversion from two channels to five.
    let two = Arc::new(ArrayDataset::from_floats("stripes", SHAPE, values(1)).unwrap());
    let five = Transform::to(SHAPE.with_channels(5));
    let Err(DatasetError::Item { error, .. }) = ImageSource::new(two, five) else {
        panic!("an error");
    };
    assert!(matches!(
        *error,
        DatasetError::Setting(SettingError::Channels { channels: 5 })
    ));
}

#[test]
fn factors_parts_and_splits() {
    let dataset = ArrayDataset::from_floats("stripes", SHAPE, values(10))
        .unwrap()
        .with_factor(factor("phase", 10), (0..10).collect())
        .unwrap()
        .with_factor(factor("parity", 2), (0..10).map(|n| n % 2).collect())
        .unwrap()
        .with_test_share(0.3)
        .unwrap();
    assert_eq!((dataset.len(), dataset.train_len()), (10, 7));
    assert_eq!(dataset.item(7).unwrap().factors, [7, 1]);
    assert_eq!(dataset.find(&[4, 0]), Some(4));
    assert_eq!(dataset.find(&[4, 1]), None);
    let config = DataConfig {
        validation_fraction: 0.2,
        ..DataConfig::own()
    };
    let split = draw_split(&dataset, &config, 3).unwrap();
    assert_eq!((split.train.len(), split.validation.len()), (6, 1));
    assert_eq!(split.test, [7, 8, 9]);
    split.check(&dataset).unwrap();
    let cropped = DataConfig {
        crop: Some(3),
        ..config
    };
    let shape = ImageShape::square(3, 2);
    let source = images_of(Arc::new(dataset), &cropped, shape, &mut |_| {}).unwrap();
    let loaded = source.load(&[0]).unwrap().images;
    assert_eq!(loaded[..3], values(1)[1..4]);
}

#[test]
fn the_fingerprint_is_of_the_content() {
    let plain = || ArrayDataset::from_floats("stripes", SHAPE, values(4)).unwrap();
    let first = plain().fingerprint();
    assert_eq!(first.len(), 64);
    assert_eq!(first, plain().fingerprint());
    let mut other = values(4);
    other[7] = 0.123;
    let flat = ImageShape {
        height: 5,
        width: 3,
        ..SHAPE
    };
    let spec = || factor("phase", 4);
    let others = [
        ArrayDataset::from_floats("stripes", SHAPE, other).unwrap(),
        ArrayDataset::from_floats("stripes", flat, values(4)).unwrap(),
        plain().with_test_share(0.25).unwrap(),
        plain().with_factor(spec(), vec![0, 1, 2, 3]).unwrap(),
        plain().with_factor(spec(), vec![0, 1, 3, 2]).unwrap(),
    ];
    let mut all: Vec<String> = others.iter().map(Dataset::fingerprint).collect();
    all.push(first.clone());
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 6);
    // The name is not part of the content.
    let renamed = ArrayDataset::from_floats("others", SHAPE, values(4)).unwrap();
    assert_eq!(renamed.fingerprint(), first);
    let split = Split::draw(&plain(), 0.5, 1).unwrap();
    assert!(split.check(&others[0]).is_err());
}

#[test]
fn arrays_that_do_not_fit_are_refused() {
    let floats = |values| ArrayDataset::from_floats("stripes", SHAPE, values);
    for count in [0, 29, 31] {
        let found = problem(floats(vec![0.5; count]));
        assert_eq!(
            found,
            ArrayProblem::Length {
                values: count,
                shape: SHAPE
            }
        );
    }
    let empty = ImageShape { height: 0, ..SHAPE };
    let found = problem(ArrayDataset::from_bytes("stripes", empty, vec![0; 30]));
    assert!(matches!(found, ArrayProblem::Length { .. }), "{found}");
    for wrong in [-0.1, 1.5, f32::NAN, f32::INFINITY] {
        let mut values = values(3);
        values[65] = wrong;
        let found = problem(floats(values));
        assert!(
            matches!(found, ArrayProblem::Range { image: 2, .. }),
            "{found}"
        );
    }
    let plain = || floats(values(3)).unwrap();
    let found = problem(plain().with_factor(factor("phase", 3), vec![0, 1]));
    assert!(matches!(
        found,
        ArrayProblem::FactorLength {
            found: 2,
            len: 3,
            ..
        }
    ));
    let found = problem(plain().with_factor(factor("phase", 3), vec![0, 3, 1]));
    assert!(matches!(
        found,
        ArrayProblem::FactorValue {
            image: 1,
            value: 3,
            ..
        }
    ));
    let twice = plain()
        .with_factor(factor("phase", 3), vec![0, 1, 2])
        .unwrap();
    let found = problem(twice.with_factor(factor("phase", 3), vec![0, 1, 2]));
    assert!(matches!(found, ArrayProblem::FactorTwice { .. }));
    for share in [-0.1, 1.0, 0.9, f64::NAN] {
        let found = problem(plain().with_test_share(share));
        assert!(matches!(found, ArrayProblem::TestShare { .. }), "{share}");
    }
}

#[test]
fn a_dataset_of_ones_own_is_not_opened_by_name() {
    let Err(error) = open_dataset(&DataConfig::own(), 32, &mut |_| {}) else {
        panic!("an error");
    };
    let message = error.to_string();
    assert!(message.contains("hands its dataset over"), "{message}");
    assert!(!message.contains('\n'));
}
