use super::*;

fn key(name: &str) -> Step {
    Step::Key(name.into())
}

#[test]
fn paths() {
    for (text, root, steps) in [
        ("args", Root::Args, vec![]),
        ("args.amount", Root::Args, vec![key("amount")]),
        ("args.items[0].name", Root::Args, vec![key("items"), Step::Index(0), key("name")]),
        ("args.items[-1]", Root::Args, vec![key("items"), Step::FromEnd(1)]),
        ("args.items[*][12]", Root::Args, vec![key("items"), Step::Every, Step::Index(12)]),
        ("args[\"any key\"]", Root::Args, vec![key("any key")]),
        ("args[\"a\\\"]b\"].c", Root::Args, vec![key("a\"]b"), key("c")]),
        ("args[\"\\u00e9\"]", Root::Args, vec![key("é")]),
        ("args[\"\"]", Root::Args, vec![key("")]),
        ("args[\"*\"]", Root::Args, vec![key("*")]),
        ("args.forward-to.$x.@y.0", Root::Args, vec![key("forward-to"), key("$x"), key("@y"), key("0")]),
        ("item", Root::Item, vec![]),
        ("item.url", Root::Item, vec![key("url")]),
        ("grant.label", Root::Context(ContextKey::GrantLabel), vec![]),
        ("grant.tags.team", Root::Context(ContextKey::GrantTag("team".into())), vec![]),
        ("grant.tags[\"a b\"]", Root::Context(ContextKey::GrantTag("a b".into())), vec![]),
        ("time.weekday", Root::Context(ContextKey::TimeWeekday), vec![]),
    ] {
        let path = Path::parse(text).unwrap();
        assert_eq!((path.root(), path.steps()), (&root, steps.as_slice()), "{text}");
        assert_eq!(path.to_string(), text);
    }
}

#[test]
fn what_is_no_path() {
    for text in [
        "",
        "arg",
        "args.",
        "args..a",
        ".args",
        "args.a.",
        "args[",
        "args[]",
        "args[a]",
        "args[01]",
        "args[-0]",
        "args[-]",
        "args[+1]",
        "args[1.0]",
        "args[0",
        "args[\"a]",
        "args[\"a\"",
        "args['a']",
        "args[0]a",
        "args.a b",
        "args.*",
        "args.a*",
        "args.\"a\"",
        "args[99999999999]",
        "args]",
        "Args.a",
        "args .a",
        "inputs.a",
        "grant",
        "grant.tags",
        "grant.tags.a.b",
        "grant.tags[0]",
        "grant.name",
        "time",
        "time.now.x",
        "tool",
        "client.ip.x",
        "args[\"\\ud800\"]",
    ] {
        assert!(Path::parse(text).is_err(), "{text}");
    }
    assert!(Path::parse(&format!("args{}", ".a".repeat(128))).is_ok());
    assert!(Path::parse(&format!("args{}", ".a".repeat(129))).is_err());
    assert!(Path::parse(&format!("args.{}", "a".repeat(1100))).is_err());
}

#[test]
fn suggestions() {
    for (text, expected) in [
        ("arg.amount", Some("args.amount")),
        ("arguments.amount", Some("args.amount")),
        ("params[0]", Some("args[0]")),
        ("items.name", Some("item.name")),
        ("grant.lable", Some("grant.label")),
        ("time.weekdays", Some("time.weekday")),
        ("tool.clas", Some("tool.class")),
        ("nonsense", None),
    ] {
        assert_eq!(Path::parse(text).unwrap_err().suggestion.as_deref(), expected, "{text}");
    }
}

#[test]
fn the_only_value() {
    let args = mcp::json::parse(r#"{"a":[{"b":1},null],"c":"x"}"#).unwrap();
    for (text, found) in [
        ("args.a[0].b", Some("number")),
        ("args.a[-1]", Some("null")),
        ("args.a[-2].b", Some("number")),
        ("args.a[-3]", None),
        ("args.a[2]", None),
        ("args.c.d", None),
        ("args.c[0]", None),
        ("args.a.b", None),
        ("args.a[*]", None),
        ("args.d", None),
        ("item.a", None),
        ("tool.name", None),
    ] {
        assert_eq!(Path::parse(text).unwrap().only(&args).map(Value::type_name), found, "{text}");
    }
}

#[test]
fn names_of_arguments() {
    for (text, expected) in [("args.a.b", Some("a")), ("args[\"x y\"]", Some("x y")), ("args", None), ("item.a", None)]
    {
        assert_eq!(Path::parse(text).unwrap().argument(), expected, "{text}");
    }
}
