//! `~` in paths that no shell has read.

use std::path::{Path, PathBuf};

/// The path with the user's home directory in place of a leading `~`. Without a home directory, and
/// for the home of another user (`~name`), it stays as it is.
pub fn with_home(path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), std::env::home_dir()) {
        (Ok(rest), Some(home)) if !home.as_os_str().is_empty() => match rest.as_os_str().is_empty()
        {
            true => home,
            false => home.join(rest),
        },
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_leading_tilde_is_the_home() {
        let home = std::env::home_dir().unwrap();
        assert_eq!(with_home(Path::new("~")), home);
        assert_eq!(with_home(Path::new("~/a/b")), home.join("a/b"));
        for other in ["a/~", "~someone/a", "/~/a", ""] {
            assert_eq!(with_home(Path::new(other)), Path::new(other));
        }
    }
}
