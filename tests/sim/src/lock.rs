//! Locks a mutex, also after a thread has panicked while it held the lock: a failed test shows its own
//! panic then, and not that of the lock.

use std::sync::{Mutex, MutexGuard, PoisonError};

pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
