//! Trains a run and uses its model through the library alone.

use burn::tensor::{Device, Tensor};
use gwae_datasets::config::DatasetName;
use gwae_formats::npz::NpzFile;
use gwae_models::VaeConfig;
use gwae_train::checkpoint::Which;
use gwae_train::session::{SessionOptions, start};
use gwae_train::trained_model::{CodedPart, ImageRequest, TrainedModel};
use gwae_train::{DeviceList, RunConfig};

fn config() -> RunConfig {
    let mut model = VaeConfig::default();
    model.backbone.image_size = 32;
    model.backbone.channels = 1;
    model.backbone.latent_dim = 3;
    model.backbone.width = 0.1;
    let mut config = RunConfig {
        model: model.into(),
        ..RunConfig::default()
    };
    config.training.batch_size = 8;
    config.training.steps = Some(3);
    config.training.validate_every = Some(2);
    config.data.validation_fraction = 0.002;
    config
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

#[test]
fn a_run_is_loaded_and_used() {
    let root = tempfile::tempdir().unwrap();
    let run = root.path().join("run");
    let device = Device::flex();
    assert!(TrainedModel::load(&run, &device).is_err());
    let options = SessionOptions {
        command_line: vec!["test".into()],
        ..SessionOptions::new(DeviceList::default())
    };
    start(&config(), &run, options).unwrap();

    let model = TrainedModel::load(&run, &device).unwrap();
    assert_eq!(model.which, Which::Best);
    let last = TrainedModel::load_checkpoint(&run, Which::Last, &device).unwrap();
    assert_eq!(last.to_string(), "last checkpoint (step 3)");

    // More images than are computed at a time.
    let request = ImageRequest::default();
    let (images, what) = model.unseen_images(&request, 0, 70, &mut |_| {}).unwrap();
    assert_eq!(
        (images.dims(), &*what),
        ([70, 1, 32, 32], "test images of digits")
    );
    let codes = model.encode(images.clone());
    assert_eq!(codes.dims(), [70, 3]);
    let decoded = values(model.decode(codes.clone()));
    assert_eq!(values(model.reconstruct(images.clone())), decoded);
    let alone = values(model.encode(images.clone().narrow(0, 69, 1)));
    for (a, b) in values(codes.clone().narrow(0, 69, 1)).iter().zip(&alone) {
        assert!((a - b).abs() <= 1e-4 * b.abs().max(1e-3), "{a} {b}");
    }
    let scores = model.score(images.clone());
    let some = model.score(images.narrow(0, 66, 4));
    assert_eq!(scores.len(), some.len());
    for (all, some) in scores.into_iter().zip(some) {
        assert_eq!((all.name, all.values.dims()), (some.name, [70]));
        let all = values(all.values);
        for (a, b) in all[66..].iter().zip(values(some.values)) {
            assert!((a - b).abs() <= 1e-3 * b.abs().max(1e-3), "{a} {b}");
        }
    }

    let requested = model.images(&request, &mut |_| {}).unwrap();
    let mut steps = Vec::new();
    let coded = |seed, steps: &mut Vec<_>| {
        let part = CodedPart::Unseen;
        let done = |done, all| steps.push((done, all));
        model.codes(&requested, part, Some(70), seed, done).unwrap()
    };
    let of_part = coded(1, &mut steps);
    assert_eq!(steps, [(64, 70), (70, 70)]);
    assert_eq!(of_part, coded(1, &mut steps));
    let (means, samples) = (&of_part.means, of_part.samples.as_ref().unwrap());
    assert_eq!((means.len(), samples.len()), (210, 210));
    assert_ne!(Some(samples), coded(2, &mut steps).samples.as_ref());
    assert_eq!(of_part.factor_names, ["digit"]);
    assert_eq!(of_part.factors.len(), 70);
    // The digits' test part follows their training part.
    assert_eq!(of_part.indices[..2], requested.split.test[..2]);
    for (a, b) in values(codes.clone()).iter().zip(means) {
        assert!((a - b).abs() <= 1e-4 * b.abs().max(1e-3), "{a} {b}");
    }
    let file = root.path().join("codes.npz");
    of_part.save(&file).unwrap();
    let mut archive = NpzFile::open(&file).unwrap();
    assert_eq!(archive.integers("factors.npy").unwrap().shape(), [70, 1]);
    assert_eq!(archive.integers("indices.npy").unwrap().shape(), [70]);

    assert_eq!(values(model.sample(2, 5)), values(model.sample(2, 5)));
    assert_ne!(values(model.sample(1, 5)), values(model.sample(1, 6)));
    let free = model.free_path("sample", ".png");
    assert_eq!(free, run.join(format!("sample-step-{}.png", model.step)));
    std::fs::write(&free, "").unwrap();
    assert!(
        model
            .free_path("sample", ".png")
            .ends_with(format!("sample-step-{}-2.png", model.step))
    );

    let letters = ImageRequest {
        dataset: Some(DatasetName::Letters),
        directory: None,
    };
    let images = model.images(&letters, &mut |_| {}).unwrap();
    assert!(images.is_new && !images.unseen().unwrap().is_empty());
    assert_eq!(images.description(), "images of letters");
    let beyond = model.unseen_images(&request, 1 << 20, 1, &mut |_| {});
    let message = beyond.unwrap_err().to_string();
    assert!(message.contains("no image 1048576"), "{message}");
}
