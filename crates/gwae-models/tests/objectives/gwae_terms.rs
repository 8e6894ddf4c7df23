//! The terms of a GWAE, computed from the outputs of its networks.

use burn::tensor::Tensor;
use gwae_core::Mode;
use gwae_core::random::{RandomSource, SeededGenerator};
use gwae_models::{Autoencoder, Critic, Encoder, Gwae, GwaeConfig, LossTerms};

use super::*;

/// The outputs of the networks for the images and the noise; the tests do the sums.
struct Outputs {
    images: Vec<f64>,
    means: Tensor<2>,
    logvars: Vec<f64>,
    encoded: Tensor<2>,
    reconstructed: Tensor<4>,
    prior: Tensor<2>,
    decoded: Tensor<4>,
}

impl Outputs {
    /// The posterior gets its noise first, then the prior.
    fn of(model: &Gwae, noise: &mut SeededGenerator) -> Self {
        let posterior = model.encoder.encode(images(), Mode::Evaluate);
        let (means, logvars) = (values(posterior.mean.clone()), values(posterior.logvar));
        let epsilon = noise.standard_normal(BATCH * LATENT);
        let encoded: Vec<f64> = (0..BATCH * LATENT)
            .map(|k| means[k] + (logvars[k] / 2.0).exp() * f64::from(epsilon[k]))
            .collect();
        let encoded: Tensor<2> =
            Tensor::from_data(TensorData::new(encoded, [BATCH, LATENT]), &device());
        let prior = model.sample_prior(BATCH, noise);
        Self {
            images: values(images()),
            means: posterior.mean,
            logvars,
            reconstructed: model.decode(encoded.clone()),
            encoded,
            decoded: model.decode(prior.clone()),
            prior,
        }
    }

    fn potential_of_prior(&self, model: &Gwae, mixed: bool) -> Vec<f64> {
        let potential = |images: &Tensor<4>, codes: &Tensor<2>| {
            values(model.potential(images.clone(), codes.clone()).unwrap())
        };
        let of_prior = potential(&self.decoded, &self.prior);
        if !mixed {
            return of_prior;
        }
        let autoencoded = potential(&self.reconstructed, &self.encoded);
        let pairs = of_prior.iter().zip(autoencoded);
        pairs
            .map(|(prior, autoencoded)| (prior + autoencoded) / 2.0)
            .collect()
    }
}

/// The biased estimate, with the kernel `exp(−‖a − b‖² / L²)`.
fn maximum_mean_discrepancy(a: &[f64], b: &[f64]) -> f64 {
    let kernel = |a: &[f64], b: &[f64]| {
        let mut sum = 0.0;
        for x in a.chunks(LATENT) {
            for y in b.chunks(LATENT) {
                let squares: f64 = x.iter().zip(y).map(|(x, y)| (x - y).powi(2)).sum();
                sum += (-squares / (LATENT * LATENT) as f64).exp();
            }
        }
        sum / (BATCH * BATCH) as f64
    };
    kernel(a, a) + kernel(b, b) - 2.0 * kernel(a, b)
}

#[test]
fn main_terms_are_those_of_their_formulas() {
    for (critic, learned, mixed) in [
        (false, false, false),
        (true, false, false),
        (true, true, false),
        (true, false, true),
        (true, true, true),
    ] {
        let case = format!("critic {critic}, learned {learned}, mixed {mixed}");
        let model = gwae(&GwaeConfig {
            merged_condition: critic,
            ..gwae_config()
        });
        let objective = objective(learned, mixed);
        let terms = objective.main_terms(
            &model,
            images(),
            Mode::Evaluate,
            &mut noise(),
            &LossTerms::none(),
        );

        let outputs = Outputs::of(&model, &mut noise());
        let (encoded, prior) = (
            values(outputs.encoded.clone()),
            values(outputs.prior.clone()),
        );
        let gw = gromov_wasserstein(&values(outputs.decoded.clone()), &prior, 2.5);
        assert_near(value(terms.losses.get("gw").unwrap().clone()), gw, &case);
        let mut reconstruction =
            half_squares(&outputs.images, &values(outputs.reconstructed.clone()));
        if learned {
            let critic = model.critic.as_ref().unwrap();
            let features = |images| values(critic.image_features(images, Mode::Evaluate).unwrap());
            let of_images = features(images());
            let of_reconstructed = features(outputs.reconstructed.clone());
            reconstruction += half_squares(&of_images, &of_reconstructed);
        }
        assert_near(
            value(terms.losses.get("reconstruction").unwrap().clone()),
            reconstruction,
            &case,
        );
        let entropy = -outputs.logvars.iter().sum::<f64>() / BATCH as f64;
        assert_near(
            value(terms.losses.get("entropy").unwrap().clone()),
            entropy,
            &case,
        );
        let merged = if critic {
            let of_encoded = model.potential(images(), outputs.encoded.clone()).unwrap();
            mean(&outputs.potential_of_prior(&model, mixed)) - mean(&values(of_encoded))
        } else {
            maximum_mean_discrepancy(&encoded, &prior)
        };
        assert_near(
            value(terms.losses.get("merged").unwrap().clone()),
            merged,
            &case,
        );
        let total = gw + 0.7 * reconstruction + 1.9 * merged + 0.13 * entropy;
        assert_near(value(terms.losses.total().clone()), total, &case);
        for (actual, expected) in [(terms.encoded, encoded), (terms.prior, prior)] {
            for (actual, expected) in values(actual).into_iter().zip(expected) {
                assert_near(actual, expected, &case);
            }
        }
        assert_eq!(outputs.means.dims(), [BATCH, LATENT]);
    }
}

#[test]
fn critic_terms_are_those_of_their_formulas() {
    for mixed in [false, true] {
        let model = gwae(&gwae_config());
        let critic = model.critic.as_ref().unwrap();
        let objective = objective(false, mixed);
        let posterior = model.encoder.encode(images(), Mode::Evaluate);
        let terms = objective.critic_terms(
            &model,
            critic,
            images(),
            &posterior,
            Mode::Evaluate,
            &mut noise(),
        );

        let mut noise = noise();
        let outputs = Outputs::of(&model, &mut noise);
        let of_encoded = values(model.potential(images(), outputs.encoded.clone()).unwrap());
        let of_prior = outputs.potential_of_prior(&model, mixed);
        let potential = mean(&of_encoded) - mean(&of_prior);
        assert_near(value(terms.loss.potential), potential, "potential");

        // The penalty at `t·data + (1 − t)·prior`, with gradients by autodiff.
        let t = noise.uniform(BATCH);
        let between = |a: &[f64], b: &[f64]| -> Vec<f64> {
            let size = a.len() / BATCH;
            (0..a.len())
                .map(|k| {
                    let t = f64::from(t[k / size]);
                    t * a[k] + (1.0 - t) * b[k]
                })
                .collect()
        };
        let pixels = between(&outputs.images, &values(outputs.decoded.clone()));
        let codes = between(
            &values(outputs.encoded.clone()),
            &values(outputs.prior.clone()),
        );
        let pixels = TensorData::new(pixels, [BATCH, 1, 32, 32]);
        let codes = TensorData::new(codes, [BATCH, LATENT]);
        let pixels = Tensor::<4>::from_data(pixels, &device()).require_grad();
        let codes = Tensor::<2>::from_data(codes, &device()).require_grad();
        let sum = model
            .potential(pixels.clone(), codes.clone())
            .unwrap()
            .sum();
        let gradients = sum.backward();
        let of_pixels = values(pixels.grad(&gradients).unwrap());
        let of_codes = values(codes.grad(&gradients).unwrap());
        let square = |values: &[f64]| values.iter().map(|value| value * value).sum::<f64>();
        let penalties: Vec<f64> = of_pixels
            .chunks(32 * 32)
            .zip(of_codes.chunks(LATENT))
            .map(|(pixels, codes)| ((square(pixels) + square(codes)).sqrt() - 1.0).powi(2))
            .collect();
        let magnitude = (square(&of_encoded) + square(&of_prior)) / BATCH as f64;
        let penalty = mean(&penalties) + 1e-4 * magnitude;
        assert_near(value(terms.loss.penalty), penalty, "penalty");
        assert_near(value(terms.loss.total), potential + 3.1 * penalty, "total");
        for (actual, expected) in [
            (terms.potential_encoded, of_encoded),
            (terms.potential_prior, of_prior),
        ] {
            for (actual, expected) in values(actual).into_iter().zip(expected) {
                assert_near(actual, expected, "potentials");
            }
        }
    }
}
