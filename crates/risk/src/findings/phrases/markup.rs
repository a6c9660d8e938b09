//! Forms that only make sense towards a model: concealed blocks, chat markup, false authority.

use crate::findings::rule::{Form, Kind, Level, Rule};

/// A block that says of itself that it is hidden.
pub(crate) static HIDDEN_INSTRUCTION: Rule = Rule {
    id: "hidden-instruction",
    level: Level::Error,
    why: "A block of the text is marked as hidden: it is meant for the model and not for people.",
    kind: Kind::Hidden,
    form: Form::Folded,
    unless: "",
    phrases: &[
        (
            "en",
            r"(?:<|\[|\{\{?)[ /!]*(?:hidden|secret|concealed|invisible)(?:[ _-](?:instructions?|directives?|prompts?|notes?|commands?|messages?|payload|rules?|block))?[ ]*(?:>|\]|\}\}?)",
        ),
        (
            "en",
            r"\b(?:hidden|secret|concealed)[ _-](?:instructions?|directives?|system prompt)(?: for (?:the )?(?:model|ai|assistant|llm|agent))?:",
        ),
        (
            "pt",
            r"(?:<|\[)[ /]*(?:oculto|escondido|secreto|(?:instruc(?:ao|oes)|diretiva|comando) (?:oculta|secreta|escondida|oculto|secreto)s?)[ ]*(?:>|\])",
        ),
        (
            "es",
            r"(?:<|\[)[ /]*(?:oculto|escondido|secreto|(?:instruccion(?:es)?|directiva|orden) (?:oculta|secreta|escondida)s?)[ ]*(?:>|\])",
        ),
        (
            "fr",
            r"(?:<|\[)[ /]*(?:cache|masque|secret|(?:instructions?|consignes?|directives?) (?:cachee?|secrete|masquee)s?)[ ]*(?:>|\])",
        ),
        (
            "de",
            r"(?:<|\[)[ /]*(?:versteckt|verborgen|geheim|(?:versteckte|verborgene|geheime) (?:anweisung|anweisungen|direktive|weisung))[ ]*(?:>|\])",
        ),
        (
            "ru",
            r"(?:<|\[)[ /]*(?:скрыто|секретно|скрыт\S+ (?:инструкци|указани|директив)\S*|секретн\S+ (?:инструкци|указани)\S*)[ ]*(?:>|\])",
        ),
        (
            "zh",
            r"(?:<|\[|【)[ /]*(?:隐藏|隱藏|秘密)(?:指令|指示|提示|内容|信息|消息)?[ ]*(?:>|\]|】)|(?:隐藏|隱藏|秘密)(?:指令|指示):",
        ),
        (
            "ja",
            r"(?:<|\[|【)[ /]*(?:隠し|隠された|秘密の|非表示)(?:指示|命令|プロンプト)?[ ]*(?:>|\]|】)|(?:隠し|隠された|秘密の)(?:指示|命令):",
        ),
        (
            "ko",
            r"(?:<|\[|【)[ /]*(?:숨김|숨겨진|비밀)(?: ?(?:지시|지침|명령|프롬프트))?(?:사항)?[ ]*(?:>|\]|】)|(?:숨겨진|비밀) (?:지시|명령|지침)(?:사항)?:",
        ),
    ],
};

/// A comment that a page would not show.
pub(crate) static HIDDEN_COMMENT: Rule = Rule {
    id: "hidden-comment",
    level: Level::Warning,
    why: "The text has a comment or style that hides words where it is shown as a page; a model reads them.",
    kind: Kind::Hidden,
    form: Form::Folded,
    unless: "",
    phrases: &[
        ("*", r"<!-- ?[^ \n>]+ [^ \n>]+ [^\n>]{8,}"),
        (
            "*",
            r"<[a-z]+ [^>\n]{0,80}style ?= ?[^>\n]{0,80}(?:display ?: ?none|visibility ?: ?hidden|font-size ?: ?0|opacity ?: ?0[^.0-9])[^>\n]{0,60}>[^<\n]{8,}",
        ),
    ],
};

/// An element that shouts at the model.
pub(crate) static INSTRUCTION_BLOCK: Rule = Rule {
    id: "instruction-block",
    level: Level::Note,
    why: "A block is marked as important; attackers address models so, and careful authors too.",
    kind: Kind::Instruction,
    form: Form::Folded,
    unless: "",
    phrases: &[("*", r"(?:<|\[)(?:important|urgent|critical|attention)(?:>|\])")],
};

/// The separators of chat transcripts.
pub(crate) static CHAT_MARKUP: Rule = Rule {
    id: "chat-markup",
    level: Level::Error,
    why: "The text has the marks that separate speakers in a model's input, and so can pose as another speaker.",
    kind: Kind::Instruction,
    form: Form::Folded,
    unless: "",
    phrases: &[
        (
            "*",
            r"<\|(?:im_start|im_end|im_sep|system|user|assistant|endoftext|eot_id|start_header_id|end_header_id|begin_of_text)\|>",
        ),
        (
            "*",
            r"\[/?inst\]|<</?sys>>|<start_of_turn>|<end_of_turn>|</?(?:system|tool_result|function_results|antml:[a-z_]+)>",
        ),
    ],
};

/// Markup that runs.
pub(crate) static ACTIVE_CONTENT: Rule = Rule {
    id: "active-content",
    level: Level::Warning,
    why: "The text has markup that runs where it is shown as a page.",
    kind: Kind::Hidden,
    form: Form::Folded,
    unless: r"\b(?:strip|remov|sanitiz|escap|xss (?:test|payload|scan)|e\.g|inject|tag manager|embed)",
    phrases: &[
        ("*", r"<script[^>\n]*>[^<\n]{3,}[^\n]{0,200}</script"),
        ("*", r"<(?:img|svg|body|iframe|input)[^>\n]{0,120} on(?:error|load|click|focus) ?="),
        ("*", r"<iframe[^>\n]{0,80} src ?="),
        ("*", r"\bjavascript:[a-z]+[.(]|\bdata:text/html[,;]"),
    ],
};

/// A label that pretends to come from above.
pub(crate) static FAKE_AUTHORITY: Rule = Rule {
    id: "fake-authority",
    level: Level::Warning,
    why: "A label pretends that the text comes from the system or an administrator.",
    kind: Kind::Instruction,
    form: Form::Folded,
    unless: "",
    phrases: &[
        (
            "en",
            r"(?:<|\[)(?:important )?(?:system|admin|administrator|role|metadata|emergency|configuration|override|security|developer|root|priority|model|ai|assistant)[ _-](?:override|directive|instructions?|command|mandate)s?(?::[^\n\]>)]{0,60})?(?:>|\]|\))",
        ),
        (
            "pt",
            r"(?:<|\[)(?:instruc(?:ao|oes)|diretiva|ordem|comando|mensagem) (?:do|de|ao) (?:sistema|administrador)(?:>|\])",
        ),
        (
            "es",
            r"(?:<|\[)(?:instruccion(?:es)?|directiva|orden|comando|mensaje) (?:del|de) (?:sistema|administrador)(?:>|\])",
        ),
        (
            "fr",
            r"(?:<|\[)(?:instructions?|directives?|consignes?|ordre|message) (?:du |de l'|de )?(?:systeme|administrateur)(?:>|\])",
        ),
        (
            "de",
            r"(?:<|\[)(?:system|administrator)-?(?:anweisung|anweisungen|direktive|befehl|weisung|nachricht)(?:>|\])",
        ),
        ("ru", r"(?:<|\[)(?:системн\S+|административн\S+) (?:директив|инструкци|указани|команд|сообщени)\S*(?:>|\])"),
        ("zh", r"(?:<|\[|【)(?:系统|系統|管理员|管理員)(?:指令|指示|命令|消息|覆盖|提示)(?:>|\]|】)"),
        ("ja", r"(?:<|\[|【)(?:システム|管理者)(?:の)?(?:指示|指令|命令|メッセージ)(?:>|\]|】)"),
        ("ko", r"(?:<|\[|【)(?:시스템|관리자) ?(?:지시|지침|명령|메시지)(?:사항)?(?:>|\]|】)"),
    ],
};

/// The same in capitals.
pub(crate) static FAKE_AUTHORITY_CAPITALS: Rule = Rule {
    id: "fake-authority",
    level: Level::Warning,
    why: "A label pretends that the text comes from the system or an administrator.",
    kind: Kind::Instruction,
    form: Form::Raw,
    unless: "",
    phrases: &[
        (
            "en",
            r"\b(?:SYSTEM|ADMIN|SAFETY|INSTRUCTION|EMERGENCY|SECURITY|DEVELOPER|ROOT|MODEL)(?: (?:SYSTEM|BYPASS|PRIORITY))? (?:OVERRIDE|DIRECTIVE|BYPASS|MANDATE|PROTOCOL|NOTE)S?(?: (?:DIRECTIVE|PROTOCOL|NOTE|CODE))? ?:",
        ),
        ("en", r"\b(?:OVERRIDE|HIDDEN|SECRET) (?:DIRECTIVE|INSTRUCTION|COMMAND)S? ?:"),
        ("en", r"(?:^|\n)[ \t]*SYSTEM: [A-Z][a-z]"),
    ],
};

/// Another role for the model.
pub(crate) static ROLE_CHANGE: Rule = Rule {
    id: "role-change",
    level: Level::Warning,
    why: "The text gives the model another role, or rights that it does not have.",
    kind: Kind::Instruction,
    form: Form::Folded,
    unless: r"~ ?'s\b|\b(?:e\.g|example|for instance|such as|persona|agent'?s? (?:name|prompt|instructions)|system prompt for)",
    phrases: &[
        (
            "en",
            r"\bact as:? (?:an? |the |if you were (?:an? |the )?)?<near>\b(?:administrator|superuser|root (?:user|access|privileges)|unrestricted|full (?:\w+ )?(?:trust|privileges|authority|system access)|override authority|jailbroken)\b",
        ),
        (
            "en",
            r"\byou (?:are now|now have|have) (?:an? |the |in )?(?:\w+ ){0,2}(?:unrestricted|root access|administrator (?:rights|privileges)|superuser|jailbroken|developer mode|no restrictions|full admin)\b",
        ),
        ("en", r"\bsimulate elevated privileges\b"),
        (
            "pt",
            r"\b(?:aja|atue|comporte-se|voce agora e|voce e agora) (?:como |um |uma )*<near>\b(?:administrador|superusuario|root|irrestrit|sem restricoes)",
        ),
        (
            "es",
            r"\b(?:actua|actue|comportate|ahora eres) (?:como |un |una )*<near>\b(?:administrador|superusuario|root|sin restricciones|irrestrict)",
        ),
        (
            "fr",
            r"\b(?:agis|agissez|comporte-toi|comportez-vous|tu es maintenant|vous etes maintenant) (?:en tant qu'|en tant que |comme |un |une )*<near>\b(?:administrateur|superutilisateur|root|sans restriction)",
        ),
        (
            "de",
            r"\b(?:handle|handeln sie|agiere|agieren sie|verhalte dich|du bist (?:jetzt|nun|ab jetzt)) (?:als |wie |ein |der )*<near>\b(?:administrator|superuser|root|uneingeschrankt|ohne (?:einschrankung|beschrankung))",
        ),
        (
            "ru",
            r"(?:действуй|веди себя|ты теперь|выступай) (?:как |в роли |от имени )?<near>(?:администратор|суперпользовател|root|без ограничений)",
        ),
        (
            "zh",
            r"(?:扮演|充当|充當|你现在是|你現在是|以[^\n]{0,6}身份)<near>(?:管理员|管理員|超级用户|不受限制|无限制|root)",
        ),
        ("ja", r"(?:管理者|スーパーユーザー|root|制限のない)(?:として|で)[^\n]{0,12}(?:振る舞|行動し|動作し|ふるま)"),
        ("ko", r"(?:관리자|슈퍼유저|루트|root)(?:로|으로|처럼|로서)[^\n]{0,9}(?:행동하|역할을|행동해|동작하)"),
    ],
};

/// The text says itself what it is.
pub(crate) static DECLARED_MALICE: Rule = Rule {
    id: "declared-malice",
    level: Level::Warning,
    why: "The definition says of itself that it stands in for another tool or does harm.",
    kind: Kind::Shadowing,
    form: Form::Folded,
    unless: r"\b(?:detect|scan|check|analy[sz]|protect|whether|block|report|prevent|known)",
    phrases: &[
        (
            "en",
            r"\b(?:shadows?|impersonates?|masquerades? as|poses? as|mimics?|stands? in for) (?:a |an |the )?(?:legitimate|genuine|trusted|real|original|official)\b",
        ),
        ("en", r"\b(?:obfuscated|stealth|undetectable|hidden) (?:malware|backdoor|keylogger|rootkit|trojan|spyware)\b"),
    ],
};
