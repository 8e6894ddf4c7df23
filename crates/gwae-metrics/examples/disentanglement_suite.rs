//! Times every protocol of the suite on 10,000 codes of 10 dimensions with the factors of 3D Shapes.
//!
//! ```text
//! cargo run --release -p gwae-metrics --example disentanglement_suite [protocol …]
//! ```

use std::error::Error;
use std::time::Instant;

use gwae_metrics::disentanglement::LabelledCodes;
use gwae_metrics::disentanglement::distances::Images;
use gwae_metrics::disentanglement::suite::{
    Protocol, SuiteConfig, SuiteInputs, protocols, run_suite, select_protocols,
};

const ITEMS: usize = 10_000;
const SIZES: [usize; 6] = [10, 10, 10, 8, 4, 15];
const DIMENSIONS: usize = 10;
/// Values of an image, a grey one of 32 × 32 pixels.
const IMAGE_LEN: usize = 1_024;

fn main() -> Result<(), Box<dyn Error>> {
    let names: Vec<String> = std::env::args().skip(1).collect();
    let chosen: Vec<&Protocol> = if names.is_empty() {
        protocols().iter().collect()
    } else {
        select_protocols(&names)?
    };
    let mut random = Random(1);
    let (mut codes, mut factors, mut images) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ITEMS {
        let row = SIZES.map(|size| (random.fraction() * size as f64).floor());
        let scaled: Vec<f64> = row
            .iter()
            .zip(SIZES)
            .map(|(v, size)| v / size as f64 - 0.5)
            .collect();
        for dimension in 0..DIMENSIONS {
            // Each code is mostly one factor, with some of another and noise; the last hardly varies.
            let mixed = scaled[dimension % 6] + 0.3 * scaled[(dimension + 1) % 6];
            let noise = 0.1 * (random.fraction() + random.fraction() - 1.0);
            let size = if dimension + 1 == DIMENSIONS {
                1e-3
            } else {
                3.0
            };
            codes.push(size * (mixed + noise));
        }
        images.extend((0..IMAGE_LEN).map(|pixel| scaled[pixel % 6] as f32));
        factors.extend(row);
    }
    let means = LabelledCodes::new(&codes, DIMENSIONS, &factors, SIZES.len())?;
    let deviations = vec![0.1; codes.len()];
    let inputs = SuiteInputs {
        means: &means,
        samples: None,
        deviations: Some(&deviations),
        images: Some(Images::new(&means, &images, IMAGE_LEN)?),
    };
    let start = Instant::now();
    let table = run_suite(&chosen, &inputs, SuiteConfig::default(), |_| {})?;
    for row in &table.rows {
        let number =
            |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.4}"));
        println!(
            "{:34} {:24} {:>9} {:>9} {:7.2} s {}",
            row.protocol,
            row.score,
            number(row.value),
            number(row.standard_error),
            row.seconds,
            row.problem.as_deref().unwrap_or_default(),
        );
    }
    println!("{:.1} s", start.elapsed().as_secs_f64());
    Ok(())
}

/// Knuth's linear congruential generator, its upper bits.
struct Random(u64);

impl Random {
    fn fraction(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}
