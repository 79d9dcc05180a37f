//! A song as C: a source file and its header, in C99, which need no library but `<stdint.h>`, no allocation and no operating
//! system.
//!
//! The kernels are written from their [`LoopPlan`](super::loops::LoopPlan)s, with an expression an op (`inst.rs`) over the
//! functions of `runtime/c/ops.h`. The program's tables (`tables.rs`) are read by the engine of `runtime/c/engine.c`, and its score
//! is a table too (`score.rs`). The bits are those of [`Engine::process_block`](mam_runtime::Engine::process_block).

mod block;
mod body;
mod error;
mod inst;
mod kernels;
mod literal;
mod score;
mod tables;
mod text;

pub use error::ExportError;
pub use score::Score;
pub use tables::{Array, Field, Tables};
pub use text::Names;

use crate::ir::Module;
use mam_runtime::{GUARD, Program, c};
use score::Pass;

/// A song to be exported.
#[derive(Clone, Copy)]
pub struct Export<'a> {
    /// What the engine runs.
    pub program: &'a Program,
    /// The kernels that its steps call, compiled for a portable target.
    pub module: &'a Module,
    /// What becomes of its score.
    pub score: Score,
    /// What the song is called in C.
    pub names: &'a Names,
    /// The name of the header's file.
    pub header: &'a str,
    /// Name and version of what makes it.
    pub made_by: &'a str,
}

/// The files of an export.
#[derive(Clone, Debug)]
pub struct Sources {
    /// The text of the source file.
    pub source: String,
    /// The text of its header.
    pub header: String,
    /// Bytes of memory that the song takes when it plays.
    pub bytes: usize,
}

/// Writes a song as C.
///
/// # Errors
/// When it is too large, or its kernels were not compiled for a portable target.
pub fn sources(export: &Export) -> Result<Sources, ExportError> {
    if let Some(stream) = export.program.streams().next() {
        return Err(ExportError::Streamed(stream.about().name.clone()));
    }
    let pass = Pass::new(export.program, export.score)?;
    let tables = tables::tables(export.program, &pass, 0, export.module.kernels.len())?;
    let functions = kernels::functions(export.module).map_err(ExportError::Kernel)?;
    let mut source = format!("/* Made by {}.\n * SPDX-License-Identifier: 0BSD */\n", export.made_by);
    source += &format!("#include \"{}\"\n\n", export.header);
    let has_blocks = export.module.kernels.values().any(|kernel| kernel.block.is_some());
    let blocks = if has_blocks { c::BLOCK } else { "" };
    for part in [c::PROGRAM, c::OPS, blocks, &functions, &text::tables_text(&tables, export.names)] {
        if !part.is_empty() {
            source += part;
            source.push('\n');
        }
    }
    source += "#define MAM_ENGINE_API static\n";
    source += c::ENGINE;
    source += &text::api(export.names);
    let header = header(export, &tables, &pass);
    Ok(Sources { source, header, bytes: tables.bytes })
}

/// What an object file needs besides its kernels: the tables, and the header. Delay lines have the room around them that machine
/// code wants.
///
/// # Errors
/// When the song is too large, or has a block node.
pub fn tables_and_header(export: &Export) -> Result<(Tables, String), ExportError> {
    if let Some(stream) = export.program.streams().next() {
        return Err(ExportError::Streamed(stream.about().name.clone()));
    }
    if let Some(block) = export.program.steps.iter().find_map(|step| step.block.as_ref()) {
        return Err(ExportError::Block(block.noun()));
    }
    let pass = Pass::new(export.program, export.score)?;
    let tables = tables::tables(export.program, &pass, GUARD, export.module.kernels.len())?;
    let header = header(export, &tables, &pass);
    Ok((tables, header))
}

/// The engine as a source file of its own, for object files.
pub fn engine_source(made_by: &str) -> String {
    let head = format!("/* Made by {made_by}: the engine of songs that were built as object files.\n");
    head + " * SPDX-License-Identifier: 0BSD */\n#include <stdint.h>\n" + c::PARAM + c::PROGRAM + c::ENGINE
}

fn header(export: &Export, tables: &Tables, pass: &Pass) -> String {
    let figures = text::Figures {
        rate: export.program.rate,
        latency: export.program.latency,
        inputs: export.program.inputs.len(),
        outputs: export.program.outputs.len(),
        score_frames: pass.frames(),
        events: tables::EVENTS,
    };
    text::header(tables, export.names, &figures, export.made_by)
}
