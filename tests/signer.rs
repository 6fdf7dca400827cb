//! The signer against the two that AWS itself wrote: botocore, whose signatures of our own
//! requests are recorded in `vectors/`, and the Rust SDK's, on requests made up at random.

#[expect(
    dead_code,
    reason = "the stages are private, and compared where they are"
)]
mod vectors;

use std::time::{Duration, SystemTime};

use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use proptest::collection::vec;
use proptest::prelude::*;
use rancher_route53::aws::sigv4::{self, Credentials};
use rancher_route53::base::percent;
use rancher_route53::base::secret::Secret;

#[test]
fn signs_every_recorded_request_as_botocore_does() {
    for vector in vectors::vectors() {
        let expected = vector.signed.added();
        assert_eq!(vector.with(sigv4::sign), expected, "{}", vector.title);
    }
}

/// A request in the program's own terms, with the credentials and scope to sign it.
#[derive(Debug, Clone)]
struct Case {
    method: &'static str,
    host: String,
    segments: Vec<String>,
    has_final_slash: bool,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    payload: Vec<u8>,
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
    region: String,
    service: &'static str,
    /// Since 1970.
    seconds: u32,
}

impl Case {
    fn path(&self) -> String {
        let segments: Vec<String> = self
            .segments
            .iter()
            .map(|segment| percent::encode_segment(segment))
            .collect();
        let final_slash = if self.has_final_slash { "/" } else { "" };
        format!("/{}{final_slash}", segments.join("/"))
    }

    fn query(&self) -> String {
        percent::query_string(&borrowed(&self.query))
    }

    /// The headers that our signer adds.
    fn signed_by_us(&self) -> Vec<(&'static str, String)> {
        let request = sigv4::Request {
            method: self.method,
            host: &self.host,
            path: &self.path(),
            query: &self.query(),
            headers: &borrowed(&self.headers),
            payload: &self.payload,
        };
        let credentials = Credentials {
            access_key_id: self.access_key_id.clone(),
            secret_access_key: Secret::new(&self.secret_access_key),
            session_token: self.session_token.as_ref().map(Secret::new),
        };
        let scope = sigv4::Scope {
            time: chrono::DateTime::from_timestamp(self.seconds.into(), 0).expect("32 bits fit"),
            region: &self.region,
            service: self.service,
        };
        sigv4::sign(&request, &credentials, &scope)
    }

    /// The headers that AWS's signer adds.
    fn signed_by_aws(&self) -> Vec<(&'static str, String)> {
        let identity: Identity = aws_credential_types::Credentials::new(
            &self.access_key_id,
            &self.secret_access_key,
            self.session_token.clone(),
            None,
            "test",
        )
        .into();
        let mut settings = SigningSettings::default();
        // By default it leaves out some headers; ours signs all that it is given.
        settings.excluded_headers = None;
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(self.service)
            .time(SystemTime::UNIX_EPOCH + Duration::from_secs(self.seconds.into()))
            .settings(settings)
            .build()
            .expect("all that is required is there")
            .into();
        let query = self.query();
        let mark = if query.is_empty() { "" } else { "?" };
        let signable = SignableRequest::new(
            self.method,
            format!("https://{}{}{mark}{query}", self.host, self.path()),
            borrowed(&self.headers).into_iter(),
            SignableBody::Bytes(&self.payload),
        );
        let output = aws_sigv4::http_request::sign(signable.expect("a valid request"), &parameters)
            .expect("a request that can be signed");
        let (instructions, _) = output.into_parts();
        let (headers, parameters) = instructions.into_parts();
        assert!(parameters.is_empty());
        headers
            .iter()
            .map(|header| (header.name(), header.value().to_owned()))
            .collect()
    }
}

fn borrowed(pairs: &[(String, String)]) -> Vec<(&str, &str)> {
    pairs
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}

/// Text of any characters, among which those that are special in a URL come up often.
fn text() -> impl Strategy<Value = String> {
    "([ -~]|[%+ &=/~\\\\*]|\\PC|.){0,12}"
}

fn case() -> impl Strategy<Value = Case> {
    // AWS's signer resolves `.` and `..`, and drops empty segments; our paths have none.
    let segment = text().prop_filter("a plain segment", |text| {
        !matches!(text.as_str(), "" | "." | "..")
    });
    // Some are repeated.
    let header_name = "x-test-([ab]|[a-z0-9-]{0,8})";
    // Other white space than blanks can't be told from a header's own, and nobody sends it.
    let header_value = "[ -~]{0,20}";
    let request = (
        prop_oneof![Just("GET"), Just("POST")],
        // Without a port that is the scheme's own: no client sends that.
        "[a-z][a-z0-9-]{0,8}[a-z](\\.[a-z]{2,8}){0,3}(:[1-3][0-9]{3})?",
        vec(segment, 0..5),
        any::<bool>(),
        vec((text(), text()), 0..6),
        vec((header_name, header_value), 0..5),
        vec(any::<u8>(), 0..200),
    );
    let signature = (
        "[A-Z0-9]{16,20}",
        "[!-~]{1,40}",
        prop::option::of("[A-Za-z0-9+/=]{1,80}"),
        "[a-z]{2,4}-[a-z]{3,9}-[0-9]",
        prop_oneof![Just("route53"), Just("sts")],
        any::<u32>(),
    );
    (request, signature).prop_map(|(request, signature)| {
        let (method, host, segments, has_final_slash, query, headers, payload) = request;
        let (access_key_id, secret_access_key, session_token, region, service, seconds) = signature;
        Case {
            method,
            host,
            has_final_slash: has_final_slash && !segments.is_empty(),
            segments,
            query,
            headers,
            payload,
            access_key_id,
            secret_access_key,
            session_token,
            region,
            service,
            seconds,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn signs_any_request_as_the_sdk_for_rust_does(case in case()) {
        let (mut ours, mut theirs) = (case.signed_by_us(), case.signed_by_aws());
        ours.sort();
        theirs.sort();
        prop_assert_eq!(ours, theirs, "{} {}?{}", case.method, case.path(), case.query());
    }
}
