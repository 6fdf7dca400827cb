//! The text of `--help`.

use crate::config::settings;

/// The commands, flags and exit codes, and a description of every setting.
pub fn help() -> String {
    let mut text = String::from(
        "Keeps the DNS of a domain in Amazon Route 53 equal to the services of a Rancher 1.x\n\
         environment.\n\n\
         rancher-route53 [run]   keep it so until told to stop: a round at once when metadata\n\
         \x20                       changes, else within RESYNC_INTERVAL\n\
         rancher-route53 once    make one round, and end; with --wait when all of Route 53's name\n\
         \x20                       servers have the changes\n\
         rancher-route53 plan    show what would change, and why; with STACK/SERVICE one service\n\
         \x20                       whole; --json for programs,\n\
         \x20                       --detailed-exitcode: exit code 0 if there is nothing to change,\n\
         \x20                       2 if there is something, 1 for every error, wrong settings too\n\
         rancher-route53 check   look at everything that is needed, and say what to do\n\
         rancher-route53 policy  print the least IAM policy for this environment; with --wait also\n\
         \x20                       for once --wait, with --owner=ID also for adopt --owner=ID, with\n\
         \x20                       --assume-role that of the keys that assume a role\n\
         rancher-route53 adopt   take over DNS records that exist; with --owner=ID those that the\n\
         \x20                       state records of ID list (--yes: without asking; where deletes\n\
         \x20                       follow: --yes --deletes=N, for at most N of them)\n\
         rancher-route53 purge   remove every DNS record that it has made (--yes: without asking)\n\n\
         Exit codes: 0 done or told to stop, 1 it ran and failed, 2 a setting or argument is wrong\n\
         (but see plan --detailed-exitcode).\n\
         Flags: -debug, -log=FILE, -provider=route53, --help, --version\n\n\
         Settings are environment variables. Those marked * can also be read from the file that\n\
         NAME_FILE names. A blank one counts as not set.\n\n",
    );
    for setting in settings::SETTINGS {
        let star = if setting.is_secret { "*" } else { "" };
        text += &format!(
            "  {}{star}\n      {}\n",
            setting.name,
            setting.description()
        );
        if !setting.default.is_empty() {
            text += &format!("      default: {}\n", setting.default);
        }
        if !setting.aliases.is_empty() {
            text += &format!("      also read: {}\n", setting.aliases.join(", "));
        }
    }
    text
}
