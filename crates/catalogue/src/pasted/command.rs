//! Which package a command starts.
//!
//! Where an option is not known to take no value, nothing is taken: what stands behind it may be a secret.

use crate::identity::{Identity, Registry};

/// What a command starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Started {
    /// A package, or an endpoint that it leads to.
    Known(Identity),
    /// A program, by its name where it has one of its own.
    Program(Option<String>),
}

/// Programs that start others: their own name says nothing.
const RUNNERS: [&str; 14] =
    ["node", "python", "python3", "deno", "bun", "sh", "bash", "zsh", "java", "npm", "uv", "docker", "dotnet", "php"];

/// Packages that lead to an endpoint.
const BRIDGES: [&str; 4] = ["mcp-remote", "supergateway", "mcp-proxy", "@modelcontextprotocol/client-http"];

/// What these words start.
pub(super) fn started(words: &[&str]) -> Started {
    let Some((program, rest)) = words.split_first() else { return Started::Program(None) };
    let program = program.rsplit(['/', '\\']).next().unwrap_or_default().to_lowercase();
    let program = [".exe", ".cmd", ".bat"].iter().find_map(|end| program.strip_suffix(end)).unwrap_or(&program);
    let known = match (program, rest) {
        ("cmd", ["/c" | "/C", rest @ ..]) => return started(rest),
        ("env", _) => return started(without_variables(rest)),
        ("npx" | "bunx" | "pnpx", rest)
        | ("npm", ["exec" | "x", rest @ ..])
        | ("pnpm" | "yarn", ["dlx", rest @ ..])
        | ("bun", ["x", rest @ ..]) => node(rest),
        ("uvx", rest) | ("uv", ["tool", "run", rest @ ..]) | ("pipx", ["run", rest @ ..]) => python(rest),
        ("docker" | "podman" | "nerdctl", ["run", rest @ ..]) => image(rest),
        _ => None,
    };
    match known {
        Some(identity) => Started::Known(identity),
        None if matches!(
            program,
            "npx" | "bunx" | "pnpx" | "uvx" | "pipx" | "podman" | "nerdctl" | "pnpm" | "yarn" | "cmd"
        ) || RUNNERS.contains(&program) =>
        {
            Started::Program(None)
        }
        None => Started::Program(Some(program.to_owned()).filter(|name| !name.is_empty())),
    }
}

fn without_variables<'a, 'b>(words: &'a [&'b str]) -> &'a [&'b str] {
    let first = words.iter().position(|word| !word.contains('=') && !word.starts_with('-'));
    first.and_then(|first| words.get(first..)).unwrap_or_default()
}

/// The first word that is no option. An option with a value in it (`--x=v`) is one word; `alone` take none,
/// `with` take the next word. Behind any other, nothing can be told.
fn first<'a>(words: &[&'a str], alone: &[&str], with: &[&str]) -> Option<(&'a str, usize)> {
    let mut at = 0;
    while let Some(word) = words.get(at) {
        if !word.starts_with('-') {
            return Some((word, at + 1));
        }
        at += match *word {
            "--" => 1,
            word if alone.contains(&word) => 1,
            word if with.contains(&word) => 2,
            word if word.starts_with("--") && word.contains('=') => 1,
            // `-eKEY=VALUE`
            word if !word.starts_with("--")
                && with.iter().any(|option| option.len() == 2 && word.starts_with(option)) =>
            {
                1
            }
            _ => return None,
        };
    }
    None
}

/// The value of an option that names the package itself.
fn value_of<'a>(words: &[&'a str], names: &[&str]) -> Option<&'a str> {
    words.iter().enumerate().find_map(|(at, word)| match word.split_once('=') {
        Some((name, value)) if names.contains(&name) => Some(value),
        None if names.contains(word) => words.get(at + 1).copied(),
        _ => None,
    })
}

fn node(words: &[&str]) -> Option<Identity> {
    let alone =
        ["-y", "--yes", "-q", "--quiet", "--silent", "--prefer-online", "--prefer-offline", "--no-install", "--bun"];
    let (word, behind) = first(words, &alone, &["-p", "--package", "--registry", "--loglevel", "--node-options"])?;
    // What stands behind the package is its own.
    let own = words.get(..behind.saturating_sub(1)).unwrap_or_default();
    let word = value_of(own, &["-p", "--package"]).unwrap_or(word);
    if word.starts_with("github:") || word.starts_with("git+") || word.starts_with("git@") {
        return Identity::repository(word.strip_prefix("github:").unwrap_or(word), None);
    }
    let package = Identity::package(Registry::Npm, word).filter(|_| is_package(word))?;
    let Identity::Package { name, .. } = &package else { return None };
    let rest = words.get(behind..).unwrap_or_default();
    if BRIDGES.contains(&name.as_str()) {
        let url = rest.iter().find(|word| word.starts_with("https://") || word.starts_with("http://"))?;
        return Identity::endpoint(&super::place(url)?);
    }
    if name == "@smithery/cli" {
        let place = rest.iter().position(|word| *word == "run")?;
        let hosted = rest.get(place + 1).filter(|word| is_package(word))?;
        return Identity::package(Registry::Smithery, hosted);
    }
    Some(package)
}

fn python(words: &[&str]) -> Option<Identity> {
    let alone = ["-q", "--quiet", "--refresh", "--no-cache", "-n", "--isolated", "--offline", "-U", "--upgrade"];
    let with = ["--from", "--with", "--python", "-p", "--index-url", "--extra-index-url", "--spec", "--pip-args"];
    let (word, behind) = first(words, &alone, &with)?;
    let own = words.get(..behind.saturating_sub(1)).unwrap_or_default();
    let word = value_of(own, &["--from", "--spec"]).unwrap_or(word);
    if word.starts_with("git+") {
        return Identity::repository(word, None);
    }
    Identity::package(Registry::Pypi, word).filter(|_| is_package(word))
}

fn image(words: &[&str]) -> Option<Identity> {
    let alone =
        ["-i", "-t", "-it", "-ti", "--rm", "--init", "--interactive", "--tty", "-d", "--detach", "--privileged"];
    let with = [
        "-e",
        "--env",
        "--env-file",
        "-v",
        "--volume",
        "--mount",
        "--name",
        "--network",
        "--net",
        "-p",
        "--publish",
        "-u",
        "--user",
        "--entrypoint",
        "-w",
        "--workdir",
        "--platform",
        "--add-host",
        "-l",
        "--label",
        "-m",
        "--memory",
        "--cpus",
        "--pull",
        "--gpus",
        "-h",
        "--hostname",
        "--ipc",
        "--shm-size",
        "--security-opt",
        "--cap-add",
        "--cap-drop",
    ];
    let (word, _) = first(words, &alone, &with)?;
    let good = word.chars().all(|letter| letter.is_ascii_alphanumeric() || "/._-:@".contains(letter));
    Identity::package(Registry::Oci, word).filter(|_| good)
}

/// Whether a word is written as packages are, and not as paths, addresses or keys.
fn is_package(word: &str) -> bool {
    let bare = word.strip_prefix('@').unwrap_or(word);
    let part = |part: &str| part.starts_with(|letter: char| letter.is_ascii_alphanumeric());
    let scoped = bare.split('/').count() <= if word.starts_with('@') { 2 } else { 1 };
    scoped && bare.split('/').all(part) && bare.len() <= 120 && !bare.contains(['=', ':', '$', '\\']) || is_pinned(bare)
}

/// `name==1.2`, `name[extra]`: as Python writes versions and extras.
fn is_pinned(word: &str) -> bool {
    let end = word.find(['=', '[', '<', '>', '~']).and_then(|end| word.get(..end));
    end.is_some_and(|name| {
        !name.is_empty() && name.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_.".contains(letter))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(command: &str) -> String {
        let words: Vec<&str> = command.split(' ').collect();
        match started(&words) {
            Started::Known(identity) => identity.to_string(),
            Started::Program(program) => program.unwrap_or_default(),
        }
    }

    #[test]
    fn packages_are_found_behind_options() {
        for (command, wanted) in [
            ("npx -y @scope/name@latest --api-key sk-1", "npm:@scope/name"),
            ("npx --package=pkg run", "npm:pkg"),
            ("npx -p pkg run", "npm:pkg"),
            ("C:\\tools\\npx.cmd pkg", "npm:pkg"),
            ("cmd /c npx -y pkg", "npm:pkg"),
            ("env KEY=v npx pkg", "npm:pkg"),
            ("pnpm dlx pkg", "npm:pkg"),
            ("bun x pkg", "npm:pkg"),
            ("npx github:Owner/Name", "repository:github.com/owner/name"),
            ("npx -y mcp-remote https://u:p@mcp.e.test/sse?key=1 --header X:y", "endpoint:mcp.e.test/sse"),
            ("npx -y @smithery/cli@latest run @owner/name --key k", "smithery:@owner/name"),
            ("uvx --from pkg==1.2 cmd", "pypi:pkg"),
            ("uvx My_Pkg", "pypi:my-pkg"),
            ("uv tool run pkg[all]", "pypi:pkg"),
            ("uvx --from git+https://github.com/o/n cmd", "repository:github.com/o/n"),
            ("pipx run pkg", "pypi:pkg"),
            ("docker run -i --rm -e KEY=v -eOTHER=v --env=K=v ghcr.io/o/image:1", "oci:ghcr.io/o/image"),
            // What stands behind an option that nobody knows may be a secret.
            ("npx --api-key sk-1 pkg", ""),
            ("docker run --secret sk-1 image", ""),
            ("uvx --token sk-1 pkg", ""),
            ("npx ./local/server", ""),
            ("node /opt/server.js sk-1", ""),
            ("/usr/local/bin/github-mcp-server stdio", "github-mcp-server"),
        ] {
            assert_eq!(said(command), wanted, "{command}");
        }
    }
}
