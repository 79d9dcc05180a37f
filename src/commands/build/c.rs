//! A song as C: a source file and a header.

use super::request::{Request, Written, write_all};
use crate::console::Console;
use crate::failure::Failure;
use mam_compiler::emit::c::{Export, Names, sources};
use std::fmt::Display;
use std::path::Path;

/// Name and version of what makes the files.
pub(super) const MADE_BY: &str = concat!("mamc ", env!("CARGO_PKG_VERSION"));

/// Writes the source, and the header beside it.
pub(super) fn build(mut build: Request, console: Console) -> Result<(), Failure> {
    let (compiled, program) = build.compile(console)?;
    let score = build.score(&program, console)?;
    let (target, header) = (build.output.clone(), build.output.with_extension("h"));
    let names = names(&target);
    let header_name = header.file_name().unwrap_or_default().to_string_lossy();
    let export = Export {
        program: &program,
        module: &compiled.compilation.stages.optimised,
        score,
        names: &names,
        header: &header_name,
        made_by: MADE_BY,
    };
    let made = sources(&export).map_err(|why| refused(&build, &why))?;
    let inputs = build.inputs(&compiled);
    let files = [
        Written { path: &target, bytes: made.source.as_bytes(), is_named: true },
        Written { path: &header, bytes: made.header.as_bytes(), is_named: false },
    ];
    write_all(&files, &inputs)?;
    let (target, header, bytes) = (target.display(), header.display(), made.bytes);
    console.say(&format!("{target} and {header}: `{}_…`, {bytes} bytes of memory\n", names.prefix));
    Ok(())
}

/// What the song of a file is called in C.
pub(super) fn names(target: &Path) -> Names {
    Names::new(&target.file_stem().unwrap_or_default().to_string_lossy())
}

/// Why a song is not exported.
pub(super) fn refused(build: &Request, why: &dyn Display) -> Failure {
    Failure::WrongInput(format!("`{}` cannot be built: {why}", build.song.input.display()))
}
