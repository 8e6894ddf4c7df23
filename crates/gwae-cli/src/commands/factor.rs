//! Factors of datasets by name.

use gwae_datasets::{Dataset, FactorSpec};

/// The index of the factor that `option` names.
pub(super) fn place(dataset: &dyn Dataset, option: &str, name: &str) -> Result<usize, String> {
    let factors = dataset.factors();
    let place = factors.iter().position(|factor| factor.name == name);
    place.ok_or_else(|| {
        format!(
            "{option} {name}: {} has no such factor; {}",
            dataset.name(),
            known(factors)
        )
    })
}

fn known(factors: &[FactorSpec]) -> String {
    let names: Vec<&str> = factors.iter().map(|factor| &*factor.name).collect();
    match &names[..] {
        [] => "it has none".to_owned(),
        names => format!("it has {}", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gwae_datasets::RenderedShapes3d;

    #[test]
    fn unknown_factors_are_answered_with_the_known_ones() {
        let shapes = RenderedShapes3d::new(4).unwrap();
        assert_eq!(place(&shapes, "--vary", "shape"), Ok(4));
        let message = place(&shapes, "--vary", "colour").unwrap_err();
        assert!(
            message.contains("colour") && message.contains("floor_hue, wall_hue"),
            "{message}"
        );
    }
}
