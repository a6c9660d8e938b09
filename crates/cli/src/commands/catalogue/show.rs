//! `toolgate catalogue show`.

use std::fmt::Write;
use std::process::ExitCode;

use catalogue::show::Meant;
use serde_json::{Value, json};
use store::catalogue::{Catalogue, Fork, Override, Server, Shown, Status, Tool};

use super::{class, columns, crawl, footnote, gist, impostor, json as as_json, table};
use crate::args::ShowOptions;
use crate::commands::counted;
use crate::commands::scan::json::printed;
use crate::commands::scan::layout::paragraph;
use crate::failure::{Failure, Trying};
use crate::output::text;

/// Shows a server, or a tool.
pub async fn show(options: &ShowOptions) -> Result<ExitCode, Failure> {
    let (_, catalogue) = super::open(&options.data).await?;
    let out = match super::one(&catalogue, &options.what).await? {
        Meant::Tool(shown) => tool(&catalogue, &shown, options.json).await?,
        Meant::Server(server) => whole(&catalogue, &server, options.json).await?,
        // `one` has refused the others.
        _ => String::new(),
    };
    catalogue.close().await;
    text(&out)?;
    Ok(ExitCode::SUCCESS)
}

/// A fork with its server's slug.
struct Relative {
    fork: Fork,
    slug: String,
}

async fn relatives(catalogue: &Catalogue, server: &Server) -> Result<Vec<Relative>, Failure> {
    let mut relatives = Vec::new();
    for fork in catalogue.forks_of(server.id).await.trying("the catalogue")? {
        let slug = catalogue.server(fork.server).await.trying("the catalogue")?.map(|server| server.slug);
        relatives.push(Relative { fork, slug: slug.unwrap_or_default() });
    }
    Ok(relatives)
}

async fn whole(catalogue: &Catalogue, server: &Server, as_document: bool) -> Result<String, Failure> {
    let mut tools = catalogue.tools_of(server.id).await.trying("the catalogue")?;
    tools.sort_by(|one, other| {
        other.judged.severity_fine.cmp(&one.judged.severity_fine).then_with(|| one.name.cmp(&other.name))
    });
    let sources = catalogue.sources(server.id).await.trying("the catalogue")?;
    let relatives = relatives(catalogue, server).await?;
    let overrides = catalogue.overrides(server.id).await.trying("the catalogue")?;
    let impostor = impostor(catalogue, server).await?;
    let package = catalogue.package(server.id).await.trying("the catalogue")?;
    if as_document {
        let mut document = as_json::server(server);
        let times = |(name, first, last): &(String, jiff::Timestamp, jiff::Timestamp)| json!({ "name": name, "first_seen": first.to_string(), "last_seen": last.to_string() });
        document.insert("sources".to_owned(), sources.iter().map(times).collect());
        let forks = relatives.iter().map(|relative| {
            let original = relatives.iter().find(|other| Some(other.fork.server) == relative.fork.original);
            json!({ "server": relative.slug, "original": original.map(|original| &original.slug), "why": relative.fork.reason })
        });
        document.insert("same_tools".to_owned(), forks.collect());
        document.insert("package_says".to_owned(), package.as_ref().map(crawl::as_json).unwrap_or_default());
        let like = impostor.as_ref().map(|(like, why)| json!({ "of": like, "why": why }));
        document.insert("impostor".to_owned(), like.unwrap_or_default());
        let said = overrides.iter().map(|said| {
            json!({
                "tool": said.tool, "field": said.field, "value": said.value, "who": said.who, "reason": said.reason,
                "at": said.at.to_string(),
            })
        });
        document.insert("overrides".to_owned(), said.collect());
        document.insert("tools".to_owned(), tools.iter().map(|tool| Value::from(as_json::tool(tool))).collect());
        return Ok(printed(&document.into()).trying("the answer")? + "\n");
    }
    let mut out = format!("{}: {}\n", audit::visible::shown(&server.name), counted(tools.len(), "tool"));
    if let Some(description) = &server.description {
        out.push_str(&paragraph(&gist(description, 600), 0, columns()));
    }
    out.push('\n');
    if let Some((_, why)) = &impostor {
        let why = audit::visible::shown(why);
        let says = format!(
            "Careful: {why}. Where that is right, `toolgate catalogue override {} not-impostor --reason TEXT` says so.",
            audit::visible::word(&server.slug)
        );
        out.push_str(&paragraph(&says, 0, columns()));
        out.push('\n');
    }
    for (head, value) in facts(server) {
        let _ = writeln!(out, "  {head:<12}{}", audit::visible::shown(&value));
    }
    if let Some(package) = &package {
        out.push_str(&paragraph(
            &format!("its package: {}", audit::visible::shown(&crawl::summary(package))),
            2,
            columns(),
        ));
    }
    let named: Vec<&str> = sources.iter().map(|(name, ..)| name.as_str()).collect();
    let _ = writeln!(out, "  {:<12}{}", "named by", audit::visible::shown(&named.join(", ")));
    same_tools(server, &relatives, &mut out);
    if !tools.is_empty() {
        let rows: Vec<[String; 4]> = tools.iter().map(cells).collect();
        let _ = write!(out, "\n{}", table(["SEVERITY", "CLASS", "TOOL", "DESCRIPTION"], &rows));
        out.push_str(footnote(tools.iter()));
    }
    Ok(out)
}

fn facts(server: &Server) -> Vec<(&'static str, String)> {
    let package = server.package.as_ref().map(|package| match &server.registry {
        Some(registry) => format!("{package} ({registry})"),
        None => package.clone(),
    });
    let optional = [
        ("publisher", server.publisher.clone()),
        ("repository", server.repository.clone()),
        ("package", package),
        ("endpoint", server.endpoint.clone()),
        ("transport", server.transport.clone()),
        ("version", server.version.clone()),
        ("wants", server.auth.as_deref().map(|auth| wants(auth).to_owned())),
        ("licence", server.licence.clone()),
        ("language", server.language.clone()),
    ];
    let mut facts: Vec<(&str, String)> =
        optional.into_iter().filter_map(|(head, value)| Some((head, value?))).collect();
    let seen = format!("{:.0}, last {:.0}", server.first_seen, server.last_seen);
    let since = |since: Option<jiff::Timestamp>| since.map(|since| format!(" on {since:.0}")).unwrap_or_default();
    let state = match (server.listed, server.tombstoned, server.from_tools) {
        (Some((Status::Deleted, time)), ..) => format!("; withdrawn{}, its registry says", since(time)),
        (_, true, _) => "; withdrawn by its publisher".to_owned(),
        (Some((Status::Deprecated, time)), ..) => {
            format!("; deprecated{}, its registry says: it is better not begun with", since(time))
        }
        (_, _, true) => "; known from a list of tools alone".to_owned(),
        _ => String::new(),
    };
    facts.push(("first seen", seen));
    let hidden = if server.hidden { "; left out of searches" } else { "" };
    facts.push(("shown", format!("{}{state}{hidden}", server.visibility.as_str())));
    if server.verified {
        facts.push(("verified", "a person says that it is what it claims to be".to_owned()));
    }
    facts
}

/// The class, and where a person gave it the program's own beside it.
fn class_row(tool: &Tool, said: &Option<Override>) -> String {
    let sure = format!("{:.0} % sure", tool.judged.confidence * 100.0);
    let (Some((class, severity)), Some(said)) = (tool.own, said) else {
        return format!("{} ({sure})", tool.judged.class);
    };
    let changed = if tool.changed > said.at { "; the definition has changed since" } else { "" };
    format!(
        "{}, {} says since {:.0}: {}{changed} (the program: {class}, {}, {sure})",
        tool.judged.class,
        said.who,
        said.at,
        said.reason,
        severity.as_str(),
    )
}

/// What a server wants before it serves.
fn wants(auth: &str) -> &str {
    match auth {
        "none" => "no credentials, its registry says",
        "env" => "secrets in its environment",
        "header" => "credentials in a header",
        "oauth" => "a sign-in by OAuth",
        other => other,
    }
}

fn same_tools(server: &Server, relatives: &[Relative], out: &mut String) {
    let Some(own) = relatives.iter().find(|relative| relative.fork.server == server.id) else { return };
    let others: Vec<String> = relatives
        .iter()
        .filter(|relative| relative.fork.server != server.id)
        .map(|relative| audit::visible::word(&relative.slug))
        .collect();
    let original = relatives.iter().find(|relative| Some(relative.fork.server) == own.fork.original);
    let says = match original {
        Some(original) if original.fork.server == server.id => format!("this is the original: {}", own.fork.reason),
        Some(original) => {
            format!("the original is {}: {}", audit::visible::word(&original.slug), own.fork.reason)
        }
        None => own.fork.reason.clone(),
    };
    let _ = writeln!(out, "\nThe same tools under another publisher: {}", others.join(", "));
    out.push_str(&paragraph(&says, 0, columns()));
}

fn cells(tool: &Tool) -> [String; 4] {
    [
        tool.judged.severity_fine.as_str().to_owned(),
        class(tool),
        audit::visible::word(&tool.name),
        gist(&tool.description, 120),
    ]
}

async fn tool(catalogue: &Catalogue, shown: &Shown, as_document: bool) -> Result<String, Failure> {
    let history = catalogue.history(shown.tool.id).await.trying("the catalogue")?;
    let tool = &shown.tool;
    let said = catalogue.overrides(shown.server.id).await.trying("the catalogue")?;
    let said = said.into_iter().rev().find(|one| one.tool.as_ref() == Some(&tool.name) && one.field == "class");
    if as_document {
        let mut document = as_json::tool(tool);
        document.insert("server".to_owned(), as_json::server(&shown.server).into());
        document.insert("description".to_owned(), tool.description.clone().into());
        let parsed = |text: &Option<String>| {
            text.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok()).unwrap_or(Value::Null)
        };
        document.insert("input_schema".to_owned(), parsed(&tool.input_schema));
        document.insert("annotations".to_owned(), parsed(&tool.annotations));
        let past = history.iter().map(|past| {
            let digest = format!("sha256:{}", as_json::hex(&past.digest));
            json!({ "digest": digest, "category": super::scan::category(past.class), "until": past.until.to_string() })
        });
        document.insert("history".to_owned(), past.collect());
        let said = said.filter(|_| tool.own.is_some());
        let said = said.map(|said| json!({ "who": said.who, "reason": said.reason, "at": said.at.to_string() }));
        document.insert("said_by".to_owned(), said.unwrap_or_default());
        return Ok(printed(&document.into()).trying("the answer")? + "\n");
    }
    let judged = &tool.judged;
    let mut out = format!("{} of {}\n", audit::visible::word(&tool.name), audit::visible::shown(&shown.server.name));
    if !tool.description.is_empty() {
        out.push_str(&paragraph(&gist(&tool.description, 1_200), 0, columns()));
    }
    out.push('\n');
    let facets: Vec<&str> = judged.facets.iter().map(|facet| facet.as_str()).collect();
    let evidence: Vec<String> =
        judged.evidence.iter().map(|one| format!("{} ({})", audit::visible::word(&one.text), one.place)).collect();
    let rows = [
        ("class", class_row(tool, &said)),
        ("severity", judged.severity_fine.as_str().to_owned()),
        ("what else", if facets.is_empty() { "–".to_owned() } else { facets.join(", ") }),
        ("decided by", if evidence.is_empty() { "–".to_owned() } else { evidence.join(", ") }),
        ("digest", format!("sha256:{}", as_json::hex(&tool.digest))),
        ("first seen", format!("{:.0}, changed {:.0}", tool.first_seen, tool.changed)),
    ];
    for (head, value) in rows {
        let _ = writeln!(out, "  {head:<12}{}", audit::visible::shown(&value));
    }
    for past in history {
        let digest = as_json::hex(&past.digest);
        let _ = writeln!(out, "  until {:.0} it was {} (sha256:{digest})", past.until, past.class);
    }
    Ok(out)
}
