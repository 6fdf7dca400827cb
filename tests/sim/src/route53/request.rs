//! Reads the body of ChangeResourceRecordSets as strictly as AWS's schema: its namespace, its
//! elements in its order, nothing unknown, and the constraints that the API's model states.
//! The order can be let go: awscli sends the elements as its user wrote them, and by what is
//! reported of that (aws-cli issue 2508) the live service takes them.

use super::error::ApiError;
use super::model::TYPES;
use super::record::{Action, Change};
use super::schema::{Order, at_most, expect_name, fields, items, one_of, required, text_of};
use roxmltree::{Document, Node};

mod place;
mod record_set;

/// From the API's model.
const COMMENT_LIMIT: usize = 256;

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeRequest {
    pub comment: Option<String>,
    pub changes: Vec<Change>,
}

/// Reads a whole request body.
pub fn parse(body: &[u8], order: Order) -> Result<ChangeRequest, ApiError> {
    let malformed =
        |why: String| ApiError::new(400, "MalformedInput", format!("Could not parse XML: {why}"));
    let text = std::str::from_utf8(body).map_err(|e| malformed(e.to_string()))?;
    let document = Document::parse(text).map_err(|e| malformed(e.to_string()))?;
    let root = document.root_element();
    expect_name(root, "ChangeResourceRecordSetsRequest")?;
    let [batch] = fields(order, root, ["ChangeBatch"])?;
    let [comment, list] = fields(
        order,
        required(root, batch, "ChangeBatch")?,
        ["Comment", "Changes"],
    )?;
    let comment = comment.map(text_of).transpose()?;
    if let Some(comment) = &comment {
        at_most(comment, COMMENT_LIMIT, "changeBatch.comment")?;
    }
    let list = required(batch.unwrap_or(root), list, "Changes")?;
    let changes = items(list, "Change")?.into_iter();
    Ok(ChangeRequest {
        comment,
        changes: changes
            .map(|node| change(order, node))
            .collect::<Result<_, _>>()?,
    })
}

/// Refuses a record type that Route 53 doesn't have.
pub fn check_type(rtype: &str) -> Result<(), ApiError> {
    one_of(rtype, &TYPES, "type")
}

fn change(order: Order, node: Node) -> Result<Change, ApiError> {
    let [action, set] = fields(order, node, ["Action", "ResourceRecordSet"])?;
    let word = text_of(required(node, action, "Action")?)?;
    one_of(&word, &Action::ALL.map(Action::name), "action")?;
    let action = Action::ALL.into_iter().find(|action| action.name() == word);
    let action = action.expect("one of the words");
    let set = required(node, set, "ResourceRecordSet")?;
    Ok(Change {
        action,
        record_set: record_set::read(order, set, action)?,
    })
}
