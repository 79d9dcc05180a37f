//! What an editor asks of a text: what is at a place, where it is defined, where it is used, what it is, and what it can be
//! called instead. Texts with mistakes are answered as far as they resolve.

use super::builtins::Builtin;
use super::kits::{self, Kit, Part};
use super::resolve::resolved;
use super::{DefId, FILE, Known, Local, LocalId, LocalKind, ScopeId, Target, Type, Types};
use crate::dimension::Dimension;
use crate::expect::measures::Measure;
use crate::files::Files;
use crate::library::{Library, ParamInfo};
use mam_grammar::ast::{Definition, ItemKind};
use mam_grammar::reference::{WordKind, words};
use mam_grammar::syntax::is_name;
use mam_grammar::{SourceId, Span};
use mam_runtime::sort::Sort;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Something that has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Symbol {
    /// A name that a file defines: the file and the name.
    Local(usize, LocalId),
    /// A definition.
    Definition(DefId),
    /// A function of the language.
    Builtin(Builtin),
    /// A name of the language.
    Known(Known),
    /// A measure of an `expect`.
    Measure(Measure),
    /// A kit, or a part of one: the place of its name in the kit.
    Kit(Span),
}

/// What an editor shows of a symbol.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hover {
    /// How it is written: `param cutoff = 800Hz in 20Hz..20kHz`, `def onepole(x, cutoff: Hz)`, `lead = pluck()`.
    pub form: String,
    /// What it is, where that does not depend on a call.
    pub ty: Option<Type>,
    /// Its range as it is written.
    pub range: Option<String>,
    /// The documentation that stands before its definition.
    pub doc: Option<Arc<str>>,
}

/// A change of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The bytes that are replaced.
    pub span: Span,
    /// The text that takes their place.
    pub text: String,
}

/// Why something cannot be renamed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotRenamed {
    /// It belongs to the language or the prelude.
    NotYours,
    /// The new name is not one.
    NotAName,
    /// The new name means something where the symbol is seen, so that one would hide the other.
    Taken(Span),
}

/// The files of a song, as an editor sees them.
#[derive(Clone, Copy)]
pub struct Query<'a> {
    /// The song and all that it uses.
    pub files: &'a Files,
    /// What was read of definitions.
    pub library: &'a Library,
    /// The types of names that lowering found.
    pub types: &'a Types,
}

impl Query<'_> {
    /// What is named at a byte of a text, with the place of that name.
    pub fn symbol_at(&self, source: SourceId, byte: usize) -> Option<(Symbol, Span)> {
        let here =
            |span: Span| span.source == source && (span.start as usize..=span.end as usize).contains(&byte);
        if let Some(written) = self.files.references().find(|written| here(written.at)) {
            return Some((self.named_at(written.to), written.at));
        }
        for file in self.files.user_files() {
            let hir = resolved(self.files, file);
            if let Some(one) = hir.uses.iter().find(|one| here(one.span)) {
                return Some((self.symbol(file, &one.target)?, one.span));
            }
            let local = hir.locals.iter().position(|local| local.span.is_some_and(here));
            if let Some(local) = local.map(|index| LocalId(index as u32)) {
                return Some((Symbol::Local(file, local), hir.local(local).span?));
            }
            let named = self.definitions(file).find(|(_, definition)| here(definition.name.span));
            if let Some((def, definition)) = named {
                return Some((Symbol::Definition(def), definition.name.span));
            }
        }
        None
    }

    /// Where a symbol is defined; nothing for what is built in.
    pub fn definition(&self, symbol: Symbol) -> Option<Span> {
        match symbol {
            Symbol::Local(file, id) => resolved(self.files, file).local(id).span,
            Symbol::Definition(def) => Some(self.files.definition(def).name.span),
            Symbol::Kit(name) => Some(name),
            Symbol::Builtin(_) | Symbol::Known(_) | Symbol::Measure(_) => None,
        }
    }

    /// What has its name at a place of a kit, or is an equation that calls one.
    fn named_at(&self, name: Span) -> Symbol {
        let in_file = |file: usize| {
            let locals = &resolved(self.files, file).locals;
            let found = locals.iter().position(|local| local.span == Some(name) && !is_part(local))?;
            Some(Symbol::Local(file, LocalId(found as u32)))
        };
        self.files.user_files().find_map(in_file).unwrap_or(Symbol::Kit(name))
    }

    /// Every place at which a symbol is written in the user's files, its definition included, in order.
    pub fn references(&self, symbol: Symbol) -> Vec<Span> {
        let mut all: Vec<Span> = self.uses(symbol).into_iter().map(|(_, _, span)| span).collect();
        let definition = self.definition(symbol);
        let written = self.files.references().filter(|written| Some(written.to) == definition);
        all.extend(written.map(|written| written.at).chain(definition));
        all.retain(|span| !self.files.is_prelude_source(span.source));
        all.put_in_order();
        all.dedup();
        all
    }

    /// The edits that give a symbol another name.
    ///
    /// # Errors
    /// Where it cannot have that name: the text would mean something else.
    pub fn rename(&self, symbol: Symbol, name: &str) -> Result<Vec<Edit>, NotRenamed> {
        let own = self.definition(symbol).filter(|span| !self.files.is_prelude_source(span.source));
        let Some(own) = own else { return Err(NotRenamed::NotYours) };
        if self.files.slice(own) == "out" {
            return Err(NotRenamed::NotYours); // It is a word of the language.
        }
        if !is_name(name) {
            return Err(NotRenamed::NotAName);
        }
        if let Some(taken) = self.taken(symbol, name) {
            return Err(NotRenamed::Taken(taken));
        }
        let edit = |span| Edit { span, text: name.to_owned() };
        Ok(self.references(symbol).into_iter().map(edit).collect())
    }

    /// What an editor shows of a symbol.
    pub fn hover(&self, symbol: Symbol) -> Hover {
        match symbol {
            Symbol::Local(file, id) => {
                let shown = self.hover_local(file, id);
                Hover { ty: self.types.get(&(file, id)).cloned().or(shown.ty), ..shown }
            }
            Symbol::Definition(def) => {
                let definition = self.files.definition(def);
                let doc = self.files.item(def).doc.clone();
                Hover { form: self.signature(def, definition), doc, ..Hover::default() }
            }
            Symbol::Builtin(builtin) => {
                let row = builtin.row();
                let form = format!("{}({})", row.name, row.formals.join(", "));
                Hover { form, doc: Some(row.doc.into()), ..Hover::default() }
            }
            Symbol::Measure(measure) => {
                let row = measure.row();
                Hover { form: row.form(), doc: Some(row.doc.into()), ..Hover::default() }
            }
            Symbol::Kit(name) => self.hover_kit(name),
            Symbol::Known(known) => {
                let row = Known::ALL.into_iter().find(|(other, ..)| *other == known);
                row.map_or_else(Hover::default, |(_, name, doc)| Hover {
                    form: name.into(),
                    doc: Some(doc.into()),
                    ..Hover::default()
                })
            }
        }
    }

    /// A kit with the names of its parts, or a part of one with its value.
    fn hover_kit(&self, name: Span) -> Hover {
        let shown = |(kit, part): (&Kit, Option<&Part>)| match part {
            Some(Part { name, doc, value, .. }) => {
                Hover { form: format!("{name} = {value}"), doc: doc.clone(), ..Hover::default() }
            }
            None => Hover { form: kit.form(), doc: kit.doc.clone(), ..Hover::default() },
        };
        let in_file = |file: usize| kits::named_at(&kits::kits(self.files, file), name).map(shown);
        self.files.user_files().rev().find_map(in_file).unwrap_or_default()
    }

    /// The kit that is called so in a text.
    pub fn kit_named(&self, source: SourceId, name: &str) -> Option<Kit> {
        let file = self.files.user_files().find(|&file| self.is_text_of(file, source))?;
        kits::kits(self.files, file).into_iter().find(|kit| &*kit.name.name == name)
    }

    /// The parameters that a call of a kit in a text can give, each with the name of its part.
    pub fn kit_params(&self, source: SourceId, kit: &Kit) -> Vec<(Arc<str>, ParamInfo)> {
        let Some(file) = self.files.user_files().find(|&file| self.is_text_of(file, source)) else {
            return vec![];
        };
        let params = |part: &Part| {
            let def = kit.instrument(part, self.files, file)?;
            let info = self.library.info(self.files, def);
            Some(info.params.iter().map(|param| (part.name.name.clone(), param.clone())).collect::<Vec<_>>())
        };
        kit.parts.iter().filter_map(params).flatten().collect()
    }

    /// The names that can be written at a byte of a text, each with what it means there, sorted: those of the scope, of the
    /// language, and of all definitions; behind an `expect`, those of what can be measured.
    pub fn visible(&self, source: SourceId, byte: usize) -> BTreeMap<String, Symbol> {
        if self.awaits_measure(source, byte) {
            let measure = |measure: &Measure| (measure.row().name.into(), Symbol::Measure(*measure));
            return Measure::ALL.iter().map(measure).collect();
        }
        let mut all = BTreeMap::new();
        for file in self.files.user_files() {
            let Some(scope) = self.scope_at(file, source, byte) else { continue };
            let definitions = self.files.visible(file).into_iter();
            all.extend(definitions.filter_map(|name| {
                let def = self.files.find(file, &name)?;
                Some((name, Symbol::Definition(def)))
            }));
            // A definition is meant before a kit of the same name.
            for kit in kits::kits(self.files, file) {
                all.entry(kit.name.to_string()).or_insert(Symbol::Kit(kit.name.span));
            }
            all.extend(Builtin::all().map(|builtin| (builtin.row().name.into(), Symbol::Builtin(builtin))));
            all.extend(Known::ALL.iter().map(|(known, name, _)| (name.to_string(), Symbol::Known(*known))));
            let hir = resolved(self.files, file);
            let locals = hir.visible(scope).into_iter().filter(|name| name != "out");
            all.extend(locals.filter_map(|name| {
                let id = hir.find(scope, &name)?;
                Some((name, Symbol::Local(file, id)))
            }));
        }
        all
    }

    /// Every place of a text of the user's at which something is named, with what it is, in no order.
    pub fn names(&self, source: SourceId) -> Vec<(Span, Symbol)> {
        let written = self.files.references().map(|written| (written.at, self.named_at(written.to)));
        let mut all: Vec<(Span, Symbol)> = written.filter(|(span, _)| span.source == source).collect();
        for file in self.files.user_files() {
            let hir = resolved(self.files, file);
            let uses = hir.uses.iter().filter_map(|one| Some((one.span, self.symbol(file, &one.target)?)));
            all.extend(uses.filter(|(span, _)| span.source == source));
            let locals =
                hir.locals.iter().enumerate().filter_map(|(index, local)| {
                    Some((local.span?, Symbol::Local(file, LocalId(index as u32))))
                });
            all.extend(locals.filter(|(span, _)| span.source == source));
            let definitions = self.definitions(file);
            let named = definitions.map(|(def, definition)| (definition.name.span, Symbol::Definition(def)));
            all.extend(named.filter(|(span, _)| span.source == source));
        }
        all
    }

    /// What a definition's name means at a byte of a text, in the file that the text is.
    pub fn definition_named(&self, source: SourceId, name: &str) -> Option<DefId> {
        let file = self.files.user_files().find(|&file| self.is_text_of(file, source))?;
        self.files.find(file, name)
    }

    /// True where a file has this text; a text without items belongs to no file.
    fn is_text_of(&self, file: usize, source: SourceId) -> bool {
        self.files.file(file).ast.items.first().is_some_and(|item| item.span.source == source)
    }

    /// Whether the name of a measure is written at a byte: behind an `expect` that begins its item.
    fn awaits_measure(&self, source: SourceId, byte: usize) -> bool {
        let before = self.files.slice(Span::new(source, 0, byte));
        let item = before.rsplit(['\n', ';']).next().unwrap_or_default().trim_start();
        let name = item.strip_prefix("expect ").map(str::trim_start);
        name.is_some_and(|name| name.chars().all(|c| c.is_alphanumeric() || c == '_'))
    }

    /// The innermost definition around a byte, as its scope; the file's own outside of definitions.
    fn scope_at(&self, file: usize, source: SourceId, byte: usize) -> Option<ScopeId> {
        let hir = resolved(self.files, file);
        let items = &self.files.file(file).ast.items;
        self.is_text_of(file, source).then_some(())?;
        let inside = |span: Span| (span.start as usize..=span.end as usize).contains(&byte);
        let around = hir.definition_scopes().find(|(item, _)| inside(items[*item].span));
        Some(around.map_or(FILE, |(_, scope)| scope))
    }

    fn definitions(&self, file: usize) -> impl Iterator<Item = (DefId, &Definition)> {
        self.files.file(file).ast.items.iter().enumerate().filter_map(move |(item, at)| match &at.kind {
            ItemKind::Definition(definition) => Some((DefId { file, item }, definition)),
            _ => None,
        })
    }

    /// What a use in file `file` means.
    fn symbol(&self, file: usize, target: &Target) -> Option<Symbol> {
        Some(match target {
            Target::Local(id) => Symbol::Local(file, *id),
            Target::Definition(def) => Symbol::Definition(*def),
            Target::Argument(def, name) => Symbol::Local(def.file, self.argument(*def, name)?),
            Target::Builtin(builtin) => Symbol::Builtin(*builtin),
            Target::Known(known) => Symbol::Known(*known),
            Target::Measure(measure) => Symbol::Measure(*measure),
        })
    }

    /// The argument, parameter or input of a definition that has this name.
    fn argument(&self, def: DefId, name: &str) -> Option<LocalId> {
        let hir = resolved(self.files, def.file);
        let locals = &hir.scope(hir.definition_scope(def.item)).locals;
        locals.iter().copied().find(|&id| {
            let local = hir.local(id);
            let given =
                matches!(local.kind, LocalKind::Formal(_) | LocalKind::Param(_) | LocalKind::Input(_));
            given && *local.name == *name
        })
    }

    /// The uses of a symbol: file, scope and place.
    fn uses(&self, symbol: Symbol) -> Vec<(usize, ScopeId, Span)> {
        let mut found = vec![];
        for file in self.files.user_files() {
            let uses = resolved(self.files, file).uses.iter();
            let same = uses.filter(|one| self.symbol(file, &one.target) == Some(symbol));
            found.extend(same.map(|one| (file, one.scope, one.span)));
        }
        found
    }

    /// What a new name of a symbol means already, where the symbol is seen.
    fn taken(&self, symbol: Symbol, name: &str) -> Option<Span> {
        let (file, scope) = match symbol {
            Symbol::Local(file, id) => (file, resolved(self.files, file).local(id).scope),
            Symbol::Definition(def) => (def.file, FILE),
            Symbol::Kit(own) => return self.taken_in_kit(own, name),
            _ => return None,
        };
        let span = |file: usize, id: LocalId| resolved(self.files, file).local(id).span.unwrap_or_default();
        // Something of this name where the symbol is defined or used would hide it, or be hidden.
        let sites = self.uses(symbol).into_iter().map(|(file, scope, _)| (file, scope));
        for (file, scope) in sites.chain([(file, scope)]) {
            if let Some(id) = resolved(self.files, file).find(scope, name) {
                return Some(span(file, id));
            }
            if let Some(def) = self.files.find(file, name) {
                return Some(self.files.definition(def).name.span);
            }
        }
        if Known::find(name).is_some() || Builtin::find(name).is_some() {
            return self.definition(symbol);
        }
        // What is written so inside the symbol's scope would come to mean the symbol.
        let hir = resolved(self.files, file);
        let inside = |one: &&super::Use| hir.around(one.scope).any(|around| around == scope);
        let written = hir.uses.iter().filter(inside).find(|one| self.files.slice(one.span) == name);
        written.map(|one| one.span)
    }

    /// What a new name of a kit, or of a part of one, means already where these are seen.
    fn taken_in_kit(&self, own: Span, name: &str) -> Option<Span> {
        if Known::find(name).is_some() || Builtin::find(name).is_some() {
            return Some(own);
        }
        let texts = self.references(Symbol::Kit(own)).into_iter().map(|span| span.source);
        let texts: Vec<SourceId> = texts.chain([own.source]).collect();
        for file in
            self.files.user_files().filter(|&file| texts.iter().any(|&text| self.is_text_of(file, text)))
        {
            if let Some(id) = resolved(self.files, file).find(FILE, name) {
                return resolved(self.files, file).local(id).span;
            }
            if let Some(def) = self.files.find(file, name) {
                return Some(self.files.definition(def).name.span);
            }
            let all = kits::kits(self.files, file);
            let meant = kits::named_at(&all, own).and_then(|(kit, part)| match part {
                Some(_) => kit.parts.iter().map(|part| &part.name).find(|other| &*other.name == name),
                None => all.iter().map(|kit| &kit.name).find(|other| &*other.name == name),
            });
            if let Some(meant) = meant {
                return Some(meant.span);
            }
        }
        None
    }

    fn hover_local(&self, file: usize, id: LocalId) -> Hover {
        let hir = resolved(self.files, file);
        let local = hir.local(id);
        let file_ = self.files.file(file);
        let item = |index: usize| &file_.ast.items[index];
        let name = &local.name;
        match local.kind {
            LocalKind::Equation(value) => {
                let text = self.files.slice(file_.ast.span(value));
                let first = text.lines().next().unwrap_or_default();
                Hover {
                    form: format!("{name} = {first}"),
                    doc: self.doc_of(file, local.span),
                    ..Hover::default()
                }
            }
            LocalKind::Knob(item) => {
                let knob = self.library.knob(self.files, DefId { file, item });
                knob.params.first().map(|info| of_param("knob", info)).unwrap_or_default()
            }
            LocalKind::Param(place) => {
                let around = hir.definition_scopes().find(|(_, scope)| *scope == local.scope);
                let info = around.map(|(item, _)| self.library.info(self.files, DefId { file, item }));
                info.and_then(|info| info.params.get(place).map(|param| of_param("param", param)))
                    .unwrap_or_default()
            }
            LocalKind::Formal(place) => {
                let around = hir.definition_scopes().find(|(_, scope)| *scope == local.scope);
                let formals = around.map(|(item, _)| self.library.formals(self.files, DefId { file, item }));
                let expected = formals.and_then(|formals| formals.get(place).cloned().flatten());
                let range = expected.as_ref().and_then(|expected| {
                    let finite = expected.range.0.is_finite() && expected.range.1.is_finite();
                    finite.then(|| expected.units.range(expected.range, expected.dimension))
                });
                let ty = expected.map(|expected| Type::mono(expected.dimension));
                Hover { form: name.to_string(), ty, range, doc: None }
            }
            LocalKind::Event => {
                let frequency = &**name == "freq";
                let dimension = if frequency { Dimension::FREQUENCY } else { Dimension::PLAIN };
                let doc =
                    words(WordKind::Signal).find(|word| *word.name == **name).map(|word| word.doc.into());
                Hover { form: name.to_string(), ty: Some(Type::mono(dimension)), doc, ..Hover::default() }
            }
            LocalKind::Counter => {
                Hover { form: name.to_string(), ty: Some(Type::mono(Dimension::PLAIN)), ..Hover::default() }
            }
            LocalKind::Section(index) => {
                Hover { form: format!("section {name}"), doc: item(index).doc.clone(), ..Hover::default() }
            }
            LocalKind::Input(_) => Hover { form: format!("input {name}"), ..Hover::default() },
            LocalKind::In | LocalKind::Value | LocalKind::Bin | LocalKind::Broken => {
                Hover { form: name.to_string(), ..Hover::default() }
            }
        }
    }

    /// The documentation of the item of a file that defines a name at a place.
    fn doc_of(&self, file: usize, name: Option<Span>) -> Option<Arc<str>> {
        let name = name?;
        let items = self.files.file(file).ast.items.iter();
        let item = items.filter(|item| item.doc.is_some()).find(|item| item.span.start == name.start)?;
        item.doc.clone()
    }

    fn signature(&self, def: DefId, definition: &Definition) -> String {
        let name = &definition.name;
        let formal = |formal: &mam_grammar::ast::Formal| {
            let unit = formal.unit.map_or(String::new(), |unit| format!(": {}", unit.text()));
            format!("{}{unit}", formal.name)
        };
        let info = self.library.info(self.files, def);
        let params = info.params.iter().map(|param| param.name.to_string());
        let all: Vec<String> = definition.formals.iter().map(formal).chain(params).collect();
        format!("{} {name}({})", definition.kind.word(), all.join(", "))
    }
}

/// Whether it is a part of a kit that was written out, `dr.bd`.
fn is_part(local: &Local) -> bool {
    local.name.contains('.')
}

fn of_param(word: &str, info: &ParamInfo) -> Hover {
    let range = info.range();
    let within = range.as_ref().map_or(String::new(), |range| format!(" in {range}"));
    Hover {
        form: format!("{word} {} = {}{within}", info.name, info.shown_default()),
        ty: Some(Type::mono(info.dimension)),
        range,
        doc: info.doc.clone(),
    }
}
