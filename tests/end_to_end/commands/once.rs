use crate::stage::{PATIENCE, Stage, prompt, web};
use sim::route53::{self, Operation};
use std::time::Duration;

#[test]
fn with_wait_it_ends_when_all_name_servers_know() {
    let options = route53::Options {
        insync_after: Duration::from_millis(1_500),
        ..route53::Options::default()
    };
    let stage = Stage::with(web(), prompt(), options);
    let service = stage.run_with(&["once", "--wait"], &[]);
    let known = service.wait_for_log(PATIENCE, |line| line.contains("all name servers"));
    assert!(known.is_some());
    assert_eq!(service.wait(PATIENCE).expect("an end").code(), Some(0));
    assert!(stage.calls(Operation::GetChange) >= 2);
    stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");

    let again = super::run(&stage, &["once", "--wait"]);
    assert_eq!(again.code, 0, "nothing to wait for");
}
