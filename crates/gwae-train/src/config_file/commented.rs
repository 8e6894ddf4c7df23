//! A configuration as a file with comments.

use toml::Table;

use super::explanations::{EXAMPLES, sections};
use crate::config::{ConfigError, RunConfig};

/// Longest line of a comment.
const COLUMNS: usize = 100;

impl RunConfig {
    /// The TOML of [`Self::to_toml`], with an explanation above each key. Keys without a value are
    /// there as comments. [`Self::load`] reads it back to an equal configuration.
    ///
    /// # Errors
    ///
    /// As [`Self::to_toml`].
    pub fn to_commented_toml(&self) -> Result<String, ConfigError> {
        let root = self.to_table()?;
        let mut text = String::new();
        for section in sections(self) {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&format!("[{}]\n", section.name));
            let mut table = table_of(&root, section.name);
            for (key, explanation) in section.keys {
                // The prior has a table of its own below.
                if (section.name, key) == ("model", "prior") {
                    continue;
                }
                match (table.remove(key), example(section.name, key)) {
                    (Some(value), _) => {
                        text.push_str(&comment(explanation));
                        text.push_str(&format!("{key} = {value}\n"));
                    }
                    (None, Some(example)) => {
                        text.push_str(&comment(&format!("{explanation} Not set; for example:")));
                        text.push_str(&format!("# {key} = {example}\n"));
                    }
                    (None, None) => {}
                }
            }
        }
        Ok(text)
    }

    /// The TOML table of the configuration.
    pub(crate) fn to_table(&self) -> Result<Table, ConfigError> {
        let text = self.to_toml()?;
        toml::from_str(&text).map_err(|error| ConfigError::Content {
            place: "the configuration".into(),
            problem: error.message().to_owned(),
        })
    }
}

/// A copy of the table of this name in `root`, such as `model.prior`. Empty if `root` has no such table.
fn table_of(root: &Table, name: &str) -> Table {
    let mut table = root;
    for part in name.split('.') {
        match table.get(part).and_then(toml::Value::as_table) {
            Some(inner) => table = inner,
            None => return Table::new(),
        }
    }
    table.clone()
}

fn example(section: &str, key: &str) -> Option<&'static str> {
    let name = format!("{section}.{key}");
    let found = EXAMPLES.iter().find(|(of, _)| *of == name);
    found.map(|(_, example)| *example)
}

/// The text as lines of a comment.
fn comment(text: &str) -> String {
    let mut lines = String::new();
    let mut line = String::from("#");
    for word in text.split_whitespace() {
        if line.chars().count() + 1 + word.chars().count() > COLUMNS {
            lines.push_str(&line);
            lines.push('\n');
            line = String::from("#");
        }
        line.push(' ');
        line.push_str(word);
    }
    lines + &line + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model_config::{ModelConfig, OwnModel};
    use gwae_datasets::ImageShape;
    use gwae_models::GwaeConfig;
    use gwae_priors::PriorConfig;
    use std::path::Path;

    /// A configuration of every kind of model and every family of priors.
    fn configurations() -> Vec<RunConfig> {
        let kinds = ModelConfig::kinds().into_iter();
        let models = kinds.map(|(kind, _)| ModelConfig::of_kind(kind).unwrap());
        let priors = PriorConfig::families().map(|(family, _)| {
            ModelConfig::from(GwaeConfig {
                prior: family.parse().unwrap(),
                ..GwaeConfig::default()
            })
        });
        let own = OwnModel::new("mine", ImageShape::square(32, 1)).with_setting("depth", 3);
        let own = std::iter::once(ModelConfig::from(own));
        let all = models.chain(priors).chain(own);
        all.map(|model| RunConfig {
            model,
            ..RunConfig::default()
        })
        .collect()
    }

    #[test]
    fn every_key_has_an_explanation() {
        for config in configurations() {
            let table = config.to_table().unwrap();
            for section in sections(&config) {
                for (key, _) in table_of(&table, section.name) {
                    let explained = section.keys.iter().find(|(name, _)| *name == key);
                    let name = format!("{}.{key}", section.name);
                    let (_, text) = explained.unwrap_or_else(|| panic!("{name}"));
                    assert!(text.ends_with('.') && text.len() > 10, "{name}: {text}");
                }
            }
        }
    }

    #[test]
    fn every_explanation_is_of_a_key_that_exists() {
        for config in configurations() {
            let table = config.to_table().unwrap();
            for section in sections(&config) {
                let table = table_of(&table, section.name);
                for (key, _) in &section.keys {
                    let name = format!("{}.{key}", section.name);
                    let is_own = name == "model.settings";
                    let there = table.contains_key(*key) || example(section.name, key).is_some();
                    assert!(there || is_own, "{name}");
                }
            }
        }
        for (name, example) in EXAMPLES {
            let (table, key) = name.split_once('.').unwrap();
            let text = format!("[{table}]\n{key} = {example}\n");
            RunConfig::parse_toml(Path::new(name), &text).unwrap();
        }
    }

    #[test]
    fn a_commented_configuration_is_read_back() {
        for mut config in configurations() {
            config.training.steps = Some(7);
            config.data.directory = Some("a \"b\" c".into());
            let text = config.to_commented_toml().unwrap();
            let read = RunConfig::parse_toml(Path::new("x"), &text);
            assert_eq!(read.unwrap(), config, "{text}");
            for line in text.lines() {
                let is_comment = line.starts_with("# ");
                assert!(!is_comment || line.chars().count() <= COLUMNS, "{line}");
            }
        }
    }
}
