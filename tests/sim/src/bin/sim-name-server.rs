//! A name server that answers as it is told to.
//!
//! `sim-name-server ADDRESS:PORT` reads its rules from stdin, one a line, as
//! [`sim::name_server::Rule`] has them, and says `ready`; each question is told on stderr. It goes
//! on until it is killed.

use std::io::read_to_string;
use std::process::ExitCode;
use std::{env, io, thread};

use sim::name_server::NameServer;

fn main() -> ExitCode {
    let address = env::args().nth(1).and_then(|text| text.parse().ok());
    let Some(address) = address else {
        eprintln!("usage: sim-name-server ADDRESS:PORT < RULES");
        return ExitCode::from(2);
    };
    let text = read_to_string(io::stdin()).expect("text");
    let rules: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let server = NameServer::start_at(address, &rules).expect("an address that is free");
    server.tell();
    println!("ready");
    loop {
        thread::park();
    }
}
