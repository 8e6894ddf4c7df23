//! 3D Shapes without its file: items of the same factor grid, rendered on request.

mod downsample;
mod scene;
mod solid;
mod texture;

use crate::dataset::Dataset;
use crate::error::DatasetError;
use crate::factor_grid::FactorGrid;
use crate::factor_grid::{shapes3d_grid, shapes3d_value_names, shapes3d_values};
use crate::image_shape::ImageShape;
use crate::item::{FactorSpec, Image, Item};
use crate::recipe::{check_size, recipe_fingerprint};

use downsample::{Downsample, SAMPLES};
use scene::{Scene, View};
use solid::Solid;

/// Version of the images. It increases with every change of a pixel.
const VERSION: u32 = 1;

/// The 480,000 images of 3D Shapes, rendered at any size. Nothing is read or stored.
///
/// Index order and factors are those of the published file ([`shapes3d_grid`]). Camera, room, sky,
/// lights, shadow, colours, wall pattern and filter were fitted to published images. At the
/// published size, 64, the values differ from the published ones by 0.7 of 255 steps on average,
/// and by 9 or less for 99 in 100. But it is not the published dataset, and numbers measured on one
/// are not valid for the other, so its name is `shapes3d-rendered`. There is no official division
/// into training and test part.
///
/// An image is a function of its index and the size only, and it is the same on every thread and
/// machine: colours come from IEEE additions, multiplications, divisions and square roots in single
/// precision in a fixed order, and sines, which libraries round differently, are first computed in
/// double precision. So the [fingerprint](Dataset::fingerprint) needs no images: it is the digest
/// of the renderer's name, its version, and the size.
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
    /// Height and width of the published images in pixels.
    pub const PUBLISHED_SIZE: usize = 64;

    /// Images of `size`×`size` pixels with three channels.
    ///
    /// # Errors
    /// [`SettingError::Size`](crate::SettingError::Size) for a size of 0 or above 4096.
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

    /// The grid of the factors. It gives the index of a combination.
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
            image: Image::new(ImageShape::square(self.size, 3), pixels),
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
    // Each primary is full up to 60° from its own hue and fades out over the next 60°.
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
