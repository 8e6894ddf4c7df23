//! The measured work: whole training steps, and their parts.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor};
use gwae::core::random::{RandomSource, SeededGenerator, normal_tensor, uniform_tensor};
use gwae::core::{Mode, critic_loss, estimated_gw_loss, gradient_penalty};
use gwae::models::{
    Autoencoder, ConvCritic, Critic, CriticWeights, Decoder, Encoder, Gwae, GwaeConfig, LossTerms,
    ModelSettings,
};
use gwae::priors::Prior;
use gwae::train::TrainingConfig;
use gwae::train::algorithm::{Algorithm, GwaeAlgorithm, GwaeLearner, Learner};

use super::{fail, synchronise};

/// Random images of the model's size, drawn from `noise`.
pub fn images(
    config: &GwaeConfig,
    batch_size: usize,
    noise: &mut dyn RandomSource,
    device: &Device,
) -> Tensor<4> {
    let size = config.backbone.image_size;
    uniform_tensor(
        noise,
        [batch_size, config.backbone.channels, size, size],
        device,
    )
}

/// Number of trainable values of a module.
pub fn parameters(module: &impl Module) -> usize {
    struct Count(usize);
    impl ModuleVisitor for Count {
        fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
            if parameter.is_require_grad() {
                self.0 += parameter.val().shape().num_elements();
            }
        }
    }
    let mut count = Count(0);
    module.visit(&mut count);
    count.0
}

/// A training that always sees the same batch.
pub struct FullStep {
    learner: Option<GwaeLearner>,
    images: Tensor<4>,
    noise: SeededGenerator,
    device: Device,
}

impl FullStep {
    /// Builds the model on a device with autodiff, or ends the program with the reason for the
    /// failure.
    pub fn new(config: &GwaeConfig, training: &TrainingConfig, device: &Device) -> Self {
        if let Err(error) = training.validate(config.merged_condition) {
            fail(&error.to_string());
        }
        let mut noise = SeededGenerator::new(training.seed, 0);
        let model = config.init(&mut noise, device);
        let model = model.unwrap_or_else(|error| fail(&error.to_string()));
        Self {
            images: images(config, training.batch_size, &mut noise, device),
            learner: Some(GwaeAlgorithm::new(config.clone()).learner(
                model,
                training,
                LossTerms::none(),
            )),
            noise,
            device: device.clone(),
        }
    }

    /// One main step and its critic steps. Returns the total loss, which waits for both.
    pub fn run(&mut self) -> f64 {
        let learner = self.learner.take().expect("put back after each step");
        let (learner, losses) = learner.step(self.images.clone(), &mut self.noise);
        self.learner = Some(learner);
        let total = *losses.read().total();
        synchronise(&self.device);
        total
    }

    /// The current model and the batch.
    pub fn into_model(self) -> (Gwae, Tensor<4>) {
        let learner = self.learner.expect("put back after each step");
        (learner.model, self.images)
    }
}

/// A model with a critic, and inputs for each of its parts. The caller waits for the results of
/// each method.
pub struct Parts {
    model: Gwae,
    plain: Gwae,
    images: Tensor<4>,
    codes: Tensor<2>,
    epsilon: Tensor<2>,
}

impl Parts {
    /// Parts of a model on an autodiff device.
    pub fn new(model: &Gwae, images: Tensor<4>, noise: &mut dyn RandomSource) -> Self {
        let shape = [images.dims()[0], model.latent_dim()];
        let device = images.device();
        Self {
            model: model.clone(),
            plain: model.valid(),
            images,
            codes: normal_tensor(noise, shape, &device),
            epsilon: normal_tensor(noise, shape, &device),
        }
    }

    /// The device of the parts.
    pub fn device(&self) -> Device {
        self.images.device()
    }

    /// The model.
    pub fn model(&self) -> &Gwae {
        &self.model
    }

    /// Both kinds of codes that the critic compares: encoded and prior codes.
    fn both_codes(&self) -> [Tensor<2>; 2] {
        [self.codes.clone(), self.epsilon.clone()]
    }

    /// The encoder, forward and backward.
    pub fn encoder(&self) {
        let posterior = self.model.encoder.encode(self.images.clone(), Mode::Train);
        (posterior.mean + posterior.logvar).sum().backward();
    }

    /// The encoder without gradients.
    pub fn encode(&self) {
        self.plain.encode(self.images.clone().without_autodiff());
    }

    /// The decoder, forward and backward.
    pub fn decoder(&self) {
        let codes = self.codes.clone().require_grad();
        let decoded = self.model.decoder.decode(codes, Mode::Train);
        (decoded * self.images.clone()).sum().backward();
    }

    /// The decoder without gradients.
    pub fn decode(&self) {
        self.plain.decode(self.codes.clone().without_autodiff());
    }

    /// The GW loss of images and codes, forward and backward.
    pub fn gw_loss(&self) {
        let images = self.images.clone().require_grad();
        let codes = self.codes.clone().require_grad();
        let log_coefficient = self.model.log_distance_coefficient.val();
        estimated_gw_loss(images.flatten(1, 3), codes, log_coefficient).backward();
    }

    /// The critic in the main step: potentials of both kinds of pairs, and backward to the pairs.
    pub fn critic_to_inputs(&self) {
        let critic = self.critic();
        for codes in self.both_codes() {
            let normalised = critic.weights(Mode::Train).detach();
            normalised
                .potential(self.images.clone().require_grad(), codes.require_grad())
                .sum()
                .backward();
        }
    }

    /// The critic in a critic step: potentials of both kinds of pairs, and backward to the weights.
    pub fn critic_to_weights(&self) {
        let critic = self.critic();
        for codes in self.both_codes() {
            let normalised = critic.weights(Mode::Train);
            let potential = normalised.potential(self.images.clone(), codes);
            potential.sum().backward();
        }
    }

    /// The gradient penalty, and backward to the critic's weights.
    pub fn gradient_penalty(&self) {
        self.penalty().backward();
    }

    /// All work of a critic step on its pairs: potentials and gradient penalty, and backward to the
    /// weights.
    pub fn critic_with_penalty(&self) {
        let [encoded, prior] = self.both_codes().map(|codes| {
            let normalised = self.critic().weights(Mode::Train);
            normalised.potential(self.images.clone(), codes)
        });
        let weight = TrainingConfig::default().gradient_penalty_weight;
        let loss = critic_loss(prior, encoded, self.penalty(), weight);
        loss.total.backward();
    }

    /// A draw of the prior, forward and backward.
    pub fn prior(&self) {
        let mut noise = SeededGenerator::new(1, 0);
        let batch = self.images.dims()[0];
        self.model
            .prior
            .sample(batch, Mode::Train, &mut noise, &self.device())
            .sum()
            .backward();
    }

    fn penalty(&self) -> Tensor<1> {
        let normalised = self.critic().weights(Mode::Train);
        let gradient = normalised.input_gradient(self.images.clone(), self.codes.clone());
        let (image, code) = gradient.expect("the critic of the paper has an input gradient");
        gradient_penalty(image, code)
    }

    fn critic(&self) -> &ConvCritic {
        self.model.critic.as_ref().expect("measured with a critic")
    }
}
