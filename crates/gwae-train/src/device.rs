//! Choosing a device by name at run time.

mod list;

use std::fmt;
use std::panic::{self, AssertUnwindSafe};
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use burn::tensor::{Device, Tensor};

use crate::precision::Precision;

pub use list::{DeviceList, DeviceListError, ShardError};

/// A compute backend; the Cargo feature of the same name compiles it in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeviceBackend {
    /// Burn's multi-threaded CPU backend.
    #[default]
    Cpu,
    /// WGSL through the graphics interface that wgpu finds.
    Wgpu,
    /// SPIR-V through Vulkan.
    Vulkan,
    /// Apple's Metal.
    Metal,
    /// NVIDIA's CUDA.
    Cuda,
    /// AMD's ROCm.
    Rocm,
}

impl DeviceBackend {
    /// Every backend, compiled in or not.
    pub const ALL: [Self; 6] = [
        Self::Cpu,
        Self::Wgpu,
        Self::Vulkan,
        Self::Metal,
        Self::Cuda,
        Self::Rocm,
    ];

    /// The name on the command line; the Cargo feature has the same name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Wgpu => "wgpu",
            Self::Vulkan => "vulkan",
            Self::Metal => "metal",
            Self::Cuda => "cuda",
            Self::Rocm => "rocm",
        }
    }

    /// Whether this build contains it.
    pub fn is_compiled_in(self) -> bool {
        match self {
            Self::Cpu => cfg!(feature = "cpu"),
            Self::Wgpu => cfg!(feature = "wgpu"),
            Self::Vulkan => cfg!(feature = "vulkan"),
            Self::Metal => cfg!(feature = "metal"),
            Self::Cuda => cfg!(feature = "cuda"),
            Self::Rocm => cfg!(feature = "rocm"),
        }
    }

    /// What to check when a device of this kind is not found.
    fn hint(self) -> &'static str {
        match self {
            Self::Cpu => "this should not happen: please report it",
            Self::Wgpu => "check that a graphics driver is installed (Vulkan, Metal or DirectX 12)",
            Self::Vulkan => {
                "check that a Vulkan driver is installed (`vulkaninfo --summary` lists what it finds)"
            }
            Self::Metal => "Metal needs macOS",
            Self::Cuda => {
                "check the NVIDIA driver and CUDA toolkit (`nvidia-smi` lists what it finds)"
            }
            Self::Rocm => "check the ROCm installation (`rocminfo` lists what it finds)",
        }
    }
}

/// The device to compute on: `cpu`, `wgpu`, `vulkan`, `metal`, `cuda` or `rocm`. `:N` after it
/// selects the N-th device, counted from 0; without it the backend chooses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeviceSpec {
    /// The backend.
    pub backend: DeviceBackend,
    /// The number of the device in this backend.
    pub index: Option<usize>,
}

/// A text that does not name a device.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no device: it must be cpu, wgpu, vulkan, metal, cuda or rocm, with :N for the N-th one from 0 (cpu has only cpu:0)"
)]
pub struct DeviceSpecError(String);

/// A device that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// The program was built without the backend.
    #[error(
        "device {spec}: this program was built without {feature} (it has: {available}); build it with `--features {feature}`, as in `cargo run --release --features {feature} …`"
    )]
    NotCompiledIn {
        /// The requested device.
        spec: DeviceSpec,
        /// The missing Cargo feature.
        feature: &'static str,
        /// The backends in this build.
        available: String,
    },
    /// This machine has no such device.
    #[error("device {spec} is not there: found {found}; {hint}")]
    NotFound {
        /// The requested device.
        spec: DeviceSpec,
        /// The devices that were found.
        found: String,
        /// What to do.
        hint: String,
    },
    /// The device exists, but does not support a floating-point type.
    #[error(
        "device {spec} does not compute in {precision}: set training.precision = \"single\", or choose another device"
    )]
    Precision {
        /// The requested device.
        spec: DeviceSpec,
        /// The unsupported type.
        precision: Precision,
    },
    /// The device exists, but does not compute.
    #[error("device {spec} cannot be used: {problem}; {hint}")]
    Unusable {
        /// The requested device.
        spec: DeviceSpec,
        /// The message of the driver or backend.
        problem: String,
        /// What to check.
        hint: &'static str,
    },
}

impl fmt::Display for DeviceSpec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.backend.name())?;
        match self.index {
            Some(index) => write!(formatter, ":{index}"),
            None => Ok(()),
        }
    }
}

impl FromStr for DeviceSpec {
    type Err = DeviceSpecError;

    fn from_str(text: &str) -> Result<Self, DeviceSpecError> {
        let error = || DeviceSpecError(text.to_owned());
        let (name, index) = match text.split_once(':') {
            Some((name, index)) => (name, Some(index)),
            None => (text, None),
        };
        let backend = DeviceBackend::ALL
            .into_iter()
            .find(|backend| backend.name() == name)
            .ok_or_else(error)?;
        let index = match index {
            // `usize::from_str` would also accept `+1`.
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(digits.parse().map_err(|_| error())?)
            }
            Some(_) => return Err(error()),
            None => None,
        };
        if backend == DeviceBackend::Cpu && index.is_some_and(|index| index != 0) {
            return Err(error());
        }
        Ok(Self { backend, index })
    }
}

impl DeviceSpec {
    /// Finds the device and computes something small on it, so that a missing driver shows here and
    /// not in the middle of the work. The device is without autodiff, and its default data types
    /// are set.
    ///
    /// # Errors
    ///
    /// When the backend is not compiled in, or the device does not exist or does not compute.
    pub fn open(self) -> Result<Device, DeviceError> {
        if !self.backend.is_compiled_in() {
            let available = DeviceBackend::ALL.into_iter();
            let available = available.filter(|backend| backend.is_compiled_in());
            let names: Vec<_> = available.map(DeviceBackend::name).collect();
            return Err(DeviceError::NotCompiledIn {
                spec: self,
                feature: self.backend.name(),
                available: if names.is_empty() {
                    "no backend".into()
                } else {
                    names.join(", ")
                },
            });
        }
        let unusable = |problem| DeviceError::Unusable {
            spec: self,
            problem,
            hint: self.backend.hint(),
        };
        let found = without_panic(|| find(self.backend)).map_err(unusable)?;
        let device = self.choose(found)?;
        without_panic(|| compute(&device))
            .and_then(|result| result)
            .map_err(unusable)?;
        Ok(device)
    }

    /// Opens the device for an encoder and decoder that compute in `precision`.
    ///
    /// # Errors
    ///
    /// As [`Self::open`], and when the device does not support that type.
    pub fn open_for(self, precision: Precision) -> Result<Device, DeviceError> {
        let device = self.open()?;
        let supported = precision
            .reduced()
            .is_none_or(|dtype| device.supports_dtype(dtype));
        self.check_precision(precision, supported)?;
        Ok(device)
    }

    fn check_precision(self, precision: Precision, supported: bool) -> Result<(), DeviceError> {
        match supported {
            true => Ok(()),
            false => Err(DeviceError::Precision {
                spec: self,
                precision,
            }),
        }
    }

    fn choose(self, mut found: Found) -> Result<Device, DeviceError> {
        let count = found.devices.len();
        let index = self.index.unwrap_or(0);
        if index >= count {
            let name = self.backend.name();
            return Err(DeviceError::NotFound {
                spec: self,
                found: match count {
                    0 => format!("no {name} device"),
                    1 => format!("only {name}:0"),
                    _ => format!("{name}:0 to {name}:{}", count - 1),
                },
                hint: match count {
                    0 => self.backend.hint().into(),
                    _ => "choose one of those".into(),
                },
            });
        }
        Ok(match (self.index, found.default) {
            (None, Some(default)) => default,
            _ => found.devices.swap_remove(index),
        })
    }
}

/// The devices of a backend, and the backend's default device if it may differ from the first.
struct Found {
    devices: Vec<Device>,
    default: Option<Device>,
}

fn find(backend: DeviceBackend) -> Found {
    #[cfg(any(feature = "wgpu", feature = "vulkan", feature = "metal"))]
    use burn::tensor::DeviceKind::DefaultDevice;
    #[cfg(any(
        feature = "wgpu",
        feature = "vulkan",
        feature = "metal",
        feature = "cuda",
        feature = "rocm"
    ))]
    use burn::tensor::DeviceType;

    let (devices, default) = match backend {
        #[cfg(feature = "cpu")]
        DeviceBackend::Cpu => (vec![Device::flex()], None),
        #[cfg(feature = "wgpu")]
        DeviceBackend::Wgpu => (
            Device::enumerate(DeviceType::Wgpu).into_vec(),
            Some(Device::wgpu(DefaultDevice)),
        ),
        #[cfg(feature = "vulkan")]
        DeviceBackend::Vulkan => (
            Device::enumerate(DeviceType::Vulkan).into_vec(),
            Some(Device::vulkan(DefaultDevice)),
        ),
        #[cfg(feature = "metal")]
        DeviceBackend::Metal => (
            Device::enumerate(DeviceType::Metal).into_vec(),
            Some(Device::metal(DefaultDevice)),
        ),
        #[cfg(feature = "cuda")]
        DeviceBackend::Cuda => (Device::enumerate(DeviceType::Cuda).into_vec(), None),
        #[cfg(feature = "rocm")]
        DeviceBackend::Rocm => (Device::enumerate(DeviceType::Rocm).into_vec(), None),
        #[allow(unreachable_patterns)] // Unreachable only if all features are on.
        _ => (Vec::new(), None),
    };
    Found { devices, default }
}

/// Uploads, multiplies and downloads. This needs the driver, the compiler and the memory.
fn compute(device: &Device) -> Result<(), String> {
    let product = Tensor::<1>::from_data([1.5_f32, -2.0], device) * 2.0;
    let values = product
        .try_into_data_as::<f32>()
        .map_err(|error| error.to_string())?
        .iter::<f32>()
        .collect::<Vec<_>>();
    match values.as_slice() {
        [3.0, -4.0] => Ok(()),
        _ => Err(format!("twice (1.5, -2) came out as {values:?}")),
    }
}

/// Runs work that may panic because a driver is missing, without output, and returns the panic's
/// message in one line. Use it at start-up only: it also silences panics of other threads.
pub(crate) fn without_panic<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    // The first panic has the cause. It may be on a thread of the backend; when that thread ends,
    // this one panics too.
    let first = Arc::new(Mutex::new(None));
    let previous = panic::take_hook();
    panic::set_hook(Box::new({
        let first = first.clone();
        move |info| {
            let mut first = first.lock().unwrap_or_else(PoisonError::into_inner);
            first.get_or_insert_with(|| message(info.payload()));
        }
    }));
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    panic::set_hook(previous);
    result.map_err(|payload| {
        let mut first = first.lock().unwrap_or_else(PoisonError::into_inner);
        first.take().unwrap_or_else(|| message(&*payload))
    })
}

fn message(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("the backend gives no reason");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
