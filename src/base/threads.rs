//! Starts the threads besides the main one. Their work is boxed, since the standard library's
//! start of a thread is compiled once for each kind of work, 2 kB each.

use std::io;
use std::thread::{Builder, Scope};

/// Stack of a thread that doesn't do much, in bytes.
pub const SMALL_STACK: usize = 64 * 1024;
/// Stack of one that may make a request, in bytes: what the standard library's own have.
pub const USUAL_STACK: usize = 2 * 1024 * 1024;

/// Starts a thread that goes on by itself. The error says that there can be no more of them.
pub fn start(name: &str, stack: usize, work: Box<dyn FnOnce() + Send>) -> io::Result<()> {
    started(builder(name, stack).spawn(work))
}

/// Starts a thread whose end the scope waits for.
pub fn start_scoped<'scope>(
    scope: &'scope Scope<'scope, '_>,
    name: &str,
    stack: usize,
    work: Box<dyn FnOnce() + Send + 'scope>,
) -> io::Result<()> {
    started(builder(name, stack).spawn_scoped(scope, work))
}

fn builder(name: &str, stack: usize) -> Builder {
    Builder::new().name(name.to_owned()).stack_size(stack)
}

fn started<T>(thread: io::Result<T>) -> io::Result<()> {
    match thread {
        Ok(_) => Ok(()),
        Err(error) => Err(io::Error::other(format!(
            "no thread can be started: {error}"
        ))),
    }
}
