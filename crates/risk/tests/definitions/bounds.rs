//! What arguments are for, and what a recommendation makes of calls with them.

use super::recommend::{bounds, judged};
use policy::cases::run;
use policy::{Class, Load, Numbers, ToolFacts, load};
use risk::recommend::{Bounds, Temper, recommend};
use risk::{Definition, Facet, assess};
use serde_json::{Value, json};

/// Without `required`: each argument is a text.
fn texts(name: &str, description: &str, names: &[&str]) -> Value {
    let properties: serde_json::Map<String, Value> =
        names.iter().map(|name| ((*name).to_owned(), json!({ "type": "string" }))).collect();
    json!({ "name": name, "description": description, "inputSchema": { "type": "object", "properties": properties } })
}

#[test]
fn sql_is_told_by_what_the_tool_says() {
    let query = texts("run_query", "Run a SQL query on the warehouse", &["query"]);
    let statement = texts("q", "Runs a BigQuery statement", &["statement"]);
    let store = texts("execute", "Executes a statement on the database", &["statement"]);
    let search = texts("search", "Search the literature database", &["query"]);
    let graph = texts("run_query", "Run a GraphQL query on the database", &["query"]);
    for (line, argument, class, reading) in [
        (&query, "query", Class::Execute, "allow"),
        (&query, "query", Class::Read, "allow"),
        (&statement, "statement", Class::Execute, "allow"),
        (&store, "statement", Class::Execute, "allow"),
        (&graph, "query", Class::Execute, "approval"),
    ] {
        let ask = |text: &str| judged(line, class, Temper::Balanced, &Bounds::default(), &json!({ argument: text }));
        assert_eq!(ask("-- all\nselect * from a where b = ';'"), reading, "{line}");
        if reading == "allow" {
            assert_eq!(ask("select 1 exec xp_cmdshell 'whoami'"), "deny", "{line}");
            assert_eq!(ask("select '<?php' /*!50000INTO*/ OUTFILE '/var/www/x.php'"), "deny", "{line}");
        }
    }
    let written = texts("change", "Changes rows of a table", &["sql"]);
    let insert = json!({ "sql": "insert into a values (1)" });
    assert_eq!(judged(&written, Class::Write, Temper::Balanced, &Bounds::default(), &insert), "approval");
    let docs = texts("lookup", "Search the Snowflake documentation", &["query"]);
    assert_eq!(judged(&docs, Class::Read, Temper::Balanced, &Bounds::default(), &json!({ "query": "heart" })), "allow");
    let free = json!({ "query": "heart" });
    assert_eq!(judged(&search, Class::Read, Temper::Balanced, &Bounds::default(), &free), "allow");
    let read = json!({ "query": "select 1" });
    let rows = texts("list_rows", "List rows of MySQL", &["query"]);
    assert_eq!(judged(&rows, Class::Read, Temper::LockedDown, &bounds(), &read), "approval");
}

#[test]
fn programs_by_other_names_wait_for_a_person() {
    for name in ["function", "script", "code", "cmd", "expression", "js", "program", "source", "args", "query"] {
        let line = texts("evaluate", "Evaluates what it is given", &[name]);
        let found = judged(&line, Class::Execute, Temper::Balanced, &Bounds::default(), &json!({ name: "1" }));
        assert_eq!(found, "approval", "{name}");
    }
}

#[test]
fn paths_and_addresses_by_other_names() {
    let secret = "/home/ann/.ssh/id_rsa";
    let inside = "http://169.254.169.254/";
    for name in [
        "file_name",
        "fileName",
        "filepaths",
        "ruta",
        "archivo",
        "caminho",
        "arquivo",
        "chemin",
        "fichier",
        "pfad",
        "datei",
        "路径",
        "文件",
        "attachments",
        "input_file",
        "output_file",
        "image_path",
        "output_dir",
    ] {
        let line = texts("read", "Reads", &[name]);
        let ask =
            |value: &str| judged(&line, Class::Read, Temper::Balanced, &Bounds::default(), &json!({ name: value }));
        assert_eq!((ask(secret), ask("a.txt")), ("deny", "allow"), "{name}");
    }
    for name in ["uris", "baseurl", "imageUrl", "address", "网址"] {
        let line = texts("read", "Fetch a web page", &[name]);
        let ask =
            |value: &str| judged(&line, Class::Read, Temper::Balanced, &Bounds::default(), &json!({ name: value }));
        assert_eq!((ask(inside), ask("https://example.com/")), ("deny", "allow"), "{name}");
    }
    for line in
        [texts("copy", "Copy a file", &["source", "destination"]), texts("copy_file2", "", &["source", "destination"])]
    {
        let ask = |value: &str| {
            judged(
                &line,
                Class::Write,
                Temper::Balanced,
                &Bounds::default(),
                &json!({ "source": value, "destination": "b" }),
            )
        };
        assert_eq!((ask(secret), ask("a")), ("deny", "allow"), "{line}");
    }
}

#[test]
fn hosts_wait_for_a_person_or_for_the_list() {
    let line = texts("http_request", "Send an HTTP request", &["host", "path"]);
    let ask = |bounds: &Bounds, host: &str| {
        judged(&line, Class::Read, Temper::Balanced, bounds, &json!({ "host": host, "path": "/v1/../a%20b" }))
    };
    assert_eq!(ask(&Bounds::default(), "169.254.169.254"), "approval");
    for (host, expected) in
        [("a.example.com", "allow"), ("example.com", "deny"), ("a.example.com:80", "deny"), ("aXexample.com", "deny")]
    {
        assert_eq!(ask(&bounds(), host), expected, "{host}");
    }
}

#[test]
fn locked_down_asks_where_a_definition_hides_arguments() {
    let text = json!({ "type": "string" });
    for (schema, expected) in [
        (json!({ "type": "object", "properties": { "a": text } }), "allow"),
        (json!({ "type": "object", "properties": {} }), "allow"),
        (json!({ "type": "object", "properties": { "a": text }, "additionalProperties": false }), "allow"),
        (json!({ "type": "object" }), "approval"),
        (json!({ "type": "object", "properties": { "a": text }, "additionalProperties": true }), "approval"),
        (json!({ "type": "object", "properties": { "a": text }, "additionalProperties": text }), "approval"),
        (json!({ "type": "object", "properties": { "a": text }, "patternProperties": { ".*": text } }), "approval"),
        (
            json!({ "type": "object", "properties": { "a": text }, "if": {}, "then": { "properties": { "path": text } } }),
            "approval",
        ),
        (json!({ "type": "object", "properties": { "a": { "type": "object" } } }), "approval"),
        (json!({ "type": "object", "properties": { "a": {} } }), "approval"),
        (json!({ "type": "object", "properties": { "a": { "type": "array" } } }), "approval"),
    ] {
        let line = json!({ "name": "read", "inputSchema": schema });
        let found = judged(&line, Class::Read, Temper::LockedDown, &bounds(), &json!({}));
        assert_eq!(found, expected, "{line}");
    }
}

#[test]
fn what_runs_later_waits_for_a_person() {
    let line = texts("write_file", "Write a file", &["path"]);
    for (path, expected) in [
        ("/srv/data/notes.txt", "allow"),
        ("/srv/data/.bashrc", "approval"),
        ("/srv/data/.git/hooks/pre-commit", "approval"),
        ("/srv/data/x/toolgate.toml", "approval"),
        ("/srv/data/policy.json", "approval"),
        ("/srv/data/crontab", "approval"),
    ] {
        let found = judged(&line, Class::Write, Temper::Balanced, &bounds(), &json!({ "path": path }));
        assert_eq!(found, expected, "{path}");
    }
}

#[test]
fn domains_bound_mail_and_nothing_else() {
    let bound = |line: &Value| {
        let definition = Definition::of(line);
        let found =
            risk::Assessment { facets: vec![Facet::SendsExternal], class: Class::Execute, ..assess(&definition) };
        let text = recommend(&[(definition, found)], Temper::Balanced, &bounds()).document.to_string();
        text.contains("email_domain_in")
    };
    assert!(bound(&texts("send_email", "Send an email", &["to"])));
    assert!(bound(&texts("share", "Share a note", &["email"])));
    assert!(!bound(&texts("screenshot", "Take a screenshot of a website", &["website_address"])));
    assert!(!bound(&texts("transfer", "Transfer money to an account", &["recipient"])));
}

/// The tests that a recommendation brings do not name what the operator allows.
#[test]
fn examples_lie_outside_of_the_bounds() {
    let wide = Bounds {
        domains: vec!["example.net".into()],
        roots: vec!["/etc".into(), "/elsewhere".into()],
        hosts: vec!["*.example.net".into(), "example.org".into()],
        cap: None,
    };
    let line = texts("send_email_file", "Send an email with a file from a URL", &["to", "path", "url"]);
    let definition = Definition::of(&line);
    let document = recommend(&[(definition, assess(&definition))], Temper::Balanced, &wide).document.to_string();
    let policy = load(&document, Load::default()).policy.expect("a recommendation is a policy");
    let facts = ToolFacts {
        server: "local",
        name: definition.name,
        class: Class::Write,
        class_accepted: false,
        input_schema: None,
        numbers: Numbers::default(),
    };
    for outcome in run(&policy, &[facts]) {
        assert!(outcome.passed, "{document}\n{outcome:?}");
    }
}
