//! Gradients of whole objectives, parameter by parameter.

use burn::module::{Module, ModuleMapper, ModuleVisitor};
use burn::tensor::Gradients;
use gwae_core::Mode;
use gwae_core::random::RandomSource;
use gwae_models::{BackboneConfig, ConvCritic, ConvDecoder, Encoder, GwaeConfig};
use gwae_models::{LossTerms, Objective, SingleObjectiveSettings};

use super::*;

/// The step is long enough that the change of the loss is large against its rounding error.
pub const STEP: f64 = 1e-5;

/// The gradient of every trainable parameter that has one, and the number of those without.
fn read<M: Module>(module: &M, gradients: &Gradients) -> (Vec<(ParamId, Vec<f64>)>, usize) {
    struct Read<'a> {
        gradients: &'a Gradients,
        with: Vec<(ParamId, Vec<f64>)>,
        without: usize,
    }
    impl ModuleVisitor for Read<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if param.is_require_grad() {
                match param.val().grad(self.gradients) {
                    Some(gradient) => self.with.push((param.id, values(gradient))),
                    None => self.without += 1,
                }
            }
        }
    }
    let mut read = Read {
        gradients,
        with: Vec::new(),
        without: 0,
    };
    module.visit(&mut read);
    (read.with, read.without)
}

/// Compares every gradient of `function` with central differences of length `step` along a random
/// direction. Returns the numbers of parameters with and without a gradient.
#[track_caller]
pub fn compare<M: Module>(
    module: &M,
    function: impl Fn(&M) -> Tensor<1>,
    step: f64,
    case: &str,
) -> (usize, usize) {
    struct Move<'a>(ParamId, &'a [f64], f64);
    impl ModuleMapper for Move<'_> {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            moved(param, self.0, self.1, self.2)
        }
    }
    let (with, without) = read(module, &function(module).backward());
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let sizes = with
        .iter()
        .map(|(_, gradient)| product(gradient, gradient).sqrt());
    let largest = sizes.fold(0.0, f64::max);
    for (index, (id, gradient)) in with.iter().enumerate() {
        let direction = SeededGenerator::new(31, index as u64).standard_normal(gradient.len());
        let direction: Vec<f64> = direction.into_iter().map(f64::from).collect();
        let expected = product(gradient, &direction);
        let at = |step| {
            value(function(
                &module.clone().map(&mut Move(*id, &direction, step)),
            ))
        };
        let numeric = (at(step) - at(-step)) / (2.0 * step);
        // If a batch norm removes a shift, the gradient is zero up to rounding.
        let scale = expected.abs().max(1e-3 * largest);
        assert!(
            (numeric - expected).abs() <= 1e-4 * scale,
            "{case}: parameter {index}: {numeric} by differences, {expected} by autodiff"
        );
    }
    (with.len(), without)
}

fn trainable<M: Module>(module: &M) -> usize {
    struct Count(usize);
    impl ModuleVisitor for Count {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0 += usize::from(param.is_require_grad());
        }
    }
    let mut count = Count(0);
    module.visit(&mut count);
    count.0
}

#[test]
fn the_gradient_of_a_vae_is_that_of_central_differences() {
    let config = vae_config();
    let objective = config.objective();
    for mode in [Mode::Train, Mode::Evaluate] {
        let of = |model: &Vae| {
            let losses = objective.losses(model, images(), mode, &mut noise(), &LossTerms::none());
            losses.total().clone()
        };
        let (with, without) = compare(&vae(&config), of, STEP, &format!("{mode:?}"));
        assert!(with > 0 && without == 0);
    }
}

/// Without a critic, everything learns: encoder, decoder, prior and distance scale, also through
/// batch statistics.
#[test]
fn the_main_gradient_without_critic_is_that_of_central_differences() {
    let model = gwae(&GwaeConfig {
        backbone: BackboneConfig {
            batchnorm: true,
            ..gwae_config().backbone
        },
        merged_condition: false,
        ..gwae_config()
    });
    let objective = objective(false, false);
    let of = |model: &Gwae| {
        let terms = objective.main_terms(
            model,
            images(),
            Mode::Train,
            &mut noise(),
            &LossTerms::none(),
        );
        terms.losses.total().clone()
    };
    let (with, without) = compare(&model, of, STEP, "training");
    // The last batch norm of the neural prior has no trainable gain and shift.
    assert_eq!((with, without), (trainable(&model), 0));
}

/// The critic passes on gradients and gets none.
#[test]
fn the_main_gradient_with_critic_is_that_of_central_differences() {
    for learned in [false, true] {
        let model = gwae(&gwae_config());
        let objective = objective(learned, false);
        let of = |model: &Gwae| {
            let terms = objective.main_terms(
                model,
                images(),
                Mode::Evaluate,
                &mut noise(),
                &LossTerms::none(),
            );
            terms.losses.total().clone()
        };
        let case = format!("learned {learned}");
        let (_, without) = compare(&model, of, STEP, &case);
        assert_eq!(without, trainable(model.critic.as_ref().unwrap()), "{case}");
    }
}

/// As in the authors' program, the encoded codes are constants in the mixed potential. It moves the
/// decoder and does not change the gradient of the encoder.
#[test]
fn the_mixed_potential_moves_the_decoder_and_not_the_encoder() {
    let model = gwae(&gwae_config());
    let of = |model: &Gwae, mixed: bool| {
        let objective = objective(false, mixed);
        let terms = objective.main_terms(
            model,
            images(),
            Mode::Evaluate,
            &mut noise(),
            &LossTerms::none(),
        );
        terms.losses.total().clone()
    };
    let of_decoder = |decoder: &ConvDecoder| {
        let mut model = model.clone();
        model.decoder = decoder.clone();
        of(&model, true)
    };
    let (with, without) = compare(&model.decoder, of_decoder, STEP, "decoder");
    assert_eq!((with, without), (trainable(&model.decoder), 0));
    let gradients = |mixed| read(&model.encoder, &of(&model, mixed).backward()).0;
    for ((_, mixed), (_, plain)) in gradients(true).into_iter().zip(gradients(false)) {
        for (mixed, plain) in mixed.into_iter().zip(plain) {
            assert_near(mixed, plain, "encoder");
        }
    }
}

/// Only the critic learns, with a penalty on its input gradient.
#[test]
fn the_critic_gradient_is_that_of_central_differences() {
    let model = gwae(&gwae_config());
    let frozen = model.clone().no_grad();
    let posterior = frozen.encoder.encode(images(), Mode::Evaluate);
    for mixed in [false, true] {
        let objective = objective(false, mixed);
        let of = |critic: &ConvCritic| {
            let (images, mode) = (images(), Mode::Evaluate);
            let terms =
                objective.critic_terms(&frozen, critic, images, &posterior, mode, &mut noise());
            terms.loss.total
        };
        let critic = model.critic.clone().unwrap();
        // A longer step would change the sign of some LeakyReLU input, and the penalty jumps there.
        let (with, without) = compare(&critic, of, STEP / 100.0, &format!("mixed {mixed}"));
        assert_eq!((with, without), (trainable(&critic), 0));
        let (of_frozen, _) = read(&frozen, &of(&critic).backward());
        assert!(of_frozen.is_empty());
    }
}
