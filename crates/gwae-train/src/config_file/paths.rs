//! Paths in a configuration file.

use std::path::{Path, PathBuf};

use gwae_formats::home::with_home;

use crate::config::RunConfig;

/// Replaces `~` in the paths of a configuration that was read from `file`, and lets relative paths
/// start at the directory of the file. A path that exists only from the working directory is kept;
/// `tell` then receives a line about it. Without `file`, paths start at the working directory.
pub fn resolve_paths(config: &mut RunConfig, file: Option<&Path>, tell: &mut dyn FnMut(&str)) {
    let start = file
        .and_then(Path::parent)
        .filter(|parent| !parent.as_os_str().is_empty());
    let paths = [
        ("data.directory", &mut config.data.directory),
        ("data.cache", &mut config.data.cache),
        ("training.warm_start", &mut config.training.warm_start),
    ];
    for (key, path) in paths {
        let Some(path) = path else { continue };
        *path = with_home(path);
        if let (Some(start), true) = (start, path.is_relative()) {
            *path = from_file(key, path, start, tell);
        }
    }
}

fn from_file(key: &str, path: &Path, start: &Path, tell: &mut dyn FnMut(&str)) -> PathBuf {
    let of_file = start.join(path);
    if of_file.exists() || !path.exists() {
        return of_file;
    }
    tell(&format!(
        "{key} = {} is taken from the working directory, because {} does not exist; relative paths \
         start at the configuration file",
        path.display(),
        of_file.display()
    ));
    path.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(path: &str, file: Option<&Path>) -> (PathBuf, Vec<String>) {
        let mut config = RunConfig::default();
        config.data.directory = Some(path.into());
        let mut told = Vec::new();
        resolve_paths(&mut config, file, &mut |line| told.push(line.to_owned()));
        (config.data.directory.unwrap(), told)
    }

    #[test]
    fn relative_paths_start_at_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("a.toml");
        std::fs::create_dir(directory.path().join("images")).unwrap();
        let of_file = directory.path().join("images");
        assert_eq!(resolved("images", Some(&file)), (of_file, vec![]));
        // Neither exists: the error shall name the place beside the file.
        let missing = directory.path().join("no-such-directory");
        assert_eq!(
            resolved("no-such-directory", Some(&file)),
            (missing, vec![])
        );
        // Tests run in the directory of the crate.
        let (path, told) = resolved("src", Some(&file));
        assert_eq!(path, Path::new("src"));
        assert!(told[0].contains("data.directory = src"), "{told:?}");
        for file in [None, Some(Path::new("a.toml"))] {
            assert_eq!(resolved("src", file), ("src".into(), vec![]));
        }
    }

    #[test]
    fn absolute_paths_stay() {
        let absolute = std::env::temp_dir();
        let text = absolute.to_str().unwrap();
        let file = Some(Path::new("configs/a.toml"));
        assert_eq!(resolved(text, file), (absolute.clone(), vec![]));
    }
}
