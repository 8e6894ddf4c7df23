//! Arguments of `gwae config` and `gwae init`.

use std::path::PathBuf;

use clap::Args;
use gwae_priors::PriorConfig;
use gwae_train::ModelConfig;

use super::names;
use super::training::SettingsArgument;

/// Arguments of `gwae config`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gwae config runs/digits                             the configuration of a run
  gwae config config.toml                             what a file means, with all defaults
  gwae config settings/gwae.yaml > config.toml        the authors' settings as TOML
  gwae config config.toml --set training.seed=3

Every key is there with its value and a comment. What is printed is itself a configuration for
`gwae train`. A configuration that cannot train is printed, too; the exit status is then 1.")]
pub struct Config {
    /// Directory of a run, a configuration (TOML, or the authors' YAML), or - for standard input
    #[arg(value_name = "RUN|FILE")]
    pub source: PathBuf,
    /// Other values.
    #[command(flatten)]
    pub settings: SettingsArgument,
}

/// Arguments of `gwae init`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gwae init > config.toml                             a GWAE on the digits in the program
  gwae init --model vae > vae.toml
  gwae init --prior gaussian_mixture --set data.dataset=mnist --set data.directory=~/datasets
  gwae init | gwae train - --out runs/first

Every key is there with a comment. The settings give recognisable digits within minutes on two CPU
cores.")]
pub struct Init {
    /// Kind of the model
    #[arg(long, value_name = "KIND", default_value = "gwae", value_parser = parse_kind,
          help = format!("Kind of the model: {}", names::plain_model_kinds()))]
    pub model: ModelConfig,
    /// Family of a GWAE's prior
    #[arg(long, value_name = "FAMILY",
          help = format!("Family of a GWAE's prior: {} [default: neural]", names::prior_families()))]
    pub prior: Option<PriorConfig>,
    /// Other values.
    #[command(flatten)]
    pub settings: SettingsArgument,
}

fn parse_kind(kind: &str) -> Result<ModelConfig, String> {
    let known = || format!("choose one of: {}", names::plain_model_kinds());
    ModelConfig::of_kind(kind).ok_or_else(known)
}
