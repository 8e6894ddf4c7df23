//! Arguments of the commands that compare with the authors' program.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use gwae_priors::Form;

use super::{DeviceArgument, parse_positive};

/// Arguments of `gwae import`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gwae import runs/celeba_gwae/checkpoint_best.pth --out runs/celeba
  gwae sample runs/celeba

The hyper-parameters come from --config, else from the checkpoint's options, else from the names and
shapes of its parameters. Names and shapes do not tell learned_similarity and mixed_potential, which
are then taken to be off.

The authors' samplers of the Gaussian mixture and the causal prior have mistakes. The weights were
trained with them. So the default here is --form official, which keeps them.

An imported model can be used, but not trained on: the checkpoint says nothing of its training data.")]
pub struct Import {
    /// Checkpoint that the authors' program wrote
    #[arg(value_name = "CHECKPOINT.pth")]
    pub source: PathBuf,
    /// Directory of the run to make; it must be new or empty
    #[arg(long, value_name = "RUN")]
    pub out: PathBuf,
    /// Settings (TOML, or the authors' YAML) that replace the checkpoint's own
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Form of a gaussian_mixture or causal prior. A TOML file given with --config says it itself
    #[arg(long, value_name = "FORM", default_value = "official")]
    pub form: FormName,
    /// Where to compute.
    #[command(flatten)]
    pub device: DeviceArgument,
}

/// Which form of a prior.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FormName {
    /// What the paper describes.
    Corrected,
    /// What the authors' program computes.
    Official,
}

impl From<FormName> for Form {
    fn from(name: FormName) -> Self {
        match name {
            FormName::Corrected => Self::Corrected,
            FormName::Official => Self::Official,
        }
    }
}

/// Arguments of `gwae verify`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gwae verify crates/gwae-official/tests/golden/{np,gmp}_merged.json
  gwae verify --checkpoint official_np_z64.pth --expect official_np_z64.json
  gwae verify --device wgpu --tolerance 1e-2 crates/gwae-official/tests/golden/*_merged.json

A trajectory file holds the losses of a few training steps. Its batch, noise and first weights follow
from names, so the same steps are trained here and compared. A difference is relative to the expected
value, or to 0.001 where that is smaller.

The exit status is 0 when every loss (of a checkpoint: every quantity) is within the tolerance, else 1.
Parameter norms and the evaluation pass are shown, and marked where they exceed it, but do not decide.

RMSprop divides a gradient by its own size. Where a gradient is almost zero, rounding decides which way
a whole step goes. In single precision, two correct programs can therefore differ by more than the
tolerance. So the CPU computes in double precision unless --precision single is given, which is what
training uses. bf16 and f16 show what training.precision costs; they do not agree.")]
pub struct Verify {
    /// Trajectory files
    #[arg(value_name = "TRAJECTORY.json", required_unless_present = "checkpoint")]
    pub trajectories: Vec<PathBuf>,
    /// Checkpoint (.pth) of the authors' program to import and compare
    #[arg(long, value_name = "X.pth", requires = "expect")]
    pub checkpoint: Option<PathBuf>,
    /// What the authors' program computes from that checkpoint
    #[arg(long, value_name = "X.json", requires = "checkpoint")]
    pub expect: Option<PathBuf>,
    /// Floating-point type. Without it: double on the CPU, single elsewhere
    #[arg(long, value_name = "TYPE")]
    pub precision: Option<Precision>,
    /// Largest relative difference that counts as agreement
    #[arg(long, value_name = "T", default_value_t = 1e-3, value_parser = parse_positive)]
    pub tolerance: f64,
    /// Where to compute.
    #[command(flatten)]
    pub device: DeviceArgument,
}

/// Floating-point type to compute in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Precision {
    /// 32 bits, what training uses.
    Single,
    /// 64 bits, on the CPU only.
    Double,
    /// Encoder and decoder in bfloat16, as with training.precision.
    Bf16,
    /// Encoder and decoder in half precision, as with training.precision.
    F16,
}
