//! Forks: servers under several publishers with the same tools, and which of them is the original.
//!
//! The same tools are the same definitions, or at least three tools of the same names. The original is
//! the one that the official registry names, else the one in a directory that people keep, else the one
//! whose package and repository name each other, else the one that was known first. Where none of these
//! tells them apart nobody is called a copy. What a person says of it holds before all that.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use store::catalogue::{Fork, Kin};

use crate::scanned::SOURCE;

/// Fewer definitions than these may be the same by chance: examples and templates have one or two.
const DEFINITIONS: usize = 2;

/// The same of names alone.
const NAMES: usize = 3;

/// Directories whose entries people looked at.
const DIRECTORIES: [&str; 1] = ["docker/mcp-registry"];

/// The servers that have the tools of others.
#[must_use]
pub fn forks(all: &[Kin]) -> Vec<Fork> {
    let mut found = Vec::new();
    for mut group in groups(all) {
        // What an operator saw of a server is no other server.
        group.retain(|kin| kin.sources != [SOURCE]);
        // And of what everybody sees, nothing private is the original or a copy: that would tell of it.
        if group.iter().any(|kin| kin.public) {
            group.retain(|kin| kin.public);
        }
        let publishers: BTreeSet<&str> = group.iter().map(|kin| publisher(kin)).collect();
        // One publisher may offer one server twice.
        if publishers.len() < 2 {
            continue;
        }
        let (original, reason) = original(&group);
        let kin = group.iter().map(|kin| kin.server).min().unwrap_or_default();
        found.extend(group.iter().map(|one| Fork { server: one.server, kin, original, reason: reason.to_owned() }));
    }
    found.sort_by_key(|fork| (fork.kin, fork.server));
    found
}

fn publisher(kin: &Kin) -> &str {
    kin.publisher.as_deref().unwrap_or_default()
}

/// Servers that have the same tools.
fn groups(all: &[Kin]) -> Vec<Vec<&Kin>> {
    let mut parents: Vec<usize> = (0..all.len()).collect();
    let mut by_names: HashMap<Vec<&str>, usize> = HashMap::new();
    let mut by_digests: HashMap<Vec<&str>, usize> = HashMap::new();
    for (at, kin) in all.iter().enumerate() {
        if kin.tools.len() >= NAMES {
            let mut names: Vec<&str> = kin.tools.iter().map(|(name, _)| name.as_str()).collect();
            names.sort_unstable();
            let first = *by_names.entry(names).or_insert(at);
            join(&mut parents, first, at);
        }
        if kin.tools.len() >= DEFINITIONS {
            let mut digests: Vec<&str> = kin.tools.iter().map(|(_, digest)| digest.as_str()).collect();
            digests.sort_unstable();
            let first = *by_digests.entry(digests).or_insert(at);
            join(&mut parents, first, at);
        }
    }
    let mut groups: BTreeMap<usize, Vec<&Kin>> = BTreeMap::new();
    for (at, kin) in all.iter().enumerate() {
        groups.entry(root(&parents, at)).or_default().push(kin);
    }
    groups.into_values().filter(|group| group.len() > 1).collect()
}

fn root(parents: &[usize], mut at: usize) -> usize {
    while let Some(parent) = parents.get(at).copied().filter(|parent| *parent != at) {
        at = parent;
    }
    at
}

fn join(parents: &mut [usize], one: usize, other: usize) {
    let (one, other) = (root(parents, one), root(parents, other));
    if let Some(parent) = parents.get_mut(one.max(other)) {
        *parent = one.min(other);
    }
}

/// The original of a group, and why.
fn original(group: &[&Kin]) -> (Option<i64>, &'static str) {
    let has = |kin: &Kin, start: &str| kin.identities.iter().any(|identity| identity.starts_with(start));
    let registry =
        |kin: &Kin| has(kin, "name:") || kin.sources.iter().any(|source| source.starts_with("official registry"));
    let directory = |kin: &Kin| kin.sources.iter().any(|source| DIRECTORIES.contains(&source.as_str()));
    let package = |kin: &Kin| ["npm:", "pypi:", "oci:"].iter().any(|start| has(kin, start)) && has(kin, "repository:");
    if let Some(said) = group.iter().find_map(|kin| kin.said) {
        return (Some(said), "a person says so");
    }
    if let Some(found) = only(group, registry) {
        return (Some(found), "the official registry names it and none of the others");
    }
    if let Some(found) = only(group, directory) {
        return (Some(found), "a directory that people keep names it and none of the others");
    }
    if let Some(found) = only(group, package) {
        return (Some(found), "its package names its repository, and no other's does");
    }
    let first = group.iter().map(|kin| kin.first_seen).min();
    if let Some(found) = only(group, |kin| Some(kin.first_seen) == first) {
        return (Some(found), "it was known before the others");
    }
    (None, "undecided: no registry, directory or package tells them apart, and all became known at once")
}

/// The server with a property that those of one publisher alone have.
fn only(group: &[&Kin], has: impl Fn(&Kin) -> bool) -> Option<i64> {
    let having: Vec<&Kin> = group.iter().copied().filter(|kin| has(kin)).collect();
    let publishers: BTreeSet<&str> = having.iter().map(|kin| publisher(kin)).collect();
    if publishers.len() != 1 {
        return None;
    }
    having.iter().map(|kin| kin.server).min()
}
