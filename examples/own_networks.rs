//! An encoder and a decoder of one's own: a GWAE and a VAE of perceptrons on 28×28 pixels.
//!
//! ```text
//! cargo run --release --example own_networks -- --out runs/perceptrons --steps 1000
//! ```

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;

use burn::nn::Linear;
use burn::tensor::activation::{relu, sigmoid};
use clap::Parser;
use gwae::burn;
use gwae::core::initialise::linear;
use gwae::models::ConvCritic;
use gwae::prelude::*;

const PIXELS: usize = 28 * 28;
const HIDDEN: usize = 256;
const LATENT: usize = 8;

/// Train a GWAE and a VAE whose encoder and decoder are perceptrons.
#[derive(Parser)]
#[command(after_help = "Examples:
  cargo run --release --example own_networks -- --out runs/perceptrons --steps 1000")]
struct Arguments {
    /// Training steps of each run in all.
    #[arg(long, default_value_t = 1_000)]
    steps: u64,
    /// Directory for the runs `gwae` and `vae`.
    #[arg(long, default_value = "runs/own_networks")]
    out: PathBuf,
}

/// 784 pixels → 256 → mean and logarithmic variance of 8 entries each.
#[derive(Module, Debug)]
struct PerceptronEncoder {
    hidden: Linear,
    posterior: Linear,
}

impl Encoder for PerceptronEncoder {
    fn encode(&self, images: Tensor<4>, _mode: Mode) -> Posterior {
        let hidden = relu(self.hidden.forward(images.flatten::<2>(1, 3)));
        let both = self.posterior.forward(hidden);
        Posterior {
            mean: both.clone().narrow(1, 0, LATENT),
            logvar: both.narrow(1, LATENT, LATENT),
        }
    }
}

/// 8 entries → 256 → 784 pixels.
#[derive(Module, Debug)]
struct PerceptronDecoder {
    hidden: Linear,
    pixels: Linear,
}

impl Decoder for PerceptronDecoder {
    fn decode(&self, codes: Tensor<2>, _mode: Mode) -> Tensor<4> {
        let hidden = relu(self.hidden.forward(codes));
        sigmoid(self.pixels.forward(hidden)).reshape([-1, 1, 28, 28])
    }
}

type Networks = (PerceptronEncoder, PerceptronDecoder);

fn networks(noise: &mut dyn RandomSource, device: &Device) -> Networks {
    let mut layer = |inputs, outputs| linear(inputs, outputs, noise, device);
    let encoder = PerceptronEncoder {
        hidden: layer(PIXELS, HIDDEN),
        posterior: layer(HIDDEN, 2 * LATENT),
    };
    let decoder = PerceptronDecoder {
        hidden: layer(LATENT, HIDDEN),
        pixels: layer(HIDDEN, PIXELS),
    };
    (encoder, decoder)
}

fn main() -> Result<(), Box<dyn Error>> {
    let Arguments { steps, out } = Arguments::parse();
    compute_on_this_thread(None);
    let own = |name| OwnModel::new(name, ImageShape::square(28, 1));
    let digits = Arc::new(embedded_digits()?);
    // Without a critic, the codes are matched to the prior by their maximum mean discrepancy.
    let gwae = GwaeAlgorithm::own(own("perceptron_gwae"), |noise, device| {
        let (encoder, decoder) = networks(noise, device);
        let prior = PriorConfig::default().init(LATENT, noise, device)?;
        let no_critic = None::<ConvCritic>;
        Ok(Gwae::new(encoder, decoder, prior, no_critic, 1.0, device))
    });
    let trainer = Trainer::new(gwae, digits.clone()).steps(steps);
    println!("{}", trainer.progress().pictures().start(out.join("gwae"))?);
    let objective = VaeConfig::default().objective();
    let vae = SingleAlgorithm::own(own("perceptron_vae"), objective, |noise, device| {
        let (encoder, decoder) = networks(noise, device);
        Ok(Vae::new(encoder, decoder, LATENT))
    });
    let trainer = Trainer::new(vae, digits).steps(steps);
    println!("{}", trainer.progress().pictures().start(out.join("vae"))?);
    Ok(())
}
