//! The addresses of pages: one for each server and each tool.

use std::fmt::Write;

use store::catalogue::Server;

/// What stands for a publisher whom nobody names.
const NOBODY: &str = "-";

/// The path of a server's page: `/s/<publisher>/<server>/`.
#[must_use]
pub fn server_path(server: &Server) -> String {
    // Dots alone would be taken for a way up, however they are written.
    let named = |publisher: &&str| publisher.chars().any(char::is_alphanumeric);
    let publisher = server.publisher.as_deref().filter(named).map(segment);
    format!("/s/{}/{}/", publisher.as_deref().unwrap_or(NOBODY), encoded(&server.slug))
}

/// The path of a tool's page: the tool keeps its own name, percent-encoded, below its server.
#[must_use]
pub fn tool_path(server: &Server, tool: &str) -> String {
    format!("{}{}/", server_path(server), encoded(tool))
}

/// A name in an address: lower case, words joined by hyphens.
fn segment(name: &str) -> String {
    let mut segment = String::with_capacity(name.len());
    for letter in name.chars().flat_map(char::to_lowercase) {
        if letter.is_alphanumeric() || matches!(letter, '.' | '_') {
            segment.push(letter);
        } else if !segment.is_empty() && !segment.ends_with('-') {
            segment.push('-');
        }
    }
    encoded(segment.trim_end_matches('-'))
}

/// A text as one segment of a path (RFC 3986, section 3.3). Dots alone would be taken for a way up.
#[must_use]
pub fn encoded(text: &str) -> String {
    let dots = text.bytes().all(|byte| byte == b'.');
    let mut segment = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'~') || (byte == b'.' && !dots) {
            segment.push(char::from(byte));
        } else {
            let _ = write!(segment, "%{byte:02X}");
        }
    }
    segment
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_one_segment() {
        assert_eq!(encoded("k8s--apply.manifest"), "k8s--apply.manifest");
        assert_eq!(encoded("a/b ?#ü"), "a%2Fb%20%3F%23%C3%BC");
        assert_eq!(encoded(".."), "%2E%2E");
        assert_eq!(segment("Acme, Inc."), "acme-inc.");
    }
}
