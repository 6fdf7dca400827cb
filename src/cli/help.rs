//! What `--help` prints.

use crate::config::settings;

/// How to use the program, and every setting.
pub fn help() -> String {
    let mut text = String::from(
        "Keeps an Amazon Route 53 hosted zone equal to the services of a Rancher 1.x environment.\n\n\
         rancher-route53 [run]   keep the zone until told to stop\n\
         rancher-route53 once    one round; with --wait until Route 53 has told its name servers\n\
         rancher-route53 plan    show what the next round would change; --json for programs,\n\
         \x20                       --detailed-exitcode: 2 if there is something to change\n\
         rancher-route53 check   look at each thing that a round depends on\n\
         rancher-route53 adopt   take over record sets that exist (--yes: without asking)\n\
         rancher-route53 purge   remove everything of ours from the zone (--yes: without asking)\n\n\
         Exit codes: 0 done or told to stop, 1 it ran and failed, 2 a setting is wrong.\n\
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
