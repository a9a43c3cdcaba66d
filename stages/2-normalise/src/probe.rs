//! A look at the beginning of a file: how is it to be read?
//!
//! The format, the wrapping and the encoding are told by the bytes; the columns by their names; the order of day and month
//! by the first rows. What stays open is asked for, with the flag that answers it, and what was found is said in notes.
//! The rows of the sample are read by the very code that reads the file later.

mod dialect;
mod encoding;
mod error;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::ops::ControlFlow;

use doxa_ports::lake::RawBytes;
use doxa_schema::{Compression, DateOrder, DocumentKind, Field, Format, Reading};

use crate::decode::{FileError, Limits, unfold};
use crate::rows::{self, BadRow, Cells, Row};
use crate::time::{Form, form};
use crate::{mapping, parquet_rows};

pub use error::Error;

/// How much of the file is looked at: of its bytes, and of what they unfold to.
const HEAD_BYTES: u64 = 2 << 20;
/// How many rows are looked at.
const SAMPLE_ROWS: u64 = 1000;
/// How many rows are shown.
const PREVIEW_ROWS: usize = 3;

/// What the user knows better than the look does.
#[derive(Debug, Clone)]
pub struct Wishes {
    /// Which column holds which field.
    pub mapping: BTreeMap<Field, String>,
    /// The encoding.
    pub encoding: Option<String>,
    /// The separator of a CSV.
    pub delimiter: Option<char>,
    /// The names of the columns, if the first row does not hold them.
    pub header: Option<Vec<String>>,
    /// The zone of times that name none.
    pub zone: Option<String>,
    /// The order of day and month.
    pub dates: Option<DateOrder>,
    /// What a row is.
    pub kind: DocumentKind,
}

impl Default for Wishes {
    fn default() -> Self {
        Self {
            mapping: BTreeMap::new(),
            encoding: None,
            delimiter: None,
            header: None,
            zone: None,
            dates: None,
            kind: DocumentKind::Comment,
        }
    }
}

/// What the look found.
#[derive(Debug, Clone)]
pub struct Probe {
    /// How the file is to be read.
    pub reading: Reading,
    /// The kind of export, if it is a known one.
    pub known_as: Option<&'static str>,
    /// All columns.
    pub columns: Vec<String>,
    /// The first rows, by field.
    pub preview: Vec<BTreeMap<Field, String>>,
    /// What was found, converted or assumed, in sentences.
    pub notes: Vec<String>,
}

/// Looks at a file. `open` opens it anew at each call.
///
/// # Errors
/// If it is empty or of no known form, if its columns cannot be mapped, or if something is open that only the user knows.
pub fn look(
    open: &dyn Fn() -> std::io::Result<File>,
    wishes: &Wishes,
    limits: &Limits,
) -> Result<Probe, Error> {
    let mut notes = Vec::new();
    let head = Head::read(open().map_err(FileError::Read)?, limits)?;
    let (format, encoding, columns) = if head.is_parquet() {
        let columns = parquet_rows::columns(open().map_err(FileError::Read)?)?;
        (Format::Parquet, "UTF-8".to_owned(), columns)
    } else {
        let encoding = encoding::find(&head.bytes, head.whole, wishes.encoding.as_deref(), &mut notes)?;
        let text = encoding::decode(&head.bytes, encoding);
        let (format, columns) = dialect::find(&text, head.whole, wishes)?;
        (format, encoding.name().to_owned(), columns)
    };
    let known = mapping::recognise(&columns);
    let mut reading = Reading {
        format,
        compression: head.compression,
        encoding,
        mapping: mapping::find(&columns, &wishes.mapping)?,
        zone: wishes.zone.clone().unwrap_or_else(|| "UTC".to_owned()),
        kind: wishes.kind,
        dates: wishes.dates.or(known.and_then(|known| known.dates)),
    };
    let sample = Sample::read(open().map_err(FileError::Read)?, &reading, limits)?;
    sample.unmap_what_does_not_fit(&mut reading, wishes, &mut notes);
    sample.settle_times(&mut reading, wishes, &mut notes)?;
    note_what_is_missing(&reading, &mut notes);
    Ok(Probe { reading, known_as: known.map(|known| known.name), columns, preview: sample.preview, notes })
}

fn note_what_is_missing(reading: &Reading, notes: &mut Vec<String>) {
    if !reading.mapping.contains_key(&Field::Id) {
        notes.push("no column holds ids: they are derived from author, time and text".to_owned());
    }
    if !reading.mapping.contains_key(&Field::CreatedAt) {
        notes.push("no column holds times: rows count for the hour of this import".to_owned());
    }
}

/// The beginning of a file, out of its wrapping.
struct Head {
    compression: Compression,
    bytes: Vec<u8>,
    /// Whether the bytes are all of it.
    whole: bool,
}

impl Head {
    fn read(file: File, limits: &Limits) -> Result<Self, Error> {
        let mut raw = Vec::new();
        let whole =
            file.take(HEAD_BYTES).read_to_end(&mut raw).map_err(FileError::Read)? < HEAD_BYTES as usize;
        let compression = wrapping(&raw)?;
        if compression == Compression::None {
            return Ok(Self { compression, bytes: raw, whole });
        }
        let mut bytes = Vec::new();
        let unfolded = unfold(raw.as_slice(), compression, limits)?.take(HEAD_BYTES).read_to_end(&mut bytes);
        match unfolded {
            Ok(count) => Ok(Self { compression, whole: whole && count < HEAD_BYTES as usize, bytes }),
            // A wrapping that is cut off unfolds up to the cut; whether the file itself is, shows when it is read.
            Err(_) if !bytes.is_empty() => Ok(Self { compression, bytes, whole: false }),
            Err(error) => Err(FileError::from(error).into()),
        }
    }

    fn is_parquet(&self) -> bool {
        self.compression == Compression::None && self.bytes.starts_with(b"PAR1")
    }
}

fn wrapping(raw: &[u8]) -> Result<Compression, Error> {
    match raw {
        [] => Err(Error::Empty),
        [0x1F, 0x8B, ..] => Ok(Compression::Gzip),
        [0x28, 0xB5, 0x2F, 0xFD, ..] => Ok(Compression::Zstd),
        [b'P', b'K', 3, 4, ..] => Err(Error::Zip),
        _ => Ok(Compression::None),
    }
}

/// The first rows of a file.
#[derive(Default)]
struct Sample {
    rows: u64,
    preview: Vec<BTreeMap<Field, String>>,
    /// The forms of time seen, each with the first text of that form.
    forms: Vec<(Form, String)>,
    /// How many values a column has, and how many of them are not what its name promises.
    fits: BTreeMap<Field, (u64, u64)>,
    first_bad: Option<String>,
    good: u64,
}

impl Sample {
    fn read(file: File, reading: &Reading, limits: &Limits) -> Result<Self, Error> {
        let mut sample = Self::default();
        rows::read(RawBytes::from(file), reading, limits, &mut |row| sample.add(row))?;
        match sample.first_bad {
            Some(message) if sample.good == 0 => Err(Error::NoGoodRow { rows: sample.rows, message }),
            _ => Ok(sample),
        }
    }

    fn add(&mut self, row: Result<Row<'_>, BadRow<'_>>) -> ControlFlow<()> {
        self.rows += 1;
        match row {
            Ok(row) => {
                self.good += 1;
                self.add_form(&row.cells);
                self.add_fits(&row.cells);
                if self.preview.len() < PREVIEW_ROWS {
                    self.preview.push(shown(&row.cells));
                }
            }
            Err(bad) => {
                self.first_bad.get_or_insert_with(|| format!("line {}: {}", bad.line, bad.message));
            }
        }
        if self.rows < SAMPLE_ROWS { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }

    fn add_form(&mut self, cells: &Cells<'_>) {
        let cell = cells.get(Field::CreatedAt);
        let Some(text) = cell.text() else { return };
        let form = form(cell);
        if !self.forms.iter().any(|(seen, _)| *seen == form) {
            self.forms.push((form, text.into_owned()));
        }
    }

    fn add_fits(&mut self, cells: &Cells<'_>) {
        for field in [Field::Likes, Field::Replies, Field::CreatedAt] {
            let cell = cells.get(field);
            let misfit = match field {
                Field::CreatedAt => form(cell) == Form::Unreadable,
                _ => cell.count().is_err(),
            };
            let (values, misfits) = self.fits.entry(field).or_default();
            *values += u64::from(cell.text().is_some());
            *misfits += u64::from(misfit);
        }
    }

    /// A column that was found by its name, but holds something else, is not used: a `score` can be a count of likes, or
    /// a rating between 0 and 1.
    fn unmap_what_does_not_fit(&self, reading: &mut Reading, wishes: &Wishes, notes: &mut Vec<String>) {
        for (field, (values, misfits)) in &self.fits {
            if *misfits * 2 > *values
                && !wishes.mapping.contains_key(field)
                && let Some(column) = reading.mapping.remove(field)
            {
                let what = if *field == Field::CreatedAt { "times that can be read" } else { "counts" };
                notes.push(format!(
                    "`{column}` holds no {what} and is not used; --map {field}={column} insists"
                ));
            }
        }
    }

    fn first(&self, wanted: Form) -> Option<&str> {
        self.forms.iter().find(|(form, _)| *form == wanted).map(|(_, text)| text.as_str())
    }

    /// Finds the order of day and month, and says what is assumed.
    fn settle_times(
        &self,
        reading: &mut Reading,
        wishes: &Wishes,
        notes: &mut Vec<String>,
    ) -> Result<(), Error> {
        let Some(column) = reading.mapping.get(&Field::CreatedAt).cloned() else { return Ok(()) };
        let day_first = self.first(Form::LocalOrdered(DateOrder::DayFirst));
        let month_first = self.first(Form::LocalOrdered(DateOrder::MonthFirst));
        let either = self.first(Form::LocalEither);
        if reading.dates.is_none() {
            reading.dates = match (day_first, month_first, either) {
                (Some(day), Some(month), _) => {
                    return Err(Error::MixedDates {
                        column,
                        day_first: day.to_owned(),
                        month_first: month.to_owned(),
                    });
                }
                (None, None, Some(text)) => return Err(Error::EitherDate { column, text: text.to_owned() }),
                (Some(text), None, _) => {
                    notes.push(format!("in `{column}` the day comes before the month, as `{text}` shows"));
                    Some(DateOrder::DayFirst)
                }
                (None, Some(text), _) => {
                    notes.push(format!("in `{column}` the month comes before the day, as `{text}` shows"));
                    Some(DateOrder::MonthFirst)
                }
                (None, None, None) => None,
            };
        }
        let local = self.forms.iter().find(|(form, _)| !matches!(form, Form::Absolute | Form::Unreadable));
        if let (Some((_, text)), None) = (local, &wishes.zone) {
            notes.push(format!(
                "times such as `{text}` name no zone and are read as UTC; --zone NAME says otherwise"
            ));
        }
        Ok(())
    }
}

fn shown(cells: &Cells<'_>) -> BTreeMap<Field, String> {
    let fields = Field::ALL.into_iter();
    fields.filter_map(|field| Some((field, cells.get(field).text()?.into_owned()))).collect()
}
