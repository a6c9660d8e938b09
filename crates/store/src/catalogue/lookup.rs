//! Looking servers and tools up, and reading all of them.

use jiff::Timestamp;
use sqlx::{Encode, Row, Sqlite, Type};

use super::lists::BriefRow;
use super::rows::{ServerRow, ToolRow, is_yes, time};
use super::{Brief, Catalogue, Server, Shown, Tool};
use crate::BadDatabase;
use crate::at_once::{at_once, record};

/// A tool as searches find it.
#[derive(Debug, Clone, PartialEq)]
pub struct Sought {
    /// What lists show of it.
    pub brief: Brief,
    /// The name for people.
    pub title: Option<String>,
    /// When its definition last changed.
    pub changed: Timestamp,
}

const SOUGHT: &str = "tools_said WHERE id > $1 ORDER BY id LIMIT 5000";

const SIBLINGS: &str = "(
    SELECT id, server, name, title, SUBSTR(description, 1, 400) AS description,
        CASE WHEN LENGTH(name) <= 8 THEN input_schema END AS input_schema, NULL AS annotations, x'' AS digest, class,
        severity, severity_fine, facets, confidence, '[]' AS evidence, said_class, said_hidden, first_seen, changed
    FROM tools_said WHERE server = $1 ORDER BY name)";

const DEFINITIONS: &str = "(
    SELECT id, server, name, title, description, input_schema, annotations, x'' AS digest, class, severity,
        severity_fine, facets, confidence, '[]' AS evidence, said_class, said_hidden, first_seen, changed
    FROM tools_said WHERE server = $1 ORDER BY name)";

record! {
    /// What searches read of a row of `tools_said`.
    struct SoughtRow {
        id: i64,
        server: i64,
        name: String,
        title: Option<String>,
        description: String,
        class: String,
        severity_fine: String,
        facets: String,
        said_class: Option<String>,
        said_hidden: Option<String>,
        changed: i64,
    }
}

impl TryFrom<SoughtRow> for Sought {
    type Error = BadDatabase;

    fn try_from(row: SoughtRow) -> Result<Self, BadDatabase> {
        let SoughtRow { id, server, name, description, class, severity_fine, facets, said_class, .. } = row;
        let brief = BriefRow { id, server, name, description, class, severity_fine, facets, said_class };
        Ok(Self { brief: brief.try_into()?, title: row.title, changed: time(row.changed)? })
    }
}

impl From<Tool> for Sought {
    fn from(tool: Tool) -> Self {
        let brief = Brief {
            id: tool.id,
            server: tool.server,
            name: tool.name,
            description: tool.description,
            class: tool.judged.class,
            severity: tool.judged.severity_fine,
            facets: tool.judged.facets,
        };
        Self { brief, title: tool.title, changed: tool.changed }
    }
}

/// What searches find of all tools, in the order of their numbers, page by page: those that are hidden are not among it.
#[derive(Debug)]
pub struct Stream<'a> {
    catalogue: &'a Catalogue,
    after: i64,
}

impl Stream<'_> {
    /// The next page; nothing at the end.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn next(&mut self) -> Result<Option<Vec<Sought>>, BadDatabase> {
        let rows: Vec<SoughtRow> = at_once(&self.catalogue.database.readers, SOUGHT, self.after).await?;
        let Some(last) = rows.last() else { return Ok(None) };
        self.after = last.id;
        let shown = rows.into_iter().filter(|row| !is_yes(row.said_hidden.as_deref()));
        shown.map(Sought::try_from).collect::<Result<_, _>>().map(Some)
    }
}

impl Catalogue {
    /// All tools, as searches find them.
    #[must_use]
    pub fn sought(&self) -> Stream<'_> {
        Stream { catalogue: self, after: i64::MIN }
    }

    /// All servers, in the order of their numbers.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn servers(&self) -> Result<Vec<Server>, BadDatabase> {
        let mut all: Vec<Server> = Vec::new();
        loop {
            let after = all.last().map_or(i64::MIN, |last| last.id);
            let page = self.servers_from("servers_said WHERE id > $1 ORDER BY id LIMIT 5000", after).await?;
            if page.is_empty() {
                return Ok(all);
            }
            all.extend(page);
        }
    }

    /// A server by its number.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn server(&self, id: i64) -> Result<Option<Server>, BadDatabase> {
        Ok(self.servers_from("servers_said WHERE id = $1", id).await?.pop())
    }

    /// The server of an identity.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn server_of(&self, identity: &str) -> Result<Option<Server>, BadDatabase> {
        let of = "servers_said WHERE id = (SELECT server FROM server_keys WHERE identity = $1)";
        Ok(self.servers_from(of, identity.to_owned()).await?.pop())
    }

    /// The servers whose slug or name this is, in any case: the one with that slug first.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn servers_named(&self, name: &str) -> Result<Vec<Server>, BadDatabase> {
        let named = "servers_said WHERE slug = LOWER($1) OR LOWER(name) = LOWER($1)
             ORDER BY CASE WHEN slug = LOWER($1) THEN 0 ELSE 1 END, id LIMIT 20";
        self.servers_from(named, name.to_owned()).await
    }

    /// The servers that a part of a statement selects.
    pub(super) async fn servers_from<T>(&self, from: &'static str, value: T) -> Result<Vec<Server>, BadDatabase>
    where
        T: for<'a> Encode<'a, Sqlite> + Type<Sqlite> + Send,
    {
        let rows: Vec<ServerRow> = at_once(&self.database.readers, from, value).await?;
        rows.into_iter().map(Server::try_from).collect()
    }

    /// A tool by its number, with its server.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn shown(&self, id: i64) -> Result<Option<Shown>, BadDatabase> {
        let Some(tool) = self.tool(id).await? else { return Ok(None) };
        Ok(self.server(tool.server).await?.map(|server| Shown { server, tool }))
    }

    /// The tools of a server, in the order of their names.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn tools_of(&self, server: i64) -> Result<Vec<Tool>, BadDatabase> {
        self.tools_from("tools_said WHERE server = $1 ORDER BY name", server).await
    }

    /// The tools of a server, in the order of their names, without what tells how they were judged: no evidence, no digest.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn definitions_of(&self, server: i64) -> Result<Vec<Tool>, BadDatabase> {
        self.tools_from(DEFINITIONS, server).await
    }

    /// The tools of a server in the order of their names, with what says which of them belong together: of descriptions
    /// the beginning, no evidence and digest, and the schema only where the name alone may say too little.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn siblings_of(&self, server: i64) -> Result<Vec<Tool>, BadDatabase> {
        self.tools_from(SIBLINGS, server).await
    }

    /// A tool by its number.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn tool(&self, id: i64) -> Result<Option<Tool>, BadDatabase> {
        Ok(self.tools_from("tools_said WHERE id = $1", id).await?.pop())
    }

    async fn tools_from(&self, from: &'static str, value: i64) -> Result<Vec<Tool>, BadDatabase> {
        let rows: Vec<ToolRow> = at_once(&self.database.readers, from, value).await?;
        rows.into_iter().map(Tool::try_from).collect()
    }

    /// How many servers and tools there are.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn size(&self) -> Result<(u64, u64), BadDatabase> {
        let row =
            sqlx::query("SELECT (SELECT COUNT(*) FROM servers) AS servers, (SELECT COUNT(*) FROM tools) AS tools")
                .fetch_one(&self.database.readers)
                .await?;
        let count = |name| row.try_get::<i64, _>(name).map(|count| u64::try_from(count).unwrap_or(0));
        Ok((count("servers")?, count("tools")?))
    }
}
