//! The named losses of a step, of any model: for logs, progress bars and plots.

use std::borrow::Cow;

use burn::tensor::{Tensor, Transaction};

/// Losses with their names. Training minimises the first one.
///
/// `T` is a tensor `[1]` while the losses are on the device and `f64` once they are read.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedLosses<T>(Vec<(Cow<'static, str>, T)>);

impl<T> NamedLosses<T> {
    /// Losses in the order of display.
    ///
    /// # Panics
    /// If there are none: the first one is the total.
    pub fn new(named: impl IntoIterator<Item = (&'static str, T)>) -> Self {
        let named = named.into_iter();
        let named: Vec<_> = named.map(|(name, value)| (name.into(), value)).collect();
        assert!(!named.is_empty(), "a step has a loss");
        Self(named)
    }

    /// The same losses with one more at the end.
    pub fn with(mut self, name: impl Into<Cow<'static, str>>, value: T) -> Self {
        self.0.push((name.into(), value));
        self
    }

    /// The same losses with a new value for `name`, which must exist.
    pub fn replaced(mut self, name: &str, value: T) -> Self {
        let of_name = self.0.iter_mut().find(|(known, _)| known == name);
        of_name.expect("a loss of that name").1 = value;
        self
    }

    /// Every loss with its name.
    pub fn named(&self) -> impl ExactSizeIterator<Item = (&str, &T)> + DoubleEndedIterator {
        self.0.iter().map(|(name, value)| (name.as_ref(), value))
    }

    /// The loss that training minimises.
    pub fn total(&self) -> &T {
        &self.0[0].1
    }

    /// The loss of that name.
    pub fn get(&self, name: &str) -> Option<&T> {
        let of_name = self.0.iter().find(|(known, _)| *known == name);
        of_name.map(|(_, value)| value)
    }

    /// The same names with `f` applied to every value.
    pub fn map<U>(self, mut f: impl FnMut(T) -> U) -> NamedLosses<U> {
        let named = self.0.into_iter();
        NamedLosses(named.map(|(name, value)| (name, f(value))).collect())
    }
}

impl NamedLosses<Tensor<1>> {
    /// The same values without a gradient.
    pub fn detach(self) -> Self {
        self.map(Tensor::detach)
    }

    /// The mean over the shards of a batch, on the device of the first. All have the same names.
    ///
    /// # Panics
    /// If there are no shards.
    pub fn mean(shards: Vec<Self>) -> Self {
        let mut shards = shards.into_iter();
        let first = shards.next().expect("a batch has a shard");
        let others: Vec<_> = shards.collect();
        let mut index = 0..;
        first.map(|value| {
            let index = index.next().expect("an endless range");
            mean_of(value, others.iter().map(|losses| losses.0[index].1.clone()))
        })
    }

    /// Reads every value in one transfer from the device.
    pub fn read(self) -> NamedLosses<f64> {
        let mut read = Self::read_all(vec![self]);
        read.pop().expect("as many as were given")
    }

    /// Reads the losses of several steps in one transfer from the device.
    pub fn read_all(all: Vec<Self>) -> Vec<NamedLosses<f64>> {
        let mut transaction = Transaction::default();
        let empty: Vec<NamedLosses<()>> = all
            .into_iter()
            .map(|losses| {
                losses.map(|value| {
                    transaction = std::mem::take(&mut transaction).register(value);
                })
            })
            .collect();
        let mut values = transaction.execute().into_iter();
        let read = |losses: NamedLosses<()>| {
            losses.map(|()| {
                let data = values.next().expect("one value per registered tensor");
                data.iter::<f64>().next().expect("losses have one value")
            })
        };
        empty.into_iter().map(read).collect()
    }
}

/// The mean of a number and of others, on the device of the first. The others may be on other
/// devices.
fn mean_of(first: Tensor<1>, others: impl ExactSizeIterator<Item = Tensor<1>>) -> Tensor<1> {
    let count = 1 + others.len();
    if count == 1 {
        return first;
    }
    let device = first.device();
    let sum = others.fold(first, |sum, other| sum + other.to_device(&device));
    sum / count as f64
}

impl NamedLosses<f64> {
    /// The weighted mean of several steps' losses; `None` if there are none. All have the same
    /// names.
    pub fn weighted_mean(all: &[(Self, f64)]) -> Option<Self> {
        let (first, _) = all.first()?;
        let weight: f64 = all.iter().map(|(_, weight)| weight).sum();
        let mut index = 0..;
        Some(first.clone().map(|_| {
            let index = index.next().expect("an endless range");
            let weighted = all
                .iter()
                .map(|(losses, weight)| losses.0[index].1 * weight);
            weighted.sum::<f64>() / weight
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    fn losses(factor: f64) -> NamedLosses<f64> {
        NamedLosses::new(vec![("total", 3.0 * factor), ("part", 5.0 * factor)])
    }

    #[test]
    fn reading_keeps_every_value_in_its_place() {
        let device = Device::flex();
        let tensors = losses(1.0).map(|value| Tensor::<1>::from_data([value as f32], &device));
        assert_eq!(tensors.clone().read(), losses(1.0));
        let doubled = tensors.clone().map(|value| value * 2.0);
        let read = NamedLosses::read_all(vec![tensors, doubled]);
        assert_eq!(read, [losses(1.0), losses(2.0)]);
        assert_eq!(NamedLosses::read_all(Vec::new()), []);
        assert_eq!((read[1].total(), read[1].get("part")), (&6.0, Some(&10.0)));
    }

    #[test]
    fn means_are_weighted() {
        let mean = NamedLosses::weighted_mean(&[(losses(1.0), 1.0), (losses(2.0), 3.0)]);
        assert_eq!(mean, Some(losses(1.75)));
        assert_eq!(NamedLosses::<f64>::weighted_mean(&[]), None);
    }
}
