//! Metrics over codes, factors and images
