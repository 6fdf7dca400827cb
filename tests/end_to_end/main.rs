//! The whole program, as a process, against the simulated Rancher and Route 53.

mod absence;
mod api_outage;
mod big_zones;
mod chaos;
mod commands;
mod credentials;
mod guard;
mod health;
mod limits;
mod logs;
mod metadata_faults;
mod metrics;
mod ownership;
mod proxies;
mod quarantine;
mod quiet;
mod road;
mod route53_faults;
mod settings;
mod signals;
mod stage;
mod startup;
mod status;
mod tls;
mod two_instances;
mod writeback;
