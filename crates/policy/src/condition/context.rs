//! What conditions can read.

use std::net::IpAddr;

use jiff::Timestamp;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use mcp::json;

use super::view::View;
use crate::facts::{Class, GrantFacts};
use crate::operand::Numbers;
use crate::path::ContextKey;

/// Everything a condition can read.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// `params.arguments`; an empty object where there are none.
    pub args: &'a json::Value<'a>,
    /// What is not an argument.
    pub context: &'a Context<'a>,
    /// How the server reads numbers.
    pub numbers: Numbers,
}

/// The facts that are not arguments, read once for a decision.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// Who calls: `grant.label`, `grant.owner`, `grant.tags.<key>`, `agent.label`
    pub grant: &'a GrantFacts,
    /// `server.name`
    pub server_name: &'a str,
    /// `tool.name`
    pub tool_name: &'a str,
    /// `tool.class`
    pub tool_class: Class,
    /// `session.id`, where there is a session
    pub session_id: Option<&'a str>,
    /// `client.ip`, where the call came over a network
    pub client_ip: Option<IpAddr>,
    /// `time.now`
    pub now: Timestamp,
    /// The policy's time zone, for `time.hour` and `time.weekday`.
    pub zone: &'a TimeZone,
}

/// The days of a week, as policies write them.
pub(super) const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

impl Context<'_> {
    /// The value of a fact as JSON, if there is one.
    #[must_use]
    pub fn text(&self, key: &ContextKey) -> Option<String> {
        self.read(key).map(super::shown::shown)
    }

    /// The value of a fact, if there is one.
    pub(super) fn read(&self, key: &ContextKey) -> Option<View<'_>> {
        Some(match key {
            ContextKey::GrantLabel => View::Text(&self.grant.label),
            ContextKey::GrantOwner => View::Text(self.grant.owner.as_deref()?),
            ContextKey::GrantTag(tag) => View::Text(self.grant.tags.get(tag.as_ref())?),
            ContextKey::AgentLabel => View::Text(&self.grant.agent_label),
            ContextKey::ServerName => View::Text(self.server_name),
            ContextKey::ToolName => View::Text(self.tool_name),
            ContextKey::ToolClass => View::Text(self.tool_class.as_str()),
            ContextKey::SessionId => View::Text(self.session_id?),
            // The system's own reading of the peer: a mapped address is the IPv4 address it stands for.
            ContextKey::ClientIp => View::Address(self.client_ip?.to_canonical()),
            ContextKey::TimeNow => View::Time(self.now),
            ContextKey::TimeHour => View::Small(self.zone.to_datetime(self.now).hour().unsigned_abs().into()),
            ContextKey::TimeWeekday => View::Text(weekday(self.zone.to_datetime(self.now).weekday())),
        })
    }
}

fn weekday(day: Weekday) -> &'static str {
    let offset = usize::from(day.to_monday_zero_offset().unsigned_abs());
    WEEKDAYS.get(offset).copied().unwrap_or_default()
}
