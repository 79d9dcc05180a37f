//! The tables and the header of a song as C.

use super::literal::hexadecimal;
use super::tables::{Array, Field, Tables};
use std::fmt::Write;

/// The names of a song in C.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// What functions begin with: `mam_song`.
    pub prefix: String,
    /// What macros begin with: `MAM_SONG`.
    pub capitals: String,
    /// The type of a song that plays: `MamSong`.
    pub type_name: String,
}

impl Names {
    /// The names of a song that a file is called after: letters, digits and `_` stay.
    pub fn new(stem: &str) -> Names {
        let word = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
        let name: String = stem.chars().map(word).collect();
        let capital = |part: &str| {
            let mut letters = part.chars();
            letters.next().map_or(String::new(), |c| c.to_ascii_uppercase().to_string() + letters.as_str())
        };
        let type_name: String = name.split('_').map(capital).collect();
        Names {
            prefix: format!("mam_{name}"),
            capitals: format!("MAM_{}", name.to_uppercase()),
            type_name: format!("Mam{type_name}"),
        }
    }
}

/// All tables as C. Parameters are public; the rest is the file's own.
pub(super) fn tables_text(tables: &Tables, names: &Names) -> String {
    let mut text = String::new();
    for array in tables.arrays.iter().filter(|array| !array.rows.is_empty()) {
        text += &array_text(array, tables, names);
    }
    text + &instruments_text(tables, names)
}

fn array_text(array: &Array, tables: &Tables, names: &Names) -> String {
    let is_plain = array.rows[0].len() == 1 && !matches!(array.rows[0][0], Field::Kernel(_));
    let mut text = match array.name {
        "params" => format!("MamParam const {}_params[{}] = {{", names.prefix, array.rows.len()),
        "program" => "static MamProgram const program = ".to_string(),
        name => format!("static {} const {name}[{}] = {{", array.row_type, array.rows.len()),
    };
    for (i, row) in array.rows.iter().enumerate() {
        let fields: Vec<String> = row.iter().map(|field| field_text(field, tables, names)).collect();
        let fields = fields.join(", ");
        let _ = match (array.name, is_plain) {
            ("program", _) => write!(text, "{{{fields}}}"),
            (_, true) => write!(text, "{}{fields},", if i % 8 == 0 { "\n    " } else { " " }),
            (_, false) => write!(text, "\n    {{{fields}}},"),
        };
    }
    text + if array.name == "program" { ";\n" } else { "\n};\n" }
}

fn field_text(field: &Field, tables: &Tables, names: &Names) -> String {
    match field {
        Field::Word(word) => format!("{word}u"),
        Field::List(at, count) => format!("{{{at}u, {count}u}}"),
        Field::Double(x) => hexadecimal(*x),
        Field::Text(text) => literal(text),
        Field::Kernel(index) => format!("k{index}_setup, k{index}_steady, k{index}_general"),
        Field::Address(name) => match tables.arrays.iter().find(|array| array.name == *name) {
            Some(array) if !array.rows.is_empty() && *name == "params" => format!("{}_params", names.prefix),
            Some(array) if !array.rows.is_empty() => (*name).to_string(),
            _ => "0".into(),
        },
    }
}

/// A string literal of C: what is not plain ASCII is written in octal digits, of which three end an escape.
fn literal(text: &str) -> String {
    let mut out = String::from("\"");
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' | b'?' => {
                out.push('\\');
                out.push(byte as char);
            }
            b' '..=b'~' => out.push(byte as char),
            _ => out += &format!("\\{byte:03o}"),
        }
    }
    out + "\""
}

fn instruments_text(tables: &Tables, names: &Names) -> String {
    if tables.instruments.is_empty() {
        return String::new();
    }
    let all: Vec<String> = tables.instruments.iter().map(|name| literal(name)).collect();
    let prefix = &names.prefix;
    format!("char const* const {prefix}_instruments[{}] = {{{}}};\n", all.len(), all.join(", "))
}

/// What a header says of a song besides its names.
#[derive(Clone, Debug)]
pub(super) struct Figures {
    pub(super) rate: u32,
    pub(super) latency: u32,
    pub(super) inputs: usize,
    pub(super) outputs: usize,
    pub(super) score_frames: u32,
    pub(super) events: usize,
}

/// The header of a song.
pub(super) fn header(tables: &Tables, names: &Names, figures: &Figures, made_by: &str) -> String {
    let Names { prefix: p, capitals: c, type_name: t } = names;
    let Figures { rate, latency, inputs, outputs, score_frames, events } = figures;
    let (bytes, params, instruments) = (tables.bytes, tables.params, tables.instruments.len());
    let mut arrays = String::new();
    if params > 0 {
        arrays += &format!("extern MamParam const {p}_params[{c}_PARAMS];\n");
    }
    if instruments > 0 {
        arrays += &format!("extern char const* const {p}_instruments[{c}_INSTRUMENTS];\n");
    }
    let first = format!("/* Made by {made_by}.\n * SPDX-License-Identifier: 0BSD */\n");
    let body = HEADER
        .replace("@PARAM@", mam_runtime::c::PARAM)
        .replace("@ARRAYS@", &arrays)
        .replace("@BYTES@", &bytes.to_string())
        .replace("@RATE@", &rate.to_string())
        .replace("@LATENCY@", &latency.to_string())
        .replace("@INPUTS@", &inputs.to_string())
        .replace("@CHANNELS@", &outputs.to_string())
        .replace("@PARAMS@", &params.to_string())
        .replace("@INSTRUMENTS@", &instruments.to_string())
        .replace("@EVENTS@", &events.to_string())
        .replace("@FRAMES@", &score_frames.to_string())
        .replace("@P@", p)
        .replace("@C@", c)
        .replace("@T@", t);
    first + &body
}

/// Between `@` stands what differs from song to song.
const HEADER: &str = "#ifndef @C@_H
#define @C@_H
#include <stdint.h>
#ifdef __cplusplus
extern \"C\" {
#endif

@PARAM@
#define @C@_BYTES @BYTES@u        /* of memory, aligned to 64 */
#define @C@_RATE @RATE@u          /* frames a second */
#define @C@_LATENCY @LATENCY@u    /* frames by which it is late: what is played in frame 0 is heard in this one */
#define @C@_CHANNELS @CHANNELS@u
#define @C@_INPUTS @INPUTS@u      /* channels of the input; 0 where the song has none */
#define @C@_PARAMS @PARAMS@u
#define @C@_INSTRUMENTS @INSTRUMENTS@u
#define @C@_EVENTS @EVENTS@u      /* sets and notes that may wait */
#define @C@_FRAMES @FRAMES@u      /* of a pass of the score */

typedef struct @T@ @T@;
@ARRAYS@
/* Makes a song in memory that the caller owns, at frame 0, with its score going round. Also the reset. 0 where memory is. */
@T@* @P@_init(void* memory);
/* Renders frames, one array a channel. `in` may be 0, and is not read by a song without input. */
void @P@_process(@T@*, float const* const* in, float* const* out, uint32_t frames);
/* Sets a parameter, or lets it go to a value in `ramp` frames, at a frame of the next `process`. 0 where there is no such
 * parameter, or no room. */
int @P@_set(@T@*, uint32_t param, double value, uint32_t ramp, uint32_t offset);
/* Begins and ends a note of an instrument: a MIDI note number (60.5 lies between two keys), and a velocity, nominally 1. */
int @P@_note_on(@T@*, uint32_t instrument, double note, double vel, uint32_t offset);
int @P@_note_off(@T@*, uint32_t instrument, double note, uint32_t offset);
/* Whether nothing sounds and nothing is due: then there is silence until the next note, set or input. */
int @P@_silent(@T@ const*);
/* Plays the score from its beginning, from the next frame on: so many passes, MAM_REPEAT for no end, or none with 0. What is
 * random in the song is the same in each pass. */
void @P@_score(@T@*, uint32_t passes);

#ifdef __cplusplus
}
#endif
#endif
";

/// The functions of the header, over the engine's.
pub(super) fn api(names: &Names) -> String {
    API.replace("@P@", &names.prefix).replace("@T@", &names.type_name)
}

const API: &str = "
@T@* @P@_init(void* memory) { return (@T@*)mam_engine_init(&program, memory); }
void @P@_process(@T@* song, float const* const* in, float* const* out, uint32_t frames) {
    mam_engine_process((MamEngine*)song, in, out, frames);
}
int @P@_set(@T@* song, uint32_t param, double value, uint32_t ramp, uint32_t offset) {
    return mam_engine_set((MamEngine*)song, param, value, ramp, offset);
}
int @P@_note_on(@T@* song, uint32_t instrument, double note, double vel, uint32_t offset) {
    return mam_engine_note_on((MamEngine*)song, instrument, note, vel, offset);
}
int @P@_note_off(@T@* song, uint32_t instrument, double note, uint32_t offset) {
    return mam_engine_note_off((MamEngine*)song, instrument, note, offset);
}
int @P@_silent(@T@ const* song) { return mam_engine_silent((MamEngine const*)song); }
void @P@_score(@T@* song, uint32_t passes) { mam_engine_score((MamEngine*)song, passes); }
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_file() {
        let names = Names::new("Dub in D-1");
        assert_eq!(
            (&*names.prefix, &*names.capitals, &*names.type_name),
            ("mam_dub_in_d_1", "MAM_DUB_IN_D_1", "MamDubInD1")
        );
    }

    #[test]
    fn strings_are_escaped() {
        assert_eq!(literal("a\"?\\ü1"), "\"a\\\"\\?\\\\\\303\\2741\"");
    }
}
