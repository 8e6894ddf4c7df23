//! Where a server sends a client on to.

use crate::published::file_error::DataFileProblem;

/// The address that `location` names, seen from `url` (RFC 3986, section 5.2). Only HTTP addresses are followed, and
/// none that is less protected than `url`.
pub(super) fn target(url: &str, location: &str) -> Result<String, DataFileProblem> {
    let refused = |reason| DataFileProblem::Redirect {
        url: url.to_owned(),
        target: location.to_owned(),
        reason,
    };
    let location = location.split('#').next().unwrap_or_default();
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let host_end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (host, path) = rest.split_at(host_end);
    if let Some(other) = scheme_of(location) {
        let other = other.to_ascii_lowercase();
        let address = location.get(other.len() + 3..).unwrap_or_default();
        let is_http = matches!(other.as_str(), "http" | "https");
        if !is_http || !location[other.len()..].starts_with("://") || address.is_empty() {
            return Err(refused("which is no HTTP address"));
        }
        if scheme.eq_ignore_ascii_case("https") && other == "http" {
            return Err(refused(
                "which is not encrypted, unlike the address before it",
            ));
        }
        return Ok(format!("{other}://{address}"));
    }
    if location.starts_with("//") {
        return Ok(format!("{scheme}:{location}"));
    }
    let path = path.split('?').next().unwrap_or_default();
    let whole = match location.chars().next() {
        None => return Err(refused("which is no address")),
        Some('/') => location.to_owned(),
        Some('?') => format!("{path}{location}"),
        Some(_) => {
            let folder = path.rfind('/').map_or("/", |end| &path[..=end]);
            format!("{folder}{location}")
        }
    };
    Ok(format!("{scheme}://{host}{}", without_dots(&whole)))
}

/// The scheme at the start of an address, such as `https`.
fn scheme_of(address: &str) -> Option<&str> {
    let (scheme, _) = address.split_once(':')?;
    let starts_well = scheme.starts_with(|c: char| c.is_ascii_alphabetic());
    let rest = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    (starts_well && scheme.chars().all(rest)).then_some(scheme)
}

/// A path without `.` and `..`; the query stays as it is.
fn without_dots(address: &str) -> String {
    let end = address.find('?').unwrap_or(address.len());
    let (path, query) = address.split_at(end);
    let mut parts: Vec<&str> = Vec::new();
    let last = path.split('/').count() - 1;
    for (place, part) in path.split('/').enumerate().skip(1) {
        match part {
            "." | ".." => {
                if part == ".." {
                    parts.pop();
                }
                if place == last {
                    parts.push("");
                }
            }
            part => parts.push(part),
        }
    }
    format!("/{}{query}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The relative ones are from RFC 3986, section 5.4, with another base.
    #[test]
    fn addresses_are_resolved() {
        const BASE: &str = "http://a/b/c/d?q";
        for (location, expected) in [
            ("g", "http://a/b/c/g"),
            ("./g", "http://a/b/c/g"),
            ("g/", "http://a/b/c/g/"),
            ("/g", "http://a/g"),
            ("//g", "http://g"),
            ("?y", "http://a/b/c/d?y"),
            ("g?y", "http://a/b/c/g?y"),
            ("g#s", "http://a/b/c/g"),
            (".", "http://a/b/c/"),
            ("..", "http://a/b/"),
            ("../g", "http://a/b/g"),
            ("../../../g", "http://a/g"),
            ("g?y/../x", "http://a/b/c/g?y/../x"),
            ("g/x:y", "http://a/b/c/g/x:y"),
            ("http://h/f", "http://h/f"),
            ("HTTPS://h/f?a=b", "https://h/f?a=b"),
        ] {
            assert_eq!(target(BASE, location).unwrap(), expected, "{location}");
        }
        assert_eq!(target("https://a", "g").unwrap(), "https://a/g");
        assert_eq!(target("https://a?q", "/g").unwrap(), "https://a/g");
        assert_eq!(target("https://a/f", "https://b/f").unwrap(), "https://b/f");
    }

    #[test]
    fn other_schemes_are_refused_by_name() {
        for (location, reason) in [
            ("http://h/f", "not encrypted"),
            ("HTTP://h/f", "not encrypted"),
            ("file:///etc/passwd", "no HTTP address"),
            ("ftp://h/f", "no HTTP address"),
            ("javascript:x", "no HTTP address"),
            ("https:", "no HTTP address"),
            ("https://", "no HTTP address"),
            ("", "no address"),
        ] {
            let message = target("https://a/f", location).unwrap_err().to_string();
            assert!(message.contains(reason), "{message}");
            assert!(message.contains(location), "{message}");
        }
    }
}
