//! The instruments of a song as controllers and the display name them: each once, by the name of its equation.

use mam_runtime::{Program, Target};
use std::sync::Arc;

/// An instrument that is heard. In `bd = kick() |> drive(3)` that is the kick at the beginning of the pipe, and it is called
/// `bd` all the same.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Instrument {
    /// The shortest of its names.
    pub(super) name: Arc<str>,
    /// The target of that name, whose level is that at the end of the pipe.
    pub(super) named: usize,
    /// The target whose voices play.
    pub(super) plays: usize,
}

/// The instruments of a program, in the order of its targets.
pub(super) fn instruments(program: &Program) -> Vec<Instrument> {
    let is_heard = |target: &Target| {
        program.steps.iter().any(|step| step.ports.iter().any(|port| target.voices.contains(port)))
    };
    let (heard, names): (Vec<usize>, Vec<usize>) =
        (0..program.targets.len()).partition(|&index| is_heard(&program.targets[index]));
    let instrument = |&plays: &usize| {
        let own = &program.targets[plays].name;
        let begins = |&&index: &&usize| {
            own.strip_prefix(&*program.targets[index].name).is_some_and(|rest| rest.starts_with('.'))
        };
        let named = names.iter().filter(begins).min_by_key(|&&index| program.targets[index].name.len());
        let named = named.copied().unwrap_or(plays);
        Instrument { name: program.targets[named].name.clone(), named, plays }
    };
    heard.iter().map(instrument).collect()
}

/// The target whose voices play what is asked for by a name.
pub(super) fn playing<'p>(program: &'p Program, name: &str) -> Option<&'p Target> {
    let found = program.targets.iter().position(|target| &*target.name == name)?;
    let all = instruments(program);
    let plays = all.iter().find(|instrument| instrument.named == found || instrument.plays == found);
    Some(&program.targets[plays.map_or(found, |instrument| instrument.plays)])
}
