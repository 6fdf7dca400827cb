//! rancher-route53
