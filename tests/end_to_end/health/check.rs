//! What the command `check` says of the addresses for health checks.

use super::address;
use crate::commands::{Ran, ran, without_ports};
use crate::stage::{Stage, web};
use sim::free_port;
use std::io::Write;
use std::thread;

/// Where the service runs already, beside it: nothing can be bound there any more.
#[test]
fn an_address_for_health_checks_is_right_if_the_service_answers_there_and_nobody_else() {
    let stage = Stage::new(web());
    let service = stage.run();
    let answered = address(&service).to_string();
    let other = free_port::listen();
    let other = other.local_addr().map(|at| (other, at)).unwrap();
    let taken = other.1.to_string();
    thread::spawn(move || {
        for mut client in other.0.incoming().flatten() {
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
            let _ = client.write_all(answer);
        }
    });
    let health = |addresses: &str| {
        // Nobody is asked whose the credentials are.
        let nobody = ("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1");
        let settings = [nobody, ("HEALTH_ADDRESS", addresses)];
        let Ran { code, stdout, .. } = ran(&stage.run_with(&["check"], &settings));
        let stdout = without_ports(&stdout);
        let line = stdout.lines().find(|line| line.contains(" health "));
        (code, line.unwrap_or_default().to_owned())
    };
    let fine = "✓ health      127.0.0.1 answered by the running service".to_owned();
    assert_eq!(health(&answered), (0, fine));
    let both =
        "✓ health      127.0.0.1 can be listened on; 127.0.0.1 answered by the running service";
    assert_eq!(
        health(&format!("127.0.0.1:0,{answered}")),
        (0, both.to_owned())
    );
    let wrong = "✗ health      127.0.0.1: another process listens there: stop it, or set another \
                 HEALTH_ADDRESS";
    assert_eq!(
        health(&format!("{taken},127.0.0.1:0")),
        (1, wrong.to_owned())
    );
    let nowhere = "✗ health      192.0.2.1:9: no network interface here has this address: correct \
                   HEALTH_ADDRESS";
    assert_eq!(health("192.0.2.1:9"), (1, nowhere.to_owned()));
}
