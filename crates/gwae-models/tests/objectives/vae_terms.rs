//! The terms of a VAE, computed from the outputs of its networks.

use gwae_core::Mode;
use gwae_core::random::RandomSource;
use gwae_models::Autoencoder;
use gwae_models::{LossTerms, Objective, SingleObjectiveSettings};

use super::*;

#[test]
fn terms_are_those_of_their_formulas() {
    let config = vae_config();
    let model = vae(&config);
    let losses = config.objective().losses(
        &model,
        images(),
        Mode::Evaluate,
        &mut noise(),
        &LossTerms::none(),
    );
    let losses = losses.read();

    let posterior = model.posterior(images()).unwrap();
    let (means, logvars) = (values(posterior.mean), values(posterior.logvar));
    let epsilon = noise().standard_normal(BATCH * LATENT);
    let codes: Vec<f64> = (0..BATCH * LATENT)
        .map(|k| means[k] + (logvars[k] / 2.0).exp() * f64::from(epsilon[k]))
        .collect();
    let codes = Tensor::from_data(TensorData::new(codes, [BATCH, LATENT]), &device());
    let reconstruction = half_squares(&values(images()), &values(model.decode(codes)));
    let terms = means.iter().zip(&logvars);
    let terms = terms.map(|(mean, logvar)| mean * mean + logvar.exp() - 1.0 - logvar);
    let divergence = terms.sum::<f64>() / (2.0 * BATCH as f64);
    assert!(divergence > 0.0);

    let names: Vec<_> = losses.named().map(|(name, _)| name).collect();
    assert_eq!(names, ["total", "reconstruction", "divergence"]);
    let loss = |name| *losses.get(name).unwrap();
    assert_near(loss("reconstruction"), reconstruction, "reconstruction");
    assert_near(loss("divergence"), divergence, "divergence");
    assert_near(loss("total"), reconstruction + 2.3 * divergence, "total");
}
