//! Official name and layout of every parameter. Import, export and comparison all use this list.

use std::collections::HashMap;

use burn::module::{Module, ModuleVisitor, Param, ParamId, RunningState};
use burn::nn::Linear;
use burn::nn::conv::{Conv1d, Conv2d, ConvTranspose2d};
use burn::tensor::Tensor;
use gwae_core::BatchNorm;
use gwae_models::{
    ConvCritic, ConvDecoder, ConvEncoder, Gwae, Head, LatentNorm, ResidualBlock, SpectralWeight,
};
use gwae_priors::AnyPrior;

/// How the official program stores a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// As in this program.
    Same,
    /// A linear weight: `[out, in]` there, `[in, out]` here.
    Transposed,
    /// A scalar there, `[1]` here.
    Scalar,
}

/// A parameter in the official program.
pub(crate) struct Entry {
    /// Official name.
    pub name: String,
    pub layout: Layout,
}

/// Official name and layout of every parameter of a model.
#[derive(Default)]
pub(crate) struct Table {
    /// In module order.
    pub order: Vec<ParamId>,
    pub entries: HashMap<ParamId, Entry>,
}

impl Table {
    pub fn of(model: &Gwae) -> Self {
        let mut table = Self::default();
        table.add(
            "log_distance_coef".into(),
            &model.log_distance_coefficient,
            Layout::Scalar,
        );
        table.encoder(&model.encoder);
        table.decoder(&model.decoder);
        table.prior(&model.prior);
        if let Some(critic) = &model.critic {
            table.critic(critic);
        }
        table
    }

    /// Adds the single parameter that `module` consists of.
    fn add(&mut self, name: String, module: &impl Module, layout: Layout) {
        struct Ids<'a>(&'a mut Vec<ParamId>);
        impl ModuleVisitor for Ids<'_> {
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                self.0.push(param.id);
            }
        }
        let before = self.order.len();
        module.visit(&mut Ids(&mut self.order));
        assert_eq!(self.order.len(), before + 1, "`{name}` is one parameter");
        self.entries
            .insert(self.order[before], Entry { name, layout });
    }

    fn pair<const D: usize>(
        &mut self,
        prefix: &str,
        weight: &Param<Tensor<D>>,
        bias: &Option<Param<Tensor<1>>>,
        layout: Layout,
    ) {
        self.add(format!("{prefix}.weight"), weight, layout);
        if let Some(bias) = bias {
            self.add(format!("{prefix}.bias"), bias, Layout::Same);
        }
    }

    fn linear(&mut self, prefix: &str, layer: &Linear) {
        self.pair(prefix, &layer.weight, &layer.bias, Layout::Transposed);
    }

    fn conv1d(&mut self, prefix: &str, layer: &Conv1d) {
        self.pair(prefix, &layer.weight, &layer.bias, Layout::Same);
    }

    fn conv2d(&mut self, prefix: &str, layer: &Conv2d) {
        self.pair(prefix, &layer.weight, &layer.bias, Layout::Same);
    }

    fn conv_transpose2d(&mut self, prefix: &str, layer: &ConvTranspose2d) {
        self.pair(prefix, &layer.weight, &layer.bias, Layout::Same);
    }

    fn state(&mut self, name: String, state: &RunningState<Tensor<1>>) {
        self.add(name, state, Layout::Same);
    }

    fn batch_norm(&mut self, prefix: &str, norm: &BatchNorm) {
        for (suffix, param) in [("weight", &norm.gamma), ("bias", &norm.beta)] {
            if let Some(param) = param {
                self.add(format!("{prefix}.{suffix}"), param, Layout::Same);
            }
        }
        self.state(format!("{prefix}.running_mean"), &norm.running_mean);
        self.state(format!("{prefix}.running_var"), &norm.running_variance);
    }

    /// Adds the layers after a convolution, from `net.{next}` on; returns the next index.
    fn tail(
        &mut self,
        block: &str,
        mut next: usize,
        norm: &Option<BatchNorm>,
        residual: &[ResidualBlock],
    ) -> usize {
        if let Some(norm) = norm {
            self.batch_norm(&format!("{block}.net.{next}"), norm);
            next += 1;
        }
        for residual_block in residual {
            let mut inner = 0;
            for layer in &residual_block.layers {
                let prefix = format!("{block}.net.{next}.net");
                self.conv2d(&format!("{prefix}.{inner}"), &layer.convolution);
                inner += 2; // The convolution and its SiLU.
                if let Some(norm) = &layer.norm {
                    self.batch_norm(&format!("{prefix}.{inner}"), norm);
                    inner += 1;
                }
            }
            next += 1;
        }
        next
    }

    fn encoder(&mut self, encoder: &ConvEncoder) {
        let mut next = 1; // After the inverse sigmoid.
        for stage in &encoder.stages {
            self.conv2d(&format!("enc_block.net.{next}"), &stage.convolution);
            next = self.tail("enc_block", next + 2, &stage.norm, &stage.residual);
        }
        self.linear(&format!("enc_block.net.{}", next + 1), &encoder.hidden); // After Flatten.
        self.head("enc_block.fc", &encoder.mean);
        self.head("enc_block.fc_logvar", &encoder.logvar);
        if let Some(norm) = &encoder.latent_norm {
            self.latent_norm(norm);
        }
    }

    fn head(&mut self, prefix: &str, head: &Head) {
        match &head.norm {
            None => self.linear(prefix, &head.linear),
            Some(norm) => {
                self.linear(&format!("{prefix}.0"), &head.linear);
                self.batch_norm(&format!("{prefix}.1"), norm);
            }
        }
    }

    fn latent_norm(&mut self, norm: &LatentNorm) {
        self.state("enc_block.running_mean".into(), &norm.running_mean);
        self.state("enc_block.running_logvar".into(), &norm.running_logvar);
        let tracked = &norm.batches_tracked;
        self.add(
            "enc_block.num_batches_tracked".into(),
            tracked,
            Layout::Scalar,
        );
    }

    fn decoder(&mut self, decoder: &ConvDecoder) {
        self.linear("dec_block.net.0", &decoder.hidden);
        self.linear("dec_block.net.2", &decoder.expand);
        let mut next = 5; // After two SiLU and Unflatten.
        for stage in &decoder.stages {
            self.conv_transpose2d(&format!("dec_block.net.{next}"), &stage.convolution);
            next = self.tail("dec_block", next + 2, &stage.norm, &stage.residual);
        }
        self.conv_transpose2d(&format!("dec_block.net.{next}"), &decoder.output);
        self.tail("dec_block", next + 1, &None, &decoder.output_residual);
    }

    fn prior(&mut self, prior: &AnyPrior) {
        match prior {
            AnyPrior::Neural(prior) => {
                for (index, layer) in prior.layers.iter().enumerate() {
                    self.linear(&format!("sampler.net.{}", 2 * index), layer);
                }
                self.batch_norm("sampler.net.7", &prior.batch_norm);
            }
            AnyPrior::FactorizedNeural(prior) => {
                for (index, layer) in prior.layers.iter().enumerate() {
                    self.conv1d(&format!("sampler.net.{}", 2 * index + 1), layer);
                }
                self.batch_norm("sampler.net.8", &prior.batch_norm);
            }
            AnyPrior::GaussianMixture(prior) => {
                let same = Layout::Same;
                self.add("sampler.component_mean".into(), &prior.component_mean, same);
                let matrices = &prior.component_sqrtprecision;
                self.add("sampler.component_sqrtprecision".into(), matrices, same);
                self.add(
                    "sampler.logits_unnormalized".into(),
                    &prior.logits_unnormalized,
                    same,
                );
                self.batch_norm("sampler.batchnorm", &prior.batch_norm);
            }
            AnyPrior::VectorQuantized(prior) => {
                self.add("sampler.embeddings".into(), &prior.embeddings, Layout::Same);
            }
            AnyPrior::Causal(prior) => {
                let same = Layout::Same;
                self.add(
                    "sampler.dag.permutation_score".into(),
                    &prior.dag.permutation_score,
                    same,
                );
                self.add("sampler.dag.edge_score".into(), &prior.dag.edge_score, same);
                for (index, map) in prior.maps.iter().enumerate() {
                    self.add(format!("sampler.ccs.{index}.weight"), &map.weight, same);
                    self.add(format!("sampler.ccs.{index}.bias"), &map.bias, same);
                }
                self.batch_norm("sampler.batchnorm", &prior.batch_norm);
            }
            AnyPrior::FactorizedNormal(_)
            | AnyPrior::FactorizedUniform(_)
            | AnyPrior::Spherical(_) => {}
        }
    }

    fn critic(&mut self, critic: &ConvCritic) {
        for (index, layer) in critic.image.iter().enumerate() {
            self.spectral(&format!("disc_block.x_net.{}", 2 * index), layer);
        }
        let output = 2 * critic.image.len() + 1; // After Flatten.
        self.spectral(&format!("disc_block.x_net.{output}"), &critic.image_output);
        for (branch, layers) in [("z_net", &critic.code), ("xz_net", &critic.head)] {
            for (index, layer) in layers.iter().enumerate() {
                self.spectral(&format!("disc_block.{branch}.{}", 2 * index), layer);
            }
        }
    }

    fn spectral<const D: usize>(&mut self, prefix: &str, layer: &SpectralWeight<D>) {
        self.add(format!("{prefix}.bias"), &layer.bias, Layout::Same);
        self.add(format!("{prefix}.weight_orig"), &layer.weight, Layout::Same);
        self.state(format!("{prefix}.weight_u"), &layer.left);
        self.state(format!("{prefix}.weight_v"), &layer.right);
    }
}
