//! Predictors of factors from codes, as scikit-learn defines them.

pub(super) mod gradient_boosting;
pub(super) mod logistic_regression;
pub(super) mod presorted;
mod quasi_newton;
mod regression_tree;
pub(super) mod standardised;
