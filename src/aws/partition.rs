//! Which endpoint a region's Route 53 has, and which region signs its requests.
//!
//! Route 53 is a global service: one endpoint for a whole partition. The table is botocore's
//! `endpoints.json`.

/// Where Route 53 and STS are, and the region in which requests to Route 53 are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partition {
    /// `aws`, `aws-cn`, …
    pub name: &'static str,
    /// Host name of Route 53.
    pub route53: &'static str,
    /// Region in the scope of a signature for Route 53.
    pub signing_region: &'static str,
    /// What STS's regional host names end in, after `sts.<region>.`.
    pub suffix: &'static str,
}

const AWS: Partition = Partition {
    name: "aws",
    route53: "route53.amazonaws.com",
    signing_region: "us-east-1",
    suffix: "amazonaws.com",
};

/// Prefix of the region's name, and its partition. First match.
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
    /// The endpoint of a region's STS, such as `https://sts.eu-west-1.amazonaws.com`. Regional
    /// ones are what AWS recommends and what its SDKs use by default:
    /// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-sts-regionalized-endpoints.html>
    pub fn sts(&self, region: &str) -> String {
        format!("https://sts.{region}.{}", self.suffix)
    }
}

/// The partition that a region belongs to; a region of no known other one is of `aws`.
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
