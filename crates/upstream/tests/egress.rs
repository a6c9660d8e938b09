//! Where connections lead: the tables of attacks, of URL and of IDNA parsers, and real connections to names that lead
//! somewhere else the next time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{HeaderMap, Method};
use policy::text::cidr::Block;
use serde_json::Value;
use testkit::{attacks, place};
use tokio::runtime::{Builder, Runtime};
use upstream::egress::{Egress, Host};
use upstream::http::{Client, Endpoint, SendError};
use upstream::resolve::{Addresses, Resolve};

/// A resolver that answers in turn, and the last again and again.
struct InTurn(Mutex<Vec<Vec<IpAddr>>>);

impl InTurn {
    fn new(turns: &[&[&str]]) -> Arc<Self> {
        let turns = turns.iter().map(|turn| turn.iter().map(|text| text.parse().unwrap()).collect());
        Arc::new(Self(Mutex::new(turns.collect())))
    }
}

impl Resolve for InTurn {
    fn addresses<'a>(&'a self, _: &'a str) -> Addresses<'a> {
        let mut turns = self.0.lock().unwrap();
        let answer = if turns.len() > 1 { turns.remove(0) } else { turns[0].clone() };
        Box::pin(async move { Ok(answer) })
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn url_data(name: &str) -> Option<PathBuf> {
    Some(place::shared()?.join("data/security/url").join(name))
}

/// A server that counts who comes, and answers each with `answer` once and for all.
fn server(address: &str, answer: String) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind(address).unwrap();
    let came = Arc::new(AtomicUsize::new(0));
    let (address, counted) = (listener.local_addr().unwrap(), Arc::clone(&came));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            counted.fetch_add(1, Ordering::SeqCst);
            let mut stream = stream.unwrap();
            let mut seen = Vec::new();
            let mut piece = [0; 1024];
            while !seen.windows(4).any(|end| end == b"\r\n\r\n") {
                let read = stream.read(&mut piece).unwrap_or(0);
                if read == 0 {
                    break;
                }
                seen.extend_from_slice(&piece[..read]);
            }
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    (address, came)
}

const EMPTY: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

async fn ask(client: &Client, endpoint: &Endpoint) -> Result<http::StatusCode, SendError> {
    let answer = client.send(endpoint, Method::GET, HeaderMap::new(), None, Some(Duration::from_secs(60))).await;
    answer.map(|answer| answer.status())
}

#[test]
fn a_name_that_leads_elsewhere_the_next_time_leads_nowhere() {
    let (first, came_first) = server("127.0.0.2:0", EMPTY.to_owned());
    // Another machine of the same port, which nobody allowed.
    let (second, came_second) = server(&format!("127.0.0.1:{}", first.port()), EMPTY.to_owned());
    assert_eq!(first.port(), second.port());
    let client = Client::resolving(Duration::from_secs(60), InTurn::new(&[&["127.0.0.2"], &["127.0.0.1"]])).unwrap();
    let egress = Egress::public([Block::parse("127.0.0.2").unwrap()]);
    let endpoint = Endpoint::parse(&format!("http://rebind.test:{}/mcp", first.port())).unwrap().within(egress);
    runtime().block_on(async {
        assert_eq!(ask(&client, &endpoint).await.unwrap(), 200);
        let refused = ask(&client, &endpoint).await.unwrap_err();
        assert!(matches!(&refused, SendError::NotSent(why) if why.contains("loopback")), "{refused}");
        assert!(!refused.to_string().contains("127.0.0.1"), "{refused}");
        // Nor does the URL that names the address.
        let named = Endpoint::parse(&format!("http://{second}/mcp")).unwrap();
        let refused = ask(&client, &named.clone().within(Egress::public([]))).await.unwrap_err();
        assert!(matches!(refused, SendError::NotSent(_)), "{refused}");
        assert_eq!((came_first.load(Ordering::SeqCst), came_second.load(Ordering::SeqCst)), (1, 0));
        // What the operator has written himself is asked as he wrote it.
        assert_eq!(ask(&client, &named).await.unwrap(), 200);
    });
}

/// A name that lay inside when it was registered, and later leads out, where everybody reads the credentials.
#[test]
fn a_name_that_leads_out_is_not_asked_in_clear() {
    let (inside, came) = server("127.0.0.1:0", EMPTY.to_owned());
    let public = "93.184.215.14";
    for turns in [&[&["127.0.0.1"][..], &[public]], &[&["127.0.0.1"], &["127.0.0.1", public]]] {
        let client = Client::resolving(Duration::from_secs(60), InTurn::new(turns)).unwrap();
        let endpoint = Endpoint::parse(&format!("http://crm.test:{}/mcp", inside.port())).unwrap().never_in_clear();
        runtime().block_on(async {
            assert_eq!(ask(&client, &endpoint).await.unwrap(), 200);
            let refused = ask(&client, &endpoint).await.unwrap_err();
            assert!(matches!(&refused, SendError::NotSent(why) if why == upstream::clear::WHY), "{refused}");
        });
    }
    // Nor at the address itself, whatever form it has.
    let client = Client::resolving(Duration::from_secs(60), InTurn::new(&[&[]])).unwrap();
    for url in ["http://93.184.215.14/", "http://[::ffff:93.184.215.14]/", "http://[64:ff9b::5db8:d70e]/"] {
        let refused = runtime().block_on(ask(&client, &Endpoint::parse(url).unwrap().never_in_clear())).unwrap_err();
        assert!(matches!(&refused, SendError::NotSent(why) if why == upstream::clear::WHY), "{url}: {refused}");
    }
    assert_eq!(came.load(Ordering::SeqCst), 2);
}

#[test]
fn a_redirect_is_an_answer_and_no_way() {
    let (elsewhere, came) = server("127.0.0.1:0", EMPTY.to_owned());
    for status in [301, 302, 303, 307, 308] {
        let to = format!(
            "HTTP/1.1 {status} X\r\nLocation: http://{elsewhere}/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        let (address, _) = server("127.0.0.1:0", to);
        let client = Client::new(Duration::from_secs(60)).unwrap();
        let endpoint = Endpoint::parse(&format!("http://{address}/mcp")).unwrap();
        assert_eq!(runtime().block_on(ask(&client, &endpoint)).unwrap(), status);
    }
    assert_eq!(came.load(Ordering::SeqCst), 0);
}

/// Where the names of the table lead, where that is the point of them.
fn leads_to(host: &str) -> Vec<IpAddr> {
    let address = match host.trim_end_matches('.').to_ascii_lowercase().as_str() {
        "localhost" | "127.0.0.1.nip.io" => "127.0.0.1",
        "ip6-localhost" => "::1",
        "host.docker.internal" => "192.168.65.254",
        _ => "93.184.215.14",
    };
    vec![address.parse().unwrap()]
}

struct Table;

impl Resolve for Table {
    fn addresses<'a>(&'a self, host: &'a str) -> Addresses<'a> {
        Box::pin(async move { Ok(leads_to(host)) })
    }
}

#[test]
fn every_url_of_the_attacks_has_its_verdict() {
    let Some(attacks) = attacks::load("url").unwrap() else { return };
    let egress = Egress::public([]);
    let mut judged = 0;
    for attack in attacks.iter().filter(|attack| !attack.bytes.is_empty()) {
        let text = String::from_utf8_lossy(&attack.bytes);
        let allowed = match Endpoint::parse(&text) {
            Ok(endpoint) => runtime().block_on(egress.judge(endpoint.uri(), &Table)).is_ok(),
            Err(_) => false,
        };
        assert_eq!(allowed, attack.expect == "allow", "{}: {text}", attack.id);
        judged += 1;
    }
    assert!(judged > 50, "{judged}");
    // Names whose answers change, or are mixed: none of the answers that may not be is dialled.
    for attack in attacks.iter().filter(|attack| attack.data["answers"].is_array()) {
        let answers: Vec<&str> =
            attack.data["answers"].as_array().unwrap().iter().map(|answer| answer.as_str().unwrap()).collect();
        let mixed: Vec<IpAddr> = answers.iter().map(|answer| answer.parse().unwrap()).collect();
        assert!(egress.all(&mixed).is_err(), "{}", attack.id);
        let bad: Vec<_> = mixed.iter().filter(|address| egress.address(**address).is_err()).collect();
        assert_eq!(bad.len(), 1, "{}", attack.id);
    }
    testkit::figures::attacks_held("addresses of servers", attacks.len()).unwrap();
}

#[test]
fn the_host_that_is_judged_is_the_one_that_browsers_read() {
    let Some(path) = url_data("urltestdata.json") else { return };
    let rows: Vec<Value> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let egress = Egress::public([Block::parse("0.0.0.0/0").unwrap(), Block::parse("::/0").unwrap()]);
    let (mut same, mut refused) = (0, 0);
    for row in rows.iter().filter(|row| row["input"].is_string()) {
        let input = row["input"].as_str().unwrap();
        let Ok(endpoint) = Endpoint::parse(input) else {
            refused += 1;
            continue;
        };
        let theirs = row["hostname"].as_str();
        match egress.host(endpoint.uri()) {
            Err(_) => refused += 1,
            Ok(Host::Address(address)) => {
                let theirs: IpAddr = theirs.unwrap().trim_matches(['[', ']']).parse().unwrap();
                assert_eq!(address, theirs, "{input}");
                same += 1;
            }
            // What they cannot read at all may be a name here: it is resolved, and then judged as what it leads to.
            Ok(Host::Name(name)) => {
                if let Some(theirs) = theirs {
                    assert!(name.eq_ignore_ascii_case(theirs), "{input}: {name}, and not {theirs}");
                    same += 1;
                }
            }
        }
    }
    assert!(same > 50 && refused > 300, "{same} {refused}");
}

#[test]
fn hosts_are_written_in_the_letters_of_the_network() {
    let Some(path) = url_data("IdnaTestV2.txt") else { return };
    let text = std::fs::read_to_string(path).unwrap();
    let mut refused = 0;
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let source = line.split(';').next().unwrap().trim();
        if !source.is_ascii() {
            assert!(Endpoint::parse(&format!("http://{source}/mcp")).is_err(), "{source}");
            refused += 1;
        }
    }
    assert!(refused > 1000, "{refused}");
}
