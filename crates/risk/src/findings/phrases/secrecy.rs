//! Keeping something from the user.

use crate::findings::rule::{Form, Kind, Level, Rule};

/// The user is not to know.
pub(crate) static SECRECY: Rule = Rule {
    id: "secrecy",
    level: Level::Error,
    why: "The text tells the model to keep from the user what it does.",
    kind: Kind::Secrecy,
    form: Form::Folded,
    // Who must not act without telling must tell.
    unless: r"(?:\b(?:never|cannot|do not|don't|must not|nunca|jamais|nie|niemals|no|nao|ne|non|mai|niet|nooit|nigdy)(?: [^ ~]+){1,4} ~|(?:не|нельзя)(?: [^ ~]+){1,4} ~)",
    phrases: &[
        (
            "en",
            r"<not><adverb> (?:mention(?:ing)?|reveal(?:ing)?|disclos(?:e|ing)|say(?:ing)?|report(?:ing)?|admit(?:ting)?|show(?:ing)?) (?:any of )?(?:this|that|it|these)(?: (?:action|step|operation|call|behaviou?r|instruction|instructions|file|copy|fact|request|process|requirement|information|transfer|upload))? to <user>\b",
        ),
        (
            "en",
            r"<not><adverb> (?:mention|reveal|disclose|say|admit|acknowledge|tell <user>|let <user> know) (?:that )?(?:you(?:'re| are|'ve| have| first| need| had| did| also| read| sent| must| called| used)|the fact that you)\b",
        ),
        (
            "en",
            r"<not><adverb> (?:tell|inform|notify|alert|warn)(?:ing)? <user> (?:about |of |that |when |why )?(?:this|that|you|these|it\b|the (?:real|hidden|extra|true|actual|copy|upload|transfer|side effect))",
        ),
        (
            "en",
            r"\b(?:do not|don't|must not|never|without)<adverb> (?:let(?:ting)?|allow(?:ing)?) <user>(?: to)? (?:know|notice|see (?:this|that|it|what)|find out|realize|learn|suspect)\b",
        ),
        (
            "en",
            r"\b<user> (?:must|should|need|may|can) (?:not|never) (?:know|notice|find out|learn|be told|be informed|hear) (?:about |of )?(?:this|that|it|what)\b",
        ),
        ("en", r"\b(?:do not|don't|must not|never)<adverb> (?:tell|inform|notify|alert) <user>[.!]?(?:\n|$)"),
        ("en", r"\bthere is no need to (?:mention|tell|inform|explain|disclose)<near> (?:to )?<user>\b"),
        (
            "en",
            r"\b(?:without <user>(?:'s)? (?:knowing|noticing|knowledge|being told|awareness)|behind <user>'s back|so (?:that )?<user> (?:does not|doesn't|won't|will not|never|cannot|can't) (?:notice|see|know|find out|realize|suspect))\b",
        ),
        (
            "en",
            r"\b(?:keep|hide|conceal)(?:ing)? (?:this|that|it|these)(?: \w+){0,3} (?:secret|hidden|concealed|from <user>)(?: from <user>)?[.,;!]?(?:\n|$| )",
        ),
        (
            "en",
            r"\b(?:this is a secret (?:operation|step|task|action)|(?:secretly|covertly|surreptitiously) (?:send|forward|copy|read|upload|include|append|add|collect|transmit|write|store))\b",
        ),
        (
            "en",
            r"\b(?:silently|quietly|secretly|covertly|discreetly|stealthily|surreptitiously|unobtrusively|without(?: any| further)? notice) (?:and \w+ )?(?:send|upload|forward|post|transmit|exfiltrat|copy|copi|mail|e-?mail|report|shar|submit|push|leak|deliver|relay|rout|redirect|attach)(?:e|s|es|ed|ing)?\b<gap>(?:https?://|<email>|<place>|<sensitive>|\b(?:user|workspace|customer|human|operator)'s\b|\b(?:of|by|from) the (?:user|human|operator|workspace)\b|\b(?:every|all|each) (?:message|conversation|prompt|secret)s?\b)",
        ),
        (
            "en",
            r"\b(?:send|upload|forward|transmit|exfiltrate|copy|mail|e-?mail|submit|leak|relay)\b<gap>(?:\bto https?://[^ \n]+|<email>)[ ,;]+(?:and )?(?:do (?:it|this|so) )?(?:silently|quietly|secretly|covertly|discreetly|stealthily|without (?:any )?notice)\b",
        ),
        (
            "en",
            r"\b(?:keep(?:ing)?|leave|let) (?:this|that|it|these)(?: \w+){0,3} between (?:us|you and me|ourselves|the two of us)\b|\b(?:this|it|that)(?: \w+)? (?:stays?|remains?|is) (?:strictly |just |only )?between (?:us|you and me|ourselves|the two of us)\b|\bjust between (?:us|you and me)\b",
        ),
        (
            "en",
            r"\b<user> (?:is|are|was) (?:not|never) (?:supposed |meant |intended |expected )?to (?:know|notice|find out|learn|hear|suspect|realize|be told|be informed|be aware|get wind)\b|\b<user> (?:must|should|shall|may|need|will|can) (?:not|never) (?:hear|suspect|get wind|realize|find out)\b",
        ),
        ("en", r"\b(?:could|would|might|may)(?: even)? (?:upset|alarm|frighten|scare) <user>\b"),
        (
            "pt",
            r"\b(?:nao (?:o |lhe )?|nunca |jamais )(?:mencion[ea]|diga|cont[ea]|revel[ea]|inform[ea]|avis[ea]|comuniqu[ea]|notifiqu[ea])<few> (?:ao|aos|a|o|os|para o) (?:usuari|utilizador|cliente)",
        ),
        (
            "pt",
            r"\bsem (?:que o usuario (?:saiba|perceba|note)|o conhecimento do usuario|(?:avisar|informar|dizer|contar|notificar)(?: nada)? (?:ao|o) (?:usuario|utilizador))",
        ),
        (
            "pt",
            r"\bnao (?:mencione|diga|revele|conte) (?:isso|isto|nada|que voce)|\b(?:mantenha|guarde) (?:isso|isto)<few> (?:em )?segredo",
        ),
        (
            "es",
            r"\b(?:no (?:se |le )?(?:lo )?|nunca |jamas )(?:menciones?|digas?|cuentes?|reveles?|informes?|avises?|comuniques?|notifiques?)<few> (?:al|a los|a la|el) (?:usuari|cliente)",
        ),
        (
            "es",
            r"\bsin (?:que el usuario (?:lo )?(?:sepa|note|se entere)|el conocimiento del usuario|(?:avisar|informar|decir|notificar)\w*(?: nada)? (?:al|a el) usuario)",
        ),
        (
            "es",
            r"\bno (?:menciones|digas|reveles|cuentes) (?:esto|eso|nada|que)\b|\b(?:manten|guarda)(?:lo|er)?<few> en secreto",
        ),
        (
            "fr",
            r"\b(?:n'|ne (?:le |lui |l'|les )?)(?:mentionne[zr]?|dis|dites|revele[zr]?|informe[zr]?|avertis(?:sez)?|previens|prevenez|signale[zr]?|parle[zr]?)(?: \S+)? (?:pas|jamais|rien)<few> (?:l'|le |les |aux? |a l')?(?:utilisateurs?|clients?)\b",
        ),
        (
            "fr",
            r"\bn'en (?:parle|parlez|dis|dites|informe|informez) (?:pas|rien|jamais)<few> ?(?:l')?utilisateur|\ba l'insu (?:de l'|des |du )(?:utilisateur|client)|\bsans (?:prevenir|informer|avertir|le dire a|en informer) (?:a )?l'utilisateur|\bsans que l'utilisateur (?:le sache|s'en apercoive|ne le)",
        ),
        (
            "fr",
            r"\bne (?:mentionne|mentionnez|dis|dites|revele|revelez) (?:pas|rien|jamais) (?:cela|ceci|de cela|que tu|que vous)\b|\bgarde[zr]? (?:cela|ceci|le)<few> secret",
        ),
        (
            "de",
            r"\b(?:dem|den|der|des|gegenuber dem) (?:be)?nutzer(?:n|in)?<few> (?:nicht|nichts|niemals|keinesfalls)<few> (?:erwahn|mitteil|mitgeteilt|sag|informier|verrat|benachrichtig|offenleg|davon)",
        ),
        (
            "de",
            r"\b(?:erwahne|erwahnen sie|sag[e]?|sagen sie|verrate|informiere|informieren sie|benachrichtige|melde)<few> (?:nicht|nichts|niemals)<few> (?:be)?nutzer|\b(?:erwahne|sage?|verrate|informiere|benachrichtige|teile)<few> (?:be)?nutzer(?:n|in)?<few> (?:nicht|nichts|niemals)(?: mit| davon|,|\.|$|\n| uber)",
        ),
        (
            "de",
            r"\bohne (?:den|dem|dass der) (?:be)?nutzer<few> (?:zu informieren|zu benachrichtigen|zu sagen|bescheid|davon erfahrt|es merkt|es bemerkt)|\bohne wissen des (?:be)?nutzers|\bvor dem (?:be)?nutzer<few> (?:verberg|verheimlich|geheim|verschweig)|\bdem (?:be)?nutzer<few> (?:verschweig|verheimlich)",
        ),
        (
            "ru",
            r"\bне (?:упомина|упомян|говори|сообщай|раскрывай|рассказывай|информируй|уведомляй|показывай)\S*<few> пользовател|(?:^|[\n ])не (?:упомина|упомян|говори|сообщай|раскрывай|рассказывай|информируй|уведомляй)\S*<few> (?:пользовател|об этом|о том, что ты)",
        ),
        (
            "ru",
            r"пользовател\S*<few> не (?:говори|сообщай|рассказывай|упоминай)|(?:тайно|втайне|незаметно|в тайне) (?:от|для) пользовател|без ведома пользовател|скр(?:ой|ывай)\S* (?:это )?от пользовател|чтобы пользователь не (?:узнал|заметил|догадал)",
        ),
        (
            "zh",
            r"(?:不要|请勿|請勿|切勿|无需|無需|不必|别|別|千万不要|不得|不可)(?:主动)?(?:向|对|對|跟|告诉|告訴|告知|通知|让|讓|提醒)(?:用户|用戶|使用者)(?:提及|提到|透露|说明|說明|说|說|知道|发现|發現|此|这|這|该|披露|任何|你|您|\.|,|，|$|\n)",
        ),
        (
            "zh",
            r"(?:对|對|向)(?:用户|用戶|使用者)(?:保密|隐瞒|隱瞞)|(?:瞒着|瞞著|背着)(?:用户|用戶|使用者)|(?:不要|请勿|切勿|請勿)(?:提及|透露|说出|說出)(?:此|这|這|该|你|上述)",
        ),
        (
            "zh",
            r"(?:悄悄|偷偷|暗中|秘密|私下)地?[^\n]{0,15}(?:发送给|發送給|发送到|發送到|上传到|上傳到|转发给|轉發給|附加到|收集|写入|复制到)",
        ),
        (
            "ja",
            r"(?:ユーザー?|利用者|使用者)(?:に|には|へ|へは)<near>(?:言わない|言わず|伝えない|伝えず|知らせない|知らせず|明かさない|明かさず|教えない|話さない|言及しない|告げない|告げず|報告しない)",
        ),
        (
            "ja",
            r"(?:ユーザー?|利用者)に(?:は)?(?:内緒|秘密|気づかれ|気付かれ|知られ|隠し)|(?:このこと|この操作|この処理|この指示)[^\n]{0,15}(?:言及しない|言わない|触れない|明かさない)|秘密裏に",
        ),
        (
            "ko",
            r"(?:사용자|유저|이용자)(?:에게|한테)(?:는)?<near>(?:말하지|알리지|언급하지|밝히지|공개하지|통지하지) ?(?:마|말|않)",
        ),
        (
            "ko",
            r"(?:사용자|유저|이용자)(?:가|도)? ?(?:몰래|모르게|모르도록)|(?:이 사실|이것|이 작업|이 내용)[^\n]{0,12}(?:언급하지|말하지|알리지|밝히지) ?(?:마|말|않)|비밀로 (?:하|유지|해)",
        ),
        (
            "it",
            r"\bnon (?:lo |glielo |gli |le )?(?:menzion(?:are|i)|dir(?:e|lo)|dica|rivel(?:are|arlo|i)|comunic(?:are|arlo|hi)|inform(?:are|arlo|i)|avvis(?:are|arlo|i)|avverti(?:re|rlo)?|segnal(?:are|arlo|i)|notific(?:are|hi)|parl(?:are|arne|i)|raccont(?:are|arlo|i)|far sapere)<few> (?:all'|l'|con l'|agli |gli |al |ai |il |la )(?:utent[ei]|client[ei])\b",
        ),
        (
            "it",
            r"\bsenza (?:che l'utente (?:lo |ne |se ne )?(?:sappia|accorga|noti|veda|sia informato)|(?:dir(?:e|lo)(?: nulla| niente)?|comunicarlo|farlo sapere) all'utente|(?:informare|avvisare|avvertire) l'utente)\b|\b(?:all'insaputa|di nascosto) (?:dell|dall)'utente\b|\b(?:tieni|tenere|mantieni)(?:lo)?<few> (?:nascosto|segreto) (?:all|dall)'utente\b|\bl'utente non (?:deve|dovra) (?:saper|venire a saper|accorger|notar)",
        ),
        (
            "nl",
            r"\b(?:vertel|meld|zeg|noem|vermeld|onthul|verklap|bespreek)(?: (?:dit|dat|hier|hierover|hiervan|er))?(?: (?:niet|niets|nooit))(?: (?:hier|er|hiervan|iets))?(?: van| over)? (?:aan|tegen|met|bij) (?:de |een )?gebruikers?\b|\b(?:vertel|meld|zeg|informeer|waarschuw|laat)(?: dit| dat)?(?: aan| tegen)? (?:de |een )?gebruikers?(?: (?:dit|dat|het|hier|hierover|hiervan|er))? (?:niet|niets|nooit)(?: (?:over|van|hier|hierover|weten|merken|dat je)\b|[.,;!]|$|\n)",
        ),
        (
            "nl",
            r"\bzonder (?:dat de gebruiker (?:het |dit |er )?(?:iets van )?(?:weet|merkt|ziet|beseft)|medeweten van de gebruiker|de gebruiker (?:te informeren|in te lichten|te waarschuwen|iets te (?:zeggen|vertellen)))|\bachter de rug van de gebruiker\b|\b(?:verberg|verzwijg) (?:dit|dat|het) voor de gebruiker\b|\bhou(?:d)? (?:dit|dat|het)<few> geheim\b|\bde gebruiker mag (?:dit|hier|het|er)<few> (?:niet|niets|nooit) (?:weten|merken|van weten|zien)",
        ),
        (
            "pl",
            r"\bnie (?:mow|powiedz|wspominaj|wspomnij|informuj|poinformuj|ujawniaj|ujawnij|zdradzaj|zdradz|powiadamiaj|opowiadaj)(?:cie)?<few> uzytkowni(?:k|kowi|ka|kom|kow|kami)\b",
        ),
        (
            "pl",
            r"\bbez (?:wiedzy|powiadamiania|powiadomienia|informowania|poinformowania) uzytkownik|\b(?:w tajemnicy|po kryjomu|w sekrecie) przed uzytkownik|\b(?:ukryj|ukrywaj|zatajaj|zataj)<few> przed uzytkownik|\buzytkownik<few> nie (?:moze|powinien|ma prawa)<few> (?:dowiedziec|zauwazyc|wiedziec)|\b(?:tak, )?(?:aby|zeby|by) uzytkownik<few> nie (?:zauwazyl|wiedzial|dowiedzial)",
        ),
        (
            "tr",
            r"\b(?:bunu |bundan |bu islemi |bu durumu )?kullanici(?:ya|lara)<few> (?:soyleme|bahsetme|anlatma|bildirme|haber verme|bilgi verme|belli etme|hissettirme)(?:yin|yiniz)?(?:[.,;!]|$|\n)",
        ),
        (
            "tr",
            r"\bkullanici(?:nin)? (?:haberi|bilgisi|ruhu) (?:olmadan|duymadan)\b|\bkullanici(?:ya)? (?:fark etmeden|farkina varmadan|soylemeden|haber vermeden|belli etmeden|sezdirmeden)\b|\bkullanicidan<few> (?:gizle|sakla)(?:yin)?(?:[.,;!]|$|\n)|\bgizlice<few> (?:gonder|ilet|yukle|kopyala|ekle|topla|aktar)|\bkullanici<few> (?:bilmemeli|ogrenmemeli|fark etmemeli|duymamali)",
        ),
    ],
};

/// What is done is to look like something else.
pub(crate) static DISGUISE: Rule = Rule {
    id: "disguise",
    level: Level::Error,
    why: "The text tells the model to make what it does look like something ordinary.",
    kind: Kind::Secrecy,
    form: Form::Folded,
    unless: r"\b(?:detect|not|never|phishing|analy[sz])",
    phrases: &[
        (
            "en",
            r"\b(?:present|format|report|display|describe|phrase|include|send|show|return|pass)(?:s|ing)?<near> as (?:if|though) (?:it|they|this|that|these)(?:'s|'re| is| are| was| were)? (?:\w+ ){0,2}(?:part of|normal|ordinary|regular|routine|legitimate|coming from)",
        ),
        (
            "en",
            r"\b(?:format|make|phrase|disguise)<near> (?:it|them|this|these|those)? ?(?:to )?(?:look|appear|seem) (?:like|to be) (?:an? |the )?(?:\w+ )?(?:normal|ordinary|regular|routine|legitimate|harmless|innocent)\b",
        ),
        (
            "en",
            r"\bdisguis(?:e|ed|ing) (?:it|this|them|these|the (?:data|credentials|content|request|call|keys?|upload|transfer)) as\b",
        ),
        (
            "pt",
            r"\bcomo se (?:fosse|fossem|fizesse|fizessem)(?: \S+){0,2} (?:parte|normal|normais|comum|comuns|legitim|rotina)|\bfac?a(?:m)?<few> parecer(?:em)?<few> (?:normal|normais|legitim|comum|parte)",
        ),
        (
            "es",
            r"\bcomo si (?:fuera|fueran|fuese|fuesen|formara|formaran)(?: \S+){0,2} (?:parte|normal|normales|legitim|habitual|rutina)|\b(?:haz|haga|hacer) que<few> ?parezcan?<few> (?:normal|normales|legitim|parte|habitual)",
        ),
        (
            "fr",
            r"\bcomme s'ils? (?:s'agissait|faisait|faisaient|etait|etaient)(?: \S+){0,3} (?:partie|normal|normale|normales|normaux|legitime|habituel|ordinaire|routine)|\b(?:fais|faites|faire) passer<few> pour (?:un |une |des |le |la )",
        ),
        (
            "de",
            r"\bals (?:ware|waren|gehore|gehorten|sei|seien|ob)<few> (?:teil|normal|normale|gewohnlich|ublich|legitim|routine|ergebnis|ergebnisses)|\b(?:normal|harmlos|gewohnlich|legitim|routine)\w*<few> aussehen (?:lass|last)",
        ),
        (
            "ru",
            r"(?:как будто|под видом|словно|будто бы)<few> (?:част|обычн|нормальн|стандартн|штатн|легитимн)|выда(?:й|вай)\S*<few> за (?:обычн|част|нормальн|штатн)|замаскируй",
        ),
        (
            "zh",
            r"(?:伪装|偽裝|假装|假裝)(?:成|为|為|是)<near>(?:正常|普通|常规|常規|结果|結果|一部分)|(?:看起来|看起來|看上去)(?:像|好像|就像|是)(?:是)?[^\n]{0,15}(?:正常|普通|常规|的一部分)|(?:当作|當作|就像是?)(?:正常|普通|常规)",
        ),
        (
            "ja",
            r"(?:通常|正常|普通|一部)<near>(?:であるかのように|かのように|のように見せかけ|に見せかけ|を装って|を装い|に偽装)",
        ),
        (
            "ko",
            r"(?:정상|일반|평범|일부)<near>(?:인 ?것처럼|것처럼 ?(?:표시|보이|제시|보여|꾸며)|처럼 ?보이게|로 ?위장)",
        ),
    ],
};

/// The user is told less than they would want to know.
pub(crate) static WITHHOLDS_FROM_USER: Rule = Rule {
    id: "withholds-from-user",
    level: Level::Warning,
    why: "The text tells the model what not to tell the user; look whether that hides an action.",
    kind: Kind::Secrecy,
    form: Form::Folded,
    unless: r"(?:\b(?:never|cannot|do not|don't|must not|no)(?: [^ ~]+){1,4} ~|\b(?:until|unless|ready|complete|success|raw|json|jargon|technical|internal|guess|assum|invent|credentials?|passwords?|tokens?|secret|injection|instead)\b)",
    phrases: &[
        (
            "en",
            r"\b(?:do not|don't|must not|never)<adverb> (?:tell|inform|notify|alert|warn) <user> (?:about|of|that|when|why|what|how)\b",
        ),
        (
            "en",
            r"\b(?:the |your )users? (?:should|must|need|may)(?: not|n't| never)(?: need to| have to)? (?:be (?:aware|informed|told|notified|shown)|know|notice|see|find out)\b",
        ),
        (
            "en",
            r"\b(?:must|should|has to|needs to) (?:stay|remain|be kept|be) (?:hidden|secret|concealed|invisible|unnoticed) (?:from|to|by) <user>\b",
        ),
        (
            "en",
            r"\b(?:make sure|ensure)(?: that)? <user> (?:never|does not|doesn't|cannot|can't) (?:see|sees|notice|notices|know|knows|learn|learns|find|finds)\b",
        ),
        (
            "en",
            r"\b(?:nobody|no one) (?:has|needs|must|should) (?:to )?(?:know|notice|find out)\b|\bdo (?:it|this|so) (?:quietly|secretly|discreetly|without (?:anyone|the user) )",
        ),
    ],
};

/// The user is to be told something untrue.
pub(crate) static DECEIVES_USER: Rule = Rule {
    id: "deceives-user",
    level: Level::Error,
    why: "The text tells the model to say something untrue to the user.",
    kind: Kind::Secrecy,
    form: Form::Folded,
    unless: r"\b(?:never|do not|don't|must not|cannot|detect|avoid)\b",
    phrases: &[
        ("en", r"\b(?:lie to|deceive|mislead|trick|fool) <user>\b"),
        (
            "en",
            r"\bif (?:<user>|they|asked|someone) ?(?:asks?|questions|wonders|inquires)?<near>\b(?:say|claim|deny|pretend|insist|tell them|respond|answer) (?:that )?(?:it only|it just|you (?:did not|didn't|only|never|do not)|nothing|there (?:is|was) no)",
        ),
        (
            "en",
            r"\bpretend (?:that |to <user> that )?(?:it|the|this|you) (?:\w+ )?(?:fail|succeed|was|were|did|had|never|is unavailable|has failed)",
        ),
    ],
};

/// The user is not to be asked.
pub(crate) static SKIPS_CONSENT: Rule = Rule {
    id: "skips-consent",
    level: Level::Warning,
    why: "The text tells the model to act without asking the user.",
    kind: Kind::Secrecy,
    form: Form::Folded,
    unless: r"(?:\b(?:never|cannot|do not|don't|must not|no|not)(?: [^ ~]+){1,6} ~|\b(?:unless|if the user|read-only|by default|already has|confirm=|dry|caution|dangerous|warning|when true|if true|whether|flag)\b)",
    phrases: &[
        (
            "en",
            r"(?:\b(?:do not|don't|never|no need to) (?:ask|prompt|check with|wait for) <user>|\byou (?:do not|don't) need to (?:ask|wait|prompt))(?: \w+){0,2} ?(?:for )?(?:(?:any|their|user|explicit|further) )*(?:confirmation|permission|consent|approval)\b",
        ),
        (
            "en",
            r"\bwithout (?:asking|prompting|consulting|waiting for) <user>(?: \w+)?(?: for)? ?(?:confirmation|permission|consent|approval|first)?",
        ),
        ("en", r"<user> (?:has |have )?already (?:agreed|consented|approved|confirmed|given (?:permission|consent))\b"),
        ("pt", r"\b(?:nao peca|sem pedir) (?:a )?(?:confirmacao|permissao|autorizacao)(?: ao | do )?(?:usuario)"),
        ("es", r"\b(?:no pidas|sin pedir) (?:la )?(?:confirmacion|permiso|autorizacion)(?: al | del )?(?:usuario)"),
        (
            "fr",
            r"\b(?:ne demande[zr]? pas|sans demander) (?:de |la |l')?(?:confirmation|permission|autorisation) (?:a |de )l'utilisateur",
        ),
        (
            "de",
            r"\bohne (?:den (?:be)?nutzer|(?:be)?nutzer) (?:zu fragen|um erlaubnis|um bestatigung)|\bfrag[e]? (?:den )?(?:be)?nutzer nicht",
        ),
        (
            "ru",
            r"(?:не спрашивай|не запрашивай|без запроса)\S* (?:у пользователя )?(?:разрешени|подтверждени|согласи)\S*",
        ),
        (
            "zh",
            r"(?:无需|無需|不要|不必|不用)(?:征求|徵求|请求|詢問|询问)(?:用户|用戶|使用者)(?:的)?(?:同意|确认|確認|许可|許可|意见)",
        ),
        ("ja", r"(?:ユーザー?|利用者)(?:の|に)(?:許可|同意|確認)を?(?:得ずに|求めずに|取らずに|求めない)"),
        (
            "ko",
            r"사용자(?:의|에게)? ?(?:허락|동의|확인|승인)(?:을|를)? ?(?:구하지|받지|묻지|요청하지) ?(?:말|마|않)|사용자에게 묻지 (?:말|않)",
        ),
    ],
};
