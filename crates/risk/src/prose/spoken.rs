//! Words of names as people write them.

use std::collections::HashMap;
use std::sync::LazyLock;

/// Whether a word is in a list, in capitals or not.
pub(super) fn is_one_of(list: &[&str], word: &str) -> bool {
    list.iter().any(|known| known.eq_ignore_ascii_case(word))
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
pub(super) fn spoken(word: &str) -> String {
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

/// Whether it is the name of a product, as people write it.
pub(super) fn is_product(word: &str) -> bool {
    PROPER.contains(&word)
}
