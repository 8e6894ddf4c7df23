//! What becomes of images that cannot be read.

use serde::{Deserialize, Serialize};

/// What becomes of the images of a folder that cannot be read, such as those that are cut short.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unreadable {
    /// They are an error that names them.
    #[default]
    Refuse,
    /// They are left out.
    Skip,
}
