//! What an `expect` measures: its measure, and which argument is which.

use super::resolve::{Context, Resolver};
use super::{Measured, Target};
use crate::call::{bind, missing_argument};
use crate::codes;
use crate::expect::measures::{Given, Measure};
use mam_grammar::Problem;
use mam_grammar::ast::{Expect, Ident};

impl Resolver<'_> {
    /// The names of an `expect` are those of the file; what is measured may call instruments, as the song may.
    pub(super) fn expect(&mut self, item: usize, expect: &Expect) {
        let ast = self.ast;
        let (callee, args) = ast.measure(expect);
        let song = Context::song();
        let constant = song.constant();
        for expr in expect.condition.into_iter().flat_map(|condition| condition.exprs()) {
            self.expr(constant, expr);
        }
        let Some(measure) = Measure::find(&callee.name) else {
            self.problem(song, unknown_measure(callee));
            args.iter().for_each(|arg| self.expr(song.quiet(), arg.value));
            return;
        };
        self.used(song.scope, callee.span, Target::Measure(measure));
        let row = measure.row();
        let formals = row.formals();
        let before = self.hir.problems.len();
        let bound = bind(ast, (callee, args), &formals, &[], &mut self.hir.problems);
        let mut misread = self.hir.problems.len() > before;
        for (place, given) in bound.args.iter().enumerate() {
            let param = place.checked_sub(row.subjects.len()).map(|param| &row.params[param]);
            let needed = param.is_none_or(|param| param.given == Given::Needed);
            match given {
                Some(expr) => self.expr(if param.is_some() { constant } else { song }, *expr),
                None if needed && !misread => {
                    misread = true;
                    let problem = missing_argument(callee, formals[place], &formals, callee.span);
                    self.problem(song, problem);
                }
                None => misread |= needed,
            }
        }
        if !misread {
            self.hir.measured.insert(item, Measured { measure, args: bound.args });
        }
    }
}

fn unknown_measure(callee: &Ident) -> Problem {
    let names: Vec<&str> = Measure::ALL.iter().map(|measure| measure.row().name).collect();
    let message = format!("there is no measure called `{callee}`");
    let problem = Problem::new(&codes::UNKNOWN_MEASURE, callee.span, message);
    problem.nearest(&callee.name, "measures", &names)
}
