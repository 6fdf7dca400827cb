//! Finds the endpoints of Route 53 and STS for a region.
//!
//! AWS groups its regions into partitions, such as `aws` and `aws-cn`. Route 53 has one endpoint
//! for a whole partition, and its requests are signed for one region of it; STS has an endpoint in
//! each region. The table is from botocore's `endpoints.json` and `partitions.json`, and
//! `.ci/regions` compares every name that botocore knows.

/// A partition of AWS.
struct Partition {
    /// The start of the names of its regions. After it come a word and a number.
    prefix: &'static str,
    /// Name of the partition: `aws`, `aws-cn` and others.
    name: &'static str,
    /// Host name of Route 53's endpoint.
    route53: &'static str,
    /// Region in the scope of signatures for Route 53.
    signing_region: &'static str,
    /// The end of the host names of STS, after `sts.<region>.`.
    suffix: &'static str,
}

/// The public partition. A region's name starts with two letters for a continent or a country, such
/// as `eu` or `mx`.
const AWS: Partition = Partition {
    prefix: "",
    name: "aws",
    route53: "route53.amazonaws.com",
    signing_region: "us-east-1",
    suffix: "amazonaws.com",
};

/// The United States' GovCloud. All of its endpoints are FIPS endpoints.
const GOV_CLOUD: &str = "aws-us-gov";

/// All of them. The first one whose prefix matches is the region's.
static PARTITIONS: [Partition; 8] = [
    Partition {
        prefix: "cn-",
        name: "aws-cn",
        route53: "route53.amazonaws.com.cn",
        signing_region: "cn-northwest-1",
        suffix: "amazonaws.com.cn",
    },
    Partition {
        prefix: "us-gov-",
        name: GOV_CLOUD,
        route53: "route53.us-gov.amazonaws.com",
        signing_region: "us-gov-west-1",
        suffix: "amazonaws.com",
    },
    Partition {
        prefix: "us-isob-",
        name: "aws-iso-b",
        route53: "route53.sc2s.sgov.gov",
        signing_region: "us-isob-east-1",
        suffix: "sc2s.sgov.gov",
    },
    Partition {
        prefix: "us-isof-",
        name: "aws-iso-f",
        route53: "route53.csp.hci.ic.gov",
        signing_region: "us-isof-south-1",
        suffix: "csp.hci.ic.gov",
    },
    Partition {
        prefix: "us-iso-",
        name: "aws-iso",
        route53: "route53.c2s.ic.gov",
        signing_region: "us-iso-east-1",
        suffix: "c2s.ic.gov",
    },
    Partition {
        prefix: "eu-isoe-",
        name: "aws-iso-e",
        route53: "route53.cloud.adc-e.uk",
        signing_region: "eu-isoe-west-1",
        suffix: "cloud.adc-e.uk",
    },
    Partition {
        prefix: "eusc-de-",
        name: "aws-eusc",
        route53: "route53.amazonaws.eu",
        signing_region: "eusc-de-east-1",
        suffix: "amazonaws.eu",
    },
    AWS,
];

/// Route 53's FIPS endpoint in the public partition.
const ROUTE53_FIPS: &str = "route53-fips.amazonaws.com";
/// The regions of the public partition in which STS has a FIPS endpoint.
const STS_FIPS: [&str; 4] = ["us-east-1", "us-east-2", "us-west-1", "us-west-2"];

/// Where Route 53 and STS are reached, and for which regions their requests are signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// Host name of Route 53's endpoint.
    pub route53: &'static str,
    /// Region in the scope of signatures for Route 53.
    pub route53_region: &'static str,
    /// Host name of STS's endpoint. AWS recommends regional ones, and its SDKs use them by default:
    /// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-sts-regionalized-endpoints.html>
    pub sts: String,
    /// Region in the scope of signatures for STS.
    pub sts_region: String,
}

/// The endpoints for a region, such as `eu-central-1`. Names that stand for a whole partition, such
/// as `aws-cn-global`, and those of regions' FIPS endpoints, such as `fips-us-gov-west-1`, are
/// understood. The error says why there are none.
pub fn endpoints(name: &str) -> Result<Endpoints, &'static str> {
    let (name, is_fips) = without_fips(name);
    let (partition, region) = place(name).ok_or("no region has such a name")?;
    let has_own_fips = is_fips && partition.name == AWS.name;
    if is_fips && partition.name != GOV_CLOUD && !(has_own_fips && STS_FIPS.contains(&region)) {
        return Err("AWS has no FIPS endpoints of both Route 53 and STS there");
    }
    let suffix = partition.suffix;
    let sts = match name {
        "aws-global" if !is_fips => format!("sts.{suffix}"),
        _ if has_own_fips => format!("sts-fips.{region}.{suffix}"),
        _ => format!("sts.{region}.{suffix}"),
    };
    Ok(Endpoints {
        route53: if has_own_fips {
            ROUTE53_FIPS
        } else {
            partition.route53
        },
        route53_region: partition.signing_region,
        sts,
        sts_region: region.to_owned(),
    })
}

/// The region for which requests are signed that go to another server than AWS's. Such servers may
/// have regions of their own, so any name is taken.
pub fn signing_region(name: &str) -> &str {
    let (name, _) = without_fips(name);
    place(name).map_or(name, |(_, region)| region)
}

/// The name of the partition with this region, the second word of every ARN there. A region that AWS
/// doesn't have, of another server than AWS's, counts as one of the public partition.
pub fn name(region: &str) -> &'static str {
    let (region, _) = without_fips(region);
    place(region).map_or(AWS.name, |(partition, _)| partition.name)
}

/// Whether a text has the form of a region's name, such as `eu-central-1`. Whether AWS has such a region
/// is another question: new ones are added every year.
pub fn is_region(name: &str) -> bool {
    place(name).is_some_and(|(_, region)| region == name)
}

/// A name without what marks a FIPS endpoint, and whether it was marked.
fn without_fips(name: &str) -> (&str, bool) {
    let plain = name
        .strip_prefix("fips-")
        .or_else(|| name.strip_suffix("-fips"))
        .filter(|plain| !plain.is_empty());
    (plain.unwrap_or(name), plain.is_some())
}

/// The partition and the region that a name stands for. That of a whole partition stands for the
/// region whose signatures Route 53 takes there.
fn place(name: &str) -> Option<(&'static Partition, &str)> {
    if let Some(partition) = name.strip_suffix("-global") {
        let mut all = PARTITIONS.iter();
        let partition = all.find(|known| known.name == partition)?;
        return Some((partition, partition.signing_region));
    }
    let mut all = PARTITIONS.iter();
    let partition = all.find(|known| name.starts_with(known.prefix))?;
    let mut parts = name.strip_prefix(partition.prefix)?.split('-');
    if partition.prefix.is_empty() {
        parts
            .next()
            .filter(|area| area.len() == 2 && is_word(area))?;
    }
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let is_region = parts.next().is_some_and(is_word)
        && parts.next().is_some_and(is_number)
        && parts.next().is_none();
    is_region.then_some((partition, name))
}

fn is_word(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase())
}

#[cfg(test)]
mod tests;
