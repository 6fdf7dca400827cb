//! Which system calls fail, and with what: a seccomp filter, as a program for the kernel.

use std::io;
use std::str::FromStr;

use libc::{
    BPF_ABS, BPF_JEQ, BPF_JGT, BPF_JMP, BPF_JSET, BPF_K, BPF_LD, BPF_RET, BPF_W, ENOSYS, EPERM,
    SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO, SECCOMP_RET_KILL_PROCESS, c_long, sock_filter,
};

/// Whose rules apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Docker's default profile of version 1.12, on Linux 4.4.
    Docker112,
    /// No profile, but an old kernel.
    Linux310,
}

impl FromStr for Profile {
    type Err = String;

    fn from_str(name: &str) -> Result<Profile, String> {
        match name {
            "docker-1.12" => Ok(Profile::Docker112),
            "linux-3.10" => Ok(Profile::Linux310),
            _ => Err(format!("there is no seccomp profile {name}")),
        }
    }
}

/// Numbers are given in the order in which calls come, apart from what x86 alone has.
const NEWEST_OF_4_4: c_long = libc::SYS_mlock2;
const NEWEST_OF_3_10: c_long = libc::SYS_finit_module;

/// The calls of Linux 4.4 that Docker 1.12's profile doesn't list, on either architecture:
/// `profiles/seccomp/default.json` of moby/moby at that time, without what capabilities add to it.
const UNLISTED: &[c_long] = &[
    libc::SYS_acct,
    libc::SYS_add_key,
    libc::SYS_adjtimex,
    libc::SYS_bpf,
    libc::SYS_clock_adjtime,
    libc::SYS_clock_settime,
    libc::SYS_delete_module,
    libc::SYS_finit_module,
    libc::SYS_get_mempolicy,
    libc::SYS_init_module,
    libc::SYS_kcmp,
    libc::SYS_kexec_load,
    libc::SYS_keyctl,
    libc::SYS_lookup_dcookie,
    libc::SYS_mbind,
    libc::SYS_membarrier,
    libc::SYS_migrate_pages,
    libc::SYS_mlock,
    libc::SYS_mlock2,
    libc::SYS_mlockall,
    libc::SYS_mount,
    libc::SYS_move_pages,
    libc::SYS_name_to_handle_at,
    libc::SYS_nfsservctl,
    libc::SYS_open_by_handle_at,
    libc::SYS_perf_event_open,
    libc::SYS_pivot_root,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_ptrace,
    libc::SYS_quotactl,
    libc::SYS_reboot,
    libc::SYS_request_key,
    libc::SYS_set_mempolicy,
    libc::SYS_setns,
    libc::SYS_settimeofday,
    libc::SYS_swapoff,
    libc::SYS_swapon,
    libc::SYS_umount2,
    libc::SYS_unshare,
    libc::SYS_userfaultfd,
    libc::SYS_vhangup,
];

#[cfg(target_arch = "x86_64")]
mod arch {
    /// As the kernel names the architecture to a filter.
    pub const AUDIT: u32 = 0xc000_003e;
    pub const UNLISTED: &[libc::c_long] = &[
        libc::SYS__sysctl,
        libc::SYS_ioperm,
        libc::SYS_iopl,
        libc::SYS_kexec_file_load,
        libc::SYS_sysfs,
        libc::SYS_uselib,
        libc::SYS_ustat,
    ];
}

#[cfg(target_arch = "aarch64")]
mod arch {
    /// As the kernel names the architecture to a filter.
    pub const AUDIT: u32 = 0xc000_00b7;
    pub const UNLISTED: &[libc::c_long] = &[];
}

/// Offsets in the kernel's `struct seccomp_data`; of the first argument the lower half.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
const FIRST_ARGUMENT: u32 = 16;

/// The flags of `clone` that make namespaces: user, process, network and the rest.
const NEW_NAMESPACES: u32 = 0x7e02_0000;

/// What the kernel is to do at each system call.
pub fn program(profile: Profile) -> Vec<sock_filter> {
    let mut program = vec![
        load(ARCHITECTURE),
        jump(BPF_JEQ, arch::AUDIT, 1, 0),
        give(SECCOMP_RET_KILL_PROCESS),
        load(NUMBER),
    ];
    let (newest, error) = match profile {
        Profile::Docker112 => (NEWEST_OF_4_4, EPERM),
        Profile::Linux310 => (NEWEST_OF_3_10, ENOSYS),
    };
    program.extend([jump(BPF_JGT, number(newest), 0, 1), fail(error)]);
    if profile == Profile::Docker112 {
        for unlisted in UNLISTED.iter().chain(arch::UNLISTED) {
            program.extend([jump(BPF_JEQ, number(*unlisted), 0, 1), fail(EPERM)]);
        }
        program.extend([
            jump(BPF_JEQ, number(libc::SYS_clone), 0, 3),
            load(FIRST_ARGUMENT),
            jump(BPF_JSET, NEW_NAMESPACES, 0, 1),
            fail(EPERM),
        ]);
    }
    program.push(give(SECCOMP_RET_ALLOW));
    program
}

fn number(call: c_long) -> u32 {
    u32::try_from(call).expect("a system call's number")
}

fn load(offset: u32) -> sock_filter {
    instruction(BPF_LD | BPF_W | BPF_ABS, offset, 0, 0)
}

/// Skips so many instructions if it holds, and so many if it doesn't.
fn jump(condition: u32, operand: u32, holds: u8, fails: u8) -> sock_filter {
    instruction(BPF_JMP | condition | BPF_K, operand, holds, fails)
}

fn give(verdict: u32) -> sock_filter {
    instruction(BPF_RET | BPF_K, verdict, 0, 0)
}

fn fail(error: i32) -> sock_filter {
    give(SECCOMP_RET_ERRNO | error.unsigned_abs())
}

fn instruction(code: u32, k: u32, jt: u8, jf: u8) -> sock_filter {
    let code = u16::try_from(code).expect("an instruction's code");
    sock_filter { code, jt, jf, k }
}

/// From now on the filter holds for this process and whatever it starts. Who isn't root must have
/// given up new privileges before.
pub fn install(program: &[sock_filter]) -> io::Result<()> {
    let program = libc::sock_fprog {
        len: u16::try_from(program.len()).expect("a short program"),
        filter: program.as_ptr().cast_mut(),
    };
    // SAFETY: the kernel copies the program, which lives until the call is over, and doesn't write.
    let result = unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &program) };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}
