//! Rows from a space of values, written in TOML: a grid, distributions, or both. Row `n` follows from its number alone, so that
//! 10⁸ rows need no file.
//!
//! ```toml
//! rows = 100000                                     # those of the grid where it is left out
//! seed = 1
//!
//! [columns]
//! "bd.f0" = { uniform = ["40Hz", "120Hz"] }         # each value as likely
//! "bd.amp_decay" = { log = ["50ms", "2s"] }         # each ratio as likely
//! "bd.click" = { choice = [0, 0.2, 0.5] }           # each of a list as likely
//! "bd.fend" = { sobol = [20, 60] }                  # evenly spread, together with other columns
//! "bd.gain" = [0.5, 1]                              # an axis of the grid
//! tempo = { from = 80, to = 160, steps = 9 }        # the same, in equal steps
//! seed = "row"                                      # the row's number
//! ```
//!
//! What is drawn is a hash (SplitMix64, by Vigna) of the space's seed, the column's name and the row's number: another column
//! changes nothing in those that are there. Rows run through the grid with the last axis the fastest, again and again.

use super::columns::{Cell, Column, Columns};
use super::sobol::{self, Dimension};
use super::{Row, Rows};
use crate::failure::Failure;
use std::ops::Range;
use std::path::Path;
use toml::{Table, Value};

/// A space of values that has been checked.
pub struct Space<'s> {
    columns: Columns<'s>,
    /// The name of the file, without folders.
    pub file: String,
    /// The names of the columns, as they are written.
    pub names: Vec<String>,
    axes: Vec<(Column, Values)>,
    count: u64,
}

/// The values of a column over the rows.
#[derive(Clone, Debug)]
enum Values {
    /// An axis of the grid, and the number of rows for which each of its values stays.
    Axis(Vec<Written>, u64),
    /// Drawn from a list.
    Choice(Vec<Written>, u64),
    /// Drawn between two values.
    Between(Spread, f64, f64, Source),
    /// The row's number.
    Row,
}

/// How values are spread between two.
#[derive(Clone, Copy, Debug)]
enum Spread {
    Linear,
    Log,
}

/// Where a number between 0 and 1 comes from.
#[derive(Clone, Debug)]
enum Source {
    /// A hash of this and of the row's number.
    Hash(u64),
    Sobol(Box<Dimension>),
}

/// A value as it is written, which is read anew for each row.
#[derive(Clone, Debug)]
enum Written {
    Number(f64),
    Text(String),
}

impl Written {
    fn cell(&self) -> Cell<'_> {
        match self {
            Written::Number(x) => Cell::Number(*x),
            Written::Text(text) => Cell::Text(text),
        }
    }
}

/// The most values that an axis may have.
const LONGEST_AXIS: i64 = 1 << 20;

impl<'s> Space<'s> {
    /// Reads and checks a space from the text of `path`.
    ///
    /// # Errors
    /// When it is not such a space, or columns or values are wrong.
    pub fn parse(path: &Path, text: &str, columns: Columns<'s>) -> Result<Space<'s>, Failure> {
        let failed = |why: String| Failure::WrongInput(format!("{}: {why}", path.display()));
        let file: Table = toml::from_str(text).map_err(|e| {
            let line = e.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
            Failure::WrongInput(format!("{}:{line}: {}", path.display(), e.message()))
        })?;
        let mut space =
            Space { columns, file: super::table::file_name(path), names: vec![], axes: vec![], count: 0 };
        space.fill(&file).map_err(failed)?;
        Ok(space)
    }

    fn fill(&mut self, file: &Table) -> Result<(), String> {
        if let Some(other) = file.keys().find(|key| !["rows", "seed", "columns"].contains(&key.as_str())) {
            return Err(format!("there is nothing called `{other}`: it has `rows`, `seed` and `[columns]`"));
        }
        let whole = |key: &str| match file.get(key) {
            None => Ok(None),
            Some(Value::Integer(n)) if *n >= 0 => Ok(Some(*n as u64)),
            Some(_) => Err(format!("`{key}` is a whole number")),
        };
        let (rows, seed) = (whole("rows")?, whole("seed")?.unwrap_or(0));
        let Some(Value::Table(columns)) = file.get("columns") else {
            return Err("it has no `[columns]`".into());
        };
        let mut sobols = 0;
        for (name, value) in columns {
            let column = self.columns.find(name).map_err(|why| match value {
                // `bd.f0 = …` is a table `bd` with a member `f0`.
                Value::Table(inner) => {
                    match inner.keys().find(|key| self.columns.find(&format!("{name}.{key}")).is_ok()) {
                        Some(key) => {
                            format!("`{name}.{key}` has a point: write it in quotes, `\"{name}.{key}\" = …`")
                        }
                        None => why,
                    }
                }
                _ => why,
            })?;
            if self.axes.iter().any(|(other, _)| *other == column) {
                return Err(format!("there are two columns of `{name}`"));
            }
            let values = self.values(name, column, value, seed, &mut sobols);
            self.axes.push((column, values.map_err(|why| format!("column `{name}`: {why}"))?));
            self.names.push(name.clone());
        }
        let mut product = 1_u64;
        let mut has_axes = false;
        for (_, values) in self.axes.iter_mut().rev() {
            if let Values::Axis(all, stays) = values {
                *stays = product;
                has_axes = true;
                product = product.checked_mul(all.len() as u64).ok_or("the grid has more than 2⁶⁴ rows")?;
            }
        }
        self.count = match rows {
            Some(0) => return Err("`rows` is 0".into()),
            Some(rows) => rows,
            None if has_axes => product,
            None => return Err("`rows` is missing: nothing else says how many there are to be".into()),
        };
        if sobols > 0 && self.count > sobol::POINTS {
            return Err(format!(
                "a `sobol` sequence has {} points, fewer than there are rows",
                sobol::POINTS
            ));
        }
        Ok(())
    }

    fn values(
        &self,
        name: &str,
        column: Column,
        value: &Value,
        seed: u64,
        sobols: &mut usize,
    ) -> Result<Values, String> {
        let hash = mix(seed ^ fnv1a(name));
        let table = match value {
            Value::String(text) if text == "row" && matches!(column, Column::Seed | Column::Id) => {
                return Ok(Values::Row);
            }
            Value::Array(list) => return Ok(Values::Axis(self.list(column, list)?, 1)),
            Value::Table(table) => table,
            single => return Ok(Values::Axis(self.list(column, std::slice::from_ref(single))?, 1)),
        };
        let keys: Vec<&str> = table.keys().map(String::as_str).collect();
        match keys[..] {
            ["choice"] => match &table["choice"] {
                Value::Array(list) => Ok(Values::Choice(self.list(column, list)?, hash)),
                _ => Err("`choice` is a list of values".into()),
            },
            [how @ ("uniform" | "log" | "sobol")] => {
                let spread = if how == "log" { Spread::Log } else { Spread::Linear };
                let (least, most) = self.bounds(column, how, &table[how], spread)?;
                let source = match how {
                    "sobol" if *sobols >= sobol::DIMENSIONS => {
                        return Err(format!("`sobol` has {} dimensions: draw the others", sobol::DIMENSIONS));
                    }
                    "sobol" => {
                        *sobols += 1;
                        Source::Sobol(Box::new(Dimension::new(*sobols - 1, (hash >> 32) as u32)))
                    }
                    _ => Source::Hash(hash),
                };
                Ok(Values::Between(spread, least, most, source))
            }
            _ if table.contains_key("from") => Ok(Values::Axis(self.steps(column, table)?, 1)),
            _ => Err("it is a list, or has one of `uniform`, `log`, `choice` and `sobol`, or `from`, `to` and `steps`".into()),
        }
    }

    /// Checks each value of a list.
    fn list(&self, column: Column, list: &[Value]) -> Result<Vec<Written>, String> {
        if list.is_empty() {
            return Err("the list is empty".into());
        }
        let read = |value: &Value| {
            let written = match value {
                Value::Integer(n) if column == Column::Seed => Written::Text(n.to_string()),
                Value::Integer(n) => Written::Number(*n as f64),
                Value::Float(x) => Written::Number(*x),
                Value::Boolean(on) => Written::Number(f64::from(*on)),
                Value::String(text) => Written::Text(text.clone()),
                other => return Err(format!("a value is a number or a text, not a {}", other.type_str())),
            };
            self.columns.put(&mut Row::default(), column, written.cell()).map(|()| written)
        };
        list.iter().map(read).collect()
    }

    /// Two values in base units, the least first.
    fn bounds(&self, column: Column, how: &str, value: &Value, spread: Spread) -> Result<(f64, f64), String> {
        let Value::Array(list) = value else { return Err(format!("`{how}` is a list of two values")) };
        let [least, most] = &self.list(column, list)?[..] else {
            return Err(format!("`{how}` is a list of two values"));
        };
        let (least, most) = (self.base(column, least)?, self.base(column, most)?);
        if least > most {
            return Err("the least value comes first".into());
        }
        if matches!(spread, Spread::Log) && least <= 0.0 {
            return Err("`log` is between values above 0".into());
        }
        Ok((least, most))
    }

    /// A value in base units.
    fn base(&self, column: Column, written: &Written) -> Result<f64, String> {
        let mut row = Row::default();
        self.columns.put(&mut row, column, written.cell())?;
        let note = row.notes.iter().flatten().next();
        match column {
            Column::Param(_) => Ok(row.sets[0].1),
            Column::Tempo => Ok(row.tempo.unwrap_or_default()),
            Column::Note(_) => Ok(note.map_or(0.0, |note| note.note)),
            Column::Velocity(_) => Ok(note.map_or(0.0, |note| note.vel)),
            Column::Gate(_) => Ok(note.and_then(|note| note.gate).unwrap_or_default()),
            Column::Id | Column::Seed => Err("it is drawn from a list (`choice`), or is `\"row\"`".into()),
        }
    }

    /// An axis of equal steps, or of equal ratios with `scale = "log"`.
    fn steps(&self, column: Column, table: &Table) -> Result<Vec<Written>, String> {
        if let Some(other) =
            table.keys().find(|key| !["from", "to", "steps", "scale"].contains(&key.as_str()))
        {
            return Err(format!("there is nothing called `{other}` beside `from`"));
        }
        let Some(&Value::Integer(steps @ 2..=LONGEST_AXIS)) = table.get("steps") else {
            return Err(format!("`steps` is a whole number from 2 to {LONGEST_AXIS}"));
        };
        let spread = match table.get("scale").map(Value::as_str) {
            None | Some(Some("linear")) => Spread::Linear,
            Some(Some("log")) => Spread::Log,
            Some(_) => return Err("`scale` is \"linear\" or \"log\"".into()),
        };
        let end = |key: &str| {
            let value = table.get(key).ok_or_else(|| format!("`{key}` is missing"))?;
            self.base(column, &self.list(column, std::slice::from_ref(value))?[0])
        };
        let (from, to) = (end("from")?, end("to")?);
        if matches!(spread, Spread::Log) && (from <= 0.0 || to <= 0.0) {
            return Err("`log` is between values above 0".into());
        }
        let scale = match column {
            Column::Param(param) => self.columns.subject().settable.info(param).scale(),
            _ => 1.0,
        };
        let value = |i: i64| between(spread, from, to, i as f64 / (steps - 1) as f64) / scale;
        Ok((0..steps).map(|i| Written::Number(value(i))).collect())
    }

    fn row(&self, number: u64) -> Result<Row, Failure> {
        let mut row = Row::default();
        for (column, values) in &self.axes {
            let put = match values {
                Values::Row => {
                    match column {
                        Column::Seed => row.seed = Some(number),
                        _ => row.id = Some(number.to_string()),
                    }
                    Ok(())
                }
                Values::Axis(all, stays) => {
                    let index = number / stays % all.len() as u64;
                    self.columns.put(&mut row, *column, all[index as usize].cell())
                }
                Values::Choice(all, hash) => {
                    let index = (drawn(*hash, number) * all.len() as f64) as usize;
                    self.columns.put(&mut row, *column, all[index.min(all.len() - 1)].cell())
                }
                Values::Between(spread, least, most, source) => {
                    let at = match source {
                        Source::Hash(hash) => drawn(*hash, number),
                        Source::Sobol(dimension) => dimension.at(number),
                    };
                    self.put_base(&mut row, *column, between(*spread, *least, *most, at))
                }
            };
            put.map_err(|why| Failure::WrongInput(format!("row {number}: {why}")))?;
        }
        self.columns.complete(&mut row);
        Ok(row)
    }

    /// Puts a value in base units into a row.
    fn put_base(&self, row: &mut Row, column: Column, x: f64) -> Result<(), String> {
        match column {
            Column::Param(param) => {
                row.sets.push((param, x));
                Ok(())
            }
            other => self.columns.put(row, other, Cell::Number(x)),
        }
    }
}

impl Rows for Space<'_> {
    fn count(&self) -> u64 {
        self.count
    }

    fn read(&self, range: Range<u64>, into: &mut Vec<Row>) -> Result<(), Failure> {
        for number in range {
            into.push(self.row(number)?);
        }
        Ok(())
    }
}

/// The value at `at`, 0 to 1, between two. The same on every machine: `libm` is plain arithmetic.
fn between(spread: Spread, from: f64, to: f64, at: f64) -> f64 {
    let x = match spread {
        Spread::Linear => from + (to - from) * at,
        Spread::Log => from * libm::exp(libm::log(to / from) * at),
    };
    x.clamp(from.min(to), from.max(to))
}

/// A number from 0 to below 1 that belongs to a row.
fn drawn(hash: u64, row: u64) -> f64 {
    (mix(hash ^ mix(row)) >> 11) as f64 / (1_u64 << 53) as f64
}

/// The next number of SplitMix64 after the state `x`.
fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
