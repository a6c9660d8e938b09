//! Who asks, and may they? Found out when the head of a request is there, and again when its body is.

use std::net::IpAddr;
use std::sync::Arc;

use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use jiff::Timestamp;

use super::{Front, Place, json_refusal, not_forwarded, plain};
use crate::admission::Withdrawn;
use crate::body::Body;
use crate::gateway::Gateway;
use crate::grant::{Lead, TokenDigest};
use crate::terms::Unusable;

/// Somebody who was let in.
pub(super) struct Admitted {
    /// What it may use.
    pub(super) lead: Lead,
    /// Who asks.
    pub(super) sender: Sender,
}

/// Who sends a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sender {
    /// What is kept of the token, if one was needed.
    pub(super) token: Option<TokenDigest>,
    /// Where the request came from.
    pub(super) client_ip: IpAddr,
}

/// Why somebody was not let in.
pub(super) enum TurnedAway {
    /// No grant is known by what the request brought.
    Unauthorised(&'static str),
    /// One is, but may not be used here and now.
    Unusable(Unusable),
    /// One is, and its server cannot be reached: why.
    Closed(String),
}

impl Admitted {
    /// The same once more: under the grant that is in force now, if there still is one. A body may take its time, and what was
    /// decided meanwhile holds for it.
    pub(super) fn again(self, gateway: &Gateway) -> Result<Self, TurnedAway> {
        let Some(token) = self.sender.token else { return Ok(self) };
        let known = gateway.grants().of_digest(&token, Timestamp::now());
        let (lead, _) = known.ok_or(TurnedAway::Unauthorised("wrong token"))?;
        // Who asked for one server of a stack is not given the whole of it.
        let lead = match (&self.lead, &lead) {
            (Lead::Server(before), Lead::Stack(_)) => lead.on(before.server().id()).cloned().map(Lead::Server),
            _ => Some(lead),
        };
        Self { lead: lead.ok_or(TurnedAway::Unauthorised("grant of another server"))?, ..self }.usable()
    }

    fn usable(self) -> Result<Self, TurnedAway> {
        if let Some(terms) = self.lead.terms() {
            terms.usable(self.sender.client_ip, Timestamp::now()).map_err(TurnedAway::Unusable)?;
        }
        Ok(self)
    }
}

impl Front {
    /// Lets a request in, by its head.
    pub(super) fn admit(
        &self,
        place: &Place<'_>,
        headers: &HeaderMap,
        client_ip: IpAddr,
    ) -> Result<Admitted, TurnedAway> {
        let (token, lead) = self.lead(place, headers).map_err(|reason| {
            let token = headers.get(AUTHORIZATION).and_then(bearer);
            match token.and_then(|token| self.gateway.grants().why_closed(token).map(str::to_owned)) {
                Some(why) => TurnedAway::Closed(why),
                None => TurnedAway::Unauthorised(reason),
            }
        })?;
        Admitted { lead, sender: Sender { token, client_ip } }.usable()
    }

    fn lead(&self, place: &Place<'_>, headers: &HeaderMap) -> Result<(Option<TokenDigest>, Lead), &'static str> {
        let grants = self.gateway.grants();
        let mut given = headers.get_all(AUTHORIZATION).iter();
        let (token, lead) = match (given.next(), given.next()) {
            (None, _) if self.config.anonymous => {
                let server = match place {
                    Place::All => None,
                    Place::Server(id) => Some(*id),
                };
                (None, grants.anonymous(server).ok_or("no token")?)
            }
            (None, _) => return Err("no token"),
            (Some(_), Some(_)) => return Err("two Authorization headers"),
            (Some(value), None) => {
                let token = bearer(value).ok_or("no bearer token")?;
                let (digest, lead) = grants.of_token(token, Timestamp::now()).ok_or("wrong token")?;
                (Some(digest), lead)
            }
        };
        match place {
            // Whatever the token leads to, one server or several.
            Place::All => Ok((token, lead)),
            Place::Server(id) => {
                let grant = lead.on(id).ok_or("grant of another server")?;
                Ok((token, Lead::Server(Arc::clone(grant))))
            }
        }
    }

    /// Says why somebody was not let in. Whoever holds the token of a grant may know why it is of no use.
    pub(super) async fn turn_away(&self, why: TurnedAway, client_ip: IpAddr) -> Response<Body> {
        let refused = self.gateway.refused();
        match why {
            // A replica that follows nobody any more does not know which tokens are good.
            TurnedAway::Unauthorised(_) if !self.gateway.lease().holds() => {
                not_forwarded(&json_refusal(StatusCode::SERVICE_UNAVAILABLE, &Withdrawn::NoLease.to_string()))
            }
            TurnedAway::Closed(why) => not_forwarded(&json_refusal(StatusCode::SERVICE_UNAVAILABLE, &why)),
            TurnedAway::Unauthorised(reason) => {
                refused.slow_down(reason, client_ip).await;
                let text = "a valid grant token is needed: send `Authorization: Bearer TOKEN`";
                let mut answer = plain(&json_refusal(StatusCode::UNAUTHORIZED, text));
                answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"toolgate\""));
                answer
            }
            TurnedAway::Unusable(why) => {
                refused.slow_down(why.counted_as(), client_ip).await;
                plain(&json_refusal(StatusCode::FORBIDDEN, &why.to_string()))
            }
        }
    }
}

fn bearer(value: &HeaderValue) -> Option<&[u8]> {
    let (scheme, token) = value.as_bytes().split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii()).filter(|token| !token.is_empty())
}
