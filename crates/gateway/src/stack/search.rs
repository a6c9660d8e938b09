//! Finding tools of a large stack by words.

use serde_json::{Value, json};

use super::Entry;

/// Tools that one search tells of at most.
pub const MOST_FOUND: usize = 50;

/// Characters of a description that a search tells.
const SUMMARY: usize = 200;

/// Words of a search that are looked for.
const MOST_WORDS: usize = 32;

/// What is searched: made once for a list, so that no search reads the definitions again.
#[derive(Debug)]
pub(super) struct Index(Vec<Indexed>);

#[derive(Debug)]
struct Indexed {
    name: Vec<String>,
    description: Vec<String>,
    summary: String,
}

impl Index {
    pub(super) fn of(entries: &[Entry]) -> Self {
        Self(entries.iter().map(Indexed::of).collect())
    }

    /// The tools that fit best: those that have most of the words, in their names first.
    pub(super) fn find(&self, entries: &[Entry], query: &str, limit: usize) -> Value {
        let words: Vec<String> = words(query).take(MOST_WORDS).collect();
        let mut found: Vec<(usize, &Entry, &str)> = self
            .0
            .iter()
            .zip(entries)
            .map(|(indexed, entry)| (indexed.score(&words), entry, indexed.summary.as_str()))
            .filter(|(score, ..)| *score > 0 || words.is_empty())
            .collect();
        let all = found.len();
        found.sort_by(|(one, a, _), (other, b, _)| other.cmp(one).then_with(|| a.shown.cmp(&b.shown)));
        found.truncate(limit.clamp(1, MOST_FOUND));
        let told = |(_, entry, summary): &(usize, &Entry, &str)| json!({ "name": entry.shown, "description": summary });
        json!({ "tools": found.iter().map(told).collect::<Vec<_>>(), "found": all, "of": entries.len() })
    }
}

impl Indexed {
    fn of(entry: &Entry) -> Self {
        let definition: Option<Value> = serde_json::from_str(&entry.definition).ok();
        let description = definition.as_ref().and_then(|all| all.get("description")?.as_str()).unwrap_or_default();
        let mut summary: String = description.chars().take(SUMMARY).collect();
        if summary.len() < description.len() {
            summary.push('…');
        }
        Self { name: words(&entry.shown).collect(), description: words(description).collect(), summary }
    }

    fn score(&self, wanted: &[String]) -> usize {
        let fits = |has: &[String], word: &String| has.iter().any(|own| own.starts_with(word.as_str()));
        let scored =
            |word: &String| 3 * usize::from(fits(&self.name, word)) + usize::from(fits(&self.description, word));
        wanted.iter().map(scored).sum()
    }
}

fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, description: &str) -> Entry {
        let definition = json!({ "name": name, "description": description }).to_string().into();
        Entry { member: 0, own: name.into(), shown: name.into(), definition }
    }

    #[test]
    fn names_count_more_than_descriptions_and_no_word_finds_all() {
        let entries = [
            entry("mail__archive", "Sends nothing, keeps what was sent"),
            entry("mail__send", "A message to people"),
            entry("files__read", &"long ".repeat(100)),
        ];
        let index = Index::of(&entries);
        let names = |found: &Value| -> Vec<String> {
            let tools = found["tools"].as_array().unwrap();
            tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
        };
        let found = index.find(&entries, "Send!", 10);
        assert_eq!(names(&found), ["mail__send", "mail__archive"]);
        assert_eq!((&found["found"], &found["of"]), (&json!(2), &json!(3)));
        assert_eq!(names(&index.find(&entries, "send", 1)), ["mail__send"]);
        assert_eq!(names(&index.find(&entries, "nothing-like-it xyz", 10)), ["mail__archive"]);
        let all = index.find(&entries, " ", 0);
        assert_eq!(names(&all), ["files__read"], "at least one is told of");
        let summary = all["tools"][0]["description"].as_str().unwrap();
        assert_eq!(summary.chars().count(), SUMMARY + 1);
    }
}
