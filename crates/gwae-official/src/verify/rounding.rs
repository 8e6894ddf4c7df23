//! Parameters whose value after training is only rounding noise.

/// Whether `name`, among all `names` of a state, is a shift that the next layer, a batch
/// normalisation, removes again, or the running mean of that normalisation.
///
/// In exact arithmetic, the gradient of such a shift is zero. RMSprop divides the gradient by its
/// own size, so rounding noise becomes full steps. A convolution with a SiLU before the
/// normalisation does not count: its bias has a gradient.
pub fn moves_by_rounding(name: &str, names: &[&str]) -> bool {
    let has = |name: &str| names.contains(&name);
    let Some((layer, suffix)) = name.rsplit_once('.') else {
        return false;
    };
    let is_mean = suffix == "running_mean";
    if !is_mean && suffix != "bias" {
        return false;
    }
    match layer {
        // `latent_bn` standardises the means directly after their linear layer.
        "enc_block" => is_mean,
        "enc_block.fc" => has("enc_block.running_mean"),
        // The causal prior normalises the last of its maps.
        "sampler.batchnorm" => is_mean && has("sampler.ccs.0.bias"),
        _ => {
            let Some((block, index)) = layer.rsplit_once('.') else {
                return false;
            };
            let Ok(index) = index.parse::<usize>() else {
                return false;
            };
            if block == "sampler.ccs" {
                return !has(&format!("{block}.{}.bias", index + 1));
            }
            match index.checked_sub(1) {
                Some(before) if is_mean => has(&format!("{block}.{before}.bias")),
                _ => !is_mean && has(&format!("{block}.{}.running_mean", index + 1)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::official_state;
    use burn::tensor::Device;
    use gwae_core::random::SeededGenerator;
    use gwae_models::{BackboneConfig, GwaeConfig, ModelSettings};
    use gwae_priors::{CausalConfig, Form, GaussianMixtureConfig, PriorConfig};

    fn left_out(prior: PriorConfig, batchnorm: bool, latent_bn: bool) -> Vec<String> {
        let config = GwaeConfig {
            backbone: BackboneConfig {
                image_size: 32,
                latent_dim: 2,
                width: 0.03125,
                resblock: true,
                batchnorm,
                latent_bn,
                ..BackboneConfig::default()
            },
            merged_condition: false,
            prior,
            ..Default::default()
        };
        let mut noise = SeededGenerator::new(1, 0);
        let model = config.init(&mut noise, &Device::flex()).unwrap();
        let state = official_state(&model);
        let names: Vec<&str> = state.iter().map(|(name, _)| name.as_str()).collect();
        let found = names.iter().filter(|name| moves_by_rounding(name, &names));
        found.map(|name| (*name).to_owned()).collect()
    }

    /// Listed by hand from the layers of the authors' program.
    #[test]
    fn every_shift_directly_before_a_normalisation_is_left_out_and_no_other() {
        let form = Form::Official;
        assert_eq!(
            left_out(PriorConfig::Neural, false, false),
            ["sampler.net.6.bias", "sampler.net.7.running_mean"]
        );
        assert_eq!(
            left_out(PriorConfig::FactorizedNeural, false, false),
            ["sampler.net.7.bias", "sampler.net.8.running_mean"]
        );
        let mixture = PriorConfig::GaussianMixture(GaussianMixtureConfig {
            components: 3,
            form,
        });
        // Each sample selects its component, so the means of a mixture have gradients.
        assert!(left_out(mixture, false, false).is_empty());
        assert_eq!(
            left_out(PriorConfig::Causal(CausalConfig { form }), false, false),
            ["sampler.ccs.6.bias", "sampler.batchnorm.running_mean"]
        );
        assert_eq!(
            left_out(PriorConfig::Spherical, true, false),
            [
                "enc_block.fc.0.bias",
                "enc_block.fc.1.running_mean",
                "enc_block.fc_logvar.0.bias",
                "enc_block.fc_logvar.1.running_mean",
            ]
        );
        // The log-variances are shifted by a value that depends on the means.
        assert_eq!(
            left_out(PriorConfig::Spherical, true, true),
            ["enc_block.fc.bias", "enc_block.running_mean"]
        );
    }
}
