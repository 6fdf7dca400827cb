//! The pure core against the simulated Route 53: whatever a zone holds and whatever is desired,
//! the batches are taken, lead to what is desired, leave alone what is none of ours, can be cut
//! off after any of them, and are few. And what is desired is what the settings say.

mod bulk;
mod fewest_batches;
mod generators;
mod invariants;
mod mixed;
mod order;
mod preview;
mod publishing;
mod run;
mod successive;
mod takeover;

use proptest::prelude::*;

/// Failures aren't kept in a file: one that is found becomes a test of its own.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(cases(160))]

    #[test]
    fn the_invariants_hold_for_a_few_names_with_all_that_can_be_wrong(world in generators::small_worlds()) {
        invariants::hold(&world.build());
    }
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn what_is_previewed_is_what_the_batches_hold(
        world in prop_oneof![
            6 => generators::small_worlds(),
            4 => generators::mixed_worlds(),
            1 => generators::large_worlds(),
        ],
        percent in prop_oneof![Just(0), Just(30), Just(100)],
        min in 0..20_usize,
    ) {
        preview::holds(&world.build(), percent, min);
    }
}

proptest! {
    #![proptest_config(cases(12))]

    #[test]
    fn the_invariants_hold_for_several_hundred_names(world in generators::large_worlds()) {
        invariants::hold(&world.build());
    }
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn the_invariants_hold_for_names_of_all_kinds(world in generators::mixed_worlds()) {
        invariants::hold(&world.build());
    }
}

proptest! {
    #![proptest_config(cases(8))]

    #[test]
    fn the_invariants_hold_for_many_names_of_all_kinds(world in generators::large_mixed_worlds()) {
        invariants::hold(&world.build());
    }
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn what_is_published_is_what_settings_and_labels_say(world in publishing::worlds()) {
        publishing::holds(&world);
    }
}

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn each_round_finds_what_the_one_before_has_written(worlds in successive::worlds()) {
        successive::hold(&worlds);
    }
}
