//! The words that decided, and how each counts.

use serde::Serialize;

use super::plain;
use super::told::{Told, class_name};
use crate::evidence::Place;

/// A piece of the definition that spoke for the class.
#[derive(Clone, Debug, Serialize)]
pub struct EvidenceText {
    /// The words, as the server wrote them, with nothing invisible in them.
    pub quote: String,
    /// Where they stand, as programs read it: `name[0..6]`.
    pub place: String,
    /// How they count, in a sentence.
    pub counts: String,
}

/// The pieces of evidence, the strongest first.
pub(super) fn evidence(told: &Told<'_>) -> Vec<EvidenceText> {
    let class = class_name(told.class());
    let strongest = told.assessment.evidence.iter().filter_map(|one| one.weight).fold(0.0_f32, f32::max);
    let mut first = true;
    told.assessment
        .evidence
        .iter()
        .map(|piece| {
            let place = match &piece.place {
                Place::Name(..) => "in the name".to_owned(),
                Place::Title(..) => "in the title".to_owned(),
                Place::Description(..) => "in the description".to_owned(),
                Place::Parameter(_) => "as the name of an argument".to_owned(),
                Place::Value(name) => format!("among the values of {}", super::code(name)),
                Place::Annotation(_) => "among the server's own hints".to_owned(),
            };
            let counts = match piece.weight {
                None => {
                    format!("Stands {place} and settles the class by a fixed rule: {class}, whatever else is said.")
                }
                Some(_) if first => format!("Stands {place} and speaks most strongly for {class}."),
                Some(weight) if weight >= strongest * 0.6 => {
                    format!("Stands {place} and speaks for {class} nearly as strongly.")
                }
                Some(weight) if weight >= strongest * 0.3 => format!("Stands {place} and adds to that."),
                Some(_) => format!("Stands {place} and adds a little."),
            };
            first = first && piece.weight.is_none();
            EvidenceText { quote: plain(piece.text.trim(), 80), place: plain(&piece.place.path(), 80), counts }
        })
        .collect()
}
