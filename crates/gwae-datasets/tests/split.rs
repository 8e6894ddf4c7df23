//! Splits: drawn once, and checked against their data.

mod common;

use common::Toy;
use gwae_datasets::{BatchError, Dataset, DatasetError, FactorSpec, Item, Split, SplitError};

#[test]
fn divides_the_training_part_and_keeps_the_test_part() {
    let split = Split::draw(&Toy::new(130, 100), 0.25, 3).unwrap();
    assert_eq!((split.train.len(), split.validation.len()), (75, 25));
    assert_eq!(split.test, (100..130).collect::<Vec<u32>>());
    let mut both = [split.train.clone(), split.validation.clone()].concat();
    both.sort_unstable();
    assert_eq!(both, (0..100).collect::<Vec<u32>>());
    assert!(split.train.is_sorted() && split.validation.is_sorted());
    split.check(&Toy::new(130, 100)).unwrap();
}

#[test]
fn is_a_function_of_the_seed() {
    let toy = Toy::new(100, 100);
    let split = Split::draw(&toy, 0.2, 3).unwrap();
    assert_eq!(split, Split::draw(&toy, 0.2, 3).unwrap());
    assert_ne!(
        split.validation,
        Split::draw(&toy, 0.2, 4).unwrap().validation
    );
}

#[test]
fn survives_storing() {
    let split = Split::draw(&Toy::new(30, 20), 0.1, 3).unwrap();
    let stored = serde_json::to_string(&split).unwrap();
    assert_eq!(serde_json::from_str::<Split>(&stored).unwrap(), split);
}

#[test]
fn refuses_fractions_that_leave_nothing() {
    let toy = Toy::new(12, 10);
    for fraction in [-0.1, 1.0, 0.96, f64::NAN, f64::INFINITY] {
        assert!(
            matches!(
                Split::draw(&toy, fraction, 0),
                Err(DatasetError::Split(SplitError::ValidationFraction {
                    train_len: 10,
                    ..
                }))
            ),
            "{fraction}"
        );
    }
    assert!(Split::draw(&toy, 0.0, 0).unwrap().validation.is_empty());
    assert_eq!(Split::draw(&toy, 0.01, 0).unwrap().validation.len(), 1);
}

#[test]
fn refuses_other_data_and_damaged_indices() {
    let toy = Toy::new(12, 10);
    let split = Split::draw(&toy, 0.2, 0).unwrap();
    assert!(matches!(
        split.check(&Toy::new(13, 10)),
        Err(DatasetError::Split(SplitError::FingerprintMismatch { .. }))
    ));

    let mut outside = split.clone();
    outside.validation[1] = 12;
    assert!(matches!(
        outside.check(&toy),
        Err(DatasetError::Split(SplitError::OutOfRange {
            part: "validation",
            position: 1,
            index: 12,
            len: 12,
            ..
        }))
    ));

    let mut leaked = split.clone();
    leaked.test[0] = leaked.train[3];
    assert!(matches!(
        leaked.check(&toy),
        Err(DatasetError::Split(SplitError::Overlap {
            part: "test",
            position: 0,
            other: "train",
            ..
        }))
    ));

    let mut empty = split;
    empty.train.clear();
    assert!(matches!(
        empty.check(&toy),
        Err(DatasetError::Batch(BatchError::NoItems))
    ));
}

/// A toy with an official validation part.
struct Published(Toy, usize);

impl Dataset for Published {
    fn name(&self) -> &str {
        self.0.name()
    }
    fn len(&self) -> usize {
        self.0.len()
    }
    fn train_len(&self) -> usize {
        self.0.train_len()
    }
    fn validation_len(&self) -> usize {
        self.1
    }
    fn item(&self, index: usize) -> Result<Item, DatasetError> {
        self.0.item(index)
    }
    fn factors(&self) -> &[FactorSpec] {
        self.0.factors()
    }
    fn fingerprint(&self) -> String {
        self.0.fingerprint()
    }
}

#[test]
fn the_official_division_is_taken_as_it_is() {
    let published = Published(Toy::new(12, 7), 2);
    let split = Split::official(&published).unwrap();
    assert_eq!(split.train, (0..7).collect::<Vec<u32>>());
    assert_eq!(split.validation, [7, 8]);
    assert_eq!(split.test, [9, 10, 11]);
    split.check(&published).unwrap();

    let split = Split::official(&Toy::new(12, 10)).unwrap();
    assert_eq!((split.train.len(), split.validation.len()), (10, 0));
    assert_eq!(split.test, [10, 11]);
    assert!(matches!(
        Split::official(&Toy::new(3, 0)),
        Err(DatasetError::Batch(BatchError::NoItems))
    ));
}

#[test]
fn a_drawn_split_leaves_the_official_validation_part_alone() {
    let split = Split::draw(&Published(Toy::new(120, 100), 8), 0.1, 1).unwrap();
    assert_eq!((split.train.len(), split.validation.len()), (90, 10));
    assert!(
        split
            .train
            .iter()
            .chain(&split.validation)
            .all(|&index| index < 100)
    );
    assert_eq!(split.test, (108..120).collect::<Vec<u32>>());
}

#[test]
fn a_limited_split_is_a_nested_choice_of_each_part() {
    let toy = Toy::new(130, 100);
    let whole = Split::draw(&toy, 0.25, 3).unwrap();
    let ten = whole.clone().limited(10, 3);
    assert_eq!(
        (ten.train.len(), ten.validation.len(), ten.test.len()),
        (10, 10, 10)
    );
    for (few, all) in [
        (&ten.train, &whole.train),
        (&ten.validation, &whole.validation),
        (&ten.test, &whole.test),
    ] {
        assert!(few.is_sorted() && few.iter().all(|item| all.contains(item)));
    }
    ten.check(&toy).unwrap();
    assert_eq!(ten, whole.clone().limited(10, 3));
    assert_ne!(ten.train, whole.clone().limited(10, 4).train);
    let five = whole.clone().limited(5, 3);
    assert!(five.train.iter().all(|item| ten.train.contains(item)));
    assert_eq!(whole.clone().limited(75, 3), whole);
}
