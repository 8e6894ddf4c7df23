use super::*;
use crate::published::manifest::manifest;

#[test]
fn dataset_names_match_the_files() {
    for dataset in DatasetName::ALL {
        let text = serde_json::to_string(&dataset).unwrap();
        assert_eq!(text, format!("\"{dataset}\""));
        assert_eq!(dataset.name().parse::<DatasetName>().unwrap(), dataset);
    }
    for (other, dataset) in [
        ("fashion-mnist", DatasetName::FashionMnist),
        ("fashionmnist", DatasetName::FashionMnist),
    ] {
        assert_eq!(other.parse::<DatasetName>().unwrap(), dataset);
    }
    let message = "imagenet".parse::<DatasetName>().unwrap_err().to_string();
    assert!(
        message.contains("digits, mnist, fashion_mnist"),
        "{message}"
    );
}

#[test]
fn every_dataset_that_needs_files_says_which() {
    for dataset in DatasetName::ALL {
        let message = DataConfig::of(dataset, None).validate();
        let message = message.map_err(|error| error.to_string());
        match dataset {
            DatasetName::Digits
            | DatasetName::Shapes3d
            | DatasetName::Dsprites
            | DatasetName::InventedCharacters
            | DatasetName::Letters
            | DatasetName::Noise => {
                message.unwrap();
            }
            _ => {
                let message = message.unwrap_err();
                let how = dataset.manifest().is_none_or(|name| {
                    message.contains(&format!("`gwae data get {name} --dir"))
                        && manifest(name).is_ok()
                });
                assert!(message.contains(dataset.name()) && how, "{message}");
            }
        }
    }
}

#[test]
fn celeba_is_cropped_unless_told_otherwise() {
    let crop = |dataset, crop| {
        let data = DataConfig {
            crop,
            ..DataConfig::of(dataset, None)
        };
        data.crop_side()
    };
    assert_eq!(crop(DatasetName::Celeba, None), Some(144));
    assert_eq!(crop(DatasetName::Celeba, Some(0)), None);
    assert_eq!(crop(DatasetName::Celeba, Some(100)), Some(100));
    assert_eq!(crop(DatasetName::Folder, None), None);
    assert_eq!(crop(DatasetName::Folder, Some(10)), Some(10));
}

#[test]
fn a_dataset_of_ones_own_is_no_choice_but_can_be_written_down() {
    assert!(!DatasetName::ALL.contains(&DatasetName::Own));
    let own: DatasetName = serde_json::from_str("\"own\"").unwrap();
    assert_eq!(own, DatasetName::Own);
    assert_eq!("own".parse(), Ok(own));
    DataConfig::of(own, None).validate().unwrap();
}

#[test]
fn hyphens_and_underscores_are_alike_in_names() {
    for dataset in DatasetName::ALL {
        let hyphenated = dataset.name().replace('_', "-");
        assert_eq!(hyphenated.parse(), Ok(dataset));
        for name in [dataset.name(), &hyphenated] {
            let read: DatasetName = serde_json::from_str(&format!("{name:?}")).unwrap();
            assert_eq!(read, dataset);
        }
    }
}

#[test]
fn folders_are_cropped_unless_a_stored_run_says_nothing() {
    let folder = DataConfig::of(DatasetName::Folder, None);
    let (mut new, mut stored) = (folder.clone(), folder.clone());
    assert_eq!(folder.fit(), Fit::Crop);
    new.write_down_fit();
    assert_eq!(new.fit, Some(Fit::Crop));
    // What is written down stays.
    new.restore_fit();
    assert_eq!(new.fit(), Fit::Crop);
    stored.restore_fit();
    assert_eq!(stored.fit(), Fit::Stretch);
    stored.write_down_fit();
    assert_eq!(stored.fit(), Fit::Stretch);
    let mut other = DataConfig::default();
    other.write_down_fit();
    other.restore_fit();
    assert_eq!((other.fit, other.fit()), (None, Fit::Stretch));
}

#[test]
fn only_images_of_folders_can_be_left_out() {
    let digits = DataConfig {
        unreadable: Unreadable::Skip,
        ..DataConfig::default()
    };
    let message = digits.validate().unwrap_err().to_string();
    assert!(
        message.starts_with("data.unreadable: only the images"),
        "{message}"
    );
}
