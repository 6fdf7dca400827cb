//! Texts that few record sets have, such as a set identifier.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// A text of which clones share one copy. It takes one word where it stands, half of what an
/// `Arc<str>` takes: each record set that is kept has several places for such a text, and nearly all
/// of them are empty.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SharedText(Arc<String>);

impl From<&str> for SharedText {
    fn from(text: &str) -> SharedText {
        SharedText(Arc::new(text.to_owned()))
    }
}

impl Deref for SharedText {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SharedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}
