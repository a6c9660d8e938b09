//! The rules on real entries: a file of servers and one of tools beside this clone, where they are at hand.
#![allow(clippy::unwrap_used, reason = "a test that is wrong about its own input should fail")]

use std::io::{BufRead, BufReader};
use std::path::Path;

use catalogue::entry::{ServerLine, ToolLine};
use catalogue::identity::Identity;
use catalogue::impostors::impostors;
use catalogue::junk::{Candidate, junk};
use flate2::read::MultiGzDecoder;
use store::catalogue::Face;

/// The lines of a public file; says so and gives `None` in a clone that stands alone.
fn public(name: &str) -> Option<impl Iterator<Item = String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    let Ok(file) = std::fs::File::open(&path) else {
        eprintln!("skipped: {name} is not beside this clone");
        return None;
    };
    Some(BufReader::new(MultiGzDecoder::new(file)).lines().map(Result::unwrap))
}

#[test]
fn of_real_tools_few_are_refused() {
    let Some(lines) = public("tools.jsonl.gz") else { return };
    let (mut all, mut refused) = (0_u32, Vec::new());
    for line in lines {
        let line: ToolLine = serde_json::from_str(&line).unwrap();
        all += 1;
        let description = line.description.as_deref().unwrap_or_default();
        let has_schema = line.input_schema.is_some();
        let candidate = Candidate { name: &line.name, description, has_schema, path: line.path.as_deref() };
        if let Some(why) = junk(&candidate) {
            refused.push(format!("{}: {why}", line.name));
        }
    }
    assert!(all > 40_000, "{all}");
    assert!((100..250).contains(&refused.len()), "{} of {all} refused: {refused:#?}", refused.len());
}

#[test]
fn real_servers_have_identities() {
    let Some(lines) = public("servers.jsonl.gz") else { return };
    let (mut all, mut nameless, mut known) = (0_u32, 0_u32, 0_u32);
    for line in lines {
        let line: ServerLine = serde_json::from_str(&line).unwrap();
        all += 1;
        match line.described("file") {
            Ok(described) => {
                known += u32::from(!described.identities.iter().any(|one| one.to_string().starts_with("called:")));
            }
            Err(_) => nameless += 1,
        }
    }
    assert!(all > 37_000 && nameless < 10, "{nameless} of {all}");
    assert!(known > all / 10 * 9, "{known} of {all}");
}

#[test]
fn of_real_servers_few_are_impostors_and_identities_read_back() {
    let Some(lines) = public("servers.jsonl.gz") else { return };
    let mut faces = Vec::new();
    for (server, line) in (0..).zip(lines) {
        let line: ServerLine = serde_json::from_str(&line).unwrap();
        let Ok(described) = line.described("file") else { continue };
        for identity in &described.identities {
            assert_eq!(Identity::read(&identity.to_string()).map(|one| one.to_string()), Some(identity.to_string()));
        }
        let (registry, package) = described.package.unzip();
        faces.push(Face {
            server,
            publisher: described.publisher,
            repository: described.repository,
            package,
            registry,
            sources: described.sources,
            trusted: false,
            public: true,
        });
    }
    let found = impostors(&faces);
    assert!((10..40).contains(&found.len()), "{found:#?}");
    assert!(found.iter().all(|one| one.original != Some(one.server)), "{found:#?}");
}
