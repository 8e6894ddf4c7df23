//! The relatives of the VAE: the gradients of their objectives against central differences, and their
//! behaviour at known solutions.

use burn::module::Module;
use gwae_core::Mode;
use gwae_models::{
    AnnealedVae, BetaTcvae, DipVae, FactorVae, FactorVaeConfig, FactorVaeObjective, InfoVae,
    LossTerms, Objective, Regulariser, WaeMmd,
};

use super::gradients::{STEP, compare};
use super::*;

/// Checks the gradient of every parameter of a VAE with this regulariser.
fn gradient_is_right(regulariser: &(impl Regulariser + std::fmt::Debug), unused: usize) {
    for mode in [Mode::Train, Mode::Evaluate] {
        let of = |model: &Vae| {
            let terms = LossTerms::none();
            let losses = regulariser.losses(model, images(), mode, &mut noise(), &terms);
            losses.total().clone()
        };
        let case = format!("{regulariser:?} {mode:?}");
        let (with, without) = compare(&vae(&vae_config()), of, STEP, &case);
        assert!(with > 0 && without == unused, "{case}: {without}");
    }
}

#[test]
fn the_gradient_of_an_annealed_vae_is_that_of_central_differences() {
    // Below and above the divergence.
    for most_capacity in [0.01, 500.0] {
        let regulariser = AnnealedVae {
            gamma: 2.0,
            most_capacity,
            capacity_steps: 4,
            completed_steps: 1,
        };
        gradient_is_right(&regulariser, 0);
    }
}

#[test]
fn the_gradient_of_a_beta_tcvae_is_that_of_central_differences() {
    let regulariser = BetaTcvae {
        beta: 4.0,
        training_images: Some(50),
    };
    gradient_is_right(&regulariser, 0);
}

#[test]
fn the_gradient_of_a_dip_vae_is_that_of_central_differences() {
    for of_codes in [false, true] {
        let regulariser = DipVae {
            off_diagonal_weight: 3.0,
            diagonal_weight: 7.0,
            of_codes,
        };
        gradient_is_right(&regulariser, 0);
    }
}

#[test]
fn the_gradient_of_an_infovae_is_that_of_central_differences() {
    let regulariser = InfoVae {
        alpha: 0.5,
        lambda: 20.0,
    };
    gradient_is_right(&regulariser, 0);
}

#[test]
fn the_gradient_of_a_wae_mmd_is_that_of_central_differences() {
    let regulariser = WaeMmd {
        discrepancy_weight: 20.0,
    };
    // The head of the log-variances, a weight and a bias, is not used.
    gradient_is_right(&regulariser, 2);
}

fn factor_vae() -> FactorVae {
    let config = FactorVaeConfig {
        backbone: vae_config().backbone,
        critic_layers: 3,
        critic_features: 8,
        ..FactorVaeConfig::default()
    };
    config
        .init(&mut SeededGenerator::new(5, 0), &device())
        .unwrap()
}

#[test]
fn the_gradients_of_a_factor_vae_are_those_of_central_differences() {
    let objective = FactorVaeObjective { gamma: 5.0 };
    let mode = Mode::Train;
    let main = |model: &FactorVae| {
        let terms = LossTerms::none();
        let (losses, _) = objective.main_losses(model, images(), mode, &mut noise(), &terms);
        losses.total().clone()
    };
    let (with, without) = compare(&factor_vae(), main, STEP, "main");
    assert!(with > 0 && without == 0);

    let codes = factor_vae().vae.encoder.no_grad();
    let codes = gwae_models::Encoder::encode(&codes, images(), mode)
        .mean
        .detach();
    let critic = |model: &FactorVae| {
        objective.critic_loss(model, codes.clone(), images(), mode, &mut noise())
    };
    let (with, without) = compare(&factor_vae(), critic, STEP, "critic");
    // Only the critic learns from its loss: three layers with a weight and a bias each.
    assert_eq!(with, 6);
    assert!(without > 0);
}
