//! The `gwae` program.
fn main() {}
