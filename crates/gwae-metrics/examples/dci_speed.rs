//! Times `dci/gbt` over files that `dci_speed.py` writes, and prints the scores as one line of JSON.
//!
//! Arguments: codes and factors as little-endian doubles, row-major, and the number of columns of each.

use std::error::Error;
use std::time::Instant;

use gwae_metrics::disentanglement::{LabelledCodes, dci::dci_gradient_boosting};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [codes, factors, dimensions, factor_count] = &arguments[..] else {
        return Err("give codes, factors, dimensions and factor count".into());
    };
    let labelled = LabelledCodes::new(
        &doubles(codes)?,
        dimensions.parse()?,
        &doubles(factors)?,
        factor_count.parse()?,
    )?;
    let start = Instant::now();
    let dci = dci_gradient_boosting(&labelled, 0)?;
    let seconds = start.elapsed().as_secs_f64();
    println!("{}", serde_json::json!({ "seconds": seconds, "dci": dci }));
    Ok(())
}

fn doubles(path: &str) -> Result<Vec<f64>, Box<dyn Error>> {
    let bytes = std::fs::read(path)?;
    let numbers = bytes.chunks_exact(8).map(|eight| {
        let mut number = [0; 8];
        number.copy_from_slice(eight);
        f64::from_le_bytes(number)
    });
    Ok(numbers.collect())
}
