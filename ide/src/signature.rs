//! The arguments of the call that is being written.

use crate::analysis::Analysis;
use crate::cursor::{Context, Cursor, OpenCall};
use mam_compiler::files::DefId;
use mam_compiler::hir::query::Symbol;
use mam_compiler::library::{Expected, ParamInfo};
use mam_compiler::score::modifiers;
use mam_grammar::SourceId;
use mam_grammar::ast::DefinitionKind;
use mam_grammar::syntax::is_name;

/// What a call takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// How it is called: `lowpass(x, cutoff: Hz, q = 0.7)`.
    pub label: String,
    /// What it does, as Markdown.
    pub doc: Option<String>,
    /// Its arguments, in order.
    pub parameters: Vec<Parameter>,
    /// The argument at the place, as an index; `None` where all are given.
    pub active: Option<usize>,
}

/// An argument of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name in the definition.
    pub name: String,
    /// How it stands in the label: name, unit, default.
    pub label: String,
    /// Its range and what it is for, as Markdown.
    pub doc: Option<String>,
}

impl Analysis {
    /// What the call around a byte takes, and which argument the byte is in; also where the text has mistakes.
    pub fn signature(&self, source: SourceId, byte: usize) -> Option<Signature> {
        let cursor = Cursor::new(self.text(source), byte);
        let call = cursor.call()?;
        let of_pattern = matches!(cursor.context(), Context::ModifierArgument(_));
        let mut signature = match modifier(&call.callee).filter(|_| of_pattern) {
            Some(signature) => signature,
            None => self.signature_of(source, self.visible_symbol(source, call.start, &call.callee)?)?,
        };
        signature.active = active(&signature, &call, self.is_def(source, &call.callee));
        Some(signature)
    }

    fn is_def(&self, source: SourceId, callee: &str) -> bool {
        let def = self.query().and_then(|query| query.definition_named(source, callee));
        let kind = def.and_then(|def| Some(self.files()?.definition(def).kind));
        kind.is_none_or(|kind| kind == DefinitionKind::Def)
    }

    /// What a name means at a byte of a text.
    pub(crate) fn visible_symbol(&self, source: SourceId, byte: usize, name: &str) -> Option<Symbol> {
        self.query()?.visible(source, byte).remove(name)
    }

    /// What a call of a symbol takes in a text.
    pub(crate) fn signature_of(&self, source: SourceId, symbol: Symbol) -> Option<Signature> {
        match symbol {
            Symbol::Definition(def) => self.signature_of_definition(def),
            Symbol::Builtin(builtin) => {
                let row = builtin.row();
                let parameter = |(place, name): (usize, &&str)| Parameter {
                    name: (*name).into(),
                    label: if place < row.needed { (*name).into() } else { format!("{name}?") },
                    doc: None,
                };
                let parameters = row.formals.iter().enumerate().map(parameter).collect();
                Some(signature(row.name, parameters, Some(row.doc.into())))
            }
            Symbol::Measure(measure) => {
                let row = measure.row();
                let given =
                    |name: &&str| Parameter { name: (*name).into(), label: (*name).into(), doc: None };
                let parameters = row.formals().iter().map(given).collect();
                Some(signature(row.name, parameters, Some(format!("{}\n\n`{}`", row.doc, row.example))))
            }
            Symbol::Kit(name) => {
                let query = self.query()?;
                let kit = query.kit_named(source, self.sources.slice(name))?;
                let given = query.kit_params(source, &kit);
                let parameters =
                    given.iter().map(|(part, param)| of_param(&format!("{part}."), param)).collect();
                Some(signature(&kit.name.name, parameters, kit.doc.as_deref().map(str::to_owned)))
            }
            Symbol::Local(..) | Symbol::Known(_) => None,
        }
    }

    fn signature_of_definition(&self, def: DefId) -> Option<Signature> {
        let files = self.files()?;
        let (definition, library) = (files.definition(def), &self.compilation.stages.library);
        let expected = library.formals(files, def);
        let ast = &files.file(def.file).ast;
        let formal = |(formal, expected): (&mam_grammar::ast::Formal, &Option<Expected>)| {
            let unit = formal.unit.map_or(String::new(), |unit| format!(": {}", unit.text()));
            let default = formal.default.map(|expr| format!(" = {}", files.slice(ast.span(expr))));
            let range = expected.as_ref().filter(|expected| expected.range.0.is_finite());
            Parameter {
                name: formal.name.to_string(),
                label: format!("{}{unit}{}", formal.name, default.unwrap_or_default()),
                doc: range.map(|expected| expected.units.range(expected.range, expected.dimension)),
            }
        };
        let input = |name: &std::sync::Arc<str>| Parameter {
            name: name.to_string(),
            label: format!("{name}: signal"),
            doc: None,
        };
        let info = library.info(files, def);
        let heads = definition.formals.iter().zip(expected.iter()).map(formal);
        let params = info.params.iter().map(|param| of_param("", param)).chain(info.inputs.iter().map(input));
        let parameters: Vec<Parameter> = heads.chain(params).collect();
        let doc = files.item(def).doc.as_deref().map(str::to_owned);
        Some(signature(&definition.name.name, parameters, doc))
    }
}

/// A parameter of an instrument or effect, whose name has `prefix` before it where it is a kit's.
fn of_param(prefix: &str, param: &ParamInfo) -> Parameter {
    let facts = [param.range(), param.doc.as_deref().map(str::to_owned)];
    Parameter {
        name: format!("{prefix}{}", param.name),
        label: format!("{prefix}{} = {}", param.name, param.shown_default()),
        doc: Some(facts.into_iter().flatten().collect::<Vec<_>>().join("\n\n")),
    }
}

fn signature(name: &str, parameters: Vec<Parameter>, doc: Option<String>) -> Signature {
    let labels: Vec<&str> = parameters.iter().map(|parameter| &*parameter.label).collect();
    Signature { label: format!("{name}({})", labels.join(", ")), doc, parameters, active: None }
}

/// A modifier of patterns: `fast(2)`.
fn modifier(name: &str) -> Option<Signature> {
    let entry = modifiers().find(|entry| entry.name == name)?;
    let form = entry.forms.first()?;
    let arguments = form.split_once('(').map_or("", |(_, rest)| rest.trim_end_matches(')'));
    let parameter = |label: &str| Parameter { name: String::new(), label: label.into(), doc: None };
    let parameters: Vec<Parameter> =
        arguments.split(", ").filter(|label| !label.is_empty()).map(parameter).collect();
    Some(signature(name, parameters, Some(entry.usage())))
}

/// The argument at the place: the one that is named, or the next by its place. What is piped into a `def` is its first.
fn active(signature: &Signature, call: &OpenCall, is_def: bool) -> Option<usize> {
    if let Some(name) = call.named.as_ref().filter(|name| is_name(name)) {
        return signature.parameters.iter().position(|parameter| parameter.name == **name);
    }
    let index = call.index + usize::from(call.piped && is_def);
    (index < signature.parameters.len()).then_some(index)
}
