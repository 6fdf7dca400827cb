//! The client of Rancher's API, which writes the published name of a service back to Rancher.
//!
//! In: a service and its name. Out: a POST of an `externalDnsEvent`, upon which Rancher shows the
//! name as the service's `fqdn`; or an [`ApiError`].

use std::fmt;
use std::io::Read;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::json;

use crate::base::recorder::Recorder;
use crate::base::redactor::shortened;
use crate::base::secret::Secret;
use crate::dns::Name;
use crate::net::basic_auth;
use crate::net::http::{Http, Request, Response};
use crate::net::url::Url;
use crate::rancher::model::ServiceKey;

/// Largest document of schemas that is read, in bytes. A real one has about half a megabyte.
const MAX_SCHEMAS: u64 = 8 * 1024 * 1024;
/// Largest answer to an event, and largest error answer, that is read, in bytes.
const MAX_ANSWER: u64 = 64 * 1024;
/// Characters of Rancher's error message that are shown.
const MAX_WORDS: usize = 200;
/// Paths of the API's root that are tried, in this order, if `CATTLE_URL` has no path.
const DEFAULT_PATHS: [&str; 2] = ["/v2-beta", "/v1"];

/// Why Rancher has not taken an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiError {
    /// Rancher takes events, but refuses this one. Holds the message for the operator.
    Refused(String),
    /// Rancher takes no events at present. Holds the message for the operator.
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

/// The labels that a container needs for Rancher to give it API keys that may post events.
const REQUIRED_LABELS: &str = "io.rancher.container.create_agent=true and \
                      io.rancher.container.agent.role=external-dns";

/// The collection to which events are posted.
struct EventCollection {
    url: Url,
    /// Whether Rancher's schemas say that our keys may post to it. An error if there are no schemas.
    may_post: Result<bool, NoSchemas>,
}

/// Why there are no schemas.
#[derive(Debug, Clone, Copy)]
enum NoSchemas {
    /// What answers isn't Rancher's API.
    OtherServer,
    /// Rancher's link to them leads to nothing. Events may be taken all the same.
    BadLink,
}

/// Rancher's document of schemas.
enum Schemas {
    /// There is none.
    Missing(NoSchemas),
    /// It has no schema of events with a link that can be used.
    WithoutEvents,
    /// It has one.
    WithEvents(EventCollection),
}

/// The client.
pub struct Api {
    http: Http,
    url: Url,
    authorization: Secret,
    /// URL to which events are posted. It is found out before the first event.
    collection: Option<Url>,
    recorder: Recorder,
}

impl Api {
    /// Makes a client. No request is sent yet.
    pub fn new(
        http: Http,
        url: Url,
        access_key: &str,
        secret_key: &Secret,
        recorder: Recorder,
    ) -> Api {
        Api {
            http,
            url,
            authorization: basic_auth::header(access_key, secret_key.expose()),
            collection: None,
            recorder,
        }
    }

    /// Posts an `externalDnsEvent`, which tells Rancher the name of a service.
    ///
    /// `timeout` is for each request. There is one request for the event. Before the first event
    /// there are up to three more, to find out the URL to which events are posted.
    pub fn publish(
        &mut self,
        key: &ServiceKey,
        name: &Name,
        timeout: Duration,
    ) -> Result<(), ApiError> {
        let collection = match &self.collection {
            Some(collection) => collection.clone(),
            None => {
                let found = self.discover(timeout)?.url;
                self.collection.insert(found).clone()
            }
        };
        let event = json!({
            "type": "externalDnsEvent",
            "eventType": "dns.update",
            "externalId": name.shown(),
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
                    return Err(ApiError::Unavailable(format!(
                        "the answer at {collection} is not from Rancher's API: check CATTLE_URL"
                    )));
                }
                Ok(())
            }
            400 | 409 | 422 => Err(ApiError::Refused(self.explain(&collection, response))),
            status => {
                if status < 500 {
                    self.collection = None; // find it again, it may have moved
                }
                Err(ApiError::Unavailable(self.explain(&collection, response)))
            }
        }
    }

    /// The URL to which events are posted, and what is in doubt about it. An error if our keys may not
    /// post events, as far as Rancher's schemas say: Rancher makes the schemas for the keys that ask for
    /// them.
    pub fn check(&self, timeout: Duration) -> Result<(Url, Option<String>), ApiError> {
        let found = self.discover(timeout)?;
        let unknown = |why| {
            let url = &found.url;
            format!(
                "{why}, so whether the keys may post events at {url} can't be told: check CATTLE_URL"
            )
        };
        match found.may_post {
            Ok(true) => return Ok((found.url, None)),
            Ok(false) => {}
            Err(NoSchemas::BadLink) => {
                let why = format!("Rancher's link at {} leads to no schemas", self.url);
                let doubt = unknown(why);
                return Ok((found.url, Some(doubt)));
            }
            Err(NoSchemas::OtherServer) => {
                let why = format!("{} gives no answer of Rancher's API", self.url);
                return Err(ApiError::Unavailable(unknown(why)));
            }
        }
        Err(ApiError::Unavailable(format!(
            "the keys may not post externalDnsEvents, say Rancher's schemas at {}; the container \
             needs the labels {REQUIRED_LABELS}",
            self.url
        )))
    }

    /// Finds the collection of events as Rancher's own clients do: the API's root links to the
    /// schemas, and the schema of events links to the collection.
    fn discover(&self, timeout: Duration) -> Result<EventCollection, ApiError> {
        let (root, response) = self.root(timeout)?;
        let schemas = response
            .header("x-api-schemas")
            .and_then(|link| self.at_configured_server(link));
        let schemas = match schemas {
            Some(schemas) => self.schemas(&schemas, timeout)?,
            None => Schemas::Missing(NoSchemas::OtherServer),
        };
        let may_post = match schemas {
            Schemas::WithEvents(collection) => return Ok(collection),
            Schemas::WithoutEvents => Ok(false),
            Schemas::Missing(why) => Err(why),
        };
        Ok(EventCollection {
            url: root.with_path(&format!("{}/externaldnsevents", root.path())),
            may_post,
        })
    }

    /// The URL of the API's root, and its answer.
    fn root(&self, timeout: Duration) -> Result<(Url, Response), ApiError> {
        let candidates: Vec<Url> = match self.url.path() {
            "" => DEFAULT_PATHS
                .iter()
                .map(|path| self.url.with_path(path))
                .collect(),
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

    /// What the schemas say. A link may lead to nothing if a proxy in between adds or removes a part of
    /// the path.
    fn schemas(&self, url: &Url, timeout: Duration) -> Result<Schemas, ApiError> {
        let response = self.call("schemas", url, b"", timeout)?;
        match response.status {
            200 => {}
            404 => return Ok(Schemas::Missing(NoSchemas::BadLink)),
            _ => return Err(ApiError::Unavailable(self.explain(url, response))),
        }
        let unreadable = |error: &dyn fmt::Display| {
            let error = shortened(&error.to_string(), MAX_WORDS);
            ApiError::Unavailable(format!(
                "what is at {url} can't be read as Rancher's schemas ({error}): check CATTLE_URL"
            ))
        };
        let json = response.reader(MAX_SCHEMAS).map_err(|e| unreadable(&e))?;
        let schema = event_schema(std::io::BufReader::new(json)).map_err(|e| unreadable(&e))?;
        let collection = schema.and_then(|schema| {
            Some(EventCollection {
                url: self.at_configured_server(&schema.collection)?,
                may_post: Ok(schema.may_post),
            })
        });
        Ok(collection.map_or(Schemas::WithoutEvents, Schemas::WithEvents))
    }

    /// The path of a link from Rancher, at the server that `CATTLE_URL` names. The keys must go
    /// nowhere else, and Rancher may know itself by an address that we cannot reach.
    fn at_configured_server(&self, link: &str) -> Option<Url> {
        let link = Url::parse(link).ok()?;
        Some(self.url.with_path(link.path()))
    }

    /// The message for an error answer: what Rancher says, and what the operator can do.
    fn explain(&self, url: &Url, response: Response) -> String {
        let status = response.status;
        let words = response.text(MAX_ANSWER).ok().and_then(|text| {
            let error: serde_json::Value = serde_json::from_str(&text).ok()?;
            let word = |field: &str| error.get(field)?.as_str().map(str::to_owned);
            word("message").or_else(|| word("code"))
        });
        let may_not =
            format!(": the keys may not do this; the container needs the labels {REQUIRED_LABELS}");
        let hint = match status {
            300..=399 => ": redirects are not followed, check CATTLE_URL",
            500.. => ": look at Rancher's server, or at what stands before it at CATTLE_URL",
            // Rancher says why, in JSON. A page is another server's.
            401 | 403 if words.is_none() => {
                ", which is no answer of Rancher's API: check CATTLE_URL"
            }
            401 => {
                ": Rancher does not know CATTLE_ACCESS_KEY and CATTLE_SECRET_KEY: they have to be \
                 those that it gave this container"
            }
            403 => &may_not,
            _ => ": check CATTLE_URL",
        };
        match words {
            Some(words) => {
                let words = shortened(&words, MAX_WORDS);
                format!("status {status} at {url}{hint} ({words})")
            }
            None => format!("status {status} at {url}{hint}"),
        }
    }

    /// Sends one request: a POST if there is a body, else a GET.
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
            ApiError::Unavailable(match (error.is_explained, error.is_unsent) {
                (true, _) => format!("{error}; asked for {url} (CATTLE_URL)"),
                (false, true) => format!("{error}, or CATTLE_URL"),
                (false, false) => {
                    format!("{error} at {url}: check CATTLE_URL, and whether Rancher's server runs")
                }
            })
        })
    }
}

/// Rancher's schema of `externalDnsEvent`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventSchema {
    /// Link to the collection of events.
    pub collection: String,
    /// Whether the keys that asked for the schema may post to the collection.
    pub may_post: bool,
}

/// Reads the schema of `externalDnsEvent` from the document of all schemas. `None` if the document
/// has none with a link to the collection.
pub fn event_schema(json: impl Read) -> Result<Option<EventSchema>, serde_json::Error> {
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
        Some(EventSchema {
            collection: schema.links?.collection?,
            may_post,
        })
    }))
}

/// Whether an answer is a JSON object, as Rancher's answer to an event is, and not a proxy's page.
fn is_json_object(response: Response) -> bool {
    let resource = response
        .text(MAX_ANSWER)
        .ok()
        .and_then(|text| serde_json::from_str(&text).ok());
    matches!(resource, Some(serde_json::Value::Object(_)))
}
