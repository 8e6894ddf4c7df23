//! 3D Shapes without its file: the same grid of factors, rendered when an item is asked for.

mod downsample;
mod scene;
mod solid;
mod texture;

use crate::rendered::{check_size, recipe_fingerprint};
use crate::{Dataset, DatasetError, FactorGrid, FactorSpec, Image, Item};
use crate::{shapes3d_grid, shapes3d_value_names, shapes3d_values};

use downsample::{Downsample, SAMPLES};
use scene::{Scene, View};
use solid::Solid;

/// Version of the pictures. It goes up with every change that changes one pixel.
const VERSION: u32 = 1;

/// The 480,000 pictures of 3D Shapes, rendered at any size; nothing is read or stored.
///
/// Index order and factors are those of the published file ([`shapes3d_grid`]), and so are
/// camera, room, sky, lights, shadow, colours, wall pattern and filter, all fitted to published
/// pictures. At the published size, 64, the values of a rendered picture are 0.7 of 255 steps
/// off the real one's on average, and 9 or less for 99 in 100. It is not the published data,
/// though, and a number measured on the one is not a number for the other, so its name is
/// `shapes3d-rendered`. There is no official division into training and test part.
///
/// A picture is a function of its index and the size alone, the same on every thread and
/// machine: colours come from IEEE additions, multiplications, divisions and square roots of
/// single precision in a fixed order, and sines, which libraries round differently, are taken in
/// double precision before that. So the [fingerprint](Dataset::fingerprint) need not look at
/// pictures: it is the digest of the renderer's name, its version, and the size.
///
/// ```
/// use gwae_datasets::{Dataset, RenderedShapes3d};
///
/// let shapes = RenderedShapes3d::new(64)?;
/// let item = shapes.item(61)?;
/// assert_eq!(item.factors, [0, 0, 0, 1, 0, 1]);
/// assert_eq!((item.image.channels, item.image.height, item.image.width), (3, 64, 64));
/// # Ok::<(), gwae_datasets::DatasetError>(())
/// ```
pub struct RenderedShapes3d {
    size: usize,
    grid: FactorGrid,
    scales: Vec<f32>,
    views: Vec<View>,
    downsample: Downsample,
}

impl RenderedShapes3d {
    /// Height and width of the published pictures in pixels.
    pub const PUBLISHED_SIZE: usize = 64;

    /// Pictures of `size`×`size` pixels, with three channels.
    ///
    /// # Errors
    /// [`DatasetError::Size`] for a size of 0 or above 4096.
    pub fn new(size: usize) -> Result<Self, DatasetError> {
        check_size(size)?;
        let [_, _, _, scales, _, orientations] = shapes3d_values();
        Ok(Self {
            size,
            grid: shapes3d_grid(),
            scales: scales.into_iter().map(|scale| scale as f32).collect(),
            views: orientations
                .into_iter()
                .map(|orientation| View::new(orientation, SAMPLES * size))
                .collect(),
            downsample: Downsample::new(size),
        })
    }

    /// The grid of the factors, to find the index of a combination.
    pub fn grid(&self) -> &FactorGrid {
        &self.grid
    }
}

impl Dataset for RenderedShapes3d {
    fn name(&self) -> &str {
        "shapes3d-rendered"
    }

    fn len(&self) -> usize {
        self.grid.len()
    }

    fn train_len(&self) -> usize {
        self.grid.len()
    }

    fn item(&self, index: usize) -> Result<Item, DatasetError> {
        let factors = self.grid.item_values(self.name(), index)?;
        let [floor, wall, object, scale, shape, orientation] = factors;
        let scene = Scene::new(
            Solid::new(shape, self.scales[scale as usize]),
            hue_colour(floor),
            hue_colour(wall),
            hue_colour(object),
        );
        let view = &self.views[orientation as usize];
        let plane = self.downsample.row_len();
        let pixels = self
            .downsample
            .picture(|row, values| view.fill_row(&scene, row, plane, values));
        Ok(Item {
            image: Image {
                channels: 3,
                height: self.size,
                width: self.size,
                pixels,
            },
            factors: factors.into(),
        })
    }

    fn factors(&self) -> &[FactorSpec] {
        self.grid.factors()
    }

    fn value_names(&self, factor: usize) -> Option<&[String]> {
        shapes3d_value_names().get(factor).map(Vec::as_slice)
    }

    fn find(&self, factors: &[u32]) -> Option<usize> {
        self.grid.index_of(factors).ok()
    }

    fn fingerprint(&self) -> String {
        recipe_fingerprint("3D Shapes", VERSION, self.size)
    }
}

/// Red, green and blue of the hue of `value` tenths of a turn, at full saturation and value.
fn hue_colour(value: u32) -> [f32; 3] {
    let sixths = value as f32 * 0.6;
    // Each primary is at its full 60° around its own hue and fades out over the next 60°.
    [0.0, 2.0, 4.0].map(|primary| {
        let distance = (sixths - primary).abs();
        let around = distance.min(6.0 - distance);
        (2.0 - around).clamp(0.0, 1.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hues_go_around_the_colour_circle() {
        let expected = [
            [1.0, 0.0, 0.0],
            [1.0, 0.6, 0.0],
            [0.8, 1.0, 0.0],
            [0.2, 1.0, 0.0],
            [0.0, 1.0, 0.4],
            [0.0, 1.0, 1.0],
            [0.0, 0.4, 1.0],
            [0.2, 0.0, 1.0],
            [0.8, 0.0, 1.0],
            [1.0, 0.0, 0.6],
        ];
        for (value, expected) in expected.iter().enumerate() {
            for (found, expected) in hue_colour(value as u32).iter().zip(expected) {
                assert!((found - expected).abs() < 1e-6, "{value}");
            }
        }
    }
}
