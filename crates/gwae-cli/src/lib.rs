//! The parts of the command-line program `gwae`.

pub mod arguments;
pub mod commands;
pub mod terminal;
