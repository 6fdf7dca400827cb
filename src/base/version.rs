//! The program's version and commit, for `--version`, the log, the status page and the metrics.

/// The version in `Cargo.toml`.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The first twelve digits of the commit's id. `None` unless the build sets `COMMIT`, as
/// `.ci/build` does.
pub fn commit() -> Option<&'static str> {
    option_env!("COMMIT")
        .filter(|commit| !commit.is_empty())
        .map(|commit| commit.get(..12).unwrap_or(commit))
}

/// Version and commit as one text: `0.1.0 (3e4ffb7abcde)`, or only `0.1.0` without a commit.
pub fn version(commit: Option<&str>) -> String {
    match commit {
        None => VERSION.to_owned(),
        Some(commit) => format!("{VERSION} ({commit})"),
    }
}
