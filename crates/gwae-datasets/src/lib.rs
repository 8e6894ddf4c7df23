//! Image datasets with named factors, stored splits, seeded batching and prefetch
