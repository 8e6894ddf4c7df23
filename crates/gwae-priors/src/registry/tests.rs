//! Reading, writing and checking the configurations.

use super::*;

fn every_family() -> Vec<PriorConfig> {
    let mut all = vec![
        PriorConfig::Neural,
        PriorConfig::FactorizedNeural,
        PriorConfig::FactorizedNormal,
        PriorConfig::FactorizedUniform,
        PriorConfig::Spherical,
        PriorConfig::VectorQuantized(VectorQuantizedConfig { embeddings: 3 }),
    ];
    for form in [Form::Corrected, Form::Official] {
        all.push(PriorConfig::Causal(CausalConfig { form }));
        all.push(PriorConfig::GaussianMixture(GaussianMixtureConfig {
            components: 5,
            form,
        }));
    }
    all
}

#[test]
fn every_config_survives_toml_and_json() {
    for config in every_family() {
        let text = toml::to_string(&config).unwrap();
        assert_eq!(toml::from_str::<PriorConfig>(&text).unwrap(), config);
        let text = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<PriorConfig>(&text).unwrap(), config);
        let fields = serde_json::to_value(&config).unwrap();
        let named: PriorConfig = fields["family"].as_str().unwrap().parse().unwrap();
        assert_eq!(
            std::mem::discriminant(&named),
            std::mem::discriminant(&config)
        );
        assert_eq!(named.validate(), Ok(()));
    }
}

#[test]
fn the_written_form_and_its_defaults_stay() {
    let read = |text: &str| toml::from_str::<PriorConfig>(text).unwrap();
    let mixture =
        |components, form| PriorConfig::GaussianMixture(GaussianMixtureConfig { components, form });
    let text = "family = \"gaussian_mixture\"\ncomponents = 4\nform = \"official\"\n";
    assert_eq!(read(text), mixture(4, Form::Official));
    assert_eq!(toml::to_string(&read(text)).unwrap(), text);
    assert_eq!(
        read("family = \"gaussian_mixture\""),
        mixture(10, Form::Corrected)
    );
    let quantized = PriorConfig::VectorQuantized(VectorQuantizedConfig { embeddings: 64 });
    assert_eq!(read("family = \"vector_quantized\""), quantized);
    assert_eq!("vector_quantized".parse(), Ok(quantized));
    assert_eq!("neural".parse(), Ok(PriorConfig::default()));
}

#[test]
fn mistakes_name_the_field_and_the_way_out() {
    let message = |text: &str| toml::from_str::<PriorConfig>(text).unwrap_err().to_string();
    let unknown_family = message("family = \"gausian_mixture\"");
    assert!(
        unknown_family.contains("`gausian_mixture`"),
        "{unknown_family}"
    );
    assert!(
        unknown_family.contains("`gaussian_mixture`"),
        "{unknown_family}"
    );
    for (family, known) in [
        ("causal", "expected `form`"),
        ("gaussian_mixture", "expected `components` or `form`"),
        ("neural", "there are no fields"),
    ] {
        let unknown_field = message(&format!("family = \"{family}\"\ncomponent = 3"));
        let expected = format!("unknown field `component`, {known}");
        assert!(unknown_field.contains(&expected), "{unknown_field}");
    }
    let unknown_form = message("family = \"causal\"\nform = \"right\"");
    assert!(unknown_form.contains("`corrected`"), "{unknown_form}");
    assert!(message("components = 3").contains("missing field `family`"));
    let no_table = serde_json::from_str::<PriorConfig>("\"neural\"").unwrap_err();
    let no_table = no_table.to_string();
    assert!(
        no_table.contains("expected a table such as prior = { family = \"neural\" }"),
        "{no_table}"
    );

    for family in ["neural", "spherical", "vector_quantized", "causal"] {
        let misplaced = message(&format!("family = \"{family}\"\ncomponents = 3"));
        assert!(
            misplaced.contains("prior.components does nothing"),
            "{misplaced}"
        );
        assert!(misplaced.contains("gaussian_mixture"), "{misplaced}");
    }
    let misplaced = message("family = \"neural\"\nform = \"official\"");
    assert!(misplaced.contains("prior.form does nothing"), "{misplaced}");

    let error = "neral".parse::<PriorConfig>().unwrap_err().to_string();
    assert!(
        error.contains("`neral`") && error.contains("`neural`"),
        "{error}"
    );
}

#[test]
fn sizes_out_of_range_are_errors() {
    let mixture = |components| {
        PriorConfig::GaussianMixture(GaussianMixtureConfig {
            components,
            form: Form::Corrected,
        })
    };
    let quantized = |embeddings| PriorConfig::VectorQuantized(VectorQuantizedConfig { embeddings });
    for (config, message) in [
        (
            mixture(1),
            "prior.components = 1 is out of range: it must be from 2 to 65536",
        ),
        (
            mixture(65_537),
            "prior.components = 65537 is out of range: it must be from 2 to 65536",
        ),
        (
            quantized(0),
            "prior.embeddings = 0 is out of range: it must be from 1 to 65536",
        ),
    ] {
        assert_eq!(config.validate().unwrap_err().to_string(), message);
    }
    for config in every_family().into_iter().chain([mixture(2), quantized(1)]) {
        assert_eq!(config.validate(), Ok(()));
    }
}

#[test]
fn errors_have_their_place_in_the_file() {
    #[derive(Deserialize, Debug)]
    struct Model {
        #[allow(dead_code)]
        prior: PriorConfig,
    }
    for (entries, place) in [
        ("family = \"neurl\"", "neurl"),
        ("family = \"gaussian_mixture\", components = -3", "-3"),
        ("family = \"gaussian_mixture\", components = \"x\"", "x"),
        ("family = \"causal\", form = \"right\"", "right"),
        ("family = \"causal\", weight = 1", "weight"),
        ("family = \"neural\", form = \"official\"", "form"),
        // This key precedes `family` in the alphabet, so the error points to the table.
        ("family = \"causal\", component = 3", "{"),
        ("family = \"causal\", components = 3", "{"),
        ("components = 3", "{"),
        // No family takes tables or arrays.
        ("family = \"gaussian_mixture\", components = [3]", "[3]"),
    ] {
        let text = format!("prior = {{ {entries} }}");
        let error = toml::from_str::<Model>(&text).unwrap_err();
        let found = error.span().map(|span| &text[span]).unwrap_or_default();
        let found = found.trim_start_matches('"');
        assert!(found.starts_with(place), "{text}: {found}: {error}");
    }
}

#[test]
fn the_order_of_the_entries_does_not_matter_and_none_comes_twice() {
    let read = |text: &str| serde_json::from_str::<PriorConfig>(text);
    let config = PriorConfig::from(CausalConfig {
        form: Form::Official,
    });
    for text in [
        r#"{"family": "causal", "form": "official"}"#,
        r#"{"form": "official", "family": "causal"}"#,
    ] {
        assert_eq!(read(text).unwrap(), config);
    }
    for (text, field) in [
        (r#"{"family": "neural", "family": "neural"}"#, "family"),
        (
            r#"{"family": "causal", "form": "official", "form": "official"}"#,
            "form",
        ),
    ] {
        let error = read(text).unwrap_err().to_string();
        assert!(
            error.contains(&format!("duplicate field `{field}`")),
            "{error}"
        );
    }
}

#[test]
fn every_family_has_a_name_of_its_own_and_a_line_of_description() {
    let families: Vec<_> = PriorConfig::families().collect();
    for (index, (name, description)) in families.iter().enumerate() {
        assert_eq!(name.parse::<PriorConfig>().unwrap().family(), *name);
        assert!(families[..index].iter().all(|(other, _)| other != name));
        assert!(!description.is_empty() && !description.contains('\n'));
    }
}
