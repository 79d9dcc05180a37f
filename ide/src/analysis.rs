//! One version of a text, compiled as far as its problems are known.

use crate::costs::{Cost, KernelCosts, equation_costs};
use crate::lines::LineTable;
use mam_compiler::files::{Files, Loader};
use mam_compiler::hir::query::{Edit, NotRenamed, Query, Symbol};
use mam_compiler::{Compilation, CompilationCache, Options, Rest, Stage, begin_again};
use mam_grammar::ast::Ast;
use mam_grammar::{Problem, SourceId, Sources, Span};
use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// What one text leaves for its next version: an edit compiles again only what it changed.
#[derive(Default)]
pub struct Analyser {
    /// How songs are compiled; the stage at which that stops is the analyser's own.
    pub options: Options,
    cache: CompilationCache,
    kernel_costs: Rc<RefCell<KernelCosts>>,
}

/// What is known of one version of a text and of the files that it uses.
pub struct Analysis {
    /// All texts: the song, those it uses, the prelude.
    pub sources: Sources,
    /// The text that was asked for.
    pub song: SourceId,
    pub(crate) compilation: Compilation,
    /// What of the compilation is left to do.
    rest: Option<Rest>,
    problems: Vec<Problem>,
    lines: RefCell<BTreeMap<SourceId, Rc<LineTable>>>,
    costs: OnceCell<BTreeMap<Arc<str>, Cost>>,
    kernel_costs: Rc<RefCell<KernelCosts>>,
}

impl Analyser {
    /// One that compiles songs with these options.
    pub fn new(options: Options) -> Analyser {
        Analyser { options, ..Analyser::default() }
    }

    /// Compiles a text as far as its problems are known: as `mamc check` does, without machine code.
    pub fn analyse(&mut self, name: &str, text: &str, loader: &dyn Loader) -> Analysis {
        let mut analysis = self.begin(name, text, loader);
        self.finish(&mut analysis);
        analysis
    }

    /// Compiles a text as far as all of its problems are known but those of too much code or memory and of delays in circles.
    pub fn begin(&mut self, name: &str, text: &str, loader: &dyn Loader) -> Analysis {
        let mut sources = Sources::default();
        let song = sources.add(name, text);
        let options = self.options();
        let (compilation, rest) = begin_again(&mut sources, song, loader, &options, &mut self.cache);
        let problems = compilation.problems.clone().into_sorted();
        let (lines, costs, kernel_costs) = (RefCell::default(), OnceCell::new(), self.kernel_costs.clone());
        Analysis { sources, song, compilation, rest, problems, lines, costs, kernel_costs }
    }

    /// Goes on with what was begun, until all problems are known.
    pub fn finish(&mut self, analysis: &mut Analysis) {
        let Some(rest) = analysis.rest.take() else { return };
        let (begun, options) = (std::mem::take(&mut analysis.compilation), self.options());
        analysis.compilation = rest.finish(begun, &mut analysis.sources, &options, &mut self.cache);
        analysis.problems = analysis.compilation.problems.clone().into_sorted();
        analysis.costs = OnceCell::new();
    }

    fn options(&self) -> Options {
        Options { until: Stage::Lower, ..self.options.clone() }
    }
}

impl Analysis {
    /// Everything that is wrong or odd in the song and in the files that it uses, in the order of places.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Whether [`Analyser::finish`] has something to do.
    pub fn goes_on(&self) -> bool {
        self.rest.is_some()
    }

    /// How long each stage of the compilation took; empty without a clock.
    pub fn timings(&self) -> &[(&'static str, Duration)] {
        &self.compilation.timings
    }

    /// The lines of a text, for positions as editors count them.
    pub fn lines(&self, source: SourceId) -> Rc<LineTable> {
        let table = || Rc::new(LineTable::new(self.sources.get(source).text.clone()));
        self.lines.borrow_mut().entry(source).or_insert_with(table).clone()
    }

    /// The text of a file whose name is `name`: the song, or one that it uses.
    pub fn source_named(&self, name: &str) -> Option<SourceId> {
        self.sources.iter().find(|(_, source)| &*source.name == name).map(|(id, _)| id)
    }

    /// True for a text of the prelude, which is not a file of the user's.
    pub fn is_prelude(&self, source: SourceId) -> bool {
        self.files().is_some_and(|files| files.is_prelude_source(source))
    }

    /// Where what is named at a byte is defined; `None` for what is built in, or where nothing is named.
    pub fn definition(&self, source: SourceId, byte: usize) -> Option<Span> {
        let query = self.query()?;
        query.definition(query.symbol_at(source, byte)?.0)
    }

    /// Every place of what is named at a byte, in order, through all files of the song. Of a name of the prelude or the
    /// language: those in the user's files.
    pub fn references(&self, source: SourceId, byte: usize) -> Vec<Span> {
        let found = self.query().and_then(|query| Some(query.references(query.symbol_at(source, byte)?.0)));
        found.unwrap_or_default()
    }

    /// The place of the name at a byte that can be renamed, and the name.
    ///
    /// # Errors
    /// Where there is nothing that could be, in words.
    pub fn renamable(&self, source: SourceId, byte: usize) -> Result<(Span, &str), String> {
        let nothing = || String::from("there is no name here");
        let (symbol, span) = self.symbol_at(source, byte).ok_or_else(nothing)?;
        let name = self.sources.slice(span);
        // Its own name is the one that is always free: what refuses it, refuses every name.
        let query = self.query().ok_or_else(nothing)?;
        match query.rename(symbol, name) {
            Err(NotRenamed::NotYours) => Err(not_yours(name)),
            _ => Ok((span, name)),
        }
    }

    /// The changes that give what is named at a byte another name, through all files of the song. A text with mistakes is
    /// renamed in as far as it resolves.
    ///
    /// # Errors
    /// Where it cannot have that name, in words.
    pub fn rename(&self, source: SourceId, byte: usize, name: &str) -> Result<Vec<Edit>, String> {
        let (span, old) = self.renamable(source, byte)?;
        let (Some(query), Some((symbol, _))) = (self.query(), self.symbol_at(source, byte)) else {
            return Err("there is no name here".into());
        };
        query.rename(symbol, name).map_err(|why| match why {
            NotRenamed::NotYours => not_yours(old),
            NotRenamed::NotAName => {
                format!("`{name}` is not a name: letters, digits and `_`, and not a word of the language")
            }
            NotRenamed::Taken(taken) => {
                let at = if taken == Span::default() { span } else { taken };
                let place = self.sources.line_column(at.source, at.range().start);
                let file = &self.sources.get(at.source).name;
                format!("`{name}` means something else already, at {file}:{place}")
            }
        })
    }

    pub(crate) fn files(&self) -> Option<&Files> {
        self.compilation.stages.files.as_ref()
    }

    pub(crate) fn query(&self) -> Option<Query<'_>> {
        let stages = &self.compilation.stages;
        let (library, types) = (&stages.library, &stages.checked.types);
        Some(Query { files: stages.files.as_ref()?, library, types })
    }

    pub(crate) fn symbol_at(&self, source: SourceId, byte: usize) -> Option<(Symbol, Span)> {
        self.query()?.symbol_at(source, byte)
    }

    /// The text of a source.
    pub(crate) fn text(&self, source: SourceId) -> &str {
        &self.sources.get(source).text
    }

    /// The tree of a text of the user's.
    pub(crate) fn ast(&self, source: SourceId) -> Option<&Ast> {
        let files = self.files()?;
        let has = |ast: &&Ast| match (ast.items.first(), ast.comments.first()) {
            (Some(item), _) => item.span.source == source,
            (None, Some(comment)) => comment.source == source,
            (None, None) => source == self.song,
        };
        files.user_files().map(|file| &files.file(file).ast).find(has)
    }

    /// True where the song is JSON: its text has no words of the language.
    pub(crate) fn is_json(&self) -> bool {
        let source = self.sources.get(self.song);
        mam_compiler::front::is_json(&source.name, &source.text)
    }

    pub(crate) fn costs(&self) -> &BTreeMap<Arc<str>, Cost> {
        let known = || equation_costs(&self.compilation.stages, &mut self.kernel_costs.borrow_mut());
        self.costs.get_or_init(known)
    }
}

fn not_yours(name: &str) -> String {
    format!("`{name}` belongs to the language or the prelude, and keeps its name")
}
