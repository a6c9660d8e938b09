//! `toolgate grant new`: a token, and the digest that goes into toolgate.toml.

use std::process::ExitCode;

use crate::args::GrantCommand;
use crate::failure::Failure;
use crate::output::{say, tell};
use crate::token::Token;

/// Makes a token. It is not kept anywhere.
pub fn grant(command: &GrantCommand) -> Result<ExitCode, Failure> {
    let GrantCommand::New { json } = command;
    let token = Token::fresh()?;
    if *json {
        say!("{}", serde_json::json!({ "token": token.reveal(), "digest": token.digest().to_string() }))?;
    } else {
        say!("token   {}", token.reveal())?;
        say!("digest  {}", token.digest())?;
        tell!("Give the token to the agent, and the digest to toolgate.toml as `token_digest`.");
    }
    Ok(ExitCode::SUCCESS)
}
