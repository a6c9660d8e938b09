#!/usr/bin/env node
// Starts the toolgate program of this machine in its place: same standard input, output and error, same arguments,
// and its end is passed on, whether it is a status or a signal.
"use strict";

const { spawn } = require("node:child_process");

const name = `@toolgate/cli-${process.platform}-${process.arch}`;

function program() {
  try {
    return require.resolve(`${name}/bin/toolgate`);
  } catch {
    console.error(
      `toolgate: the package ${name}, which holds the program, is not installed.\n` +
        "There are packages for Linux with glibc, on x64 and arm64. On one of these install toolgate again without\n" +
        "--omit=optional or --no-optional; elsewhere build it from source with cargo.",
    );
    process.exit(2);
  }
}

const child = spawn(program(), process.argv.slice(2), { stdio: "inherit" });

// Whoever stops this process means the program, which may have calls to finish. One more signal does it no harm where a
// terminal has sent the same to both.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"]) {
  process.on(signal, () => child.kill(signal));
}

child.on("error", (error) => {
  console.error(`toolgate: ${child.spawnfile} cannot be started: ${error.message}`);
  process.exit(2);
});

child.on("exit", (status, signal) => {
  if (signal === null) {
    process.exit(status);
  }
  // Without its listener the signal ends this process as it ended the program.
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
});
