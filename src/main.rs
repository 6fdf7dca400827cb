//! rancher-route53
fn main() {}
