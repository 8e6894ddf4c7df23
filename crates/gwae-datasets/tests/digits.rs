//! The embedded digits. The expected counts come from an independent reader.

use gwae_datasets::{Dataset, FactorKind, Mnist, MnistFamily, embedded_digits};

#[test]
fn holds_the_digits_that_were_counted_elsewhere() {
    let digits = embedded_digits().unwrap();
    assert_eq!((digits.len(), digits.train_len()), (10_000, 8_000));
    assert_eq!(digits.name(), "mnist10k");
    let [factor] = digits.factors() else {
        panic!("one factor expected");
    };
    assert_eq!(
        (factor.name.as_str(), factor.kind, factor.values),
        ("digit", FactorKind::Categorical, 10)
    );

    let mut counts = [[0; 10]; 2];
    let mut sums = [0u64; 2];
    let mut largest = 0;
    for index in 0..digits.len() {
        let item = digits.item(index).unwrap();
        assert_eq!(
            (item.image.channels, item.image.height, item.image.width),
            (1, 28, 28)
        );
        assert_eq!(item.image.pixels.len(), 784);
        let part = usize::from(index >= 8_000);
        counts[part][item.factors[0] as usize] += 1;
        sums[part] += item.image.pixels.iter().map(|&p| u64::from(p)).sum::<u64>();
        largest = largest.max(*item.image.pixels.iter().max().unwrap());
    }
    // Counted with Python's gzip and collections.Counter over the same files.
    assert_eq!(
        counts,
        [
            [805, 896, 797, 811, 789, 695, 805, 859, 767, 776],
            [196, 231, 194, 221, 191, 168, 209, 211, 177, 202],
        ]
    );
    assert_eq!(largest, 255);
    // Mean intensity by the same Python program; the whole MNIST has 0.1307.
    for (sum, count, mean) in [
        (sums[0], 8_000, 0.130_975_256_977_791_1),
        (sums[1], 2_000, 0.131_727_723_589_435_77),
    ] {
        let found = sum as f64 / f64::from(count * 784) / 255.0;
        assert!((found - mean).abs() < 1e-12, "{found}");
    }
}

#[test]
fn the_same_files_in_a_directory_have_the_same_fingerprint() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/datasets/mnist10k");
    let opened = Mnist::open(directory.as_ref(), MnistFamily::Digits).unwrap();
    let embedded = embedded_digits().unwrap();
    assert_eq!(opened.fingerprint(), embedded.fingerprint());
    assert_eq!(opened.item(9_999).unwrap(), embedded.item(9_999).unwrap());
}
