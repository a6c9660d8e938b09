//! The scripts, and one run of one.

use std::sync::LazyLock;

use redis::{Pipeline, Script};

/// Takes all counts of a call, or none.
pub(super) static TAKE: LazyLock<Text> = LazyLock::new(|| Text::new(SOURCES[0]));
/// Gives back.
pub(super) static GIVE_BACK: LazyLock<Text> = LazyLock::new(|| Text::new(SOURCES[1]));
/// Renews calls in flight.
pub(super) static RENEW: LazyLock<Text> = LazyLock::new(|| Text::new(SOURCES[2]));
/// Says that counts are known.
pub(super) static KNOWN: LazyLock<Text> = LazyLock::new(|| Text::new(SOURCES[3]));

const SOURCES: [&str; 4] =
    [include_str!("take.lua"), include_str!("give_back.lua"), include_str!("renew.lua"), include_str!("known.lua")];

/// What a server is to know from the beginning.
pub(super) const ALL: &[&str] = &SOURCES;

/// A script and its digest.
pub(super) struct Text {
    source: &'static str,
    script: Script,
}

impl Text {
    fn new(source: &'static str) -> Self {
        Self { source, script: Script::new(source) }
    }
}

/// One run of a script.
pub(super) struct Invocation {
    text: &'static Text,
    keys: Vec<String>,
    arguments: Vec<String>,
}

impl Invocation {
    pub(super) fn new(text: &'static LazyLock<Text>) -> Self {
        Self { text: LazyLock::force(text), keys: Vec::new(), arguments: Vec::new() }
    }

    pub(super) fn key(&mut self, key: String) -> &mut Self {
        self.keys.push(key);
        self
    }

    pub(super) fn arg(&mut self, argument: impl Into<String>) -> &mut Self {
        self.arguments.push(argument.into());
        self
    }

    /// Adds it to requests: by the script's digest where the server knows it, else whole.
    pub(super) fn write(&self, requests: &mut Pipeline, known: bool) {
        let command = if known {
            requests.cmd("EVALSHA").arg(self.text.script.get_hash())
        } else {
            requests.cmd("EVAL").arg(self.text.source)
        };
        command.arg(self.keys.len()).arg(&self.keys).arg(&self.arguments);
    }
}
