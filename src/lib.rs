//! Keeps an Amazon Route 53 hosted zone equal to the services of a Rancher 1.x environment.
//!
//! Data flows one way. What does I/O stands at the edges; what decides is pure, between them:
//!
//! ```text
//!  Rancher's metadata                                     Rancher's API
//!        │ rancher::metadata (long poll)                        ▲ rancher::api
//!        ▼                                                      │
//!   rancher::model                                     daemon::writeback
//!        │ desired (address, name_template, skip)               ▲
//!        ▼                                                      │ names in the zone
//!     desired ───► plan ───► plan::batch ─► route53::client ─► reconcile
//!                   ▲ ▲                        │
//!         dns::zone ┘ └ plan::state_records    ▼
//!              ▲         ▲               Amazon Route 53
//!              └ reconcile::listing ───────────┘
//! ```
//!
//! [`daemon`] runs the loop, [`cli`] starts it or one of the other commands, [`config`] reads the
//! settings. [`aws`] has what any AWS client needs, above all [`aws::sigv4`] and
//! [`aws::credentials`]. [`net::http`] is the only way to the network, and [`net::resolver`] finds
//! the hosts for it. Three small threads run beside the loop: [`observe::server`] answers health
//! checks and shows the status, [`base::shutdown`] ends the process on a signal, and
//! [`base::output_queue`] writes the log. [`base::threads`] starts every thread.
//!
//! A file names only its own folder and folders that stand later in this list, and `rancher` and
//! `route53` never name each other. `tests/layers.rs` checks it.
//!
//! ```text
//! cli  daemon  config  reconcile  observe  plan  desired  rancher  route53  aws  dns  net  base
//! ```

// How long a function may be is in clippy.toml. Tables of tests are as long as they need to be.
#![cfg_attr(not(test), warn(clippy::too_many_lines))]

pub mod aws;
pub mod base;
pub mod cli;
pub mod config;
pub mod daemon;
pub mod desired;
pub mod dns;
pub mod net;
pub mod observe;
pub mod plan;
pub mod rancher;
pub mod reconcile;
pub mod route53;
