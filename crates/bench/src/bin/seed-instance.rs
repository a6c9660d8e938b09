//! An instance with as many servers and grants as a benchmark asks for, made before anybody serves it.
//!
//! `seed-instance FOLDER POLICY UPSTREAM SERVERS GRANTS` makes the master key `FOLDER/master` and the tables in
//! `FOLDER/data`, and prints the name of a server and the token of a grant on it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use control::Instance;
use control::grants::GrantGiven;
use control::servers::{ReachGiven, ServerGiven};
use control::stacks::LeadsGiven;
use policy::text::cidr::Block;
use store::DataDir;
use store::control::Place;
use store::control::access::{Actor, Role, Who};
use store::control::servers::Settings;
use upstream::egress::Egress;
use vault::KeySource;

type Failed = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    match seed(std::env::args().skip(1).collect()) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("seed-instance: {error}");
            ExitCode::FAILURE
        }
    }
}

fn seed(words: Vec<String>) -> Result<String, Failed> {
    let [folder, policy, upstream, servers, grants] =
        <[String; 5]>::try_from(words).map_err(|_| "it takes FOLDER POLICY UPSTREAM SERVERS GRANTS")?;
    let document = std::fs::read_to_string(policy)?;
    let (servers, grants): (u32, u32) = (servers.parse()?, grants.parse()?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let instance = made(&PathBuf::from(folder)).await?;
        let organisation = instance.database().first_organisation().await?.id;
        let who = Who::Operator("bench".to_owned());
        let admin = Actor { organisation, first: true, who, role: Role::Admin };
        instance.add_policy(&admin, "load", "", &document, "").await?;
        instance.publish(&admin, "load", 1, "the load").await?;
        for number in 0..servers {
            let given = ServerGiven {
                name: format!("server-{number}"),
                title: String::new(),
                reach: ReachGiven::Http { url: upstream.clone(), headers: Default::default(), transport: None },
                settings: Settings { accept_first: true, ..Settings::default() },
                policy: Some("load".to_owned()),
            };
            instance.add_server(&admin, &given, "").await?;
        }
        let mut last = None;
        for number in 0..grants {
            let server = format!("server-{}", number % servers.max(1));
            let given = GrantGiven {
                label: format!("grant-{number}"),
                leads: LeadsGiven::Server(server.clone()),
                agent: format!("agent-{number}"),
                ..GrantGiven::default()
            };
            let minted = instance.mint(&admin, &given, "").await?;
            last = Some(format!("{server} {}", minted.token.reveal()));
        }
        instance.database().clone().close().await;
        last.ok_or_else(|| "no grant was asked for".into())
    })
}

async fn made(folder: &Path) -> Result<Instance, Failed> {
    let keys = folder.join("master");
    vault::source::file::create(&keys)?;
    let ring = KeySource::File(keys).load().await?;
    let data = DataDir::open(&folder.join("data"))?;
    let here = Block::parse("127.0.0.0/8")?;
    Ok(Instance::open(&Place::Embedded(data), ring).await?.with_egress(Egress::public([here])))
}
