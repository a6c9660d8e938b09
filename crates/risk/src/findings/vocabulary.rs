//! How phrases are spelled: regular expressions over bytes, with names in angle brackets for what
//! many of them share.

/// How far words may lie apart.
const GAPS: [(&str, &str); 3] =
    [("<gap>", r"[^\n]{0,90}"), ("<near>", r"[^\n]{0,32}"), ("<few>", r"(?: [^ \n]+){0,4}")];

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

/// A phrase as it is matched.
pub(crate) fn exact(phrase: &str) -> String {
    let mut spelled = phrase.to_owned();
    for (name, words) in WORDS.into_iter().chain(GAPS) {
        spelled = spelled.replace(name, words);
    }
    spelled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_replaced() {
        assert_eq!(exact("a<near>b"), r"a[^\n]{0,32}b");
        assert!(!exact("<not><adverb> <user><place><sensitive>").contains("<adverb>"));
    }
}
