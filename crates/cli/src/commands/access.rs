//! `toolgate setup|login|logout|whoami`: being known to an instance.

use std::path::Path;
use std::process::ExitCode;

use clients::Secret;
use http::Method;
use serde_json::json;

use crate::api::shown::{self, text};
use crate::api::{self, Api, Kept, LOCAL, Place, named};
use crate::args::{LoginOptions, LogoutOptions, SetupOptions, WhoamiOptions};
use crate::failure::Failure;
use crate::output::{say, tell};
use crate::terminal;

/// Where sessions begin and end.
const SESSIONS: &str = "/api/v1/sessions";

/// Makes the first admin of a new instance, and signs in as that.
pub fn setup(options: &SetupOptions) -> Result<ExitCode, Failure> {
    let place = named(options.instance.as_deref())?.map_or_else(|| Place::parse(LOCAL), Ok)?;
    let token = match &options.setup_token_file {
        Some(file) => api::secret(file, "the setup token")?,
        None => terminal::secret("The setup token that the first start printed", "give --setup-token-file FILE, or -")?,
    };
    let password = new_password(options.password_file.as_deref(), &options.name)?;
    let api = Api::new(place.clone(), None)?;
    let body = json!({ "token": token.expose().trim(), "name": options.name, "password": password.expose() });
    api.plain("/api/v1/setup", &body)?;
    say!("{} is the first admin of {}.", audit::visible::word(&options.name), place.url())?;
    sign_in(&place, "default", &options.name, &password)
}

/// Signs in, or takes an API token, and asks this instance from now on.
pub fn login(options: &LoginOptions) -> Result<ExitCode, Failure> {
    let place = match named(options.instance.as_deref())? {
        Some(place) => place,
        None => Kept::read()?.current().map_or_else(|| Place::parse(LOCAL), Place::parse)?,
    };
    if let Some(file) = &options.token_file {
        let token = Secret::new(api::secret(file, "the API token")?.expose().trim());
        // What is kept is known to be good.
        let me = Api::new(place.clone(), Some(token.clone()))?.get("/api/v1/me")?.body;
        Kept::read()?.keep(place.url(), token)?;
        return known(&place, text(&me, "actor"));
    }
    let name = options.name.as_deref().unwrap_or_default();
    let password = match &options.password_file {
        Some(file) => api::secret(file, "the password")?,
        None => terminal::secret("Password", "give --password-file FILE, or - for standard input")?,
    };
    sign_in(&place, &options.organisation, name, &password)
}

fn sign_in(place: &Place, organisation: &str, name: &str, password: &Secret) -> Result<ExitCode, Failure> {
    let body = json!({ "organisation": organisation, "name": name, "password": password.expose() });
    let session = Api::new(place.clone(), None)?.plain(SESSIONS, &body)?.body;
    Kept::read()?.keep(place.url(), Secret::new(text(&session, "token")))?;
    known(place, &format!("member:{name}"))
}

fn known(place: &Place, who: &str) -> Result<ExitCode, Failure> {
    let (who, url, kept) = (audit::visible::word(who), place.url(), Kept::path()?);
    say!("Commands ask {url} as {who} from now on; the token lies in {}.", kept.display())?;
    Ok(ExitCode::SUCCESS)
}

/// Ends the session, and forgets the token.
pub fn logout(options: &LogoutOptions) -> Result<ExitCode, Failure> {
    let kept = Kept::read()?;
    let place = match named(options.instance.as_deref())? {
        Some(place) => place,
        None => match kept.current() {
            Some(url) => Place::parse(url)?,
            None => return Err(Failure::No("nobody has signed in".to_owned())),
        },
    };
    let Some(token) = kept.token(place.url()).cloned() else {
        return Err(Failure::No(format!("no token for {} is kept", place.url())));
    };
    // An API token goes on elsewhere: it is forgotten here, and nothing more.
    if token.expose().starts_with("tgx_")
        && let Err(failure) = Api::new(place.clone(), Some(token))?.remove(SESSIONS, "")
    {
        tell!(
            "toolgate: the session could not be ended at the instance, and ends by itself within 12 hours: {failure}"
        );
    }
    kept.forget(place.url())?;
    say!("The token for {} is forgotten.", place.url())?;
    Ok(ExitCode::SUCCESS)
}

/// Says who asks, and as what.
pub fn whoami(options: &WhoamiOptions) -> Result<ExitCode, Failure> {
    let api = api::api(&options.api.place)?;
    let me = api.get("/api/v1/me")?.body;
    let organisation = me.get("organisation").cloned().unwrap_or_default();
    let word = |text: &str| audit::visible::word(text).to_string();
    let sentence = format!(
        "{} in {} as {}, at {}",
        word(text(&me, "actor")),
        word(text(&organisation, "name")),
        word(text(&me, "role")),
        api.url()
    );
    shown::done(&me, options.api.json, &sentence)?;
    Ok(ExitCode::SUCCESS)
}

/// A password for somebody, typed twice or from a file.
///
/// # Errors
/// When there is none.
pub fn new_password(file: Option<&Path>, name: &str) -> Result<Secret, Failure> {
    if let Some(file) = file {
        return api::secret(file, "the password");
    }
    let question = format!("A password for {}", audit::visible::word(name));
    let password = terminal::secret(&question, "give --password-file FILE, or - for standard input")?;
    match terminal::secret("Once more", "")? == password {
        true => Ok(password),
        false => Err(Failure::Usage("the two passwords are not the same: nothing was done".to_owned())),
    }
}

/// Changes an object after it was read: what somebody else did in between is not overwritten.
///
/// # Errors
/// When it is refused or not answered.
pub fn patched(api: &Api, path: &str, body: &serde_json::Value) -> Result<serde_json::Value, Failure> {
    let read = api.get(path)?;
    Ok(api.change(Method::PATCH, path, &read, body)?.body)
}
