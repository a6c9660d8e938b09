//! Being known to an instance: setting up, signing in and out.

use crate::house::{House, PASSWORD, mode};

#[test]
fn the_first_admin_is_made_with_the_setup_token_and_is_signed_in() {
    let house = House::new();
    let password = house.file("password", &format!("{PASSWORD}\n"));
    let setup = ["setup", "--name", "ada", "--setup-token-file", "-", "--password-file", &password];
    let url = house.url();
    let here = [("TOOLGATE_INSTANCE", url.as_str())];
    let wrong = house.with(&setup, &here, "tgs_wrong").no();
    assert!(wrong.contains("the setup token is not good"), "{wrong}");
    let out = house.with(&setup, &here, &format!("{}\n", house.setup_token)).done();
    assert!(out.contains(&format!("ada is the first admin of {url}")), "{out}");
    // Nobody names the instance any more: it is the last one of a login.
    let me = house.with(&["whoami", "--json"], &[], "").json();
    assert_eq!((&me["actor"], &me["role"]), (&"member:ada".into(), &"admin".into()));
    let kept = house.home().join(".config/toolgate/instances.json");
    assert_eq!(mode(&kept), 0o600);
    let text = std::fs::read_to_string(&kept).unwrap();
    assert!(text.contains("tgx_") && !text.contains(PASSWORD) && !text.contains(&house.setup_token), "{text}");
    let twice = house.with(&setup, &here, &house.setup_token).no();
    assert!(twice.contains("or was used"), "{twice}");
}

#[test]
fn signing_in_and_out_again() {
    let house = House::set_up();
    let out = house.run(&["logout"]).done();
    assert!(out.contains("is forgotten"), "{out}");
    let nobody = house.run(&["whoami"]).unusable();
    assert!(nobody.contains(&format!("toolgate login --instance {} --name NAME", house.url())), "{nobody}");
    let url = house.url();
    let here = [("TOOLGATE_INSTANCE", url.as_str())];
    let login = ["login", "--name", "ada", "--password-file", "-"];
    let wrong = house.with(&login, &here, "battery staple").no();
    assert!(wrong.contains("the password is wrong") && !wrong.contains("battery"), "{wrong}");
    house.with(&login, &here, PASSWORD).done();
    assert!(house.run(&["whoami"]).done().contains("member:ada in default as admin"));
    // An API token is kept where it is good, and alone then.
    let token = house.token("viewer");
    let bad = house.with(&["login", "--token-file", "-"], &here, "tgp_wrong").unusable();
    assert!(!bad.contains("tgp_wrong"), "{bad}");
    house.with(&["login", "--token-file", "-"], &here, &token).done();
    assert!(house.run(&["whoami"]).done().contains(" as viewer"));
    house.run(&["logout"]).done();
    let still = house.with(&["whoami"], &[here[0], ("TOOLGATE_API_TOKEN", &token)], "").done();
    assert!(still.contains(" as viewer"), "an API token is not revoked by a logout: {still}");
    // Where nobody says at which instance it is good, it is shown to none.
    let nowhere = house.with(&["whoami"], &[("TOOLGATE_API_TOKEN", &token)], "").unusable();
    assert!(nowhere.contains("not at which instance it is good") && !nowhere.contains(&token), "{nowhere}");
}

#[test]
fn what_was_kept_is_not_read_where_others_can_read_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let house = House::set_up();
    let kept = house.home().join(".config/toolgate/instances.json");
    std::fs::set_permissions(&kept, std::fs::Permissions::from_mode(0o644)).unwrap();
    let why = house.run(&["whoami"]).unusable();
    assert!(why.contains("chmod 600"), "{why}");
}

#[test]
fn a_token_goes_nowhere_but_to_the_instance() {
    let house = House::set_up();
    let table = [
        ("http://toolgate.example.com", "begins with https://"),
        ("https://u:p@toolgate.example.com", "user name or password"),
        ("toolgate.example.com", "not an absolute URL"),
        ("http://127.0.0.1:1", "cannot be reached"),
    ];
    for (url, said) in table {
        let why = house.with(&["whoami", "--instance", url], &[("TOOLGATE_API_TOKEN", "tgp_x")], "").unusable();
        assert!(why.contains(said) && !why.contains("tgp_x"), "{url}: {why}");
    }
    // What is kept for one instance is not sent to another.
    let other = House::new();
    let why = house.with(&["whoami", "--instance", &other.url()], &[], "").unusable();
    assert!(why.contains("nobody has signed in"), "{why}");
}

#[test]
fn what_is_no_instance_is_told() {
    let house = House::set_up();
    let url = format!("{}/elsewhere", house.url());
    let why = house.with(&["whoami", "--instance", &url], &[("TOOLGATE_API_TOKEN", "tgp_x")], "").unusable();
    assert!(why.contains("look at the address"), "{why}");
}
