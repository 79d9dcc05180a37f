//! Expressions whose value must be known before there is a graph: ranges of parameters, bounds, voices.

use super::builder::FormKind;
use super::names::Slot;
use super::song::{Ports, Slots};
use super::value::Val;
use super::{At, Lower, Song, Templates};
use crate::dimension::Dimension;
use crate::files::Files;
use crate::graph::Turns;
use crate::library::Library;
use mam_grammar::Problems;
use mam_grammar::ast::ExprId;
use rustc_hash::{FxHashMap, FxHashSet};

/// The value of a constant expression of file `file`, in base units; else its problems, none of which means that it is
/// not constant. `turns` are the counters around it.
pub fn number(files: &Files, file: usize, expr: ExprId, turns: &Turns) -> Result<(f64, Dimension), Problems> {
    let (library, mut templates) = (Library::default(), Templates::default());
    let mut song = Song {
        files,
        library: &library,
        graph: None,
        file,
        rate: 48_000.0,
        seed: 0,
        results: vec![],
        heard: FxHashMap::default(),
        slots: Slots::default(),
        ports: Ports::default(),
        tables: vec![],
        terms: 0,
        evaluations: 0,
        found: Problems::default(),
        size_said: false,
        called: FxHashSet::default(),
        templates: &mut templates,
    };
    let (members, mut wide) = (FxHashSet::default(), FxHashSet::default());
    let mut lower = Lower::new(&mut song, &members, &mut wide, "", FormKind::Steady);
    for (name, i) in turns {
        let value = lower.b.f64(*i as f64);
        lower.scopes[0].names.insert(name.clone(), Slot::Done(Val::plain(value)));
    }
    let val = lower.eval(&At { scope: 0, path: "".into() }, expr);
    match val {
        Val::Signal(signal) if signal.channels.len() == 1 => match lower.b.constant(signal.channels[0]) {
            Some(x) if x.is_finite() => Ok((x, signal.dimension)),
            _ => Err(lower.problems),
        },
        _ => Err(lower.problems),
    }
}

/// The value of a constant expression, if it is a whole number.
pub fn whole(files: &Files, file: usize, expr: ExprId, turns: &Turns) -> Option<i64> {
    let (x, _) = number(files, file, expr, turns).ok()?;
    (x.fract() == 0.0 && x.abs() < 1e9).then_some(x as i64)
}
