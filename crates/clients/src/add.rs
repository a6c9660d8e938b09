//! Entries that come and go.

use std::ops::Range;

use crate::document::{Document, Format, indentation};
use crate::edit::Edit;
use crate::entry::{Entry, Launch};
use crate::refusal::Refusal;
use crate::table::{Client, Kind, Shape, Surface};
use crate::tree::{Map, Member, Node};
use crate::wrap::Changes;
use crate::write::{self, Data};

impl Document {
    /// Adds an entry behind the others. The keys on the way to it are made where they are missing, in an empty
    /// file too. For a pointer with `*` there is no one way, so nothing is added.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn add(&self, client: &Client, surface: &Surface, key: &str, launch: &Launch) -> Result<Edit, Refusal> {
        let before = self.entries(client, surface)?;
        if before.iter().any(|entry| entry.key == key) {
            return Err(Refusal::Taken(audit::visible::word(key)));
        }
        if surface.pointer.iter().any(|key| key == "*") {
            return Err(Refusal::Way("*".to_owned()));
        }
        let mut members = members(&client.shape, launch).ok_or_else(|| Refusal::NoShape(client.name.clone()))?;
        if let Some(name) = &surface.list {
            members.insert(0, (name.clone(), Data::Text(key.to_owned())));
        } else if client.shape.stdio.as_ref().is_some_and(|stdio| stdio.extra.contains_key("name")) {
            let named = |(name, value): (String, Data)| {
                if name == "name" { (name, Data::Text(key.to_owned())) } else { (name, value) }
            };
            members = members.into_iter().map(named).collect();
        }
        let edit = self.edit(vec![self.addition(surface, key, members)?])?;
        let after = self.after(&edit)?.entries(client, surface).map_err(|_| Refusal::Unfit)?;
        let kept = before.iter().all(|old| after.iter().any(|new| new.place == old.place && new.launch == old.launch));
        let added = after.iter().any(|entry| entry.key == key && entry.launch == *launch);
        if kept && added && after.len() == before.len() + 1 { Ok(edit) } else { Err(Refusal::Unfit) }
    }

    fn addition(
        &self,
        surface: &Surface,
        key: &str,
        members: Vec<(String, Data)>,
    ) -> Result<(Range<usize>, String), Refusal> {
        // As far as the way is there.
        let mut node = self.root.as_ref();
        let mut owner = None;
        let mut rest = surface.pointer.as_slice();
        while let (Some(here), Some((next, behind))) = (node, rest.split_first()) {
            if here.map().is_none() && !here.is_null() {
                let way = surface.pointer.iter().take(surface.pointer.len() - rest.len());
                return Err(Refusal::Way(way.cloned().collect::<Vec<_>>().join(".")));
            }
            let Some(member) = here.get(next) else { break };
            owner = Some(member);
            node = Some(&member.value);
            rest = behind;
        }
        if self.format == Format::Toml && node.and_then(Node::map).is_none_or(|map| !map.flow) {
            return Ok(self.new_table(surface, key, &members));
        }
        let entry = Data::Map(members);
        let mut wanted = match (rest.is_empty(), &surface.list) {
            (true, Some(_)) => (None, entry),
            (true, None) => (Some(key.to_owned()), entry),
            (false, Some(_)) => (None, Data::List(vec![entry])),
            (false, None) => (None, Data::Map(vec![(key.to_owned(), entry)])),
        };
        for (depth, name) in rest.iter().enumerate().rev() {
            wanted = match (depth, wanted) {
                (0, (_, data)) => (Some(name.clone()), data),
                (_, (_, data)) => (None, Data::Map(vec![(name.clone(), data)])),
            };
        }
        self.placed(node, owner, wanted)
    }

    /// A named member of a map, or an item of a list, put behind the last one.
    fn placed(
        &self,
        node: Option<&Node>,
        owner: Option<&Member>,
        (name, data): (Option<String>, Data),
    ) -> Result<(Range<usize>, String), Refusal> {
        let yaml = self.format == Format::Yaml;
        let whole = |name: &Option<String>, data: &Data| match name {
            Some(name) => Data::Map(vec![(name.clone(), data.clone())]),
            None => Data::List(vec![data.clone()]),
        };
        let end = self.line_end;
        let step = self.step();
        match node {
            None | Some(Node { kind: crate::tree::Kind::Bare(_), .. }) => {
                let data = whole(&name, &data);
                let indent = owner.map(|owner| indentation(self.lead(owner)) + &step);
                let at = owner.map_or(self.text.len(), |owner| self.behind_colon(owner));
                let past = node.map_or(at, |node| node.span.end.max(at));
                let text = match (yaml, &indent) {
                    (true, Some(indent)) => format!("{end}{indent}{}", self.yaml(&data, indent)),
                    (true, None) => self.at_end(&self.yaml(&data, "")),
                    (false, Some(_)) => {
                        let outer = owner.map(|owner| self.blank(owner)).unwrap_or_default();
                        format!(" {}", write::lines(self.format, &data, &outer, &step, end))
                    }
                    (false, None) => self.at_end(&write::lines(self.format, &data, "", &step, end)),
                };
                Ok((at..past, text))
            }
            Some(node)
                if node.map().is_some_and(|map| map.members.is_empty())
                    || node.list().is_some_and(|list| list.items.is_empty()) =>
            {
                if yaml && let Some(owner) = owner {
                    let indent = indentation(self.lead(owner)) + &step;
                    let text = format!("{end}{indent}{}", self.yaml(&whole(&name, &data), &indent));
                    return Ok((self.behind_colon(owner)..node.span.end, text));
                }
                let outer = owner.map(|owner| self.blank(owner)).unwrap_or_default();
                let inner = format!("{outer}{step}");
                let inside = self.raw(&(node.span.start + 1..node.span.end.saturating_sub(1)));
                let close = if inside.contains('\n') { String::new() } else { format!("{end}{outer}") };
                let text = match &name {
                    Some(name) => format!("{}: ", write::key(self.format, name, "")),
                    None => String::new(),
                } + &write::lines(self.format, &data, &inner, &step, end);
                // Before any comment that stands inside.
                let at = node.span.start + 1;
                let gap = if inside.trim().is_empty() { inside.len() } else { 0 };
                let close = if gap > 0 { format!("{end}{outer}") } else { close };
                Ok((at..at + gap, format!("{end}{inner}{text}{close}")))
            }
            Some(node) => match (node.map(), node.list(), &name) {
                (Some(map), _, Some(name)) => self.behind_last(map, name, &data),
                (_, Some(list), None) => {
                    let last = list.items.last().ok_or(Refusal::Unfit)?;
                    if list.flow {
                        return Ok((last.span.end..last.span.end, format!(", {}", write::line(self.format, &data))));
                    }
                    let hyphen = self.hyphen(last).ok_or(Refusal::Unfit)?;
                    let indent = indentation(self.raw(&(self.line_start(hyphen)..hyphen)));
                    let at = self.line_stop(last.span.end);
                    let item = self.yaml(&data, &format!("{indent}  "));
                    Ok((at..at, format!("{end}{indent}- {item}")))
                }
                _ => Err(Refusal::Way(owner.map(|owner| owner.key.clone()).unwrap_or_default())),
            },
        }
    }

    pub(crate) fn behind_last(&self, map: &Map, name: &str, data: &Data) -> Result<(Range<usize>, String), Refusal> {
        let last = map.members.last().ok_or(Refusal::Unfit)?;
        let (separator, colon) = self.beside(map, last);
        if !map.flow {
            let indent = indentation(self.lead(last));
            let at = self.line_stop(last.value.span.end);
            let text = self.yaml(&Data::Map(vec![(name.to_owned(), data.clone())]), &indent);
            return Ok((at..at, format!("{}{indent}{text}", self.line_end)));
        }
        let name = write::key(self.format, name, self.raw(&last.key_span));
        let at = last.value.span.end;
        if !separator.contains('\n') {
            return Ok((at..at, format!("{separator}{name}{colon}{}", write::line(self.format, data))));
        }
        let text = write::lines(self.format, data, &self.blank(last), &self.step(), self.line_end);
        // A comment on the last line stays there.
        let stop = self.line_stop(at);
        let rest = self.raw(&(at..stop));
        let (comma, comment) = rest.strip_prefix(',').map_or(("", rest), |comment| (",", comment));
        let said = comment.trim();
        if said.is_empty() || is_comment(said) {
            let separator = separator.strip_prefix(',').unwrap_or(&separator);
            return Ok((at..stop, format!(",{comment}{separator}{name}{colon}{text}{comma}")));
        }
        Ok((at..at, format!("{separator}{name}{colon}{text}")))
    }

    /// A table of TOML with a header of its own, at the end.
    fn new_table(&self, surface: &Surface, key: &str, members: &[(String, Data)]) -> (Range<usize>, String) {
        let way = surface.pointer.iter().map(String::as_str).chain([key]);
        let way: Vec<String> = way.map(|key| write::key(Format::Toml, key, "")).collect();
        let lines = members.iter().map(|(name, value)| {
            format!("{}{} = {}", self.line_end, write::key(Format::Toml, name, ""), write::line(Format::Toml, value))
        });
        let table = format!("[{}]{}", way.join("."), lines.collect::<String>());
        let gap = if self.text.trim().is_empty() { "" } else { self.line_end };
        let text = self.at_end(&table);
        let at = self.text.len();
        let (ended, text) = text.split_at_checked(text.len() - text.trim_start().len()).unwrap_or(("", &text));
        (at..at, format!("{ended}{gap}{text}"))
    }

    /// A text at the end of the file, on lines of its own.
    fn at_end(&self, text: &str) -> String {
        let ended = self.text.is_empty() || self.text.ends_with('\n');
        format!("{}{text}{}", if ended { "" } else { self.line_end }, self.line_end)
    }

    fn yaml(&self, data: &Data, indent: &str) -> String {
        match data {
            Data::Map(members) => write::block(members, indent, self.line_end),
            Data::List(items) => {
                let inner = format!("{indent}  ");
                let items = items.iter().map(|item| format!("- {}", self.yaml(item, &inner)));
                items.collect::<Vec<_>>().join(&format!("{}{indent}", self.line_end))
            }
            other => write::line(Format::Yaml, other),
        }
    }

    /// Where the value of a member may begin.
    pub(crate) fn behind_colon(&self, member: &Member) -> usize {
        let rest = self.text.get(member.key_span.end..).unwrap_or_default();
        member.key_span.end + rest.find(':').map_or(0, |colon| colon + 1)
    }

    /// The indentation of a member's line.
    fn blank(&self, member: &Member) -> String {
        self.lead(member).chars().take_while(|letter| letter.is_whitespace()).collect()
    }

    /// One step of the file's own indentation.
    fn step(&self) -> String {
        if self.format == Format::Yaml {
            return "  ".to_owned();
        }
        let inner = self.root.as_ref().and_then(Node::map).and_then(|map| map.members.first());
        let step = inner.filter(|member| self.line_start(member.key_span.start) > 0).map(|member| self.blank(member));
        step.filter(|step| !step.is_empty()).unwrap_or_else(|| "  ".to_owned())
    }

    /// Takes an entry out.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn remove(&self, entry: &Entry) -> Result<Edit, Refusal> {
        let node = self.node_of(entry)?;
        let (root, Some((key, way))) = (self.root.as_ref().ok_or(Refusal::Stale)?, entry.place.split_last()) else {
            return Err(Refusal::Stale);
        };
        let owner = way.split_last().and_then(|(last, before)| root.at(before)?.get(last));
        let parent = root.at(way).ok_or(Refusal::Stale)?;
        let changes = match (parent.map(), parent.list()) {
            (Some(map), _) if !map.flow && map.members.len() == 1 && self.format == Format::Yaml => {
                let owner = owner.ok_or(Refusal::Unfit)?;
                vec![(self.behind_colon(owner)..parent.span.end, " {}".to_owned())]
            }
            (Some(map), _) if !map.flow && node.map().is_some_and(|map| !map.flow) && self.format == Format::Toml => {
                let lines = self.lines_of(&node.span);
                let blank = self.text.get(lines.end..).is_some_and(|rest| rest.starts_with(self.line_end));
                let end = if blank { lines.end + self.line_end.len() } else { lines.end };
                vec![(lines.start..end, String::new())]
            }
            (Some(map), _) => {
                let member = map.members.iter().find(|member| member.key == *key).ok_or(Refusal::Stale)?;
                self.away(map, member)
            }
            (_, Some(list)) => self.item_away(list, owner, parent, node)?,
            _ => return Err(Refusal::Stale),
        };
        let edit = self.edit(changes)?;
        let after = self.after(&edit)?;
        let good = after.root.as_ref().is_none_or(|after| same_without(root, after, way, key, entry.index));
        if good { Ok(edit) } else { Err(Refusal::Scattered) }
    }

    fn item_away(
        &self,
        list: &crate::tree::List,
        owner: Option<&Member>,
        parent: &Node,
        node: &Node,
    ) -> Result<Changes, Refusal> {
        let at = list.items.iter().position(|item| item.span == node.span).ok_or(Refusal::Stale)?;
        if list.items.len() == 1 {
            let owner = owner.ok_or(Refusal::Unfit)?;
            return Ok(vec![(self.behind_colon(owner)..parent.span.end, " []".to_owned())]);
        }
        if !list.flow {
            let hyphen = self.hyphen(node).ok_or(Refusal::Unfit)?;
            return Ok(vec![(self.lines_of(&(hyphen..node.span.end)), String::new())]);
        }
        let range = match (list.items.get(at + 1), at.checked_sub(1).and_then(|before| list.items.get(before))) {
            (Some(next), _) => node.span.start..next.span.start,
            (None, Some(before)) => before.span.end..node.span.end,
            (None, None) => node.span.clone(),
        };
        Ok(vec![(range, String::new())])
    }

    /// From the start of the first line to the start of the one after the last.
    fn lines_of(&self, span: &Range<usize>) -> Range<usize> {
        let stop = self.line_stop(span.end);
        let rest = self.text.get(stop..).unwrap_or_default();
        let end = if rest.starts_with("\r\n") { 2 } else { usize::from(rest.starts_with('\n')) };
        self.line_start(span.start)..stop + end
    }

    /// The range of a member with its comma or its line.
    pub(crate) fn without(&self, map: &Map, member: &Member) -> Range<usize> {
        let at = map.members.iter().position(|other| other.key_span == member.key_span).unwrap_or(0);
        let next = map.members.get(at + 1);
        if !map.flow {
            return self.lines_of(&(member.key_span.start..member.value.span.end));
        }
        match (next, at.checked_sub(1).and_then(|before| map.members.get(before))) {
            (Some(next), _) => member.key_span.start..next.key_span.start,
            (None, Some(before)) => before.value.span.end..member.value.span.end,
            (None, None) => member.key_span.start..member.value.span.end,
        }
    }

    /// [`Document::without`], but for comments on the member before and on the one behind.
    pub(crate) fn away(&self, map: &Map, member: &Member) -> Changes {
        let at = map.members.iter().position(|other| other.key_span == member.key_span).unwrap_or(0);
        let before = at.checked_sub(1).and_then(|before| map.members.get(before));
        let commented = |range: &Range<usize>| self.raw(range).contains(['/', '#']);
        let behind = map.members.get(at + 1).map(|next| member.value.span.end..next.key_span.start);
        let between = before.map(|before| before.value.span.end..member.key_span.start);
        match (map.flow, behind, between) {
            (true, Some(behind), _) if commented(&behind) => {
                // What stands behind its comma on the same line is about it.
                let comma = self.comma(&behind).map_or(behind.end, |comma| comma + 1);
                let stop = self.line_stop(comma);
                let own = is_comment(self.raw(&(comma..stop)).trim()) && stop <= behind.end;
                vec![(member.key_span.start..if own { stop } else { comma }, String::new())]
            }
            (true, None, Some(between)) if commented(&between) => {
                let comma = self.comma(&between).map(|comma| (comma..comma + 1, String::new()));
                comma.into_iter().chain([(member.key_span.start..member.value.span.end, String::new())]).collect()
            }
            (true, None, None) => {
                let comma = self.comma(&(member.value.span.end..self.text.len()));
                let comma = comma.map(|comma| (comma..comma + 1, String::new()));
                comma.into_iter().chain([(self.without(map, member), String::new())]).collect()
            }
            _ => vec![(self.without(map, member), String::new())],
        }
    }

    /// The comma that comes next, behind blanks and comments.
    fn comma(&self, within: &Range<usize>) -> Option<usize> {
        let mut at = within.start;
        loop {
            let rest = self.text.get(at..within.end)?;
            let found = rest.trim_start();
            at += rest.len() - found.len();
            if found.starts_with(',') {
                return Some(at);
            }
            at += if found.starts_with("/*") {
                found.find("*/")? + 2
            } else if found.starts_with(['/', '#']) {
                found.find('\n')? + 1
            } else {
                return None;
            };
        }
    }
}

/// Whether a text is one comment and nothing else.
fn is_comment(text: &str) -> bool {
    text.starts_with('#') || text.starts_with("//") || is_one_comment(text)
}

fn is_one_comment(text: &str) -> bool {
    text.strip_prefix("/*").is_some_and(|rest| rest.find("*/").is_some_and(|end| end + 2 == rest.len()))
}

/// Whether two trees are the same but for an entry that the first has; maps that it leaves empty may be gone.
fn same_without(one: &Node, two: &Node, way: &[String], key: &str, index: Option<usize>) -> bool {
    let Some((next, rest)) = way.split_first() else {
        return match (index, one.list(), two.list(), one.map(), two.map()) {
            (Some(index), Some(one), Some(two), ..) => {
                let kept = one.items.iter().enumerate().filter(|(at, _)| *at != index);
                two.items.len() + 1 == one.items.len() && kept.zip(&two.items).all(|((_, one), two)| one.same(two))
            }
            (None, _, _, Some(one), Some(two)) => {
                let kept = one.members.iter().filter(|member| member.key != key);
                two.members.len() + 1 == one.members.len()
                    && kept.zip(&two.members).all(|(one, two)| one.key == two.key && one.value.same(&two.value))
            }
            _ => false,
        };
    };
    let (Some(one), Some(two)) = (one.map(), two.map()) else { return false };
    let others = |map: &Map| map.members.iter().filter(|member| member.key != *next).cloned().collect::<Vec<_>>();
    let (left, right) = (others(one), others(two));
    let same = left.len() == right.len()
        && left.iter().zip(&right).all(|(one, two)| one.key == two.key && one.value.same(&two.value));
    let find = |map: &Map| map.members.iter().find(|member| member.key == *next).map(|member| member.value.clone());
    same && match (find(one), find(two)) {
        (Some(one), Some(two)) => same_without(&one, &two, rest, key, index),
        // It was the only one.
        (Some(one), None) => {
            let alone = |node: &Node| node.map().is_some_and(|map| map.members.len() == 1);
            alone(&one)
        }
        _ => false,
    }
}

/// The members of a new entry.
fn members(shape: &Shape, launch: &Launch) -> Option<Vec<(String, Data)>> {
    let mut members = Vec::new();
    let kind = |members: &mut Vec<(String, Data)>, kind: &Option<Kind>| {
        if let Some(kind) = kind.as_ref().filter(|kind| !kind.optional) {
            members.push((kind.key.clone(), Data::Text(kind.value.clone())));
        }
    };
    let secrets = |pairs: &[(String, crate::secret::Secret)]| {
        Data::Map(pairs.iter().map(|(name, value)| (name.clone(), Data::Text(value.expose().to_owned()))).collect())
    };
    let extra = match launch {
        Launch::Stdio { command, args, env } => {
            let stdio = shape.stdio.as_ref()?;
            kind(&mut members, &stdio.kind);
            match &stdio.args {
                Some(key) => {
                    members.push((stdio.command.clone(), Data::Text(command.clone())));
                    members.push((key.clone(), Data::texts(args)));
                }
                None => {
                    let words: Vec<String> = std::iter::once(command).chain(args).cloned().collect();
                    members.push((stdio.command.clone(), Data::texts(&words)));
                }
            }
            if !env.is_empty() {
                members.push((stdio.env.clone(), secrets(env)));
            }
            &stdio.extra
        }
        Launch::Http { url, headers } => {
            let http = shape.http.as_ref()?;
            kind(&mut members, &http.kind);
            members.push((http.url.clone(), Data::Text(url.clone())));
            if !headers.is_empty() {
                let (first, rest) = http.headers.split_first()?;
                let headers =
                    rest.iter().rev().fold(secrets(headers), |data, key| Data::Map(vec![(key.clone(), data)]));
                members.push((first.clone(), headers));
            }
            &http.extra
        }
        Launch::Other(_) => return None,
    };
    members.extend(extra.iter().map(|(key, value)| (key.clone(), Data::from(value))));
    Some(members)
}
