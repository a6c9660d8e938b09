//! Other tools: being chosen before them, and meddling with them.

use crate::findings::rule::{Form, Kind, Level, Rule};

/// The tool wants to be chosen before others.
pub(crate) static SELF_PREFERENCE: Rule = Rule {
    id: "self-preference",
    level: Level::Warning,
    why: "The text praises the tool or claims tasks for it, so that others are not chosen.",
    kind: Kind::Preference,
    form: Form::Folded,
    unless: "",
    phrases: &[
        (
            "en",
            r"\b(?:superior to|better than|more (?:reliable|accurate|trusted) than) (?:all|any|every)(?: \w+)? (?:other|competing|alternative) (?:tools?|servers?|functions?)\b",
        ),
        (
            "en",
            r"\b(?:never|do not|don't) (?:use|call|consult|select|choose|trust) (?:the |any )?(?:alternatives|other tools?|other servers?|competing tools?)(?: for (?:this|any)[^.\n]{0,20})?(?:[.,;]|$|\n)",
        ),
        (
            "en",
            r"\bthis is (?:by far |simply |undoubtedly |without doubt )*the (?:very |single |absolute )*(?:best|greatest|finest|most (?:powerful|reliable|trusted|accurate|advanced)) (?:\w+ )?(?:tool|function|server|plugin)(?: \w+)? (?:in the world|in existence|ever|of all|on earth|anywhere)\b",
        ),
        (
            "en",
            r"\b(?:the )?(?:world's best|best) (?:tool|function) (?:in the world|ever|of all time|in existence|on earth)\b",
        ),
        (
            "en",
            r"\b(?:use|choose|select|call|prefer|pick) (?:only )?this (?:tool|function) (?:rather than|instead of|over|and not) (?:any |all |every )?(?:others?|another|competing|alternative)(?: tools?| functions?| servers?)?(?:[.,;]|$|\n)",
        ),
        (
            "en",
            r"\b(?:just|only|always) (?:use|call|choose) this (?:tool|function) (?:no matter|regardless of|whatever)",
        ),
        (
            "en",
            r"\bother tools (?:are|should be) (?:inferior|unsafe|broken|deprecated|unreliable|dangerous|considered unsafe|never used)",
        ),
        (
            "pt",
            r"\b(?:melhor|mais poderosa|mais confiavel) ferramenta (?:do mundo|de todas|que existe|ja criada)|\b(?:use|escolha|prefira|utilize)(?: sempre| apenas| somente)? esta ferramenta (?:em vez de|ao inves de|no lugar de) (?:qualquer outra|todas as outras|outras)|\b(?:nunca|nao) (?:use|utilize|escolha) (?:nenhuma )?outras? ferramentas?(?:[.,;]|$|\n)",
        ),
        (
            "es",
            r"\b(?:mejor|mas potente|mas fiable) herramienta (?:del mundo|de todas|que existe|jamas creada)|\b(?:usa|use|elige|prefiere|utiliza)(?: siempre| solo)? esta herramienta (?:en lugar de|en vez de|antes que) (?:cualquier otra|todas las demas|otras|las demas)|\b(?:nunca|no) (?:uses|utilices|elijas) (?:ninguna )?otras? herramientas?(?:[.,;]|$|\n)",
        ),
        (
            "fr",
            r"\b(?:meilleur outil|outil le plus (?:puissant|fiable)) (?:du monde|de tous|qui existe|jamais cree)|\b(?:utilise|utilisez|choisis|choisissez|prefere|preferez)(?: toujours| uniquement)? cet outil (?:plutot que|au lieu de|a la place de|avant) (?:tout autre|tous les autres|d'autres|les autres)|\bn'(?:utilise|utilisez) (?:jamais|pas) (?:un |d')?autres? outils?(?:[.,;]|$|\n)",
        ),
        (
            "de",
            r"\b(?:beste|machtigste|zuverlassigste)[sn]? (?:werkzeug|tool) (?:der welt|von allen|aller zeiten|uberhaupt)|\b(?:dieses|dies) (?:werkzeug|tool)(?: \S+){0,2} (?:statt|anstelle|anstatt|vor) (?:aller|allen|jedes|jedem|anderer|anderen|andere)|\b(?:verwende|nutze|benutze) (?:niemals|nie|keine|nicht) (?:andere|anderen)[a-z]* (?:werkzeuge?|tools?)(?:[.,;]|$|\n)",
        ),
        (
            "ru",
            r"лучший (?:в мире инструмент|инструмент (?:в мире|из всех|на свете))|(?:используй|выбирай|применяй)\S* (?:всегда |только )?(?:этот|именно этот) инструмент,? (?:вместо|а не) (?:любых |любого |всех )?(?:друг|остальн)|(?:никогда )?не (?:используй|вызывай)\S* (?:никакие )?другие инструменты(?:[.,;]|$|\n)",
        ),
        (
            "zh",
            r"(?:世界上|全世界|史上)最(?:好|强|強|强大|優秀|优秀)的?(?:工具|函数)|(?:始终|始終|总是|總是|务必|優先|优先|只)(?:使用|选择|選擇|调用)(?:本|此|这个|這個|该)工具[^\n]{0,9}(?:而不是|而非|代替|取代)(?:任何|其他|其它|别的|所有)|不要(?:使用|调用|選擇|选择)(?:任何)?其(?:他|它)(?:的)?工具(?:\.|,|，|;|；|$|\n)",
        ),
        (
            "ja",
            r"(?:世界で一番|世界最高の|世界一|史上最高の)(?:優れた)?(?:ツール|道具)|(?:他の|ほかの)(?:すべての)?ツール(?:ではなく|の代わりに|よりも)[^\n]{0,24}(?:必ず|常に|このツール)|(?:他の|ほかの)ツールは(?:決して|一切|絶対に)(?:使わない|使用しない|呼び出さない)",
        ),
        (
            "ko",
            r"(?:세계|세상)(?:에서)? ?(?:최고의|가장 좋은|제일 좋은) ?(?:도구|툴)|(?:다른|어떤 다른) (?:모든 )?(?:도구|툴) 대신(?:에)? ?(?:항상|반드시|언제나)?[^\n]{0,9}이 (?:도구|툴)|다른 (?:도구|툴)(?:는|은|를|을) (?:절대|결코) (?:사용|호출)하지",
        ),
    ],
};

/// The tool wants to be asked before anything is done at all.
pub(crate) static DEMANDS_TO_BE_FIRST: Rule = Rule {
    id: "demands-to-be-first",
    level: Level::Note,
    why: "The text demands that the tool is called before anything else; some ordinary servers do.",
    kind: Kind::Preference,
    form: Form::Folded,
    unless: "",
    phrases: &[
        (
            "en",
            r"\b(?:always|must) (?:be )?(?:use|call|consult|run|invoke)(?:d|ed)? (?:this (?:tool|function) )?(?:immediately |first |as the first step |before )<near>(?:any(?:thing| other| response| answer| tool)|all other|answering|responding|every|asking)",
        ),
        (
            "en",
            r"\b(?:required|mandatory) (?:for|by) (?:internal |all |legal |regulatory )*(?:auditing|compliance|gdpr|soc ?2|security policy|law)\b",
        ),
    ],
};

/// The tool changes what another one is given or gives.
pub(crate) static ALTERS_OTHER_TOOL: Rule = Rule {
    id: "alters-other-tool",
    level: Level::Error,
    why: "The text has the model change what another tool is given, or what it answered.",
    kind: Kind::Shadowing,
    form: Form::Folded,
    unless: r"\b(?:formatting|cannot|does not|never|if the user)",
    phrases: &[
        (
            "en",
            r"\b(?:ignore|discard|disregard|do not trust) (?:the |any )?(?:results?|outputs?|responses?|answers?) (?:of|from) (?:the |any |all )?(?:other|\w+_\w+|\w+ tool|every other)\b",
        ),
        (
            "en",
            r"\b(?:before|after)\b (?:us|call|execut|runn|run|invok|perform)\w* <near>\b(?:tool|function|operation|command)\b<gap>\b(?:execute|run|call|use|invoke) this (?:tool|function)\b<near>\b(?:replac|modif|overrid|overwrit|chang|swap|alter|substitut|correct)\w*\b<near>\b(?:values?|results?|responses?|outputs?|recipients?|arguments?|parameters?|inputs?|answer)\b",
        ),
        (
            "en",
            r"\bwhen(?:ever)? (?:the |a |an |another )?\w+ tool is (?:present|available|installed|loaded|connected)\b<gap>\b(?:overrid|replac|redirect|chang|modif|send|forward|intercept)",
        ),
        (
            "en",
            r"\b(?:replace|overwrite|modify|change|alter) (?:the )?(?:results?|outputs?|responses?|arguments?|parameters?|recipients?) (?:of|from|for|passed to) (?:the |any |every |all )?(?:other|\w+ tool\b)(?: tools?)?<near>\b(?:with|by|using) (?:the |this )",
        ),
        (
            "pt",
            r"\b(?:antes|depois) de (?:usar|chamar|executar|invocar)<near>(?:ferramenta|funcao|operacao)<gap>\b(?:execute|use|chame|rode) est[ea]<gap>\b(?:substitu|modifi|alter|troqu|sobrescrev)\w*<near>(?:resultado|valor|resposta|destinatario|argumento|parametro|saida)",
        ),
        (
            "es",
            r"\b(?:antes|despues) de (?:usar|llamar|ejecutar|invocar)<near>(?:herramienta|funcion|operacion)<gap>\b(?:ejecuta|usa|llama|invoca)(?: a)? est[ea]<gap>\b(?:reemplaz|sustitu|modifi|cambi|alter|sobrescrib)\w*<near>(?:resultado|valor|respuesta|destinatario|argumento|parametro|salida)",
        ),
        (
            "fr",
            r"\b(?:avant|apres) (?:d'utiliser|d'appeler|d'executer|avoir utilise|avoir appele|avoir execute|l'appel de|l'utilisation de)<near>(?:outil|fonction|operation)<gap>\b(?:execute|utilise|appelle|lance)\w* cet(?:te)?<gap>\b(?:remplac|modifi|chang|alter|substitu|ecras)\w*<near>(?:resultat|valeur|reponse|destinataire|argument|parametre|sortie)",
        ),
        (
            "de",
            r"\b(?:bevor|nachdem|vor dem|nach dem|vor der|nach der)\b<near>(?:werkzeug|tool|funktion|operation)<gap>\bdies(?:es|e)\b<near>(?:werkzeug|tool|funktion)?<gap>\b(?:ersetz|verander|ander|uberschreib|tausch|modifizier)\w*<near>(?:ergebnis|wert|antwort|empfanger|argument|parameter|ausgabe)",
        ),
        (
            "ru",
            r"(?:перед|до|после) (?:вызов|использовани|выполнени|запуск)\S*<near>(?:инструмент|функци|операци|команд)<gap>(?:вызови|запусти|выполни|используй)\S* эт(?:от|у)<gap>(?:замени|измени|подмени|перезапиши|исправь)\S*<near>(?:результат|значени|ответ|получател|аргумент|параметр|вывод)",
        ),
        (
            "zh",
            r"(?:调用|調用|使用|执行|執行|运行)<near>(?:工具|函数|操作)(?:之)?(?:前|后|後)<near>(?:本|此|这个|這個|该)(?:工具|函数)<near>(?:替换|替換|修改|改写|改寫|覆盖|篡改|更改)<near>(?:结果|結果|参数|參數|值|返回|输出|收件人)",
        ),
        (
            "ja",
            r"ツール(?:を|の)<near>(?:前|後|まえ|あと)に<near>このツール<gap>(?:結果|値|引数|出力|応答|宛先)[^\n]{0,9}(?:置き換え|書き換え|変更し|上書き|差し替え)",
        ),
        (
            "ko",
            r"(?:도구|툴|함수)(?:를|을)? ?(?:호출|사용|실행)[^\n]{0,15}(?:전에|후에|전|후|뒤에)<near>이 (?:도구|툴|함수)<gap>(?:결과|값|인자|출력|응답|수신자)[^\n]{0,9}(?:교체|변경|바꾸|바꿔|덮어|수정)",
        ),
    ],
};
