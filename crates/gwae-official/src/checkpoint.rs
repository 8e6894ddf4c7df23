//! Reading a checkpoint of the authors' PyTorch program.
//!
//! The program writes checkpoints with `torch.save`: a dictionary with `options` (the settings),
//! `model_state_dict` (the parameters by name), `optimizers_state_dict`, `history` and
//! `training_state`.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use burn::store::pytorch_reader::{
    self, DType as TorchType, PickleError, PickleValue, PytorchError, PytorchReader,
};
use burn::tensor::{BoolStore, DType, TensorData};
use gwae_formats::one_line::{folded, one_line};
use gwae_formats::regular_file::open_regular;
use serde_json::{Map, Value};

use crate::lazy_bits::lazy_bit;
use crate::pickle::{PickleProblem, read_pickle};
use crate::state::{OfficialState, OfficialTensor};

/// The model in a checkpoint of the authors' program.
#[derive(Clone, Debug)]
pub struct OfficialCheckpoint {
    /// The file.
    pub path: PathBuf,
    /// Parameters and buffers, sorted by official name.
    pub state: OfficialState,
    /// The settings of its training; `None` for a bare `state_dict`.
    pub options: Option<Map<String, Value>>,
    /// Epochs of training.
    pub epochs: Option<u64>,
    /// Validation loss of the last epoch.
    pub validation_loss: Option<f64>,
}

/// A file that is not a checkpoint of the authors' program.
#[derive(Debug, thiserror::Error)]
pub enum OfficialCheckpointError {
    /// The file cannot be opened.
    #[error("{path}: cannot be read: {problem}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's message.
        problem: String,
    },
    /// `torch.save` did not write the file.
    #[error(
        "{path}: is no whole PyTorch checkpoint ({problem}): if it was cut short, copy it again",
        path = path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The problem.
        problem: String,
    },
    /// PyTorch wrote the file, but with tensors that cannot be read here.
    #[error("{path}: {problem}", path = path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// The tensors and the remedy.
        problem: String,
    },
    /// The PyTorch file holds something else.
    #[error(
        "{path}: holds no model of the authors' program: {problem}",
        path = path.display()
    )]
    NoModel {
        /// The file.
        path: PathBuf,
        /// The missing part.
        problem: String,
    },
}

const STATE: &str = "model_state_dict";

/// What `DataParallel` and `torch.compile` put before the names of the parameters.
const WRAPPERS: [&str; 2] = ["module.", "_orig_mod."];

/// How many times as large as the file its tensors may be. They are larger if they share values.
const LARGEST_EXPANSION: u64 = 8;

/// Most tensors of a model. The largest GWAE has about 300.
const MOST_TENSORS: usize = 2_000;

impl OfficialCheckpoint {
    /// Reads a checkpoint, or a bare `state_dict` from one. Optimiser states are not read.
    ///
    /// # Errors
    /// One line for a file that cannot be read, is cut short, is not a PyTorch file or has no
    /// model.
    pub fn load(path: &Path) -> Result<Self, OfficialCheckpointError> {
        let damaged = |error: &dyn std::fmt::Display| OfficialCheckpointError::Damaged {
            path: path.to_owned(),
            problem: folded(error),
        };
        let unreadable = |problem: String| OfficialCheckpointError::Read {
            path: path.to_owned(),
            problem,
        };
        // The reader's own message for these problems does not name the file.
        let (file, length) = open_regular(path).map_err(|error| {
            unreadable(match error.kind() {
                ErrorKind::IsADirectory => "it is a directory, not a file".into(),
                _ => error.to_string(),
            })
        })?;
        let unsupported = |problem: String| OfficialCheckpointError::Unsupported {
            path: path.to_owned(),
            problem,
        };
        let pickle = read_pickle(file).map_err(|problem| match problem {
            PickleProblem::Io(error) => damaged(&error),
            PickleProblem::Refused(problem) => unsupported(problem),
        })?;
        let root = PytorchReader::read_pickle_data(path, None).map_err(|error| match &error {
            PytorchError::Pickle(PickleError::UnsupportedType(kind)) => unsupported(format!(
                "holds a tensor of the type {}, which cannot be read; save the model alone, \
                     with torch.save(checkpoint[\"{STATE}\"], file)",
                one_line(kind)
            )),
            error => damaged(error),
        })?;
        if let Some(bit) = lazy_bit(&pickle) {
            return Err(unsupported(format!(
                "holds tensors with PyTorch's {bit} bit, whose values are not final; save them \
                 again after resolve_{bit}()"
            )));
        }
        let PickleValue::Dict(root) = root else {
            let problem = "it is no dictionary".into();
            return Err(OfficialCheckpointError::NoModel {
                path: path.to_owned(),
                problem,
            });
        };
        let reader = match root.contains_key(STATE) {
            true => PytorchReader::with_top_level_key(path, STATE),
            false => PytorchReader::new(path),
        };
        let tensors = reader.map_err(|error| damaged(&error))?.into_tensors();
        // Names and shapes first: no value is read of a file that is no model.
        if tensors.len() > MOST_TENSORS {
            return Err(unsupported(format!(
                "is no checkpoint of a GWAE: it has {} tensors, at most {MOST_TENSORS} are read",
                tensors.len()
            )));
        }
        let bytes = tensors.values().map(|tensor| {
            // Values are kept in single precision.
            let kept = tensor.num_elements().saturating_mul(size_of::<f32>());
            tensor.byte_len().max(kept) as u64
        });
        let bytes = bytes.fold(0, u64::saturating_add);
        if bytes > length.saturating_mul(LARGEST_EXPANSION) {
            return Err(unsupported(format!(
                "is no checkpoint of a model: its tensors would take {bytes} bytes, but the file \
                 has {length}"
            )));
        }
        let is_of_model = |name: &String| unwrapped(name).starts_with("enc_block.");
        if !tensors.keys().any(is_of_model) {
            return Err(OfficialCheckpointError::NoModel {
                path: path.to_owned(),
                problem: no_model(&root),
            });
        }
        let mut state = OfficialState::new();
        for (name, tensor) in tensors {
            let tensor = read(&tensor).map_err(|error| damaged(&error))?;
            state.push((unwrapped(&name).to_owned(), tensor));
        }
        state.sort_by(|a, b| a.0.cmp(&b.0));
        if let Some(twice) = state.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(OfficialCheckpointError::NoModel {
                path: path.to_owned(),
                problem: format!(
                    "two parameters are called `{}`, one of them with the prefix of a wrapper \
                     (`module.` or `_orig_mod.`)",
                    one_line(&twice[0].0)
                ),
            });
        }
        let options = match root.get("options").map(to_json) {
            Some(Value::Object(options)) => Some(options),
            _ => None,
        };
        Ok(Self {
            path: path.to_owned(),
            state,
            options,
            epochs: entry(&root, "training_state", "epochs").and_then(|value| value.as_u64()),
            validation_loss: entry(&root, "history", "val_loss")
                .and_then(|values| values.as_array()?.last()?.as_f64()),
        })
    }
}

/// The name of a parameter in the model itself.
fn unwrapped(mut name: &str) -> &str {
    while let Some(inner) = WRAPPERS
        .iter()
        .find_map(|wrapper| name.strip_prefix(wrapper))
    {
        name = inner;
    }
    name
}

fn no_model(root: &HashMap<String, PickleValue>) -> String {
    if root.contains_key(STATE) {
        return format!("its `{STATE}` has no parameter called `enc_block.…`");
    }
    let mut keys: Vec<&str> = root.keys().map(String::as_str).collect();
    keys.sort_unstable();
    let more = if keys.len() > 5 { ", …" } else { "" };
    keys.truncate(5);
    format!(
        "it has neither `{STATE}` nor parameters called `enc_block.…` (it has: {}{more})",
        one_line(&keys.join(", "))
    )
}

fn entry(root: &HashMap<String, PickleValue>, key: &str, inner: &str) -> Option<Value> {
    match root.get(key)? {
        PickleValue::Dict(entries) => entries.get(inner).map(to_json),
        _ => None,
    }
}

/// Converts to JSON; values that JSON cannot express become null.
fn to_json(value: &PickleValue) -> Value {
    match value {
        PickleValue::Bool(value) => (*value).into(),
        PickleValue::Int(value) => (*value).into(),
        PickleValue::Float(value) => (*value).into(),
        PickleValue::String(value) => value.clone().into(),
        PickleValue::List(values) => values.iter().map(to_json).collect(),
        PickleValue::Dict(entries) => {
            let entries = entries
                .iter()
                .map(|(key, value)| (key.clone(), to_json(value)));
            Value::Object(entries.collect())
        }
        PickleValue::None | PickleValue::Bytes(_) | PickleValue::Unsupported(_) => Value::Null,
    }
}

/// The values in single precision, for any stored type.
fn read(tensor: &pytorch_reader::Tensor) -> std::io::Result<OfficialTensor> {
    let dtype = match tensor.dtype() {
        TorchType::F64 => DType::F64,
        TorchType::F32 => DType::F32,
        TorchType::F16 => DType::F16,
        TorchType::BF16 => DType::BF16,
        TorchType::I64 => DType::I64,
        TorchType::I32 => DType::I32,
        TorchType::I16 => DType::I16,
        TorchType::I8 => DType::I8,
        TorchType::U64 => DType::U64,
        TorchType::U32 => DType::U32,
        TorchType::U16 => DType::U16,
        TorchType::U8 => DType::U8,
        TorchType::Bool => DType::Bool(BoolStore::Native),
    };
    let shape = tensor.shape().to_vec();
    let data = TensorData::try_from_bytes_vec(tensor.read()?, shape.clone(), dtype)
        .map_err(std::io::Error::other)?;
    let values = data.iter::<f32>().collect();
    Ok(OfficialTensor { shape, values })
}
