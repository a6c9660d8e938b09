//! Servers written in each format, in as many ways as people have.

use clients::{Launch, Secret, Wrapper};

/// A server to be written.
#[derive(Debug, Clone)]
pub struct Server {
    pub key: String,
    pub reach: Reach,
}

/// How it is reached.
#[derive(Debug, Clone)]
pub enum Reach {
    Program { command: String, args: Option<Vec<String>>, env: Option<Vec<(String, String)>> },
    Endpoint { url: String, headers: Vec<(String, String)> },
}

impl Server {
    /// As it must be read.
    pub fn launch(&self) -> Launch {
        let secrets = |pairs: &[(String, String)]| {
            pairs.iter().map(|(name, value)| (name.clone(), Secret::from(value.as_str()))).collect()
        };
        match &self.reach {
            Reach::Program { command, args, env } => Launch::Stdio {
                command: command.clone(),
                args: args.clone().unwrap_or_default(),
                env: secrets(env.as_deref().unwrap_or_default()),
            },
            Reach::Endpoint { url, headers } => Launch::Http { url: url.clone(), headers: secrets(headers) },
        }
    }

    /// The words of its entry behind the gateway.
    pub fn words(&self, wrapper: &Wrapper) -> Vec<String> {
        let mut words: Vec<String> = std::iter::once(&wrapper.program).chain(&wrapper.options).cloned().collect();
        match &self.reach {
            Reach::Program { command, args, .. } => {
                words.extend(["--".to_owned(), command.clone()]);
                words.extend(args.clone().unwrap_or_default());
            }
            Reach::Endpoint { url, headers } => {
                words.extend(["--upstream".to_owned(), url.clone()]);
                for (name, _) in headers {
                    let variable = name.to_ascii_uppercase().replace('-', "_");
                    words.extend(["--header-from".to_owned(), format!("{name}=TOOLGATE_HEADER_{variable}")]);
                }
            }
        }
        words
    }
}

/// Chooses among ways of writing, by bytes.
pub struct Ink<'a> {
    choices: &'a [u8],
    at: usize,
    end: &'static str,
}

impl<'a> Ink<'a> {
    pub fn new(choices: &'a [u8], end: &'static str) -> Self {
        Self { choices, at: 0, end }
    }

    fn choose(&mut self, ways: usize) -> usize {
        self.at += 1;
        let choice = self.choices.get(self.at % self.choices.len().max(1)).copied().unwrap_or_default();
        (usize::from(choice) + self.at / self.choices.len().max(1)) % ways
    }

    fn pick<'t>(&mut self, ways: &[&'t str]) -> &'t str {
        ways[self.choose(ways.len())]
    }

    fn marked(&self, mark: bool, text: &str) -> String {
        format!("{}{}", if mark { "\u{feff}" } else { "" }, text.replace('\n', self.end))
    }

    /// JSON with comments.
    pub fn json(mut self, servers: &[Server], pointer: &str, mark: bool) -> String {
        let entries: Vec<(String, String)> =
            servers.iter().map(|server| (server.key.clone(), self.json_entry(server))).collect();
        let servers = self.json_map(&entries);
        let other = "{ \"command\": \"no server\", \"x\": [1, 2.50, null] }".to_owned();
        let whole = self.json_map(&[
            ("größe".to_owned(), other),
            (pointer.to_owned(), servers),
            ("z".to_owned(), "true".to_owned()),
        ]);
        let text = format!("{}{whole}{}", self.gap(), self.gap());
        self.marked(mark, &text)
    }

    fn json_entry(&mut self, server: &Server) -> String {
        let mut members = Vec::new();
        match &server.reach {
            Reach::Program { command, args, env } => {
                members.push(("command".to_owned(), self.json_text(command)));
                if let Some(args) = args {
                    let items: Vec<String> = args.iter().map(|arg| self.json_text(arg)).collect();
                    members.push(("args".to_owned(), self.json_list(&items)));
                }
                if let Some(env) = env {
                    members.push(("env".to_owned(), self.json_texts(env)));
                }
            }
            Reach::Endpoint { url, headers } => {
                members.push(("url".to_owned(), self.json_text(url)));
                members.push(("headers".to_owned(), self.json_texts(headers)));
            }
        }
        members.push(("timeout".to_owned(), "60".to_owned()));
        let turn = self.choose(members.len());
        members.rotate_left(turn);
        self.json_map(&members)
    }

    fn json_texts(&mut self, pairs: &[(String, String)]) -> String {
        let pairs: Vec<(String, String)> =
            pairs.iter().map(|(name, value)| (name.clone(), self.json_text(value))).collect();
        self.json_map(&pairs)
    }

    fn json_text(&mut self, text: &str) -> String {
        let written = serde_json::to_string(text).unwrap();
        // The first letter as an escape.
        match (self.choose(5), text.chars().next()) {
            (0, Some(first)) if first.is_ascii_alphanumeric() => {
                format!("\"\\u{:04x}{}", u32::from(first), &written[2..])
            }
            _ => written,
        }
    }

    fn json_map(&mut self, members: &[(String, String)]) -> String {
        let members: Vec<String> = members
            .iter()
            .map(|(key, value)| {
                let key = serde_json::to_string(key).unwrap();
                format!("{}{key}{}:{}{value}{}", self.gap(), self.pick(&["", " "]), self.gap(), self.gap())
            })
            .collect();
        let comma = self.comma(members.is_empty());
        format!("{{{}{comma}{}}}", members.join(","), self.gap())
    }

    fn json_list(&mut self, items: &[String]) -> String {
        let items: Vec<String> = items.iter().map(|item| format!("{}{item}{}", self.gap(), self.gap())).collect();
        let comma = self.comma(items.is_empty());
        let gap = if items.is_empty() { self.pick(&["", " ", "\n  "]) } else { self.gap() };
        format!("[{}{comma}{gap}]", items.join(","))
    }

    fn comma(&mut self, empty: bool) -> &'static str {
        if !empty && self.choose(4) == 0 { "," } else { "" }
    }

    fn gap(&mut self) -> &'static str {
        self.pick(&["", "", " ", " ", "\n", "\n    ", "\n\t\t", " // é \" { 😀\n  ", "/* , } */", "\n\n  "])
    }

    /// TOML: entries as tables, inline or with dotted keys.
    pub fn toml(mut self, servers: &[Server], mark: bool) -> String {
        let mut text = self.pick(&["", "# first\n", "model = 'm' # é 😀\n\n"]).to_owned();
        let mut tables = String::new();
        let inline = self.choose(3) == 0;
        if inline {
            text += "[mcp_servers]\n";
        }
        for server in servers {
            let key = toml_key(&server.key);
            let (members, maps) = self.toml_members(server);
            if inline {
                let maps = maps.iter().map(|(name, pairs)| format!("{name} = {}", toml_pairs(pairs)));
                let all: Vec<String> = members.into_iter().map(|line| line.replace("\n", "")).chain(maps).collect();
                text += &format!("{key}{}= {{{}{} }}{}\n", self.blank(), self.blank(), all.join(", "), self.remark());
                continue;
            }
            tables +=
                &format!("{}[mcp_servers.{key}]{}\n", self.pick(&["", "\n", "\n# about it\n", "  "]), self.remark());
            let indent = self.pick(&["", "", "  ", "\t"]);
            let apart = self.choose(2) == 0;
            let mut behind = String::new();
            for member in members {
                tables += &format!("{indent}{member}{}\n", self.remark());
            }
            for (name, pairs) in maps {
                if apart {
                    behind += &format!("[mcp_servers.{key}.{name}]\n");
                    for (name, value) in pairs {
                        behind += &format!("{} = {value}{}\n", toml_key(&name), self.remark());
                    }
                } else {
                    tables += &format!("{indent}{name} = {}{}\n", toml_pairs(&pairs), self.remark());
                }
            }
            tables += &behind;
        }
        text += &tables;
        text += self.pick(&["", "\n[other]\ncommand = \"no server\"\n", "\n[[list]]\na = 1979-05-27\n"]);
        self.marked(mark, &text)
    }

    #[allow(clippy::type_complexity, reason = "lines, and maps with their written pairs")]
    fn toml_members(&mut self, server: &Server) -> (Vec<String>, Vec<(&'static str, Vec<(String, String)>)>) {
        let mut lines = vec![format!("timeout{}={}60", self.blank(), self.blank())];
        let mut maps = Vec::new();
        let written = |ink: &mut Self, pairs: &[(String, String)]| -> Vec<(String, String)> {
            pairs.iter().map(|(name, value)| (name.clone(), ink.toml_text(value))).collect()
        };
        match &server.reach {
            Reach::Program { command, args, env } => {
                lines.push(format!("command{}={}{}", self.blank(), self.blank(), self.toml_text(command)));
                if let Some(args) = args {
                    let items: Vec<String> = args.iter().map(|arg| self.toml_text(arg)).collect();
                    let (gap, comma) = (self.pick(&["", " "]), self.comma(items.is_empty()));
                    lines.push(format!(
                        "args = [{gap}{}{comma}{}]",
                        items.join(", "),
                        if items.is_empty() { "" } else { gap }
                    ));
                }
                if let Some(env) = env {
                    maps.push(("env", written(self, env)));
                }
            }
            Reach::Endpoint { url, headers } => {
                lines.push(format!("url = {}", self.toml_text(url)));
                maps.push(("http_headers", written(self, headers)));
            }
        }
        let turn = self.choose(lines.len());
        lines.rotate_left(turn);
        (lines, maps)
    }

    fn toml_text(&mut self, text: &str) -> String {
        let literal = !text.contains('\'') && !text.chars().any(|letter| letter.is_control() && letter != '\t');
        if literal && self.choose(3) == 0 { format!("'{text}'") } else { serde_json::to_string(text).unwrap() }
    }

    fn blank(&mut self) -> &'static str {
        self.pick(&[" ", "", "   "])
    }

    fn remark(&mut self) -> &'static str {
        self.pick(&["", "", " # é \" ] 😀", "   "])
    }

    /// YAML: maps and lists in blocks or brackets.
    pub fn yaml(mut self, servers: &[Server], mark: bool) -> String {
        let mut text = self.pick(&["", "# first\n", "model: m # é 😀\n", "about: |\n  cmd: no server\n\n"]).to_owned();
        text += &format!("extensions:{}\n", self.remark());
        let step = self.pick(&["  ", "    ", " "]);
        for server in servers {
            text += self.pick(&["", "", "\n", "  # about it\n"]);
            text += &format!("{step}{}:{}\n", self.yaml_key(&server.key), self.remark());
            let deep = format!("{step}{}", self.pick(&["  ", "    "]));
            let mut members = vec![format!("timeout: 60{}\n", self.remark())];
            match &server.reach {
                Reach::Program { command, args, env } => {
                    members.push("type: stdio\n".to_owned());
                    members.push(format!(
                        "cmd:{}{}{}\n",
                        self.pick(&[" ", "   "]),
                        self.yaml_text(command, true),
                        self.remark()
                    ));
                    if let Some(args) = args {
                        members.push(self.yaml_list("args", args, &deep));
                    }
                    if let Some(env) = env {
                        members.push(self.yaml_map("envs", env, &deep));
                    }
                }
                Reach::Endpoint { url, headers } => {
                    members.push(format!("type: streamable_http{}\n", self.remark()));
                    members.push(format!("uri: {}{}\n", self.yaml_text(url, true), self.remark()));
                    members.push(self.yaml_map("headers", headers, &deep));
                }
            }
            let turn = self.choose(members.len());
            members.rotate_left(turn);
            for member in members {
                text += &format!("{deep}{member}");
            }
        }
        text += self.pick(&["", "other:\n- a\n-   b\n", "z: {a: [1, 2]}"]);
        self.marked(mark, &text)
    }

    fn yaml_list(&mut self, key: &str, items: &[String], indent: &str) -> String {
        if items.is_empty() || self.choose(3) == 0 {
            let words: Vec<String> = items.iter().map(|item| self.yaml_text(item, false)).collect();
            let gap = if items.is_empty() { "" } else { self.pick(&["", " "]) };
            return format!("{key}: [{gap}{}{gap}]{}\n", words.join(", "), self.remark());
        }
        let deeper = self.pick(&["", "  "]);
        let mut text = format!("{key}:{}\n", self.remark());
        for item in items {
            text += &format!(
                "{indent}{deeper}-{}{}{}\n",
                self.pick(&[" ", "   "]),
                self.yaml_text(item, false),
                self.remark()
            );
        }
        text
    }

    fn yaml_map(&mut self, key: &str, pairs: &[(String, String)], indent: &str) -> String {
        if pairs.is_empty() || self.choose(3) == 0 {
            let members: Vec<String> =
                pairs.iter().map(|(name, value)| format!("{name}: {}", self.yaml_text(value, false))).collect();
            return format!("{key}: {{{}}}{}\n", members.join(", "), self.remark());
        }
        let mut text = format!("{key}:\n");
        for (name, value) in pairs {
            text += &format!("{indent}  {name}: {}{}\n", self.yaml_text(value, false), self.remark());
        }
        text
    }

    fn yaml_key(&mut self, key: &str) -> String {
        if self.choose(3) == 0 { format!("'{key}'") } else { key.to_owned() }
    }

    /// Without quotes only where nobody can misread it.
    fn yaml_text(&mut self, text: &str, alone: bool) -> String {
        let safe = |letter: char| letter.is_ascii_alphabetic() || "/._".contains(letter) || (alone && letter == ':');
        let plain = text.len() > 2 && text.chars().all(safe) && !["true", "null"].contains(&text);
        match self.choose(3) {
            0 if plain => text.to_owned(),
            1 if !text.contains(|letter: char| letter.is_control()) => format!("'{}'", text.replace('\'', "''")),
            _ => serde_json::to_string(text).unwrap(),
        }
    }
}

fn toml_key(key: &str) -> String {
    let bare = key.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_');
    if bare { key.to_owned() } else { serde_json::to_string(key).unwrap() }
}

fn toml_pairs(pairs: &[(String, String)]) -> String {
    let members: Vec<String> = pairs.iter().map(|(name, value)| format!("{} = {value}", toml_key(name))).collect();
    format!("{{ {} }}", members.join(", "))
}
