//! What a server wants of a person: pages that may be opened (2025-11-25).

use crate::json::{Value, folds_to, locate};

/// The code of an error by which a server asks for pages to be opened before it goes on (2025-11-25).
pub const URL_REQUIRED: &str = "-32042";

/// How an agent can be asked something, by what it declares of `elicitation`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kinds {
    /// With a form.
    pub form: bool,
    /// With a page to open (2025-11-25).
    pub url: bool,
}

impl Kinds {
    /// What the raw value of the capability declares: an empty object stands for forms, and what else it names is no kind.
    #[must_use]
    pub fn of(declared: &str) -> Self {
        let has = |kind: &str| match locate(declared, &[kind]) {
            Ok(Some(span)) => span.of(declared).starts_with('{'),
            _ => false,
        };
        let empty = crate::json::parse(declared)
            .is_ok_and(|value| value.as_object().is_some_and(crate::json::Object::is_empty));
        Self { form: empty || has("form"), url: has("url") }
    }

    /// The capability that says so; `None` where it is to be left out.
    #[must_use]
    pub fn declared(self) -> Option<&'static str> {
        match (self.form, self.url) {
            (true, true) => Some(r#"{"form":{},"url":{}}"#),
            (true, false) => Some("{}"),
            (false, true) => Some(r#"{"url":{}}"#),
            (false, false) => None,
        }
    }
}

/// Why the `params` of an elicitation must not reach a person, if they must not: a page is opened over TLS or on the
/// person's own machine, and its address says where it leads.
#[must_use]
pub fn fault(params: &Value<'_>) -> Option<&'static str> {
    let members = params.as_object()?;
    // Whatever the mode is called: what a lenient client could open must be good.
    members.iter().filter(|(key, _)| folds_to(key, "url")).find_map(|(_, value)| match value.as_str() {
        Some(url) => url_fault(url),
        None => Some("an address that is no text"),
    })
}

/// The first fault in the `elicitations` of an error's `data`. One that cannot be read is a fault.
#[must_use]
pub fn fault_in_error(data: &Value<'_>) -> Option<&'static str> {
    let Some(elicitations) = data.get("elicitations").and_then(Value::as_array) else {
        return Some("no list of pages");
    };
    elicitations.iter().find_map(fault)
}

fn url_fault(url: &str) -> Option<&'static str> {
    if url.contains(|c: char| c.is_control() || c.is_whitespace() || c == '\\') {
        return Some("an address that readers take for different ones");
    }
    let Some((scheme, rest)) = url.split_once("://") else { return Some("an address without a host") };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains(['@', '%']) {
        return Some("an address that hides its host");
    }
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    let own = ["localhost", "127.0.0.1", "[::1]"].iter().any(|own| host.eq_ignore_ascii_case(own));
    match scheme.to_ascii_lowercase().as_str() {
        _ if host.is_empty() => Some("an address without a host"),
        "https" => None,
        "http" if own => None,
        _ => Some("an address that is not https"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;

    #[test]
    fn kinds_are_forms_and_pages() {
        for (declared, form, url, said) in [
            ("{}", true, false, Some("{}")),
            (r#"{"form":{}}"#, true, false, Some("{}")),
            (r#"{"url":{}}"#, false, true, Some(r#"{"url":{}}"#)),
            (r#"{"form":{"x":1},"url":{}}"#, true, true, Some(r#"{"form":{},"url":{}}"#)),
            // Other names make nothing of it, and do not make it an empty object either.
            (r#"{"voice":{}}"#, false, false, None),
            (r#"{"voice":{},"url":{}}"#, false, true, Some(r#"{"url":{}}"#)),
            (r#"{"Form":{}}"#, false, false, None),
            (r#"{"form":null}"#, false, false, None),
            ("true", false, false, None),
            ("[]", false, false, None),
        ] {
            let kinds = Kinds::of(declared);
            assert_eq!((kinds, kinds.declared()), (Kinds { form, url }, said), "{declared}");
            if let Some(said) = said {
                assert_eq!(Kinds::of(said), kinds, "{declared}");
            }
        }
    }

    #[test]
    fn pages_that_may_be_opened_and_others() {
        for url in [
            "https://example.com/approve?id=1",
            "HTTPS://example.com",
            "https://example.com:8443/#x@y",
            "http://localhost:3000/",
            "http://127.0.0.1",
            "http://[::1]:80/a",
            "https://bücher.example/",
        ] {
            let params = format!(r#"{{"mode":"url","url":"{url}","message":"m"}}"#);
            assert_eq!(fault(&parse(&params).unwrap()), None, "{url}");
        }
        for url in [
            "http://example.com/",
            "http://localhost.evil.test/",
            "http://127.0.0.1.evil.test/",
            "javascript:alert(1)",
            "javascript://example.com/%0aalert(1)",
            "file:///etc/passwd",
            "data:text/html,x",
            "https://user@evil.test/",
            "https://example.com%40evil.test/",
            "https://example.com\\\\@evil.test/",
            "https:///x",
            "https://",
            "https:example.com",
            " https://example.com",
            "https://exa\\tmple.com",
            "",
        ] {
            for key in ["url", "URL", "\\u0075rl"] {
                let params = format!(r#"{{"mode":"form","{key}":"{url}"}}"#);
                assert!(fault(&parse(&params).unwrap()).is_some(), "{params}");
            }
        }
        assert!(fault(&parse(r#"{"url":7}"#).unwrap()).is_some());
        assert_eq!(fault(&parse(r#"{"message":"m","requestedSchema":{"properties":{"url":{}}}}"#).unwrap()), None);
        let error = |urls: &str| fault_in_error(&parse(&format!(r#"{{"elicitations":{urls}}}"#)).unwrap());
        assert_eq!(error(r#"[{"url":"https://a.example/"}]"#), None);
        assert!(error(r#"[{"url":"https://a.example/"},{"url":"http://b.example/"}]"#).is_some());
        assert!(error("{}").is_some());
    }
}
