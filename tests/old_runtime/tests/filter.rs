//! What system calls come back with under each profile, without being root.

use std::process::Command;

const CALLS: [&str; 8] = [
    "getpid",
    "keyctl",
    "setns",
    "getrandom",
    "membarrier",
    "statx",
    "clone3",
    "clone-with-namespace",
];

fn under(profile: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_old-runtime"))
        .args(["--no-new-privs", "--seccomp", profile])
        .arg(env!("CARGO_BIN_EXE_system-call"))
        .args(CALLS)
        .output()
        .expect("old-runtime can be started");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn docker_1_12_answers_eperm_to_what_it_does_not_list() {
    let expected = "getpid ok\nkeyctl EPERM\nsetns EPERM\ngetrandom other\nmembarrier EPERM\n\
                    statx EPERM\nclone3 EPERM\nclone-with-namespace EPERM\n";
    assert_eq!(under("docker-1.12"), expected);
}

#[test]
fn linux_3_10_answers_enosys_to_what_came_later() {
    let text = under("linux-3.10");
    let enosys: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_suffix(" ENOSYS"))
        .collect();
    assert_eq!(enosys, ["getrandom", "membarrier", "statx", "clone3"]);
    assert!(text.contains("getpid ok\n"), "{text}");
}
