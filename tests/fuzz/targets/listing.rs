//! Route 53's listings: the XML of a page, and what we write of what was read.

#![no_main]

use std::fmt::Write as _;

use libfuzzer_sys::fuzz_target;
use rancher_route53::aws::xml::read;
use rancher_route53::dns::zone::Listed;
use rancher_route53::dns::{ChangeBatch, RecordKey, RecordSet};
use rancher_route53::route53::xml::{ListPage, change_request, list_page};
use rancher_route53_fuzz::{assert_within_limits, xml_text};

const ROOT: &str = "ListResourceRecordSetsResponse";

fuzz_target!(|text: &str| {
    let Some(page) = page_of(text) else { return };
    for (key, _) in &page.sets {
        assert_within_limits(&key.name);
    }
    if text.trim_end().ends_with("Response>") {
        let end = text.rfind("</").expect("it ends in a tag");
        assert!(read(&text[..end], ROOT).is_err(), "half a document is none");
    }
    let whole = page.sets.iter().filter_map(|(_, listed)| listed.whole());
    let sets: Vec<RecordSet> = whole.cloned().collect();
    for set in &sets {
        assert_eq!(set.key.is_routed(), set.routing.is_some());
        assert_eq!(set.values().is_empty(), set.alias().is_some());
    }
    writes_what_it_read(&sets);
    let written = ListPage {
        sets: sets.iter().map(whole_with_key).collect(),
        next: page.next,
    };
    assert_eq!(page_of(&listing(&written)).as_ref(), Some(&written));
});

fn whole_with_key(set: &RecordSet) -> (RecordKey, Listed) {
    (set.key.clone(), Listed::Whole(set.clone()))
}

fn page_of(xml: &str) -> Option<ListPage> {
    list_page(&read(xml, ROOT).ok()?).ok()
}

/// As Route 53 would list what we write.
fn listing(page: &ListPage) -> String {
    let batch = ChangeBatch {
        deletes: Vec::new(),
        creates: page
            .sets
            .iter()
            .filter_map(|(_, listed)| listed.whole())
            .cloned()
            .collect(),
    };
    let mut xml = format!("<{ROOT}><ResourceRecordSets>");
    let end = "</ResourceRecordSet>";
    for change in change_request(&batch).split_inclusive(end) {
        if let Some(start) = change.find("<ResourceRecordSet>") {
            xml.push_str(&change[start..]);
        }
    }
    let is_truncated = page.next.is_some();
    let _ = write!(
        xml,
        "</ResourceRecordSets><IsTruncated>{is_truncated}</IsTruncated>"
    );
    if let Some(next) = &page.next {
        let _ = write!(
            xml,
            "<NextRecordName>{}</NextRecordName>",
            xml_text(&next.name)
        );
        for (field, text) in [
            ("NextRecordType", &next.rtype),
            ("NextRecordIdentifier", &next.identifier),
        ] {
            if let Some(text) = text {
                let _ = write!(xml, "<{field}>{}</{field}>", xml_text(text));
            }
        }
    }
    let _ = write!(xml, "</{ROOT}>");
    xml
}

/// A DELETE has to repeat to the letter what was listed.
fn writes_what_it_read(sets: &[RecordSet]) {
    let batch = ChangeBatch {
        deletes: sets.to_vec(),
        creates: sets.to_vec(),
    };
    let request = change_request(&batch);
    let request = read(&request, "ChangeResourceRecordSetsRequest").expect("what we write is XML");
    let changes = request
        .required("ChangeBatch")
        .unwrap()
        .required("Changes")
        .unwrap();
    let changes: Vec<_> = changes.children("Change").collect();
    assert_eq!(changes.len(), 2 * sets.len());
    for (index, (change, set)) in changes.iter().zip(sets.iter().chain(sets)).enumerate() {
        let action = if index < sets.len() {
            "DELETE"
        } else {
            "CREATE"
        };
        assert_eq!(change.text_of("Action"), Some(action));
        let written = change.required("ResourceRecordSet").unwrap();
        assert_eq!(written.text_of("Name"), Some(set.key.name.as_str()));
        assert_eq!(written.text_of("Type"), Some(set.key.rtype.as_str()));
        assert_eq!(written.text_of("SetIdentifier"), set.key.set_id.as_deref());
        assert_eq!(
            written.text_of("HealthCheckId"),
            set.health_check.as_deref()
        );
        let ttl = set.ttl().map(|ttl| ttl.to_string());
        assert_eq!(written.text_of("TTL"), ttl.as_deref());
        let records = written.child("ResourceRecords").into_iter();
        let values = records.flat_map(|records| records.children("ResourceRecord"));
        let values: Vec<_> = values
            .map(|record| record.text_of("Value").unwrap())
            .collect();
        assert!(values.iter().eq(set.values().iter()), "{values:?}");
        let target = written.child("AliasTarget");
        let target = target.map(|target| target.text_of("DNSName").unwrap());
        assert_eq!(target, set.alias().map(|target| target.name.as_str()));
    }
}
