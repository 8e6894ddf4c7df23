//! A dataset as one word, for command lines: `omniglot+inverted=~/datasets`.

use std::fmt;
use std::str::FromStr;

use gwae_formats::home::with_home;

use super::DataConfig;
use super::error::DataConfigError;
use crate::derived::patch_shuffled::PatchShuffled;
use crate::polarity::Polarity;

impl FromStr for DataConfig {
    type Err = DataConfigError;

    /// `NAME[+inverted][+shuffled][=DIRECTORY]`, such as `digits+shuffled` or
    /// `omniglot+inverted=datasets`.
    fn from_str(text: &str) -> Result<Self, DataConfigError> {
        let (names, directory) = match text.split_once('=') {
            Some((names, directory)) => (names, Some(with_home(directory.as_ref()))),
            None => (text, None),
        };
        let mut names = names.split('+');
        let dataset = names.next().unwrap_or_default().parse()?;
        let mut config = Self::of(dataset, directory);
        for change in names {
            match change {
                "inverted" => config.polarity = Some(Polarity::Inverted),
                "shuffled" => config.patch_shuffle = Some(PatchShuffled::DEFAULT_GRID),
                _ => return Err(DataConfigError::UnknownChange(change.to_owned())),
            }
        }
        Ok(config)
    }
}

impl fmt::Display for DataConfig {
    /// The name without the directory.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut name = self.dataset.to_string();
        if self.polarity == Some(Polarity::Inverted) {
            name.push_str("+inverted");
        }
        if self.patch_shuffle.is_some() {
            name.push_str("+shuffled");
        }
        formatter.pad(&name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::DatasetName;

    #[test]
    fn names_are_read_back() {
        for name in [
            "digits",
            "digits+shuffled",
            "omniglot+inverted",
            "letters+inverted+shuffled",
        ] {
            assert_eq!(name.parse::<DataConfig>().unwrap().to_string(), name);
        }
        let config: DataConfig = "omniglot+inverted=some/place=1".parse().unwrap();
        assert_eq!(config.dataset, DatasetName::Omniglot);
        assert_eq!(config.directory, Some("some/place=1".into()));
        assert_eq!(config.to_string(), "omniglot+inverted");
    }

    #[test]
    fn what_is_unknown_is_named() {
        let message = |text: &str| text.parse::<DataConfig>().unwrap_err().to_string();
        assert!(message("digit").contains("`digit`"));
        assert!(message("digits+rotated").contains("`+rotated`"));
        assert!(message("").contains("``"));
    }
}
