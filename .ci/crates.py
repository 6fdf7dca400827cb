"""What the binary is made of, as Cargo says it: for .ci/notices, .ci/sbom and .ci/dependency-list."""

import json
import pathlib
import re
import subprocess

TARGETS = {"amd64": "x86_64-unknown-linux-musl", "arm64": "aarch64-unknown-linux-musl"}
ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = "rancher-route53"


def cargo(*arguments):
    return subprocess.run(
        ["cargo", *arguments], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    ).stdout


def tree(target, edges="normal"):
    """Name and version of each crate that Cargo compiles for the program, itself included."""
    lines = cargo(
        "tree", "--locked", "-p", PROGRAM, "-e", edges, "--target", target,
        "--prefix", "none", "-f", "{p}",
    ).splitlines()
    return {(name, version[1:]) for name, version in (line.split(" ")[:2] for line in lines if line)}


class Crates:
    """The crates for one target: `packages` by name and version, as `cargo metadata` has them."""

    def __init__(self, target):
        metadata = json.loads(
            cargo("metadata", "--locked", "--format-version", "1", "--filter-platform", target)
        )
        members = tree(target)
        by_id = {p["id"]: (p["name"], p["version"]) for p in metadata["packages"]}
        self.packages = {
            by_id[p["id"]]: p for p in metadata["packages"] if by_id[p["id"]] in members
        }
        self.program = next(crate for crate in self.packages if crate[0] == PROGRAM)
        # In the binary itself. The others only run while it is compiled: procedural macros, and what
        # those need.
        self.linked = tree(target, "normal,no-proc-macro")
        self.dependencies = {
            by_id[node["id"]]: sorted(
                by_id[dependency["pkg"]]
                for dependency in node["deps"]
                if by_id[dependency["pkg"]] in members
                and any(kind["kind"] is None for kind in dependency["dep_kinds"])
            )
            for node in metadata["resolve"]["nodes"]
            if by_id[node["id"]] in members
        }


def checksums():
    """The SHA-256 of each crate's archive, from Cargo.lock."""
    return {
        (name, version): checksum
        for name, version, checksum in re.findall(
            r'^name = "(.+)"\nversion = "(.+)"\nsource = .*\nchecksum = "(.+)"$',
            (ROOT / "Cargo.lock").read_text(),
            re.MULTILINE,
        )
    }
