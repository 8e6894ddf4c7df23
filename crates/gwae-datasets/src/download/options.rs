//! The options of a download.

use std::time::Duration;

/// Environment variable with the base address of a mirror; see [`GetOptions::mirror`].
pub const MIRROR_VARIABLE: &str = "GWAE_MIRROR";

/// The options of a download.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetOptions {
    /// Replaces all other addresses. If it ends with `/`, every file of the dataset is fetched from
    /// below it. Otherwise, only the file whose name it ends with, or the dataset's only file, is
    /// fetched.
    pub url: Option<String>,
    /// Base address of a mirror: files are fetched from `MIRROR/DATASET/FILE` instead of the
    /// published addresses.
    pub mirror: Option<String>,
    /// Downloads existing but wrong files again; the old file is kept as `NAME.wrong`.
    pub replace: bool,
    /// Number of failures in a row, each with less than a MiB of progress, after which an address
    /// is no longer tried. At least 1.
    pub attempts: u32,
    /// Pause after the first failure. It doubles with each further failure, up to 30 s.
    pub backoff: Duration,
    /// Maximum time for name lookup and connecting.
    pub connect_timeout: Duration,
    /// Maximum time without data from a connected server.
    pub stall_timeout: Duration,
    /// Minimum number of bytes per second, on average over [`GetOptions::rate_window`]. A slower answer counts as a
    /// failure. 0 sets no minimum.
    pub least_rate: u64,
    /// The time over which the rate is measured.
    pub rate_window: Duration,
    /// Uses the proxy in `HTTPS_PROXY`, `HTTP_PROXY` or `ALL_PROXY`, except for the hosts in
    /// `NO_PROXY`.
    pub environment_proxy: bool,
}

impl Default for GetOptions {
    /// The published addresses, five attempts with pauses of 1 to 8 s, 20 s to connect, 30 s
    /// without data, 1 kB per second over a minute.
    fn default() -> Self {
        Self {
            url: None,
            mirror: None,
            replace: false,
            attempts: 5,
            backoff: Duration::from_secs(1),
            connect_timeout: Duration::from_secs(20),
            stall_timeout: Duration::from_secs(30),
            least_rate: 1_000,
            rate_window: Duration::from_secs(60),
            environment_proxy: true,
        }
    }
}

impl GetOptions {
    /// The defaults, with the mirror in [`MIRROR_VARIABLE`] if it is set and not empty.
    pub fn from_environment() -> Self {
        Self {
            mirror: std::env::var_os(MIRROR_VARIABLE)
                .map(|base| base.to_string_lossy().into_owned())
                .filter(|base| !base.trim().is_empty()),
            ..Self::default()
        }
    }
}
