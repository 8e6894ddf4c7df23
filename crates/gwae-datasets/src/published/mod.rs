//! Published datasets: reading and checking their files, and copies that are faster to read.

pub(crate) mod cached_file;
#[cfg(feature = "image-files")]
pub(crate) mod celeba;
pub(crate) mod check;
pub(crate) mod checksum;
pub(crate) mod copies;
pub(crate) mod data_event;
pub(crate) mod dsprites_file;
pub(crate) mod embedded;
pub(crate) mod file_error;
pub(crate) mod grid_items;
pub(crate) mod idx_files;
#[cfg(feature = "image-files")]
pub(crate) mod image_folder;
pub(crate) mod manifest;
pub(crate) mod mnist;
#[cfg(feature = "image-files")]
pub(crate) mod omniglot;
pub(crate) mod presence;
pub(crate) mod shapes3d_file;
