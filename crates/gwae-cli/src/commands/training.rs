//! What `gwae train` and `gwae resume` share.

use std::error::Error;

use gwae_train::interrupt::catch_signals;
use gwae_train::progress::standard_display;
use gwae_train::session::SessionOptions;

use crate::arguments::DeviceArgument;

/// Without a terminal, every so many-th step is a line.
const STEPS_PER_LINE: u64 = 100;

/// Options of a session that Ctrl-C stops cleanly.
pub(super) fn options(device: DeviceArgument) -> Result<SessionOptions, Box<dyn Error>> {
    let stop = catch_signals(|| {
        eprintln!("\nfinishing this step, then saving; press Ctrl-C again to quit at once");
    })?;
    Ok(SessionOptions {
        device: device.device,
        display: standard_display(STEPS_PER_LINE),
        stop,
        command_line: std::env::args().collect(),
    })
}
