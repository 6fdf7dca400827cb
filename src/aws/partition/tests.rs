use super::*;

/// Names, Route 53's host, the region that signs for it, STS's host, and the region that signs there.
const FOUND: [(&str, &str, &str, &str, &str); 27] = [
    (
        "us-east-1",
        "route53.amazonaws.com",
        "us-east-1",
        "sts.us-east-1.amazonaws.com",
        "us-east-1",
    ),
    (
        "eu-central-1",
        "route53.amazonaws.com",
        "us-east-1",
        "sts.eu-central-1.amazonaws.com",
        "eu-central-1",
    ),
    // A region of the future.
    (
        "xx-northwest-12",
        "route53.amazonaws.com",
        "us-east-1",
        "sts.xx-northwest-12.amazonaws.com",
        "xx-northwest-12",
    ),
    (
        "cn-north-1",
        "route53.amazonaws.com.cn",
        "cn-northwest-1",
        "sts.cn-north-1.amazonaws.com.cn",
        "cn-north-1",
    ),
    (
        "us-gov-east-1",
        "route53.us-gov.amazonaws.com",
        "us-gov-west-1",
        "sts.us-gov-east-1.amazonaws.com",
        "us-gov-east-1",
    ),
    (
        "us-iso-west-1",
        "route53.c2s.ic.gov",
        "us-iso-east-1",
        "sts.us-iso-west-1.c2s.ic.gov",
        "us-iso-west-1",
    ),
    (
        "us-isob-west-1",
        "route53.sc2s.sgov.gov",
        "us-isob-east-1",
        "sts.us-isob-west-1.sc2s.sgov.gov",
        "us-isob-west-1",
    ),
    (
        "eu-isoe-west-1",
        "route53.cloud.adc-e.uk",
        "eu-isoe-west-1",
        "sts.eu-isoe-west-1.cloud.adc-e.uk",
        "eu-isoe-west-1",
    ),
    (
        "us-isof-east-1",
        "route53.csp.hci.ic.gov",
        "us-isof-south-1",
        "sts.us-isof-east-1.csp.hci.ic.gov",
        "us-isof-east-1",
    ),
    (
        "eusc-de-east-1",
        "route53.amazonaws.eu",
        "eusc-de-east-1",
        "sts.eusc-de-east-1.amazonaws.eu",
        "eusc-de-east-1",
    ),
    (
        "aws-global",
        "route53.amazonaws.com",
        "us-east-1",
        "sts.amazonaws.com",
        "us-east-1",
    ),
    (
        "aws-cn-global",
        "route53.amazonaws.com.cn",
        "cn-northwest-1",
        "sts.cn-northwest-1.amazonaws.com.cn",
        "cn-northwest-1",
    ),
    (
        "aws-us-gov-global",
        "route53.us-gov.amazonaws.com",
        "us-gov-west-1",
        "sts.us-gov-west-1.amazonaws.com",
        "us-gov-west-1",
    ),
    (
        "aws-iso-global",
        "route53.c2s.ic.gov",
        "us-iso-east-1",
        "sts.us-iso-east-1.c2s.ic.gov",
        "us-iso-east-1",
    ),
    (
        "aws-iso-b-global",
        "route53.sc2s.sgov.gov",
        "us-isob-east-1",
        "sts.us-isob-east-1.sc2s.sgov.gov",
        "us-isob-east-1",
    ),
    (
        "aws-iso-e-global",
        "route53.cloud.adc-e.uk",
        "eu-isoe-west-1",
        "sts.eu-isoe-west-1.cloud.adc-e.uk",
        "eu-isoe-west-1",
    ),
    (
        "aws-iso-f-global",
        "route53.csp.hci.ic.gov",
        "us-isof-south-1",
        "sts.us-isof-south-1.csp.hci.ic.gov",
        "us-isof-south-1",
    ),
    (
        "aws-eusc-global",
        "route53.amazonaws.eu",
        "eusc-de-east-1",
        "sts.eusc-de-east-1.amazonaws.eu",
        "eusc-de-east-1",
    ),
    (
        "fips-us-east-1",
        "route53-fips.amazonaws.com",
        "us-east-1",
        "sts-fips.us-east-1.amazonaws.com",
        "us-east-1",
    ),
    (
        "us-east-2-fips",
        "route53-fips.amazonaws.com",
        "us-east-1",
        "sts-fips.us-east-2.amazonaws.com",
        "us-east-2",
    ),
    (
        "fips-us-west-1",
        "route53-fips.amazonaws.com",
        "us-east-1",
        "sts-fips.us-west-1.amazonaws.com",
        "us-west-1",
    ),
    (
        "us-west-2-fips",
        "route53-fips.amazonaws.com",
        "us-east-1",
        "sts-fips.us-west-2.amazonaws.com",
        "us-west-2",
    ),
    (
        "fips-aws-global",
        "route53-fips.amazonaws.com",
        "us-east-1",
        "sts-fips.us-east-1.amazonaws.com",
        "us-east-1",
    ),
    (
        "fips-us-gov-west-1",
        "route53.us-gov.amazonaws.com",
        "us-gov-west-1",
        "sts.us-gov-west-1.amazonaws.com",
        "us-gov-west-1",
    ),
    (
        "us-gov-east-1-fips",
        "route53.us-gov.amazonaws.com",
        "us-gov-west-1",
        "sts.us-gov-east-1.amazonaws.com",
        "us-gov-east-1",
    ),
    (
        "fips-aws-us-gov-global",
        "route53.us-gov.amazonaws.com",
        "us-gov-west-1",
        "sts.us-gov-west-1.amazonaws.com",
        "us-gov-west-1",
    ),
    (
        "aws-us-gov-global-fips",
        "route53.us-gov.amazonaws.com",
        "us-gov-west-1",
        "sts.us-gov-west-1.amazonaws.com",
        "us-gov-west-1",
    ),
];

#[test]
fn each_region_and_each_name_of_a_partition_has_its_endpoints() {
    for (name, route53, route53_region, sts, sts_region) in FOUND {
        let expected = Endpoints {
            route53,
            route53_region,
            sts: sts.to_owned(),
            sts_region: sts_region.to_owned(),
        };
        assert_eq!(endpoints(name), Ok(expected), "{name}");
        assert_eq!(signing_region(name), sts_region, "{name}");
    }
}

#[test]
fn a_name_that_no_region_can_have_is_refused() {
    for name in [
        "",
        "-",
        "1",
        "aws",
        "global",
        "-global",
        "eu-global",
        "aws-xx-global",
        "aws-global-global",
        "us-gov",
        "us-gov-1",
        "us-gov-west-1-secondary",
        "us-isox-east-1",
        "eusc-east-1",
        "eusc-fr-east-1",
        "cn-",
        "cn-hangzhou",
        "us-east",
        "us-east-",
        "us-east-1a",
        "us-east-1-",
        "us--1",
        "-us-east-1",
        "us-west-2-lax-1",
        "usa-east-1",
        "u-east-1",
        "u1-east-1",
        "us-e2st-1",
        "US-EAST-1",
        "api-us-east-1",
        "s3-external-1",
        "fips",
        "fips-",
        "-fips",
        "fips-fips-us-east-1",
        "fips-us-east-1-fips",
    ] {
        assert_eq!(endpoints(name), Err("no region has such a name"), "{name}");
    }
    for name in ["sandbox", "eu-global", "-fips", "fips-"] {
        assert_eq!(signing_region(name), name);
    }
}

#[test]
fn fips_endpoints_that_aws_does_not_have_are_refused() {
    for name in [
        "fips-eu-west-1",
        "ca-central-1-fips",
        "fips-aws-cn-global",
        "cn-north-1-fips",
        "us-iso-east-1-fips",
        "fips-eusc-de-east-1",
    ] {
        let error = endpoints(name).unwrap_err();
        assert!(error.contains("no FIPS endpoints"), "{name}: {error}");
    }
    assert_eq!(signing_region("fips-eu-west-1"), "eu-west-1");
}

#[test]
fn each_region_and_each_signing_region_has_the_name_of_its_partition() {
    for (region, expected) in [
        ("us-east-1", "aws"),
        ("eu-central-1", "aws"),
        ("cn-north-1", "aws-cn"),
        ("us-gov-east-1", "aws-us-gov"),
        ("fips-us-gov-west-1", "aws-us-gov"),
        ("us-iso-east-1", "aws-iso"),
        ("us-isob-east-1", "aws-iso-b"),
        ("eu-isoe-west-1", "aws-iso-e"),
        ("us-isof-south-1", "aws-iso-f"),
        ("eusc-de-east-1", "aws-eusc"),
        ("aws-cn-global", "aws-cn"),
        ("garage", "aws"),
    ] {
        assert_eq!(name(region), expected, "{region}");
        // What is left of the setting AWS_REGION once it is read.
        let signing = match endpoints(region) {
            Ok(endpoints) => endpoints.route53_region,
            Err(_) => signing_region(region),
        };
        assert_eq!(name(signing), expected, "{region}");
    }
}

#[test]
fn a_region_is_known_by_its_form() {
    for (name, expected) in [
        ("eu-central-1", true),
        ("xx-northwest-12", true),
        ("us-gov-west-1", true),
        ("aws-global", false),
        ("us-east-1a", false),
        ("EU-central-1", false),
        ("fips-us-east-1", false),
        ("here", false),
        ("", false),
    ] {
        assert_eq!(is_region(name), expected, "{name}");
    }
}
