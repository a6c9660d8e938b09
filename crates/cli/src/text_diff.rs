//! What changes between two texts, for people to read: a unified diff.

/// Lines around a change.
const CONTEXT: usize = 3;

/// The most lines between the first and the last change that are compared each with each.
const MOST: usize = 4_000;

/// One line of the way from a text to the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step<'a> {
    Same(&'a str),
    Gone(&'a str),
    New(&'a str),
}

/// The difference under a name; empty, where there is none.
pub fn unified(before: &str, after: &str, name: &str) -> String {
    let steps = steps(&before.lines().collect::<Vec<_>>(), &after.lines().collect::<Vec<_>>());
    let changed: Vec<usize> =
        (0..).zip(&steps).filter(|(_, step)| !matches!(step, Step::Same(_))).map(|(at, _)| at).collect();
    let Some(first) = changed.first() else { return String::new() };
    let mut hunks = vec![(*first, *first)];
    for at in changed {
        match hunks.last_mut() {
            Some((_, end)) if at <= *end + 2 * CONTEXT + 1 => *end = at,
            _ => hunks.push((at, at)),
        }
    }
    let mut out = format!("--- {name}\n+++ {name}\n");
    for (start, end) in hunks {
        let (start, end) = (start.saturating_sub(CONTEXT), (end + 1 + CONTEXT).min(steps.len()));
        let count = |steps: &[Step<'_>]| {
            let old = steps.iter().filter(|step| !matches!(step, Step::New(_))).count();
            let new = steps.iter().filter(|step| !matches!(step, Step::Gone(_))).count();
            (old, new)
        };
        let (old, new) = count(steps.get(..start).unwrap_or_default());
        let hunk = steps.get(start..end).unwrap_or_default();
        let (olds, news) = count(hunk);
        let line = |before: usize, has: usize| before + usize::from(has > 0);
        out += &format!("@@ -{},{olds} +{},{news} @@\n", line(old, olds), line(new, news));
        for step in hunk {
            let (sign, text) = match step {
                Step::Same(text) => (' ', text),
                Step::Gone(text) => ('-', text),
                Step::New(text) => ('+', text),
            };
            out.push(sign);
            out += &crate::client_files::visible(text);
            out.push('\n');
        }
    }
    out
}

fn steps<'a>(before: &[&'a str], after: &[&'a str]) -> Vec<Step<'a>> {
    let head = before.iter().zip(after).take_while(|(one, other)| one == other).count();
    let (common, before) = before.split_at(head);
    let after = after.get(head..).unwrap_or_default();
    let tail = before.iter().rev().zip(after.iter().rev()).take_while(|(one, other)| one == other).count();
    let (before, end) = before.split_at(before.len() - tail);
    let after = after.get(..after.len() - tail).unwrap_or_default();
    let mut steps: Vec<Step<'a>> = common.iter().map(|line| Step::Same(line)).collect();
    if before.len().saturating_mul(after.len()) > MOST * MOST {
        steps.extend(before.iter().map(|line| Step::Gone(line)));
        steps.extend(after.iter().map(|line| Step::New(line)));
    } else {
        middle(before, after, &mut steps);
    }
    steps.extend(end.iter().map(|line| Step::Same(line)));
    steps
}

/// By the longest common subsequence of lines.
fn middle<'a>(before: &[&'a str], after: &[&'a str], steps: &mut Vec<Step<'a>>) {
    let width = after.len() + 1;
    let mut longest = vec![0_u32; (before.len() + 1) * width];
    let at = |longest: &[u32], row: usize, column: usize| longest.get(row * width + column).copied().unwrap_or(0);
    for (row, old) in before.iter().enumerate().rev() {
        for (column, new) in after.iter().enumerate().rev() {
            let best = match old == new {
                true => at(&longest, row + 1, column + 1) + 1,
                false => at(&longest, row + 1, column).max(at(&longest, row, column + 1)),
            };
            if let Some(cell) = longest.get_mut(row * width + column) {
                *cell = best;
            }
        }
    }
    let (mut row, mut column) = (0, 0);
    loop {
        match (before.get(row), after.get(column)) {
            (None, None) => return,
            (Some(old), Some(new)) if old == new => {
                steps.push(Step::Same(old));
                (row, column) = (row + 1, column + 1);
            }
            (Some(old), new) if new.is_none() || at(&longest, row + 1, column) >= at(&longest, row, column + 1) => {
                steps.push(Step::Gone(old));
                row += 1;
            }
            (_, Some(new)) => {
                steps.push(Step::New(new));
                column += 1;
            }
            (Some(_), None) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the signs say, put together again, is each of the texts.
    fn taken_apart(before: &str, after: &str) {
        let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
        let steps = steps(&old, &new);
        let side = |is: fn(&Step<'_>) -> bool| {
            let text = |step: &Step<'_>| match *step {
                Step::Same(text) | Step::Gone(text) | Step::New(text) => text.to_owned(),
            };
            steps.iter().filter(|step| is(step)).map(text).collect::<Vec<_>>()
        };
        assert_eq!(side(|step| !matches!(step, Step::New(_))), old);
        assert_eq!(side(|step| !matches!(step, Step::Gone(_))), new);
    }

    #[test]
    fn nothing_is_lost_on_either_side() {
        let texts = ["", "a", "a\nb\nc", "a\nc", "c\nb\na", "x\na\nb\ny\nc\nz", "b\nb\nb"];
        for before in texts {
            for after in texts {
                taken_apart(before, after);
            }
        }
    }

    #[test]
    fn a_change_stands_among_its_neighbours() {
        let before = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
        let after = before.replace("5\n", "five\nand more\n");
        let wanted = "--- f\n+++ f\n@@ -2,7 +2,8 @@\n 2\n 3\n 4\n-5\n+five\n+and more\n 6\n 7\n 8\n";
        assert_eq!(unified(before, &after, "f"), wanted);
        assert_eq!(unified(before, before, "f"), "");
        assert_eq!(unified("", "a\n", "f"), "--- f\n+++ f\n@@ -0,0 +1,1 @@\n+a\n");
    }
}
