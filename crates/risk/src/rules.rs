//! What the labelling rules say outright, where a linear model can only weigh words.
//!
//! A rule looks at the class that the model gave and may replace it; it names the words that made
//! it do so. The rules are tried in order, and the first that applies decides.

use policy::Class;

use crate::concept::{Concept, Concepts};
use crate::definition::Definition;
use crate::evidence::{Evidence, Place};
use crate::features::{Features, Gist, chooses_action};
use crate::lexicon::lexicon;
use crate::schema::Parameter;

/// The class that a rule gives instead of the model's, and why.
pub(crate) fn overruled(
    definition: &Definition<'_>,
    features: &Features<'_>,
    called: Class,
    likely: &[f32; 5],
) -> Option<(Class, Evidence)> {
    let [read, .., destructive, _] = likely;
    let harmless = matches!(called, Class::Read | Class::Write | Class::Execute);
    if harmless && let Some(evidence) = lists_deletion(features) {
        return Some((Class::Destructive, evidence));
    }
    if harmless && let Some(evidence) = deletes_by_query(definition, features) {
        return Some((Class::Destructive, evidence));
    }
    if harmless && let Some(evidence) = replaces_disk(definition, features) {
        return Some((Class::Destructive, evidence));
    }
    if called == Class::Financial
        && let Some(evidence) = cancels(definition, features)
    {
        return Some((Class::Destructive, evidence));
    }
    if called == Class::Write
        && let Some(evidence) = dispatches(definition, features)
    {
        return Some((Class::Execute, evidence));
    }
    if !harmless && *read > 0.15 && reads(features) {
        return acting(definition, Part::Name, &features.name).map(|evidence| (Class::Read, evidence));
    }
    // The server speaks against itself. On a plain update that is often just the default.
    if harmless && definition.annotations.destructive == Some(true) && *destructive > 0.1 {
        let place = Place::Annotation("destructiveHint");
        return Some((Class::Destructive, Evidence { place, text: "true".to_owned(), weight: None }));
    }
    None
}

/// An argument that chooses the action and lists the deletion of something among the choices. Not
/// so for the methods of a free request, nor where another choice sets again what was removed.
fn lists_deletion(features: &Features<'_>) -> Option<Evidence> {
    const DELETIONS: [&str; 8] = ["delete", "remove", "drop", "purge", "destroy", "wipe", "truncate", "erase"];
    const UNDOES: [&str; 4] = ["set", "ignore", "assign", "watch"];
    const METHODS: [&str; 2] = ["get", "post"];
    let first = |value: &str| -> String {
        value.split(|letter: char| !letter.is_alphanumeric()).next().unwrap_or_default().to_lowercase()
    };
    let chooses = |parameter: &&Parameter<'_>| parameter.depth == 0 && chooses_action(parameter.name);
    features.parameters.iter().filter(chooses).find_map(|parameter| {
        let choices: Vec<String> = parameter.values.iter().map(|value| first(value)).collect();
        let has = |words: &[&str]| choices.iter().any(|choice| words.contains(&choice.as_str()));
        if has(&UNDOES) || METHODS.iter().all(|method| has(&[method])) {
            return None;
        }
        let deletes = |choice: &String| {
            DELETIONS.contains(&choice.as_str())
                || (!choice.is_ascii()
                    && (lexicon().word(choice).has(Concept::Delete)
                        || lexicon().at(choice).is_some_and(|(_, means)| means.has(Concept::Delete))))
        };
        let index = choices.iter().position(deletes)?;
        let text = (*parameter.values.get(index)?).to_owned();
        Some(Evidence { place: Place::Value(parameter.name.to_owned()), text, weight: None })
    })
}

/// A tool for statements of SQL that says that DELETE, DROP or TRUNCATE are among them.
fn deletes_by_query(definition: &Definition<'_>, features: &Features<'_>) -> Option<Evidence> {
    let mut means = features.name.means;
    means.add(features.sentence.means);
    let runs = features.name.acts.has(Concept::Execute) || features.sentence.acts.has(Concept::Execute);
    if !runs || !means.has(Concept::Sql) || means.has(Concept::Not) {
        return None;
    }
    let text = definition.description;
    let (start, word) = ["DELETE", "DROP", "TRUNCATE"]
        .into_iter()
        .filter_map(|word| text.find(word).map(|start| (start, word)))
        .min()?;
    // What is forbidden is not among them.
    let before = text.get(..start).unwrap_or_default().to_ascii_lowercase();
    let denied = ["not ", "no ", "only", "without", "never", "cannot", "forbid", "block", "except", "read"];
    let place = Place::Description(start, start + word.len());
    (!denied.iter().any(|word| before.contains(word))).then(|| Evidence { place, text: word.to_owned(), weight: None })
}

/// Who replaces or formats a disk, or installs its system anew, loses what was on it.
fn replaces_disk(definition: &Definition<'_>, features: &Features<'_>) -> Option<Evidence> {
    let (name, sentence) = (&features.name, &features.sentence);
    let loses = sentence.means.has(Concept::Anew) && sentence.means.has(Concept::Disk);
    let changes =
        |gist: &Gist| !gist.acts.is_empty() && !gist.acts.has(Concept::Read) && !gist.acts.has(Concept::Compute);
    (loses && changes(sentence) && !name.acts.has(Concept::Read) && !sentence.means.has(Concept::Not))
        .then(|| acting(definition, Part::Sentence, sentence))
        .flatten()
}

/// To cancel or void a subscription, an order, an invoice deletes it. An order in a market is
/// another matter: that is trade.
fn cancels(definition: &Definition<'_>, features: &Features<'_>) -> Option<Evidence> {
    let mut means = features.name.means;
    means.add(features.sentence.means);
    let only = |acts: Concepts| acts.has(Concept::Cancel) && !acts.has(Concept::Pay);
    let gist = [(Part::Name, &features.name), (Part::Sentence, &features.sentence)]
        .into_iter()
        .find(|(_, gist)| only(gist.acts))?;
    let other = [&features.name, &features.sentence].into_iter().all(|gist| gist.acts.is_empty() || only(gist.acts));
    (other && !means.has(Concept::Asset) && !means.has(Concept::Market))
        .then(|| acting(definition, gist.0, gist.1))
        .flatten()
}

/// Nouns are not verbs: what is read of payments or deletions is read. Only where the model finds
/// that possible as well.
fn reads(features: &Features<'_>) -> bool {
    let reads = |acts: Concepts| acts.has(Concept::Read);
    reads(features.name.acts) && reads(features.sentence.acts)
}

/// What is sent is out: to send, forward, reply is more than to write.
fn dispatches(definition: &Definition<'_>, features: &Features<'_>) -> Option<Evidence> {
    let sends = |acts: Concepts| acts.has(Concept::Dispatch);
    let (name, sentence) = (&features.name, &features.sentence);
    let part = match () {
        () if sends(sentence.acts) => (Part::Sentence, sentence),
        () if sends(name.acts) && sentence.acts.is_empty() => (Part::Name, name),
        () => return None,
    };
    (!sentence.means.has(Concept::Not)).then(|| acting(definition, part.0, part.1)).flatten()
}

/// A text that was read for its gist.
#[derive(Clone, Copy)]
enum Part {
    Name,
    Sentence,
}

/// The words of the first action.
fn acting(definition: &Definition<'_>, part: Part, gist: &Gist) -> Option<Evidence> {
    let (start, end) = (usize::try_from(gist.at.0).ok()?, usize::try_from(gist.at.1).ok()?);
    let (place, text) = match part {
        Part::Name => (Place::Name(start, end), definition.name),
        Part::Sentence => (Place::Description(start, end), definition.description),
    };
    Some(Evidence { place, text: text.get(start..end)?.to_owned(), weight: None })
}
