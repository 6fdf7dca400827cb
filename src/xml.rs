//! Reads the XML that AWS's older services answer. Pure.

use quick_xml::events::Event;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Elements within elements: AWS's answers have a dozen at most.
const DEEPEST: u32 = 64;

/// Reads a whole document whose root has this name.
pub fn read<T: DeserializeOwned>(xml: &str, root: &str) -> Result<T, String> {
    let found = root_element(xml)?;
    if found != root {
        return Err(format!("expected {root}, not {found:?}"));
    }
    quick_xml::de::from_str(xml).map_err(|error| error.to_string())
}

/// The name of a document's root, which serde doesn't look at; the document must be whole.
fn root_element(xml: &str) -> Result<String, String> {
    let mut reader = quick_xml::Reader::from_str(xml);
    let mut root = None;
    let mut depth = 0;
    loop {
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(start) => {
                depth += 1;
                if depth > DEEPEST {
                    return Err("the XML is nested too deep".to_owned());
                }
                root.get_or_insert_with(|| start.local_name().as_ref().to_owned());
            }
            Event::End(_) => depth -= 1,
            Event::DocType(_) => return Err("the XML has a document type".to_owned()),
            Event::Eof if depth == 0 => return root.ok_or_else(|| "there is no XML".to_owned()),
            Event::Eof => return Err("the XML is cut off".to_owned()),
            _ => {}
        }
    }
}

/// `<ErrorResponse><Error><Code/><Message/></Error><RequestId/></ErrorResponse>`, the form of
/// errors that Route 53 and STS share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorResponse {
    /// Such as `AccessDenied`.
    pub code: String,
    /// Empty if there is none.
    pub message: String,
    /// Empty if there is none.
    pub request_id: String,
}

/// Reads an answer of that form.
pub fn error_response(xml: &str) -> Result<ErrorResponse, String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Raw {
        error: RawError,
        #[serde(default)]
        request_id: String,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct RawError {
        code: String,
        #[serde(default)]
        message: String,
    }
    let raw: Raw = read(xml, "ErrorResponse")?;
    Ok(ErrorResponse {
        code: raw.error.code,
        message: raw.error.message,
        request_id: raw.request_id,
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
            (deep.as_str(), "too deep"),
        ] {
            let error = error_response(xml).unwrap_err();
            assert!(error.contains(words), "{xml}: {error}");
        }
    }
}
