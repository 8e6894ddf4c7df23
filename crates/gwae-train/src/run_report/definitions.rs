//! What the losses are, in a line each.

/// The definition of a loss of this library; empty for a loss that only the user's program knows.
pub(super) fn definition(name: &str) -> &'static str {
    match name {
        "total" => "the whole objective, which training lowers",
        "reconstruction" => "half the squared error of an image, summed over its values",
        "gw" => "mean difference of the distances of two draws from the prior and of their images",
        "merged" => "how far pairs of the prior are from pairs of the data",
        "entropy" => "minus the summed log-variance of the posteriors",
        "distance_coefficient" => "trained scale between distances of codes and of images",
        "encoded_scale" => "mean standard deviation of the codes of a batch",
        "prior_scale" => "mean standard deviation of draws from the prior",
        "potential_encoded" => "mean potential of images with their codes",
        "potential_prior" => "mean potential of draws from the prior with their images",
        "gradient_penalty" => "how far the critic's gradient is from length 1",
        "critic" => "the loss of the critic",
        "critic_potential" => "the difference of potentials that the critic enlarges",
        "divergence" => "Kullback-Leibler divergence of the posteriors from the prior, in nats",
        "mutual_information" => "estimated mutual information of images and codes, in nats",
        "total_correlation" => "how much the entries of a code depend on each other, in nats",
        "dimension_wise_divergence" => {
            "divergence of each entry of the codes from the prior, in nats"
        }
        "covariance" => "how far the covariance of the codes is from the identity",
        "discrepancy" => "maximum mean discrepancy between codes and prior",
        "energy" => "mean negative log density of the features under the mixture, in nats",
        "covariance_penalty" => "sum of inverse variances of the components",
        "usage_entropy" => "entropy of the components' weights, in nats",
        _ => "",
    }
}
