//! Lists from AWS's own model of the API, as botocore 1.43.11 has it in
//! `data/route53/2013-04-01/service-2.json.gz`: its enums, and what its documentation of
//! `ResourceRecordSet` says of types.

/// `RRType`.
pub const TYPES: [&str; 17] = [
    "SOA", "A", "TXT", "NS", "CNAME", "MX", "NAPTR", "PTR", "SRV", "SPF", "AAAA", "CAA", "DS",
    "TLSA", "SSHFP", "SVCB", "HTTPS",
];

/// The types of weighted, latency, geolocation and failover record sets ('Type'). The model does
/// not say it of CIDR and geoproximity ones; they are taken to be alike.
pub const ROUTED_TYPES: [&str; 14] = [
    "A", "AAAA", "CAA", "CNAME", "MX", "NAPTR", "PTR", "SPF", "SRV", "TXT", "TLSA", "SSHFP",
    "SVCB", "HTTPS",
];

/// The types of multivalue answer record sets ('Type').
pub const MULTIVALUE_TYPES: [&str; 13] = [
    "A", "AAAA", "MX", "NAPTR", "PTR", "SPF", "SRV", "TXT", "CAA", "TLSA", "SSHFP", "SVCB", "HTTPS",
];

/// The types of aliases of AWS's own resources ('Type'). Aliases of record sets in the same zone
/// have every type but these two.
pub const AWS_ALIAS_TYPES: [&str; 2] = ["A", "AAAA"];
pub const NEVER_ALIAS_TYPES: [&str; 2] = ["NS", "SOA"];

/// `ResourceRecordSetRegion`.
pub const REGIONS: [&str; 39] = [
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "ca-central-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eu-central-1",
    "eu-central-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "eu-north-1",
    "sa-east-1",
    "cn-north-1",
    "cn-northwest-1",
    "ap-east-1",
    "me-south-1",
    "me-central-1",
    "ap-south-1",
    "ap-south-2",
    "af-south-1",
    "eu-south-1",
    "eu-south-2",
    "ap-southeast-4",
    "il-central-1",
    "ca-west-1",
    "ap-southeast-5",
    "mx-central-1",
    "ap-southeast-7",
    "us-gov-east-1",
    "us-gov-west-1",
    "ap-east-2",
    "ap-southeast-6",
    "eusc-de-east-1",
];

/// `ResourceRecordSetFailover`.
pub const PRIMARY: &str = "PRIMARY";
pub const SECONDARY: &str = "SECONDARY";

/// 'ContinentCode' of `GeoLocation`.
pub const CONTINENTS: [&str; 7] = ["AF", "AN", "AS", "EU", "OC", "NA", "SA"];

/// The zones of AWS's global services ('HostedZoneId' of `AliasTarget`).
pub const CLOUDFRONT: &str = "Z2FDTNDATAQYW2";
pub const GLOBAL_ACCELERATOR: &str = "Z2BJ6XQ5FK7U4H";
