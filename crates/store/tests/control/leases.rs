//! What replicas follow.

use std::collections::BTreeSet;

use audit::Id;
use store::control::access::Role;
use store::control::live::behind;
use store::control::policies::Document;
use store::control::stops::Stoppable;

use crate::changes::{grant, policy, register};
use crate::place::Ground;

pub async fn a_lease_is_renewed_and_ends(ground: &Ground) {
    let (database, _) = ground.founded(Role::Admin).await;
    let (one, two) = (Id::from_bits(1), Id::from_bits(2));
    let now = database.now().await.unwrap();
    let version = database.version().await.unwrap();
    // Who follows an older version gets none.
    assert_eq!(database.renew_lease(one, "one", 600_000, version - 1).await.unwrap(), None);
    assert!(database.replicas().await.unwrap().is_empty());
    let until = database.renew_lease(one, "one", 600_000, version).await.unwrap().unwrap();
    assert!(until >= now + 600_000);
    // The second one's lease is over at once.
    database.renew_lease(two, "two", 0, version).await.unwrap();
    let names: Vec<_> = database.replicas().await.unwrap().into_iter().map(|replica| replica.name).collect();
    assert_eq!(names, ["one"]);
    let replicas = database.replicas().await.unwrap();
    assert_eq!(behind(&replicas, version + 1), BTreeSet::from(["one"]));
    database.applied(one, version + 4).await.unwrap();
    // Never back.
    database.applied(one, version + 2).await.unwrap();
    let replicas = database.replicas().await.unwrap();
    assert_eq!(replicas[0].applied, version + 4);
    assert!(behind(&replicas, version + 4).is_empty());
    database.end_lease(one).await.unwrap();
    assert!(database.replicas().await.unwrap().is_empty());
}

pub async fn a_replica_reads_all_and_then_what_changed(ground: &Ground) {
    let (database, admin) = ground.founded(Role::Admin).await;
    let server = register(&database, &admin, "crm").await;
    let policy = policy(&database, &admin, "careful").await;
    let grant = grant(&database, &admin, server, "desk", "hash-1").await;
    let all = database.changes_since(0).await.unwrap();
    assert_eq!(all.version, database.version().await.unwrap());
    assert_eq!(all.servers.len(), 1);
    assert_eq!(all.servers[0].sealed.len(), 1);
    assert_eq!(all.policies.len(), 1);
    assert!(all.policies[0].published.is_none());
    assert_eq!(all.grants[0].tokens, [("hash-1".to_owned(), None)]);
    assert_eq!(all.agents.len(), 1);

    let nothing = database.changes_since(all.version).await.unwrap();
    assert!(nothing.servers.is_empty() && nothing.policies.is_empty() && nothing.grants.is_empty());

    database.publish(admin.permit().unwrap(), policy, 1, "first").await.unwrap();
    let published = database.changes_since(all.version).await.unwrap();
    assert!(published.servers.is_empty() && published.grants.is_empty());
    assert_eq!(published.policies[0].published, Some((1, "{\"a\":1}".to_owned())));

    // A version that is not in force is nothing to follow by itself, but the row is read again.
    let document = Document { text: "{\"a\":2}", digest: "d2" };
    database.add_policy_version(admin.permit().unwrap(), policy, 1, document, "").await.unwrap();
    let edited = database.changes_since(published.version).await.unwrap();
    assert_eq!(edited.policies[0].published, Some((1, "{\"a\":1}".to_owned())));

    database.stop(admin.permit().unwrap(), Stoppable::Grant(grant), "a leak").await.unwrap();
    let stopped = database.changes_since(edited.version).await.unwrap();
    assert_eq!(stopped.stops[0].reason.as_deref(), Some("a leak"));
    database.revoke_grant(admin.permit().unwrap(), grant, "").await.unwrap();
    let revoked = database.changes_since(stopped.version).await.unwrap();
    assert!(revoked.grants[0].tokens.is_empty());
    assert!(revoked.grants[0].grant.revoked_at.is_some());

    // What is gone is read by whoever has known it, and by nobody else.
    let known = database.everything(Some(stopped.version)).await.unwrap();
    assert_eq!((known.grants.len(), known.servers.len(), known.policies.len()), (1, 1, 1));
    let fresh = database.everything(None).await.unwrap();
    assert_eq!((fresh.version, fresh.grants.len(), fresh.servers.len()), (revoked.version, 0, 1));
    assert_eq!(fresh.stops.len(), 1);
}

pub async fn versions_are_seen_in_their_order(ground: &Ground) {
    let (database, admin) = ground.founded(Role::Admin).await;
    let server = register(&database, &admin, "crm").await;
    let before = database.version().await.unwrap();
    // Many at once: whoever follows has, at each version, everything up to it.
    let makers: Vec<_> = (0..8)
        .map(|maker| {
            let (database, admin) = (database.clone(), admin.clone());
            tokio::spawn(async move {
                for turn in 0..5 {
                    let what = Stoppable::Server(server);
                    let reason = format!("{maker}.{turn}");
                    database.stop(admin.permit().unwrap(), what, &reason).await.unwrap();
                }
            })
        })
        .collect();
    let mut seen = before;
    let mut changes = 0;
    while seen < before + 40 {
        let delta = database.changes_since(seen).await.unwrap();
        assert!(delta.version >= seen);
        if delta.version > seen {
            assert_eq!(delta.stops.len(), 1, "between {seen} and {}", delta.version);
            changes += 1;
        }
        seen = delta.version;
    }
    assert!(changes >= 1);
    for maker in makers {
        maker.await.unwrap();
    }
    assert_eq!(database.version().await.unwrap(), before + 40);
}
