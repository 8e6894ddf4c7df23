use super::*;
use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::nn::Linear;
use burn::optim::GradientsParams;
use burn::tensor::{Bytes, Device, Tensor, TensorData};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Options {
    #[serde(default)]
    optimizer: OptimizerConfig,
    seed: u64,
}

fn read(optimizer: &str) -> Result<OptimizerConfig, String> {
    let text = format!("optimizer = {optimizer}\nseed = 1\n");
    toml::from_str::<Options>(&text)
        .map(|options| options.optimizer)
        .map_err(|error| error.message().to_owned())
}

const SGD: OptimizerConfig = OptimizerConfig::Sgd(Sgd {
    momentum: 0.9,
    weight_decay: 1e-4,
    nesterov: true,
});

fn every_kind() -> [OptimizerConfig; 6] {
    [
        OptimizerConfig::Official,
        OptimizerConfig::RmsProp(RmsProp::default()),
        OptimizerConfig::Adam(Adam::default()),
        OptimizerConfig::AdamW(AdamW::default()),
        OptimizerConfig::Sgd(Sgd::default()),
        SGD,
    ]
}

#[test]
fn a_name_or_a_table() {
    let without: Options = toml::from_str("seed = 1").unwrap();
    assert_eq!(without.optimizer, OptimizerConfig::Official);
    assert_eq!(read("\"official\"").unwrap(), OptimizerConfig::Official);
    assert_eq!(
        read("{ kind = \"official\" }").unwrap(),
        OptimizerConfig::Official
    );
    for (name, expected) in ["rmsprop", "adam", "adamw", "sgd"]
        .iter()
        .zip(&every_kind()[1..])
    {
        assert_eq!(read(&format!("\"{name}\"")).unwrap(), *expected);
    }
    let table = "{ kind = \"sgd\", momentum = 0.9, weight_decay = 1e-4, nesterov = true }";
    assert_eq!(read(table).unwrap(), SGD);
    assert_eq!(
        read("{ kind = \"adam\", betas = [0, 0.9] }").unwrap(),
        OptimizerConfig::Adam(Adam {
            betas: [0.0, 0.9],
            ..Adam::default()
        })
    );
}

#[test]
fn what_is_no_optimizer_is_said() {
    for (text, expected) in [
        (
            "\"adamm\"",
            "unknown variant `adamm`, expected one of `official`",
        ),
        (
            "{ kind = \"adam\", momentum = 0.9 }",
            "unknown field `momentum`, expected `betas` or `epsilon`",
        ),
        (
            "{ kind = \"official\", epsilon = 1 }",
            "unknown field `epsilon`",
        ),
        ("{ momentum = 0.9 }", "missing field `kind`"),
        ("1", "optimizer = { kind = \"sgd\", momentum = 0.9 }"),
        ("{ kind = \"adam\", betas = [0.9] }", "array of length 2"),
    ] {
        let message = read(text).unwrap_err();
        assert!(message.contains(expected), "{text}: {message}");
    }
}

#[test]
fn what_is_written_is_read() {
    for optimizer in every_kind() {
        let options = Options { optimizer, seed: 7 };
        let text = toml::to_string(&options).unwrap();
        assert_eq!(toml::from_str::<Options>(&text).unwrap(), options, "{text}");
        let text = serde_json::to_string(&options).unwrap();
        assert_eq!(serde_json::from_str::<Options>(&text).unwrap(), options);
    }
    let text = toml::to_string(&Options {
        optimizer: OptimizerConfig::Official,
        seed: 7,
    });
    assert_eq!(text.unwrap(), "optimizer = \"official\"\nseed = 7\n");
}

#[test]
fn values_out_of_range_are_named() {
    for optimizer in every_kind() {
        optimizer.validate().unwrap();
    }
    for (text, expected) in [
        (
            "{ kind = \"rmsprop\", alpha = 1.0 }",
            "training.optimizer.alpha = 1 is out of range: it must be at least 0 and below 1",
        ),
        (
            "{ kind = \"rmsprop\", epsilon = 0 }",
            "optimizer.epsilon = 0",
        ),
        (
            "{ kind = \"adam\", betas = [0.9, 1.5] }",
            "optimizer.betas = [0.9, 1.5]",
        ),
        (
            "{ kind = \"adam\", epsilon = nan }",
            "optimizer.epsilon = NaN",
        ),
        (
            "{ kind = \"adamw\", weight_decay = -1 }",
            "optimizer.weight_decay = -1",
        ),
        ("{ kind = \"sgd\", momentum = 1 }", "optimizer.momentum = 1"),
        (
            "{ kind = \"sgd\", nesterov = true }",
            "training.optimizer.momentum = 0 is out of range: it must be above 0 while",
        ),
    ] {
        let message = read(text).unwrap().validate().unwrap_err().to_string();
        assert!(message.contains(expected), "{text}: {message}");
    }
}

fn bits(model: &Linear) -> Vec<u32> {
    struct Bits(Vec<u32>);
    impl ModuleVisitor for Bits {
        fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
            let values = parameter.val().into_data();
            self.0.extend(values.iter::<f32>().map(f32::to_bits));
        }
    }
    let mut bits = Bits(Vec::new());
    model.visit(&mut bits);
    bits.0
}

/// A layer whose parameters have the same identifiers every time.
fn model() -> Linear {
    let device = Device::flex().autodiff();
    let values = |count: usize| (0..count).map(|k| (k as f32 * 0.7).cos()).collect();
    let data = |values: Vec<f32>, shape: &[usize]| TensorData::new(values, shape.to_vec());
    let weight = Tensor::<2>::from_data(data(values(6), &[3, 2]), &device);
    let bias = Tensor::<1>::from_data(data(values(2), &[2]), &device);
    Linear {
        weight: Param::initialized(ParamId::from(1), weight.require_grad()),
        bias: Some(Param::initialized(ParamId::from(2), bias.require_grad())),
    }
}

fn step(optimizer: &mut ModuleOptimizer, model: Linear, number: u32) -> Linear {
    let device = Device::flex();
    let entries = |count: u32| (0..count).map(move |k| ((k + 5 * number) as f32).sin());
    let weight = TensorData::new(entries(6).collect::<Vec<f32>>(), [3, 2]);
    let bias = TensorData::new(entries(2).collect::<Vec<f32>>(), [2]);
    let mut gradients = GradientsParams::new();
    gradients.register(model.weight.id, Tensor::<2>::from_data(weight, &device));
    let id = model.bias.as_ref().unwrap().id;
    gradients.register(id, Tensor::<1>::from_data(bias, &device));
    optimizer.step(1e-2, model, gradients)
}

#[test]
fn resumed_equals_uninterrupted() {
    for config in every_kind() {
        for has_critic in [false, true] {
            let mut optimizer = config.init(has_critic);
            let whole = (1..=8).fold(model(), |model, number| step(&mut optimizer, model, number));

            let mut optimizer = config.init(has_critic);
            let half = (1..=5).fold(model(), |model, number| step(&mut optimizer, model, number));
            let bytes = optimizer.into_bytes().unwrap();
            let mut optimizer = config.init(has_critic).from_bytes(bytes).unwrap();
            let parts = (6..=8).fold(half, |model, number| step(&mut optimizer, model, number));
            assert_eq!(bits(&parts), bits(&whole), "{config:?}");
        }
    }
}

#[test]
fn the_official_one_depends_on_the_critic() {
    let after = |config: OptimizerConfig, has_critic| {
        let mut optimizer = config.init(has_critic);
        bits(&step(&mut optimizer, model(), 1))
    };
    let official = |has_critic| after(OptimizerConfig::Official, has_critic);
    let [_, rms_prop, adam, ..] = every_kind();
    assert_eq!(official(true), after(rms_prop, true));
    assert_eq!(official(false), after(adam, false));
    assert_ne!(official(true), official(false));
}

/// The program wrote these files after five of these steps, before optimisers had settings.
#[test]
fn records_of_earlier_runs_are_read() {
    let rms_prop: &[u8] = include_bytes!("fixtures/rms_prop.bpk");
    let adam: &[u8] = include_bytes!("fixtures/adam.bpk");
    for (has_critic, record) in [(true, rms_prop), (false, adam)] {
        let config = OptimizerConfig::Official;
        let mut optimizer = config.init(has_critic);
        let half = (1..=5).fold(model(), |model, number| step(&mut optimizer, model, number));
        let whole = (6..=8).fold(half.clone(), |m, number| step(&mut optimizer, m, number));

        let record = Bytes::from_bytes_vec(record.to_vec());
        let mut optimizer = config.init(has_critic).from_bytes(record).unwrap();
        let parts = (6..=8).fold(half, |model, number| step(&mut optimizer, model, number));
        assert_eq!(bits(&parts), bits(&whole), "critic: {has_critic}");
    }
}
