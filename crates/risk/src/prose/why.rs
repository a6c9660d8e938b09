//! The paragraph on what goes wrong, how it is put right, and how sure we are.

use policy::Class;

use super::act::Act;
use super::grammar::{counted, number};
use super::harm::{harm, more_harm};
use super::role::Role;
use super::told::{Paragraph, Told};
use crate::facet::Facet;

/// The paragraph.
pub(super) fn why(told: &Told<'_>) -> String {
    let mut text = Paragraph::default();
    text.say(harm(told));
    text.say(undo(told));
    text.say(method(told));
    text.say(mind(told));
    for sentence in more_harm(told).into_iter().take(3) {
        text.fill(|| Some(sentence));
    }
    text.fill(|| bounds(told));
    text.fill(|| Some(place(told)));
    text.fill(|| Some(pace(told)));
    text.end()
}

/// How a wrong call is put right.
pub(super) fn undo(told: &Told<'_>) -> String {
    let thing = &told.gist.thing;
    let siblings = told.siblings;
    let others = siblings.tools.len().saturating_sub(1);
    let nobody = match others {
        0 => format!("no other tool of {} is known that could put it right", told.server),
        1 => format!("the one other tool of {} does not put it right", told.server),
        _ => format!("none of the {} other tools of {} puts it right", number(others), told.server),
    };
    let reader = siblings.reader(told.index).map(|at| siblings.said(at));
    let restorer = siblings.undo(told.index).map(|at| siblings.said(at));
    let the = thing.the_or("what was there");
    if told.class() == Class::Read {
        return match told.has(Facet::ReadsPrivate) && !thing.is_public() {
            true => {
                "There is nothing to undo on the server, and no way to make a model forget what it has read.".to_owned()
            }
            false => "There is nothing to undo: a call leaves nothing behind on the server.".to_owned(),
        };
    }
    if told.class() == Class::Unclassified {
        return "Whether a call can be undone is as open as what it does; no sibling is named so that it could be a way back.".to_owned();
    }
    match (told.act(), restorer) {
        (Some(Act::Pay | Act::Trade), Some(back)) => {
            format!("{back} may bring it back, as a second payment with rules of its own.")
        }
        (Some(Act::Delete | Act::Clear), Some(back)) => {
            format!("{back} brings {the} back, as long as the server keeps a copy.")
        }
        (Some(Act::Send | Act::Publish), Some(back)) => {
            format!("{back} can remove it afterwards, though not from the eyes of those who have read it.")
        }
        (Some(Act::Start | Act::Run | Act::Retry), Some(back)) => {
            format!("{back} ends it; what has happened until then stays.")
        }
        (_, Some(back)) => format!("{back} takes it back, once somebody has noticed."),
        (Some(Act::Create | Act::Add | Act::Upload), None) => format!("To clean up is manual work: {nobody}."),
        (Some(Act::Update | Act::Move), None) => match &reader {
            Some(reader) => format!(
                "The old values come back only by writing them again, so {reader} has to be called, and its answer kept, beforehand."
            ),
            None => format!("The old values are gone with the call: {nobody}."),
        },
        (Some(Act::Toggle), None) => match &reader {
            Some(reader) => format!("{reader} shows how {the} stood before, if it was called in time; {nobody}."),
            None => format!("It has to be changed back by hand: {nobody}."),
        },
        (Some(Act::Delete | Act::Clear), None) => match &reader {
            Some(reader) => format!(
                "{}; a copy made with {reader} beforehand is all that would be left.",
                super::grammar::capitalised(&nobody)
            ),
            None => format!("{}, and no tool of it makes a copy first.", super::grammar::capitalised(&nobody)),
        },
        (Some(Act::Send | Act::Publish), None) => format!("What is out is out: {nobody}."),
        (Some(Act::Pay | Act::Trade), None) if told.class() == Class::Financial => {
            format!("Money comes back only if the other side agrees: {nobody}.")
        }
        (Some(Act::Connect), None) => format!("A login that was used cannot be unused: {nobody}."),
        (Some(Act::Revoke | Act::Cancel | Act::Grant), None) => {
            format!("It has to be put right by hand: {nobody}.")
        }
        (Some(Act::Run), None) => {
            "Whether it can be undone depends on what was run; the server keeps no way back.".to_owned()
        }
        _ => format!("What has been set off stays set off: {nobody}."),
    }
}

/// How we know, and how sure we are.
fn method(told: &Told<'_>) -> String {
    let percent = percent(told.assessment.confidence);
    let sure = sure(told.assessment.confidence);
    if told.class() == Class::Unclassified {
        return format!(
            "This is judged from the definition of {} alone, and no word in it tells us enough; our confidence is 0 %.",
            told.name()
        );
    }
    let class = super::told::class_name(told.class());
    let a = super::grammar::article(class);
    let by = told.evidence(1);
    let name = told.name();
    match (told.pick(1, &["a", "b", "c", "d"]), by) {
        (Some("a"), Some(by)) => format!(
            "This is judged from the definition of {name} alone; {by} weighed most, and that it is {a} {class} tool is {sure} ({percent} %)."
        ),
        (Some("b"), Some(by)) => format!(
            "Nobody has called {name} for this: the judgement rests on the definition, above all on {by}, and {class} is {sure} ({percent} %)."
        ),
        (Some("c"), Some(by)) => format!(
            "From its definition alone, and mostly from {by}, we judge {name} {a} {class} tool: {sure} ({percent} %)."
        ),
        (_, Some(by)) => format!(
            "The judgement on {name} comes from the definition alone, first of all from {by}; {class} is {sure} ({percent} %)."
        ),
        (_, None) => {
            format!("The judgement on {name} comes from the definition alone; {class} is {sure} ({percent} %).")
        }
    }
}

/// The confidence in words.
pub(super) fn sure(confidence: f32) -> &'static str {
    match confidence {
        sure if sure >= 0.97 => "all but certain",
        sure if sure >= 0.9 => "very likely",
        sure if sure >= 0.75 => "likely",
        sure if sure >= 0.55 => "more likely than not",
        _ => "no more than the best guess",
    }
}

/// The confidence as a whole number; never a hundred.
pub(super) fn percent(confidence: f32) -> u8 {
    let mut whole = 0_u8;
    while whole < 99 && f32::from(whole + 1) <= confidence * 100.0 + 0.5 {
        whole += 1;
    }
    whole
}

/// What would change the judgement.
fn mind(told: &Told<'_>) -> String {
    let thing = &told.gist.thing;
    let the = thing.the_or("the data");
    if let Some(command) = told.said(&[Role::Command]).filter(|_| told.has(Facet::RunsCode)) {
        return format!("A list of permitted values for {command} in the schema would change our mind.");
    }
    if let Some(sql) = told.said(&[Role::Sql]) {
        return format!("A login that may only read, said in the definition, would make {sql} milder.");
    }
    match told.class() {
        Class::Read => match told.pick(2, &["a", "b", "c"]) {
            Some("a") => {
                format!("An argument that writes, or a description that says {the} may change, would change our mind.")
            }
            Some("b") => {
                "A word in the definition about something that a call stores, sends or starts would change our mind."
                    .to_owned()
            }
            _ => format!("Should a call turn out to mark, count or refresh {the}, it would be a Write tool."),
        },
        Class::Write => match told.act() {
            Some(Act::Add) => format!(
                "If somebody else had to confirm {} before it counts, we would class it lower; if it gave rights at once, higher.",
                thing.the_or("what is added")
            ),
            Some(Act::Create | Act::Upload) => format!(
                "If {} went out to people or cost money at once, we would class it higher; as a mere draft, lower.",
                thing.the_or("what is made")
            ),
            Some(Act::Update | Act::Move) => format!(
                "A history of {the} that the server keeps and can restore would make it milder; a change that others see at once, worse."
            ),
            _ => format!(
                "If the change of {the} set something off, a mail, a build or a payment, it would be an Execute or Financial tool."
            ),
        },
        Class::Execute => match told.act() {
            Some(Act::Send | Act::Publish) => {
                "A definition that limits the recipients, or only saves a draft, would make it a Write tool.".to_owned()
            }
            Some(Act::Compute) => {
                "A statement that it computes and keeps nothing would make it a Read tool.".to_owned()
            }
            _ => format!(
                "If the definition said what {} may set off, and that it ends with the call, we would class it lower.",
                told.name()
            ),
        },
        Class::Destructive => match told.act() {
            Some(Act::Cancel) => format!(
                "If what is cancelled could be taken up again where it stopped, {} would be a Write tool.",
                told.name()
            ),
            Some(Act::Delete | Act::Clear | Act::Revoke) => {
                format!("A bin from which {the} can be restored, named in the definition, would make it a Write tool.")
            }
            _ => format!("If {the} were kept in an older version, the tool would be a Write tool."),
        },
        Class::Financial => match told.role(&[Role::Amount]) {
            Some(amount) if amount.maximum.is_none() => {
                format!("A test mode, or a `maximum` for {} in the schema, would make it milder.", amount.said)
            }
            _ => "A statement that it works on paper money or in a test mode would make it milder.".to_owned(),
        },
        Class::Unclassified => {
            format!("One sentence in the description on what {} changes would settle it.", told.name())
        }
    }
}

/// What the schema bounds, and what it does not.
fn bounds(told: &Told<'_>) -> Option<String> {
    let open: Vec<String> = told
        .outer()
        .filter(|one| {
            one.role.decides() && one.values.is_empty() && one.maximum.is_none() && one.role != Role::Harmless
        })
        .map(|one| one.said.clone())
        .collect();
    (!open.is_empty()).then(|| {
        format!(
            "The schema bounds {} by nothing but {} type.",
            told.row(&open, 3),
            if open.len() == 1 { "its" } else { "their" }
        )
    })
}

fn place(told: &Told<'_>) -> String {
    let class = told.class();
    let alike = told.siblings.tools.iter().filter(|(_, one)| one.class == class).count().saturating_sub(1);
    let kind = super::told::class_name(class);
    match (told.siblings.tools.len(), alike) {
        (1, _) => format!("It is the only tool of {} that we know.", told.server),
        (_, 0) => format!("It is the only {kind} tool of {}.", told.server),
        (_, count) => format!(
            "{} has {} beside it.",
            told.server,
            counted(count, &format!("other {kind} tool")).replace("one other", "one more")
        ),
    }
}

fn pace(told: &Told<'_>) -> String {
    let them = if told.gist.thing.unknown { "calls".to_owned() } else { told.gist.thing.them() };
    match told.class() {
        Class::Read => format!(
            "An agent in a loop does no damage with it beyond load, cost and the room that {them} take up in its context."
        ),
        _ => format!(
            "An agent in a loop can make the same call of {} hundreds of times before anybody looks.",
            told.name()
        ),
    }
}
