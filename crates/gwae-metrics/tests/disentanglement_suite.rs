//! What every protocol of the suite has in common.

use gwae_metrics::disentanglement::LabelledCodes;
use gwae_metrics::disentanglement::distances::Images;
use gwae_metrics::disentanglement::suite::{
    CodeKind, Protocol, ScoreTable, SuiteConfig, SuiteInputs, protocols, run_suite,
};

use proptest::prelude::*;

const SIZES: [usize; 3] = [4, 5, 3];
const COPIES: usize = 8;

/// A number in [0, 1) without pattern.
fn random(place: usize) -> f64 {
    let mixed = (place as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    ((mixed ^ (mixed >> 32)) >> 11) as f64 / (1u64 << 53) as f64
}

/// Every combination of three factors, eight times.
fn factors() -> Vec<f64> {
    let items = SIZES.iter().product::<usize>() * COPIES;
    let row = |item: usize| {
        let (a, b) = (item % SIZES[0], item / SIZES[0] % SIZES[1]);
        [a, b, item / SIZES[0] / SIZES[1] % SIZES[2]].map(|value| value as f64)
    };
    (0..items).flat_map(row).collect()
}

/// Four codes: three of a factor each, with noise and a little of another, and one of noise.
fn codes() -> Vec<f64> {
    let factors = factors();
    let row = |(item, row): (usize, &[f64])| {
        let noise = |code: usize| random(4 * item + code) - 0.5;
        [
            row[0] + 0.2 * row[1] + 0.8 * noise(0),
            0.7 * row[1] + 0.8 * noise(1),
            1.3 * row[2] - 0.3 * row[0] + 0.8 * noise(2),
            1.5 * noise(3),
        ]
    };
    factors.chunks(3).enumerate().flat_map(row).collect()
}

fn table(codes: &[f64]) -> ScoreTable {
    let factors = factors();
    let dimensions = codes.len() / (factors.len() / 3);
    let means = LabelledCodes::new(codes, dimensions, &factors, 3).unwrap();
    let images: Vec<f32> = factors.iter().map(|&value| value as f32).collect();
    let images = Images::new(&means, &images, 3).unwrap();
    let largest = codes
        .iter()
        .fold(0.0f64, |most, value| most.max(value.abs()));
    let deviations = vec![largest / 64.0; codes.len()];
    let inputs = SuiteInputs {
        means: &means,
        samples: None,
        deviations: Some(&deviations),
        images: Some(images),
    };
    let all: Vec<&Protocol> = protocols().iter().collect();
    run_suite(&all, &inputs, SuiteConfig::default(), |_| {}).unwrap()
}

/// Rows of four codes in another order.
fn permuted(codes: &[f64]) -> Vec<f64> {
    codes
        .chunks(4)
        .flat_map(|row| [row[2], row[0], row[3], row[1]])
        .collect()
}

#[track_caller]
fn assert_same(first: &ScoreTable, second: &ScoreTable, but: &[&str]) {
    for row in &first.rows {
        if but.contains(&&row.protocol[..]) || but.contains(&&row.score[..]) {
            continue;
        }
        let other = second.value(&row.protocol, &row.score, CodeKind::Means);
        let (Some(value), Some(other)) = (row.value, other) else {
            panic!("{row:?} is not {other:?}");
        };
        // Trees draw other codes first, and classifiers end elsewhere; the rest is rounding.
        let tolerance = match &row.protocol[..] {
            "dci/rf-regression" | "dci/rf-classification" | "dci/gbt" => 0.05,
            "infomec/mc" | "infomec/e" | "explicitness" | "beta-vae" => 2e-3,
            _ => 1e-7,
        };
        assert!(
            (value - other).abs() <= tolerance * value.abs().max(1.0),
            "{} {}: {value} is not {other}",
            row.protocol,
            row.score
        );
    }
}

#[test]
fn the_order_and_sign_of_codes_do_not_matter() {
    let plain = codes();
    let signs = [1.0, -1.0, -1.0, 1.0];
    let turned: Vec<f64> = plain
        .iter()
        .zip(signs.iter().cycle())
        .map(|(v, sign)| v * sign)
        .collect();
    // The bins of a reversed code have their closed edges on the other side: no value lies on an edge here.
    assert_same(&table(&plain), &table(&permuted(&turned)), &[]);
}

/// Some protocols have a constant in the units of the codes, as published: a cost or a penalty (`sap`,
/// `beta-vae`), a least deviation or variance (`factor-vae`, `active-units`); and a distance and a
/// scale have a unit.
#[test]
fn the_scale_of_all_codes_does_not_matter_but_where_a_protocol_says_so() {
    let plain = codes();
    for scale in [16.0, 1.0 / 64.0] {
        let scaled: Vec<f64> = plain.iter().map(|value| value * scale).collect();
        let but = [
            "sap",
            "beta-vae",
            "factor-vae",
            "active-units",
            "distance",
            "scale",
        ];
        assert_same(&table(&plain), &table(&scaled), &but);
    }
}

#[test]
fn the_same_seed_gives_the_same_table() {
    let [mut first, mut second] = [table(&codes()), table(&codes())];
    for table in [&mut first, &mut second] {
        table.rows.iter_mut().for_each(|row| row.seconds = 0.0);
    }
    assert_eq!(first, second);
}

#[test]
fn scores_have_standard_errors() {
    let table = table(&codes());
    // Slow protocols get them only on demand, and the scale is no score.
    let without = [
        "dci/gbt",
        "dci/rf-regression",
        "dci/rf-classification",
        "rmig",
        "explicitness",
    ];
    for row in &table.rows {
        let expected = !without.contains(&&row.protocol[..]) && row.score != "scale";
        assert!(row.standard_error.is_some() || !expected, "{row:?}");
    }
}

#[test]
fn ideal_codes_are_best_and_codes_of_noise_are_not() {
    let ideal = table(&factors());
    let noise: Vec<f64> = (0..factors().len()).map(random).collect();
    let noise = table(&noise);
    for (protocol, score, least) in [
        ("dci/gbt", "disentanglement", 0.99),
        ("dci/gbt", "completeness", 0.99),
        ("dci/gbt", "informativeness", 1.0),
        ("dci/rf-regression", "disentanglement", 0.99),
        ("dci/rf-regression", "informativeness", 0.99),
        ("dci/lasso", "disentanglement", 0.95),
        ("infomec/mc", "modularity", 0.9),
        ("infomec/mc", "compactness", 0.9),
        ("mig", "score", 1.0),
        ("mig-sup", "score", 1.0),
        ("dcimig", "score", 1.0),
        ("jemmig", "score", 1.0),
        ("sap/continuous", "score", 0.95),
        ("factor-vae", "score", 1.0),
        ("beta-vae", "score", 1.0),
        ("irs", "score", 1.0),
        ("modularity", "score", 1.0),
        ("triplets", "score", 0.7),
        ("traversals", "linearity", 1.0),
        ("traversals", "flatness", 1.0),
    ] {
        let value = |table: &ScoreTable| table.value(protocol, score, CodeKind::Means).unwrap();
        let found = value(&ideal);
        assert!(found >= least - 1e-9, "{protocol} {score}: {found}");
        // Modularity squares even chance information; it says nothing about how much there is.
        if protocol != "modularity" {
            assert!(
                value(&noise) < found - 0.1,
                "{protocol} {score}: {}",
                value(&noise)
            );
        }
    }
    let loss = ideal.value("gw", "relative", CodeKind::Means).unwrap();
    assert!(loss < 1e-9, "{loss}");
}

/// Codes of a few items: small numbers with ties, constants, huge, tiny and nearly equal ones.
fn odd_codes() -> impl Strategy<Value = (usize, Vec<f64>, Vec<f64>)> {
    let value = prop_oneof![
        (-3i8..3).prop_map(f64::from),
        Just(0.1),
        Just(0.1 + f64::EPSILON),
        Just(3e38),
        Just(-3e38),
        Just(1e-50),
        Just(5e-324),
        -1.0..1.0,
    ];
    let factor = (0i8..3).prop_map(f64::from);
    (1usize..4, 2usize..16).prop_flat_map(move |(dimensions, items)| {
        (
            Just(dimensions),
            proptest::collection::vec(value.clone(), items * dimensions),
            proptest::collection::vec(factor.clone(), items * 2),
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Every protocol has a finite value or tells its problem, and none panics.
    #[test]
    fn odd_and_few_codes_have_a_value_or_a_problem((dimensions, codes, factors) in odd_codes()) {
        if let Ok(means) = LabelledCodes::new(&codes, dimensions, &factors, 2) {
            let images: Vec<f32> = factors.iter().map(|&value| value as f32).collect();
            let deviations: Vec<f64> = codes.iter().map(|value| value.abs()).collect();
            let inputs = SuiteInputs {
                means: &means,
                samples: Some(&means),
                deviations: Some(&deviations),
                images: Some(Images::new(&means, &images, 2).unwrap()),
            };
            let all: Vec<&Protocol> = protocols().iter().collect();
            let config = SuiteConfig { all_standard_errors: false, ..SuiteConfig::default() };
            let table = run_suite(&all, &inputs, config, |_| {}).unwrap();
            for row in &table.rows {
                prop_assert_eq!(row.value.is_some(), row.problem.is_none(), "{:?}", row);
                let unbounded = row.problem.as_ref().is_some_and(|text| text.starts_with("no bound"));
                prop_assert!(!unbounded || row.protocol == "total-correlation", "{:?}", row);
            }
        }
    }
}
