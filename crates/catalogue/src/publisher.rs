//! Whether two names are names of one publisher.

/// Parts of domains that say nothing of who owns them.
const COMMON: [&str; 24] = [
    "com", "org", "net", "io", "ai", "dev", "app", "co", "www", "api", "mcp", "github", "gitlab", "cloud", "tech",
    "xyz", "me", "eu", "uk", "de", "us", "gov", "edu", "server",
];

/// The letters and digits of a name, in lower case.
#[must_use]
pub fn letters(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The words of a publisher's name that are its own: `ai.exa` has `exa`, `io.github.ann` has `ann`.
fn own(name: &str) -> impl Iterator<Item = String> {
    name.split('.').filter(|part| !COMMON.contains(part)).map(letters).filter(|word| word.len() >= 3)
}

/// Whether the owner of a repository goes by the words of a registry's name: `ai.exa/exa` and `exa-labs`.
/// A name below `io.github` is the owner's own, letter by letter.
#[must_use]
pub fn akin(name: &str, owner: &str) -> bool {
    let space = name.split('/').next().unwrap_or_default().to_lowercase();
    let owner = owner.to_lowercase();
    if let Some(own) = space.strip_prefix("io.github.").or(space.strip_prefix("io.gitlab.")) {
        return own == owner;
    }
    let owner = letters(&owner);
    own(&space).any(|word| owner.starts_with(&word) || (owner.len() >= 3 && word.starts_with(&owner)))
}

/// Whether a host lies in the domain of a registry's name: `mcp.exa.ai` in `ai.exa/exa`.
#[must_use]
pub fn hosts(name: &str, host: &str) -> bool {
    let space = name.split('/').next().unwrap_or_default().to_lowercase();
    let domain = space.split('.').rev().collect::<Vec<_>>().join(".");
    let host = host.split(':').next().unwrap_or_default().to_lowercase();
    host == domain || host.strip_suffix(&domain).is_some_and(|rest| rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn publishers_are_told_by_their_own_words() {
        for (name, owner, wanted) in [
            ("ai.exa/exa", "exa-labs", true),
            ("com.stripe/mcp", "stripe", true),
            ("io.github.Ann/mail", "ann", true),
            ("io.github.ann/mail", "ann-lee", false),
            ("com.evil/mail", "ann", false),
            ("com.evil/mail", "com", false),
            ("io.github.evil/mail", "github", false),
        ] {
            assert_eq!(akin(name, owner), wanted, "{name} {owner}");
        }
        for (name, host, wanted) in [
            ("ai.exa/exa", "mcp.exa.ai", true),
            ("ai.exa/exa", "exa.ai:443", true),
            ("ai.exa/exa", "notexa.ai", false),
            ("com.evil/exa", "mcp.exa.ai", false),
        ] {
            assert_eq!(hosts(name, host), wanted, "{name} {host}");
        }
    }
}
