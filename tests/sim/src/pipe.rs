//! Pipes as a stalled reader leaves them, or one that has gone.

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat};
use std::fs::OpenOptions;
use std::io::{ErrorKind, PipeWriter, Write};
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

/// The end to write to of a pipe whose reader has gone.
pub fn unread() -> PipeWriter {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    wait_until_unread(&writer);
    writer
}

/// Waits until nobody can read what is written. For a moment a process that is just being started has
/// all that this one had open, the reader's end, too.
fn wait_until_unread(writer: &PipeWriter) {
    let mut writer = [PollFd::new(writer, PollFlags::empty())];
    while !writer[0].revents().contains(PollFlags::ERR) {
        // A signal may end the wait early.
        let _ = poll(&mut writer, None);
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
    fn a_pipe_is_unread_once_its_last_reader_has_gone() {
        let (reader, mut writer) = std::io::pipe().unwrap();
        let (sender, receiver) = mpsc::channel();
        let started = reader.try_clone().unwrap();
        drop(reader);
        let waiting = std::thread::spawn(move || {
            wait_until_unread(&writer);
            sender.send(()).unwrap();
            writer.write(b"x").map_err(|error| error.kind())
        });
        assert!(receiver.recv_timeout(Duration::from_millis(50)).is_err());
        drop(started);
        assert_eq!(waiting.join().unwrap(), Err(ErrorKind::BrokenPipe));
    }

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
