//! Paths to where secrets are known to lie, by their text alone.
//!
//! This is a list of places, made to deny them. Every reading of a path counts that some system has: both slashes
//! separate, case and width do not matter, nor does what Windows drops from the end of a name. It cannot know a secret
//! that lies elsewhere, behind a symbolic link, or in a folder that is read as a whole.

use unicode_normalization::UnicodeNormalization;

use super::Doubtful;
use super::within::{becomes_syntax, is_dots};

/// Files and folders whose name says enough.
const NAMES: &[&str] = &[
    ".1password",
    ".aws",
    ".azure",
    ".bash_history",
    ".boto",
    ".claude.json",
    ".credentials.json",
    ".dockercfg",
    ".docker",
    ".electrum",
    ".envrc",
    ".git-credentials",
    ".gnupg",
    ".htpasswd",
    ".kube",
    ".mozilla",
    ".my.cnf",
    ".mysql_history",
    ".netrc",
    ".npmrc",
    ".oci",
    ".password-store",
    ".pgpass",
    ".psql_history",
    ".pypirc",
    ".python_history",
    ".s3cfg",
    ".ssh",
    ".terraform.d",
    ".vault-token",
    ".yarnrc.yml",
    ".zsh_history",
    "_netrc",
    "claude_desktop_config.json",
    "cookies.sqlite",
    "gshadow",
    "key4.db",
    "keychains",
    "login data",
    "logins.json",
    "master.passwd",
    "ntds.dit",
    "opasswd",
    "secrets.json",
    "secrets.toml",
    "secrets.yaml",
    "secrets.yml",
    "shadow",
    "shadow-",
    "sudoers",
    "terraform.tfstate.backup",
    "wallet.dat",
];

/// Beginnings of names: `.env.production`, `id_rsa.old`, `credentials.json`.
const BEGINNINGS: [&str; 8] =
    [".env.", "credentials", "client_secret", "id_dsa", "id_ecdsa", "id_ed25519", "id_rsa", "service-account"];

/// What a `.env` without secrets is called.
const SAMPLES: [&str; 4] = [".env.dist", ".env.example", ".env.sample", ".env.template"];

/// Ends of names of keys and stores of keys.
const ENDS: [&str; 11] =
    [".jks", ".kdbx", ".key", ".keychain", ".keychain-db", ".keyring", ".keystore", ".p12", ".pem", ".pfx", ".tfstate"];

/// Folders in folders.
const PLACES: &[[&str; 2]] = &[
    [".config", "gcloud"],
    [".config", "gh"],
    [".config", "op"],
    [".codex", "auth.json"],
    [".cursor", "mcp.json"],
    [".gemini", "oauth_creds.json"],
    ["chrome", "user data"],
    ["default", "cookies"],
    ["kubernetes", "admin.conf"],
    ["kubernetes", "pki"],
    ["microsoft", "protect"],
    ["network", "cookies"],
    ["profile 1", "cookies"],
    ["run", "secrets"],
    ["ssl", "private"],
    ["system32", "config"],
];

/// Whether the path is, or lies in, a place where secrets are known to lie.
///
/// # Errors
/// When the path has `..`, an escape or a sign that could make another path of it.
pub fn leads_to(path: &str) -> Result<bool, Doubtful> {
    for c in path.chars() {
        match c {
            '%' => return Err(Doubtful("holds `%`, which may be an escape")),
            c if c.is_control() => return Err(Doubtful("holds a control character")),
            c if !c.is_ascii() && (becomes_syntax(c) || is_invisible(c)) => {
                return Err(Doubtful("holds a character that some systems drop or read as `.`, `/` or `\\`"));
            }
            _ => {}
        }
    }
    let mut names: Vec<String> = Vec::new();
    for segment in path.split(['/', '\\']).filter(|segment| !segment.is_empty()) {
        let name = plain(segment);
        if is_dots(segment) && segment.trim() != "." {
            return Err(Doubtful("holds a `..` segment"));
        }
        let hidden = name.starts_with(['.', '{', '[']) && name.contains('.');
        if name.starts_with('?') || (hidden && name.contains(['*', '?', '[', '{'])) {
            return Err(Doubtful("holds a wildcard that may stand for a hidden name"));
        }
        if is_short(&name) {
            return Err(Doubtful("holds a short name of Windows, which stands for another one"));
        }
        if !matches!(name.as_str(), "" | ".") {
            names.push(name);
        }
    }
    let pairs = names.iter().zip(names.iter().skip(1));
    let in_place = pairs.into_iter().any(|(outer, inner)| PLACES.contains(&[outer.as_str(), inner.as_str()]));
    let of_process = names.first().is_some_and(|first| first == "proc")
        && names.iter().any(|name| matches!(name.as_str(), "environ" | "mem" | "fd" | "root" | "cwd"));
    Ok(in_place || of_process || names.iter().any(|name| is_secret(name)))
}

fn is_secret(name: &str) -> bool {
    let sample = SAMPLES.contains(&name);
    let public_key = name.ends_with(".pub");
    NAMES.contains(&name)
        || name == ".env"
        || (!sample && !public_key && BEGINNINGS.iter().any(|beginning| name.starts_with(beginning)))
        || (name.starts_with("ssh_host_") && !public_key)
        || ENDS.iter().any(|end| name.ends_with(end))
}

/// A name in the one spelling that the lists have: without what systems drop or do not tell apart.
fn plain(segment: &str) -> String {
    let folded: String =
        segment.nfkc().flat_map(char::to_lowercase).nfkc().map(|c| if c == 'ſ' { 's' } else { c }).collect();
    // A stream of a file (`x::$DATA`), or parameters (`x;y`), belong to no name.
    let name = folded.split([':', ';']).next().unwrap_or_default();
    name.trim().trim_end_matches(|c: char| c == '.' || c.is_whitespace()).to_owned()
}

/// `SSH~1` or `CREDEN~1.JSO`.
fn is_short(name: &str) -> bool {
    let base = name.split('.').next().unwrap_or_default();
    base.split_once('~').is_some_and(|(stem, number)| {
        (1..=6).contains(&stem.chars().count())
            && !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Whether file systems or shells drop the scalar: HFS+ ignores these in names.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_what_is_none() {
        for path in [
            "/home/ann/.ssh/id_ed25519",
            "/home/ann/.ssh",
            "/home/ann/.ssh/",
            "/home/ann//.ssh//x",
            "~/.ssh/config",
            "$HOME/.ssh/config",
            ".ssh",
            "./.ssh/x",
            "/home/ann/.SSH/x",
            "/home/ann/.ｓｓｈ/x",
            "/home/ann/.ſſh/x",
            "C:\\Users\\ann\\.ssh\\x",
            "C:\\Users\\ann\\.ssh .\\x",
            "C:\\x\\id_rsa::$DATA",
            ".ssh:stream",
            "/a/.ssh;x=y/z",
            "//server/share/.aws",
            "file:///home/ann/.aws/config",
            "/home/ann/.aws/./config",
            "id_rsa",
            "id_rsa.bak",
            "/srv/app/.env",
            "/srv/app/.ENV.production",
            "credentials.json",
            "/etc/shadow",
            "/etc/shadow-",
            "/etc/ssl/private/x",
            "server.PEM",
            "tls/server.key",
            "/run/secrets/db",
            "/var/run/secrets/kubernetes.io/serviceaccount/token",
            "/proc/self/environ",
            "/proc/1/root/x",
            "~/.config/gcloud/x",
            "~/.claude/.credentials.json",
            "~/.claude.json",
            "~/.codex/auth.json",
            "~/.cursor/mcp.json",
            "~/Library/Application Support/Claude/claude_desktop_config.json",
            "/etc/ssh/ssh_host_ed25519_key",
            "~/.local/share/keyrings/login.keyring",
            "~/.config/google-chrome/Default/Cookies",
            "config/secrets.yml",
            "infra/terraform.tfstate",
            "/etc/kubernetes/admin.conf",
            "~/Library/Keychains/login.keychain-db",
            "C:\\Windows\\System32\\config\\SAM",
        ] {
            assert_eq!(leads_to(path), Ok(true), "{path}");
        }
        for path in [
            "/home/ann/work/main.rs",
            "src/main.rs",
            "./src/main.rs",
            "C:\\Users\\ann\\work\\x.txt",
            "/srv/app/.env.example",
            ".github/workflows/ci.yml",
            ".gitignore",
            "id_rsa.pub",
            "/etc/ssh/ssh_host_ed25519_key.pub",
            "src/auth.json",
            "cookies.py",
            "ssh/config",
            "environment.ts",
            "src/environ/x",
            "credits.txt",
            "app/[id]/page.tsx",
            "src/**/*.rs",
            "notes~",
            "~/notes.txt",
            "résumé (1).pdf",
            "/",
            "",
        ] {
            assert_eq!(leads_to(path), Ok(false), "{path}");
        }
        for path in [
            "../x",
            "/a/../b",
            "/a/..;/b",
            "/a/.. /b",
            "..\\x",
            "/home/ann/%2essh/x",
            "/home/ann/．ssh/x",
            "/home/ann／.ssh",
            "/a/‥/b",
            "/home/ann/.s\u{200b}sh/x",
            "/home/ann/.ssh\0",
            "/home/ann/.s*/x",
            "/home/ann/{.ssh,x}/y",
            "/home/ann/?ssh/y",
            "/home/ann/[.]ssh/y",
            "\\\\?\\C:\\Users\\ann\\.aws",
            "C:\\Users\\ann\\SSH~1\\x",
        ] {
            assert!(leads_to(path).is_err(), "{path}");
        }
    }
}
