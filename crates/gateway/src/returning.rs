//! What is on its way back from servers: how much of it is held at once. Who asks for long answers and reads them slowly,
//! over many connections, would else have the gateway hold as many times 32 MiB; so would servers that begin long events
//! and do not end them.
//!
//! Room is taken before more of a long answer is read: where there is none, nothing is read on until there is. What was read
//! counts until the last byte of it is written, whatever has become of it meanwhile.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};
use upstream::child::Room as LineRoom;

use crate::bounded::{Bounded, Full, Place};
use crate::grant::Grant;
use crate::server::Server;

/// What is taken at a time, in bytes. The first piece of each answer is free: the usual answer is shorter, and so takes
/// nothing, whatever others do.
pub(crate) const PIECE: usize = 64 * 1024;

/// What one grant may have on its way, in pieces: 64 MiB, which is two of the longest messages.
const OF_ONE: usize = 1024;

/// What all together may have, in pieces: 256 MiB.
const IN_ALL: usize = 4 * OF_ONE;

/// How many answers may go beyond that at once, each of another grant: of several that have each begun and find no room, one
/// can always be read to its end, or they would wait for one another. So there are at most 128 MiB more.
const BEYOND: usize = 4;

/// How long room is waited for at most: as long as somebody who takes nothing may keep it.
pub(crate) const ROOM_TIME: Duration = Duration::from_secs(60);

/// A grant, by what tells it from others.
type Holder = Arc<str>;

/// The room for answers of all workers.
#[derive(Debug, Clone)]
pub(crate) struct Returning(Arc<Room>);

#[derive(Debug)]
struct Room {
    pieces: Arc<Bounded<Holder>>,
    beyond: Arc<Bounded<Holder>>,
    freed: Notify,
}

impl Default for Returning {
    fn default() -> Self {
        Self(Arc::new(Room {
            pieces: Bounded::new(OF_ONE, IN_ALL),
            beyond: Bounded::new(1, BEYOND),
            freed: Notify::new(),
        }))
    }
}

impl Returning {
    /// The room of one answer for a grant, of which nothing has come yet.
    pub(crate) fn answer_to(&self, grant: &Arc<Grant>) -> Held {
        self.part_of(Whose::Grant(Arc::clone(grant)))
    }

    /// The same for an answer that is usually short: nothing is made before it is long.
    pub(crate) fn claim<'a>(&'a self, grant: &'a Arc<Grant>) -> Claim<'a> {
        Claim { room: self, grant, held: None }
    }

    /// The room that so many bytes for a grant take, if they take any.
    ///
    /// # Errors
    /// What is full.
    pub(crate) fn room_for(&self, grant: &Arc<Grant>, bytes: usize) -> Result<Option<Held>, &'static str> {
        if pieces(bytes) == 0 {
            return Ok(None);
        }
        let mut held = self.answer_to(grant);
        held.try_grow_to(bytes).map(|()| Some(held))
    }

    /// The room of what a server says on a connection that is one grant's, which another grant's cannot fill. `listener` is
    /// the grant's key, and empty where the gateway itself listens.
    pub(crate) fn words(&self, server: &Server, listener: &str) -> Words {
        Words { room: self.clone(), holder: format!("the server {} to {listener}", server.id()).into() }
    }

    fn part_of(&self, whose: Whose) -> Held {
        Held { room: Arc::clone(&self.0), whose, taken: None, beyond: None }
    }

    /// How many bytes of the room are taken.
    #[cfg(test)]
    pub(crate) fn taken(&self) -> usize {
        self.0.pieces.taken() * PIECE
    }
}

/// The room of what one server says on one connection.
#[derive(Debug, Clone)]
pub(crate) struct Words {
    room: Returning,
    holder: Holder,
}

impl Words {
    /// That of one message, of which nothing has come yet.
    pub(crate) fn hold(&self) -> Held {
        self.room.part_of(Whose::Server(Arc::clone(&self.holder)))
    }
}

/// The room that one answer will take when it turns out to be long.
pub(crate) struct Claim<'a> {
    room: &'a Returning,
    grant: &'a Arc<Grant>,
    held: Option<Held>,
}

impl Claim<'_> {
    /// As [`Held::grow_to`].
    ///
    /// # Errors
    /// What is full, when there was no room for so long.
    pub(crate) async fn grow_to(&mut self, bytes: usize, patience: Duration) -> Result<(), &'static str> {
        if pieces(bytes) == 0 {
            return Ok(());
        }
        let (room, grant) = (self.room, self.grant);
        self.held.get_or_insert_with(|| room.answer_to(grant)).grow_to(bytes, patience).await
    }

    /// The room, where any was needed.
    pub(crate) fn taken(self) -> Option<Held> {
        self.held
    }
}

/// For whom something is held. A grant's name is copied where something is taken: most answers are short.
#[derive(Debug)]
enum Whose {
    Grant(Arc<Grant>),
    Server(Holder),
}

impl Whose {
    fn holder(&self) -> Holder {
        match self {
            Self::Grant(grant) => grant.key().into(),
            Self::Server(holder) => Arc::clone(holder),
        }
    }
}

/// The room that one answer takes, given back when this is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    room: Arc<Room>,
    whose: Whose,
    taken: Option<Place<Holder>>,
    /// Whether it may go beyond what there is.
    beyond: Option<Place<Holder>>,
}

impl Held {
    /// Takes room for so many bytes, together with what was taken before; waits for it.
    ///
    /// # Errors
    /// What is full, when there was no room for so long.
    pub(crate) async fn grow_to(&mut self, bytes: usize, patience: Duration) -> Result<(), &'static str> {
        match self.try_grow_to(bytes) {
            Ok(()) => Ok(()),
            Err(_) => Box::pin(self.wait_for(bytes, patience)).await,
        }
    }

    async fn wait_for(&mut self, bytes: usize, patience: Duration) -> Result<(), &'static str> {
        let until = Instant::now() + patience;
        let room = Arc::clone(&self.room);
        loop {
            // Made before the look: what is given back after that wakes it.
            let freed = room.freed.notified();
            let Err(full) = self.try_grow_to(bytes) else { return Ok(()) };
            if timeout_at(until, freed).await.is_err() {
                return Err(full);
            }
        }
    }

    /// The same at once or not at all.
    ///
    /// # Errors
    /// What is full.
    pub(crate) fn try_grow_to(&mut self, bytes: usize) -> Result<(), &'static str> {
        let pieces = pieces(bytes);
        if pieces == 0 {
            return Ok(());
        }
        let Err(full) = self.place().grow_to(pieces) else { return Ok(()) };
        if self.goes_beyond() {
            self.place().grow_anyway_to(pieces);
            return Ok(());
        }
        Err(match (full, &self.whose) {
            (Full::Each(_), Whose::Grant(_)) => "64 MiB of long answers of this grant are on their way already",
            (Full::Each(_), Whose::Server(_)) => {
                "64 MiB of what this server said to this grant are on their way already"
            }
            (Full::All(_), _) => "256 MiB of long answers are on their way already",
        })
    }

    /// Whether this one, of which some has come, is the one that is read to its end whatever there is.
    fn goes_beyond(&mut self) -> bool {
        if self.beyond.is_none() && self.taken.as_ref().is_some_and(|taken| taken.count() > 0) {
            let holder = self.whose.holder();
            // What went beyond has to be read first, or one after the other would.
            if !self.room.pieces.is_over(&holder) {
                self.beyond = self.room.beyond.take(holder).ok();
            }
        }
        self.beyond.is_some()
    }

    /// Gives back what so many bytes do not need.
    pub(crate) fn shrink_to(&mut self, bytes: usize) {
        let pieces = pieces(bytes);
        if let Some(taken) = self.taken.as_mut().filter(|taken| taken.count() > pieces) {
            taken.shrink_to(pieces);
            if pieces == 0 {
                self.beyond = None;
            }
            self.room.freed.notify_waiters();
        }
    }

    /// These bytes, which take room until the last copy of them is dropped. They are there, and so they are counted, whether
    /// there is room or not: nothing more is read meanwhile.
    pub(crate) fn keep(mut self, bytes: Bytes) -> Bytes {
        let pieces = pieces(bytes.len());
        if pieces == 0 {
            return bytes;
        }
        self.shrink_to(bytes.len());
        self.place().grow_anyway_to(pieces);
        Bytes::from_owner(Kept { bytes, _held: self })
    }

    fn place(&mut self) -> &mut Place<Holder> {
        let (room, whose) = (&self.room, &self.whose);
        self.taken.get_or_insert_with(|| room.pieces.none_of(whose.holder()))
    }
}

impl LineRoom for Held {
    fn hold(&mut self, bytes: usize) -> bool {
        self.shrink_to(bytes);
        self.try_grow_to(bytes).is_ok()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.shrink_to(0);
    }
}

/// Bytes and the room that they take.
struct Kept {
    bytes: Bytes,
    _held: Held,
}

impl AsRef<[u8]> for Kept {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

fn pieces(bytes: usize) -> usize {
    bytes.saturating_sub(1) / PIECE
}

#[cfg(test)]
pub(crate) mod tests {
    use upstream::http::Endpoint;

    use super::*;
    use crate::server::{Reach, ServerConfig};

    const MIB: usize = 1024 * 1024;

    pub(crate) fn server(id: &str) -> Arc<Server> {
        Server::new(ServerConfig {
            id: id.to_owned(),
            reach: Reach::Http(Endpoint::parse("http://127.0.0.1:1/mcp").unwrap()),
            numbers: Default::default(),
            denials: Default::default(),
            classes: Default::default(),
            limits: Default::default(),
            calls_at_once: None,
            list_bytes: Default::default(),
        })
    }

    fn words_to(room: &Returning, listener: &str) -> Held {
        room.words(&server("s"), listener).hold()
    }

    #[tokio::test]
    async fn short_answers_are_free_and_long_ones_bounded_for_each_grant_and_in_all() {
        let room = Returning::default();
        let mut held = Vec::new();
        for grant in ["a", "b", "c", "d"] {
            let mut answer = words_to(&room, grant);
            answer.grow_to(64 * MIB + PIECE, Duration::ZERO).await.unwrap();
            let full = words_to(&room, grant).grow_to(PIECE + 1, Duration::ZERO).await.unwrap_err();
            assert!(full.starts_with(if grant == "d" { "256 MiB" } else { "64 MiB" }), "{full}");
            held.push(answer);
        }
        let mut other = words_to(&room, "e");
        other.grow_to(PIECE, Duration::ZERO).await.unwrap();
        assert!(other.grow_to(PIECE + 1, Duration::ZERO).await.is_err());
        held.pop();
        other.grow_to(PIECE + 1, Duration::ZERO).await.unwrap();
        drop((held, other));
        assert_eq!(room.taken(), 0);
    }

    #[tokio::test]
    async fn whoever_waits_goes_on_when_there_is_room() {
        let room = Returning::default();
        let [mut one, mut two] = ["a", "a"].map(|grant| words_to(&room, grant));
        one.grow_to(64 * MIB, Duration::ZERO).await.unwrap();
        let waits = two.grow_to(2 * MIB, Duration::from_secs(3600));
        let (waited, ()) = tokio::join!(waits, async {
            tokio::task::yield_now().await;
            one.shrink_to(MIB);
        });
        waited.unwrap();
        assert_eq!(room.taken(), 3 * MIB - 2 * PIECE);
    }

    #[tokio::test]
    async fn of_several_that_have_begun_one_can_always_be_read_to_its_end() {
        let room = Returning::default();
        let [mut one, mut two] = ["a", "a"].map(|grant| words_to(&room, grant));
        one.grow_to(40 * MIB, Duration::ZERO).await.unwrap();
        two.grow_to(24 * MIB, Duration::ZERO).await.unwrap();
        for mib in [50, 72] {
            one.grow_to(mib * MIB, Duration::ZERO).await.unwrap();
        }
        two.grow_to(25 * MIB, Duration::ZERO).await.unwrap_err();
        // It is there, and nobody has read it.
        let whole = one.keep(vec![0; 72 * MIB].into());
        two.grow_to(25 * MIB, Duration::ZERO).await.unwrap_err();
        drop(whole);
        two.grow_to(64 * MIB + PIECE, Duration::ZERO).await.unwrap();
        two.grow_to(65 * MIB, Duration::ZERO).await.unwrap();
        drop(two);
        assert_eq!((room.taken(), room.0.beyond.taken()), (0, 0));
    }

    #[test]
    fn a_line_holds_what_it_has_and_gives_it_back() {
        let room = Returning::default();
        let [mut one, mut other] = ["a", "a"].map(|grant| words_to(&room, grant));
        assert!(one.hold(40 * MIB) && other.hold(PIECE));
        assert!(!other.hold(40 * MIB));
        assert!(one.hold(0) && other.hold(40 * MIB));
        assert_eq!(room.taken(), 40 * MIB - PIECE);
        drop(other);
        assert_eq!(room.taken(), 0);
    }

    #[test]
    fn what_is_kept_counts_until_the_last_copy_of_it_is_gone() {
        let room = Returning::default();
        let bytes = words_to(&room, "a").keep(vec![0; 80 * MIB].into());
        assert!(room.taken() > 64 * MIB, "more than there is, because it is there");
        let part = bytes.slice(..1);
        drop(bytes);
        assert!(words_to(&room, "a").try_grow_to(2 * PIECE).is_err());
        drop(part);
        assert_eq!(room.taken(), 0);
        words_to(&room, "a").keep(vec![0; PIECE].into());
        assert_eq!(room.taken(), 0);
    }
}
