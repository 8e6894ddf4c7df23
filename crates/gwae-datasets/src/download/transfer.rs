//! Downloads one address into the partial file: attempts, resumption, and checks of the server's
//! answers.

use std::thread;
use std::time::{Duration, Instant};

use super::client::{Client, Content, Failure, read_some};
use super::options::GetOptions;
use super::partial::Partial;
use crate::published::data_event::{DataEvent, DataStage};
use crate::published::file_error::{DataFileError, DataFileProblem};
use crate::published::manifest::FileForm;

/// Number of bytes read from the network at a time.
const BUFFER_BYTES: usize = 64 * 1024;

/// Number of bytes between two events. After this much progress, failures are counted from zero.
const STEP_BYTES: u64 = 1 << 20;

/// Maximum pause between two attempts, unless the server asks for a longer one.
const MAX_PAUSE: Duration = Duration::from_secs(30);

/// Why an address brought no complete file.
pub(super) enum Stop {
    /// The address is the cause: another one may work.
    Address(DataFileProblem),
    /// This machine is the cause: no address would work.
    Local(DataFileError),
}

impl From<DataFileError> for Stop {
    fn from(error: DataFileError) -> Self {
        Self::Local(error)
    }
}

/// One file, its address and its events.
pub(super) struct Job<'a> {
    pub(super) form: &'a FileForm,
    pub(super) options: &'a GetOptions,
    pub(super) client: &'a Client,
    pub(super) on_event: &'a mut dyn FnMut(DataEvent<'_>),
}

enum Attempt {
    Complete,
    /// A start at zero may work.
    NoRange,
    Lost {
        message: String,
        after: Option<Duration>,
    },
}

impl Job<'_> {
    /// Fills the partial file from `url`, after the bytes that it already has.
    pub(super) fn transfer(&mut self, partial: &mut Partial, url: &str) -> Result<(), Stop> {
        let exact = self.form.size.bytes();
        let mut furthest = partial.length();
        let mut ranges = true;
        let mut failures = 0;
        loop {
            if exact == Some(partial.length()) {
                return Ok(());
            }
            if partial.length() > 0
                && let Some(reason) = self.hindrance(partial, url, ranges)
            {
                self.start_over(partial, reason)?;
            }
            match self.attempt(partial, url)? {
                Attempt::Complete => return Ok(()),
                Attempt::NoRange => ranges = false,
                Attempt::Lost { message, after } => {
                    if partial.length() >= furthest.saturating_add(STEP_BYTES) {
                        furthest = partial.length();
                        failures = 0;
                    }
                    failures += 1;
                    self.pause(url, failures, message, after)?;
                }
            }
        }
    }

    /// Whether another run can go on from the bytes of the partial file.
    pub(super) fn can_go_on(&self, partial: &Partial, urls: &[String]) -> bool {
        let goes_on = |url: &String| self.hindrance(partial, url, partial.has_ranges()).is_none();
        partial.length() > 0 && urls.iter().any(goes_on)
    }

    /// Why the existing bytes cannot be continued.
    fn hindrance(&self, partial: &Partial, url: &str, ranges: bool) -> Option<&'static str> {
        if self
            .form
            .size
            .bytes()
            .is_some_and(|exact| partial.length() > exact)
        {
            Some("more bytes are there than the file has")
        } else if !ranges {
            Some("the server cannot continue the file")
        } else if self.form.proof.checksum().is_none() && partial.validator(url).is_none() {
            Some("nothing would show if the rest were of another version of the file")
        } else {
            None
        }
    }

    fn start_over(&mut self, partial: &mut Partial, reason: &str) -> Result<(), Stop> {
        partial.clear()?;
        (self.on_event)(DataEvent::StartOver {
            file: &self.form.name,
            reason,
        });
        Ok(())
    }

    /// Waits before the next attempt, or returns an error if there were too many.
    fn pause(
        &mut self,
        url: &str,
        failures: u32,
        message: String,
        after: Option<Duration>,
    ) -> Result<(), Stop> {
        let attempts = self.options.attempts.max(1);
        if failures >= attempts {
            return Err(Stop::Address(DataFileProblem::Connection {
                url: url.to_owned(),
                attempts,
                message,
            }));
        }
        let doubled = self
            .options
            .backoff
            .saturating_mul(1 << (failures - 1).min(16));
        let wait = doubled.min(MAX_PAUSE).max(after.unwrap_or_default());
        (self.on_event)(DataEvent::Retry {
            file: &self.form.name,
            failures,
            attempts,
            wait,
            reason: &message,
        });
        thread::sleep(wait);
        Ok(())
    }

    /// Sends one request and reads all bytes of its answer.
    fn attempt(&mut self, partial: &mut Partial, url: &str) -> Result<Attempt, Stop> {
        let from = partial.length();
        let validator = partial.validator(url).map(str::to_owned);
        let mut answer = match self.client.ask(url, from, validator.as_deref()) {
            Ok(answer) => answer,
            Err(Failure::Final(problem)) => return Err(Stop::Address(problem)),
            Err(Failure::Temporary { message, after }) => {
                return Ok(Attempt::Lost { message, after });
            }
        };
        partial.set_ranges(answer.has_ranges);
        let announced = match answer.content {
            Content::Whole { length } => length,
            Content::Rest { total } | Content::NoSuchRange { total } => total,
        };
        if let Some(announced) = announced
            && !self.form.size.admits(announced)
        {
            return Err(self.wrong_length(url, format!("{announced}")));
        }
        match answer.content {
            Content::Whole { .. } if from > 0 => {
                self.start_over(partial, "the server sends the whole file again")?;
            }
            Content::NoSuchRange { total: Some(total) } if total == from => {
                return Ok(Attempt::Complete);
            }
            Content::NoSuchRange { .. } => return Ok(Attempt::NoRange),
            Content::Whole { .. } | Content::Rest { .. } => {}
        }
        partial.begin_piece(url, answer.validator.take())?;
        let total = self.form.size.bytes().or(announced);
        self.receive(partial, url, &mut answer.body, total)
    }

    fn receive(
        &mut self,
        partial: &mut Partial,
        url: &str,
        body: &mut impl std::io::Read,
        total: Option<u64>,
    ) -> Result<Attempt, Stop> {
        let mut buffer = vec![0; BUFFER_BYTES];
        let mut reported = None;
        let mut pace = Pace::new(partial.length());
        loop {
            let done = partial.length();
            if reported.is_none_or(|reported| done >= reported + STEP_BYTES) {
                self.report(done, total);
                reported = Some(done);
            }
            let read = match read_some(body, &mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(message) => {
                    self.report(done, total);
                    return Ok(Attempt::Lost {
                        message,
                        after: None,
                    });
                }
            };
            let after = done + read as u64;
            let too_many = match total {
                Some(total) => after > total,
                None => !self.form.size.admits(after),
            };
            if too_many {
                // The bytes belong to another file, so the download cannot continue from them.
                partial.clear()?;
                return Err(self.wrong_length(url, format!("at least {after}")));
            }
            let missing = total.map_or(0, |total| total - done);
            partial.append(&buffer[..read], missing)?;
            if let Some(message) = pace.too_slow(after, self.options) {
                self.report(after, total);
                return Ok(Attempt::Lost {
                    message,
                    after: None,
                });
            }
        }
        let done = partial.length();
        self.report(done, total);
        match total {
            Some(total) if done < total => Ok(Attempt::Lost {
                message: format!("the answer ended after {done} of {total} bytes"),
                after: None,
            }),
            _ => Ok(Attempt::Complete),
        }
    }

    fn report(&mut self, done: u64, total: Option<u64>) {
        (self.on_event)(DataEvent::Bytes {
            file: &self.form.name,
            stage: DataStage::Downloading,
            done,
            total,
        });
    }

    fn wrong_length(&self, url: &str, found: String) -> Stop {
        Stop::Address(DataFileProblem::WrongLength {
            url: url.to_owned(),
            expected: self.form.size.to_string(),
            found,
        })
    }
}

/// Measures the rate of an answer. A server that sends a byte now and then is never silent, yet never ends.
struct Pace {
    start: Instant,
    done: u64,
}

impl Pace {
    fn new(done: u64) -> Self {
        Self {
            start: Instant::now(),
            done,
        }
    }

    /// Why the answer is too slow, at the end of a window.
    fn too_slow(&mut self, done: u64, options: &GetOptions) -> Option<String> {
        let elapsed = self.start.elapsed();
        if elapsed < options.rate_window {
            return None;
        }
        let arrived = done - self.done;
        let seconds = elapsed.as_secs_f64();
        let least = options.least_rate;
        *self = Self::new(done);
        ((arrived as f64) < least as f64 * seconds).then(|| {
            format!(
                "the server sent {arrived} bytes in {seconds:.1} s, fewer than {least} per second"
            )
        })
    }
}
