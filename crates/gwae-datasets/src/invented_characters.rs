//! Characters of no script: strokes invented at random, drawn by invented people.

mod digits;
mod hand;
mod script;
mod stroke;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::draws::Draws;
use crate::pen::draw;
use crate::rendered::{check_count, check_size, settings_fingerprint};
use crate::{Dataset, DatasetError, FactorGrid, FactorKind, FactorSpec, Image, Item, Polarity};

use hand::Hand;
use script::Character;

/// Version of the pictures. It goes up with every change that changes one pixel.
const VERSION: u32 = 1;

/// What [`InventedCharacters`] are made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InventedCharactersConfig {
    /// Height and width of the pictures in pixels: 1 to 4096. 105, as in Omniglot, by default.
    pub size: usize,
    /// Number of characters: 1 to [`InventedCharacters::MAX_CHARACTERS`]. 200 by default.
    pub characters: usize,
    /// Number of people who each draw every character once: 1 or more. 20, as in Omniglot, by
    /// default.
    pub drawers: usize,
    /// Which of stroke and ground is white. Black strokes on white, as in Omniglot, by default.
    pub polarity: Polarity,
    /// Characters and drawers of different seeds have nothing in common. 0 by default.
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

/// Handwritten characters of no script, grey, drawn when an item is asked for: what stands in for
/// [Omniglot](crate::Omniglot) where its files are not there.
///
/// **Use.** Like Omniglot's, they are strokes of a pen on an empty ground, so a model of digits
/// cannot tell them by texture, colour or sharpness, but only by shape: the out-of-distribution set
/// that is closest to digits without showing any. With black strokes on white
/// ([`Polarity::AsPublished`]) the mean of a picture's pixels alone gives them away; the honest
/// comparison with white digits on black is [`Polarity::Inverted`].
///
/// **Characters.** Each is one to four strokes that touch, cross, or stand beside one another:
/// straight ones, corners, arcs, rings, hooks, loops, waves, zigzags, free curves and dots. A draft
/// is thrown away if it is flat, has too few or too many strokes for its size, or if its lines are
/// close to those of a digit in one of its usual forms, slants and widths (symmetric chamfer
/// distance below 8 % of its longer side). What looks like digits among Omniglot's characters, such
/// as its S and its rings, is therefore not there, so that telling these characters from digits is
/// somewhat easier. Parts of a character may still look like a digit.
///
/// **Drawers.** Each has a pen (3.7 to 4.7 of 105 pixels), size, proportions, slant and care of their
/// own; every drawing differs in these a little too, and in the place of every point of every
/// stroke.
///
/// **Brightness.** The mean of all pixels is that of Omniglot, about 0.08 inverted.
/// Strokes have grey edges, where the published pictures are black and white; made smaller, as for
/// a model, they look alike.
///
/// Items are in the order of character, then drawer; both are factors, both categorical. A picture
/// is a function of its index and the settings alone, so the [fingerprint](Dataset::fingerprint) is
/// a digest of these. There is no official division into training and test part.
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
    /// Height and width of Omniglot's pictures in pixels.
    pub const OMNIGLOT_SIZE: usize = 105;
    /// Most characters: their strokes are kept in memory, and inventing one takes a while.
    pub const MAX_CHARACTERS: usize = 2_000;

    /// Invents the characters (about a millisecond each, on all threads of the current Rayon pool);
    /// drawings are made later.
    ///
    /// # Errors
    /// [`DatasetError::Size`] for a size of 0 or above 4096, [`DatasetError::Count`] for numbers of
    /// characters or drawers out of range, [`DatasetError::FactorGrid`] for more drawings than an
    /// index can count.
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

    /// The settings they were made from.
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

    fn train_len(&self) -> usize {
        self.grid.len()
    }

    fn item(&self, index: usize) -> Result<Item, DatasetError> {
        let factors = self.grid.item_values(self.name(), index)?;
        let [character, drawer] = factors;
        let InventedCharactersConfig { size, seed, .. } = self.config;
        let hand = Hand::new(seed, u64::from(drawer));
        // By character and drawer, not by index: more drawers leave the known drawings as they are.
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
            image: Image {
                channels: 1,
                height: size,
                width: size,
                pixels,
            },
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
