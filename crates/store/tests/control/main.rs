//! The control plane's tables: one suite, run over SQLite and over PostgreSQL.

mod bad_places;
mod changes;
mod isolation;
mod leases;
mod place;
mod repeated;
mod suite;
