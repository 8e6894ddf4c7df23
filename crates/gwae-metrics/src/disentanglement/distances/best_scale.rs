//! The Gromov-Wasserstein loss that is left when the codes have their best scale.

use serde::{Deserialize, Serialize};

use super::correlations::distances;
use super::items::{Images, column_distance, random_pairs};
use crate::disentanglement::labelled_codes::LabelledCodes;
use crate::disentanglement::standard_error::{JACKKNIFE_GROUPS, jackknife_error, jackknife_groups};
use crate::error::MetricError;

/// The result of [`gw_with_best_scale`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GwEstimate {
    /// `mean |c·d_Z − d_X|` over pairs, in units of the images' distances.
    pub loss: f64,
    /// Its standard error over items.
    pub loss_error: f64,
    /// The loss divided by the mean of `d_X`, in `[0, 1]`: 1 if codes tell nothing about distances.
    pub relative: f64,
    /// Its standard error over items.
    pub relative_error: f64,
    /// The best scale c; 0 if the codes are dead.
    pub scale: f64,
}

/// The estimated Gromov-Wasserstein loss of codes and their images (Nakagawa et al. 2023, equation 9)
/// over random pairs of different items, with the scale c that makes it smallest (protocol `gw` with
/// 10,000 pairs). Give held-out items.
///
/// The best scale is the median of `d_X/d_Z` with `d_Z` as weights. Scale, sign, order and rotation of
/// the codes do not matter. Dead codes, and equal images, have relative loss 1 and 0.
///
/// # Errors
/// [`MetricError::TooFewItems`] for fewer than 3 items.
pub fn gw_with_best_scale(
    labelled: &LabelledCodes,
    images: &Images,
    pairs: usize,
    seed: u64,
) -> Result<GwEstimate, MetricError> {
    let pairs = random_pairs("gw", labelled.items(), 3, pairs, seed)?;
    let of_codes = distances(&pairs, |a, b| column_distance(labelled.codes(), a, b));
    let of_images = distances(&pairs, |a, b| images.distance(a, b));
    let all: Vec<[f64; 2]> = of_codes
        .into_iter()
        .zip(of_images)
        .map(<[f64; 2]>::from)
        .collect();
    let groups = jackknife_groups(labelled.items(), seed);
    let parts = (0..JACKKNIFE_GROUPS).map(|group| {
        let stays = |pair: &[usize; 2]| pair.iter().all(|&item| groups[item] != group);
        let kept = pairs.iter().zip(&all).filter(|(pair, _)| stays(pair));
        loss(kept.map(|(_, &distances)| distances).collect())
    });
    let parts: Vec<[f64; 3]> = parts.collect();
    let error = |place: usize| jackknife_error(parts.iter().map(|part| part[place]).collect());
    let [whole, relative, scale] = loss(all);
    Ok(GwEstimate {
        loss: whole,
        loss_error: error(0),
        relative,
        relative_error: error(1),
        scale,
    })
}

/// Loss, relative loss and best scale of pairs of distances: of codes, of images.
fn loss(mut distances: Vec<[f64; 2]>) -> [f64; 3] {
    if distances.is_empty() {
        return [0.0; 3];
    }
    let ratio = |[code, image]: &[f64; 2]| image / code;
    let count = distances.len() as f64;
    let mean = distances.iter().map(|pair| pair[1]).sum::<f64>() / count;
    let weight: f64 = distances.iter().map(|pair| pair[0]).sum();
    let mut scale = 0.0;
    if weight > 0.0 {
        distances.sort_by(|a, b| ratio(a).total_cmp(&ratio(b)));
        let mut below = 0.0;
        for pair in distances.iter().filter(|pair| pair[0] > 0.0) {
            below += pair[0];
            scale = ratio(pair);
            if below >= weight / 2.0 {
                break;
            }
        }
    }
    let differences = distances
        .iter()
        .map(|[code, image]| (scale * code - image).abs());
    let loss = differences.sum::<f64>() / count;
    let relative = if mean > 0.0 { loss / mean } else { 0.0 };
    [loss, relative, scale]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::disentanglement::information::tests::combinations;

    fn estimate(code: impl Fn(&[f64]) -> Vec<f64>) -> GwEstimate {
        let labelled = combinations(2, 7, code);
        let images: Vec<f32> = (0..49)
            .flat_map(|item| [(item % 7) as f32, (item / 7) as f32])
            .collect();
        let images = Images::new(&labelled, &images, 2).unwrap();
        gw_with_best_scale(&labelled, &images, 300, 0).unwrap()
    }

    #[test]
    fn isometric_codes_have_no_loss_and_dead_codes_all() {
        let found = estimate(|row| vec![-4.0 * row[1], 0.0, 4.0 * row[0]]);
        assert!((found.scale - 0.25).abs() < 1e-12, "{found:?}");
        assert!(found.loss < 1e-12 && found.loss_error < 1e-12, "{found:?}");
        let dead = estimate(|_| vec![1.0]);
        assert_eq!((dead.relative, dead.scale), (1.0, 0.0));
        let one = estimate(|row| vec![row[0]]);
        assert!(one.relative > 0.2 && one.relative < 1.0, "{one:?}");
        assert!(
            one.relative_error > 0.0 && one.relative_error < 0.2,
            "{one:?}"
        );
    }

    proptest! {
        #[test]
        fn no_other_scale_is_better(
            pairs in proptest::collection::vec((0u8..9, 0u8..9), 1..20),
            other in 0.0f64..10.0,
        ) {
            let pairs: Vec<[f64; 2]> =
                pairs.iter().map(|&(a, b)| [f64::from(a), f64::from(b)]).collect();
            let value = |scale: f64| {
                let terms = pairs.iter().map(|[code, image]| (scale * code - image).abs());
                terms.sum::<f64>() / pairs.len() as f64
            };
            let [found, _, scale] = loss(pairs.clone());
            prop_assert!((found - value(scale)).abs() < 1e-12);
            prop_assert!(found <= value(other) + 1e-12);
        }
    }
}
