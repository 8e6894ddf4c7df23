//! What the `gwae` command-line program is made of.

pub mod verify;
