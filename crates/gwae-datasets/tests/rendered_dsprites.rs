//! Rendered dSprites: areas, positions and symmetries follow from the factors.

use std::collections::HashMap;

use gwae_datasets::{
    Dataset, DatasetError, RenderedDsprites, SettingError, dsprites_grid, dsprites_values,
    items_in_parallel,
};
use sha2::{Digest, Sha256};

const SIZE: usize = 64;

fn picture(dataset: &RenderedDsprites, factors: [u32; 5]) -> Vec<u8> {
    let item = dataset
        .item(dataset.grid().index_of(&factors).unwrap())
        .unwrap();
    assert_eq!(item.factors, factors);
    item.image.pixels
}

fn white(pixels: &[u8]) -> usize {
    pixels.iter().filter(|&&pixel| pixel == 255).count()
}

/// Columns and rows of the white pixels.
fn places(pixels: &[u8], size: usize) -> Vec<(usize, usize)> {
    (0..size * size)
        .filter(|&i| pixels[i] == 255)
        .map(|i| (i % size, i / size))
        .collect()
}

/// All shapes, scales and orientations in the middle of the frame.
fn all_sprites(dataset: &RenderedDsprites) -> Vec<([u32; 3], Vec<u8>)> {
    (0..3 * 6 * 40)
        .map(|i| [i / 240, i / 40 % 6, i % 40])
        .map(|sprite| {
            let [shape, scale, orientation] = sprite;
            (
                sprite,
                picture(dataset, [shape, scale, orientation, 16, 16]),
            )
        })
        .collect()
}

#[test]
fn pixels_are_black_or_white_and_sprites_keep_off_the_border() {
    let dataset = RenderedDsprites::new(SIZE).unwrap();
    for (sprite, middle) in all_sprites(&dataset) {
        let [shape, scale, orientation] = sprite;
        for (x, y) in [(0, 0), (31, 0), (0, 31), (31, 31)] {
            let pixels = picture(&dataset, [shape, scale, orientation, x, y]);
            assert!(pixels.iter().all(|pixel| matches!(pixel, 0 | 255)));
            // The sprite is not cut off, and there is space around it.
            assert_eq!(white(&pixels), white(&middle), "{sprite:?}");
            for (x, y) in places(&pixels, SIZE) {
                assert!(x > 0 && x < SIZE - 1 && y > 0 && y < SIZE - 1, "{sprite:?}");
            }
        }
    }
}

#[test]
fn each_position_is_one_pixel_further() {
    let dataset = RenderedDsprites::new(SIZE).unwrap();
    for shape in 0..3 {
        let moved = |x, y| places(&picture(&dataset, [shape, 3, 5, x, y]), SIZE);
        let first = moved(0, 0);
        for (x, y) in [(1, 0), (0, 1), (31, 0), (17, 30)] {
            let expected: Vec<_> = first
                .iter()
                .map(|(column, row)| (column + x as usize, row + y as usize))
                .collect();
            assert_eq!(moved(x, y), expected);
        }
    }
}

#[test]
fn areas_are_those_of_the_shapes() {
    let size = 512;
    let pixel = 64.0 / size as f64;
    let dataset = RenderedDsprites::new(size).unwrap();
    let pi = std::f64::consts::PI;
    // The heart curve encloses 180 π with half a width of 16.
    let areas = [
        19.0 * 19.0,
        pi * 11.7 * 5.85,
        180.0 * pi * (11.8_f64 / 16.0).powi(2),
    ];
    for (shape, area) in areas.into_iter().enumerate() {
        for (value, scale) in dsprites_values()[1].iter().enumerate() {
            for orientation in [0, 7, 23] {
                let factors = [shape as u32, value as u32, orientation, 3, 29];
                let found = white(&picture(&dataset, factors)) as f64 * pixel * pixel;
                let expected = area * scale * scale;
                assert!((found / expected - 1.0).abs() < 0.02, "{found} {expected}");
            }
        }
    }
}

#[test]
fn mean_and_deviation_are_the_published_ones() {
    // From all pixels of the published file: mean 0.0425; mean of the images' standard deviations
    // 0.1952. Neither depends on the position.
    let sprites = all_sprites(&RenderedDsprites::new(SIZE).unwrap());
    let count = sprites.len() as f64;
    let shares = sprites
        .iter()
        .map(|(_, pixels)| white(pixels) as f64 / 4096.0);
    let mean = shares.clone().sum::<f64>() / count;
    let deviation = shares.map(|p| (p * (1.0 - p)).sqrt()).sum::<f64>() / count;
    assert!((mean - 0.042_494).abs() < 1e-5, "{mean}");
    assert!((deviation - 0.195_166).abs() < 3e-4, "{deviation}");
}

#[test]
fn the_heart_points_down_and_turns_clockwise() {
    let dataset = RenderedDsprites::new(SIZE).unwrap();
    let upright = places(&picture(&dataset, [2, 5, 0, 15, 15]), SIZE);
    // Left and right are equal around the middle, column 31.
    for &(x, y) in &upright {
        assert!(upright.contains(&(62 - x, y)));
    }
    // The tip is a narrow lowest row in the middle; the top has only the two lobes.
    let lowest = upright.iter().map(|p| p.1).max().unwrap();
    let highest = upright.iter().map(|p| p.1).min().unwrap();
    let row = |row| upright.iter().filter(move |p| p.1 == row).map(|p| p.0);
    assert!(row(lowest).all(|x| x.abs_diff(31) <= 1));
    assert!(row(highest).all(|x| x.abs_diff(31) >= 3));

    // Ten steps of 360°/39 are slightly more than a quarter turn: the tip is at the left.
    let turned = places(&picture(&dataset, [2, 5, 10, 15, 15]), SIZE);
    let leftmost = turned.iter().map(|p| p.0).min().unwrap();
    let tip: Vec<_> = turned.iter().filter(|p| p.0 == leftmost).collect();
    assert!(tip.iter().all(|p| p.1.abs_diff(31) <= 2), "{tip:?}");
    assert!(tip.len() <= 3);
}

#[test]
fn the_ellipse_lies_and_then_stands() {
    let dataset = RenderedDsprites::new(SIZE).unwrap();
    let extent = |orientation| {
        let places = places(&picture(&dataset, [1, 5, orientation, 15, 15]), SIZE);
        let span = |values: Vec<usize>| values.iter().max().unwrap() - values.iter().min().unwrap();
        [
            span(places.iter().map(|p| p.0).collect()) + 1,
            span(places.iter().map(|p| p.1).collect()) + 1,
        ]
    };
    // Half axes 11.7 and 5.85, centred on the middle of a pixel.
    assert_eq!(extent(0), [23, 11]);
    assert_eq!(extent(10), [11, 23]);
}

#[test]
fn only_symmetry_makes_pictures_equal() {
    let dataset = RenderedDsprites::new(SIZE).unwrap();
    let mut seen: HashMap<Vec<u8>, Vec<[u32; 3]>> = HashMap::new();
    for (sprite, pixels) in all_sprites(&dataset) {
        seen.entry(pixels).or_default().push(sprite);
    }
    let step = 360.0 / 39.0;
    for sprites in seen.values() {
        for (a, b) in sprites
            .iter()
            .flat_map(|a| sprites.iter().map(move |b| (a, b)))
        {
            assert_eq!(a[..2], b[..2], "other shapes and scales look different");
            let turn = (f64::from(a[2]) - f64::from(b[2])) * step;
            let (symmetry, within) = [(90.0, 4.7), (180.0, 4.7), (360.0, 0.1)][a[0] as usize];
            let apart = (turn / symmetry - (turn / symmetry).round()).abs() * symmetry;
            assert!(apart < within, "{a:?} {b:?}");
        }
    }
    for shape in 0..3 {
        for scale in 0..6 {
            let ends = [0, 39].map(|turn| picture(&dataset, [shape, scale, turn, 9, 9]));
            assert_eq!(ends[0], ends[1]);
        }
    }
    // Hearts have no rotational symmetry, and large ellipses show every step.
    let distinct = |shape: u32, scale: u32| {
        let here = |sprites: &&Vec<[u32; 3]>| sprites[0][..2] == [shape, scale];
        seen.values().filter(here).count()
    };
    assert!((0..6).all(|scale| distinct(2, scale) == 39));
    assert!((2..6).all(|scale| distinct(1, scale) == 39));
    assert_eq!(seen.len(), 661);
}

#[test]
fn pictures_are_the_same_on_any_number_of_threads() {
    let dataset = RenderedDsprites::new(SIZE).unwrap();
    let indices: Vec<usize> = (0..500).map(|i| i * 1_471).collect();
    let one_by_one: Vec<_> = indices.iter().map(|&i| dataset.item(i).unwrap()).collect();
    for threads in [1, 4] {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let items = pool
            .install(|| items_in_parallel(&dataset, &indices))
            .unwrap();
        assert!(items == one_by_one, "{threads} threads");
    }
}

#[test]
fn refuses_sizes_and_indices_out_of_range() {
    for size in [0, 4097, usize::MAX] {
        let error = RenderedDsprites::new(size).err();
        assert!(
            matches!(error, Some(DatasetError::Setting(SettingError::Size { size: s })) if s == size)
        );
    }
    let dataset = RenderedDsprites::new(1).unwrap();
    assert_eq!((dataset.len(), dataset.train_len()), (737_280, 737_280));
    assert_eq!(dataset.item(737_279).unwrap().image.pixels.len(), 1);
    assert!(matches!(
        dataset.item(737_280),
        Err(DatasetError::IndexOutOfRange {
            index: 737_280,
            len: 737_280,
            ..
        })
    ));
}

#[test]
fn factors_and_fingerprint_are_its_own() {
    let dataset = RenderedDsprites::new(SIZE).unwrap();
    assert_eq!(dataset.factors(), dsprites_grid().factors());
    assert_eq!(
        dataset.fingerprint(),
        RenderedDsprites::new(SIZE).unwrap().fingerprint()
    );
    assert_ne!(
        dataset.fingerprint(),
        RenderedDsprites::new(32).unwrap().fingerprint()
    );
    let shapes = gwae_datasets::RenderedShapes3d::new(SIZE).unwrap();
    assert_ne!(dataset.fingerprint(), shapes.fingerprint());
}

/// Stored splits and results contain the fingerprint, so the images must not change without it.
/// After an intended change of images, increase `VERSION` in the renderer, then put new values
/// here.
#[test]
fn pictures_of_version_1_have_not_changed() {
    let dataset = RenderedDsprites::new(SIZE).unwrap();
    let mut hash = Sha256::new();
    hash.update(dataset.fingerprint());
    for (_, pixels) in all_sprites(&dataset) {
        hash.update(pixels);
    }
    let found: String = hash.finalize().iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(
        found,
        "505a6a9f1197f545ba980882ea3a06ef787e6aad4a7e0f97d849fbfb1ff88675"
    );
}
