//! `toolgate serve` as an instance: the real binary with its API, in front of a server that records what reaches it.

#![allow(clippy::panic, clippy::indexing_slicing, reason = "a test that is wrong about its own input should fail")]

mod awaited;
mod backups;
mod clocks;
mod commands;
mod crowded;
mod databases;
mod desk;
mod disks;
mod filed;
mod first_start;
mod full_disk;
mod killed;
mod late;
mod mended;
mod named;
mod redis;
mod replicas;
mod secrets;
mod troubles;
mod watched;
