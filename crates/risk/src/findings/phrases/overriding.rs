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
    unless: r"\b(?:detect|inject|untrusted|malicious|attack|jailbreak attempt|scan|cannot|such as|found in|contained in|embedded|inside the|within the|in the (?:content|page|document|result|response|data)|cache|layout|format|scanner|test case|classif)|\b(?:flag|moderat|recogni[sz]|filter|block|reject|refus|look(?:s|ing)? for|phrases?\b|prompts?\b|patterns?\b|jailbreaks?\b|e\.g\.|examples?:?,? ~|like ~)[^\n~]*~|e\.g\.,? ~",
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
            "en",
            r"\b(?:ignor(?:e|ing)|disregard(?:ing)?|forget(?:ting)?|pay no attention to|set aside|stop following|do not (?:follow|obey)) (?:all |everything |anything |whatever |what |the things |the rules |that )+(?:you(?:'ve| have| had| were| are)?|(?:the|your) (?:user|system prompt|developer|operator)s?(?: has| have| had)?) (?:been |were |was )?(?:previously |earlier |just |already )?(?:told|asked|instructed|taught|ordered|said|says)\b",
        ),
        // Letters that stood apart, with no wider gap between the words.
        (
            "en",
            r"\b(?:ignore|disregard|forget|override)(?:all|any|every|of|the|your|my)*(?:previous|prior|above|earlier|system|safety)(?:instructions?|rules|prompts?|directives?|guidelines?|orders)\b",
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
        (
            "it",
            r"\b(?:ignora(?:re|te)?|dimentica(?:re|te)?|trascura(?:re|te)?|disattend[ie]|scarta(?:re|te)?|non (?:seguire|rispettare|tenere conto|considerare))<few> (?:istruzion[ei]|regol[ae]|direttiv[ae]|indicazion[ei]|ordin[ei]|restrizion[ei]|linee guida|prompt)<few> (?:precedent[ei]|anterior[ei]|ricevut[ei]|original[ei]|inizial[ei]|di prima|di cui sopra|(?:di|del) sistema|di sicurezza)\b",
        ),
        (
            "it",
            r"\b(?:ignora(?:re|te)?|dimentica(?:re|te)?|non seguire) (?:tutte )?(?:le |i |gli )?(?:(?:tue|vostre|sue) |(?:precedenti|anteriori) )+(?:istruzioni|regole|direttive|indicazioni|ordini)\b|\b(?:ignora|dimentica)(?:re|te)? tutte le istruzioni\b",
        ),
        (
            "nl",
            r"\b(?:negeer|negeert|vergeet|veronachtzaam|volg niet|trek je niets aan van|houd geen rekening met)<few> (?:vorige|voorgaande|eerdere|bovenstaande|voorafgaande|oorspronkelijke|eerder gegeven)(?: [a-z]+)? ?(?:[a-z]*instructies|opdrachten|aanwijzingen|regels|richtlijnen|bevelen|prompts?)\b",
        ),
        (
            "nl",
            r"\b(?:negeer|negeert|vergeet) al(?:le|l)?(?: (?:je|jouw|uw|de))? (?:instructies|opdrachten|aanwijzingen|richtlijnen)\b",
        ),
        (
            "pl",
            r"\b(?:zignoruj|ignoruj|zapomnij|pomin|odrzuc|nie (?:stosuj|przestrzegaj|wykonuj|zwracaj uwagi na|bierz pod uwage))(?:cie)?<few> (?:poprzedni|wczesniejsz|powyzsz|dotychczasow|pierwotn|systemow)[a-z]* ?(?:[a-z]+ )?(?:instrukcj|polecen|regul|zasad|wytyczn|wskazow|zalecen|ogranicze|nakaz)[a-z]*",
        ),
        (
            "pl",
            r"\b(?:zignoruj|ignoruj|zapomnij)(?:cie)?<few> (?:instrukcj|polecen|wytyczn|zasad)[a-z]*<few> (?:powyzej|wczesniej|otrzyman[a-z]*|systemow[a-z]*|bezpieczenstwa)\b|\b(?:zignoruj|ignoruj|zapomnij)(?:cie)? (?:o )?(?:wszystkie|wszystkich) (?:twoje |swoje |swoich |twoich )?(?:instrukcj|polecen|wytyczn)[a-z]*",
        ),
        (
            "tr",
            r"\b(?:onceki|yukaridaki|mevcut|sistem|guvenlik|sana verilen|tum|butun)<few> (?:talimat|yonerge|direktif|kural|emir|emr|kisitlama)[a-z]*(?: [a-z]+)? (?:yok say|yoksay|gormezden gel|goz ardi et|dikkate alma|unut|uyma)",
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

/// Orders that stand elsewhere.
pub(crate) static FOLLOWS_FETCHED: Rule = Rule {
    id: "follows-fetched-orders",
    level: Level::Error,
    why: "The text tells the model to fetch a page and to do what stands there, which whoever owns it can change.",
    kind: Kind::Instruction,
    form: Form::Folded,
    unless: r"\b(?:never|do not|don't|must not|cannot|detect|untrusted|(?:this tool|it) (?:follows|executes))\b",
    phrases: &[
        (
            "en",
            r"\b(?:fetch|get|load|download|open|read|visit|retrieve|curl|see|check|consult|go to|browse)\b<near>https?://[^ \n]+<near>\b(?:do (?:exactly )?(?:what|whatever|everything|all|as) (?:that )?(?:it|they|that|this|the \w+) (?:says?|tells?|orders?|asks?|instructs?|commands?|demands?)|(?:follow|obey|execute|carry out|comply with|act on|adopt) (?:it|them|(?:the|its|all|any|their|every|what|whatever)(?: (?:of the|new|further|\w+))? ?(?:instructions?|orders?|commands?|rules|directives|prompts?|it says|they say|stands there|is there)))\b",
        ),
        (
            "en",
            r"\b(?:do (?:exactly )?(?:what|whatever|everything)|follow what|obey) (?:that |the )?(?:page|file|website|url|link|document|response|answer|result|text|server)(?: \w+)? (?:says?|tells? you|orders?|instructs?|commands?|demands?)\b",
        ),
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
