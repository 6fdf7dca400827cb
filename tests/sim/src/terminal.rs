//! The program under test as it is on a terminal: what a person sees and types.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::lock::lock;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// A program whose input and output are one terminal. Dropping it kills the program.
pub struct Terminal {
    child: Child,
    keyboard: File,
    screen: Arc<Screen>,
}

#[derive(Default)]
struct Screen {
    shown: Mutex<(Vec<u8>, bool)>,
    more: Condvar,
}

impl Screen {
    fn lock(&self) -> MutexGuard<'_, (Vec<u8>, bool)> {
        lock(&self.shown)
    }
}

impl Terminal {
    /// Starts the program with these variables and no others.
    pub fn spawn(program: &Path, args: &[&str], env: &[(&str, String)]) -> Terminal {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pseudoterminal");
        grantpt(&ours)
            .and_then(|()| unlockpt(&ours))
            .expect("a pseudoterminal of ours");
        let name = ptsname(&ours, Vec::new()).expect("its name");
        let name = name.into_string().expect("a plain name");
        let theirs = OpenOptions::new().read(true).write(true).open(name);
        let theirs = theirs.expect("its other end");
        let end = || theirs.try_clone().expect("one more file");
        let child = Command::new(program)
            .args(args)
            .env_clear()
            .envs(env.iter().map(|(name, value)| (name, value)))
            .stdin(end())
            .stdout(end())
            .stderr(end())
            .spawn()
            .unwrap_or_else(|e| panic!("cannot start {}: {e}", program.display()));
        drop(theirs);
        let keyboard = File::from(ours);
        let screen = Arc::new(Screen::default());
        let mut output = keyboard.try_clone().expect("one more file");
        let writer = screen.clone();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            // When the last one who could write has gone, reading is an error.
            while let Ok(count @ 1..) = output.read(&mut bytes) {
                writer.lock().0.extend_from_slice(&bytes[..count]);
                writer.more.notify_all();
            }
            writer.lock().1 = true;
            writer.more.notify_all();
        });
        Terminal {
            child,
            keyboard,
            screen,
        }
    }

    /// Everything shown so far; what is typed is shown too.
    pub fn shown(&self) -> String {
        String::from_utf8_lossy(&self.screen.lock().0).into_owned()
    }

    /// Waits until this is shown. False if it isn't in time, or if the program has ended.
    pub fn wait_for(&self, text: &str, timeout: Duration) -> bool {
        let end = Instant::now() + timeout;
        let mut shown = self.screen.lock();
        loop {
            if String::from_utf8_lossy(&shown.0).contains(text) {
                return true;
            }
            let left = end.saturating_duration_since(Instant::now());
            if shown.1 || left.is_zero() {
                return false;
            }
            let waited = self.screen.more.wait_timeout(shown, left);
            shown = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Types a line.
    ///
    /// # Panics
    /// If nobody can read it any more.
    pub fn type_line(&mut self, line: &str) {
        self.keyboard
            .write_all(format!("{line}\n").as_bytes())
            .expect("a terminal that is open");
    }

    /// SIGINT, as Ctrl-C on the terminal of a shell sends it.
    ///
    /// # Panics
    /// If it can't be sent.
    pub fn interrupt(&mut self) {
        // Once it has been waited for, its number may be another process's.
        if !matches!(self.child.try_wait(), Ok(None)) {
            return;
        }
        let sent = Command::new("/bin/sh")
            .args(["-c", &format!("kill -INT {}", self.child.id())])
            .status();
        assert!(sent.is_ok_and(|status| status.success()), "SIGINT");
    }

    /// Waits for the end; `None` if it still runs then.
    pub fn wait(&mut self, timeout: Duration) -> Option<ExitStatus> {
        let end = Instant::now() + timeout;
        loop {
            let status = self.child.try_wait().expect("a child of ours");
            if status.is_some() || Instant::now() >= end {
                return status;
            }
            // Nothing safe tells of a child's end with a time limit, so it is asked for.
            thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
