//! Very simple models, whose losses have closed forms.

use gwae_core::Mode;
use gwae_core::random::RandomSource;
use gwae_models::{ConvDecoder, ConvEncoder, GwaeConfig};
use gwae_models::{LossTerms, Objective, SingleObjectiveSettings};
use gwae_priors::PriorConfig;

use super::*;

/// Every posterior has this mean and the variance 2, whatever the image.
const MEAN: f64 = 0.5;

/// An encoder that ignores the image.
fn blind(mut encoder: ConvEncoder) -> ConvEncoder {
    for (head, bias) in [(&mut encoder.mean, MEAN), (&mut encoder.logvar, 2f64.ln())] {
        head.linear.weight = filled(head.linear.weight.clone(), 0.0);
        head.linear.bias = head.linear.bias.clone().map(|b| filled(b, bias));
    }
    encoder
}

/// A decoder that decodes every code to grey.
fn grey(mut decoder: ConvDecoder) -> ConvDecoder {
    decoder.output.weight = filled(decoder.output.weight.clone(), 0.0);
    decoder.output.bias = decoder.output.bias.map(|bias| filled(bias, 0.0));
    decoder
}

/// `½ Σ (x − ½)²` of the images.
fn error_of_grey() -> f64 {
    let pixels = values(images());
    half_squares(&pixels, &vec![0.5; pixels.len()])
}

#[test]
fn a_blind_vae_has_the_divergence_of_its_biases() {
    let config = vae_config();
    let mut model = vae(&config);
    model.encoder = blind(model.encoder);
    model.decoder = grey(model.decoder);
    for mode in [Mode::Train, Mode::Evaluate] {
        let losses =
            config
                .objective()
                .losses(&model, images(), mode, &mut noise(), &LossTerms::none());
        let losses = losses.read();
        let divergence = LATENT as f64 / 2.0 * (MEAN * MEAN + 2.0 - 1.0 - 2f64.ln());
        let loss = |name| *losses.get(name).unwrap();
        assert_near(loss("divergence"), divergence, "divergence");
        assert_near(loss("reconstruction"), error_of_grey(), "reconstruction");
        assert_near(loss("total"), error_of_grey() + 2.3 * divergence, "total");
    }
}

/// All decoded images are equal, so the Gromov-Wasserstein loss is the mean distance of the codes,
/// divided by their spread.
#[test]
fn a_grey_gwae_has_the_distances_of_its_prior() {
    let mut model = gwae(&GwaeConfig {
        merged_condition: false,
        prior: PriorConfig::FactorizedNormal,
        ..gwae_config()
    });
    model.encoder = blind(model.encoder);
    model.decoder = grey(model.decoder);
    for mode in [Mode::Train, Mode::Evaluate] {
        let terms = objective(false, false).main_terms(
            &model,
            images(),
            mode,
            &mut noise(),
            &LossTerms::none(),
        );
        let mut noise = noise();
        noise.standard_normal(BATCH * LATENT);
        let codes = noise.standard_normal(BATCH * LATENT);
        let codes: Vec<f64> = codes.into_iter().map(f64::from).collect();
        let grey = vec![0.5; BATCH * 32 * 32];
        assert_near(
            value(terms.losses.get("gw").unwrap().clone()),
            gromov_wasserstein(&grey, &codes, 2.5),
            "gw",
        );
        assert_near(
            value(terms.losses.get("entropy").unwrap().clone()),
            -(LATENT as f64) * 2f64.ln(),
            "entropy",
        );
        assert_near(
            value(terms.losses.get("reconstruction").unwrap().clone()),
            error_of_grey(),
            "reconstruction",
        );
    }
}
