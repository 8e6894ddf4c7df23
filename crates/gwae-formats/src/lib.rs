//! File formats for datasets and arrays, read with bounded memory, and atomic writing of files.
//!
//! | module | content |
//! |---|---|
//! | [`idx`] | images and labels as MNIST has them |
//! | [`gzip`] | decompression of one or several members |
//! | [`hdf5`] | arrays as h5py writes them |
//! | [`npy`], [`npz`] | arrays as NumPy writes them |
//! | [`records`] | items of equal length with a checksum each, such as a copy of a dataset's images |
//! | [`atomic`] | writing a file so that a crash cannot damage it |
//! | [`bounded_file`] | reading a regular file up to a limit |
//! | [`zip_entry`] | entries of zip archives that are not read |
//!
//! Every reader has its own error type. Its message is one line: the file, the problem, and what the user can
//! do. No reader allocates memory only because a header asks for it.

pub mod atomic;
pub mod bounded_file;
pub mod gzip;
pub mod hdf5;
pub mod hexadecimal;
pub mod home;
pub mod idx;
pub mod npy;
pub mod npz;
pub mod numbers;
pub mod one_line;
pub mod parallel;
pub mod partial;
pub mod positioned_file;
pub mod records;
pub mod regular_file;
pub mod shell;
pub mod zip_entry;
