//! Build and check tasks of the workspace: `cargo xtask TASK`.

mod bench;
mod catalogue;
mod classifier;
mod conformance;
mod dist;
mod full;
mod fuzz;
mod peers;
mod robustness;
mod system;
mod test;
mod tidy;

use std::process::ExitCode;

// The allocator of the product: `eval` measures with it.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const HELP: &str = "\
cargo xtask TASK

  test          everything that CI runs, after installing what it needs
  tidy          layering, file sizes, formatting, lints
  peers         install the real servers and clients that tests use, into .cache/, Chromium and tmux
  conformance   the official suite, against the fixture and through the gateway
  dist          packages: a tarball, Debian, npm, Python, their checksums and what is in them
  bench         CPU, latency and memory of a call, as ratios to nginx and a bare forwarder; start and scale
  catalogue     the catalogue at 40,000 servers and 500,000 tools: import, search, pages, memory
  fuzz          the fuzz targets, each for a stated time
  robustness    what is lost when either side is slow, hostile or dies, with many rounds; the fuzz targets
  train         the weights of the classifier, from the labelled definitions
  eval          how well the classifier does: confusion, accuracy, under-rating, facets, calibration
  full          the tests, the proofs with many rounds, and every figure that the documents name, written to docs/
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (task, rest) = match arguments.split_first() {
        Some((task, rest)) => (task.as_str(), rest),
        None => ("help", &[][..]),
    };
    let done = match task {
        "test" => test::run(rest),
        "tidy" => tidy::run(),
        "peers" => peers::install().map(|peers| {
            println!("real servers and clients: {}", peers.folder.display());
            println!("node: {}", peers.node.display());
        }),
        "dist" => dist::run(rest),
        "bench" => bench::bench(rest),
        "catalogue" => catalogue::run(rest),
        "full" => full::run(rest),
        "fuzz" => fuzz::run(rest),
        "robustness" => robustness::run(rest),
        "train" => classifier::train(rest),
        "eval" => classifier::eval(rest),
        "conformance" => conformance::run(rest),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(())
        }
        other => Err(anyhow::anyhow!("there is no task `{other}`\n\n{HELP}")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
