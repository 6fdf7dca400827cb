use super::*;

fn refused(status: u16, code: &str, messages: &[&str]) -> Refusal {
    Refusal {
        status,
        code: code.to_owned(),
        messages: messages.iter().map(|&message| message.to_owned()).collect(),
        request_id: String::new(),
        renewed_by: None,
    }
}

const EXISTS: &str =
    "Tried to create resource record set [name='x.', type='A'] but it already exists";
const CNAME: &str = "RRSet of type A with DNS name x. is not permitted because a conflicting RRSet \
                     of type  CNAME with the same DNS name already exists in zone z.";
const WEIGHTED: &str = "RRSet with DNS name x., type A cannot be created as other RRSets exist with \
                        the same name and type.";
const NOT_WEIGHTED: &str = "RRSet with DNS name x., type A, SetIdentifier b cannot be created as a \
                            non-weighted set exists with the same name and type.";
const OTHER_TTL: &str = "RRSet with DNS name x., type A, SetIdentifier b cannot be created as weighted \
                         sets must contain the same TTL.";
const SAME_REGION: &str = "RRSet with DNS name x., type A, SetIdentifier b, and Region Name=us-east-1 \
                           cannot be created because a latency RRSet with the same name, type and \
                           region already exists.";
const NOT_MULTIVALUE: &str = "RRSet with DNS name x., type A, SetIdentifier b cannot be created because \
                              a non multivalue answer rrset exists with the same name and type.";
const NO_CHECK: &str = "RRSet with DNS name x., type A, SetIdentifier b cannot be created as the health \
                        check does not exist.";
const BESIDE: &str = "RRSet of type CNAME with DNS name x. is not permitted as it conflicts with \
                      other records with the same DNS name in zone z.";
const OUTSIDE: &str = "RRSet with DNS name x. is not permitted in zone z.";
const APEX: &str = "RRSet of type CNAME with DNS name z. is not permitted at apex in zone z.";

#[test]
fn what_is_in_the_way_since_the_listing_is_a_lost_race() {
    for (messages, expected) in [
        (&[EXISTS][..], true),
        (&[CNAME], true),
        (&[WEIGHTED], true),
        (&[NOT_WEIGHTED], true),
        (&[OTHER_TTL], true),
        (&[SAME_REGION], true),
        (&[NOT_MULTIVALUE], true),
        (&[NO_CHECK], false),
        (&[BESIDE], true),
        (&[EXISTS, CNAME], true),
        (&[OUTSIDE], false),
        (&[APEX], false),
        (&[CNAME, OUTSIDE], false),
    ] {
        let refusal = refused(400, "InvalidChangeBatch", messages);
        assert_eq!(refusal.is_lost_race(), expected, "{messages:?}");
        assert!(!refused(400, "InvalidInput", messages).is_lost_race());
    }
}

#[test]
fn of_several_messages_only_the_bad_record_sets_are_set_aside() {
    let refusal = refused(400, "InvalidChangeBatch", &[CNAME, OUTSIDE]);
    assert_eq!(refusal.batch_messages(false), [OUTSIDE]);
    assert_eq!(refusal.batch_messages(true), [CNAME, OUTSIDE]);
}

#[test]
fn a_health_check_that_is_gone_is_about_the_record_sets_that_have_it() {
    for (code, expected) in [
        ("InvalidChangeBatch", true),
        ("InvalidInput", true),
        ("NoSuchHealthCheck", true),
        ("NoSuchHostedZone", false),
        ("AccessDenied", false),
    ] {
        assert_eq!(
            refused(404, code, &[]).is_about_content(),
            expected,
            "{code}"
        );
    }
}

#[test]
fn only_aws_can_say_that_it_takes_an_operator() {
    for (status, code, expected) in [
        (403, "AccessDenied", true),
        (403, "InvalidClientTokenId", true),
        (403, "SignatureDoesNotMatch", true),
        (403, "ExpiredToken", true),
        (403, "RequestExpired", false),
        (400, "IncompleteSignature", true),
        (404, "NoSuchHostedZone", true),
        (400, "Throttling", false),
        (403, "Throttling", false),
        (400, "PriorRequestNotComplete", false),
        (500, "InternalFailure", false),
        (503, "ServiceUnavailable", false),
        // Pages of somebody in between.
        (401, "HTTP 401", false),
        (403, "HTTP 403", false),
        (404, "HTTP 404", false),
        (502, "HTTP 502", false),
    ] {
        let refusal = refused(status, code, &[]);
        assert_eq!(refusal.needs_operator(), expected, "{refusal}");
    }
}

#[test]
fn what_has_expired_is_waited_for_if_newer_ones_come_by_themselves() {
    for (code, renewed_by, needs_operator, hint) in [
        (
            "ExpiredToken",
            None,
            true,
            " – the session token has expired: new keys are needed, with their AWS_SESSION_TOKEN, or \
             others from where the credentials come from",
        ),
        (
            "ExpiredToken",
            Some("instance metadata"),
            false,
            " – the credentials have expired, and their source (instance metadata) has no newer ones \
             yet: it is asked again at each try",
        ),
        (
            "RequestExpired",
            Some("container"),
            false,
            " – the credentials have expired, and their source (container) has no newer ones yet: it is \
             asked again at each try",
        ),
        (
            "RequestExpired",
            None,
            false,
            " – it took too long to reach AWS, or this system's clock is wrong",
        ),
        (
            "InvalidClientTokenId",
            Some("instance metadata"),
            true,
            " – check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN, if they are \
             temporary), or where the credentials come from",
        ),
    ] {
        let refusal = Refusal {
            renewed_by,
            ..refused(403, code, &[])
        };
        assert!(refusal.is_about_credentials(), "{code}");
        assert_eq!(refusal.needs_operator(), needs_operator, "{refusal}");
        assert_eq!(refusal.to_string(), format!("{code} (403){hint}"));
    }
}

#[test]
fn pages_have_the_code_and_what_to_do_and_no_words_about_the_account() {
    let words = "User: arn:aws:iam::123456789012:user/dns is not authorized to perform: \
                 route53:ChangeResourceRecordSets on resource: arn:aws:route53:::hostedzone/Z2FDTNDATAQYW2";
    for (error, on_page) in [
        (
            Error::Refused(refused(403, "AccessDenied", &[words])),
            "Route 53 answered AccessDenied (403) – the IAM policy has to allow it: the command policy \
             prints one that does; the log has AWS's own words",
        ),
        (
            Error::Refused(refused(404, "NoSuchHostedZone", &[])),
            "Route 53 answered NoSuchHostedZone (404) – check ROUTE53_ZONE_ID",
        ),
        (
            Error::Refused(refused(400, "OF123456789012", &[])),
            "Route 53 answered … (400)",
        ),
        (
            Error::NoAnswer("Z2FDTNDATAQYW2 is cut".to_owned()),
            "no valid answer from Route 53: … is cut",
        ),
    ] {
        assert_eq!(error.for_page(), on_page);
    }
}

#[test]
fn an_unknown_health_check_is_the_batch_s_fault_and_not_the_operator_s() {
    let message = "The specified health check does not exist: c1.";
    let refusal = refused(404, "NoSuchHealthCheck", &[message]);
    assert!(refusal.is_about_content() && !refusal.is_lost_race() && !refusal.needs_operator());
}
