//! Texts of our own that are compiled in: what classes, severities and facets mean, what words mean, where clients keep
//! their servers. They are data, in `data/`, and a test reads all of them.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a class, a severity or a facet means.
#[derive(Debug, Deserialize)]
pub(crate) struct Kind {
    /// `class`, `severity` or `facet`.
    pub(crate) of: String,
    /// Its name in addresses and policies.
    pub(crate) word: String,
    /// The heading.
    pub(crate) title: String,
    /// One or two sentences.
    pub(crate) gist: String,
    /// The definition.
    pub(crate) means: String,
    /// How it is decided.
    pub(crate) decide: Vec<String>,
    /// What to do about it.
    pub(crate) advice: String,
    /// A policy that does it, with tests.
    pub(crate) policy: String,
    /// Questions and their answers.
    pub(crate) questions: Vec<(String, String)>,
}

/// A word and what it means here.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Term {
    /// Its name in addresses.
    pub(crate) word: String,
    /// The word.
    pub(crate) title: String,
    /// One sentence.
    pub(crate) gist: String,
    /// The definition.
    pub(crate) means: String,
    /// Why it matters.
    pub(crate) matters: String,
    /// What Toolgate does about it.
    pub(crate) here: String,
    /// Other words.
    #[serde(default)]
    pub(crate) see: Vec<String>,
    /// Pages: path and name.
    #[serde(default)]
    pub(crate) links: Vec<(String, String)>,
}

/// A client and where it keeps its servers.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Client {
    /// Its name in addresses.
    pub(crate) word: String,
    /// Its name.
    pub(crate) name: String,
    /// One sentence.
    pub(crate) gist: String,
    /// For whom, and the file.
    pub(crate) places: Vec<(String, String)>,
    /// The key under which servers stand.
    pub(crate) key: String,
    /// The language of the file.
    pub(crate) format: String,
    /// An entry with the gateway in front.
    pub(crate) entry: String,
    /// The same by a command of the client.
    pub(crate) shell: Option<String>,
    /// The shape of an entry for an endpoint.
    pub(crate) http: Option<String>,
    /// What is special about it.
    #[serde(default)]
    pub(crate) notes: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct File {
    kind: Vec<Kind>,
    term: Vec<Term>,
    client: Vec<Client>,
}

fn read(text: &str) -> File {
    toml::from_str(text).unwrap_or_default()
}

/// Every class, severity and facet.
pub(crate) static KINDS: LazyLock<Vec<Kind>> = LazyLock::new(|| read(include_str!("../data/kinds.toml")).kind);

/// Every word.
pub(crate) static TERMS: LazyLock<Vec<Term>> = LazyLock::new(|| read(include_str!("../data/glossary.toml")).term);

/// Every client.
pub(crate) static CLIENTS: LazyLock<Vec<Client>> = LazyLock::new(|| read(include_str!("../data/clients.toml")).client);

impl Kind {
    /// The path of its page.
    pub(crate) fn path(&self) -> String {
        format!("/{}/{}/", self.of, self.word)
    }

    /// The policy as a document.
    pub(crate) fn document(&self) -> Value {
        serde_json::from_str(&self.policy).unwrap_or_default()
    }

    /// The calls that the policy's tests make, and what comes of each.
    pub(crate) fn calls(&self) -> Vec<(String, &'static str)> {
        let document = self.document();
        let tests = document.get("tests").and_then(Value::as_array).cloned().unwrap_or_default();
        tests.iter().map(|test| (call(test), outcome(test))).collect()
    }
}

fn call(test: &Value) -> String {
    let mut text = test.get("call").and_then(Value::as_str).unwrap_or_default().to_owned();
    if let Some(arguments) = test.get("args") {
        text.push_str(&format!(" {arguments}"));
    }
    let used = test.pointer("/given/used").and_then(Value::as_object);
    for (counter, used) in used.into_iter().flatten() {
        text.push_str(&format!(", {used} of {counter} used"));
    }
    text
}

fn outcome(test: &Value) -> &'static str {
    match test.get("expect").and_then(Value::as_str) {
        Some("allow") => "forwarded",
        Some("hide") => "does not exist for the agent",
        Some("limit") => "refused, the limit is full",
        Some("approval") => "waits for a person",
        _ => "denied",
    }
}

#[cfg(test)]
mod tests {
    use policy::Class;
    use risk::Facet;

    use super::*;

    #[test]
    fn everything_that_has_a_page_has_a_text() {
        let classes = Class::ALL.map(|class| ("class", class.as_str()));
        let facets = Facet::ALL.map(|facet| ("facet", facet.as_str()));
        let severities = ["low", "medium", "high", "critical"].map(|word| ("severity", word));
        for (of, word) in classes.into_iter().chain(severities).chain(facets) {
            assert_eq!(KINDS.iter().filter(|kind| kind.of == of && kind.word == word).count(), 1, "{of} {word}");
        }
        assert_eq!(KINDS.len(), 18);
        assert!(TERMS.len() >= 20 && CLIENTS.len() >= 8);
    }

    #[test]
    fn every_text_fits_its_place_and_leads_somewhere() {
        for kind in KINDS.iter() {
            assert!(kind.gist.len() <= 155 && kind.title.len() <= 49, "{}", kind.word);
            assert!((1..=4).contains(&kind.questions.len()) && kind.decide.len() >= 3, "{}", kind.word);
            assert!(kind.calls().len() >= 2, "{}", kind.word);
        }
        for term in TERMS.iter() {
            assert!(term.gist.len() <= 155 && term.title.len() <= 49, "{}", term.word);
            assert!(term.see.iter().all(|see| TERMS.iter().any(|one| one.word == *see)), "{}", term.word);
        }
        for client in CLIENTS.iter() {
            assert!(client.gist.len() <= 155 && client.name.len() <= 40, "{}", client.word);
            assert!(client.entry.contains("toolgate") && client.entry.contains("\"--\""), "{}", client.word);
            match client.format.as_str() {
                "json" => drop(serde_json::from_str::<Value>(&client.entry).unwrap()),
                "toml" => drop(toml::from_str::<toml::Table>(&client.entry).unwrap()),
                other => assert_eq!(other, "yaml"),
            }
            assert!(client.entry.contains(client.key.as_str()), "{}", client.word);
        }
    }

    #[test]
    fn every_policy_does_what_its_page_says() {
        for kind in KINDS.iter() {
            let loaded = policy::load(&kind.policy, policy::Load::default());
            let errors: Vec<_> = loaded.diagnostics.iter().filter(|one| one.is_error()).collect();
            assert!(errors.is_empty(), "{} {}: {errors:?}", kind.of, kind.word);
            for outcome in policy::cases::run(&loaded.policy.unwrap(), &[]) {
                assert!(outcome.passed, "{} {}: {outcome:?}", kind.of, kind.word);
            }
        }
    }
}
