//! Where files lie: templates with names in braces, filled in for one system.

use std::collections::BTreeMap;

use crate::table::{Os, Surface};

/// What is known of a machine and a person.
#[derive(Debug, Clone)]
pub struct Places {
    /// The system.
    pub os: Os,
    /// The home directory.
    pub home: String,
    /// The environment; only variables that some template names are looked at.
    pub variables: BTreeMap<String, String>,
    /// The root of the project, if there is one.
    pub project: Option<String>,
}

/// A path in which `*` stands for any run of characters within one name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PathPattern {
    /// The part without stars. What a variable or the home directory says is taken as it is, stars too.
    pub base: String,
    /// The names below it, from the first that has a star; empty for a plain path.
    pub below: Vec<String>,
}

impl PathPattern {
    /// The path, where it has no stars.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        self.below.is_empty().then_some(self.base.as_str())
    }

    /// Whether a name matches one of [`PathPattern::below`].
    #[must_use]
    pub fn matches(pattern: &str, name: &str) -> bool {
        let mut parts = pattern.split('*');
        let Some(mut rest) = name.strip_prefix(parts.next().unwrap_or_default()) else { return false };
        let mut parts: Vec<&str> = parts.collect();
        let Some(last) = parts.pop() else { return rest.is_empty() };
        for part in parts {
            let Some((_, after)) = rest.split_once(part) else { return false };
            rest = after;
        }
        rest.ends_with(last)
    }
}

impl Places {
    /// A variable that is set to something.
    fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A folder that a variable may name, absolutely, or one below the home directory.
    fn folder(&self, variable: &str, below_home: &str) -> String {
        let named = self.variable(variable).filter(|value| self.is_absolute(value));
        named.map_or_else(|| self.join(&self.home, below_home), str::to_owned)
    }

    fn is_absolute(&self, path: &str) -> bool {
        let drive = path.get(1..3).is_some_and(|colon| colon == ":\\" || colon == ":/");
        path.starts_with('/') || (self.os == Os::Windows && (drive || path.starts_with("\\\\")))
    }

    fn join(&self, folder: &str, below: &str) -> String {
        let ends: &[char] = if self.os == Os::Windows { &['/', '\\'] } else { &['/'] };
        let folder = folder.trim_end_matches(ends);
        match self.os {
            Os::Windows => format!("{folder}\\{}", below.replace('/', "\\")),
            Os::Linux | Os::Macos => format!("{folder}/{below}"),
        }
    }

    /// What a name in braces stands for. What another system has is not there.
    fn named(&self, name: &str) -> Option<String> {
        match (name, self.os) {
            ("home", _) => Some(self.home.clone()),
            ("project", _) => self.project.clone(),
            ("config", Os::Linux | Os::Macos) => Some(self.folder("XDG_CONFIG_HOME", ".config")),
            ("application_support", Os::Macos) => Some(self.join(&self.home, "Library/Application Support")),
            ("appdata", Os::Windows) => Some(self.folder("APPDATA", "AppData/Roaming")),
            ("localappdata", Os::Windows) => Some(self.folder("LOCALAPPDATA", "AppData/Local")),
            ("programfiles", Os::Windows) => {
                Some(self.variable("ProgramFiles").unwrap_or("C:\\Program Files").to_owned())
            }
            ("programdata", Os::Windows) => Some(self.variable("ProgramData").unwrap_or("C:\\ProgramData").to_owned()),
            _ => None,
        }
    }

    /// A template, filled in. It begins with a name in braces, or is an absolute path.
    #[must_use]
    pub fn fill(&self, template: &str) -> Option<PathPattern> {
        let (base, rest) = match template.strip_prefix('{') {
            Some(named) => {
                let (name, rest) = named.split_once('}')?;
                (self.named(name)?, rest)
            }
            None => (String::new(), template),
        };
        Some(self.below(base, rest))
    }

    fn below(&self, mut base: String, rest: &str) -> PathPattern {
        let names: Vec<&str> = rest.split('/').filter(|name| !name.is_empty()).collect();
        let star = names.iter().position(|name| name.contains('*')).unwrap_or(names.len());
        let (plain, below) = names.split_at_checked(star).unwrap_or((&names, &[]));
        if !plain.is_empty() {
            base = self.join(&base, &plain.join("/"));
        }
        PathPattern { base, below: below.iter().map(|name| (*name).to_owned()).collect() }
    }
}

impl Surface {
    /// Where the file may lie on a machine: by the variable that moves it, where that is set, or else by every
    /// template. None, where the surface is not for that system or needs a project and there is none.
    #[must_use]
    pub fn paths(&self, places: &Places) -> Vec<PathPattern> {
        if !self.os.contains(&places.os) {
            return Vec::new();
        }
        for moved in &self.moved_by {
            if let Some(value) = places.variable(&moved.variable) {
                let (folder, below) = moved.path.split_once("{value}").unwrap_or(("", &moved.path));
                return vec![places.below(format!("{folder}{value}"), below)];
            }
        }
        self.path.iter().filter_map(|template| places.fill(template)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stay_within_a_name() {
        for (pattern, name, matches) in [
            ("Claude_*", "Claude_pzs8sxrjxfjjc", true),
            ("Claude_*", "Claude", false),
            ("*.yaml", "github.yaml", true),
            ("*.yaml", "github.yml", false),
            ("a*b*c", "a1b2b3c", true),
            ("a*b*c", "acb", false),
            ("same", "same", true),
            ("same", "samer", false),
            ("*", "", true),
        ] {
            assert_eq!(PathPattern::matches(pattern, name), matches, "{pattern} {name}");
        }
    }

    #[test]
    fn a_relative_variable_is_not_followed() {
        let places = Places {
            os: Os::Linux,
            home: "/home/ada/".into(),
            variables: BTreeMap::from([("XDG_CONFIG_HOME".into(), "conf".into())]),
            project: None,
        };
        assert_eq!(places.fill("{config}/x/*.json").unwrap().base, "/home/ada/.config/x");
        assert_eq!(places.fill("{appdata}/x"), None);
        assert_eq!(places.fill("{project}/x"), None);
        assert_eq!(places.fill("/etc/x").unwrap().path(), Some("/etc/x"));
    }
}
