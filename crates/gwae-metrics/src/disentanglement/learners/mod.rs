//! Predictors of factors from codes, as scikit-learn defines them.

mod decision_tree;
pub(super) mod forest;
pub(super) mod gradient_boosting;
pub(super) mod lasso;
pub(super) mod linear_classifier;
pub(super) mod logistic_regression;
pub(super) mod presorted;
mod quasi_newton;
mod regression_tree;
pub(super) mod standardised;
