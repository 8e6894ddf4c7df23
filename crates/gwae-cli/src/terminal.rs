//! Output to the terminal.

use std::fmt::Display;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::error::{ContextKind, ErrorKind};
use gwae_formats::one_line::folded;

/// Exit status for a wrong command line.
const USAGE: u8 = 2;

/// Whether some output could not be printed.
static INCOMPLETE: AtomicBool = AtomicBool::new(false);

/// Prints to standard output. If the reader has closed it, as in `gwae … | head`, that is not an
/// error. Any other failure, such as a full disk, is reported once, and [`is_complete`] then
/// returns false.
pub fn print(text: impl Display) {
    check_printed(writeln!(std::io::stdout().lock(), "{text}"));
}

fn check_printed(result: std::io::Result<()>) {
    if let Err(cause) = result
        && cause.kind() != std::io::ErrorKind::BrokenPipe
        && !INCOMPLETE.swap(true, Ordering::Relaxed)
    {
        error(format!("cannot write to standard output: {cause}"));
    }
}

/// Whether all output has reached standard output, or its reader has closed it.
pub fn is_complete() -> bool {
    !INCOMPLETE.load(Ordering::Relaxed)
}

/// Prints `error: …` in one line on standard error.
pub fn error(error: impl Display) {
    let _ = writeln!(std::io::stderr().lock(), "error: {}", folded(error));
}

/// Prints `note: …` in one line on standard error.
pub fn note(note: impl Display) {
    let _ = writeln!(std::io::stderr().lock(), "note: {}", folded(note));
}

/// Prints clap's error in one line, or the requested help or version.
pub fn usage(error: &clap::Error) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            check_printed(error.print());
            if is_complete() {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = error.print();
            ExitCode::from(USAGE)
        }
        _ => {
            let rendered = error.render().to_string();
            self::error(usage_line(
                &rendered,
                error.get(ContextKind::Usage).is_some(),
            ));
            ExitCode::from(USAGE)
        }
    }
}

/// Clap's message without its heading, usage and help pointer, and with our own pointer.
fn usage_line(rendered: &str, has_usage: bool) -> String {
    let message = rendered.trim_start_matches("error: ");
    // Clap reads a negative number as an option. Its advice how to pass it does not help here.
    let advice = "\n\n  tip: to pass '-";
    let is_of_a_number =
        |&at: &usize| message[at + advice.len()..].starts_with(|c: char| c.is_ascii_digit());
    let end = ["\n\nUsage:", "\n\nFor more information"]
        .iter()
        .filter_map(|mark| message.find(mark))
        .chain(message.find(advice).filter(is_of_a_number))
        .min()
        .unwrap_or(message.len());
    let command = rendered.split_once("Usage: ").filter(|_| has_usage).map_or(
        "gwae".to_owned(),
        |(_, usage)| {
            let words = usage.split_whitespace();
            let is_name = |word: &&str| word.chars().all(|c| c.is_ascii_lowercase());
            words.take_while(is_name).collect::<Vec<_>>().join(" ")
        },
    );
    format!("{} (see `{command} --help`)", folded(&message[..end]))
}

/// Refuses a name that does not end in `.png`.
///
/// # Errors
/// One line with the reason.
pub fn png_path(path: &Path) -> Result<(), String> {
    let extension = path.extension().and_then(|extension| extension.to_str());
    if extension.is_some_and(|extension| extension.eq_ignore_ascii_case("png")) {
        return Ok(());
    }
    let path = path.display();
    Err(format!(
        "--out {path}: pictures are PNG files, so end the name in .png"
    ))
}

/// Makes a panic print one line that calls it a bug.
pub fn explain_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let message = panic
            .payload()
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.payload().downcast_ref::<&str>().copied())
            .unwrap_or("no message");
        let place = panic
            .location()
            .map_or(String::new(), |l| format!(" at {l}"));
        error(format!(
            "{message}{place}: this is a bug in gwae {}, please report it with the command line that led to it",
            env!("CARGO_PKG_VERSION")
        ));
    }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::Arguments;
    use clap::Parser;

    #[test]
    fn advice_that_does_not_help_is_left_out() {
        let parse = Arguments::try_parse_from(["gwae", "resume", "runs/a", "--steps", "-3"]);
        let error = parse.unwrap_err();
        let line = usage_line(&error.render().to_string(), true);
        assert!(
            line.contains("unexpected argument '-3' found (see"),
            "{line}"
        );
    }

    #[test]
    fn usage_errors_fit_on_one_line() {
        let rendered = "error: unexpected argument '--devise' found\n\n  tip: a similar argument \
                        exists: '--device'\n\nUsage: gwae verify <FILE>...\n\nFor more information, try '--help'.\n";
        assert_eq!(
            usage_line(rendered, true),
            "unexpected argument '--devise' found tip: a similar argument exists: '--device' (see `gwae verify --help`)"
        );
    }
}
