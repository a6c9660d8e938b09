//! What is asked of a page: a reader that knows just enough of HTML.

use std::collections::HashSet;

/// What stands between two marks, each time.
pub fn between<'a>(text: &'a str, open: &'a str, close: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(open).skip(1).filter_map(move |rest| rest.split_once(close).map(|(inner, _)| inner))
}

/// A text without its escapes.
pub fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

/// Where the links of a page lead within the site, without fragments.
pub fn links(page: &str) -> Vec<String> {
    let inner = between(page, " href=\"", "\"").map(unescaped).filter(|link| link.starts_with('/'));
    inner.map(|link| link.split('#').next().unwrap().to_owned()).collect()
}

/// The snippets of a page.
pub fn snippets(page: &str) -> Vec<String> {
    between(page, "<pre tabindex=\"0\"><code id=\"", "</code>")
        .map(|rest| unescaped(rest.split_once("\">").unwrap().1))
        .collect()
}

/// What is wrong with a page.
pub fn faults(path: &str, page: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut fault = |what: String| faults.push(format!("{path}: {what}"));
    if page.len() > 50 << 10 {
        fault(format!("{} bytes", page.len()));
    }
    let levels: Vec<u32> =
        page.match_indices("<h").filter_map(|(at, _)| page[at + 2..].chars().next()?.to_digit(10)).collect();
    if levels.iter().filter(|level| **level == 1).count() != 1 || levels.first() != Some(&1) {
        fault(format!("headings {levels:?}"));
    }
    if levels.windows(2).any(|two| two[1] > two[0] + 1) {
        fault(format!("headings leave out a level: {levels:?}"));
    }
    let mut ids = HashSet::new();
    for id in between(page, " id=\"", "\"") {
        if !ids.insert(id) {
            fault(format!("the id {id} twice"));
        }
    }
    for target in between(page, " href=\"#", "\"").chain(between(page, " for=\"", "\"")) {
        if !ids.contains(target) {
            fault(format!("nothing has the id {target}"));
        }
    }
    let canonical = format!("<link rel=\"canonical\" href=\"{}", super::corpus::BASE);
    if page.matches(&canonical).count() != 1 {
        fault("no canonical address".to_owned());
    }
    let title = between(page, "<title>", "</title>").next().map(unescaped).unwrap_or_default();
    let description =
        between(page, "<meta name=\"description\" content=\"", "\"").next().map(unescaped).unwrap_or_default();
    let server = path.starts_with("/s/");
    if title.is_empty() || (title.chars().count() > 60 && !server) {
        fault(format!("the title {title}"));
    }
    if description.is_empty() || (description.chars().count() > 155 && !server) {
        fault(format!("{} characters: {description}", description.chars().count()));
    }
    for graph in between(page, "<script type=\"application/ld+json\">", "</script>") {
        if serde_json::from_str::<serde_json::Value>(graph).is_err() || graph.contains('<') {
            fault(format!("a graph that is no JSON: {graph}"));
        }
    }
    // Nothing that entries say has become markup, and nothing in it hides.
    for mark in ["<script>", "<img", "<b>", "href=\"javascript:", "\u{202e}", "\u{200b}"] {
        if page.contains(mark) {
            fault(format!("{mark} acts"));
        }
    }
    let scripts = page.matches("<script").count();
    // The one of every page, and that of the stack, which strips what is pasted.
    let ours = 1 + page.matches("<script src=\"/assets/stack.").count();
    if scripts != ours + page.matches("<script type=\"application/ld+json\">").count() {
        fault(format!("{scripts} scripts"));
    }
    faults
}
