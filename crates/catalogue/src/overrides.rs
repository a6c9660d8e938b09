//! What a person may say against the program's judgement, and how it is written.

use std::fmt;

use policy::Class;

use crate::entry::visible;

/// What a person speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The class of a tool.
    Class,
    /// Which server is the original of servers with the same tools.
    Original,
    /// Who publishes a server.
    Publisher,
    /// That a server is what it claims to be.
    Verified,
    /// That a server is no impostor, whatever it resembles.
    NotImpostor,
    /// Who may see a server.
    Visibility,
    /// That a server or tool is left out of searches.
    Hidden,
}

impl Field {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Class,
        Self::Original,
        Self::Publisher,
        Self::Verified,
        Self::NotImpostor,
        Self::Visibility,
        Self::Hidden,
    ];

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Class => "class",
            Self::Original => "original",
            Self::Publisher => "publisher",
            Self::Verified => "verified",
            Self::NotImpostor => "not-impostor",
            Self::Visibility => "visibility",
            Self::Hidden => "hidden",
        }
    }

    /// The field of a word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.as_str() == word)
    }

    /// Whether which servers are copies of others, or could be taken for them, may be another after a word on this.
    #[must_use]
    pub fn tells_servers_apart(self) -> bool {
        match self {
            Self::Original | Self::Publisher | Self::Verified | Self::NotImpostor | Self::Visibility => true,
            Self::Class | Self::Hidden => false,
        }
    }

    /// Whether it can be said of this: of a tool, or of a server.
    ///
    /// # Errors
    /// What it can be said of.
    pub fn fits(self, tool: bool) -> Result<(), Misfit> {
        match (self, tool) {
            (Self::Hidden, _) | (Self::Class, true) => Ok(()),
            (Self::Class, false) => Err(Misfit(self, "is said of a tool: name it as SERVER/TOOL")),
            (_, false) => Ok(()),
            (_, true) => Err(Misfit(self, "is said of a server, not of one of its tools")),
        }
    }

    /// The value in its one spelling; what is said by saying it needs none. The server that
    /// [`Field::Original`] names is for the caller to find.
    ///
    /// # Errors
    /// What values there are.
    pub fn value(self, value: Option<&str>) -> Result<String, Misfit> {
        let value = value.map(str::trim).filter(|value| !value.is_empty());
        let one_of = |words: &[&str], says| {
            let word = value.unwrap_or_default().to_lowercase();
            words.contains(&word.as_str()).then_some(word).ok_or(Misfit(self, says))
        };
        match self {
            Self::Class => {
                let word = value.unwrap_or_default().to_lowercase();
                let class: Result<Class, _> = word.parse();
                class.map(|class| class.as_str().to_owned()).map_err(|_| {
                    Misfit(self, "is one of read, write, execute, destructive, financial and unclassified")
                })
            }
            Self::Visibility => one_of(&["private", "public"], "is private or public"),
            Self::Verified | Self::NotImpostor | Self::Hidden => match value {
                None => Ok("yes".to_owned()),
                Some(_) => one_of(&["yes", "no"], "is yes or no"),
            },
            Self::Original => value.map(str::to_owned).ok_or(Misfit(self, "is the server that is the original")),
            Self::Publisher => value.map(visible).ok_or(Misfit(self, "is the name of who publishes it")),
        }
    }
}

/// Why something cannot be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Misfit(Field, &'static str);

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0.as_str(), self.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_has_its_values_and_its_place() {
        let table = [
            (Field::Class, Some("Write"), Some("write")),
            (Field::Class, Some("harmless"), None),
            (Field::Class, None, None),
            (Field::Verified, None, Some("yes")),
            (Field::Hidden, Some("no"), Some("no")),
            (Field::NotImpostor, Some("perhaps"), None),
            (Field::Visibility, Some("public"), Some("public")),
            (Field::Visibility, None, None),
            (Field::Publisher, Some(" Ann "), Some("Ann")),
            (Field::Publisher, Some("Ann\u{202e}\nLee"), Some("Ann\\u{202e} Lee")),
            (Field::Original, None, None),
        ];
        for (field, value, wanted) in table {
            assert_eq!(field.value(value).ok().as_deref(), wanted, "{field:?} {value:?}");
        }
        for field in Field::ALL {
            assert_eq!(Field::of(field.as_str()), Some(field));
            let places = (field.fits(false).is_ok(), field.fits(true).is_ok());
            assert_eq!(places, (field != Field::Class, matches!(field, Field::Class | Field::Hidden)), "{field:?}");
            assert_ne!(
                places.1,
                field.tells_servers_apart(),
                "what is said of tools tells nothing of servers: {field:?}"
            );
        }
    }
}
