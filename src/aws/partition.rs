//! Finds the endpoints of Route 53 and STS for a region.
//!
//! AWS groups its regions into partitions, such as `aws` and `aws-cn`. Route 53 has one endpoint
//! for a whole partition, and its requests are signed for one region of it; STS has an endpoint in
//! each region. The table is from botocore's `endpoints.json`.

/// A partition of AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partition {
    /// Name of the partition: `aws`, `aws-cn` and others.
    pub name: &'static str,
    /// Host name of Route 53's endpoint.
    pub route53: &'static str,
    /// Region in the scope of signatures for Route 53.
    pub signing_region: &'static str,
    /// The end of the host names of STS, after `sts.<region>.`.
    pub suffix: &'static str,
}

const AWS: Partition = Partition {
    name: "aws",
    route53: "route53.amazonaws.com",
    signing_region: "us-east-1",
    suffix: "amazonaws.com",
};

/// Prefixes of the names of regions, with their partitions. The first match counts.
const PARTITIONS: [(&str, Partition); 8] = [
    (
        "cn-",
        Partition {
            name: "aws-cn",
            route53: "route53.amazonaws.com.cn",
            signing_region: "cn-northwest-1",
            suffix: "amazonaws.com.cn",
        },
    ),
    (
        "us-gov-",
        Partition {
            name: "aws-us-gov",
            route53: "route53.us-gov.amazonaws.com",
            signing_region: "us-gov-west-1",
            suffix: "amazonaws.com",
        },
    ),
    (
        "us-isob-",
        Partition {
            name: "aws-iso-b",
            route53: "route53.sc2s.sgov.gov",
            signing_region: "us-isob-east-1",
            suffix: "sc2s.sgov.gov",
        },
    ),
    (
        "us-isof-",
        Partition {
            name: "aws-iso-f",
            route53: "route53.csp.hci.ic.gov",
            signing_region: "us-isof-south-1",
            suffix: "csp.hci.ic.gov",
        },
    ),
    (
        "us-iso-",
        Partition {
            name: "aws-iso",
            route53: "route53.c2s.ic.gov",
            signing_region: "us-iso-east-1",
            suffix: "c2s.ic.gov",
        },
    ),
    (
        "eu-isoe-",
        Partition {
            name: "aws-iso-e",
            route53: "route53.cloud.adc-e.uk",
            signing_region: "eu-isoe-west-1",
            suffix: "cloud.adc-e.uk",
        },
    ),
    (
        "eusc-",
        Partition {
            name: "aws-eusc",
            route53: "route53.amazonaws.eu",
            signing_region: "eusc-de-east-1",
            suffix: "amazonaws.eu",
        },
    ),
    ("", AWS),
];

impl Partition {
    /// The endpoint of STS in a region, such as `https://sts.eu-west-1.amazonaws.com`. AWS
    /// recommends regional endpoints, and its SDKs use them by default:
    /// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-sts-regionalized-endpoints.html>
    pub fn sts(&self, region: &str) -> String {
        format!("https://sts.{region}.{}", self.suffix)
    }
}

/// The partition to which a region belongs. Unknown regions belong to `aws`.
pub fn of_region(region: &str) -> Partition {
    let found = PARTITIONS
        .iter()
        .find(|(prefix, _)| region.starts_with(prefix));
    found.map_or(AWS, |(_, partition)| *partition)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_region_finds_its_partition() {
        for (region, host, signing) in [
            ("us-east-1", "route53.amazonaws.com", "us-east-1"),
            ("eu-central-1", "route53.amazonaws.com", "us-east-1"),
            ("cn-north-1", "route53.amazonaws.com.cn", "cn-northwest-1"),
            (
                "us-gov-east-1",
                "route53.us-gov.amazonaws.com",
                "us-gov-west-1",
            ),
            ("us-iso-west-1", "route53.c2s.ic.gov", "us-iso-east-1"),
            ("us-isob-east-1", "route53.sc2s.sgov.gov", "us-isob-east-1"),
            ("eu-isoe-west-1", "route53.cloud.adc-e.uk", "eu-isoe-west-1"),
            (
                "us-isof-east-1",
                "route53.csp.hci.ic.gov",
                "us-isof-south-1",
            ),
            ("eusc-de-east-1", "route53.amazonaws.eu", "eusc-de-east-1"),
        ] {
            let partition = of_region(region);
            assert_eq!(
                (partition.route53, partition.signing_region),
                (host, signing),
                "{region}"
            );
        }
    }

    #[test]
    fn each_region_has_its_own_sts() {
        for (region, endpoint) in [
            ("us-east-1", "https://sts.us-east-1.amazonaws.com"),
            ("cn-north-1", "https://sts.cn-north-1.amazonaws.com.cn"),
            ("us-gov-west-1", "https://sts.us-gov-west-1.amazonaws.com"),
            ("us-iso-east-1", "https://sts.us-iso-east-1.c2s.ic.gov"),
            ("us-isob-east-1", "https://sts.us-isob-east-1.sc2s.sgov.gov"),
            (
                "eu-isoe-west-1",
                "https://sts.eu-isoe-west-1.cloud.adc-e.uk",
            ),
            (
                "us-isof-south-1",
                "https://sts.us-isof-south-1.csp.hci.ic.gov",
            ),
            ("eusc-de-east-1", "https://sts.eusc-de-east-1.amazonaws.eu"),
        ] {
            assert_eq!(of_region(region).sts(region), endpoint);
        }
    }
}
