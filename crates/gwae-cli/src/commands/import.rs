//! `gwae import`.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use burn::tensor::Device;
use gwae_datasets::config::DataConfig;
use gwae_models::Autoencoder;
use gwae_official::checkpoint::OfficialCheckpoint;
use gwae_official::configuration::LoadOptions;
use gwae_official::import::{ImportedModel, Source};
use gwae_priors::Form;
use gwae_train::run_directory::{ImportDescription, command_line};
use gwae_train::{ConfigError, RunConfig};

use super::configuration;
use crate::arguments::{FormName, Import};
use crate::terminal::{note, print};

pub(super) fn run(arguments: &Import) -> Result<ExitCode, Box<dyn Error>> {
    let spec = arguments.device.device;
    let device: Device = spec.open()?;
    let form = arguments.form.into();
    let given = arguments
        .config
        .as_ref()
        .map(|path| given_settings(path, form));
    let checkpoint = OfficialCheckpoint::load(&arguments.source)?;
    let (epochs, validation_loss) = (checkpoint.epochs, checkpoint.validation_loss);
    let dataset = checkpoint.options.as_ref().and_then(|options| {
        let name = options.get("dataset")?.as_str()?;
        Some(name.to_owned())
    });
    let parameters: usize = checkpoint.state.iter().map(|(_, t)| t.values.len()).sum();
    let imported = ImportedModel::build(checkpoint, given.transpose()?, form, &device)?;
    let description = ImportDescription {
        imported_from: arguments.source.display().to_string(),
        device: spec.to_string(),
        command_line: command_line(),
    };
    let run = imported.write_run(&arguments.out, description, validation_loss)?;

    let model = &imported.config.model;
    let shape = model.image_shape();
    let trained = epochs.map_or(String::new(), |epochs| {
        format!(", trained for {epochs} epochs")
    });
    print(format!(
        "{}: a GWAE for {1}×{1}×{2} images with {3} latent dimensions, {parameters} numbers{trained}",
        arguments.source.display(),
        shape.height,
        shape.channels,
        imported.model.latent_dim(),
    ));
    print(match imported.source {
        Source::Given => "hyper-parameters: from the configuration that was given",
        Source::Options => "hyper-parameters: from the checkpoint's options",
        Source::Parameters => {
            "hyper-parameters: from the names and shapes of the parameters; learned_similarity and \
             mixed_potential leave no trace there and are assumed to be off"
        }
    });
    if imported.has_form() && imported.source != Source::Given {
        print(match arguments.form {
            FormName::Official => {
                "prior: in the form of the authors' program, which its weights were trained with \
                 (--form corrected for that of the paper)"
            }
            FormName::Corrected => {
                "prior: in the corrected form, although its weights were trained with that of the \
                 authors' program"
            }
        });
    }
    if let Some(dataset) = dataset {
        note(format!(
            "it was trained on `{dataset}`, which is not part of the import: `gwae reconstruct` shows \
             {} unless --dataset says otherwise",
            run.config().data.dataset
        ));
    }
    print(format!("run directory: {}", run.path().display()));
    Ok(ExitCode::SUCCESS)
}

/// The user's settings, which replace the checkpoint's own.
fn given_settings(path: &Path, form: Form) -> Result<RunConfig, ConfigError> {
    let options = LoadOptions {
        prior_form: form,
        // The images of the checkpoint are not needed, and rarely on this machine.
        dataset: Some(Default::default()),
        ..LoadOptions::default()
    };
    let mut config = configuration::load(path, &options)?;
    config.data = DataConfig::default();
    config.validate()?;
    Ok(config)
}
