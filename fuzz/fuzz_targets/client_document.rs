//! An edit of any file can be taken back byte for byte, and changes nothing but its entry.
#![no_main]

use std::sync::LazyLock;

use clients::{Document, Launch, Restored, State, Table, Wrapper};
use libfuzzer_sys::fuzz_target;

static TABLE: LazyLock<Table> = LazyLock::new(|| Table::compiled().unwrap());

// The first byte chooses the client.
fuzz_target!(|bytes: &[u8]| {
    let Some((choice, bytes)) = bytes.split_first() else { return };
    let client = &TABLE.clients[usize::from(*choice) % TABLE.clients.len()];
    let Some(surface) = client.surfaces.first() else { return };
    let Ok(document) = Document::read(surface.format, bytes) else { return };
    assert_eq!(document.bytes(), bytes);
    let Ok(entries) = document.entries(client, surface) else { return };
    let options = ["run", "--policy", "p.json"].map(str::to_owned).to_vec();
    let wrapper = Wrapper { program: "/usr/bin/toolgate".to_owned(), options, portable: false };
    for entry in &entries {
        assert!(document.position(entry).line > 0);
        if let Ok(edit) = document.remove(entry) {
            assert_eq!(edit.inverse().apply(&edit.apply(bytes).unwrap()).unwrap(), bytes);
        }
        let Ok(edit) = document.wrap(entry, &wrapper) else { continue };
        let wrapped = edit.apply(bytes).unwrap();
        assert_eq!(edit.inverse().apply(&wrapped).unwrap(), bytes);
        document.diff(&edit, "file").unwrap();

        let second = Document::read(surface.format, &wrapped).unwrap();
        let all = second.entries(client, surface).unwrap();
        assert_eq!(all.len(), entries.len());
        for (now, before) in all.iter().zip(&entries) {
            assert_eq!(now.place, before.place);
            assert!(now.place == entry.place || now.launch == before.launch);
        }
        let now = all.iter().find(|now| now.place == entry.place).unwrap();
        assert!(matches!(now.state, State::Wrapped(_)));
        let restored = second.restore(document.text_of(entry).unwrap(), second.text_of(now).unwrap(), now);
        let Ok(Restored::Edit(restored)) = restored else { panic!("what was written cannot be taken back") };
        assert_eq!(restored.apply(&wrapped).unwrap(), bytes);
        if let Ok(unwrapped) = second.unwrap(now) {
            let third = Document::read(surface.format, &unwrapped.apply(&wrapped).unwrap()).unwrap();
            let again = third.entries(client, surface).unwrap();
            assert!(again.iter().any(|again| again.place == entry.place && again.launch == entry.launch));
        }
    }
    let launch = Launch::Stdio { command: "x".to_owned(), args: vec!["y".to_owned()], env: Vec::new() };
    if let Ok(edit) = document.add(client, surface, "a new one", &launch) {
        assert_eq!(edit.inverse().apply(&edit.apply(bytes).unwrap()).unwrap(), bytes);
    }
});
