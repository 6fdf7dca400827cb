//! What AWS's XML schema demands of any element, and AWS's words where it isn't so, as users of
//! several SDKs have quoted them.

use super::error::ApiError;
use super::xml::NAMESPACE;
use roxmltree::Node;
use std::ops::RangeInclusive;

/// Whether elements must stand in the model's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Model,
    Any,
}

/// The children of an element: at most one of each of these, in this order, and nothing else.
pub fn fields<'a, 'i, const N: usize>(
    order: Order,
    node: Node<'a, 'i>,
    names: [&str; N],
) -> Result<[Option<Node<'a, 'i>>; N], ApiError> {
    let mut found = [None; N];
    let mut next = 0;
    for child in elements(node)? {
        let position = (next..N)
            .find(|&i| found[i].is_none() && child.has_tag_name((NAMESPACE, names[i])))
            .ok_or_else(|| invalid_content(child, &names[next..]))?;
        found[position] = Some(child);
        if order == Order::Model {
            next = position + 1;
        }
    }
    Ok(found)
}

/// The children of a list: one or more, all of this name.
pub fn items<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Result<Vec<Node<'a, 'i>>, ApiError> {
    let children = elements(node)?;
    if children.is_empty() {
        return Err(incomplete(node, name));
    }
    for child in &children {
        expect_name(*child, name)?;
    }
    Ok(children)
}

/// The element's children, once it is sure that it has no text and no attributes.
fn elements<'a, 'i>(node: Node<'a, 'i>) -> Result<Vec<Node<'a, 'i>>, ApiError> {
    no_attributes(node)?;
    let blank = |text: &str| text.chars().all(|c| matches!(c, ' ' | '\t' | '\r' | '\n'));
    if node
        .children()
        .any(|child| child.is_text() && !blank(child.text().unwrap_or_default()))
    {
        return Err(schema(format!(
            "cvc-complex-type.2.3: Element '{}' cannot have character [children], because the \
             type's content type is element-only.",
            node.tag_name().name()
        )));
    }
    Ok(node.children().filter(Node::is_element).collect())
}

/// The text of an element that holds nothing else.
pub fn text_of(node: Node) -> Result<String, ApiError> {
    no_attributes(node)?;
    if node.children().any(|child| child.is_element()) {
        return Err(schema(format!(
            "cvc-type.3.1.2: Element '{}' is a simple type, so it must have no element \
             information item [children].",
            node.tag_name().name()
        )));
    }
    let texts = node.children().filter(Node::is_text);
    Ok(texts.filter_map(|child| child.text()).collect())
}

/// The text of an element that may be missing.
pub fn optional(node: Option<Node>) -> Result<Option<String>, ApiError> {
    node.map(text_of).transpose()
}

/// A whole number within these bounds, that may be missing.
pub fn number(
    node: Option<Node>,
    member: &str,
    bounds: RangeInclusive<i64>,
) -> Result<Option<i64>, ApiError> {
    let Some(node) = node else { return Ok(None) };
    let text = text_of(node)?;
    let number: i128 = text.parse().map_err(|_| {
        schema(format!(
            "cvc-datatype-valid.1.2.1: '{text}' is not a valid value for 'integer'."
        ))
    })?;
    let (least, most) = (*bounds.start(), *bounds.end());
    let rule = if number < i128::from(least) {
        format!("Member must have value greater than or equal to {least}")
    } else if number > i128::from(most) {
        format!("Member must have value less than or equal to {most}")
    } else {
        return Ok(i64::try_from(number).ok());
    };
    Err(constraint(&text, member, &rule))
}

/// `true` or `false`.
pub fn boolean(node: Node) -> Result<bool, ApiError> {
    match text_of(node)?.as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        other => Err(schema(format!(
            "cvc-datatype-valid.1.2.1: '{other}' is not a valid value for 'boolean'."
        ))),
    }
}

/// Refuses a text of more characters than the model allows.
pub fn at_most(text: &str, limit: usize, member: &str) -> Result<(), ApiError> {
    if text.chars().count() <= limit {
        return Ok(());
    }
    let rule = format!("Member must have length less than or equal to {limit}");
    Err(constraint(text, member, &rule))
}

/// Refuses a text that has fewer or more characters than the model allows.
pub fn length(text: &str, bounds: RangeInclusive<usize>, member: &str) -> Result<(), ApiError> {
    let least = *bounds.start();
    if text.chars().count() < least {
        let rule = format!("Member must have length greater than or equal to {least}");
        return Err(constraint(text, member, &rule));
    }
    at_most(text, *bounds.end(), member)
}

/// Refuses a word that isn't one of the model's.
pub fn one_of(word: &str, words: &[&str], member: &str) -> Result<(), ApiError> {
    if words.contains(&word) {
        return Ok(());
    }
    let rule = format!("Member must satisfy enum value set: [{}]", words.join(", "));
    Err(constraint(word, member, &rule))
}

/// Refuses a text that the model's regular expression doesn't match, as the caller has found out.
pub fn pattern(text: &str, matches: bool, expression: &str, member: &str) -> Result<(), ApiError> {
    if matches {
        return Ok(());
    }
    let rule = format!("Member must satisfy regular expression pattern: {expression}");
    Err(constraint(text, member, &rule))
}

/// The element, or what AWS says of a parent that lacks it.
pub fn required<'a, 'i>(
    parent: Node<'a, 'i>,
    node: Option<Node<'a, 'i>>,
    name: &str,
) -> Result<Node<'a, 'i>, ApiError> {
    node.ok_or_else(|| incomplete(parent, name))
}

/// Refuses an element of another name or namespace.
pub fn expect_name(node: Node, name: &str) -> Result<(), ApiError> {
    if node.has_tag_name((NAMESPACE, name)) {
        Ok(())
    } else {
        Err(invalid_content(node, &[name]))
    }
}

fn no_attributes(node: Node) -> Result<(), ApiError> {
    match node.attributes().next() {
        None => Ok(()),
        Some(attribute) => Err(schema(format!(
            "cvc-complex-type.3.2.2: Attribute '{}' is not allowed to appear in element '{}'.",
            attribute.name(),
            node.tag_name().name()
        ))),
    }
}

/// What AWS says of an element that may not stand where it does.
fn invalid_content(node: Node, expected: &[&str]) -> ApiError {
    let expected: Vec<String> = expected
        .iter()
        .map(|name| format!("\"{NAMESPACE}\":{name}"))
        .collect();
    schema(format!(
        "cvc-complex-type.2.4.a: Invalid content was found starting with element '{}'. One of \
         '{{{}}}' is expected.",
        node.tag_name().name(),
        expected.join(", ")
    ))
}

fn incomplete(node: Node, expected: &str) -> ApiError {
    schema(format!(
        "cvc-complex-type.2.4.b: The content of element '{}' is not complete. One of \
         '{{\"{NAMESPACE}\":{expected}}}' is expected.",
        node.tag_name().name()
    ))
}

fn schema(fault: String) -> ApiError {
    ApiError::invalid_input(format!("Invalid XML ; {fault}"))
}

/// What AWS says of a value outside the model's constraints.
pub fn constraint(value: &str, member: &str, rule: &str) -> ApiError {
    ApiError::invalid_input(format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy \
         constraint: {rule}"
    ))
}
