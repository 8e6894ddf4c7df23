//! The quantity that tells whether a model improved.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::option_error::{OptionError, check};
use crate::option_table::deserialize_option;

/// Whether lower or higher values of a quantity are better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Goal {
    /// Lower is better, as for a loss.
    #[default]
    Lowest,
    /// Higher is better, as for a signal-to-noise ratio.
    Highest,
}

impl Goal {
    /// Whether `value` is finite and strictly better than `best`. Without `best` it only has to be
    /// finite.
    pub fn is_better(self, value: f64, best: Option<f64>) -> bool {
        let better = |best: f64| match self {
            Self::Lowest => value < best,
            Self::Highest => value > best,
        };
        value.is_finite() && best.is_none_or(better)
    }
}

/// The quantity that decides which checkpoint is the best one, and when the patience runs out: any
/// loss that a validation logs, or a number from a callback.
///
/// In TOML: a name, `monitor = "total"`, if the lowest value is best, or a table,
/// `monitor = { name = "psnr", goal = "highest" }`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct MonitorConfig {
    /// Its name in the log.
    pub name: String,
    /// Whether the lowest or the highest value is best (default: the lowest).
    #[serde(default)]
    pub goal: Goal,
}

impl Default for MonitorConfig {
    /// The lowest total loss.
    fn default() -> Self {
        Self {
            name: "total".into(),
            goal: Goal::Lowest,
        }
    }
}

/// A quantity that a run does not log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "training.monitor: a validation of this run has no `{name}`, only {known}{}",
    nearest.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
)]
pub struct MonitorError {
    /// The monitored name.
    pub name: String,
    /// The existing names, in the order of the log.
    pub known: String,
    /// The most similar existing name, if one is similar.
    pub nearest: Option<String>,
}

impl MonitorConfig {
    /// Checks that the name is not empty. The existing names depend on the model and the callbacks;
    /// [`Self::value`] checks those.
    ///
    /// # Errors
    /// For an empty name.
    pub fn validate(&self) -> Result<(), OptionError> {
        check(
            !self.name.is_empty(),
            "monitor.name",
            "\"\"",
            "the name of a loss in the log, such as \"total\"",
        )
    }

    /// The monitored value among the numbers of a validation.
    ///
    /// # Errors
    /// When no number has this name; the error lists the existing names and the most similar one.
    pub fn value<N: AsRef<str>>(&self, named: &[(N, f64)]) -> Result<f64, MonitorError> {
        let names = || named.iter().map(|(name, _)| name.as_ref());
        match names().position(|name| name == self.name) {
            Some(place) => Ok(named[place].1),
            None => Err(MonitorError {
                name: self.name.clone(),
                known: names().collect::<Vec<_>>().join(", "),
                nearest: names()
                    .min_by_key(|name| strsim::osa_distance(&self.name, name))
                    .map(str::to_owned),
            }),
        }
    }
}

impl<'de> Deserialize<'de> for MonitorConfig {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let expected = "a name, such as monitor = \"total\", or a table, such as \
                        monitor = { name = \"psnr\", goal = \"highest\" }";
        deserialize_option(source, "name", None, expected, |table| {
            Self::deserialize(table)
        })
    }
}

impl Serialize for MonitorConfig {
    fn serialize<S: Serializer>(&self, target: S) -> Result<S::Ok, S::Error> {
        match self.goal {
            Goal::Lowest => target.serialize_str(&self.name),
            Goal::Highest => Self::serialize(self, target),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Options {
        #[serde(default)]
        monitor: MonitorConfig,
    }

    fn read(text: &str) -> Result<MonitorConfig, String> {
        toml::from_str::<Options>(text)
            .map(|options| options.monitor)
            .map_err(|error| error.message().to_owned())
    }

    fn psnr() -> MonitorConfig {
        MonitorConfig {
            name: "psnr".into(),
            goal: Goal::Highest,
        }
    }

    #[test]
    fn a_name_or_a_table() {
        assert_eq!(read("").unwrap(), MonitorConfig::default());
        assert_eq!(
            read("monitor = \"total\"").unwrap(),
            MonitorConfig::default()
        );
        let table = "monitor = { name = \"psnr\", goal = \"highest\" }";
        assert_eq!(read(table).unwrap(), psnr());
        assert_eq!(
            read("monitor = { name = \"gw\" }").unwrap(),
            read("monitor = \"gw\"").unwrap()
        );
        for (text, expected) in [
            ("monitor = { goal = \"highest\" }", "missing field `name`"),
            (
                "monitor = { name = \"gw\", goal = \"lowset\" }",
                "unknown variant `lowset`, expected `lowest` or `highest`",
            ),
            (
                "monitor = { name = \"gw\", gaol = \"lowest\" }",
                "unknown field `gaol`",
            ),
            ("monitor = 3", "a name, such as monitor = \"total\""),
        ] {
            let message = read(text).unwrap_err();
            assert!(message.contains(expected), "{text}: {message}");
        }
    }

    #[test]
    fn what_is_written_is_read() {
        for monitor in [MonitorConfig::default(), psnr()] {
            let options = Options { monitor };
            let text = toml::to_string(&options).unwrap();
            assert_eq!(toml::from_str::<Options>(&text).unwrap(), options, "{text}");
            let text = serde_json::to_string(&options).unwrap();
            assert_eq!(serde_json::from_str::<Options>(&text).unwrap(), options);
        }
    }

    #[test]
    fn the_value_of_that_name() {
        let named = [("total", 3.0), ("gw", 1.0), ("psnr", 20.0)];
        assert_eq!(MonitorConfig::default().value(&named), Ok(3.0));
        assert_eq!(psnr().value(&named), Ok(20.0));
        assert_eq!(psnr().value(&[("psnr".to_owned(), 1.0)]), Ok(1.0));
    }

    #[test]
    fn an_unknown_name_is_told_the_others() {
        let monitor = MonitorConfig {
            name: "pnsr".into(),
            goal: Goal::Highest,
        };
        monitor.validate().unwrap();
        let error = monitor.value(&[("total", 3.0), ("psnr", 20.0)]);
        assert_eq!(
            error.unwrap_err().to_string(),
            "training.monitor: a validation of this run has no `pnsr`, only total, psnr; did you \
             mean `psnr`?"
        );
        assert!(read("monitor = \"\"").unwrap().validate().is_err());
    }

    #[test]
    fn only_finite_and_strictly_better_values_are_better() {
        assert!(Goal::Lowest.is_better(1.0, Some(2.0)));
        assert!(!Goal::Highest.is_better(1.0, Some(2.0)));
        assert!(Goal::Highest.is_better(3.0, Some(2.0)));
        for goal in [Goal::Lowest, Goal::Highest] {
            assert!(goal.is_better(2.0, None));
            assert!(!goal.is_better(2.0, Some(2.0)));
            for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                assert!(!goal.is_better(value, None));
                assert!(!goal.is_better(value, Some(2.0)));
            }
        }
    }
}
