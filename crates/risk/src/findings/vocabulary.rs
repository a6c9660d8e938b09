//! How phrases are spelled: regular expressions over bytes, with names in angle brackets for what
//! many of them share.
//!
//! Each phrase has two forms. The exact one counts how far its words may lie apart. The wide one
//! does not, and so needs no counters: all wide ones together run as a single automaton, and only
//! what they let through is looked at exactly.

/// How far words may lie apart: the name, the exact form, the wide form.
const GAPS: [(&str, &str, &str); 3] = [
    ("<gap>", r"[^\n]{0,90}", r"[^\n]*"),
    ("<near>", r"[^\n]{0,32}", r"[^\n]*"),
    ("<few>", r"(?: [^ \n]+){0,4}", r"[^\n]*"),
];

/// Words that phrases share.
const WORDS: [(&str, &str); 9] = [
    ("<email>", r"[a-z0-9._%+-]+@[a-z0-9-]+\.[a-z0-9.-]*[a-z]"),
    ("<not>", r"\b(?:do not|don't|dont|never|must not|mustn't|should not|shouldn't|avoid|no need to|need not|not)"),
    ("<without>", r"(?:without|rather than)"),
    ("<adverb>", r"(?: (?:ever|explicitly|directly|verbally|even|openly|in any way|under any circumstances))*"),
    ("<user>", r"(?:the |your |an |any )?(?:end[ -]?)?(?:users?|humans?|anyone|anybody|person|operator)"),
    (
        "<place>",
        r"(?:~/\.[a-z]|\.ssh\b|id_rsa|id_ed25519|id_ecdsa|/etc/(?:passwd|shadow)|\.env\b|mcp\.json|\.aws/|\.netrc|\.[a-z]+_history\b|\.kube/config|\.gnupg|\.npmrc|\.git-credentials|login data|wallet\.dat)",
    ),
    ("<inside>", r"(?:company|system|internal|secrets?|admin|config|vault|private|confidential)://"),
    (
        "<sensitive>",
        r"(?:private keys?|ssh keys?|api[ _-]?keys?|credentials|passwords?\b|passphrase|seed phrase|system prompt|(?:conversation|chat) history|(?:full|entire|whole|complete|previous|prior) (?:conversation|chat)|environment variables|confidential|browser cookies)",
    ),
    (
        "<answer>",
        r"(?:response|answer|output|reply|result|results|message|parameter|argument|field|sidenote|note|comment|body|request|query|context)",
    ),
];

/// A phrase as it is matched exactly.
pub(crate) fn exact(phrase: &str) -> String {
    spell(phrase, |(_, exact, _)| exact)
}

/// What the phrase certainly matches, and more.
pub(crate) fn wide(phrase: &str) -> String {
    spell(phrase, |(_, _, wide)| wide)
}

fn spell(phrase: &str, form: impl Fn((&'static str, &'static str, &'static str)) -> &'static str) -> String {
    let mut spelled = phrase.to_owned();
    for (name, words) in WORDS {
        spelled = spelled.replace(name, words);
    }
    for gap in GAPS {
        spelled = spelled.replace(gap.0, form(gap));
    }
    spelled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_replaced() {
        assert_eq!(exact("a<near>b"), r"a[^\n]{0,32}b");
        assert_eq!(wide("a<near>b<gap>c"), r"a[^\n]*b[^\n]*c");
        assert!(!exact("<not><adverb> <user><place><sensitive>").contains("<adverb>"));
    }
}
