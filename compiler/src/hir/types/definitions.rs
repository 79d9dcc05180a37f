//! Definitions by themselves, with arguments of which nothing is known but what they declare, whether they are called or not.

use super::names::{Frame, FrameId, Path, Slot};
use super::unknowns::Unknowns;
use super::value::{Kind, Value};
use super::{At, Checker};
use crate::hir::resolve::resolved;
use crate::hir::{DefId, FILE, LocalKind};
use mam_grammar::ast::{Body, Definition, DefinitionKind, Expr, ExprId, ItemKind, Param};

impl Checker<'_> {
    /// Checks an item of a user's file for every argument: a definition, or what describes a knob.
    pub(super) fn item(&mut self, id: DefId) {
        let files = self.files();
        let kind = &files.item(id).kind;
        if !matches!(kind, ItemKind::Definition(_) | ItemKind::Param(_)) {
            return;
        }
        let (frames, problems) = (self.frames.len(), self.problems.len());
        let (song, turns) = (self.all_evaluations, self.turns);
        self.is_generic = true;
        let outside = std::mem::take(&mut self.checked.layouts);
        // Each time something that is remembered has grown, and evaluations are limited.
        loop {
            let grown = self.checked.layouts.grown;
            self.begin(frames);
            self.turns = turns;
            self.problems.truncate(problems);
            (self.unknowns, self.shapes) = (Unknowns::default(), vec![]);
            match kind {
                ItemKind::Definition(definition) => self.definition(id, definition),
                ItemKind::Param(param) => self.param(id.file, param),
                _ => {}
            }
            self.finish();
            self.generic_evaluations += self.evaluations;
            if self.checked.layouts.grown == grown {
                break;
            }
        }
        self.checked.layouts = outside;
        (self.is_generic, self.all_evaluations, self.turns) = (false, song, turns);
    }

    fn definition(&mut self, def: DefId, definition: &Definition) {
        let info = self.input.library.info(self.files(), def);
        let expected = self.input.library.formals(self.files(), def);
        // Of an effect inside a definition the parameters are arguments, which may be constants.
        let kind = if definition.kind == DefinitionKind::Effect { Kind::Open } else { Kind::Slow };
        let hir = resolved(self.files(), def.file);
        let locals = &hir.scope(hir.definition_scope(def.item)).locals;
        let slots: Vec<Slot> = locals
            .iter()
            .map(|&id| {
                let local = hir.local(id);
                match local.kind {
                    LocalKind::Formal(place) => Slot::Done(match &expected[place] {
                        Some(expected) => self.measured(expected.dimension),
                        None => self.unknown(),
                    }),
                    LocalKind::Param(place) => {
                        let param = &info.params[place];
                        let number = self.within(kind, (param.min, param.max));
                        Slot::Done(Value::mono(number, param.dimension))
                    }
                    LocalKind::Event => Slot::Done(self.event(&local.name)),
                    LocalKind::In | LocalKind::Input(_) => Slot::Done(self.unknown()),
                    _ => Slot::Absent,
                }
            })
            .collect();
        let path = Path::Node(definition.name.name.clone());
        let frame = self.definition_frame(0, def, path, |local| slots[local.index].clone());
        let at = At { frame, equation: None };
        for formal in &definition.formals {
            formal.default.into_iter().for_each(|default| _ = self.eval(&at, default));
            let range = formal.range.into_iter().flat_map(|(low, high)| [low, high]);
            range.for_each(|end| self.described(def.file, end));
        }
        self.body(frame, &definition.body);
        if let Body::Items(items) = &definition.body {
            for item in items {
                match &item.kind {
                    ItemKind::Until(until) => {
                        let value = self.eval(&at, *until);
                        let span = self.span(&at, *until);
                        self.mono(value, span);
                    }
                    ItemKind::Param(param) => self.param(def.file, param),
                    _ => {}
                }
            }
        }
        self.finish();
        self.keep_types(frame);
    }

    /// Keeps the types of the names of a frame that were evaluated.
    fn keep_types(&mut self, frame: FrameId) {
        let Frame { file, scope, .. } = self.frames[frame];
        let ids = &resolved(self.files(), file).scope(scope).locals;
        for (&id, slot) in ids.iter().zip(&self.frames[frame].slots) {
            if let Slot::Done(value) = slot
                && let Some(ty) = self.ty(value)
            {
                self.checked.types.insert((file, id), ty);
            }
        }
    }

    /// What describes a parameter.
    fn param(&mut self, file: usize, param: &Param) {
        let range = param.range.into_iter().flat_map(|(low, high)| [low, high]);
        let all = std::iter::once(param.default).chain(range).chain(param.smooth).chain(param.cc);
        all.for_each(|expr| self.described(file, expr));
    }

    /// An expression that sees the names of a file alone.
    fn described(&mut self, file: usize, expr: ExprId) {
        if matches!(self.files().file(file).ast.exprs[expr], Expr::Number(_)) {
            return;
        }
        let mut frame = 0;
        if file != self.input.song {
            let names = resolved(self.files(), file).scope(FILE).locals.len();
            self.frames.push(Frame {
                slots: vec![Slot::Absent; names],
                iterations: None,
                ..Frame::song(file)
            });
            frame = self.frames.len() - 1;
            self.add_equations(frame);
        }
        self.eval(&At { frame, equation: None }, expr);
    }
}
