//! What a tool does, as the verb of its name says it, and the forms of that verb.

use std::collections::HashMap;
use std::sync::LazyLock;

use policy::Class;

use crate::concept::{Concept, Concepts};
use crate::fold::fold_into;
use crate::lexicon::lexicon;

/// Kinds of doing that are written about differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Act {
    List,
    Read,
    Search,
    Compute,
    Create,
    Add,
    Update,
    Toggle,
    Move,
    Upload,
    Delete,
    Clear,
    Cancel,
    Send,
    Publish,
    Run,
    Start,
    Stop,
    Retry,
    Connect,
    Browse,
    Pay,
    Trade,
    Grant,
    Revoke,
}

/// A verb.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verb {
    /// The base form: what comes behind "to".
    pub(super) base: String,
    pub(super) act: Act,
}

/// Verbs that are verbs wherever they stand in a name.
const STRONG: &[(Act, &str)] = &[
    (Act::List, "list enumerate browse"),
    (Act::Read, "get fetch retrieve read describe view load inspect obtain lookup peek download export show find_by"),
    (Act::Search, "search find"),
    (
        Act::Compute,
        "calculate compute validate verify analyze analyse estimate simulate preview compare parse predict evaluate suggest \
         recommend diagnose explain summarize summarise detect extract classify convert translate resolve decode encode \
         generate render assess calculate_all check count identify determine lint measure optimize optimise rank refresh compress decompress zip unzip diff profile benchmark inspect visualize",
    ),
    (Act::Create, "create make register provision initialize define compose clone duplicate fork scaffold insert"),
    (Act::Add, "add append attach link assign subscribe follow enroll join invite include associate bind"),
    (
        Act::Update,
        "update edit modify set change rename configure replace upsert adjust write overwrite merge apply restore save \
         patch customize revert reset_to fill_in",
    ),
    (
        Act::Toggle,
        "enable disable activate deactivate archive unarchive lock unlock pause resume mute unmute pin unpin star unstar \
         close reopen toggle hide unhide mark unmark approve reject accept decline snooze complete transition",
    ),
    (Act::Move, "move copy sync synchronize migrate reorder transfer_file"),
    (Act::Upload, "upload import ingest"),
    (Act::Delete, "delete remove destroy drop erase uninstall deregister unlink unassign detach unsubscribe discard"),
    (Act::Clear, "clear purge wipe truncate empty flush prune reset"),
    (Act::Cancel, "cancel abort terminate void"),
    (Act::Send, "send reply forward notify broadcast respond"),
    (Act::Publish, "publish unpublish"),
    (Act::Run, "execute run invoke eval"),
    (Act::Start, "initiate start launch deploy trigger build install submit schedule enqueue"),
    (Act::Stop, "stop kill shutdown suspend restart reboot interrupt"),
    (Act::Retry, "retry retrigger rerun replay resend"),
    (Act::Connect, "connect reconnect disconnect authenticate login logout authorize"),
    (Act::Browse, "click navigate scroll hover"),
    (Act::Pay, "pay refund withdraw payout donate reimburse capture"),
    (Act::Trade, "buy sell swap stake unstake borrow repay redeem place"),
    (Act::Grant, "grant"),
    (Act::Revoke, "revoke ban kick"),
];

/// Words that are verbs where a name begins with them, and things elsewhere.
const WEAK: &[(Act, &str)] = &[
    (
        Act::Read,
        "query watch monitor poll access trace scrape crawl see tail dump open wait ask track ping discover enrich play",
    ),
    (
        Act::Compute,
        "test audit review score format plan scan map quote think forecast plot hash geocode multiply subtract divide filter aggregate print draw",
    ),
    (Act::Create, "draft record log store book new generate_draft reserve backup"),
    (Act::Add, "put tag label comment note bookmark"),
    (Act::Update, "update change rate vote react sort crop resize rotate align commit manage"),
    (Act::Toggle, "finish release like block unblock claim confirm switch reactivate upgrade"),
    (Act::Send, "email message mail sms post tweet share alert call dial text push speak"),
    (Act::Run, "exec process perform shell debug"),
    (Act::Browse, "press type tap swipe drag screenshot select fill"),
    (Act::Pay, "charge checkout tip bill transfer deposit invoice"),
    (Act::Trade, "purchase bid trade order bridge"),
    (Act::Delete, "rm del trash burn cleanup"),
];

/// The verb that a word is, where it begins a name (`first`) or stands elsewhere in it.
pub(super) fn verb(word: &str, first: bool) -> Option<Verb> {
    static BY_WORD: LazyLock<[HashMap<&str, Act>; 2]> = LazyLock::new(|| [STRONG, WEAK].map(by_word));
    let [strong, weak] = &*BY_WORD;
    let small = word.to_lowercase();
    let act = *strong.get(small.as_str()).or_else(|| first.then(|| weak.get(small.as_str())).flatten())?;
    let base = match small.as_str() {
        "cleanup" => "clean up".to_owned(),
        "backup" => "back up".to_owned(),
        "del" | "rm" => "delete".to_owned(),
        "exec" | "eval" | "invoke" => "run".to_owned(),
        "lookup" => "look up".to_owned(),
        "connect" => "connect to".to_owned(),
        "disconnect" => "disconnect from".to_owned(),
        "wait" => "wait for".to_owned(),
        "login" => "log in to".to_owned(),
        "logout" => "log out of".to_owned(),
        "shutdown" => "shut down".to_owned(),
        "new" => "create".to_owned(),
        "synchronize" => "synchronise".to_owned(),
        "payout" => "pay out".to_owned(),
        "checkout" => "check out".to_owned(),
        _ => small,
    };
    Some(Verb { base, act })
}

/// The words of a table with what each says; where two rows have a word, the first counts.
fn by_word(table: &[(Act, &'static str)]) -> HashMap<&'static str, Act> {
    table.iter().rev().flat_map(|(act, words)| words.split_whitespace().map(|word| (word, *act))).collect()
}

/// The verb that a word of another language means.
pub(super) fn foreign(word: &str) -> Option<Verb> {
    let mut folded = String::new();
    word.chars().for_each(|letter| fold_into(&mut folded, letter));
    let means = lexicon().word(&folded);
    let means = if means.is_empty() { lexicon().at(word).map(|(_, means)| means).unwrap_or_default() } else { means };
    meant(means)
}

/// The verb for a meaning: the most dangerous where there are several.
fn meant(means: Concepts) -> Option<Verb> {
    const KNOWN: [(Concept, &str, Act); 10] = [
        (Concept::Pay, "pay", Act::Pay),
        (Concept::Delete, "delete", Act::Delete),
        (Concept::Cancel, "cancel", Act::Cancel),
        (Concept::Dispatch, "send", Act::Send),
        (Concept::Execute, "run", Act::Run),
        (Concept::Create, "create", Act::Create),
        (Concept::Update, "update", Act::Update),
        (Concept::Connect, "connect", Act::Connect),
        (Concept::Compute, "work out", Act::Compute),
        (Concept::Read, "return", Act::Read),
    ];
    let (_, base, act) = KNOWN.into_iter().find(|(concept, ..)| means.has(*concept))?;
    Some(Verb { base: base.to_owned(), act })
}

impl Verb {
    /// The same verb, where the class says that no money is moved: to check out a branch is no payment.
    pub(super) fn within_class(mut self, class: Class) -> Verb {
        if matches!(self.act, Act::Pay | Act::Trade) && class != Class::Financial {
            self.act = match class {
                Class::Read => Act::Compute,
                Class::Write => Act::Update,
                _ => Act::Start,
            };
        }
        self
    }

    /// "updates", of `update`; what people say where programs say `get`.
    pub(super) fn third(&self) -> String {
        let base = match self.base.as_str() {
            "get" | "fetch" | "retrieve" | "obtain" | "load" | "show" | "view" | "see" => "return",
            "enumerate" => "list",
            "find" => return "finds".to_owned(),
            other => other,
        };
        head(base, |word| match word {
            "do" | "go" | "echo" | "veto" => format!("{word}es"),
            _ if ["s", "x", "z", "ch", "sh"].iter().any(|end| word.ends_with(end)) => format!("{word}es"),
            _ => match word.strip_suffix('y') {
                Some(stem) if !stem.ends_with(['a', 'e', 'i', 'o', 'u']) => format!("{stem}ies"),
                _ => format!("{word}s"),
            },
        })
    }

    /// "updated", of `update`.
    pub(super) fn past(&self) -> String {
        const IRREGULAR: [(&str, &str); 23] = [
            ("send", "sent"),
            ("resend", "resent"),
            ("buy", "bought"),
            ("sell", "sold"),
            ("pay", "paid"),
            ("repay", "repaid"),
            ("run", "run"),
            ("rerun", "rerun"),
            ("set", "set"),
            ("put", "put"),
            ("write", "written"),
            ("overwrite", "overwritten"),
            ("make", "made"),
            ("read", "read"),
            ("get", "got"),
            ("find", "found"),
            ("reset", "reset"),
            ("hide", "hidden"),
            ("build", "built"),
            ("bid", "bid"),
            ("withdraw", "withdrawn"),
            ("shut", "shut"),
            ("bind", "bound"),
        ];
        head(&self.base, |word| match IRREGULAR.iter().find(|(base, _)| *base == word) {
            Some((_, past)) => (*past).to_owned(),
            None => match word.strip_suffix('y') {
                Some(stem) if !stem.ends_with(['a', 'e', 'i', 'o', 'u']) => format!("{stem}ied"),
                _ if word.ends_with('e') => format!("{word}d"),
                _ => format!("{}ed", doubled(word)),
            },
        })
    }

    /// "updating", of `update`.
    pub(super) fn gerund(&self) -> String {
        head(&self.base, |word| match word.strip_suffix('e') {
            Some(stem) if !word.ends_with("ee") && word != "be" => format!("{stem}ing"),
            _ => format!("{}ing", doubled(word)),
        })
    }
}

/// The form of the first word of a base, and the rest.
fn head(base: &str, form: impl Fn(&str) -> String) -> String {
    match base.split_once(' ') {
        Some((first, rest)) => format!("{} {rest}", form(first)),
        None => form(base),
    }
}

/// A word whose last letter is doubled where its endings ask for that.
fn doubled(word: &str) -> String {
    const DOUBLED: &[&str] = &[
        "stop", "drop", "tag", "pin", "unpin", "ban", "swap", "submit", "commit", "scan", "plan", "log", "map", "wrap",
        "crop", "tap", "run", "rerun", "set", "reset", "put", "get", "cancel", "transfer", "label", "star", "unstar",
        "bid", "tip", "shut", "plot", "zip", "unzip",
    ];
    match word.chars().last() {
        Some(last) if DOUBLED.contains(&word) => format!("{word}{last}"),
        _ => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_verbs() {
        for (base, third, past, gerund) in [
            ("update", "updates", "updated", "updating"),
            ("retry", "retries", "retried", "retrying"),
            ("push", "pushes", "pushed", "pushing"),
            ("cancel", "cancels", "cancelled", "cancelling"),
            ("send", "sends", "sent", "sending"),
            ("look up", "looks up", "looked up", "looking up"),
            ("pay", "pays", "paid", "paying"),
            ("get", "returns", "got", "getting"),
        ] {
            let verb = Verb { base: base.to_owned(), act: Act::Read };
            assert_eq!((verb.third().as_str(), verb.past().as_str(), verb.gerund().as_str()), (third, past, gerund));
        }
    }

    #[test]
    fn words_of_other_languages() {
        let act = |word| foreign(word).map(|verb| verb.act);
        assert_eq!(act("excluir"), Some(Act::Delete));
        assert_eq!(act("criar"), Some(Act::Create));
        assert_eq!(act("删除文件"), Some(Act::Delete));
        assert_eq!(act("lead"), None);
    }

    #[test]
    fn a_thing_at_the_end_is_no_verb() {
        assert_eq!(verb("order", false), None);
        assert_eq!(verb("create", false).map(|verb| verb.act), Some(Act::Create));
        assert_eq!(verb("Email", true).map(|verb| verb.act), Some(Act::Send));
    }
}
