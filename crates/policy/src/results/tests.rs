//! Tables of what is found and what only looks so. A `~` stands in secrets so that no scanner takes this file for a leak.

use proptest::prelude::*;

use super::*;
use crate::{Load, load};

fn all() -> Results {
    Results { detectors: Detector::ALL.to_vec(), strip_invisible: true, ..Results::default() }
}

fn of(detector: Detector) -> Results {
    Results { detectors: vec![detector], ..Results::default() }
}

fn judged(results: &Results, text: &str) -> String {
    let always = || true;
    let mut search = Search::new(&always);
    let found = results.judge(text, None, 0, &mut search);
    assert_eq!(found.is_none(), search.edits.is_empty(), "{text}");
    found.unwrap_or_else(|| text.to_owned())
}

fn plain(text: &str) -> String {
    text.replace('~', "")
}

const PEM: &str = "-----BEGIN ~RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEAu1SU1LfVLPHCozMxH2Mo4lgOEePzNm0tRgeLezV6ffAt0gun\nVTLw7onLRnrq0/IzW7yWR7QkrmBL7jTKEn5u\n-----END RSA PRIVATE KEY-----";

/// (text, what the agent reads)
const FOUND: &[(Detector, &str, &str)] = &[
    (Detector::CloudKeys, "id AKIA~IOSFODNN7EXAMPLE.", "id [REDACTED:aws_access_key]."),
    (Detector::CloudKeys, "ASIA~Y34FZKBOKMUTVV7A", "[REDACTED:aws_access_key]"),
    (Detector::CloudKeys, "(AKIA~IOSFODNN7EXAMPLE)", "([REDACTED:aws_access_key])"),
    // Between small letters, as AWS writes the expression to search for them, and behind what is no letter of the text.
    (Detector::CloudKeys, "xAKIA~IOSFODNN7EXAMPLE", "x[REDACTED:aws_access_key]"),
    (Detector::CloudKeys, "key=AKIA~IOSFODNN7EXAMPLEy", "key=[REDACTED:aws_access_key]y"),
    (Detector::CloudKeys, "id%3DAKIA~IOSFODNN7EXAMPLE", "id%3D[REDACTED:aws_access_key]"),
    (Detector::CloudKeys, "a\\u003DASIA~Y34FZKBOKMUTVV7A\\n", "a\\u003D[REDACTED:aws_access_key]\\n"),
    (Detector::CloudKeys, "xAIza~SyA1234567890abcdefghijklmnopqrstuv", "x[REDACTED:google_api_key]"),
    (
        Detector::CloudKeys,
        "SecretAccessKeys: ['wJalrXUtnFEMI/K7MDENG/bPxRfiCY~EXAMPLEKEY']",
        "SecretAccessKeys: ['[REDACTED:aws_secret_key]']",
    ),
    (
        Detector::CloudKeys,
        "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCY~EXAMPLEKEY",
        "aws_secret_access_key = [REDACTED:aws_secret_key]",
    ),
    (
        Detector::CloudKeys,
        "{\"SecretAccessKey\": \"wJalrXUtnFEMI/K7MDENG/bPxRfiCY~EXAMPLEKEY\"}",
        "{\"SecretAccessKey\": \"[REDACTED:aws_secret_key]\"}",
    ),
    (
        Detector::CloudKeys,
        "export AWS_SECRET_KEY='wJalrXUtnFEMI/K7MDENG/bPxRfiCY~EXAMPLEKEY'",
        "export AWS_SECRET_KEY='[REDACTED:aws_secret_key]'",
    ),
    (Detector::CloudKeys, "key=AIza~SyA1234567890abcdefghijklmnopqrstuv&x=1", "key=[REDACTED:google_api_key]&x=1"),
    (Detector::CloudKeys, "GOCSPX-~abcdefghijklmnopqrstuvwxyz12", "[REDACTED:google_client_secret]"),
    (Detector::CloudKeys, "ya29.~a0AfH6SMBx-1234567890_abcdef", "[REDACTED:google_access_token]"),
    (
        Detector::CloudKeys,
        "AccountName=x;AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw~==;E=y",
        "AccountName=x;AccountKey=[REDACTED:azure_account_key];E=y",
    ),
    (
        Detector::CloudKeys,
        "Endpoint=sb://x/;SharedAccessKey=abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG~=",
        "Endpoint=sb://x/;SharedAccessKey=[REDACTED:azure_access_key]",
    ),
    (
        Detector::CloudKeys,
        "https://x.blob.core.windows.net/c?sv=2024&sig=abcdefghij0123456789ABCDEFGHIJ0123456789abc%3D&se=1",
        "https://x.blob.core.windows.net/c?sv=2024&sig=[REDACTED:azure_signature]&se=1",
    ),
    (Detector::CloudKeys, "abc8Q~abcdefghijklmnopqrstuvwxyz01234", "abc8Q~abcdefghijklmnopqrstuvwxyz01234"),
    (Detector::CloudKeys, "LTAI~5tAbCdEfGhIjKlMnOpQr", "[REDACTED:alibaba_access_key]"),
    (
        Detector::CloudKeys,
        "dop_v1_~0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "[REDACTED:digitalocean_token]",
    ),
    (Detector::CloudKeys, "dapi~0123456789abcdef0123456789abcdef-2", "[REDACTED:databricks_token]"),
    (Detector::Tokens, "use ghp_~abcdefghijklmnopqrstuvwxyz0123456789!", "use [REDACTED:github_token]!"),
    (Detector::Tokens, "xxgho_~abcdefghijklmnopqrstuvwxyz0123456789", "xx[REDACTED:github_token]"),
    (Detector::Tokens, "github_pat_~11ABCDEFG0abcdefghijklmnop_qrstuv", "[REDACTED:github_token]"),
    (Detector::Tokens, "glpat-~AbCdEf123456_7890xyz", "[REDACTED:gitlab_token]"),
    (Detector::Tokens, "xoxb-~123456789012-abcdefABCDEF", "[REDACTED:slack_token]"),
    (
        Detector::Tokens,
        "https://hooks.slack.com/services/T00000000/B00000000/~XXXXXXXXXXXXXXXXXXXXXXXX",
        "https://hooks.slack.com/services/[REDACTED:slack_webhook]",
    ),
    (
        Detector::Tokens,
        "//registry/:_authToken=npm_~abcdefghijklmnopqrstuvwxyz0123456789",
        "//registry/:_authToken=[REDACTED:npm_token]",
    ),
    (
        Detector::Tokens,
        "pypi-AgE~IcHlwaS5vcmcCJDAwMDAwMDAwLTAwMDAtMDAwMC0wMDAwLTAwMDAwMDAwMDAwMAAC",
        "[REDACTED:pypi_token]",
    ),
    (Detector::Tokens, "sk_live_~4eC39HqLyjWDarjtT1zdp7dc", "[REDACTED:stripe_key]"),
    (Detector::Tokens, "sk-ant-~api03-abcdefghij0123456789_ABCDEFGHIJ", "[REDACTED:anthropic_key]"),
    (Detector::Tokens, "sk-proj-~abcdefghij0123456789ABCDEFGHIJ", "[REDACTED:openai_key]"),
    (Detector::Tokens, "sk-~abcdefghij0123456789T3BlbkFJabcdefghij0123456789", "[REDACTED:openai_key]"),
    (Detector::Tokens, "a\\nsk-~abcdefghij0123456789T3BlbkFJabcdefghij0123456789", "a\\n[REDACTED:openai_key]"),
    (Detector::Tokens, "hf_~abcdefghijklmnopqrstuvwxyzABCDEFGH", "[REDACTED:huggingface_token]"),
    (
        Detector::Tokens,
        "SG.~abcdefghijklmnopqrstuv.abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
        "[REDACTED:sendgrid_key]",
    ),
    (Detector::Tokens, "1234567890:AA~abcdefghijklmnopqrstuvwxyz0123456", "[REDACTED:telegram_token]"),
    (Detector::Tokens, "hvs.~CAESIabcdefghijklmnopqrstuvwx", "[REDACTED:vault_token]"),
    (Detector::Tokens, "tg_~abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKL-", "[REDACTED:toolgate_token]"),
    (
        Detector::Tokens,
        "t=eyJ~hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
        "t=[REDACTED:jwt]",
    ),
    (Detector::Tokens, "Authorization: Bearer abcdef0123456789abcdef", "Authorization: Bearer [REDACTED:bearer_token]"),
    (
        Detector::Tokens,
        "Authorization: Basic dXNlcjpwYXNzd29yZA==",
        "Authorization: Basic [REDACTED:basic_credentials]",
    ),
    (Detector::Tokens, "curl -H 'x: Basic dXNlcjpw~YXNzd29yZA' y", "curl -H 'x: Basic [REDACTED:basic_credentials]' y"),
    (Detector::Tokens, "postgres://app:s3cret~pw@db:5432/x", "postgres://app:[REDACTED:url_password]@db:5432/x"),
    (Detector::PrivateKeys, "a\n", "a\n"),
    (Detector::CardNumbers, "pay 4111111111111111 now", "pay [REDACTED:card_number] now"),
    (Detector::CardNumbers, "4111 1111 1111 1111 12/27", "[REDACTED:card_number] 12/27"),
    (Detector::CardNumbers, "4111-1111-1111-1111,378282246310005", "[REDACTED:card_number],[REDACTED:card_number]"),
    (Detector::CardNumbers, "3782 822463 10005", "[REDACTED:card_number]"),
    (Detector::CardNumbers, "30569309025904 5555555555554444", "[REDACTED:card_number] [REDACTED:card_number]"),
    (
        Detector::CardNumbers,
        "card:6011111111111117;3530111333300000",
        "card:[REDACTED:card_number];[REDACTED:card_number]",
    ),
    (Detector::CardNumbers, "4222222222222 2223003122003222", "[REDACTED:card_number] [REDACTED:card_number]"),
    (Detector::CardNumbers, "card\\t4111111111111111\\n", "card\\t[REDACTED:card_number]\\n"),
    (Detector::CardNumbers, "no. 12 4111 1111 1111 1111", "no. 12 [REDACTED:card_number]"),
];

/// What only looks like one.
const NOT_FOUND: &[(Detector, &str)] = &[
    (Detector::CloudKeys, "AKIA~IOSFODNN7EXAMPL"),
    (Detector::CloudKeys, "AKIA~IOSFODNN7EXAMPLEX"),
    (Detector::CloudKeys, "XAKIA~IOSFODNN7EXAMPLE"),
    (Detector::CloudKeys, "7AKIA~IOSFODNN7EXAMPLE"),
    (Detector::CloudKeys, "GEZDGNBVAKIA~IOSFODNN7EXAMPLEGY3TQOJQ"),
    (Detector::CloudKeys, "AKIA~iosfodnn7example"),
    (Detector::CloudKeys, "AIza~SyA1234567890abcdefghijklmnopqrstuvx"),
    (Detector::CloudKeys, "AIDA~IOSFODNN7EXAMPLE"),
    (Detector::CloudKeys, "secret_access_key = (hidden)"),
    (Detector::CloudKeys, "commit da39a3ee5e6b4b0d3255bfef95601890afd80709"),
    (Detector::CloudKeys, "AIza~SyA1234567890abcdefghijklmnop"),
    (Detector::CloudKeys, "AccountKey=short=="),
    (Detector::CloudKeys, "design=abc&sig=x"),
    (Detector::Tokens, "ghp_~short"),
    (Detector::Tokens, "task-abcdefghijklmnopqrstuvwxyz0123456789abcd"),
    (Detector::Tokens, "sk-learn and sk-image"),
    (Detector::Tokens, "npm_~config_registry"),
    (Detector::Tokens, "npm_~abcdefghijklmnopqrstuvwxyz01234567890"),
    (Detector::Tokens, "xoxo-hugs-and-kisses"),
    (Detector::Tokens, "bearer of bad news, bearer authentication-and-authorization"),
    (Detector::Tokens, "eyJ~hbGciOiJIUzI1NiJ9 eyJzdWIiOiIxMjM0NTY3ODkwIn0"),
    (Detector::Tokens, "http://localhost:8080/a@b https://example.com:443 mailto:a@b"),
    (Detector::Tokens, "tg_~abcdefghijklmnopqrstuvwxyz"),
    (Detector::Tokens, "the basic authorization flow, basic information, basic functionality12"),
    (Detector::PrivateKeys, "a file with -----BEGIN PRIVATE KEY----- in it is a key"),
    (Detector::PrivateKeys, "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----"),
    (
        Detector::PrivateKeys,
        "-----BEGIN PUBLIC KEY-----\nMIIEowIBAAKCAQEAu1SU1LfVLPHCozMxH2Mo4lgOEePzNm0tRgeLezV6ffAt0gun\n-----END PUBLIC KEY-----",
    ),
    (Detector::CardNumbers, "4111111111111112"),
    (Detector::CardNumbers, "411111111111111"),
    (Detector::CardNumbers, "41111111111111111"),
    (Detector::CardNumbers, "1234567812345670"),
    (Detector::CardNumbers, "a4111111111111111"),
    (Detector::CardNumbers, "0.4111111111111111"),
    (Detector::CardNumbers, "4111111111111111.5"),
    (Detector::CardNumbers, "411111 1111 111111"),
    (Detector::CardNumbers, "4111  1111  1111  1111"),
    (Detector::CardNumbers, "1763848800000 and 2026-11-22 21:48:00"),
    (Detector::CardNumbers, "550e8400-e29b-41d4-a716-446655440000"),
];

#[test]
fn what_is_found_is_marked_and_all_else_stays() {
    for (detector, text, expected) in FOUND {
        let text = if text.contains("Q~") { (*text).to_owned() } else { plain(text) };
        let expected = if text.contains("Q~") { "[REDACTED:azure_client_secret]" } else { expected };
        assert_eq!(judged(&of(*detector), &text), expected);
        // Found by one detector, it is found by no other, save what two of them know.
        for other in Detector::ALL.into_iter().filter(|other| other != detector) {
            assert_eq!(judged(&of(other), &text), text, "{other:?}");
        }
        assert_eq!(judged(&Results::default(), &text), text);
    }
}

#[test]
fn what_only_looks_so_stays() {
    for (detector, text) in NOT_FOUND {
        let text = plain(text);
        assert_eq!(judged(&of(*detector), &text), text);
    }
}

#[test]
fn every_shape_is_found_somewhere() {
    assert!(shape::SHAPES.len() <= 64, "one bit for each");
    for (index, shape) in shape::SHAPES.iter().enumerate() {
        assert!(find::expression(index).is_some(), "{}", shape.pattern);
        assert!(!shape.anchors.is_empty(), "{}", shape.name);
    }
    let untested: Vec<&str> = names()
        .filter(|name| {
            !FOUND.iter().any(|(_, _, expected)| expected.contains(&format!(":{name}]")))
                // In tests of their own, or of a form that a neighbour has too.
                && ![
                    "private_key", "google_service_account_key", "aws_session_token", "azure_client_secret", "age_key",
                    "google_refresh_token", "groq_key", "shopify_token", "atlassian_token", "linear_key", "notion_token",
                    "docker_token", "grafana_token",
                ]
                .contains(name)
        })
        .collect();
    assert!(untested.is_empty(), "{untested:?}");
    let long = "aB3".repeat(40);
    for (text, name) in [
        (format!("SessionToken=\"{long}\""), "aws_session_token"),
        (format!("1//0{long:.60}"), "google_refresh_token"),
        (format!("gsk_{long:.52}"), "groq_key"),
        (format!("shpat_{}", "a1".repeat(16)), "shopify_token"),
        (format!("ATATT3{long:.80}"), "atlassian_token"),
        (format!("lin_api_{long:.40}"), "linear_key"),
        (format!("ntn_{long:.46}"), "notion_token"),
        (format!("dckr_pat_{long:.27}"), "docker_token"),
        (format!("glsa_{long:.32}_0123abcd"), "grafana_token"),
        (format!("AGE-SECRET-KEY-1{}", "Q2".repeat(29)), "age_key"),
    ] {
        assert!(
            judged(&all(), &text)
                .ends_with(&format!("[REDACTED:{name}]{}", if text.ends_with('"') { "\"" } else { "" })),
            "{text}"
        );
    }
}

#[test]
fn private_keys_in_every_dress() {
    let keys = of(Detector::PrivateKeys);
    let pem = plain(PEM);
    assert_eq!(judged(&keys, &pem), "[REDACTED:private_key]");
    assert_eq!(judged(&keys, &format!("a {pem} b {pem}\n")), "a [REDACTED:private_key] b [REDACTED:private_key]\n");
    // In JSON inside of a text, in a listing with numbers, from another system, encrypted, of OpenSSH, of PGP.
    assert_eq!(
        judged(&keys, &format!("{{\"k\":\"{}\"}}", pem.replace('\n', "\\n"))),
        "{\"k\":\"[REDACTED:private_key]\"}"
    );
    assert_eq!(judged(&keys, &pem.replace('\n', "\\\\r\\\\n")), "[REDACTED:private_key]");
    assert_eq!(judged(&keys, &pem.replace('\n', "\r\n  12\t")), "[REDACTED:private_key]");
    let encrypted = pem.replace("KEY-----\nMII", "KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0F\n\nMII");
    assert_eq!(judged(&keys, &encrypted), "[REDACTED:private_key]");
    for name in ["", "ENCRYPTED ", "OPENSSH ", "EC ", "DSA "] {
        assert_eq!(judged(&keys, &pem.replace("RSA ", name)), "[REDACTED:private_key]");
    }
    assert_eq!(judged(&keys, &pem.replace("RSA PRIVATE KEY", "PGP PRIVATE KEY BLOCK")), "[REDACTED:private_key]");
    assert_eq!(
        judged(&keys, &pem.replace("-----", "----").replace("BEGIN", " BEGIN").replace("KEY-", "KEY -")),
        "[REDACTED:private_key]"
    );
    // One that was cut off, with another behind it.
    let cut = format!("{pem:.120}");
    assert_eq!(judged(&keys, &format!("{cut}\n{pem}!")), "[REDACTED:private_key][REDACTED:private_key]!");
    assert_eq!(judged(&keys, &format!("{cut}\". Then")), "[REDACTED:private_key]\". Then");
    let putty = format!("PuTTY-User-Key-File-3: ssh-ed25519\nPrivate-Lines: 1\n{}\nPrivate-MAC: 0", "Ab3/".repeat(12));
    assert!(!judged(&keys, &putty).contains("Ab3/"));
    // A service account's, by the name before it.
    let clouds = of(Detector::CloudKeys);
    let account = format!("{{\"private_key\": \"{}\\n\"}}", pem.replace('\n', "\\n"));
    assert_eq!(judged(&clouds, &account), "{\"private_key\": \"[REDACTED:google_service_account_key]\"}");
    let listed = format!("key file: {account}");
    assert_eq!(judged(&clouds, &listed), "key file: {\"private_key\": \"[REDACTED:google_service_account_key]\\n\"}");
    assert_eq!(judged(&clouds, &pem), pem);
    let message = format!(r#"{{"result":{{"private_key":{}}}}}"#, mcp::json::quote(&pem));
    let cleaned = clouds.clean(&message, Part::Result, &|| true).unwrap();
    assert_eq!(cleaned.text.unwrap(), r#"{"result":{"private_key":"[REDACTED:google_service_account_key]"}}"#);
}

/// Names of secrets are written in many ways, before a value in a text and as the key of a member.
#[test]
fn names_of_secrets_in_every_spelling() {
    let clouds = of(Detector::CloudKeys);
    let long = "aB3".repeat(40);
    let (aws, session) = (format!("{long:.40}"), format!("{long:.100}"));
    let (account, shared) = (format!("{long:.86}=="), format!("{long:.43}="));
    for (words, value, mark) in [
        (&["aws", "Secret", "Key"][..], &aws, "aws_secret_key"),
        (&["secret", "Access", "Key"], &aws, "aws_secret_key"),
        (&["my", "aws", "secret", "access", "key"], &aws, "aws_secret_key"),
        (&["Session", "token"], &session, "aws_session_token"),
        (&["AWS", "SESSION", "TOKEN"], &session, "aws_session_token"),
        (&["account", "key"], &account, "azure_account_key"),
        (&["Shared", "Access", "Key"], &shared, "azure_access_key"),
    ] {
        for between in shape::BETWEEN {
            let name = words.join(between);
            for text in
                [format!("{name}={value}"), format!("{name}: '{value}'"), format!("\\\"{name}\\\":\\\"{value}\\\"")]
            {
                let expected = text.replace(value, &format!("[REDACTED:{mark}]"));
                assert_eq!(judged(&clouds, &text), expected);
            }
            let raw = format!(r#"{{"result":{{"structuredContent":{{"{name}":"{value}"}}}}}}"#);
            assert_eq!(clean(&clouds, Part::Result, &raw), raw.replace(value, &format!("[REDACTED:{mark}]")));
        }
    }
}

/// A look at the bytes of a message passes over nothing that is found when it is read.
#[test]
fn a_first_look_sees_all_that_a_second_one_would() {
    let (basic, aws) = (plain("YWRtaW46aHVud~GVyMnNlY3JldA=="), plain("wJalrXUtnFEMI/K7MDENG/bPxRfiCY~EXAMPLEKEY"));
    for (member, found) in [
        (format!(r#""a":"Basic\t{basic}""#), true),
        (format!(r#""a":"Basic\u0009{basic}""#), true),
        (format!(r#""Proxy-Authorization":"Basic 4Pz8{}""#, "_-"), true),
        (plain(r#""a":"AK\bIA~IOSFODNN7EXAMPLE""#), true),
        (format!(r#""secret_access.key":"{aws}""#), true),
        (format!(r#""secret__access__key":"{aws}""#), false),
        (format!(r#""secret - access - key":"{aws}""#), false),
    ] {
        for beside in ["", r#","e":"é""#] {
            let raw = format!(r#"{{"result":{{{member}{beside}}}}}"#);
            let cleaned = all().clean(&raw, Part::Result, &|| true).unwrap();
            assert_eq!(cleaned.text.is_some(), found, "{raw}");
        }
    }
}

#[test]
fn time_that_ran_out_lets_nothing_on() {
    let text = r#"{ "version": "1", "default": "deny", "results": { "redact": [{ "name": "word", "pattern": "[a-z]{1,1000}[0-9]" }] } }"#;
    let raw = format!(r#"{{"result":["{}"]}}"#, "a ".repeat(20_000));
    let policy = load(text, Load::default()).policy.unwrap();
    let results = policy.results().unwrap();
    assert_eq!(results.clean(&raw, Part::Result, &|| true), Ok(Cleaned::default()));
    let late = results.clean(&raw, Part::Result, &|| false).unwrap_err();
    assert_eq!(late.to_string(), "searching it for the policy's pattern `word` takes too long");
    assert_eq!(results.clean_text(&raw, &|| false), Err(late));
    let watched =
        load(&text.replace("\"results\"", "\"mode\": \"observe\", \"results\""), Load::default()).policy.unwrap();
    // What is observed goes on as it is, and it is told that it would not have.
    let edits = Edits { late: Some("word".to_owned()), ..Edits::default() };
    assert!(!edits.is_empty());
    assert_eq!(watched.results().unwrap().clean(&raw, Part::Result, &|| false), Ok(Cleaned { text: None, edits }));
}

/// A name tells what a value is however the value hangs on it, in structure and in the text that says the same.
#[test]
fn names_reach_into_lists_and_beside() {
    let aws = plain("wJalrXUtnFEMI/K7MDENG/bPxRfiCY~EXAMPLEKEY");
    let (session, account) = ("aB3".repeat(40), format!("{:.86}==", "aB3".repeat(40)));
    for written in [
        r#"{"SecretAccessKey":["AWS"]}"#,
        r#"{"SecretAccessKeys":["AWS","AWS"]}"#,
        r#"{"aws_secret_access_keys": [ [ "AWS" ], "AWS", "", null, {"id": 7} ]}"#,
        r#"{"session_tokens":["SESSION"],"AccountKeys":["ACCOUNT"]}"#,
        r#"{"headers":{"Authorization":["Basic 4Pz8_-"]}}"#,
        r#"[{"name":"AWS_SECRET_ACCESS_KEY","value":"AWS"},{"name":"PATH","value":"/bin"}]"#,
        r#"{"Tags":[{"Key":"secret-access-key","Value":"AWS"}]}"#,
    ] {
        let secret =
            written.replace("AWS\"", &format!("{aws}\"")).replace("SESSION", &session).replace("ACCOUNT", &account);
        let expected = written
            .replace("AWS\"", "[REDACTED:aws_secret_key]\"")
            .replace("SESSION", "[REDACTED:aws_session_token]")
            .replace("ACCOUNT", "[REDACTED:azure_account_key]")
            .replace("Basic 4Pz8_-", "[REDACTED:basic_credentials]");
        for (wrap, unwrapped) in [(0, "structuredContent"), (1, "text"), (2, "text")] {
            let wrapped = |json: &str| {
                let text = (0..wrap).fold(json.to_owned(), |text, _| mcp::json::quote(&text));
                format!(r#"{{"result":{{"{unwrapped}":{text}}}}}"#)
            };
            let raw = wrapped(&secret);
            assert_eq!(clean(&all(), Part::Result, &raw), wrapped(&expected));
        }
    }
    // The same value under another name is any 40 letters.
    for raw in [
        r#"{"result":{"SecretAccessKey":[{"etag":"AWS"}]}}"#,
        r#"{"result":{"etags":["AWS"],"SecretAccessKey":[]}}"#,
        r#"{"result":[{"name":"SecretAccessKey","etag":"AWS"},{"name":"etag","value":"AWS"}]}"#,
    ] {
        let raw = raw.replace("AWS\"", &format!("{aws}\""));
        assert_eq!(clean(&all(), Part::Result, &raw), raw);
    }
}

/// What is nested deep is judged as long as it is read at all, and neither depth nor wrapping takes the stack or the time.
#[test]
fn nesting_is_bounded() {
    let aws = plain("wJalrXUtnFEMI/K7MDENG/bPxRfiCY~EXAMPLEKEY");
    let nested = |depth: usize| format!(r#"{{"SecretAccessKey":{}"{aws}"{}}}"#, "[".repeat(depth), "]".repeat(depth));
    let found = |raw: &str| clean(&all(), Part::Result, raw).contains("[REDACTED:aws_secret_key]");
    assert!(found(&format!(r#"{{"result":{}}}"#, nested(100))));
    assert!(all().clean(&format!(r#"{{"result":{}}}"#, nested(200)), Part::Result, &|| true).is_err());
    for (depth, in_reach) in [(0, true), (100, true), (200, false), (100_000, false)] {
        let raw = format!(r#"{{"result":{}}}"#, mcp::json::quote(&nested(depth)));
        assert_eq!(found(&raw), in_reach, "{depth}");
    }
    // Texts of JSON in texts of JSON: as many as are looked into, and no more.
    let mut wrapped = plain(r#"["\u0041KIA~IOSFODNN7EXAMPLE"]"#);
    for level in 1..=8 {
        let raw = format!(r#"{{"result":{}}}"#, mcp::json::quote(&wrapped));
        assert_eq!(clean(&all(), Part::Result, &raw).contains("[REDACTED:aws_access_key]"), level <= 3, "{level}");
        wrapped = format!("[{}]", mcp::json::quote(&wrapped));
    }
    let mut long = format!("[{}1]", plain(r#""AKIA~IOSFODNN7EXAMPLE","#).repeat(20_000));
    for _ in 0..4 {
        long = format!("[{}]", mcp::json::quote(&long));
    }
    assert!(judged(&all(), &long).len() <= long.len() * 2);
}

fn clean(results: &Results, part: Part, raw: &str) -> String {
    let cleaned = results.clean(raw, part, &|| true).unwrap();
    assert_eq!(cleaned.text.is_none(), cleaned.edits.is_empty(), "{raw}");
    cleaned.text.unwrap_or_else(|| raw.to_owned())
}

#[test]
fn neither_escapes_nor_invisible_characters_hide_a_secret() {
    let found = r#"{"result":{"content":[{"type":"text","text":"[REDACTED:aws_access_key]"}]}}"#;
    for written in [
        r"\u0041KIA~IOSFODNN7EXAMPLE",
        r"\u0041\u004b\u0049\u0041\u0049\u004f\u0053\u0046\u004f\u0044\u004e\u004e\u0037\u0045\u0058\u0041\u004d\u0050\u004c\u0045",
        "AK\u{200b}IA~IOSF\u{ad}ODNN7EX\u{2060}AMPLE",
        r"AK\u200bIA~IOSFODNN7\udb40\udc41EXAMPLE",
        r"AKIA\u0000~IOSFODNN7EXAMPLE",
    ] {
        let raw = plain(&found.replace("[REDACTED:aws_access_key]", written));
        assert_eq!(clean(&of(Detector::CloudKeys), Part::Result, &raw), found, "{written}");
    }
    // What is hidden around it stays, where nothing is to be stripped.
    let raw = plain("{\"result\":\"x\u{200b}AKIA~IOSF\u{200b}ODNN7EXAMPLE\u{200b}y\"}");
    assert_eq!(clean(&all(), Part::Result, &raw), r#"{"result":"x[REDACTED:aws_access_key]y"}"#);
    let raw = plain("{\"result\":\" \u{200b}AKIA~IOSF\u{200b}ODNN7EXAMPLE\u{200b} \"}");
    assert_eq!(
        clean(&of(Detector::CloudKeys), Part::Result, &raw),
        "{\"result\":\" \u{200b}[REDACTED:aws_access_key]\u{200b} \"}"
    );
    // An escaped slash.
    let raw = r#"{"result":"redis:\/\/:pass1word@host"}"#;
    assert_eq!(
        clean(&of(Detector::Tokens), Part::Result, raw),
        r#"{"result":"redis://:[REDACTED:url_password]@host"}"#
    );
}

#[test]
fn every_token_of_a_result_is_judged_and_nothing_else_changes() {
    let key = plain("AKIA~IOSFODNN7EXAMPLE");
    let raw = format!(
        r#"{{ "jsonrpc":"2.0","id":"{key}", "result" : {{"content":[{{"type":"text","text":"\u00e9 {key}"}}],"structuredContent":{{"{key}":1.0e0,"card":4111111111111111,"c2":4.111111111111111e15,"n":4111111111111112,"deep":[[{{"x":"{key}"}}]],"SecretAccessKey":"{}" }},"requestState":"{key}","nextCursor":"{key}","_meta":{{"x":"{key}","io.modelcontextprotocol/related-task":{{"taskId":"{key}"}}}}}} }}"#,
        "Ab3/".repeat(10),
    );
    let aws = "[REDACTED:aws_access_key]";
    let card = "\"[REDACTED:card_number]\"";
    let expected = format!(
        r#"{{ "jsonrpc":"2.0","id":"{key}", "result" : {{"content":[{{"type":"text","text":"é {aws}"}}],"structuredContent":{{"{aws}":1.0e0,"card":{card},"c2":{card},"n":4111111111111112,"deep":[[{{"x":"{aws}"}}]],"SecretAccessKey":"[REDACTED:aws_secret_key]" }},"requestState":"{key}","nextCursor":"{key}","_meta":{{"x":"{aws}","io.modelcontextprotocol/related-task":{{"taskId":"{key}"}}}}}} }}"#,
    );
    let cleaned = all().clean(&raw, Part::Result, &|| true).unwrap();
    assert_eq!(cleaned.text.unwrap(), expected);
    let counts = [("aws_access_key", 4), ("aws_secret_key", 1), ("card_number", 2)];
    assert_eq!(cleaned.edits.redacted, counts.map(|(name, times)| (name.to_owned(), times)).into());
    let observed = Results { observed: true, ..all() };
    let watched = observed.clean(&raw, Part::Result, &|| true).unwrap();
    assert_eq!((watched.text, watched.edits), (None, cleaned.edits));
}

#[test]
fn parts_of_a_message() {
    let key = plain("AKIA~IOSFODNN7EXAMPLE");
    let aws = "[REDACTED:aws_access_key]";
    for (part, raw, expected) in [
        (
            Part::List("tools"),
            r#"{"result":{"tools":[{"name":"KEY"}],"x":"KEY","nextCursor":"KEY"}}"#,
            r#"{"result":{"tools":[{"name":"KEY"}],"x":"AWS","nextCursor":"KEY"}}"#,
        ),
        (
            Part::Handshake,
            r#"{"result":{"instructions":"KEY","serverInfo":{"name":"KEY"}}}"#,
            r#"{"result":{"instructions":"AWS","serverInfo":{"name":"KEY"}}}"#,
        ),
        (
            Part::Error,
            r#"{"error":{"code":-1,"message":"KEY","data":["KEY"]}}"#,
            r#"{"error":{"code":-1,"message":"AWS","data":["AWS"]}}"#,
        ),
        (
            Part::Error,
            r#"{"error":{"data":{"elicitations":[{"url":"KEY","message":"KEY"}]}}}"#,
            r#"{"error":{"data":{"elicitations":[{"url":"KEY","message":"AWS"}]}}}"#,
        ),
        (
            Part::Params,
            r#"{"method":"m/KEY","params":{"progressToken":"KEY","message":"KEY","url":"KEY"}}"#,
            r#"{"method":"m/KEY","params":{"progressToken":"KEY","message":"AWS","url":"KEY"}}"#,
        ),
        (
            Part::Result,
            r#"{"result":{"inputRequests":{"KEY":{"method":"elicitation/create","params":{"message":"KEY","url":"KEY"}}}}}"#,
            r#"{"result":{"inputRequests":{"KEY":{"method":"elicitation/create","params":{"message":"AWS","url":"KEY"}}}}}"#,
        ),
    ] {
        assert_eq!(
            clean(&all(), part, &raw.replace("KEY", &key)),
            expected.replace("KEY", &key).replace("AWS", aws),
            "{raw}"
        );
    }
    // Files are not looked into, short texts under their name are.
    let file = format!(r#"{{"result":{{"data":"{}{key}"}}}}"#, "A+/b".repeat(40));
    assert_eq!(clean(&all(), Part::Result, &file), file);
    assert_eq!(
        clean(&all(), Part::Result, &format!(r#"{{"result":{{"data":"{key}"}}}}"#)),
        format!(r#"{{"result":{{"data":"{aws}"}}}}"#)
    );
}

#[test]
fn what_nobody_sees_goes_and_what_shapes_a_sign_stays() {
    let results = Results { strip_invisible: true, ..Results::default() };
    for (text, expected) in [
        ("a\u{200b}b\u{feff}c", "abc"),
        ("user\u{202e}txt.exe", "usertxt.exe"),
        ("hi\u{e0049}\u{e0067}\u{e006e}\u{e006f}\u{e0072}\u{e0065}", "hi"),
        ("\u{1b}[8mhidden", "[8mhidden"),
        ("co\u{ad}op \u{3164}\u{115f}x", "coop x"),
        ("a\u{fe0f}\u{fe01}b\u{e0101}", "ab"),
        // Families, flags, hearts, keycaps.
        (
            "👩\u{200d}👩\u{200d}👧 🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f} ❤\u{fe0f}\u{200d}🔥 1\u{fe0f}\u{20e3} 👍🏽 🇩🇪",
            "",
        ),
        ("👩\u{200d}x\u{200d}👧 ❤\u{fe0f}\u{fe0f}", "👩x👧 ❤\u{fe0f}"),
        ("🏴\u{e0067}\u{e0062}\u{e0078}\u{e007f}", "🏴"),
        // Persian and Hindi are written with joiners; Latin is not.
        ("می\u{200c}خواهم क\u{94d}\u{200d}ष", ""),
        ("pass\u{200c}word क\u{200d}\u{200d}ष", "password क\u{200d}ष"),
        ("plain\ttext\r\nwith lines", ""),
    ] {
        let expected = if expected.is_empty() { text } else { expected };
        assert_eq!(judged(&results, text), expected, "{text:?}");
    }
}

#[test]
fn a_policy_says_what_is_done() {
    let text = r#"{ "version": "1", "default": "deny", "mode": "observe", "results": { "max_bytes": 2048,
        "redact": ["tokens", { "name": "ticket", "pattern": "(?i)tk-[0-9]{6}" }], "strip_invisible": true } }"#;
    let policy = load(text, Load::default()).policy.unwrap();
    let results = policy.results().unwrap();
    assert_eq!(
        results.describe(),
        "at most 2048 bytes; redacts tokens, ticket; strips invisible characters; observed only"
    );
    assert_eq!(results.cap().unwrap().bytes, 2048);
    let enforced = load(&text.replace("observe", "enforce"), Load::default()).policy.unwrap();
    let results = enforced.results().unwrap();
    assert_eq!(
        clean(results, Part::Result, r#"{"result":["see Tk-123456\n",1,"TK-1"]}"#),
        r#"{"result":["see [REDACTED:ticket]\n",1,"TK-1"]}"#
    );
    assert_eq!(results.clean_text("tk-000000", &|| true), Ok(Some("[REDACTED:ticket]".to_owned())));
    for (same, code) in [
        (r#"["tokens", "tokens"]"#, "P0106"),
        (r#"[{ "name": "a", "pattern": "b" }, { "name": "a", "pattern": "c" }]"#, "P0106"),
        (r#"[{ "name": "card_number", "pattern": "b" }]"#, "P0106"),
    ] {
        let text = format!(r#"{{ "version": "1", "default": "deny", "results": {{ "redact": {same} }} }}"#);
        let loaded = load(&text, Load::default());
        assert!(loaded.policy.is_none());
        assert!(loaded.diagnostics.iter().all(|found| found.code.as_str() == code), "{:?}", loaded.diagnostics);
    }
}

/// Long texts made to be slow: each takes one pass, not one for each place.
#[test]
fn long_texts_of_beginnings_take_one_pass() {
    let results = all();
    for piece in [
        "eyJ",
        "AKIA",
        "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----A",
        "4111 ",
        "4111111111111112 ",
        "a://b:",
        "bearer ",
        "ghp_",
        "\u{200d}",
        "😀\u{200d}",
        "secret_access_key",
        "sk-",
        "1//0",
        "----",
        "Private-Lines: 1",
        "[REDACTED:jwt]",
        "eyJaaaaaaaaaaaa.",
    ] {
        let text = piece.repeat(2_000_000 / piece.len());
        let edited = judged(&results, &text);
        assert!(edited.len() <= text.len() * 2);
    }
}

/// Texts in which secrets stand beside each other, in pieces and in each other.
fn texts() -> impl Strategy<Value = String> {
    let pieces: Vec<String> = FOUND
        .iter()
        .map(|(_, text, _)| plain(text))
        .chain(NOT_FOUND.iter().map(|(_, text)| plain(text)))
        .chain(
            [
                "\u{200b}",
                " ",
                "\n",
                "-",
                "\\n",
                "\"",
                "é",
                "😀\u{200d}😀",
                "[REDACTED:jwt]",
                "4111",
                "AKIA",
                "eyJ",
                "://",
            ]
            .map(str::to_owned),
        )
        .chain([plain(PEM)])
        .collect();
    let piece = (prop::sample::select(pieces), 0_usize..200, any::<bool>())
        .prop_map(|(text, cut, whole)| if whole { text } else { text.chars().take(cut).collect() });
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

/// Objects and arrays of secrets, of what only looks so and of names that tell what a value is.
fn values() -> impl Strategy<Value = serde_json::Value> {
    let long = "aB3".repeat(40);
    let secrets = [format!("{long:.40}"), long.clone(), format!("{long:.86}=="), format!("{long:.43}=")];
    let texts = FOUND.iter().map(|(_, text, _)| plain(text)).chain(NOT_FOUND.iter().map(|(_, text)| plain(text)));
    let texts: Vec<String> = texts.chain(secrets).chain([plain(PEM), "a\u{200b}b".to_owned()]).collect();
    let names = [
        "SecretAccessKey",
        "session_tokens",
        "AccountKey",
        "SharedAccessKeys",
        "Authorization",
        "name",
        "value",
        "a b",
    ];
    let key = prop::sample::select(names.map(str::to_owned).to_vec());
    let leaf = prop_oneof![
        prop::sample::select(texts).prop_map(serde_json::Value::from),
        prop::sample::select(vec![4_111_111_111_111_111_u64, 4_111_111_111_111_112, 7])
            .prop_map(serde_json::Value::from),
        Just(serde_json::Value::Null),
    ];
    let tree = leaf.prop_recursive(3, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            prop::collection::btree_map(key.clone(), inner, 0..4).prop_map(|members| members.into_iter().collect()),
        ]
    });
    // A tool's structure is an object or an array; a text alone is judged as one in both places.
    prop::collection::vec(tree, 0..3).prop_map(serde_json::Value::from)
}

#[test]
fn members_that_the_protocol_does_not_know_are_looked_into() {
    let (_, secret, _) = &FOUND[0];
    let raw =
        serde_json::json!({ "jsonrpc": "2.0", "id": 1, "result": { "content": [] }, "x": plain(secret) }).to_string();
    let cleaned = all().clean(&raw, Part::Result, &|| true).unwrap();
    assert!(!cleaned.edits.is_empty());
    assert!(cleaned.text.unwrap().contains("[REDACTED:"));
}

proptest! {
    #[test]
    fn judging_twice_is_judging_once(text in texts()) {
        let results = all();
        let once = judged(&results, &text);
        // The longest mark, for each of the shortest secrets that there are.
        prop_assert!(once.len() <= text.len() * 30 + 40);
        let twice = judged(&results, &once);
        prop_assert_eq!(&twice, &once);
        for (_, secret, _) in FOUND.iter().filter(|(_, text, expected)| text != expected && !text.contains("Q~")) {
            // What was found alone is not there any more where it stood between spaces.
            let secret = plain(secret);
            let among = format!("{once} {secret} ");
            prop_assert!(judged(&results, &among) != among);
        }
    }

    #[test]
    fn a_message_judged_twice_is_judged_once(value in values()) {
        let raw = serde_json::json!({ "id": 1, "result": { "structuredContent": value } }).to_string();
        let once = clean(&all(), Part::Result, &raw);
        prop_assert_eq!(clean(&all(), Part::Result, &once), once);
    }

    /// What a tool says as structure and, for those who only read, as the text of the same JSON.
    #[test]
    fn content_and_structure_lose_the_same(value in values(), indented in any::<bool>()) {
        let text = if indented { format!("{value:#}") } else { value.to_string() };
        let raw = serde_json::json!({ "id": 1, "result": { "content": [{ "type": "text", "text": text }], "structuredContent": value } });
        let cleaned: serde_json::Value = serde_json::from_str(&clean(&all(), Part::Result, &raw.to_string())).unwrap();
        let text = cleaned["result"]["content"][0]["text"].as_str().unwrap();
        let text: serde_json::Value = serde_json::from_str(text).unwrap();
        prop_assert_eq!(&text, &cleaned["result"]["structuredContent"]);
    }

    #[test]
    fn a_message_stays_json_and_keeps_what_is_not_marked(text in texts(), key in texts(), other in "\\PC{0,20}") {
        let results = Results { detectors: Detector::ALL.to_vec(), ..Results::default() };
        let raw = serde_json::json!({ "id": 1, "result": { "content": [{ "text": text, "other": other }], "a": { key: 7 } } }).to_string();
        let cleaned = results.clean(&raw, Part::Result, &|| true).unwrap();
        let edited = cleaned.text.clone().unwrap_or_else(|| raw.clone());
        let value: serde_json::Value = serde_json::from_str(&edited).unwrap();
        let expected = judged(&results, &text);
        prop_assert_eq!(value["result"]["content"][0]["text"].as_str(), Some(expected.as_str()));
        let expected = judged(&results, &other);
        prop_assert_eq!(value["result"]["content"][0]["other"].as_str(), Some(expected.as_str()));
        prop_assert_eq!(cleaned.text.is_none(), cleaned.edits.is_empty());
    }
}
