//! Requests that come again with the same key.

use store::control::access::{Actor, Role};
use store::control::idempotency::Known;

use crate::place::{Ground, actor};

pub async fn a_request_is_done_once_and_answered_again(ground: &Ground) {
    let (database, ada) = ground.founded(Role::Viewer).await;
    let see = ada.permit().unwrap();
    let begin = async |request| database.begin_request(&see, "k", request).await.unwrap();
    assert_eq!(begin("r").await, Known::Fresh);
    assert_eq!(begin("r").await, Known::UnderWay);
    assert_eq!(begin("other").await, Known::Other);
    database.end_request(&see, "k", "sealed").await.unwrap();
    assert_eq!(begin("r").await, Known::Answered("sealed".to_owned()));
    assert_eq!(begin("other").await, Known::Other);
    // What was answered is not taken back.
    database.drop_request(&see, "k").await.unwrap();
    assert_eq!(begin("r").await, Known::Answered("sealed".to_owned()));
}

pub async fn a_request_of_which_nothing_happened_may_come_again(ground: &Ground) {
    let (database, ada) = ground.founded(Role::Viewer).await;
    let see = ada.permit().unwrap();
    assert_eq!(database.begin_request(&see, "k", "r").await.unwrap(), Known::Fresh);
    database.drop_request(&see, "k").await.unwrap();
    assert_eq!(database.begin_request(&see, "k", "another").await.unwrap(), Known::Fresh);
}

pub async fn keys_are_ones_own(ground: &Ground) {
    let (database, ada) = ground.founded(Role::Admin).await;
    let other = database.add_organisation(ada.permit().unwrap(), "other", "Other", "").await.unwrap();
    let theirs = actor(other.id, false, Role::Admin);
    let bob = Actor { who: store::control::access::Who::Operator("bob".to_owned()), ..ada.clone() };
    for who in [&ada, &theirs, &bob] {
        assert_eq!(database.begin_request(&who.permit().unwrap(), "k", "r").await.unwrap(), Known::Fresh);
    }
    assert_eq!(database.begin_request(&bob.permit().unwrap(), "k", "r").await.unwrap(), Known::UnderWay);
}
