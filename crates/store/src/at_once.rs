//! Rows that are read all at once.
//!
//! The driver works in a thread of its own and hands over row by row: two changes of threads for each, which cost more
//! than to read it. Where a page needs many rows, the database puts them together as one JSON text.

use serde::de::DeserializeOwned;
use sqlx::{AssertSqlSafe, Encode, Sqlite, SqlitePool, Type};

use crate::BadDatabase;
use crate::database::json;

/// A row whose columns are the fields of a type, in their order.
pub(crate) trait Record: DeserializeOwned {
    /// The columns, as one value of SQL.
    const COLUMNS: &'static str;
}

/// Declares a [`Record`]: each field is a column, or `as` an expression of SQL.
macro_rules! record {
    ($(#[$about:meta])* struct $name:ident { $first:ident: $kind:ty, $($field:ident: $type:ty $(as $sql:literal)?),* $(,)? }) => {
        $(#[$about])*
        #[derive(Debug, serde::Deserialize)]
        pub(crate) struct $name {
            pub(crate) $first: $kind,
            $(pub(crate) $field: $type,)*
        }

        impl $crate::at_once::Record for $name {
            const COLUMNS: &'static str = concat!(
                "json_array(", stringify!($first), $(", ", $crate::at_once::column!($field $($sql)?),)* ")"
            );
        }
    };
}

/// The column of a field.
macro_rules! column {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident $sql:literal) => {
        $sql
    };
}

pub(crate) use {column, record};

/// The rows that `from` selects, in their order: what stands behind `FROM`, with `$1` for the value.
pub(crate) async fn at_once<R, T>(readers: &SqlitePool, from: &'static str, value: T) -> Result<Vec<R>, BadDatabase>
where
    R: Record,
    T: for<'a> Encode<'a, Sqlite> + Type<Sqlite> + Send,
{
    let sql = format!("SELECT json_group_array({}) FROM (SELECT * FROM {from})", R::COLUMNS);
    // All of it stands in this crate; the value is a parameter.
    let text: String = sqlx::query_scalar(AssertSqlSafe(sql)).bind(value).fetch_one(readers).await?;
    json("rows", &text)
}
