//! The small grammar of English that sentences about tools need.

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
/// use risk::prose::grammar::article;
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
/// use risk::prose::grammar::plural;
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
