//! JSON songs: the second front end, and nothing more.
//!
//! [`mam_grammar::json`] gives every field its type and place. Here the names are looked up in the library, with all
//! problems at once ([`nodes`], [`wires`], [`play`]), and the song becomes the same things that `.mam` text becomes:
//! a syntax tree of equations ([`Song::ast`]) whose places lie in the JSON, and, once it is known where its
//! instruments and parameters are, a score ([`Song::score`]). From there on nothing knows that it was JSON.

pub mod codes;
mod differences;
mod expressions;
mod from_mam;
mod grid;
mod known;
mod mods;
mod nodes;
mod play;
mod schema;
mod score;
mod sound;
mod to_mam;
mod wires;

pub use from_mam::from_mam;
pub use schema::schema;

use crate::files::Files;
use crate::library::Library;
use known::Known;
use mam_grammar::ast::Ast;
use mam_grammar::json::{self, At, Graph};
use mam_grammar::{Problem, Problems, Severity, SourceId, Sources};
use mam_runtime::ids::ParamId;
use mam_runtime::score::Score;
use nodes::Nodes;
use play::Play;
use std::sync::Arc;

/// A JSON song without errors.
pub struct Song {
    /// Its equations. A name may be any text: it is the node's id, unless that means something in mam.
    pub ast: Ast,
    /// Frames a second, if it says so.
    pub rate: Option<u32>,
    /// Output channels, if it says so, and where.
    pub channels: Option<At<u16>>,
    graph: Graph,
    nodes: Nodes,
    wires: Vec<wires::Wire>,
    mix: Vec<sound::Term>,
    /// The name of each node in `ast`, in the order of the file.
    names: Vec<Arc<str>>,
    play: Play,
    matrix: mods::Matrix,
    /// The instruments that nothing triggers: they play once, at the start.
    starts: Vec<usize>,
}

/// Where the instruments and parameters of a compiled song are, by the names in [`Song::ast`].
pub trait Bindings {
    /// The index of an instrument in `Program::targets`.
    fn target(&self, name: &str) -> Option<usize>;
    /// The index of a node's parameter in `Program::params`.
    fn param(&self, name: &str, param: &str) -> Option<ParamId>;
}

/// Problems of one song that are reported at most; of more, the errors first.
const MOST_PROBLEMS: usize = 1000;

/// Reads and checks a song. None when it has errors, which are then among `problems`.
pub fn load(
    sources: &mut Sources,
    id: SourceId,
    files: &Files,
    library: &Library,
    problems: &mut Problems,
) -> Option<Song> {
    let known = Known { files, library };
    let mut found = Problems::default();
    let graph = json::parse(sources, id, &files.limits, &mut found);
    let song = graph.map(|graph| check(graph, known, sources, &mut found));
    let sound = !found.has_errors();
    if found.len() > MOST_PROBLEMS {
        found.retain(|p| sound || p.code.severity == Severity::Error);
        found.truncate(MOST_PROBLEMS);
    }
    problems.extend(found);
    song.filter(|_| sound)
}

fn check(graph: Graph, known: Known<'_>, sources: &mut Sources, problems: &mut Problems) -> Song {
    let mut nodes = Nodes::check(&graph, known, sources, problems);
    let wires = wires::check(&graph, &nodes, problems);
    let play = play::check(&graph, &nodes, problems);
    play.place(&mut nodes);
    let mix = sound::mix(&graph, &nodes, &wires, problems);
    differences::note(&graph, &nodes, &play, problems);
    let names: Vec<Arc<str>> = names(&nodes);
    let triggered = play.triggered(&nodes);
    let alone = |&index: &usize| nodes.all[index].instrument().is_some() && !triggered[index];
    let starts = (0..nodes.all.len()).filter(alone).collect();
    let mut ast = sound::ast(&graph, &nodes, &wires, &names, &mix);
    let matrix = mods::read(&graph, &nodes, &names, (sources, &known.files.limits), problems);
    matrix.add(&mut ast, &names);
    Song {
        ast,
        matrix,
        rate: graph.sample_rate.as_ref().map(|r| r.value),
        channels: graph.channels.clone(),
        graph,
        nodes,
        wires,
        mix,
        names,
        play,
        starts,
    }
}

impl Song {
    /// What it plays, once it is known where everything is.
    pub fn score(&self, places: &dyn Bindings) -> Score {
        score::score(self, places)
    }

    /// The song as `.mam` text; `is_mono` says whether what is mixed has one channel, which is heard on all. Warns of what cannot be
    /// said there.
    pub fn to_mam(&self, is_mono: bool, problems: &mut Problems) -> String {
        to_mam::to_mam(self, is_mono, problems)
    }

    /// Warns of commands at or after the end of a render of so many frames.
    pub fn check_length(&self, frames: u64, problems: &mut Problems) {
        for command in self.play.commands.iter().filter(|c| c.frame.value >= frames) {
            let message = format!("the render ends at frame {frames}, before this command");
            problems.add(Problem::new(&codes::LATE_COMMAND, command.frame.span, message));
        }
    }
}

/// Names that mean something in a song's equations, so that no node may take them.
const TAKEN: [&str; 8] = ["in", "out", "tau", "pi", "sr", "dt", "beat", "bar"];

/// The name of each node: its id, with underscores behind it where that is taken.
fn names(nodes: &Nodes) -> Vec<Arc<str>> {
    let ids: Vec<&str> = nodes.all.iter().map(|n| &*n.id.value).collect();
    let own = |id: &&str| {
        let mut name = (*id).to_owned();
        while TAKEN.contains(&&*name) || (name != *id && ids.contains(&&*name)) {
            name.push('_');
        }
        name.into()
    };
    ids.iter().map(own).collect()
}
