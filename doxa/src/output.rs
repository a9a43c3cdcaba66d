//! Stdout: tables for people, JSON and CSV for programs. Stderr: errors.

use std::io::{ErrorKind, Write};

use serde::Serialize;

use crate::failure::{Exit, Failure};

/// Where the answer goes, and in which form.
pub(crate) struct Output {
    /// Whether JSON was asked for.
    pub(crate) json: bool,
    out: std::io::BufWriter<std::io::Stdout>,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self { json, out: std::io::BufWriter::new(std::io::stdout()) }
    }

    /// One line of text.
    pub(crate) fn line(&mut self, text: &str) -> Result<(), Failure> {
        writeln!(self.out, "{text}").or_else(gone)
    }

    /// One JSON object, on a line of its own.
    pub(crate) fn object(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string(value)?;
        self.line(&text)
    }

    /// A row of CSV.
    pub(crate) fn csv<S: AsRef<str>>(&mut self, fields: &[S]) -> Result<(), Failure> {
        let fields: Vec<_> = fields.iter().map(|field| csv_field(field.as_ref())).collect();
        self.line(&fields.join(","))
    }

    /// A table with a header; the last column takes the rest of the line.
    pub(crate) fn table(&mut self, header: &[&str], rows: &[Vec<String>]) -> Result<(), Failure> {
        let width = |column: usize| {
            let cells = rows.iter().map(|row| row[column].chars().count());
            cells.chain([header[column].chars().count()]).max().unwrap_or_default()
        };
        let widths: Vec<_> = (0..header.len()).map(width).collect();
        let header: Vec<_> = header.iter().map(|name| (*name).to_owned()).collect();
        for row in std::iter::once(&header).chain(rows) {
            let cells: Vec<_> =
                row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
            self.line(cells.join("  ").trim_end())?;
        }
        Ok(())
    }

    /// What was written reaches its reader.
    pub(crate) fn end(&mut self) -> Result<(), Failure> {
        self.out.flush().or_else(gone)
    }

    /// Says why it failed, where errors go, and gives the exit code.
    pub(crate) fn tell(&mut self, failure: &Failure) -> Exit {
        // Nobody is left to tell if stderr is gone too.
        let _told = self.out.flush().and_then(|()| writeln!(std::io::stderr(), "{failure}"));
        failure.code()
    }
}

/// A reader that has seen enough, such as `head`, is no failure.
fn gone(error: std::io::Error) -> Result<(), Failure> {
    if error.kind() == ErrorKind::BrokenPipe {
        std::process::exit(Exit::Ok as i32);
    }
    Err(anyhow::Error::from(error).context("cannot write to stdout").into())
}

/// A field of CSV, quoted if need be, and defused: a spreadsheet would run what begins like a formula.
fn csv_field(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']) && text.parse::<f64>().is_err();
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// A number with its thousands apart: `12,480`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// One line of a text: what would break it becomes a blank, what is beyond the width an ellipsis.
pub(crate) fn one_line(text: &str, width: usize) -> String {
    let flat: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(width + 1).collect();
    match flat.char_indices().nth(width) {
        Some((end, _)) => format!("{}…", &flat[..end]),
        None => flat,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_fields_are_quoted_and_defused() {
        let rows = [
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("say \"hi\"\nthere", "\"say \"\"hi\"\"\nthere\""),
            ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
            ("@SUM(1,2)", "\"'@SUM(1,2)\""),
            ("-5", "-5"),
            ("-5 stars", "'-5 stars"),
            ("", ""),
        ];
        for (text, wanted) in rows {
            assert_eq!(csv_field(text), wanted, "{text}");
        }
    }

    #[test]
    fn numbers_and_lines_are_short() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(one_line("a\nb", 9), "a b");
        assert_eq!(one_line("grüße alle", 5), "grüße…");
    }
}
