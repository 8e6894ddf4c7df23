//! The gwae command-line program
