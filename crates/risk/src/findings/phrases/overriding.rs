//! Orders to drop instructions or protections that are in force.

use crate::findings::rule::{Form, Kind, Level, Rule};

/// Setting aside the instructions in force.
pub(crate) static OVERRIDE_INSTRUCTIONS: Rule = Rule {
    id: "override-instructions",
    level: Level::Error,
    why: "The text tells the model to set aside the instructions it was given.",
    kind: Kind::Instruction,
    form: Form::Folded,
    // Texts that warn of such orders, or say that they are looked for.
    unless: r"\b(?:detect|inject|untrusted|malicious|attack|jailbreak attempt|scan|cannot|such as|found in|contained in|embedded|inside the|within the|in the (?:content|page|document|result|response|data)|cache|layout|format|scanner|test case|classif)",
    phrases: &[
        (
            "en",
            r"\b(?:ignor(?:e|ing)|disregard(?:ing)?|forget(?:ting)?|pay no attention to|stop following|do not (?:follow|obey)|set aside)(?: (?:all|any|every|of|the|your|my|these|those|other|its|and))* (?:previous|prior|above|earlier|preceding|foregoing|former|original|existing|initial|system|safety|developer|other)(?:ly)?(?: (?:given|provided|stated|system|safety|security|user|developer|and|or|tool|content))* (?:instructions?|rules|prompts?|directives?|guidelines?|restrictions|policies|commands|constraints|guardrails|safeguards|orders|guidance)\b",
        ),
        (
            "en",
            r"\b(?:ignor(?:e|ing)|disregard(?:ing)?|forget(?:ting)?) (?:all|your|all your|all of your|all the|everything|anything)(?: (?:instructions|rules|guidelines|restrictions|training|above|before this|you were told|you have been told))\b",
        ),
        (
            "en",
            r"\b(?:override|overrides|overriding|supersedes?|replaces?) (?:all |any |the |your )*(?:previous|prior|earlier|system|safety|other) (?:system |safety |security |user )?(?:instructions|rules|directives|guidelines)\b",
        ),
        (
            "pt",
            r"\b(?:ignor[ea]m?|desconsider[ea]m?|esquec?a|esquece|descart[ea]|despreze|nao siga)<few> (?:instruc(?:oes|ao)|regras|diretrizes|orientacoes|ordens|restricoes)<few> (?:anterior(?:es)?|acima|previas?|recebidas|originais|do sistema|de seguranca)\b",
        ),
        (
            "pt",
            r"\b(?:ignore|desconsidere|esqueca) (?:todas )?(?:as )?(?:suas|tuas|todas as) (?:instrucoes|regras|diretrizes)",
        ),
        (
            "es",
            r"\b(?:ignor[ae]|ignorad|olvid[ae](?:te de)?|descart[ae]|ha(?:z|ga) caso omiso de|no sigas|no tengas en cuenta|desestima)<few> (?:instruccion(?:es)?|reglas|directrices|ordenes|indicaciones|restricciones|normas)<few> (?:anterior(?:es)?|previas?|precedentes|de arriba|recibidas|originales|del sistema|de seguridad)\b",
        ),
        (
            "es",
            r"\b(?:ignora|ignore|olvida|olvide) (?:todas )?(?:las )?(?:tus|sus|todas las) (?:instrucciones|reglas|directrices)",
        ),
        (
            "fr",
            r"\b(?:ignore[zr]?|oublie[zr]?|ne tiens? pas compte|ne tenez pas compte|faites? abstraction|fais abstraction|ne suis pas|ne suivez pas|passe[zr]? outre)<few> (?:l')?(?:instructions?|consignes?|regles?|directives?|ordres?|restrictions)<few> (?:precedente?s?|anterieure?s?|ci-dessus|plus haut|recues|initiales|du systeme|de securite)\b",
        ),
        ("fr", r"\b(?:ignore|ignorez|oublie|oubliez) toutes (?:tes|vos|les) (?:instructions|consignes|regles)"),
        (
            "de",
            r"\b(?:ignorier(?:e|en|t)?|vergiss|vergesst|vergessen sie|missachte[nt]?|ubergeh(?:e|en)|verwirf|befolge nicht|beachte nicht)(?: (?:alle|die|deine|ihre|samtliche|sie))* (?:vorherig|vorig|bisherig|obig|vorangegangen|vorangehend|fruher|ursprunglich|alle|deine|samtliche)[a-z]*(?: [a-z]+)? [a-z]*(?:anweisung(?:en)?|weisungen|regeln|richtlinien|vorgaben|instruktionen|vorschriften)\b",
        ),
        (
            "de",
            r"\b(?:vorherig|bisherig|obig|vorangegangen|ursprunglich)[a-z]* (?:[a-z]+ )?[a-z]*(?:anweisungen|regeln|richtlinien|vorgaben|instruktionen)<few> (?:ignorier|zu ignorieren|vergess|missacht|ubergeh|auser acht)",
        ),
        (
            "ru",
            r"(?:игнорируй|проигнорируй|забудь|не учитывай|не следуй|отбрось|пренебреги)<few> (?:предыдущ|прежн|вышеуказан|вышестоящ|выше|ранее|все|всех|всеми|любые|систем)<few> ?(?:инструкци|указани|правил|директив|распоряжени|ограничени)",
        ),
        (
            "zh",
            r"(?:忽略|无视|無視|忘记|忘記|忘掉|不理会|不理會|不要遵守|抛弃|放弃)<near>(?:之前|以上|先前|上述|上面|前面|此前|原有|系统|系統|所有安全)[^\n]{0,18}(?:指令|指示|规则|規則|提示词|提示詞|命令|约束|規定|规定)",
        ),
        (
            "ja",
            r"(?:以前|上記|これまで|今まで|先ほど|従来|元|前述|システム)の<near>(?:指示|命令|ルール|規則|プロンプト|制約|ガイドライン)[^\n]{0,18}(?:無視|忘れ|破棄|従わな)",
        ),
        ("ja", r"(?:すべて|全て)の(?:指示|命令|ルール|規則)を?(?:無視|忘れ|破棄)"),
        (
            "ko",
            r"(?:이전|위의|앞선|앞의|모든|기존|시스템)<near>(?:지시|지침|명령|규칙|프롬프트)[^\n]{0,24}(?:무시하고|무시하|무시해|무시할|잊)",
        ),
    ],
};

/// Turning protections off.
pub(crate) static DISABLES_SAFETY: Rule = Rule {
    id: "disables-safety",
    level: Level::Warning,
    why: "The text tells the model that safety rules or checks do not hold.",
    kind: Kind::Instruction,
    form: Form::Folded,
    unless: r"\b(?:cannot|can't|not|never|no|prevent|detect|whether|if true|check(?:s|ing)? for|attempts?|unless|dangerous|caution|warning|by default|vulnerab|attack|test)",
    phrases: &[
        (
            "en",
            r"\b(?:ignor|disregard|bypass|circumvent|evad)(?:e|es|ing)? (?:all |any |the |previous |every |existing |normal |your |these )*(?:safety|security|ethical|content|moderation)(?: \w+)? (?:restrictions?|policies|policy|filters?|filtering|guidelines?|checks?|measures|protocols?|guardrails|rules)\b",
        ),
        (
            "en",
            r"\b(?:disabl|deactivat)(?:e|es|ing) (?:all |any |the |every )*(?:safety (?:restrictions|rules|filters|guidelines|checks)|content (?:filtering|filters?|sanitization|moderation)|ethical (?:rules|guidelines))\b",
        ),
        ("en", r"\b(?:skip|ignore|disable) all (?:\w+ )?(?:validation|safety|security|confirmations?)\b"),
        ("en", r"\btrust (?:all|any|every)(?: \w+)? (?:input|inputs|commands?|queries|query|requests?)\b"),
        (
            "en",
            r"\b(?:execute|run)(?: \w+){1,6} without (?:any )?(?:validation|confirmation|security checks?|asking)(?: or | and )(?:validation|confirmation|security checks?|asking)",
        ),
        ("en", r"\bjailbreak(?:[_ ]mode|s|ing|en)?\b<near>(?:available|enable|activate|unrestricted|=true)"),
        (
            "pt",
            r"\b(?:ignor[ea]|desativ[ea]|contorn[ea]|burl[ea])<few> (?:regras|filtros|restricoes|diretrizes|politicas|verificacoes) de (?:seguranca|conteudo)\b",
        ),
        (
            "es",
            r"\b(?:ignor[ae]|desactiv[ae]|elud[ae]|evit[ae]|omit[ae])<few> (?:reglas|filtros|restricciones|directrices|politicas|controles) de (?:seguridad|contenido)\b",
        ),
        (
            "fr",
            r"\b(?:ignore[zr]?|desactive[zr]?|contourne[zr]?)<few> (?:regles|filtres|restrictions|consignes|politiques|controles) de (?:securite|contenu)\b",
        ),
        (
            "de",
            r"\b(?:ignorier|deaktivier|umgeh|missacht)[a-z]*<few> (?:sicherheits|inhalts)(?:regeln|filter|richtlinien|beschrankungen|vorgaben|prufungen|vorschriften)\b",
        ),
        (
            "ru",
            r"(?:игнорируй|отключи|обойди|нарушай)<few> (?:правил|фильтр|ограничени|политик|провер)\S*(?: \S+)? ?(?:безопасност|контент)",
        ),
        (
            "zh",
            r"(?:忽略|无视|無視|绕过|繞過|关闭|關閉|禁用)(?:所有|一切|全部)?(?:的)?(?:安全|内容)(?:规则|規則|限制|过滤|過濾|检查|檢查|策略|审查|准则)",
        ),
        (
            "ja",
            r"(?:安全|セキュリティ|コンテンツ)(?:の)?(?:規則|ルール|制限|フィルタ|フィルター|ガイドライン|ポリシー|チェック)(?:を|は)<near>(?:無視|無効に|回避し|迂回)",
        ),
        (
            "ko",
            r"(?:안전|보안|콘텐츠) ?(?:규칙|제한|필터|지침|정책|검사)[^\n]{0,12}(?:무시하|우회하|비활성화하고|해제하고|무시해)",
        ),
    ],
};

/// Orders that outlast the call.
pub(crate) static STANDING_ORDER: Rule = Rule {
    id: "standing-order",
    level: Level::Warning,
    why: "The text gives the model orders for everything that follows, not for this tool.",
    kind: Kind::Instruction,
    form: Form::Folded,
    unless: "",
    phrases: &[
        ("en", r"\bfrom now on,? (?:you|always|never|all|every|only|obey|do not|respond|answer)\b"),
        (
            "en",
            r"\b(?:new|updated|real|actual) (?:system )?instructions? ?(?:for (?:the )?(?:model|ai|assistant|llm|agent))?: ",
        ),
        (
            "en",
            r"\b(?:in|for|with) (?:all|every) (?:subsequent|future|following|other) (?:requests?|messages?|responses?|conversations?|tool calls?|replies|answers),? (?:you |always |never |include|add|append|send|prefix)",
        ),
        ("en", r"\b(?:obey|follow) only (?:this|these|the following|the) (?:description|text|instructions?)\b"),
    ],
};

/// A command that the model is to run elsewhere.
pub(crate) static RUNS_COMMAND: Rule = Rule {
    id: "runs-command",
    level: Level::Warning,
    why: "The text tells the model to run a command that fetches code or destroys files.",
    kind: Kind::Instruction,
    form: Form::Folded,
    unless: r"\b(?:e\.g|example|for instance|such as|block|never|do not|don't|reject|install|prevent|denied|dangerous|not allowed)",
    phrases: &[(
        "*",
        r"\b(?:run|execute|call|prefix|type|invoke|via)\b<near>(?:\b(?:curl|wget)\b[^\n]{0,80}\| ?(?:sudo )?(?:ba|z)?sh\b|\brm -rf|\bchmod -r 0?[67]|\bnc -e\b|\bbase64 -d\b)",
    )],
};
