//! `gwae verify --checkpoint` and `gwae import`, with checkpoints made here in the layout of the
//! authors' program.

#[path = "../../gwae-official/tests/support/torch_save.rs"]
#[allow(dead_code)] // This file uses only a part of it.
mod torch_save;

mod program;

use std::path::PathBuf;
use std::process::Output;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use gwae_core::random::SeededGenerator;
use gwae_models::{Autoencoder, BackboneConfig, Gwae, GwaeConfig, ModelSettings};
use gwae_official::state::{official_state, with_official_state};
use gwae_official::verify::expectation::{Expectation, Numbers};
use gwae_official::verify::stream::NamedNoise;
use gwae_official::verify::tensors::{uniform_images, values};
use gwae_priors::{Form, GaussianMixtureConfig, PriorConfig};
use program::{gwae, refused, text};
use torch_save::{Object, Tensor as Saved, dict, torch_save};

const NAME: &str = "small";
const IMAGES: usize = 3;

const HYPERPARAMETERS: &str = "batchnorm: true\ncoef_d: 1\ncoef_gp: 10\ncoef_qentropy: 0.03\n\
    coef_w: 1\nlr: 1e-4\nlr_disc: 1e-4\nmerged_condition: true\nnum_components: 4\nsampler_type: gm\n\
    times_d_training: 5\nz_dim: 3\n";

/// A model whose parts all affect the result: a mixture prior in the official form, batch norms
/// with their own statistics, a critic.
fn model() -> Gwae {
    let config = GwaeConfig {
        backbone: BackboneConfig {
            latent_dim: 3,
            width: 0.0625,
            batchnorm: true,
            ..BackboneConfig::default()
        },
        prior: PriorConfig::GaussianMixture(GaussianMixtureConfig {
            components: 4,
            form: Form::Official,
        }),
        ..Default::default()
    };
    let mut noise = SeededGenerator::new(4, 0);
    let model = config.init(&mut noise, &Device::flex()).unwrap();
    let mut state = official_state(&model);
    for (name, tensor) in &mut state {
        if name.ends_with("running_mean") || name.ends_with("running_var") {
            let shift = if name.ends_with("mean") { -0.5 } else { 0.5 };
            for (index, value) in tensor.values.iter_mut().enumerate() {
                *value = shift + 0.1 * (index % 7) as f32;
            }
        }
    }
    with_official_state(model, state).unwrap().valid()
}

fn checkpoint(model: &Gwae) -> Object {
    let state = official_state(model).into_iter().map(|(name, tensor)| {
        let tensor = Saved::float(&tensor.shape, &tensor.values);
        (name.as_str().into(), Object::Tensor(tensor))
    });
    dict([
        (
            "options",
            dict([
                ("model_name", "gwae".into()),
                ("hyperparameters", HYPERPARAMETERS.into()),
                ("dataset", "celeba".into()),
            ]),
        ),
        ("model_state_dict", Object::OrderedDict(state.collect())),
        ("training_state", dict([("epochs", Object::Int(3))])),
    ])
}

/// The outputs of the model, computed without any file.
fn expectation(model: &Gwae) -> Expectation {
    let images = uniform_images(&format!("{NAME}.x"), [IMAGES, 3, 64, 64], &Device::flex());
    let posterior = model.posterior(images.clone()).unwrap();
    let decoded = model.decode(posterior.mean.clone());
    let rows = |tensor: Tensor<2>| -> Vec<Vec<f64>> {
        values(tensor).chunks(3).map(<[f64]>::to_vec).collect()
    };
    let flat = |tensor: Tensor<2>| Numbers::from(values(tensor));
    let row = decoded.clone().slice([0..1, 0..1, 32..33]);
    Expectation {
        hyperparameters: None,
        mean: rows(posterior.mean.clone()),
        logvar: rows(posterior.logvar),
        decode_mean_0_ch0_row32: values(row).into(),
        decode_mean_avg: Numbers::One(values(decoded.clone().mean())[0]),
        critic_x_mean: flat(model.potential(images, posterior.mean.clone()).unwrap()),
        out_of_distribution_score: flat(model.potential(decoded, posterior.mean).unwrap()),
        prior_draws: vec![
            (format!("{NAME}.draw000.uniform"), vec![IMAGES, 4]),
            (format!("{NAME}.draw001.normal"), vec![IMAGES, 3]),
        ],
        prior_sample: rows(model.sample_prior(IMAGES, &mut NamedNoise::new(NAME))),
    }
}

struct Files {
    directory: tempfile::TempDir,
}

impl Files {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        torch_save(&checkpoint(&model()), &directory.path().join("small.pth"));
        let files = Self { directory };
        files.expect(&expectation(&model()));
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn expect(&self, expectation: &Expectation) {
        let text = serde_json::to_string(expectation).unwrap();
        std::fs::write(self.path("small.json"), text).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Output {
        gwae(arguments, self.directory.path())
    }

    fn verify(&self) -> Output {
        self.run(&[
            "verify",
            "--checkpoint",
            "small.pth",
            "--expect",
            "small.json",
        ])
    }
}

#[track_caller]
fn fails_in_one_line(output: &Output, part: &str) {
    let message = refused(output, 1);
    assert!(
        message.starts_with("error: ") && message.contains(part),
        "{message}"
    );
}

#[test]
fn a_checkpoint_is_compared_with_what_is_expected() {
    let files = Files::new();
    let output = files.verify();
    let table = text(&output.stdout);
    assert!(output.status.success(), "{table}{}", text(&output.stderr));
    for quantity in [
        "mean",
        "logvar",
        "decode_mean_0_ch0_row32",
        "decode_mean_avg",
        "critic_x_mean",
        "ood_score",
        "prior_sample",
    ] {
        assert!(table.contains(&format!(" {quantity} ")), "{table}");
    }
    assert!(
        table.contains("agrees: no quantity differs by more than 0.001"),
        "{table}"
    );
}

/// Every quantity counts. The hyper-parameters of the file take precedence. Its name does not
/// matter if the draws give the name.
#[test]
fn a_wrong_expectation_is_found_where_it_is() {
    let files = Files::new();
    let right = expectation(&model());
    let scaled = |numbers: &Numbers| -> Numbers {
        let flat = numbers.flat();
        flat.iter()
            .map(|value| 1.01 * value)
            .collect::<Vec<f64>>()
            .into()
    };
    let mut wrong = vec![];
    let mut add = |quantity: &'static str, change: &dyn Fn(&mut Expectation)| {
        let mut expectation = right.clone();
        change(&mut expectation);
        wrong.push((quantity, expectation));
    };
    add("mean", &|e| e.mean[2][1] += 0.01);
    add("logvar", &|e| e.logvar[0][0] += 0.01);
    add("decode_mean_0_ch0_row32", &|e| {
        e.decode_mean_0_ch0_row32 = scaled(&e.decode_mean_0_ch0_row32);
    });
    add("decode_mean_avg", &|e| {
        e.decode_mean_avg = scaled(&e.decode_mean_avg)
    });
    add("critic_x_mean", &|e| {
        e.critic_x_mean = scaled(&e.critic_x_mean)
    });
    add("ood_score", &|e| {
        e.out_of_distribution_score = scaled(&e.out_of_distribution_score)
    });
    add("prior_sample", &|e| e.prior_sample[1][2] += 0.01);
    add("prior_sample", &|e| {
        e.prior_draws.pop();
    });
    for (quantity, expectation) in wrong {
        files.expect(&expectation);
        let output = files.verify();
        let table = text(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{quantity}: {table}");
        let marked: Vec<&str> = table.lines().filter(|line| line.contains('✗')).collect();
        assert_eq!(marked.len(), 1, "{table}");
        assert!(marked[0].contains(&format!("✗ {quantity} ")), "{table}");
        assert!(table.contains("DIFFERS"), "{table}");
    }

    let hyperparameters = serde_json::json!({
        "lr": 1e-4, "z_dim": 4, "coef_w": 1, "coef_d": 1, "coef_qentropy": 0.03, "sampler_type": "gm",
        "num_components": 4, "merged_condition": true, "lr_disc": 1e-4, "coef_gp": 10,
        "times_d_training": 5, "batchnorm": true
    });
    files.expect(&Expectation {
        hyperparameters: Some(hyperparameters),
        ..right.clone()
    });
    fails_in_one_line(&files.verify(), "in the state but");
    files.expect(&right);
    std::fs::rename(files.path("small.json"), files.path("renamed.json")).unwrap();
    let output = files.run(&[
        "verify",
        "--checkpoint",
        "small.pth",
        "--expect",
        "renamed.json",
    ]);
    assert!(output.status.success(), "{}", text(&output.stdout));
}

#[test]
fn files_that_are_something_else_are_one_line() {
    let files = Files::new();
    let whole = std::fs::read(files.path("small.pth")).unwrap();
    std::fs::write(files.path("small.pth"), &whole[..whole.len() / 2]).unwrap();
    fails_in_one_line(&files.verify(), "small.pth: is no whole PyTorch checkpoint");
    std::fs::write(files.path("small.pth"), "not a checkpoint").unwrap();
    fails_in_one_line(&files.verify(), "small.pth: is no whole PyTorch checkpoint");
    std::fs::remove_file(files.path("small.pth")).unwrap();
    fails_in_one_line(&files.verify(), "small.pth: cannot be read");
    std::fs::write(files.path("small.pth"), &whole).unwrap();
    for (content, part) in [
        ("{", "small.json: is no file of expected values"),
        ("{}", "missing field `mean`"),
        (r#"{"mean": [], "logvar": []}"#, "`mean` has 0 rows"),
    ] {
        std::fs::write(files.path("small.json"), content).unwrap();
        fails_in_one_line(&files.verify(), part);
    }
}

#[test]
fn an_imported_model_draws_its_pictures() {
    let files = Files::new();
    let output = files.run(&["import", "small.pth", "--out", "run"]);
    let said = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(
        said.contains("64×64×3") && said.contains("trained for 3 epochs"),
        "{said}"
    );
    assert!(
        said.contains("in the form of the authors' program"),
        "{said}"
    );
    assert!(text(&output.stderr).starts_with("note: it was trained on `celeba`"));

    for (arguments, file) in [
        (
            &["sample", "run", "-n", "5"][..],
            "run/sample-5-seed-0-step-0.png",
        ),
        (
            &["reconstruct", "run", "--images", "3"],
            "run/reconstruct-3-step-0.png",
        ),
        (
            &["traverse", "run", "--columns", "4"],
            "run/traverse-seed-0-step-0.png",
        ),
        (
            &["traverse", "run", "--image", "7"],
            "run/traverse-image-7-step-0.png",
        ),
        (
            &["sample", "run", "--seed", "9", "--out", "own.png"],
            "own.png",
        ),
    ] {
        let output = files.run(arguments);
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert!(
            text(&output.stdout).contains(file),
            "{}",
            text(&output.stdout)
        );
        let picture = std::fs::read(files.path(file)).unwrap();
        assert!(picture.starts_with(b"\x89PNG"), "{file}");
    }
    // The same seed draws the same picture.
    let first = std::fs::read(files.path("run/sample-5-seed-0-step-0.png")).unwrap();
    files.run(&["sample", "run", "-n", "5", "--out", "again.png"]);
    assert_eq!(std::fs::read(files.path("again.png")).unwrap(), first);

    // No file is overwritten.
    let output = files.run(&["sample", "run", "-n", "5", "--seed", "0"]);
    assert!(text(&output.stdout).contains("run/sample-5-seed-0-step-0-2.png"));
    assert_eq!(
        std::fs::read(files.path("run/sample-5-seed-0-step-0-2.png")).unwrap(),
        first
    );
    // Images without a test part: all of them are new to the model.
    std::fs::create_dir(files.path("pictures")).unwrap();
    for name in ["a.png", "b.png"] {
        let picture = files.path("pictures").join(name);
        std::fs::copy(files.path("own.png"), picture).unwrap();
    }
    let folder = ["--dataset", "folder", "--data", "pictures"];
    let output = files.run(&[&["reconstruct", "run", "--images", "9"][..], &folder].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stdout).starts_with("2 images of folder above"));

    let refused = |arguments: &[&str], part: &str| fails_in_one_line(&files.run(arguments), part);
    refused(
        &["import", "small.pth", "--out", "run"],
        "exists and is not empty",
    );
    refused(
        &["import", "absent.pth", "--out", "other"],
        "absent.pth: cannot be read",
    );
    assert!(!files.path("other").exists());
    refused(&["sample", "other"], "is no run directory");
    refused(
        &["sample", "run", "--checkpoint", "best"],
        "holds no best checkpoint",
    );
    refused(
        &["sample", "run", "--out", "picture.jpg"],
        "end the name in .png",
    );
    refused(
        &["traverse", "run", "--dimensions", "1,3"],
        "3 latent dimensions, 0 to 2",
    );
    refused(
        &["traverse", "run", "--image", "2000"],
        "there is no image 2000",
    );
    refused(
        &["reconstruct", "run", "--dataset", "mnist"],
        "data.directory",
    );
    refused(&["resume", "run"], "");
    let model = files.path("run/checkpoints/step-00000000/model.bpk");
    let bytes = std::fs::read(&model).unwrap();
    std::fs::write(&model, &bytes[..bytes.len() - 8]).unwrap();
    refused(&["sample", "run"], "model.bpk is damaged");
}
