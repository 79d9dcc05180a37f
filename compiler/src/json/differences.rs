//! What sounds different here from the first mam, in songs that it could play.

use super::codes;
use super::nodes::{Node, NodeKind, Nodes, Setting};
use super::play::Play;
use super::score::tempo_map;
use mam_grammar::json::{Graph, Transport};
use mam_grammar::{Problem, Problems, Span};
use mam_runtime::score::{Rational, Tempo};

/// The rate of a song that does not say one.
const DEFAULT_RATE: u32 = 48_000;

/// Adds a note for each kind of difference, at the first place where it is heard.
pub(super) fn note(graph: &Graph, nodes: &Nodes, play: &Play, problems: &mut Problems) {
    let first_mam = |node: &Node| match &node.kind {
        NodeKind::Sound(kind, _) => matches!(&*kind.name, "kick" | "clap"),
        NodeKind::Transport => true,
        NodeKind::Signal(..) | NodeKind::Unknown => false,
    };
    if !nodes.all.iter().all(first_mam) {
        return;
    }
    let rate = graph.sample_rate.as_ref().map_or(DEFAULT_RATE, |rate| rate.value);
    let found = [clap(nodes), start(nodes, play), gain(nodes, play), swing(graph), grid(graph, rate)];
    for (span, message) in found.into_iter().flatten() {
        problems.add(Problem::new(&codes::DIFFERS, span, message));
    }
}

/// A place and what is different there.
type Difference = Option<(Span, String)>;

fn clap(nodes: &Nodes) -> Difference {
    let span = nodes.all.iter().find_map(|node| match &node.kind {
        NodeKind::Sound(kind, span) if &*kind.name == "clap" => Some(*span),
        _ => None,
    })?;
    Some((span, "in the first mam, the noise of `clap` covered −1 to 0; here it covers −1 to 1".into()))
}

/// There, every node sounded at frame 0, asked or not.
fn start(nodes: &Nodes, play: &Play) -> Difference {
    let triggered = play.triggered(nodes);
    let rows = || play.transports.iter().flat_map(|t| &t.1);
    let node = (0..nodes.all.len()).find(|&index| {
        let row = rows().any(|row| row.node == index && row.steps.first() == Some(&true));
        let command = play.commands.iter().any(|c| c.node == index && c.set.is_none() && c.frame.value == 0);
        triggered[index] && !loops(&nodes.all[index]) && !row && !command
    })?;
    let id = &nodes.all[node].id;
    Some((
        id.span,
        format!("in the first mam, `{}` also sounded at frame 0, where nothing triggers it", id.value),
    ))
}

fn loops(node: &Node) -> bool {
    let positive = |name: &str| node.settings.iter().any(|s| &*s.param.name == name && s.value > 0.0);
    positive("loop") && positive("bpm")
}

/// There, `GAIN` of locks and commands multiplied the `gain` of the node.
fn gain(nodes: &Nodes, play: &Play) -> Difference {
    let locks = play
        .transports
        .iter()
        .flat_map(|t| &t.1)
        .flat_map(|row| row.locks.iter().map(|l| (row.node, &l.setting)));
    let commands = play.commands.iter().filter_map(|c| Some((c.node, &c.set.as_ref()?.0)));
    let own = |node: usize, set: &Setting| {
        let given = nodes.all[node].settings.iter().find(|s| s.param.name == set.param.name);
        given.map_or(set.param.default, |s| s.value)
    };
    let (node, set) =
        locks.chain(commands).find(|(node, set)| &*set.param.name == "gain" && own(*node, set) != 1.0)?;
    let (own, id) = (own(node, set), &nodes.all[node].id.value);
    let message = format!(
        "in the first mam, GAIN multiplied the `gain` of `{id}`, {own}, so that this was {}; here they are one parameter",
        super::nodes::plain(own * set.value)
    );
    Some((set.span, message))
}

fn swing(graph: &Graph) -> Difference {
    let swings = |t: &&Transport| t.swing.value() > 0.0 && t.patterns.iter().any(|p| p.has_hits());
    let transport = graph.transports.iter().find(swings)?;
    let message = "in the first mam, swing made odd steps longer, so that bar lines moved; here odd steps begin later, \
                   and even steps and bar lines stay";
    Some((transport.places.1, message.into()))
}

/// There, a step was a whole number of frames, rounded down.
fn grid(graph: &Graph, rate: u32) -> Difference {
    let uneven = |transport: &&Transport| {
        let frames = Rational::whole(240 * i64::from(rate));
        tempo_map(transport).changes.iter().any(|change| {
            let Tempo::Steady(bpm) = change.tempo else { return false };
            let steps = bpm * Rational::whole(transport.resolution.into());
            steps.and_then(|steps| frames / steps).is_ok_and(|step| step.den() != 1)
        })
    };
    let played = |t: &&Transport| t.patterns.iter().any(|p| p.has_hits() || !p.locks.is_empty());
    let transport = graph.transports.iter().filter(played).find(uneven)?;
    let message = format!(
        "in the first mam, a step was a whole number of frames, so that each bar was up to {} frames short; here \
         nothing drifts",
        transport.resolution - 1
    );
    Some((transport.places.0, message))
}
