use super::*;
use proptest::prelude::*;

#[test]
fn sanitizes_like_the_forerunner() {
    for (name, label) in [
        ("web", "web"),
        ("Status page", "status-page"),
        ("Monitoring & Co.", "monitoring-co"),
        ("Cart_Service", "cart-service"),
        ("--a--b--", "a-b"),
        ("日本", ""),
        ("a.b", "a-b"),
        ("", ""),
    ] {
        assert_eq!(sanitize(name), label, "{name}");
    }
}

fn render(template: &str, service: &str) -> Result<String, String> {
    let zone = Name::parse("example.com").unwrap();
    let names = Names {
        service,
        stack: "Shop",
        environment: "Production EU",
    };
    let template = Template::parse(template).map_err(|e| e.to_string())?;
    template
        .name(&names, &zone)
        .map(|n| n.as_str().to_owned())
        .map_err(|e| e.error.to_string())
}

#[test]
fn what_is_no_name_is_told() {
    let zone = Name::parse("example.com").unwrap();
    let long = "a".repeat(300);
    for (template, service, expected) in [
        (
            "%{{service_name}}.%{{stack_name}}",
            "&&",
            "\".shop.example.com\" is no name: a label of the name is empty".to_owned(),
        ),
        (
            "%{{service_name}}.example.org.",
            "&&",
            "\".example.org\" is no name: a label of the name is empty".to_owned(),
        ),
        (
            "%{{service_name}}",
            &long,
            format!(
                "\"{}…\" is no name: a label of the name is longer than 63 characters",
                &long[..100]
            ),
        ),
    ] {
        let names = Names {
            service,
            stack: "Shop",
            environment: "Prod",
        };
        let template = Template::parse_absolute(template).unwrap();
        let error = template.name(&names, &zone).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn renders_names() {
    let long = "a".repeat(64);
    for (template, service, expected) in [
        (
            DEFAULT,
            "Web_1",
            Ok("web-1.shop.production-eu.example.com."),
        ),
        (
            "cart.%{{environment_name}}",
            "x",
            Ok("cart.production-eu.example.com."),
        ),
        ("fixed", "x", Ok("fixed.example.com.")),
        ("*.%{{service_name}}", "x", Ok("\\052.x.example.com.")),
        ("\\052.%{{service_name}}", "x", Ok("\\052.x.example.com.")),
        ("*", "x", Ok("\\052.example.com.")),
        ("\\052", "x", Ok("\\052.example.com.")),
        ("*.", "x", Err("a label of the name is empty")),
        ("@", "x", Ok("example.com.")),
        (
            "%{{service_name}}-%{{stack_name}}",
            "x",
            Ok("x-shop.example.com."),
        ),
        (DEFAULT, "&&", Err("a label of the name is empty")),
        (
            DEFAULT,
            &long,
            Err("a label of the name is longer than 63 characters"),
        ),
        ("", "x", Err("a label of the name is empty")),
        ("a.", "x", Err("a label of the name is empty")),
        ("a..b", "x", Err("a label of the name is empty")),
        (
            "%{{service_name",
            "x",
            Err("a placeholder is not closed with }}"),
        ),
    ] {
        let expected = expected.map(str::to_owned).map_err(str::to_owned);
        assert_eq!(render(template, service), expected, "{template}");
    }
    assert!(
        render("%{{host_name}}", "x")
            .unwrap_err()
            .contains("host_name")
    );
    assert!(render("a b", "x").unwrap_err().contains("' '"));
    let error = render("%{{a\nb}}", "x").unwrap_err();
    assert!(error.starts_with("%{{a\\nb}} is"), "one line: {error}");
}

#[test]
fn the_apex_stands_alone_and_only_a_whole_name_ends_in_a_dot() {
    for text in ["@.x", "x.@", "*.@", "@@", " @"] {
        let read = Template::parse(text);
        assert!(
            matches!(read, Err(TemplateError::BadCharacter(_))),
            "{text}"
        );
    }
    let zone = Name::parse("example.com").unwrap();
    let names = Names {
        service: "Web",
        stack: "Shop",
        environment: "Prod",
    };
    for (text, expected) in [
        ("www", Some("www.example.com.")),
        ("@", Some("example.com.")),
        ("www.example.com.", Some("www.example.com.")),
        (
            "*.%{{service_name}}.example.com.",
            Some("\\052.web.example.com."),
        ),
        ("example.com.", Some("example.com.")),
        ("www.example.org.", Some("www.example.org.")),
        ("www.example.com..", None),
        (".", None),
        ("@.", None),
    ] {
        let template = Template::parse_absolute(text);
        let name = template
            .ok()
            .and_then(|template| template.name(&names, &zone).ok());
        assert_eq!(name.as_ref().map(Name::as_str), expected, "{text}");
    }
}

#[test]
fn the_default_is_what_its_text_says() {
    assert_eq!(Template::parse(DEFAULT), Ok(Template::default()));
}

#[test]
fn an_environment_has_a_name_unless_its_label_is_empty_or_too_long() {
    let zone = Name::parse("example.com").unwrap();
    let long = "a".repeat(64);
    for (name, expected) in [
        ("Production EU", Some("production-eu.example.com.")),
        ("日本", None),
        ("", None),
        (&long, None),
    ] {
        let environment = Environment {
            name: name.to_owned(),
            uuid: "u".to_owned(),
            own_stack: "dns".to_owned(),
            stack_uuid: None,
        };
        let found = environment_name(&environment, &zone);
        assert_eq!(found.as_ref().map(Name::as_str), expected, "{name}");
    }
}

#[test]
fn a_star_is_the_whole_first_label_or_an_error() {
    for template in [
        "*web",
        "web*",
        "web.*",
        "web.*.%{{environment_name}}",
        "*.*.%{{environment_name}}",
        "**.x",
        "*%{{service_name}}.x",
        "%{{service_name}}*.x",
        "%{{service_name}}.*",
        "-*.x",
        ".*.x",
        "\\0520.x",
        "\\052%{{service_name}}.x",
        "web.\\052.x",
        "*.\\052.x",
    ] {
        let read = Template::parse(template);
        assert_eq!(read, Err(TemplateError::MisplacedWildcard), "{template}");
    }
    for template in ["\\", "\\053.x", "\\05", "\\52.x", "a\\.b", "\\*.x"] {
        let read = Template::parse(template);
        assert!(read.is_err(), "{template}: no other escape: {read:?}");
    }
}

proptest! {
    #[test]
    fn whatever_the_template_a_star_is_a_label_at_the_front(
        text in "(\\*|\\\\052|\\.|a|%\\{\\{service_name\\}\\}){1,6}", service in "[a*\\\\&]{0,3}"
    ) {
        if let Ok(name) = render(&text, &service) {
            prop_assert!(!name.trim_start_matches("\\052.").contains('\\'), "{name}");
            prop_assert!(!name.starts_with("\\052.\\052."), "{name}");
        }
    }

    #[test]
    fn a_label_is_clean_whatever_the_name(name in "\\PC{0,100}") {
        let label = sanitize(&name);
        prop_assert!(label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
        prop_assert!(!label.starts_with('-') && !label.ends_with('-') && !label.contains("--"));
    }

    #[test]
    fn no_template_panics(text in "[%{}a-z_. é*\\\\025]{0,40}") {
        let _ = render(&text, "x");
    }
}
