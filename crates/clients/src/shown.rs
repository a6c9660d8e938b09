//! Commands and addresses as people are shown them: whole, but for what looks like a secret.

use crate::secret::{MASK, is_key, is_open, is_plain_word, is_secret, names_secret};

/// Options behind which a name and its value stand in one word.
const PAIRS: [&str; 5] = ["-e", "--env", "-H", "--header", "--headers"];

/// How long a value in an address may be that is shown whatever its name is.
const OPAQUE: usize = 16;

/// A program and its arguments, with [`MASK`] in the place of values that look like secrets.
///
/// ```
/// let shown = clients::shown_words(&["npx", "-y", "files", "--api-key", "sk-made-up", "--token=t0k3n"]);
/// assert_eq!(shown, ["npx", "-y", "files", "--api-key", "●●●", "--token=●●●"]);
/// ```
#[must_use]
pub fn shown_words<T: AsRef<str>>(words: &[T]) -> Vec<String> {
    let mut before = "";
    let mut shown = Vec::with_capacity(words.len());
    for word in words.iter().map(AsRef::as_ref) {
        shown.push(shown_word(before, word));
        before = word;
    }
    shown
}

/// An address, without its login and the secrets among its parameters.
///
/// ```
/// let shown = clients::shown_address("https://me:word@e.test/mcp?page=2&key=made-up");
/// assert_eq!(shown, "https://●●●@e.test/mcp?page=2&key=●●●");
/// ```
#[must_use]
pub fn shown_address(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, rest) = rest.split_at(end);
    let host = match host.rsplit_once('@') {
        Some((login, host)) if !is_open(login) => format!("{MASK}@{host}"),
        _ => host.to_owned(),
    };
    let (path, parameters) = rest.split_at(rest.find(['?', '#']).unwrap_or(rest.len()));
    let parameters = parameters.split_inclusive(['?', '#', '&']).map(|part| {
        let (part, end) = part.split_at(part.trim_end_matches(['?', '#', '&']).len());
        match part.split_once('=') {
            Some((name, value)) if is_secret(name, value) || (value.len() >= OPAQUE && !is_open(value)) => {
                format!("{name}={MASK}{end}")
            }
            None if part.len() >= OPAQUE && !is_open(part) => format!("{MASK}{end}"),
            _ => format!("{part}{end}"),
        }
    });
    format!("{scheme}://{host}{path}{}", parameters.collect::<String>())
}

/// The shortest piece of a secret that is masked where it stands alone: shorter ones stand in every text.
const SHORTEST_PIECE: usize = 6;

/// A text of a program that got these variables, with [`MASK`] in the place of their values that look like secrets.
#[must_use]
pub fn without_secrets<'a>(text: &str, variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let secrets = variables.into_iter().filter(|(name, value)| is_secret(name, value));
    without_values(text, secrets.map(|(_, value)| value))
}

/// A line of a program that got these secrets, with [`MASK`] in the place of each: as it is, as JSON writes it, behind its
/// scheme, and each of its lines and words that is long enough to be told from others.
///
/// ```
/// let shown = clients::without_values("login: correct horse battery staple!", ["correct horse battery staple"]);
/// assert_eq!(shown, "login: ●●●!");
/// ```
#[must_use]
pub fn without_values<'a>(text: &str, values: impl IntoIterator<Item = &'a str>) -> String {
    let mut pieces: Vec<String> = values.into_iter().flat_map(pieces).collect();
    // The longest first: a piece must not break up what holds it.
    pieces.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
    pieces.dedup();
    pieces.iter().fold(text.to_owned(), |text, piece| text.replace(piece.as_str(), MASK))
}

/// The forms and parts in which a program may repeat a secret.
fn pieces(value: &str) -> Vec<String> {
    let whole = value.trim();
    if whole.is_empty() {
        return Vec::new();
    }
    let escaped = [("\\", "\\\\"), ("\"", "\\\""), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")]
        .iter()
        .fold(whole.to_owned(), |text, (letter, written)| text.replace(letter, written));
    let mut pieces = vec![whole.to_owned(), escaped];
    pieces.extend(["Bearer ", "Basic "].iter().filter_map(|scheme| whole.strip_prefix(scheme)).map(str::to_owned));
    let parts = whole.lines().chain(whole.split(|letter: char| letter.is_whitespace() || ";,&".contains(letter)));
    let parts = parts.map(str::trim).filter(|part| part.len() >= SHORTEST_PIECE && !is_plain_word(part));
    pieces.extend(parts.map(str::to_owned));
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

/// A word behind another.
fn shown_word(before: &str, word: &str) -> String {
    // A header from a variable: both are names.
    if before == "--header-from" {
        return word.to_owned();
    }
    let is_option = before.starts_with('-') && !before.contains(['=', ' ']);
    if is_option && names_secret(before) && !word.starts_with("--") && !word.starts_with("Bearer ") {
        return if is_open(word) { word.to_owned() } else { MASK.to_owned() };
    }
    if (PAIRS.contains(&before) || word.starts_with('-'))
        && let Some(shown) = shown_pair(word)
    {
        return shown;
    }
    in_text(word)
}

/// A name with a value, where that is a secret.
fn shown_pair(word: &str) -> Option<String> {
    let at = word.find(['=', ':']).filter(|at| !word.get(*at..).is_some_and(|rest| rest.starts_with("://")))?;
    let (name, rest) = word.split_at(at);
    let value = rest.get(1..).filter(|value| !value.contains("://") || names_secret(name))?;
    let lead = value.len() - value.trim_start().len();
    let (blank, value) = value.split_at(lead);
    let scheme = ["Bearer ", "Basic "].into_iter().find(|scheme| value.starts_with(scheme)).unwrap_or_default();
    let value = value.get(scheme.len()..).unwrap_or_default();
    let secret = !is_open(value) && (names_secret(name) || is_key(value) || scheme == "Bearer ");
    secret.then(|| format!("{name}{}{blank}{scheme}{MASK}", rest.get(..1).unwrap_or_default()))
}

/// A text in which words may stand, such as a script or a comment, piece by piece: what cannot be a secret stays legible.
pub(crate) fn in_text(text: &str) -> String {
    let mut follows = false;
    let mut shown = String::with_capacity(text.len());
    for piece in text.split_inclusive(char::is_whitespace) {
        let (piece, blank) = piece.split_at(piece.trim_end().len());
        let bare = piece.trim_matches(['"', '\'', ',', ';']);
        if bare.is_empty() {
            shown += piece;
            shown += blank;
            continue;
        }
        let scheme = bare.eq_ignore_ascii_case("bearer") || (follows && bare.eq_ignore_ascii_case("basic"));
        let masked = if follows && !scheme && !bare.starts_with("--") && !is_open(bare) {
            MASK.to_owned()
        } else if let Some(pair) = shown_pair(bare).filter(|_| !scheme) {
            pair
        } else if bare.contains("://") {
            let (name, address) = bare.split_once('=').filter(|(name, _)| !name.contains("://")).unwrap_or(("", bare));
            let sign = if name.is_empty() { "" } else { "=" };
            format!("{name}{sign}{}", shown_address(address))
        } else if is_key(bare) {
            MASK.to_owned()
        } else {
            bare.to_owned()
        };
        let header = bare.strip_suffix([':', '=']).is_some_and(names_secret);
        follows = scheme || header || (bare.starts_with('-') && !bare.contains('=') && names_secret(bare));
        shown += &piece.replacen(bare, &masked, 1);
        shown += blank;
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_among_words_are_masked_and_nothing_else_is() {
        for (words, shown) in [
            ("npx|--api-key|sk-1|--port|8080", "npx|--api-key|●●●|--port|8080"),
            ("x|--token=hunter2|--password|X y", "x|--token=●●●|--password|●●●"),
            ("x|--token|${TOKEN}|--token=$T", "x|--token|${TOKEN}|--token=$T"),
            ("x|ghp_abcdefgh|--key=ghp_abcdefgh", "x|●●●|--key=●●●"),
            ("docker|run|-e|API_KEY=a b|-e|LOG=info", "docker|run|-e|API_KEY=●●●|-e|LOG=info"),
            ("x|--header|Authorization: Bearer abc", "x|--header|Authorization: Bearer ●●●"),
            ("x|--header|Authorization:abc", "x|--header|Authorization:●●●"),
            ("x|--header|Authorization: Bearer ${V}", "x|--header|Authorization: Bearer ${V}"),
            ("toolgate|run|--header-from|Authorization=V|--", "toolgate|run|--header-from|Authorization=V|--"),
            ("x|--url=https://a:b@e.test/?key=1x2y", "x|--url=https://●●●@e.test/?key=●●●"),
            ("sh|-c|TOKEN=abcd; rm -rf /", "sh|-c|TOKEN=●●●; rm -rf /"),
            ("sh|-c|curl -H 'X-Api-Key: abcd' e.test", "sh|-c|curl -H 'X-Api-Key: ●●●' e.test"),
            ("C:\\bin\\x.exe|--access-mode=restricted|a@1.2", "C:\\bin\\x.exe|--access-mode=restricted|a@1.2"),
        ] {
            let words: Vec<&str> = words.split('|').collect();
            assert_eq!(shown_words(&words).join("|"), shown);
        }
    }

    #[test]
    fn addresses_keep_what_is_no_secret() {
        for (address, shown) in [
            ("https://e.test/mcp", "https://e.test/mcp"),
            ("https://e.test?a=b&api_key=1x2y#c", "https://e.test?a=b&api_key=●●●#c"),
            ("https://t0k3n@e.test/", "https://●●●@e.test/"),
            ("https://e.test/?p=0123456789abcdef", "https://e.test/?p=●●●"),
            ("https://e.test/?key=${KEY}", "https://e.test/?key=${KEY}"),
        ] {
            assert_eq!(shown_address(address), shown);
        }
    }

    #[test]
    fn a_program_does_not_repeat_its_secrets() {
        let variables = [("API_TOKEN", "abc"), ("AUTHORIZATION", "Bearer abcd"), ("LOG", "info"), ("REGION", "eu")];
        let shown = without_secrets("abcd and abc refused in eu, info", variables);
        assert_eq!(shown, "●●● and ●●● refused in eu, info");
    }

    #[test]
    fn a_secret_is_masked_in_every_form_in_which_a_program_repeats_it() {
        let cookie = "sid=deadbeefdeadbeef; path=none-of-it";
        let key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkq\n-----END KEY-----";
        let cases = [
            ("login: correct horse battery staple", "correct horse battery staple"),
            ("got hunter2hunter2 .", "hunter2hunter2 "),
            ("Cookie: sid=deadbeefdeadbeef; x", cookie),
            ("MIIEvQIBADANBgkq", key),
            (r#"{"key":"-----BEGIN KEY-----\nMIIEvQIBADANBgkq\n-----END KEY-----"}"#, key),
            ("Authorization: made-up-token-1", "Bearer made-up-token-1"),
            ("Server=db;Pwd=made-up-word;", "Server=db;Pwd=made-up-word;Port=1"),
        ];
        for (line, value) in cases {
            let shown = without_values(line, [value]);
            for word in ["staple", "hunter2", "deadbeef", "MIIEv", "made-up"] {
                assert!(!shown.contains(word), "{line}: {shown}");
            }
            assert!(shown.contains(MASK), "{line}: {shown}");
        }
        assert_eq!(without_values("nothing of it", ["made-up-word"]), "nothing of it");
    }
}
