//! How the learning rate changes over the steps of a run.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::option_error::{OptionError, check};
use crate::option_table::deserialize_option;

/// How the learning rates change over the steps of a run, as a factor of `learning_rate` and
/// `critic_learning_rate`. The linear warm-up of `warmup_steps` is another factor.
///
/// In TOML: a name, `schedule = "constant"`, or a table,
/// `schedule = { kind = "cosine", steps = 20000 }`.
///
/// The factors are those of Burn's schedulers, but each depends on the step alone. So a run saves
/// nothing to continue exactly, and a changed schedule applies from the next step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "lowercase",
    deny_unknown_fields,
    remote = "Self"
)]
pub enum ScheduleConfig {
    /// Always 1.
    #[default]
    Constant,
    /// Linear, from 1 at the first step to `end` after `steps` more; then `end`.
    Linear {
        /// Steps between 1 and `end`, from 1 to 10¹².
        steps: u64,
        /// The last factor, from 0 to 1 (default 0).
        #[serde(default)]
        end: f64,
    },
    /// Half a cosine wave, from 1 at the first step to `end` after `steps` more; then `end`. (The
    /// schedules of Burn and PyTorch rise again after that.)
    Cosine {
        /// Steps between 1 and `end`, from 1 to 10¹².
        steps: u64,
        /// The last factor, from 0 to 1 (default 0).
        #[serde(default)]
        end: f64,
    },
    /// 1 at the first step, multiplied by `gamma` at every step after it.
    Exponential {
        /// Factor per step, above 0 and at most 1, such as 0.9999.
        gamma: f64,
    },
    /// 1 for the first `step_size` steps, then multiplied by `gamma` every `step_size` steps.
    Step {
        /// Steps with the same factor, from 1 to 10¹².
        step_size: u64,
        /// The multiplier, above 0 and at most 1 (default 0.1).
        #[serde(default = "default_step_gamma")]
        gamma: f64,
    },
    /// Rises linearly to 1 at step `warmup_steps`, then falls with the inverse square root of the
    /// step (Vaswani et al. 2017). It includes a warm-up, so leave `training.warmup_steps` at 0.
    Noam {
        /// The step at which the factor is 1, from 1 to 10¹² (default 4000).
        #[serde(default = "default_noam_warmup")]
        warmup_steps: u64,
    },
}

fn default_step_gamma() -> f64 {
    0.1
}

fn default_noam_warmup() -> u64 {
    4_000
}

/// More steps than any run has; a double can still represent the next integer.
const MOST_STEPS: u64 = 1_000_000_000_000;

impl ScheduleConfig {
    /// Checks every field.
    ///
    /// # Errors
    /// Names the first field that is out of range, its value and the allowed values.
    pub fn validate(&self) -> Result<(), OptionError> {
        let check_steps = |field, steps: u64| {
            let allowed = "from 1 to 1000000000000";
            check((1..=MOST_STEPS).contains(&steps), field, steps, allowed)
        };
        let check_gamma = |gamma: f64| {
            let valid = gamma > 0.0 && gamma <= 1.0;
            check(valid, "schedule.gamma", gamma, "above 0 and at most 1")
        };
        match *self {
            Self::Constant => Ok(()),
            Self::Linear { steps, end } | Self::Cosine { steps, end } => {
                check_steps("schedule.steps", steps)?;
                let valid = (0.0..=1.0).contains(&end);
                check(valid, "schedule.end", end, "from 0 to 1")
            }
            Self::Exponential { gamma } => check_gamma(gamma),
            Self::Step { step_size, gamma } => {
                check_steps("schedule.step_size", step_size)?;
                check_gamma(gamma)
            }
            Self::Noam { warmup_steps } => check_steps("schedule.warmup_steps", warmup_steps),
        }
    }

    /// The factor of the learning rates at main step `step`, counted from 1. The critic steps after
    /// a main step have the same factor.
    pub fn factor(&self, step: u64) -> f64 {
        let before = step.saturating_sub(1);
        let share = |steps: u64| before.min(steps) as f64 / steps as f64;
        match *self {
            Self::Constant => 1.0,
            Self::Linear { steps, end } => 1.0 - (1.0 - end) * share(steps),
            Self::Cosine { steps, end } => {
                let height = 0.5 * (1.0 + (std::f64::consts::PI * share(steps)).cos());
                end + (1.0 - end) * height
            }
            Self::Exponential { gamma } => gamma.powf(before as f64),
            Self::Step { step_size, gamma } => gamma.powf((before / step_size) as f64),
            Self::Noam { warmup_steps } => {
                let share = step.max(1) as f64 / warmup_steps as f64;
                share.min(share.sqrt().recip())
            }
        }
    }
}

impl<'de> Deserialize<'de> for ScheduleConfig {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let expected = "a name, such as schedule = \"constant\", or a table, such as \
                        schedule = { kind = \"cosine\", steps = 20000 }";
        deserialize_option(source, "kind", Some("constant"), expected, |table| {
            Self::deserialize(table)
        })
    }
}

impl Serialize for ScheduleConfig {
    fn serialize<S: Serializer>(&self, target: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Constant => target.serialize_str("constant"),
            _ => Self::serialize(self, target),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::lr_scheduler::cosine::CosineAnnealingLrSchedulerConfig;
    use burn::lr_scheduler::exponential::ExponentialLrSchedulerConfig;
    use burn::lr_scheduler::linear::LinearLrSchedulerConfig;
    use burn::lr_scheduler::module_lr_scheduler::ModuleLrScheduler;
    use burn::lr_scheduler::noam::NoamLrSchedulerConfig;
    use burn::lr_scheduler::step::StepLrSchedulerConfig;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Options {
        #[serde(default)]
        schedule: ScheduleConfig,
        seed: u64,
    }

    fn read(schedule: &str) -> Result<ScheduleConfig, String> {
        let text = format!("schedule = {schedule}\nseed = 1\n");
        toml::from_str::<Options>(&text)
            .map(|options| options.schedule)
            .map_err(|error| error.message().to_owned())
    }

    const EVERY_KIND: [ScheduleConfig; 6] = [
        ScheduleConfig::Constant,
        ScheduleConfig::Linear {
            steps: 40,
            end: 0.2,
        },
        ScheduleConfig::Cosine {
            steps: 40,
            end: 0.1,
        },
        ScheduleConfig::Exponential { gamma: 0.97 },
        ScheduleConfig::Step {
            step_size: 7,
            gamma: 0.5,
        },
        ScheduleConfig::Noam { warmup_steps: 16 },
    ];

    /// Compares with Burn's schedulers, from the first step to the `steps`-th.
    fn assert_as_burns(schedule: ScheduleConfig, burns: ModuleLrScheduler, steps: u64) {
        let mut burns = burns;
        for step in 1..=steps {
            let (found, expected) = (schedule.factor(step), burns.step().base());
            assert!(
                (found - expected).abs() < 1e-12,
                "{schedule:?}, step {step}: {found} instead of {expected}"
            );
        }
    }

    #[test]
    fn factors_are_those_of_burns_schedulers() {
        let [constant, linear, cosine, exponential, step, noam] = EVERY_KIND;
        assert_as_burns(constant, 1.0.into(), 100);
        let burns = LinearLrSchedulerConfig::new(1.0, 0.2, 40).init();
        assert_as_burns(linear, burns.unwrap(), 100);
        let burns = CosineAnnealingLrSchedulerConfig::new(1.0, 40).with_min_lr(0.1);
        assert_as_burns(cosine, burns.init().unwrap(), 41);
        let burns = ExponentialLrSchedulerConfig::new(1.0, 0.97).init();
        assert_as_burns(exponential, burns.unwrap(), 100);
        let burns = StepLrSchedulerConfig::new(1.0, 7).with_gamma(0.5).init();
        assert_as_burns(step, burns.unwrap(), 100);
        // √(model size)·√(warm-up steps) scales the highest value to 1.
        let burns = NoamLrSchedulerConfig::new(8.0)
            .with_warmup_steps(16)
            .with_model_size(4);
        assert_as_burns(noam, burns.init().unwrap(), 100);
    }

    #[test]
    fn a_cosine_stays_at_its_end() {
        let cosine = EVERY_KIND[2];
        for step in [41, 42, 80, u64::MAX] {
            assert!((cosine.factor(step) - 0.1).abs() < 1e-15);
        }
    }

    #[test]
    fn factors_are_within_0_and_1_at_any_step() {
        for schedule in EVERY_KIND {
            for step in [0, 1, 2, 41, 1 << 40, u64::MAX] {
                let factor = schedule.factor(step);
                assert!((0.0..=1.0).contains(&factor), "{schedule:?}: {factor}");
            }
        }
    }

    #[test]
    fn a_name_or_a_table() {
        let without: Options = toml::from_str("seed = 1").unwrap();
        assert_eq!(without.schedule, ScheduleConfig::Constant);
        assert_eq!(read("\"constant\"").unwrap(), ScheduleConfig::Constant);
        assert_eq!(
            read("\"noam\"").unwrap(),
            ScheduleConfig::Noam {
                warmup_steps: 4_000
            }
        );
        assert_eq!(
            read("{ kind = \"cosine\", steps = 20000 }").unwrap(),
            ScheduleConfig::Cosine {
                steps: 20_000,
                end: 0.0
            }
        );
        for (text, expected) in [
            ("\"linear\"", "missing field `steps`"),
            ("\"cosin\"", "unknown variant `cosin`"),
            ("{ kind = \"step\", every = 1 }", "unknown field `every`"),
            (
                "{ kind = \"constant\", steps = 1 }",
                "unknown field `steps`",
            ),
            ("{ kind = \"step\", step_size = -1 }", "-1"),
            ("0.5", "schedule = { kind = \"cosine\", steps = 20000 }"),
        ] {
            let message = read(text).unwrap_err();
            assert!(message.contains(expected), "{text}: {message}");
        }
    }

    #[test]
    fn what_is_written_is_read() {
        for schedule in EVERY_KIND {
            let options = Options { schedule, seed: 7 };
            let text = toml::to_string(&options).unwrap();
            assert_eq!(toml::from_str::<Options>(&text).unwrap(), options, "{text}");
            let text = serde_json::to_string(&options).unwrap();
            assert_eq!(serde_json::from_str::<Options>(&text).unwrap(), options);
        }
    }

    #[test]
    fn values_out_of_range_are_named() {
        for schedule in EVERY_KIND {
            schedule.validate().unwrap();
        }
        for (text, expected) in [
            (
                "{ kind = \"linear\", steps = 0 }",
                "training.schedule.steps = 0 is out of range: it must be from 1",
            ),
            (
                "{ kind = \"cosine\", steps = 9, end = 1.5 }",
                "schedule.end = 1.5",
            ),
            (
                "{ kind = \"exponential\", gamma = 0 }",
                "schedule.gamma = 0",
            ),
            (
                "{ kind = \"step\", step_size = 0 }",
                "schedule.step_size = 0",
            ),
            (
                "{ kind = \"step\", step_size = 1, gamma = nan }",
                "schedule.gamma = NaN",
            ),
            (
                "{ kind = \"noam\", warmup_steps = 0 }",
                "schedule.warmup_steps = 0",
            ),
        ] {
            let message = read(text).unwrap().validate().unwrap_err().to_string();
            assert!(message.contains(expected), "{text}: {message}");
        }
    }
}
