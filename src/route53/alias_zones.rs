//! The hosted zones of AWS's own names, which an alias has to name beside its target.
//!
//! In: the name of a load balancer, or of what CloudFront or Global Accelerator has made. Out: the id
//! of the hosted zone that it is in; none for any other name. An alias of a name that isn't here would
//! be refused.

use crate::dns::Name;

/// That of every distribution of CloudFront.
/// <https://docs.aws.amazon.com/general/latest/gr/cf_region.html>
const CLOUDFRONT: &str = "Z2FDTNDATAQYW2";
/// The same in China.
/// <https://docs.amazonaws.cn/en_us/aws/latest/userguide/route53.html>
const CLOUDFRONT_CHINA: &str = "Z3RFFRIM2A3IF5";
/// That of every accelerator of Global Accelerator.
/// <https://docs.aws.amazon.com/general/latest/gr/global_accelerator.html>
const GLOBAL_ACCELERATOR: &str = "Z2BJ6XQ5FK7U4H";

/// For each region the hosted zones of its application and classic load balancers, and of its network
/// load balancers. Source: AWS General Reference, 'Elastic Load Balancing endpoints and quotas',
/// <https://docs.aws.amazon.com/general/latest/gr/elb.html>, as kubernetes external-dns lists them in its
/// `provider/aws/aws.go` in August 2026.
const LOAD_BALANCERS: [(&str, &str, &str); 36] = [
    ("af-south-1", "Z268VQBMOI5EKX", "Z203XCE67M25HM"),
    ("ap-east-1", "Z3DQVH9N71FHZ0", "Z12Y7K3UBGUAD1"),
    ("ap-east-2", "Z02789141MW7T1WBU19PO", "Z09176273OC2HWIAUNYW"),
    ("ap-northeast-1", "Z14GRHDCWA56QT", "Z31USIVHYNEOWT"),
    ("ap-northeast-2", "ZWKZPGTI48KDX", "ZIBE1TIR4HY56"),
    ("ap-northeast-3", "Z5LXEXXYW11ES", "Z1GWIQ4HH19I5X"),
    ("ap-south-1", "ZP97RAFLXTNZK", "ZVDDRBQ08TROA"),
    (
        "ap-south-2",
        "Z0173938T07WNTVAEPZN",
        "Z0711778386UTO08407HT",
    ),
    ("ap-southeast-1", "Z1LMS91P8CMLE5", "ZKVM4W9LS7TM"),
    ("ap-southeast-2", "Z1GM3OXH4ZPM65", "ZCT6FZBF4DROD"),
    (
        "ap-southeast-3",
        "Z08888821HLRG5A9ZRTER",
        "Z01971771FYVNCOVWJU1G",
    ),
    (
        "ap-southeast-4",
        "Z09517862IB2WZLPXG76F",
        "Z01156963G8MIIL7X90IV",
    ),
    (
        "ap-southeast-5",
        "Z06010284QMVVW7WO5J",
        "Z026317210H9ACVTRO6FB",
    ),
    (
        "ap-southeast-6",
        "Z023301818UFJ50CIO0MV",
        "Z01392953RKV2Q3RBP0KU",
    ),
    (
        "ap-southeast-7",
        "Z0390008CMBRTHFGWBCB",
        "Z054363131YWATEMWRG5L",
    ),
    ("ca-central-1", "ZQSVJUPU6J1EY", "Z2EPGBW3API2WT"),
    (
        "ca-west-1",
        "Z06473681N0SF6OS049SD",
        "Z02754302KBB00W2LKWZ9",
    ),
    ("cn-north-1", "Z1GDH35T77C1KE", "Z3QFB96KMJ7ED6"),
    ("cn-northwest-1", "ZM7IZAIOVVDZF", "ZQEIKTCZ8352D"),
    ("eu-central-1", "Z215JYRZR1TBD5", "Z3F0SRJ5LGBH90"),
    (
        "eu-central-2",
        "Z06391101F2ZOEP8P5EB3",
        "Z02239872DOALSIDCX66S",
    ),
    ("eu-north-1", "Z23TAZ6LKFMNIO", "Z1UDT6IFJ4EJM"),
    ("eu-south-1", "Z3ULH7SSC9OV64", "Z23146JA1KNAFP"),
    (
        "eu-south-2",
        "Z0956581394HF5D5LXGAP",
        "Z1011216NVTVYADP1SSV",
    ),
    ("eu-west-1", "Z32O12XQLNTSW2", "Z2IFOLAFXWLO4F"),
    ("eu-west-2", "ZHURV8PSTC4K8", "ZD4D7Y8KGAS4G"),
    ("eu-west-3", "Z3Q77PNBQS71R4", "Z1CMS0P5QUZ6D5"),
    (
        "il-central-1",
        "Z09170902867EHPV2DABU",
        "Z0313266YDI6ZRHTGQY4",
    ),
    (
        "me-central-1",
        "Z08230872XQRWHG2XF6I",
        "Z00282643NTTLPANJJG2P",
    ),
    ("me-south-1", "ZS929ML54UICD", "Z3QSRYVP46NYYV"),
    (
        "mx-central-1",
        "Z023552324OKD1BB28BH5",
        "Z02031231H3ID6HYJ9A7U",
    ),
    ("sa-east-1", "Z2P70J7HTTTPLU", "ZTK26PT1VY4CU"),
    ("us-east-1", "Z35SXDOTRQ7X7K", "Z26RNL4JYFTOTI"),
    ("us-east-2", "Z3AADJGX6KTTL2", "ZLMOA37VPKANP"),
    ("us-west-1", "Z368ELLRRE2KJ0", "Z24FKFUX50B4VW"),
    ("us-west-2", "Z1H1FL5HABSF5", "Z18D5FSROUN65G"),
];

/// The id of the hosted zone that a name of AWS is in, if that is known and an alias in this partition
/// can lead there. It can't lead to another partition, and in GovCloud and those that are cut off from the
/// others it isn't certain that it can lead anywhere.
pub fn alias_zone(name: &Name, partition: &str) -> Option<&'static str> {
    let name = name.as_str();
    match partition {
        "aws" if is_below(name, "cloudfront.net.") => Some(CLOUDFRONT),
        "aws" if is_below(name, "awsglobalaccelerator.com.") => Some(GLOBAL_ACCELERATOR),
        "aws" => load_balancer(name.strip_suffix(".amazonaws.com.")?, false),
        "aws-cn" if is_below(name, "cloudfront.cn.") => Some(CLOUDFRONT_CHINA),
        "aws-cn" => load_balancer(name.strip_suffix(".amazonaws.com.cn.")?, true),
        _ => None,
    }
}

/// Whether a hosted zone is of CloudFront's distributions, of whose health Route 53 knows nothing.
pub fn is_cloudfront(zone_id: &str) -> bool {
    [CLOUDFRONT, CLOUDFRONT_CHINA].contains(&zone_id)
}

/// That of a load balancer, by its name without the partition's domain.
fn load_balancer(name: &str, is_china: bool) -> Option<&'static str> {
    // …name.region.elb, or …name.elb.region.
    let mut labels = name.rsplit('.');
    let (last, second) = (labels.next()?, labels.next()?);
    labels.next()?;
    let (region, is_network) = match (second, last) {
        (region, "elb") => (region, false),
        ("elb", region) => (region, true),
        _ => return None,
    };
    let mut all = LOAD_BALANCERS.iter();
    let (region, plain, network) = all.find(|(known, ..)| *known == region)?;
    let zone = if is_network { network } else { plain };
    (region.starts_with("cn-") == is_china).then_some(*zone)
}

fn is_below(name: &str, suffix: &str) -> bool {
    let rest = name.strip_suffix(suffix);
    rest.is_some_and(|rest| rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn zone(name: &str) -> Option<&'static str> {
        let partition = if name.trim_end_matches('.').ends_with(".cn") {
            "aws-cn"
        } else {
            "aws"
        };
        alias_zone(&Name::parse(name).unwrap(), partition)
    }

    #[test]
    fn each_name_of_aws_is_in_its_hosted_zone() {
        for (name, expected) in [
            ("d111111abcdef8.cloudfront.net", Some("Z2FDTNDATAQYW2")),
            ("D111111abcdef8.CloudFront.net.", Some("Z2FDTNDATAQYW2")),
            ("d111111abcdef8.cloudfront.cn", Some("Z3RFFRIM2A3IF5")),
            ("D111111abcdef8.CloudFront.cn.", Some("Z3RFFRIM2A3IF5")),
            ("cloudfront.net", None),
            ("cloudfront.cn", None),
            ("notcloudfront.net", None),
            ("d1.cloudfront.net.example.com", None),
            ("a1.awsglobalaccelerator.com", Some("Z2BJ6XQ5FK7U4H")),
            (
                "a1.dualstack.awsglobalaccelerator.com",
                Some("Z2BJ6XQ5FK7U4H"),
            ),
            (
                "web-1.eu-central-1.elb.amazonaws.com",
                Some("Z215JYRZR1TBD5"),
            ),
            (
                "dualstack.web-1.eu-central-1.elb.amazonaws.com",
                Some("Z215JYRZR1TBD5"),
            ),
            (
                "internal-web-1.us-east-1.elb.amazonaws.com",
                Some("Z35SXDOTRQ7X7K"),
            ),
            (
                "web-1.elb.eu-central-1.amazonaws.com",
                Some("Z3F0SRJ5LGBH90"),
            ),
            (
                "dualstack.web-1.elb.us-east-1.amazonaws.com",
                Some("Z26RNL4JYFTOTI"),
            ),
            (
                "web-1.cn-north-1.elb.amazonaws.com.cn",
                Some("Z1GDH35T77C1KE"),
            ),
            (
                "web-1.elb.cn-north-1.amazonaws.com.cn",
                Some("Z3QFB96KMJ7ED6"),
            ),
            ("web-1.cn-north-1.elb.amazonaws.com", None),
            ("web-1.eu-central-1.elb.amazonaws.com.cn", None),
            ("eu-central-1.elb.amazonaws.com", None),
            ("elb.eu-central-1.amazonaws.com", None),
            ("web-1.eu-central-9.elb.amazonaws.com", None),
            ("web-1.elb.amazonaws.com", None),
            ("a.elb.elb.amazonaws.com", None),
            ("s3-website.eu-central-1.amazonaws.com", None),
            ("ec2-1.eu-central-1.compute.amazonaws.com", None),
            ("amazonaws.com", None),
            ("elb", None),
            ("web-1.eu-central-1.elb.evilamazonaws.com", None),
            ("www.example.com", None),
        ] {
            assert_eq!(zone(name), expected, "{name}");
        }
    }

    #[test]
    fn every_region_is_found_and_has_two_hosted_zones_of_its_own() {
        let mut ids = BTreeSet::from([CLOUDFRONT, CLOUDFRONT_CHINA, GLOBAL_ACCELERATOR]);
        for (region, plain, network) in LOAD_BALANCERS {
            let end = if region.starts_with("cn-") { ".cn" } else { "" };
            let plain_name = format!("a.{region}.elb.amazonaws.com{end}");
            assert_eq!(zone(&plain_name), Some(plain), "{region}");
            let network_name = format!("a.elb.{region}.amazonaws.com{end}");
            assert_eq!(zone(&network_name), Some(network), "{region}");
            for id in [plain, network] {
                let is_id = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
                assert!(id.starts_with('Z') && id.chars().all(is_id), "{id}");
                assert!((12..=21).contains(&id.len()), "{id}");
                assert!(ids.insert(id), "{id} is another one's");
            }
        }
        let regions = LOAD_BALANCERS.map(|(region, ..)| region);
        assert!(regions.is_sorted());
    }
}
