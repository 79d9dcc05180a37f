//! Definitions and functions as arguments: `twice(inc, 3)`, where `def twice(f, x) = f(f(x))` calls what it is given.
//!
//! An argument is one that is called where the body calls its name, and nothing else has that name, or gives it to such an argument
//! of another definition. Which definition it is, is known at every call, as definitions are put in where they are called.

use super::builtins::{Builtin, Function};
use super::resolve::{Context, Resolver};
use super::{Call, Callee, DefId, LocalId, LocalKind, Name, Target};
use crate::codes;
use crate::files::Files;
use crate::graph::{body_exprs, operands};
use mam_grammar::ast::{Arg, Body, Definition, DefinitionKind, Expr, ExprId, Ident, ItemKind, equation};
use mam_grammar::problem::count;
use mam_grammar::{Problem, Span};
use std::rc::Rc;

impl Resolver<'_> {
    /// The argument of the definition around that a callee is, where nothing else has its name.
    pub(super) fn called_argument(&self, context: Context, callee: &Ident) -> Option<LocalId> {
        let item = context.definition?;
        let own = self.files.definition(DefId { file: self.file, item });
        if own.kind != DefinitionKind::Def || !is_free(self.files, self.file, &callee.name) {
            return None;
        }
        let id = self.hir.find(context.scope, &callee.name)?;
        matches!(self.hir.local(id).kind, LocalKind::Formal(_)).then_some(id)
    }

    /// A call of an argument: what is given to it stands by its place, as its names are those of any definition.
    pub(super) fn call_argument(
        &mut self,
        context: Context,
        (expr, id): (ExprId, LocalId),
        args: &[Arg],
        piped: Option<ExprId>,
    ) {
        if let Some(name) = args.iter().find_map(|arg| arg.name.as_ref()) {
            let message =
                "what is called here is an argument, whose own arguments have no names that are known";
            let problem = Problem::new(&codes::UNKNOWN_ARGUMENT, name.span, message);
            self.problem(context, problem.help("give it by its place alone"));
        }
        let given: Vec<ExprId> = piped.into_iter().chain(args.iter().map(|arg| arg.value)).collect();
        let args = given.iter().copied().map(Some).collect();
        let call = Call { callee: Callee::Local(id), args, fixed: vec![], word: None, more: vec![], piped };
        self.hir.calls.insert(expr, call);
        given.into_iter().for_each(|value| self.expr(context, value));
    }

    /// Which arguments of a definition are called.
    pub(super) fn called_arguments(&mut self, def: DefId) -> Rc<[bool]> {
        if let Some(known) = self.callable.get(&def) {
            return known.clone();
        }
        let definition = self.files.definition(def);
        // One that uses itself ends here.
        self.callable.insert(def, vec![false; definition.formals.len()].into());
        let called: Vec<bool> = match definition.kind {
            DefinitionKind::Def => {
                definition.formals.iter().map(|f| self.is_called(def, &f.name.name)).collect()
            }
            _ => vec![false; definition.formals.len()],
        };
        let called: Rc<[bool]> = called.into();
        self.callable.insert(def, called.clone());
        called
    }

    fn is_called(&mut self, def: DefId, name: &str) -> bool {
        let definition = self.files.definition(def);
        if !is_free(self.files, def.file, name) || has_equation(definition, name) {
            return false;
        }
        let ast = &self.files.file(def.file).ast;
        let is_name = |expr: ExprId| matches!(&ast.exprs[expr], Expr::Name(own) if *own.name == *name);
        let mut open = body_exprs(&definition.body);
        while let Some(expr) = open.pop() {
            let (callee, args, piped) = match &ast.exprs[expr] {
                Expr::Call { callee, args } => (callee, &args[..], 0),
                Expr::Pipe { left, right } => match &ast.exprs[*right] {
                    Expr::Call { callee, args } => {
                        open.push(*left);
                        (callee, &args[..], 1)
                    }
                    Expr::Name(callee) => {
                        open.push(*left);
                        (callee, &[][..], 1)
                    }
                    _ => {
                        open.extend([*left, *right]);
                        continue;
                    }
                },
                other => {
                    open.extend(operands(other));
                    continue;
                }
            };
            let handed = args.iter().enumerate().filter(|(_, arg)| is_name(arg.value));
            let handed: Vec<(usize, Option<Ident>)> =
                handed.map(|(i, arg)| (i + piped, arg.name.clone())).collect();
            if *callee.name == *name || self.passes_on(def.file, callee, &handed) {
                return true;
            }
            open.extend(args.iter().map(|arg| arg.value));
        }
        false
    }

    /// Whether a call gives a name, at these places or by these names, to an argument that is called.
    fn passes_on(&mut self, file: usize, callee: &Ident, handed: &[(usize, Option<Ident>)]) -> bool {
        let Some(def) = self.files.find(file, &callee.name).filter(|_| !handed.is_empty()) else {
            return false;
        };
        let called = self.called_arguments(def);
        let formals = &self.files.definition(def).formals;
        handed.iter().any(|(place, name)| match name {
            Some(name) => {
                formals.iter().zip(&*called).any(|(formal, called)| *called && formal.name == *name)
            }
            None => called.get(*place).copied().unwrap_or_default(),
        })
    }

    /// What is given to an argument that is called: a definition, a function of numbers, or such an argument of the
    /// definition around.
    pub(super) fn function(&mut self, context: Context, value: ExprId) {
        let ast = self.ast;
        let Expr::Name(name) = &ast.exprs[value] else {
            self.expr(context.quiet(), value);
            let span = ast.span(value);
            return self.no_function(context, value, span, "this is not the name of a definition");
        };
        if let Some(id) = self.called_argument(context, name) {
            self.used(context.scope, name.span, Target::Local(id));
            return self.hir.set_name(value, Name::Local(id));
        }
        match (self.files.find(self.file, &name.name), Builtin::find(&name.name)) {
            (Some(def), _) if self.files.definition(def).kind != DefinitionKind::Instrument => {
                self.used(context.scope, name.span, Target::Definition(def));
                self.uses(context, value, name, def);
                self.hir.set_name(value, Name::Function(Callee::Definition(def)));
            }
            (None, Some(builtin)) if is_of_numbers(builtin) => {
                self.used(context.scope, name.span, Target::Builtin(builtin));
                self.hir.set_name(value, Name::Function(Callee::Builtin(builtin)));
            }
            _ => {
                let message = format!("`{name}` is not a `def`, an effect or a function of numbers");
                self.no_function(context, value, name.span, &message);
            }
        }
    }

    fn no_function(&mut self, context: Context, value: ExprId, span: Span, message: &str) {
        let problem = Problem::new(&codes::NOT_A_VALUE, span, format!("{message}, which is called here"));
        self.problem(context, problem.help("give the name of a definition alone, such as `softclip`"));
        self.hir.set_name(value, Name::Broken);
    }
}

/// Whether neither a definition nor a function that a file sees has this name.
fn is_free(files: &Files, file: usize, name: &str) -> bool {
    files.find(file, name).is_none() && Builtin::find(name).is_none()
}

fn has_equation(definition: &Definition, name: &str) -> bool {
    let Body::Items(items) = &definition.body else { return false };
    equation(items, name).is_some()
}

fn is_of_numbers(builtin: Builtin) -> bool {
    matches!(builtin.row().function, Function::Plain(_) | Function::Keeps(_))
}

/// The call of `function` that the call of an argument is, which gives its arguments by their places; else what is wrong with that.
pub(crate) fn applied(files: &Files, function: Callee, callee: &Ident, call: &Call) -> Result<Call, Problem> {
    let Callee::Definition(def) = function else {
        let Callee::Builtin(builtin) = function else { return Ok(Call { callee: function, ..call.clone() }) };
        let row = builtin.row();
        let args = padded(&call.args, row.formals.len(), row.needed);
        let args = args.ok_or_else(|| wrong_count(callee, row.name, row.formals.len(), call.args.len()))?;
        return Ok(Call { callee: function, args, ..call.clone() });
    };
    let definition = files.definition(def);
    let name = &*definition.name.name;
    let wrong = |takes: usize| wrong_count(callee, name, takes, call.args.len());
    if definition.kind == DefinitionKind::Def {
        let needed =
            definition.formals.iter().rposition(|formal| formal.default.is_none()).map_or(0, |i| i + 1);
        let count = definition.formals.len();
        let args = padded(&call.args, count, needed).ok_or_else(|| wrong(count))?;
        return Ok(Call { callee: function, args, piped: None, ..call.clone() });
    }
    // What flows into an effect comes first, then its parameters.
    let (params, inputs) = (definition.params().count(), inputs(definition));
    let Some((&input, given)) = call.args.split_first() else { return Err(wrong(params + 1)) };
    let args = padded(given, params, 0).ok_or_else(|| wrong(params + 1))?;
    let more = std::iter::once(input).chain(std::iter::repeat_n(None, inputs)).collect();
    Ok(Call {
        callee: function,
        args,
        fixed: vec![None; definition.formals.len()],
        word: None,
        more,
        piped: input,
    })
}

fn inputs(definition: &Definition) -> usize {
    let Body::Items(items) = &definition.body else { return 0 };
    items.iter().filter(|item| matches!(item.kind, ItemKind::Input(_))).count()
}

/// So many arguments, those that are not given left to their defaults; `None` where there are too many or too few.
fn padded(args: &[Option<ExprId>], count: usize, needed: usize) -> Option<Vec<Option<ExprId>>> {
    let fits = (needed..=count).contains(&args.len());
    fits.then(|| args.iter().copied().chain(std::iter::repeat(None)).take(count).collect())
}

fn wrong_count(callee: &Ident, name: &str, takes: usize, given: usize) -> Problem {
    let code = if given > takes { &codes::TOO_MANY_ARGUMENTS } else { &codes::MISSING_ARGUMENT };
    let takes = count(takes, "argument");
    let message = format!("`{callee}` is `{name}` here, which takes {takes}, but is given {given}");
    Problem::new(code, callee.span, message).help("give another definition, or one that calls this one")
}
