//! The control plane over HTTP: a real listener, a plain client, tables over SQLite, and the same story over PostgreSQL.

mod client;
mod document;
mod house;
mod keys;
mod matrix;
mod pages;
mod secrets;
mod sign_in;
mod validation;
