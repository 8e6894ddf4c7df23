//! dSprites without its file: items of the same factor grid, rendered on request.

use crate::dataset::Dataset;
use crate::error::DatasetError;
use crate::factor_grid::FactorGrid;
use crate::factor_grid::{dsprites_grid, dsprites_value_names, dsprites_values};
use crate::image_shape::ImageShape;
use crate::item::{FactorSpec, Image, Item};
use crate::recipe::{check_size, recipe_fingerprint};

/// Version of the images. It increases with every change of a pixel.
const VERSION: u32 = 1;

/// Side of the published images. All lengths below are in their pixels.
const FRAME: f64 = 64.0;
/// Middle of a sprite at the first position, from the left or the top. Each further position is one
/// pixel later. The last one is at the same distance from the other side.
const FIRST_POSITION: f64 = 16.5;
/// Half the side of the square at scale 1.
const SQUARE: f64 = 9.5;
/// Half axes of the ellipse at scale 1.
const ELLIPSE: [f64; 2] = [11.7, 5.85];
/// Half the width of the heart at scale 1.
const HEART: f64 = 11.8;
/// Half the width of the heart curve.
const CURVE: f64 = 16.0;
/// Middle height of the heart curve, halfway between its tip at −17 and its highest points.
const CURVE_MIDDLE: f64 = -2.538_373_8;

/// The 737,280 binary images of dSprites, rendered at any size. Nothing is read or stored.
///
/// Index order and factors are those of the published file ([`dsprites_grid`]). A sprite is white
/// (255) on black (0). A pixel is white if its middle is in the shape.
///
/// * `shape`: a square; an ellipse twice as wide as high; the heart of the curve x = 16 sin³t, y =
///   13 cos t − 5 cos 2t − 2 cos 3t − cos 4t, tip down.
/// * `scale`: 0.5 to 1 in both directions.
/// * `orientation`: a clockwise turn around the sprite's middle. In the published dataset, the last
///   orientation is a full turn and repeats the first one. The same holds here, exactly.
/// * `position_x` to the right, `position_y` downwards: one pixel per step at 64×64. Every sprite
///   is completely inside the frame at every position.
///
/// The sizes of the published shapes are not documented. The sizes used here give the published
/// mean of all pixels, 0.0425, and the published mean of the images' standard deviations, 0.195.
/// But it is not the published dataset, so reports name it `dsprites-rendered`.
///
/// Some images are equal because of the symmetry of a shape. The first and the last orientation are
/// always equal. Besides, a small square may look the same after a quarter turn, and a small
/// ellipse after half a turn, each within half a step of orientation. At 64×64, 661 of the 702
/// combinations of shape, scale and different orientation have unique images.
///
/// An image is a function of its index and the size only. So the
/// [fingerprint](Dataset::fingerprint) needs no images: it is the digest of the renderer's name,
/// its version, and the size. There is no official division into training and test part.
///
/// ```
/// use gwae_datasets::{Dataset, RenderedDsprites};
///
/// let sprites = RenderedDsprites::new(64)?;
/// let heart = sprites.item(sprites.grid().index_of(&[2, 5, 0, 16, 16])?)?;
/// assert_eq!(heart.image.pixels.len(), 64 * 64);
/// assert!(heart.image.pixels.iter().all(|pixel| matches!(pixel, 0 | 255)));
/// # Ok::<(), gwae_datasets::DatasetError>(())
/// ```
pub struct RenderedDsprites {
    size: usize,
    grid: FactorGrid,
    scales: Vec<f64>,
    /// Sine and cosine of every orientation.
    turns: Vec<(f64, f64)>,
}

impl RenderedDsprites {
    /// Height and width of the published images in pixels.
    pub const PUBLISHED_SIZE: usize = 64;

    /// Images of `size`×`size` pixels with one channel.
    ///
    /// # Errors
    /// [`SettingError::Size`](crate::SettingError::Size) for a size of 0 or above 4096.
    pub fn new(size: usize) -> Result<Self, DatasetError> {
        check_size(size)?;
        let [_, scales, orientations, _, _] = dsprites_values();
        // A full turn must equal no turn, but its computed sine is not 0.
        let last = orientations.len() - 1;
        let turns = (0..=last)
            .map(|value| orientations[value % last].sin_cos())
            .collect();
        Ok(Self {
            size,
            grid: dsprites_grid(),
            scales,
            turns,
        })
    }

    /// The grid of the factors. It gives the index of a combination.
    pub fn grid(&self) -> &FactorGrid {
        &self.grid
    }
}

impl Dataset for RenderedDsprites {
    fn name(&self) -> &str {
        "dsprites-rendered"
    }

    fn len(&self) -> usize {
        self.grid.len()
    }

    fn item(&self, index: usize) -> Result<Item, DatasetError> {
        let factors = self.grid.item_values(self.name(), index)?;
        let [shape, scale, orientation, x, y] = factors;
        let scale = self.scales[scale as usize];
        let (sin, cos) = self.turns[orientation as usize];
        let middle = [x, y].map(|position| FIRST_POSITION + f64::from(position));
        let length = FRAME / self.size as f64;
        // Range of pixels along one axis whose middle can be in a shape.
        let reach = scale * reach(shape);
        let near = |middle: f64| {
            let first = ((middle - reach) / length).floor().max(0.0) as usize;
            let end = ((middle + reach) / length).ceil() as usize;
            first..end.min(self.size)
        };
        let place = |pixel: usize, middle: f64| (pixel as f64 + 0.5) * length - middle;
        let mut pixels = vec![0; self.size * self.size];
        for row in near(middle[1]) {
            let down = place(row, middle[1]);
            for column in near(middle[0]) {
                let right = place(column, middle[0]);
                // The point in the sprite before it was turned and scaled.
                let u = (right * cos + down * sin) / scale;
                let v = (down * cos - right * sin) / scale;
                if inside(shape, u, v) {
                    pixels[row * self.size + column] = 255;
                }
            }
        }
        Ok(Item {
            image: Image::new(ImageShape::square(self.size, 1), pixels),
            factors: factors.into(),
        })
    }

    fn factors(&self) -> &[FactorSpec] {
        self.grid.factors()
    }

    fn value_names(&self, factor: usize) -> Option<&[String]> {
        dsprites_value_names().get(factor).map(Vec::as_slice)
    }

    fn find(&self, factors: &[u32]) -> Option<usize> {
        self.grid.index_of(factors).ok()
    }

    fn fingerprint(&self) -> String {
        recipe_fingerprint("dSprites", VERSION, self.size)
    }
}

/// An upper bound for the distance of the shape's points from its middle.
fn reach(shape: u32) -> f64 {
    match shape {
        0 => SQUARE * std::f64::consts::SQRT_2,
        1 => ELLIPSE[0],
        // The farthest points of the curve are 18.23 from its middle.
        _ => HEART / CURVE * 18.3,
    }
}

/// Whether the point `u` to the right and `v` below the middle is in the shape at scale 1.
fn inside(shape: u32, u: f64, v: f64) -> bool {
    match shape {
        0 => u.abs() <= SQUARE && v.abs() <= SQUARE,
        1 => {
            let (u, v) = (u / ELLIPSE[0], v / ELLIPSE[1]);
            u * u + v * v <= 1.0
        }
        _ => in_heart(u * (CURVE / HEART), CURVE_MIDDLE - v * (CURVE / HEART)),
    }
}

/// Whether a point is inside the heart curve. The curve has each x between its sides twice, at t
/// and π − t: the sines are equal and the cosines are opposite.
fn in_heart(x: f64, y: f64) -> bool {
    let cubed = x.abs() / CURVE;
    if cubed > 1.0 {
        return false;
    }
    let sin = cubed.cbrt();
    let cos = (1.0 - sin * sin).max(0.0).sqrt();
    (curve_height(sin, -cos)..=curve_height(sin, cos)).contains(&y)
}

/// y of the heart curve, from the sine and the cosine of t.
fn curve_height(sin: f64, cos: f64) -> f64 {
    let twice = 1.0 - 2.0 * sin * sin;
    let thrice = (4.0 * cos * cos - 3.0) * cos;
    let four_times = 2.0 * twice * twice - 1.0;
    13.0 * cos - 5.0 * twice - 2.0 * thrice - four_times
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heart_is_bounded_by_its_curve() {
        for i in 0..2_000 {
            let t = std::f64::consts::TAU * (f64::from(i) + 0.5) / 2_000.0;
            let x = 16.0 * t.sin().powi(3);
            let y =
                13.0 * t.cos() - 5.0 * (2.0 * t).cos() - 2.0 * (3.0 * t).cos() - (4.0 * t).cos();
            // One step to each side of the curve, perpendicular to its direction.
            let direction = [
                48.0 * t.sin().powi(2) * t.cos(),
                -13.0 * t.sin()
                    + 10.0 * (2.0 * t).sin()
                    + 6.0 * (3.0 * t).sin()
                    + 4.0 * (4.0 * t).sin(),
            ];
            let length = direction[0].hypot(direction[1]);
            let across = [direction[1] / length * 1e-4, -direction[0] / length * 1e-4];
            // The curve runs clockwise, so the inside is to the right of its direction. Near the
            // two points on the axis, the step can cross the axis to the other half.
            if x.abs() < 1e-2 {
                continue;
            }
            assert!(in_heart(x + across[0], y + across[1]), "t = {t}");
            assert!(!in_heart(x - across[0], y - across[1]), "t = {t}");
            assert!(x.hypot(y - CURVE_MIDDLE) < 18.3);
        }
    }
}
