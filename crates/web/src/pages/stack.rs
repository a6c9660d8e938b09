//! `/stack/`: everything that agents could call with several servers, and what that adds up to.

mod markdown;
mod policies;

use catalogue::pages::stack::{Alike, Flow, Named, ROWS, ServerRow, StackPage};
use catalogue::pages::summary::ServerLine;
use maud::{Markup, html};
use policy::Class;
use risk::findings::Level;
use risk::{Facet, Severity};
use serde::Serialize;

pub(crate) use self::markdown::whole;
use self::policies::{exports, policies};
use crate::assets::STACK;
use crate::head::{Crumb, Head, Robots};
use crate::layout;
use crate::page::Page;
use crate::text::{counted, shown};

/// The most characters of a foreign description in a table.
const GIST: usize = 120;

/// What the field for a configuration shows before anything is in it.
const EXAMPLE: &str =
    "{\n  \"mcpServers\": {\n    \"files\": { \"command\": \"npx\", \"args\": [\"-y\", \"files-mcp\"] }\n  }\n}";

/// A stack, and what is about to be added to it.
#[derive(Debug, Serialize)]
pub(crate) struct StackView {
    /// The stack.
    #[serde(flatten)]
    pub(crate) stack: StackPage,
    /// How many servers were named that nobody knows.
    pub(crate) unknown: usize,
    /// What words may mean.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) adding: Option<Adding>,
}

/// What words may mean.
#[derive(Debug, Serialize)]
pub(crate) struct Adding {
    /// The words.
    pub(crate) words: String,
    /// The servers.
    pub(crate) servers: Vec<ServerLine>,
}

impl Page for StackView {
    fn head(&self) -> Head {
        let stack = &self.stack;
        let mut path = stack.path.clone();
        if stack.temper != "balanced" && !stack.query.is_empty() {
            path.push_str(&format!("&policy={}", stack.temper));
        }
        if stack.page > 1 && !stack.query.is_empty() {
            path.push_str(&format!("&page={}", stack.page));
        }
        Head {
            title: match stack.servers.len() {
                0 => "What can your agents do with all their servers?".to_owned(),
                1 => "Your stack: one server".to_owned(),
                count => format!("Your stack: {count} servers"),
            },
            description: shown(&stack.verdict, 155),
            path,
            // What one person put together is nobody else's page.
            robots: if stack.servers.is_empty() { Robots::Index } else { Robots::Follow },
            crumbs: vec![Crumb::new("Catalogue", "/")],
            ..Head::default()
        }
    }

    fn body(&self) -> Markup {
        let stack = &self.stack;
        html! {
            h1 { "Your stack" }
            p class="lead" { (stack.verdict) }
            @if self.unknown > 0 {
                p class="note" role="status" {
                    (self.unknown) " of the servers that you named could not be found in the catalogue. What it cannot find is not on this page: "
                    code { "toolgate scan --config FILE" } " looks at it on your own machine."
                }
            }
            @if stack.servers_left_out > 0 {
                p class="note" { "At most 24 servers are looked at together; " (stack.servers_left_out) " more are left out." }
            }
            @if stack.tools_left_out > 0 {
                p class="note" { "At most 2,000 tools are looked at together; " (stack.tools_left_out) " more are left out." }
            }
            @if !stack.servers.is_empty() { (servers(stack)) }
            (self.adding())
            @if !stack.servers.is_empty() {
                (totals(stack))
                (flows(stack))
                (tools(stack))
                (alike(stack))
                (policies(stack))
                (exports(stack))
            }
        }
    }

    fn markdown(&self) -> String {
        markdown::page(&self.stack, self.unknown, self.adding.as_ref())
    }
}

impl StackView {
    fn adding(&self) -> Markup {
        let query = &self.stack.query;
        html! {
            section {
                h2 id="add" { "Add a server" }
                form class="search" action="/stack/#add" method="get" {
                    (chosen(&self.stack))
                    label class="unseen" for="words" { "Name, repository, package or endpoint of a server" }
                    input id="words" type="search" name="add" required placeholder="Name, repository, package or endpoint" autocomplete="off" spellcheck="false";
                    button type="submit" { "Add" }
                }
                @if let Some(adding) = &self.adding {
                    @if adding.servers.is_empty() {
                        p role="status" { "Nothing in the catalogue is called “" (shown(&adding.words, 60)) "”." }
                    } @else {
                        p role="status" { "Which one do you mean?" }
                        ul class="results" {
                            @for server in &adding.servers {
                                li {
                                    a href=(with(query, server)) { "Add " (shown(&server.name, 100)) }
                                    @if let Some(by) = &server.publisher { " by " (shown(by, 60)) } " · " a href=(server.path) { "its page" }
                                    @if let Some(text) = &server.description { p lang=[server.language.as_deref()] { (shown(text, 160)) } }
                                }
                            }
                        }
                    }
                }
                details open[self.stack.servers.is_empty() && self.adding.is_none()] {
                    summary { "Or paste a configuration" }
                    p {
                        "The file in which Claude, Cursor, VS Code, Zed, Codex, Goose or another client keeps its servers, as JSON, TOML or YAML. Of it, only which servers it names is used: packages, addresses, names."
                    }
                    p class="note" id="warning" {
                        strong { "Without script, what you paste is sent to this catalogue as it is." }
                        " It keeps, logs and shows nothing of it, but take keys and passwords out first."
                    }
                    p class="note" id="stripped" hidden {
                        "Your browser takes out everything but the names, packages and addresses of servers before anything is sent. The field then shows what is left."
                    }
                    form id="paste" action="/stack/" method="post" {
                        input type="hidden" name="s" value=(decoded(&self.stack));
                        label for="config" { "Configuration" }
                        textarea id="config" name="config" rows="9" required spellcheck="false" autocomplete="off" placeholder=(EXAMPLE) aria-describedby="warning" {}
                        p { button type="submit" { "See what they can do" } " " span id="said" role="status" {} }
                    }
                }
                script src=(STACK.path) defer {}
            }
        }
    }
}

/// The slugs of a stack, as fields of a form hold them.
fn decoded(stack: &StackPage) -> String {
    stack.servers.iter().map(|row| row.slug.as_str()).collect::<Vec<_>>().join(",")
}

/// The stack, as a field of a form that adds to it.
fn chosen(stack: &StackPage) -> Markup {
    html! {
        @if !stack.servers.is_empty() { input type="hidden" name="s" value=(decoded(stack)); }
        @if stack.temper != "balanced" { input type="hidden" name="policy" value=(stack.temper); }
    }
}

/// The stack with one more. The address has another order, and says so itself.
fn with(query: &str, server: &ServerLine) -> String {
    // The last segment of the path of a server's page is its slug.
    let slug = server.path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    if query.is_empty() { format!("/stack/?s={slug}") } else { format!("/stack/?s={query},{slug}") }
}

fn servers(stack: &StackPage) -> Markup {
    html! {
        section {
            h2 id="servers" { "Servers" }
            div class="wide" tabindex="0" role="region" aria-labelledby="servers" {
                table {
                    thead {
                        tr {
                            th scope="col" { "Server" } th scope="col" class="number" { "Tools" } th scope="col" { "Worst" }
                            th scope="col" class="number" { "Tokens" } th scope="col" { span class="unseen" { "Remove" } }
                        }
                    }
                    tbody { @for row in &stack.servers { (server(stack, row)) } }
                    tfoot {
                        tr {
                            th scope="row" { "In all" } td class="number" data-label="Tools:" { (counted(stack.total)) } td {}
                            td class="number" data-label="Tokens:" { (counted(stack.tokens)) } td {}
                        }
                    }
                }
            }
            p class="small" {
                "Tokens: what all definitions take of a model's context before any tool is used. An estimate, one token for four bytes of the definitions as canonical JSON; clients and models differ."
            }
        }
    }
}

fn server(stack: &StackPage, row: &ServerRow) -> Markup {
    let rest = match (row.others.is_empty(), stack.temper) {
        (true, _) => "/stack/".to_owned(),
        (false, "balanced") => format!("/stack/?s={}", row.others),
        (false, temper) => format!("/stack/?s={}&policy={temper}", row.others),
    };
    html! {
        tr {
            th scope="row" {
                a href=(row.path) { (shown(&row.name, 100)) }
                @if let Some(by) = &row.publisher { br; span class="by" { (shown(by, 60)) } }
            }
            td class="number" data-label="Tools:" { @if row.tools == 0 { "unknown" } @else { (row.tools) } }
            td { @if let Some(worst) = row.worst { (layout::severity(worst)) } @else { "–" } }
            td class="number" data-label="Tokens:" { (counted(row.tokens)) }
            td { a href=(rest) { "Remove" span class="unseen" { " " (shown(&row.name, 100)) } } }
        }
    }
}

fn totals(stack: &StackPage) -> Markup {
    let of =
        |counts: &std::collections::BTreeMap<&'static str, usize>, word: &str| counts.get(word).copied().unwrap_or(0);
    html! {
        section {
            h2 id="totals" { "All together" }
            ul class="numbers" {
                @for class in Class::ALL.into_iter().filter(|class| of(&stack.classes, class.as_str()) > 0) {
                    li { strong { (counted(of(&stack.classes, class.as_str()))) } " " (class.as_str()) }
                }
            }
            ul class="chips" aria-label="By severity" {
                @for severity in [Severity::Critical, Severity::High, Severity::Medium, Severity::Low] {
                    @let count = of(&stack.severities, severity.as_str());
                    @if count > 0 { li { (layout::severity(severity)) " " (count) } }
                }
            }
            ul class="chips" aria-label="By what else is dangerous" {
                @for facet in Facet::ALL {
                    @let count = of(&stack.facets, facet.as_str());
                    @if count > 0 { li { span class="chip" { (facet.as_str().replace('_', " ")) ": " (count) } } }
                }
            }
        }
    }
}

fn flows(stack: &StackPage) -> Markup {
    html! {
        section {
            h2 id="flows" { "From server to server" }
            @if stack.flows.is_empty() {
                p { "No attack that we know needs tools of several of these servers. What each can do alone stands on its own page." }
            } @else {
                p { "To an agent, all servers are one program: what a tool of one reads can steer what a tool of another does." }
            }
            @for flow in &stack.flows { (one_flow(flow)) }
        }
    }
}

fn one_flow(flow: &Flow) -> Markup {
    html! {
        article class="flow" {
            h3 { a href={ "/attacks/" (flow.pattern) "/" } { (flow.title) } " " (layout::severity(flow.severity)) }
            p { (layout::prose(flow.says)) @if flow.needs_several { " None of the servers could be used for it alone." } }
            ol class="steps" {
                @for step in &flow.steps {
                    li {
                        strong { (step.does) }
                        @for who in &step.servers {
                            p {
                                span class="by" { (shown(&who.server, 60)) } ": "
                                @for (index, tool) in who.tools.iter().enumerate() { @if index > 0 { ", " } (named(tool)) }
                                @if who.more > 0 { " and " (who.more) " more" }
                            }
                        }
                    }
                }
            }
            p class="note" { strong { "What helps: " } (layout::prose(flow.remedy)) }
        }
    }
}

fn named(tool: &Named) -> Markup {
    html! { a href=(tool.path) { (layout::name(&tool.name)) } }
}

fn tools(stack: &StackPage) -> Markup {
    html! {
        section {
            h2 id="tools" { "Everything agents could call" }
            div class="wide" tabindex="0" role="region" aria-labelledby="tools" {
                table {
                    caption { "The riskiest first" }
                    thead {
                        tr {
                            th scope="col" { "Tool" } th scope="col" { "Server" } th scope="col" { "Severity" } th scope="col" { "Class" }
                            th scope="col" { "Rule (" (stack.temper) ")" }
                        }
                    }
                    tbody {
                        @for row in &stack.tools {
                            tr {
                                th scope="row" {
                                    a href=(row.tool.path) { (layout::name(&row.tool.name)) }
                                    @if !row.tool.description.is_empty() { p { (shown(&row.tool.description, GIST)) } }
                                }
                                td { (shown(&row.tool.server, 60)) }
                                td { (layout::level(row.tool.severity)) }
                                td { (row.tool.class.as_str()) }
                                td { (row.rule) }
                            }
                        }
                    }
                }
            }
            (layout::pager(&tempered(stack, stack.temper), stack.page, stack.total.div_ceil(ROWS)))
        }
    }
}

fn alike(stack: &StackPage) -> Markup {
    html! {
        @if !stack.alike.is_empty() {
            section {
                h2 id="alike" { "Names and texts that get in each other's way" }
                ul class="results" { @for one in &stack.alike { li { (one_alike(one)) } } }
            }
        }
    }
}

fn one_alike(one: &Alike) -> Markup {
    let (class, sign) = match one.level {
        Level::Error => ("chip critical", "▲"),
        Level::Warning => ("chip high", "●"),
        Level::Note => ("chip", "○"),
    };
    html! {
        span class=(class) { span aria-hidden="true" { (sign) } " " (one.level.as_str()) } " "
        (shown(&one.server, 60)) @if let Some(tool) = &one.tool { " " (named(tool)) }
        " and " (shown(&one.other_server, 60)) @if let Some(tool) = &one.other_tool { " " (named(tool)) }
        p { (one.why) @if one.rule == "names-other-tool" { " It says: “" (shown(&one.text, 160)) "”" } }
    }
}

/// The path of a stack with another temper.
fn tempered(stack: &StackPage, temper: &str) -> String {
    if temper == "balanced" { stack.path.clone() } else { format!("{}&policy={temper}", stack.path) }
}
