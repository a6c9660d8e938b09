//! `toolgate catalogue crawl`: what npm and PyPI say of packages.

use std::process::ExitCode;

use catalogue::crawl::{Crawled, crawl as ask};
use jiff::Timestamp;
use serde_json::{Value, json};
use store::catalogue::{Package, Visibility};

use super::impostor;
use super::settle::Change;
use crate::args::CrawlOptions;
use crate::commands::scan::json::printed;
use crate::failure::{Failure, Trying};
use crate::output::{say, text};

/// Asks for each package, and says what is known of it now. What was answered until an error is kept.
pub async fn crawl(options: &CrawlOptions) -> Result<ExitCode, Failure> {
    let (data, catalogue) = super::open(&options.data).await?;
    let visibility = if options.public { Visibility::Public } else { Visibility::Private };
    let change = Change::begin(&catalogue, &data)?;
    let mut done: Vec<(&str, Crawled)> = Vec::new();
    let mut failures = Vec::new();
    for wanted in &options.packages {
        let base = wanted.base(&options.npm, &options.pypi);
        match ask(&catalogue, change.right(), wanted, base, visibility, Timestamp::now()).await {
            Ok(crawled) => done.push((base, crawled)),
            Err(error) => {
                let (wanted, base) = (wanted.to_string(), audit::visible::shown(base));
                failures.push(format!("{wanted} at {base}: {}", audit::visible::shown(&error.to_string())));
            }
        }
    }
    // What a package says of its source is compared with what is known of its server.
    change.settle(!done.is_empty()).await?;
    let mut documents = Vec::new();
    for (base, crawled) in &done {
        let Some(server) = catalogue.server(crawled.package.server).await.trying("the catalogue")? else { continue };
        let like = impostor(&catalogue, &server).await?.map(|(_, why)| why);
        if options.json {
            documents.push(document(base, crawled, like.as_deref()));
            continue;
        }
        say!("{}: {}", audit::visible::word(&crawled.slug), audit::visible::shown(&summary(&crawled.package)))?;
        if let Some(why) = like {
            say!("  careful: {}", audit::visible::shown(&why))?;
        }
    }
    catalogue.close().await;
    if options.json {
        let document = json!({ "version": 1, "packages": documents, "failures": failures });
        text(&(printed(&document).trying("the answer")? + "\n"))?;
    }
    if failures.is_empty() { Ok(ExitCode::SUCCESS) } else { Err(Failure::Usage(failures.join("; "))) }
}

fn document(base: &str, crawled: &Crawled, like: Option<&str>) -> Value {
    let mut document =
        json!({ "server": crawled.slug, "registry": base, "new": crawled.counts.servers_new > 0, "impostor": like });
    if let (Some(members), Value::Object(said)) = (document.as_object_mut(), as_json(&crawled.package)) {
        members.extend(said);
    }
    document
}

/// What a registry says of a package.
pub fn as_json(package: &Package) -> Value {
    json!({
        "version": package.version, "versions": package.versions,
        "first_published": package.first_published.map(|time| time.to_string()),
        "last_published": package.last_published.map(|time| time.to_string()),
        "published_by": package.publisher, "source": package.repository, "deprecated": package.deprecated,
        "asked": package.seen.to_string(),
    })
}

/// The same in a sentence.
pub fn summary(package: &Package) -> String {
    let mut parts = vec![match package.versions {
        1 => "1 version".to_owned(),
        count => format!("{count} versions"),
    }];
    parts.extend(package.version.as_ref().map(|version| format!("newest {version}")));
    let day = |time: Timestamp| time.strftime("%Y-%m-%d").to_string();
    parts.extend(package.first_published.map(|time| format!("first {}", day(time))));
    parts.extend(package.last_published.map(|time| format!("last {}", day(time))));
    parts.extend(package.publisher.as_ref().map(|by| format!("published by {by}")));
    parts.extend(package.repository.as_ref().map(|url| format!("source {url}")));
    parts.extend(package.deprecated.as_ref().map(|why| format!("deprecated: {why}")));
    parts.join(", ")
}
