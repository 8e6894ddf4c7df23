#![doc = include_str!("../README.md")]

pub mod architecture;
pub mod checkpoint;
pub mod configuration;
pub mod import;
mod lazy_bits;
mod parameter_table;
mod pickle;
pub mod settings;
pub mod state;
pub mod verify;
