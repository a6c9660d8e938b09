//! The Rust SDK's client: lists, makes one call that is allowed and one that is not, prints what
//! came.
//!
//! `rmcp-client http|stdio ALLOWED ARGUMENTS DENIED ARGUMENTS -- (URL TOKEN | COMMAND…)`

use anyhow::{Context, bail};
use rmcp::model::{CallToolRequestParams, ProtocolVersion};
use rmcp::service::RunningService;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::transport::{StreamableHttpClientTransport, TokioChildProcess};
use rmcp::{ClientHandler, ClientLifecycleMode, ClientServiceExt, RoleClient};
use serde_json::{Value, json};

#[derive(Clone, Default)]
struct Agent;

impl ClientHandler for Agent {}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [transport, allowed, allowed_arguments, denied, denied_arguments, _, target @ ..] = words.as_slice() else {
        bail!("rmcp-client http|stdio ALLOWED ARGUMENTS DENIED ARGUMENTS -- (URL TOKEN | COMMAND…)");
    };
    let auto =
        ClientLifecycleMode::Auto { preferred_versions: vec![ProtocolVersion::V_2026_07_28], legacy_version: None };
    let mut seen = Vec::new();
    for mode in [ClientLifecycleMode::Initialize, auto] {
        let client = match (transport.as_str(), target) {
            ("http", [url, token]) => {
                let mut config = StreamableHttpClientTransportConfig::with_uri(url.as_str());
                config.auth_header = Some(token.clone());
                Agent.serve_with_lifecycle(StreamableHttpClientTransport::from_config(config), mode).await?
            }
            ("stdio", [program, arguments @ ..]) => {
                let mut command = tokio::process::Command::new(program);
                command.args(arguments);
                Agent.serve_with_lifecycle(TokioChildProcess::new(command)?, mode).await?
            }
            _ => bail!("no such transport as {transport}"),
        };
        let tools = client.list_all_tools().await?;
        seen.push(json!({
            "tools": tools.iter().map(|tool| tool.name.to_string()).collect::<Vec<_>>(),
            "allowed": call(&client, allowed, allowed_arguments).await?,
            "denied": call(&client, denied, denied_arguments).await?,
        }));
        client.cancel().await?;
    }
    println!("{}", json!(seen));
    Ok(())
}

async fn call(client: &RunningService<RoleClient, Agent>, name: &str, arguments: &str) -> anyhow::Result<Value> {
    let arguments: Value = serde_json::from_str(arguments).context("the arguments")?;
    let mut params = CallToolRequestParams::new(name.to_owned());
    params.arguments = arguments.as_object().cloned();
    let result = serde_json::to_value(client.call_tool(params).await?)?;
    let text = result.pointer("/content/0/text").cloned().unwrap_or_default();
    let failed = result.get("isError").and_then(Value::as_bool).unwrap_or_default();
    Ok(json!({ "text": text, "isError": failed }))
}
