//! The judgement: from features to class, severity, facets, confidence and evidence.

use policy::Class;

use crate::concept::{Concept, Concepts};
use crate::definition::Definition;
use crate::evidence::{Evidence, strongest};
use crate::facet::Facet;
use crate::features::{Features, NOWHERE, extract};
use crate::model::{CLASSES, COLUMNS, Weights, model};
use crate::recommend::meaning::{may_be_address, takes_address};
use crate::rules::overruled;
use crate::severity::Severity;

/// What a wrong class costs: a row for what the tool is, a column for what it is called. To call
/// something harmless that deletes or pays is the worst that can happen.
const COST: [[f32; 5]; 5] = [
    [0.0, 1.0, 1.0, 1.2, 1.2],
    [1.0, 0.0, 1.0, 1.1, 1.1],
    [1.6, 1.2, 0.0, 1.0, 1.0],
    [2.2, 2.0, 1.2, 0.0, 1.0],
    [2.2, 2.0, 1.2, 1.0, 0.0],
];

/// The log odds from which a facet is named. To miss one costs about twice as much as to name one that
/// is not there: `-ln 2`.
const FACET: f32 = -std::f32::consts::LN_2;

/// What a tool can do.
#[derive(Clone, Debug, PartialEq)]
pub struct Assessment {
    /// The class; [`Class::Unclassified`] when nothing in the definition is known.
    pub class: Class,
    /// How bad a wrong call is: that of the class.
    pub severity: Severity,
    /// The severity where there is reason to deviate from that of the class.
    pub severity_fine: Severity,
    /// What else is dangerous about it.
    pub facets: Vec<Facet>,
    /// How probable it is that the class is right, 0 to 1.
    pub confidence: f32,
    /// The words that decided it, the strongest first, at most five.
    pub evidence: Vec<Evidence>,
}

impl Assessment {
    /// Nothing in the definition says what the tool does: it could be anything.
    fn unclassified() -> Assessment {
        Assessment {
            class: Class::Unclassified,
            severity: Severity::of(Class::Unclassified),
            severity_fine: Severity::of(Class::Unclassified),
            facets: Vec::new(),
            confidence: 0.0,
            evidence: Vec::new(),
        }
    }
}

/// Judges a definition.
///
/// The cost does not depend on how long the definition is: of a long text the beginning is read.
#[must_use]
pub fn assess(definition: &Definition<'_>) -> Assessment {
    assess_by(model(), definition)
}

/// Judges a definition by other weights than those that are compiled in.
#[must_use]
pub fn assess_by(weights: &Weights, definition: &Definition<'_>) -> Assessment {
    let mut features = extract(definition, Some(weights));
    let assessment = judge(weights, definition, &mut features);
    features.done();
    assessment
}

fn judge(weights: &Weights, definition: &Definition<'_>, features: &mut Features<'_>) -> Assessment {
    let scores = weights.score(features.all());
    let likely = probabilities(&scores);
    if !understood(features, &likely) {
        return Assessment::unclassified();
    }
    let mut decided = cheapest(&likely);
    let mut rule = None;
    let called = CLASSES.get(decided).copied().unwrap_or(Class::Unclassified);
    if let Some((class, evidence)) = overruled(definition, features, called, &likely) {
        decided = CLASSES.iter().position(|known| *known == class).unwrap_or(decided);
        rule = Some(evidence);
    }
    let class = CLASSES.get(decided).copied().unwrap_or(Class::Unclassified);
    let runner_up = runner_up(&likely, decided);
    features.weigh(|feature| weights.margin(feature.row, decided, runner_up));
    let mut evidence = strongest(definition, features, weights.scale());
    if rule.is_none() && evidence.is_empty() {
        return Assessment::unclassified();
    }
    let confidence = if rule.is_some() {
        0.8_f32.max(likely.get(decided).copied().unwrap_or_default())
    } else {
        likely.get(decided).copied().unwrap_or_default()
    };
    if let Some(rule) = rule {
        evidence.retain(|evidence| evidence.place != rule.place);
        evidence.insert(0, rule);
    }
    let fetches = fetches(definition, features, class);
    let facets: Vec<Facet> = Facet::ALL
        .into_iter()
        .zip(scores.iter().skip(CLASSES.len()))
        .filter(|(facet, score)| {
            **score > FACET || (fetches && matches!(facet, Facet::IngestsUntrusted | Facet::SendsExternal))
        })
        .map(|(facet, _)| facet)
        .collect();
    let severity = Severity::of(class);
    let severity_fine = fine(class, &facets, features);
    Assessment { class, severity, severity_fine, facets, confidence, evidence }
}

/// Whether anything in the definition says what the tool does: a word of the lexicon in its name or
/// first sentence, or words that the model knows well.
fn understood(features: &Features<'_>, likely: &[f32; 5]) -> bool {
    const SURE: f32 = 0.75;
    let says = !features.name.means.is_empty() || !features.sentence.means.is_empty();
    let known = features.all().iter().any(|feature| feature.span != NOWHERE);
    known && (says || likely.iter().any(|probability| *probability >= SURE))
}

/// Whether a tool reads from an address that the caller chooses: what comes back is anybody's text,
/// and the address itself carries data out.
fn fetches(definition: &Definition<'_>, features: &Features<'_>, class: Class) -> bool {
    let acts = |acts: Concepts| acts.has(Concept::Read) || acts.has(Concept::Browser);
    matches!(class, Class::Read | Class::Execute)
        && (acts(features.name.acts) || acts(features.sentence.acts))
        && features.parameters.iter().any(|parameter| may_be_address(parameter.name))
        && definition.schema.and_then(takes_address).is_some()
}

/// The probability of each class.
fn probabilities(scores: &[f32; COLUMNS]) -> [f32; 5] {
    let [read, write, execute, destructive, financial, ..] = *scores;
    let classes = [read, write, execute, destructive, financial];
    let most = classes.iter().copied().fold(f32::MIN, f32::max);
    // Not the exponential of the system: its last digit differs from processor to processor.
    let powers = classes.map(|score| libm::expf(score - most));
    let sum: f32 = powers.iter().sum();
    powers.map(|power| power / sum)
}

/// The class whose expected cost is the least.
fn cheapest(likely: &[f32; 5]) -> usize {
    let cost = |called: usize| -> f32 {
        COST.iter().zip(likely).map(|(row, likely)| row.get(called).copied().unwrap_or_default() * likely).sum()
    };
    (0..CLASSES.len()).min_by(|one, other| cost(*one).total_cmp(&cost(*other))).unwrap_or_default()
}

fn runner_up(likely: &[f32; 5], decided: usize) -> usize {
    let of = |index: &usize| likely.get(*index).copied().unwrap_or_default();
    (0..CLASSES.len()).filter(|index| *index != decided).max_by(|one, other| of(one).total_cmp(&of(other))).unwrap_or(0)
}

/// The severity where the class alone says too little.
fn fine(class: Class, facets: &[Facet], features: &Features<'_>) -> Severity {
    let severity = Severity::of(class);
    let mut means = features.name.means;
    means.add(features.sentence.means);
    match class {
        Class::Write if means.has(Concept::Access) && facets.contains(&Facet::TouchesCredentials) => severity.raised(),
        Class::Write if facets.contains(&Facet::TouchesCredentials) => severity.raised(),
        Class::Execute if facets.contains(&Facet::RunsCode) => severity.raised(),
        _ => severity,
    }
}
