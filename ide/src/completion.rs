//! What can be written at a place.

use crate::analysis::Analysis;
use crate::cursor::{Context, Cursor, OpenCall};
use mam_compiler::dimension::Dimension;
use mam_compiler::graph::is_event;
use mam_compiler::hir::query::Symbol;
use mam_compiler::hir::resolve::resolved;
use mam_compiler::hir::{LocalKind, Type};
use mam_compiler::library::ParamInfo;
use mam_compiler::score::{modifiers, scales};
use mam_grammar::ast::{Definition, DefinitionKind, ItemKind, Unit};
use mam_grammar::chords::{chord_kinds, chord_steps};
use mam_grammar::reference::{WordKind, words};
use mam_grammar::{SourceId, Span};

/// The kind of thing that a completion is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompletionKind {
    /// An equation, a knob, an argument: something with a value.
    Value,
    /// A `def` or a function of the language.
    Function,
    /// An instrument.
    Instrument,
    /// An effect.
    Effect,
    /// A parameter of an instrument or effect, or an argument by name.
    Parameter,
    /// A part of a value, after a point.
    Field,
    /// A word of the language.
    Keyword,
    /// A unit of a number.
    Unit,
    /// A modifier of a pattern.
    Modifier,
    /// A scale.
    Scale,
    /// A note.
    Note,
    /// A chord, written as its notes.
    Chord,
    /// A section.
    Section,
}

/// Something that can be written at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// What is shown, and compared with what has been typed.
    pub label: String,
    /// The kind of thing that it is.
    pub kind: CompletionKind,
    /// A few words on it: its signature, unit, range.
    pub detail: String,
    /// Markdown: what it does.
    pub doc: Option<String>,
    /// What is written where it is chosen.
    pub insert: String,
    /// What that replaces: the part of the word that stands there.
    pub replace: Span,
}

/// What is offered at one place, while it is collected.
struct Offer<'a> {
    analysis: &'a Analysis,
    source: SourceId,
    /// The byte at which the word begins.
    start: usize,
    replace: Span,
    all: Vec<Completion>,
}

impl Analysis {
    /// What can be written at a byte, whatever is wrong with the text around it; what is typed already does not limit it.
    pub fn completions(&self, source: SourceId, byte: usize) -> Vec<Completion> {
        if self.is_json() {
            return vec![];
        }
        let cursor = Cursor::new(self.text(source), byte);
        let start = cursor.word_start();
        let replace = Span::new(source, start, byte.max(start).min(self.text(source).len()));
        let mut offer = Offer { analysis: self, source, start, replace, all: vec![] };
        match cursor.context() {
            Context::Free => {}
            Context::Unit => offer.units(),
            Context::Modifier => offer.modifiers(),
            Context::ModifierArgument(modifier) => offer.modifier_arguments(&modifier),
            Context::Section => offer.sections(),
            Context::Pattern(target) => offer.pattern(&target),
            Context::Field(path) => {
                if let Some(call) = cursor.call() {
                    offer.arguments_of_part(&call, &path.join("."));
                }
                offer.fields(&path);
            }
            Context::Item(block) => offer.item(&block),
            Context::Expression => {
                if let Some(call) = cursor.call().filter(|_| cursor.at_argument()) {
                    offer.arguments(&call);
                }
                offer.names();
            }
        }
        offer.all
    }
}

impl Offer<'_> {
    fn add(&mut self, kind: CompletionKind, label: &str, detail: impl Into<String>) -> &mut Completion {
        self.all.push(Completion {
            label: label.into(),
            kind,
            detail: detail.into(),
            doc: None,
            insert: label.into(),
            replace: self.replace,
        });
        self.all.last_mut().expect("it has just been added")
    }

    fn units(&mut self) {
        for word in words(WordKind::Unit).filter(|word| Unit::from_text(word.name).is_some()) {
            self.add(CompletionKind::Unit, word.name, word.form).doc = Some(word.doc.into());
        }
    }

    fn modifiers(&mut self) {
        for entry in modifiers() {
            self.add(CompletionKind::Modifier, entry.name, "").doc = Some(entry.usage());
        }
    }

    fn modifier_arguments(&mut self, modifier: &str) {
        if modifier == "scale" {
            for root in ["c", "c#", "d", "eb", "e", "f", "f#", "g", "ab", "a", "bb", "b"] {
                self.add(CompletionKind::Note, root, "the scale's root");
            }
            for scale in scales() {
                self.add(CompletionKind::Scale, scale, "a scale");
            }
            return;
        }
        for entry in modifiers() {
            self.add(CompletionKind::Modifier, entry.name, "").doc = Some(entry.usage());
        }
    }

    fn sections(&mut self) {
        let Some(files) = self.analysis.files() else { return };
        for file in files.user_files() {
            let sections = resolved(files, file).locals.iter();
            for section in sections.filter(|local| matches!(local.kind, LocalKind::Section(_))) {
                self.add(CompletionKind::Section, &section.name, "a section");
            }
        }
    }

    /// Notes and chords, where a line plays; a line that sets a parameter takes its values.
    fn pattern(&mut self, target: &str) {
        /// The octaves in which music is written mostly.
        const OCTAVES: std::ops::RangeInclusive<i32> = 1..=6;
        const NAMES: [&str; 12] = ["c", "c#", "d", "eb", "e", "f", "f#", "g", "ab", "a", "bb", "b"];
        let symbol = self.analysis.visible_symbol(self.source, self.start, target);
        if matches!(symbol, Some(Symbol::Local(file, id)) if self.is_knob(file, id)) {
            return;
        }
        for octave in OCTAVES {
            for name in NAMES {
                self.add(CompletionKind::Note, &format!("{name}{octave}"), "a note");
            }
        }
        for root in NAMES {
            for kind in chord_kinds() {
                let steps = chord_steps(kind).unwrap_or_default().iter().map(i32::to_string);
                let detail =
                    format!("a chord: {} semitones above {root}4", steps.collect::<Vec<_>>().join(" "));
                self.add(CompletionKind::Chord, &format!("{root}'{kind}"), detail);
            }
        }
    }

    fn is_knob(&self, file: usize, id: mam_compiler::hir::LocalId) -> bool {
        let files = self.analysis.files();
        files.is_some_and(|files| matches!(resolved(files, file).local(id).kind, LocalKind::Knob(_)))
    }

    /// What begins an item: of the file, of a body, of a score.
    fn item(&mut self, block: &str) {
        let score = matches!(block, "play" | "section");
        let body = matches!(block, "instrument" | "effect" | "def");
        let of_body = ["param", "input", "until", "latency", "preset", "choke", "default", "midi", "out"];
        for word in words(WordKind::Statement) {
            let fits = match (score, body) {
                (true, _) => block == "section" && word.name == "play",
                (_, true) => of_body.contains(&word.name),
                _ => !of_body.contains(&word.name) || word.name == "out",
            };
            if fits {
                self.add(CompletionKind::Keyword, word.name, word.form).doc = Some(word.doc.into());
            }
        }
        if !body {
            self.targets();
        }
    }

    /// The equations and knobs that a line of the score can name.
    fn targets(&mut self) {
        let Some(files) = self.analysis.files() else { return };
        let playable = &self.analysis.compilation.stages.graph.targets;
        for item in &files.file(self.analysis.compilation.stages.song).ast.items {
            match &item.kind {
                ItemKind::Equation { name, .. } if playable.contains_key(&name.name) => {
                    self.add(CompletionKind::Instrument, &name.name, "plays notes");
                }
                ItemKind::Param(param) if param.knob => {
                    self.add(CompletionKind::Value, &param.name.name, "a knob");
                }
                _ => {}
            }
        }
    }

    /// The arguments of a call that have not been given, by name.
    fn arguments(&mut self, call: &OpenCall) {
        let symbol = self.analysis.visible_symbol(self.source, call.start, &call.callee);
        let Some(symbol) = symbol else { return };
        let Some(signature) = self.analysis.signature_of(self.source, symbol) else { return };
        let first = usize::from(call.piped && self.is_def(symbol)) + call.index;
        let by_place = if call.given.is_empty() { first } else { 0 };
        for parameter in signature.parameters.into_iter().skip(by_place) {
            if call.given.contains(&parameter.name) {
                continue;
            }
            let label = format!("{}:", parameter.name);
            let added = self.add(CompletionKind::Parameter, &label, parameter.label);
            added.doc = parameter.doc;
            added.insert = format!("{label} ");
        }
        if let Symbol::Definition(def) = symbol {
            let kind = self.analysis.files().map(|files| files.definition(def).kind);
            if kind == Some(DefinitionKind::Instrument) {
                self.add(CompletionKind::Parameter, "voices:", "how many notes sound at once").insert =
                    "voices: ".into();
                let doc = "which notes play where more are held: last, low or high";
                self.add(CompletionKind::Parameter, "priority:", doc).insert = "priority: ".into();
            }
        }
    }

    /// The arguments of a kit's call that belong to a part, behind the part's name and a point.
    fn arguments_of_part(&mut self, call: &OpenCall, part: &str) {
        let symbol = self.analysis.visible_symbol(self.source, call.start, &call.callee);
        let Some(symbol @ Symbol::Kit(_)) = symbol else { return };
        let signature = self.analysis.signature_of(self.source, symbol);
        for parameter in signature.into_iter().flat_map(|signature| signature.parameters) {
            let own = parameter.name.strip_prefix(part).and_then(|rest| rest.strip_prefix('.'));
            if let Some(own) = own.filter(|_| !call.given.contains(&parameter.name)) {
                let label = format!("{own}:");
                let added = self.add(CompletionKind::Parameter, &label, parameter.label);
                (added.doc, added.insert) = (parameter.doc, format!("{label} "));
            }
        }
    }

    fn is_def(&self, symbol: Symbol) -> bool {
        match (symbol, self.analysis.files()) {
            (Symbol::Definition(def), Some(files)) => files.definition(def).kind == DefinitionKind::Def,
            _ => true,
        }
    }

    /// Every name that can be seen, and the words of expressions.
    fn names(&mut self) {
        let Some(query) = self.analysis.query() else { return };
        for (name, symbol) in query.visible(self.source, self.start) {
            let hover = query.hover(symbol);
            let internal = hover.doc.as_deref().is_some_and(|doc| doc.starts_with("Internal:"));
            if internal && matches!(symbol, Symbol::Definition(def) if query.files.is_prelude(def.file)) {
                continue;
            }
            let kind = match symbol {
                Symbol::Definition(def) => kind_of(query.files.definition(def)),
                Symbol::Builtin(_) | Symbol::Measure(_) => CompletionKind::Function,
                Symbol::Kit(_) => CompletionKind::Instrument,
                Symbol::Local(..) | Symbol::Known(_) => CompletionKind::Value,
            };
            self.add(kind, &name, hover.form).doc = hover.doc.map(|doc| doc.to_string());
        }
        for word in words(WordKind::Expression) {
            self.add(CompletionKind::Keyword, word.name, word.form).doc = Some(word.doc.into());
        }
    }

    /// What can follow a point: the parameters of what an equation calls, the events of an instrument, the parts of a value.
    fn fields(&mut self, path: &[String]) {
        let stages = &self.analysis.compilation.stages;
        let plays = |name: &String| stages.graph.targets.contains_key(&**name);
        if path.last().is_some_and(|last| last == "note")
            && (path.len() == 1 || path.len() == 2 && plays(&path[0]))
        {
            for signal in words(WordKind::Signal).filter(|word| word.name.starts_with("note.")) {
                let name = signal.name.trim_start_matches("note.");
                self.add(CompletionKind::Field, name, "a signal of notes").doc = Some(signal.doc.into());
            }
        }
        let Some(query) = self.analysis.query() else { return };
        let visible = query.visible(self.source, self.start);
        // What is named may be a part of a kit, `dr.bd`.
        let is_visible = |length: &usize| visible.contains_key(&path[..*length].join("."));
        let Some(length) = (1..=path.len()).rev().find(is_visible) else { return };
        let (name, owner) = (path[..length].join("."), &path[length..]);
        if let Some(pipe) = stages.graph.pipes.get(&*name) {
            let nodes = pipe.instrument.iter().chain(&pipe.effects);
            for instance in nodes.filter_map(|&node| stages.graph.instance(node)) {
                if owner.first().is_some_and(|owner| *instance.callee.name != **owner) {
                    continue;
                }
                let info = stages.library.info(query.files, instance.def);
                info.params.iter().for_each(|param| self.param(param, &instance.callee.name));
            }
        }
        if !owner.is_empty() {
            return;
        }
        let parts = visible.iter().filter_map(|(full, part)| {
            let part_name = full.strip_prefix(&*name)?.strip_prefix('.')?;
            Some((part_name.to_owned(), *part))
        });
        for (part_name, part) in parts.collect::<Vec<_>>() {
            let form = query.hover(part).form;
            self.add(CompletionKind::Field, &part_name, form);
        }
        if stages.graph.targets.contains_key(&*name) {
            for word in words(WordKind::Signal).filter(|word| is_event(word.name)) {
                self.add(CompletionKind::Field, word.name, "an event").doc = Some(word.doc.into());
            }
        }
        match visible.get(&name).copied().and_then(|symbol| query.hover(symbol).ty) {
            Some(Type::Record(parts)) => {
                for (part, ty) in parts {
                    self.add(CompletionKind::Field, &part, ty.to_string());
                }
            }
            Some(Type::Signal { channels: 2, .. }) => {
                for side in ["left", "right"] {
                    self.add(CompletionKind::Field, side, "mono");
                }
            }
            _ => {}
        }
    }

    fn param(&mut self, param: &ParamInfo, owner: &str) {
        let range = param.range().map_or(String::new(), |range| format!(" in {range}"));
        let detail = format!("{owner}: {}{range}{}", param.shown_default(), unit(param.dimension));
        self.add(CompletionKind::Parameter, &param.name, detail).doc =
            param.doc.as_deref().map(str::to_owned);
    }
}

/// What a parameter measures, after its value.
fn unit(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::TIME => ", a time",
        Dimension::FREQUENCY => ", a frequency",
        _ => "",
    }
}

fn kind_of(definition: &Definition) -> CompletionKind {
    match definition.kind {
        DefinitionKind::Def => CompletionKind::Function,
        DefinitionKind::Instrument => CompletionKind::Instrument,
        DefinitionKind::Effect => CompletionKind::Effect,
    }
}
