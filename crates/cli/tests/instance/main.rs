//! `toolgate serve` as an instance: the real binary with its API, in front of a server that records what reaches it.

mod desk;
mod first_start;
mod killed;
mod replicas;
