//! The settings of a model, and how they are read.

mod error;
mod model;
mod table;

pub use error::ModelConfigError;
pub(crate) use error::{MOST_PRIOR_PARAMETERS, in_range};
pub use model::{ModelSettings, SingleObjectiveSettings};
pub(crate) use table::settings_table;
#[doc(hidden)]
pub use table::{field_names, read_table};
