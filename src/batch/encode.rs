//! What a shard is made of: the bytes of its rows, one after the other, and what stands before and after them.

use super::columns::Column;
use super::features::{Extractor, Feature, Selection, put_floats, shown};
use super::format::{Format, TAR_BLOCK};
use super::job::Job;
use super::{Row, Subject};
use crate::failure::Failure;
use mam_runtime::file::{Bits, Container, Details, Dither, Format as FileFormat, Frames, Quantiser, Writer};
use std::io::Cursor;

/// Encodes rows on the thread that it is on.
pub struct Encoder<'s> {
    format: Format,
    subject: &'s Subject,
    columns: &'s [(String, Column)],
    frames: u64,
    features: Option<Extractor>,
    integers: Vec<i32>,
    bytes: Vec<u8>,
}

impl<'s> Encoder<'s> {
    /// For the rows of a job with these columns.
    pub fn new(job: &Job, subject: &'s Subject, columns: &'s [(String, Column)]) -> Encoder<'s> {
        let extractor =
            || Extractor::new(subject.program.rate, subject.channels(), Selection::new(&job.features));
        Encoder {
            format: job.format,
            subject,
            columns,
            frames: job.frames,
            features: (job.format == Format::Features).then(extractor),
            integers: vec![],
            bytes: vec![],
        }
    }

    /// What stands before the rows of a shard of so many.
    pub fn head(&self, rows: u64) -> Vec<u8> {
        match self.format {
            Format::F32 | Format::S16 | Format::Wav | Format::Flac => vec![],
            Format::Npy => npy_header(&[rows, self.frames, self.subject.channels() as u64]),
            Format::Features => {
                let names = self.columns.iter().map(|(name, _)| name.as_str());
                let asked = self.features.iter().flat_map(|extractor| extractor.selection().features());
                let measured = asked.flat_map(|feature| feature.columns()).copied();
                csv_line(&std::iter::once("row").chain(names).chain(measured).collect::<Vec<&str>>())
            }
        }
    }

    /// What stands after the rows.
    pub fn foot(&self) -> Vec<u8> {
        match self.format {
            Format::Wav | Format::Flac => vec![0; 2 * TAR_BLOCK],
            Format::F32 | Format::S16 | Format::Npy | Format::Features => vec![],
        }
    }

    /// Appends a row that sounds like this (interleaved frames).
    ///
    /// # Errors
    /// When a file cannot hold such a sound.
    pub fn row(&mut self, number: u64, row: &Row, sound: &[f32], into: &mut Vec<u8>) -> Result<(), Failure> {
        match self.format {
            Format::F32 | Format::Npy => put_floats(sound, into),
            Format::S16 => {
                self.integers.clear();
                Quantiser::new(16, Dither::Tpdf, self.subject.channels()).convert(sound, &mut self.integers);
                into.extend(self.integers.iter().flat_map(|&x| (x as i16).to_le_bytes()));
            }
            Format::Wav => self.files(number, row, (Container::Wav, sound), into)?,
            Format::Flac => self.files(number, row, (Container::Flac, sound), into)?,
            Format::Features => self.measured(number, row, sound, into),
        }
        Ok(())
    }

    /// The value of a column in a row, as it can be written again.
    fn shown(&self, row: &Row, column: Column) -> String {
        let note = |target: usize| row.notes.iter().flatten().find(|note| note.target == target);
        match column {
            Column::Param(param) => {
                let set = row.sets.iter().find(|(other, _)| *other == param).map(|&(_, x)| x);
                let x = set.unwrap_or(self.subject.program.params[param].default);
                let scale = self.subject.settable.info(param).scale();
                // What is read again is to be the same value.
                let near = [x / scale, (x / scale).next_up(), (x / scale).next_down()];
                near.into_iter().find(|y| y * scale == x).unwrap_or(near[0]).to_string()
            }
            Column::Id => row.id.clone().unwrap_or_default(),
            Column::Seed => row.seed.map_or(String::new(), |seed| seed.to_string()),
            Column::Tempo => row.tempo.map_or(String::new(), |bpm| bpm.to_string()),
            Column::Note(target) => note(target).map_or(String::new(), |note| note.note.to_string()),
            Column::Velocity(target) => note(target).map_or(String::new(), |note| note.vel.to_string()),
            Column::Gate(target) => {
                note(target).and_then(|note| note.gate).map_or(String::new(), |x| x.to_string())
            }
        }
    }

    /// A row's values by the names of its columns.
    pub fn values(&self, row: &Row) -> Vec<String> {
        self.columns.iter().map(|(_, column)| self.shown(row, *column)).collect()
    }

    fn measured(&mut self, number: u64, row: &Row, sound: &[f32], into: &mut Vec<u8>) {
        let mut cells = vec![number.to_string()];
        cells.extend(self.values(row));
        let Some(extractor) = &mut self.features else { return };
        let (found, hash) = (extractor.features(sound), extractor.hash(sound));
        for &feature in extractor.selection().features() {
            match feature {
                Feature::Hash => cells.extend(hash.clone()),
                _ => cells.extend(found.numbers(feature).iter().copied().map(shown)),
            }
        }
        into.extend(csv_line(&cells));
    }

    /// Appends a sound file and a file of the row's values, as entries of a tar file.
    fn files(
        &mut self,
        number: u64,
        row: &Row,
        (container, sound): (Container, &[f32]),
        into: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        let bits = container.default_bits();
        let (program, channels) = (&self.subject.program, self.subject.channels());
        let (rate, layout) = (program.rate, program.layout);
        let format = FileFormat { container, bits, dither: Dither::Tpdf, rate, channels, layout };
        let details = Details { title: self.subject.title.clone(), frames: Frames::Exactly(self.frames) };
        let mut file = Cursor::new(std::mem::take(&mut self.bytes));
        file.get_mut().clear();
        let written = Writer::new(&mut file, format, &details).and_then(|mut writer| {
            writer.write(sound)?;
            writer.finish()
        });
        written.map_err(|e| Failure::Usage(e.to_string()))?;
        self.bytes = file.into_inner();
        debug_assert!(bits != Bits::Int16);
        let name = format!("{number:09}");
        entry(&format!("{name}.{}", container.extensions()[0]), &self.bytes, into)?;
        let mut object = serde_json::Map::new();
        object.insert("row".into(), number.into());
        for ((name, column), value) in self.columns.iter().zip(self.values(row)) {
            object.insert(name.clone(), json(*column, value));
        }
        entry(&format!("{name}.json"), serde_json::Value::Object(object).to_string().as_bytes(), into)
    }
}

/// A column's value as JSON: a number where it is one.
fn json(column: Column, value: String) -> serde_json::Value {
    match column {
        Column::Id => value.into(),
        Column::Seed => value.parse::<u64>().map_or(serde_json::Value::Null, Into::into),
        _ => value.parse::<f64>().map_or(serde_json::Value::Null, Into::into),
    }
}

/// Appends an entry of a tar file, which says nothing of owners and times: the same rows give the same bytes.
fn entry(name: &str, bytes: &[u8], into: &mut Vec<u8>) -> Result<(), Failure> {
    let mut header = tar::Header::new_ustar();
    let failed = |e: std::io::Error| Failure::Io(format!("`{name}` cannot stand in a tar file: {e}"));
    header.set_path(name).map_err(failed)?;
    header.set_size(bytes.len() as u64);
    header.set_mode(0o644);
    header.set_mtime(0);
    header.set_entry_type(tar::EntryType::Regular);
    header.set_cksum();
    into.extend_from_slice(header.as_bytes());
    into.extend_from_slice(bytes);
    into.resize(into.len().next_multiple_of(TAR_BLOCK), 0);
    Ok(())
}

/// The header of a `.npy` file of 32-bit floats, version 1.0 of NumPy's format.
fn npy_header(shape: &[u64]) -> Vec<u8> {
    const MAGIC: &[u8; 8] = b"\x93NUMPY\x01\x00";
    let shape: Vec<String> = shape.iter().map(u64::to_string).collect();
    let mut text = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}), }}", shape.join(", "));
    let length = (MAGIC.len() + 2 + text.len() + 1).next_multiple_of(64) - MAGIC.len() - 2;
    text.push_str(&" ".repeat(length - text.len() - 1));
    text.push('\n');
    let mut header = MAGIC.to_vec();
    header.extend((length as u16).to_le_bytes());
    header.extend(text.as_bytes());
    header
}

/// A line of a CSV file.
fn csv_line<T: AsRef<[u8]>>(cells: &[T]) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().from_writer(vec![]);
    // A vector takes all that is written.
    let _ = writer.write_record(cells);
    writer.into_inner().unwrap_or_default()
}
