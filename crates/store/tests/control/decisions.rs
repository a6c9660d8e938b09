//! Decisions in the tables: shipped from the segments once, read by their organisation alone, made anew the same.

use std::path::Path;

use audit::{Decision, Effect, Ending, Event, Id, Outcome, Target};
use store::control::access::{Actor, Role};
use store::control::decisions::{Behind, DecisionFilter};
use store::control::{BadControl, ControlDatabase, decisions};
use store::log::{AuditLog, Options, Position, Tail, ids, tail};

use crate::place::{Ground, actor};

/// A chain in a folder of its own.
struct Chain {
    log: AuditLog,
    _folder: tempfile::TempDir,
}

impl Chain {
    fn new(rotate_bytes: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = AuditLog::open(folder.path(), Options { rotate_bytes, ..Options::default() }).unwrap();
        Self { log, _folder: folder }
    }

    fn path(&self) -> &Path {
        self.log.path()
    }

    fn decide(&self, organisation: Id, change: impl FnOnce(&mut Decision<'_>)) -> Id {
        let (id, organisation) = (ids::next(), organisation.to_string());
        let mut decision = Decision {
            id,
            organisation: Some(&organisation),
            grant: Some("desk"),
            grant_id: Some("01ARZ3NDEKTSV4RRFFQ69G5FAV"),
            agent: Some("helpdesk"),
            server: Some("crm"),
            method: Some("tools/call"),
            target: Target::Tool("export"),
            effect: Effect::Allow,
            rule: Some("default"),
            policy: Some("00ff"),
            ..Decision::default()
        };
        change(&mut decision);
        self.log.append(&Event::Decision(decision)).unwrap();
        id
    }

    fn settle(&self, decision: Id, ending: Ending) {
        let outcome = Outcome { decision, ending, duration_us: Some(1_500), ..Outcome::default() };
        self.log.append(&Event::Outcome(outcome)).unwrap();
    }

    /// Ships all that there is, `most` records at a time.
    async fn ship(&self, database: &ControlDatabase, most: usize) {
        loop {
            let from = database.shipped(self.log.chain()).await.unwrap().map_or(Position::default(), |at| at.position);
            let next = tail(self.path(), from, most).unwrap();
            assert!(!next.broken);
            if next.records.is_empty() {
                return;
            }
            database.ship(self.log.chain(), &next, false).await.unwrap();
        }
    }
}

async fn all(database: &ControlDatabase, actor: &Actor) -> Vec<decisions::Decision> {
    database.decisions(&actor.permit().unwrap(), &DecisionFilter::default(), None, 1_000).await.unwrap()
}

pub async fn decisions_are_shipped_once_with_their_outcomes(ground: &Ground) {
    let (database, home) = ground.founded(Role::Viewer).await;
    let chain = Chain::new(2_000);
    let ours = home.organisation;
    let first = chain.decide(ours, |_| ());
    chain.settle(first, Ending::ToolError);
    let second = chain.decide(ours, |decision| decision.effect = Effect::Deny);
    let third = chain.decide(ours, |decision| decision.target = Target::Resource("file:///a"));
    chain.ship(&database, 3).await;
    let odd = chain.decide(ours, |decision| decision.target = Target::Tool("a\0'b\u{202e}"));
    // The outcome of what was shipped before, and that of what comes with it.
    chain.settle(third, Ending::Ok);
    chain.settle(odd, Ending::Ok);
    chain.ship(&database, 100).await;

    let rows = all(&database, &home).await;
    assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), [odd, third, second, first], "the newest first");
    let [odd, third, second, first] = &rows[..] else { panic!("{rows:?}") };
    assert_eq!(odd.name.as_deref(), Some("a\u{fffd}'b\u{202e}"), "PostgreSQL knows no U+0000");
    assert!(odd.line.contains(r#""tool":"a\u0000'b\u202e""#), "the record is as it stands: {}", odd.line);
    assert_eq!((third.kind.as_deref(), third.name.as_deref()), (Some("resource"), Some("file:///a")));
    assert_eq!(third.outcome.as_ref().map(|outcome| outcome.ending), Some(Ending::Ok));
    assert_eq!((second.effect, &second.outcome), (Effect::Deny, &None));
    let outcome = first.outcome.as_ref().unwrap();
    assert_eq!((outcome.ending, outcome.duration_us), (Ending::ToolError, Some(1_500)));
    assert!(outcome.line.contains(&format!("\"decision\":\"{}\"", first.id)));
    assert_eq!((first.grant_label.as_str(), first.grant.as_str()), ("desk", "01ARZ3NDEKTSV4RRFFQ69G5FAV"));
    assert_eq!((first.chain, first.organisation), (chain.log.chain(), ours));

    // Once more from the beginning, as after a crash between the rows and nothing: the same rows, none twice.
    let again = tail(chain.path(), Position::default(), 1_000).unwrap();
    database.ship(chain.log.chain(), &again, false).await.unwrap();
    assert_eq!(all(&database, &home).await, rows);
    // Forgotten and shipped anew, in other batches.
    database.ship_again(chain.log.chain(), Position::default()).await.unwrap();
    assert_eq!(all(&database, &home).await, []);
    chain.ship(&database, 2).await;
    assert_eq!(all(&database, &home).await, rows);
}

pub async fn decisions_are_filtered_and_come_in_pages(ground: &Ground) {
    let (database, home) = ground.founded(Role::Viewer).await;
    let chain = Chain::new(1 << 20);
    let ours = home.organisation;
    for number in 0..7 {
        chain.decide(ours, |decision| decision.pointer = if number % 2 == 0 { Some("/x") } else { None });
    }
    let other = "01ARZ3NDEKTSV4RRFFQ69G5FAW";
    let denied = chain.decide(ours, |decision| {
        (decision.grant, decision.grant_id, decision.server) = (Some("night"), Some(other), Some("files"));
        (decision.effect, decision.rule, decision.target) = (Effect::Deny, Some("tools[0]"), Target::Tool("rm"));
    });
    chain.ship(&database, 1_000).await;
    let rows = all(&database, &home).await;
    let permit = home.permit().unwrap();
    let text = |text: &str| Some(text.to_owned());
    let none = DecisionFilter::default;
    let at = rows.iter().find(|row| row.id == denied).unwrap().at;
    for (filter, count) in [
        (DecisionFilter { grant: text("night"), ..none() }, 1),
        (DecisionFilter { grant: text(other), ..none() }, 1),
        (DecisionFilter { grant: text("desk"), ..none() }, 7),
        (DecisionFilter { grant: text("no\0body"), ..none() }, 0),
        (DecisionFilter { server: text("files"), ..none() }, 1),
        (DecisionFilter { tool: text("export"), ..none() }, 7),
        (DecisionFilter { effect: Some(Effect::Deny), ..none() }, 1),
        (DecisionFilter { effect: Some(Effect::Ask), ..none() }, 0),
        (DecisionFilter { rule: text("tools[0]"), server: text("files"), ..none() }, 1),
        (DecisionFilter { rule: text("tools[0]"), server: text("crm"), ..none() }, 0),
        (DecisionFilter { since: Some(0), until: Some(i64::MAX), ..none() }, 8),
        (DecisionFilter { since: Some(at + 1), ..none() }, 0),
        (DecisionFilter { until: Some(rows[7].at), ..none() }, 0),
        (DecisionFilter { approval: text("x"), ..none() }, 0),
        (DecisionFilter { tool: text("%"), ..none() }, 0),
    ] {
        let found = database.decisions(&permit, &filter, None, 100).await.unwrap();
        assert_eq!(found.len(), count, "{filter:?}");
    }
    let (mut pages, mut behind) = (Vec::new(), None);
    loop {
        let page = database.decisions(&permit, &none(), behind, 3).await.unwrap();
        let Some(last) = page.last() else { break };
        behind = Some(Behind { at: last.at, id: last.id });
        pages.extend(page);
    }
    assert_eq!(pages, rows, "each once, in the same order");
}

pub async fn decisions_of_another_organisation_are_as_good_as_none(ground: &Ground) {
    let (database, home) = ground.founded(Role::Admin).await;
    let other = database.add_organisation(home.permit().unwrap(), "other", "Other", "").await.unwrap();
    let theirs = actor(other.id, false, Role::Auditor);
    let chain = Chain::new(1 << 20);
    let ours = chain.decide(home.organisation, |_| ());
    let his = chain.decide(other.id, |_| ());
    // Of a gateway without a control plane: nobody could be permitted to see it.
    chain.decide(home.organisation, |decision| (decision.organisation, decision.grant_id) = (None, None));
    chain.ship(&database, 1_000).await;
    assert_eq!(all(&database, &home).await.iter().map(|row| row.id).collect::<Vec<_>>(), [ours]);
    assert_eq!(all(&database, &theirs).await.iter().map(|row| row.id).collect::<Vec<_>>(), [his]);
    assert_eq!(database.decision(&home.permit().unwrap(), ours).await.unwrap().id, ours);
    for id in [ours, ids::next()] {
        let found = database.decision(&theirs.permit().unwrap(), id).await;
        assert!(matches!(found, Err(BadControl::Missing("decision"))), "{found:?}");
    }
    let by_grant = DecisionFilter { grant: Some("desk".to_owned()), ..DecisionFilter::default() };
    assert_eq!(database.decisions(&theirs.permit().unwrap(), &by_grant, None, 10).await.unwrap().len(), 1);
}

pub async fn old_decisions_are_forgotten_and_others_are_not(ground: &Ground) {
    let (database, home) = ground.founded(Role::Viewer).await;
    let chain = Chain::new(1 << 20);
    let id = chain.decide(home.organisation, |_| ());
    chain.ship(&database, 1_000).await;
    let at = all(&database, &home).await[0].at;
    assert!(!database.forget_decisions(at).await.unwrap());
    assert_eq!(all(&database, &home).await.len(), 1);
    assert!(!database.forget_decisions(at + 1).await.unwrap());
    assert_eq!(all(&database, &home).await, []);
    // An outcome that comes later finds nothing, and makes nothing.
    chain.settle(id, Ending::Ok);
    chain.ship(&database, 1_000).await;
    assert_eq!(all(&database, &home).await, []);
}

pub async fn what_a_chain_may_not_say_of_anothers_calls(ground: &Ground) {
    let (database, home) = ground.founded(Role::Viewer).await;
    let (one, two) = (Chain::new(1 << 20), Chain::new(1 << 20));
    let id = one.decide(home.organisation, |_| ());
    one.ship(&database, 100).await;
    let rows = all(&database, &home).await;
    // Another replica's chain with the same id, and an outcome for it.
    two.decide(home.organisation, |decision| (decision.id, decision.effect) = (id, Effect::Deny));
    two.settle(id, Ending::Ok);
    two.ship(&database, 1).await;
    two.ship(&database, 100).await;
    assert_eq!(all(&database, &home).await, rows);
    let both = database.shipped_chains().await.unwrap();
    assert!(both.contains(&one.log.chain()) && both.contains(&two.log.chain()));
}

#[test]
fn a_chain_is_read_from_any_place_and_a_break_is_seen() {
    let chain = Chain::new(600);
    for _ in 0..12 {
        chain.decide(Id::from_bits(1), |_| ());
    }
    let whole = tail(chain.path(), Position::default(), 1_000).unwrap();
    assert!(whole.position.segment > 3 && !whole.broken);
    let mut pieces = Tail::default();
    while pieces.records.len() < whole.records.len() {
        let next = tail(chain.path(), pieces.position, 1).unwrap();
        assert_eq!(next.records.len(), 1);
        pieces.position = next.position;
        pieces.records.extend(next.records);
    }
    assert_eq!((pieces.position, &pieces.records), (whole.position, &whole.records));
    assert!(tail(chain.path(), whole.position, 10).unwrap().records.is_empty());

    // A record that was read and is another one now, as where a disk took back what it had not kept.
    let file = chain.path().join("000002.log");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replacen("export", "import", 1)).unwrap();
    let broken = tail(chain.path(), Position::default(), 1_000).unwrap();
    assert!(broken.broken && broken.position.segment == 2 && !broken.records.is_empty(), "{:?}", broken.position);
    std::fs::write(&file, &text.as_bytes()[..text.len() / 2]).unwrap();
    assert!(tail(chain.path(), Position::default(), 1_000).unwrap().broken, "cut, and another follows");
    // One that was removed on purpose is passed over.
    std::fs::remove_file(&file).unwrap();
    std::fs::remove_file(chain.path().join("000001.log")).unwrap();
    let rest = tail(chain.path(), Position::default(), 1_000).unwrap();
    let kept = whole.records.iter().filter(|(record, _)| rest.records.iter().any(|(there, _)| there == record));
    assert!(!rest.broken && rest.position == whole.position && kept.count() == rest.records.len());
}
