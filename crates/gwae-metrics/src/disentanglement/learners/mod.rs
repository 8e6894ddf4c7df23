//! Predictors of factors from codes, as scikit-learn defines them.

pub(super) mod gradient_boosting;
pub(super) mod presorted;
mod regression_tree;
