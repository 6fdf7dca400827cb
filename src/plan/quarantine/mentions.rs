//! Which record sets an error message of Route 53 is about. Pure.

use crate::dns::{RecordKey, RecordSet, RecordType};

/// The types of the record sets that this program writes.
const TYPES: [RecordType; 4] = [
    RecordType::A,
    RecordType::Aaaa,
    RecordType::Cname,
    RecordType::Txt,
];

/// Whether a message mentions the record set with this key. Route 53 writes `[name='x.',
/// type='A']`, with `, set-identifier='id'` in it if there is one, `of type A with DNS name x.`,
/// `DNS name x., type A, SetIdentifier id`, `resource record set 'A x.'` or only `DNS name x.`.
pub fn mentions_key(message: &str, key: &RecordKey) -> bool {
    let name = key.name.as_str();
    let has_type = |rtype: &RecordType| {
        message.contains(&format!("type='{rtype}'"))
            || has_words(message, &format!("type {rtype}"), "")
            || message.contains(&format!("'{rtype} {name}'"))
    };
    let is_type = has_type(&key.rtype) || !TYPES.iter().any(has_type);
    has_words(message, name, IN_NAME) && is_type && may_mean_set_id(message, key)
}

/// Whether a message that mentions set identifiers mentions that of this key, if it has one.
fn may_mean_set_id(message: &str, key: &RecordKey) -> bool {
    let mentions_any = message.contains("set-identifier='") || message.contains("SetIdentifier ");
    match &key.set_id {
        None => !mentions_any,
        // In this form there is one, wherever the record set has one.
        Some(_) if message.contains(&format!("type='{}']", key.rtype)) => false,
        Some(id) => {
            !mentions_any
                || message.contains(&format!("set-identifier='{id}'"))
                || has_words(message, &format!("SetIdentifier {id}"), IN_SET_ID)
        }
    }
}

/// Whether a message quotes a value of this record set, or has the target that it is an alias of, or, if
/// it is about health checks, the id of that of the record set: a label may say any word.
pub fn mentions_value(message: &str, set: &RecordSet) -> bool {
    let mut values = set.values().iter();
    let target = set.alias().map(|target| target.name.as_str());
    let mentions_check = |id| mentions_health_check(message, id);
    target.is_some_and(|name| has_words(message, name, IN_NAME))
        || set.health_check.as_deref().is_some_and(mentions_check)
        || values.any(|value| message.contains(&format!("'{value}'")))
}

/// Whether a message is about the health check with this id.
pub fn mentions_health_check(message: &str, id: &str) -> bool {
    message.to_ascii_lowercase().contains("health check") && has_words(message, id, IN_NAME)
}

/// Characters, besides letters and digits, with which a name goes on, and a set identifier of this
/// program.
const IN_NAME: &str = "-_.\\";
const IN_SET_ID: &str = "-_.:";

/// Whether a text has these words, and not only as a part of longer ones, in which there may be these
/// characters, too.
fn has_words(text: &str, words: &str, others: &str) -> bool {
    let goes_on = |c: char| c.is_ascii_alphanumeric() || others.contains(c);
    let mut places = text.match_indices(words);
    !words.is_empty()
        && places.any(|(start, _)| {
            let (before, after) = (&text[..start], &text[start + words.len()..]);
            !before.ends_with(goes_on) && !after.starts_with(goes_on)
        })
}

#[cfg(test)]
mod tests;
