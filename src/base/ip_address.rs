//! Reads IP addresses in texts from outside.

use std::net::IpAddr;

use super::brackets::without_brackets;

/// Reads an address, with or without brackets around it. One of IPv4 in the form of IPv6, such as
/// `::ffff:192.0.2.7`, is the one of IPv4 that it stands for: as an `AAAA` nobody could reach it.
pub fn parse(text: &str) -> Option<IpAddr> {
    let address: IpAddr = without_brackets(text).parse().ok()?;
    Some(address.to_canonical())
}

/// The same of an address to which a name can lead: not of `0.0.0.0` and `::`, which stand for any
/// address.
pub fn parse_specified(text: &str) -> Option<IpAddr> {
    parse(text).filter(|address| !address.is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_addresses_to_which_names_can_lead() {
        for (text, any, specified) in [
            ("192.0.2.7", Some("192.0.2.7"), true),
            ("2001:DB8:0::7", Some("2001:db8::7"), true),
            ("[2001:db8::7]", Some("2001:db8::7"), true),
            ("::ffff:192.0.2.7", Some("192.0.2.7"), true),
            ("[::ffff:c000:207]", Some("192.0.2.7"), true),
            ("127.0.0.1", Some("127.0.0.1"), true),
            ("0.0.0.0", Some("0.0.0.0"), false),
            ("::", Some("::"), false),
            ("::ffff:0.0.0.0", Some("0.0.0.0"), false),
            ("192.0.2", None, false),
            ("192.0.2.7.", None, false),
            ("[192.0.2.7", None, false),
            ("", None, false),
        ] {
            let read = |address: Option<IpAddr>| address.map(|address| address.to_string());
            assert_eq!(read(parse(text)).as_deref(), any, "{text}");
            let expected = any.filter(|_| specified);
            assert_eq!(read(parse_specified(text)).as_deref(), expected, "{text}");
        }
    }
}
