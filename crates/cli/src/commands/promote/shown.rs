//! What a promotion would do and on what evidence, for people.

use risk::recommend::Temper;

use super::evidence::Stop;
use super::proposal::{Proposal, stops_nothing};
use super::{Doing, Outcome};
use crate::client_files::{shown as path_shown, visible};
use crate::commands::counted;
use crate::commands::scan::layout::{paragraph, row, width};

/// The most rows of evidence that are shown for one server.
const ROWS: usize = 20;

impl Doing<'_> {
    /// What would become of one policy.
    pub(super) fn shown(&self, outcome: &Outcome) -> String {
        let mut out = String::new();
        let (target, look) = (&outcome.target, self.look);
        let server = visible(&target.server);
        out += &format!("{}  {}\n", look.bold(&server), path_shown(&target.path, &self.home));
        let mut say = |text: &str| out += &paragraph(text, 2, look.columns);
        match &outcome.proposal {
            Err(why) => say(&visible(why)),
            Ok(Proposal::Nothing) if self.options.back => say("It is as it was before."),
            Ok(Proposal::Nothing) => say("It stops calls already, and nothing of it would change."),
            Ok(_) if self.options.back => say("It goes back to what it was before:"),
            Ok(Proposal::Enforce(_)) => say("It has rules, and observes: they stop calls from now on."),
            Ok(Proposal::Rules { temper, unnamed, .. }) => {
                let tools = counted(target.tools.len(), "accepted tool");
                let own = match stops_nothing(&target.text) {
                    true => "It has no rules: enforced as it is, it would stop nothing.",
                    false => "Rules of its own stay as they are.",
                };
                say(own);
                match temper {
                    Temper::Observe => say(&format!(
                        "Proposed: balanced rules, by what its {tools} can do, observed: they stop nothing, and the log says what they would stop."
                    )),
                    Temper::Balanced | Temper::LockedDown => {
                        let temper = temper.as_str();
                        say(&format!("Proposed: {temper} rules, by what its {tools} can do."));
                    }
                }
                for name in unnamed {
                    say(&format!("No policy can name the tool {}, so it stays denied.", audit::visible::word(name)));
                }
            }
        }
        if !self.options.back && outcome.text().is_some() {
            self.evidence(outcome, &mut out);
        }
        if !outcome.diff.is_empty() {
            out += &format!("\n{}", look.diff(&outcome.diff));
        }
        out + "\n"
    }

    fn evidence(&self, outcome: &Outcome, out: &mut String) {
        let (look, watched) = (self.look, &outcome.watched);
        let all: u64 = watched.called.values().map(|times| times.times).sum();
        let since = visible(&self.options.since);
        let since = if since.parse::<jiff::Timestamp>().is_ok() {
            format!("since {since}")
        } else {
            format!("in the last {since}")
        };
        let say = |text: &str, out: &mut String| *out += &paragraph(text, 2, look.columns);
        let stopped: u64 = outcome.stops.iter().map(|stop| stop.times.times).sum();
        let basis = match outcome.recorded {
            true => format!("{} {since} under this text of the policy", counted(watched.under_policy, "call")),
            false => format!("{} {since}", counted(all, "call")),
        };
        let observes = matches!(outcome.proposal, Ok(Proposal::Rules { temper: Temper::Observe, .. }));
        if observes {
            return;
        }
        if all == 0 {
            say(&format!("No call {since}: there is no evidence yet."), out);
            return;
        }
        if outcome.recorded && watched.under_policy == 0 {
            let calls = counted(all, "call");
            say(
                &format!("{calls} {since}, none of them under this text of the policy: there is no evidence yet."),
                out,
            );
            return;
        }
        if stopped == 0 {
            say(&format!("Of {basis}, none would have been stopped."), out);
        } else {
            say(&format!("Of {basis}, {stopped} would have been stopped:"), out);
            out.push('\n');
            *out += &self.table(&outcome.stops);
            out.push('\n');
        }
        if !outcome.recorded && matches!(outcome.proposal, Ok(Proposal::Rules { .. })) {
            say(
                "The log has no values of arguments, so rules over them and limits could not be tried. To watch them first \
                 and stop nothing: add --temper observe.",
                out,
            );
        }
        if outcome.stops.iter().any(|stop| stop.effect == "ask") {
            say("A call that needs approval is refused: this version cannot hold calls.", out);
        }
    }

    fn table(&self, stops: &[Stop]) -> String {
        let look = self.look;
        let names = stops.iter().take(ROWS).map(|stop| width(&visible(&stop.name))).max().unwrap_or(0);
        let name = names.clamp(4, 30);
        let rest = look.columns.saturating_sub(4 + 5 + 2 + name + 2 + 14 + 2 + 16 + 2 + 16 + 2).max(14);
        let heads =
            [("TIMES", 5), ("TOOL", name), ("HOW", 14), ("FIRST (UTC)", 16), ("LAST (UTC)", 16), ("RULE", rest)];
        let wide = look.columns >= 100;
        let print = |cells: &[(&str, usize); 6]| {
            let [times, tool, how, first, last, rule] = *cells;
            match wide {
                true => row(4, cells),
                // Where there is no room, the rule stands below.
                false => {
                    let mut lines = row(4, &[times, tool, how, first, last]);
                    lines.extend(row(11, &[(rule.0, look.columns.saturating_sub(12))]));
                    lines
                }
            }
        };
        let mut out: String = print(&heads).iter().map(|line| look.faint(line) + "\n").collect();
        for stop in stops.iter().take(ROWS) {
            let how = match stop.effect {
                "hide" => "hidden",
                "ask" => "needs approval",
                _ => "denied",
            };
            let (tool, times) = (visible(&stop.name), stop.times.times.to_string());
            let (first, last, rule) = (minute(stop.times.first), minute(stop.times.last), visible(&stop.rule));
            let cells = [(times.as_str(), 5), (&tool, name), (how, 14), (&first, 16), (&last, 16), (&rule, rest)];
            print(&cells).iter().for_each(|line| out += &(line.clone() + "\n"));
        }
        if stops.len() > ROWS {
            out += &format!("    and {} more; --json has them all\n", stops.len() - ROWS);
        }
        out
    }
}

/// A time to the minute, as people read it.
fn minute(time: jiff::Timestamp) -> String {
    time.to_string().chars().take(16).map(|letter| if letter == 'T' { ' ' } else { letter }).collect()
}
