//! The table of clients, and edits of their files.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that is wrong about its own input should fail"
)]

mod adding;
mod golden;
mod moving;
mod paths;
mod properties;
mod reading;
mod restoring;
mod table;

use clients::{Client, Document, Edit, Entry, Format, State, Surface, Table, Wrapper};

/// A client of the compiled table, with its surface of a number.
fn surface(id: &str, number: usize) -> (Client, Surface) {
    let client = Table::compiled().unwrap().client(id).unwrap().clone();
    let surface = client.surfaces[number].clone();
    (client, surface)
}

/// What is put before the server of a name.
fn wrapper(name: &str) -> Wrapper {
    let options = ["run", "--policy", "/home/ada/.config/toolgate/policies/p.json"];
    let options = options.into_iter().map(str::to_owned).chain([format!("--name={name}")]).collect();
    Wrapper { program: "/usr/local/bin/toolgate".to_owned(), options, portable: false }
}

fn read(format: Format, bytes: &[u8]) -> Document {
    Document::read(format, bytes).unwrap()
}

/// The entry of a name.
fn entry(document: &Document, client: &Client, surface: &Surface, key: &str) -> Entry {
    let entries = document.entries(client, surface).unwrap();
    entries.into_iter().find(|entry| entry.key == key).unwrap_or_else(|| panic!("no entry {key}"))
}

/// Whether `wrap` takes it when it is asked to.
fn can_be_wrapped(entry: &Entry) -> bool {
    match &entry.state {
        State::Bare => true,
        State::NotCovered(why) => why.if_asked(),
        State::Wrapped(_) => false,
    }
}

fn after(edit: &Edit, bytes: &[u8]) -> Vec<u8> {
    edit.apply(bytes).unwrap()
}
