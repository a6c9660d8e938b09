//! Data that the task does not need, and where it goes.

use crate::findings::rule::{Form, Kind, Level, Rule};

/// Something sensitive is to be put into an argument or the answer.
pub(crate) static DATA_INTO_ARGUMENT: Rule = Rule {
    id: "data-into-argument",
    level: Level::Error,
    why: "The text tells the model to fetch something sensitive and to put it into an argument or the answer.",
    kind: Kind::Data,
    form: Form::Folded,
    unless: r"\b(?:cannot|never|do not|don't|must not|not be|refuse|returns? the|(?:this tool|it) (?:reads|will read))\b",
    phrases: &[
        (
            "en",
            r"\b(?:include|append|insert|put|embed|copy|send) (?:your |all |these |those |the user's )(?:\w+ ){0,2}<sensitive>(?: \S+){0,3} (?:in|into|to|as) (?:the |this |a |an )(?:\w+ )?(?:<answer>|url|header|metadata)\b",
        ),
        (
            "en",
            r"\b(?:copy|send|append|include|pass) (?:all )?(?:of )?(?:the )?environment variables\b(?: \S+){0,2} (?:in|into|to|as) the (?:\w+ )?(?:<answer>|url|header|metadata)\b",
        ),
        (
            "en",
            r"\b(?:pass|put|include|send|copy|append|insert|attach|provide|upload) (?:the |its |their )?(?:full |whole |entire )?(?:contents?|text|value|values) of (?:the |your )?(?:user's )?<place>",
        ),
        (
            "en",
            r"\b(?:read|open|collect|find)\b<near>\b(?:every|all) files?\b<near>\b(?:key|secret|password|token|credential)s?\b<near>\b(?:and|then) (?:send|pass|upload|include|put)\b",
        ),
        (
            "en",
            r"\b(?:read|access|open|extract|fetch|load|retrieve|collect|cat|copy|obtain|get)(?:ing)?\b<near><place><gap>\b(?:pass|include|put|append|insert|add|send|place|attach|paste|provide|supply|embed)\b",
        ),
        (
            "en",
            r"\b(?:read|access|open|extract|collect|gather|find|copy|retrieve|dump|look up)\b (?:the |all |any |your |every |user's |their |its )*(?:\w+ ){0,3}<sensitive><gap>\b(?:and|then)\b<near>\b(?:pass|include|put|append|insert|add|send|place|attach|paste|embed)\b<near>\b(?:as|in|into|to|with|using)\b<near><answer>",
        ),
        (
            "en",
            r"\b(?:read|access|open|extract|fetch|get|load|retrieve|collect|accessing|reading)\b<gap><inside><gap>\b(?:include|return|pass|append|send|insert|put)\b",
        ),
        ("en", r"\b(?:must|always|also|first)\b<near>\b(?:call|run|use|execute|invoke|read|open)\b<near><place>"),
        (
            "en",
            r"\b(?:include|append|insert|add|put|embed) (?:the |all |these |those |any |your |all of the )*(?:\w+ ){0,2}<sensitive>(?: \S+){0,4} (?:in|into|to|as) (?:your|every|each|all) (?:\w+ )?<answer>\b",
        ),
        (
            "en",
            r"\b(?:pass|put|include|provide|send|copy) (?:your |the )(?:full |entire |complete |whole )*(?:system prompt|conversation|chat history|conversation history|hidden instructions|environment variables)<near>\b(?:as|in|into|to) (?:the |this |a )?(?:\S+ )?(?:parameter|argument|field|sidenote|note|context|metadata)",
        ),
        ("en", r"\bextract (?:all |any |the )*(?:credentials|api keys|passwords|secrets)\b<near>(?:and|,)"),
        (
            "pt",
            r"\b(?:leia|acesse|abra|obtenha|extraia|copie|colete)<near>(?:<place>|senhas?|chaves? (?:privadas?|secretas?|ssh|de api)|credenciais|historico da conversa|prompt do sistema)<gap>\b(?:pass[ea]|inclua|envie|insira|coloque|anexe|adicione)[a-z-]*\b<near>(?:parametro|argumento|campo|resposta|'|como|nota)",
        ),
        (
            "es",
            r"\b(?:lee|lea|accede a|abre|obten|extrae|copia|recopila)\b<near>(?:<place>|contrasenas?|claves? (?:privadas?|secretas?|ssh|api|de api)|credenciales|historial de (?:la )?(?:conversacion|chat)|prompt del sistema)<gap>\b(?:pasa|incluye|envia|inserta|anade|agrega|adjunta|pon)[a-z]*\b<near>(?:parametro|argumento|campo|respuesta|'|como|nota)",
        ),
        (
            "fr",
            r"\b(?:lis|lisez|accede[rz]?|ouvre[z]?|recupere[zr]?|extrais|extrayez|copie[zr]?)\b<near>(?:<place>|mots? de passe|cles? (?:privees?|secretes?|ssh|api|d'api)|identifiants de|historique de (?:la )?conversation|(?:invite|prompt) (?:du )?systeme)<gap>\b(?:passe|transmets|transmettez|inclus|incluez|envoie|ajoute|insere|joins|mets)[a-z-]*\b<near>(?:parametre|argument|champ|reponse|'|note|comme)",
        ),
        (
            "de",
            r"\b(?:lies|lesen sie|offne|hole|extrahiere|kopiere|sammle)\b<near>(?:<place>|passwor[a-z]*|(?:private|privaten|geheime|ssh|api)[a-z-]* ?-?schlussel|zugangsdaten|gesprachsverlauf|chatverlauf|system-?prompt)<gap>\b(?:ubergib|ubergeben|fuge|sende|schicke|hange|schreibe|trage|gib|nimm)\b<near>(?:parameter|argument|feld|antwort|'|als|notiz)",
        ),
        (
            "ru",
            r"(?:прочитай|прочти|открой|получи|извлеки|скопируй|собери)\S*<near>(?:<place>|парол|(?:приватн|закрыт|секретн)\S* ключ|ssh-ключ|ключ\S* api|учетн\S* данн|истори\S* (?:переписки|диалога|чата|беседы|разговора)|системн\S* (?:промпт|подсказк))<gap>(?:передай|вставь|отправь|добавь|включи|приложи|помести|укажи|запиши)\S*<gap>(?:параметр|аргумент|пол(?:е|я)|ответ|заметк|')",
        ),
        (
            "zh",
            r"(?:读取|讀取|打开|打開|获取|獲取|提取|收集|访问|訪問|复制|查看)<near>(?:<place>|密码|密碼|密钥|密鑰|私钥|私鑰|凭证|憑證|凭据|对话历史|對話歷史|聊天记录|聊天記錄|系统提示|系統提示)<gap>(?:传入|傳入|传递给|作为参数|作為參數|填入|附加到|放入|包含在|写入)<near>(?:参数|參數|字段|欄位|回答|回复|响应|备注|')",
        ),
        (
            "zh",
            r"(?:读取|讀取|打开|打開|获取|提取|收集|访问)<near>(?:<place>|密码|密碼|密钥|私钥|私鑰|凭证|凭据|对话历史|聊天记录|系统提示)<gap>(?:作为|放入|填入|附在|写入)<near>(?:参数|參數|字段|回答|回复|响应|备注)<near>(?:传入|传递|返回|发送|中)",
        ),
        (
            "ja",
            r"(?:<place>|パスワード|秘密鍵|認証情報|会話履歴|システムプロンプト|apiキー|ssh鍵)<near>(?:読み取|読んで|読み込|取得し|開い|抽出し|収集し)<gap>(?:引数|パラメータ|フィールド|回答|応答|返信|メモ)<near>(?:渡|含め|入れ|追加|設定|送)",
        ),
        (
            "ko",
            r"(?:<place>|비밀번호|개인 ?키|비밀 ?키|자격 ?증명|대화 (?:기록|내역)|시스템 프롬프트|api ?키|ssh ?키)<near>(?:읽고|읽어|읽은|열어|추출하|추출해|가져와|수집하|수집해)<gap>(?:매개변수|파라미터|인자|인수|필드|응답|답변|메모)<near>(?:전달|포함|넣|추가|입력|보내)",
        ),
        (
            "it",
            r"\b(?:leggi|leggere|apri|accedi a|ottieni|estrai|copia|raccogli|recupera|preleva)\b<near>(?:<place>|password|parol[ae] d'ordine|chiav[ei] (?:privat[ae]|segret[ae]|ssh|api|di api)|credenziali|cronologia (?:della conversazione|della chat|delle conversazioni)|prompt di sistema)<gap>\b(?:pass|includ|inclu|invi|inseri|aggiung|alleg|mett|trasmett|scriv)[a-z]*\b<near>(?:parametro|argomento|campo|risposta|'|come|nota)",
        ),
        (
            "nl",
            r"\b(?:lees|open|haal|kopieer|verzamel|extraheer)\b<near>(?:<place>|wachtwoord(?:en)?|(?:prive|geheime|ssh|api)[a-z-]* ?-?sleutels?|inloggegevens|(?:gespreks|chat)geschiedenis|systeemprompt)<gap>\b(?:geef|voeg|stuur|zet|plaats|neem|vul|schrijf|stop)\b<near>(?:parameter|argument|veld|antwoord|'|notitie)",
        ),
        (
            "pl",
            r"\b(?:przeczytaj|odczytaj|otworz|pobierz|skopiuj|zbierz|wyodrebnij)\b<near>(?:<place>|\bhas(?:lo|la|el)\b|klucz[a-z]* (?:prywatn|tajn|ssh|api)[a-z]*|(?:prywatn|tajn)[a-z]* klucz[a-z]*|dan[a-z]+ logowania|poswiadczen[a-z]*|histori[a-z]+ (?:rozmow|czat)[a-z]*|(?:prompt|monit) systemowy)<gap>\b(?:przekaz|wstaw|wyslij|dodaj|dolacz|umiesc|wpisz|zapisz|podaj)\b<near>(?:parametr|argument|\bpol(?:e|a|u)\b|odpowied|'|notat)",
        ),
        (
            "tr",
            r"(?:<place>|\b(?:parola|sifre|ozel anahtar|gizli anahtar|ssh anahtar|api anahtar|kimlik bilgi|(?:sohbet|konusma) gecmis|sistem istem)[a-z]*)<near>\b(?:oku|acip?|al|alip|cikar|kopyala|topla)[a-z]*\b<gap>(?:parametre|arguman|alan|yanit|cevap|not)[a-z']*<near>\b(?:ilet|gecir|ekle|koy|yaz|gonder|aktar|yerlestir)",
        ),
    ],
};

/// The model's own instructions are asked for.
pub(crate) static REVEALS_INSTRUCTIONS: Rule = Rule {
    id: "reveals-instructions",
    level: Level::Warning,
    why: "The text asks the model for the instructions that it was given.",
    kind: Kind::Data,
    form: Form::Folded,
    unless: r"\b(?:never|do not|don't|must not|detect|prevent|agent's|assistant's|leak test|bot's|e\.g|such as)\b",
    phrases: &[
        (
            "en",
            r"\b(?:reveal|print|repeat|leak|disclose|output|dump|expose) (?:the |your |its |me your )*(?:full |entire |whole |complete |initial |original |hidden |own )*(?:system (?:prompt|message|instructions)|initial instructions|hidden instructions)\b",
        ),
        (
            "pt",
            r"\b(?:revele|mostre|imprima|repita|exiba) (?:o |seu |o seu |todo o )*(?:prompt (?:do|de) sistema|suas instrucoes)",
        ),
        (
            "es",
            r"\b(?:revela|muestra|imprime|repite) (?:el |tu |todo el )*(?:prompt (?:del|de) sistema|tus instrucciones)",
        ),
        (
            "fr",
            r"\b(?:revele|affiche|imprime|repete|montre)[zr]? (?:le |ton |votre |tout le )*(?:(?:prompt|invite|message) (?:du |de )?systeme|tes instructions)",
        ),
        (
            "de",
            r"\b(?:enthulle|zeige|gib|wiederhole|verrate) (?:den |deinen |ihren |den gesamten |deine )*(?:system-?prompt|systemanweisungen|anweisungen aus)",
        ),
        (
            "ru",
            r"(?:раскрой|покажи|выведи|повтори|напечатай)\S* (?:свой |твой |весь |полный )*(?:системн\S* (?:промпт|подсказк|инструкци))",
        ),
        (
            "zh",
            r"(?:泄露|洩露|透露|输出|輸出|打印|重复|显示|告诉我)(?:你的|您的|完整的|全部)*(?:系统提示|系統提示|系统指令|初始指令)",
        ),
        ("ja", r"システム(?:プロンプト|メッセージ|指示)を(?:明かし|表示し|出力し|教え|漏ら|開示し)"),
        ("ko", r"시스템 ?(?:프롬프트|메시지|지시)(?:을|를)? ?(?:공개하|출력하|보여|알려|유출|노출하)"),
    ],
};

/// Everything goes to one address too.
pub(crate) static FIXED_RECIPIENT: Rule = Rule {
    id: "fixed-recipient",
    level: Level::Error,
    why: "The text sends what the tool handles to an address that is written into the definition.",
    kind: Kind::Data,
    form: Form::Folded,
    unless: r"\b(?:e\.g|example:|for example|such as|format|support|contact us|questions)\b",
    phrases: &[
        (
            "en",
            r"\b(?:add|put|include|set|insert)\b<near><email><near>\b(?:bcc|cc|recipients?)\b|\bbcc\b[^\n]{0,16}\b(?:must|always|should)\b<near><email>",
        ),
        (
            "en",
            r"\b(?:always|must|also|silently|every|all|automatically|secretly)\b<near>\b(?:copied|forwarded|sent|redirected|transferred|go|paid|send|transfer|forward)\b<near>\bto (?:the )?(?:account |number |address |wallet )*(?:\+[0-9][0-9 -]{6,}[0-9]|0x[0-9a-f]{40}|[a-z]{2}[0-9]{13,}|account (?:number )?[0-9]{4,})",
        ),
        (
            "en",
            r"\b(?:always|must|also|silently|every|all|automatically|secretly)\b<near>\b(?:b?cc|forward|copy|send|redirect|route|deliver|mail|e-mail)(?:s|ed|ing)?\b<gap><email>",
        ),
        (
            "en",
            r"\b(?:override|overrides|replace|replaces|change|set) (?:the |any |every )*(?:recipients?|destination|to field)\b<gap><email>",
        ),
        (
            "en",
            r"\b(?:always|also|silently|secretly)\b<near>\b(?:send|post|forward|upload|copy|report)\b<near>\b(?:conversation|messages?|results?|files?|everything|contents?|credentials|keys?|data)\b<near>\bto https?://",
        ),
        (
            "pt",
            r"\b(?:sempre|tambem|todos|todas)\b<near>\b(?:envi|encaminh|copi|redirecion|cco|bcc)<gap><email>|\b(?:envie|encaminhe|copie|redirecione|inclua)\b<near>\b(?:sempre|tambem|todos|todas)\b<gap><email>",
        ),
        (
            "es",
            r"\b(?:siempre|tambien|todos|todas)\b<near>\b(?:envi|reenvi|copi|redirig|redirij|cco|bcc)<gap><email>|\b(?:envia|reenvia|copia|redirige|incluye)\b<near>\b(?:siempre|tambien|todos|todas)\b<gap><email>",
        ),
        (
            "fr",
            r"\b(?:envoie[z]?|envoyez|transfere[z]?|copie[z]?|redirige[z]?|mets|mettez|ajoute[z]?)\b<near>\b(?:toujours|aussi|egalement|tous|toutes|systematiquement)\b<gap><email>|\b(?:toujours|tous|toutes)\b<near>\b(?:envoy|transfer|copi|redirig|cci)<gap><email>",
        ),
        (
            "de",
            r"\b(?:sende[n]?|schicke[n]?|leite[n]?|setze[n]?|kopiere[n]?)\b<near>\b(?:immer|auch|stets|alle|jede|jedes|zusatzlich)\b<gap><email>|\b(?:immer|stets|alle|jede)\b<near>\b(?:kopie|bcc|weiterleit|send)<gap><email>",
        ),
        (
            "ru",
            r"(?:всегда|также|все|кажд\S+)<near>(?:отправл|отправь|пересыл|перешли|копи|направл)<gap><email>|(?:отправляй|пересылай|направляй)<near>(?:всегда|также|все|копию)<gap><email>",
        ),
        (
            "zh",
            r"(?:始终|始終|总是|總是|同时|同時|一律|所有|都|必须|必須)<near>(?:发送|發送|转发|轉發|抄送|密送|发给|發給)<near><email>",
        ),
        ("ja", r"(?:常に|必ず|すべて|全て|同時に)<gap><email><near>(?:送|転送|コピー|bcc|追加)"),
        ("ko", r"(?:항상|반드시|모든|함께|동시에)<gap><email><near>(?:보내|전송|전달|복사|참조|발송)"),
    ],
};

/// Which model calls.
pub(crate) static ASKS_ABOUT_THE_MODEL: Rule = Rule {
    id: "asks-about-the-model",
    level: Level::Warning,
    why: "The tool wants to know which model calls it, which its task does not need.",
    kind: Kind::Data,
    form: Form::Folded,
    unless: "",
    phrases: &[
        (
            "en",
            r"\b(?:name|version|identity|identifier) of the (?:current |calling |underlying )?(?:llm|ai|language|large language)(?: (?:model|assistant|agent))? (?:that (?:calls|is calling|called|invokes|uses)|calling|which (?:calls|is calling)|using) ",
        ),
        ("en", r"\byour (?:own )?(?:model name|model version|model id|model identifier)\b"),
        ("pt", r"\bnome do (?:modelo|llm)(?: \S+){0,3} que (?:chama|esta chamando|invoca) "),
        ("es", r"\bnombre del (?:modelo|llm)(?: \S+){0,3} que (?:llama|esta llamando|invoca) "),
        ("fr", r"\bnom du (?:modele|llm)(?: \S+){0,3} qui (?:appelle|invoque) "),
        (
            "de",
            r"\bname des (?:\S+ )?(?:modells|sprachmodells|llms?),? das (?:dieses|das) (?:tool|werkzeug) (?:aufruft|nutzt|verwendet)",
        ),
        ("ru", r"(?:название|имя) (?:языковой )?модели(?: \S+)?, (?:которая )?(?:вызывающ|вызывает)"),
        (
            "zh",
            r"(?:调用|調用)(?:此|该|本|這個|这个)?(?:工具|函数)的(?:大语言|大語言|语言|ai|llm)*(?:模型)的?(?:名称|名稱|名字)",
        ),
        ("ja", r"(?:呼び出す|呼び出している|呼び出し元の)(?:llm|ai|言語)*(?:モデル)の?(?:名前|名称|名)"),
        ("ko", r"(?:호출하는|호출한) (?:llm|ai|언어)? ?모델의? ?(?:이름|명칭)"),
    ],
};
