//! Keeps an Amazon Route 53 hosted zone equal to the services of a Rancher 1.x environment.
//!
//! Data flows one way. What does I/O stands at the edges; what decides is pure, between them:
//!
//! ```text
//!  Rancher's metadata                                     Rancher's API
//!        │ rancher::metadata (long poll)                        ▲ rancher::api
//!        ▼                                                      │
//!  rancher::snapshot                                   rancher::writeback
//!        │ desired (published, template, skip)                  ▲
//!        ▼                                                      │ names in the zone
//!     desired ───► plan ───► batch ───► route53::client ───► reconcile
//!                   ▲ ▲                        │
//!         dns::zone ┘ └ ownership              ▼
//!              ▲         ▲               Amazon Route 53
//!              └ listing ┴─────────────────────┘
//! ```
//!
//! [`daemon`] runs the loop, [`commands`] starts it, [`config`] reads the settings. [`aws`] has
//! what any AWS client needs, above all [`aws::sigv4`] and [`aws::credentials`], which are asked
//! for before each call. [`http`] is the one way to the network; [`resolver`] finds the hosts for
//! it. Beside the loop there are two tiny threads: [`health`] answers health checks, [`shutdown`]
//! ends the process on a signal. A third lives only while credentials are being renewed
//! ([`aws::credentials::provider`]), and one at the start, which looks up the zone ([`startup`]).
//! [`threads`] starts them.

pub mod aws;
pub mod batch;
pub mod change_log;
pub mod commands;
pub mod config;
pub mod daemon;
pub mod desired;
pub mod dns;
pub mod guard;
pub mod health;
pub mod heartbeat;
pub mod http;
pub mod listing;
pub mod log;
pub mod ownership;
pub mod pace;
pub mod parts;
pub mod plan;
pub mod published;
pub mod quarantine;
pub mod rancher;
pub mod reconcile;
pub mod report;
pub mod resolver;
pub mod round;
pub mod route53;
pub mod secret;
pub mod shutdown;
pub mod skip;
pub mod sorted;
pub mod startup;
pub mod status;
pub mod summary;
pub mod telemetry;
pub mod template;
pub mod threads;
pub mod tls;
pub mod url;
pub mod version;
pub mod xml;
