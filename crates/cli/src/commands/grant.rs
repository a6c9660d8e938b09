//! `toolgate grant new`: a token, and the digest that goes into toolgate.toml.

use std::process::ExitCode;

use crate::args::GrantCommand;
use crate::failure::Failure;
use crate::token::Token;

/// Makes a token. It is not kept anywhere.
pub fn grant(command: &GrantCommand) -> Result<ExitCode, Failure> {
    let GrantCommand::New { json } = command;
    let token = Token::fresh()?;
    if *json {
        println!("{}", serde_json::json!({ "token": token.reveal(), "digest": token.digest().to_string() }));
    } else {
        println!("token   {}", token.reveal());
        println!("digest  {}", token.digest());
        eprintln!("Give the token to the agent, and the digest to toolgate.toml as `token_digest`.");
    }
    Ok(ExitCode::SUCCESS)
}
