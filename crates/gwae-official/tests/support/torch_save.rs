//! Writes files in the layout of PyTorch's `torch.save`: a zip archive with the object as a pickle
//! of protocol 2, and one entry with the values of each tensor.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use zip::write::{SimpleFileOptions, ZipWriter};

/// A Python object.
#[derive(Clone, Debug)]
pub enum Object {
    /// `True` or `False`.
    Bool(bool),
    /// `int`.
    Int(i32),
    /// `float`.
    Float(f64),
    /// `str`.
    Text(String),
    /// `list`.
    List(Vec<Object>),
    /// `dict`.
    Dict(Vec<(Object, Object)>),
    /// `collections.OrderedDict`, which `state_dict()` returns.
    OrderedDict(Vec<(Object, Object)>),
    /// `torch.Tensor`, contiguous.
    Tensor(Tensor),
}

/// A contiguous tensor.
#[derive(Clone, Debug)]
pub struct Tensor {
    /// Name of the storage class in `torch`, such as `FloatStorage`.
    pub storage: &'static str,
    /// PyTorch's device, such as `cpu` or `cuda:0`.
    pub location: &'static str,
    /// Shape, empty for a scalar.
    pub shape: Vec<usize>,
    /// Values, little-endian.
    pub bytes: Vec<u8>,
}

impl Tensor {
    /// A tensor of 32-bit floats.
    pub fn float(shape: &[usize], values: &[f32]) -> Self {
        Self {
            storage: "FloatStorage",
            location: "cpu",
            shape: shape.to_vec(),
            bytes: values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect(),
        }
    }

    /// A tensor of 64-bit floats.
    pub fn double(shape: &[usize], values: &[f32]) -> Self {
        let bytes = values
            .iter()
            .flat_map(|value| f64::from(*value).to_le_bytes());
        Self {
            storage: "DoubleStorage",
            bytes: bytes.collect(),
            ..Self::float(shape, &[])
        }
    }

    /// A scalar of 64-bit integers.
    pub fn long(value: i64) -> Self {
        Self {
            storage: "LongStorage",
            bytes: value.to_le_bytes().to_vec(),
            ..Self::float(&[], &[])
        }
    }
}

impl From<&str> for Object {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

/// A dictionary with string keys.
pub fn dict<'a>(entries: impl IntoIterator<Item = (&'a str, Object)>) -> Object {
    let entry = |(key, value): (&str, Object)| (key.into(), value);
    Object::Dict(entries.into_iter().map(entry).collect())
}

/// Writes `object` to `path` as `torch.save` does.
pub fn torch_save(object: &Object, path: &Path) {
    let mut pickle = Pickle::default();
    pickle.bytes.extend([0x80, 2]); // PROTO 2
    pickle.write(object);
    pickle.bytes.push(b'.');

    let mut archive = ZipWriter::new(File::create(path).unwrap());
    // Uncompressed, so that PyTorch can map the values into memory.
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let mut entry = |name: String, bytes: &[u8]| {
        archive
            .start_file(format!("archive/{name}"), options)
            .unwrap();
        archive.write_all(bytes).unwrap();
    };
    entry("data.pkl".into(), &pickle.bytes);
    entry("byteorder".into(), b"little");
    for (key, bytes) in pickle.storages.iter().enumerate() {
        entry(format!("data/{key}"), bytes);
    }
    entry("version".into(), b"3\n");
    archive.finish().unwrap();
}

#[derive(Default)]
struct Pickle {
    bytes: Vec<u8>,
    storages: Vec<Vec<u8>>,
}

impl Pickle {
    fn write(&mut self, object: &Object) {
        match object {
            Object::Bool(value) => self.bytes.push(if *value { 0x88 } else { 0x89 }),
            Object::Int(value) => {
                self.bytes.push(b'J');
                self.bytes.extend(value.to_le_bytes());
            }
            Object::Float(value) => {
                self.bytes.push(b'G');
                self.bytes.extend(value.to_be_bytes());
            }
            Object::Text(text) => self.text(text),
            Object::List(items) => {
                self.bytes.extend(b"](");
                items.iter().for_each(|item| self.write(item));
                self.bytes.push(b'e'); // APPENDS
            }
            Object::Dict(entries) => {
                self.bytes.push(b'}');
                self.entries(entries);
            }
            Object::OrderedDict(entries) => {
                self.empty_ordered_dict();
                self.entries(entries);
            }
            Object::Tensor(tensor) => self.tensor(tensor),
        }
    }

    fn text(&mut self, text: &str) {
        self.bytes.push(b'X');
        self.bytes.extend((text.len() as u32).to_le_bytes());
        self.bytes.extend(text.as_bytes());
    }

    fn entries(&mut self, entries: &[(Object, Object)]) {
        self.bytes.push(b'(');
        for (key, value) in entries {
            self.write(key);
            self.write(value);
        }
        self.bytes.push(b'u'); // SETITEMS
    }

    fn global(&mut self, module: &str, name: &str) {
        self.bytes.extend(format!("c{module}\n{name}\n").as_bytes());
    }

    fn empty_ordered_dict(&mut self) {
        self.global("collections", "OrderedDict");
        self.bytes.extend(b")R"); // called without arguments
    }

    fn sizes(&mut self, sizes: &[usize]) {
        self.bytes.push(b'(');
        for &size in sizes {
            self.write(&Object::Int(size as i32));
        }
        self.bytes.push(b't');
    }

    /// `torch._utils._rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks)`.
    fn tensor(&mut self, tensor: &Tensor) {
        let numbers: usize = tensor.shape.iter().product();
        let key = self.storages.len();
        self.storages.push(tensor.bytes.clone());
        self.global("torch._utils", "_rebuild_tensor_v2");
        self.bytes.extend(b"((");
        self.text("storage");
        self.global("torch", tensor.storage);
        self.text(&key.to_string());
        self.text(tensor.location);
        self.write(&Object::Int(numbers as i32));
        self.bytes.extend(b"tQ"); // a persistent id
        self.write(&Object::Int(0));
        self.sizes(&tensor.shape);
        let strides = (1..=tensor.shape.len()).map(|axis| tensor.shape[axis..].iter().product());
        self.sizes(&strides.collect::<Vec<usize>>());
        self.write(&Object::Bool(false));
        self.empty_ordered_dict();
        self.bytes.extend(b"tR");
    }
}
