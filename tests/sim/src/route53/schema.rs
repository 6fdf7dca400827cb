//! What AWS's XML schema demands of any element, and AWS's words where it isn't so, as users of
//! several SDKs have quoted them.

use super::error::ApiError;
use super::xml::NAMESPACE;
use roxmltree::Node;

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

/// A whole number from 0 to this, that may be missing.
pub fn number(node: Option<Node>, member: &str, most: u64) -> Result<Option<u64>, ApiError> {
    let Some(node) = node else { return Ok(None) };
    let text = text_of(node)?;
    let number: i128 = text.parse().map_err(|_| {
        schema(format!(
            "cvc-datatype-valid.1.2.1: '{text}' is not a valid value for 'integer'."
        ))
    })?;
    if number < 0 {
        let rule = "Member must have value greater than or equal to 0";
        return Err(constraint(&text, member, rule));
    }
    if number > i128::from(most) {
        let rule = format!("Member must have value less than or equal to {most}");
        return Err(constraint(&text, member, &rule));
    }
    Ok(u64::try_from(number).ok())
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
pub fn invalid_content(node: Node, expected: &[&str]) -> ApiError {
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
