//! What all pages have in common.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use policy::Class;
use risk::Severity;
use serde_json::{Value, json};

use crate::assets::{ICON, SCRIPT, STYLE};
use crate::head::{Head, Robots};
use crate::site::Site;

/// The product's name, at the end of every title.
const PRODUCT: &str = "Toolgate";

/// The whole document of a page.
pub(crate) fn html(site: &Site, head: &Head, body: &Markup) -> Markup {
    let title = if head.path == "/" { head.title.clone() } else { format!("{} · {PRODUCT}", head.title) };
    let address = site.absolute(&head.path);
    let (folder, query) = head.path.split_once('?').unwrap_or((&head.path, ""));
    let twin = |file: &str| match query {
        "" => format!("{folder}{file}"),
        query => format!("{folder}{file}?{query}"),
    };
    // A page that begins with the search shows its whole on its own.
    let is_page = head.robots != Robots::Nothing;
    let robots = match head.robots {
        Robots::Nothing => Some("noindex"),
        Robots::Index if site.is_public() => None,
        _ => Some("noindex, follow"),
    };
    let headings = if head.searches { Vec::new() } else { headings(&body.0) };
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                meta name="description" content=(head.description);
                meta name="color-scheme" content="light dark";
                @if let Some(robots) = robots { meta name="robots" content=(robots); }
                @if is_page {
                    link rel="canonical" href=(address);
                    link rel="alternate" type="text/markdown" href=(twin("index.md"));
                    link rel="alternate" type="application/json" href=(twin("index.json"));
                }
                @if let Some(feed) = &head.feed { link rel="alternate" type="application/atom+xml" href=(feed); }
                link rel="icon" type="image/svg+xml" href=(ICON.path);
                link rel="stylesheet" href=(STYLE.path);
                meta property="og:type" content="article";
                meta property="og:site_name" content=(PRODUCT);
                meta property="og:title" content=(head.title);
                meta property="og:description" content=(head.description);
                @if is_page { meta property="og:url" content=(address); }
                meta name="twitter:card" content="summary";
                @if let Some(graph) = graph(site, head) {
                    script type="application/ld+json" { (PreEscaped(graph)) }
                }
                script src=(SCRIPT.path) defer {}
            }
            body {
                a class="skip" href="#main" { "Skip to content" }
                header class="top" {
                    div class="bar" {
                        a class="brand" href="/" {
                            svg viewBox="0 0 20 20" aria-hidden="true" { path d="M3 17V3M17 17V3M3 10h4M13 10h4" {} }
                            (PRODUCT)
                        }
                        @if !head.searches { (search_form("q", "", &loupe())) }
                        nav aria-label="Sections" {
                            @for (path, name) in SECTIONS { a href=(path) aria-current=[head.path.starts_with(path).then_some("true")] { (name) } }
                        }
                    }
                }
                div class={ "page" @if headings.len() > 3 { " beside" } } {
                    div {
                        @if !head.crumbs.is_empty() {
                            nav class="crumbs" aria-label="Breadcrumb" {
                                ol {
                                    @for crumb in &head.crumbs { li { a href=(crumb.path) { (crumb.name) } } }
                                }
                            }
                        }
                        main id="main" tabindex="-1" { (body) }
                    }
                    @if headings.len() > 3 {
                        nav class="toc" aria-labelledby="on-this-page" {
                            p id="on-this-page" { "On this page" }
                            ul { @for (id, title) in &headings { li { a href={ "#" (id) } { (PreEscaped(title)) } } } }
                        }
                    }
                }
                footer {
                    div class="page" {
                        nav aria-label="More" {
                            ul {
                                @for (path, name) in MORE { li { a href=(path) { (name) } } }
                                @if is_page {
                                    li { a href=(twin("index.md")) { "This page in Markdown" } }
                                    li { a href=(twin("index.json")) { "in JSON" } }
                                }
                            }
                        }
                        p { "Every class and severity is judged from the tool's own definition, with the words that decided it." }
                        @if !site.is_public() { p { "This is a private view: what you imported or scanned is shown beside what is public." } }
                    }
                }
            }
        }
    }
}

/// What the bar leads to.
const SECTIONS: [(&str, &str); 4] =
    [("/servers/", "Servers"), ("/attacks/", "Attacks"), ("/stack/", "Your stack"), ("/changes/", "Changes")];

/// What only the foot of a page leads to.
const MORE: [(&str, &str); 3] =
    [("/clients/", "Clients"), ("/glossary/", "Glossary"), ("/glossary/tool-risk-class/", "How tools are judged")];

/// The headings of a page that can be gone to, as markup: identifier and title.
fn headings(body: &str) -> Vec<(&str, &str)> {
    let all = body.split("<h2 id=\"").skip(1).filter_map(|rest| rest.split_once("</h2>"));
    all.filter_map(|(heading, _)| heading.split_once("\">")).collect()
}

fn loupe() -> Markup {
    html! {
        svg viewBox="0 0 20 20" aria-hidden="true" { circle cx="8.5" cy="8.5" r="5.5" {} path d="m13 13 4.5 4.5" {} }
        span class="unseen" { "Search" }
    }
}

/// The form of the search in the midst of a page.
pub(crate) fn search_box(words: &str) -> Markup {
    search_form("words", words, &html! { "Search" })
}

/// The form of the search, which works without script.
fn search_form(id: &str, words: &str, does: &Markup) -> Markup {
    html! {
        form class="search" action="/search/" method="get" role="search" {
            label class="unseen" for=(id) { "Search servers and tools" }
            input id=(id) type="search" name="q" value=(words)
                placeholder="Search servers and tools" maxlength=(crate::question::WORDS) autocomplete="off" spellcheck="false";
            button type="submit" { (does) }
        }
    }
}

/// The graph of a page as JSON-LD. `<` cannot end the element that it stands in.
fn graph(site: &Site, head: &Head) -> Option<String> {
    let mut nodes = head.graph.clone();
    if !head.crumbs.is_empty() {
        let steps = head.crumbs.iter().map(|crumb| (crumb.name.as_str(), crumb.path.as_str()));
        let own = std::iter::once((head.title.as_str(), head.path.as_str()));
        let items: Vec<Value> = (1..)
            .zip(steps.chain(own))
            .map(|(position, (name, path))| {
                json!({ "@type": "ListItem", "position": position, "name": name, "item": site.absolute(path) })
            })
            .collect();
        nodes.push(json!({ "@type": "BreadcrumbList", "itemListElement": items }));
    }
    if nodes.is_empty() {
        return None;
    }
    let graph = json!({ "@context": "https://schema.org", "@graph": nodes });
    Some(graph.to_string().replace('<', "\\u003c"))
}

/// A severity, with a link to what it means.
pub(crate) fn severity(severity: Severity) -> Markup {
    let word = severity.as_str();
    html! { a class={ "chip severity " (word) } href={ "/severity/" (word) "/" } { (word) } }
}

/// A severity in a table. The style puts a sign before the word: it is never told by colour alone.
pub(crate) fn level(severity: Severity) -> Markup {
    let word = severity.as_str();
    html! { span class={ "chip severity " (word) } { (word) } }
}

/// A class.
pub(crate) fn class(class: Class) -> Markup {
    let word = class.as_str();
    match class {
        Class::Unclassified => html! { span class="chip" { "unclassified" } },
        _ => html! { a class="chip" href={ "/class/" (word) "/" } { (word) } },
    }
}

/// A facet.
pub(crate) fn facet(facet: risk::Facet) -> Markup {
    let word = facet.as_str();
    html! { a class="chip" href={ "/facet/" (word) "/" } { (word.replace('_', " ")) } }
}

/// The name of a language.
pub(crate) fn language(tag: &str) -> &str {
    match tag {
        "ar" => "Arabic",
        "de" => "German",
        "en" => "English",
        "es" => "Spanish",
        "fr" => "French",
        "ja" => "Japanese",
        "ko" => "Korean",
        "pt" => "Portuguese",
        "ru" => "Russian",
        "zh" => "Chinese",
        other => other,
    }
}

/// The name of a tool: long ones break behind their joints.
pub(crate) fn name(name: &str) -> Markup {
    let shown = crate::text::shown(name, 100);
    html! {
        code {
            @if shown.len() < 20 { (shown) }
            @else {
                @for (index, part) in shown.split_inclusive(['_', '-', '.', '/']).enumerate() {
                    @if index > 0 { wbr; }
                    (part)
                }
            }
        }
    }
}

/// A text of ours with names between backticks as code.
pub(crate) fn prose(text: &str) -> Markup {
    html! {
        @for (index, part) in text.split('`').enumerate() {
            @if index % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

/// A text to be copied.
pub(crate) fn snippet(id: &str, text: &str) -> Markup {
    html! {
        div class="snippet" {
            pre tabindex="0" { code id=(id) { (text) } }
            p class="copy" { button type="button" data-copy=(id) hidden { "Copy" } span aria-live="polite" {} }
        }
    }
}

/// The beginning of a text, up to the end of a line.
pub(crate) fn cut(text: &str, most: usize) -> String {
    let mut end = 0;
    for line in text.split_inclusive('\n') {
        if end + line.len() > most {
            break;
        }
        end += line.len();
    }
    format!("{}…", text.get(..end).unwrap_or_default())
}

/// The day of a time.
pub(crate) fn day(time: jiff::Timestamp) -> Markup {
    let day = time.strftime("%Y-%m-%d").to_string();
    html! { time datetime=(day) { (day) } }
}

/// Links to the other pages of a list.
pub(crate) fn pager(path: &str, page: usize, pages: usize) -> Markup {
    let joint = if path.contains('?') { '&' } else { '?' };
    let near = |number: &usize| *number == 1 || *number == pages || number.abs_diff(page) <= 2;
    html! {
        @if pages > 1 {
            nav aria-label="Pages" {
                ul class="pages" {
                    @for number in (1..=pages).filter(near) {
                        li {
                            @if number == page { span aria-current="page" { (number) } }
                            @else if number == 1 { a href=(path) { "1" } }
                            @else { a href={ (path) (joint) "page=" (number) } { (number) } }
                        }
                    }
                }
            }
        }
    }
}
