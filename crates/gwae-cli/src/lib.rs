//! What the `gwae` command-line program is made of.

pub mod arguments;
pub mod commands;
pub mod contact_sheet;
pub mod terminal;
mod trained_model;
pub mod verify;
