//! Names as people write them, and the small grammar of English that sentences about tools need.

/// How many words of a name are read, and how long one may be.
const WORDS: usize = 12;
const LONGEST: usize = 24;

/// The words of a name, in the case in which they stand: parted at signs, humps and the ends of capitals.
pub(super) fn parts(name: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut letters = name.chars().take(WORDS * LONGEST).peekable();
    let mut last = ' ';
    while let Some(letter) = letters.next() {
        if !letter.is_alphanumeric() {
            parts.push(std::mem::take(&mut word));
        } else {
            let next_small = letters.peek().is_some_and(|next| next.is_lowercase());
            let hump = letter.is_uppercase() && (last.is_lowercase() || (last.is_uppercase() && next_small));
            // `PDFs` is one word.
            let plural = last.is_uppercase() && next_small && letters.peek() == Some(&'s') && ends_after(&letters, 1);
            if hump && !plural {
                parts.push(std::mem::take(&mut word));
            }
            if word.chars().count() < LONGEST {
                word.push(letter);
            }
        }
        last = letter;
    }
    parts.push(word);
    parts.retain(|part| !part.is_empty());
    parts.truncate(WORDS);
    parts
}

fn ends_after(letters: &std::iter::Peekable<std::iter::Take<std::str::Chars<'_>>>, skip: usize) -> bool {
    letters.clone().nth(skip).is_none_or(|letter| !letter.is_lowercase())
}

/// A name in words: `update_lead_by_id` is "update lead by id".
///
/// ```
/// use risk::prose::title::humanised;
/// assert_eq!(humanised("update_lead_by_id"), "update lead by id");
/// assert_eq!(humanised("updateLead"), "update lead");
/// assert_eq!(humanised("k8s--apply-manifest"), "k8s apply manifest");
/// ```
#[must_use]
pub fn humanised(name: &str) -> String {
    parts(name).iter().map(|part| part.to_lowercase()).collect::<Vec<_>>().join(" ")
}

/// What a server is called, without what every server is: "SmartLead MCP Server" is "SmartLead", `acme/mail-mcp-server` is
/// "Mail". A name that says nothing else stays as it is.
///
/// ```
/// use risk::prose::title::server;
/// assert_eq!(server("SmartLead MCP Server"), "SmartLead");
/// assert_eq!(server("acme/mail-mcp-server"), "Mail");
/// assert_eq!(server("MCP Server"), "MCP Server");
/// ```
#[must_use]
pub fn server(name: &str) -> String {
    let shown = super::plain(name, 60);
    let slug = !shown.contains(' ');
    let halves = match slug.then(|| shown.rsplit(['/', ':'])) {
        Some(halves) => halves.collect(),
        None => vec![shown.as_str()],
    };
    for half in halves {
        let said = without_kind(half, slug);
        if !said.is_empty() {
            return said;
        }
    }
    if shown.is_empty() { "this server".to_owned() } else { shown }
}

/// The name without "MCP", "server" and the like at its ends.
fn without_kind(name: &str, slug: bool) -> String {
    const KIND: [&str; 10] =
        ["mcp", "mcps", "server", "servers", "(mcp)", "modelcontextprotocol", "standalone", "the", "for", "official"];
    let parted: Vec<&str> = match slug {
        true => name.split(['-', '_', '.', '@']).collect(),
        false => name.split(' ').collect(),
    };
    let mut words: Vec<&str> = parted.into_iter().filter(|word| !word.is_empty()).collect();
    let kind = |word: &&str| KIND.contains(&word.to_lowercase().as_str());
    if slug && words.len() > 1 {
        words.retain(|word| !matches!(word.to_lowercase().as_str(), "mcp" | "server" | "servers"));
    }
    while words.last().is_some_and(kind) {
        words.pop();
    }
    while words.first().is_some_and(kind) {
        words.remove(0);
    }
    match slug {
        true => words.iter().map(|word| capitalised(word)).collect::<Vec<_>>().join(" "),
        false => words.join(" "),
    }
}

/// The text with a capital at its beginning.
#[must_use]
pub fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

/// The article that a word takes, told by how it is spoken.
///
/// ```
/// use risk::prose::title::article;
/// assert_eq!([article("Execute"), article("Write"), article("user"), article("SQL"), article("hour")], ["an", "a", "a", "an", "an"]);
/// ```
#[must_use]
pub fn article(word: &str) -> &'static str {
    let first = word.split([' ', '-']).next().unwrap_or_default();
    let small = first.to_lowercase();
    let begins = |some: &[&str]| some.iter().any(|one| small.starts_with(one));
    let spelt =
        first.chars().count() > 1 && first.chars().all(|letter| letter.is_uppercase() || letter.is_ascii_digit());
    let spoken_as_word =
        ["SIM", "LAN", "RAM", "ROM", "NAT", "SAAS", "FAQ", "HAR", "NAS", "RAG", "RAID", "LIDAR", "MIDI"];
    // `nc` is spelt as well: nobody can say it.
    let said = small
        .chars()
        .any(|letter| matches!(letter, 'a' | 'e' | 'i' | 'o' | 'u' | 'y') || !letter.is_ascii_alphabetic());
    let spelt = spelt || (!said && small.chars().count() < 5 && small.chars().count() > 1);
    let an = if spelt && !spoken_as_word.contains(&first) {
        small.starts_with(['a', 'e', 'f', 'h', 'i', 'l', 'm', 'n', 'o', 'r', 's', 'x', '8'])
    } else if begins(&["hour", "honest", "honour", "heir"]) {
        true
    } else if begins(&["uni", "use", "usa", "usu", "util", "eu", "ur", "one", "once", "ubiq", "uuid", "ufo"]) {
        begins(&["unin", "unim", "unid", "urg", "urn"]) && !begins(&["unio"])
    } else {
        small.starts_with(['a', 'e', 'i', 'o', 'u', '8'])
    };
    if an { "an" } else { "a" }
}

/// A word with its article.
#[must_use]
pub fn with_article(words: &str) -> String {
    format!("{} {words}", article(words))
}

const IRREGULAR: [(&str, &str); 14] = [
    ("person", "people"),
    ("child", "children"),
    ("man", "men"),
    ("woman", "women"),
    ("analysis", "analyses"),
    ("basis", "bases"),
    ("hypothesis", "hypotheses"),
    ("criterion", "criteria"),
    ("appendix", "appendices"),
    ("shelf", "shelves"),
    ("leaf", "leaves"),
    ("knife", "knives"),
    ("life", "lives"),
    ("quiz", "quizzes"),
];

/// Words that have no plural, or are one already.
const UNCOUNTED: [&str; 79] = [
    "access",
    "activity",
    "advice",
    "analytics",
    "audio",
    "authentication",
    "availability",
    "billing",
    "bytes",
    "capabilities",
    "code",
    "compliance",
    "configuration",
    "connectivity",
    "consent",
    "content",
    "contents",
    "context",
    "coverage",
    "credentials",
    "css",
    "data",
    "debug",
    "details",
    "diagnostics",
    "dns",
    "documentation",
    "equipment",
    "evidence",
    "feedback",
    "fundamentals",
    "guidance",
    "hardware",
    "health",
    "help",
    "history",
    "html",
    "https",
    "inbox",
    "information",
    "infrastructure",
    "input",
    "intelligence",
    "inventory",
    "json",
    "knowledge",
    "liquidity",
    "logic",
    "lyrics",
    "markdown",
    "media",
    "memory",
    "metadata",
    "metrics",
    "money",
    "music",
    "news",
    "ohlcv",
    "output",
    "performance",
    "permissions",
    "pricing",
    "progress",
    "research",
    "sentiment",
    "series",
    "settings",
    "software",
    "sql",
    "statistics",
    "stats",
    "storage",
    "text",
    "time",
    "traffic",
    "usage",
    "weather",
    "work",
    "xml",
];

/// Whether the word stands without article and has no plural.
pub(super) fn is_uncounted(word: &str) -> bool {
    UNCOUNTED.contains(&word.to_lowercase().as_str())
}

/// Several of what a word names.
///
/// ```
/// use risk::prose::title::plural;
/// assert_eq!(["query", "address", "person", "lead", "data"].map(plural), ["queries", "addresses", "people", "leads", "data"]);
/// ```
#[must_use]
pub fn plural(word: &str) -> String {
    let (before, last) = match word.rsplit_once(' ') {
        Some((before, last)) => (format!("{before} "), last),
        None => (String::new(), word),
    };
    let small = last.to_lowercase();
    if is_uncounted(last) || is_plural(last) {
        return word.to_owned();
    }
    // Of `note b` there are several notes.
    if last.chars().count() == 1 && !before.is_empty() {
        return format!("{} {last}", plural(before.trim_end()));
    }
    if let Some((_, many)) = IRREGULAR.iter().find(|(one, _)| *one == small) {
        return format!("{before}{many}");
    }
    let sibilant = ["s", "x", "z", "ch", "sh"].iter().any(|end| small.ends_with(end));
    let many = match last.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'i', 'o', 'u']) => format!("{stem}ies"),
        _ if sibilant && last.chars().any(char::is_lowercase) => format!("{last}es"),
        _ => format!("{last}s"),
    };
    format!("{before}{many}")
}

/// One of what a plural names; any other word stays.
#[must_use]
pub fn singular(word: &str) -> String {
    let (before, last) = match word.rsplit_once(' ') {
        Some((before, last)) => (format!("{before} "), last),
        None => (String::new(), word),
    };
    if !is_plural(last) {
        return word.to_owned();
    }
    let small = last.to_lowercase();
    if let Some((one, _)) = IRREGULAR.iter().find(|(_, many)| *many == small) {
        return format!("{before}{one}");
    }
    let kept = |cut: &str| last.strip_suffix(cut).unwrap_or(last).to_owned();
    let one = if small.ends_with("ies")
        && !matches!(small.as_str(), "movies" | "cookies" | "ties" | "calories" | "selfies")
    {
        format!("{}y", kept("ies"))
    } else if ["sses", "xes", "ches", "shes", "zzes", "tuses", "uses"].iter().any(|end| small.ends_with(end))
        && !matches!(
            small.as_str(),
            "uses" | "houses" | "causes" | "clauses" | "caches" | "axes" | "databases" | "warehouses" | "pauses"
        )
    {
        kept("es")
    } else {
        kept("s")
    };
    format!("{before}{one}")
}

/// Whether a word is a plural.
pub(super) fn is_plural(word: &str) -> bool {
    let small = word.to_lowercase();
    if is_uncounted(word) {
        return false;
    }
    IRREGULAR.iter().any(|(_, many)| *many == small)
        || (small.ends_with('s')
            && small.chars().count() > 2
            && !["ss", "us", "is", "ous"].iter().any(|end| small.ends_with(end))
            && !matches!(
                small.as_str(),
                "canvas"
                    | "kubernetes"
                    | "alias"
                    | "bias"
                    | "atlas"
                    | "gas"
                    | "christmas"
                    | "https"
                    | "dns"
                    | "css"
                    | "sms"
                    | "aws"
                    | "gps"
                    | "sns"
                    | "sqs"
                    | "ecs"
                    | "eks"
                    | "gcs"
                    | "tls"
                    | "ios"
                    | "jenkins"
                    | "postgres"
                    | "redis"
                    | "lens"
                    | "always"
                    | "has"
                    | "was"
                    | "does"
                    | "os"
                    | "rss"
                    | "tts"
                    | "vms"
            ))
}

/// A number in words up to twelve.
#[must_use]
pub fn number(count: usize) -> String {
    const WORDS: [&str; 13] =
        ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];
    WORDS.get(count).map_or_else(|| count.to_string(), |word| (*word).to_owned())
}

/// So many of what a word names: "one lead", "three leads", "40 leads".
#[must_use]
pub fn counted(count: usize, word: &str) -> String {
    format!("{} {}", number(count), if count == 1 { word.to_owned() } else { plural(word) })
}

/// Parts of a sentence in a row: "a, b and c".
#[must_use]
pub fn listed(parts: &[String], last: &str) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [before @ .., end] => format!("{} {last} {end}", before.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_words() {
        for (name, words) in [
            ("getHTTPUrl", "get http url"),
            ("im.v1.message.create", "im v1 message create"),
            ("listPDFs", "list pdfs"),
            ("", ""),
            ("___", ""),
            ("Get a test case by ID", "get a test case by id"),
        ] {
            assert_eq!(humanised(name), words);
        }
        assert!(humanised(&"x".repeat(10_000)).len() <= LONGEST);
    }

    #[test]
    fn servers_are_named_once() {
        for (name, said) in [
            ("Kommo CRM MCP Server", "Kommo CRM"),
            ("12306-mcp", "12306"),
            ("mcp-server-kubernetes", "Kubernetes"),
            ("owner/mcp-server", "Owner"),
            ("christcr2012/robinsonai-mcp-servers:standalone", "Robinsonai"),
            ("@scope/smart-lead-mcp-server-local", "Smart Lead Local"),
            ("", "this server"),
            ("Git\u{202e}Hub MCP", "GitU+202EHub"),
        ] {
            assert_eq!(server(name), said);
        }
    }

    #[test]
    fn one_and_many() {
        for (one, many) in [
            ("lead", "leads"),
            ("email account", "email accounts"),
            ("status", "statuses"),
            ("box", "boxes"),
            ("API key", "API keys"),
            ("entry", "entries"),
            ("day", "days"),
            ("person", "people"),
            ("URL", "URLs"),
            ("issue", "issues"),
            ("database", "databases"),
            ("batch", "batches"),
        ] {
            assert_eq!(plural(one), many);
            assert_eq!(singular(many), one);
            assert_eq!(plural(many), many, "a plural stays");
        }
        assert_eq!((plural("note b").as_str(), plural("notes b").as_str()), ("notes b", "notes b"));
        for word in ["data", "news", "settings", "access", "canvas", "analysis", "history"] {
            assert_eq!(singular(word), word);
        }
    }

    #[test]
    fn articles_by_sound() {
        for (word, says) in [
            ("unclassified", "an"),
            ("unit", "a"),
            ("URL", "a"),
            ("API key", "an"),
            ("event", "an"),
            ("European", "a"),
            ("issue", "an"),
            ("HTTP request", "an"),
            ("S3 bucket", "an"),
            ("one-off", "a"),
            ("update", "an"),
            ("nc mail message", "an"),
        ] {
            assert_eq!(article(word), says, "{word}");
        }
    }
}
