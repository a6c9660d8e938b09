//! `cargo xtask conformance`: the official MCP suite, against the fixture server directly and
//! through the gateway. What passes directly must pass through the gateway: the two are compared
//! check by check, and every difference must be listed, with its reason, in
//! `conformance/expected-differences.txt`.

mod compare;
mod running;
mod suite;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use self::compare::Expected;
use self::running::Running;
use self::suite::{Outcome, Set, Suite};
use crate::system;

const HELP: &str = "\
cargo xtask conformance [OPTION]...

  --all                 the whole suite as well, beside what the two revisions require: tasks and other extensions
  --child               the fixture as the gateway's child on stdio as well (shown, not judged)
  --gateway PROGRAM     this gateway, not the one of this build
  --gateway-url URL     an endpoint that is there already, in front of --fixture-url
  --fixture-url URL     a server that is there already
";

/// The policy of the run: everything may pass, also what the server asks of the client.
const POLICY: &str = r#"{
  "version": "1",
  "default": "allow",
  "methods": { "allow": ["sampling/createMessage", "elicitation/create", "roots/list"] }
}
"#;

/// What the command line asks for.
#[derive(Debug, Default)]
struct Options {
    all: bool,
    child: bool,
    gateway: Option<PathBuf>,
    gateway_url: Option<String>,
    fixture_url: Option<String>,
    profile: Option<Profile>,
}

/// One way to the fixture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Direct,
    Gateway,
    /// One of two servers behind one address, under its own names.
    Stack,
    /// The same, under names that tell the server.
    Prefixed,
    /// The same as [`Way::Stack`], before a fixture that speaks no revision of the era that is asked for.
    Translated,
    Child,
}

impl Way {
    const fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Gateway => "gateway",
            Self::Stack => "stack",
            Self::Prefixed => "prefixed",
            Self::Translated => "translated",
            Self::Child => "child",
        }
    }
}

/// The programs under test.
#[derive(Debug)]
struct Programs {
    fixture: PathBuf,
    gateway: PathBuf,
}

/// Runs the suite and compares.
///
/// # Errors
/// When something cannot be installed or started, when the fixture does not meet a revision's
/// requirements, when a result differs and is not listed, or when a listed difference is gone.
pub fn run(arguments: &[String]) -> Result<()> {
    match options(arguments)? {
        Some(options) => compared(&options).map(drop),
        None => {
            print!("{HELP}");
            Ok(())
        }
    }
}

/// Runs all sets, and gives what docs/reliability.md says of them: scenarios that count and pass, of all that count, by way.
///
/// # Errors
/// See [`run`].
pub fn figures(debug: bool) -> Result<Vec<(String, String)>> {
    compared(&Options {
        all: true,
        profile: Some(if debug { Profile::Debug } else { Profile::Release }),
        ..Options::default()
    })
}

/// How the programs under test are built. That of this program, unless somebody says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Profile {
    Debug,
    Release,
}

fn compared(options: &Options) -> Result<Vec<(String, String)>> {
    let expected_file = system::root().join("conformance/expected-differences.txt");
    let text = fs::read_to_string(&expected_file).with_context(|| expected_file.display().to_string())?;
    let mut expected = Expected::parse(&text)?;

    let suite = Suite::install()?;
    let programs = programs(options)?;
    let scratch = Scratch::new()?;
    let mut sets = vec![Set::Requirements("2025-11-25"), Set::Requirements("2026-07-28")];
    if options.all {
        sets.push(Set::All);
    }
    sets.push(Set::Nameless);

    let (mut failures, mut rows) = (Vec::new(), Vec::new());
    for set in sets {
        let run = |way| measure(way, set, options, &programs, &suite, &scratch.folder);
        let direct = run(Way::Direct)?;
        if !direct.met && matches!(set, Set::Requirements(_)) {
            failures.push(format!("{set}: the fixture itself does not meet it"));
        }
        let gateway = run(Way::Gateway)?;
        // With names that tell the server, the suite finds nothing that it knows by name.
        let stacked = if matches!(set, Set::Nameless) { Way::Prefixed } else { Way::Stack };
        let stack = options.gateway_url.is_none().then(|| run(stacked)).transpose()?;
        let other_era = set.other_era().filter(|_| options.gateway_url.is_none() && options.fixture_url.is_none());
        let translated = other_era.is_some().then(|| run(Way::Translated)).transpose()?;
        let child = options.child.then(|| run(Way::Child)).transpose()?;

        println!("\n{set}");
        let mut columns = vec![(Way::Direct.name(), &direct), (Way::Gateway.name(), &gateway)];
        columns.extend(stack.iter().map(|outcome| (stacked.name(), outcome)));
        columns.extend(translated.iter().map(|outcome| (Way::Translated.name(), outcome)));
        columns.extend(child.iter().map(|outcome| (Way::Child.name(), outcome)));
        print!("{}", compare::table(&columns));
        rows.extend(compare::counts(&columns).map(|(what, seen)| (format!("conformance, {set}: {what}"), seen)));
        for difference in compare::differences(&direct, &gateway) {
            match expected.take(set, &difference) {
                Some(reason) => println!("expected: {difference}: {reason}"),
                None => failures.push(format!("{set}: {difference}")),
            }
        }
        let more = stack.iter().map(|outcome| (stacked, outcome));
        let more = more.chain(translated.iter().map(|outcome| (Way::Translated, outcome)));
        for (way, mut difference) in more.flat_map(|(way, outcome)| {
            compare::differences(&direct, outcome).into_iter().map(move |difference| (way, difference))
        }) {
            // Listed with the way, since a stack could differ where a single endpoint does not.
            difference.scenario = format!("{}:{}", way.name(), difference.scenario);
            match expected.take(set, &difference) {
                Some(reason) => println!("expected: {difference}: {reason}"),
                None => failures.push(format!("{set}: {difference}")),
            }
        }
        for difference in child.iter().flat_map(|child| compare::differences(&direct, child)) {
            println!("child: {difference}");
        }
        failures.extend(expected.left_over(set));
    }
    println!();
    if !failures.is_empty() {
        bail!("{} differences:\n  {}", failures.len(), failures.join("\n  "));
    }
    println!("conformance: the gateway's results are the fixture's own");
    Ok(rows)
}

/// Starts what a way needs, runs one set of scenarios over it, and ends it all.
fn measure(
    way: Way,
    set: Set,
    options: &Options,
    programs: &Programs,
    suite: &Suite,
    scratch: &Path,
) -> Result<Outcome> {
    let folder = scratch.join(format!("{}-{}", way.name(), set.word()));
    fs::create_dir_all(&folder)?;
    eprintln!("conformance: {set}, {}", way.name());
    let fixture = match (&options.fixture_url, way) {
        (Some(_), _) | (None, Way::Child) => None,
        (None, _) => {
            let era = set.other_era().filter(|_| way == Way::Translated);
            Some(Running::fixture(&programs.fixture, &folder, era)?)
        }
    };
    let fixture_url = || {
        let own = fixture.as_ref().map(|running| running.url.as_str());
        own.or(options.fixture_url.as_deref()).unwrap_or_default()
    };
    let policy = folder.join("policy.json");
    fs::write(&policy, POLICY)?;
    let gateway = match way {
        Way::Direct => return suite.run(set, fixture_url(), &folder),
        Way::Gateway => {
            if let Some(url) = &options.gateway_url {
                return suite.run(set, url, &folder);
            }
            let upstream = ["--upstream", fixture_url()];
            Running::gateway(&programs.gateway, &policy, &folder, &upstream)?
        }
        Way::Stack | Way::Prefixed | Way::Translated => {
            let config = folder.join("toolgate.toml");
            fs::write(&config, stack(fixture_url(), &programs.gateway, way != Way::Prefixed))?;
            let gateway = Running::stack(&programs.gateway, &config, &folder)?;
            return suite.run(set, &gateway.url, &folder);
        }
        Way::Child => {
            let fixture = programs.fixture.to_string_lossy().into_owned();
            let command = ["--", fixture.as_str(), "--stdio"];
            Running::gateway(&programs.gateway, &policy, &folder, &command)?
        }
    };
    suite.run(set, &gateway.url, &folder)
}

/// The fixture and a second server, which has other tools, behind one address.
fn stack(fixture: &str, toolgate: &Path, unprefixed: bool) -> String {
    let names = if unprefixed { "unprefixed = [\"fixture\", \"sandbox\"]\n" } else { "" };
    format!(
        "listen = \"127.0.0.1:0\"\n\
         [servers.fixture]\nurl = \"{fixture}\"\npolicy = \"policy.json\"\n\
         [servers.sandbox]\ncommand = [{:?}, \"sandbox\"]\npolicy = \"policy.json\"\n\
         [[grants]]\nlabel = \"suite\"\nservers = [\"fixture\", \"sandbox\"]\nanonymous = true\n{names}",
        toolgate.display().to_string()
    )
}

/// The programs of this build, built anew if they are not fresh.
fn programs(options: &Options) -> Result<Programs> {
    let own = std::env::current_exe()?;
    let mut folder = own.parent().context("this program lies in no folder")?.to_path_buf();
    if let Some(profile) = options.profile {
        folder.set_file_name(if profile == Profile::Debug { "debug" } else { "release" });
    }
    let built = |name: &str| folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    let mut arguments = vec!["build", "--quiet"];
    if folder.ends_with("release") {
        arguments.push("--release");
    }
    if options.fixture_url.is_none() || options.child {
        arguments.extend(["--bin", "fixture"]);
    }
    if options.gateway.is_none() && (options.gateway_url.is_none() || options.child) {
        arguments.extend(["--bin", "toolgate"]);
    }
    if arguments.contains(&"--bin") {
        arguments.push("--workspace");
        system::run("cargo", &arguments)?;
    }
    Ok(Programs { fixture: built("fixture"), gateway: options.gateway.clone().unwrap_or_else(|| built("toolgate")) })
}

/// `None` when help is asked for.
fn options(arguments: &[String]) -> Result<Option<Options>> {
    let mut options = Options::default();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let mut value = || {
            let value = words.next().cloned();
            value.with_context(|| format!("`{word}` needs a value\n\n{HELP}"))
        };
        match word.as_str() {
            "--all" => options.all = true,
            "--child" => options.child = true,
            "--gateway" => options.gateway = Some(PathBuf::from(value()?)),
            "--gateway-url" => options.gateway_url = Some(value()?),
            "--fixture-url" => options.fixture_url = Some(value()?),
            "--help" | "-h" => return Ok(None),
            _ => bail!("`{word}` is not an option\n\n{HELP}"),
        }
    }
    if options.gateway_url.is_some() && options.fixture_url.is_none() {
        bail!("`--gateway-url` needs `--fixture-url`: the server that it is in front of");
    }
    Ok(Some(options))
}

/// A folder of this run, removed at its end.
struct Scratch {
    folder: PathBuf,
}

impl Scratch {
    fn new() -> Result<Self> {
        let folder = suite::cache().join(format!("run-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        Ok(Self { folder })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            eprintln!("{} is left behind: {error}", self.folder.display());
        }
    }
}
