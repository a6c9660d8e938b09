//! A first start, and a start with the wrong keys.

use control::Instance;
use control::sign_in::SignIn;
use secrecy::SecretString;
use store::control::access::{Role, Who};
use vault::KeyRing;

use crate::house::House;

fn secret(text: &str) -> SecretString {
    SecretString::from(text)
}

pub fn the_first_admin_is_made_with_the_setup_token_once(house: &House) {
    let desk = house.desk();
    desk.runtime.block_on(async {
        let sign_in = SignIn::new(&desk.instance).unwrap();
        let first = desk.instance.setup_token().await.unwrap().unwrap();
        let second = desk.instance.setup_token().await.unwrap().unwrap();
        let password = secret("correct horse battery");
        // The one that was made last is the good one; what is no password uses it up by no means.
        assert!(sign_in.set_up(first.reveal(), "ada", &password).await.unwrap().is_none());
        assert!(sign_in.set_up("tgs_nonsense", "ada", &password).await.unwrap().is_none());
        assert!(sign_in.set_up(second.reveal(), "ada", &secret("short")).await.is_err());
        assert!(sign_in.set_up(second.reveal(), "a da", &password).await.is_err());
        assert!(sign_in.set_up(second.reveal(), "ada", &password).await.unwrap().is_some());
        assert!(sign_in.set_up(second.reveal(), "eve", &password).await.unwrap().is_none());
        assert!(desk.instance.setup_token().await.unwrap().is_none());
    });
}

pub fn who_signs_in_is_recognised_until_signing_out(house: &House) {
    let desk = house.desk();
    desk.runtime.block_on(async {
        let sign_in = SignIn::new(&desk.instance).unwrap();
        let setup = desk.instance.setup_token().await.unwrap().unwrap();
        let password = secret("correct horse battery");
        let ada = sign_in.set_up(setup.reveal(), "ada", &password).await.unwrap().unwrap();
        let wrong = secret("correct horse batterY");
        for (organisation, name, password) in
            [("default", "ada", &wrong), ("default", "bob", &password), ("other", "ada", &password)]
        {
            assert!(sign_in.sign_in(organisation, name, password).await.unwrap().is_none(), "{organisation} {name}");
        }
        let token = sign_in.sign_in("default", "ada", &password).await.unwrap().unwrap();
        let actor = desk.instance.recognise(token.reveal()).await.unwrap().unwrap();
        assert_eq!(actor.who, Who::Member { id: ada, name: "ada".to_owned() });
        assert_eq!((actor.role, actor.first), (Role::Admin, true));
        assert!(desk.instance.recognise(setup.reveal()).await.unwrap().is_none());
        desk.instance.sign_out(token.reveal()).await.unwrap();
        assert!(desk.instance.recognise(token.reveal()).await.unwrap().is_none());
    });
}

pub fn the_wrong_keys_are_refused_and_change_nothing(house: &House) {
    let desk = house.desk();
    let before = desk.runtime.block_on(desk.instance.database().version()).unwrap();
    let wrong = KeyRing::generate("another key file").unwrap();
    let refused = desk.runtime.block_on(Instance::open(&house.place, wrong)).unwrap_err().to_string();
    assert!(refused.contains("another key file"), "{refused}");
    assert_eq!(desk.runtime.block_on(desk.instance.database().version()).unwrap(), before);
    // The right ones still are.
    desk.runtime.block_on(Instance::open(&house.place, house.ring())).unwrap();
}
