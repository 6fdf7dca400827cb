//! Starts named threads with a given stack size.
//!
//! The work is passed as a `Box`, because `std::thread::Builder::spawn` is compiled again for each
//! type of closure, and each copy takes 2 kB of the binary.

use std::io;
use std::thread::{Builder, Scope};

use crate::base::text::system_words;

/// Stack of a thread that does little work, in bytes.
pub const SMALL_STACK: usize = 64 * 1024;
/// Stack of a thread that may send requests, in bytes: the standard library's default.
pub const DEFAULT_STACK: usize = 2 * 1024 * 1024;

/// Starts a thread that nobody waits for. The error says that no thread can be started.
pub fn start(name: &str, stack: usize, work: Box<dyn FnOnce() + Send>) -> io::Result<()> {
    without_handle(builder(name, stack).spawn(work))
}

/// Starts a thread that ends before the scope does.
pub fn start_scoped<'scope>(
    scope: &'scope Scope<'scope, '_>,
    name: &str,
    stack: usize,
    work: Box<dyn FnOnce() + Send + 'scope>,
) -> io::Result<()> {
    without_handle(builder(name, stack).spawn_scoped(scope, work))
}

fn builder(name: &str, stack: usize) -> Builder {
    Builder::new().name(name.to_owned()).stack_size(stack)
}

fn without_handle<T>(thread: io::Result<T>) -> io::Result<()> {
    match thread {
        Ok(_) => Ok(()),
        Err(error) => Err(io::Error::other(format!(
            "no thread can be started: {}",
            system_words(&error)
        ))),
    }
}
