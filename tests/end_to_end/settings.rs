//! Settings and arguments, as an operator meets them: on stderr, with an exit code.

use crate::stage::{PATIENCE, Stage, program, web};
use sim::service::Service;
use std::process::Command;

#[test]
fn everything_wrong_is_reported_at_once_without_a_secret() {
    let stage = Stage::new(web());
    let service = stage.run_with(
        &[],
        &[
            ("ROOT_DOMAIN", "not a domain"),
            ("TTL", "-5"),
            ("POLICY", "anything"),
            ("AWS_REGION", "us-east-1a"),
            ("CATTLE_URL", "rancher"),
            ("AWS_SECRET_ACCESS_KEY", "do-not-show-this"),
            ("AWS_SECRET_ACCESS_KEY_FILE", "/does/not/exist"),
        ],
    );
    assert_eq!(
        service.wait(PATIENCE).and_then(|status| status.code()),
        Some(2)
    );
    let log = service.log();
    for start in [
        "ROOT_DOMAIN=\"not a domain\": ",
        "TTL=\"-5\": ",
        "POLICY=\"anything\": ",
        "AWS_REGION=\"us-east-1a\": ",
        "CATTLE_URL=\"rancher\": ",
        "AWS_SECRET_ACCESS_KEY and AWS_SECRET_ACCESS_KEY_FILE are both set",
    ] {
        assert_eq!(
            log.iter().filter(|line| line.starts_with(start)).count(),
            1,
            "{start}: {log:?}"
        );
    }
    assert_eq!(log.len(), 6, "{log:?}");
    assert!(!log.join("\n").contains("do-not-show-this"));
    assert_eq!(stage.route53.requests().len(), 0);
}

#[test]
fn arguments_that_are_none_end_with_exit_2() {
    let stage = Stage::new(web());
    for arguments in [&["-provider=cloudflare"][..], &["dance"], &["--fast"]] {
        let service = stage.run_with(arguments, &[]);
        assert_eq!(
            service.wait(PATIENCE).and_then(|s| s.code()),
            Some(2),
            "{arguments:?}"
        );
        assert_eq!(service.log().len(), 1, "{:?}", service.log());
    }
}

/// What goes into a header must not end it; and what it is stays unsaid.
#[test]
fn keys_with_a_line_break_inside_are_an_error_that_does_not_show_them() {
    let stage = Stage::new(web());
    for name in [
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
    ] {
        let service = stage.run_with(&[], &[(name, "NOBODYS\nBUSINESS")]);
        let status = service.wait(PATIENCE).and_then(|status| status.code());
        assert_eq!(status, Some(2), "{name}");
        let log = service.log();
        assert_eq!(log.len(), 1, "{log:?}");
        assert!(log[0].starts_with(&format!("{name}: ")), "{log:?}");
        assert!(log[0].contains("it takes visible ASCII characters"));
        for part in ["NOBODYS", "BUSINESS"] {
            assert!(!log[0].contains(part), "{log:?}");
        }
    }
    assert_eq!(stage.route53.requests().len(), 0);
}

#[test]
fn a_log_file_that_cannot_be_written_is_an_error() {
    let stage = Stage::new(web());
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing/service.log");
    for path in [missing.as_path(), folder.path()] {
        let argument = format!("-log={}", path.display());
        let service = stage.run_with(&[&argument], &[("TTL", "x")]);
        let status = service.wait(PATIENCE).and_then(|status| status.code());
        assert_eq!(status, Some(2), "{argument}");
        let log = service.log();
        let start = format!("-log={:?}: can't be written: ", path.display().to_string());
        assert_eq!(log.len(), 2, "with the other wrong setting: {log:?}");
        assert!(log.iter().any(|line| line.starts_with(&start)), "{log:?}");
    }
}

#[test]
fn help_and_version_need_no_settings() {
    for (argument, words) in [
        ("--help", "ROOT_DOMAIN"),
        ("-help", "AWS_SECRET_ACCESS_KEY*"),
        (
            "--version",
            concat!("rancher-route53 ", env!("CARGO_PKG_VERSION")),
        ),
    ] {
        let output = Command::new(program())
            .arg(argument)
            .env_clear()
            .output()
            .unwrap();
        assert!(output.status.success());
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains(words), "{argument}: {text}");
    }
}

#[test]
fn the_flags_and_variables_of_existing_catalog_entries_do() {
    let stage = Stage::new(web());
    let log = tempfile::NamedTempFile::new().unwrap();
    let path = format!("-log={}", log.path().display());
    let mut environment = stage.environment();
    let rename = |name: &'static str| match name {
        "AWS_ACCESS_KEY_ID" => "AWS_ACCESS_KEY",
        "AWS_SECRET_ACCESS_KEY" => "AWS_SECRET_KEY",
        "AWS_ENDPOINT_URL_ROUTE_53" => "ROUTE53_ENDPOINT_URL",
        "CATTLE_URL" => "PLATFORM_URL",
        "CATTLE_ACCESS_KEY" => "PLATFORM_ACCESS_KEY",
        "CATTLE_SECRET_KEY" => "PLATFORM_SECRET_KEY",
        other => other,
    };
    environment
        .iter_mut()
        .for_each(|(name, _)| *name = rename(name));
    environment.retain(|(name, _)| *name != "LOG_LEVEL");
    environment.push(("LOG_FORMAT", "json".to_owned()));
    let arguments = ["-provider=route53", "--debug", &path];
    let service = Service::spawn(program(), &arguments, &environment);
    stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
    stage.settle();
    service.terminate();
    assert!(service.wait(PATIENCE).is_some());
    assert_eq!(
        service.log(),
        [] as [String; 0],
        "everything goes to the file"
    );
    let text = std::fs::read_to_string(log.path()).unwrap();
    let levels: Vec<String> = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["level"].to_string())
        .collect();
    assert!(levels.contains(&"\"debug\"".to_owned()) && levels.contains(&"\"info\"".to_owned()));
}

#[test]
fn no_secret_is_logged_at_any_level_whatever_happens() {
    let stage = Stage::new(web());
    let settings = [
        ("AWS_SECRET_ACCESS_KEY", "very-secret-aws"),
        ("AWS_SESSION_TOKEN", "very-secret-token"),
        ("CATTLE_SECRET_KEY", "very-secret-cattle"),
    ];
    let service = stage.run_with(&["once"], &settings);
    assert_eq!(
        service.wait(PATIENCE).and_then(|status| status.code()),
        Some(1)
    );
    let service_2 = stage.run_with(&["once"], &settings[2..]);
    assert_eq!(
        service_2.wait(PATIENCE).and_then(|status| status.code()),
        Some(1)
    );
    let log = [service.log(), service_2.log()].concat().join("\n");
    assert!(log.len() > 500 && !log.contains("very-secret"), "{log}");
}
