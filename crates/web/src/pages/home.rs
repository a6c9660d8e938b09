//! `/`: what this is, and the way to everything.

use maud::{Markup, html};
use serde::Serialize;

use crate::head::Head;
use crate::layout::search_box;
use crate::page::Page;

/// The home page.
#[derive(Debug, Serialize)]
pub(crate) struct Home {
    /// How many servers are known.
    pub(crate) servers: u64,
    /// How many tools.
    pub(crate) tools: u64,
}

impl Page for Home {
    fn head(&self) -> Head {
        Head {
            title: "What can your agents' tools do? · Toolgate".to_owned(),
            description: "Every tool of every known MCP server: what it does, how risky it is and why, and the policy that controls it.".to_owned(),
            path: "/".to_owned(),
            ..Head::default()
        }
    }

    fn body(&self) -> Markup {
        html! {
            h1 { "What can your agents' tools do?" }
            p class="lead" {
                "Every tool of every known MCP server: what it does, how risky it is and why, and the policy that controls it."
            }
            (search_box(""))
            ul class="numbers" {
                li { a href="/servers/" { strong { (self.servers) } " servers" } }
                li { a href="/search/" { strong { (self.tools) } " tools" } }
            }
        }
    }

    fn markdown(&self) -> String {
        format!(
            "# What can your agents' tools do?\n\n{} servers, {} tools: what each does, how risky it is and why, and the policy that controls it.\n\n- [Servers](/servers/index.md)\n- Search: `/search/index.md?q=WORDS`\n",
            self.servers, self.tools
        )
    }
}
