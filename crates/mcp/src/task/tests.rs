use super::*;

/// Every id in capitals, `gone` left out; what is no id is noted as `?`.
fn shout(raw: &str) -> (Option<String>, Vec<(Place, String)>) {
    let mut seen = Vec::new();
    let edited = rename(raw, |place, id| {
        seen.push((place, id.unwrap_or("?").to_owned()));
        match id {
            Some("kept") => Naming::Keep,
            Some("gone") | None => Naming::LeaveOut,
            Some(id) => Naming::As(id.to_uppercase()),
        }
    });
    (edited.unwrap(), seen)
}

#[test]
fn every_place_where_a_task_is_named() {
    use Place::{Created, Listed, Related, Subject, Wanted};
    let meta = format!(r#""_meta":{{"x":1,"{RELATED}":{{"taskId":"a","y":2}} }}"#);
    let shouted = format!(r#""_meta":{{"x":1,"{RELATED}":{{"taskId":"A"}} }}"#);
    type Case<'a> = (String, &'a str, &'a [(Place, &'a str)]);
    let table: &[Case<'_>] = &[
        (r#"{"params":{"taskId" : "a","x":[]}}"#.into(), r#"{"params":{"taskId" : "A","x":[]}}"#, &[(Subject, "a")]),
        (r#"{"result":{"taskId":"\u0061"}}"#.into(), r#"{"result":{"taskId":"A"}}"#, &[(Subject, "a")]),
        (
            r#"{"result":{"task":{"ttl":1,"taskId":"a"}}}"#.into(),
            r#"{"result":{"task":{"ttl":1,"taskId":"A"}}}"#,
            &[(Created, "a")],
        ),
        (
            r#"{"result":{"tasks":[{"taskId":"gone","s":1}, {"taskId":"a"},7,{"s":1},{"taskId":"kept"}],"n":1}}"#
                .into(),
            r#"{"result":{"tasks":[{"taskId":"A"},{"taskId":"kept"}],"n":1}}"#,
            &[(Listed, "gone"), (Listed, "a"), (Listed, "?"), (Listed, "?"), (Listed, "kept")],
        ),
        (r#"{"result":{"tasks":[{"taskId":"gone"}]}}"#.into(), r#"{"result":{"tasks":[]}}"#, &[(Listed, "gone")]),
        (
            r#"{"params":{"notifications":{"taskIds":["a","gone"],"TaskIds":["b"]}}}"#.into(),
            r#"{"params":{"notifications":{"taskIds":["A"]}}}"#,
            &[(Wanted, "a"), (Wanted, "gone"), (Wanted, "?")],
        ),
        (format!(r#"{{"params":{{{meta}}}}}"#), "", &[(Related, "a")]),
        (format!(r#"{{"result":{{"content":[],{meta}}}}}"#), "", &[(Related, "a")]),
        (
            format!(r#"{{"result":{{"_meta":{{"x":1,"{RELATED}":{{"taskId":"gone"}}}}}}}}"#),
            r#"{"result":{"_meta":{"x":1}}}"#,
            &[(Related, "gone")],
        ),
        (
            r#"{"params":{"_meta":{"IO.modelcontextprotocol/related-task":{"taskId":"a"}}}}"#.into(),
            r#"{"params":{"_meta":{}}}"#,
            &[(Related, "?")],
        ),
    ];
    for (text, expected, places) in table {
        let expected = if expected.is_empty() { text.replace(&meta, &shouted) } else { (*expected).to_owned() };
        let (edited, seen) = shout(text);
        assert_eq!(edited.as_deref(), Some(expected.as_str()), "{text}");
        let seen: Vec<(Place, &str)> = seen.iter().map(|(place, id)| (*place, id.as_str())).collect();
        assert_eq!(seen, *places, "{text}");
        assert!(may_be_named(text), "{text}");
    }
}

#[test]
fn nothing_else_names_one() {
    for text in [
        r#"{"taskId":"a"}"#,
        r#"{"params":{"arguments":{"taskId":"a","task":{"taskId":"b"}},"task":{"taskId":"c"},"tasks":[{"taskId":"d"}]}}"#,
        r#"{"result":{"structuredContent":{"taskId":"a"},"content":[{"taskId":"b"}],"taskId":7,"notifications":{"taskIds":["x"]}}}"#,
        r#"{"error":{"data":{"taskId":"a"}}}"#,
        r#"{"result":{"taskId":"kept"}}"#,
        "[]",
    ] {
        assert_eq!(shout(text).0, None, "{text}");
    }
    assert!(!may_be_named(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","task":{}}}"#));
    assert!(rename("{", |_, _| Naming::Keep).is_err());
}
