//! A derivation as text.

use std::fmt;

use super::{Derivation, Said, Stage, Step};

fn heading(stage: Stage) -> &'static str {
    match stage {
        Stage::Hidden => "hidden?",
        Stage::Definition => "definition",
        Stage::Naming => "opened by",
        Stage::Action => "action",
        Stage::Arguments => "arguments",
        Stage::Schema => "schema",
        Stage::Require => "require",
        Stage::DenyIf => "deny if",
        Stage::Approval => "approval",
        Stage::Limits => "limits",
    }
}

impl fmt::Display for Derivation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {} ({}) on {}", self.effect.as_str().to_uppercase(), self.tool, self.class, self.server)?;
        write!(f, "  rule    {}", self.rule)?;
        if !self.rule.pointer.is_empty() {
            write!(f, "  at {}", self.rule.pointer)?;
        }
        writeln!(f)?;
        if let Some(reason) = &self.reason {
            writeln!(f, "  reason  {reason}")?;
        }
        if let Some(detail) = &self.detail {
            writeln!(f, "  detail  {detail}")?;
        }
        writeln!(f)?;
        for step in &self.steps {
            self.step(step, f)?;
        }
        for used in &self.limits {
            let shadow = if used.observed { " (observed, a shadow count)" } else { "" };
            writeln!(f, "takes {} of {} from `{}`  {}{shadow}", used.amount, used.max, used.counter, used.rule)?;
        }
        if let Some(results) = &self.results {
            writeln!(f, "results: {results}  /results")?;
        }
        for would in &self.would {
            writeln!(f, "observed: would {}  {}", would.effect, would.rule)?;
        }
        Ok(())
    }
}

impl Derivation {
    fn step(&self, step: &Step, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match (step.decides, step.said) {
            (true, _) => "=>",
            (false, Said::Passes) => "  ",
            (false, Said::Objects) => " x",
        };
        write!(f, "{mark} {:<10} ", heading(step.stage))?;
        if let Some(rule) = &step.rule {
            write!(f, "{rule}: ")?;
        }
        let observed = if step.observed { " (observed)" } else { "" };
        writeln!(f, "{}{observed}", step.text)?;
        for tested in &step.conditions {
            writeln!(f, "{:16}{}: {} ({})", "", tested.condition, tested.truth, tested.found)?;
        }
        Ok(())
    }
}
