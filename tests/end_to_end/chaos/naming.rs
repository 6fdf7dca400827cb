//! How names come about, worked out without the program's help.

use crate::chaos::record::DOMAIN;

/// `NAME_TEMPLATE`s. With the first and the third only a part of the zone is listed.
pub const TEMPLATES: [&str; 4] = [
    "%{{service_name}}.%{{stack_name}}.%{{environment_name}}",
    "%{{environment_name}}.%{{service_name}}.%{{stack_name}}",
    "%{{service_name}}-%{{stack_name}}.%{{environment_name}}",
    "%{{service_name}}.%{{stack_name}}",
];

/// Templates on labels of services: many of them lie outside `<environment>.<zone>`, in some several
/// services meet, and the last two are none.
pub const LABELS: [&str; 10] = [
    "cart",
    "%{{service_name}}",
    "%{{environment_name}}",
    "%{{service_name}}.%{{stack_name}}.elsewhere",
    "www.%{{environment_name}}",
    "*.%{{service_name}}.%{{environment_name}}",
    "\\052.%{{stack_name}}",
    "external-dns-%{{service_name}}",
    "%{{nothing}}.%{{environment_name}}",
    "a*.%{{environment_name}}",
];

/// What services have on their label for more names: some are none, and some meet others.
pub const MORE: [&str; 6] = [
    "@",
    "www.%{{environment_name}}, cart",
    "*,%{{service_name}}.more",
    "\\052.%{{stack_name}},bad one,a*.x,@.x,%{{nothing}},www.example.org.",
    "shop.example.com.,*.%{{environment_name}}.example.com.,",
    "one,two,three,four,five,six,seven,eight,nine,ten,eleven",
];

/// What the environment may be called.
pub const ENVIRONMENTS: [&str; 3] = ["Prod", "Staging 2", "PROD_EU"];

/// How names are made at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Naming {
    /// `NAME_TEMPLATE`.
    pub template: &'static str,
    pub environment: &'static str,
}

impl Naming {
    pub fn name(self, stack: &str, service: &str) -> String {
        let name = render(self.template, stack, service, self.environment);
        name.expect("a template that is one")
    }
}

/// The name as the zone has it; `None` if the template is none.
pub fn render(template: &str, stack: &str, service: &str, environment: &str) -> Option<String> {
    let text = template
        .replace("%{{service_name}}", &label(service))
        .replace("%{{stack_name}}", &label(stack))
        .replace("%{{environment_name}}", &label(environment));
    let text = match text.strip_prefix("*.") {
        Some(rest) => format!("\\052.{rest}"),
        None => text,
    };
    let is_one = !text.contains("%{{") && !text.contains('*');
    is_one.then(|| format!("{text}.{DOMAIN}."))
}

/// The name of an item of the label for more names; `None` if it gives none in the zone.
pub fn render_item(item: &str, stack: &str, service: &str, environment: &str) -> Option<String> {
    let end = format!(".{DOMAIN}.");
    match item.trim() {
        "" => None,
        "@" => Some(format!("{DOMAIN}.")),
        item if item.contains([' ', '@']) => None,
        item if item.ends_with('.') => {
            render(item.strip_suffix(&end)?, stack, service, environment)
        }
        "*" => Some(format!("\\052{end}")),
        item => render(item, stack, service, environment),
    }
}

/// `<environment>.<zone>`.
pub fn below(environment: &str) -> String {
    format!("{}.{DOMAIN}.", label(environment))
}

/// None of the names here has two such characters in a row, or one at an end.
fn label(text: &str) -> String {
    let sign = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    text.to_lowercase().chars().map(sign).collect()
}

/// A name as people see it.
pub fn shown(name: &str) -> String {
    name.trim_end_matches('.').replace("\\052", "*")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_names_are_made_as_the_documents_say() {
        let items = MORE.iter().flat_map(|label| label.split(','));
        let names = items.filter_map(|item| render_item(item, "Mail", "Cart_1", "Staging 2"));
        assert_eq!(
            names.take(9).map(|name| shown(&name)).collect::<Vec<_>>(),
            [
                "example.com",
                "www.staging-2.example.com",
                "cart.example.com",
                "*.example.com",
                "cart-1.more.example.com",
                "*.mail.example.com",
                "shop.example.com",
                "*.staging-2.example.com",
                "one.example.com",
            ]
        );
    }

    #[test]
    fn names_are_made_as_the_readme_says() {
        let names = LABELS.map(|label| render(label, "Mail", "Cart_1", "Staging 2"));
        let names = names.iter().flatten().map(|name| shown(name));
        assert_eq!(
            names.collect::<Vec<_>>(),
            [
                "cart.example.com",
                "cart-1.example.com",
                "staging-2.example.com",
                "cart-1.mail.elsewhere.example.com",
                "www.staging-2.example.com",
                "*.cart-1.staging-2.example.com",
                "*.mail.example.com",
                "external-dns-cart-1.example.com",
            ]
        );
    }
}
