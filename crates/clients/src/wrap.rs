//! The gateway before a server.

use std::ops::Range;

use crate::document::{Document, Format, indentation};
use crate::edit::Edit;
use crate::entry::{Entry, Launch, NotCovered, State, body, member};
use crate::refusal::Refusal;
use crate::table::{Http, Stdio};
use crate::tree::{Map, Member, Node};
use crate::wrapped::{Target, is_as_written, is_ours, reference};
use crate::write;

/// What is put before a server.
#[derive(Debug, Clone)]
pub struct Wrapper {
    /// The path of toolgate.
    pub program: String,
    /// `run` and its options.
    pub options: Vec<String>,
    /// Whether others use the file too, so that no path of this machine may stand in it.
    pub portable: bool,
}

/// Ranges with what stands there instead.
pub(crate) type Changes = Vec<(Range<usize>, String)>;

/// How the names of variables begin that hold the values of headers.
const VARIABLE: &str = "TOOLGATE_HEADER_";

impl Wrapper {
    fn check(&self) -> Result<(), Refusal> {
        let ends = |option: &&String| matches!(option.as_str(), "--" | "--upstream" | "--header" | "--header-from");
        if let Some(option) = self.options.iter().find(ends) {
            return Err(Refusal::Option(option.clone()));
        }
        if self.options.first().is_none_or(|first| first != "run") {
            return Err(Refusal::Option("in the place of `toolgate run`".to_owned()));
        }
        if !is_ours(&self.program) && !is_as_written(&self.options) {
            return Err(Refusal::Program(audit::visible::word(&self.program)));
        }
        let machine = |word: &str| {
            let value = word.split_once('=').map_or(word, |(_, value)| value);
            let drive = value.get(1..3).is_some_and(|colon| colon == ":\\" || colon == ":/");
            value.starts_with(['/', '~', '\\']) || drive
        };
        let words = std::iter::once(&self.program).chain(&self.options);
        match words.into_iter().find(|word| machine(word)) {
            Some(word) if self.portable => Err(Refusal::NotPortable(audit::visible::word(word))),
            _ => Ok(()),
        }
    }
}

impl Document {
    /// Puts the gateway before a server. The key of the entry stays, and whatever has nothing to do with how the
    /// server is reached.
    ///
    /// A program's words move behind those of the gateway. An endpoint becomes a program, whose variables are the
    /// former headers: their values stay in their place, so that no secret stands among the arguments.
    ///
    /// An entry for which [`NotCovered::if_asked`] holds is wrapped as well: whoever calls has asked for it.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn wrap(&self, entry: &Entry, wrapper: &Wrapper) -> Result<Edit, Refusal> {
        wrapper.check()?;
        match &entry.state {
            State::Bare => {}
            State::NotCovered(why) if why.if_asked() => {}
            State::NotCovered(why) => return Err(Refusal::NotCovered(why.clone())),
            State::Wrapped(_) => return Err(Refusal::Wrapped),
        }
        let node = self.node_of(entry)?;
        let (Some(map), Some(stdio)) = (body(&entry.shape, node), &entry.shape.stdio) else {
            return Err(Refusal::Unfit);
        };
        let (changes, target) = match (&entry.launch, &entry.shape.http) {
            (Launch::Stdio { command, args, .. }, _) => {
                let words = std::iter::once(command).chain(args).cloned().collect();
                (self.before_program(map, stdio, wrapper)?, Target::Program(words))
            }
            (Launch::Http { url, headers }, Some(http)) => {
                let named = named(headers.iter().map(|(name, value)| (name.as_str(), value.expose())), map, http);
                let changes = self.before_endpoint(map, stdio, http, wrapper, &named)?;
                let headers = named.into_iter().map(|header| (header.name, header.value)).collect();
                (changes, Target::Upstream { url: url.clone(), headers })
            }
            _ => return Err(Refusal::Unfit),
        };
        let edit = self.edit(changes)?;
        self.check_after(&edit, entry, |state| {
            matches!(state, State::Wrapped(words) if words.target == target && words.options == wrapper.options)
        })?;
        Ok(edit)
    }

    fn before_program(&self, map: &Map, stdio: &Stdio, wrapper: &Wrapper) -> Result<Changes, Refusal> {
        let command = member(map, &stdio.command).ok_or(Refusal::Unfit)?;
        let Some(key) = &stdio.args else {
            let like = command.value.list().and_then(|list| list.items.first()).map(|item| self.raw(&item.span));
            let words = std::iter::once(&wrapper.program).chain(&wrapper.options).map(String::as_str);
            let words = words.chain(["--"]).map(|word| write::text(self.format, word, like.unwrap_or_default()));
            return Ok(vec![self.before_first(&command.value, words.collect())?]);
        };
        let raw = self.raw(&command.value.span);
        let args = member(map, key);
        let first = args.and_then(|args| args.value.list()).and_then(|list| list.items.first());
        let like = first.map_or(raw, |first| self.raw(&first.span));
        let in_brackets = args.map_or(map.flow, |args| args.value.list().is_some_and(|list| list.flow));
        let mut words: Vec<String> = self.words(&wrapper.options, like, in_brackets);
        words.push(self.word("--", like, in_brackets));
        words.push(self.moved(&command.value, in_brackets));
        let program = write::text(self.format, &wrapper.program, raw);
        Ok(match args {
            Some(args) => vec![(command.value.span.clone(), program), self.before_first(&args.value, words)?],
            None => vec![(command.value.span.clone(), program + &self.new_list(map, command, key, &words))],
        })
    }

    fn before_endpoint(
        &self,
        map: &Map,
        stdio: &Stdio,
        http: &Http,
        wrapper: &Wrapper,
        headers: &[Header],
    ) -> Result<Changes, Refusal> {
        let address = member(map, &http.url).ok_or(Refusal::Unfit)?;
        let raw = self.raw(&address.value.span);
        let key = write::key(self.format, &stdio.command, self.raw(&address.key_span));
        let mut words = self.words(&wrapper.options, raw, map.flow);
        words.push(self.word("--upstream", raw, map.flow));
        words.push(self.moved(&address.value, map.flow));
        for header in headers {
            // Clients fill in `${…}` themselves, so a whole variable is named without it.
            let (option, value) = match reference(&header.value) {
                Some(variable) => ("--header-from", format!("{}={variable}", header.name)),
                None => ("--header", format!("{}: {}", header.name, header.value)),
            };
            words.push(self.word(option, raw, map.flow));
            words.push(self.word(&value, raw, map.flow));
        }
        let value = match &stdio.args {
            Some(args) => write::text(self.format, &wrapper.program, raw) + &self.new_list(map, address, args, &words),
            None => {
                let program = write::text(self.format, &wrapper.program, raw);
                format!("[{program}, {}]", words.join(", "))
            }
        };
        let mut changes = vec![(address.key_span.clone(), key), (address.value.span.clone(), value)];
        if let (Some(kind), Some(stdio)) = (&http.kind, &stdio.kind)
            && let Some(said) = member(map, &kind.key)
        {
            changes.push((said.value.span.clone(), write::text(self.format, &stdio.value, self.raw(&said.value.span))));
        }
        if let Some(said) = http.bearer_env.as_ref().and_then(|key| member(map, key)) {
            let names = stdio.env_names.as_ref().ok_or(Refusal::Unfit)?;
            if member(map, names).is_some() {
                return Err(Refusal::NotCovered(NotCovered::Both(names.clone())));
            }
            changes.push((said.key_span.clone(), write::key(self.format, names, self.raw(&said.key_span))));
            changes.push((said.value.span.clone(), format!("[{}]", self.raw(&said.value.span))));
        }
        for only in http.only.iter().filter_map(|key| member(map, key)) {
            changes.push((self.without(map, only), String::new()));
        }
        if let Some((outer, inner)) = self.headers_of(map, http)? {
            changes.push((outer.key_span.clone(), write::key(self.format, &stdio.env, self.raw(&outer.key_span))));
            if !std::ptr::eq(outer, inner) {
                changes.extend(self.out_of(outer, inner));
            }
            for said in inner.value.map().into_iter().flat_map(|map| &map.members) {
                let header = headers.iter().find(|header| header.key == said.key).ok_or(Refusal::Unfit)?;
                let variable = write::key(self.format, &header.variable, self.raw(&said.key_span));
                changes.push((said.key_span.clone(), variable));
            }
        }
        Ok(changes)
    }

    /// The member with the headers: the outer one in the entry, and the one that holds them.
    fn headers_of<'a>(&self, map: &'a Map, http: &Http) -> Result<Option<(&'a Member, &'a Member)>, Refusal> {
        let Some(outer) = http.headers.first().and_then(|key| member(map, key)) else { return Ok(None) };
        let Some(key) = http.headers.get(1) else { return Ok(Some((outer, outer))) };
        let all = outer.value.map().map(|map| map.members.as_slice()).unwrap_or_default();
        match all {
            // A key with nothing behind it cannot be taken out of the map around it.
            [inner] if inner.key == *key && inner.value.map().is_none() => Err(Refusal::Unfit),
            [inner] if inner.key == *key => Ok(Some((outer, inner))),
            _ => {
                let other = all.iter().find(|member| member.key != *key).map_or(key, |member| &member.key);
                Err(Refusal::NotCovered(NotCovered::Both(other.clone())))
            }
        }
    }

    /// Takes a map out of the one that holds nothing else.
    fn out_of(&self, outer: &Member, inner: &Member) -> Changes {
        let first = inner.value.map().filter(|map| !map.flow).and_then(|map| map.members.first());
        let own_line = |member: &Member| self.lead(member).trim().is_empty();
        if let Some(first) = first.filter(|first| own_line(first) && own_line(inner)) {
            return vec![(self.line_start(inner.key_span.start)..self.line_start(first.key_span.start), String::new())];
        }
        let (outside, inside) = (&outer.value.span, &inner.value.span);
        vec![(outside.start..inside.start, String::new()), (inside.end..outside.end, String::new())]
    }

    /// Words before the first one of a list.
    fn before_first(&self, node: &Node, words: Vec<String>) -> Result<(Range<usize>, String), Refusal> {
        let list = node.list().ok_or(Refusal::Unfit)?;
        if list.items.is_empty() {
            let start = node.span.start + 1;
            return Ok((start..start, words.join(", ")));
        }
        self.before_item(node, 0, words)
    }

    /// Words before one that is in a list.
    pub(crate) fn before_item(
        &self,
        node: &Node,
        number: usize,
        words: Vec<String>,
    ) -> Result<(Range<usize>, String), Refusal> {
        let list = node.list().ok_or(Refusal::Unfit)?;
        let item = list.items.get(number).ok_or(Refusal::Unfit)?;
        let at = if list.flow { item.span.start } else { self.hyphen(item).ok_or(Refusal::Unfit)? };
        let line = self.line_start(at);
        let lead = self.raw(&(line..at));
        let blank = lead.trim().is_empty();
        let first = list.items.first().unwrap_or(item);
        let tight = list.items.get(1).is_some_and(|second| self.raw(&(first.span.end..second.span.start)) == ",");
        let separator = match list.flow {
            false => format!("{}{}", self.line_end, indentation(lead)),
            true if blank && line > node.span.start => format!(",{}{lead}", self.line_end),
            true if tight => ",".to_owned(),
            true => ", ".to_owned(),
        };
        let hyphen = if list.flow { "" } else { "- " };
        Ok((at..at, words.iter().map(|word| format!("{hyphen}{word}{separator}")).collect()))
    }

    /// Where the hyphen of an item of a list stands.
    pub(crate) fn hyphen(&self, item: &Node) -> Option<usize> {
        let before = self.text.get(..item.span.start)?.trim_end_matches([' ', '\t']);
        before.ends_with('-').then(|| before.len() - 1)
    }

    /// A list as a new member behind another. It begins with a space, or stands on lines of its own: so
    /// [`Document::unwrap`] can tell it from one that was there and empty.
    fn new_list(&self, map: &Map, behind: &Member, key: &str, words: &[String]) -> String {
        let (separator, colon) = self.beside(map, behind);
        let key = write::key(self.format, key, self.raw(&behind.key_span));
        if self.format == Format::Yaml && !map.flow {
            let words = words.iter().map(|word| format!("{separator}  - {word}"));
            return format!("{separator}{key}:{}", words.collect::<String>());
        }
        format!("{separator}{key}{colon}[ {} ]", words.join(", "))
    }

    fn words(&self, words: &[String], like: &str, in_brackets: bool) -> Vec<String> {
        words.iter().map(|word| self.word(word, like, in_brackets)).collect()
    }

    pub(crate) fn word(&self, word: &str, like: &str, in_brackets: bool) -> String {
        let loose = self.format == Format::Yaml && in_brackets && word.contains([',', '[', ']', '{', '}']);
        write::text(self.format, word, if loose { "\"" } else { like })
    }

    /// A text as it is written, in another place.
    pub(crate) fn moved(&self, node: &Node, in_brackets: bool) -> String {
        let raw = self.raw(&node.span);
        let quoted = raw.starts_with(['"', '\'']);
        let stuck = raw.contains('\n') || node.fixed.is_some();
        let loose = !quoted && in_brackets && raw.contains([',', '[', ']', '{', '}']);
        if self.format == Format::Yaml && (stuck || loose) {
            return write::text(self.format, node.scalar().unwrap_or_default(), "\"");
        }
        raw.to_owned()
    }
}

/// A header, and how it is handed on.
struct Header {
    key: String,
    name: String,
    variable: String,
    value: String,
}

/// The headers with the variables that hold them. One that names a variable already keeps it.
fn named<'a>(headers: impl Iterator<Item = (&'a str, &'a str)>, map: &Map, http: &Http) -> Vec<Header> {
    let bearer = http.bearer_env.as_ref().and_then(|key| member(map, key)).and_then(|member| member.value.text());
    let mut all: Vec<Header> = Vec::new();
    for (name, value) in headers {
        let own = bearer.is_some_and(|bearer| value == format!("Bearer ${{{bearer}}}"));
        let letter = |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_uppercase() } else { '_' };
        let base = format!("{VARIABLE}{}", name.chars().map(letter).collect::<String>());
        let taken = |variable: &String| all.iter().any(|header| header.variable == *variable);
        let numbered = (2..).map(|number| format!("{base}_{number}"));
        let variable = std::iter::once(base.clone()).chain(numbered).find(|variable| !taken(variable));
        let variable = variable.unwrap_or_else(|| base.clone());
        let reference = if own { value.to_owned() } else { format!("${{{variable}}}") };
        all.push(Header { key: name.to_owned(), name: name.to_owned(), variable, value: reference });
    }
    all
}
