//! Which build of the program this is.

/// As in `Cargo.toml`.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The commit, in twelve digits; known to binaries that `.ci/build` has made.
pub fn commit() -> Option<&'static str> {
    option_env!("COMMIT")
        .filter(|commit| !commit.is_empty())
        .map(|commit| commit.get(..12).unwrap_or(commit))
}

/// `0.1.0 (3e4ffb7abcde)`, or without the commit if that isn't known.
pub fn version(commit: Option<&str>) -> String {
    match commit {
        None => VERSION.to_owned(),
        Some(commit) => format!("{VERSION} ({commit})"),
    }
}
