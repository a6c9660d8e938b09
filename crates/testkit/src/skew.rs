//! A process whose clock is wrong: the time of day is asked of the C library, which is told to be wrong by a library before
//! it. Clocks that only tell how long something takes are right.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};

use crate::toolgate::Setup;

const SOURCE: &str = r#"
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static time_t ahead(void) {
    const char *text = getenv("CLOCK_AHEAD");
    return text ? atol(text) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *at) {
    int failed = syscall(SYS_clock_gettime, clock, at);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) at->tv_sec += ahead();
    return failed;
}

int gettimeofday(struct timeval *at, void *zone) {
    (void)zone;
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now)) return -1;
    at->tv_sec = now.tv_sec;
    at->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *at) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at) *at = now.tv_sec;
    return now.tv_sec;
}
"#;

/// A program whose clock is so many seconds ahead, or behind. The library is made in a folder with the linker that Rust
/// needs, once.
///
/// # Errors
/// When there is no C compiler.
pub fn by(setup: Setup, folder: &Path, seconds: i64) -> anyhow::Result<Setup> {
    let library = folder.join("clock.so");
    if !library.exists() {
        let source = folder.join("clock.c");
        std::fs::write(&source, SOURCE)?;
        let mut command = Command::new("cc");
        command.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(&source);
        let made = command.output().context("cc is missing, with which Rust links")?;
        ensure!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
    Ok(setup.variable("LD_PRELOAD", &library.to_string_lossy()).variable("CLOCK_AHEAD", &seconds.to_string()))
}
