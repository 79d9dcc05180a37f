//! Rows from a file: CSV with a header of columns, or an object a line (JSONL).
//!
//! The file is read once to check every value, and to note where each [`STRIDE`]th row begins; then any row is found by its
//! number. An empty cell, or a key that is not there, leaves the song's own value.

use super::columns::{Cell, Column, Columns, clipped};
use super::hash::{Hasher, hex};
use super::{Row, Rows};
use crate::failure::Failure;
use mam_grammar::problem::count;
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Rows between two whose places in the file are kept.
pub const STRIDE: u64 = 64;
/// Rows with mistakes that are found before the file is given up.
const MOST_MISTAKES: usize = 10;
/// Bytes that a line may have.
const LONGEST_LINE: u64 = 1 << 20;

/// How a table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// Comma-separated values (RFC 4180), the first line with the columns' names.
    Csv,
    /// A JSON object a line.
    Jsonl,
}

impl Syntax {
    /// That of a file with this ending.
    pub fn of_ending(ending: &str) -> Option<Syntax> {
        match ending.to_ascii_lowercase().as_str() {
            "csv" => Some(Syntax::Csv),
            "jsonl" | "ndjson" => Some(Syntax::Jsonl),
            _ => None,
        }
    }
}

/// A file of rows that has been checked.
pub struct Table<'s> {
    columns: Columns<'s>,
    path: PathBuf,
    syntax: Syntax,
    /// The header of a CSV file.
    header: Vec<Column>,
    /// The columns that there are, by the names that they have in the file, in the order in which they first appear.
    pub names: Vec<String>,
    /// SHA-256 of the file.
    pub hash: String,
    places: Vec<Position>,
    count: u64,
}

/// Where a row begins.
#[derive(Clone, Copy, Debug)]
struct Position {
    byte: u64,
    line: u64,
}

impl<'s> Table<'s> {
    /// Reads and checks a file of rows.
    ///
    /// # Errors
    /// When it cannot be read, or columns or values are wrong: each with its line.
    pub fn read(path: &Path, syntax: Syntax, columns: Columns<'s>) -> Result<Table<'s>, Failure> {
        let mut table = Table {
            columns,
            path: path.to_path_buf(),
            syntax,
            header: vec![],
            names: vec![],
            hash: String::new(),
            places: vec![],
            count: 0,
        };
        table.hash = table.hashed()?;
        match syntax {
            Syntax::Csv => table.check_csv()?,
            Syntax::Jsonl => table.check_jsonl()?,
        }
        if table.count == 0 {
            return Err(Failure::WrongInput(format!("`{}` has no rows", path.display())));
        }
        Ok(table)
    }

    /// The name of the file, without folders.
    pub fn file(&self) -> String {
        file_name(&self.path)
    }

    fn open(&self) -> Result<File, Failure> {
        File::open(&self.path).map_err(|e| self.failed(&e))
    }

    fn failed(&self, e: &std::io::Error) -> Failure {
        Failure::read(&self.path.display().to_string(), e)
    }

    fn hashed(&self) -> Result<String, Failure> {
        let (mut file, mut hasher) = (self.open()?, Hasher::default());
        let mut block = vec![0; 1 << 16];
        loop {
            match file.read(&mut block).map_err(|e| self.failed(&e))? {
                0 => return Ok(hex(hasher)),
                bytes => hasher.add(&block[..bytes]),
            }
        }
    }

    /// Notes where the next row begins.
    fn note(&mut self, byte: u64, line: u64) {
        if self.count.is_multiple_of(STRIDE) {
            self.places.push(Position { byte, line });
        }
        self.count += 1;
    }

    fn check_csv(&mut self) -> Result<(), Failure> {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(BufReader::new(self.open()?));
        let mut mistakes = Mistakes::new(&self.path);
        let mut record = csv::StringRecord::new();
        if !reader.read_record(&mut record).map_err(|e| self.csv_failed(&e))? {
            return Err(Failure::WrongInput(format!(
                "`{}` is empty: its first line names the columns",
                self.path.display()
            )));
        }
        for name in &record {
            let name = without_mark(name).trim();
            self.header.push(match self.columns.find(name) {
                Ok(column) => column,
                Err(why) => {
                    mistakes.add(1, &why);
                    if mistakes.is_full() {
                        break;
                    }
                    Column::Id
                }
            });
            self.names.push(name.to_string());
        }
        mistakes.check()?;
        // Two are the same before there are more than a song has: told at the first, so the search is short.
        for (index, column) in self.header.iter().enumerate() {
            if self.header[..index].contains(column) {
                mistakes.add(1, &format!("there are two columns of `{}`", self.names[index]));
                break;
            }
        }
        mistakes.check()?;
        let mut row = Row::default();
        while reader.read_record(&mut record).map_err(|e| self.csv_failed(&e))? {
            let line = line_of(&record, reader.position());
            self.note(record.position().map_or(0, csv::Position::byte), line);
            if let Err(why) = self.csv_row(&record, &mut row) {
                mistakes.add(line, &why);
                if mistakes.is_full() {
                    break;
                }
            }
        }
        mistakes.check()
    }

    fn csv_failed(&self, e: &csv::Error) -> Failure {
        match e.kind() {
            csv::ErrorKind::Io(e) => self.failed(e),
            csv::ErrorKind::Utf8 { pos, .. } => {
                let line = pos.as_ref().map_or(0, csv::Position::line);
                Failure::WrongInput(format!("{}:{line}: it is not text in UTF-8", self.path.display()))
            }
            _ => Failure::WrongInput(format!("{}: {e}", self.path.display())),
        }
    }

    fn csv_row(&self, record: &csv::StringRecord, row: &mut Row) -> Result<(), String> {
        *row = Row::default();
        if record.len() != self.header.len() {
            return Err(format!(
                "it has {}, for {}",
                count(record.len(), "value"),
                count(self.header.len(), "column")
            ));
        }
        for (cell, &column) in record.iter().zip(&self.header) {
            let cell = cell.trim();
            if !cell.is_empty() {
                self.columns.put(row, column, Cell::Text(cell))?;
            }
        }
        self.columns.complete(row);
        Ok(())
    }

    fn check_jsonl(&mut self) -> Result<(), Failure> {
        let mut lines = Lines::new(self.open()?, Position { byte: 0, line: 1 });
        let mut mistakes = Mistakes::new(&self.path);
        let mut known: HashMap<String, Column> = HashMap::new();
        while let Some((place, text)) = lines.next().map_err(|e| self.failed(&e))? {
            self.note(place.byte, place.line);
            let names = &mut self.names;
            let fresh = |name: &str, _: Column| names.push(name.to_string());
            if let Err(why) = json_row(&self.columns, text, &mut known, fresh) {
                mistakes.add(place.line, &why);
                if mistakes.is_full() {
                    break;
                }
            }
        }
        mistakes.check()
    }

    /// What is wrong with a row that was right when it was checked.
    fn changed(&self, line: u64, why: &str) -> Failure {
        Failure::WrongInput(format!(
            "{}:{line}: {why}; it has changed since it was checked",
            self.path.display()
        ))
    }

    fn read_csv(&self, at: Position, skip: u64, count: u64, into: &mut Vec<Row>) -> Result<(), Failure> {
        let mut file = self.open()?;
        file.seek(SeekFrom::Start(at.byte)).map_err(|e| self.failed(&e))?;
        let mut reader =
            csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(BufReader::new(file));
        let mut record = csv::StringRecord::new();
        for index in 0..skip + count {
            if !reader.read_record(&mut record).map_err(|e| self.csv_failed(&e))? {
                return Err(self.changed(at.line, "rows are missing"));
            }
            if index >= skip {
                let mut row = Row::default();
                let line = at.line - 1 + line_of(&record, reader.position());
                self.csv_row(&record, &mut row).map_err(|why| self.changed(line, &why))?;
                into.push(row);
            }
        }
        Ok(())
    }

    fn read_jsonl(&self, at: Position, skip: u64, count: u64, into: &mut Vec<Row>) -> Result<(), Failure> {
        let mut lines = Lines::new(self.open()?, at);
        lines.rewind().map_err(|e| self.failed(&e))?;
        let mut known = HashMap::new();
        for index in 0..skip + count {
            let Some((place, text)) = lines.next().map_err(|e| self.failed(&e))? else {
                return Err(self.changed(at.line, "rows are missing"));
            };
            if index >= skip {
                let row = json_row(&self.columns, text, &mut known, |_, _| {});
                into.push(row.map_err(|why| self.changed(place.line, &why))?);
            }
        }
        Ok(())
    }
}

impl Rows for Table<'_> {
    fn count(&self) -> u64 {
        self.count
    }

    fn read(&self, range: Range<u64>, into: &mut Vec<Row>) -> Result<(), Failure> {
        let (at, skip) = (self.places[(range.start / STRIDE) as usize], range.start % STRIDE);
        let count = range.end - range.start;
        match self.syntax {
            Syntax::Csv => self.read_csv(at, skip, count, into),
            Syntax::Jsonl => self.read_jsonl(at, skip, count, into),
        }
    }
}

/// The last part of a path, as text.
pub(super) fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

/// The line on which a record begins, where `after` is the place after it: the reader's own line of a record is that of blank
/// ones before it.
fn line_of(record: &csv::StringRecord, after: &csv::Position) -> u64 {
    let within = record.iter().map(|cell| cell.matches('\n').count() as u64).sum::<u64>();
    let own = record.position().map_or(0, csv::Position::line);
    own.max(after.line().saturating_sub(1 + within))
}

/// The row of a JSON object. `known` keeps what names mean; `fresh` is found of those that are new.
pub fn json_row(
    columns: &Columns<'_>,
    text: &str,
    known: &mut HashMap<String, Column>,
    mut fresh: impl FnMut(&str, Column),
) -> Result<Row, String> {
    use serde_json::Value;
    let Members(members) = serde_json::from_str(text).map_err(|e| match e.classify() {
        serde_json::error::Category::Data => "it is not an object, such as {\"bd.f0\": 120}".to_owned(),
        _ => format!("it is not JSON, at column {}", e.column()),
    })?;
    let mut row = Row::default();
    for (index, (name, value)) in members.iter().enumerate() {
        if members[..index].iter().any(|(other, _)| other == name) {
            return Err(format!("`{name}` stands there twice"));
        }
        let column = match known.get(name) {
            Some(&column) => column,
            None => {
                let column = columns.find(name)?;
                if let Some((other, _)) = known.iter().find(|(_, other)| **other == column) {
                    return Err(format!("`{name}` and `{other}` are the same"));
                }
                fresh(name, column);
                known.insert(name.clone(), column);
                column
            }
        };
        match value {
            Value::Null => {}
            Value::Bool(on) => columns.put(&mut row, column, Cell::Number(f64::from(*on)))?,
            // A seed may have 64 bits, of which an f64 does not hold all.
            Value::Number(x) if column == Column::Seed && x.is_u64() => row.seed = x.as_u64(),
            Value::Number(x) => {
                columns.put(&mut row, column, Cell::Number(x.as_f64().unwrap_or(f64::NAN)))?
            }
            Value::String(text) => columns.put(&mut row, column, Cell::Text(text))?,
            Value::Array(_) | Value::Object(_) => return Err(format!("`{name}` is not a number")),
        }
    }
    columns.complete(&mut row);
    Ok(row)
}

/// The members of an object as they stand there: also those of which there are two.
struct Members(Vec<(String, serde_json::Value)>);

impl<'de> serde::Deserialize<'de> for Members {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Members, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Members;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = vec![];
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        from.deserialize_map(Visitor)
    }
}

/// A text without the mark of its encoding with which some programs begin a file.
fn without_mark(text: &str) -> &str {
    text.trim_start_matches('\u{feff}')
}

/// The lines of a file that are not blank.
struct Lines {
    file: BufReader<File>,
    next: Position,
    text: String,
}

impl Lines {
    fn new(file: File, at: Position) -> Lines {
        Lines { file: BufReader::new(file), next: at, text: String::new() }
    }

    fn rewind(&mut self) -> std::io::Result<()> {
        self.file.seek(SeekFrom::Start(self.next.byte)).map(|_| ())
    }

    fn next(&mut self) -> std::io::Result<Option<(Position, &str)>> {
        loop {
            self.text.clear();
            let place = self.next;
            let bytes = (&mut self.file).take(LONGEST_LINE).read_line(&mut self.text)? as u64;
            if bytes == LONGEST_LINE {
                return Err(std::io::Error::other("a line is longer than 1 MiB"));
            }
            self.next = Position { byte: place.byte + bytes, line: place.line + 1 };
            if bytes == 0 {
                return Ok(None);
            }
            if !without_mark(&self.text).trim().is_empty() {
                return Ok(Some((place, without_mark(&self.text).trim())));
            }
        }
    }
}

/// What is wrong with a file, each with its line.
struct Mistakes {
    file: String,
    found: Vec<String>,
}

impl Mistakes {
    fn new(path: &Path) -> Mistakes {
        Mistakes { file: path.display().to_string(), found: vec![] }
    }

    fn add(&mut self, line: u64, why: &str) {
        self.found.push(format!("{}:{line}: {}", self.file, clipped(why)));
    }

    fn is_full(&self) -> bool {
        self.found.len() >= MOST_MISTAKES
    }

    fn check(&mut self) -> Result<(), Failure> {
        if self.found.is_empty() {
            return Ok(());
        }
        if self.is_full() {
            self.found.push("the rest of the file was not looked at".into());
        }
        Err(Failure::WrongInput(self.found.join("\n")))
    }
}
