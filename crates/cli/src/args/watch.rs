//! The command line of what watches a gateway.

use std::net::SocketAddr;

use clap::Args;

/// Where numbers and traces go.
#[derive(Debug, Args, Clone, Default)]
pub struct WatchOptions {
    /// Where to serve numbers for Prometheus, at /metrics, to whoever can connect, with TLS where agents have it; port 0
    /// takes a free one
    #[arg(long, value_name = "ADDRESS")]
    pub metrics_listen: Option<SocketAddr>,
    /// The OpenTelemetry collector that traces are sent to (OTLP over HTTP, JSON); /v1/traces is added. Else
    /// $OTEL_EXPORTER_OTLP_TRACES_ENDPOINT as it is, or $OTEL_EXPORTER_OTLP_ENDPOINT
    #[arg(long, value_name = "URL")]
    pub otlp: Option<String>,
}
