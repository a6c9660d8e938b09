//! Variables that leave an entry for a file of their own, and come back.

use std::ops::Range;

use crate::document::{Document, Format};
use crate::edit::Edit;
use crate::entry::{Entry, Launch, State, body, member, read};
use crate::refusal::Refusal;
use crate::secret::{Secret, is_secret};
use crate::tree::{Map, Member};
use crate::wrap::Wrapper;
use crate::wrapped::Wrapped;
use crate::write::{self, Data};

impl Launch {
    /// The variables of a program whose values are secrets that mean the same elsewhere. What a client may fill in
    /// (`$NAME`, `{file:…}`) would be another text without it, and what no environment can hold is left out too.
    #[must_use]
    pub fn movable_secrets(&self) -> Vec<(String, Secret)> {
        let Self::Stdio { env, .. } = self else { return Vec::new() };
        let whole = |name: &str, value: &str| {
            let name_fits = !name.is_empty() && !name.contains(['=', '#', '"', '\0']);
            let name_fits = name_fits && !name.contains(|letter: char| letter.is_whitespace() || letter.is_control());
            name_fits && !value.contains('\0') && !may_be_filled_in(value)
        };
        let moves = |(name, value): &&(String, Secret)| is_secret(name, value.expose()) && whole(name, value.expose());
        env.iter().filter(moves).cloned().collect()
    }
}

/// Whether a client may put something else in the place of a part of a value that stands in its file.
#[must_use]
pub fn may_be_filled_in(value: &str) -> bool {
    value.contains('$') || value.contains("{file:")
}

impl Document {
    /// How an entry would reach its server if it were wrapped. Headers of an endpoint are variables then, which
    /// [`Document::wrap_without`] can take out.
    ///
    /// # Errors
    /// [`Refusal`], where the entry cannot be wrapped.
    pub fn launch_wrapped(&self, entry: &Entry, wrapper: &Wrapper) -> Result<Launch, Refusal> {
        let after = self.after(&self.wrap(entry, wrapper)?)?;
        Ok(after.again(entry)?.launch)
    }

    /// [`Document::wrap`], and variables out of the entry: whoever starts the gateway's program gets them no more,
    /// so its options must say where they are. The map in which they stood stays, if empty.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn wrap_without(&self, entry: &Entry, wrapper: &Wrapper, names: &[String]) -> Result<Edit, Refusal> {
        let mut after = self.after(&self.wrap(entry, wrapper)?)?;
        for name in names {
            after = after.changed(entry, |after, now| after.without_variable(now, name))?;
        }
        self.until(&after)
    }

    /// Variables out of an entry behind the gateway, and one more option of `run` that says where they are: what
    /// [`Document::wrap_without`] does at once, done later.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn move_out(&self, entry: &Entry, option: &str, names: &[String]) -> Result<Edit, Refusal> {
        let mut after = self.changed(entry, |after, now| after.with_option(now, option))?;
        for name in names {
            after = after.changed(entry, |after, now| after.without_variable(now, name))?;
        }
        self.until(&after)
    }

    /// An option of `run` behind those that an entry has.
    fn with_option(&self, entry: &Entry, option: &str) -> Result<Edit, Refusal> {
        let State::Wrapped(wrapped) = &entry.state else { return Err(Refusal::Bare) };
        let map = body(&entry.shape, self.node_of(entry)?).ok_or(Refusal::Unfit)?;
        let stdio = entry.shape.stdio.as_ref().ok_or(Refusal::Unfit)?;
        let (key, at) = match &stdio.args {
            Some(args) => (args, wrapped.options.len()),
            None => (&stdio.command, wrapped.options.len() + 1),
        };
        let list = member(map, key).ok_or(Refusal::Unfit)?;
        let items = list.value.list().ok_or(Refusal::Unfit)?;
        let like = items.items.first().map(|first| self.raw(&first.span)).unwrap_or_default();
        let change = self.before_item(&list.value, at, vec![self.word(option, like, items.flow)])?;
        let edit = self.edit(vec![change])?;
        let mut wanted = wrapped.clone();
        wanted.options.push(option.to_owned());
        self.check_after(&edit, entry, |state| matches!(state, State::Wrapped(words) if *words == wanted))?;
        Ok(edit)
    }

    /// Newer values for what an entry was given from a file while it was `wrapped`, each in its place, where the entry
    /// takes them from there no more; and the names under which the entry has those that were others.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn renew(
        &self,
        entry: &Entry,
        wrapped: &Wrapped,
        variables: &[(String, Secret)],
    ) -> Result<(Edit, Vec<String>), Refusal> {
        let mut after = self.clone();
        let mut renewed = Vec::new();
        for (variable, value) in variables {
            let now = after.again(entry)?;
            let name = match now.state {
                State::Wrapped(_) => variable,
                State::Bare | State::NotCovered(_) => wrapped.named_by(variable),
            };
            let has = |(known, said): &(String, Secret)| is_name(&now.launch, known, name) && said == value;
            if pairs(&now.launch).iter().any(has) {
                continue;
            }
            renewed.push(name.to_owned());
            after = match after.changed(entry, |after, now| after.with_value(now, name, value)) {
                Err(Refusal::Unfit) if matches!(now.launch, Launch::Stdio { .. }) => {
                    let is_there = pairs(&now.launch).iter().any(|(known, _)| known == name);
                    let without = match is_there {
                        true => after.changed(entry, |after, now| after.without_variable(now, name))?,
                        false => after,
                    };
                    without.changed(entry, |after, now| after.with_variable(now, name, value))?
                }
                renewed => renewed?,
            };
        }
        Ok((self.until(&after)?, renewed))
    }

    /// Another value of a variable or header that is there.
    fn with_value(&self, entry: &Entry, name: &str, value: &Secret) -> Result<Edit, Refusal> {
        let map = body(&entry.shape, self.node_of(entry)?).ok_or(Refusal::Unfit)?;
        let way: &[String] = match (&entry.launch, &entry.shape.stdio, &entry.shape.http) {
            (Launch::Stdio { .. }, Some(stdio), _) => std::slice::from_ref(&stdio.env),
            (Launch::Http { .. }, _, Some(http)) => &http.headers,
            _ => return Err(Refusal::Unfit),
        };
        let (first, rest) = way.split_first().ok_or(Refusal::Unfit)?;
        let mut outer = &member(map, first).ok_or(Refusal::Unfit)?.value;
        for key in rest {
            outer = &outer.get(key).ok_or(Refusal::Unfit)?.value;
        }
        let members = outer.map().map(|map| map.members.as_slice()).unwrap_or_default();
        let said = members.iter().find(|said| is_name(&entry.launch, &said.key, name)).ok_or(Refusal::Unfit)?;
        let raw = self.raw(&said.value.span);
        // A block of YAML ends where no quotes can.
        if self.format == Format::Yaml && raw.starts_with(['|', '>']) {
            return Err(Refusal::Unfit);
        }
        let edit = self.edit(vec![(said.value.span.clone(), write::text(self.format, value.expose(), raw))])?;
        let is_wrapped = |state: &State| matches!(state, State::Wrapped(_));
        self.check_after(&edit, entry, |state| is_wrapped(state) == is_wrapped(&entry.state))?;
        let mut wanted = entry.launch.clone();
        if let Launch::Stdio { env: pairs, .. } | Launch::Http { headers: pairs, .. } = &mut wanted {
            let same = |(known, _): &&mut (String, Secret)| *known == said.key;
            pairs.iter_mut().filter(same).for_each(|(_, said)| *said = value.clone());
        }
        if self.after(&edit)?.again(entry)?.launch == wanted { Ok(edit) } else { Err(Refusal::Unfit) }
    }

    /// [`Document::unwrap`], with variables that the entry gets before: the inverse of [`Document::wrap_without`]. A
    /// variable that stands there already gets this value.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn unwrap_with(&self, entry: &Entry, variables: &[(String, Secret)]) -> Result<Edit, Refusal> {
        let mut after = self.clone();
        for (name, value) in variables {
            let is_there = matches!(&after.again(entry)?.launch, Launch::Stdio { env, .. } if env.iter().any(|(known, _)| known == name));
            if is_there {
                after = after.changed(entry, |after, now| after.without_variable(now, name))?;
            }
            after = after.changed(entry, |after, now| after.with_variable(now, name, value))?;
        }
        after = after.changed(entry, Self::unwrap)?;
        self.until(&after)
    }

    /// The document after an edit of one entry.
    fn changed(
        &self,
        entry: &Entry,
        edit: impl FnOnce(&Self, &Entry) -> Result<Edit, Refusal>,
    ) -> Result<Self, Refusal> {
        self.after(&edit(self, &self.again(entry)?)?)
    }

    /// An entry of an earlier state of this document, as it stands now.
    fn again(&self, entry: &Entry) -> Result<Entry, Refusal> {
        let node = self.node_at(entry).ok_or(Refusal::Stale)?;
        let (launch, state) = read(&entry.shape, node);
        Ok(Entry { launch, state, span: node.span.clone(), ..entry.clone() })
    }

    /// The one edit that leads to a later state of this document.
    ///
    /// # Errors
    /// [`Refusal::Stale`], when the other is none of this document.
    pub fn until(&self, after: &Self) -> Result<Edit, Refusal> {
        let (old, new) = (self.bytes(), after.bytes());
        let same = |pairs: &mut dyn Iterator<Item = (&u8, &u8)>| pairs.take_while(|(one, two)| one == two).count();
        let start = same(&mut old.iter().zip(&new));
        let shorter = old.len().min(new.len()) - start;
        let end = same(&mut old.iter().rev().zip(new.iter().rev())).min(shorter);
        let part = |bytes: &[u8]| bytes.get(start..bytes.len() - end).map(<[u8]>::to_vec).ok_or(Refusal::Stale);
        Edit::new(self.format, vec![(start..old.len() - end, part(&old)?, part(&new)?)]).ok_or(Refusal::Stale)
    }

    fn without_variable(&self, entry: &Entry, name: &str) -> Result<Edit, Refusal> {
        let (_, env) = self.env_of(entry)?;
        let env = env.ok_or(Refusal::Stale)?;
        let map = env.value.map().ok_or(Refusal::Unfit)?;
        let gone = member(map, name).ok_or(Refusal::Stale)?;
        let inside = env.value.span.start + 1..env.value.span.end.saturating_sub(1);
        let around = [inside.start..gone.key_span.start, gone.value.span.end..inside.end];
        let is_blank = |range: &Range<usize>| self.raw(range).trim_matches(',').trim().is_empty();
        let changes = match (map.members.len(), map.flow, self.format) {
            (1, true, _) if around.iter().all(is_blank) => vec![(env.value.span.clone(), "{}".to_owned())],
            (1, false, Format::Yaml) => vec![(self.behind_colon(env)..env.value.span.end, " {}".to_owned())],
            _ => self.away(map, gone),
        };
        self.same_but_variables(entry, self.edit(changes)?, |now| !now.iter().any(|(known, _)| known == name))
    }

    fn with_variable(&self, entry: &Entry, name: &str, value: &Secret) -> Result<Edit, Refusal> {
        let (map, env) = self.env_of(entry)?;
        let one = Data::Map(vec![(name.to_owned(), Data::Text(value.expose().to_owned()))]);
        let change = match env {
            None => {
                let stdio = entry.shape.stdio.as_ref().ok_or(Refusal::Unfit)?;
                let command = member(map, &stdio.command).ok_or(Refusal::Unfit)?;
                let (separator, colon) = self.beside(map, command);
                let key = write::key(self.format, &stdio.env, self.raw(&command.key_span));
                let at = command.value.span.end;
                (at..at, format!("{separator}{key}{colon}{}", write::line(self.format, &one)))
            }
            Some(env) => match env.value.map() {
                None if env.value.is_null() => {
                    let at = self.behind_colon(env);
                    (at..env.value.span.end.max(at), format!(" {}", write::line(self.format, &one)))
                }
                None => return Err(Refusal::Unfit),
                Some(map) if map.members.is_empty() && map.flow => {
                    let span = &env.value.span;
                    let one = write::line(self.format, &one);
                    let is_blank = self.raw(&(span.start + 1..span.end.saturating_sub(1))).trim().is_empty();
                    // Before a comment that stands inside.
                    let inner = one.strip_suffix('}').unwrap_or(&one).trim_end();
                    if is_blank { (span.clone(), one) } else { (span.start..span.start + 1, inner.to_owned()) }
                }
                Some(map) if self.format == Format::Toml && !map.flow => self.line_of_table(env, map, name, value),
                Some(map) => self.behind_last(map, name, &Data::Text(value.expose().to_owned()))?,
            },
        };
        let is_there = |now: &[(String, Secret)]| now.iter().any(|(known, said)| known == name && said == value);
        self.same_but_variables(entry, self.edit(vec![change])?, is_there)
    }

    /// A line in a table of TOML that has a header: behind the last one, or behind the header.
    fn line_of_table(&self, env: &Member, map: &Map, name: &str, value: &Secret) -> (Range<usize>, String) {
        let last = map.members.last();
        let lead = last.map(|last| self.lead(last)).unwrap_or_default();
        let at = self.line_stop(last.map_or(env.value.span.end, |last| last.value.span.end));
        let key = write::key(Format::Toml, name, "");
        let value = write::line(Format::Toml, &Data::Text(value.expose().to_owned()));
        (at..at, format!("{}{lead}{key} = {value}", self.line_end))
    }

    /// The map of an entry, and the member in which its variables stand.
    fn env_of(&self, entry: &Entry) -> Result<(&Map, Option<&Member>), Refusal> {
        let map = body(&entry.shape, self.node_of(entry)?).ok_or(Refusal::Unfit)?;
        let stdio = entry.shape.stdio.as_ref().ok_or(Refusal::Unfit)?;
        Ok((map, member(map, &stdio.env)))
    }

    /// The edit, where it changes nothing but the variables of the entry, to what they should be.
    fn same_but_variables(
        &self,
        entry: &Entry,
        edit: Edit,
        good: impl Fn(&[(String, Secret)]) -> bool,
    ) -> Result<Edit, Refusal> {
        self.check_after(&edit, entry, |state| *state == entry.state)?;
        let now = self.after(&edit)?.again(entry)?;
        match (&entry.launch, &now.launch) {
            (Launch::Stdio { command, args, .. }, Launch::Stdio { command: now_command, args: now_args, env })
                if command == now_command && args == now_args && good(env) =>
            {
                Ok(edit)
            }
            _ => Err(Refusal::Unfit),
        }
    }
}

/// Variables, or headers.
fn pairs(launch: &Launch) -> &[(String, Secret)] {
    match launch {
        Launch::Stdio { env: pairs, .. } | Launch::Http { headers: pairs, .. } => pairs,
        Launch::Other(_) => &[],
    }
}

/// Whether two names are of one thing: headers are, in letters of any size.
fn is_name(launch: &Launch, one: &str, other: &str) -> bool {
    if matches!(launch, Launch::Http { .. }) { one.eq_ignore_ascii_case(other) } else { one == other }
}
