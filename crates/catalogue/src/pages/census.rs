//! What is counted over all that an audience may see: how many servers and tools there are of which kind, in which order
//! lists have them, and when something changed. Held in memory; nothing in it belongs to anybody who may not be seen.

mod fields;

use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use policy::Class;
use risk::{Facet, Severity};
use store::BadDatabase;
use store::catalogue::{Catalogue, Listed, Shelf, Visibility};

pub use self::fields::{Chosen, Field};
use self::fields::{Words, known_transport};

/// Kinds of tools that are counted: classes, severities, facets.
const SHELVES: usize = Class::ALL.len() + SEVERITIES.len() + Facet::ALL.len();

/// Every severity, from the worst.
pub const SEVERITIES: [Severity; 4] = [Severity::Critical, Severity::High, Severity::Medium, Severity::Low];

/// The newest servers that are known without a search.
const NEWEST: usize = 50;

/// The counts over a catalogue.
#[derive(Debug, Default)]
pub struct Census {
    servers: Vec<Counted>,
    places: HashMap<i64, usize>,
    words: Words,
    tools: u32,
    on_shelves: [u32; SHELVES],
    /// The values of each field over all servers, which every search page names.
    common: [Vec<(u16, usize)>; Field::ALL.len()],
    newest: Vec<i64>,
    days: Vec<Day>,
}

/// A server and how many tools of which kind it has.
#[derive(Debug, Clone)]
pub struct Counted {
    /// Its number.
    pub id: i64,
    /// The letter that its name begins with, in lower case; `0` for digits and letters outside of English.
    pub letter: char,
    /// Transport, licence and language, by the places of these words; nought for none.
    words: [u16; 3],
    /// When it was first heard of.
    pub first_seen: Timestamp,
    /// When it or one of its tools changed last.
    pub changed: Timestamp,
    /// Its tools are those of another server.
    pub is_copy: bool,
    /// How many tools it has.
    pub tools: u32,
    on_shelves: [u32; SHELVES],
}

/// A day on which something changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    /// The day, in UTC.
    pub date: Date,
    /// Servers that were new.
    pub servers: u32,
    /// Definitions that changed.
    pub definitions: u32,
}

/// A stretch of one server's tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// The server.
    pub server: i64,
    /// So many of its tools stand on pages before.
    pub skip: usize,
    /// So many stand here.
    pub take: usize,
}

impl Census {
    /// Counts, for everybody or for members.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn take(catalogue: &Catalogue, public_only: bool) -> Result<Self, BadDatabase> {
        let mut listed = catalogue.listed().await?;
        listed.retain(|server| !public_only || server.visibility == Visibility::Public);
        listed.sort_by_cached_key(|server| {
            let name = server.name.trim_start_matches(|letter: char| !letter.is_alphanumeric()).to_lowercase();
            (first_letter(&server.name) == '0', name)
        });
        let mut census = Self::default();
        for (place, server) in listed.into_iter().enumerate() {
            census.places.insert(server.id, place);
            let counted = Counted::of(server, &mut census.words);
            census.servers.push(counted);
        }
        for tally in catalogue.tallies().await? {
            let Some(place) = census.places.get(&tally.server) else { continue };
            let Some(server) = census.servers.get_mut(*place) else { continue };
            census.tools = census.tools.saturating_add(tally.count);
            server.tools = server.tools.saturating_add(tally.count);
            server.changed = server.changed.max(tally.changed);
            let facets = tally.facets.iter().map(|facet| Shelf::Facet(*facet));
            for shelf in facets.chain([Shelf::Class(tally.class), Shelf::Severity(tally.severity)]) {
                for counts in [&mut server.on_shelves, &mut census.on_shelves] {
                    if let Some(count) = counts.get_mut(place_of(shelf)) {
                        *count = count.saturating_add(tally.count);
                    }
                }
            }
        }
        census.common = Field::ALL.map(|field| census.count_words(field, census.servers.iter()));
        let mut newest: Vec<(Timestamp, i64)> = census.servers.iter().map(|one| (one.first_seen, one.id)).collect();
        newest.sort_unstable_by(|one, other| other.cmp(one));
        census.newest = newest.into_iter().take(NEWEST).map(|(_, id)| id).collect();
        let mut days: BTreeMap<Date, Day> = BTreeMap::new();
        let mut on = |date: Date, servers, definitions| {
            let day = days.entry(date).or_insert(Day { date, servers: 0, definitions: 0 });
            day.servers += servers;
            day.definitions += definitions;
        };
        for server in &census.servers {
            on(date_of(server.first_seen), 1, 0);
        }
        for changed in catalogue.days_of_change().await? {
            if let Ok(start) = Timestamp::from_second(changed.day.saturating_mul(86_400))
                && census.places.contains_key(&changed.server)
            {
                on(date_of(start), 0, changed.count);
            }
        }
        census.days = days.into_values().rev().collect();
        Ok(census)
    }

    /// Every server, in the order of lists.
    #[must_use]
    pub fn servers(&self) -> &[Counted] {
        &self.servers
    }

    /// One server.
    #[must_use]
    pub fn server(&self, id: i64) -> Option<&Counted> {
        self.places.get(&id).and_then(|place| self.servers.get(*place))
    }

    /// How many tools there are.
    #[must_use]
    pub fn tools(&self) -> u32 {
        self.tools
    }

    /// How many tools of a kind.
    #[must_use]
    pub fn count(&self, shelf: Shelf) -> u32 {
        self.on_shelves.get(place_of(shelf)).copied().unwrap_or(0)
    }

    /// The newest servers, the latest first; some of them.
    #[must_use]
    pub fn newest(&self) -> &[i64] {
        &self.newest
    }

    /// How many servers have a tool of a kind.
    #[must_use]
    pub fn servers_with(&self, shelf: Shelf) -> usize {
        self.servers.iter().filter(|server| server.count(shelf) > 0).count()
    }

    /// The servers with the most tools of a kind, without those whose tools are another's.
    #[must_use]
    pub fn top(&self, shelf: Shelf, most: usize) -> Vec<(i64, u32)> {
        let counted =
            self.servers.iter().filter(|server| !server.is_copy).map(|server| (server.id, server.count(shelf)));
        let mut all: Vec<(i64, u32)> = counted.filter(|(_, count)| *count > 0).collect();
        let order = |(id, count): &(i64, u32)| (std::cmp::Reverse(*count), *id);
        if all.len() > most {
            all.select_nth_unstable_by_key(most, order);
            all.truncate(most);
        }
        all.sort_by_key(order);
        all
    }

    /// Whose tools stand on a page (from 1) of `rows` tools of a kind.
    #[must_use]
    pub fn stretches(&self, shelf: Shelf, page: usize, rows: usize) -> Vec<Stretch> {
        let mut before = page.saturating_sub(1).saturating_mul(rows);
        let mut left = rows;
        let mut all = Vec::new();
        for server in &self.servers {
            let count = usize::try_from(server.count(shelf)).unwrap_or(usize::MAX);
            let skip = before.min(count);
            before -= skip;
            let take = (count - skip).min(left);
            if take > 0 {
                all.push(Stretch { server: server.id, skip, take });
                left -= take;
            }
            if left == 0 {
                break;
            }
        }
        all
    }

    /// The servers that are chosen, in the order of lists.
    pub fn chosen(&self, chosen: &Chosen) -> impl Iterator<Item = &Counted> {
        let find = |word: &Option<String>| word.as_deref().map(|word| self.words.find(word));
        let words = [find(&chosen.transport), find(&chosen.licence), find(&chosen.language)];
        let letter = chosen.letter;
        self.servers.iter().filter(move |server| {
            letter.is_none_or(|letter| letter == server.letter)
                && words.iter().zip(server.words).all(|(wanted, has)| wanted.is_none_or(|wanted| wanted == has))
        })
    }

    /// The values that the chosen servers have of a field, the commonest first, and how many have each.
    #[must_use]
    pub fn values(&self, field: Field, chosen: &Chosen, most: usize) -> Vec<(&str, usize)> {
        let of_all = self.common.get(field.place()).filter(|_| *chosen == Chosen::default());
        let counted = match of_all {
            Some(all) => all.clone(),
            None => self.count_words(field, self.chosen(chosen)),
        };
        let word = |(place, count): (u16, usize)| Some((self.words.word(place)?, count));
        counted.into_iter().take(most).filter_map(word).collect()
    }

    /// Whether a server has this value of a field, in any case.
    #[must_use]
    pub fn has(&self, field: Field, word: &str) -> bool {
        let wanted = self.words.find(word);
        self.common.get(field.place()).is_some_and(|all| all.iter().any(|(place, _)| *place == wanted))
    }

    /// How many of these servers have which value of a field, the commonest first.
    fn count_words<'a>(&self, field: Field, servers: impl Iterator<Item = &'a Counted>) -> Vec<(u16, usize)> {
        let mut counts: HashMap<u16, usize> = HashMap::new();
        for server in servers {
            let place = server.words.get(field.place()).copied().unwrap_or(0);
            *counts.entry(place).or_default() += 1;
        }
        counts.remove(&0);
        let word = |place: u16| self.words.word(place);
        let mut all: Vec<(u16, usize)> = counts.into_iter().collect();
        all.sort_by(|(one, few), (other, many)| many.cmp(few).then_with(|| word(*one).cmp(&word(*other))));
        all
    }

    /// The days on which something changed, the latest first.
    #[must_use]
    pub fn days(&self) -> &[Day] {
        &self.days
    }

    /// The servers that were new on a day, in the order of lists.
    pub fn new_on(&self, date: Date) -> impl Iterator<Item = &Counted> {
        self.servers.iter().filter(move |server| date_of(server.first_seen) == date)
    }
}

impl Counted {
    fn of(server: Listed, words: &mut Words) -> Self {
        Self {
            id: server.id,
            letter: first_letter(&server.name),
            words: [known_transport(server.transport), server.licence, server.language].map(|word| words.put(word)),
            first_seen: server.first_seen,
            changed: server.first_seen,
            is_copy: server.is_copy,
            tools: 0,
            on_shelves: [0; SHELVES],
        }
    }

    /// How many of its tools are of a kind.
    #[must_use]
    pub fn count(&self, shelf: Shelf) -> u32 {
        self.on_shelves.get(place_of(shelf)).copied().unwrap_or(0)
    }

    /// The severity of its worst tool.
    #[must_use]
    pub fn worst(&self) -> Option<Severity> {
        SEVERITIES.into_iter().find(|severity| self.count(Shelf::Severity(*severity)) > 0)
    }
}

/// The beginning of a day and of the next.
#[must_use]
pub fn bounds(date: Date) -> Option<(Timestamp, Timestamp)> {
    let start = |date: Date| date.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    Some((start(date)?, start(date.checked_add(Span::new().days(1)).ok()?)?))
}

fn date_of(time: Timestamp) -> Date {
    time.to_zoned(TimeZone::UTC).date()
}

fn first_letter(name: &str) -> char {
    let first = name.chars().find(|letter| letter.is_alphanumeric());
    first.map(|letter| letter.to_ascii_lowercase()).filter(char::is_ascii_lowercase).unwrap_or('0')
}

/// The place of a kind among all that are counted; what is none of them has none.
fn place_of(shelf: Shelf) -> usize {
    let classes = Class::ALL.len();
    let place = match shelf {
        Shelf::Class(class) => Class::ALL.iter().position(|one| *one == class),
        Shelf::Severity(severity) => SEVERITIES.iter().position(|one| *one == severity).map(|place| classes + place),
        Shelf::Facet(facet) => {
            Facet::ALL.iter().position(|one| *one == facet).map(|place| classes + SEVERITIES.len() + place)
        }
    };
    place.unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(counts: &[u32]) -> Census {
        let shelf = Shelf::Class(Class::Read);
        let mut census = Census::default();
        for (id, count) in (1..).zip(counts) {
            let listed = Listed {
                id,
                name: format!("server {id}"),
                visibility: Visibility::Public,
                transport: None,
                licence: None,
                language: None,
                first_seen: Timestamp::UNIX_EPOCH,
                is_copy: false,
            };
            let mut server = Counted::of(listed, &mut census.words);
            server.on_shelves.fill(0);
            if let Some(place) = server.on_shelves.get_mut(place_of(shelf)) {
                *place = *count;
            }
            census.servers.push(server);
        }
        census
    }

    #[test]
    fn pages_hold_every_tool_once() {
        let counts = [0, 3, 250, 1, 0, 99, 7];
        let census = with(&counts);
        let mut seen: BTreeMap<i64, usize> = BTreeMap::new();
        for page in 1..=4 {
            let stretches = census.stretches(Shelf::Class(Class::Read), page, 100);
            let on_page: usize = stretches.iter().map(|one| one.take).sum();
            assert_eq!(on_page, if page < 4 { 100 } else { 60 }, "page {page}");
            for one in stretches {
                let before = seen.entry(one.server).or_default();
                assert_eq!(*before, one.skip);
                *before += one.take;
            }
        }
        assert_eq!(seen, BTreeMap::from([(2, 3), (3, 250), (4, 1), (6, 99), (7, 7)]));
        assert!(census.stretches(Shelf::Class(Class::Read), 5, 100).is_empty());
        assert!(census.stretches(Shelf::Class(Class::Write), 1, 100).is_empty());
    }

    #[test]
    fn every_kind_has_a_place_of_its_own() {
        let classes = Class::ALL.into_iter().map(Shelf::Class);
        let severities = SEVERITIES.into_iter().map(Shelf::Severity);
        let facets = Facet::ALL.into_iter().map(Shelf::Facet);
        let places: Vec<usize> = classes.chain(severities).chain(facets).map(place_of).collect();
        assert_eq!(places, (0..SHELVES).collect::<Vec<_>>());
    }

    #[test]
    fn names_begin_with_their_first_letter() {
        let found: String = ["@acme/x", "Zed", "9to5", "天气", "...", "- a"].into_iter().map(first_letter).collect();
        assert_eq!(found, "az000a");
    }
}
