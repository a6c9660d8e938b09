//! `toolgate catalogue check`: for a pipeline that must not go on when something is too severe.

mod report;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use catalogue::pasted::{self, ENTRIES};
use catalogue::show::Meant;
use risk::Severity;
use store::catalogue::{Catalogue, Server, Tool};

use self::report::Report;
use super::impostor;
use crate::args::CheckOptions;
use crate::failure::{Failure, Trying};

/// What is to be checked: a server, or a tool of it, and the file that names it.
struct Wanted {
    server: Server,
    tools: Vec<Tool>,
    place: Option<Place>,
}

/// Where a file names a server.
#[derive(Debug, Clone)]
struct Place {
    file: usize,
    /// The key that the server stands under.
    key: String,
}

/// A file that names servers.
struct Named {
    path: PathBuf,
    text: String,
}

/// What is as severe as that.
struct Finding {
    server: Server,
    tool: Tool,
    place: Option<Place>,
}

/// Checks servers and tools.
pub async fn check(options: &CheckOptions) -> Result<ExitCode, Failure> {
    let files: Vec<Named> = options.config.iter().map(|path| Named::read(path)).collect::<Result<_, _>>()?;
    let (_, catalogue) = super::open(&options.data).await?;
    let from = Severity::from(options.fail_on);
    let mut wanted = Vec::new();
    for what in &options.what {
        wanted.extend(match super::one(&catalogue, what).await? {
            Meant::Tool(shown) => Some(Wanted { server: shown.server, tools: vec![shown.tool], place: None }),
            Meant::Server(server) => Some(Wanted::all(&catalogue, *server, None).await?),
            // `one` has refused the others.
            _ => None,
        });
    }
    let mut report =
        Report { from, findings: Vec::new(), impostors: BTreeMap::new(), checked: 0, failures: Vec::new() };
    for (file, named) in files.iter().enumerate() {
        named.wanted(file, &catalogue, &mut wanted, &mut report.failures).await?;
    }
    for Wanted { server, tools, place } in wanted {
        if let Some((_, why)) = impostor(&catalogue, &server).await? {
            report.impostors.insert(server.slug.clone(), why);
        }
        // Of a server without tools nothing is known, which is no yes.
        if tools.is_empty() {
            report.failures.push(format!("the catalogue knows no tools of {}", audit::visible::word(&server.slug)));
        }
        report.checked += tools.len();
        let severe = tools.into_iter().filter(|tool| tool.judged.severity_fine >= from);
        report.findings.extend(severe.map(|tool| Finding { server: server.clone(), tool, place: place.clone() }));
    }
    catalogue.close().await;
    report.print(options, &files)?;
    if !report.failures.is_empty() {
        return Err(Failure::Usage(format!(
            "{}, so nothing is said of what they can do; `toolgate scan` asks a server itself",
            report.failures.join("; ")
        )));
    }
    Ok(ExitCode::from(u8::from(!report.findings.is_empty())))
}

impl Wanted {
    async fn all(catalogue: &Catalogue, server: Server, place: Option<Place>) -> Result<Self, Failure> {
        let tools = catalogue.tools_of(server.id).await.trying("the catalogue")?;
        Ok(Self { server, tools, place })
    }
}

impl Named {
    fn read(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path).trying(path.display())?;
        let path = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        Ok(Self { path, text })
    }

    /// Adds the servers that the file names; of those that nobody knows, a sentence.
    async fn wanted(
        &self,
        file: usize,
        catalogue: &Catalogue,
        wanted: &mut Vec<Wanted>,
        failures: &mut Vec<String>,
    ) -> Result<(), Failure> {
        let entries = pasted::read(&self.text).trying(self.path.display())?;
        if entries.len() > ENTRIES {
            return Err(Failure::Usage(format!(
                "{} names {} servers; at most {ENTRIES} of one file are checked",
                self.path.display(),
                entries.len()
            )));
        }
        for entry in entries {
            let known = pasted::server_of(catalogue, &entry, |_| true).await.trying("the catalogue")?;
            match known {
                Some(server) => {
                    wanted.push(Wanted::all(catalogue, server, Some(Place { file, key: entry.key })).await?);
                }
                None => failures.push(format!(
                    "{} of {} is no server of the catalogue",
                    audit::visible::word(&entry.key),
                    audit::visible::shown(&self.path.display().to_string())
                )),
            }
        }
        Ok(())
    }
}
