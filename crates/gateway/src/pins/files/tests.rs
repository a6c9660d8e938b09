use std::fs;

use policy::Class;
use risk::pins::{FIRST_LIST, Pin};

use super::*;

fn pin(definition: &str) -> Pin {
    Pin {
        digest: digest(definition),
        class: Class::Read,
        set: None,
        accepted: "2026-11-21T14:00:00Z".to_owned(),
        by: FIRST_LIST.to_owned(),
        definition: definition.to_owned(),
    }
}

/// A place for a lock file that is not there yet, and one for data.
fn folder() -> (tempfile::TempDir, PinFiles) {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    let files = PinFiles::new(&folder.path().join("policy/toolgate.lock"), &folder.path().join("data"));
    (folder, files)
}

fn add(files: &PinFiles, server: &str, tool: &str) -> Result<Written, BadPins> {
    files.change(server, |section| {
        section.get_or_insert_default().insert(tool.to_owned(), pin(&format!("{{\"name\":\"{tool}\"}}")));
        true
    })
}

fn tools(files: &PinFiles, server: &str) -> Vec<String> {
    files.section(server).unwrap().unwrap_or_default().into_keys().collect()
}

#[test]
fn what_was_put_aside_moves_to_the_lock_file() {
    let (folder, files) = folder();
    for server in ["a", "b"] {
        let written = add(&files, server, "one").unwrap();
        assert!(written.path.starts_with(folder.path().join("data/pins")));
        assert!(written.instead.is_some_and(|why| why.contains("policy/toolgate.lock")));
    }
    assert_eq!(files.places(), files.spare.path().display().to_string());
    fs::create_dir(folder.path().join("policy")).unwrap();
    let written = add(&files, "a", "two").unwrap();
    assert_eq!(written, Written { path: files.lock().to_path_buf(), instead: None });
    assert_eq!(tools(&files, "a"), ["one", "two"], "what had been accepted is accepted still");
    assert!(read(&files.lock).unwrap().server("a").is_some_and(|section| section.len() == 2));
    assert!(read(&files.spare).unwrap().server("a").is_none(), "and stands in one place");
    assert_eq!(tools(&files, "b"), ["one"], "others stay where they are until they change");
    assert!(files.places().contains(" and "));
    // A lock file that loses its section accepts nothing any more.
    fs::write(files.lock(), "version = 1\n").unwrap();
    assert_eq!(files.section("a").unwrap(), None);
}

#[test]
fn a_section_of_the_lock_file_counts_alone() {
    let (folder, files) = folder();
    add(&files, "a", "aside").unwrap();
    // Somebody brings a lock file along, as version control does.
    fs::create_dir(folder.path().join("policy")).unwrap();
    let mut brought = Pins::default();
    brought.section("a").insert("brought".to_owned(), pin("{}"));
    fs::write(files.lock(), brought.to_string()).unwrap();
    assert_eq!(tools(&files, "a"), ["brought"]);
    files.tidy("a");
    assert!(read(&files.spare).unwrap().server("a").is_none());
    // An empty section is a section: everything of that server was taken out by somebody.
    add(&files, "b", "kept").unwrap();
    fs::write(files.lock(), "version = 1\n[servers.b]\n").unwrap();
    assert_eq!(tools(&files, "b"), Vec::<String>::new());
}

#[test]
fn where_nothing_can_be_written_nothing_is_accepted() {
    let (folder, files) = folder();
    std::os::unix::fs::symlink("/nowhere/pins", folder.path().join("data/pins")).unwrap();
    let error = add(&files, "a", "one").unwrap_err();
    assert!(matches!(error, BadPins::Nowhere { .. }), "{error}");
    let said = error.to_string();
    assert!(said.contains("policy/toolgate.lock") && said.contains("data/pins"), "{said}");
    assert_eq!(files.section("a").unwrap(), None);
}

/// A file that is open, in a directory that is gone: it can be read by its number, and nobody can
/// replace it, whatever his rights.
#[test]
#[cfg(target_os = "linux")]
fn a_lock_file_that_cannot_be_written_is_not_written_around() {
    use std::os::fd::AsRawFd;
    let folder = tempfile::tempdir().unwrap();
    let gone = folder.path().join("gone");
    fs::create_dir(&gone).unwrap();
    let mut pins = Pins::default();
    pins.section("a").insert("one".to_owned(), pin("{}"));
    fs::write(gone.join("toolgate.lock"), pins.to_string()).unwrap();
    let open = fs::File::open(gone.join("toolgate.lock")).unwrap();
    fs::remove_dir_all(&gone).unwrap();
    let files = PinFiles::new(Path::new(&format!("/proc/self/fd/{}", open.as_raw_fd())), folder.path());
    assert_eq!(tools(&files, "a"), ["one"]);
    let error = add(&files, "a", "two").unwrap_err();
    assert!(matches!(error, BadPins::Fixed { .. }), "{error}");
    assert_eq!(tools(&files, "a"), ["one"]);
    assert!(files.spare.trace().is_none(), "nothing is put aside that would not count");
    add(&files, "b", "one").unwrap();
    assert_eq!(tools(&files, "b"), ["one"], "of a server without a section it does");
}
