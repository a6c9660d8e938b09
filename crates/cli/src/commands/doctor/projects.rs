//! Secrets in files that a project shares.

use std::path::Path;

use clients::Scope;

use super::Finding;
use super::clients::{GROUP, named};
use crate::client_files::covered::{Machine, Place};
use crate::client_files::found::real;
use crate::commands::init::shown::plain_secrets;

/// Looks. Names of variables and headers are said, values never.
pub fn findings(machine: &Machine, home: &Path) -> Vec<Finding> {
    let left = machine.left.iter().map(|(place, _)| place);
    let places = machine.wrapped().chain(&machine.bare).chain(left);
    let shared = places.filter(|place| place.file.scope == Scope::Project && is_tracked(&real(&place.file.path)));
    shared.filter_map(|place| finding(place, home)).collect()
}

fn finding(place: &Place, home: &Path) -> Option<Finding> {
    let secrets = plain_secrets(&place.entry.launch.plain_secrets())?;
    let text = format!("{}: {secrets}, and Git tracks that file", named(place, home));
    Some(Finding::note(GROUP, "secret", text).remedy("write ${VARIABLE} in its place, and renew what was shared"))
}

/// Whether Git tracks a file, by the index of the repository that it lies in. Git itself is not asked: the
/// configuration of a repository can make it run programs.
fn is_tracked(file: &Path) -> bool {
    let Some(root) = file.ancestors().skip(1).find(|folder| folder.join(".git").exists()) else { return false };
    let Ok(name) = file.strip_prefix(root) else { return false };
    let Ok(index) = std::fs::read(root.join(".git/index")) else {
        // A worktree keeps its index elsewhere: rather a word too many.
        return root.join(".git").is_file();
    };
    // From version 4 on names are shortened.
    let shortened = index.get(4..8).is_some_and(|version| version == [0, 0, 0, 4]);
    let name = [name.as_os_str().as_encoded_bytes(), &[0]].concat();
    shortened || index.windows(name.len()).any(|part| part == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_git_tracks_is_told_from_its_index() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(".mcp.json");
        assert!(!is_tracked(&file), "no repository");
        std::fs::create_dir(folder.path().join(".git")).unwrap();
        assert!(!is_tracked(&file), "nothing was added");
        let index = |text: &[u8]| std::fs::write(folder.path().join(".git/index"), text).unwrap();
        index(b"DIRC\0\0\0\x02..README.md\0..");
        assert!(!is_tracked(&file));
        index(b"DIRC\0\0\0\x02...mcp.json\0..");
        assert!(is_tracked(&file));
        index(b"DIRC\0\0\0\x04..");
        assert!(is_tracked(&file), "shortened names are not read");
    }
}
