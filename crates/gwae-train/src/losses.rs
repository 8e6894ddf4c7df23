//! The losses of a step, by name.

use burn::tensor::{Tensor, Transaction};

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

impl Losses<Tensor<1>> {
    /// Reads every value in one transfer from the device.
    pub fn read(self) -> Losses<f64> {
        let mut read = Self::read_all(vec![self]);
        read.pop().expect("as many as were given")
    }

    /// Reads the losses of several steps in one transfer from the device.
    pub fn read_all(all: Vec<Self>) -> Vec<Losses<f64>> {
        let mut transaction = Transaction::default();
        let empty: Vec<Losses<()>> = all
            .into_iter()
            .map(|losses| {
                losses.map(|value| {
                    transaction = std::mem::take(&mut transaction).register(value);
                })
            })
            .collect();
        let mut values = transaction.execute().into_iter();
        let read = |losses: Losses<()>| {
            losses.map(|()| {
                let data = values.next().expect("one value per registered tensor");
                data.iter::<f64>().next().expect("losses have one value")
            })
        };
        empty.into_iter().map(read).collect()
    }
}

impl Losses<f64> {
    /// Every value with its name, in the order of [`Losses::named`].
    pub fn named_values(&self) -> Vec<(&'static str, f64)> {
        let named = self.named().into_iter();
        named.map(|(name, value)| (name, *value)).collect()
    }

    /// The mean of several steps' losses, weighted; `None` without any.
    pub fn weighted_mean(all: &[(Self, f64)]) -> Option<Self> {
        let (first, _) = all.first()?;
        let weight: f64 = all.iter().map(|(_, weight)| weight).sum();
        let mut index = 0..;
        Some(first.clone().map(|_| {
            let index = index.next().expect("an endless range");
            let weighted = all
                .iter()
                .map(|(losses, weight)| losses.named()[index].1 * weight);
            weighted.sum::<f64>() / weight
        }))
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
        assert_eq!(tensors.clone().read(), numbered());
        let doubled = tensors.clone().map(|value| value * 2.0);
        assert_eq!(
            Losses::read_all(vec![tensors, doubled]),
            [numbered(), numbered().map(|value| 2.0 * value)]
        );
        assert_eq!(Losses::read_all(Vec::new()), []);
    }

    #[test]
    fn means_are_weighted() {
        let doubled = numbered().map(|value| 2.0 * value);
        let mean = Losses::weighted_mean(&[(numbered(), 1.0), (doubled, 3.0)]).unwrap();
        assert_eq!(mean, numbered().map(|value| 1.75 * value));
        assert_eq!(Losses::weighted_mean(&[]), None);
    }
}
