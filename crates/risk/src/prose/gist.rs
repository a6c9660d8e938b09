//! What a name says: a verb, the thing that it acts on, and what that thing belongs to.

use std::collections::HashMap;
use std::sync::LazyLock;

use policy::Class;

use super::act::{Act, Verb, foreign, verb};
use super::title::{is_plural, is_uncounted, listed, parts, plural, singular, with_article};
use crate::assess::Assessment;
use crate::definition::Definition;

/// What the name of a tool says.
#[derive(Clone, Debug)]
pub(super) struct Gist {
    /// The verb; `None` where neither name nor description begins with one that is known.
    pub(super) verb: Option<Verb>,
    pub(super) thing: Thing,
    /// "to a campaign": what follows the thing.
    pub(super) tail: String,
}

/// What a tool acts on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Thing {
    /// The name for one, without article: "lead".
    pub(super) one: String,
    /// Whether the name says several.
    pub(super) several: bool,
    /// Whether it says all, or many at once.
    pub(super) many: bool,
    /// Whether the words are those of another language, and so quoted.
    quoted: bool,
    /// Whether nothing is known: no sentence names it then.
    pub(super) unknown: bool,
}

const LINKS: [&str; 27] = [
    "by", "with", "from", "to", "for", "in", "on", "of", "at", "as", "into", "via", "using", "without", "before",
    "after", "since", "between", "per", "within", "about", "under", "against", "through", "onto", "across", "if",
];
const MANY: [&str; 6] = ["bulk", "batch", "multiple", "mass", "many", "multi"];
/// Words of names that are not of what a tool does.
const NOISE: [&str; 16] =
    ["tool", "mcp", "v1", "v2", "v3", "api", "the", "a", "an", "new", "do", "async", "handler", "rpc", "cmd", "my"];

impl Gist {
    /// Reads a name. `prefix` are its first words that say where it belongs, not what it does.
    pub(super) fn of(definition: &Definition<'_>, assessment: &Assessment, prefix: usize) -> Gist {
        let mut words: Vec<String> = parts(definition.name);
        if words.len() > prefix {
            words.drain(..prefix);
        }
        let many = words.iter().any(|word| is_one_of(&MANY, word));
        words.retain(|word| !is_one_of(&MANY, word));
        let (verb, mut rest, strange) = split(words, definition, assessment);
        let link = rest.iter().position(|word| is_one_of(&LINKS, word));
        let tail = link.map(|at| rest.split_off(at)).unwrap_or_default();
        let verb = verb.map(|verb| verb.within_class(assessment.class));
        let mut gist = Gist { verb, thing: Thing::of(&rest, many, strange), tail: said_tail(&tail, strange) };
        if gist.thing.unknown {
            gist.thing = match gist.act() {
                Some(Act::Browse) => Thing::of(&["element".to_owned()], false, false),
                _ => from_arguments(definition).unwrap_or(gist.thing),
            };
        }
        gist
    }

    pub(super) fn act(&self) -> Option<Act> {
        self.verb.as_ref().map(|verb| verb.act)
    }
}

/// The verb, the other words, and whether the words are not English.
fn split(
    mut words: Vec<String>,
    definition: &Definition<'_>,
    assessment: &Assessment,
) -> (Option<Verb>, Vec<String>, bool) {
    let strange = |words: &[String]| words.iter().any(|word| !word.is_ascii());
    // `payout_create` creates.
    let ends = matches!(
        words.last().map(|word| word.to_lowercase()).as_deref(),
        Some("create" | "delete" | "remove" | "get" | "cancel")
    );
    if ends
        && words.len() > 1
        && let Some(found) = words.pop().and_then(|word| verb(&word, false))
    {
        return (Some(found), words, false);
    }
    // `text_search` searches: what is a verb anywhere goes before what is one only at the beginning.
    let weak = words.first().is_some_and(|word| verb(word, false).is_none());
    let link = words.iter().position(|word| is_one_of(&LINKS, word)).unwrap_or(words.len());
    let stronger = weak && words.iter().take(link).skip(1).any(|word| verb(word, false).is_some());
    if let Some(found) = words.first().filter(|_| !stronger).and_then(|word| verb(word, true)) {
        words.remove(0);
        let (found, words) = joined(found, words);
        let foreign_words = strange(&words);
        return (Some(found), words, foreign_words);
    }
    if let Some(at) = words.iter().position(|word| verb(word, false).is_some()) {
        // `customers.leads.create` and `user_get_profile`: what stands before belongs to the thing.
        let found = words.get(at).and_then(|word| verb(word, false));
        words.remove(at);
        return (found, words, false);
    }
    if assessment.class == Class::Unclassified {
        return (None, words, false);
    }
    if let Some(at) = words.iter().position(|word| foreign(word).is_some_and(|verb| fits(&verb, assessment.class)))
        && (words.len() > 1 || strange(&words))
        && !in_english(definition.description)
    {
        let found = words.get(at).and_then(|word| foreign(word));
        words.remove(at);
        return (found, words, true);
    }
    let first = definition.description.split(|letter: char| !letter.is_alphabetic()).find(|word| !word.is_empty());
    let stem = first.map(str::to_lowercase).unwrap_or_default();
    let stem = stem.strip_suffix("ies").map(|stem| format!("{stem}y")).unwrap_or(stem);
    let plain = stem.strip_suffix("es").filter(|stem| verb(stem, true).is_some()).or(stem.strip_suffix('s'));
    let found = verb(&stem, true).or_else(|| plain.and_then(|stem| verb(stem, true)));
    (found.filter(|verb| fits(verb, assessment.class)), words, false)
}

fn in_english(text: &str) -> bool {
    super::language::language(text) == Some("English")
}

/// Whether a verb is of the kind that the class says.
fn fits(verb: &Verb, class: Class) -> bool {
    let reads = matches!(verb.act, Act::List | Act::Read | Act::Search | Act::Compute);
    match class {
        Class::Read => reads,
        Class::Write => !reads && !matches!(verb.act, Act::Pay | Act::Trade | Act::Delete | Act::Clear),
        Class::Destructive => matches!(verb.act, Act::Delete | Act::Clear | Act::Cancel | Act::Revoke | Act::Update),
        Class::Financial => matches!(verb.act, Act::Pay | Act::Trade | Act::Create | Act::Cancel | Act::Send),
        Class::Execute => !matches!(verb.act, Act::List | Act::Read),
        Class::Unclassified => false,
    }
}

/// `create_and_send_invoice`: two verbs are one action.
fn joined(first: Verb, mut words: Vec<String>) -> (Verb, Vec<String>) {
    let second = match words.as_slice() {
        [and, second, ..] if matches!(and.to_lowercase().as_str(), "and" | "or") => {
            verb(second, true).map(|verb| (and.clone(), verb))
        }
        _ => None,
    };
    if let Some((and, second)) = second {
        words.drain(..2);
        let act = first.act.max(second.act);
        // The forms of two verbs are made of each: the base keeps both, and only the worse is inflected alone.
        let _ = and;
        let worse = if act == first.act { first } else { second };
        return (worse, words);
    }
    (first, words)
}

impl Thing {
    fn of(words: &[String], many: bool, strange: bool) -> Thing {
        let mut words: Vec<String> =
            words.iter().filter(|word| !is_one_of(&NOISE, word) && readable(word)).cloned().collect();
        words.dedup_by(|one, other| one.to_lowercase() == other.to_lowercase());
        let all = words.first().is_some_and(|word| word.eq_ignore_ascii_case("all"));
        if all {
            words.remove(0);
        }
        words.truncate(5);
        let several = all || many || words.last().is_some_and(|word| is_plural(word));
        let strange = strange || words.iter().any(|word| !word.is_ascii());
        let words: Vec<String> =
            words.iter().map(|word| if strange { word.to_lowercase() } else { spoken(word) }).collect();
        let unknown = words.is_empty();
        let joined = words.join(" ");
        let one = match (unknown, strange) {
            (true, _) => "record".to_owned(),
            (false, true) => joined,
            (false, false) => singular(&joined),
        };
        Thing { one, several, many: all || many, quoted: strange && !unknown, unknown }
    }

    fn is_uncounted(&self) -> bool {
        let last = self.one.rsplit(' ').next().unwrap_or_default();
        self.quoted || is_uncounted(last) || PROPER.contains(&last)
    }

    fn bare(&self) -> String {
        if self.quoted { format!("“{}”", self.one) } else { self.one.clone() }
    }

    /// As a call acts on it: "a lead", "leads", "usage statistics".
    pub(super) fn acted_on(&self) -> String {
        if self.several { self.them() } else { self.a() }
    }

    /// "a lead".
    pub(super) fn a(&self) -> String {
        const ONLY: [&str; 12] = [
            "current",
            "latest",
            "next",
            "last",
            "first",
            "total",
            "top",
            "full",
            "available",
            "recent",
            "active",
            "default",
        ];
        let first = self.one.split(' ').next().unwrap_or_default();
        if self.is_uncounted() {
            self.bare()
        } else if ONLY.contains(&first)
            || self.one.ends_with(" status")
            || self.one == "status"
            || self.one.ends_with(" count")
        {
            format!("the {}", self.one)
        } else {
            with_article(&self.one)
        }
    }

    /// "the lead".
    pub(super) fn the(&self) -> String {
        if self.quoted { self.bare() } else { format!("the {}", self.one) }
    }

    /// "the lead" or "the leads"; `other` where nothing is known.
    pub(super) fn the_or(&self, other: &str) -> String {
        match (self.unknown, self.several, self.quoted) {
            (true, ..) => other.to_owned(),
            (false, true, false) => format!("the {}", self.them()),
            _ => self.the(),
        }
    }

    /// "leads".
    pub(super) fn them(&self) -> String {
        if self.quoted { self.bare() } else { plural(&self.one) }
    }

    /// Whether it is of a kind that nobody keeps to himself.
    pub(super) fn is_public(&self) -> bool {
        const PUBLIC: [&str; 16] = [
            "time",
            "date",
            "datetime",
            "timezone",
            "weather",
            "forecast",
            "version",
            "help",
            "documentation",
            "price",
            "rate",
            "language",
            "country",
            "holiday",
            "schema",
            "symbol",
        ];
        self.one.rsplit(' ').next().is_some_and(|last| PUBLIC.contains(&last))
    }

    /// The same without its last word, where that is `word` and not all.
    pub(super) fn without(&self, word: &str) -> Thing {
        match self
            .one
            .strip_suffix(word)
            .map(str::trim_end)
            .filter(|rest| !rest.is_empty() && self.one.ends_with(&format!(" {word}")))
        {
            Some(rest) => Thing { one: rest.to_owned(), several: false, ..self.clone() },
            None => self.clone(),
        }
    }

    /// Nothing of its own: the server itself.
    pub(super) fn forget(&mut self) {
        *self = Thing::of(&[], false, false);
    }

    /// What two names of the same thing have in common.
    pub(super) fn key(&self) -> String {
        if self.unknown { String::new() } else { self.one.to_lowercase() }
    }
}

/// Whether a word is in a list, in capitals or not.
fn is_one_of(list: &[&str], word: &str) -> bool {
    list.iter().any(|known| known.eq_ignore_ascii_case(word))
}

/// A word that can stand in a sentence.
fn readable(word: &str) -> bool {
    word.chars().all(|letter| letter.is_alphanumeric()) && word.chars().any(char::is_alphabetic)
}

/// Names of products, which take no article.
const PROPER: [&str; 45] = [
    "Airtable",
    "Amazon",
    "Asana",
    "Azure",
    "BigQuery",
    "Bitbucket",
    "Bluesky",
    "Confluence",
    "Discord",
    "Docker",
    "Dropbox",
    "Elasticsearch",
    "Excel",
    "Facebook",
    "Figma",
    "Firebase",
    "Git",
    "GitHub",
    "GitLab",
    "Gmail",
    "Google",
    "Grafana",
    "HubSpot",
    "Instagram",
    "Jenkins",
    "Jira",
    "Kubernetes",
    "LinkedIn",
    "MongoDB",
    "Notion",
    "Obsidian",
    "Outlook",
    "PayPal",
    "Postgres",
    "Redis",
    "Salesforce",
    "Shopify",
    "Slack",
    "Spotify",
    "Stripe",
    "Telegram",
    "Trello",
    "Twilio",
    "Twitter",
    "YouTube",
];

/// Words that are written in capitals.
const CAPITALS: [&str; 73] = [
    "acl", "ai", "ais", "api", "aws", "cdn", "ci", "cli", "cpu", "crm", "cron", "css", "csv", "cve", "dag", "dao",
    "ddl", "dex", "dm", "dns", "ec2", "ecr", "ecs", "eks", "erc20", "etf", "faq", "fps", "ftp", "gcp", "gif", "gke",
    "gpu", "html", "http", "https", "iam", "id", "ip", "json", "jwt", "kpi", "llm", "mcp", "nft", "ocr", "os", "pdf",
    "png", "pr", "qr", "rds", "rpc", "rss", "s3", "sdk", "seo", "sla", "sms", "sql", "ssh", "ssl", "svg", "tls", "tv",
    "ui", "uri", "url", "vm", "vpc", "vpn", "xml", "yaml",
];
/// Words that names cut short.
const LONGER: [(&str, &str); 22] = [
    ("config", "configuration"),
    ("configs", "configurations"),
    ("db", "database"),
    ("repo", "repository"),
    ("repos", "repositories"),
    ("env", "environment"),
    ("org", "organisation"),
    ("orgs", "organisations"),
    ("msg", "message"),
    ("info", "information"),
    ("dir", "directory"),
    ("cmd", "command"),
    ("img", "image"),
    ("auth", "authentication"),
    ("params", "parameters"),
    ("attr", "attribute"),
    ("acct", "account"),
    ("perms", "permissions"),
    ("desc", "description"),
    ("ns", "namespace"),
    ("txn", "transaction"),
    ("tx", "transaction"),
];

/// A word of a name as people write it: "ID", "configuration".
fn spoken(word: &str) -> String {
    static WRITTEN: LazyLock<HashMap<String, String>> = LazyLock::new(|| {
        let mut written = HashMap::new();
        let proper = PROPER.iter().map(|name| (name.to_lowercase(), (*name).to_owned()));
        let longer = LONGER.iter().map(|(short, longer)| ((*short).to_owned(), (*longer).to_owned()));
        let capitals = CAPITALS.iter().map(|word| ((*word).to_owned(), word.to_uppercase()));
        let several = CAPITALS.iter().map(|word| (format!("{word}s"), format!("{}s", word.to_uppercase())));
        for (word, said) in proper.chain(longer).chain(capitals).chain(several) {
            written.entry(word).or_insert(said);
        }
        written
    });
    let small = word.to_lowercase();
    WRITTEN.get(&small).cloned().unwrap_or(small)
}

/// "to a campaign", of `to_campaign`. What `by` says, the arguments say better.
fn said_tail(words: &[String], strange: bool) -> String {
    let mut said = String::new();
    let mut rest = words;
    let link = |word: &String| is_one_of(&LINKS, word);
    while let [first, more @ ..] = rest {
        let end = more.iter().position(link).unwrap_or(more.len());
        let (own, next) = more.split_at(end);
        rest = next;
        let preposition = first.to_lowercase();
        if matches!(preposition.as_str(), "by" | "via" | "using" | "if") || own.is_empty() {
            continue;
        }
        let thing = Thing::of(own, false, strange);
        if !thing.unknown {
            said.push_str(&format!(" {preposition} {}", thing.acted_on()));
        }
    }
    said
}

/// The thing that an argument names: `campaign_id` is of a campaign.
fn from_arguments(definition: &Definition<'_>) -> Option<Thing> {
    let properties = definition.schema?.get("properties")?.as_object()?;
    properties.keys().take(20).find_map(|name| {
        let mut words = parts(name);
        let id = words.pop()?.to_lowercase();
        (matches!(id.as_str(), "id" | "ids" | "key" | "slug")
            && !words.is_empty()
            && words.iter().all(|word| word.is_ascii()))
        .then(|| Thing::of(&words, false, false))
        .filter(|thing| !thing.unknown)
    })
}

/// The thing that words of a name are for; nothing where they are none that can be said.
pub(super) fn thing_of(words: &[String]) -> Option<String> {
    let thing = Thing::of(words, false, false);
    (!thing.unknown && !thing.quoted).then_some(thing.one)
}

/// How many first words of names say where a tool belongs: the words of the server's name, or what most of
/// the server's names begin with.
pub(super) fn prefixes(server: &str, names: &[&str]) -> Vec<usize> {
    let own: Vec<String> = parts(server).iter().map(|word| word.to_lowercase()).collect();
    let whole: String = own.concat();
    let split: Vec<Vec<String>> =
        names.iter().map(|name| parts(name).iter().map(|word| word.to_lowercase()).collect()).collect();
    let mut counts = HashMap::<&str, usize>::new();
    for words in &split {
        if let Some(first) = words.first() {
            *counts.entry(first).or_default() += 1;
        }
    }
    split
        .iter()
        .map(|words| {
            let mut length = 0;
            for word in words.iter().take(words.len().saturating_sub(1)) {
                let shared = length == 0 && {
                    let count = counts.get(word.as_str()).copied().unwrap_or_default();
                    count >= 5 && count * 10 >= names.len() * 6
                };
                let of_server = own.contains(word) || (whole.contains(word.as_str()) && word.chars().count() > 3);
                if (shared || of_server) && verb(word, false).is_none() {
                    length += 1;
                } else {
                    break;
                }
            }
            length
        })
        .collect()
}

/// The names of arguments in a row, quoted as code, the first `most` of them.
pub(super) fn named(names: &[String], most: usize) -> String {
    let mut shown: Vec<String> = names.iter().take(most).cloned().collect();
    match names.len().saturating_sub(most) {
        0 => {}
        1 => shown.push("one more".to_owned()),
        more => shown.push(format!("{} more", super::title::number(more))),
    }
    listed(&shown, "and")
}
