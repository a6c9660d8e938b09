use super::*;

fn network(text: &str) -> Block {
    Block::parse(text).unwrap()
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn what_an_address_belongs_to_is_said() {
    for (text, expected) in [
        ("127.0.0.1", Some(Inside::Loopback)),
        ("127.255.255.254", Some(Inside::Loopback)),
        ("::1", Some(Inside::Loopback)),
        ("10.0.0.1", Some(Inside::Private)),
        ("172.31.255.255", Some(Inside::Private)),
        ("192.168.0.1", Some(Inside::Private)),
        ("fc00::1", Some(Inside::Private)),
        ("fd00:ec2::254", Some(Inside::Private)),
        ("fec0::1", Some(Inside::Private)),
        ("169.254.169.254", Some(Inside::LinkLocal)),
        ("fe80::1", Some(Inside::LinkLocal)),
        ("100.100.100.200", Some(Inside::Shared)),
        ("224.0.0.1", Some(Inside::Multicast)),
        ("ff02::1", Some(Inside::Multicast)),
        ("0.0.0.0", Some(Inside::Reserved)),
        ("::", Some(Inside::Reserved)),
        ("255.255.255.255", Some(Inside::Reserved)),
        ("192.0.0.192", Some(Inside::Reserved)),
        ("168.63.129.16", Some(Inside::Reserved)),
        ("::ffff:127.0.0.1", Some(Inside::Embedded)),
        ("::ffff:8.8.8.8", Some(Inside::Embedded)),
        ("::127.0.0.1", Some(Inside::Embedded)),
        ("2002:7f00:1::", Some(Inside::Embedded)),
        ("64:ff9b:1::a00:1", Some(Inside::Embedded)),
        // What is translated is judged as what it is translated to.
        ("64:ff9b::7f00:1", Some(Inside::Loopback)),
        ("64:ff9b::a9fe:a9fe", Some(Inside::LinkLocal)),
        ("64:ff9b::808:808", None),
        ("8.8.8.8", None),
        ("2606:4700:4700::1111", None),
    ] {
        let judged = Egress::public([]).address(address(text));
        assert_eq!(judged, expected.map_or(Ok(()), |inside| Err(Forbidden::Inside(inside))), "{text}");
        assert_eq!(Egress::Anywhere.address(address(text)), Ok(()), "{text}");
    }
}

#[test]
fn what_the_operator_allows_is_open_and_nothing_beside_it() {
    let egress = Egress::public([network("10.1.0.0/16"), network("fd00:1::/32"), network("127.0.0.1/32")]);
    for (text, expected) in [
        ("10.1.2.3", true),
        ("10.2.0.1", false),
        ("fd00:1::5", true),
        ("fd00:2::5", false),
        ("127.0.0.1", true),
        ("127.0.0.2", false),
        ("::1", false),
        // An address inside of another one is not made good by what it could stand for.
        ("::ffff:10.1.2.3", false),
        ("2002:a01:203::", false),
        // But the translated form is how a network without IPv4 reaches the very same host.
        ("64:ff9b::a01:203", true),
        ("64:ff9b::a02:1", false),
    ] {
        assert_eq!(egress.address(address(text)).is_ok(), expected, "{text}");
    }
}

#[test]
fn a_host_is_read_as_it_will_be_dialled() {
    let egress = Egress::public([network("10.0.0.0/8")]);
    let host = |text: &str| {
        let uri: Uri = format!("http://{text}/mcp").parse().unwrap();
        egress.host(&uri).map(|host| format!("{host:?}"))
    };
    for name in ["mcp.example.com", "MCP.Example.com", "xn--bcher-kva.example", "localhost", "mcp.corp"] {
        assert_eq!(host(name), Ok(format!("{:?}", Host::Name(name))));
    }
    assert_eq!(host("10.0.0.1:8080"), Ok(format!("{:?}", Host::Address(address("10.0.0.1")))));
    assert_eq!(host("10.0.0.1."), Ok(format!("{:?}", Host::Address(address("10.0.0.1")))));
    for odd in ["127.1", "0", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "010.0.0.1", "10.0.0.256", "a..b"] {
        assert!(matches!(host(odd), Err(Forbidden::Odd(_))), "{odd}");
    }
    for metadata in ["metadata.google.internal", "METADATA.google.internal.", "metadata.goog", "instance-data"] {
        assert_eq!(host(metadata), Err(Forbidden::Metadata), "{metadata}");
    }
    assert_eq!(host("[::1]"), Err(Forbidden::Inside(Inside::Loopback)));
    assert_eq!(host("127.0.0.1."), Err(Forbidden::Inside(Inside::Loopback)));
}

#[test]
fn the_refusal_names_no_address() {
    for forbidden in [
        Forbidden::Odd("is no IPv6 address"),
        Forbidden::Metadata,
        Forbidden::Inside(Inside::Private),
        Forbidden::Inside(Inside::LinkLocal),
    ] {
        let text = forbidden.to_string();
        assert!(!text.contains(|character: char| character.is_ascii_digit() && character != '6'), "{text}");
    }
}
