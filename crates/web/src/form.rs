//! The form that an answer is asked for in: every page is there as HTML, Markdown and JSON.

use axum::http::{HeaderMap, header};

/// A form of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// For browsers.
    Html,
    /// For language models and people at a terminal.
    Markdown,
    /// For programs.
    Json,
    /// For programs of the API, which has no pages: what goes wrong is said as RFC 9457 says it.
    Api,
}

impl Form {
    /// The form and the address without its mark: `index.md`, `index.html.md` and `index.json` name the
    /// twins of the folder that they lie in.
    pub(crate) fn of_path(path: &str) -> Option<(Form, &str)> {
        let (folder, file) = path.split_at(path.rfind('/')? + 1);
        let form = match file {
            "index.md" | "index.html.md" => Form::Markdown,
            "index.json" => Form::Json,
            "index.html" => Form::Html,
            _ => return None,
        };
        Some((form, folder))
    }

    /// The form that a client prefers: the first that it names of those there are.
    pub(crate) fn of_headers(headers: &HeaderMap) -> Form {
        let accepted = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
        let named = accepted.split(',').find_map(|part| {
            match part.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
                "text/html" | "application/xhtml+xml" => Some(Form::Html),
                "text/markdown" => Some(Form::Markdown),
                "application/json" | "application/ld+json" => Some(Form::Json),
                _ => None,
            }
        });
        named.unwrap_or(Form::Html)
    }

    /// The file that names it; none for that of browsers and of the API.
    pub(crate) fn file(self) -> &'static str {
        match self {
            Form::Html | Form::Api => "",
            Form::Markdown => "index.md",
            Form::Json => "index.json",
        }
    }

    /// Its media type.
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Form::Html => "text/html; charset=utf-8",
            Form::Markdown => "text/markdown; charset=utf-8",
            Form::Json => "application/json",
            Form::Api => "application/problem+json",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twins_are_named_by_their_file() {
        assert_eq!(Form::of_path("/s/a/b/index.md"), Some((Form::Markdown, "/s/a/b/")));
        assert_eq!(Form::of_path("/index.html.md"), Some((Form::Markdown, "/")));
        assert_eq!(Form::of_path("/class/read/index.json"), Some((Form::Json, "/class/read/")));
        assert_eq!(Form::of_path("/s/a/b/"), None);
        assert_eq!(Form::of_path("/s/a/index.txt"), None);
    }

    #[test]
    fn the_first_known_type_is_given() {
        let of =
            |accept: &'static str| Form::of_headers(&HeaderMap::from_iter([(header::ACCEPT, accept.parse().unwrap())]));
        assert_eq!(of("text/html,application/xhtml+xml,*/*;q=0.8"), Form::Html);
        assert_eq!(of("text/markdown, text/html;q=0.5"), Form::Markdown);
        assert_eq!(of("application/json"), Form::Json);
        assert_eq!(of("*/*"), Form::Html);
        assert_eq!(Form::of_headers(&HeaderMap::new()), Form::Html);
    }
}
