//! Training algorithms, the loop, checkpoints, run directories and pictures

pub mod report;
