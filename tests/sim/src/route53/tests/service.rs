//! The service over the wire: operations, paging, errors, limits and faults.

use super::super::{
    AccountBuckets, Fault, Limit, Operation, Options, RecordSet, Route53, reversed_name,
};
use super::client::{batch, get, post};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

const CHANGE: Option<Operation> = Some(Operation::ChangeResourceRecordSets);

fn server(options: Options) -> Route53 {
    let server = Route53::start(options);
    server.add_zone("Z1", "example.com", false);
    server
}

fn create(server: &Route53, name: &str) -> Option<super::client::Answer> {
    post(
        &server.url(),
        "Z1",
        &batch(&[("CREATE", name, "192.0.2.1")]),
    )
}

fn holds(server: &Route53, name: &str) -> bool {
    server.edit("Z1", |zone| zone.get(name, "A").is_some())
}

#[test]
fn changes_a_zone_and_tells_how_far_the_change_is() {
    let server = server(Options {
        insync_after: Duration::from_millis(200),
        ..Options::default()
    });
    let answer = create(&server, "Web.example.com").unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    let id = answer.element("Id").unwrap();
    let path = id.strip_prefix("/").unwrap();
    assert_eq!(answer.element("Status").as_deref(), Some("PENDING"));
    let status = |path: &str| get(&server.url(), path).element("Status");
    assert_eq!(status(path).as_deref(), Some("PENDING"));
    thread::sleep(Duration::from_millis(210));
    assert_eq!(status(path).as_deref(), Some("INSYNC"));
    let unknown = get(&server.url(), "change/CNONE");
    assert_eq!(unknown.element("Code").as_deref(), Some("NoSuchChange"));
    let set = RecordSet::simple("web.example.com", "A", 60, &["192.0.2.1"]);
    assert!(server.record_sets("Z1").contains(&set));
    let request = &server.requests()[0];
    assert!(request.applied);
    let counted = (
        request.changes,
        request.resource_records,
        request.characters,
    );
    assert_eq!(counted, (1, 1, 9));
    assert_eq!(request.batch.as_ref().unwrap()[0].record_set, set);
}

#[test]
fn lists_in_pages_from_where_it_is_told() {
    let server = server(Options::default());
    server.edit("Z1", |zone| {
        for n in 0..400 {
            let name = format!("n{n}.example.com");
            zone.put(RecordSet::simple(&name, "A", 60, &["192.0.2.1"]));
        }
        for id in ["b", "a"] {
            let set = RecordSet::simple("*.w.example.com", "A", 60, &["192.0.2.1"]);
            zone.put(set.weighted(id, 1));
        }
    });
    let list = |query: &str| get(&server.url(), &format!("hostedzone/Z1/rrset{query}"));
    let count = |text: &str| text.matches("<ResourceRecordSet>").count();
    let first = list("");
    assert_eq!(count(&first.text()), 300);
    assert_eq!(first.element("IsTruncated").as_deref(), Some("true"));
    assert_eq!(first.element("MaxItems").as_deref(), Some("300"));
    let next = first.element("NextRecordName").unwrap();
    let second = list(&format!("?name={next}&type=A"));
    assert_eq!(count(&second.text()), 104);
    assert_eq!(second.element("IsTruncated").as_deref(), Some("false"));
    assert_eq!(second.element("Name").as_deref(), Some(next.as_str()));
    assert_eq!(count(&list("?maxitems=7").text()), 7);
    assert_eq!(count(&list("?maxitems=1000").text()), 300);
    let page = list("?name=%2A.w.example.com&type=A&maxitems=1");
    assert_eq!(
        page.element("Name").as_deref(),
        Some("\\052.w.example.com.")
    );
    assert_eq!(page.element("SetIdentifier").as_deref(), Some("a"));
    assert_eq!(page.element("NextRecordIdentifier").as_deref(), Some("b"));
    let page = list("?name=%2A.w.example.com&type=A&identifier=b");
    assert_eq!(page.element("SetIdentifier").as_deref(), Some("b"));
    // A name after all others, and one that the zone doesn't hold.
    assert_eq!(count(&list("?name=zzz.example.com").text()), 0);
    assert_eq!(
        list("?name=n10a.example.com").element("Name").as_deref(),
        Some("n11.example.com.")
    );
    for query in [
        "?type=A",
        "?name=a.example.com&identifier=x",
        "?name=a.example.com&type=WKS",
        "?maxitems=0",
        "?maxitems=many",
    ] {
        let answer = list(query);
        assert_eq!(answer.status, 400, "{query}");
        assert_eq!(answer.element("Code").as_deref(), Some("InvalidInput"));
    }
}

#[test]
fn listings_are_in_the_order_of_reversed_names() {
    let server = server(Options::default());
    for name in ["b.a.example.com", "a-b.example.com", "a.example.com"] {
        create(&server, name).unwrap();
    }
    let keys: Vec<(String, String)> = server
        .record_sets("Z1")
        .iter()
        .map(|set| (reversed_name(&set.name), set.rtype.clone()))
        .collect();
    assert!(keys.is_sorted());
    assert_eq!(keys[2].0, "com.example.a-b.");
    let xml = server.edit("Z1", |zone| zone.list_xml(None, None, None, Some(1)));
    assert!(xml.starts_with("<?xml version=\"1.0\"?>\n<ListResourceRecordSetsResponse xmlns="));
    assert!(xml.contains("<Name>example.com.</Name><Type>NS</Type><TTL>172800</TTL>"));
    assert!(xml.contains("<NextRecordName>example.com.</NextRecordName><NextRecordType>SOA<"));
}

#[test]
fn lists_zones_by_name_from_a_start_and_not_as_a_filter() {
    let server = server(Options::default());
    server.add_zone("Z0", "example.com", true);
    server.add_zone("Z2", "example.org", false);
    server.add_zone("Z3", "a.example.com", false);
    let list = |query: &str| get(&server.url(), &format!("hostedzonesbyname{query}"));
    let ids = |query: &str| -> Vec<String> {
        let text = list(query).text();
        text.split("<Id>/hostedzone/")
            .skip(1)
            .map(|rest| rest[..2].to_owned())
            .collect()
    };
    assert_eq!(ids(""), ["Z0", "Z1", "Z3", "Z2"]);
    assert_eq!(ids("?dnsname=a.example.com"), ["Z3", "Z2"]);
    assert_eq!(
        ids("?dnsname=Example.com.&hostedzoneid=Z1"),
        ["Z1", "Z3", "Z2"]
    );
    let page = list("?dnsname=example.com&maxitems=1");
    assert_eq!(page.element("IsTruncated").as_deref(), Some("true"));
    assert_eq!(page.element("NextDNSName").as_deref(), Some("example.com."));
    assert_eq!(page.element("NextHostedZoneId").as_deref(), Some("Z1"));
    assert_eq!(page.element("PrivateZone").as_deref(), Some("true"));
    assert_eq!(list("?hostedzoneid=Z1").status, 400);
    assert_eq!(
        list("?dnsname=a..b").element("Code").as_deref(),
        Some("InvalidDomainName")
    );
    let all = get(&server.url(), "hostedzone?maxitems=2");
    assert_eq!(all.element("NextMarker").as_deref(), Some("Z2"));
    let zone = get(&server.url(), "hostedzone/Z1");
    assert_eq!(zone.element("ResourceRecordSetCount").as_deref(), Some("2"));
}

#[test]
fn knows_its_zones_and_its_paths() {
    let server = server(Options::default());
    for path in ["hostedzone/ZNONE", "hostedzone/ZNONE/rrset"] {
        let answer = get(&server.url(), path);
        assert_eq!(answer.status, 404);
        assert_eq!(answer.element("Code").as_deref(), Some("NoSuchHostedZone"));
    }
    let body = batch(&[("CREATE", "a.example.com", "192.0.2.1")]);
    assert_eq!(post(&server.url(), "ZNONE", &body).unwrap().status, 404);
    for path in ["hostedzone/Z1/rrset/", "health", ""] {
        let answer = get(&server.url(), path);
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(
            answer.element("Code").as_deref(),
            Some("UnknownOperationException")
        );
    }
    let last = server.requests().pop().unwrap();
    assert_eq!((last.operation, last.status), (None, 404));
}

#[test]
fn a_refused_batch_is_told_in_either_form() {
    let server = server(Options::default());
    let bad = batch(&[
        ("DELETE", "a.example.com", "192.0.2.1"),
        ("DELETE", "b.example.com", "192.0.2.1"),
    ]);
    let answer = post(&server.url(), "Z1", &bad).unwrap();
    assert_eq!(answer.status, 400);
    let text = answer.text();
    assert!(text.contains("<InvalidChangeBatch xmlns="), "{text}");
    assert_eq!(text.matches("<Message>").count(), 2);
    server.configure(|options| options.old_error_form = true);
    let answer = post(&server.url(), "Z1", &bad).unwrap();
    let message = answer.element("Message").unwrap();
    assert!(answer.text().contains("<ErrorResponse xmlns="));
    assert_eq!(
        answer.element("Code").as_deref(),
        Some("InvalidChangeBatch")
    );
    assert!(message.starts_with("[Tried to delete") && message.ends_with("was not found]"));
    let request = server.requests().pop().unwrap();
    assert_eq!(request.code.as_deref(), Some("InvalidChangeBatch"));
    assert!(!request.applied && request.changes == 2);
}

#[test]
fn faults_happen_as_asked() {
    let server = server(Options::default());
    let once = |fault| server.inject(CHANGE, fault, 1);
    for (name, fault, applied) in [
        ("a.example.com", Fault::DropBefore, false),
        ("b.example.com", Fault::DropAfter, true),
        (
            "c.example.com",
            Fault::Hang(Duration::from_millis(30)),
            false,
        ),
    ] {
        once(fault.clone());
        assert!(create(&server, name).is_none(), "{fault:?}");
        assert_eq!(holds(&server, name), applied, "{fault:?}");
        let request = server.requests().pop().unwrap();
        assert_eq!((request.status, request.applied), (0, applied));
    }
    for (name, fault, status, code, applied) in [
        (
            "d.example.com",
            Fault::Status(503),
            503,
            "ServiceUnavailable",
            false,
        ),
        (
            "e.example.com",
            Fault::Status(500),
            500,
            "InternalFailure",
            false,
        ),
        (
            "f.example.com",
            Fault::StatusAfter(500),
            500,
            "InternalFailure",
            true,
        ),
        ("g.example.com", Fault::Throttle, 400, "Throttling", false),
        (
            "h.example.com",
            Fault::PriorRequestNotComplete,
            400,
            "PriorRequestNotComplete",
            false,
        ),
    ] {
        once(fault.clone());
        let answer = create(&server, name).unwrap();
        assert_eq!(answer.status, status, "{fault:?}");
        assert_eq!(answer.element("Code").as_deref(), Some(code), "{fault:?}");
        assert_eq!(holds(&server, name), applied, "{fault:?}");
    }
    once(Fault::Page(403));
    let answer = create(&server, "n.example.com").unwrap();
    assert_eq!((answer.status, answer.element("Code")), (403, None));
    assert!(answer.text().contains("<html>") && !holds(&server, "n.example.com"));
    once(Fault::CutAfter(40));
    let answer = create(&server, "i.example.com").unwrap();
    assert_eq!((answer.status, answer.body.len()), (200, 40));
    once(Fault::Garbled);
    let answer = create(&server, "j.example.com").unwrap();
    assert!(answer.status == 200 && roxmltree::Document::parse(&answer.text()).is_err());
    once(Fault::HugeBody(1_000_000));
    let answer = create(&server, "k.example.com").unwrap();
    assert!(answer.body.len() >= 1_000_000);
    assert!(roxmltree::Document::parse(&answer.text()).is_ok());
    once(Fault::Delay(Duration::from_millis(60)));
    let start = Instant::now();
    create(&server, "l.example.com").unwrap();
    assert!(start.elapsed() >= Duration::from_millis(60));
    for name in ["i", "j", "k", "l"] {
        assert!(holds(&server, &format!("{name}.example.com")), "{name}");
    }
    once(Fault::Throttle);
    server.clear_faults();
    assert_eq!(create(&server, "m.example.com").unwrap().status, 200);
}

#[test]
fn writes_to_one_zone_must_not_overlap() {
    let server = Arc::new(server(Options {
        latency: Duration::from_millis(300),
        ..Options::default()
    }));
    let first = {
        let server = server.clone();
        thread::spawn(move || create(&server, "a.example.com").unwrap().status)
    };
    assert!(server.wait_until(Duration::from_secs(5), |state| {
        state.in_flight(Operation::ChangeResourceRecordSets) == 1
    }));
    thread::sleep(Duration::from_millis(50));
    let second = create(&server, "b.example.com").unwrap();
    assert_eq!(
        second.element("Code").as_deref(),
        Some("PriorRequestNotComplete")
    );
    assert_eq!(first.join().unwrap(), 200);
    assert_eq!(create(&server, "b.example.com").unwrap().status, 200);
}

#[test]
fn an_account_is_throttled_over_all_its_servers() {
    let none = |burst| Limit {
        burst,
        per_second: 0.0,
    };
    let buckets = Arc::new(AccountBuckets::with_limits(none(3.0), none(2.0)));
    let options = Options {
        buckets: Some(buckets),
        ..Options::default()
    };
    let (one, two) = (server(options.clone()), server(options));
    assert_eq!(get(&one.url(), "hostedzone").status, 200);
    let upsert = batch(&[("UPSERT", "a.example.com", "192.0.2.1")]);
    assert_eq!(post(&two.url(), "Z1", &upsert).unwrap().status, 200);
    let more = create(&two, "b.example.com").unwrap();
    assert_eq!((more.status, holds(&two, "b.example.com")), (400, false));
    assert_eq!(
        more.element("Message").as_deref(),
        Some("Rate for operation ChangeResourceRecordSets exceeded")
    );
    let more = get(&one.url(), "hostedzone");
    assert_eq!(more.element("Code").as_deref(), Some("Throttling"));
    assert_eq!(more.element("Message").as_deref(), Some("Rate exceeded"));
}

#[test]
fn tells_who_watches_and_who_waits() {
    let server = Arc::new(server(Options::default()));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = seen.clone();
    server.observe(move |zone, id| sink.lock().unwrap().push((id.to_owned(), zone.len())));
    let waiting = {
        let server = server.clone();
        thread::spawn(move || {
            server.wait_until(Duration::from_secs(5), |state| {
                state.zone("Z1").is_some_and(|zone| zone.len() == 3) && state.requests().len() == 2
            })
        })
    };
    create(&server, "a.example.com").unwrap();
    create(&server, "a.example.com").unwrap();
    assert!(waiting.join().unwrap());
    assert_eq!(*seen.lock().unwrap(), [("Z1".to_owned(), 3)]);
    assert!(!server.wait_until(Duration::from_millis(10), |_| false));
    server.clear_requests();
    assert!(server.requests().is_empty());
}

#[test]
fn tells_what_a_zone_was_before_and_whose_work_it_is_now() {
    let server = server(Options::default());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = seen.clone();
    server.watch(move |written| {
        let batch = written.batch.map(<[_]>::len);
        let sizes = (written.before.len(), written.after.len());
        sink.lock().unwrap().push((batch, sizes));
    });
    create(&server, "a.example.com").unwrap();
    create(&server, "a.example.com").unwrap(); // refused
    server.edit("Z1", |zone| zone.len()); // nothing but a look
    server.edit("Z1", |zone| zone.remove("a.example.com", "A"));
    assert_eq!(*seen.lock().unwrap(), [(Some(1), (2, 3)), (None, (3, 2))]);
}

#[test]
fn goes_down_and_comes_back_where_it_was() {
    let server = server(Options::default());
    create(&server, "a.example.com").unwrap();
    server.go_down();
    let address = server.url();
    let address = address.strip_prefix("http://").unwrap();
    assert!(std::net::TcpStream::connect(address).is_err());
    server.come_up();
    assert_eq!(get(&server.url(), "hostedzone/Z1").status, 200);
    assert!(holds(&server, "a.example.com"));
}
