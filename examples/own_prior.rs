//! A prior family of one's own: codes on a ring with a trainable radius, trained in the standard loop,
//! checkpointed, resumed bit for bit, and pictured.
//!
//! ```text
//! cargo run --release --example own_prior -- --out runs/ring --steps 1000
//! cargo run --release --example own_prior -- --resume runs/ring --steps 2000
//! ```

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Parser;
use gwae::prelude::*;

/// Train a small GWAE whose codes lie on a ring.
#[derive(Parser)]
#[command(after_help = "Examples:
  cargo run --release --example own_prior -- --out runs/ring --steps 1000
  cargo run --release --example own_prior -- --resume runs/ring --steps 2000")]
struct Arguments {
    /// Training steps in all.
    #[arg(long, default_value_t = 1_000)]
    steps: u64,
    /// Directory of a new run; it must be new or empty.
    #[arg(long, default_value = "runs/own_prior")]
    out: PathBuf,
    /// Go on with the run in this directory.
    #[arg(long)]
    resume: Option<PathBuf>,
}

/// `z = r·(cos 2πu, sin 2πu) + s·ε`, u uniform and ε normal: a ring of radius r and width s.
#[derive(Module, Debug)]
struct Ring {
    /// log r and log s, `[2]`.
    logarithms: Param<Tensor<1>>,
}

impl Prior for Ring {
    fn latent_dim(&self) -> usize {
        2
    }

    /// Asks for uniform `[batch, 1]`, then for standard normal `[batch, 2]`.
    fn sample(
        &self,
        batch: usize,
        _mode: Mode,
        noise: &mut dyn RandomSource,
        device: &Device,
    ) -> Tensor<2> {
        let angle = uniform_tensor(noise, [batch, 1], device) * std::f64::consts::TAU;
        let direction = Tensor::cat(vec![angle.clone().cos(), angle.sin()], 1);
        let epsilon = normal_tensor(noise, [batch, 2], device);
        let sizes = self.logarithms.val().exp().unsqueeze::<2>();
        direction * sizes.clone().narrow(1, 0, 1) + epsilon * sizes.narrow(1, 1, 1)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    compute_on_this_thread(None);
    let mut config = GwaeConfig::new(32, 1, 2);
    config.backbone.width = 0.25;
    let shape = ImageShape::square(32, 1);
    // The paper's networks and critic around the ring.
    let algorithm = GwaeAlgorithm::own(OwnModel::new("ring", shape), move |noise, device| {
        let (encoder, decoder) = config.backbone.init(noise, device)?;
        let ring = Ring {
            logarithms: Param::from_tensor(Tensor::from_data([0.0, -2.0], device)),
        };
        let critic = config.init_critic(noise, device)?;
        Ok(Gwae::new(encoder, decoder, ring, critic, 1.0, device))
    });
    let training = TrainingConfig {
        learning_rate: 5e-4,
        warmup_steps: 100,
        critic_steps: 1,
        ..Default::default()
    };
    let trainer = Trainer::new(algorithm, Arc::new(embedded_digits()?)).training(training);
    let trainer = trainer.steps(arguments.steps).progress().pictures();
    let summary = match &arguments.resume {
        Some(run) => trainer.resume(run)?,
        None => trainer.start(&arguments.out)?,
    };
    println!("{summary}");
    Ok(())
}
