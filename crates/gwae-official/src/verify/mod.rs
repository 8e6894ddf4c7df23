//! Compares this program with numbers from the authors' program: training steps ([`trajectory`])
//! and the outputs of a checkpoint ([`expectation`]).

pub mod difference;
pub mod expectation;
pub mod file;
pub mod reference;
pub mod rounding;
pub mod stream;
pub mod table;
pub mod tensors;
pub mod trajectory;
