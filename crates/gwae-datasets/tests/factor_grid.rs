//! Factor grids: the published sizes and order, and the conversion between indices and values.

use gwae_datasets::{
    FactorGrid, FactorGridError, FactorKind, FactorSpec, dsprites_grid, dsprites_value_names,
    dsprites_values, shapes3d_grid, shapes3d_value_names, shapes3d_values,
};
use proptest::prelude::*;

fn factor(name: &str, values: u32) -> FactorSpec {
    FactorSpec {
        name: name.to_owned(),
        kind: FactorKind::Ordered,
        values,
    }
}

fn grid_of(sizes: &[u32]) -> FactorGrid {
    let factors = sizes.iter().enumerate();
    FactorGrid::new(factors.map(|(i, &n)| factor(&format!("f{i}"), n)).collect()).unwrap()
}

/// Factor sizes, and one valid value for each.
fn grid_and_values() -> impl Strategy<Value = (Vec<u32>, Vec<u32>)> {
    prop::collection::vec(1_u32..12, 1..7).prop_flat_map(|sizes| {
        let values: Vec<_> = sizes.iter().map(|&size| 0..size).collect();
        (Just(sizes), values)
    })
}

proptest! {
    #[test]
    fn values_and_index_are_inverse((sizes, values) in grid_and_values()) {
        let grid = grid_of(&sizes);
        let index = grid.index_of(&values).unwrap();
        prop_assert!(index < grid.len());
        prop_assert_eq!(grid.values_of(index).unwrap(), values);
    }

    #[test]
    fn the_order_of_indices_is_that_of_the_values((sizes, values) in grid_and_values()) {
        let grid = grid_of(&sizes);
        let index = grid.index_of(&values).unwrap();
        if index + 1 < grid.len() {
            prop_assert!(grid.values_of(index + 1).unwrap() > values);
        } else {
            let last: Vec<u32> = sizes.iter().map(|size| size - 1).collect();
            prop_assert_eq!(values, last);
        }
    }

    #[test]
    fn varying_one_factor_changes_that_factor_alone(
        (sizes, values) in grid_and_values(),
        choice in any::<prop::sample::Index>(),
    ) {
        let grid = grid_of(&sizes);
        let varied = choice.index(sizes.len());
        let index = grid.index_of(&values).unwrap();
        let indices = grid.indices_varying(index, &format!("f{varied}")).unwrap();
        let expected: Vec<usize> = (0..sizes[varied])
            .map(|value| {
                let mut values = values.clone();
                values[varied] = value;
                grid.index_of(&values).unwrap()
            })
            .collect();
        prop_assert_eq!(indices, expected);
    }

    #[test]
    fn refuses_values_and_indices_outside(
        (sizes, mut values) in grid_and_values(),
        choice in any::<prop::sample::Index>(),
        beyond in 0_u32..5,
    ) {
        let grid = grid_of(&sizes);
        let len = grid.len();
        prop_assert_eq!(
            grid.values_of(len + beyond as usize),
            Err(FactorGridError::IndexOutOfRange { index: len + beyond as usize, len })
        );
        let place = choice.index(sizes.len());
        values[place] = sizes[place] + beyond;
        prop_assert_eq!(
            grid.index_of(&values),
            Err(FactorGridError::ValueOutOfRange {
                factor: format!("f{place}"),
                value: sizes[place] + beyond,
                values: sizes[place],
            })
        );
        values.pop();
        prop_assert_eq!(
            grid.index_of(&values),
            Err(FactorGridError::WrongCount { found: sizes.len() - 1, expected: sizes.len() })
        );
    }
}

#[test]
fn has_the_published_sizes_and_order() {
    let shapes = shapes3d_grid();
    assert_eq!(shapes.len(), 480_000);
    let sizes: Vec<u32> = shapes.factors().iter().map(|f| f.values).collect();
    assert_eq!(sizes, [10, 10, 10, 8, 4, 15]);
    // The formula of the published loader: base = (48000, 4800, 480, 60, 15, 1).
    assert_eq!(
        shapes.index_of(&[3, 1, 4, 1, 2, 6]).unwrap(),
        3 * 48_000 + 4_800 + 4 * 480 + 60 + 2 * 15 + 6
    );

    let sprites = dsprites_grid();
    assert_eq!(sprites.len(), 737_280);
    let sizes: Vec<u32> = sprites.factors().iter().map(|f| f.values).collect();
    assert_eq!(sizes, [3, 6, 40, 32, 32]);
    // The published loader's bases without that of `color`, which is 737,280 and always multiplied
    // by 0.
    assert_eq!(
        sprites.index_of(&[2, 5, 17, 30, 4]).unwrap(),
        2 * 245_760 + 5 * 40_960 + 17 * 1_024 + 30 * 32 + 4
    );
}

#[test]
fn built_in_grids_satisfy_the_checks() {
    for grid in [shapes3d_grid(), dsprites_grid()] {
        assert_eq!(FactorGrid::new(grid.factors().to_vec()), Ok(grid));
    }
}

#[test]
fn only_hues_and_the_turn_of_a_sprite_are_cyclic() {
    let cyclic = |grid: FactorGrid| -> Vec<String> {
        let factors = grid.factors().iter();
        factors
            .filter(|factor| factor.kind == FactorKind::Cyclic)
            .map(|factor| factor.name.clone())
            .collect()
    };
    assert_eq!(
        cyclic(shapes3d_grid()),
        ["floor_hue", "wall_hue", "object_hue"]
    );
    assert_eq!(cyclic(dsprites_grid()), ["orientation"]);
}

#[test]
fn physical_values_are_the_published_ones() {
    let grids = [
        (shapes3d_grid(), shapes3d_values().to_vec()),
        (dsprites_grid(), dsprites_values().to_vec()),
    ];
    for (grid, values) in grids {
        for (factor, values) in grid.factors().iter().zip(values) {
            assert_eq!(values.len(), factor.values as usize, "{}", factor.name);
        }
    }
    let [floor, wall, object, scale, shape, orientation] = shapes3d_values();
    for hue in [floor, wall, object] {
        for (value, hue) in hue.iter().enumerate() {
            assert!((hue - value as f64 / 10.0).abs() < 1e-15);
        }
    }
    assert_eq!(scale[..2], [0.75, 0.821_428_571_428_571_4]);
    assert_eq!(scale[7], 1.25);
    assert_eq!(shape, [0.0, 1.0, 2.0, 3.0]);
    assert_eq!(orientation[0], -30.0);
    assert_eq!(orientation[7], 0.0);
    assert_eq!(orientation[14], 30.0);

    let [shape, scale, orientation, x, y] = dsprites_values();
    assert_eq!(shape, [1.0, 2.0, 3.0]);
    assert_eq!((scale[0], scale[1], scale[5]), (0.5, 0.6, 1.0));
    assert_eq!(orientation[39], std::f64::consts::TAU);
    assert!((orientation[13] - std::f64::consts::TAU / 3.0).abs() < 1e-15);
    assert_eq!((x[0], x[31]), (0.0, 1.0));
    assert_eq!(x, y);
}

#[test]
fn refuses_grids_without_combinations() {
    assert_eq!(FactorGrid::new(vec![]), Err(FactorGridError::NoFactors));
    assert_eq!(
        FactorGrid::new(vec![factor("a", 2), factor("b", 0)]),
        Err(FactorGridError::NoValues {
            factor: "b".to_owned()
        })
    );
    assert_eq!(
        FactorGrid::new(vec![factor("a", 2), factor("a", 3)]),
        Err(FactorGridError::DuplicateName {
            factor: "a".to_owned()
        })
    );
}

#[test]
fn refuses_more_combinations_than_an_index_counts() {
    let most = vec![factor("a", u32::MAX), factor("b", 1)];
    assert_eq!(FactorGrid::new(most).unwrap().len(), u32::MAX as usize);
    let more = vec![factor("a", 1 << 16), factor("b", 1 << 16)];
    assert_eq!(
        FactorGrid::new(more),
        Err(FactorGridError::TooManyCombinations)
    );
}

#[test]
fn names_the_factors_there_are() {
    let grid = FactorGrid::new(vec![factor("a", 2), factor("b", 3)]).unwrap();
    let error = grid.indices_varying(0, "hue").unwrap_err().to_string();
    assert_eq!(
        error,
        "factor hue: not a factor of this dataset; it has a, b"
    );
    assert_eq!(
        grid.indices_varying(6, "a"),
        Err(FactorGridError::IndexOutOfRange { index: 6, len: 6 })
    );
}

#[test]
fn values_have_their_names() {
    for (grid, names) in [
        (shapes3d_grid(), shapes3d_value_names()),
        (dsprites_grid(), dsprites_value_names()),
    ] {
        let counts: Vec<usize> = grid.factors().iter().map(|f| f.values as usize).collect();
        assert_eq!(names.iter().map(Vec::len).collect::<Vec<_>>(), counts);
    }
    let shapes = shapes3d_value_names();
    assert_eq!(shapes[0][..3], ["0", "0.1", "0.2"]);
    assert_eq!(shapes[4], ["cube", "cylinder", "sphere", "capsule"]);
    assert_eq!((&*shapes[5][0], &*shapes[5][7]), ("-30", "0"));
    assert_eq!(dsprites_value_names()[2][39], "6.28");
}
