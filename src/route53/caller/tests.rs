use super::*;

#[test]
fn a_batch_is_sent_again_only_if_it_surely_was_not_applied() {
    let unsent = Error::Unsent("the name of route53.amazonaws.com wasn't resolved".to_owned());
    let lost = Error::NoAnswer("time is up (global)".to_owned());
    for (changes, error, expected) in [
        (0, &unsent, true),
        (0, &lost, true),
        (7, &unsent, true),
        (7, &lost, false),
    ] {
        let call = Call {
            operation: "ChangeResourceRecordSets",
            method: "POST",
            path: String::new(),
            query: String::new(),
            payload: b"",
            changes,
        };
        assert_eq!(may_be_repeated(&call, error), expected, "{changes} {error}");
    }
}
