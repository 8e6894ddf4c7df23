//! Arguments of the commands that draw pictures with a model.

use std::path::PathBuf;

use clap::Args;

use super::{ImageArguments, ModelArguments, parse_positive};

/// Arguments of `gwae sample`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gwae sample runs/digits                         64 images into the run directory
  gwae sample runs/digits -n 100 --seed 7 --out samples.png

The same seed draws the same codes on every device.")]
pub struct Sample {
    /// The model.
    #[command(flatten)]
    pub model: ModelArguments,
    /// How many images
    #[arg(short = 'n', long = "number", value_name = "N", default_value_t = 64,
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub number: u32,
    /// Seed of the draws
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// PNG file to write. Without it: a new file in the run, with step and seed in its name
    #[arg(long, value_name = "FILE.png")]
    pub out: Option<PathBuf>,
}

/// Arguments of `gwae reconstruct`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gwae reconstruct runs/digits                     16 images of the run's test part
  gwae reconstruct runs/celeba --dataset mnist --data ~/mnist --images 32

In each pair of rows, the upper one has the images and the lower one their reconstructions: the decoded
means of their codes. PSNR, in dB, is the mean over these images; more is better.")]
pub struct Reconstruct {
    /// The model.
    #[command(flatten)]
    pub model: ModelArguments,
    /// How many images
    #[arg(long, value_name = "N", default_value_t = 16,
          value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub images: u32,
    /// PNG file to write. Without it: a new file in the run
    #[arg(long, value_name = "FILE.png")]
    pub out: Option<PathBuf>,
    /// The images.
    #[command(flatten)]
    pub source: ImageArguments,
}

/// Arguments of `gwae traverse`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gwae traverse runs/digits                            the ten dimensions that change most
  gwae traverse runs/digits --dimensions 0,3,8-11 --range 3 --columns 13
  gwae traverse runs/digits --image 5                  starting from the code of test image 5

Every row varies one dimension from -RANGE to +RANGE standard deviations of the prior around the
prior's mean; the other dimensions stay those of the starting code.")]
pub struct Traverse {
    /// The model.
    #[command(flatten)]
    pub model: ModelArguments,
    /// Latent dimensions, counted from 0, such as 0,3,8-11. Without it: the ten that change the image
    /// most
    #[arg(long, value_name = "LIST", value_parser = parse_dimensions)]
    pub dimensions: Option<Dimensions>,
    /// How far to go in each direction, in standard deviations of the prior
    #[arg(long, value_name = "RANGE", default_value_t = 2.0, value_parser = parse_positive)]
    pub range: f64,
    /// Images per row
    #[arg(long, value_name = "N", default_value_t = 9,
          value_parser = clap::value_parser!(u32).range(2..=101))]
    pub columns: u32,
    /// Start from the code of this held-out image, counted from 0. Without it: from a draw of the prior
    #[arg(long, value_name = "INDEX")]
    pub image: Option<u32>,
    /// Seed of the starting draw
    #[arg(long, default_value_t = 0, conflicts_with = "image")]
    pub seed: u64,
    /// PNG file to write. Without it: a new file in the run
    #[arg(long, value_name = "FILE.png")]
    pub out: Option<PathBuf>,
    /// The images.
    #[command(flatten)]
    pub source: ImageArguments,
}

/// Latent dimensions in the order of the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dimensions(pub Vec<usize>);

fn parse_dimensions(text: &str) -> Result<Dimensions, String> {
    let number = |text: &str| -> Result<usize, String> {
        let text = text.trim();
        let value = text.parse::<u16>();
        value.map(usize::from).map_err(|_| {
            format!("`{text}` is no dimension: write numbers and ranges, as in 0,3,8-11")
        })
    };
    let mut dimensions = Vec::new();
    for part in text.split(',') {
        match part.split_once('-') {
            None => dimensions.push(number(part)?),
            Some((first, last)) => {
                let (first, last) = (number(first)?, number(last)?);
                if first > last {
                    return Err(format!("{first}-{last} runs backwards"));
                }
                dimensions.extend(first..=last);
            }
        }
    }
    Ok(Dimensions(dimensions))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dimensions_are_numbers_and_ranges() {
        let parsed = parse_dimensions("7,0, 3-5").unwrap();
        assert_eq!(parsed, Dimensions(vec![7, 0, 3, 4, 5]));
        for wrong in ["", "x", "5-3", "1,,2", "-1", "1-", "70000"] {
            assert!(parse_dimensions(wrong).is_err(), "{wrong}");
        }
    }
}
