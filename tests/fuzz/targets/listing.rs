//! Route 53's listings: the XML of a page, and what we write of what was read.

#![no_main]

use std::fmt::Write as _;

use libfuzzer_sys::fuzz_target;
use rancher_route53::aws::xml::read;
use rancher_route53::dns::zone::Listed;
use rancher_route53::dns::{ChangeBatch, RecordSet};
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
    assert_eq!(page_of(&written(&page)).as_ref(), Some(&page));

    let simple = page.sets.iter().filter_map(|(_, held)| match held {
        Listed::Whole(set) => Some(set.clone()),
        Listed::Special | Listed::Extended { .. } => None,
    });
    let sets: Vec<RecordSet> = simple.collect();
    assert!(sets.iter().all(|set| !set.values.is_empty()));
    writes_what_it_read(&sets);
});

fn page_of(xml: &str) -> Option<ListPage> {
    list_page(&read(xml, ROOT).ok()?).ok()
}

/// As Route 53 would have it.
fn written(page: &ListPage) -> String {
    let mut xml = format!("<{ROOT}><ResourceRecordSets>");
    for (key, held) in &page.sets {
        let (name, rtype) = (xml_text(key.name.as_str()), xml_text(key.rtype.as_str()));
        let _ = write!(
            xml,
            "<ResourceRecordSet><Name>{name}</Name><Type>{rtype}</Type>"
        );
        match held {
            Listed::Special => xml.push_str("<AliasTarget/>"),
            Listed::Extended { element } => {
                let (own, inner) = match element.split_once('/') {
                    None => (format!("<{element}/>"), String::new()),
                    // Whatever it is called, this is no place for it.
                    Some((_, "ResourceRecord")) => (
                        String::new(),
                        "<ResourceRecord><Value/><ResourceRecord/></ResourceRecord>".to_owned(),
                    ),
                    Some((_, "Value")) => (String::new(), "<Value/>".to_owned()),
                    Some((_, inner)) => (String::new(), format!("<{inner}/>")),
                };
                let _ = write!(
                    xml,
                    "<TTL>0</TTL><ResourceRecords><ResourceRecord><Value>x</Value>\
                     </ResourceRecord>{inner}</ResourceRecords>{own}"
                );
            }
            Listed::Whole(set) => {
                let _ = write!(xml, "<TTL>{}</TTL><ResourceRecords>", set.ttl);
                for value in &set.values {
                    let value = xml_text(value);
                    let _ = write!(
                        xml,
                        "<ResourceRecord><Value>{value}</Value></ResourceRecord>"
                    );
                }
                xml.push_str("</ResourceRecords>");
            }
        }
        xml.push_str("</ResourceRecordSet>");
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
        assert_eq!(written.text_of("TTL"), Some(set.ttl.to_string().as_str()));
        let records = written.required("ResourceRecords").unwrap();
        let values = records.children("ResourceRecord");
        let values: Vec<_> = values
            .map(|record| record.text_of("Value").unwrap())
            .collect();
        assert!(values.iter().eq(set.values.iter()), "{values:?}");
    }
}
