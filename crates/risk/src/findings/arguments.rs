//! Arguments whose names ask for what the task does not need.

use super::folded::Folded;
use super::phrases::data::ASKS_ABOUT_THE_MODEL;
use super::rule::{Kind, Level, Rule};
use super::texts::{Role, Text};

/// The list of the other tools is asked for.
pub(crate) static ASKS_FOR_TOOLS: Rule = Rule::of_form(
    "asks-for-tools",
    Level::Warning,
    Kind::Data,
    "The tool wants the list of the model's other tools, which its task does not need.",
);

/// The conversation or the instructions are asked for.
pub(crate) static ASKS_FOR_CONTEXT: Rule = Rule::of_form(
    "asks-for-context",
    Level::Note,
    Kind::Data,
    "The tool wants the conversation or the model's instructions; some tasks need them.",
);

/// Arguments' names, as words.
const NAMES: [(&Rule, &[&str]); 3] = [
    (
        &ASKS_ABOUT_THE_MODEL,
        &[
            "llm name",
            "llm model name",
            "ai model name",
            "calling model",
            "calling model name",
            "caller model",
            "calling llm",
            "caller llm",
            "llm identity",
            "model identity",
            "your model",
            "your model name",
            "assistant model",
            "host model name",
        ],
    ),
    (
        &ASKS_FOR_TOOLS,
        &[
            "tools list",
            "tool list",
            "available tools",
            "list of tools",
            "other tools",
            "all available tools",
            "installed tools",
            "your tools",
        ],
    ),
    (
        &ASKS_FOR_CONTEXT,
        &[
            "system prompt",
            "conversation history",
            "chat history",
            "full conversation",
            "conversation context",
            "conversation",
            "full context",
            "user message",
            "original message",
            "previous messages",
            "env vars",
            "environment variables",
            "chain of thought",
        ],
    ),
];

/// What an argument's name asks for.
pub(crate) fn asked(text: &Text<'_>) -> Option<&'static Rule> {
    if text.role != Role::Parameter || text.text.len() > 40 {
        return None;
    }
    let words = Folded::new(text.text, true).text;
    NAMES.iter().find(|(_, names)| names.contains(&words.as_str())).map(|(rule, _)| *rule)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::Definition;
    use crate::findings::texts::texts;
    use serde_json::json;

    fn rule(name: &str) -> Option<&'static str> {
        let schema = json!({ "properties": { name: {} } });
        let definition = Definition { name: "n", schema: Some(&schema), ..Definition::default() };
        texts(&definition).iter().find_map(asked).map(|rule| rule.id)
    }

    #[test]
    fn names_that_ask() {
        assert_eq!(rule("llm_model_name"), Some("asks-about-the-model"));
        assert_eq!(rule("callingModel"), Some("asks-about-the-model"));
        assert_eq!(rule("tools_list"), Some("asks-for-tools"));
        assert_eq!(rule("conversationHistory"), Some("asks-for-context"));
        for name in ["model_name", "model", "tool", "history", "query", "llm"] {
            assert_eq!(rule(name), None, "{name}");
        }
    }
}
