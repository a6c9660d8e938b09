//! A server without the gateway, from the entry's own words.

use std::ops::Range;

use crate::document::{Document, Format};
use crate::edit::Edit;
use crate::entry::{Entry, State, body, member, read};
use crate::refusal::Refusal;
use crate::table::{Http, Kind, Stdio, Untyped};
use crate::tree::{Map, Member, Node};
use crate::wrap::Changes;
use crate::wrapped::{Target, Wrapped, reference};
use crate::write::{self, Data};

impl Document {
    /// Takes the gateway out again: the inverse of [`Document::wrap`], from nothing but what stands in the entry.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn unwrap(&self, entry: &Entry) -> Result<Edit, Refusal> {
        let State::Wrapped(wrapped) = &entry.state else { return Err(Refusal::Bare) };
        let node = self.node_of(entry)?;
        let (Some(map), Some(stdio)) = (body(&entry.shape, node), &entry.shape.stdio) else {
            return Err(Refusal::Unfit);
        };
        let changes = match &wrapped.target {
            Target::Program(_) => self.without_gateway(map, stdio, wrapped)?,
            Target::Upstream { headers, .. } => {
                let http = entry.shape.http.as_ref().ok_or_else(|| Refusal::NoShape(entry.client.clone()))?;
                self.endpoint_again(map, stdio, http, wrapped.options.len() + 1, headers)?
            }
        };
        let edit = self.edit(changes)?;
        self.check_after(&edit, entry, |state| !matches!(state, State::Wrapped(_)))?;
        Ok(edit)
    }

    /// Takes the outer of two gateways out, where an entry starts one that starts another.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn without_outer(&self, entry: &Entry) -> Result<Edit, Refusal> {
        let State::Wrapped(wrapped) = &entry.state else { return Err(Refusal::Bare) };
        let inner = wrapped.inner().ok_or(Refusal::Bare)?;
        let node = self.node_of(entry)?;
        let (Some(map), Some(stdio)) = (body(&entry.shape, node), &entry.shape.stdio) else {
            return Err(Refusal::Unfit);
        };
        let edit = self.edit(self.without_gateway(map, stdio, wrapped)?)?;
        self.check_after(&edit, entry, |state| matches!(state, State::Wrapped(words) if *words == inner))?;
        Ok(edit)
    }

    /// Reads the file that an edit would make: the entry must be what it should, and all else what it was.
    pub(crate) fn check_after(&self, edit: &Edit, entry: &Entry, good: impl Fn(&State) -> bool) -> Result<(), Refusal> {
        let after = self.after(edit)?;
        let (Some(before), Some(root)) = (&self.root, &after.root) else { return Err(Refusal::Unfit) };
        let (way, index) = match (entry.place.split_last(), entry.index) {
            (Some((_, way)), Some(index)) => (way, Some(index)),
            _ => (entry.place.as_slice(), None),
        };
        let changed = same_but(before, root, way, index).ok_or(Refusal::Unfit)?;
        if changed.twice().is_some() {
            return Err(Refusal::Unfit);
        }
        let (_, state) = read(&entry.shape, changed);
        if good(&state) { Ok(()) } else { Err(Refusal::Unfit) }
    }

    fn without_gateway(&self, map: &Map, stdio: &Stdio, wrapped: &Wrapped) -> Result<Changes, Refusal> {
        let command = member(map, &stdio.command).ok_or(Refusal::Unfit)?;
        let Some(key) = &stdio.args else {
            let list = command.value.list().ok_or(Refusal::Unfit)?;
            let own = list.items.get(wrapped.options.len() + 2).ok_or(Refusal::Unfit)?;
            let first = list.items.first().ok_or(Refusal::Unfit)?;
            return Ok(vec![(first.span.start..own.span.start, String::new())]);
        };
        let args = member(map, key).ok_or(Refusal::Unfit)?;
        let list = args.value.list().ok_or(Refusal::Unfit)?;
        let own = list.items.get(wrapped.options.len() + 1).ok_or(Refusal::Unfit)?;
        let program = (command.value.span.clone(), self.moved(own, map.flow));
        let (Some(first), Some(last)) = (list.items.first(), list.items.last()) else { return Err(Refusal::Unfit) };
        let start = |item: &Node| if list.flow { Some(item.span.start) } else { self.hyphen(item) };
        let gone = match list.items.get(wrapped.options.len() + 2) {
            Some(kept) => start(first).ok_or(Refusal::Unfit)?..start(kept).ok_or(Refusal::Unfit)?,
            None if self.is_new(&args.value) => self.new_member(map, command, args),
            None => first.span.start..last.span.end,
        };
        Ok(vec![program, (gone, String::new())])
    }

    /// Whether a list begins as one that [`Document::wrap`] made.
    fn is_new(&self, node: &Node) -> bool {
        let Some(list) = node.list() else { return false };
        !list.flow || self.raw(&node.span).get(1..).is_some_and(|rest| rest.starts_with(char::is_whitespace))
    }

    /// The range of a member that was put behind another.
    fn new_member(&self, map: &Map, behind: &Member, new: &Member) -> Range<usize> {
        let next = map.members.iter().find(|member| member.key_span.start >= behind.value.span.end);
        if next.is_some_and(|next| next.key_span == new.key_span) {
            behind.value.span.end..new.value.span.end
        } else {
            self.without(map, new)
        }
    }

    fn endpoint_again(
        &self,
        map: &Map,
        stdio: &Stdio,
        http: &Http,
        at: usize,
        headers: &[(String, String)],
    ) -> Result<Changes, Refusal> {
        let command = member(map, &stdio.command).ok_or(Refusal::Unfit)?;
        let (list, at) = match stdio.args.as_ref().and_then(|key| member(map, key)) {
            Some(args) => (args.value.list(), at),
            None => (command.value.list(), at + 1),
        };
        let url = list.and_then(|list| list.items.get(at)).ok_or(Refusal::Unfit)?;
        let mut changes =
            vec![(command.key_span.clone(), write::key(self.format, &http.url, self.raw(&command.key_span)))];
        let (separator, colon) = self.beside(map, command);
        let mut more = Vec::new();
        if let Some(kind) = &http.kind {
            match member(map, &kind.key) {
                Some(said) => changes.push((said.value.span.clone(), self.kind(kind, said))),
                None if http.untyped == Untyped::Http => {}
                None => more.push((kind.key.clone(), Data::Text(kind.value.clone()))),
            }
        }
        let (env, literal) = self.headers_again(map, stdio, http, headers)?;
        changes.extend(env);
        if !literal.is_empty() {
            let literal = Data::Map(literal);
            let named = match http.headers.as_slice() {
                [outer, inner] => (outer.clone(), Data::Map(vec![(inner.clone(), literal)])),
                keys => (keys.first().cloned().unwrap_or_default(), literal),
            };
            more.push(named);
        }
        let more = more.iter().map(|(key, value)| {
            let key = write::key(self.format, key, self.raw(&command.key_span));
            format!("{separator}{key}{colon}{}", write::line(self.format, value))
        });
        let value = self.moved(url, map.flow) + &more.collect::<String>();
        // What only such entries have stands at their end again.
        let last = map.members.iter().max_by_key(|member| member.value.span.end).unwrap_or(command);
        let lost = http.only.iter().filter(|key| member(map, key).is_none());
        let lost = lost.filter_map(|key| Some((key, Data::from(http.extra.get(key)?)))).map(|(key, value)| {
            let (separator, colon) = self.beside(map, last);
            let key = write::key(self.format, key, self.raw(&last.key_span));
            format!("{separator}{key}{colon}{}", write::line(self.format, &value))
        });
        let lost: String = lost.collect();
        let value = if std::ptr::eq(last, command) { value + &lost } else { value };
        changes.push((command.value.span.clone(), value));
        if !lost.is_empty() && !std::ptr::eq(last, command) {
            changes.push((last.value.span.end..last.value.span.end, lost));
        }
        if let Some(args) = stdio.args.as_ref().and_then(|key| member(map, key)) {
            changes.push((self.new_member(map, command, args), String::new()));
        }
        Ok(changes)
    }

    fn kind(&self, kind: &Kind, said: &Member) -> String {
        write::text(self.format, &kind.value, self.raw(&said.value.span))
    }

    /// The variables become the headers that they were. Headers that never were variables are given back.
    fn headers_again(
        &self,
        map: &Map,
        stdio: &Stdio,
        http: &Http,
        headers: &[(String, String)],
    ) -> Result<(Changes, Vec<(String, Data)>), Refusal> {
        let mut changes = Vec::new();
        let mut literal = Vec::new();
        let env = member(map, &stdio.env);
        let names = stdio.env_names.as_ref().and_then(|key| member(map, key));
        let mut found = 0;
        for (name, value) in headers {
            let said = reference(value).and_then(|variable| env.and_then(|env| env.value.get(variable)));
            let bearer = value.strip_prefix("Bearer ").and_then(reference);
            match (said, bearer, names, &http.bearer_env) {
                (Some(said), ..) => {
                    found += 1;
                    changes.push((said.key_span.clone(), write::key(self.format, name, self.raw(&said.key_span))));
                }
                (None, Some(variable), Some(names), Some(key)) if name.eq_ignore_ascii_case("authorization") => {
                    let [one] = names.value.list().map(|list| list.items.as_slice()).unwrap_or_default() else {
                        return Err(Refusal::Unfit);
                    };
                    if one.text() != Some(variable) {
                        return Err(Refusal::Unfit);
                    }
                    changes.push((names.key_span.clone(), write::key(self.format, key, self.raw(&names.key_span))));
                    changes.push((names.value.span.clone(), self.raw(&one.span).to_owned()));
                }
                // A variable of nobody knows where cannot become a header again.
                _ if value.contains("${") => return Err(Refusal::Unfit),
                _ => literal.push((name.clone(), Data::Text(value.clone()))),
            }
        }
        let Some(env) = env else { return Ok((changes, literal)) };
        // What else is in the environment would be sent to the server.
        let all = env.value.map().map_or(0, |map| map.members.len());
        if all != found || (env.value.map().is_none() && !env.value.is_null()) || !literal.is_empty() {
            return Err(Refusal::Unfit);
        }
        let outer = http.headers.first().ok_or(Refusal::Unfit)?;
        changes.push((env.key_span.clone(), write::key(self.format, outer, self.raw(&env.key_span))));
        if let Some(inner) = http.headers.get(1) {
            changes.extend(self.into(env, inner)?);
        }
        Ok((changes, literal))
    }

    /// Puts a map into one that holds nothing else.
    fn into(&self, outer: &Member, key: &str) -> Result<Changes, Refusal> {
        let key = write::key(self.format, key, self.raw(&outer.key_span));
        let map = outer.value.map().ok_or(Refusal::Unfit)?;
        let span = &outer.value.span;
        if map.flow {
            let colon = if self.format == Format::Toml { " = " } else { ": " };
            return Ok(vec![
                (span.start..span.start, format!("{{ {key}{colon}")),
                (span.end..span.end, " }".to_owned()),
            ]);
        }
        let first = map.members.first().ok_or(Refusal::Unfit)?;
        let (own, inner) = (self.lead(outer), self.lead(first));
        let between = inner.len().saturating_sub(own.len()) / 2;
        let lead = inner.get(..own.len() + between).filter(|_| between > 0 && inner.trim().is_empty());
        let lead = lead.ok_or(Refusal::Unfit)?;
        let at = self.line_start(first.key_span.start);
        Ok(vec![(at..at, format!("{lead}{key}:{}", self.line_end))])
    }
}

/// The value at the end of a way, where two trees are the same but for it.
fn same_but<'a>(one: &Node, two: &'a Node, way: &[String], index: Option<usize>) -> Option<&'a Node> {
    let Some((key, rest)) = way.split_first() else {
        let Some(index) = index else { return Some(two) };
        let (one, two) = (one.list()?, two.list()?);
        let others = one.items.iter().zip(&two.items).enumerate();
        let same = one.items.len() == two.items.len()
            && others.filter(|(at, _)| *at != index).all(|(_, (one, two))| one.same(two));
        return two.items.get(index).filter(|_| same);
    };
    let (one, two) = (one.map()?, two.map()?);
    let others = one.members.iter().zip(&two.members);
    let same = one.members.len() == two.members.len()
        && others.clone().all(|(one, two)| one.key == two.key && (one.key == *key || one.value.same(&two.value)));
    let (one, two) = others.filter(|_| same).find(|(one, _)| one.key == *key)?;
    same_but(&one.value, &two.value, rest, index)
}
