//! The README's table of settings is the code's: what differs is a failure that prints it.

use rancher_route53::config::table::SETTINGS;

#[test]
fn the_table_of_settings_is_that_of_the_code() {
    let readme = include_str!("../README.md");
    let (_, rest) = readme
        .split_once("<!-- settings: checked against the code by tests/readme.rs -->\n")
        .expect("the mark at the table's start");
    let (table, _) = rest
        .split_once("<!-- /settings -->")
        .expect("the mark at its end");
    let expected = expected();
    assert!(
        table == expected,
        "the table in README.md should be:\n{expected}"
    );
}

fn expected() -> String {
    let mut table = String::from("| setting | default | also read | what it does |\n");
    table += "| --- | --- | --- | --- |\n";
    for setting in SETTINGS {
        let star = if setting.is_secret { " \\*" } else { "" };
        let aliases: Vec<String> = setting.aliases.iter().map(|a| format!("`{a}`")).collect();
        table += &format!(
            "| `{}`{star} | {} | {} | {} |\n",
            setting.name,
            setting.default,
            aliases.join(", "),
            setting.help
        );
    }
    table
}
