//! Which phrases a text can hold at all: each needs some pieces of fixed letters, and most texts lack them.
//!
//! One automaton for all phrases would say more, but it has a state for every set of phrases that were begun, so that
//! nearly every text of some length makes new ones. Pieces without gaps between their letters are looked for in one pass
//! over states that are there from the beginning.

use std::collections::HashMap;

use aho_corasick::AhoCorasick;
use regex_syntax::ParserBuilder;
use regex_syntax::hir::literal::Extractor;
use regex_syntax::hir::{Hir, HirKind};

/// A piece that is shorter stands in nearly every text.
const SHORTEST: usize = 3;

/// What of a piece is looked for.
const LONGEST: usize = 16;

/// The needs of phrases, and how they are met.
pub(super) struct Likely {
    pieces: AhoCorasick,
    /// For each piece, the needs that it meets.
    meets: Vec<Vec<usize>>,
    /// For each phrase, the needs of each of its forms.
    needs: Vec<Vec<Vec<usize>>>,
    /// How many needs there are.
    count: usize,
}

impl Likely {
    /// Of phrases as they are matched. Nothing where there are too many for one automaton.
    pub(super) fn of<'a>(phrases: impl Iterator<Item = &'a str>) -> Option<Likely> {
        let mut numbers: HashMap<Vec<Vec<u8>>, usize> = HashMap::new();
        let mut needs = Vec::new();
        for phrase in phrases {
            let mut number = |need| {
                let next = numbers.len();
                *numbers.entry(need).or_insert(next)
            };
            needs.push(forms(phrase).iter().map(|form| pieces(form).into_iter().map(&mut number).collect()).collect());
        }
        let count = numbers.len();
        let mut by_piece: HashMap<Vec<u8>, Vec<usize>> = HashMap::new();
        for (need, number) in numbers {
            need.into_iter().for_each(|piece| by_piece.entry(piece).or_default().push(number));
        }
        let (pieces, meets): (Vec<Vec<u8>>, Vec<Vec<usize>>) = by_piece.into_iter().unzip();
        Some(Likely { pieces: AhoCorasick::new(pieces).ok()?, meets, needs, count })
    }

    /// The numbers of the phrases that a text can hold, in their order: all that it holds, and few others.
    pub(super) fn phrases(&self, text: &[u8]) -> impl Iterator<Item = usize> {
        let mut met = vec![false; self.count];
        for found in self.pieces.find_overlapping_iter(text) {
            for need in self.meets.get(found.pattern().as_usize()).into_iter().flatten() {
                if let Some(met) = met.get_mut(*need) {
                    *met = true;
                }
            }
        }
        let all = move |needs: &Vec<usize>| needs.iter().all(|need| met.get(*need).is_some_and(|met| *met));
        self.needs.iter().enumerate().filter(move |(_, forms)| forms.iter().any(&all)).map(|(number, _)| number)
    }
}

/// The forms of a phrase, of which a text must hold one.
fn forms(phrase: &str) -> Vec<Hir> {
    let Ok(hir) = ParserBuilder::new().unicode(false).utf8(false).build().parse(phrase) else {
        // Whatever it is, it may be there.
        return vec![Hir::empty()];
    };
    match hir.kind() {
        HirKind::Alternation(forms) => forms.clone(),
        _ => vec![hir],
    }
}

/// What a form needs: of each list one piece must be in the text. Nothing where it has no fixed letters.
fn pieces(form: &Hir) -> Vec<Vec<Vec<u8>>> {
    let parts = match form.kind() {
        HirKind::Concat(parts) => parts.as_slice(),
        _ => std::slice::from_ref(form),
    };
    let mut extractor = Extractor::new();
    extractor.limit_literal_len(LONGEST);
    let mut all = Vec::new();
    // Where a part begins, what it and the parts behind it begin with must stand.
    for at in 0..parts.len() {
        let rest = Hir::concat(parts.iter().skip(at).cloned().collect());
        let found = extractor.extract(&rest);
        if found.min_literal_len().is_none_or(|length| length < SHORTEST) {
            continue;
        }
        let mut need: Vec<Vec<u8>> =
            found.literals().into_iter().flatten().map(|piece| piece.as_bytes().to_vec()).collect();
        need.sort();
        need.dedup();
        all.push(need);
    }
    all.sort();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use regex_syntax::hir::Class;

    use super::*;
    use crate::findings::table::RULES;
    use crate::findings::vocabulary::exact;

    /// A text that a phrase matches; `turn` says which of several.
    fn sample(hir: &Hir, turn: &mut usize, text: &mut Vec<u8>) {
        *turn = turn.wrapping_mul(31).wrapping_add(7);
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => {}
            HirKind::Literal(letters) => text.extend_from_slice(&letters.0),
            HirKind::Class(class) => {
                let bytes: Vec<u8> = match class {
                    Class::Bytes(class) => {
                        let all: Vec<u8> =
                            class.ranges().iter().flat_map(|range| range.start()..=range.end()).collect();
                        vec![all[*turn % all.len()]]
                    }
                    Class::Unicode(class) => {
                        let range = class.ranges()[*turn % class.ranges().len()];
                        range.start().to_string().into_bytes()
                    }
                };
                text.extend(bytes);
            }
            HirKind::Repetition(repetition) => {
                let most = repetition.max.unwrap_or(repetition.min + 2).min(repetition.min + 2);
                let times = repetition.min + u32::try_from(*turn).unwrap_or(0) % (most - repetition.min + 1);
                (0..times).for_each(|_| sample(&repetition.sub, turn, text));
            }
            HirKind::Capture(capture) => sample(&capture.sub, turn, text),
            HirKind::Concat(parts) => parts.iter().for_each(|part| sample(part, turn, text)),
            HirKind::Alternation(parts) => sample(&parts[*turn % parts.len()], turn, text),
        }
    }

    #[test]
    fn what_a_phrase_matches_is_likely_to_hold_it() {
        let phrases: Vec<String> =
            RULES.iter().flat_map(|rule| rule.phrases.iter().map(|(_, spelled)| exact(spelled))).collect();
        let likely = Likely::of(phrases.iter().map(String::as_str)).unwrap();
        for (number, phrase) in phrases.iter().enumerate() {
            let hir = ParserBuilder::new().unicode(false).utf8(false).build().parse(phrase).unwrap();
            for turn in 0..50 {
                let mut text = b"Lists files. ".to_vec();
                sample(&hir, &mut (turn * 12_347), &mut text);
                text.extend_from_slice(b" of a folder");
                assert!(likely.phrases(&text).any(|one| one == number), "{phrase}: {}", String::from_utf8_lossy(&text));
            }
        }
    }

    #[test]
    fn ordinary_texts_are_likely_to_hold_few() {
        let phrases: Vec<String> =
            RULES.iter().flat_map(|rule| rule.phrases.iter().map(|(_, spelled)| exact(spelled))).collect();
        let likely = Likely::of(phrases.iter().map(String::as_str)).unwrap();
        for text in ["", "lists the files of a folder", "creates a lead in a campaign and sends a mail to its owner"] {
            let found: Vec<&str> = likely.phrases(text.as_bytes()).map(|number| phrases[number].as_str()).collect();
            assert!(found.len() <= 4, "{text}: {found:#?}");
        }
    }
}
