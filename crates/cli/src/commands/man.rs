//! `toolgate man`: the manual pages, from the definition of the command line. Packages carry them.

use std::fs;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use clap::{Command, CommandFactory};
use clap_mangen::Man;

use crate::args::{Arguments, ManOptions};
use crate::failure::{Failure, Trying};
use crate::help;

/// Writes one page a command.
pub fn man(options: &ManOptions) -> Result<ExitCode, Failure> {
    fs::create_dir_all(&options.folder).trying(options.folder.display())?;
    let mut root = Arguments::command().disable_help_subcommand(true);
    root.build();
    write(&root, &options.folder)?;
    Ok(ExitCode::SUCCESS)
}

fn write(command: &Command, folder: &Path) -> Result<(), Failure> {
    // `toolgate policy check` has the page toolgate-policy-check(1).
    let name = command.get_display_name().unwrap_or(command.get_name()).to_owned();
    let path = folder.join(format!("{name}.1"));
    let text = page(command, &name).trying(path.display())?;
    fs::write(&path, text).trying(path.display())?;
    command.get_subcommands().filter(|sub| !sub.is_hide_set()).try_for_each(|sub| write(sub, folder))
}

fn page(command: &Command, name: &str) -> io::Result<Vec<u8>> {
    let version = command.get_version().unwrap_or(env!("CARGO_PKG_VERSION"));
    let man = Man::new(command.clone()).title(name).source(format!("toolgate {version}")).manual("Toolgate");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    if command.get_arguments().any(|arg| !arg.is_hide_set()) {
        man.render_options_section(&mut page)?;
    }
    if command.get_subcommands().any(|sub| !sub.is_hide_set()) {
        man.render_subcommands_section(&mut page)?;
    }
    for block in help::blocks(command) {
        page.extend(section(&block).into_bytes());
    }
    Ok(page)
}

/// A block of the help as a section whose lines stay as they are.
fn section(block: &help::Block) -> String {
    let mut text = format!(".SH {}\n.nf\n", literal(&block.heading.to_uppercase()));
    for line in &block.lines {
        text.push_str(&literal(line));
        text.push('\n');
    }
    text.push_str(".fi\n");
    text
}

/// A line that roff shows as it is written: no escapes, no requests, hyphens that can be copied.
fn literal(line: &str) -> String {
    let escaped = line.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq").replace('`', "\\(ga");
    let escaped = escaped.replace('~', "\\(ti").replace('^', "\\(ha");
    if escaped.starts_with('.') { format!("\\&{escaped}") } else { escaped }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stay_what_they_are() {
        assert_eq!(literal(r".x --a 'b' ~/c\d"), r"\&.x \-\-a \(aqb\(aq \(ti/c\ed");
    }
}
