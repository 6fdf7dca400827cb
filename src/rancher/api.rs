//! Rancher's API client: sends the events that write a service's name back.

use std::fmt;
use std::io::Read;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;

use crate::base::recorder::Recorder;
use crate::base::secret::Secret;
use crate::dns::Name;
use crate::net::http::{Http, Request, Response};
use crate::net::url::Url;
use crate::rancher::model::ServiceKey;

/// Largest document of schemas, in bytes; a real one has about half a megabyte.
const LARGEST_SCHEMAS: u64 = 8 * 1024 * 1024;
/// Largest answer to an event, and how much of an error is read, in bytes.
const LARGEST_ANSWER: u64 = 64 * 1024;
/// Paths tried for a URL that has none.
const PATHS: [&str; 2] = ["/v2-beta", "/v1"];

/// Why an event wasn't taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiError {
    /// Rancher takes events, but not this one.
    Refused(String),
    /// It takes none at present.
    Unavailable(String),
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ApiError::Refused(message) | ApiError::Unavailable(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for ApiError {}

/// What a container is labelled with whose keys may post events.
const LABELS: &str = "io.rancher.container.create_agent=true and \
                      io.rancher.container.agent.role=external-dns";

/// What the schemas say of events.
struct Found {
    collection: Url,
    may_post: bool,
}

/// A client of Rancher's API.
pub struct Api {
    http: Http,
    url: Url,
    authorization: Secret,
    secret_key: Secret,
    /// Where events go; found out at the first one.
    collection: Option<Url>,
    recorder: Recorder,
}

impl Api {
    /// A client; nothing is asked yet.
    pub fn new(
        http: Http,
        url: Url,
        access_key: &str,
        secret_key: &Secret,
        recorder: Recorder,
    ) -> Api {
        let pair = STANDARD.encode(format!("{access_key}:{}", secret_key.expose()));
        let authorization = Secret::new(format!("Basic {pair}"));
        Api {
            http,
            url,
            authorization,
            secret_key: secret_key.clone(),
            collection: None,
            recorder,
        }
    }

    /// Posts an `externalDnsEvent`: this service has this name. Each call that this takes may
    /// take `timeout`: one, or before the first event those that find out where events go, which
    /// are not made again when that is known.
    pub fn publish(
        &mut self,
        key: &ServiceKey,
        name: &Name,
        timeout: Duration,
    ) -> Result<(), ApiError> {
        let collection = match &self.collection {
            Some(collection) => collection.clone(),
            None => {
                let found = self.discover(timeout)?.collection;
                self.collection.insert(found).clone()
            }
        };
        let event = json!({
            "type": "externalDnsEvent",
            "eventType": "dns.update",
            "externalId": name.as_str(),
            "serviceName": key.service,
            "stackName": key.stack,
            "fqdn": name.without_dot(),
        });
        let response = self.call(
            "externalDnsEvent",
            &collection,
            event.to_string().as_bytes(),
            timeout,
        )?;
        match response.status {
            200..=299 => {
                if !is_json_object(response) {
                    let message =
                        format!("no answer of Rancher's at {collection}: check CATTLE_URL");
                    return Err(ApiError::Unavailable(message));
                }
                Ok(())
            }
            400 | 409 | 422 => Err(ApiError::Refused(self.explain(&collection, response))),
            status => {
                if status < 500 {
                    self.collection = None; // it may be elsewhere by now
                }
                Err(ApiError::Unavailable(self.explain(&collection, response)))
            }
        }
    }

    /// Where events go. An error if Rancher's schemas say that these keys may not post any; they
    /// are made for whoever asks.
    pub fn check(&self, timeout: Duration) -> Result<Url, ApiError> {
        let found = self.discover(timeout)?;
        match found.may_post {
            true => Ok(found.collection),
            false => Err(ApiError::Unavailable(format!(
                "Rancher's schemas at {} let nobody with these keys post externalDnsEvents; the \
                 container needs the labels {LABELS}",
                self.url
            ))),
        }
    }

    /// Finds the collection of events as Rancher's own clients do: the API's root names its
    /// schemas, and the schema of the event links to the collection.
    fn discover(&self, timeout: Duration) -> Result<Found, ApiError> {
        let (root, response) = self.root(timeout)?;
        let schemas = response
            .header("x-api-schemas")
            .and_then(|link| self.own(link));
        let found = match schemas {
            Some(schemas) => self.ask_for_collection(&schemas, timeout)?,
            None => None,
        };
        Ok(found.unwrap_or_else(|| Found {
            collection: root.with_path(&format!("{}/externaldnsevents", root.path())),
            may_post: false,
        }))
    }

    fn root(&self, timeout: Duration) -> Result<(Url, Response), ApiError> {
        let candidates: Vec<Url> = match self.url.path() {
            "" => PATHS.iter().map(|path| self.url.with_path(path)).collect(),
            _ => vec![self.url.clone()],
        };
        let mut failure = None;
        for url in candidates {
            let response = self.call("root", &url, b"", timeout)?;
            match response.status {
                200..=299 => return Ok((url, response)),
                404 => failure = Some(self.explain(&url, response)),
                _ => return Err(ApiError::Unavailable(self.explain(&url, response))),
            }
        }
        Err(ApiError::Unavailable(failure.unwrap_or_default()))
    }

    fn ask_for_collection(
        &self,
        schemas: &Url,
        timeout: Duration,
    ) -> Result<Option<Found>, ApiError> {
        let response = self.call("schemas", schemas, b"", timeout)?;
        if response.status != 200 {
            return Err(ApiError::Unavailable(self.explain(schemas, response)));
        }
        let json = std::io::BufReader::new(response.reader(LARGEST_SCHEMAS));
        let events = collection_in(json)
            .map_err(|error| ApiError::Unavailable(format!("{schemas}: {error}")))?;
        Ok(events.and_then(|events| {
            Some(Found {
                collection: self.own(&events.link)?,
                may_post: events.may_post,
            })
        }))
    }

    /// A link of Rancher's, on the server that the setting names: the keys go nowhere else,
    /// also where Rancher believes to be at another address than it is seen from here.
    fn own(&self, link: &str) -> Option<Url> {
        let link = Url::parse(link).ok()?;
        Some(self.url.with_path(link.path()))
    }

    /// What Rancher answered, and for what an operator can mend, how.
    fn explain(&self, url: &Url, response: Response) -> String {
        let status = response.status;
        let may_not =
            format!(": the keys may not do this; the container needs the labels {LABELS}");
        let hint = match status {
            401 => ": Rancher does not know CATTLE_ACCESS_KEY and CATTLE_SECRET_KEY",
            403 => &may_not,
            404 => ": check CATTLE_URL",
            300..=399 => ": redirects are not followed, check CATTLE_URL",
            _ => "",
        };
        let words = response.text(LARGEST_ANSWER).ok().and_then(|text| {
            let error: serde_json::Value = serde_json::from_str(&text).ok()?;
            let word = |field: &str| error.get(field)?.as_str().map(str::to_owned);
            word("message").or_else(|| word("code"))
        });
        match words {
            // A server may quote what it was sent.
            Some(words) => {
                let words = self.authorization.redact(&self.secret_key.redact(&words));
                format!("status {status} at {url}{hint} ({words:.200})")
            }
            None => format!("status {status} at {url}{hint}"),
        }
    }

    fn call(
        &self,
        operation: &'static str,
        url: &Url,
        body: &[u8],
        timeout: Duration,
    ) -> Result<Response, ApiError> {
        let mut headers = vec![
            ("authorization", self.authorization.expose()),
            ("accept", "application/json"),
        ];
        let mut method = "GET";
        if !body.is_empty() {
            method = "POST";
            headers.push(("content-type", "application/json"));
        }
        let target = url.to_string();
        let request = Request {
            method,
            url: &target,
            headers: &headers,
            body,
            timeout,
        };
        let started = Instant::now();
        let sent = self.http.send(&request);
        self.recorder.http_call(
            "rancher",
            operation,
            sent.as_ref().ok().map(|r| r.status),
            started,
        );
        sent.map_err(|error| {
            let place = if error.is_of_proxy {
                "; asked for"
            } else {
                " at"
            };
            ApiError::Unavailable(format!("{error}{place} {url}"))
        })
    }
}

/// What Rancher's schemas say of `externalDnsEvent`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Events {
    /// Link to the collection.
    pub link: String,
    /// Whether whoever has asked may post to it.
    pub may_post: bool,
}

/// Reads the document of schemas: what it says of `externalDnsEvent`, if it has one.
pub fn collection_in(json: impl Read) -> Result<Option<Events>, serde_json::Error> {
    #[derive(Deserialize)]
    struct Schemas {
        data: Vec<Schema>,
    }
    #[derive(Deserialize)]
    struct Schema {
        #[serde(default)]
        id: Option<String>,
        #[serde(default)]
        links: Option<Links>,
        #[serde(default, rename = "collectionMethods")]
        methods: Option<Vec<String>>,
    }
    #[derive(Deserialize)]
    struct Links {
        #[serde(default)]
        collection: Option<String>,
    }
    let schemas: Schemas = serde_json::from_reader(json)?;
    let mut schemas = schemas.data.into_iter();
    let event = schemas.find(|schema| schema.id.as_deref() == Some("externalDnsEvent"));
    Ok(event.and_then(|schema| {
        let may_post = schema
            .methods
            .is_none_or(|methods| methods.iter().any(|method| method == "POST"));
        Some(Events {
            link: schema.links?.collection?,
            may_post,
        })
    }))
}

/// Whether an answer is the resource that Rancher sends back, and not the page of a proxy.
fn is_json_object(response: Response) -> bool {
    let resource = response
        .text(LARGEST_ANSWER)
        .ok()
        .and_then(|text| serde_json::from_str(&text).ok());
    matches!(resource, Some(serde_json::Value::Object(_)))
}
