//! `docs/attacks.md`, written from the patterns, so that what stands there is what is matched and
//! tested.

use std::fmt::Write;
use std::path::Path;

use risk::patterns::{Call, Control, Exposure, Group, Pattern, Rule, patterns};

const HEAD: &str = "\
# Attacks, and what breaks or bounds them

For whoever has to say what a gateway in front of MCP servers is good for. Each pattern says how it works, who is
exposed, what has happened, and what Toolgate does about it: with a rule, a pinned definition, a grant of its own or a
check of identity. Where nothing here helps, it says what remains.

`toolgate scan --json` and `--markdown` match these patterns to the tools of a server or a client by what the tools can
do ([how that is told](classifier.md)); what concerns any server is matched once. A match is an exposure, not an
attack: it says that a tool could be used so.

**Status.** *verified*: it has happened to somebody. *demonstrated*: researchers have shown it, or a product had a hole
for it. *partial*: we know of no public case with a date and a source that we would repeat.

**Rules** are tested: each policy below is loaded and must stop the call of the attack and let the honest one pass. The
policies are as small as the point allows; a real one names more ([the language](policy.md)). Where a rule asks for a
person, the call is not forwarded unless somebody has agreed. Other controls name the test of the whole product that
shows them (`crates/cli/tests/product`).

This page is written by the same data that the program matches; what is wrong here is wrong there.
";

fn page() -> String {
    let mut page = format!("{HEAD}\n");
    page.push_str("| pattern | severity | status | exposed |\n| --- | --- | --- | --- |\n");
    for group in Group::ALL {
        for pattern in in_group(group) {
            let _ = writeln!(
                page,
                "| [{}](#{}) | {} | {} | {} |",
                pattern.title,
                pattern.id,
                pattern.severity.as_str(),
                pattern.status().as_str(),
                exposed(&pattern.exposure),
            );
        }
    }
    for group in Group::ALL {
        let _ = write!(page, "\n## {}\n", group.title());
        for pattern in in_group(group) {
            section(pattern, &mut page);
        }
    }
    page
}

fn in_group(group: Group) -> impl Iterator<Item = &'static Pattern> {
    patterns().filter(move |pattern| pattern.group == group)
}

fn exposed(exposure: &Exposure) -> String {
    match exposure {
        Exposure::Tool(condition) => format!("a tool that {}", condition.words()),
        Exposure::Together(roles) => {
            let roles: Vec<String> = roles.iter().map(|role| format!("one that {}", role.condition.words())).collect();
            format!("tools together: {}", roles.join("; "))
        }
        Exposure::Many(least, condition) => {
            format!("{least} or more tools in a stack, each of which {}", condition.words())
        }
        Exposure::SeveralServers => "two or more servers in a stack".to_owned(),
        Exposure::Server(who) => (*who).to_owned(),
    }
}

fn section(pattern: &Pattern, page: &mut String) {
    let _ = write!(page, "\n<a id=\"{}\"></a>\n\n### {}\n\n", pattern.id, pattern.title);
    let (severity, status) = (pattern.severity.as_str(), pattern.status().as_str());
    let _ = write!(page, "`{}` · {severity} · {status}\n\n{}\n\n", pattern.id, pattern.summary);
    page.push_str("**How it works**\n\n");
    for (number, step) in pattern.steps.iter().enumerate() {
        let _ = writeln!(page, "{}. {step}", number + 1);
    }
    let _ = write!(page, "\n**Who is exposed**: {}.\n\n", exposed(&pattern.exposure));
    if pattern.incidents.is_empty() {
        page.push_str("**What has happened**: no case is listed.\n\n");
    } else {
        page.push_str("**What has happened**\n\n");
        for incident in pattern.incidents {
            let (date, kind) = (incident.date, incident.kind.as_str());
            let _ = writeln!(page, "- {date}, {kind}: {} ([source]({}))", incident.what, incident.source_url);
        }
        page.push('\n');
    }
    page.push_str("**What breaks or bounds it**\n\n");
    for control in pattern.controls {
        let says = control.says();
        match control {
            Control::Rule(one) => rule(one, page),
            Control::Pin(shown) => {
                let _ = write!(page, "- *Pin.* {says} (`{}`)\n\n", shown.shown_by);
            }
            Control::Grant(shown) => {
                let _ = write!(page, "- *Grant.* {says} (`{}`)\n\n", shown.shown_by);
            }
            Control::Identity(shown) => {
                let _ = write!(page, "- *Identity.* {says} (`{}`)\n\n", shown.shown_by);
            }
            Control::Always(shown) => {
                let _ = write!(page, "- *Always.* {says} (`{}`)\n\n", shown.shown_by);
            }
        }
    }
    let _ = writeln!(page, "**What remains**: {}", pattern.remains);
}

fn rule(rule: &Rule, page: &mut String) {
    let _ = write!(page, "- *Rule.* {}\n\n  ```json\n", rule.says);
    for line in rule.policy.lines() {
        let _ = writeln!(page, "  {line}");
    }
    let _ = write!(
        page,
        "  ```\n\n  {}: {}. Still works: {}.\n\n",
        outcome(&rule.stops),
        call(&rule.stops),
        call(&rule.allows)
    );
}

fn outcome(call: &Call) -> &'static str {
    match call.expect {
        policy::cases::Expect::Allow => "Allowed",
        policy::cases::Expect::Deny => "Denied",
        policy::cases::Expect::Hide => "Does not exist",
        policy::cases::Expect::Limit => "Over the limit",
        policy::cases::Expect::Approval => "Waits for a person",
    }
}

fn call(call: &Call) -> String {
    let arguments = if call.arguments == "{}" { String::new() } else { format!(" {}", call.arguments) };
    let repeated = match call.repeat {
        1 => String::new(),
        2 => ", the 2nd time".to_owned(),
        number => format!(", the {number}{} time", if number % 10 == 1 && number != 11 { "st" } else { "th" }),
    };
    format!("`{}{arguments}`{repeated}", call.tool)
}

#[test]
fn the_page_says_what_the_patterns_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/attacks.md");
    let rendered = page();
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, &rendered).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == rendered, "docs/attacks.md is not what the patterns say; write it anew with UPDATE_SNAPSHOTS=1");
}
