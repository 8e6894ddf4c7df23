//! The losses of a GWAE's step, by name.

use burn::tensor::Tensor;

use crate::named_losses::{NamedLosses, mean_of};

/// Every term of the objective and what is logged beside it.
///
/// `T` is a tensor `[1]` while the losses are on the device and `f64` once they are read.
#[derive(Clone, Debug, PartialEq)]
pub struct Losses<T> {
    /// The whole objective of the main step.
    pub total: T,
    /// Estimated Gromov-Wasserstein loss L_GW.
    pub gw: T,
    /// Reconstruction L_W, unweighted.
    pub reconstruction: T,
    /// Merged sufficient condition L_D, or the MMD without a critic, unweighted.
    pub merged: T,
    /// Entropy regularisation L_H, unweighted.
    pub entropy: T,
    /// Of the last critic step, with a critic.
    pub critic: Option<CriticLosses<T>>,
    /// Distance scale c after the step.
    pub distance_coefficient: T,
    /// Scale of the last encoded codes: mean over dimensions of the batch standard deviation.
    pub encoded_scale: T,
    /// The same of the last prior codes.
    pub prior_scale: T,
}

/// The critic's losses.
#[derive(Clone, Debug, PartialEq)]
pub struct CriticLosses<T> {
    /// The critic's whole objective.
    pub total: T,
    /// `−mean(D(xs, zs) − D(x, z))`.
    pub potential: T,
    /// Gradient penalty with the magnitude terms, unweighted.
    pub gradient_penalty: T,
    /// Mean potential of encoded pairs.
    pub potential_encoded: T,
    /// Mean potential of prior pairs.
    pub potential_prior: T,
}

impl<T> Losses<T> {
    /// Applies `f` to every value, in the order of [`Losses::named`].
    pub fn map<U>(self, mut f: impl FnMut(T) -> U) -> Losses<U> {
        Losses {
            total: f(self.total),
            gw: f(self.gw),
            reconstruction: f(self.reconstruction),
            merged: f(self.merged),
            entropy: f(self.entropy),
            critic: self.critic.map(|critic| CriticLosses {
                total: f(critic.total),
                potential: f(critic.potential),
                gradient_penalty: f(critic.gradient_penalty),
                potential_encoded: f(critic.potential_encoded),
                potential_prior: f(critic.potential_prior),
            }),
            distance_coefficient: f(self.distance_coefficient),
            encoded_scale: f(self.encoded_scale),
            prior_scale: f(self.prior_scale),
        }
    }

    /// Every value with its name, as logs and pictures show it.
    pub fn named(&self) -> Vec<(&'static str, &T)> {
        let mut named = vec![
            ("total", &self.total),
            ("gw", &self.gw),
            ("reconstruction", &self.reconstruction),
            ("merged", &self.merged),
            ("entropy", &self.entropy),
        ];
        if let Some(critic) = &self.critic {
            named.extend([
                ("critic", &critic.total),
                ("critic_potential", &critic.potential),
                ("gradient_penalty", &critic.gradient_penalty),
                ("potential_encoded", &critic.potential_encoded),
                ("potential_prior", &critic.potential_prior),
            ]);
        }
        named.extend([
            ("distance_coefficient", &self.distance_coefficient),
            ("encoded_scale", &self.encoded_scale),
            ("prior_scale", &self.prior_scale),
        ]);
        named
    }
}

impl<T> From<Losses<T>> for NamedLosses<T> {
    fn from(losses: Losses<T>) -> Self {
        let names: Vec<_> = losses.named().into_iter().map(|(name, _)| name).collect();
        let mut names = names.into_iter();
        let mut named = Vec::new();
        losses.map(|value| named.push((names.next().expect("a name per value"), value)));
        Self::new(named)
    }
}

impl Losses<Tensor<1>> {
    /// The mean over the shards of a batch, on the device of the first.
    ///
    /// # Panics
    /// Without any.
    pub fn mean(shards: Vec<Self>) -> Self {
        let mut shards = shards.into_iter();
        let first = shards.next().expect("a batch has a shard");
        let others: Vec<_> = shards.collect();
        let others: Vec<_> = others.iter().map(Losses::named).collect();
        let mut index = 0..;
        first.map(|value| {
            let index = index.next().expect("an endless range");
            mean_of(value, others.iter().map(|named| named[index].1.clone()))
        })
    }

    /// Reads every value in one transfer from the device.
    pub fn read(self) -> Losses<f64> {
        let empty = self.clone().map(|_| ());
        let read = NamedLosses::from(self).read();
        let mut values = read.named().iter().map(|(_, value)| *value);
        empty.map(|()| values.next().expect("one value per loss"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    fn numbered() -> Losses<f64> {
        let critic = CriticLosses {
            total: 0.0,
            potential: 0.0,
            gradient_penalty: 0.0,
            potential_encoded: 0.0,
            potential_prior: 0.0,
        };
        let mut next = 0.0;
        Losses {
            total: 0.0,
            gw: 0.0,
            reconstruction: 0.0,
            merged: 0.0,
            entropy: 0.0,
            critic: Some(critic),
            distance_coefficient: 0.0,
            encoded_scale: 0.0,
            prior_scale: 0.0,
        }
        .map(|_| {
            next += 1.0;
            next
        })
    }

    #[test]
    fn names_follow_the_order_of_map() {
        let values: Vec<f64> = numbered()
            .named()
            .iter()
            .map(|(_, value)| **value)
            .collect();
        assert_eq!(values, (1..=13).map(f64::from).collect::<Vec<_>>());
    }

    #[test]
    fn reading_keeps_every_value_in_its_place() {
        let device = Device::flex();
        let tensors = numbered().map(|value| Tensor::<1>::from_data([value as f32], &device));
        assert_eq!(tensors.read(), numbered());
        let named = NamedLosses::from(numbered());
        let expected = numbered();
        let expected: Vec<_> = expected.named().into_iter().map(|(n, v)| (n, *v)).collect();
        assert_eq!(named.named(), expected);
    }
}
