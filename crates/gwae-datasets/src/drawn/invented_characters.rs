//! Invented handwritten characters: random strokes, drawn by invented people.

mod digits;
mod hand;
mod script;
mod stroke;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::dataset::Dataset;
use crate::drawn::pen::draw;
use crate::draws::Draws;
use crate::error::DatasetError;
use crate::factor_grid::FactorGrid;
use crate::image_shape::ImageShape;
use crate::item::{FactorKind, FactorSpec, Image, Item};
use crate::polarity::Polarity;
use crate::recipe::{check_count, check_size, settings_fingerprint};

use hand::Hand;
use script::Character;

/// Version of the images. It increases with every change of a pixel.
const VERSION: u32 = 1;

/// The settings of [`InventedCharacters`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InventedCharactersConfig {
    /// Height and width of the images in pixels: 1 to 4096. Default: 105, as in Omniglot.
    pub size: usize,
    /// Number of characters: 1 to [`InventedCharacters::MAX_CHARACTERS`]. Default: 200.
    pub characters: usize,
    /// Number of drawers. Each draws every character once. 1 or more. Default: 20, as in Omniglot.
    pub drawers: usize,
    /// Whether strokes or background are white. Default: black strokes on white, as in Omniglot.
    pub polarity: Polarity,
    /// Characters and drawers of different seeds are independent. Default: 0.
    pub seed: u64,
}

impl Default for InventedCharactersConfig {
    fn default() -> Self {
        Self {
            size: InventedCharacters::OMNIGLOT_SIZE,
            characters: 200,
            drawers: 20,
            polarity: Polarity::AsPublished,
            seed: 0,
        }
    }
}

/// Handwritten characters of no real script, grey, drawn on request. They replace
/// [Omniglot](crate::Omniglot) if its files are not available.
///
/// **Use.** Like Omniglot, the images are pen strokes on an empty background. A model of digits
/// cannot detect them by texture, colour or sharpness, but only by shape. So this is the
/// out-of-distribution dataset closest to digits that contains no digits. With black strokes on
/// white ([`Polarity::AsPublished`]), the mean of an image's pixels is enough to detect them. For a
/// fair comparison with white digits on black, use [`Polarity::Inverted`].
///
/// **Characters.** Each has one to four strokes that touch, cross, or are next to each other:
/// straight lines, corners, arcs, rings, hooks, loops, waves, zigzags, free curves and dots. A
/// draft is rejected if it is flat, if its total stroke length is too small or too large for its
/// size, or if its lines are close to those of a digit in a usual form, slant and width (symmetric
/// chamfer distance below 8 % of its longer side). So characters that look like digits, such as the
/// S and the rings in Omniglot, do not occur, and these characters are somewhat easier to
/// distinguish from digits. Parts of a character may still look like a digit.
///
/// **Drawers.** Each has a pen (3.7 to 4.7 of 105 pixels), size, proportions, slant and precision.
/// Every drawing varies these a little, and also the position of every point of every stroke.
///
/// **Brightness.** The mean of all pixels is that of Omniglot, about 0.08 inverted. Strokes have
/// grey edges, but those of the published images are black and white. After downsizing for a model,
/// they look alike.
///
/// Items are ordered by character, then by drawer. Both are categorical factors. An image is a
/// function of its index and the settings only, so the [fingerprint](Dataset::fingerprint) is a
/// digest of the settings. There is no official division into training and test part.
///
/// ```
/// use gwae_datasets::{Dataset, InventedCharacters, InventedCharactersConfig, Polarity};
///
/// let characters = InventedCharacters::new(InventedCharactersConfig {
///     size: 64,
///     polarity: Polarity::Inverted,
///     ..Default::default()
/// })?;
/// assert_eq!(characters.len(), 200 * 20);
/// assert_eq!(characters.item(21)?.factors, [1, 1]);
/// # Ok::<(), gwae_datasets::DatasetError>(())
/// ```
pub struct InventedCharacters {
    config: InventedCharactersConfig,
    characters: Vec<Character>,
    grid: FactorGrid,
}

impl InventedCharacters {
    /// Height and width of Omniglot's images in pixels.
    pub const OMNIGLOT_SIZE: usize = 105;
    /// Maximum number of characters: their strokes are in memory, and inventing one takes time.
    pub const MAX_CHARACTERS: usize = 2_000;

    /// Invents the characters (about a millisecond each, on all threads of the current Rayon pool).
    /// Drawings are made later.
    ///
    /// # Errors
    /// [`SettingError::Size`](crate::SettingError::Size) for a size of 0 or above 4096,
    /// [`SettingError::Count`](crate::SettingError::Count) for numbers of characters or drawers out
    /// of range, [`FactorGridError`](crate::FactorGridError) for more drawings than an index can
    /// count.
    pub fn new(config: InventedCharactersConfig) -> Result<Self, DatasetError> {
        check_size(config.size)?;
        check_count("characters", config.characters, Self::MAX_CHARACTERS)?;
        check_count("drawers", config.drawers, u32::MAX as usize)?;
        let factor = |name: &str, values: usize| FactorSpec {
            name: name.to_owned(),
            kind: FactorKind::Categorical,
            values: values as u32,
        };
        let grid = FactorGrid::new(vec![
            factor("character", config.characters),
            factor("drawer", config.drawers),
        ])?;
        Ok(Self {
            config,
            characters: (0..config.characters)
                .into_par_iter()
                .map(|number| Character::invent(config.seed, number as u64))
                .collect(),
            grid,
        })
    }

    /// The settings of the dataset.
    pub fn config(&self) -> &InventedCharactersConfig {
        &self.config
    }
}

impl Dataset for InventedCharacters {
    fn name(&self) -> &str {
        "invented-characters"
    }

    fn len(&self) -> usize {
        self.grid.len()
    }

    fn item(&self, index: usize) -> Result<Item, DatasetError> {
        let factors = self.grid.item_values(self.name(), index)?;
        let [character, drawer] = factors;
        let InventedCharactersConfig { size, seed, .. } = self.config;
        let hand = Hand::new(seed, u64::from(drawer));
        // By character and drawer, not by index: a larger number of drawers does not change earlier
        // drawings.
        let drawing = u64::from(character) << 32 | u64::from(drawer);
        let mut draws = Draws::new("drawing of an invented character", seed, drawing);
        let mut lines = hand.draw(&self.characters[character as usize], &mut draws);
        let frame = size as f64;
        for place in lines.iter_mut().flatten().flatten() {
            *place *= frame;
        }
        let mut pixels = draw(size, hand.pen * frame, &lines);
        if self.config.polarity == Polarity::AsPublished {
            for value in &mut pixels {
                *value = 255 - *value;
            }
        }
        Ok(Item {
            image: Image::new(ImageShape::square(size, 1), pixels),
            factors: factors.into(),
        })
    }

    fn factors(&self) -> &[FactorSpec] {
        self.grid.factors()
    }

    fn find(&self, factors: &[u32]) -> Option<usize> {
        self.grid.index_of(factors).ok()
    }

    fn fingerprint(&self) -> String {
        let InventedCharactersConfig {
            size,
            characters,
            drawers,
            polarity,
            seed,
        } = self.config;
        settings_fingerprint(&format!(
            "invented characters, version {VERSION}, size {size}, characters {characters}, \
             drawers {drawers}, polarity {polarity:?}, seed {seed}"
        ))
    }
}
