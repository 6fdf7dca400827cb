//! Reads the XML of AWS's answers into a small tree. Pure.
//!
//! Route 53 and STS answer in XML. In: the text of a document. Out: its root [`Element`], or why
//! the document is not valid. It is a tree instead of types with serde, since the decoders that
//! serde generates for a dozen types would be a large part of a small binary.

use std::borrow::Cow;
use std::rc::Rc;

use quick_xml::escape::unescape;
use quick_xml::events::Event;

/// Levels of elements that are accepted. AWS's answers have a dozen at most.
const MAX_DEPTH: usize = 64;
/// Distinct names that are shared between the elements of a document. A listing has about twenty.
const MAX_SHARED_NAMES: usize = 64;

/// An XML element: its name without the namespace prefix, its text, and its child elements. AWS's
/// answers use no attributes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Element {
    name: Rc<str>,
    text: String,
    children: Vec<Element>,
}

impl Element {
    /// The child elements with this name.
    pub fn children<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children
            .iter()
            .filter(move |child| &*child.name == name)
    }

    /// The name, without the namespace prefix.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// All child elements, in their order.
    pub fn all_children(&self) -> impl Iterator<Item = &Element> {
        self.children.iter()
    }

    /// The first child element with this name, if there is one.
    pub fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| &*child.name == name)
    }

    /// The first child element with this name. An error if there is none.
    pub fn required(&self, name: &str) -> Result<&Element, String> {
        self.child(name)
            .ok_or_else(|| format!("{} has no {name}", self.name))
    }

    /// The text of this element, without that of its children.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text of the first child element with this name, if there is one.
    pub fn text_of(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.as_str())
    }

    /// The text of the first child element with this name. An error if there is none.
    pub fn required_text(&self, name: &str) -> Result<&str, String> {
        self.required(name).map(|child| child.text.as_str())
    }

    /// The boolean in the first child element with this name. An error if there is none.
    pub fn required_bool(&self, name: &str) -> Result<bool, String> {
        match self.required_text(name)? {
            "true" => Ok(true),
            "false" => Ok(false),
            other => Err(format!("{name} is {other:.40?}, neither true nor false")),
        }
    }
}

/// Reads a complete document whose root element has this name.
pub fn read(xml: &str, root: &str) -> Result<Element, String> {
    let element = document(xml)?;
    if &*element.name != root {
        return Err(format!("expected {root}, not {:.40?}", element.name));
    }
    Ok(element)
}

fn document(xml: &str) -> Result<Element, String> {
    let mut reader = quick_xml::Reader::from_str(xml);
    // The elements that are open, outermost first. The first one stands for the document itself.
    let mut open = vec![Element::default()];
    let mut names = Vec::new();
    loop {
        let event = reader.read_event().map_err(|error| error.to_string())?;
        let text = match event {
            Event::Start(start) => {
                if open.len() > MAX_DEPTH {
                    return Err("the XML is nested too deep".to_owned());
                }
                open.push(new_element(start.local_name().as_ref(), &mut names)?);
                continue;
            }
            Event::Empty(empty) => {
                let element = new_element(empty.local_name().as_ref(), &mut names)?;
                innermost(&mut open).children.push(element);
                continue;
            }
            Event::End(_) => {
                if let Some(element) = open.pop() {
                    innermost(&mut open).children.push(element);
                }
                continue;
            }
            Event::Text(text) => text.into_inner(),
            Event::CData(text) => text.into_inner(),
            Event::GeneralRef(name) => {
                let reference = format!("&{};", name.into_inner());
                let text = unescape(&reference).map_err(|error| error.to_string())?;
                Cow::Owned(text.into_owned())
            }
            Event::DocType(_) => return Err("the XML has a document type".to_owned()),
            Event::Eof if open.len() > 1 => return Err("the XML is cut off".to_owned()),
            Event::Eof => break,
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => continue,
        };
        innermost(&mut open).text.push_str(&text);
    }
    let document = open.pop().unwrap_or_default();
    match <[Element; 1]>::try_from(document.children) {
        Ok([root]) if document.text.trim().is_empty() => Ok(root),
        Ok(_) => Err("there is text around the XML".to_owned()),
        Err(elements) if elements.is_empty() => Err("there is no XML".to_owned()),
        Err(_) => Err("there is more than one root element".to_owned()),
    }
}

/// An empty element. Elements with the same name share its text.
fn new_element(name: &str, names: &mut Vec<Rc<str>>) -> Result<Element, String> {
    let name = match names.iter().find(|known| ***known == *name) {
        Some(known) => known.clone(),
        None => {
            // The reader takes any text for a name. AWS's names are letters and digits.
            let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
            if name.is_empty() || !name.chars().all(is_part) {
                return Err("the XML has an element whose name is not valid".to_owned());
            }
            let new: Rc<str> = name.into();
            if names.len() < MAX_SHARED_NAMES {
                names.push(new.clone());
            }
            new
        }
    };
    Ok(Element {
        name,
        ..Element::default()
    })
}

fn innermost(open: &mut Vec<Element>) -> &mut Element {
    if open.is_empty() {
        // Cannot happen, since the reader checks that each end tag has a start tag.
        open.push(Element::default());
    }
    let last = open.len() - 1;
    &mut open[last]
}

/// An error answer in the form that Route 53 and STS share:
/// `<ErrorResponse><Error><Code/><Message/></Error><RequestId/></ErrorResponse>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorResponse {
    /// Error code, such as `AccessDenied`.
    pub code: String,
    /// Error message. Empty if there is none.
    pub message: String,
    /// Id of the request, for AWS's support. Empty if there is none.
    pub request_id: String,
}

/// Reads an error answer.
pub fn error_response(xml: &str) -> Result<ErrorResponse, String> {
    let response = read(xml, "ErrorResponse")?;
    let error = response.required("Error")?;
    Ok(ErrorResponse {
        code: error.required_text("Code")?.to_owned(),
        message: error.text_of("Message").unwrap_or_default().to_owned(),
        request_id: response.text_of("RequestId").unwrap_or_default().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_an_error_of_sts() {
        // The form of https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
        let xml = "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n  <Error>\
             <Type>Sender</Type><Code>AccessDenied</Code><Message>not &lt;you&gt;</Message>\
             </Error>\n  <RequestId>r-1</RequestId></ErrorResponse>";
        let expected = ErrorResponse {
            code: "AccessDenied".into(),
            message: "not <you>".into(),
            request_id: "r-1".into(),
        };
        assert_eq!(error_response(xml), Ok(expected));
    }

    #[test]
    fn refuses_what_is_no_whole_document() {
        let deep = "<a>".repeat(100);
        for (xml, words) in [
            ("", "no XML"),
            ("hello", "no XML"),
            ("<html></html>", "expected ErrorResponse"),
            ("<ErrorResponse><Error>", "cut off"),
            ("<ErrorResponse></Error>", "ErrorResponse"),
            ("<ErrorResponse></ErrorResponse>", "Error"),
            ("<!DOCTYPE a []><ErrorResponse/>", "document type"),
            ("<a></a><b></b>", "more than one root"),
            ("<ErrorResponse/>x", "text around"),
            ("<ErrorResponse>&unknown;</ErrorResponse>", "unknown"),
            ("<ErrorResponse><></></ErrorResponse>", "name is not valid"),
            (
                "<ErrorResponse><a/b></a/b></ErrorResponse>",
                "name is not valid",
            ),
            (
                "<ErrorResponse><a\u{0}/></ErrorResponse>",
                "name is not valid",
            ),
            (deep.as_str(), "too deep"),
        ] {
            let error = error_response(xml).unwrap_err();
            assert!(error.contains(words), "{xml}: {error}");
        }
    }

    #[test]
    fn reads_text_with_its_escapes_and_in_its_order() {
        let xml = "<a xmlns:p=\"u\"><!-- c --><p:b>1 &lt; 2 &#38; <![CDATA[<3>]]></p:b><b/></a>";
        let root = read(xml, "a").unwrap();
        let texts: Vec<&str> = root.children("b").map(Element::text).collect();
        assert_eq!(texts, ["1 < 2 & <3>", ""]);
        assert_eq!(root.text_of("c"), None);
        assert!(root.required("c").unwrap_err().contains("a has no c"));
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(xml in "[<>/a-c&;#! \\[\\]\"=-]{0,60}") {
            let _ = read(&xml, "a");
        }
    }
}
