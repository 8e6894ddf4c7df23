//! Printed letters in the layout of MNIST's digits.

mod outline;

use serde::{Deserialize, Serialize};

use crate::dataset::Dataset;
use crate::draws::Draws;
use crate::error::DatasetError;
use crate::factor_grid::FactorGrid;
use crate::image_shape::ImageShape;
use crate::item::{FactorKind, FactorSpec, Image, Item};
use crate::recipe::{check_count, settings_fingerprint};

use outline::{Outline, outlines};

/// Version of the images. It increases with every change of a pixel.
const VERSION: u32 = 1;

/// The letters: Latin capitals, small Latin letters, Greek and Cyrillic. The documentation of
/// [`Letters`] says which letters are left out and why. The font contains exactly these letters.
const LETTERS: &str = "ACEFHKLMNPRTUVWXYadefhmnrtuΓΔΛΞΠΣΦΨΩαγηλμπψωДЖИЛЦШЩЫЯ";

/// Side of the box for a letter, as for MNIST's digits.
const BOX: f64 = 20.0;
/// Width of the font's vertical strokes; a unit is the height of a line.
const STEM: f64 = 0.09;

/// The settings of [`Letters`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LettersConfig {
    /// Number of drawings of each letter: 1 or more. Default: 40.
    pub drawings: usize,
    /// Drawings of different seeds are independent. Default: 0.
    pub seed: u64,
}

impl Default for LettersConfig {
    fn default() -> Self {
        Self {
            drawings: 40,
            seed: 0,
        }
    }
}

/// Printed letters that do not look like digits, 28×28 grey, white on black, drawn on request.
///
/// **Use.** An out-of-distribution dataset in exactly the layout of MNIST. The longer side of a
/// letter is 20 pixels. Its centre of mass is in the middle of the image, up to whole pixels. The
/// brightness is close to that of digits (mean of all pixels 0.14; digits have 0.13). So position
/// and size do not distinguish letters from digits, and brightness hardly does. A detector must use
/// the shape, as for EMNIST's letters (Cohen et al. 2017, arXiv:1702.05373). This dataset replaces
/// those without a download. The size is fixed, so that letters and digits are resized in the same
/// way.
///
/// **Letters.** 53 letters of DejaVu Sans 2.37. Letters are left out if a handwritten one can be
/// read as a digit: as 0: D, O, Q, o, Θ, θ, О; as 1: I, J, i, j, l, ι; as 10: Ю; as 2: Z, z; as 3:
/// З, з, Э, ε, ζ, ξ; as 4: y, У, Ч, ч; as 5: S, s, ς; as 6: G, b, Б, б, Ь, Ъ, δ, σ; as 8: B, β, В;
/// as 9: g, p, q, ρ. Letters are also left out if they have the shape of another letter after
/// scaling to the box: small c, k, v, w, x, Greek and Cyrillic letters that look like Latin ones,
/// most small Cyrillic ones.
///
/// **Drawings.** Each drawing is rotated (standard deviation 7°), slanted (0.15 per height) and
/// stretched (10 %). Its strokes are 1.6 to 3.4 pixels wide. The seed, the letter and the drawing's
/// number determine all these values.
///
/// Items are ordered by letter, then by drawing. Both are categorical factors, and the letters are
/// the names of their values. An image is a function of its index and the settings only, so the
/// [fingerprint](Dataset::fingerprint) is a digest of the settings. There is no official division
/// into training and test part. The font's origin and licence: `assets/fonts/README.md`.
///
/// ```
/// use gwae_datasets::{Dataset, Letters, LettersConfig};
///
/// let letters = Letters::new(LettersConfig::default())?;
/// assert_eq!(letters.len(), 53 * 40);
/// assert_eq!(letters.value_names(0).unwrap()[0], "A");
/// assert_eq!(letters.item(41)?.factors, [1, 1]);
/// # Ok::<(), gwae_datasets::DatasetError>(())
/// ```
pub struct Letters {
    config: LettersConfig,
    outlines: Vec<Outline>,
    names: Vec<String>,
    grid: FactorGrid,
}

impl Letters {
    /// Height and width of the images in pixels, as in MNIST.
    pub const SIZE: usize = 28;

    /// Reads the outlines of the letters. Drawings are made later.
    ///
    /// # Errors
    /// [`SettingError::Count`](crate::SettingError::Count) for no drawings,
    /// [`FactorGridError`](crate::FactorGridError) for more than an index can count. Another error
    /// only if the program was built with a damaged file.
    pub fn new(config: LettersConfig) -> Result<Self, DatasetError> {
        check_count("drawings", config.drawings, u32::MAX as usize)?;
        let factor = |name: &str, values: usize| FactorSpec {
            name: name.to_owned(),
            kind: FactorKind::Categorical,
            values: values as u32,
        };
        let grid = FactorGrid::new(vec![
            factor("letter", LETTERS.chars().count()),
            factor("drawing", config.drawings),
        ])?;
        Ok(Self {
            config,
            outlines: outlines(LETTERS)?,
            names: LETTERS.chars().map(String::from).collect(),
            grid,
        })
    }

    /// The settings of the dataset.
    pub fn config(&self) -> &LettersConfig {
        &self.config
    }
}

impl Dataset for Letters {
    fn name(&self) -> &str {
        "letters"
    }

    fn len(&self) -> usize {
        self.grid.len()
    }

    fn item(&self, index: usize) -> Result<Item, DatasetError> {
        let factors = self.grid.item_values(self.name(), index)?;
        let [letter, drawing] = factors;
        // By letter and drawing, not by index: a larger number of drawings does not change earlier
        // ones.
        let number = u64::from(letter) << 32 | u64::from(drawing);
        let mut draws = Draws::new("drawing of a letter", self.config.seed, number);
        let outline = jittered(&self.outlines[letter as usize], &mut draws);
        let stroke = draws.between(1.6, 3.4);
        let (outline, thicker) = fitted(outline, stroke);
        Ok(Item {
            image: Image::new(
                ImageShape::square(Self::SIZE, 1),
                centred(&outline.fill(Self::SIZE, thicker)),
            ),
            factors: factors.into(),
        })
    }

    fn factors(&self) -> &[FactorSpec] {
        self.grid.factors()
    }

    fn value_names(&self, factor: usize) -> Option<&[String]> {
        (factor == 0).then_some(&self.names)
    }

    fn find(&self, factors: &[u32]) -> Option<usize> {
        self.grid.index_of(factors).ok()
    }

    fn fingerprint(&self) -> String {
        let LettersConfig { drawings, seed } = self.config;
        settings_fingerprint(&format!(
            "letters {LETTERS}, version {VERSION}, drawings {drawings}, seed {seed}"
        ))
    }
}

/// Rotates, slants and stretches the outline a little.
fn jittered(outline: &Outline, draws: &mut Draws) -> Outline {
    let stretch = 1.0 + draws.bell(0.1);
    let slant = draws.bell(0.15);
    let (sin, cos) = draws.bell(7.0).to_radians().sin_cos();
    outline.map(|[x, y]| {
        let (u, v) = (x * stretch - y * slant, y / stretch);
        [u * cos - v * sin, u * sin + v * cos]
    })
}

/// The outline in pixels, and the number of pixels to add on each side of its strokes so that they
/// are `stroke` wide. The longer side of the result is [`BOX`], in the middle of the image.
fn fitted(outline: Outline, stroke: f64) -> (Outline, f64) {
    let [low, high] = outline.bounds();
    let side = (high[0] - low[0]).max(high[1] - low[1]);
    // side · scale + 2 · thicker = BOX, where 2 · thicker = stroke − STEM · scale.
    let scale = (BOX - stroke) / (side - STEM);
    let middle = Letters::SIZE as f64 / 2.0;
    let outline = outline.map(|point| {
        [0, 1].map(|axis| middle + scale * (point[axis] - (low[axis] + high[axis]) / 2.0))
    });
    (outline, (stroke - STEM * scale) / 2.0)
}

/// The image moved by whole pixels so that its centre of mass is closest to its middle, but never
/// beyond its border.
fn centred(pixels: &[u8]) -> Vec<u8> {
    const SIZE: usize = Letters::SIZE;
    let mut mass = 0;
    let mut moments = [0_u64; 2];
    let mut low = [SIZE; 2];
    let mut high = [0; 2];
    for (place, &value) in pixels.iter().enumerate().filter(|(_, value)| **value > 0) {
        mass += u64::from(value);
        for (axis, place) in [place % SIZE, place / SIZE].into_iter().enumerate() {
            moments[axis] += u64::from(value) * place as u64;
            low[axis] = low[axis].min(place);
            high[axis] = high[axis].max(place);
        }
    }
    let mut moved = vec![0; pixels.len()];
    if mass == 0 {
        return moved;
    }
    // The position of a pixel is that of its middle.
    let middle = (SIZE - 1) as f64 / 2.0;
    let shift = [0, 1].map(|axis| {
        let shift = (middle - moments[axis] as f64 / mass as f64).round() as isize;
        shift.clamp(-(low[axis] as isize), (SIZE - 1 - high[axis]) as isize)
    });
    let target = |place: usize, axis: usize| place.wrapping_add_signed(shift[axis]);
    for row in low[1]..=high[1] {
        for column in low[0]..=high[0] {
            moved[target(row, 1) * SIZE + target(column, 0)] = pixels[row * SIZE + column];
        }
    }
    moved
}
