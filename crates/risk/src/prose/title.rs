//! Names as people write them.

use super::grammar::capitalised;

/// How many words of a name are read, and how long one may be.
const WORDS: usize = 12;
const LONGEST: usize = 24;

/// The words of a name, in the case in which they stand: parted at signs, humps and the ends of capitals.
pub(super) fn parts(name: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut letters = name.chars().take(WORDS * LONGEST).peekable();
    let mut last = ' ';
    while let Some(letter) = letters.next() {
        if !letter.is_alphanumeric() {
            parts.push(std::mem::take(&mut word));
        } else {
            let next_small = letters.peek().is_some_and(|next| next.is_lowercase());
            let hump = letter.is_uppercase() && (last.is_lowercase() || (last.is_uppercase() && next_small));
            // `PDFs` is one word.
            let plural = last.is_uppercase() && next_small && letters.peek() == Some(&'s') && ends_after(&letters, 1);
            if hump && !plural {
                parts.push(std::mem::take(&mut word));
            }
            if word.chars().count() < LONGEST {
                word.push(letter);
            }
        }
        last = letter;
    }
    parts.push(word);
    parts.retain(|part| !part.is_empty());
    parts.truncate(WORDS);
    parts
}

fn ends_after(letters: &std::iter::Peekable<std::iter::Take<std::str::Chars<'_>>>, skip: usize) -> bool {
    letters.clone().nth(skip).is_none_or(|letter| !letter.is_lowercase())
}

/// A name in words: `update_lead_by_id` is "update lead by id".
///
/// ```
/// use risk::prose::title::humanised;
/// assert_eq!(humanised("update_lead_by_id"), "update lead by id");
/// assert_eq!(humanised("updateLead"), "update lead");
/// assert_eq!(humanised("k8s--apply-manifest"), "k8s apply manifest");
/// ```
#[must_use]
pub fn humanised(name: &str) -> String {
    parts(name).iter().map(|part| part.to_lowercase()).collect::<Vec<_>>().join(" ")
}

/// What a server is called, without what every server is: "SmartLead MCP Server" is "SmartLead", `acme/mail-mcp-server` is
/// "Mail". A name that says nothing else stays as it is.
///
/// ```
/// use risk::prose::title::server;
/// assert_eq!(server("SmartLead MCP Server"), "SmartLead");
/// assert_eq!(server("acme/mail-mcp-server"), "Mail");
/// assert_eq!(server("MCP Server"), "MCP Server");
/// ```
#[must_use]
pub fn server(name: &str) -> String {
    let shown = super::plain(name, 60);
    let slug = !shown.contains(' ');
    let halves = match slug.then(|| shown.rsplit(['/', ':'])) {
        Some(halves) => halves.collect(),
        None => vec![shown.as_str()],
    };
    for half in halves {
        let said = without_kind(half, slug);
        if !said.is_empty() {
            return said;
        }
    }
    if shown.is_empty() { "this server".to_owned() } else { shown }
}

/// The name without "MCP", "server" and the like at its ends.
fn without_kind(name: &str, slug: bool) -> String {
    const KIND: [&str; 10] =
        ["mcp", "mcps", "server", "servers", "(mcp)", "modelcontextprotocol", "standalone", "the", "for", "official"];
    let parted: Vec<&str> = match slug {
        true => name.split(['-', '_', '.', '@']).collect(),
        false => name.split(' ').collect(),
    };
    let mut words: Vec<&str> = parted.into_iter().filter(|word| !word.is_empty()).collect();
    let kind = |word: &&str| KIND.contains(&word.to_lowercase().as_str());
    if slug && words.len() > 1 {
        words.retain(|word| !matches!(word.to_lowercase().as_str(), "mcp" | "server" | "servers"));
    }
    while words.last().is_some_and(kind) {
        words.pop();
    }
    while words.first().is_some_and(kind) {
        words.remove(0);
    }
    match slug {
        true => words.iter().map(|word| capitalised(word)).collect::<Vec<_>>().join(" "),
        false => words.join(" "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_words() {
        for (name, words) in [
            ("getHTTPUrl", "get http url"),
            ("im.v1.message.create", "im v1 message create"),
            ("listPDFs", "list pdfs"),
            ("", ""),
            ("___", ""),
            ("Get a test case by ID", "get a test case by id"),
        ] {
            assert_eq!(humanised(name), words);
        }
        assert!(humanised(&"x".repeat(10_000)).len() <= LONGEST);
    }

    #[test]
    fn servers_are_named_once() {
        for (name, said) in [
            ("Kommo CRM MCP Server", "Kommo CRM"),
            ("12306-mcp", "12306"),
            ("mcp-server-kubernetes", "Kubernetes"),
            ("owner/mcp-server", "Owner"),
            ("christcr2012/robinsonai-mcp-servers:standalone", "Robinsonai"),
            ("@scope/smart-lead-mcp-server-local", "Smart Lead Local"),
            ("", "this server"),
            ("Git\u{202e}Hub MCP", "GitU+202EHub"),
        ] {
            assert_eq!(server(name), said);
        }
    }
}
