//! What the Python package is made of: the same code as `mamc batch`, over arrays of NumPy. The package itself, in `package/`,
//! is what users see.
//!
//! Whatever takes time lets go of the interpreter's lock. No thread lives on between calls, so a process may fork.

use mamc::args::HowArgs;
use mamc::batch::columns::{Cell, Column, Columns, check_note, clipped};
use mamc::batch::features::{Feature, Features, Selection, features_of};
use mamc::batch::format::Format;
use mamc::batch::render::{Layout, render_all};
use mamc::batch::subject::{Dimension, ParamInfo};
use mamc::batch::write::{Settings, Source, write};
use mamc::batch::{Row, RowNote, Subject};
use mamc::compiling::{Compiled, compile_song};
use mamc::failure::Failure;
use mamc::input::Song;
use mamc::offline::{Job, Span};
use mamc::output::Inputs;
use mamc::report::json::document;
use mamc::values::{Assignment, Length, Rate, RowRange};
use numpy::{PyArray1, PyArrayDyn, PyArrayMethods, PyReadwriteArrayDyn};
use pyo3::exceptions::{PyMemoryError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// What is freed is kept for the next array, and compiling is many small allocations.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A parameter: name, default, least and greatest value in base units, unit, plain numbers' factor, curve.
type ParamRow = (String, f64, f64, f64, String, f64, String);
/// A note: start and length in seconds, MIDI note, velocity, instrument.
type NoteRow = (f64, Option<f64>, f64, f64, Option<String>);

/// A compiled song.
#[pyclass(frozen)]
struct Native {
    subject: Subject,
    /// The files that it was read from, the song's own first.
    read_from: Vec<String>,
}

/// A failure as Python's error.
fn failed(failure: Failure) -> PyErr {
    PyValueError::new_err(failure.to_string())
}

fn wrong(why: String) -> PyErr {
    PyValueError::new_err(why)
}

/// How a song is compiled, from the arguments of `compile`.
fn how(
    rate: Option<u32>,
    channels: Option<usize>,
    seed: Option<u64>,
    portable: bool,
    sets: Vec<String>,
    allow_outside: bool,
) -> PyResult<HowArgs> {
    let sets: Result<Vec<Assignment>, String> = sets.iter().map(|set| set.parse()).collect();
    let rate = rate.map(|rate| rate.to_string().parse::<Rate>()).transpose().map_err(wrong)?;
    Ok(HowArgs {
        sets: sets.map_err(wrong)?,
        seed,
        rate,
        portable,
        allow_outside,
        channels: channels.unwrap_or(0),
        ..HowArgs::default()
    })
}

/// Compiles a text, or the file at a path: the song, if it has no errors, and its problems as JSON.
#[pyfunction]
#[pyo3(signature = (text, path, name, rate, channels, seed, portable, sets, allow_outside))]
#[expect(clippy::too_many_arguments, reason = "they are the keywords of `mamc.compile`")]
fn compile(
    py: Python<'_>,
    text: Option<String>,
    path: Option<String>,
    name: String,
    rate: Option<u32>,
    channels: Option<usize>,
    seed: Option<u64>,
    portable: bool,
    sets: Vec<String>,
    allow_outside: bool,
) -> PyResult<(Option<Native>, String)> {
    let how = how(rate, channels, seed, portable, sets, allow_outside)?;
    py.detach(|| {
        let song = match (text, path) {
            (Some(text), _) => Song::of_text(&name, &text),
            (None, path) => Song::read(Path::new(path.as_deref().unwrap_or("")), None).map_err(failed)?,
        };
        let compiled: Compiled = compile_song(song.clone(), &how);
        let problems = document(&[compiled.found()], Vec::<()>::new());
        if compiled.compilation.program.is_none() {
            return Ok((None, problems));
        }
        let read_from = compiled.used.iter().map(|path| path.display().to_string()).collect();
        let subject = Subject::new(compiled, song, &how).map_err(failed)?;
        Ok((Some(Native { subject, read_from }), problems))
    })
}

#[pymethods]
impl Native {
    #[getter]
    fn rate(&self) -> u32 {
        self.subject.program.rate
    }

    #[getter]
    fn latency(&self) -> u32 {
        self.subject.program.latency
    }

    #[getter]
    fn channels(&self) -> usize {
        self.subject.channels()
    }

    #[getter]
    fn title(&self) -> Option<String> {
        self.subject.title.clone()
    }

    #[getter]
    fn portable(&self) -> bool {
        self.subject.is_portable
    }

    #[getter]
    fn hash(&self) -> String {
        self.subject.hash.hash.clone()
    }

    #[getter]
    fn read_from(&self) -> Vec<String> {
        self.read_from.clone()
    }

    #[getter]
    fn instruments(&self) -> Vec<String> {
        self.subject.program.targets.iter().map(|target| target.midi.name.to_string()).collect()
    }

    fn params(&self) -> Vec<ParamRow> {
        let row = |(_, name, info): (_, &Arc<str>, &ParamInfo)| {
            let curve = format!("{:?}", info.curve).to_lowercase();
            (name.to_string(), info.default, info.min, info.max, unit(info), info.scale(), curve)
        };
        self.subject.settable.iter().map(row).collect()
    }

    /// Frames of a length: seconds, or text such as `"2 bars"`.
    fn frames(&self, duration: &Bound<'_, PyAny>) -> PyResult<u64> {
        if let Ok(text) = duration.cast::<PyString>() {
            let length: Length = text.to_str()?.parse().map_err(wrong)?;
            let span = Span { duration: Some(length), ..Span::default() };
            return Ok(Job::new(self.subject.program.clone(), span).map_err(failed)?.end());
        }
        let frames = duration.extract::<f64>()? * f64::from(self.subject.program.rate) + 0.5;
        const MOST: f64 = 1e12;
        if (0.0..MOST).contains(&frames) {
            Ok(frames as u64)
        } else {
            Err(wrong(format!("{duration} is not a length of time")))
        }
    }

    /// An array of 32-bit floats, all 0, to render into. Its memory is this package's own: what one array leaves is there for the
    /// next, whereas the system would map each page of a new one again, which takes as long as the sound.
    #[staticmethod]
    fn array<'py>(py: Python<'py>, shape: Vec<usize>) -> PyResult<Bound<'py, PyArrayDyn<f32>>> {
        let too_large = || PyMemoryError::new_err(format!("an array of the shape {shape:?} does not fit"));
        let size =
            shape.iter().try_fold(1_usize, |size, &axis| size.checked_mul(axis)).ok_or_else(too_large)?;
        Vec::<f32>::new().try_reserve_exact(size).map_err(|_| too_large())?;
        PyArray1::from_vec(py, vec![0.0_f32; size]).reshape(shape.clone())
    }

    /// Renders rows into an array of 32-bit floats, which has room for exactly them. Returns what did not sound as it should.
    #[pyo3(signature = (rows, frames, out, threads, planar, notes))]
    fn render_into(
        &self,
        py: Python<'_>,
        rows: &Bound<'_, PyList>,
        frames: u64,
        out: &Bound<'_, PyArrayDyn<f32>>,
        threads: usize,
        planar: bool,
        notes: Option<Vec<NoteRow>>,
    ) -> PyResult<Vec<(usize, String)>> {
        let mut rows = self.rows(rows)?;
        if let Some(notes) = notes {
            let notes = self.notes(notes)?;
            rows.iter_mut().for_each(|row| row.notes = Some(notes.clone()));
        }
        let mut array: PyReadwriteArrayDyn<'_, f32> = out.try_readwrite()?;
        let sound = array.as_slice_mut().map_err(|_| wrong("`out` is not contiguous".into()))?;
        if sound.len() as u64 != rows.len() as u64 * frames * self.subject.channels() as u64 {
            return Err(wrong("`out` has another size than what is rendered".into()));
        }
        let layout = if planar { Layout::Planar } else { Layout::Interleaved };
        Ok(py.detach(|| render_all(&self.subject, &rows, frames, threads, layout, sound)))
    }

    /// The columns of the features that are asked for (all where none is) with a list of numbers each, one a row; and the
    /// hashes of the rows' sounds, if these are asked for.
    fn features(
        &self,
        py: Python<'_>,
        rows: &Bound<'_, PyList>,
        frames: u64,
        threads: usize,
        names: Vec<String>,
    ) -> PyResult<(Vec<NumberColumn>, Option<Vec<String>>)> {
        let rows = self.rows(rows)?;
        let asked = names.iter().map(|name| feature(name)).collect::<PyResult<Vec<Feature>>>()?;
        let selection = Selection::new(&asked);
        let found = py.detach(|| features_of(&self.subject, &rows, frames, threads, &selection));
        let columns =
            selection.features().iter().flat_map(|&feature| number_columns(feature, &found)).collect();
        let has_hash = selection.features().contains(&Feature::Hash);
        let hashes = has_hash.then(|| found.into_iter().filter_map(|(_, hash)| hash).collect());
        Ok((columns, hashes))
    }

    /// Writes shards as `mamc batch` does, of the rows of a file or of a list. Returns the path of the manifest.
    #[pyo3(signature = (source, folder, **options))]
    fn write_shards(
        &self,
        py: Python<'_>,
        source: &Bound<'_, PyAny>,
        folder: String,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<String> {
        let mut settings = Settings { folder: folder.into(), ..Settings::default() };
        let mut frames = None;
        for (name, value) in options.into_iter().flat_map(|options| options.iter()) {
            match name.extract::<String>()?.as_str() {
                "duration" => frames = Some(self.frames(&value)?),
                "features" => {
                    let names: Vec<String> = value.extract()?;
                    settings.features =
                        names.iter().map(|name| feature(name)).collect::<PyResult<Vec<Feature>>>()?;
                }
                "format" => settings.format = format(&value.extract::<String>()?)?,
                "rows" => {
                    let range: RowRange = value.extract::<String>()?.parse().map_err(wrong)?;
                    settings.range = Some(range.0);
                }
                "shard_rows" => settings.shard_rows = value.extract()?,
                "threads" => settings.threads = value.extract()?,
                "seed_column" => settings.seed_column = Some(value.extract()?),
                "clamp" => settings.clamp = value.extract()?,
                "no_silence" => settings.no_silence = value.extract()?,
                "resume" => settings.resume = value.extract()?,
                "verify" => settings.verify = value.extract()?,
                other => return Err(wrong(format!("there is no option `{other}`"))),
            }
        }
        if settings.shard_rows == 0 || settings.threads == 0 {
            return Err(wrong("`shard_rows` and `threads` are at least 1".into()));
        }
        settings.frames = frames.unwrap_or(u64::from(self.subject.program.rate));
        let columns =
            || Columns::new(&self.subject, settings.seed_column.as_deref().unwrap_or("seed"), settings.clamp);
        let list = source.cast::<PyList>().ok().map(|list| self.memory(list, &columns())).transpose()?;
        let path: Option<String> = if list.is_none() { Some(source.extract()?) } else { None };
        py.detach(|| {
            let mut inputs: Vec<&Path> = self.read_from.iter().map(Path::new).collect();
            let source = match (&path, list) {
                (Some(path), _) => {
                    inputs.push(Path::new(path));
                    Source::read(Path::new(path), columns()).map_err(failed)?
                }
                (None, list) => Source::Memory(list.unwrap_or_default()),
            };
            let written =
                write(&self.subject, &source, &settings, Inputs::new(inputs), |_| true).map_err(failed)?;
            Ok(written.path.display().to_string())
        })
    }
}

impl Native {
    fn rows(&self, list: &Bound<'_, PyList>) -> PyResult<Vec<Row>> {
        let columns = Columns::new(&self.subject, "seed", false);
        Ok(self.memory(list, &columns)?.rows)
    }

    /// The rows of a list of dictionaries.
    fn memory(
        &self,
        list: &Bound<'_, PyList>,
        columns: &Columns<'_>,
    ) -> PyResult<mamc::batch::write::Memory> {
        let mut known: HashMap<String, Column> = HashMap::new();
        let mut memory = mamc::batch::write::Memory::default();
        for (index, item) in list.iter().enumerate() {
            let mut row = Row::default();
            for (name, value) in item.cast::<PyDict>()? {
                let at = |why: String| wrong(format!("row {index}: {}", clipped(&why)));
                let text = name.cast::<PyString>().ok().and_then(|name| name.to_str().ok());
                let name = text.ok_or_else(|| at(format!("{name} is not the name of a column")))?.to_owned();
                let column = match known.get(&name) {
                    Some(&column) => column,
                    None => {
                        let column = columns.find(&name).map_err(at)?;
                        if let Some((other, _)) = known.iter().find(|(_, other)| **other == column) {
                            return Err(at(format!("`{name}` and `{other}` are the same")));
                        }
                        memory.names.push(name.clone());
                        known.insert(name, column);
                        column
                    }
                };
                put(columns, &mut row, column, &value, &at)?;
            }
            columns.complete(&mut row);
            memory.rows.push(row);
        }
        Ok(memory)
    }

    fn notes(&self, notes: Vec<NoteRow>) -> PyResult<Vec<RowNote>> {
        let targets = &self.subject.program.targets;
        let note = |(start, gate, note, vel, instrument): NoteRow| {
            let target = match instrument {
                Some(name) => targets.iter().position(|t| *t.midi.name == *name || *t.name == *name),
                None if targets.len() == 1 => Some(0),
                None => {
                    return Err(wrong(format!(
                        "the song has {} instruments: a note says which one it is for",
                        targets.len()
                    )));
                }
            };
            let target = target.ok_or_else(|| wrong("the song has no such instrument".into()))?;
            let note = RowNote { target, start, gate, note, vel };
            check_note(&note).map_err(|why| wrong(format!("a note: {why}")))?;
            Ok(note)
        };
        notes.into_iter().map(note).collect()
    }
}

/// Puts a value of Python's into a row.
fn put(
    columns: &Columns<'_>,
    row: &mut Row,
    column: Column,
    value: &Bound<'_, PyAny>,
    at: &dyn Fn(String) -> PyErr,
) -> PyResult<()> {
    if value.is_none() {
        return Ok(());
    }
    if let Ok(text) = value.cast::<PyString>() {
        let text = text.to_str().map_err(|_| at("a value is not text".into()))?;
        return columns.put(row, column, Cell::Text(text)).map_err(at);
    }
    if column == Column::Seed && !value.is_instance_of::<PyFloat>() {
        let seed =
            value.extract().map_err(|_| at(format!("{value} is not a seed, a whole number of 64 bits")))?;
        row.seed = Some(seed);
        return Ok(());
    }
    let number = match value.cast::<PyBool>() {
        Ok(on) => f64::from(u8::from(on.is_true())),
        Err(_) => value.extract().map_err(|_| at(format!("{value} is not a number")))?,
    };
    if !number.is_finite() && !value.is_instance_of::<PyInt>() {
        return Err(at(format!("{number} is not a value")));
    }
    columns.put(row, column, Cell::Number(number)).map_err(at)
}

/// A column of numbers by its name.
type NumberColumn = (String, Vec<f64>);

/// The columns of numbers of a feature, of sounds that were measured.
fn number_columns(feature: Feature, found: &[(Features, Option<String>)]) -> Vec<NumberColumn> {
    let column =
        |index: usize| found.iter().filter_map(|(row, _)| row.numbers(feature).get(index).copied()).collect();
    let names = feature.columns().iter().enumerate().filter(|_| feature != Feature::Hash);
    names.map(|(index, name)| (name.to_string(), column(index))).collect()
}

/// The unit of a parameter's values in base units.
fn unit(info: &ParamInfo) -> String {
    match info.dimension {
        Dimension::PLAIN => String::new(),
        Dimension::TIME => "s".into(),
        Dimension::FREQUENCY => "Hz".into(),
        other => other.to_string(),
    }
}

fn format(name: &str) -> PyResult<Format> {
    let all = [Format::F32, Format::S16, Format::Npy, Format::Wav, Format::Flac, Format::Features];
    let found = all.into_iter().find(|format| format.name() == name);
    found.ok_or_else(|| wrong(format!("`{name}` is not a format: f32, s16, npy, wav, flac or features")))
}

/// A feature by its name.
fn feature(name: &str) -> PyResult<Feature> {
    Feature::ALL.into_iter().find(|feature| feature.name() == name).ok_or_else(|| {
        let names = Feature::ALL.map(Feature::name);
        wrong(format!("`{name}` is not a feature: {}", names.join(", ")))
    })
}

/// How many threads the machine runs at once.
#[pyfunction]
fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get)
}

#[pymodule]
fn _native(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add("__version__", env!("CARGO_PKG_VERSION"))?;
    m.add_function(wrap_pyfunction!(compile, m)?)?;
    m.add_function(wrap_pyfunction!(cores, m)?)?;
    m.add_class::<Native>()
}
