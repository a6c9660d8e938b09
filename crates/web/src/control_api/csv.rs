//! Tables for spreadsheets, as RFC 4180 writes them. A spreadsheet takes a cell for a formula by its first character;
//! names come from agents and servers, so such a cell begins with an apostrophe.

/// What a formula begins with: in ASCII, in the wide forms that some keyboards write, and what is skipped before it.
const FORMULA: [char; 12] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠', '\u{0}'];

/// What parts cells, in one program or another.
const PARTS: [char; 4] = [',', ';', '\t', '\n'];

/// Appends a row.
pub(super) fn row<'c>(out: &mut String, cells: impl IntoIterator<Item = &'c str>) {
    for (index, cell) in cells.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write(out, cell);
    }
    out.push_str("\r\n");
}

fn write(out: &mut String, cell: &str) {
    // Where `;` or a tab parts cells, a new one begins after it, quoted or not.
    let mut guarded = String::with_capacity(cell.len() + 2);
    let mut before = None;
    for letter in cell.chars() {
        let begins = match before {
            None => FORMULA.contains(&letter),
            Some(before) => PARTS.contains(&before) && FORMULA.contains(&letter) && !letter.is_control(),
        };
        if begins {
            guarded.push('\'');
        }
        guarded.push(letter);
        before = Some(letter);
    }
    if guarded == cell && !cell.contains([',', ';', '\t', '"', '\r', '\n']) {
        out.push_str(cell);
        return;
    }
    out.push('"');
    out.push_str(&guarded.replace('"', "\"\""));
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_where_they_must_be_and_none_is_a_formula() {
        for (cell, written) in [
            ("", ""),
            ("export", "export"),
            ("a b", "a b"),
            ("a,b", "\"a,b\""),
            ("a,-1", "\"a,'-1\""),
            ("a\"b", "\"a\"\"b\""),
            ("a\r\nb", "\"a\r\nb\""),
            ("=1+1", "\"'=1+1\""),
            ("+1", "\"'+1\""),
            ("-1", "\"'-1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("\t=1", "\"'\t'=1\""),
            ("\r=1", "\"'\r=1\""),
            ("\n=1", "\"'\n'=1\""),
            ("a;=1+1", "\"a;'=1+1\""),
            ("a\t=1", "\"a\t'=1\""),
            ("a;b", "\"a;b\""),
            ("＝1", "\"'＝1\""),
            ("=\",\"", "\"'=\"\",\"\"\""),
            ("a=1", "a=1"),
            ("'=1", "'=1"),
        ] {
            let mut out = String::new();
            row(&mut out, [cell, "x"]);
            assert_eq!(out, format!("{written},x\r\n"), "{cell:?}");
        }
    }
}
