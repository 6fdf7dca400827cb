//! Every other answer of AWS, and those of Rancher's API: whatever operation it is meant for,
//! each reader gets it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rancher_route53::aws::clock;
use rancher_route53::aws::credentials::{Granted, document, sts};
use rancher_route53::aws::xml::read;
use rancher_route53::base::percent::query_string;
use rancher_route53::base::secret::Secret;
use rancher_route53::dns::{ChangeBatch, Name, RecordKey, RecordSet, RecordType};
use rancher_route53::net::url::Url;
use rancher_route53::plan::quarantine::suspects;
use rancher_route53::rancher::api::event_schema;
use rancher_route53::route53::error::Error;
use rancher_route53::route53::xml;
use rancher_route53_fuzz::{assert_within_limits, xml_text};

fuzz_target!(|text: &str| {
    zones(text);
    change(text);
    for status in [200, 400, 403, 404, 429, 503] {
        refusal(status, text);
    }
    credentials(text);
    if let Ok(Some(schema)) = event_schema(text.as_bytes()) {
        url(&schema.collection);
    }
    url(text);
    date(text);
});

fn zones(text: &str) {
    if let Ok(page) = read(text, "ListHostedZonesByNameResponse").and_then(|e| xml::zone_page(&e)) {
        for zone in &page.zones {
            assert_within_limits(&zone.name);
            let (id, name) = (xml_text(&zone.id), xml_text(zone.name.as_str()));
            let again = format!(
                "<R><HostedZone><Id>/hostedzone/{id}</Id><Name>{name}</Name>\
                 <Config><PrivateZone>{}</PrivateZone></Config></HostedZone></R>",
                zone.is_private
            );
            let again = read(&again, "R").and_then(|element| xml::hosted_zone(&element));
            assert_eq!(again.as_ref(), Ok(zone));
        }
        if let Some((name, id)) = page.next {
            let query = query_string(&[("dnsname", &name), ("hostedzoneid", &id)]);
            assert!(
                query.bytes().all(|b| b.is_ascii_graphic() && b != b'#'),
                "{query}"
            );
            assert_eq!(query.matches('&').count(), 1);
        }
    }
    if let Ok(zone) = read(text, "GetHostedZoneResponse").and_then(|e| xml::hosted_zone(&e)) {
        assert_within_limits(&zone.name);
        assert!(!zone.id.starts_with("/hostedzone/"));
    }
}

fn change(text: &str) {
    let root = "ChangeResourceRecordSetsResponse";
    if let Ok(id) = read(text, root).and_then(|element| xml::change_id(&element)) {
        assert!(!id.starts_with("/change/"));
    }
}

/// Both forms of errors; any other text is one without a code of AWS's.
fn refusal(status: u16, text: &str) {
    let refusal = xml::refusal(status, text);
    assert_eq!(refusal.status, status);
    let messages: String = refusal
        .messages
        .iter()
        .map(|m| format!("<Message>{}</Message>", xml_text(m)))
        .collect();
    let id = xml_text(&refusal.request_id);
    let again = format!(
        "<InvalidChangeBatch><Messages>{messages}</Messages><RequestId>{id}</RequestId>\
         </InvalidChangeBatch>"
    );
    let again = xml::refusal(status, &again);
    assert_eq!(again.messages, refusal.messages);
    assert_eq!(again.request_id, refusal.request_id);
    assert!(!(refusal.is_retryable() && refusal.needs_operator()));
    let is_no_error = refusal.code == format!("HTTP {status}") && refusal.messages.is_empty();
    assert!(
        is_no_error
            || read(text, "ErrorResponse").is_ok()
            || read(text, "InvalidChangeBatch").is_ok()
    );
    blame(&refusal.messages);
    let _ = Error::Refused(refusal).to_string();
}

/// Whatever a refusal says, only what was in the batch is blamed for it, and no state record.
fn blame(messages: &[String]) {
    let batch = batch();
    let is_state = |key: &RecordKey| key.rtype == RecordType::Txt;
    let groups = suspects(&batch, messages, is_state);
    let sets = || batch.deletes.iter().chain(&batch.creates);
    for group in &groups {
        assert!(!group.keys.is_empty());
        for key in &group.keys {
            assert!(
                !is_state(key) && sets().any(|set| set.key == *key),
                "{key:?}"
            );
        }
    }
    // Nobody is blamed only if a state record is: without it nothing can be done.
    let named = |set: &RecordSet| {
        let name = set.key.name.as_str();
        messages.iter().any(|message| {
            message.contains(name) || set.values().iter().any(|value| message.contains(value))
        })
    };
    assert!(!groups.is_empty() || sets().any(|set| is_state(&set.key) && named(set)));
}

/// A new record set, a changed one, one that goes, and the state record.
fn batch() -> ChangeBatch {
    let set = |name: &str, rtype: RecordType, value: &str| {
        RecordSet::of_values(
            RecordKey::new(Name::parse(name).expect("a name"), rtype),
            300,
            [value.to_owned()].into(),
        )
    };
    let state = "external-dns-1.example.com";
    ChangeBatch {
        deletes: vec![
            set("api.example.com", RecordType::A, "192.0.2.1"),
            set("old.example.com", RecordType::Aaaa, "2001:db8::1"),
            set(state, RecordType::Txt, "\"old.example.com. AAAA\""),
        ],
        creates: vec![
            set("api.example.com", RecordType::A, "192.0.2.2"),
            set("web.example.com", RecordType::A, "192.0.2.2"),
            set(state, RecordType::Txt, "\"web.example.com.\""),
        ],
    }
}

/// What the readers of credentials say never has one in it.
fn credentials(text: &str) {
    let _sent = Secret::new("hidden-t0ken");
    if let Some(refusal) = document::refusal(text) {
        assert!(!refusal.text.contains("hidden-t0ken"));
        assert!(refusal.text.chars().count() <= 201);
    }
    let operations = ["AssumeRole", "AssumeRoleWithWebIdentity"];
    let answers = operations.map(|operation| sts::granted(text, operation));
    for granted in answers.into_iter().chain([document::read(text)]) {
        match granted {
            Ok(granted) => usable(&granted),
            // The fixed words of the reader, and nothing of the document.
            Err(error) => assert!(error.len() <= 80 && error.is_ascii(), "{error}"),
        }
    }
}

fn usable(granted: &Granted) {
    let credentials = &granted.credentials;
    let token = credentials
        .session_token
        .as_ref()
        .expect("temporary ones have one");
    for text in [
        &credentials.access_key_id,
        credentials.secret_access_key.expose(),
        token.expose(),
    ] {
        assert!(!text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic()));
    }
    let shown = format!(
        "{:?}",
        Granted {
            credentials: rancher_route53::aws::sigv4::Credentials {
                access_key_id: String::new(),
                ..credentials.clone()
            },
            expires: None,
        }
    );
    for secret in [&credentials.secret_access_key, token] {
        // Shorter ones can be part of the field's names.
        assert!(secret.expose().len() < 24 || !shown.contains(secret.expose()));
    }
}

/// What a link or setting becomes is what is asked: nothing but scheme, host, port and path.
fn url(text: &str) {
    let Ok(url) = Url::parse(text) else { return };
    let shown = url.to_string();
    assert!(
        shown.bytes().all(|b| b.is_ascii_graphic() || b >= 0x80),
        "{shown}"
    );
    assert!(!shown.contains(['?', '#']) && !url.authority().contains(['@', '/']));
    assert!(url.path().is_empty() || url.path().starts_with('/'));
    assert!(!url.path().ends_with('/'));
    assert_eq!(Url::parse(&shown).as_ref(), Ok(&url));
    assert_eq!(Url::parse(&url.origin()), Ok(url.with_path("/")));
}

fn date(text: &str) {
    let now = chrono::DateTime::UNIX_EPOCH;
    if let Some(offset) = clock::measure(text, now, now) {
        let _ = clock::correction("RequestExpired", Some(offset), offset);
    }
}
