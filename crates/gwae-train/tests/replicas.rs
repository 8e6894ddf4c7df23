//! Steps on several shards, each with its own replica.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, Tensor};
use gwae_core::random::{RandomSource, SeededGenerator, uniform_tensor};
use gwae_core::{Mode, NamedLosses};
use gwae_models::{
    BackboneConfig, CriticActivation, DagmmConfig, Encoder, Gwae, GwaeConfig, GwaeObjective,
    LossTerms, Objective, SingleObjectiveSettings, VaeConfig,
};
use gwae_priors::{Form, GaussianMixtureConfig, PriorConfig};
use gwae_train::algorithm::{Algorithm, GwaeAlgorithm, Learner, SingleAlgorithm};
use gwae_train::optimizer::rms_prop::RmsProp;
use gwae_train::{Precision, TrainingConfig};

fn device() -> Device {
    Device::flex().autodiff()
}

/// Batch statistics in encoder, decoder and prior, and a critic.
fn config() -> GwaeConfig {
    GwaeConfig {
        backbone: BackboneConfig {
            image_size: 32,
            channels: 1,
            latent_dim: 4,
            width: 0.1,
            batchnorm: true,
            ..BackboneConfig::default()
        },
        prior: PriorConfig::GaussianMixture(GaussianMixtureConfig {
            components: 3,
            form: Form::Corrected,
        }),
        ..GwaeConfig::default()
    }
}

fn backbone() -> BackboneConfig {
    BackboneConfig {
        image_size: 32,
        channels: 1,
        latent_dim: 4,
        width: 0.1,
        ..BackboneConfig::default()
    }
}

fn training() -> TrainingConfig {
    TrainingConfig {
        critic_steps: 2,
        warmup_steps: 4,
        ..TrainingConfig::default()
    }
}

fn build<A: Algorithm>(algorithm: &A) -> A::Model {
    let noise = &mut SeededGenerator::new(5, 0);
    algorithm.init(noise, &device()).unwrap()
}

fn learner<A: Algorithm>(algorithm: &A, training: &TrainingConfig) -> A::Learner {
    algorithm.learner(build(algorithm), training, LossTerms::none())
}

fn gwae(config: &GwaeConfig) -> GwaeAlgorithm {
    GwaeAlgorithm::new(config.clone())
}

fn images(stream: u64, count: usize) -> Tensor<4> {
    let mut noise = SeededGenerator::new(11, stream);
    uniform_tensor(&mut noise, [count, 1, 32, 32], &device())
}

/// Every parameter and buffer, in module order.
fn values<M: Module>(model: &M) -> Vec<f32> {
    struct Read(Vec<f32>);
    impl ModuleVisitor for Read {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.extend(param.val().into_data().iter::<f32>());
        }
    }
    let mut read = Read(Vec::new());
    model.visit(&mut read);
    read.0
}

/// Equal bit for bit; does not print all numbers on failure.
fn assert_same(left: &[f32], right: &[f32], case: &str) {
    assert_eq!(left.len(), right.len(), "{case}");
    let pairs = left.iter().zip(right);
    let different = pairs.filter(|(a, b)| a.to_bits() != b.to_bits()).count();
    assert_eq!(different, 0, "{case}: of {} numbers", left.len());
}

/// The mean of gradients, computed on the host.
struct MeanOnHost {
    all: Vec<GradientsParams>,
    mean: GradientsParams,
}

impl ModuleVisitor for MeanOnHost {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let of_replicas: Vec<Vec<f32>> = self
            .all
            .iter()
            .filter_map(|gradients| gradients.get::<D>(param.id))
            .map(|gradient| gradient.into_data().iter::<f32>().collect())
            .collect();
        let Some(first) = of_replicas.first() else {
            return;
        };
        let count = of_replicas.len() as f32;
        let mean = (0..first.len()).map(|i| of_replicas.iter().map(|g| g[i]).sum::<f32>() / count);
        let data = burn::tensor::TensorData::new(mean.collect::<Vec<_>>(), param.val().shape());
        let device = device().without_autodiff();
        self.mean
            .register(param.id, Tensor::<D>::from_data(data, &device));
    }
}

fn mean_on_host<M: Module>(model: &M, all: Vec<GradientsParams>) -> GradientsParams {
    let mean = GradientsParams::new();
    let mut visitor = MeanOnHost { all, mean };
    model.visit(&mut visitor);
    visitor.mean
}

/// An independent model with the same values.
fn twin(of: &Gwae, config: &GwaeConfig) -> Gwae {
    build(&gwae(config)).load_record(of.clone().into_record())
}

/// The result of a GWAE step on two shards, computed from the objective's terms, one shard after
/// the other: the gradients of each shard, and their mean.
fn step_by_hand(config: &GwaeConfig, shards: &[Tensor<4>], noise: &mut dyn RandomSource) -> Gwae {
    let training = training();
    let objective = GwaeObjective {
        reconstruction_weight: training.reconstruction_weight,
        merged_weight: training.merged_weight,
        entropy_weight: training.entropy_weight,
        gradient_penalty_weight: training.gradient_penalty_weight,
        learned_similarity: config.learned_similarity,
        mixed_potential: config.mixed_potential,
    };
    let rate = training.learning_rate / training.warmup_steps as f64;
    let mut model = build(&gwae(config));
    let replicas: Vec<_> = shards.iter().map(|_| twin(&model, config)).collect();
    let gradients = replicas.iter().zip(shards).map(|(replica, images)| {
        let terms = objective.main_terms(
            replica,
            images.clone(),
            Mode::Train,
            noise,
            &LossTerms::none(),
        );
        GradientsParams::from_grads(terms.losses.total().backward(), replica)
    });
    let gradients = gradients.collect();
    let mean = mean_on_host(&model, gradients);
    // The buffers of the first replica are kept.
    model = RmsProp::init().step(rate, twin(&replicas[0], config), mean);

    let mut optimizer = RmsProp::init();
    let frozen: Vec<_> = shards
        .iter()
        .map(|_| twin(&model, config).no_grad())
        .collect();
    let posteriors: Vec<_> = frozen
        .iter()
        .zip(shards)
        .map(|(model, images)| model.encoder.encode(images.clone(), Mode::Train))
        .collect();
    for _ in 0..training.critic_steps {
        let replicas: Vec<_> = shards.iter().map(|_| twin(&model, config)).collect();
        let mut gradients = Vec::new();
        for (k, images) in shards.iter().enumerate() {
            let critic = replicas[k].critic.as_ref().unwrap();
            let terms = objective.critic_terms(
                &frozen[k],
                critic,
                images.clone(),
                &posteriors[k],
                Mode::Train,
                noise,
            );
            let backward = terms.loss.total.backward();
            gradients.push(GradientsParams::from_grads(backward, &replicas[k]));
        }
        let mean = mean_on_host(&model, gradients);
        model = optimizer.step(rate, twin(&replicas[0], config), mean);
    }
    // The critic's buffers are in the model. Those of encoder, decoder and prior are in the first
    // frozen replica, which the critic steps changed.
    let mut first = twin(&frozen[0], config);
    first.critic = model.critic.take();
    first
}

#[test]
fn a_step_on_shards_takes_the_mean_of_their_gradients_bit_for_bit() {
    for (batchnorm, count) in [(true, 2), (false, 2), (true, 3)] {
        let config = GwaeConfig {
            backbone: BackboneConfig {
                batchnorm,
                ..config().backbone
            },
            ..config()
        };
        let shards: Vec<_> = (0..count).map(|stream| images(stream, 3)).collect();
        let by_hand = step_by_hand(&config, &shards, &mut SeededGenerator::new(2, 0));
        let trained = learner(&gwae(&config), &training());
        let (learner, _) = trained.training_step(shards, &mut SeededGenerator::new(2, 0));
        let case = format!("batchnorm {batchnorm}, {count} shards");
        assert_same(&values(&learner.model), &values(&by_hand), &case);
        let untouched = values(&build(&gwae(&config)));
        assert!(values(&learner.model) != untouched, "{case}");
    }
}

/// Returns the same numbers at every call.
struct Repeated;

impl RandomSource for Repeated {
    fn standard_normal(&mut self, count: usize) -> Vec<f32> {
        SeededGenerator::new(1, 0).standard_normal(count)
    }

    fn uniform(&mut self, count: usize) -> Vec<f32> {
        SeededGenerator::new(1, 1).uniform(count)
    }
}

/// Parameters, buffers and losses after two steps on these shards.
fn two_steps<A: Algorithm>(
    algorithm: &A,
    shards: &[Tensor<4>],
    noise: &mut dyn RandomSource,
) -> (Vec<f32>, NamedLosses<f64>) {
    let trained = learner(algorithm, &training());
    let (learner, _) = trained.training_step(shards.to_vec(), noise);
    let (learner, losses) = learner.training_step(shards.to_vec(), noise);
    (values(learner.model()), losses.read())
}

/// The mean of two equal gradients is that gradient, and halving a sum of two equal numbers is
/// exact. So a sum instead of a mean, or a buffer that moves twice, changes some bit.
#[test]
fn two_equal_shards_with_equal_noise_are_as_one() {
    fn check<A: Algorithm>(name: &str, algorithm: &A) {
        let one = images(0, 6);
        let two = [one.clone(), one.clone()];
        let expected = two_steps(algorithm, &[one], &mut Repeated);
        let computed = two_steps(algorithm, &two, &mut Repeated);
        assert_eq!(computed.1, expected.1, "{name}");
        assert_same(&computed.0, &expected.0, name);
    }
    check("gwae", &gwae(&config()));
    let without_critic = GwaeConfig {
        merged_condition: false,
        prior: PriorConfig::Neural,
        ..config()
    };
    check("gwae without critic", &gwae(&without_critic));
    let everything = GwaeConfig {
        backbone: BackboneConfig {
            batchnorm: false,
            latent_bn: true,
            resblock: true,
            ..config().backbone
        },
        learned_similarity: true,
        mixed_potential: true,
        critic_activation: CriticActivation::Absolute,
        ..config()
    };
    check("gwae with everything", &gwae(&everything));
    let vae = VaeConfig {
        backbone: backbone(),
        ..VaeConfig::default()
    };
    check("vae", &SingleAlgorithm::new(vae));
    let dagmm = DagmmConfig {
        backbone: backbone(),
        ..DagmmConfig::default()
    };
    check("dagmm", &SingleAlgorithm::new(dagmm));
}

/// Without batch statistics, the loss of a VAE is a mean over images, so shards change only the
/// rounding. Its noise is drawn image by image.
#[test]
fn a_mean_over_images_does_not_depend_on_the_number_of_shards() {
    let config = VaeConfig {
        backbone: backbone(),
        ..VaeConfig::default()
    };
    let batch = images(0, 6);
    let algorithm = SingleAlgorithm::new(config.clone());
    let mut noise = SeededGenerator::new(2, 0);
    let objective = config.objective();
    let model = build(&algorithm);
    let expected = objective
        .losses(
            &model,
            batch.clone(),
            Mode::Train,
            &mut noise,
            &LossTerms::none(),
        )
        .read();
    let after_one = noise.state();
    for shards in [1, 2, 3] {
        let shards = batch.clone().chunk(shards, 0);
        let learner = algorithm.learner(model.clone(), &training(), LossTerms::none());
        let mut noise = SeededGenerator::new(2, 0);
        let (_, losses) = learner.training_step(shards, &mut noise);
        assert_eq!(noise.state(), after_one);
        for ((name, computed), (_, expected)) in losses.read().named().zip(expected.named()) {
            let difference = (computed - expected).abs() / expected.abs();
            assert!(difference < 1e-6, "{name}: {computed}, not {expected}");
        }
    }
}

#[test]
fn buffers_are_those_of_the_first_replica() {
    let config = GwaeConfig {
        merged_condition: false,
        prior: PriorConfig::FactorizedNormal,
        ..config()
    };
    let statistics = |shards| {
        let trained = learner(&gwae(&config), &training());
        let (learner, _) = trained.training_step(shards, &mut SeededGenerator::new(2, 0));
        struct Buffers(Vec<f32>);
        impl ModuleVisitor for Buffers {
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                if !param.is_require_grad() {
                    self.0.extend(param.val().into_data().iter::<f32>());
                }
            }
        }
        let mut buffers = Buffers(Vec::new());
        learner.model.visit(&mut buffers);
        buffers.0
    };
    let (first, second) = (images(0, 4), images(1, 4));
    let of_first = statistics(vec![first.clone()]);
    assert!(!of_first.is_empty());
    assert_eq!(statistics(vec![first, second.clone()]), of_first);
    assert_ne!(statistics(vec![second]), of_first);
}

/// The trained parameters, in single precision.
fn parameters<M: Module>(model: &M) -> Vec<f32> {
    struct Read(Vec<f32>);
    impl ModuleVisitor for Read {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            assert_eq!(param.val().dtype(), DType::F32);
            if param.is_require_grad() {
                self.0.extend(param.val().into_data().iter::<f32>());
            }
        }
    }
    let mut read = Read(Vec::new());
    model.visit(&mut read);
    read.0
}

/// The change of the parameters in a step with these settings.
fn change<A: Algorithm>(algorithm: &A, training: &TrainingConfig) -> Vec<f32> {
    let before = parameters(&build(algorithm));
    let trained = learner(algorithm, training);
    let shards = vec![images(0, 6), images(1, 6)];
    let (learner, losses) = trained.training_step(shards, &mut SeededGenerator::new(2, 0));
    for (name, loss) in losses.read().named() {
        assert!(loss.is_finite(), "{name}");
    }
    let after = parameters(learner.model());
    after.iter().zip(before).map(|(a, b)| a - b).collect()
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        let products = a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b));
        products.sum()
    };
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

#[test]
fn reduced_precision_steps_in_nearly_the_same_direction() {
    fn check<A: Algorithm>(name: &str, algorithm: &A) {
        let of = |precision| {
            let training = TrainingConfig {
                precision,
                ..training()
            };
            change(algorithm, &training)
        };
        let single = of(Precision::Single);
        for precision in [Precision::Bf16, Precision::F16] {
            let reduced = of(precision);
            let cosine = cosine(&single, &reduced);
            // In the first step, Adam and RMSprop use little more than the signs of the gradient;
            // fewer than one sign in twenty changes.
            assert!(cosine > 0.9, "{name}, {precision}: {cosine}");
            assert!(single != reduced, "{name}, {precision}");
            // Parameters with 8 significant bits would lose most of these updates.
            let moved = |change: &[f32]| change.iter().filter(|&&value| value != 0.0).count();
            let (all, kept) = (moved(&single), moved(&reduced));
            assert!(
                kept * 100 > all * 99,
                "{name}, {precision}: {kept} of {all}"
            );
        }
    }
    check("gwae", &gwae(&config()));
    let everything = GwaeConfig {
        backbone: BackboneConfig {
            batchnorm: false,
            latent_bn: true,
            resblock: true,
            ..config().backbone
        },
        learned_similarity: true,
        mixed_potential: true,
        critic_activation: CriticActivation::Absolute,
        prior: PriorConfig::Neural,
        ..config()
    };
    check("gwae with everything", &gwae(&everything));
    let vae = VaeConfig {
        backbone: backbone(),
        ..VaeConfig::default()
    };
    check("vae", &SingleAlgorithm::new(vae));
    let dagmm = DagmmConfig {
        backbone: backbone(),
        ..DagmmConfig::default()
    };
    check("dagmm", &SingleAlgorithm::new(dagmm));
}
