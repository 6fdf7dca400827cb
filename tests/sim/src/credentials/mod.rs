//! Simulated sources of AWS credentials: STS, an EC2 instance's metadata and a container's
//! endpoint. What they issue is valid with the simulated Route 53.
//!
//! ```text
//!              ┌─ Sts        web identity tokens, or signatures, for credentials of a role
//! Issuer ──────┼─ Instance   IMDSv2: a token, the role's name, its credentials
//!   │          └─ Container  ECS and EKS Pod Identity: an authorization token for credentials
//!   ▼
//! Keyring of Route 53
//! ```
//!
//! Each is an [`Endpoint`], which can be told to misbehave.

mod container;
mod endpoint;
mod instance;
mod issuer;
mod sts;

pub use container::{Container, ECS_PATH, start_ecs};
pub use endpoint::{Endpoint, Fault};
pub use instance::Instance;
pub use issuer::Issuer;
pub use sts::{Role, Sts, StsOptions};

#[cfg(test)]
mod tests;
