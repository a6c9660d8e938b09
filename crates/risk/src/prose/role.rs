//! What an argument decides, told by its name, its type and what recommendations know of it.

use super::grammar::is_plural;
use super::title::parts;
use crate::recommend::meaning::Meaning;

/// What an argument decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Role {
    Command,
    Sql,
    Recipient,
    Amount,
    Path,
    Address,
    Host,
    Credential,
    /// A switch that takes away a bound: `force`, `all`, `recursive`.
    Wide,
    /// A switch that makes the call harmless: `dry_run`.
    Harmless,
    /// Rights, roles, who may see.
    Access,
    /// Many things at once.
    Targets,
    Target,
    Content,
    Fields,
    Naming,
    Search,
    Filter,
    Time,
    Page,
    Choice,
    Switch,
    Other,
}

/// What there is to tell a role by.
pub(super) struct Clues<'a> {
    pub(super) name: &'a str,
    pub(super) meaning: Option<Meaning>,
    /// Whether mail goes there.
    pub(super) mails: bool,
    /// The type in one word: `text`, `number`, `switch`, `object`, `list`, `choice`, or empty.
    pub(super) kind: &'a str,
    /// Whether calls of the tool can carry data outside.
    pub(super) sends: bool,
    /// Whether calls of the tool move money.
    pub(super) spends: bool,
    /// Whether the tool runs code.
    pub(super) runs: bool,
    /// Whether it only reads.
    pub(super) reads: bool,
}

impl Role {
    /// The role of an argument.
    pub(super) fn of(clues: &Clues<'_>) -> Role {
        let words: Vec<String> = parts(clues.name).iter().map(|word| word.to_lowercase()).collect();
        let last = words.last().map(String::as_str).unwrap_or_default();
        let is = |some: &[&str]| some.contains(&last);
        let has = |some: &[&str]| words.iter().any(|word| some.contains(&word.as_str()));
        let switch = clues.kind == "switch";
        match clues.meaning {
            Some(Meaning::Sql) => return Role::Sql,
            Some(Meaning::Path) => return Role::Path,
            Some(Meaning::Address) => return Role::Address,
            Some(Meaning::Host) => return Role::Host,
            Some(Meaning::Code)
                if clues.runs || !is(&["query", "queries", "source", "args", "arguments", "code", "function"]) =>
            {
                return Role::Command;
            }
            _ => {}
        }
        if clues.mails {
            return Role::Recipient;
        }
        if has(&["dry", "preview", "simulate", "simulation"]) && (switch || is(&["run", "only"])) {
            return Role::Harmless;
        }
        let wide = [
            "force",
            "forced",
            "recursive",
            "recursively",
            "overwrite",
            "cascade",
            "permanent",
            "permanently",
            "bypass",
            "skip",
            "hard",
            "purge",
            "everyone",
            "sudo",
            "privileged",
            "yes",
            "unsafe",
            "ignore",
            "all",
        ];
        if switch && has(&wide) && !has(&["include", "fetch", "return", "show", "with"]) {
            return Role::Wide;
        }
        if has(&[
            "password",
            "passwords",
            "secret",
            "passphrase",
            "apikey",
            "mnemonic",
            "seed",
            "credential",
            "credentials",
        ]) || matches!(words.as_slice(), [.., one, two] if matches!((one.as_str(), two.as_str()),
                ("api" | "private" | "secret" | "access", "key") | ("access" | "auth" | "bearer" | "api" | "refresh", "token")))
            || (is(&["token"]) && words.len() == 1 && clues.kind == "text" && !clues.spends)
        {
            return if switch { Role::Switch } else { Role::Credential };
        }
        let receiver = [
            "to",
            "recipient",
            "recipients",
            "cc",
            "bcc",
            "receiver",
            "payee",
            "invitee",
            "invitees",
            "attendees",
            "destination",
            "phone",
        ];
        if (clues.sends || clues.spends)
            && !switch
            && (is(&receiver)
                || (has(&["to", "recipient", "recipients", "receiver"])
                    && is(&[
                        "email",
                        "emails",
                        "address",
                        "addresses",
                        "number",
                        "id",
                        "ids",
                        "account",
                        "user",
                        "wallet",
                    ])))
        {
            return Role::Recipient;
        }
        if clues.sends && is(&["channel", "chat"])
            || (clues.sends && has(&["channel", "chat", "recipient"]) && is(&["id", "ids", "name"]))
        {
            return Role::Recipient;
        }
        let amounts = [
            "amount", "price", "quantity", "budget", "cost", "qty", "leverage", "lamports", "sum", "total", "bid",
            "stake", "shares", "lots",
        ];
        if matches!(clues.kind, "number" | "text")
            && !clues.reads
            && (is(&amounts) || (clues.spends && is(&["size", "value", "number"])))
        {
            return Role::Amount;
        }
        if !clues.reads
            && is(&[
                "role",
                "roles",
                "permission",
                "permissions",
                "scope",
                "scopes",
                "access",
                "visibility",
                "privilege",
                "privileges",
                "public",
                "private",
                "acl",
                "policy",
            ])
        {
            return Role::Access;
        }
        if is(&[
            "id",
            "ids",
            "uuid",
            "guid",
            "key",
            "slug",
            "arn",
            "identifier",
            "identifiers",
            "iid",
            "handle",
            "ref",
            "sha",
        ]) || (last.len() > 3
            && last.ends_with("id")
            && !matches!(last, "valid" | "paid" | "grid" | "invalid" | "android" | "void"))
        {
            return if is(&["ids", "identifiers"]) || clues.kind == "list" { Role::Targets } else { Role::Target };
        }
        // What a call is within: a repository, a workspace, a table.
        let within = [
            "owner",
            "repo",
            "repository",
            "org",
            "organization",
            "organisation",
            "workspace",
            "namespace",
            "project",
            "tenant",
            "bucket",
            "database",
            "table",
            "collection",
            "branch",
            "cluster",
        ];
        let numbered = is(&["number"]) && has(&["issue", "pull", "pr", "pull_number", "ticket", "invoice", "order"]);
        if clues.kind == "text" && words.len() == 1 && is(&within) || numbered {
            return Role::Target;
        }
        if switch {
            return Role::Switch;
        }
        if is(&[
            "limit", "page", "offset", "cursor", "per", "size", "count", "skip", "max", "top", "first", "take",
            "results", "start",
        ]) || has(&["page", "pagination", "cursor"])
        {
            return Role::Page;
        }
        if is(&[
            "body",
            "message",
            "text",
            "content",
            "html",
            "subject",
            "comment",
            "note",
            "description",
            "markdown",
            "caption",
            "contents",
            "prompt",
            "reason",
            "summary",
            "instructions",
            "question",
        ]) {
            return Role::Content;
        }
        if is(&[
            "query", "q", "search", "keyword", "keywords", "term", "terms", "pattern", "phrase", "queries", "regex",
        ]) {
            return Role::Search;
        }
        if is(&[
            "filter", "filters", "where", "sort", "order", "tags", "category", "since", "until", "include", "exclude",
        ]) || has(&["filter", "sort"])
        {
            return Role::Filter;
        }
        if is(&[
            "date",
            "time",
            "at",
            "timestamp",
            "start",
            "end",
            "from",
            "until",
            "deadline",
            "timezone",
            "timeout",
            "duration",
            "cron",
            "schedule",
            "year",
            "month",
            "day",
            "days",
            "hours",
            "minutes",
            "seconds",
            "interval",
            "delay",
        ]) {
            return Role::Time;
        }
        if is(&["name", "title", "label", "username", "names"]) {
            return Role::Naming;
        }
        if clues.kind == "choice" {
            return Role::Choice;
        }
        if clues.kind == "object"
            || is(&["data", "fields", "payload", "properties", "attributes", "updates", "changes", "values"])
        {
            return Role::Fields;
        }
        if clues.kind == "list" && is_plural(last) { Role::Targets } else { Role::Other }
    }

    /// Whether an argument of this kind chooses what a wrong call hits: such are named first.
    pub(super) fn decides(self) -> bool {
        self <= Role::Target
    }
}
