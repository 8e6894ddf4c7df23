//! Several devices that train together.

use std::fmt;
use std::str::FromStr;

use burn::tensor::Device;

use super::{DeviceError, DeviceSpec, DeviceSpecError};
use crate::precision::Precision;

/// The devices of a training: each computes the gradient of its share of every batch. The first is
/// the main one; it also updates the model, validates and draws.
///
/// Written with commas: `cuda:0,cuda:1`. A device may be named several times; it then has several
/// replicas. All devices belong to one backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceList {
    main: DeviceSpec,
    others: Vec<DeviceSpec>,
}

/// A text that does not name devices that can work together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviceListError {
    /// One of the names.
    #[error(transparent)]
    Spec(#[from] DeviceSpecError),
    /// Devices of different backends.
    #[error("{main} and {other} cannot share a step: all devices must be of one backend")]
    Mixed {
        /// The first device.
        main: DeviceSpec,
        /// The first device of another backend.
        other: DeviceSpec,
    },
}

/// A batch that the devices cannot share.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShardError {
    /// The batch cannot be divided evenly.
    #[error(
        "training.batch_size = {batch} cannot be divided evenly among {devices} devices: make it a multiple of {devices}, such as {}",
        batch.next_multiple_of(*.devices).max(2 * .devices)
    )]
    Uneven {
        /// Images per step.
        batch: usize,
        /// The number of devices.
        devices: usize,
    },
    /// Fewer than two images per device.
    #[error(
        "training.batch_size = {batch} is one image for each of {devices} devices, and the losses compare images: make it at least {}, or name fewer devices",
        2 * .devices
    )]
    TooSmall {
        /// Images per step.
        batch: usize,
        /// The number of devices.
        devices: usize,
    },
}

impl DeviceList {
    /// The device that updates the model.
    pub fn main(&self) -> DeviceSpec {
        self.main
    }

    /// Every device, the main one first.
    pub fn iter(&self) -> impl Iterator<Item = DeviceSpec> + '_ {
        std::iter::once(self.main).chain(self.others.iter().copied())
    }

    /// Opens all of them, like [`DeviceSpec::open_for`].
    ///
    /// # Errors
    /// For the first device that cannot be used.
    pub fn open_for(&self, precision: Precision) -> Result<Vec<Device>, DeviceError> {
        self.iter().map(|spec| spec.open_for(precision)).collect()
    }

    /// Images per device in a step of `batch` images.
    ///
    /// # Errors
    /// When the images cannot be divided evenly, or one of several devices would get fewer than two
    /// images. The losses need two.
    pub fn shard_size(&self, batch: usize) -> Result<usize, ShardError> {
        let devices = 1 + self.others.len();
        let size = batch / devices;
        if !batch.is_multiple_of(devices) {
            return Err(ShardError::Uneven { batch, devices });
        }
        if devices > 1 && size < 2 {
            return Err(ShardError::TooSmall { batch, devices });
        }
        Ok(size)
    }
}

impl Default for DeviceList {
    /// The CPU.
    fn default() -> Self {
        DeviceSpec::default().into()
    }
}

impl From<DeviceSpec> for DeviceList {
    /// A single device.
    fn from(main: DeviceSpec) -> Self {
        Self {
            main,
            others: Vec::new(),
        }
    }
}

impl fmt::Display for DeviceList {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.main)?;
        self.others
            .iter()
            .try_for_each(|other| write!(formatter, ",{other}"))
    }
}

impl FromStr for DeviceList {
    type Err = DeviceListError;

    fn from_str(text: &str) -> Result<Self, DeviceListError> {
        let mut specs = text.split(',').map(str::parse);
        // `split` always returns at least one part.
        let main: DeviceSpec = specs.next().unwrap_or_else(|| "".parse())?;
        let others = specs.collect::<Result<Vec<DeviceSpec>, _>>()?;
        match others.iter().find(|other| other.backend != main.backend) {
            Some(&other) => Err(DeviceListError::Mixed { main, other }),
            None => Ok(Self { main, others }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> DeviceList {
        text.parse().unwrap()
    }

    #[test]
    fn lists_are_read_and_written() {
        for text in ["cpu", "cpu,cpu", "cuda:0,cuda:1,cuda:0", "wgpu"] {
            assert_eq!(list(text).to_string(), text);
        }
        let spec: DeviceSpec = "cuda:2".parse().unwrap();
        assert_eq!(DeviceList::from(spec), list("cuda:2"));
        assert_eq!(DeviceList::default(), list("cpu"));
        let names: Vec<_> = list("cuda:1,cuda:0").iter().collect();
        assert_eq!(names[1], "cuda:0".parse().unwrap());
        assert_eq!(list("cuda:1,cuda:0").main(), names[0]);
    }

    #[test]
    fn other_texts_are_refused() {
        for (text, message) in [
            ("", "`` is no device"),
            ("cpu,", "`` is no device"),
            ("cuda:0, cuda:1", "` cuda:1` is no device"),
            ("cuda:0;cuda:1", "`cuda:0;cuda:1` is no device"),
            ("cuda:0,wgpu", "cuda:0 and wgpu cannot share a step"),
        ] {
            let error = text.parse::<DeviceList>().unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
            assert!(!error.contains('\n'));
        }
    }

    #[test]
    fn batches_are_divided_evenly_into_pairs_or_more() {
        assert_eq!(list("cpu").shard_size(7), Ok(7));
        assert_eq!(list("cpu,cpu").shard_size(8), Ok(4));
        assert_eq!(list("cpu,cpu,cpu").shard_size(6), Ok(2));
        for (devices, batch, message) in [
            (
                "cpu,cpu",
                7,
                "= 7 cannot be divided evenly among 2 devices: make it a multiple of 2, such as 8",
            ),
            ("cpu,cpu,cpu", 2, "multiple of 3, such as 6"),
            ("cpu,cpu", 2, "= 2 is one image for each of 2 devices"),
            ("cpu,cpu,cpu", 3, "make it at least 6"),
        ] {
            let error = list(devices).shard_size(batch).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
    }

    #[test]
    #[cfg(feature = "cpu")]
    fn the_same_device_opens_several_times() {
        let opened = list("cpu,cpu").open_for(Precision::Bf16).unwrap();
        assert_eq!(opened, vec![Device::flex(); 2]);
    }
}
