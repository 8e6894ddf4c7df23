//! PNG files that are either the old one or the new one, never half of one.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use image::{ImageFormat, RgbImage};

use super::ReportError;

/// Writes `picture` to a temporary name beside `path`, syncs it, and renames it.
pub(super) fn save(picture: &RgbImage, path: &Path) -> Result<(), ReportError> {
    replace(picture, path).map_err(|source| ReportError::Write {
        path: path.to_owned(),
        source,
    })
}

fn replace(picture: &RgbImage, path: &Path) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".picture-").suffix(".png");
    // Temporary files are private by default, pictures are as public as the umask allows.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(directory)?;
    // The PNG encoder seeks nowhere, but `image` asks for `Seek`; a buffer in memory is enough.
    let mut encoded = io::Cursor::new(Vec::new());
    picture
        .write_to(&mut encoded, ImageFormat::Png)
        .map_err(io::Error::other)?;
    let mut writer = BufWriter::new(file.as_file_mut());
    writer.write_all(encoded.get_ref())?;
    writer.flush()?;
    drop(writer);
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}
