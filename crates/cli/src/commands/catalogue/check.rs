//! `toolgate catalogue check`: for a pipeline that must not go on when something is too severe.

use std::collections::BTreeMap;
use std::process::ExitCode;

use catalogue::show::Meant;
use risk::Severity;
use serde_json::{Map, Value, json};
use store::catalogue::{Server, Tool};

use super::{class, footnote, gist, impostor, json as as_json, table};
use crate::args::CheckOptions;
use crate::commands::counted;
use crate::commands::scan::json::printed;
use crate::failure::{Failure, Trying};
use crate::output::{say, text};

/// What is as severe as that.
struct Finding {
    server: Server,
    tool: Tool,
}

/// Checks servers and tools.
pub async fn check(options: &CheckOptions) -> Result<ExitCode, Failure> {
    let (_, catalogue) = super::open(&options.data).await?;
    let from = Severity::from(options.fail_on);
    let mut findings = Vec::new();
    let mut checked = 0_usize;
    let mut bare = Vec::new();
    let mut impostors: BTreeMap<String, String> = BTreeMap::new();
    for what in &options.what {
        let (server, tools) = match super::one(&catalogue, what).await? {
            Meant::Tool(shown) => (shown.server, vec![shown.tool]),
            Meant::Server(server) => {
                let tools = catalogue.tools_of(server.id).await.trying("the catalogue")?;
                (*server, tools)
            }
            // `one` has refused the others.
            _ => continue,
        };
        if let Some((_, why)) = impostor(&catalogue, &server).await? {
            impostors.insert(server.slug.clone(), why);
        }
        if tools.is_empty() {
            bare.push(audit::visible::word(&server.slug));
        }
        checked += tools.len();
        let severe = tools.into_iter().filter(|tool| tool.judged.severity_fine >= from);
        findings.extend(severe.map(|tool| Finding { server: server.clone(), tool }));
    }
    catalogue.close().await;
    // Of a server without tools nothing is known, which is no yes.
    if !bare.is_empty() {
        return Err(Failure::Usage(format!(
            "the catalogue knows no tools of {}, so it cannot say what they can do; `toolgate scan` asks a server itself",
            bare.join(", ")
        )));
    }
    print(options, &findings, &impostors, checked, from)?;
    Ok(ExitCode::from(u8::from(!findings.is_empty())))
}

fn print(
    options: &CheckOptions,
    findings: &[Finding],
    impostors: &BTreeMap<String, String>,
    checked: usize,
    from: Severity,
) -> Result<(), Failure> {
    if options.json {
        let found: Vec<Value> = findings
            .iter()
            .map(|finding| {
                let mut members = Map::new();
                members.insert("server".to_owned(), finding.server.slug.clone().into());
                members.extend(as_json::tool(&finding.tool));
                members.into()
            })
            .collect();
        let document = json!({
            "version": 1, "fail_on": from.as_str(), "checked": checked, "passed": found.is_empty(), "found": found,
            "impostors": impostors.iter().map(|(server, why)| json!({ "server": server, "why": why })).collect::<Vec<_>>(),
        });
        return text(&(printed(&document).trying("the answer")? + "\n"));
    }
    for (server, why) in impostors {
        say!("{}: careful: {}", audit::visible::word(server), audit::visible::shown(why))?;
    }
    if findings.is_empty() {
        return say!("{} checked: none is {} or above.", counted(checked, "tool"), from.as_str());
    }
    let rows: Vec<[String; 4]> = findings
        .iter()
        .map(|finding| {
            [
                finding.tool.judged.severity_fine.as_str().to_owned(),
                class(&finding.tool),
                format!("{}/{}", audit::visible::word(&finding.server.slug), audit::visible::word(&finding.tool.name)),
                gist(&finding.tool.description, 120),
            ]
        })
        .collect();
    text(&table(["SEVERITY", "CLASS", "TOOL", "DESCRIPTION"], &rows))?;
    text(footnote(findings.iter().map(|finding| &finding.tool)))?;
    say!("\n{} of {} checked: {} or above.", findings.len(), counted(checked, "tool"), from.as_str())
}
