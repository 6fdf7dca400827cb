//! What a claim says is meant for Rancher servers, not for URLs or stacks: both may change.

use super::*;

/// A server moves to another URL, then its stack is made anew, then it moves again: the claim follows,
/// with what is written anyway.
#[test]
fn a_server_with_another_url_or_another_stack_is_the_same() {
    let (route53, [mut server, other]) = two();
    let mut known = String::new();
    let changes = [
        "nothing", "url", "stack", "url", "stack", "stack", "nothing",
    ];
    for (step, change) in changes.into_iter().enumerate() {
        let mut world = server.rancher.world();
        world
            .add_service("shop", &format!("step{step}"))
            .run_on("h1", 90);
        match change {
            "url" => server = Server::new("munich", &route53, world),
            "stack" => {
                world.server += " anew";
                server.rancher.change(|old| *old = world);
            }
            _ => server.rancher.change(|old| *old = world),
        }
        let Ran { code, stderr, .. } = server.command(&["once"], &[]);
        assert_eq!(code, 0, "{change}: {stderr}");
        let claim = claims(&route53);
        assert_eq!(claim.len(), 1, "{claim:?}");
        assert_eq!(
            claim[0] != known,
            change != "nothing" || known.is_empty(),
            "{change}"
        );
        known.clone_from(&claim[0]);
        let before = route53.record_sets(ZONE);
        assert_eq!(other.command(&["once"], &[]).code, 1);
        assert_eq!(route53.record_sets(ZONE), before, "{change}");
    }
}

/// All claims in the zone.
fn claims(route53: &Route53) -> Vec<String> {
    let sets = route53.record_sets(ZONE);
    let records = sets.iter().filter(|set| set.rtype == "TXT");
    let values = records.flat_map(|set| &set.values);
    let claims = values.filter_map(|value| value.split_once("\"claim "));
    claims.map(|(_, claim)| claim.to_owned()).collect()
}
