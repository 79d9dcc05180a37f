//! The prelude's definitions in the forms that `list` and `doc` show: signatures, parameters, ranges, units.

use mam_compiler::dimension::Dimension;
use mam_compiler::files::{DefId, Files};
use mam_compiler::library::{Info, Library, ParamInfo};
use mam_compiler::prelude::is_private;
use mam_grammar::ast::DefinitionKind;
use mam_grammar::{Limits, Sources};
use mam_runtime::Curve;
use serde_json::{Value, json};
use std::rc::Rc;

/// The prelude, ready to be asked.
pub struct Prelude {
    sources: Sources,
    files: Files,
    library: Library,
}

impl Default for Prelude {
    fn default() -> Prelude {
        let mut sources = Sources::default();
        let files = Files::prelude(&mut sources, Limits::default());
        Prelude { sources, files, library: Library::default() }
    }
}

impl Prelude {
    /// All definitions, in the order of the files.
    pub fn all(&self) -> impl Iterator<Item = Entry<'_>> {
        self.files.prelude_definitions().into_iter().map(|id| Entry { prelude: self, id })
    }

    /// The definition of this name.
    pub fn find(&self, name: &str) -> Option<Entry<'_>> {
        self.all().find(|e| e.name() == name)
    }
}

/// One definition of the prelude.
#[derive(Clone, Copy)]
pub struct Entry<'p> {
    prelude: &'p Prelude,
    id: DefId,
}

impl<'p> Entry<'p> {
    /// The name by which songs call it.
    pub fn name(self) -> &'p str {
        &self.prelude.files.definition(self.id).name.name
    }

    /// `def`, `instrument` or `effect`.
    pub fn kind(self) -> &'static str {
        match self.definition_kind() {
            DefinitionKind::Def => "def",
            DefinitionKind::Instrument => "instrument",
            DefinitionKind::Effect => "effect",
        }
    }

    fn definition_kind(self) -> DefinitionKind {
        self.prelude.files.definition(self.id).kind
    }

    /// The documentation before it, as Markdown, without its example.
    pub fn doc(self) -> &'p str {
        self.documentation().0
    }

    /// What a song may have as its `out` to hear it: the last line of the documentation, where that is nothing but code.
    pub fn example(self) -> Option<&'p str> {
        self.documentation().1
    }

    fn documentation(self) -> (&'p str, Option<&'p str>) {
        let doc = self.prelude.files.item(self.id).doc.as_deref().unwrap_or("").trim_end();
        let (before, last) = doc.rsplit_once('\n').unwrap_or(("", doc));
        let code = last.trim().strip_prefix('`').and_then(|last| last.strip_suffix('`'));
        match code.filter(|code| !code.contains('`')) {
            Some(code) => (before.trim_end(), Some(code)),
            None => (doc, None),
        }
    }

    /// Whether it is of use to other definitions alone: its name or the beginning of its documentation says so.
    pub fn is_internal(self) -> bool {
        is_private(self.name()) || self.doc().starts_with("Internal:")
    }

    /// The file of the prelude in which it stands: `drums/plain`.
    pub fn file(self) -> String {
        let place = self.source().0;
        let file = place.rsplit_once(':').map_or(&*place, |(file, _)| file);
        file.trim_start_matches("prelude/").trim_end_matches(".mam").to_owned()
    }

    /// The first sentence of it.
    pub fn brief(self) -> String {
        brief(self.doc())
    }

    /// Whether a call has to give it something.
    pub fn needs_arguments(self) -> bool {
        self.prelude.files.definition(self.id).needs_arguments()
    }

    /// Its parameters and inputs, with units, ranges and defaults.
    pub fn info(self) -> Rc<Info> {
        self.prelude.library.info(&self.prelude.files, self.id)
    }

    /// `kick(f0: 100Hz, …)`: what it is called with.
    pub fn signature(self) -> String {
        let definition = self.prelude.files.definition(self.id);
        let info = self.info();
        let written = info.params.iter().filter(|p| p.span.is_some());
        let heads = definition.formals.iter().map(|f| self.formal(f));
        let params = written.map(|p| format!("{}: {}", p.name, default(p)));
        let args: Vec<String> =
            heads.chain(params).chain(info.inputs.iter().map(|i| format!("{i}: signal"))).collect();
        format!("{}({})", self.name(), args.join(", "))
    }

    fn formal(self, formal: &mam_grammar::ast::Formal) -> String {
        let ast = &self.prelude.files.file(self.id.file).ast;
        match formal.default {
            Some(expr) => format!("{}: {}", formal.name.name, self.prelude.sources.slice(ast.span(expr))),
            None => formal.name.name.to_string(),
        }
    }

    /// Its text, with the file and line where it stands.
    pub fn source(self) -> (String, String) {
        let item = self.prelude.files.item(self.id);
        let place = self.prelude.sources.line_column(item.span.source, item.span.range().start);
        let file = &self.prelude.sources.get(item.span.source).name;
        (format!("{file}:{}", place.line), self.prelude.sources.slice(item.span).to_string())
    }
}

/// The first sentence of a documentation.
pub fn brief(doc: &str) -> String {
    let text = doc.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.find(". ") {
        Some(end) => text[..=end].to_string(),
        None => text,
    }
}

/// A number without the dust of binary fractions.
fn number(x: f64) -> String {
    let rounded = format!("{x:.6}");
    let trimmed = rounded.trim_end_matches('0').trim_end_matches('.');
    if trimmed == "-0" { "0".into() } else { trimmed.into() }
}

/// Its default, in its unit.
pub fn default(p: &ParamInfo) -> String {
    p.shown_default()
}

/// Its range, in its unit; empty when there is none.
pub fn range(p: &ParamInfo) -> String {
    p.range().unwrap_or_default()
}

/// How it goes from one value to the next.
pub fn smoothing(p: &ParamInfo) -> String {
    let curve = curve(p.curve);
    if p.smooth > 0.0 { format!("{curve}, {}ms", number(p.smooth * 1e3)) } else { curve.into() }
}

fn curve(curve: Curve) -> &'static str {
    match curve {
        Curve::Linear => "linear",
        Curve::Exp => "exp",
        Curve::Step => "step",
    }
}

/// What a parameter measures, as the unit of its base value.
fn base_unit(p: &ParamInfo) -> &'static str {
    match p.dimension {
        Dimension::TIME => "s",
        Dimension::FREQUENCY => "Hz",
        _ => "",
    }
}

/// A parameter as JSON. Values are in `unit`: `s`, `Hz`, or plain.
pub fn param_json(p: &ParamInfo) -> Value {
    let finite = |x: f64| if x.is_finite() { json!(x) } else { Value::Null };
    json!({
        "id": p.id, "name": &*p.name, "jsonName": p.json_name(), "commandName": p.command_name(),
        "min": finite(p.min), "max": finite(p.max), "default": p.default, "unit": base_unit(p),
        "curve": curve(p.curve), "smoothSeconds": p.smooth, "doc": p.doc.as_deref().unwrap_or(""),
    })
}

/// Parameters for people: number and name, each with its default, range, name in JSON and documentation.
pub fn glossary_of(params: &[ParamInfo]) -> String {
    let row = |p: &ParamInfo| {
        let bounds = range(p);
        let bounds = if bounds.is_empty() { bounds } else { format!(" in {bounds}") };
        let doc = p.doc.as_deref().unwrap_or("").split_whitespace().collect::<Vec<_>>().join(" ");
        let ramps = smoothing(p);
        (
            format!("{} {}", p.id, p.name),
            format!("{}{bounds}; {ramps}; JSON {}. {doc}", default(p), p.json_name()),
        )
    };
    let rows: Vec<(String, String)> = params.iter().map(row).collect();
    crate::table::glossary(rows.iter().map(|(name, text)| (name.as_str(), text.as_str())))
}
