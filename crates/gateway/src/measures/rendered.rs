//! All numbers of a gateway, as text.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::{Exposition, Kind};
use crate::gateway::Gateway;
use crate::server::Server;

/// Writes the numbers of a gateway: of each server to which a grant leads, and of the whole.
pub fn render(gateway: &Gateway, text: &mut Exposition) {
    let grants = gateway.grants();
    let mut servers: BTreeMap<(&str, &str), &Arc<Server>> = BTreeMap::new();
    for grant in grants.all() {
        servers.insert((&grant.organisation, grant.server().id()), grant.server());
    }
    of_servers(&servers, text);
    let measures = gateway.measures();
    text.family(
        "toolgate_decision_duration_seconds",
        Kind::Histogram,
        "Time from a parsed tool call to its decision, with its counts and its record.",
    )
    .histogram(&[], &measures.decision_time);
    for (name, help, counter) in [
        (
            "toolgate_unrecorded_requests_total",
            "Requests refused because the audit log could not take their record.",
            &measures.unrecorded,
        ),
        (
            "toolgate_counts_down_total",
            "Calls whose limits could not be counted because the store of counts was down.",
            &measures.counts_down,
        ),
        (
            "toolgate_uncounted_calls_total",
            "Calls made although the store of counts was down, because their limits say so.",
            &measures.uncounted,
        ),
    ] {
        text.single(name, Kind::Counter, help, counter.value());
    }
    text.family(
        "toolgate_refused_requests_total",
        Kind::Counter,
        "Requests and messages turned away or dropped before there was anything to decide, by reason.",
    );
    for (reason, times) in gateway.refused().totals() {
        text.sample(&[("reason", &reason.replace(' ', "_"))], times);
    }
    let lease = gateway.lease();
    text.single(
        "toolgate_lease_held",
        Kind::Gauge,
        "Whether calls are forwarded: 0 while the control plane is lost.",
        u8::from(lease.holds()),
    );
    let left = lease.left().unwrap_or_default();
    if left < Duration::MAX {
        text.single(
            "toolgate_lease_remaining_seconds",
            Kind::Gauge,
            "Time until calls are no longer forwarded unless the lease is renewed.",
            left.as_secs_f64(),
        );
    }
    text.single("toolgate_grants", Kind::Gauge, "Tokens of grants in force.", grants.all().count());
    text.single("toolgate_open_streams", Kind::Gauge, "Streams on which agents listen.", gateway.streams().count());
    text.single("toolgate_children", Kind::Gauge, "Server programs that run.", gateway.children().count());
    let log = gateway.log().load();
    text.single(
        "toolgate_audit_waiting_bytes",
        Kind::Gauge,
        "Bytes of audit records that are not yet written.",
        log.waiting,
    );
    text.single("toolgate_audit_segment_bytes", Kind::Gauge, "Bytes in the segment of the audit log.", log.segment);
    text.single("toolgate_audit_records", Kind::Gauge, "Records in the chain of this process.", log.records);
    if let Some(spans) = gateway.spans() {
        let help = "Spans of requests that found no room in the queue of those to be sent.";
        text.single("toolgate_dropped_spans_total", Kind::Counter, help, spans.dropped.value());
    }
}

fn of_servers(servers: &BTreeMap<(&str, &str), &Arc<Server>>, text: &mut Exposition) {
    let labelled = || {
        servers
            .iter()
            .map(|((organisation, server), known)| ([("organisation", *organisation), ("server", *server)], *known))
    };
    text.family(
        "toolgate_decisions_total",
        Kind::Counter,
        "Decisions, by effect and by the kind of rule that decided.",
    );
    for ([organisation, server], known) in labelled() {
        for (effect, rule, times) in known.measures.decisions().filter(|(_, _, times)| *times > 0) {
            text.sample(&[organisation, server, ("effect", effect), ("rule", rule)], times);
        }
    }
    text.family("toolgate_limited_calls_total", Kind::Counter, "Calls refused because a limit was full.");
    for (labels, known) in labelled() {
        text.sample(&labels, known.measures.limited.value());
    }
    text.family("toolgate_forwarded_requests_total", Kind::Counter, "Requests forwarded that have ended, by how.");
    for ([organisation, server], known) in labelled() {
        for (outcome, times) in known.measures.outcomes().filter(|(_, times)| *times > 0) {
            text.sample(&[organisation, server, ("outcome", outcome)], times);
        }
    }
    text.family(
        "toolgate_upstream_duration_seconds",
        Kind::Histogram,
        "Time from the decision to the end of the server's answer.",
    );
    for (labels, known) in labelled() {
        text.histogram(&labels, &known.measures.answer_time);
    }
    text.family("toolgate_calls_in_flight", Kind::Gauge, "Requests under way at a server.");
    for (labels, known) in labelled() {
        text.sample(&labels, known.in_flight());
    }
}
