//! The tiny run that all faults hit.

use std::fs;
use std::io;
use std::path::Path;

use image::GrayImage;

/// Name of its configuration.
pub const CONFIG: &str = "tiny.toml";

/// Steps of the undisturbed run.
pub const STEPS: u64 = 6;

/// Writes the pictures and the configuration.
pub fn write_files(directory: &Path) -> io::Result<()> {
    let pictures = directory.join("pictures");
    fs::create_dir_all(&pictures)?;
    for number in 0..16_u32 {
        let picture = GrayImage::from_fn(32, 32, |x, y| {
            [((x * (number + 1)) ^ (y * 7 + number * 31)) as u8].into()
        });
        picture
            .save(pictures.join(format!("{number:02}.png")))
            .map_err(io::Error::other)?;
    }
    let pictures = pictures.display().to_string();
    let config = format!(
        "\
[model]
image_size = 32
channels = 1
latent_dim = 2
width = 0.05
[training]
batch_size = 4
critic_steps = 1
steps = {STEPS}
validate_every = 2
checkpoint_every = 1
keep_checkpoints = 2
average_decay = 0.5
[data]
dataset = \"folder\"
directory = {pictures:?}
validation_fraction = 0.25
"
    );
    fs::write(directory.join(CONFIG), config)
}
