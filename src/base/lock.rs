//! Locks a mutex, also after a thread has panicked while it held the lock.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// The lock. Use it only for data that is usable after each single statement that changes it: a
/// panic may have come between two of them.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
