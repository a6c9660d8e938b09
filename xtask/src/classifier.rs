//! `cargo xtask train` and `cargo xtask eval`: the weights of the classifier, and how well it does.
//!
//! What is labelled lies in `crates/risk/training`: labels by the identifier of a public
//! definition (`labels/`), definitions of our own in eight languages (`languages/`), and the
//! features of all of them (`features.tsv`), which are numbers from which no text can be told.
//! Training reads the features alone, so that it gives the same weights on every machine;
//! `--extract` makes them again from the definitions, where these are at hand.

mod corpus;
mod evaluation;
mod examples;
mod logistic;

use std::path::PathBuf;

use anyhow::{Result, bail, ensure};

use crate::system::root;
pub use corpus::{lines, shared};
use examples::Part;

/// Where the labelled definitions and the features lie.
fn training() -> PathBuf {
    root().join("crates/risk/training")
}

/// Trains the model and writes `crates/risk/weights.bin`; with `--check` it compares it instead.
///
/// # Errors
/// When labels or features are missing or broken.
pub fn train(arguments: &[String]) -> Result<()> {
    match arguments {
        [] => {}
        [option] if option == "--extract" => examples::extract()?,
        [option] if option == "--check" => {}
        _ => bail!("cargo xtask train [--extract | --check]"),
    }
    let examples = examples::load(Part::Whole)?;
    let weights = logistic::train(&examples);
    let path = root().join("crates/risk/weights.bin");
    let bytes = weights.to_bytes();
    if arguments.iter().any(|option| option == "--check") {
        ensure!(
            std::fs::read(&path)? == bytes,
            "crates/risk/weights.bin is not what `cargo xtask train` makes of the tree"
        );
        println!("{} examples give the weights of the tree", examples.len());
        return Ok(());
    }
    std::fs::write(&path, &bytes)?;
    println!("{} examples, {} bytes in {}", examples.len(), bytes.len(), path.display());
    Ok(())
}

/// Prints how well the compiled classifier does.
///
/// # Errors
/// When the labelled sets cannot be read.
pub fn eval(arguments: &[String]) -> Result<()> {
    evaluation::print(arguments)
}
