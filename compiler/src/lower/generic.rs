//! Definitions by themselves, whether they are called or not.
//!
//! A definition is evaluated once with arguments of which nothing is known but what it declares. What is wrong then is wrong
//! for every argument: an unknown value is mono (a stereo one is refused in no fewer places), a signal or a record, a
//! constant or not, and of any dimension until an operation says which ([`Dimension::ANY`]).

use super::builder::FormKind;
use super::names::{Scope, ScopeId, Slot};
use super::remembered::Forms;
use super::value::{Signal, Val};
use super::{At, Lower, Song};
use crate::dimension::Dimension;
use crate::hir::resolve::resolved;
use crate::hir::{DefId, FILE, LocalKind};
use crate::ir::{Op, Value};
use mam_grammar::Problems;
use mam_grammar::ast::{Body, Definition, Expr, ExprId, ItemKind, Param};
use rustc_hash::FxHashSet;

impl Song<'_> {
    /// What is wrong with an item of a user's file for every argument: a definition, or what describes a knob.
    pub(super) fn check_item(&mut self, id: DefId) -> Problems {
        let files = self.files;
        // It takes nothing of what the song's kernels may have.
        let counted = (self.evaluations, self.terms, self.size_reported);
        (self.evaluations, self.terms) = (0, 0);
        let (members, mut forms) = (FxHashSet::default(), Forms::default());
        let (problems, evaluations) = loop {
            let before = forms.grown;
            let mut lower = Lower::new(self, &members, &mut forms, "", FormKind::Steady);
            match &files.item(id).kind {
                ItemKind::Definition(definition) => lower.check_definition(id, definition),
                ItemKind::Param(param) => lower.check_param(id.file, param),
                _ => return Problems::default(),
            }
            lower.finish();
            let checked = (std::mem::take(&mut lower.problems), lower.evaluations);
            if forms.grown == before {
                break checked;
            }
        };
        self.check_evaluations += evaluations;
        (self.evaluations, self.terms, self.size_reported) = counted;
        self.found = Problems::after(&problems);
        problems
    }
}

impl Lower<'_, '_> {
    fn check_definition(&mut self, def: DefId, definition: &Definition) {
        let unknown = self.input(super::lowered::INPUT[0]);
        self.unknown = Some(unknown);
        let info = self.song.library.info(self.files(), def);
        let expected = self.song.library.formals(self.files(), def);
        let given = |dimension| Slot::Done(Val::mono(unknown, dimension));
        let scope = self.definition_scope(0, def, |local| match local.kind {
            LocalKind::Formal(place) => {
                expected[place].as_ref().map_or(Slot::Done(Val::Any), |expected| given(expected.dimension))
            }
            LocalKind::Param(place) => given(info.params[place].dimension),
            LocalKind::Event if &*local.name == "freq" => given(Dimension::FREQUENCY),
            LocalKind::Event => given(Dimension::PLAIN),
            LocalKind::In | LocalKind::Input(_) => Slot::Done(Val::Any),
            _ => Slot::Absent,
        });
        let at = At { scope, path: definition.name.name.clone() };
        for formal in &definition.formals {
            formal.default.into_iter().for_each(|default| _ = self.eval(&at, default));
            let range = formal.range.into_iter().flat_map(|(low, high)| [low, high]);
            range.for_each(|end| self.check_constant(def.file, end));
        }
        self.body(scope, &at.path, &definition.body);
        self.finish();
        self.keep_types(scope);
        let Body::Items(items) = &definition.body else { return };
        for item in items {
            match &item.kind {
                ItemKind::Until(until) => _ = self.eval(&at, *until),
                ItemKind::Param(param) => self.check_param(def.file, param),
                _ => {}
            }
        }
    }

    /// The types of the names of a scope that were evaluated.
    fn keep_types(&mut self, scope: ScopeId) {
        let Scope { file, of, .. } = self.scopes[scope];
        let ids = &resolved(self.files(), file).scope(of).locals;
        for (&id, slot) in ids.iter().zip(&self.scopes[scope].slots) {
            if let Slot::Done(val) = slot
                && let Some(ty) = val.ty()
            {
                self.song.types.insert((file, id), ty);
            }
        }
    }

    /// The types of the nodes of a group, of which only some have results.
    pub(super) fn keep_node_types(&mut self) {
        let types = self.nodes.iter().filter_map(|(&node, val)| Some((node, val.as_ref()?.ty()?)));
        self.song.node_types.extend(types);
    }

    /// What describes a parameter.
    fn check_param(&mut self, file: usize, param: &Param) {
        let range = param.range.into_iter().flat_map(|(low, high)| [low, high]);
        let all = std::iter::once(param.default).chain(range).chain(param.smooth).chain(param.cc);
        all.for_each(|expr| self.check_constant(file, expr));
    }

    /// An expression that sees the names of a file alone.
    fn check_constant(&mut self, file: usize, expr: ExprId) {
        if matches!(self.files().file(file).ast.exprs[expr], Expr::Number(_)) {
            return;
        }
        let mut scope = 0;
        if file != self.song.file {
            let names = resolved(self.files(), file).scope(FILE).locals.len();
            let slots = vec![Slot::Absent; names];
            self.scopes.push(Scope { slots, iterations: None, ..Scope::song(file) });
            scope = self.scopes.len() - 1;
            self.add_equations(scope, &"".into());
        }
        self.eval(&At { scope, path: "".into() }, expr);
    }

    /// True while a definition is checked by itself.
    pub(super) fn is_generic(&self) -> bool {
        self.unknown.is_some()
    }

    /// The placeholder of an unknown value as a signal.
    pub(super) fn any_signal(&mut self) -> Option<Signal> {
        let channels = [self.unknown?].into_iter().collect();
        Some(Signal { channels, dimension: Dimension::ANY })
    }

    /// True where a value depends on arguments of which nothing is known, so that it may be any constant.
    pub(super) fn is_unknown(&self, value: Value) -> bool {
        if !self.is_generic() {
            return false;
        }
        let (mut open, mut seen) = (vec![value], FxHashSet::default());
        while let Some(value) = open.pop() {
            if !seen.insert(value) {
                continue;
            }
            let inst = self.b.inst(value);
            if matches!(inst.op, Op::Input(_)) {
                return true;
            }
            open.extend(inst.args.as_slice());
        }
        false
    }
}
