//! A file of variables that nobody else may read: `NAME="value"` a line, the value as JSON writes texts, so that any
//! value fits on its line.

use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use clients::Secret;

/// The longest file that is read, in bytes: environments are far shorter.
const MAX_FILE: u64 = 4 << 20;

/// What stands at the top of a file that toolgate wrote.
const HEAD: &str =
    "# Secrets that toolgate has moved here; `toolgate run --env-file` hands them to the server alone.\n";

/// Variables with their values, which no message shows.
pub type Variables = Vec<(String, Secret)>;

/// Why a file cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// It is not there.
    #[error("it is not there: put it back, or take the gateway's change back with toolgate undo")]
    Missing,
    /// Others may read or write it.
    #[error("others may read it (mode {0:03o}): chmod 600 it")]
    Open(u32),
    /// It is somebody else's.
    #[error("it belongs to another user: it must be your own")]
    Foreign,
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    /// One of its lines is none.
    #[error("line {0}: {1}")]
    Line(usize, &'static str),
}

/// The text of a file with these variables.
pub fn written(variables: &[(String, Secret)]) -> Secret {
    let line =
        |(name, value): &(String, Secret)| format!("{name}={}\n", serde_json::Value::String(value.expose().to_owned()));
    Secret::new(HEAD.to_owned() + &variables.iter().map(line).collect::<String>())
}

/// Reads a file that nobody else may read.
///
/// # Errors
/// Why it cannot be used. No value of it is repeated.
pub fn read(path: &Path) -> Result<Variables, Unusable> {
    parse(text(path)?.expose())
}

/// The text of a file that nobody else may read.
///
/// # Errors
/// Why it cannot be used.
pub fn text(path: &Path) -> Result<Secret, Unusable> {
    let unreadable = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => Unusable::Missing,
        _ => Unusable::Unreadable(error.kind().to_string()),
    };
    // Whoever put a pipe in its place does not make us wait.
    let flags = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or_default();
    let opened = std::fs::OpenOptions::new().read(true).custom_flags(flags).open(path);
    let file = opened.map_err(unreadable)?;
    // Of what was opened, not of what lies there by now.
    let about = file.metadata().map_err(unreadable)?;
    if !about.is_file() {
        return Err(Unusable::Unreadable("it is no file".to_owned()));
    }
    if about.uid() != rustix::process::geteuid().as_raw() {
        return Err(Unusable::Foreign);
    }
    if about.mode() & 0o077 != 0 {
        return Err(Unusable::Open(about.mode() & 0o777));
    }
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > MAX_FILE {
        return Err(Unusable::Unreadable(format!("it is longer than {} MiB", MAX_FILE >> 20)));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let good = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        Unusable::Line(1 + good.iter().filter(|byte| **byte == b'\n').count(), "this is no UTF-8")
    })?;
    Ok(Secret::new(text))
}

fn parse(text: &str) -> Result<Variables, Unusable> {
    let mut variables = Variables::new();
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let wrong = |what| Unusable::Line(number, what);
        let (name, value) = line.split_once('=').ok_or(wrong("this is not NAME=\"value\""))?;
        let is_name = !name.is_empty()
            && !name.contains(|letter: char| letter.is_whitespace() || letter.is_control() || letter == '"');
        if !is_name {
            return Err(wrong("what stands before = is no name of a variable"));
        }
        // What serde says of a wrong value may repeat it.
        let value: String = serde_json::from_str(value)
            .map_err(|_| wrong("what stands behind = is no text in double quotes, as JSON writes it"))?;
        if value.contains('\0') {
            return Err(wrong("no variable can hold the character NUL"));
        }
        if variables.iter().any(|(known, _)| known == name) {
            return Err(wrong("this variable is there twice"));
        }
        variables.push((name.to_owned(), Secret::new(value)));
    }
    Ok(variables)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_value_comes_back(values in proptest::collection::vec("[^\\x00]{0,20}", 0..5)) {
            let variables: Variables =
                values.iter().enumerate().map(|(number, value)| (format!("V_{number}"), value.as_str().into())).collect();
            prop_assert_eq!(parse(written(&variables).expose()), Ok(variables));
        }

        #[test]
        fn no_text_is_repeated(text in "[ -~\n]{0,60}") {
            if let Err(why) = parse(&format!("A_TOKEN=\"sk-hidden\"\n{text}\nB=sk-hidden")) {
                let said = format!("{why} {why:?}");
                prop_assert!(!said.contains("sk-hidden"), "{}", said);
            }
        }
    }

    #[test]
    fn a_line_that_is_none_is_named() {
        for (text, line) in [
            ("A=\"x\"\nB=y", 2),
            ("A", 1),
            ("# a\n\n=\"x\"", 3),
            ("A B=\"x\"", 1),
            ("A=\"x\" ", 0),
            ("A=\"x\" # no", 1),
            ("export A=\"x\"", 1),
            ("A=\"x\"\nA=\"x\"", 2),
            ("A=\"\\u0000\"", 1),
            ("A=1", 1),
            ("A=null", 1),
        ] {
            let found = match parse(text) {
                Ok(_) => 0,
                Err(Unusable::Line(line, _)) => line,
                Err(other) => panic!("{other}"),
            };
            assert_eq!(found, line, "{text}");
        }
        assert_eq!(format!("{:?}", parse("A=\"sk-1\"").unwrap()), format!("[(\"A\", {})]", clients::MASK));
    }

    #[test]
    fn only_a_file_that_is_ones_own_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.env");
        assert_eq!(read(&path), Err(Unusable::Missing));
        std::fs::write(&path, "A=\"x\"\n\u{e9}=\"y\"\r\n").unwrap();
        for mode in [0o644, 0o640, 0o604, 0o620] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(read(&path), Err(Unusable::Open(mode)));
        }
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(read(&path).unwrap().len(), 2);
        std::fs::write(&path, b"A=\"x\"\nB=\"\xff\"\n").unwrap();
        assert_eq!(read(&path), Err(Unusable::Line(2, "this is no UTF-8")));
        assert!(matches!(read(folder.path()), Err(Unusable::Unreadable(_))));
    }
}
