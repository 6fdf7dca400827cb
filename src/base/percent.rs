//! Percent-encoding of URLs by the rules of AWS, which all other servers understand as well.

/// AWS's `UriEncode`: every byte but `A-Z a-z 0-9 - . _ ~` becomes `%XX`, the slash too.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>
pub fn encode_segment(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// A query string in the form that AWS signs: names and values are encoded, and the pairs are then
/// sorted by encoded name and value.
pub fn query_string(parameters: &[(&str, &str)]) -> String {
    let mut encoded: Vec<(String, String)> = parameters
        .iter()
        .map(|(name, value)| (encode_segment(name), encode_segment(value)))
        .collect();
    encoded.sort_unstable();
    let pairs: Vec<String> = encoded
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join("&")
}
