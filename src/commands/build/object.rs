//! A song as an object file, with its header and the engine's source.

use super::c::{MADE_BY, names, refused};
use super::request::{Request, Written, write_all};
use crate::console::Console;
use crate::failure::Failure;
use mam_compiler::emit::c::{Export, engine_source};
use mam_compiler::emit::object::{System, files};

/// Writes the object file, and beside it the header and the engine.
pub(super) fn build(mut build: Request, console: Console) -> Result<(), Failure> {
    let system = build.args.target.unwrap_or_else(System::host);
    if !system.is_built_in() {
        let name = system.name;
        let why = format!(
            "this mamc makes no code for {name}: one that is built with `--features all-targets` does"
        );
        return Err(Failure::Usage(why));
    }
    let (compiled, program) = build.compile(console)?;
    let score = build.score(&program, console)?;
    let (target, header) = (build.output.clone(), build.output.with_extension("h"));
    let engine = target.with_file_name("engine.c");
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
    let made = files(&export, system).map_err(|why| refused(&build, &why))?;
    let inputs = build.inputs(&compiled);
    let source = engine_source(MADE_BY);
    let all = [
        Written { path: &target, bytes: &made.object, is_named: true },
        Written { path: &header, bytes: made.header.as_bytes(), is_named: false },
        Written { path: &engine, bytes: source.as_bytes(), is_named: false },
    ];
    write_all(&all, &inputs)?;
    let (target, header, engine) = (target.display(), header.display(), engine.display());
    let (prefix, bytes) = (&names.prefix, made.bytes);
    console.say(&format!("{target}, {header} and {engine}: `{prefix}_…`, {bytes} bytes of memory\n"));
    Ok(())
}
