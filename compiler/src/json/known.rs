//! The library as JSON sees it: which types of nodes there are, and what can be set on each.

use std::rc::Rc;
use std::sync::Arc;

pub use mam_runtime::Curve;

/// What a parameter measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dimension(pub i8);

impl Dimension {
    /// A plain number.
    pub const PLAIN: Dimension = Dimension(0);
    /// A time in seconds.
    pub const TIME: Dimension = Dimension(1);
    /// A frequency in hertz.
    pub const FREQUENCY: Dimension = Dimension(-1);
}

/// A parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct ParamInfo {
    /// Its name in mam.
    pub name: Arc<str>,
    /// What it is for.
    pub doc: Option<Arc<str>>,
    /// Its place in the list, from 1.
    pub id: usize,
    /// Its value at the start, in base units (Hz, s, plain).
    pub default: f64,
    /// Least value; −∞ without a range.
    pub min: f64,
    /// Greatest value; +∞ without a range.
    pub max: f64,
    /// What it measures.
    pub dimension: Dimension,
    /// How it ramps.
    pub curve: Curve,
}

impl ParamInfo {
    /// Its name in JSON: `pitch_decay` is `pitchDecayMs`; only times get a suffix.
    pub fn json_name(&self) -> String {
        let mut name = String::new();
        for (i, word) in self.name.split('_').enumerate() {
            let mut letters = word.chars();
            match letters.next() {
                Some(first) if i > 0 => name.extend(first.to_uppercase().chain(letters)),
                _ => name.push_str(word),
            }
        }
        if self.dimension == Dimension::TIME { name + "Ms" } else { name }
    }

    /// Its name in commands and locks: `PITCH_DECAY_MS`.
    pub fn command_name(&self) -> String {
        let name = self.name.to_uppercase();
        if self.dimension == Dimension::TIME { name + "_MS" } else { name }
    }
}

/// A type of nodes.
#[derive(Clone, Debug)]
pub struct Kind {
    /// Its name.
    pub name: Arc<str>,
    /// True for an effect, false for an instrument.
    pub effect: bool,
    /// What it is for.
    pub doc: Option<Arc<str>>,
    /// What can be set; an instrument's end with `bpm` and `loop`.
    pub params: Vec<ParamInfo>,
    /// The further inputs of an effect, at ports 1, 2 …
    pub inputs: Vec<Arc<str>>,
}

/// Where types are looked up.
pub trait Known {
    /// The type of this name.
    fn kind(&self, name: &str) -> Option<Rc<Kind>>;
    /// The names of all types.
    fn names(&self) -> Vec<String>;
    /// True when the language has a function of this name, which a node cannot be.
    fn is_function(&self, name: &str) -> bool;
}
