//! Rendered 3D Shapes: positions follow from the factors and from perspective.

use std::collections::HashSet;

use gwae_datasets::{
    Dataset, DatasetError, Image, RenderedShapes3d, SettingError, items_in_parallel, shapes3d_grid,
};
use sha2::{Digest, Sha256};

const SIZE: usize = 64;
const SKY: [u8; 3] = [153, 226, 249];
/// Tangent of half the angle of view, 25°.
const HALF_VIEW: f64 = 0.466_307_658;

fn picture(dataset: &RenderedShapes3d, factors: [u32; 6]) -> Image {
    let item = dataset
        .item(dataset.grid().index_of(&factors).unwrap())
        .unwrap();
    assert_eq!(item.factors, factors);
    item.image
}

fn at(image: &Image, x: usize, y: usize) -> [u8; 3] {
    [0, 1, 2].map(|c| image.pixels[(c * image.height + y) * image.width + x])
}

/// Hue in tenths of a turn, from 0 to 10.
fn hue([red, green, blue]: [u8; 3]) -> f64 {
    let [r, g, b] = [red, green, blue].map(f64::from);
    let (most, least) = (r.max(g).max(b), r.min(g).min(b));
    assert!(most - least > 40.0, "{red} {green} {blue} has no clear hue");
    let sixths = if most == r {
        (g - b) / (most - least)
    } else if most == g {
        2.0 + (b - r) / (most - least)
    } else {
        4.0 + (r - g) / (most - least)
    };
    (sixths / 0.6).rem_euclid(10.0)
}

fn assert_hue(pixel: [u8; 3], value: u32) {
    let apart = (hue(pixel) - f64::from(value)).abs();
    // Bright light also raises a colour's second primary; the colour stays closer to its own hue.
    assert!(
        apart.min(10.0 - apart) < 0.45,
        "{pixel:?} is not hue {value}"
    );
}

/// Row or column of a point `across` metres from the viewing axis, at a `depth`.
fn projected(across: f64, depth: f64) -> f64 {
    SIZE as f64 / 2.0 * (1.0 + across / depth / HALF_VIEW)
}

#[test]
fn sky_is_above_everything() {
    let dataset = RenderedShapes3d::new(SIZE).unwrap();
    for shape in 0..4 {
        for orientation in 0..15 {
            let image = picture(&dataset, [3, 7, 1, 7, shape, orientation]);
            for x in 0..SIZE {
                assert_eq!(at(&image, x, 0), SKY);
            }
        }
    }
}

#[test]
fn floor_wall_and_object_have_their_hues() {
    let dataset = RenderedShapes3d::new(SIZE).unwrap();
    for value in 0..10 {
        let [floor, wall, object] = [value, (value + 3) % 10, (value + 6) % 10];
        for shape in 0..4 {
            for orientation in [0, 4, 7, 10, 14] {
                let factors = [floor, wall, object, 4, shape, orientation];
                let image = picture(&dataset, factors);
                for x in [4, 59] {
                    assert_hue(at(&image, x, 60), floor);
                    assert_hue(at(&image, x, 28), wall);
                }
                assert_hue(at(&image, 32, 45), object);
            }
        }
    }
}

#[test]
fn room_is_in_perspective() {
    // Seen from the front, the back wall is 6 m away: 3.5 m behind the middle, and the camera is
    // 2.5 m before it. Its lower edge is 0.75 m below the camera, its upper edge 1.25 m above.
    let dataset = RenderedShapes3d::new(SIZE).unwrap();
    let image = picture(&dataset, [0, 6, 3, 0, 2, 7]);
    let blue = |y: usize| f64::from(at(&image, 8, y)[2]);
    // The rows of the wall, measured in fractions of pixels by their blue. Sky and wall are both
    // blue, so the upper edge is measured in red.
    let sky = (0..30)
        .map(|y| f64::from(at(&image, 8, y)[0]) / 153.0)
        .sum::<f64>();
    assert!((sky - projected(-1.25, 6.0)).abs() < 0.35, "{sky}");
    let wall_end = 30.0 + (30..50).map(|y| blue(y) / blue(33)).sum::<f64>();
    assert!((wall_end - projected(0.75, 6.0)).abs() < 0.35, "{wall_end}");
}

#[test]
fn cube_is_in_perspective() {
    // Half its side is 0.35 m times the scale, and its front is closer than the middle by that
    // length.
    let dataset = RenderedShapes3d::new(SIZE).unwrap();
    for (scale, metres) in [(0, 0.75 * 0.35), (7, 1.25 * 0.35)] {
        let image = picture(&dataset, [0, 6, 3, scale, 0, 7]);
        let row = projected(0.75 - metres, 2.5 - metres) as usize;
        let is_object = |x: usize| hue(at(&image, x, row)).round() == 3.0;
        let width = (0..SIZE).filter(|&x| is_object(x)).count() as f64;
        let expected = 2.0 * (projected(metres, 2.5 - metres) - 32.0);
        assert!((width - expected).abs() <= 1.5, "{width} {expected}");
        assert_eq!(is_object(0), is_object(SIZE - 1));
    }
}

/// The pixels of the object, found by its hue.
fn object_pixels(image: &Image, object: u32) -> Vec<(usize, usize)> {
    (0..SIZE * SIZE)
        .map(|i| (i % SIZE, i / SIZE))
        .filter(|&(x, y)| {
            let pixel = at(image, x, y);
            let spread = pixel.iter().max().unwrap() - pixel.iter().min().unwrap();
            spread > 110 && (hue(pixel) - f64::from(object)).abs() < 0.6
        })
        .collect()
}

#[test]
fn objects_grow_with_scale() {
    let dataset = RenderedShapes3d::new(SIZE).unwrap();
    for shape in 0..4 {
        for orientation in [0, 7, 12] {
            let mut areas = (0..8).map(|scale| {
                let image = picture(&dataset, [0, 8, 3, scale, shape, orientation]);
                object_pixels(&image, 3).len()
            });
            let mut last = areas.next().unwrap();
            assert!(last > 100);
            for area in areas {
                assert!(area > last, "shape {shape}: {area} after {last}");
                last = area;
            }
        }
    }
}

#[test]
fn opposite_orientations_mirror_the_outlines() {
    let dataset = RenderedShapes3d::new(SIZE).unwrap();
    for orientation in 0..7 {
        for shape in 0..4 {
            let outline = |orientation| {
                let image = picture(&dataset, [0, 8, 3, 5, shape, orientation]);
                let object: HashSet<_> = object_pixels(&image, 3).into_iter().collect();
                let sky: HashSet<_> = (0..SIZE * SIZE)
                    .map(|i| (i % SIZE, i / SIZE))
                    .filter(|&(x, y)| at(&image, x, y) == SKY)
                    .collect();
                (object, sky)
            };
            let mirrored = |set: HashSet<(usize, usize)>| -> HashSet<(usize, usize)> {
                set.into_iter().map(|(x, y)| (SIZE - 1 - x, y)).collect()
            };
            let (object, sky) = outline(orientation);
            let (other_object, other_sky) = outline(14 - orientation);
            // The light differs on the two sides, and so do the edges.
            let apart = object.symmetric_difference(&mirrored(other_object)).count();
            assert!(apart * 12 < object.len(), "{apart} of {}", object.len());
            let apart = sky.symmetric_difference(&mirrored(other_sky)).count();
            assert!(apart * 50 < sky.len(), "{apart} of {}", sky.len());
        }
    }
}

#[test]
fn shadow_falls_to_the_right_and_has_a_soft_edge() {
    let size = 512;
    let dataset = RenderedShapes3d::new(size).unwrap();
    // A tall capsule; the lamp is to its left, so its shadow is longer to the right.
    let image = picture(&dataset, [0, 6, 3, 7, 3, 7]);
    let red = |x: usize, y: usize| at(&image, x, y)[0];
    let dark = |y: usize| -> Vec<usize> {
        let is_dark = |&x: &usize| red(x, y) < 100 && at(&image, x, y)[1] < 60;
        (0..size).filter(is_dark).collect()
    };
    let row = (size / 2..size).max_by_key(|&y| dark(y).len()).unwrap();
    let (left, right) = (dark(row)[0], dark(row)[dark(row).len() - 1]);
    assert!(
        right - size / 2 > size / 2 - left + size / 20,
        "{left} {right}"
    );
    let edge: Vec<u8> = (right - 12..right + 20).map(|x| red(x, row)).collect();
    let between = edge
        .iter()
        .filter(|&&red| (110..200).contains(&red))
        .count();
    assert!(between >= 2, "{edge:?}");
}

#[test]
fn every_value_of_every_factor_shows() {
    let dataset = RenderedShapes3d::new(SIZE).unwrap();
    for base in [0, 61_234, 479_999] {
        for factor in dataset.factors() {
            let indices = dataset.grid().indices_varying(base, &factor.name).unwrap();
            let items = items_in_parallel(&dataset, &indices).unwrap();
            let images: HashSet<_> = items.iter().map(|item| &item.image.pixels).collect();
            assert_eq!(images.len(), factor.values as usize, "{}", factor.name);
        }
    }
}

#[test]
fn spread_over_the_grid_no_two_pictures_are_equal() {
    let dataset = RenderedShapes3d::new(32).unwrap();
    let indices: Vec<usize> = (0..1_500).map(|i| i * 7_919 % dataset.len()).collect();
    let items = items_in_parallel(&dataset, &indices).unwrap();
    let images: HashSet<_> = items.iter().map(|item| &item.image.pixels).collect();
    assert_eq!(images.len(), indices.len());
}

#[test]
fn pictures_are_the_same_on_any_number_of_threads() {
    let dataset = RenderedShapes3d::new(SIZE).unwrap();
    let indices: Vec<usize> = (0..60).map(|i| i * 8_009).collect();
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
    let anew = RenderedShapes3d::new(SIZE).unwrap();
    assert!(anew.item(indices[7]).unwrap() == one_by_one[7]);
}

#[test]
fn sizes_show_the_same_scene() {
    let small = RenderedShapes3d::new(SIZE).unwrap();
    for size in [2 * SIZE, 3 * SIZE] {
        let large = RenderedShapes3d::new(size).unwrap();
        let times = size / SIZE;
        for index in [0, 133_337, 333_333, 479_999] {
            let small = small.item(index).unwrap().image;
            let large = large.item(index).unwrap().image;
            assert_eq!((large.channels, large.height, large.width), (3, size, size));
            let mut apart = 0.0;
            for i in 0..3 * SIZE * SIZE {
                let (c, y, x) = (i / SIZE / SIZE, i / SIZE % SIZE, i % SIZE);
                let block = (0..times * times).map(|j| {
                    let (y, x) = (y * times + j / times, x * times + j % times);
                    f64::from(large.pixels[(c * size + y) * size + x])
                });
                let mean = block.sum::<f64>() / (times * times) as f64;
                apart += (mean - f64::from(small.pixels[i])).abs();
            }
            let apart = apart / (3 * SIZE * SIZE) as f64;
            assert!(apart < 1.5, "{size} {index}: {apart}");
        }
    }
}

#[test]
fn smallest_pictures_are_possible() {
    let dataset = RenderedShapes3d::new(1).unwrap();
    assert_eq!(dataset.item(0).unwrap().image.pixels.len(), 3);
}

#[test]
fn refuses_sizes_and_indices_out_of_range() {
    for size in [0, 4097, usize::MAX] {
        let error = RenderedShapes3d::new(size).err();
        assert!(
            matches!(error, Some(DatasetError::Setting(SettingError::Size { size: s })) if s == size)
        );
    }
    let dataset = RenderedShapes3d::new(8).unwrap();
    assert_eq!((dataset.len(), dataset.train_len()), (480_000, 480_000));
    assert!(matches!(
        dataset.item(480_000),
        Err(DatasetError::IndexOutOfRange {
            index: 480_000,
            len: 480_000,
            ..
        })
    ));
    assert!(items_in_parallel(&dataset, &[3, 480_000]).is_err());
}

#[test]
fn factors_are_those_of_the_grid() {
    let dataset = RenderedShapes3d::new(4).unwrap();
    assert_eq!(dataset.factors(), shapes3d_grid().factors());
    for index in [0, 1, 77_777, 479_999] {
        let factors = dataset.item(index).unwrap().factors;
        assert_eq!(factors, shapes3d_grid().values_of(index).unwrap());
    }
}

#[test]
fn fingerprint_follows_from_the_size() {
    let fingerprint = |size| RenderedShapes3d::new(size).unwrap().fingerprint();
    assert_eq!(fingerprint(64), fingerprint(64));
    assert_ne!(fingerprint(64), fingerprint(65));
    assert_eq!(fingerprint(64).len(), 64);
}

/// Stored splits and results contain the fingerprint, so the images must not change without it.
/// After an intended change of images, increase `VERSION` in the renderer, then put new values
/// here.
#[test]
fn pictures_of_version_1_have_not_changed() {
    let dataset = RenderedShapes3d::new(SIZE).unwrap();
    let mut hash = Sha256::new();
    hash.update(dataset.fingerprint());
    for index in (0..480_000).step_by(9_973) {
        hash.update(dataset.item(index).unwrap().image.pixels);
    }
    let found: String = hash.finalize().iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(
        found,
        "424733fff13eca0eb3e9d77ff0253f297ddcd6359c0ca17f12fb7e18ad9d5dd0"
    );
}
