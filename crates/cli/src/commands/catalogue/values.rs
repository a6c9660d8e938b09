//! What servers can be searched by: a word that none of them has would find nothing, and say nothing of why.

use catalogue::entry::TRANSPORTS;
use store::catalogue::Catalogue;

use crate::args::SearchOptions;
use crate::failure::{Failure, Trying};

/// Values that are named where another was asked for.
const NAMED: usize = 12;

/// Refuses a transport that the protocol does not have, and a licence or a language that no server has.
pub(super) async fn check(catalogue: &Catalogue, options: &SearchOptions) -> Result<(), Failure> {
    let transports: Vec<String> = TRANSPORTS.map(str::to_owned).to_vec();
    options.transport.iter().try_for_each(|word| has("--transport", &transports, word))?;
    if !options.licence.is_empty() {
        let licences = catalogue.licences().await.trying("the catalogue")?;
        options.licence.iter().try_for_each(|word| has("--licence", &licences, word))?;
    }
    if !options.language.is_empty() {
        let languages = catalogue.languages().await.trying("the catalogue")?;
        options.language.iter().try_for_each(|word| has("--language", &languages, word))?;
    }
    Ok(())
}

/// Whether a word is among the known ones, in any case.
fn has(option: &str, known: &[String], word: &str) -> Result<(), Failure> {
    let lower = word.to_lowercase();
    if known.iter().any(|known| known.to_lowercase() == lower) {
        return Ok(());
    }
    let word = audit::visible::word(word);
    let mut named: Vec<String> = Vec::new();
    for one in known.iter().map(|one| audit::visible::word(&one.to_lowercase())) {
        if !named.contains(&one) {
            named.push(one);
        }
    }
    let more = named.len().saturating_sub(NAMED);
    named.truncate(NAMED);
    let named = named.join(", ");
    Err(Failure::Usage(match (named.is_empty(), more) {
        (true, _) => format!("{option} {word} finds nothing: no server of this catalogue says it"),
        (false, 0) => format!("{option} takes {named}, not {word}"),
        (false, more) => {
            format!("{option} takes what a server of this catalogue has, not {word}: {named} or one of {more} others")
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_words_are_refused_with_the_known_ones() {
        let words = |count: usize| (0..count).map(|number| format!("L{number}")).collect::<Vec<_>>();
        assert!(has("--licence", &words(3), "l2").is_ok());
        for (known, says) in [
            (0, "--licence MIT finds nothing: no server of this catalogue says it"),
            (2, "--licence takes l0, l1, not MIT"),
            (
                14,
                "--licence takes what a server of this catalogue has, not MIT: l0, l1, l2, l3, l4, l5, l6, l7, l8, l9, l10, l11 or one of 2 others",
            ),
        ] {
            assert_eq!(has("--licence", &words(known), "MIT").unwrap_err().to_string(), says);
        }
        let twice = ["MIT".to_owned(), "mit".to_owned()];
        assert_eq!(has("--licence", &twice, "x").unwrap_err().to_string(), "--licence takes mit, not x");
    }
}
