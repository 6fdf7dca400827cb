//! Says what the program makes of names in `AWS_REGION`: one on each line of stdin. It answers each
//! with a line of the name, Route 53's endpoint, the region that signs for it, STS's endpoint and the
//! region that signs there, or with the name and the error, separated by tabs. `.ci/regions`
//! compares the answers with botocore's.

use std::io;

use rancher_route53::config::{Config, arguments};

/// What every start needs.
const OTHERS: [(&str, &str); 6] = [
    ("ROOT_DOMAIN", "example.com"),
    ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
    ("AWS_SECRET_ACCESS_KEY", "secret"),
    ("CATTLE_URL", "http://rancher:8080/v2-beta"),
    ("CATTLE_ACCESS_KEY", "agent"),
    ("CATTLE_SECRET_KEY", "secret"),
];

fn main() -> io::Result<()> {
    for name in io::stdin().lines() {
        let name = name?;
        println!("{name}\t{}", answer(&name));
    }
    Ok(())
}

fn answer(region: &str) -> String {
    let variable = |name: &str| {
        let mut others = OTHERS.iter();
        let other = others.find(|(other, _)| *other == name);
        let value = match name {
            "AWS_REGION" => Some(region),
            _ => other.map(|(_, value)| *value),
        };
        value.map(|value| Ok(value.to_owned()))
    };
    let arguments = arguments::parse([]).expect("no arguments are fine");
    match Config::read(&variable, &arguments) {
        Ok(config) => [
            config.route53.endpoint.to_string(),
            config.route53.signing_region,
            config.credentials.sts.endpoint.to_string(),
            config.credentials.sts.region,
        ]
        .join("\t"),
        Err(error) => error.to_string(),
    }
}
