//! Opens datasets by name, and gives their images in the form that a model takes.

mod by_name;
mod model_images;

pub use by_name::{Preparation, PreparationStage, open_dataset};
pub use model_images::{draw_split, images_of, open_images, open_images_if, transform};
