//! What the names of a song's parameters mean.
//!
//! One rule for the score, `--set`, OSC, MIDI and JSON: `x.p` is the parameter `p` of the instrument at the left end of
//! the pipe that `x` stands for, else of the one effect in that pipe that has it. `x.effect.p` always names one: an
//! effect of the equation of `x`, else of the equation from which its pipe goes on.

use crate::ids::ParamId;
use crate::sort::Sort;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// The names under which parameters are found. Built by the compiler.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub struct ParamNames {
    /// What each equation of the song is.
    pub pipes: FxHashMap<Arc<str>, Pipe>,
    /// Everything that has a path of its own: knobs, and instances inside of expressions.
    pub paths: FxHashMap<Arc<str>, ParamId>,
}

/// An equation, read as a pipe.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub struct Pipe {
    /// The equation that stands at its left end.
    pub from: Option<Arc<str>>,
    /// The equation, this one or one that it goes on from, at whose left end an instrument stands.
    pub left: Option<Arc<str>>,
    /// The instrument that stands at its left end.
    pub instrument: Option<Owner>,
    /// Its effects, from left to right; the second `echo` of a pipe is called `echo2`.
    pub effects: Vec<Owner>,
}

/// An instrument or effect with its parameters.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub struct Owner {
    /// The name of its definition.
    pub name: Arc<str>,
    /// The parameter of the program that its first one is; the others follow it.
    first: ParamId,
    offered: Arc<Offered>,
}

/// The names of the parameters that instances of one definition have.
#[derive(Debug)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub struct Offered {
    /// In the order of the definition.
    params: Vec<Param>,
    /// Their numbers in the order of their names.
    sorted: Vec<u32>,
}

/// The names of a parameter.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub struct Param {
    /// Its name in mam.
    pub name: Arc<str>,
    /// Its name in JSON.
    pub json: Arc<str>,
}

/// Why a name leads to no parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Miss {
    /// There is nothing of this name.
    Unknown,
    /// More than one effect of a pipe has it: the names of each.
    Several(Vec<String>),
}

/// How names are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// The name as it is written, letter by letter.
    Exact,
    /// Without regard to case, `_` and `-`; JSON's names as well.
    Loose,
}

impl Spelling {
    fn plain(self, name: &str) -> String {
        match self {
            Spelling::Exact => name.to_owned(),
            Spelling::Loose => name.replace(['_', '-'], "").to_lowercase(),
        }
    }

    fn is(self, wanted: &str, name: &str) -> bool {
        match self {
            Spelling::Exact => wanted == name,
            Spelling::Loose => self.plain(wanted) == self.plain(name),
        }
    }
}

/// The most effects of a pipe that a problem names as those that have a parameter.
const MOST_NAMED: usize = 16;

impl ParamNames {
    /// The slot that `name` means: `bd.gain`, `wet.echo.time`, a knob's name.
    ///
    /// # Errors
    /// Whether there is nothing of this name, or more than one.
    pub fn find(&self, name: &str, spelling: Spelling) -> Result<ParamId, Miss> {
        // The name of an equation may itself have dots in it (in JSON): the longest one that there is.
        for (head, rest) in splits(name) {
            let Some(head) = self.equation(head, spelling) else { continue };
            let found = match rest.split_once('.') {
                None => self.short(head, rest, spelling),
                Some((effect, param)) => match self.signal(head, rest, spelling) {
                    Some(slot) => Ok(slot),
                    None => self.long(head, effect, param, spelling),
                },
            };
            match found {
                Ok(slot) => return Ok(slot),
                Err(several @ Miss::Several(_)) => return Err(several),
                Err(Miss::Unknown) => {}
            }
        }
        let path = match spelling {
            Spelling::Exact => self.paths.get(name),
            Spelling::Loose => {
                self.paths.iter().find(|(path, _)| spelling.is(name, path)).map(|(_, slot)| slot)
            }
        };
        path.copied().ok_or(Miss::Unknown)
    }

    /// The parameter `param` of an effect in the pipe of equation `name`, as it stands in `name.effect.param`.
    ///
    /// # Errors
    /// There is nothing of this name.
    pub fn long(&self, name: &str, effect: &str, param: &str, spelling: Spelling) -> Result<ParamId, Miss> {
        let owner = self.pipe(name).find_map(|(_, pipe)| {
            let own = pipe.effects.iter().chain(&pipe.instrument);
            own.into_iter().find(|owner| spelling.is(effect, &owner.name))
        });
        let found = owner.and_then(|owner| owner.find(param, spelling));
        found.ok_or(Miss::Unknown)
    }

    /// The signal of an instrument's notes, `note.bend`, that stands behind the name of its equation.
    fn signal(&self, name: &str, signal: &str, spelling: Spelling) -> Option<ParamId> {
        self.instrument(name)?.find(signal, spelling)
    }

    /// The parameter that `name.param` means.
    ///
    /// # Errors
    /// Whether nothing in the pipe has it, or more than one effect.
    pub fn short(&self, name: &str, param: &str, spelling: Spelling) -> Result<ParamId, Miss> {
        if let Some(slot) = self.instrument(name).and_then(|owner| owner.find(param, spelling)) {
            return Ok(slot);
        }
        let effects =
            self.pipe(name).flat_map(|(at, pipe)| pipe.effects.iter().map(move |owner| (at, owner)));
        let mut having =
            effects.filter_map(|(at, owner)| Some((at, owner, owner.find(param, spelling)?))).fuse();
        match [having.next(), having.next()] {
            [None, _] => Err(Miss::Unknown),
            [Some((_, _, slot)), None] => Ok(slot),
            found => Err(Miss::Several(
                found
                    .into_iter()
                    .flatten()
                    .chain(having.take(MOST_NAMED))
                    .map(|(at, owner, _)| format!("{at}.{}.{param}", owner.name))
                    .collect(),
            )),
        }
    }

    /// A name that leads to a slot of `owner`, an effect or instrument of equation `name`.
    pub fn name_of(&self, name: &str, owner: &Owner, (param, slot): (&Param, ParamId)) -> String {
        match self.short(name, &param.name, Spelling::Exact) {
            Ok(short) if short == slot => format!("{name}.{}", param.name),
            _ => format!("{name}.{}.{}", owner.name, param.name),
        }
    }

    /// The names that the parameters of an equation's pipe can be called by; of a long pipe, those of its right end.
    pub fn known(&self, name: &str) -> Vec<String> {
        let mut known = Vec::new();
        for (at, pipe) in self.pipe(name).take(MOST_NAMED) {
            for owner in pipe.instrument.iter().chain(&pipe.effects) {
                for (param, slot) in owner.params() {
                    let short = self.short(name, &param.name, Spelling::Exact) == Ok(slot);
                    known.push(if short {
                        format!("{name}.{}", param.name)
                    } else {
                        self.name_of(at, owner, (param, slot))
                    });
                }
            }
        }
        known
    }

    /// The instrument at the left end of an equation's pipe.
    fn instrument<'n>(&'n self, name: &'n str) -> Option<&'n Owner> {
        let left = self.pipes.get(name)?.left.as_deref()?;
        self.pipes.get(left)?.instrument.as_ref()
    }

    /// Finds the left end of every pipe. To be called when all of them are there.
    pub fn link(&mut self) {
        let mut ends: FxHashMap<Arc<str>, Option<Arc<str>>> = FxHashMap::default();
        for (name, pipe) in &self.pipes {
            // Most pipes are their own left end, or have none.
            if pipe.instrument.is_some() || pipe.from.is_none() {
                continue;
            }
            let mut open = vec![];
            let mut at = Some(name);
            let end = loop {
                let Some((name, pipe)) = at.and_then(|name| self.pipes.get_key_value(name)) else {
                    break None;
                };
                match ends.get(name) {
                    Some(known) => break known.clone(),
                    None if pipe.instrument.is_some() => {
                        open.push(name);
                        break Some(name.clone());
                    }
                    None => {}
                }
                // A cycle of pipes has no end: what has been passed says so.
                ends.insert(name.clone(), None);
                open.push(name);
                at = pipe.from.as_ref();
            };
            open.into_iter().for_each(|name| _ = ends.insert(name.clone(), end.clone()));
        }
        for (name, pipe) in &mut self.pipes {
            pipe.left = match pipe.instrument {
                Some(_) => Some(name.clone()),
                None => ends.remove(name).flatten(),
            };
        }
    }

    fn equation<'n>(&'n self, name: &'n str, spelling: Spelling) -> Option<&'n str> {
        if self.pipes.contains_key(name) {
            return Some(name);
        }
        let loose = || self.pipes.keys().find(|key| spelling.is(name, key)).map(|key| &**key);
        (spelling == Spelling::Loose).then(loose).flatten()
    }

    /// The pipe of an equation, and those that it goes on from, from right to left.
    fn pipe<'n>(&'n self, name: &'n str) -> impl Iterator<Item = (&'n str, &'n Pipe)> {
        let pipe = |name: &'n str| Some((name, self.pipes.get(name)?));
        // Pipes that go on from each other in a circle have no left end.
        std::iter::successors(pipe(name), move |(_, of)| pipe(of.from.as_deref()?)).take(self.pipes.len())
    }
}

impl Offered {
    /// Parameters in the order of their definition.
    pub fn new(params: Vec<Param>) -> Offered {
        let mut sorted: Vec<u32> = (0..params.len() as u32).collect();
        sorted.put_in_order_by_key(|&param| &params[param as usize].name);
        Offered { params, sorted }
    }

    /// Whether each name means one parameter, and has no dot in it.
    pub fn is_plain(&self) -> bool {
        let name = |number: u32| &*self.params[number as usize].name;
        let twice = |pair: &[u32]| name(pair[0]) == name(pair[1]);
        !self.sorted.windows(2).any(twice) && self.params.iter().all(|param| !param.name.contains('.'))
    }
}

impl Owner {
    /// An instance with such parameters, which are those of the program from `first` on.
    pub fn new(name: Arc<str>, offered: Arc<Offered>, first: ParamId) -> Owner {
        Owner { name, first, offered }
    }

    /// Its parameters, in the order of its definition.
    pub fn params(&self) -> impl Iterator<Item = (&Param, ParamId)> {
        self.offered.params.iter().enumerate().map(|(place, param)| (param, self.slot(place)))
    }

    fn slot(&self, place: usize) -> ParamId {
        ParamId::new(self.first.index() + place)
    }

    fn find(&self, param: &str, spelling: Spelling) -> Option<ParamId> {
        let Offered { params, sorted } = &*self.offered;
        match spelling {
            Spelling::Exact => {
                let name = |number: &u32| &*params[*number as usize].name;
                let place = sorted.partition_point(|number| name(number) < param);
                let number = sorted.get(place).filter(|number| name(number) == param)?;
                Some(self.slot(*number as usize))
            }
            Spelling::Loose => {
                let is = |p: &Param| [&p.name, &p.json].iter().any(|name| spelling.is(param, name));
                params.iter().position(is).map(|place| self.slot(place))
            }
        }
    }
}

/// The ways to cut a name at a dot, the last dot first.
fn splits(name: &str) -> impl Iterator<Item = (&str, &str)> {
    let dots: Vec<usize> = name.match_indices('.').map(|(at, _)| at).collect();
    dots.into_iter().rev().map(|at| (&name[..at], &name[at + 1..]))
}
