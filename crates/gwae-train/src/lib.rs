//! Training algorithms, the loop, checkpoints, run directories and pictures
