//! The pure core against the simulated Route 53: whatever a zone holds and whatever is desired,
//! the batches are taken, lead to what is desired, leave alone what is none of ours, and can be
//! cut off after any of them.

mod bound;
mod bulk;
mod laws;
mod run;
mod world;

use proptest::prelude::*;

/// Failures aren't kept in a file: one that is found becomes a test of its own.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases: std::env::var("CASES").map_or(cases, |c| c.parse::<u32>().unwrap() * cases),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn a_few_names_with_all_that_can_be_wrong(world in world::small_worlds()) {
        laws::hold(&world.build());
    }
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn several_hundred_names(world in world::large_worlds()) {
        laws::hold(&world.build());
    }
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn as_few_batches_as_there_can_be(world in world::heavy_worlds()) {
        laws::hold_for_the_number(&world.build());
    }
}
