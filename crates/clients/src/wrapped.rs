//! The words of an entry that starts toolgate.

/// An entry that starts toolgate, in its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrapped {
    /// The program.
    pub program: String,
    /// Its options, `run` first.
    pub options: Vec<String>,
    /// What it leads to.
    pub target: Target,
}

/// What an entry that starts toolgate leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A program with its arguments.
    Program(Vec<String>),
    /// An endpoint.
    Upstream {
        /// Its address.
        url: String,
        /// Its headers: names, and the values in which `${VARIABLE}` stands for a variable.
        headers: Vec<(String, String)>,
    },
}

impl Wrapped {
    /// Reads a command and its arguments; none, where they are not ours.
    #[must_use]
    pub fn parse(program: &str, args: &[&str]) -> Option<Self> {
        if args.first() != Some(&"run") || !(is_ours(program) || is_as_written(args)) {
            return None;
        }
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let mut at = 1;
        while let Some(word) = args.get(at) {
            if *word == "--" {
                let (options, rest) = args.split_at_checked(at)?;
                let own = rest.get(1..).filter(|own| !own.is_empty())?;
                let target = Target::Program(words(own));
                return Some(Self { program: program.to_owned(), options: words(options), target });
            }
            if *word == "--upstream" {
                let (options, rest) = args.split_at_checked(at)?;
                let target = upstream(rest)?;
                return Some(Self { program: program.to_owned(), options: words(options), target });
            }
            at += 1;
        }
        None
    }

    /// What a variable of this entry holds without the gateway: the header that is filled from it, else itself.
    #[must_use]
    pub fn named_by<'a>(&'a self, variable: &'a str) -> &'a str {
        let Target::Upstream { headers, .. } = &self.target else { return variable };
        let header = headers.iter().find(|(_, value)| reference(value) == Some(variable));
        header.map_or(variable, |(name, _)| name)
    }

    /// What it leads to, where that is toolgate again.
    #[must_use]
    pub fn inner(&self) -> Option<Self> {
        let Target::Program(words) = &self.target else { return None };
        let (program, args) = words.split_first()?;
        Self::parse(program, &args.iter().map(String::as_str).collect::<Vec<_>>())
    }
}

fn upstream(words: &[&str]) -> Option<Target> {
    let ["--upstream", url, rest @ ..] = words else { return None };
    let mut headers = Vec::new();
    for pair in rest.chunks(2) {
        headers.push(match pair {
            ["--header", header] => {
                let (name, value) = header.split_once(':')?;
                (name.trim().to_owned(), value.trim().to_owned())
            }
            ["--header-from", header] => {
                let (name, variable) = header.split_once('=')?;
                (name.to_owned(), format!("${{{variable}}}"))
            }
            _ => return None,
        });
    }
    Some(Target::Upstream { url: (*url).to_owned(), headers })
}

/// Whether a program is toolgate, by its name, which may end with a version.
pub(crate) fn is_ours(program: &str) -> bool {
    let name = program.rsplit(['/', '\\']).next().unwrap_or_default().to_ascii_lowercase();
    let rest = name.strip_suffix(".exe").unwrap_or(&name).strip_prefix("toolgate");
    let is_version = |rest: &str| {
        let version =
            rest.strip_prefix(['-', '_', '.', '@']).map(|version| version.strip_prefix('v').unwrap_or(version));
        version.is_some_and(|version| version.starts_with(|letter: char| letter.is_ascii_digit()))
    };
    rest.is_some_and(|rest| rest.is_empty() || is_version(rest))
}

/// Whether words begin as [`Document::wrap`](crate::Document::wrap) is told to write them: no other program takes these,
/// so that toolgate is known under any name.
pub(crate) fn is_as_written<Word: AsRef<str>>(words: &[Word]) -> bool {
    match words {
        [run, policy, _, name, ..] => {
            run.as_ref() == "run" && policy.as_ref() == "--policy" && name.as_ref().starts_with("--name=")
        }
        _ => false,
    }
}

/// The variable that a text is a reference to, if it is nothing else.
pub(crate) fn reference(value: &str) -> Option<&str> {
    value.strip_prefix("${")?.strip_suffix('}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_words_are_told_from_others() {
        let parse = |text: &str| {
            let words: Vec<&str> = text.split(' ').collect();
            Wrapped::parse(words[0], &words[1..])
        };
        let found = parse("/opt/toolgate run --policy p -- npx -y -- x").unwrap();
        assert_eq!(found.options, ["run", "--policy", "p"]);
        assert_eq!(found.target, Target::Program(["npx", "-y", "--", "x"].map(str::to_owned).to_vec()));
        let found = parse("C:\\bin\\Toolgate.EXE run --upstream https://e.test/mcp --header A:b").unwrap();
        let from = parse("toolgate run --upstream https://e.test/mcp --header-from A=B").unwrap();
        let Target::Upstream { headers, .. } = from.target else { panic!() };
        assert_eq!(headers, [("A".to_owned(), "${B}".to_owned())]);
        let Target::Upstream { url, headers } = found.target else { panic!() };
        assert_eq!((url.as_str(), headers), ("https://e.test/mcp", vec![("A".to_owned(), "b".to_owned())]));
        for known in ["/opt/toolgate-0.4.1", "toolgate_v2.exe", "toolgate@1"] {
            assert!(parse(&format!("{known} run --policy p -- x")).is_some(), "{known}");
            assert_eq!(parse(&format!("{known} serve -- x")), None, "{known}");
        }
        // Under any name, in the words that are written.
        assert!(parse("/opt/gate run --policy p --name=x --env-file=e -- npx").is_some());
        for other in [
            "npx run -- x",
            "gate run --policy p --name x -- npx",
            "gate run --name=x --policy p -- npx",
            "toolgate-demo run --policy p -- x",
            "toolgates run -- x",
            "toolgate serve -- x",
            "toolgate run",
            "toolgate run --",
            "toolgate run --upstream",
            "toolgate run --upstream u --header",
            "toolgate run --upstream u --other x",
            "toolgate run --upstream u --header-from x",
        ] {
            assert_eq!(parse(other), None, "{other}");
        }
    }
}
