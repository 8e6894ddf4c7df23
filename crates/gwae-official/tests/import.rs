//! Checkpoints in the layout of the authors' program become models and runs.

#[path = "support/torch_save.rs"]
mod torch_save;

use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use gwae_core::random::SeededGenerator;
use gwae_models::{
    Autoencoder, BackboneConfig, CriticActivation, Gwae, GwaeConfig, ModelSettings, VaeConfig,
};
use gwae_official::checkpoint::OfficialCheckpoint;
use gwae_official::import::{ImportedModel, Source};
use gwae_official::state::{OfficialState, OfficialTensor, official_state};
use gwae_priors::{CausalConfig, Form, GaussianMixtureConfig, PriorConfig, VectorQuantizedConfig};
use gwae_train::algorithm::GwaeAlgorithm;
use gwae_train::checkpoint::{CheckpointStore, Which};
use gwae_train::model_file::{MODEL_FILE, load_model_of};
use gwae_train::run_directory::{ImportDescription, RunDirectory};
use gwae_train::{ModelConfig, RunConfig};
use torch_save::{Object, Tensor as Saved, dict, torch_save};

fn small(prior: PriorConfig) -> GwaeConfig {
    GwaeConfig {
        backbone: BackboneConfig {
            image_size: 32,
            channels: 1,
            latent_dim: 3,
            width: 0.0625,
            ..BackboneConfig::default()
        },
        prior,
        ..Default::default()
    }
}

fn model(config: &GwaeConfig) -> Gwae {
    config
        .init(&mut SeededGenerator::new(5, 0), &Device::flex())
        .unwrap()
}

fn tensors(state: &OfficialState) -> Vec<(Object, Object)> {
    let mut entries: Vec<(Object, Object)> = Vec::new();
    for (name, tensor) in state {
        let saved = if name.ends_with("num_batches_tracked") {
            Saved::long(tensor.values[0] as i64)
        } else {
            Saved::float(&tensor.shape, &tensor.values)
        };
        entries.push((name.as_str().into(), Object::Tensor(saved)));
        // A counter in every batch norm of PyTorch; this program does not use it.
        if let Some(norm) = name.strip_suffix("running_var") {
            let counter = format!("{norm}num_batches_tracked");
            let saved = Object::Tensor(Saved::long(7));
            entries.push((counter.as_str().into(), saved));
        }
    }
    entries
}

/// A complete checkpoint: settings with the hyper-parameters as YAML, parameters, optimiser state,
/// history and training state.
fn checkpoint(hyperparameters: &str, state: Vec<(Object, Object)>) -> Object {
    let average = Object::Tensor(Saved::float(&[2], &[0.5, 0.25]));
    let optimizer = dict([
        (
            "state",
            Object::Dict(vec![(Object::Int(0), dict([("square_avg", average)]))]),
        ),
        (
            "param_groups",
            Object::List(vec![dict([("lr", Object::Float(1e-4))])]),
        ),
    ]);
    dict([
        (
            "options",
            dict([
                ("model_name", "gwae".into()),
                ("hyperparameters", hyperparameters.into()),
                ("dataset", "celeba".into()),
                ("batch_size", Object::Int(48)),
                ("cuda_sync", Object::Bool(false)),
            ]),
        ),
        ("model_state_dict", Object::OrderedDict(state)),
        ("optimizers_state_dict", dict([("main", optimizer)])),
        (
            "history",
            dict([(
                "val_loss",
                Object::List(vec![Object::Float(9.0), Object::Float(8.5)]),
            )]),
        ),
        ("training_state", dict([("epochs", Object::Int(2))])),
    ])
}

const HYPERPARAMETERS: &str = "lr: 2e-4\nz_dim: 3\ncoef_w: 1\ncoef_d: 1\ncoef_qentropy: 0.03\n\
    sampler_type: gm\nnum_components: 4\nmerged_condition: true\nlr_disc: 1e-4\ncoef_gp: 10\n\
    times_d_training: 5\nlearned_similarity: true\nt_dim: 40\n";

fn mixture(form: Form) -> PriorConfig {
    PriorConfig::GaussianMixture(GaussianMixtureConfig {
        components: 4,
        form,
    })
}

fn saved(directory: &Path, object: &Object) -> PathBuf {
    let path = directory.join("checkpoint_last.pth");
    torch_save(object, &path);
    path
}

fn import(path: &Path) -> Result<ImportedModel, String> {
    let checkpoint = OfficialCheckpoint::load(path).map_err(|error| error.to_string())?;
    ImportedModel::build(checkpoint, None, Form::Official, &Device::flex())
        .map_err(|error| error.to_string())
}

fn codes(model: &Gwae) -> Vec<f32> {
    let pixels = SeededGenerator::new(8, 0);
    let mut pixels = pixels;
    let images = gwae_core::random::uniform_tensor(&mut pixels, [2, 1, 32, 32], &Device::flex());
    let images: Tensor<4> = images;
    let codes = model.valid().encode(images);
    codes.into_data().iter::<f32>().collect()
}

#[test]
fn a_checkpoint_becomes_the_model_it_was_made_of() {
    let directory = tempfile::tempdir().unwrap();
    let config = small(mixture(Form::Official));
    let original = model(&config);
    let object = checkpoint(HYPERPARAMETERS, tensors(&official_state(&original)));
    let path = saved(directory.path(), &object);

    let read = OfficialCheckpoint::load(&path).unwrap();
    assert_eq!((read.epochs, read.validation_loss), (Some(2), Some(8.5)));
    let imported = import(&path).unwrap();
    assert_eq!(official_state(&imported.model), official_state(&original));
    assert_eq!(codes(&imported.model), codes(&original));
    assert_eq!(imported.source, Source::Options);
    let training = &imported.config.training;
    assert_eq!((training.learning_rate, training.batch_size), (2e-4, 48));
    // A switch that the parameters do not show, and sizes that the options do not show.
    assert!(imported.config.model.gwae().unwrap().learned_similarity);
    assert_eq!(
        imported.config.model.gwae().unwrap().prior,
        mixture(Form::Official)
    );
    assert_eq!(imported.config.model.backbone().unwrap().image_size, 32);
}

/// Without options, for every family and switch that the parameters show.
#[test]
fn parameters_alone_tell_the_architecture() {
    let directory = tempfile::tempdir().unwrap();
    let form = Form::Official;
    for (index, prior) in [
        PriorConfig::Neural,
        PriorConfig::FactorizedNeural,
        mixture(form),
        PriorConfig::VectorQuantized(VectorQuantizedConfig { embeddings: 5 }),
        PriorConfig::Causal(CausalConfig { form }),
    ]
    .into_iter()
    .enumerate()
    {
        let config = GwaeConfig {
            backbone: BackboneConfig {
                batchnorm: index % 2 == 0,
                resblock: index < 3,
                latent_bn: index > 1,
                ..small(prior.clone()).backbone
            },
            merged_condition: index == 1,
            ..small(prior)
        };
        let original = model(&config);
        let state = Object::OrderedDict(tensors(&official_state(&original)));
        let imported = import(&saved(directory.path(), &state)).unwrap();
        assert_eq!(imported.source, Source::Parameters);
        assert_eq!(official_state(&imported.model), official_state(&original));
        assert_eq!(imported.config.model.gwae().unwrap().prior, config.prior);
    }
}

#[test]
fn other_devices_and_number_types_are_read() {
    let directory = tempfile::tempdir().unwrap();
    let original = official_state(&model(&small(PriorConfig::Neural)));
    let saved_as = |(name, tensor): &(String, _)| {
        let tensor: &OfficialTensor = tensor;
        let saved = Saved {
            location: "cuda:1",
            ..Saved::double(&tensor.shape, &tensor.values)
        };
        (name.as_str().into(), Object::Tensor(saved))
    };
    let state = Object::OrderedDict(original.iter().map(saved_as).collect());
    let imported = import(&saved(directory.path(), &state)).unwrap();
    assert_eq!(official_state(&imported.model), original);
}

#[test]
fn a_given_configuration_takes_the_place_of_the_options() {
    let directory = tempfile::tempdir().unwrap();
    let given = RunConfig {
        model: small(PriorConfig::Spherical).into(),
        ..RunConfig::default()
    };
    let original = model(&small(PriorConfig::Spherical));
    let state = Object::OrderedDict(tensors(&official_state(&original)));
    let path = saved(directory.path(), &state);
    let message = import(&path).unwrap_err();
    assert!(
        message.contains("factorized_uniform or spherical"),
        "{message}"
    );
    let checkpoint = OfficialCheckpoint::load(&path).unwrap();
    let form = Form::Official;
    let imported =
        ImportedModel::build(checkpoint, Some(given.clone()), form, &Device::flex()).unwrap();
    assert_eq!((imported.source, imported.config), (Source::Given, given));
}

/// The error when a small checkpoint is imported with a configuration that does not fit.
fn refusal(model_config: ModelConfig) -> String {
    let directory = tempfile::tempdir().unwrap();
    let original = model(&small(PriorConfig::Neural));
    let state = Object::OrderedDict(tensors(&official_state(&original)));
    let checkpoint = OfficialCheckpoint::load(&saved(directory.path(), &state)).unwrap();
    let given = RunConfig {
        model: model_config,
        ..RunConfig::default()
    };
    ImportedModel::build(checkpoint, Some(given), Form::Official, &Device::flex())
        .unwrap_err()
        .to_string()
}

#[test]
fn a_configuration_for_another_kind_of_model_is_refused() {
    let message = refusal(VaeConfig::default().into());
    assert!(message.contains("holds a GWAE"), "{message}");
    assert!(message.contains("kind = \"vae\""), "{message}");
}

#[test]
fn a_configuration_for_another_critic_is_refused() {
    let other = GwaeConfig {
        critic_activation: CriticActivation::Absolute,
        ..small(PriorConfig::Neural)
    };
    let message = refusal(other.into());
    assert!(message.contains("model.critic_activation"), "{message}");
}

#[test]
fn a_run_directory_holds_the_imported_model() {
    let directory = tempfile::tempdir().unwrap();
    let original = model(&small(mixture(Form::Official)));
    let object = checkpoint(HYPERPARAMETERS, tensors(&official_state(&original)));
    let imported = import(&saved(directory.path(), &object)).unwrap();
    let description = || ImportDescription {
        imported_from: "checkpoint_last.pth".into(),
        device: "cpu".into(),
        command_line: vec!["gwae".into()],
    };
    let path = directory.path().join("run");
    imported.write_run(&path, description(), Some(8.5)).unwrap();

    let run = RunDirectory::open(&path).unwrap();
    assert_eq!(run.config(), &imported.config);
    for which in [Which::Last, Which::Best] {
        let mut store = CheckpointStore::open(run.checkpoints()).unwrap();
        let file = store.read(which).unwrap().take(MODEL_FILE).unwrap();
        let algorithm = GwaeAlgorithm::new(run.config().model.gwae().unwrap().clone());
        let loaded = load_model_of(&algorithm, file, &Device::flex());
        assert_eq!(official_state(&loaded.unwrap()), official_state(&original));
    }
    // The training data are not here.
    for message in [
        run.check_fingerprint("abc").unwrap_err().to_string(),
        run.split::<Vec<u32>>().unwrap_err().to_string(),
    ] {
        assert!(
            message.contains("imported from checkpoint_last.pth"),
            "{message}"
        );
    }
    let again = imported.write_run(&path, description(), None).unwrap_err();
    assert!(
        again.to_string().contains("exists and is not empty"),
        "{again}"
    );
}

#[test]
fn a_model_of_broken_parameters_gets_no_run() {
    let directory = tempfile::tempdir().unwrap();
    let state = official_state(&model(&small(mixture(Form::Official))));
    let path = directory.path().join("run");
    for (name, broken) in [
        ("enc_block.fc.bias", f32::NAN),
        ("dec_block.net.2.bias", f32::INFINITY),
    ] {
        let mut state = state.clone();
        let (_, tensor) = state.iter_mut().find(|(found, _)| found == name).unwrap();
        tensor.values[0] = broken;
        let object = checkpoint(HYPERPARAMETERS, tensors(&state));
        let imported = import(&saved(directory.path(), &object)).unwrap();
        let description = ImportDescription {
            imported_from: "checkpoint_last.pth".into(),
            device: "cpu".into(),
            command_line: vec!["gwae".into()],
        };
        let error = imported.write_run(&path, description, Some(8.5));
        let message = error.unwrap_err().to_string();
        assert!(message.starts_with("checkpoint_last.pth: a parameter is NaN or infinite"));
        assert!(!path.exists());
    }
}

#[test]
fn what_is_no_checkpoint_is_named_in_one_line() {
    let directory = tempfile::tempdir().unwrap();
    let state = tensors(&official_state(&model(&small(mixture(Form::Official)))));
    let path = saved(directory.path(), &checkpoint(HYPERPARAMETERS, state));
    let error = |part: &str| {
        let message = import(&path).unwrap_err();
        assert!(message.contains("checkpoint_last.pth"), "{message}");
        assert!(
            !message.contains('\n') && message.contains(part),
            "{message}"
        );
    };
    let whole = std::fs::read(&path).unwrap();
    for length in [0, 2, 10, 400, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&path, &whole[..length]).unwrap();
        error("no whole PyTorch checkpoint");
    }
    // One byte of a parameter is flipped; the archive's checksum shows it.
    let mut altered = whole.clone();
    altered[whole.len() / 2] ^= 0x40;
    std::fs::write(&path, altered).unwrap();
    error("no whole PyTorch checkpoint");
    std::fs::write(&path, "epochs: 3\n").unwrap();
    error("no whole PyTorch checkpoint");
    std::fs::remove_file(&path).unwrap();
    error("cannot be read");
    std::fs::create_dir(&path).unwrap();
    error("it is a directory");
    std::fs::remove_dir(&path).unwrap();
    #[cfg(unix)]
    {
        let message = import(Path::new("/dev/null")).unwrap_err();
        assert!(message.contains("not a regular file"), "{message}");
    }
    torch_save(&dict([("weights", Object::List(Vec::new()))]), &path);
    error(
        "it has neither `model_state_dict` nor parameters called `enc_block.…` (it has: weights)",
    );
    torch_save(&Object::List(Vec::new()), &path);
    error("holds no model");
    torch_save(&checkpoint(HYPERPARAMETERS, Vec::new()), &path);
    error("has no parameter called `enc_block.…`");
}

/// The largest model that a configuration allows would take 10 GB.
#[test]
fn no_model_is_built_that_a_small_file_cannot_hold() {
    let directory = tempfile::tempdir().unwrap();
    let state = tensors(&official_state(&model(&small(
        PriorConfig::FactorizedNormal,
    ))));
    let path = saved(directory.path(), &checkpoint(HYPERPARAMETERS, state));
    let mut huge = small(PriorConfig::FactorizedNormal);
    huge.backbone.width = 4.0;
    huge.backbone.latent_dim = 4096;
    let config = RunConfig {
        model: huge.into(),
        ..RunConfig::default()
    };
    let file = OfficialCheckpoint::load(&path).unwrap();
    let began = std::time::Instant::now();
    let built = ImportedModel::build(file, Some(config), Form::Corrected, &Device::flex());
    let message = built.unwrap_err().to_string();
    assert!(message.contains("checkpoint_last.pth: "), "{message}");
    assert!(message.contains("are too few"), "{message}");
    assert!(began.elapsed().as_secs() < 5);
}

/// A tensor of no values may have any size along the other axis.
#[test]
fn empty_tensors_of_any_shape_are_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let state = official_state(&model(&small(PriorConfig::FactorizedNormal)));
    for name in ["enc_block.net.1.weight", "dec_block.net.0.weight"] {
        for shape in [[0, 1 << 30], [1 << 30, 0], [0, 0]] {
            let mut changed = tensors(&state);
            let place = changed
                .iter_mut()
                .find(|(key, _)| matches!(key, Object::Text(text) if text == name));
            place.unwrap().1 = Object::Tensor(Saved::float(&shape, &[]));
            let path = saved(directory.path(), &checkpoint(HYPERPARAMETERS, changed));
            let message = import(&path).unwrap_err();
            assert!(message.contains(name), "{message}");
            assert!(!message.contains('\n'), "{message}");
        }
    }
}

#[test]
fn parameters_that_do_not_fit_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let state = tensors(&official_state(&model(&small(mixture(Form::Official)))));
    let error = |hyperparameters: &str, state: Vec<(Object, Object)>, part: &str| {
        let path = saved(directory.path(), &checkpoint(hyperparameters, state));
        let message = import(&path).unwrap_err();
        assert!(message.contains("checkpoint_last.pth"), "{message}");
        assert!(
            !message.contains('\n') && message.contains(part),
            "{message}"
        );
    };
    let with = |from: &str, to: &str| HYPERPARAMETERS.replace(from, to);
    let is =
        |entry: &(Object, Object), name: &str| matches!(&entry.0, Object::Text(t) if t == name);

    let mut lacking = state.clone();
    lacking.retain(|entry| !is(entry, "dec_block.net.2.bias"));
    error(
        HYPERPARAMETERS,
        lacking,
        "lacks 1 parameters of this model, the first is `dec_block.net.2.bias`",
    );
    let half = state[..state.len() / 2].to_vec();
    error(HYPERPARAMETERS, half, "lacks");
    let mut wrong = state.clone();
    for entry in &mut wrong {
        if is(entry, "enc_block.fc.bias") {
            entry.1 = Object::Tensor(Saved::float(&[2], &[0.0, 0.0]));
        }
    }
    error(
        HYPERPARAMETERS,
        wrong,
        "`enc_block.fc.bias` has shape [2] in the state but [3]",
    );
    error(&with("z_dim: 3", "z_dim: 5"), state.clone(), "shape");
    error(
        &with("sampler_type: gm", "sampler_type: neural"),
        state.clone(),
        "sampler.",
    );
    error(
        &with("merged_condition: true", "merged_condition: false"),
        state.clone(),
        "learned_similarity",
    );
    error(
        &with("gm", "gaussian"),
        state.clone(),
        "`gaussian` is unknown",
    );
    error(&with("z_dim", "zdim"), state, "z_dim: missing");
}

#[test]
fn prefixes_of_wrappers_are_left_out() {
    let directory = tempfile::tempdir().unwrap();
    let state = official_state(&model(&small(mixture(Form::Official))));
    let plain = tensors(&state);
    let load = |state: Vec<(Object, Object)>| {
        OfficialCheckpoint::load(&saved(
            directory.path(),
            &checkpoint(HYPERPARAMETERS, state),
        ))
    };
    let expected = load(plain.clone()).unwrap().state;
    for prefix in ["module.", "_orig_mod.", "module._orig_mod."] {
        let renamed = plain.iter().cloned().map(|(name, tensor)| match name {
            Object::Text(name) => (format!("{prefix}{name}").as_str().into(), tensor),
            name => (name, tensor),
        });
        assert_eq!(load(renamed.collect()).unwrap().state, expected, "{prefix}");
    }
    let mut twice = plain.clone();
    let Object::Text(first) = &plain[0].0 else {
        panic!("names are texts")
    };
    twice.push((
        format!("module.{first}").as_str().into(),
        plain[0].1.clone(),
    ));
    let error = load(twice).unwrap_err().to_string();
    assert!(error.contains("two parameters are called"), "{error}");
}

#[test]
fn tensors_that_cannot_be_read_rightly_are_refused() {
    let torch = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/torch");
    let error = |path: &Path| OfficialCheckpoint::load(path).unwrap_err().to_string();
    let negative = error(&torch.join("negative_bit.pth"));
    assert!(negative.contains("resolve_neg()"), "{negative}");
    // 2 GB of values from a file of a kilobyte.
    let expanded = error(&torch.join("expanded.pth"));
    assert!(expanded.contains("2000000000 bytes"), "{expanded}");
    let directory = tempfile::tempdir().unwrap();
    let float8 = Saved {
        storage: "Float8_e4m3fnStorage",
        ..Saved::float(&[1], &[1.0])
    };
    let object = dict([("enc_block.scale", Object::Tensor(float8))]);
    let unsupported = error(&saved(directory.path(), &object));
    assert!(
        unsupported.contains("of the type torch.Float8_e4m3fnStorage"),
        "{unsupported}"
    );
    assert!(!unsupported.contains("cut short"), "{unsupported}");
}
