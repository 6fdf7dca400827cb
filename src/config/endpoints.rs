//! The settings that say where Route 53 and STS are reached, and for which regions their requests
//! are signed: `AWS_REGION` and the addresses that replace AWS's own.

use super::reader::Reader;
use super::{WHAT_URL, settings};
use crate::aws::partition;
use crate::net::url::Url;

/// A service of AWS, or what stands in for it.
#[derive(Debug)]
pub struct Service {
    pub endpoint: Url,
    /// Region in the scope of signatures.
    pub signing_region: String,
}

const WHAT_REGION: &str = "a region, such as eu-central-1";

/// Route 53 and STS. `None` if something is wrong: the errors are in the reader then.
pub fn read(reader: &mut Reader<'_>) -> Option<(Service, Service)> {
    let own_route53 = reader.url("AWS_ENDPOINT_URL_ROUTE_53", WHAT_URL, Url::of_endpoint);
    let own_sts = reader.url("AWS_ENDPOINT_URL_STS", WHAT_URL, Url::of_endpoint);
    // Other servers than AWS's may have regions of their own.
    let is_any_region_good = own_route53.is_some() && own_sts.is_some();
    let known = reader.problems.len();
    let region = reader.value("AWS_REGION", WHAT_REGION, |text| {
        let region = region_name(text)?;
        match partition::endpoints(&region) {
            Err(error) if !is_any_region_good => Err(error.to_owned()),
            _ => Ok(region),
        }
    });
    if reader.problems.len() > known {
        return None;
    }
    let region = region.unwrap_or_else(|| settings::get("AWS_REGION").default.to_owned());
    let own = |endpoint| Service {
        endpoint,
        signing_region: partition::signing_region(&region).to_owned(),
    };
    let of_aws = |host: &str, signing_region: &str| {
        Some(Service {
            endpoint: Url::parse(&format!("https://{host}")).ok()?,
            signing_region: signing_region.to_owned(),
        })
    };
    let aws = partition::endpoints(&region).ok();
    let aws = aws.as_ref();
    let route53 = own_route53.map(own);
    let route53 = route53.or_else(|| aws.and_then(|aws| of_aws(aws.route53, aws.route53_region)));
    let sts = own_sts.map(own);
    let sts = sts.or_else(|| aws.and_then(|aws| of_aws(&aws.sts, &aws.sts_region)));
    Some((route53?, sts?))
}

/// Checks the characters of a region's name, which becomes a part of a host name and of signatures.
fn region_name(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if text.chars().all(plain) {
        Ok(text.to_ascii_lowercase())
    } else {
        Err("no region has such a name".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::lookup;

    /// Endpoint and region of Route 53, then of STS; or what is wrong.
    fn services(environment: &[(&str, &str)]) -> Result<[String; 4], Vec<String>> {
        let variable = lookup(environment);
        let mut reader = Reader::new(&variable);
        match read(&mut reader) {
            Some((route53, sts)) if reader.problems.is_empty() => Ok([
                route53.endpoint.to_string(),
                route53.signing_region,
                sts.endpoint.to_string(),
                sts.signing_region,
            ]),
            _ => Err(reader.problems),
        }
    }

    #[test]
    fn each_service_is_where_the_region_or_its_override_says() {
        let public = "https://route53.amazonaws.com";
        let region = ("AWS_REGION", "EU-West-1");
        let sts = "https://sts.eu-west-1.amazonaws.com";
        let whole = ("AWS_DEFAULT_REGION", "aws-us-gov-global");
        let gov_cloud = "https://route53.us-gov.amazonaws.com";
        let both = ("AWS_ENDPOINT_URL", "http://both/");
        let own_sts = ("AWS_ENDPOINT_URL_STS", "http://own:1/x/");
        let own_route53 = ("AWS_ENDPOINT_URL_ROUTE_53", "http://own:2");
        for (environment, expected) in [
            (
                vec![],
                [
                    public,
                    "us-east-1",
                    "https://sts.us-east-1.amazonaws.com",
                    "us-east-1",
                ],
            ),
            (vec![region], [public, "us-east-1", sts, "eu-west-1"]),
            (
                vec![whole],
                [
                    gov_cloud,
                    "us-gov-west-1",
                    "https://sts.us-gov-west-1.amazonaws.com",
                    "us-gov-west-1",
                ],
            ),
            (
                vec![region, both],
                ["http://both", "eu-west-1", "http://both", "eu-west-1"],
            ),
            (
                vec![region, both, own_sts],
                ["http://both", "eu-west-1", "http://own:1/x", "eu-west-1"],
            ),
            (
                vec![region, own_route53],
                ["http://own:2", "eu-west-1", sts, "eu-west-1"],
            ),
            (
                vec![region, own_sts],
                [public, "us-east-1", "http://own:1/x", "eu-west-1"],
            ),
            // Signed for a region that a server can know.
            (
                vec![("AWS_REGION", "aws-cn-global"), both],
                [
                    "http://both",
                    "cn-northwest-1",
                    "http://both",
                    "cn-northwest-1",
                ],
            ),
            (
                vec![("AWS_REGION", "fips-eu-west-1"), both],
                ["http://both", "eu-west-1", "http://both", "eu-west-1"],
            ),
            (
                vec![("AWS_REGION", "local"), own_route53, own_sts],
                ["http://own:2", "local", "http://own:1/x", "local"],
            ),
        ] {
            let found = services(&environment);
            assert_eq!(found, Ok(expected.map(str::to_owned)), "{environment:?}");
        }
    }

    #[test]
    fn a_name_without_endpoints_is_refused_where_they_are_needed() {
        let own = ("AWS_ENDPOINT_URL_ROUTE_53", "http://own");
        for (environment, expected) in [
            (
                vec![("AWS_REGION", "local")],
                "AWS_REGION=\"local\": no region has such a name; it takes a region, such as \
                 eu-central-1",
            ),
            (
                vec![("AWS_DEFAULT_REGION", "us-east-1a"), own],
                "AWS_DEFAULT_REGION=\"us-east-1a\": no region has such a name; it takes a region, \
                 such as eu-central-1",
            ),
            (
                vec![("AWS_REGION", "fips-eu-west-1")],
                "AWS_REGION=\"fips-eu-west-1\": AWS has no FIPS endpoints of both Route 53 and STS \
                 there; it takes a region, such as eu-central-1",
            ),
            (
                vec![("AWS_REGION", "eu-west-1.evil.example"), own],
                "AWS_REGION=\"eu-west-1.evil.example\": no region has such a name; it takes a \
                 region, such as eu-central-1",
            ),
        ] {
            assert_eq!(services(&environment), Err(vec![expected.to_owned()]));
        }
    }
}
