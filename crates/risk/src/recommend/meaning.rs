//! What an argument is for, told by names and by what the definition says.

use std::cell::OnceCell;

use policy::Class;
use serde_json::Value;

use super::shape::{self, Argument, Kind, words};
use crate::assess::Assessment;
use crate::definition::Definition;
use crate::facet::Facet;

/// What an argument is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// It lies deeper than rules follow.
    Deep,
    Sql,
    Path,
    Address,
    /// A host without a scheme.
    Host,
    /// It is itself what is run.
    Code,
    Other,
}

/// A tool, as far as it says what its arguments are for.
pub(super) struct Tool<'a> {
    /// The words of its name.
    name: Vec<String>,
    /// Its title and its description.
    texts: [&'a str; 2],
    /// The words of its name and of these; few arguments leave room for doubt, so few tools need them.
    said: OnceCell<Vec<String>>,
    assessment: &'a Assessment,
    /// An argument beside the others is a host.
    has_host: bool,
    /// An argument says from where, another to where.
    moves: bool,
}

const FILES: [&str; 10] =
    ["path", "paths", "file", "files", "filename", "filepath", "directory", "dir", "folder", "cwd"];
/// Other names of files and folders, also in other languages.
const MORE_FILES: [&str; 46] = [
    "archivo",
    "archivos",
    "arquivo",
    "arquivos",
    "attachment",
    "attachments",
    "bestand",
    "caminho",
    "caminhos",
    "carpeta",
    "cartella",
    "chemin",
    "chemins",
    "datei",
    "dateien",
    "dateiname",
    "dateipfad",
    "diretorio",
    "diretório",
    "directorio",
    "directories",
    "dirs",
    "dossier",
    "dossiers",
    "fichero",
    "ficheros",
    "fichier",
    "fichiers",
    "filenames",
    "filepaths",
    "folders",
    "ordner",
    "pasta",
    "percorso",
    "pfad",
    "pfade",
    "plik",
    "repertoire",
    "répertoire",
    "rutas",
    "ruta",
    "verzeichnis",
    "workdir",
    "путь",
    "файл",
    "папка",
];
/// The same in scripts that do not part words.
const FILES_WITHIN: [&str; 8] = ["路径", "路徑", "文件", "目录", "檔案", "パス", "ファイル", "파일"];
/// What a tool that moves or copies files calls their paths.
const ENDS: [&str; 6] = ["source", "destination", "src", "dst", "target", "output"];
const ADDRESSES: [&str; 8] = ["url", "urls", "uri", "endpoint", "link", "webhook", "href", "website"];
const MORE_ADDRESSES: [&str; 8] = ["uris", "endpoints", "links", "webhooks", "websites", "enlace", "lien", "permalink"];
const ADDRESSES_WITHIN: [&str; 5] = ["网址", "網址", "链接", "連結", "リンク"];
const HOSTS: [&str; 4] = ["host", "hosts", "hostname", "hostnames"];
const CODE: [&str; 35] = [
    "args",
    "arguments",
    "argv",
    "bash",
    "cmd",
    "cmds",
    "code",
    "command",
    "commands",
    "eval",
    "expr",
    "expression",
    "function",
    "groovy",
    "javascript",
    "js",
    "kql",
    "lua",
    "perl",
    "php",
    "powershell",
    "program",
    "ps1",
    "python",
    "query",
    "queries",
    "ruby",
    "script",
    "scripts",
    "shell",
    "snippet",
    "source",
    "statement",
    "stdin",
    "typescript",
];
const QUERIES: [&str; 6] = ["q", "queries", "query", "statement", "statements", "stmt"];
/// What else of SQL arguments say.
const BESIDE_SQL: [&str; 10] =
    ["database", "dialect", "id", "instance", "mode", "name", "server", "type", "version", "warehouse"];
/// Systems that are asked in SQL.
const DATABASES: [&str; 16] = [
    "athena",
    "bigquery",
    "clickhouse",
    "cockroachdb",
    "databricks",
    "duckdb",
    "mariadb",
    "motherduck",
    "postgres",
    "postgresdb",
    "redshift",
    "singlestore",
    "snowflake",
    "sqlite",
    "sqlite3",
    "trino",
];
/// Words of databases that are asked otherwise as well.
const STORES: [&str; 7] = ["database", "databases", "datawarehouse", "db", "lakehouse", "tables", "warehouse"];
/// Words of searches, and of languages that are none of SQL.
const OTHERWISE: [&str; 22] = [
    "cql", "cypher", "esql", "find", "gql", "gremlin", "graphql", "influxql", "jmespath", "jql", "keyword", "keywords",
    "kql", "logql", "mongodb", "natural", "nosql", "promql", "search", "searches", "soql", "sparql",
];
const FETCHES: [&str; 13] = [
    "browse", "crawl", "curl", "download", "fetch", "fetches", "http", "https", "navigate", "request", "requests",
    "scrape", "webpage",
];
const MAIL: [&str; 12] = [
    "email", "emails", "gmail", "inbox", "mail", "mailbox", "mailgun", "mails", "outlook", "resend", "sendgrid", "smtp",
];

impl<'a> Tool<'a> {
    pub(super) fn new(definition: &Definition<'a>, assessment: &'a Assessment, arguments: &[Argument<'_>]) -> Tool<'a> {
        let name = words(definition.name);
        let any = |names: &[&str]| arguments.iter().any(|one| one.way.len() == 1 && one.named(names));
        let moves = any(&["source", "src", "from"]) && any(&["destination", "dest", "dst", "target", "to"]);
        let texts = [definition.title, definition.description];
        Tool { name, texts, said: OnceCell::new(), assessment, has_host: any(&HOSTS), moves }
    }

    /// What an argument is for.
    pub(super) fn meaning(&self, argument: &Argument<'_>) -> Meaning {
        if argument.kind == Kind::Deep {
            Meaning::Deep
        } else if !takes_text(argument) {
            Meaning::Other
        } else if self.is_sql(argument) {
            Meaning::Sql
        } else if self.is_path(argument) {
            Meaning::Path
        } else if self.is_address(argument) {
            Meaning::Address
        } else if argument.named(&HOSTS) && self.says(&FETCHES) {
            Meaning::Host
        } else if argument.named(&CODE) {
            Meaning::Code
        } else {
            Meaning::Other
        }
    }

    /// Whether the argument says to whom mail goes.
    pub(super) fn mails_to(&self, argument: &Argument<'_>) -> bool {
        const TO: [&str; 9] =
            ["to", "cc", "bcc", "recipient", "recipients", "attendees", "invitees", "participants", "address"];
        const FROM: [&str; 4] = ["from", "sender", "reply", "website"];
        let own = argument.format == "email"
            || has(&argument.words, &MAIL)
            || has(&folded(argument.text), &["email", "emails", "mail", "mailbox"]);
        let to = argument.named(&TO) || argument.named(&["email", "emails"]);
        let mails = own || (self.says(&MAIL) && self.assessment.class != Class::Financial);
        self.assessment.facets.contains(&Facet::SendsExternal)
            && takes_text(argument)
            && to
            && !has(&argument.words, &FROM)
            && (mails || argument.named(&["attendees", "invitees"]))
    }

    fn says(&self, words: &[&str]) -> bool {
        has(self.said(), words)
    }

    fn said(&self) -> &[String] {
        self.said.get_or_init(|| {
            let texts = self.texts.iter().flat_map(|text| folded(text));
            self.name.iter().cloned().chain(texts).collect()
        })
    }

    /// Whether the argument is SQL: it, the tool or the schema's text says so.
    fn is_sql(&self, argument: &Argument<'_>) -> bool {
        if has(&argument.words, &["sql"]) {
            return !argument.named(&FILES) && !argument.named(&ADDRESSES) && !argument.named(&BESIDE_SQL);
        }
        let text = folded(argument.text);
        let named = |words: &[String]| words.iter().any(|word| speaks_sql(word));
        if !argument.named(&QUERIES) || has(&text, &["natural"]) {
            return false;
        }
        if named(&self.name) || named(&text) {
            return true;
        }
        let otherwise = has(&self.name, &OTHERWISE) || has(&text, &OTHERWISE) || self.says(&["natural"]);
        let searches = self.says(&OTHERWISE) || self.says(&["docs", "documentation"]);
        let runs = self.assessment.class == Class::Execute || has(&self.name, &["execute", "query", "run"]);
        !otherwise && (self.says(&["sql"]) || (!searches && (named(self.said()) || (runs && self.says(&STORES)))))
    }

    fn is_path(&self, argument: &Argument<'_>) -> bool {
        // The path of a request.
        if self.has_host && argument.words == ["path"] && self.says(&FETCHES) {
            return false;
        }
        let file_name = matches!(argument.words.as_slice(), [.., file, name]
            if matches!(file.as_str(), "file" | "path") && matches!(name.as_str(), "name" | "names" | "path" | "paths"));
        let moved = self.moves
            && argument.words.len() == 1
            && argument.named(&["source", "src", "from", "destination", "dest", "dst", "target", "to"]);
        plainly_path(argument, &self.name)
            || argument.named(&MORE_FILES)
            || within(argument, &FILES_WITHIN)
            || file_name
            || (moved && self.says(&["file", "files", "folder", "folders", "directory", "directories"]))
    }

    fn is_address(&self, argument: &Argument<'_>) -> bool {
        let run_together = argument
            .words
            .last()
            .is_some_and(|last| last != "curl" && ["url", "urls", "uri", "uris"].iter().any(|end| last.ends_with(end)));
        let fetched = argument.named(&["address"])
            && !has(&argument.words, &MAIL)
            && self.says(&[
                "browse", "crawl", "fetch", "fetches", "http", "https", "navigate", "scrape", "webpage", "website",
            ]);
        plainly_address(argument)
            || argument.named(&MORE_ADDRESSES)
            || run_together
            || fetched
            || within(argument, &ADDRESSES_WITHIN)
            || (argument.format == "uri" && argument.named(&["target", "source", "page", "site"]))
    }
}

/// What each argument is for, by the way to it as people write it, and whether mail goes there.
pub(crate) fn meanings(definition: &Definition<'_>, assessment: &Assessment) -> Vec<(String, Meaning, bool)> {
    let arguments = definition.schema.map(shape::all).unwrap_or_default();
    let tool = Tool::new(definition, assessment, &arguments);
    arguments.iter().map(|one| (one.shown(), tool.meaning(one), tool.mails_to(one))).collect()
}

/// The first argument that takes the path of a file or folder, by plain names alone.
pub(crate) fn takes_path<'a>(definition: &Definition<'a>) -> Option<&'a str> {
    let name = words(definition.name);
    let outer = shape::arguments(definition.schema?, 1);
    outer.into_iter().find(|one| one.kind == Kind::Text && plainly_path(one, &name)).map(|one| one.name)
}

/// The first argument that takes an address, by plain names alone.
pub(crate) fn takes_address(schema: &Value) -> Option<&str> {
    let outer = shape::arguments(schema, 1);
    outer.into_iter().find(|one| one.kind == Kind::Text && plainly_address(one)).map(|one| one.name)
}

/// Whether [`takes_address`] could find an argument of this name: a look at its end, which costs nothing.
pub(crate) fn may_be_address(name: &str) -> bool {
    let name = name.trim_end_matches(|letter: char| !letter.is_alphanumeric());
    ADDRESSES.iter().any(|word| {
        let end = name.len().checked_sub(word.len()).and_then(|start| name.get(start..));
        end.is_some_and(|end| end.eq_ignore_ascii_case(word))
    })
}

fn takes_text(argument: &Argument<'_>) -> bool {
    matches!(argument.kind, Kind::Text | Kind::Hidden { .. })
}

fn plainly_path(argument: &Argument<'_>, tool: &[String]) -> bool {
    let of_files =
        || tool.iter().any(|word| FILES.contains(&word.trim_end_matches(|letter: char| letter.is_ascii_digit())));
    argument.named(&FILES) || (argument.words.len() == 1 && argument.named(&ENDS) && of_files())
}

fn plainly_address(argument: &Argument<'_>) -> bool {
    argument.named(&ADDRESSES)
}

fn within(argument: &Argument<'_>, parts: &[&str]) -> bool {
    parts.iter().any(|part| argument.name.contains(part))
}

fn has(words: &[String], some: &[&str]) -> bool {
    words.iter().any(|word| some.contains(&word.as_str()))
}

/// `sql`, `mysql`, `sqlite`, and systems that are asked in it.
fn speaks_sql(word: &str) -> bool {
    DATABASES.contains(&word) || (word.ends_with("sql") && !matches!(word, "nosql" | "esql"))
}

/// The words of a text; `SQL` and `MySQL` are one word each.
fn folded(text: &str) -> Vec<String> {
    text.split(|letter: char| !letter.is_alphanumeric()).map(str::to_lowercase).collect()
}
