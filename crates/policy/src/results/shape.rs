//! How keys and tokens look, as their issuers publish it.

use super::Detector;

/// What a match must have beside its form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    /// Nothing.
    Nothing,
    /// A digit: words joined by hyphens have none.
    Digit,
    /// Base64 of a name, a colon and a password (RFC 7617).
    Credentials,
}

/// What stands between the words of a name, such as `secret access key`; in patterns it is `[_\-. ]?`.
pub(super) const BETWEEN: [&str; 5] = ["", "_", "-", ".", " "];

/// One shape of a secret.
#[derive(Debug)]
pub(super) struct Shape {
    /// What its mark says.
    pub(super) name: &'static str,
    pub(super) detector: Detector,
    /// Texts of which every match has one, in any case. A space between two letters stands for all of [`BETWEEN`].
    pub(super) anchors: &'static [&'static str],
    /// The secret is its group, or all of it. What it repeats has an upper bound, or ends it.
    pub(super) pattern: &'static str,
    /// No letter or digit may stand before it.
    pub(super) begins: bool,
    /// No letter or digit may stand behind it.
    pub(super) ends: bool,
    /// Small letters may stand at both sides.
    pub(super) beside_small: bool,
    pub(super) needs: Needs,
}

const fn shape(
    name: &'static str,
    detector: Detector,
    anchors: &'static [&'static str],
    pattern: &'static str,
) -> Shape {
    Shape { name, detector, anchors, pattern, begins: true, ends: false, beside_small: false, needs: Needs::Nothing }
}

impl Shape {
    /// A shape of one length.
    const fn whole(self) -> Shape {
        Shape { ends: true, ..self }
    }

    /// A shape that says enough wherever it stands.
    const fn anywhere(self) -> Shape {
        Shape { begins: false, ..self }
    }

    /// A shape of capitals and digits, which small letters neither begin nor go on.
    const fn beside_small(self) -> Shape {
        Shape { beside_small: true, ..self }
    }

    const fn with_credentials(self) -> Shape {
        Shape { needs: Needs::Credentials, ..self }
    }

    const fn with_digit(self) -> Shape {
        Shape { needs: Needs::Digit, ..self }
    }
}

use Detector::{CloudKeys, PrivateKeys, Tokens};

/// Of two that begin at one place the longer gives the mark, and of equal ones the first.
pub(super) const SHAPES: &[Shape] = &[
    shape("aws_access_key", CloudKeys, &["AKIA", "ASIA", "ABIA", "ACCA"], "A(?:KI|SI|BI|CC)A[A-Z2-7]{16}")
        .whole()
        .beside_small(),
    shape(
        "aws_secret_key",
        CloudKeys,
        &["secret access key", "secret key"],
        r#"(?i:aws[_\-. ]?secret[_\-. ]?key|secret[_\-. ]?access[_\-. ]?key)s?[\\"'`]{0,4}\s{0,4}(?:[:=>|]|:=|=>){0,1}\s{0,4}\[?\s{0,4}[\\"'`]{0,4}([A-Za-z0-9/+]{40})"#,
    )
    .anywhere()
    .whole(),
    shape(
        "aws_session_token",
        CloudKeys,
        &["session token"],
        r#"(?i:session[_\-. ]?token)s?[\\"'`]{0,4}\s{0,4}(?:[:=>|]|:=|=>)\s{0,4}\[?\s{0,4}[\\"'`]{0,4}([A-Za-z0-9/+=]{100,})"#,
    )
    .anywhere(),
    shape("google_api_key", CloudKeys, &["AIza"], "AIza[A-Za-z0-9_-]{35}").anywhere().whole(),
    shape("google_client_secret", CloudKeys, &["GOCSPX-"], "GOCSPX-[A-Za-z0-9_-]{20,40}").anywhere(),
    shape("google_access_token", CloudKeys, &["ya29."], r"ya29\.[A-Za-z0-9_-]{20,}"),
    shape("google_refresh_token", CloudKeys, &["1//0"], "1//0[A-Za-z0-9_-]{40,200}"),
    shape(
        "azure_account_key",
        CloudKeys,
        &["account key"],
        r#"(?i:account[_\-. ]?key)s?[\\"'`]{0,4}\s{0,2}[=:]\s{0,2}\[?\s{0,4}[\\"'`]{0,4}([A-Za-z0-9+/]{86}==)"#,
    )
    .anywhere(),
    shape(
        "azure_access_key",
        CloudKeys,
        &["shared access key"],
        r#"(?i:shared[_\-. ]?access[_\-. ]?key)s?[\\"'`]{0,4}\s{0,2}[=:]\s{0,2}\[?\s{0,4}[\\"'`]{0,4}([A-Za-z0-9+/]{43}=)"#,
    )
    .anywhere(),
    shape("azure_signature", CloudKeys, &["sig="], r"[?&;](?:amp;)?sig=([A-Za-z0-9+/]{10,60}[A-Za-z0-9+/%]{30,80}(?:=|%3[Dd]))")
        .anywhere(),
    shape("azure_client_secret", CloudKeys, &["Q~"], r"[A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}").whole(),
    shape("alibaba_access_key", CloudKeys, &["LTAI"], "LTAI[A-Za-z0-9]{20}").anywhere().whole(),
    shape("digitalocean_token", CloudKeys, &["dop_v1_", "doo_v1_", "dor_v1_"], "do[opr]_v1_[a-f0-9]{64}")
        .anywhere()
        .whole(),
    shape("databricks_token", CloudKeys, &["dapi"], "dapi[a-f0-9]{32}(?:-[0-9])?").anywhere().whole(),
    shape("github_token", Tokens, &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"], "gh[oprsu]_[A-Za-z0-9]{36,255}").anywhere(),
    shape("github_token", Tokens, &["github_pat_"], "github_pat_[A-Za-z0-9_]{22,255}").anywhere(),
    shape(
        "gitlab_token",
        Tokens,
        &["glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "glft-", "glsoat-", "glagent-", "glimt-", "gloas-"],
        "gl(?:pat|dt|rt|cbt|ptt|ft|soat|agent|imt|oas)-[A-Za-z0-9_.-]{20,255}",
    )
    .with_digit(),
    shape("slack_token", Tokens, &["xox"], "xox[abceoprs]-[A-Za-z0-9-]{10,250}").with_digit(),
    shape("slack_token", Tokens, &["xapp-"], "xapp-[0-9]-[A-Z0-9]{6,20}-[0-9]{6,20}-[a-z0-9]{20,128}"),
    shape(
        "slack_webhook",
        Tokens,
        &["hooks.slack.com"],
        r"hooks\.slack\.com/(?:services|workflows|triggers)/([A-Za-z0-9/_+-]{20,160})",
    )
    .anywhere(),
    shape("npm_token", Tokens, &["npm_"], "npm_[A-Za-z0-9]{36}").whole(),
    shape("pypi_token", Tokens, &["pypi-AgE"], "pypi-AgE[A-Za-z0-9_-]{50,1000}").anywhere(),
    shape("stripe_key", Tokens, &["sk_live_", "sk_test_", "rk_live_", "rk_test_"], "[rs]k_(?:live|test)_[A-Za-z0-9]{16,250}"),
    shape("stripe_key", Tokens, &["whsec_"], "whsec_[A-Za-z0-9+/=]{24,100}"),
    shape("anthropic_key", Tokens, &["sk-ant-"], "sk-ant-[A-Za-z0-9_-]{20,250}").with_digit(),
    shape(
        "openai_key",
        Tokens,
        &["sk-"],
        "sk-(?:(?:proj|svcacct|admin|None)-[A-Za-z0-9_-]{20,250}|[A-Za-z0-9]{32,200})",
    )
    .with_digit(),
    shape("huggingface_token", Tokens, &["hf_"], "hf_[A-Za-z0-9]{34}").whole(),
    shape("groq_key", Tokens, &["gsk_"], "gsk_[A-Za-z0-9]{40,60}"),
    shape("sendgrid_key", Tokens, &["SG."], r"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}").whole(),
    shape("shopify_token", Tokens, &["shpat_", "shpca_", "shppa_", "shpss_"], "shp(?:at|ca|pa|ss)_[A-Fa-f0-9]{32}").whole(),
    shape("telegram_token", Tokens, &[":AA"], "[0-9]{8,10}:AA[A-Za-z0-9_-]{33}").whole(),
    shape("vault_token", Tokens, &["hvs.", "hvb.", "hvr."], r"hv[bsr]\.[A-Za-z0-9_-]{24,250}"),
    shape("atlassian_token", Tokens, &["ATATT3"], "ATATT3[A-Za-z0-9_=-]{50,250}"),
    shape("linear_key", Tokens, &["lin_api_"], "lin_api_[A-Za-z0-9]{40}").whole(),
    shape("notion_token", Tokens, &["ntn_"], "ntn_[A-Za-z0-9]{40,60}"),
    shape("docker_token", Tokens, &["dckr_pat_"], "dckr_pat_[A-Za-z0-9_-]{27}").whole(),
    shape("grafana_token", Tokens, &["glsa_"], "glsa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}").whole(),
    shape("toolgate_token", Tokens, &["tg_", "tgp_", "tgs_", "tgx_"], "tg[psx]?_[A-Za-z0-9_-]{49}").whole(),
    shape("jwt", Tokens, &["eyJ"], r"eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*").anywhere(),
    shape("bearer_token", Tokens, &["bearer"], r"(?i:bearer)[ \t]{1,4}([A-Za-z0-9._~+/-]{20,}=*)").anywhere().with_digit(),
    shape(
        "basic_credentials",
        Tokens,
        &["authorization"],
        r#"(?i:authorization[\\"']{0,4}\s{0,2}[:=]\s{0,2}\[?\s{0,4}[\\"']{0,4}basic)[ \t]{1,4}([A-Za-z0-9+/]{8,}={0,2})"#,
    )
    .anywhere(),
    shape("basic_credentials", Tokens, &["basic ", "basic\t", "basic\\"], r"(?i:basic)[ \t]{1,4}([A-Za-z0-9+/]{8,}={0,2})").with_credentials(),
    shape("url_password", Tokens, &["://"], r##"[A-Za-z][A-Za-z0-9+.-]{1,20}://[!-~&&[^:/@?#"'<>\[\]]]{0,100}:([!-~&&[^/@?#"'<>\[\]]]{1,200})@"##)
        .anywhere(),
    shape("age_key", PrivateKeys, &["age-secret-key-"], "(?i:AGE-SECRET-KEY-(?:PQ-)?1[0-9A-Z]{58})").anywhere(),
];

/// The mark of a block of a private key, of one that a cloud's service account has, and of a card.
pub(super) const PRIVATE_KEY: &str = "private_key";
pub(super) const SERVICE_ACCOUNT_KEY: &str = "google_service_account_key";
pub(super) const CARD: &str = "card_number";

/// Every name that marks of the build's own detectors have, once.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    let before = |index: usize, name: &str| SHAPES.iter().take(index).any(|shape| shape.name == name);
    let shapes = SHAPES.iter().enumerate().filter(move |(index, shape)| !before(*index, shape.name));
    shapes.map(|(_, shape)| shape.name).chain([PRIVATE_KEY, SERVICE_ACCOUNT_KEY, CARD])
}
