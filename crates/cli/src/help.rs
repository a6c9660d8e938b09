//! What stands below the options in `--help`: blocks of lines under a heading, of which every command has `Examples`.

use clap::Command;

/// A heading, without its colon, and the lines below it, without their indentation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// `Examples`, `Exit codes`.
    pub heading: String,
    /// What stands there.
    pub lines: Vec<String>,
}

/// The blocks of a command.
pub fn blocks(command: &Command) -> Vec<Block> {
    let text = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
    let mut blocks: Vec<Block> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        match (line.strip_prefix("  "), blocks.last_mut()) {
            (Some(line), Some(block)) => block.lines.push(line.to_owned()),
            _ => blocks.push(Block { heading: line.trim_end_matches(':').to_owned(), lines: Vec::new() }),
        }
    }
    blocks
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;
    use crate::args::Arguments;

    /// Every command, hidden ones left out, groups included.
    fn all(command: &Command, into: &mut Vec<Command>) {
        into.push(command.clone());
        let shown = |sub: &&Command| !sub.is_hide_set() && sub.get_name() != "help";
        command.get_subcommands().filter(shown).for_each(|sub| all(sub, into));
    }

    /// The words of each `toolgate` in a line, as a shell divides them.
    fn invocations(line: &str) -> Vec<Vec<String>> {
        let words = shlex::split(line).unwrap_or_else(|| panic!("no shell reads {line}"));
        let commands = words.split(|word| word == "|").map(|words| {
            let end = words.iter().position(|word| [">", ">>", "<"].contains(&word.as_str())).unwrap_or(words.len());
            words[..end].to_vec()
        });
        commands.filter(|words| words.first().is_some_and(|word| word == "toolgate")).collect()
    }

    /// The names of the commands that the words lead to, and whether they are complete.
    fn path(words: &[String]) -> String {
        let matches =
            Arguments::command().try_get_matches_from(words).unwrap_or_else(|error| panic!("{words:?}: {error}"));
        let (mut path, mut at) = (vec!["toolgate".to_owned()], &matches);
        while let Some((name, sub)) = at.subcommand() {
            path.push(name.to_owned());
            at = sub;
        }
        path.join(" ")
    }

    #[test]
    fn every_command_has_examples_that_it_takes() {
        let mut root = Arguments::command();
        root.build();
        let mut commands = Vec::new();
        all(&root, &mut commands);
        assert!(commands.len() >= 40, "{}", commands.len());
        for command in &commands {
            let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
            let blocks = blocks(command);
            let examples = blocks.iter().find(|block| block.heading == "Examples");
            let examples = examples.unwrap_or_else(|| {
                panic!(
                    "`{name} --help` has no example: give it #[command(after_long_help = \"Examples:\\n  {name} …\")]"
                )
            });
            assert!(!examples.lines.is_empty(), "{name}");
            for line in &examples.lines {
                let paths: Vec<String> = invocations(line).iter().map(|words| path(words)).collect();
                assert!(paths.iter().any(|path| path.starts_with(name)), "{name}: {line} shows {paths:?}");
            }
        }
    }

    #[test]
    fn an_example_that_is_not_taken_is_found() {
        assert!(Arguments::try_parse_from(["toolgate", "wrap", "--no-such-option"]).is_err());
        assert_eq!(
            invocations("toolgate a 'b c' | toolgate d > e | jq .x"),
            [vec!["toolgate", "a", "b c"], vec!["toolgate", "d"]]
        );
    }

    #[test]
    fn blocks_begin_with_their_headings() {
        let command = Command::new("x").after_long_help("Examples:\n  x 1\n  x 2\n\nExit codes:\n  0  fine");
        let block = |heading: &str, lines: &[&str]| Block {
            heading: heading.to_owned(),
            lines: lines.iter().map(|line| (*line).to_owned()).collect(),
        };
        assert_eq!(blocks(&command), [block("Examples", &["x 1", "x 2"]), block("Exit codes", &["0  fine"])]);
    }
}
