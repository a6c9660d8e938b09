//! What pages say of tools: true to the definition, of the right length, and never a stranger's words as ours.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::corpus::{public, text};
use policy::diagnostic::Code;
use policy::lint::Known;
use policy::{Class, Load, Numbers, ToolFacts, load};
use risk::prose::{Relation, Server, ServerText, ToolText, VariantKind};
use risk::{Assessment, Definition, assess};
use serde_json::{Value, json};

type Tools<'a> = Vec<(Definition<'a>, Assessment)>;

fn judged(lines: &[Value]) -> Tools<'_> {
    lines.iter().map(Definition::of).map(|tool| (tool, assess(&tool))).collect()
}

/// The text of the first tool.
fn first(server: &str, lines: &[Value]) -> ToolText {
    Server::new(server, &judged(lines)).tool(0).unwrap()
}

fn words(text: &str) -> usize {
    text.split_whitespace().count()
}

/// Our sentences of a page: all but what the server wrote.
fn sentences(page: &ToolText) -> Vec<&str> {
    let mut all = vec![page.lead.as_str(), &page.what, &page.why];
    all.extend(page.arguments.iter().filter_map(|one| one.note.as_deref()));
    all.extend(page.evidence.iter().map(|one| one.counts.as_str()));
    all.extend(page.variants.iter().map(|one| one.note.as_str()));
    all.extend(page.variants.iter().flat_map(|one| &one.clauses).map(|one| one.why.as_str()));
    all.extend(page.samples.iter().map(|one| one.shows.as_str()));
    all.extend(page.attacks.iter().map(|one| one.why.as_str()));
    all.extend(page.related.iter().map(|one| one.why.as_str()));
    all.extend(page.questions.iter().flat_map(|one| [one.question.as_str(), &one.answer]));
    all
}

/// The text of a page, without its policies.
fn length(page: &ToolText) -> usize {
    let foreign = page
        .arguments
        .iter()
        .map(|one| one.foreign.len() + one.path.len() + one.values.iter().map(String::len).sum::<usize>());
    let told = page.agent_sees.iter().map(|one| one.text.len());
    sentences(page).iter().map(|one| one.len()).sum::<usize>() + foreign.sum::<usize>() + told.sum::<usize>()
}

/// What must hold of every page.
fn holds(definition: &Definition<'_>, found: &Assessment, page: &ToolText) {
    let name = definition.name;
    assert!((2..=25).contains(&words(&page.lead)), "{name}: {}", page.lead);
    if definition.schema.is_some() || !definition.description.is_empty() {
        for paragraph in [&page.what, &page.why] {
            assert!((60..=120).contains(&words(paragraph)), "{name}, {} words: {paragraph}", words(paragraph));
        }
    }
    for sentence in sentences(page) {
        assert!(!sentence.trim().is_empty(), "{name} has an empty sentence");
        for wrong in [
            "a Execute",
            "an Write",
            "an Read",
            "an Destructive",
            "an Financial",
            "a unclassified",
            "MCP Server MCP Server",
            "  ",
            " .",
            " ,",
            "..",
            "{",
        ] {
            let quoted = wrong == "{" || wrong == ".." || wrong.starts_with(' ');
            assert!(
                quoted && (sentence.contains('`') || sentence.contains('“')) || !sentence.contains(wrong),
                "{name}: “{wrong}” in {sentence}"
            );
        }
        let unseen = |letter: char| {
            letter.is_control()
                || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
        };
        assert!(!sentence.contains(unseen), "{name}: {sentence:?}");
    }
    assert!(page.questions.len() <= 5 && page.related.len() <= 8 && page.samples.len() <= 4);
    assert!(found.class == Class::Unclassified || !page.evidence.is_empty(), "{name} has no evidence");
    assert!(length(page) <= 24 * 1024, "{name}: {} bytes", length(page));
    let nameable =
        !name.is_empty() && name.len() <= 240 && !name.contains(['*', '?']) && !name.chars().any(char::is_control);
    assert_eq!(page.variants.len(), if nameable { 4 } else { 0 }, "{name}");
    assert_eq!(page.agent_sees.is_empty(), !nameable, "{name}");
}

/// What the product says of every policy of a page.
fn accepted(definition: &Definition<'_>, found: &Assessment, page: &ToolText, schema: Option<&str>) {
    let asked = page.questions.iter().filter_map(|one| one.policy.as_ref());
    let variants = page.variants.iter().map(|one| (&one.document, one.kind == VariantKind::Patch));
    for (document, judges_arguments) in variants.chain(asked.map(|document| (document, true))) {
        let text = document.to_string();
        let loaded = load(&text, Load::default());
        // That this build holds no calls is said of every policy that asks.
        let findings: Vec<_> = loaded.diagnostics.iter().filter(|one| one.code != Code::ApprovalRefused).collect();
        assert!(findings.is_empty(), "{text}\n{findings:?}");
        let policy = loaded.policy.expect("a document without errors is a policy");
        let facts = ToolFacts {
            server: "local",
            name: definition.name,
            class: found.class,
            class_accepted: false,
            input_schema: schema,
            numbers: Numbers::default(),
        };
        // The other variants say the same of arguments as the patch, or nothing.
        let tools = [facts];
        let findings = policy.check(&Known { tools: judges_arguments.then_some(&tools), now: None });
        assert!(findings.is_empty(), "{text}\n{schema:?}\n{findings:?}");
    }
    for variant in &page.variants {
        for clause in &variant.clauses {
            assert!(
                variant.document.pointer(&clause.pointer).is_some(),
                "{} is not in {}",
                clause.pointer,
                variant.document
            );
        }
    }
}

/// The public definitions by server; of several of one name, the one with a schema.
fn servers(lines: &[Value]) -> Vec<(&str, Vec<Value>)> {
    let mut by_server: BTreeMap<&str, BTreeMap<&str, &Value>> = BTreeMap::new();
    for line in lines {
        let tools = by_server.entry(text(line, "server")).or_default();
        let known = tools.entry(text(line, "name")).or_insert(line);
        if known["input_schema"].is_null() {
            *known = line;
        }
    }
    by_server.into_iter().map(|(server, tools)| (server, tools.into_values().cloned().collect())).collect()
}

#[test]
fn every_public_definition_has_a_page() {
    let Some(lines) = public("tools.jsonl.gz") else { return };
    let servers = servers(&lines);
    // Twins of a name and a schema get the same policies.
    let seen = std::sync::Mutex::new(HashSet::new());
    let next = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some((name, lines)) = servers.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                    let tools = judged(lines);
                    let server = Server::new(name, &tools);
                    let mut whys: HashMap<(Class, String), &str> = HashMap::new();
                    for (index, (definition, found)) in tools.iter().enumerate() {
                        let page = server.tool(index).unwrap();
                        holds(definition, found, &page);
                        let schema = definition.schema.map(ToString::to_string);
                        if seen.lock().unwrap().insert((definition.name.to_owned(), schema.clone())) {
                            accepted(definition, found, &page, schema.as_deref());
                        }
                        let twin = whys.insert((found.class, page.why.clone()), definition.name);
                        assert!(twin.is_none(), "{name}: {} and {twin:?} share {}", definition.name, page.why);
                    }
                }
            });
        }
    });
}

fn forward_reply() -> Value {
    json!({ "name": "smartlead_forward_reply", "description": "Forward a lead reply to another email address or team member.",
        "inputSchema": { "type": "object", "required": ["campaign_id", "lead_id", "forward_to"], "properties": {
            "campaign_id": { "type": "integer" }, "lead_id": { "type": "integer" },
            "forward_to": { "type": "string", "description": "Email address to forward to" },
            "message": { "type": "string" } } } })
}

/// The first of the pages that ours are to beat: a recipient, bounded, with the calls that show it.
#[test]
fn forwarding_a_reply() {
    let page = first("SmartLead MCP Server", &[forward_reply()]);
    assert!(page.lead.contains("`forward_to`") && !page.lead.contains("MCP Server"), "{}", page.lead);
    assert!(page.why.contains("`forward_to`"), "{}", page.why);
    let patch = &page.variants[0];
    assert_eq!(patch.document["default"], "allow");
    let rule = &patch.document["tools"]["smartlead_forward_reply"];
    assert_eq!(rule["require"][0]["conditions"][0]["op"], "email_domain_in");
    assert!(patch.replace[0].contains("example.com"));
    let verdicts: Vec<_> = page.samples.iter().map(|one| one.verdict).collect();
    assert_eq!(verdicts[..3], ["allow", "deny", "limit"]);
    assert!(
        page.agent_sees[0].text.starts_with("[POLICY DENIED] `forward_to` must be a plain address at example.com.")
    );
    assert!(page.questions.iter().any(|one| one.question == "What can an agent do with `forward_to`?"));
    assert!(page.questions.iter().any(|one| one.question.ends_with("only to our own domain?") && one.policy.is_some()));
}

#[test]
fn updating_a_lead() {
    let lines = [
        json!({ "name": "smartlead_update_lead_by_id", "description": "Update lead information using the lead ID, including contact details and custom fields.",
            "inputSchema": { "type": "object", "required": ["lead_id"], "properties": {
                "lead_id": { "type": "integer" }, "email": { "type": "string" }, "phone": { "type": "string" } } } }),
        json!({ "name": "smartlead_fetch_lead_by_id", "description": "Fetch a lead" }),
        json!({ "name": "smartlead_list_all_leads", "description": "List all leads" }),
    ];
    let page = first("SmartLead MCP Server", &lines);
    assert_eq!(page.lead, "Updates `email` and `phone` of a lead, chosen by `lead_id`.");
    assert!(page.why.contains("`smartlead_fetch_lead_by_id` has to be called"), "{}", page.why);
    assert!(page.related.iter().any(|one| one.relation == Relation::Before && one.name == "smartlead_list_all_leads"));
    assert!(page.arguments[0].note.as_deref().is_some_and(|note| note.contains("`lead_id` chooses the lead")));
}

#[test]
fn reconnecting_accounts_and_sending_events_again() {
    let lines = [
        json!({ "name": "smartlead_reconnect_failed_email_accounts", "description": "Attempt to reconnect email accounts that have failed authentication.",
            "inputSchema": { "type": "object", "properties": {} } }),
        json!({ "name": "smartlead_retrigger_failed_events", "description": "Retry delivery of failed webhook events for better reliability.",
            "inputSchema": { "type": "object", "properties": { "webhook_id": { "type": "integer" }, "campaign_id": { "type": "integer" }, "start_date": { "type": "string" }, "end_date": { "type": "string" } } } }),
    ];
    let tools = judged(&lines);
    let server = Server::new("SmartLead MCP Server", &tools);
    let (accounts, events) = (server.tool(0).unwrap(), server.tool(1).unwrap());
    assert_eq!(accounts.lead, "Reconnects failed email accounts in SmartLead.");
    assert!(accounts.why.contains("logins"), "{}", accounts.why);
    assert!(
        events.lead.starts_with("Retriggers failed events") && events.why.contains("second time"),
        "{}",
        events.why
    );
    for page in [accounts, events] {
        assert!(!page.what.contains("builds kicked off") && !page.what.contains("workflows started"));
    }
}

/// A description in another language: no copy and no translation of it.
#[test]
fn creating_a_lead_in_portuguese() {
    let lines = [
        json!({ "name": "create_lead", "description": "Criar um novo lead no Kommo CRM", "inputSchema": { "type": "object",
            "required": ["name"], "properties": { "name": { "type": "string", "description": "Nome do lead" }, "price": { "type": "number" } } } }),
        json!({ "name": "delete_lead", "description": "Excluir um lead" }),
    ];
    let page = first("Kommo CRM MCP Server", &lines);
    assert_eq!(page.lead, "Creates a lead with `name` and `price`.");
    assert!(page.what.contains("description is in Portuguese"), "{}", page.what);
    assert!(page.why.contains("`delete_lead` takes it back"), "{}", page.why);
    assert_eq!(page.arguments[0].foreign, "Nome do lead");
    assert!(sentences(&page).iter().all(|one| !one.contains("Criar um novo")));
}

#[test]
fn what_a_server_claims_against_what_it_says() {
    let line = json!({ "name": "run_shell", "description": "Run a shell command", "annotations": { "readOnlyHint": true },
        "inputSchema": { "type": "object", "required": ["command"], "properties": { "command": { "type": "string" } } } });
    let page = first("Box", &[line]);
    assert!(page.what.contains("The server calls it read-only") && page.what.contains("otherwise"), "{}", page.what);
    assert!(page.questions.iter().any(|one| one.question == "The server calls `run_shell` read-only. Why do you not?"));
}

#[test]
fn a_verdict_on_a_server() {
    let lines = [
        json!({ "name": "list_leads", "description": "List leads" }),
        json!({ "name": "get_lead", "description": "Get a lead" }),
        json!({ "name": "create_lead", "description": "Create a lead" }),
    ];
    let tools = judged(&lines);
    let text = ServerText::of("SmartLead MCP Server", &tools);
    assert_eq!(text.name, "SmartLead");
    assert!(
        text.verdict.starts_with("3 tools: 2 read, 1 write; ") && text.verdict.ends_with("nothing is irreversible."),
        "{}",
        text.verdict
    );
    assert_eq!(ServerText::of("", &[]).verdict, "No tool of it is known yet, so nothing is promised.");
}

/// Nothing in a definition makes us fail, run long, or say what it wants said.
#[test]
fn hostile_definitions() {
    let many: serde_json::Map<String, Value> = (0..5_000)
        .map(|at| (format!("path_{at}"), json!({ "type": "string", "description": "x".repeat(2_000) })))
        .collect();
    let mut deep = json!({ "type": "string" });
    for _ in 0..60 {
        deep = json!({ "type": "object", "properties": { "to": deep } });
    }
    let bidi = "\u{202e}\u{200b}\u{e0041}";
    let lines = [
        json!({ "name": "x".repeat(10_000), "description": "Delete everything" }),
        json!({ "name": "delete_".repeat(2_000), "description": "y ".repeat(50_000) }),
        json!({ "name": format!("delete{bidi}_user\n\t`drop`"), "description": format!("Delete{bidi} a user\u{0}") }),
        json!({ "name": "", "description": "" }),
        json!({ "name": "*", "description": "Read all" }),
        json!({ "name": "send_email", "description": "Send an email", "inputSchema": { "type": "object", "properties": many } }),
        json!({ "name": "send_mail", "description": "Send an email", "inputSchema": deep }),
        json!({ "name": "run", "description": "Run", "inputSchema": { "properties": { bidi: { "enum": [bidi, 1, null] }, "`to`": { "type": 7 } }, "required": "all" } }),
        json!({ "name": "loop", "description": "Update", "inputSchema": { "properties": { "a": { "$ref": "#/properties/a" }, "b": { "$ref": "#" } } } }),
        json!({ "name": "pay", "description": "Pay", "inputSchema": { "properties": { "amount": { "type": "number", "minimum": 1e308, "maximum": -1e308 }, "n": { "type": "array", "minItems": 1e18 } }, "required": ["amount", "n"] } }),
    ];
    let tools = judged(&lines);
    let server = Server::new(&format!("{bidi}{}", "S".repeat(5_000)), &tools);
    for (index, (definition, found)) in tools.iter().enumerate() {
        let page = server.tool(index).unwrap();
        holds(definition, found, &page);
        let schema = definition.schema.map(ToString::to_string);
        if !matches!(definition.name, "run" | "loop") {
            accepted(definition, found, &page, schema.as_deref());
        }
    }
    assert!(server.tool(lines.len()).is_none());
}

/// The rules that are shown are those that hold: what is stopped is stopped by them.
#[test]
fn a_path_and_an_address() {
    let lines = [
        json!({ "name": "read_file", "description": "Read a file", "inputSchema": { "type": "object", "required": ["path"], "properties": { "path": { "type": "string" } } } }),
        json!({ "name": "fetch_page", "description": "Fetch a web page", "inputSchema": { "type": "object", "required": ["url"], "properties": { "url": { "type": "string", "format": "uri" } } } }),
    ];
    let tools = judged(&lines);
    let server = Server::new("Files", &tools);
    for (index, argument) in [(0, "`path`"), (1, "`url`")] {
        let page = server.tool(index).unwrap();
        assert!(page.lead.contains(argument) && page.why.contains(argument), "{} {}", page.lead, page.why);
        let verdicts: Vec<_> = page.samples.iter().take(2).map(|one| one.verdict).collect();
        assert_eq!(verdicts, ["allow", "deny"], "{:?}", page.samples);
        assert!(page.variants.iter().any(|one| one.kind == VariantKind::Hide));
    }
}
