//! CelebA with its layout and real JPEG encoding, and the errors of its lists.

mod common;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use common::pictures::{colours, jpeg, write, write_zip};
use gwae_datasets::{
    Celeba, CelebaError, CelebaProblem, Dataset, DatasetError, FactorKind, ImageFileError,
    ImageFileProblem, ImageSource, Split, Transform,
};
use zip::CompressionMethod;

const IMAGES: usize = 7;
/// Parts of images 1 to 7. They are not sorted, unlike those of the official list.
const PARTS: [u8; IMAGES] = [0, 0, 2, 1, 0, 2, 1];
/// The expected items: training 1 2 5, validation 4 7, test 3 6.
const ORDER: [usize; IMAGES] = [1, 2, 5, 4, 7, 3, 6];

fn has(image: usize, attribute: usize) -> bool {
    (image * 7 + attribute * 3) % 5 < 2
}

fn picture(image: usize) -> Vec<u8> {
    jpeg(colours(178, 218, image as u32))
}

fn attribute_list() -> String {
    let names: Vec<String> = (0..40).map(|n| format!("Attribute_{n}")).collect();
    let mut text = format!("{IMAGES}\n{} \n", names.join(" "));
    for image in 1..=IMAGES {
        let values: Vec<&str> = (0..40)
            .map(|n| if has(image, n) { " 1" } else { "-1" })
            .collect();
        text += &format!("{image:06}.jpg {}\n", values.join(" "));
    }
    text
}

fn partition_list() -> String {
    (1..=IMAGES)
        .map(|image| format!("{image:06}.jpg {}\n", PARTS[image - 1]))
        .collect()
}

struct Made(tempfile::TempDir);

impl Made {
    fn new() -> Self {
        let made = Self(tempfile::tempdir().unwrap());
        for image in 1..=IMAGES {
            write(
                &made.path(&format!("img_align_celeba/{image:06}.jpg")),
                &picture(image),
            );
        }
        made.lists(&attribute_list(), &partition_list());
        made
    }

    fn lists(&self, attributes: &str, partition: &str) {
        write(&self.path("list_attr_celeba.txt"), attributes.as_bytes());
        write(&self.path("list_eval_partition.txt"), partition.as_bytes());
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn open(&self) -> Result<Celeba, DatasetError> {
        Celeba::open(self.0.path())
    }

    /// The error, which must name this file.
    fn problem(&self, name: &str) -> CelebaProblem {
        match self.open().unwrap_err().downcast() {
            Ok(CelebaError { file, problem }) => {
                assert!(file.ends_with(name), "{file}");
                assert!(!problem.to_string().contains('\n'), "{problem}");
                problem
            }
            Err(other) => panic!("{other:?}"),
        }
    }
}

#[test]
fn items_are_in_the_order_of_the_official_parts() {
    let celeba = Made::new();
    let celeba = celeba.open().unwrap();
    assert_eq!(celeba.name(), "celeba");
    assert_eq!(
        (celeba.len(), celeba.train_len(), celeba.validation_len()),
        (7, 3, 2)
    );
    assert_eq!(celeba.factors().len(), 40);
    for (place, factor) in celeba.factors().iter().enumerate() {
        assert_eq!(factor.name, format!("Attribute_{place}"));
        assert_eq!((factor.kind, factor.values), (FactorKind::Categorical, 2));
        assert_eq!(celeba.value_names(place).unwrap(), ["absent", "present"]);
    }
    for (index, image) in ORDER.into_iter().enumerate() {
        let item = celeba.item(index).unwrap();
        let expected: Vec<u32> = (0..40).map(|n| u32::from(has(image, n))).collect();
        assert_eq!(item.factors, expected);
        let shape = (item.image.channels, item.image.height, item.image.width);
        assert_eq!(shape, (3, 218, 178));
        let decoded = gwae_datasets::decode_image("", &picture(image)).unwrap();
        assert_eq!(item.image, decoded);
    }
    assert!(matches!(
        celeba.item(7),
        Err(DatasetError::IndexOutOfRange { index: 7, .. })
    ));
    let split = Split::official(&celeba).unwrap();
    assert_eq!(
        (split.train, split.validation, split.test),
        (vec![0, 1, 2], vec![3, 4], vec![5, 6])
    );
}

#[test]
fn an_archive_is_the_same_as_the_folder() {
    let made = Made::new();
    let folder = made.open().unwrap();
    let files: Vec<_> = (1..=IMAGES)
        .map(|image| (format!("img_align_celeba/{image:06}.jpg"), picture(image)))
        .collect();
    write_zip(
        &made.path("img_align_celeba.zip"),
        &files,
        CompressionMethod::Stored,
    );
    fs::remove_dir_all(made.path("img_align_celeba")).unwrap();
    let archive = made.open().unwrap();
    assert_eq!(archive.fingerprint(), folder.fingerprint());
    assert_eq!(archive.len(), 7);
    for (index, image) in ORDER.into_iter().enumerate() {
        let expected = gwae_datasets::decode_image("", &picture(image)).unwrap();
        assert_eq!(archive.item(index).unwrap().image, expected);
    }
}

#[test]
fn the_fingerprint_follows_attributes_parts_and_images() {
    let made = Made::new();
    let fingerprint = || made.open().unwrap().fingerprint();
    let mut all = vec![fingerprint()];
    assert_eq!(all[0], fingerprint());
    made.lists(&attribute_list().replacen("-1", " 1", 1), &partition_list());
    all.push(fingerprint());
    made.lists(
        &attribute_list(),
        &partition_list().replace("000002.jpg 0", "000002.jpg 1"),
    );
    all.push(fingerprint());
    made.lists(
        &attribute_list().replace("Attribute_3 ", "Another "),
        &partition_list(),
    );
    all.push(fingerprint());
    made.lists(&attribute_list(), &partition_list());
    write(
        &made.path("img_align_celeba/000003.jpg"),
        &jpeg(colours(50, 50, 9)),
    );
    all.push(fingerprint());
    for (place, one) in all.iter().enumerate() {
        assert!(!all[..place].contains(one), "{place}");
    }
}

#[test]
fn model_input_is_that_of_torchvision() {
    // One image with the operations of the official program on another scale: see images/make.py.
    let bytes = include_bytes!("images/colours.jpg");
    let image = gwae_datasets::decode_image("colours.jpg", bytes).unwrap();
    let found = Transform::new(16, 3).cropped(48).apply(&image).unwrap();
    let expected = include_bytes!("images/expected.bin");
    assert_eq!(found.len(), expected.len());
    // Each of torchvision's two steps rounds to levels.
    let differences: Vec<f32> = found
        .iter()
        .zip(expected)
        .map(|(found, &expected)| (found * 255.0 - f32::from(expected)).abs())
        .collect();
    let largest = differences.iter().copied().fold(0.0, f32::max);
    let mean = differences.iter().sum::<f32>() / differences.len() as f32;
    assert!(largest < 1.01 && mean < 0.4, "{largest}, {mean}");
}

#[test]
fn the_official_transform_is_a_crop_to_144_at_64() {
    let made = Made::new();
    let source = ImageSource::new(Arc::new(made.open().unwrap()), Celeba::transform()).unwrap();
    let loaded = source.load(&[2]).unwrap();
    assert_eq!(loaded.shape, [1, 3, 64, 64]);
    // The crop computed by hand: rows 37 to 180, columns 17 to 160.
    let whole = gwae_datasets::decode_image("", &picture(5)).unwrap();
    let mut pixels = Vec::new();
    for plane in whole.pixels.chunks(218 * 178) {
        for row in plane.chunks(178).skip(37).take(144) {
            pixels.extend_from_slice(&row[17..161]);
        }
    }
    let cut = gwae_datasets::Image {
        channels: 3,
        height: 144,
        width: 144,
        pixels,
    };
    assert_eq!(loaded.images, Transform::new(64, 3).apply(&cut).unwrap());
}

#[test]
fn lists_must_name_the_same_images() {
    let made = Made::new();
    let without = |text: &str, start: &str| -> String {
        text.lines()
            .filter(|line| !line.starts_with(start))
            .map(|line| format!("{line}\n"))
            .collect()
    };
    let fewer = without(&attribute_list(), "000005").replacen('7', "6", 1);
    made.lists(&fewer, &partition_list());
    let found = made.problem("list_eval_partition.txt");
    assert!(
        matches!(&found, CelebaProblem::NoRow { line: 5, image, other }
            if image == "000005.jpg" && other.ends_with("list_attr_celeba.txt")),
        "{found:?}"
    );

    made.lists(&attribute_list(), &without(&partition_list(), "000004"));
    let found = made.problem("list_attr_celeba.txt");
    assert!(
        matches!(&found, CelebaProblem::NoRow { line: 6, image, other }
            if image == "000004.jpg" && other.ends_with("list_eval_partition.txt")),
        "{found:?}"
    );

    let more = partition_list() + "000099.jpg 2\n";
    made.lists(&attribute_list(), &more);
    let found = made.problem("list_eval_partition.txt");
    assert!(
        matches!(&found, CelebaProblem::AbsentImage { line: 8, image, images }
            if image == "000099.jpg" && images.ends_with("img_align_celeba")),
        "{found:?}"
    );

    made.lists(&attribute_list(), &partition_list());
    write(&made.path("img_align_celeba/000100.jpg"), &picture(1));
    let found = made.problem("img_align_celeba/000100.jpg");
    assert!(
        matches!(found, CelebaProblem::UnlistedImage { .. }),
        "{found:?}"
    );
    fs::remove_file(made.path("img_align_celeba/000100.jpg")).unwrap();
    write(&made.path("img_align_celeba/copy/000001.jpg"), &picture(1));
    let found = made.problem("000001.jpg");
    assert!(matches!(found, CelebaProblem::RepeatedImage), "{found:?}");
}

#[test]
fn damaged_lists_are_named_with_their_lines() {
    let made = Made::new();
    let line_of = |attributes: &str, partition: &str, file: &str| {
        made.lists(attributes, partition);
        match made.problem(file) {
            CelebaProblem::Line { line, .. } | CelebaProblem::RepeatedRow { line, .. } => line,
            other => panic!("{other:?}"),
        }
    };
    let (attributes, partition) = (attribute_list(), partition_list());
    // Names with control characters are refused first, because later errors quote names unchanged.
    for control in ["\0", "\u{1b}[1m", "\u{85}"] {
        let name = format!("Attri{control}bute_5");
        let changed = attributes.replace("Attribute_5", &name);
        assert_eq!(line_of(&changed, &partition, "list_attr_celeba.txt"), 2);
        let name = format!("00{control}0002.jpg");
        let changed = attributes.replace("000002.jpg", &name);
        assert_eq!(line_of(&changed, &partition, "list_attr_celeba.txt"), 4);
        let changed = partition.replace("000002.jpg", &name);
        let found = line_of(&attributes, &changed, "list_eval_partition.txt");
        assert_eq!(found, 2);
    }
    let in_attributes = |changed: &str| line_of(changed, &partition, "list_attr_celeba.txt");
    let in_partition = |changed: &str| line_of(&attributes, changed, "list_eval_partition.txt");

    assert_eq!(in_attributes(""), 1);
    assert_eq!(in_attributes("000001.jpg 1 1"), 1);
    assert_eq!(in_attributes("7\n\n"), 2);
    assert_eq!(
        in_attributes(&attributes.replace("Attribute_1 ", "Attribute_2 ")),
        2
    );
    assert_eq!(in_attributes(&format!("7\n{}\n", "x ".repeat(65))), 2);
    assert_eq!(in_attributes(&attributes.replacen("-1", "0", 1)), 3);
    assert_eq!(
        in_attributes(&attributes.replacen("000004.jpg", "000004.jpg 1", 1)),
        6
    );
    assert_eq!(in_attributes(&attributes.replacen("000004.jpg", "", 1)), 6);
    assert_eq!(
        in_attributes(&attributes.replacen("000004.jpg", "000003.jpg", 1)),
        6
    );
    assert_eq!(
        in_attributes(&(attributes.clone() + &"x".repeat(1 << 20))),
        10
    );

    assert_eq!(
        in_partition(&partition.replacen("000002.jpg 0", "000002.jpg", 1)),
        2
    );
    assert_eq!(
        in_partition(&partition.replacen("000002.jpg 0", "000002.jpg 3", 1)),
        2
    );
    assert_eq!(
        in_partition(&partition.replacen("000002.jpg 0", "000002.jpg 0 0", 1)),
        2
    );
    assert_eq!(
        in_partition(&partition.replacen("000002.jpg", "000001.jpg", 1)),
        2
    );

    let cut: String = attributes
        .lines()
        .take(5)
        .map(|line| format!("{line}\n"))
        .collect();
    made.lists(&cut, &partition);
    let found = made.problem("list_attr_celeba.txt");
    assert!(
        matches!(
            found,
            CelebaProblem::RowCount {
                declared: 7,
                found: 3
            }
        ),
        "{found:?}"
    );

    made.lists(&attributes, &partition.replace(" 0\n", " 1\n"));
    assert!(matches!(
        made.problem("list_eval_partition.txt"),
        CelebaProblem::NoTraining
    ));

    write(
        &made.path("list_eval_partition.txt"),
        b"000001.jpg 0\n\xff\xfe 1\n",
    );
    let found = made.problem("list_eval_partition.txt");
    assert!(
        matches!(found, CelebaProblem::Line { line: 2, .. }),
        "{found:?}"
    );

    fs::remove_file(made.path("list_attr_celeba.txt")).unwrap();
    made.lists(&attributes, &partition);
    fs::remove_file(made.path("list_attr_celeba.txt")).unwrap();
    let found = made.problem("list_attr_celeba.txt");
    assert!(matches!(found, CelebaProblem::Io(_)), "{found:?}");
}

#[test]
fn other_line_ends_and_empty_lines_are_read() {
    let made = Made::new();
    let expected = made.open().unwrap().fingerprint();
    let windows = |text: String| text.replace('\n', "\r\n") + "\r\n\r\n";
    made.lists(&windows(attribute_list()), &windows(partition_list()));
    assert_eq!(made.open().unwrap().fingerprint(), expected);
}

#[test]
fn missing_images_and_cut_jpegs_are_named() {
    let made = Made::new();
    let whole = picture(2);
    write(
        &made.path("img_align_celeba/000002.jpg"),
        &whole[..whole.len() / 2],
    );
    let celeba = made.open().unwrap();
    celeba.item(0).unwrap();
    let error: ImageFileError = celeba.item(1).unwrap_err().downcast().unwrap();
    assert!(error.file.ends_with("000002.jpg"), "{error}");
    assert!(matches!(
        error.problem,
        ImageFileProblem::Truncated { format: "JPEG", .. }
    ));

    fs::remove_dir_all(made.path("img_align_celeba")).unwrap();
    let error = made.open().unwrap_err();
    assert!(
        error.downcast_ref::<ImageFileError>().is_some(),
        "{error:?}"
    );
}
