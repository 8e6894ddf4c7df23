//! Letters of a printed alphabet that are no digits, laid out as MNIST's digits are.

mod outline;

use serde::{Deserialize, Serialize};

use crate::draws::Draws;
use crate::rendered::{check_count, settings_fingerprint};
use crate::{Dataset, DatasetError, FactorGrid, FactorKind, FactorSpec, Image, Item};

use outline::{Outline, outlines};

/// Version of the pictures. It goes up with every change that changes one pixel.
const VERSION: u32 = 1;

/// The letters: Latin capitals, small Latin ones, Greek and Cyrillic. What is left out, and why, is
/// in the documentation of [`Letters`]. The font has these and no others.
const LETTERS: &str = "ACEFHKLMNPRTUVWXYadefhmnrtuΓΔΛΞΠΣΦΨΩαγηλμπψωДЖИЛЦШЩЫЯ";

/// Side of the box that a letter is fitted into, as for MNIST's digits.
const BOX: f64 = 20.0;
/// Width of the font's upright strokes, in units of which 1 is the height of a line.
const STEM: f64 = 0.09;

/// What [`Letters`] are made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LettersConfig {
    /// Drawings of each letter: 1 or more. 40 by default.
    pub drawings: usize,
    /// Drawings of different seeds have nothing in common. 0 by default.
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

/// Printed letters that are no digits, 28×28 grey, white on black, drawn when an item is asked for.
///
/// **Use.** An out-of-distribution set in the very layout of MNIST: the longer side of a letter is
/// 20 pixels, its centre of mass is the middle of the image as far as whole pixels allow, and
/// brightness is close to that of digits (mean of all pixels 0.14 against 0.13). So place and size
/// do not tell letters from digits and brightness hardly does; it takes the shape, as for EMNIST's
/// letters (Cohen et al. 2017, arXiv:1702.05373), which they replace where no download is wanted.
/// The size is fixed, so that letters and digits are resized alike.
///
/// **Letters.** 53 of DejaVu Sans 2.37. Left out are those that can be read as a digit when drawn
/// by hand: as 0: D, O, Q, o, Θ, θ, О; as 1: I, J, i, j, l, ι; as 10: Ю; as 2: Z, z; as 3: З, з, Э,
/// ε, ζ, ξ; as 4: y, У, Ч, ч; as 5: S, s, ς; as 6: G, b, Б, б, Ь, Ъ, δ, σ; as 8: B, β, В; as 9: g,
/// p, q, ρ. And those that are the same shape as another one once they are fitted into a box: small
/// c, k, v, w, x, Greek and Cyrillic letters that look like Latin ones, most small Cyrillic ones.
///
/// **Drawings.** Each one is turned (standard deviation 7°), slanted (0.15 per height), stretched
/// (10 %), and its strokes are 1.6 to 3.4 pixels wide, all drawn from the seed, the letter and the
/// drawing's number.
///
/// Items are in the order of letter, then drawing; both are factors, both categorical, and the
/// letters are the names of their values. A picture is a function of its index and the settings
/// alone, so the [fingerprint](Dataset::fingerprint) is a digest of these. There is no official
/// division into training and test part. The font's origin and licence: `assets/fonts/README.md`.
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
    /// Height and width of the pictures in pixels: those of MNIST.
    pub const SIZE: usize = 28;

    /// Reads the outlines of the letters; drawings are made later.
    ///
    /// # Errors
    /// [`DatasetError::Count`] for no drawings, [`DatasetError::FactorGrid`] for more than an index
    /// can count, [`DatasetError::Font`] only where the program was built over a damaged file.
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

    /// The settings they are made from.
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

    fn train_len(&self) -> usize {
        self.grid.len()
    }

    fn item(&self, index: usize) -> Result<Item, DatasetError> {
        let factors = self.grid.item_values(self.name(), index)?;
        let [letter, drawing] = factors;
        // By letter and drawing, not by index: more drawings leave the known ones as they are.
        let number = u64::from(letter) << 32 | u64::from(drawing);
        let mut draws = Draws::new("drawing of a letter", self.config.seed, number);
        let outline = jittered(&self.outlines[letter as usize], &mut draws);
        let stroke = draws.between(1.6, 3.4);
        let (outline, thicker) = fitted(outline, stroke);
        Ok(Item {
            image: Image {
                channels: 1,
                height: Self::SIZE,
                width: Self::SIZE,
                pixels: centred(&outline.fill(Self::SIZE, thicker)),
            },
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

/// The outline turned, slanted and stretched a little.
fn jittered(outline: &Outline, draws: &mut Draws) -> Outline {
    let stretch = 1.0 + draws.bell(0.1);
    let slant = draws.bell(0.15);
    let (sin, cos) = draws.bell(7.0).to_radians().sin_cos();
    outline.map(|[x, y]| {
        let (u, v) = (x * stretch - y * slant, y / stretch);
        [u * cos - v * sin, u * sin + v * cos]
    })
}

/// The outline in pixels, and how many to add on each side of its strokes to make them `stroke`
/// wide, so that what comes out has a longer side of [`BOX`] in the middle of the image.
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
/// over its border.
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
    // Places of pixels count to their middle.
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
