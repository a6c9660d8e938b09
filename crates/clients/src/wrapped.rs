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
        if !is_ours(program) || args.first() != Some(&"run") {
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

/// Whether a program is toolgate, by its name.
pub(crate) fn is_ours(program: &str) -> bool {
    let name = program.rsplit(['/', '\\']).next().unwrap_or_default().to_ascii_lowercase();
    name.strip_suffix(".exe").unwrap_or(&name) == "toolgate"
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
        for other in [
            "npx run -- x",
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
