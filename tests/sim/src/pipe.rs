//! Pipes as a stalled reader leaves them.

use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat};
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Fills a pipe with empty lines, so that whoever writes to it is blocked until somebody reads.
/// Either of its ends will do.
pub fn fill(pipe: &impl AsFd) {
    // Opened anew: whoever shares the old end must not find it non-blocking.
    let path = format!("/proc/self/fd/{}", pipe.as_fd().as_raw_fd());
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).expect("a flag of 32 bits");
    let mut options = OpenOptions::new();
    let pipe = options.write(true).custom_flags(flags).open(path);
    let mut pipe = pipe.expect("a pipe of ours");
    for size in [4096, 1] {
        loop {
            match pipe.write(&vec![b'\n'; size]) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => panic!("the pipe can't be filled: {error}"),
            }
        }
    }
}

/// Makes a named pipe.
pub fn named(path: &Path) {
    let mode = Mode::RUSR | Mode::WUSR;
    mknodat(CWD, path, FileType::Fifo, mode, 0).expect("a named pipe");
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::sync::mpsc;
    use std::time::Duration;

    #[test]
    fn a_full_pipe_blocks_until_it_is_read() {
        let (mut reader, mut writer) = std::io::pipe().unwrap();
        fill(&reader);
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            writer.write_all(b"end").unwrap();
            sender.send(()).unwrap();
        });
        assert!(receiver.recv_timeout(Duration::from_millis(50)).is_err());
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        receiver.recv_timeout(Duration::from_secs(60)).unwrap();
        assert!(text.len() > 4096 && text.trim() == "end");
    }
}
