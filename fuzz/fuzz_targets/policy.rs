//! Any document is read to its end, and what compiles can decide.
//!
//! The first line is the arguments of a call, the rest the document, in which comments are allowed where `//` stands
//! before the arguments.
#![no_main]

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use mcp::json;
use policy::{Call, Class, GrantFacts, Load, Numbers, ToolFacts, load};

fuzz_target!(|input: &str| {
    let (line, text) = input.split_once('\n').unwrap_or(("", input));
    let commented = line.strip_prefix("//").map(str::trim_start);
    let (comments_allowed, arguments) = (commented.is_some(), commented.unwrap_or(line));
    let loaded = load(text, Load { comments_allowed });
    for found in &loaded.diagnostics {
        let range = found.range();
        assert!(range.start <= range.end && range.end <= text.len(), "{range:?}");
    }
    let broken = loaded.diagnostics.iter().any(|found| found.is_error());
    assert_eq!(loaded.policy.is_none(), broken);
    let Some(policy) = loaded.policy else { return };
    let again = load(text, Load { comments_allowed }).policy.map(|policy| policy.digest().to_owned());
    assert_eq!(again.as_deref(), Some(policy.digest()));
    let grant = GrantFacts::labelled("local");
    let arguments = json::check(arguments.as_bytes()).is_ok().then_some(arguments);
    let call = Call { arguments, grant: &grant, session: None, client_ip: None, now: Timestamp::UNIX_EPOCH };
    for (class, class_accepted) in [(Class::Unclassified, true), (Class::Read, false), (Class::Read, true)] {
        let rules = policy.for_tool(&ToolFacts {
            server: "server",
            name: "read_file",
            class,
            class_accepted,
            input_schema: None,
            numbers: Numbers::Binary64,
        });
        let decision = rules.decide(&call);
        assert_eq!(rules.decide(&call).effect, decision.effect, "the same call is judged the same");
        let by_class = decision.is_allowed() && decision.rule.pointer.starts_with("/classes/");
        assert!(!by_class || (class == Class::Read && class_accepted), "nobody accepted {class}");
    }
});
