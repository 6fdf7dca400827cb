//! From one version of the entry to the next: the answers in a stack are those of the form that it was
//! started from, and Rancher takes the new form's defaults for what they lack.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::entry::{
    Answers, Question, RancherCompose, Scalar, configured, defaults, entry, fill_in, folders, read,
};

/// A form of an earlier version, filled in, as tests/catalog has it.
#[derive(Debug, Deserialize)]
struct Earlier {
    command: String,
    answers: BTreeMap<String, Scalar>,
    /// What the program got then.
    environment: Answers,
    health_check_interval: Scalar,
}

/// Whether the form takes this answer.
fn takes(question: &Question, answer: &str) -> bool {
    match question.kind.as_str() {
        "enum" => question.options.iter().any(|option| option == answer),
        "boolean" => matches!(answer, "true" | "false"),
        "int" => answer.parse().is_ok_and(|number: i64| {
            question.min.is_none_or(|min| number >= min)
                && question.max.is_none_or(|max| number <= max)
        }),
        _ => !question.required || !answer.is_empty(),
    }
}

fn config(command: &str, variables: &Answers) -> String {
    let (invocation, config) = configured(command, variables).expect("right settings");
    format!("{invocation:?} {config:#?}")
}

#[test]
fn the_answers_of_an_earlier_form_are_kept() {
    let earlier: Earlier = read("tests/catalog/answers-v0.1.0.yml");
    let (container, rancher) = entry();
    let questions = &rancher.catalog.questions;
    let mut answers: Answers = defaults(questions);
    for (name, answer) in &earlier.answers {
        let answer = answer.to_string();
        let question = questions.iter().find(|question| question.variable == *name);
        let question = question.unwrap_or_else(|| panic!("the form no longer asks for {name}"));
        assert!(takes(question, &answer), "{name} no longer takes {answer}");
        answers.insert(name.clone(), answer);
    }
    let environment: Answers = container
        .environment
        .iter()
        .map(|(name, text)| (name.clone(), fill_in(text, &answers)))
        .collect();
    for (name, value) in &earlier.environment {
        assert_eq!(environment.get(name), Some(value), "{name}");
    }
    // The defaults of new questions change nothing.
    assert_eq!(
        config(&fill_in(container.line(), &answers), &environment),
        config(&earlier.command, &earlier.environment)
    );
    let interval = rancher.services.route53.health_check.interval;
    assert_eq!(
        interval.map(|text| fill_in(&text, &answers)),
        Some(earlier.health_check_interval.to_string())
    );
    assert_eq!(
        fill_in(&container.image, &answers),
        earlier.answers["IMAGE"].to_string()
    );
}

/// Catalog services keep a version that they have read by its folder's number: a version that is
/// out gets a folder of its own for each change, and the newest is the one that is offered.
#[test]
fn each_version_asks_for_all_that_the_one_before_asked_for() {
    #[derive(Deserialize)]
    struct Offered {
        version: String,
    }
    let forms = folders().into_iter();
    let forms: Vec<RancherCompose> = forms
        .map(|f| read(&format!("{f}/rancher-compose.yml")))
        .collect();
    let offered: Offered = read("catalog/config.yml");
    let newest = forms.last().expect("a version");
    assert_eq!(newest.catalog.version, offered.version);
    let versions: BTreeSet<&str> = forms.iter().map(|f| &*f.catalog.version).collect();
    assert_eq!(versions.len(), forms.len(), "{versions:?}");
    for pair in forms.windows(2) {
        for old in &pair[0].catalog.questions {
            let mut new = pair[1].catalog.questions.iter();
            let kept = new.find(|question| question.variable == old.variable);
            let kept = kept.unwrap_or_else(|| panic!("{} is gone", old.variable));
            let extremes = [old.min, old.max]
                .into_iter()
                .flatten()
                .map(|n| n.to_string());
            for answer in old.options.iter().cloned().chain(extremes) {
                assert!(
                    takes(kept, &answer),
                    "{} no longer takes {answer}",
                    old.variable
                );
            }
            assert_eq!(kept.required, old.required, "{}", old.variable);
        }
    }
}

#[test]
fn what_the_form_takes_is_known() {
    let questions = entry().1.catalog.questions;
    let question = |name: &str| {
        let mut found = questions
            .iter()
            .filter(|question| question.variable == name);
        found.next().expect("a question")
    };
    for (name, answer, is_taken) in [
        ("TTL", "0", true),
        ("TTL", "-1", false),
        ("TTL", "soon", false),
        ("POLICY", "sync", true),
        ("POLICY", "all", false),
        ("WRITE_BACK", "maybe", false),
        ("ROOT_DOMAIN", "", false),
        ("OWNER_ID", "", true),
    ] {
        assert_eq!(takes(question(name), answer), is_taken, "{name}={answer}");
    }
}
