//! `toolgate policy edit`: a person's editor on a copy, which takes the policy's place only when it is valid.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use gateway::pins::PinFiles;
use jiff::Timestamp;
use policy::lint::Known;
use policy::{Load, Numbers, ToolFacts};
use risk::pins::Section;

use crate::args::PolicyEdit;
use crate::client_files::covered::machine;
use crate::client_files::{policies, shown as path_shown, supported};
use crate::environment::{data_dir, home, program_folders, text_variable};
use crate::failure::{Failure, Trying};
use crate::output::{self, say, tell};
use crate::pins::lock_of;
use crate::policy_watch::show;
use crate::terminal::{Look, agreed, can_ask};
use crate::text_diff::unified;

/// Edits.
pub fn edit(options: &PolicyEdit) -> Result<ExitCode, Failure> {
    supported()?;
    let (home, data) = (home()?, data_dir(options.data.dir.as_deref())?);
    let (server, path) = found(&options.name)?;
    let before = match std::fs::read_to_string(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        text => Some(text.trying(format!("the policy {}", path.display()))?),
    };
    let tools = PinFiles::new(&lock_of(&path, None), &data).section(&server).trying("the accepted definitions")?;
    let tools = tools.unwrap_or_default();
    let name = path_shown(&path, &home);
    let editor = editor()?;
    let draft = Draft::open(&path, before.as_deref(), &name)?;
    loop {
        draft.edited(&editor)?;
        let now = draft.read()?;
        let changed = now != draft.base;
        let (text, lies) = match &before {
            _ if changed => (&now, draft.path.as_path()),
            Some(before) => (before, path.as_path()),
            None => {
                draft.remove();
                say!("{name}: nothing was written, since nothing was changed: it is missing as before")?;
                return Ok(ExitCode::SUCCESS);
            }
        };
        let good = valid(text, lies, &server, &tools);
        if good && !changed {
            draft.remove();
            say!("{name}: nothing was changed")?;
            return Ok(ExitCode::SUCCESS);
        }
        if good {
            let done = take(&path, before.as_deref(), &now);
            done.map_err(|why| Failure::No(format!("{name}: {why}; your edit is kept in {}", draft.path.display())))?;
            draft.remove();
            let diff = unified(before.as_deref().unwrap_or_default(), &now, &name);
            output::text(&Look::of_output().diff(&diff))?;
            say!("{name}: written. A gateway that runs takes it up within a second; others do when they start.")?;
            if before.is_some() {
                say!("To go back: toolgate promote {} --back", options.name)?;
            }
            return Ok(ExitCode::SUCCESS);
        }
        if can_ask() && agreed("Edit it again?", true)? {
            continue;
        }
        if !changed {
            draft.remove();
            return Err(Failure::No(format!(
                "{name}: nothing was changed, and it is not a valid policy, as said above"
            )));
        }
        return Err(Failure::No(format!(
            "{name} is as it was: the edit is not a valid policy. It is kept in {}, and toolgate policy edit {} goes on with it",
            draft.path.display(),
            options.name
        )));
    }
}

/// The server and its policy, also one that is missing where a client names it.
fn found(name: &str) -> Result<(String, PathBuf), Failure> {
    let machine = machine()?;
    let mut all: Vec<_> =
        machine.named(name).filter_map(|covered| Some((&covered.server, covered.policy.as_ref()?))).collect();
    all.dedup();
    match all.as_slice() {
        [] => Ok((name.to_owned(), policies::own(name)?)),
        [(server, path)] => Ok(((*server).clone(), (*path).clone())),
        several => {
            let paths: Vec<String> = several.iter().map(|(_, path)| path.display().to_string()).collect();
            let paths = paths.join(", ");
            Err(Failure::Usage(format!("{name} has several policies, so edit the one that you mean by hand: {paths}")))
        }
    }
}

/// Whether a text is a policy whose tests pass; shows what is wrong with it.
fn valid(text: &str, path: &Path, server: &str, tools: &Section) -> bool {
    let facts: Vec<ToolFacts<'_>> = tools
        .iter()
        .map(|(name, pin)| ToolFacts {
            server,
            name,
            class: pin.class_in_force(),
            class_accepted: pin.by_person(),
            input_schema: mcp::json::locate(&pin.definition, &["inputSchema"])
                .ok()
                .flatten()
                .map(|span| span.of(&pin.definition)),
            numbers: Numbers::default(),
        })
        .collect();
    let loaded = policy::load(text, Load { comments_allowed: true });
    let mut findings = loaded.diagnostics;
    let mut good = loaded.policy.is_some();
    if let Some(policy) = &loaded.policy {
        let tools = (!facts.is_empty()).then_some(facts.as_slice());
        findings.extend(policy.check(&Known { tools, now: Some(Timestamp::now()) }));
        for outcome in policy::cases::run(policy, &facts).iter().filter(|outcome| !outcome.passed) {
            good = false;
            let (got, wanted) = (outcome.got.as_str(), outcome.expected.as_str());
            tell!("{}: test `{}` got {got} by {} instead of {wanted}", path.display(), outcome.name, outcome.rule);
        }
    }
    show(&findings, path, text);
    good
}

fn take(path: &Path, before: Option<&str>, now: &str) -> Result<(), String> {
    let Some(before) = before else {
        let folder = path.parent().map(PathBuf::from).unwrap_or_default();
        let made = tempfile::Builder::new().prefix(".toolgate-").tempfile_in(folder).and_then(|file| {
            std::fs::write(file.path(), now)?;
            file.persist_noclobber(path).map(|_| ()).map_err(|error| error.error)
        });
        return made.map_err(|error| format!("it cannot be written: {error}"));
    };
    policies::replace(path, before, now)
}

/// The copy that is edited. It stays until what it says is in force, and with it the text that it began as.
struct Draft {
    path: PathBuf,
    /// What it began as: the policy, or what a new one says.
    base: String,
}

impl Draft {
    /// The draft of a policy; one that was left goes on, if the policy is still the one that it began as.
    fn open(policy: &Path, before: Option<&str>, name: &str) -> Result<Self, Failure> {
        // The name ends as the policy's does, by which editors know the language.
        let stem = policy.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let base = match before {
            Some(text) if !text.is_empty() => text.to_owned(),
            _ => policies::new().to_owned(),
        };
        let draft = Self { path: policy.with_file_name(format!("{stem}.draft.json")), base };
        if draft.path.exists() {
            let left = draft.read()?;
            // None of a draft whose beginning is not known.
            let began = std::fs::read_to_string(draft.base_path()).ok();
            let is_edited = left != draft.base && began.as_ref() != Some(&left);
            if is_edited && began.as_ref() == Some(&draft.base) {
                let place = draft.path.display();
                tell!("toolgate: going on with the edit that was left in {place}; remove it to begin anew");
                return Ok(draft);
            }
            if is_edited {
                // What it began as stays noted: a person is asked until it is written or removed.
                draft.on_another(&left, name)?;
                return Ok(draft);
            }
            // Before what it began as is noted anew, of which it would else be an edit.
            std::fs::remove_file(&draft.path).trying(format!("the draft {}", draft.path.display()))?;
        }
        if let Some(folder) = policy.parent() {
            std::fs::create_dir_all(folder).trying(format!("the folder {}", folder.display()))?;
        }
        let write = |path: PathBuf| std::fs::write(path, &draft.base);
        // A draft is never there without what it began as.
        let written = write(draft.base_path()).and_then(|()| write(draft.path.clone()));
        written.trying(format!("the draft {}", draft.path.display()))?;
        Ok(draft)
    }

    /// Lets an edit that was left go on over another policy than it began as, only if a person says so: it would
    /// undo what was changed since.
    fn on_another(&self, left: &str, name: &str) -> Result<(), Failure> {
        let place = self.path.display();
        tell!(
            "toolgate: {name} is not the text that the edit left in {place} began as. Written now, that edit would change:"
        );
        tell!("{}", unified(&self.base, left, name).trim_end());
        if can_ask() && agreed("Go on with that edit?", false)? {
            return Ok(());
        }
        Err(Failure::No(format!(
            "{name} is as it was, and so is the edit that was left. Keep of it what you still want, remove {place}, and edit again"
        )))
    }

    fn base_path(&self) -> PathBuf {
        self.path.with_extension("base")
    }

    fn edited(&self, editor: &str) -> Result<(), Failure> {
        // As other programs do: the variable is a command with its options.
        let status =
            Command::new("/bin/sh").arg("-c").arg(format!("{editor} \"$@\"")).arg(editor).arg(&self.path).status();
        let status = status.trying(format!("the editor {editor}"))?;
        match status.success() {
            true => Ok(()),
            false if self.read()? == self.base => {
                self.remove();
                Err(Failure::Usage(format!("the editor {editor} ended with {status}: nothing was changed")))
            }
            false => Err(Failure::Usage(format!(
                "the editor {editor} ended with {status}: nothing was changed, and the edit is kept in {}",
                self.path.display()
            ))),
        }
    }

    fn read(&self) -> Result<String, Failure> {
        std::fs::read_to_string(&self.path).trying(format!("the draft {}", self.path.display()))
    }

    fn remove(&self) {
        // What is in force is no draft any more; one that stays is gone on with.
        let _ = std::fs::remove_file(&self.path).and_then(|()| std::fs::remove_file(self.base_path()));
    }
}

/// The editor of whoever runs this.
///
/// # Errors
/// When none is known.
pub fn editor() -> Result<String, Failure> {
    let named = ["VISUAL", "EDITOR"].into_iter().find_map(text_variable);
    let usual = || program_folders().iter().any(|folder| folder.join("vi").is_file()).then(|| "vi".to_owned());
    let why = "no editor is known: set EDITOR to one, such as EDITOR=nano";
    named.or_else(usual).ok_or_else(|| Failure::Usage(why.to_owned()))
}
