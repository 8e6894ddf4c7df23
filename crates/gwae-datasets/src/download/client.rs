//! The HTTP client: requests a file or the rest of it, and interprets the answer.

use std::io::{ErrorKind, Read};
use std::time::Duration;

use ureq::http::{HeaderMap, StatusCode, header};
use ureq::tls::{TlsConfig, TlsProvider};
use ureq::{Agent, BodyReader, Proxy};

use super::options::GetOptions;
use super::redirect;
use crate::published::file_error::DataFileProblem;
use gwae_formats::one_line::one_line;

/// Maximum number of redirects from one address.
const MAX_REDIRECTS: u32 = 10;

/// Maximum pause that a server can ask for.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(60);

/// An HTTP client with the limits from [`GetOptions`].
pub(super) struct Client {
    agent: Agent,
}

/// An answer with bytes of the file, or with the information that no bytes are left.
pub(super) struct Answer {
    pub(super) content: Content,
    /// Identifies this version of the file on the server.
    pub(super) validator: Option<String>,
    /// Whether the server can send the rest of the file.
    pub(super) has_ranges: bool,
    pub(super) body: BodyReader<'static>,
}

/// The content of an answer's body.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// The file from its first byte.
    Whole { length: Option<u64> },
    /// The file from the byte asked for.
    Rest { total: Option<u64> },
    /// Other bytes than requested: the server has only `total` bytes, or does not support ranges.
    NoSuchRange { total: Option<u64> },
}

/// Why a request brought no usable answer.
pub(super) enum Failure {
    /// Another request would not help.
    Final(DataFileProblem),
    /// Another request may help, but not before `after`.
    Temporary {
        message: String,
        after: Option<Duration>,
    },
}

impl Client {
    pub(super) fn new(options: &GetOptions) -> Self {
        let mut tls = TlsConfig::builder();
        #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
        let encrypted = {
            let supported = graviola::util::is_cpu_supported();
            if supported {
                let provider = std::sync::Arc::new(rustls_graviola::default_provider());
                tls = tls.unversioned_rustls_crypto_provider(provider);
            }
            supported
        };
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
        let encrypted = false;
        if !encrypted {
            // This build does not have the provider: https then fails with `TlsRequired`.
            tls = tls.provider(TlsProvider::NativeTls);
        }
        let proxy = if options.environment_proxy {
            Proxy::try_from_env()
        } else {
            None
        };
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            // `ask` follows them, after a look at the address.
            .max_redirects(0)
            .timeout_resolve(Some(options.connect_timeout))
            .timeout_connect(Some(options.connect_timeout))
            .timeout_recv_response(Some(options.stall_timeout))
            .timeout_per_read(Some(options.stall_timeout))
            .timeout_per_write(Some(options.stall_timeout))
            .user_agent(concat!("gwae/", env!("CARGO_PKG_VERSION")))
            // A transfer coding would change the meaning of range sizes.
            .accept_encoding("identity")
            .proxy(proxy)
            .tls_config(tls.build())
            .build()
            .new_agent();
        Self { agent }
    }

    /// Requests the bytes of `url` from `from` on, if its version is still `validator`.
    pub(super) fn ask(
        &self,
        url: &str,
        from: u64,
        validator: Option<&str>,
    ) -> Result<Answer, Failure> {
        let mut place = url.to_owned();
        for _ in 0..=MAX_REDIRECTS {
            let mut request = self.agent.get(&place);
            if from > 0 {
                request = request.header(header::RANGE, format!("bytes={from}-"));
                if let Some(validator) = validator {
                    request = request.header(header::IF_RANGE, validator);
                }
            }
            let response = request.call().map_err(|error| sort_error(&place, &error))?;
            let (parts, body) = response.into_parts();
            if let 301 | 302 | 303 | 307 | 308 = parts.status.as_u16()
                && let Some(location) = text(&parts.headers, header::LOCATION)
            {
                place = redirect::target(&place, location).map_err(Failure::Final)?;
                continue;
            }
            let content = content(url, from, parts.status, &parts.headers)?;
            return Ok(Answer {
                has_ranges: matches!(parts.status.as_u16(), 206 | 416)
                    || text(&parts.headers, header::ACCEPT_RANGES) == Some("bytes"),
                content,
                validator: validator_of(&parts.headers),
                body: body.into_reader(),
            });
        }
        let url = url.to_owned();
        Err(Failure::Final(DataFileProblem::Redirects { url }))
    }
}

fn content(
    url: &str,
    from: u64,
    status: StatusCode,
    headers: &HeaderMap,
) -> Result<Content, Failure> {
    let refused = || {
        Failure::Final(DataFileProblem::Status {
            url: url.to_owned(),
            status: status.as_u16(),
        })
    };
    match status.as_u16() {
        200 => Ok(Content::Whole {
            length: text(headers, header::CONTENT_LENGTH).and_then(|length| length.parse().ok()),
        }),
        206 if from > 0 => match content_range(headers) {
            Some((Some(first), total)) if first == from => Ok(Content::Rest { total }),
            // Another range than requested, or several ranges: unusable, but the whole file may
            // work.
            _ => Ok(Content::NoSuchRange { total: None }),
        },
        416 if from > 0 => Ok(Content::NoSuchRange {
            total: content_range(headers).and_then(|(_, total)| total),
        }),
        408 | 425 | 429 | 500 | 502 | 503 | 504 => Err(Failure::Temporary {
            message: format!("the server answers {}", status.as_u16()),
            after: text(headers, header::RETRY_AFTER)
                .and_then(|seconds| seconds.parse().ok())
                .map(|seconds| Duration::from_secs(seconds).min(MAX_RETRY_AFTER)),
        }),
        _ => Err(refused()),
    }
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// First byte and total of `bytes 5-9/10`, `bytes 5-9/*` or `bytes */10`.
fn content_range(headers: &HeaderMap) -> Option<(Option<u64>, Option<u64>)> {
    let range = text(headers, header::CONTENT_RANGE)?;
    let (range, total) = range.strip_prefix("bytes ")?.split_once('/')?;
    let first = match range.trim() {
        "*" => None,
        range => Some(range.split_once('-')?.0.trim().parse().ok()?),
    };
    let total = match total.trim() {
        "*" => None,
        total => Some(total.parse().ok()?),
    };
    Some((first, total))
}

/// A strong entity tag, otherwise the date of the last change.
fn validator_of(headers: &HeaderMap) -> Option<String> {
    text(headers, header::ETAG)
        .filter(|tag| tag.starts_with('"'))
        .or_else(|| text(headers, header::LAST_MODIFIED))
        .map(str::to_owned)
}

fn sort_error(url: &str, error: &ureq::Error) -> Failure {
    let url = url.to_owned();
    let message = match error {
        ureq::Error::Io(inner) => one_line(inner),
        other => one_line(other),
    };
    match error {
        ureq::Error::TlsRequired => Failure::Final(DataFileProblem::NoEncryption { url }),
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => Failure::Final(
            DataFileProblem::BadAddress(format!("{url} is no HTTP address")),
        ),
        ureq::Error::HostNotFound | ureq::Error::Tls(_) | ureq::Error::Rustls(_) => {
            Failure::Final(DataFileProblem::NoConnection { url, message })
        }
        // An unknown name or a wrong certificate does not change within seconds. An unknown name
        // has no error kind, and a certificate is reported as an error of TLS.
        ureq::Error::Io(inner)
            if inner.kind() == ErrorKind::InvalidData
                || message.starts_with("failed to lookup address") =>
        {
            Failure::Final(DataFileProblem::NoConnection { url, message })
        }
        _ => Failure::Temporary {
            message,
            after: None,
        },
    }
}

/// The next bytes of a body, or the error. Interrupted reads are repeated.
pub(super) fn read_some(body: &mut impl Read, buffer: &mut [u8]) -> Result<usize, String> {
    loop {
        match body.read(buffer) {
            Ok(read) => return Ok(read),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(one_line(&error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ureq::http::HeaderValue;

    fn headers(pairs: &[(header::HeaderName, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn content_ranges_are_read_strictly() {
        for (value, expected) in [
            ("bytes 5-9/10", Some((Some(5), Some(10)))),
            ("bytes 5-9/*", Some((Some(5), None))),
            ("bytes */10", Some((None, Some(10)))),
            ("items 5-9/10", None),
            ("bytes 5/10", None),
            ("bytes 5-9", None),
            ("bytes x-9/10", None),
            ("bytes 5-9/99999999999999999999", None),
        ] {
            let headers = headers(&[(header::CONTENT_RANGE, value)]);
            assert_eq!(content_range(&headers), expected, "{value}");
        }
        assert_eq!(content_range(&HeaderMap::new()), None);
    }

    #[test]
    fn what_waiting_cannot_change_is_final() {
        let sort = |error: std::io::Error| sort_error("https://h/f", &ureq::Error::Io(error));
        let lookup = "failed to lookup address information: Name or service not known";
        for error in [
            std::io::Error::other(lookup),
            std::io::Error::new(
                ErrorKind::InvalidData,
                "invalid peer certificate: UnknownIssuer",
            ),
        ] {
            let message = error.to_string();
            match sort(error) {
                Failure::Final(problem) => {
                    assert_eq!(
                        problem.to_string(),
                        format!(
                            "https://h/f: {message}; check the address and the network, or try \
                             another address"
                        )
                    );
                }
                Failure::Temporary { message, .. } => panic!("{message}"),
            }
        }
        assert!(matches!(
            sort(ErrorKind::ConnectionRefused.into()),
            Failure::Temporary { .. }
        ));
    }

    #[test]
    fn only_strong_validators_are_kept() {
        let weak = headers(&[
            (header::ETAG, "W/\"1\""),
            (header::LAST_MODIFIED, "Mon, 01 Jan 2024 00:00:00 GMT"),
        ]);
        assert_eq!(
            validator_of(&weak).as_deref(),
            Some("Mon, 01 Jan 2024 00:00:00 GMT")
        );
        let strong = headers(&[(header::ETAG, "\"1\"")]);
        assert_eq!(validator_of(&strong).as_deref(), Some("\"1\""));
        assert_eq!(validator_of(&headers(&[(header::ETAG, "W/\"1\"")])), None);
    }
}
