//! What an edit of a large file costs: `cargo run --release -p clients --example edit_cost`.

use std::time::Instant;

use clients::{Document, Format, Table, Wrapper};

fn main() {
    let Ok(table) = Table::compiled() else { return };
    for (id, format) in [("cursor", Format::Json), ("codex", Format::Toml), ("goose", Format::Yaml)] {
        for megabytes in [1, 5] {
            let text = file(format, megabytes * 1_000_000);
            let Some(client) = table.client(id) else { continue };
            let Some(surface) = client.surfaces.first() else { continue };
            let start = Instant::now();
            let Ok(document) = Document::read(format, text.as_bytes()) else { continue };
            let read = start.elapsed();
            let Ok(entries) = document.entries(client, surface) else { continue };
            let listed = start.elapsed();
            let wrapper = Wrapper { program: "/usr/bin/toolgate".into(), options: vec!["run".into()], portable: false };
            let edit = entries.get(entries.len() / 2).map(|entry| document.wrap(entry, &wrapper));
            let wrapped = start.elapsed();
            let diff = edit.and_then(Result::ok).and_then(|edit| document.diff(&edit, "file").ok());
            println!(
                "{id} {megabytes} MB: read {read:?}, {} entries {:?}, wrap {:?}, diff {:?} ({} bytes)",
                entries.len(),
                listed - read,
                wrapped - listed,
                start.elapsed() - wrapped,
                diff.unwrap_or_default().len()
            );
        }
    }
}

fn file(format: Format, size: usize) -> String {
    let mut text = match format {
        Format::Json | Format::Jsonc => "{\"mcpServers\": {\n\"first\": {\"command\": \"x\"}",
        Format::Toml => "[mcp_servers.first]\ncommand = \"x\"\n",
        Format::Yaml => "extensions:\n  first:\n    cmd: x\n",
    }
    .to_owned();
    let mut number = 0;
    while text.len() < size {
        number += 1;
        text += &match format {
            Format::Json | Format::Jsonc => format!(
                ",\n\"s{number}\": {{\"command\": \"npx\", \"args\": [\"-y\", \"package-{number}\"], \"env\": {{\"A\": \"fake\"}}}}"
            ),
            Format::Toml => format!(
                "\n[mcp_servers.s{number}]\ncommand = \"npx\"\nargs = [\"-y\", \"package-{number}\"]\nenv = {{ A = \"fake\" }}\n"
            ),
            Format::Yaml => {
                format!("  s{number}:\n    cmd: npx\n    args: [-y, package-{number}]\n    envs:\n      A: fake\n")
            }
        };
    }
    if matches!(format, Format::Json | Format::Jsonc) {
        text += "\n}}\n";
    }
    text
}
