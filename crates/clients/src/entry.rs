//! The servers that a file names.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::document::{BadDocument, Document};
use crate::secret::{Secret, is_key, is_secret};
use crate::table::{Client, Http, Shape, Surface, Untyped};
use crate::tree::{Kind, Map, Member, Node};
use crate::wrapped::Wrapped;

/// One server, as its client reads it.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The id of the client.
    pub client: String,
    /// The name of the server.
    pub key: String,
    /// The keys down to it, its own last.
    pub place: Vec<String>,
    /// How it is reached.
    pub launch: Launch,
    /// Whether the gateway stands before it, or can.
    pub state: State,
    /// Whether the client uses it.
    pub enabled: bool,
    /// The folder in which its program is started, as it is written, where the entry names one.
    pub cwd: Option<String>,
    pub(crate) shape: Arc<Shape>,
    pub(crate) span: Range<usize>,
    pub(crate) index: Option<usize>,
    pub(crate) at: usize,
}

/// How a server is reached, as it is written: no variables are filled in.
#[derive(Clone, PartialEq, Eq)]
pub enum Launch {
    /// By a program.
    Stdio {
        /// The program.
        command: String,
        /// Its arguments.
        args: Vec<String>,
        /// Its variables.
        env: Vec<(String, Secret)>,
    },
    /// Over Streamable HTTP.
    Http {
        /// Where.
        url: String,
        /// Its headers.
        headers: Vec<(String, Secret)>,
    },
    /// In no way that is known.
    Other(NotCovered),
}

/// Whether the gateway stands before a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It does not, and can.
    Bare,
    /// It does.
    Wrapped(Wrapped),
    /// It does not, and why it is not put there unasked.
    NotCovered(NotCovered),
}

/// Why a server is not covered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotCovered {
    /// The client as a whole.
    #[error("{0}")]
    Client(String),
    /// The older transport.
    #[error(
        "it is reached by HTTP+SSE, the transport of 2024-11-05: enter the server's Streamable HTTP endpoint where it has one, or `toolgate run --upstream URL` in its place, which speaks both"
    )]
    Sse,
    /// No credentials stand in the entry.
    #[error(
        "it names no credentials, so the client may log in by itself, with OAuth: wrap it by name if the server needs no login"
    )]
    OwnLogin,
    /// Headers that only the client can make.
    #[error("its credentials are made by the client (`{0}`), which the gateway cannot do")]
    MadeByClient(String),
    /// A value that the client asks a person for.
    #[error(
        "the client asks for a value of its address (`${{input:…}}`), which would then stand among the arguments of a program"
    )]
    Input,
    /// The client ignores addresses in its file.
    #[error("this client starts programs only: it ignores addresses in this file, and keeps connectors in its account")]
    NoUrl,
    /// An HTTP entry with variables.
    #[error("it has an address and `{0}` as well")]
    Both(String),
    /// Something else than the client writes.
    #[error("{0}")]
    Shape(String),
    /// It starts toolgate, in words that are not of `wrap`.
    #[error("it starts toolgate in words of its own")]
    OwnWords,
}

impl NotCovered {
    /// Whether it can be covered when somebody asks for this one by name.
    #[must_use]
    pub fn if_asked(&self) -> bool {
        *self == Self::OwnLogin
    }
}

impl Launch {
    /// The names of variables and headers whose values stand there in plain text and look like secrets; `an argument`
    /// and `the address` for those that have no name.
    ///
    /// ```
    /// use clients::Launch;
    ///
    /// let env = vec![("GITHUB_TOKEN".to_owned(), "ghp_made_up".into()), ("LOG".to_owned(), "info".into())];
    /// let launch = Launch::Stdio { command: "npx".into(), args: vec!["github".into()], env };
    /// assert_eq!(launch.plain_secrets(), ["GITHUB_TOKEN"]);
    /// ```
    #[must_use]
    pub fn plain_secrets(&self) -> Vec<String> {
        let named = |pairs: &[(String, Secret)]| {
            let secret = pairs.iter().filter(|(name, value)| is_secret(name, value.expose()));
            secret.map(|(name, _)| name.clone()).collect::<Vec<_>>()
        };
        match self {
            Self::Stdio { args, env, .. } => {
                let argument =
                    args.iter().any(|word| is_key(word.rsplit('=').next().unwrap_or_default()) || is_key(word));
                named(env).into_iter().chain(argument.then(|| "an argument".to_owned())).collect()
            }
            Self::Http { url, headers } => {
                named(headers).into_iter().chain(is_key(url).then(|| "the address".to_owned())).collect()
            }
            Self::Other(_) => Vec::new(),
        }
    }
}

impl fmt::Debug for Launch {
    /// Names alone: arguments and addresses may hold secrets too.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |pairs: &[(String, Secret)]| pairs.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        match self {
            Self::Stdio { command, args, env } => {
                let mut shown = out.debug_struct("Stdio");
                shown.field("command", command).field("args", &args.len()).field("env", &names(env)).finish()
            }
            Self::Http { url, headers } => {
                let place = url.split(['?', '#']).next().unwrap_or_default();
                let place = place.rsplit('@').next().unwrap_or_default();
                out.debug_struct("Http").field("url", &place).field("headers", &names(headers)).finish()
            }
            Self::Other(why) => out.debug_tuple("Other").field(why).finish(),
        }
    }
}

/// What is done with the servers at the end of a way.
type Found<'a> = dyn FnMut(&Node, &[String]) -> Result<(), BadDocument> + 'a;

impl Document {
    /// The servers that a client finds in this file.
    ///
    /// # Errors
    /// [`BadDocument`], when a key is there twice on the way to an entry or within one, or something on the way
    /// is written so that it cannot be edited.
    pub fn entries(&self, client: &Client, surface: &Surface) -> Result<Vec<Entry>, BadDocument> {
        let mut found = Vec::new();
        let Some(root) = &self.root else { return Ok(found) };
        if !surface.unless.is_empty() && root.at(&surface.unless).is_some() {
            return Ok(found);
        }
        let shape = Arc::new(client.shape.clone());
        let mut way = Vec::new();
        self.descend(root, &surface.pointer, &mut way, &mut |node, way| {
            self.collect(node, way, client, surface, &shape, &mut found)
        })?;
        Ok(found)
    }

    fn descend(
        &self,
        node: &Node,
        pointer: &[String],
        way: &mut Vec<String>,
        found: &mut Found<'_>,
    ) -> Result<(), BadDocument> {
        if let Some(why) = node.fixed {
            return Err(self.fixed(node, why));
        }
        if let Some(member) = node.twice_here() {
            return Err(self.twice(member));
        }
        let Some((key, rest)) = pointer.split_first() else { return found(node, way) };
        let Some(map) = node.map() else { return Ok(()) };
        for member in map.members.iter().filter(|member| key == "*" || member.key == *key) {
            way.push(member.key.clone());
            self.descend(&member.value, rest, way, found)?;
            way.pop();
        }
        Ok(())
    }

    fn collect(
        &self,
        node: &Node,
        way: &[String],
        client: &Client,
        surface: &Surface,
        shape: &Arc<Shape>,
        found: &mut Vec<Entry>,
    ) -> Result<(), BadDocument> {
        let mut add = |key: &str, node: &Node, at: usize, index: Option<usize>| {
            if let Some((fixed, why)) = node.first_fixed() {
                return Err(self.fixed(fixed, why));
            }
            if let Some(member) = node.twice() {
                return Err(self.twice(member));
            }
            let place = way.iter().cloned().chain([key.to_owned()]).collect();
            found.push(entry(client, shape, key, place, node, at, index));
            Ok(())
        };
        if let (Some(name_key), Some(list)) = (&surface.list, node.list()) {
            let mut names = std::collections::HashSet::new();
            for (index, item) in list.items.iter().enumerate() {
                let Some(member) = item.get(name_key) else { continue };
                let Some(name) = member.value.scalar() else { continue };
                if !names.insert(name) {
                    let second = Member { key: name.to_owned(), ..member.clone() };
                    return Err(self.twice(&second));
                }
                add(name, item, item.span.start, Some(index))?;
            }
            return Ok(());
        }
        let Some(map) = node.map() else { return Ok(()) };
        map.members.iter().try_for_each(|member| add(&member.key, &member.value, member.key_span.start, None))
    }
}

fn entry(
    client: &Client,
    shape: &Arc<Shape>,
    key: &str,
    place: Vec<String>,
    node: &Node,
    at: usize,
    index: Option<usize>,
) -> Entry {
    let (launch, state) = read(shape, node);
    let whole = client.not_covered.as_ref().map(|why| State::NotCovered(NotCovered::Client(why.clone())));
    let state = whole.unwrap_or(state);
    let off = shape.off.as_ref().is_some_and(|off| {
        let said = node.get(&off.key).map(|member| &member.value.kind);
        matches!(said, Some(Kind::Bare(bare)) if bare.eq_ignore_ascii_case(if off.when { "true" } else { "false" }))
    });
    Entry {
        client: client.id.clone(),
        key: key.to_owned(),
        place,
        launch,
        state,
        enabled: !off,
        cwd: cwd(shape, node),
        shape: Arc::clone(shape),
        span: node.span.clone(),
        index,
        at,
    }
}

/// The keys under which clients take the folder in which a program is started.
const FOLDERS: [&str; 3] = ["cwd", "working_directory", "workingDirectory"];

fn cwd(shape: &Shape, node: &Node) -> Option<String> {
    let map = body(shape, node)?;
    let folder = FOLDERS.iter().find_map(|key| member(map, key)?.value.text());
    folder.filter(|folder| !folder.is_empty()).map(str::to_owned)
}

/// How an entry reaches its server, and whether the gateway stands before it.
pub(crate) fn read(shape: &Shape, node: &Node) -> (Launch, State) {
    let launch = launch(shape, node).unwrap_or_else(Launch::Other);
    let state = state(shape, node, &launch);
    (launch, state)
}

/// The map in which an entry says how it is reached: itself, or one nested in it.
pub(crate) fn body<'a>(shape: &Shape, node: &'a Node) -> Option<&'a Map> {
    let nested = shape.nested.as_ref().and_then(|key| node.get(key)).and_then(|member| member.value.map());
    nested.or_else(|| node.map())
}

pub(crate) fn member<'a>(map: &'a Map, key: &str) -> Option<&'a Member> {
    map.members.iter().find(|member| member.key == key)
}

/// The program and its arguments.
pub(crate) fn words<'a>(shape: &Shape, map: &'a Map) -> Result<Vec<&'a Node>, NotCovered> {
    let wrong = |what: &str| NotCovered::Shape(what.to_owned());
    let stdio = shape.stdio.as_ref().ok_or_else(|| wrong("this client starts no programs"))?;
    let texts = |node: &'a Node, key: &str| -> Result<Vec<&'a Node>, NotCovered> {
        let list = node.list().ok_or_else(|| NotCovered::Shape(format!("`{key}` is no list")))?;
        if list.items.iter().any(|item| item.scalar().is_none()) {
            return Err(NotCovered::Shape(format!("`{key}` holds something that is no text")));
        }
        Ok(list.items.iter().collect())
    };
    let command =
        member(map, &stdio.command).ok_or_else(|| NotCovered::Shape(format!("it has no `{}`", stdio.command)))?;
    let Some(args) = &stdio.args else { return texts(&command.value, &stdio.command) };
    if command.value.text().is_none() {
        return Err(NotCovered::Shape(format!("`{}` is no text", stdio.command)));
    }
    let args = member(map, args).map(|member| texts(&member.value, args)).transpose()?.unwrap_or_default();
    Ok(std::iter::once(&command.value).chain(args).collect())
}

fn pairs(map: Option<&Node>, key: &str) -> Result<Vec<(String, Secret)>, NotCovered> {
    let Some(node) = map.filter(|node| !node.is_null()) else { return Ok(Vec::new()) };
    let map = node.map().ok_or_else(|| NotCovered::Shape(format!("`{key}` is no map")))?;
    let pair = |member: &Member| match member.value.scalar() {
        Some(value) => Ok((member.key.clone(), Secret::new(value))),
        None if member.value.is_null() => Ok((member.key.clone(), Secret::new(""))),
        None => Err(NotCovered::Shape(format!("a value of `{key}` is no text"))),
    };
    map.members.iter().map(pair).collect()
}

fn launch(shape: &Shape, node: &Node) -> Result<Launch, NotCovered> {
    let map = body(shape, node).ok_or_else(|| NotCovered::Shape("the entry is no map".to_owned()))?;
    let stdio = shape.stdio.as_ref();
    let kind_key = stdio.and_then(|stdio| stdio.kind.as_ref()).map(|kind| kind.key.as_str());
    let kind_key = kind_key.or_else(|| shape.http.as_ref()?.kind.as_ref().map(|kind| kind.key.as_str()));
    let kind = kind_key.and_then(|key| member(map, key)).or_else(|| member(map, "type"));
    let kind = kind.and_then(|kind| kind.value.text());
    if kind.is_some_and(|kind| kind.eq_ignore_ascii_case("sse")) {
        return Err(NotCovered::Sse);
    }
    let starts = stdio.is_some_and(|stdio| member(map, &stdio.command).is_some());
    let Some(http) = &shape.http else {
        let address = ["url", "serverUrl", "httpUrl", "uri"].iter().any(|key| member(map, key).is_some());
        if address && !starts {
            return Err(NotCovered::NoUrl);
        }
        return program(shape, map);
    };
    let leads = member(map, &http.url);
    match (starts, leads) {
        (true, Some(_)) => Err(NotCovered::Both(http.url.clone())),
        (false, Some(url)) => endpoint(http, map, url, kind),
        (false, None) if http.sse.as_ref().is_some_and(|key| member(map, key).is_some()) => Err(NotCovered::Sse),
        (false, None) => match kind {
            Some(kind) if !stdio.and_then(|stdio| stdio.kind.as_ref()).is_some_and(|known| known.means(kind)) => {
                let kind = audit::visible::word(kind);
                Err(NotCovered::Shape(format!("it is of a kind that the client provides itself ({kind})")))
            }
            _ => Err(NotCovered::Shape("it has neither a program nor an address".to_owned())),
        },
        (true, None) => program(shape, map),
    }
}

fn program(shape: &Shape, map: &Map) -> Result<Launch, NotCovered> {
    let words = words(shape, map)?;
    let mut words = words.into_iter().filter_map(Node::scalar).map(str::to_owned);
    let command = words.next().ok_or_else(|| NotCovered::Shape("its command is empty".to_owned()))?;
    let env = shape.stdio.as_ref().map(|stdio| stdio.env.as_str()).unwrap_or_default();
    let env = pairs(member(map, env).map(|member| &member.value), env)?;
    Ok(Launch::Stdio { command, args: words.collect(), env })
}

fn endpoint(http: &Http, map: &Map, url: &Member, kind: Option<&str>) -> Result<Launch, NotCovered> {
    match (&http.kind, kind) {
        (Some(known), Some(kind)) if !known.means(kind) => {
            let what = format!("its address is of a kind that is not known ({})", audit::visible::word(kind));
            return Err(NotCovered::Shape(what));
        }
        (_, None) if http.untyped == Untyped::Sse => return Err(NotCovered::Sse),
        (Some(known), None) if http.untyped == Untyped::Invalid => {
            let what = format!("it has an address and no `{}`, so the client does not use it", known.key);
            return Err(NotCovered::Shape(what));
        }
        _ => {}
    }
    let url = url.value.text().ok_or_else(|| NotCovered::Shape(format!("`{}` is no text", http.url)))?;
    let mut headers = match http.headers.as_slice() {
        [outer, inner] => {
            let outer = member(map, outer).map(|member| &member.value);
            pairs(outer.and_then(|outer| outer.get(inner)).map(|member| &member.value), inner)?
        }
        keys => {
            let key = keys.first().map(String::as_str).unwrap_or_default();
            pairs(member(map, key).map(|member| &member.value), key)?
        }
    };
    let bearer = http.bearer_env.as_ref().and_then(|key| member(map, key)).and_then(|member| member.value.text());
    if let Some(variable) = bearer {
        headers.push(("Authorization".to_owned(), Secret::new(format!("Bearer ${{{variable}}}"))));
    }
    Ok(Launch::Http { url: url.to_owned(), headers })
}

fn state(shape: &Shape, node: &Node, launch: &Launch) -> State {
    match launch {
        Launch::Other(why) => State::NotCovered(why.clone()),
        Launch::Stdio { command, args, .. } => {
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            match Wrapped::parse(command, &args) {
                Some(wrapped) => State::Wrapped(wrapped),
                None if crate::wrapped::is_ours(command) => State::NotCovered(NotCovered::OwnWords),
                None => State::Bare,
            }
        }
        Launch::Http { url, headers } => match uncovered(shape, node, url, headers) {
            Some(why) => State::NotCovered(why),
            None => State::Bare,
        },
    }
}

fn uncovered(shape: &Shape, node: &Node, url: &str, headers: &[(String, Secret)]) -> Option<NotCovered> {
    let map = body(shape, node)?;
    let http = shape.http.as_ref()?;
    if let Some(key) = http.by_client.iter().find(|key| member(map, key).is_some_and(|m| asks(&m.value))) {
        return Some(NotCovered::MadeByClient(key.clone()));
    }
    if url.contains("${input:") {
        return Some(NotCovered::Input);
    }
    // What only a program has would stand there twice.
    let mut of_programs = shape.stdio.iter().flat_map(|stdio| [Some(&stdio.env), stdio.args.as_ref()]).flatten();
    if let Some(key) = of_programs.find(|key| member(map, key).is_some()) {
        return Some(NotCovered::Both(key.clone()));
    }
    let headers_node = http.headers.first().and_then(|key| member(map, key)).map(|member| &member.value);
    if headers_node.and_then(Node::map).is_some_and(|map| map.dotted) {
        return Some(NotCovered::Shape("its headers are dotted keys: write them as a table".to_owned()));
    }
    let credentials = |name: &str| {
        let name = name.to_ascii_lowercase();
        ["auth", "token", "key", "secret", "cookie", "credential"].iter().any(|word| name.contains(word))
    };
    (!headers.iter().any(|(name, _)| credentials(name))).then_some(NotCovered::OwnLogin)
}

/// Whether a value asks the client for something: `false` and nothing at all do not.
fn asks(node: &Node) -> bool {
    !node.is_null() && !matches!(&node.kind, Kind::Bare(bare) if bare == "false")
}
