//! MCP clients as data, and edits of their configuration files that change nothing else.
//!
//! [`table`] says which clients there are, where their files lie on each system and how an entry is written.
//! [`Document`] is such a file, read with the place of everything in it. An [`Edit`] is a few ranges of bytes with
//! what stands there instead: keys, order, comments, indentation, quotes and line endings are not written anew,
//! so they stay.
//!
//! ```
//! use clients::{Document, Format, State, Table, Wrapper};
//!
//! let table = Table::compiled().unwrap();
//! let client = table.client("cursor").unwrap();
//! let file = br#"{ "mcpServers": { "files": { "command": "npx", "args": ["-y", "files"] } } } // mine"#;
//! let document = Document::read(Format::Json, file).unwrap();
//! let entry = document.entries(client, &client.surfaces[0]).unwrap().remove(0);
//!
//! let wrapper = Wrapper { program: "/opt/toolgate".into(), options: vec!["run".into()], portable: false };
//! let edit = document.wrap(&entry, &wrapper).unwrap();
//! let after = edit.apply(file).unwrap();
//! assert_eq!(
//!     String::from_utf8_lossy(&after),
//!     r#"{ "mcpServers": { "files": { "command": "/opt/toolgate", "args": ["run", "--", "npx", "-y", "files"] } } } // mine"#,
//! );
//! assert_eq!(edit.inverse().apply(&after).unwrap(), file);
//! ```

mod add;
mod diff;
mod document;
mod edit;
mod entry;
mod places;
mod position;
mod program;
mod refusal;
mod restore;
mod secret;
mod shown;
pub mod table;
mod tree;
mod unwrap;
mod variables;
mod wrap;
mod wrapped;
mod write;

pub use document::{BadDocument, Document, Format};
pub use edit::{Edit, Stale};
pub use entry::{Entry, Launch, NotCovered, State};
pub use places::{PathPattern, Places};
pub use position::Position;
pub use refusal::Refusal;
pub use restore::{Conflict, Restored};
pub use secret::{MASK, Secret, is_secret};
pub use shown::{shown_address, shown_words, without_secrets, without_values};
pub use table::{Client, Os, Scope, Surface, Table};
pub use variables::may_be_filled_in;
pub use wrap::Wrapper;
pub use wrapped::{Target, Wrapped};
