//! The program: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    rancher_route53::cli::main(std::env::args_os().skip(1))
}
