//! Runs the program under test as a child process: its settings, its log, its signals, its end.

use crate::lock::lock;
use crate::rancher::Rancher;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::ioctl_fionread;
use std::io::{ErrorKind, Read};
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{env, fs, mem, thread};

/// The program under test: the one that the variable `TEST_PROGRAM` names, as CI does with the
/// release binary, or else the one that Cargo has built.
pub fn program(built: &str) -> PathBuf {
    env::var_os("TEST_PROGRAM").map_or_else(|| built.into(), PathBuf::from)
}

/// A running program. Dropping it kills it, and if the test is failing, shows its log.
pub struct Service {
    child: Mutex<Child>,
    pid: u32,
    started: Instant,
    log: Arc<Lines>,
    stdout: Arc<Lines>,
}

/// Longest wait for lines that the program has logged and not written yet. One whose log is blocked may
/// never write them.
const MAX_LOG_DELAY: Duration = Duration::from_secs(10);

/// Memory of the process, as the kernel counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    pub resident_kb: u64,
    /// The most that was ever resident.
    pub high_water_kb: u64,
}

impl Service {
    /// Starts the program with these variables and no others.
    pub fn spawn(program: &Path, args: &[&str], env: &[(&str, String)]) -> Service {
        Service::spawn_into(program, args, env, Stdio::piped(), Stdio::piped())
    }

    /// The same where its output goes elsewhere: what isn't piped can't be asked for.
    pub fn spawn_into(
        program: &Path,
        args: &[&str],
        env: &[(&str, String)],
        stdout: Stdio,
        stderr: Stdio,
    ) -> Service {
        let started = Instant::now();
        let mut child = Command::new(program)
            .args(args)
            .env_clear()
            .envs(env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(stderr)
            .spawn()
            .unwrap_or_else(|e| panic!("cannot start {}: {e}", program.display()));
        let log = Lines::read(child.stderr.take());
        let stdout = Lines::read(child.stdout.take());
        Service {
            pid: child.id(),
            started,
            child: Mutex::new(child),
            log,
            stdout,
        }
    }

    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Just before it was started.
    pub fn started(&self) -> Instant {
        self.started
    }

    /// The first line on stderr that fits, whether it is there already or comes in time.
    pub fn wait_for_log(
        &self,
        timeout: Duration,
        fits: impl FnMut(&str) -> bool,
    ) -> Option<String> {
        self.log.wait_for(timeout, fits)
    }

    /// All lines of the log that fit, once there are so many. What the program has logged may take a
    /// moment to be here, also if what it did next is seen already.
    pub fn log_lines(
        &self,
        timeout: Duration,
        count: usize,
        fits: impl Fn(&str) -> bool,
    ) -> Vec<String> {
        let mut seen = 0;
        self.wait_for_log(timeout, |line| {
            seen += usize::from(fits(line));
            seen >= count
        });
        let mut lines = self.log();
        lines.retain(|line| fits(line));
        lines
    }

    /// The address of its status page, once the log says it.
    pub fn health_address(&self, timeout: Duration) -> SocketAddr {
        let line = self.wait_for_log(timeout, |line| line.contains("health checks are answered"));
        let line = line.expect("the log should say where health checks are answered");
        let (_, address) = line.rsplit_once("address=").expect("an address");
        address.trim().parse().expect("an address")
    }

    /// The lines on stderr so far: all that the program has logged, also what its own thread for that
    /// was yet to write.
    pub fn log(&self) -> Vec<String> {
        let end = Instant::now() + MAX_LOG_DELAY;
        let is_quiet = || !self.is_writing_log() && self.log.has_all();
        // Twice: the thread may have slept because the pipe was full.
        while !(is_quiet() && is_quiet()) && Instant::now() < end {
            // Nothing tells of a thread that falls asleep, so it is asked for.
            thread::sleep(Duration::from_millis(1));
        }
        self.log.lock().lines.clone()
    }

    /// Whether the thread that writes the program's log is at work.
    fn is_writing_log(&self) -> bool {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.pid));
        tasks.into_iter().flatten().flatten().any(|task| {
            let stat = fs::read_to_string(task.path().join("stat")).unwrap_or_default();
            // Such as `1234 (log) S 1 …`; `t` is a thread that a tracer holds for a moment.
            let state = stat.split_once(" (log) ").map(|(_, state)| state);
            state.is_some_and(|state| state.starts_with(['R', 'D', 't']))
        })
    }

    /// What is on stdout so far.
    pub fn stdout(&self) -> String {
        let read = self.stdout.lock();
        read.lines.iter().map(|line| format!("{line}\n")).collect()
    }

    /// SIGTERM, as `docker stop` sends.
    pub fn terminate(&self) {
        self.signal("TERM");
    }

    /// SIGINT, as Ctrl-C sends.
    pub fn interrupt(&self) {
        self.signal("INT");
    }

    /// SIGKILL: no chance to tidy up.
    pub fn kill(&self) {
        let _ = self.lock_child().kill();
    }

    /// Waits for the end of the process, and of its output; `None` if it still runs then.
    pub fn wait(&self, timeout: Duration) -> Option<ExitStatus> {
        let end = Instant::now() + timeout;
        loop {
            let status = self.lock_child().try_wait().expect("a child of ours");
            if status.is_some() {
                self.log.wait_for_end(end);
                self.stdout.wait_for_end(end);
                return status;
            }
            if Instant::now() >= end {
                return None;
            }
            // Nothing safe tells of a child's end with a time limit, so it is asked for.
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Whether it hasn't ended yet.
    pub fn is_running(&self) -> bool {
        matches!(self.lock_child().try_wait(), Ok(None))
    }

    /// `None` once it has ended.
    pub fn memory(&self) -> Option<Memory> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).ok()?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().strip_suffix(" kB")?.parse().ok()
        };
        Some(Memory {
            resident_kb: field("VmRSS:")?,
            high_water_kb: field("VmHWM:")?,
        })
    }

    /// Processor time used so far, in user and kernel mode, by the threads that still live;
    /// `None` once it has ended.
    pub fn cpu(&self) -> Option<Duration> {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.pid)).ok()?;
        Some(tasks.flatten().filter_map(|task| spent(&task.path())).sum())
    }

    /// Of which by its first thread, which keeps the zone.
    pub fn main_thread_cpu(&self) -> Option<Duration> {
        let pid = self.pid;
        spent(Path::new(&format!("/proc/{pid}/task/{pid}")))
    }

    /// Whether a signal that was sent to it has yet to be taken notice of.
    pub fn has_pending_signal(&self) -> bool {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap_or_default();
        let mut masks = status.lines().filter_map(|line| {
            line.strip_prefix("SigPnd:")
                .or_else(|| line.strip_prefix("ShdPnd:"))
        });
        masks.any(|mask| !mask.trim().trim_matches('0').is_empty())
    }

    fn signal(&self, name: &str) {
        let mut child = self.lock_child();
        // Once it has been waited for, its number may be another process's.
        if !matches!(child.try_wait(), Ok(None)) {
            return;
        }
        // The shell's own `kill`: not every system that can run tests has one as a program.
        let sent = Command::new("/bin/sh")
            .args(["-c", &format!("kill -{name} {}", self.pid)])
            .status();
        assert!(sent.is_ok_and(|status| status.success()), "SIG{name}");
    }

    fn lock_child(&self) -> MutexGuard<'_, Child> {
        lock(&self.child)
    }
}

/// Processor time of a thread, by its folder. To the nanosecond, unlike `stat`, whose unit is 10 ms.
fn spent(task: &Path) -> Option<Duration> {
    let text = fs::read_to_string(task.join("schedstat")).ok()?;
    let nanos = text.split(' ').next()?.parse().ok()?;
    Some(Duration::from_nanos(nanos))
}

impl Drop for Service {
    fn drop(&mut self) {
        let mut child = self.lock_child();
        let ended = child.try_wait().ok().flatten();
        let _ = child.kill();
        let _ = child.wait();
        drop(child);
        if thread::panicking() {
            let soon = Instant::now() + Duration::from_secs(1);
            self.log.wait_for_end(soon);
            let end = match ended {
                Some(status) => match status.signal() {
                    Some(signal) => format!("was ended by signal {signal}"),
                    None => status.to_string(),
                },
                None => "was still running".to_owned(),
            };
            eprintln!("--- log of process {}, which {end}:", self.pid);
            self.log().iter().for_each(|line| eprintln!("{line}"));
            eprintln!("--- its stdout:\n{}---", self.stdout());
        }
    }
}

/// The lines of a pipe, read by a thread of its own so that the program never blocks on it.
struct Lines {
    read: Mutex<Output>,
    more: Condvar,
    /// The same end of the pipe as the thread's, to look how much is in it.
    pipe: Option<OwnedFd>,
}

#[derive(Default)]
struct Output {
    lines: Vec<String>,
    /// The beginning of a line.
    rest: Vec<u8>,
    has_ended: bool,
}

impl Output {
    fn add(&mut self, text: &[u8]) {
        for part in text.split_inclusive(|byte| *byte == b'\n') {
            self.rest.extend_from_slice(part);
            if self.rest.ends_with(b"\n") {
                self.rest.pop();
                self.end_line();
            }
        }
    }

    fn end_line(&mut self) {
        let line = mem::take(&mut self.rest);
        self.lines.push(String::from_utf8_lossy(&line).into_owned());
    }
}

impl Lines {
    fn read(pipe: Option<impl Read + AsFd + Send + 'static>) -> Arc<Lines> {
        let same = pipe.as_ref().map(|pipe| {
            let same = pipe.as_fd().try_clone_to_owned();
            same.expect("a second number for a pipe of ours")
        });
        let lines = Arc::new(Lines {
            read: Mutex::default(),
            more: Condvar::new(),
            pipe: same,
        });
        match pipe {
            Some(pipe) => {
                let reader = lines.clone();
                thread::spawn(move || reader.follow(pipe));
            }
            None => lines.lock().has_ended = true,
        }
        lines
    }

    /// Waits for text without the lock, and takes it out of the pipe with the lock: who has the lock and
    /// finds the pipe empty has all lines.
    fn follow(&self, mut pipe: impl Read + AsFd) {
        let mut buffer = vec![0; 65_536];
        loop {
            if poll(&mut [PollFd::new(&pipe, PollFlags::IN)], None).is_err() {
                continue; // a signal
            }
            let mut read = self.lock();
            match pipe.read(&mut buffer) {
                Ok(count) if count > 0 => read.add(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Ok(_) | Err(_) => read.has_ended = true,
            }
            if read.has_ended && !read.rest.is_empty() {
                read.end_line();
            }
            self.more.notify_all();
            if read.has_ended {
                return;
            }
        }
    }

    /// Whether nothing is left in the pipe.
    fn has_all(&self) -> bool {
        let is_empty = |pipe: &OwnedFd| ioctl_fionread(pipe).is_ok_and(|bytes| bytes == 0);
        let read = self.lock();
        read.has_ended || self.pipe.as_ref().is_none_or(is_empty)
    }

    fn lock(&self) -> MutexGuard<'_, Output> {
        lock(&self.read)
    }

    fn wait_for(&self, timeout: Duration, mut fits: impl FnMut(&str) -> bool) -> Option<String> {
        let end = Instant::now() + timeout;
        let mut seen = 0;
        let mut read = self.lock();
        loop {
            if let Some(line) = read.lines[seen..].iter().find(|line| fits(line)) {
                return Some(line.clone());
            }
            seen = read.lines.len();
            let left = end.saturating_duration_since(Instant::now());
            if read.has_ended || left.is_zero() {
                return None;
            }
            let waited = self.more.wait_timeout(read, left);
            read = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn wait_for_end(&self, end: Instant) {
        let mut read = self.lock();
        while !read.has_ended {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let waited = self.more.wait_timeout(read, left);
            read = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// The settings with which rancher-route53 works on this Rancher and that Route 53.
pub fn environment(
    rancher: &Rancher,
    route53_url: &str,
    root_domain: &str,
) -> Vec<(&'static str, String)> {
    let options = rancher.options();
    vec![
        ("ROOT_DOMAIN", root_domain.into()),
        ("CATTLE_URL", rancher.api_url()),
        ("CATTLE_ACCESS_KEY", options.access_key.clone()),
        ("CATTLE_SECRET_KEY", options.secret_key.clone()),
        ("METADATA_URL", rancher.metadata_url()),
        ("AWS_ENDPOINT_URL_ROUTE_53", route53_url.into()),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE".into()),
        (
            "AWS_SECRET_ACCESS_KEY",
            "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into(),
        ),
        ("HEALTH_ADDRESS", "127.0.0.1:0".into()),
        ("LOG_LEVEL", "debug".into()),
    ]
}

#[cfg(test)]
mod tests;
