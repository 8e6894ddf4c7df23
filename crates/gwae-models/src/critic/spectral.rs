//! Spectrally normalised layers (Miyato et al. 2018), as PyTorch's `spectral_norm` trains them.

use burn::module::{Module, Param, RunningState};
use burn::tensor::{Device, Tensor};
use gwae_core::{
    Mode, initialise,
    random::{RandomSource, normal_tensor},
    set_running,
};
use gwae_kernels::{SingularTriple, divide_by_spectral_norm, unit_vector};

/// A weight divided by its largest singular value `σ = uᵀWv`, with one power iteration per forward
/// pass in training. The weight counts as the matrix `[out, rest]`. σ carries a gradient to the
/// weight; u and v carry none.
#[derive(Module, Debug)]
pub struct SpectralWeight<const D: usize> {
    /// The weight before normalisation, PyTorch's layout `[out, in, ...]`.
    pub weight: Param<Tensor<D>>,
    /// Bias `[out]`, not normalised.
    pub bias: Param<Tensor<1>>,
    /// Left singular vector `[out]`.
    pub left: RunningState<Tensor<1>>,
    /// Right singular vector `[rest]`.
    pub right: RunningState<Tensor<1>>,
}

/// A normalised weight with its bias, for one forward pass.
#[derive(Clone, Debug)]
pub struct NormalisedWeight<const D: usize> {
    /// `W/σ(W)`.
    pub weight: Tensor<D>,
    /// Bias `[out]`.
    pub bias: Tensor<1>,
}

impl<const D: usize> SpectralWeight<D> {
    /// A weight of `shape` with PyTorch's default initialisation and random unit u, v.
    pub fn new(shape: [usize; D], noise: &mut dyn RandomSource, device: &Device) -> Self {
        let rest: usize = shape[1..].iter().product();
        let weight = initialise::uniform_parameter(shape, rest, noise, device);
        let bias = initialise::uniform_parameter([shape[0]], rest, noise, device);
        let mut vector =
            |count| RunningState::new(unit_vector(normal_tensor(noise, [count], device)));
        Self {
            weight,
            bias,
            left: vector(shape[0]),
            right: vector(rest),
        }
    }

    /// The normalised weight. In [`Mode::Train`], one power iteration comes first (`v ← Wᵀu/‖·‖`,
    /// then `u ← Wv/‖·‖`).
    pub fn normalise(&self, mode: Mode) -> NormalisedWeight<D> {
        let weight = self.weight.val();
        let matrix = weight.clone().flatten_from_second();
        let left = self.left.value_sync();
        let triple = match mode {
            Mode::Train => {
                let triple = SingularTriple::after_power_iteration(matrix.clone(), left);
                set_running(&self.left, triple.left.clone());
                set_running(&self.right, triple.right.clone());
                triple
            }
            Mode::Evaluate => {
                SingularTriple::between(matrix.clone(), left, self.right.value_sync())
            }
        };
        NormalisedWeight {
            weight: divide_by_spectral_norm(matrix, triple).reshape(weight.dims()),
            bias: self.bias.val(),
        }
    }
}

impl<const D: usize> NormalisedWeight<D> {
    /// The same values without a gradient.
    pub fn detach(self) -> Self {
        Self {
            weight: self.weight.detach(),
            bias: self.bias.detach(),
        }
    }
}

/// Reshapes a weight to the matrix `[out, rest]`.
trait FlattenFromSecond {
    fn flatten_from_second(self) -> Tensor<2>;
}

impl<const D: usize> FlattenFromSecond for Tensor<D> {
    fn flatten_from_second(self) -> Tensor<2> {
        let shape = self.dims();
        self.reshape([shape[0], shape[1..].iter().product()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{double_precision, f64_normal, values};
    use gwae_core::random::SeededGenerator;

    fn layer(device: &Device) -> SpectralWeight<2> {
        double_precision(SpectralWeight::new(
            [4, 6],
            &mut SeededGenerator::new(3, 0),
            device,
        ))
    }

    #[test]
    fn iterations_converge_to_the_largest_singular_value() {
        let device = Device::flex().autodiff();
        let layer = layer(&device);
        for _ in 0..500 {
            layer.normalise(Mode::Train);
        }
        // The largest eigenvalue of WᵀW of the normalised weight is 1, so its powers converge.
        let weight = layer.normalise(Mode::Evaluate).weight.detach();
        let square = weight.clone().matmul(weight.transpose());
        let mut power = square.clone();
        for _ in 0..200 {
            power = power.matmul(square.clone());
        }
        let trace: f64 = (0..4).map(|k| values(power.clone())[k * 5]).sum();
        assert!((trace - 1.0).abs() < 1e-9, "{trace}");
    }

    #[test]
    fn evaluation_leaves_the_vectors_alone_and_training_moves_them() {
        let device = Device::flex().autodiff();
        let layer = layer(&device);
        let before = values(layer.left.value());
        let first = values(layer.normalise(Mode::Evaluate).weight);
        assert_eq!(before, values(layer.left.value()));
        let second = values(layer.normalise(Mode::Train).weight);
        assert_ne!(before, values(layer.left.value()));
        assert_ne!(first, second);
    }

    #[test]
    fn gradient_flows_through_sigma() {
        let device = Device::flex().autodiff();
        let layer = layer(&device);
        let probe = f64_normal([4, 6], 9, &device);
        let value = |layer: &SpectralWeight<2>| {
            (layer.normalise(Mode::Evaluate).weight * probe.clone()).sum()
        };
        let gradient = layer.weight.grad(&value(&layer).backward()).unwrap();
        let direction = f64_normal([4, 6], 10, &device);
        let expected = values((gradient * direction.clone().without_autodiff()).sum())[0];
        let moved = |step: f64| {
            let mut moved = layer.clone();
            moved.weight =
                Param::from_tensor((layer.weight.val() + direction.clone() * step).detach());
            values(value(&moved))[0]
        };
        let numeric = (moved(1e-6) - moved(-1e-6)) / 2e-6;
        assert!((numeric - expected).abs() < 1e-7 * expected.abs().max(1.0));
    }
}
