//! `system-call NAME...` makes each of these system calls with arguments that do nothing, and prints
//! the name and what came back: for the test of the filter.

fn main() {
    for name in std::env::args().skip(1) {
        let number = match name.as_str() {
            "getpid" => libc::SYS_getpid,
            "keyctl" => libc::SYS_keyctl,
            "setns" => libc::SYS_setns,
            "getrandom" => libc::SYS_getrandom,
            "membarrier" => libc::SYS_membarrier,
            "statx" => libc::SYS_statx,
            "clone3" => libc::SYS_clone3,
            "clone-with-namespace" => libc::SYS_clone,
            _ => panic!("unknown: {name}"),
        };
        let first = if number == libc::SYS_clone {
            // Threads share their namespace's processes: the kernel refuses this as invalid.
            libc::c_long::from(libc::CLONE_NEWPID | libc::CLONE_THREAD)
        } else {
            -1
        };
        // SAFETY: no call reads or writes memory at addresses that are 0, and none gets another.
        let result = unsafe { libc::syscall(number, first, 0, 0, 0, 0) };
        if result >= 0 {
            println!("{name} ok");
        } else {
            let error = std::io::Error::last_os_error().raw_os_error();
            let error = match error.expect("the kernel's error") {
                libc::EPERM => "EPERM",
                libc::ENOSYS => "ENOSYS",
                // The kernel itself has looked at it.
                _ => "other",
            };
            println!("{name} {error}");
        }
    }
}
