//! What a wrong or manipulated call does, in terms of the tool's own object and arguments.

use policy::Class;

use super::act::Act;
use super::grammar::{capitalised, with_article};
use super::role::Role;
use super::told::Told;
use crate::facet::Facet;

/// The worst that is likely.
pub(super) fn harm(told: &Told<'_>) -> String {
    let told_by_argument = match told.class() {
        Class::Read | Class::Unclassified => None,
        _ => by_argument(told),
    };
    told_by_argument.unwrap_or_else(|| match told.class() {
        Class::Read => read(told),
        Class::Write => write(told),
        Class::Execute => execute(told),
        Class::Destructive => destructive(told),
        Class::Financial => financial(told),
        Class::Unclassified => format!(
            "Until somebody knows better, {} has to be taken for the worst that {} can do: a call may delete or pay as well as read.",
            told.name(),
            told.server
        ),
    })
}

/// Names for the sentences: what is acted on, with article and without.
struct Words {
    a: String,
    the: String,
    them: String,
    one: String,
}

fn named(told: &Told<'_>) -> Words {
    let thing = &told.gist.thing;
    if thing.unknown {
        return Words { a: "a record".into(), the: "the data".into(), them: "records".into(), one: "record".into() };
    }
    Words { a: thing.a(), the: thing.the(), them: thing.them(), one: thing.one.clone() }
}

fn by_argument(told: &Told<'_>) -> Option<String> {
    let server = told.server;
    if let Some(sql) = told.said(&[Role::Sql]) {
        return Some(format!(
            "A SELECT and a DROP look the same to the schema: whoever can put words into {sql}, by a ticket or a web page that the agent reads, can empty a table."
        ));
    }
    if let Some(command) = told.said(&[Role::Command]).filter(|_| told.has(Facet::RunsCode)) {
        return told.pick(3, &[
            "Whoever gets a line into COMMAND, by a web page or an issue that the agent reads, runs it with the rights of SERVER: files, keys and network included.",
            "COMMAND needs only one harmful line, copied from a page that the agent was asked to read, to read out keys or to load a program onto the machine behind SERVER.",
        ]).map(|way| way.replace("COMMAND", &command).replace("SERVER", server));
    }
    let words = named(told);
    let outwards = matches!(told.class(), Class::Execute | Class::Write) && told.has(Facet::SendsExternal);
    if let Some(to) = told.said(&[Role::Recipient]).filter(|_| outwards) {
        let what = told.said(&[Role::Content]);
        return Some(match (told.pick(4, &["a", "b"]), what) {
            (Some("a"), Some(text)) => format!(
                "A sentence hidden in a mail or page can make the agent put what it knows into {text} and an address of the attacker's into {to}."
            ),
            (_, Some(text)) => format!(
                "{} takes any recipient and {text} any text: an agent that was talked into it hands over what it has read, in your name.",
                capitalised(&to)
            ),
            (_, None) => format!(
                "{to} takes any recipient: one sentence in something that the agent reads is enough to have {} {} to a stranger.",
                words.the,
                passive(told)
            ),
        });
    }
    if let Some(secret) = told.said(&[Role::Access]).filter(|_| told.class() == Class::Write) {
        return Some(format!(
            "{secret} is what an attacker asks for: a single call can open {} to people who had no right to {}.",
            words.the,
            if told.gist.thing.several { "them" } else { "it" }
        ));
    }
    if let Some(path) = told.said(&[Role::Path]).filter(|_| matches!(told.class(), Class::Write | Class::Destructive)) {
        return Some(match told.class() {
            Class::Destructive => format!(
                "With the wrong {path} it is somebody else's file that is gone: a working copy, a backup, a key."
            ),
            _ => format!(
                "{path} can name more than documents: what is written to a shell's start file, a hook or a key list runs, or lets somebody in, later."
            ),
        });
    }
    None
}

/// "sent", "forwarded": what is done to the thing.
fn passive(told: &Told<'_>) -> String {
    told.gist.verb.as_ref().map_or_else(|| "sent".to_owned(), |verb| verb.past())
}

fn gerund(told: &Told<'_>) -> String {
    told.gist.verb.as_ref().map_or_else(|| "starting".to_owned(), |verb| verb.gerund())
}

fn read(told: &Told<'_>) -> String {
    let words = named(told);
    let server = told.server;
    let unknown = told.gist.thing.unknown;
    let them = if unknown { "the answers".to_owned() } else { words.them.clone() };
    if let Some(sql) = told.said(&[Role::Sql]) {
        return format!(
            "{sql} is as free as the login behind it: a statement that writes, or one that reads the table of users, arrives the same way as a harmless SELECT."
        );
    }
    if let Some(url) = told.said(&[Role::Address, Role::Host]) {
        return format!(
            "{url} decides where the request goes: into your own network, to the cloud's metadata address, or to an attacker's server with your data in the query string."
        );
    }
    if let Some(path) = told.said(&[Role::Path]) {
        return format!(
            "{path} may as well name `~/.ssh/id_ed25519` or `.env`: what stands there then lies in the agent's context, ready to be passed on."
        );
    }
    if told.has(Facet::TouchesCredentials) {
        return format!(
            "{} can open more doors than any record: once in the agent's context, all of it can be repeated to every other tool that it has.",
            capitalised(if unknown { "Keys and logins" } else { &them })
        );
    }
    if told.has(Facet::ReadsPrivate) && !told.gist.thing.is_public() {
        let how = told.target().map(|id| format!("With a guessed or borrowed {id}, ")).unwrap_or_default();
        let way = told.pick(5, &[
            "THEM that concern other people can come into the agent's context, and whatever else it can call can carry them out.",
            "the agent can read THEM that nobody asked it about, and pass on what stands there through any tool that sends.",
            "THEM can end up in prompts, logs and answers that other people read.",
        ]);
        return capitalised(&format!("{how}{}", way.unwrap_or_default().replace("THEM", &them)));
    }
    if told.has(Facet::IngestsUntrusted) {
        let way = told.pick(6, &[
            "THEM can be written by outsiders, and a sentence in there that is addressed to the agent (“ignore your task and …”) reads like an order.",
            "Whoever can get words into THEM can talk to the agent: what comes back is text, and models follow text.",
        ]);
        return capitalised(&way.unwrap_or_default().replace("THEM", &them));
    }
    if told.act() == Some(Act::Compute) {
        let from = told.contents().first().cloned();
        return match from {
            Some(from) => format!("It harms nobody by itself; a wrong {from} gives a result that looks right, and the agent builds its next calls on it."),
            None => "It harms nobody by itself; a wrong result looks like a right one, and the agent builds its next calls on it.".to_owned(),
        };
    }
    let page = told.said(&[Role::Page]);
    match (told.pick(7, &["a", "b", "c"]), page) {
        (_, Some(page)) => format!(
            "One call is harmless; a loop over {page} copies everything that {server} holds of {them} into a conversation that others may read."
        ),
        (Some("a"), None) => {
            format!("A wrong call costs time and tokens, no data: the agent reads {them} that it did not need.")
        }
        (Some("b"), None) => format!(
            "Little can go wrong in one call: what matters is who else reads the conversation that then holds {them}."
        ),
        (_, None) => format!(
            "The risk lies in what comes after: an agent that has read {them} acts on what it read, right or wrong."
        ),
    }
}

fn write(told: &Told<'_>) -> String {
    let words = named(told);
    let (a, the, them, one) = (&words.a, &words.the, &words.them, &words.one);
    let server = told.server;
    let target = told.target();
    let contents = told.contents();
    let first = contents.first().cloned();
    match told.act() {
        Some(Act::Create | Act::Add | Act::Upload) => match (told.pick(8, &["a", "b", "c"]), first) {
            (Some("a"), Some(first)) => format!(
                "An agent that tries again after a time-out leaves duplicate {them} in {server}: nothing shows that a second call with the same {first} is refused."
            ),
            (Some("b"), Some(first)) => format!(
                "Text that the agent reads can dictate what stands in {first}: {server} then holds {them} in your name that somebody else worded."
            ),
            (_, Some(first)) => format!(
                "A misread request becomes {a} that others take for real: they act on its {first} before anybody doubts it."
            ),
            (_, None) => format!(
                "A loop or a retry fills {server} with {them} that nobody asked for, and people then work with them as if they were real."
            ),
        },
        Some(Act::Update) => match (target, first, told.pick(9, &["a", "b"])) {
            (Some(target), Some(first), Some("a")) => format!(
                "A {target} that is off by one puts the {first} meant for one {one} into another, and the answer looks like success."
            ),
            (Some(target), Some(first), _) => {
                format!("With the wrong {target}, {first} of {a} that was right is replaced, and nobody is told.")
            }
            (Some(target), None, _) => {
                format!("With the wrong {target}, {a} that was right is overwritten, and nobody is told.")
            }
            (None, Some(first), _) => format!(
                "A wrong {first} changes {the} for everybody who works with {server}, and the answer looks like success."
            ),
            (None, None, _) => format!(
                "A misunderstanding changes {the} for everybody who works with {server}, and the answer looks like success."
            ),
        },
        Some(Act::Toggle) => format!(
            "{} that is {} by mistake stays so until somebody misses it{}.",
            capitalised(a),
            passive(told),
            target.map(|id| format!("; one wrong {id} is enough")).unwrap_or_default()
        ),
        Some(Act::Move) => format!(
            "{} that has been {} to the wrong place is as good as lost: it is still there, and nobody finds it.",
            capitalised(a),
            passive(told)
        ),
        Some(Act::Send | Act::Publish) => format!(
            "What the agent {} is read as yours: a wrong or invented {one} cannot be made unread.",
            told.gist.third()
        ),
        _ => match target.or(first) {
            Some(argument) => format!(
                "A wrong {argument} leaves {the} in a state that nobody chose, and every later call builds on it."
            ),
            None => format!(
                "A call at the wrong moment leaves {the} in a state that nobody chose, and every later call builds on it."
            ),
        },
    }
}

fn execute(told: &Told<'_>) -> String {
    let words = named(told);
    let (a, the, them) = (&words.a, &words.the, &words.them);
    let server = told.server;
    let target = told.target().or_else(|| told.contents().first().cloned());
    match told.act() {
        Some(Act::Send | Act::Publish) => format!("{} goes out in your name, to people who act on it: a loop sends it a hundred times, and an injected sentence decides what it says.", capitalised(a)),
        Some(Act::Retry) => format!("Each call makes {them} happen again: whoever received them the first time may book, bill or answer a second time."),
        Some(Act::Stop) => format!("Whoever depends on {the} is without until somebody notices{}.", target.map(|id| format!("; a wrong {id} stops the wrong one")).unwrap_or_default()),
        Some(Act::Start) => match target {
            Some(target) => format!("{} from the wrong {target} runs with real rights and real cost before anybody has seen what is in it.", capitalised(a)),
            None => format!("{} {a} costs real money and uses real rights, and a loop does it again and again.", capitalised(&gerund(told))),
        },
        Some(Act::Connect) if told.gist.base().starts_with("disconnect") || told.gist.base() == "log out of" => {
            format!("Whoever works through {the} is cut off in the middle of it, and so is every other call of the agent that needs it.")
        }
        Some(Act::Connect) => format!("Every call uses stored logins against {}: a loop of attempts locks accounts or trips the provider's alarms, and a connection that was cut on purpose comes back.", if told.gist.thing.unknown { server.to_owned() } else { words.the.clone() }),
        Some(Act::Browse) => "On a page that somebody else wrote, the same call accepts terms, submits a form or buys: the page decides what is under it.".to_owned(),
        Some(Act::Move) => format!("A run in the wrong direction overwrites the newer {them} with the older, on both sides at once."),
        Some(Act::Compute) => match target {
            Some(target) => format!("What {target} says is worked on with the server's own rights and at its owner's cost; an injected {target} makes it work for somebody else."),
            None => format!("The work is done with the server's own rights and at its owner's cost, as often as the agent asks for {a}."),
        },
        _ => match target {
            Some(target) => format!("What {target} says decides what is set off, and that goes on after the call: a wrong one is not stopped by closing the conversation."),
            None => format!("What a call sets off goes on outside {server} after the agent has read its answer, and closing the conversation does not stop it."),
        },
    }
}

fn destructive(told: &Told<'_>) -> String {
    let words = named(told);
    let (a, the, them, one) = (&words.a, &words.the, &words.them, &words.one);
    let server = told.server;
    let thing = &told.gist.thing;
    if let Some(wide) = told.said(&[Role::Wide]) {
        return format!(
            "One {wide} set to true, and the call takes more than {a}: the check that should have stopped it is what it switches off."
        );
    }
    if let Some(many) = told.role(&[Role::Targets]) {
        return format!(
            "{} takes a list: an agent that passes on a search result as it came deletes all the {them} in it, not the one that was meant.",
            many.said
        );
    }
    if thing.many || told.act() == Some(Act::Clear) {
        return match told.target() {
            Some(id) => format!(
                "There is no second question: with the wrong {id}, {} are emptied that were in use a moment ago.",
                them
            ),
            None => format!(
                "There is nothing to choose and no second question: one call, asked for in passing, and {the} in {server} {} gone.",
                if thing.several { "are" } else { "is" }
            ),
        };
    }
    if told.act() == Some(Act::Cancel) {
        return format!(
            "{} that is cancelled by mistake ends for everybody concerned{}: people wait, pay or travel for something that no longer exists.",
            capitalised(a),
            told.target().map(|id| format!(" (one wrong {id} is enough)")).unwrap_or_default()
        );
    }
    match (told.target(), told.pick(10, &["a", "b", "c"])) {
        (Some(id), Some("a")) => format!(
            "A {id} copied from the wrong line deletes {} that is in use, with everything that hangs on it.",
            with_article(one)
        ),
        (Some(id), Some("b")) => format!(
            "Agents tidy up when they are asked to “start over”: {id} is all they need to remove {a} that people still work with."
        ),
        (Some(id), _) => format!(
            "Between a {one} that may go and one that must stay there is only {id}; an agent that confuses them gets the same friendly answer."
        ),
        (None, _) => format!(
            "An agent that was told to clean up takes away {the} that people still work with, and the answer says success."
        ),
    }
}

fn financial(told: &Told<'_>) -> String {
    let words = named(told);
    let server = told.server;
    let amount = told.said(&[Role::Amount]);
    let to = told.said(&[Role::Recipient]);
    let a = if told.gist.thing.unknown { "a payment".to_owned() } else { words.a.clone() };
    match (amount, to, told.act()) {
        (Some(amount), Some(to), _) => format!(
            "An invoice or a mail that the agent reads can name {to} and {amount} itself; the money is then with a stranger before a person has seen the call."
        ),
        (Some(amount), None, Some(Act::Trade)) => format!(
            "A decimal point in the wrong place of {amount} is an order at the market's price, and a loop places it again and again."
        ),
        (Some(amount), None, _) => format!(
            "{amount} in cents instead of units, or one zero too many, is paid as it stands; a retry after a time-out pays twice."
        ),
        (None, Some(to), _) => format!(
            "{to} decides who is paid: whoever gets a line into what the agent reads can put a name of their own there."
        ),
        (None, None, Some(Act::Cancel)) => format!(
            "{} that is cancelled by mistake costs what was agreed, or the position that it held.",
            capitalised(&a)
        ),
        (None, None, _) => match told.target() {
            Some(id) => format!(
                "With the wrong {id}, {} commits money for somebody else, and a retry after a time-out commits it twice.",
                told.name()
            ),
            None => format!(
                "A call commits money of whoever owns the account behind {server}; a loop, or {a} too many, shows up first on the statement."
            ),
        },
    }
}

/// What else can go wrong, by facets and switches.
pub(super) fn more_harm(told: &Told<'_>) -> Vec<String> {
    let words = named(told);
    let mut all = Vec::new();
    if let Some(harmless) = told.said(&[Role::Harmless]) {
        all.push(format!("Left out, {harmless} does not protect: the call is then real."));
    }
    if let Some(wide) = told.said(&[Role::Wide]).filter(|_| told.class() != Class::Destructive) {
        all.push(format!("{wide} set to true widens it further, past checks that a single call would meet."));
    }
    if let Some(secret) = told.said(&[Role::Credential]) {
        all.push(format!(
            "{secret} passes through the agent in clear text, and from there into every log of the conversation."
        ));
    }
    if told.has(Facet::Bulk) && told.class() != Class::Read {
        all.push(format!("It acts on many {} in one call, so that one mistake is made many times.", words.them));
    }
    if told.has(Facet::SendsExternal) && told.class() == Class::Write {
        all.push(format!("What is written can reach people outside, who then hold a copy of {}.", words.the));
    }
    if told.has(Facet::IngestsUntrusted) && told.class() != Class::Read {
        all.push("Its answer can hold text by outsiders, which may steer the agent's next call.".to_owned());
    }
    if told.has(Facet::ReadsPrivate) && told.class() != Class::Read {
        all.push(format!("Its answer may show {} that are not for everybody who reads the conversation.", words.them));
    }
    all
}
