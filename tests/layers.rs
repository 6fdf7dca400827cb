//! The rule of `src/lib.rs`: a file names only its own folder and folders further down.

use std::fs;
use std::path::{Path, PathBuf};

/// From the top down.
const LAYERS: [&str; 13] = [
    "cli",
    "daemon",
    "config",
    "reconcile",
    "observe",
    "plan",
    "desired",
    "rancher",
    "route53",
    "aws",
    "dns",
    "net",
    "base",
];

#[test]
fn a_file_names_only_its_own_folder_and_folders_further_down() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut faults = Vec::new();
    for layer in LAYERS {
        for file in files_below(&source.join(layer)) {
            let text = fs::read_to_string(&file).expect("a readable file");
            let file = file.strip_prefix(&source).expect("a file of the source");
            for (number, named) in named_folders(&text) {
                if !may_name(layer, &named) {
                    let place = format!("src/{}:{number}", file.display());
                    faults.push(format!("{place}: {layer} must not name crate::{named}"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{:#?}", faults);
}

/// Rancher's clients and Route 53's stand side by side.
fn may_name(layer: &str, named: &str) -> bool {
    let place = |folder| LAYERS.iter().position(|layer| *layer == folder);
    let are_neighbours = layer == "rancher" && named == "route53";
    place(named).is_some_and(|named| place(layer) <= Some(named)) && !are_neighbours
}

/// Line number and folder of each `crate::folder`, comments left out.
fn named_folders(text: &str) -> Vec<(usize, String)> {
    let code = text.lines().map(|line| line.split("//").next());
    let lines = (1..).zip(code.flatten());
    let named = lines.flat_map(|(number, line)| {
        let after = line.split("crate::").skip(1);
        after.map(move |rest| (number, rest))
    });
    let word = |rest: &str| {
        let is_end = |c: char| !(c.is_alphanumeric() || c == '_');
        rest.split(is_end).next().unwrap_or_default().to_owned()
    };
    named.map(|(number, rest)| (number, word(rest))).collect()
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a path").path()).collect();
    paths.sort();
    let files = paths.into_iter().flat_map(|path| match path.is_dir() {
        true => files_below(&path),
        false => vec![path],
    });
    files
        .filter(|path| path.extension().is_some_and(|kind| kind == "rs"))
        .collect()
}

#[test]
fn every_folder_has_its_layer() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for entry in fs::read_dir(source).expect("src") {
        let path = entry.expect("a path").path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .expect("a name");
        let is_known = LAYERS.contains(&name) || ["lib.rs", "main.rs"].contains(&name);
        assert!(is_known, "src/{name} has no place among the layers");
    }
}

/// What is compiled reads bytes from outside, or is unsafe code for some processors, or a crate more.
#[test]
fn dependencies_come_without_the_features_that_nobody_asked_for() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let manifest = fs::read_to_string(manifest).expect("the manifest");
    let section = manifest.split("\n[dependencies]\n").nth(1);
    let section = section.and_then(|rest| rest.split("\n[").next());
    let section = section.expect("the dependencies");
    let lines = section.lines().filter(|line| !line.starts_with('#'));
    let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    assert!(lines.len() > 10, "{lines:#?}");
    for line in lines {
        assert!(line.contains("default-features = false"), "{line}");
    }
}

/// Settings are read by `config` alone. What else the process may know of its surroundings says
/// nothing of where requests go. No crate is asked to read the environment for us either.
#[test]
fn the_environment_is_read_in_one_place() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut readers = Vec::new();
    for file in files_below(&source) {
        let text = fs::read_to_string(&file).expect("a readable file");
        let text = text
            .split("\n#[cfg(test)]\nmod tests")
            .next()
            .unwrap_or_default();
        let file = file.strip_prefix(&source).expect("a file of the source");
        let ways = ["env::var", "env::{", "env::*", "std::env as", "from_env"];
        let calls: usize = ways.iter().map(|way| text.matches(way).count()).sum();
        if calls > 0 && !file.ends_with("tests.rs") {
            readers.push(format!("{}: {calls}", file.display()));
        }
    }
    // Whether the terminal has colours; each setting.
    assert_eq!(readers, ["cli/terminal.rs: 2", "config/mod.rs: 1"]);
}
