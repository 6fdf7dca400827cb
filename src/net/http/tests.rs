//! That no proxy but those of the settings is used, whatever the environment says to libraries.

use super::*;
use std::io::{Read, Write};
use std::net::TcpListener;

const VARIABLES: [&str; 3] = ["ALL_PROXY", "HTTP_PROXY", "http_proxy"];

/// The test starts itself as a second process, because the environment is that of a whole process.
#[test]
fn proxies_of_the_environment_are_not_used_unless_they_are_given() {
    const HAS_PROXIES: &str = "HAS_PROXIES";
    if std::env::var_os(HAS_PROXIES).is_none() {
        let (_, module) = module_path!().split_once("::").unwrap();
        let test =
            format!("{module}::proxies_of_the_environment_are_not_used_unless_they_are_given");
        let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
        let nobody = format!("http://{}", nobody.unwrap());
        let mut itself = std::process::Command::new(std::env::current_exe().unwrap());
        itself.args(["--exact", &test, "--nocapture"]);
        itself
            .env(HAS_PROXIES, "1")
            .env_remove("NO_PROXY")
            .env_remove("no_proxy");
        for variable in VARIABLES {
            itself.env(variable, &nobody);
        }
        let output = itself.output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{text}");
        let stdout = String::from_utf8(output.stdout).unwrap();
        assert!(stdout.contains("1 passed"), "{stdout}");
        return;
    }
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", server.local_addr().unwrap());
    let answering = std::thread::spawn(move || {
        let (mut client, _) = server.accept().unwrap();
        let mut request = [0; 1024];
        assert!(client.read(&mut request).unwrap() > 0);
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
        client.write_all(answer).unwrap();
    });
    let answer = Http::new(&Trust::default(), Proxies::default()).send(&Request {
        method: "GET",
        url: &url,
        headers: &[],
        body: &[],
        timeout: Duration::from_secs(30),
    });
    assert_eq!(answer.unwrap().status, 200);
    answering.join().unwrap();
}
