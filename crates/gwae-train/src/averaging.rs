//! Averages of a model's parameters over the training steps.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::Tensor;

/// An exponential moving average of every trainable parameter (Polyak, Juditsky, 1992).
///
/// A critic and the networks that it trains against circle around their equilibrium. The average
/// over the circle is nearer to the equilibrium than any point on it. Buffers (running statistics,
/// the vectors of spectral normalisation) are not averaged; they are the model's own.
#[derive(Debug)]
pub struct ParameterAverage {
    decay: f64,
    /// Number of steps in the average.
    steps: u64,
    /// In the order in which a module is visited, without gradients; each parameter is flattened.
    averages: Vec<Tensor<1>>,
}

impl ParameterAverage {
    /// An empty average. A new step has the weight `1 − decay`, and more in the first steps (step n
    /// at least `9/(n + 9)`).
    pub fn new(decay: f64) -> Self {
        Self {
            decay,
            steps: 0,
            averages: Vec::new(),
        }
    }

    /// Continues the averages in `model`, which were taken over `steps` steps.
    pub fn resume<M: Module>(decay: f64, model: &M, steps: u64) -> Self {
        Self {
            decay,
            steps,
            averages: if steps == 0 {
                Vec::new()
            } else {
                trainable(model)
            },
        }
    }

    /// Adds the parameters after a step.
    pub fn update<M: Module>(&mut self, model: &M) {
        // In the first steps the average covers about a ninth of all steps so far, so it soon
        // forgets the very first.
        let old = ((self.steps + 1) as f64 / (self.steps + 10) as f64).min(self.decay);
        self.steps += 1;
        let new = trainable(model);
        let averages = std::mem::take(&mut self.averages);
        self.averages = if averages.is_empty() {
            new
        } else {
            let pairs = averages.into_iter().zip(new);
            pairs.map(|(a, n)| a * old + n * (1.0 - old)).collect()
        };
    }

    /// A copy of `model` with the averages as its parameters, without autodiff.
    pub fn averaged<M: Module>(&self, model: &M) -> M {
        if self.averages.is_empty() {
            return model.valid();
        }
        let trainable = which_are_trainable(model);
        let mut mapper = Replace {
            trainable: trainable.into_iter(),
            averages: self.averages.clone().into_iter(),
        };
        model.valid().map(&mut mapper)
    }
}

/// Every trainable parameter, flattened, without autodiff.
fn trainable<M: Module>(model: &M) -> Vec<Tensor<1>> {
    struct Collect(Vec<Tensor<1>>);
    impl ModuleVisitor for Collect {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if param.is_require_grad() {
                let values = param.val().detach().without_autodiff();
                self.0.push(values.reshape([-1]));
            }
        }
    }
    let mut collect = Collect(Vec::new());
    model.visit(&mut collect);
    collect.0
}

/// For every parameter and buffer: is it trainable?
fn which_are_trainable<M: Module>(model: &M) -> Vec<bool> {
    struct Ask(Vec<bool>);
    impl ModuleVisitor for Ask {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.push(param.is_require_grad());
        }
    }
    let mut ask = Ask(Vec::new());
    model.visit(&mut ask);
    ask.0
}

/// Replaces trainable parameters by averages.
struct Replace<A, B> {
    trainable: A,
    averages: B,
}

impl<A, B> ModuleMapper for Replace<A, B>
where
    A: Iterator<Item = bool>,
    B: Iterator<Item = Tensor<1>>,
{
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if self.trainable.next() != Some(true) {
            return param;
        }
        let average = self.averages.next().expect("one per trainable parameter");
        param.map(|old| average.reshape(old.dims()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;
    use gwae_core::random::SeededGenerator;
    use gwae_core::{BatchNorm, Mode, initialise};

    #[derive(Module, Debug)]
    struct Small {
        layer: burn::nn::Linear,
        norm: BatchNorm,
    }

    fn small(seed: u64) -> Small {
        let device = Device::flex().autodiff();
        let norm = BatchNorm::new(2, 0.5, true, &device);
        norm.forward(
            Tensor::<2>::from_data([[0.0, seed as f32], [2.0, 4.0]], &device),
            Mode::Train,
        );
        Small {
            layer: initialise::linear(2, 2, &mut SeededGenerator::new(seed, 0), &device),
            norm,
        }
    }

    fn weights(model: &Small) -> Vec<f64> {
        let weight = model.layer.weight.val().into_data();
        weight.iter::<f64>().collect()
    }

    fn statistics(model: &Small) -> Vec<f64> {
        let mean = model.norm.running_mean.value_sync().into_data();
        mean.iter::<f64>().collect()
    }

    #[test]
    fn early_steps_weigh_more_than_the_decay_says() {
        let models = [small(1), small(2), small(3)];
        let mut average = ParameterAverage::new(0.2);
        for model in &models {
            average.update(model);
        }
        // b weighs 9/11; c would weigh 9/12 and weighs 1 − 0.2.
        let [a, b, c] = [0, 1, 2].map(|k: usize| weights(&models[k]));
        let averaged = average.averaged(&models[2]);
        for (k, value) in weights(&averaged).into_iter().enumerate() {
            let expected = 0.2 * (2.0 * a[k] + 9.0 * b[k]) / 11.0 + 0.8 * c[k];
            assert!((value - expected).abs() < 1e-6);
        }
        // Buffers come from the model, and the model keeps its own.
        let before = statistics(&models[2]);
        assert_eq!(statistics(&averaged), before);
        assert_eq!(statistics(&models[2]), before);
    }

    #[test]
    fn a_resumed_average_goes_on() {
        let models = [small(1), small(2), small(3)];
        let mut whole = ParameterAverage::new(0.9);
        models.iter().for_each(|model| whole.update(model));
        let mut first = ParameterAverage::new(0.9);
        models[..2].iter().for_each(|model| first.update(model));
        // As after reading a file: the averages in a model that can be trained.
        let saved = first.averaged(&models[1]).train();
        let mut second = ParameterAverage::resume(0.9, &saved, 2);
        second.update(&models[2]);
        assert_eq!(
            weights(&second.averaged(&models[2])),
            weights(&whole.averaged(&models[2]))
        );
    }

    #[test]
    fn before_the_first_step_it_is_the_model() {
        let model = small(1);
        let averaged = ParameterAverage::new(0.9).averaged(&model);
        assert_eq!(weights(&averaged), weights(&model));
    }
}
