//! Starts a program as Docker did in 2016, or as if the kernel were that of RHEL 7: a tool of CI,
//! which has a new kernel only.
//!
//! ```text
//! old-runtime [OPTION...] PROGRAM [ARGUMENT...]
//!
//!   --seccomp docker-1.12    system calls that Docker's default profile of 2016 doesn't list, or
//!                            that are newer than Linux 4.4, fail with EPERM
//!   --seccomp linux-3.10     system calls newer than Linux 3.10 fail with ENOSYS
//!   --root FOLDER            this is the root folder
//!   --user ID                user and group, with no capability left but what the program's file
//!                            gives it, and of these NET_BIND_SERVICE at most
//!   --no-new-privs           and that neither
//!   --nofile N, --nproc N    file descriptors; processes and threads of the user
//!   --cgroup FOLDER          the program belongs to this control group; may be given repeatedly
//! ```
//!
//! The program replaces this one, so its process id and its parent are the same.

mod filter;

use std::error::Error;
use std::os::unix::fs::chroot;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, fs};

use rustix::process::{Gid, Resource, Rlimit, Uid, setrlimit};
use rustix::thread::{
    CapabilitySet, capability_is_in_bounding_set, remove_capability_from_bounding_set,
    set_no_new_privs, set_thread_groups, set_thread_res_gid, set_thread_res_uid,
};

use filter::Profile;

#[derive(Default)]
struct Options {
    profile: Option<Profile>,
    root: Option<PathBuf>,
    user: Option<u32>,
    no_new_privs: bool,
    limits: Vec<(Resource, u64)>,
    cgroups: Vec<PathBuf>,
    command: Vec<String>,
}

fn main() -> ExitCode {
    let result = parse(env::args().skip(1)).and_then(start);
    // What starts doesn't come back.
    if let Err(error) = result {
        eprintln!("old-runtime: {error}");
    }
    ExitCode::from(125)
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Options, Box<dyn Error>> {
    let mut options = Options::default();
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            "--seccomp" => options.profile = Some(value()?.parse()?),
            "--root" => options.root = Some(value()?.into()),
            "--user" => options.user = Some(value()?.parse()?),
            "--no-new-privs" => options.no_new_privs = true,
            "--nofile" => options.limits.push((Resource::Nofile, value()?.parse()?)),
            "--nproc" => options.limits.push((Resource::Nproc, value()?.parse()?)),
            "--cgroup" => options.cgroups.push(value()?.into()),
            option if option.starts_with("--") => return Err(format!("unknown {option}").into()),
            _ => {
                options.command.push(argument);
                options.command.extend(arguments);
                return Ok(options);
            }
        }
    }
    Err("there is no program to start".into())
}

/// The order matters: each step takes away what the ones before it need.
fn start(options: Options) -> Result<(), Box<dyn Error>> {
    for cgroup in &options.cgroups {
        let members = cgroup.join("cgroup.procs");
        // Whatever the number of this process is where the group is seen from.
        fs::write(&members, "0").map_err(|e| format!("{}: {e}", members.display()))?;
    }
    if let Some(root) = &options.root {
        chroot(root)?;
        env::set_current_dir(Path::new("/"))?;
    }
    for (resource, limit) in options.limits {
        let limit = Some(limit);
        setrlimit(
            resource,
            Rlimit {
                current: limit,
                maximum: limit,
            },
        )?;
    }
    if options.user.is_some() {
        drop_capabilities()?;
    }
    if options.no_new_privs {
        set_no_new_privs(true)?;
    }
    if let Some(profile) = options.profile {
        filter::install(&filter::program(profile))?;
    }
    if let Some(user) = options.user {
        let (user, group) = (Uid::from_raw(user), Gid::from_raw(user));
        set_thread_groups(&[])?;
        set_thread_res_gid(group, group, group)?;
        set_thread_res_uid(user, user, user)?;
    }
    let (program, arguments) = options.command.split_first().expect("a program");
    let error = Command::new(program).args(arguments).exec();
    Err(format!("{program} can't be started: {error}").into())
}

/// As `--cap-drop ALL --cap-add NET_BIND_SERVICE`.
fn drop_capabilities() -> Result<(), Box<dyn Error>> {
    for bit in 0..64 {
        let capability = CapabilitySet::from_bits_retain(1 << bit);
        if capability == CapabilitySet::NET_BIND_SERVICE {
            continue;
        }
        // Those that the kernel doesn't know are at the end.
        match capability_is_in_bounding_set(capability) {
            Ok(true) => remove_capability_from_bounding_set(capability)?,
            Ok(false) => {}
            Err(_) => break,
        }
    }
    Ok(())
}
