//! The text of a key ring: what is read is written as the same ring, and no message repeats a word of it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use secrecy::ExposeSecret;
use vault::KeyRing;

/// The shortest word that is looked for: messages have words of their own.
const LONG: usize = 20;

fuzz_target!(|bytes: &[u8]| {
    match KeyRing::parse(bytes, "here") {
        Ok(ring) => {
            let again = KeyRing::parse(ring.text().expose_secret().as_bytes(), "here").unwrap();
            assert!(ring.ids().eq(again.ids()));
            assert!(ring.find(ring.first().id()).is_some());
        }
        Err(why) => {
            let said = format!("{why} {why:?}");
            for word in String::from_utf8_lossy(bytes).split_whitespace() {
                assert!(word.len() < LONG || !said.contains(word));
            }
        }
    }
});
