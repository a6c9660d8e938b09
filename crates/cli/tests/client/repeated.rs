//! A connection that breaks in the middle of a change: it is asked for again, and done once.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::house::House;

/// A way to the instance that loses the answer to the first request of a method.
fn losing(to: SocketAddr, method: &'static str) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    std::thread::spawn(move || {
        for agent in listener.incoming() {
            let (mut agent, count) = (agent.unwrap(), Arc::clone(&count));
            std::thread::spawn(move || {
                let head = request(&mut agent);
                let lost = head.starts_with(method.as_bytes()) && count.fetch_add(1, Ordering::SeqCst) == 0;
                let mut server = TcpStream::connect(to).unwrap();
                // The instance ends the connection after its answer, so that the end of it is seen.
                let text = String::from_utf8(head).unwrap().replacen("\r\n", "\r\nConnection: close\r\n", 1);
                server.write_all(text.as_bytes()).unwrap();
                let mut answer = Vec::new();
                server.read_to_end(&mut answer).unwrap();
                if !lost {
                    agent.write_all(&answer).unwrap();
                }
                let _ = agent.shutdown(Shutdown::Both);
            });
        }
    });
    (address, asked)
}

/// A whole request.
fn request(agent: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") && agent.read(&mut byte).unwrap() == 1 {
        bytes.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse::<usize>().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    agent.read_exact(&mut body).unwrap();
    bytes.extend(body);
    bytes
}

#[test]
fn a_mint_whose_answer_is_lost_is_done_once_and_its_token_shown() {
    let house = House::furnished();
    let token = house.token("admin");
    let (address, asked) = losing(house.address, "POST");
    let url = format!("http://{address}");
    let words = ["grant", "mint", "crm/night", "--agent", "helpdesk"];
    let told = house.with(&words, &[("TOOLGATE_INSTANCE", &url), ("TOOLGATE_API_TOKEN", &token)], "");
    assert!(told.done().starts_with("tg_"));
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    assert_eq!(house.deeds().iter().filter(|deed| *deed == "grant.mint").count(), 2, "desk, and this one once");
}

#[test]
fn what_cannot_come_again_is_told_as_unknown() {
    let house = House::furnished();
    let token = house.token("admin");
    let (address, asked) = losing(house.address, "DELETE");
    let url = format!("http://{address}");
    let told = house.with(
        &["grant", "revoke", "crm/desk"],
        &[("TOOLGATE_INSTANCE", &url), ("TOOLGATE_API_TOKEN", &token)],
        "",
    );
    let why = told.unusable();
    assert!(why.contains("was done is not known"), "{why}");
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    assert_eq!(house.run(&["grant", "list"]).done(), "There is no grant.\n");
}
