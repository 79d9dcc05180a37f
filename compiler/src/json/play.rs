//! What a song plays: its transports and commands, with every name looked up.

use super::codes;
use super::known::Kind;
use super::nodes::{Node, NodeKind, Nodes, Setting, check_ramp, param, setting};
use crate::score::extent::{Form, Played};
use crate::score::note_number;
use mam_grammar::ast::Number;
use mam_grammar::float;
use mam_grammar::json::{
    At, CommandKind, Decimal, Graph, ParamName, Pattern, PatternNote, Quantity, Scalar, Text, Transport,
    codes as json_codes,
};
use mam_grammar::{Problem, Problems, Span};
use mam_runtime::score::{Note, Pitch};

/// Everything that a JSON song does over time.
pub(super) struct Play {
    /// In the order of the file, the `transport` section first.
    pub(super) transports: Vec<(Transport, Vec<Row>)>,
    /// In the order of the file.
    pub(super) commands: Vec<Command>,
}

/// A row of a transport.
pub(super) struct Row {
    /// Index of the node.
    pub(super) node: usize,
    /// For each step whether it is a hit.
    pub(super) steps: Vec<bool>,
    /// Where the steps stand.
    pub(super) span: Span,
    /// What is played besides, in the order of the file.
    pub(super) notes: Vec<PlayedNote>,
    /// After how many bars the notes come again.
    pub(super) bars: u32,
    /// What is set at which step.
    pub(super) locks: Vec<Lock>,
}

/// A note of a row.
pub(super) struct PlayedNote {
    /// The step at which it begins, counted through the bars of the row.
    pub(super) step: u32,
    /// How many steps it takes.
    pub(super) steps: Decimal,
    /// The MIDI note number; the instrument's own where `None`.
    pub(super) note: Option<f64>,
    /// Velocity; 1 is nominal.
    pub(super) vel: f64,
    /// Which share of its steps it is held.
    pub(super) gate: f64,
    /// Seconds by which it comes later.
    pub(super) delay: f64,
    /// Where the note stands in the file.
    pub(super) span: Span,
}

impl PlayedNote {
    /// What the instrument plays.
    pub(super) fn value(&self) -> Note {
        let pitch = self.note.map_or(Pitch::Plain(0.0), Pitch::Note);
        Note { pitch, vel: self.vel, length: self.gate, delay: self.delay, values: None }
    }
}

/// A parameter that is set at a step.
pub(super) struct Lock {
    /// The step, from 0.
    pub(super) step: u32,
    /// The parameter and the value that it gets.
    pub(super) setting: Setting,
    /// Duration of the ramp in milliseconds.
    pub(super) ramp: Decimal,
}

/// Something that happens at a frame.
pub(super) struct Command {
    /// The frame at which it takes effect.
    pub(super) frame: At<u64>,
    /// Index of the node.
    pub(super) node: usize,
    /// What is set, with the ramp in milliseconds; a note is played where there is none.
    pub(super) set: Option<(Setting, Decimal)>,
}

/// Looks up every name in transports and commands.
pub(super) fn check(graph: &Graph, nodes: &Nodes, problems: &mut Problems) -> Play {
    two_transports(graph, problems);
    let mut transports = vec![];
    for transport in &graph.transports {
        let rows = transport.patterns.iter().filter_map(|p| row(p, nodes, problems)).collect();
        transports.push((transport.clone(), rows));
    }
    let commands = graph.commands.iter().filter_map(|command| {
        let node = nodes.find(&command.node, problems)?;
        let set = match &command.kind.value {
            CommandKind::Trigger => {
                playable(&nodes.all[node], &command.node, problems)?;
                None
            }
            CommandKind::Set { param, value, ramp } => {
                let setting = set(&nodes.all[node], &command.node, param, value, ramp.as_ref(), problems)?;
                let ramp = ramp.as_ref().map_or(Decimal::whole_number(0), |r| r.value.clone());
                Some((setting, ramp))
            }
        };
        Some(Command { frame: command.sample_time.clone(), node, set })
    });
    Play { transports, commands: commands.collect() }
}

fn two_transports(graph: &Graph, problems: &mut Problems) {
    let [first, others @ ..] = &graph.transports[..] else { return };
    for other in others {
        let span = other.node.as_ref().map_or(other.head, |id| id.span);
        let problem = Problem::new(
            &codes::TWO_TRANSPORTS,
            span,
            "the song has more than one transport; all of them play",
        );
        problems.add(problem.label(first.head, "another one").help("keep one of them"));
    }
}

fn row(pattern: &Pattern, nodes: &Nodes, problems: &mut Problems) -> Option<Row> {
    let node = nodes.find(&pattern.node, problems)?;
    if pattern.has_hits() {
        playable(&nodes.all[node], &pattern.node, problems);
    }
    let locks = pattern.locks.iter().filter_map(|lock| {
        let ramp = Some(&lock.ramp);
        let setting = set(&nodes.all[node], &pattern.node, &lock.param, &lock.value, ramp, problems)?;
        Some(Lock { step: lock.step.value, setting, ramp: lock.ramp.value.clone() })
    });
    let locks = locks.collect();
    let notes: Vec<PlayedNote> = pattern.notes.iter().filter_map(|note| played(note, problems)).collect();
    let numbered = nodes.all[node].instrument().is_some_and(Kind::is_numbered);
    for note in &notes {
        let by =
            Played { name: &pattern.node.value, span: note.span, numbered, pieces: None, form: Form::Json };
        by.otherwise(&note.value()).for_each(|problem| problems.add(problem));
    }
    let (steps, span, bars) = (pattern.steps.clone(), pattern.span, pattern.bars);
    Some(Row { node, locks, steps, span, notes, bars })
}

fn played(note: &PatternNote, problems: &mut Problems) -> Option<PlayedNote> {
    let number = match &note.note {
        None => None,
        Some(At { value: Quantity::Number(number), .. }) => Some(number.value()),
        Some(At { value: Quantity::Written(name), span }) => match note_number(name) {
            Some(number) => Some(number),
            None => {
                let message = format!("`{name}` is not a note");
                let problem = Problem::new(&json_codes::VALUE, *span, message);
                problems
                    .add(problem.help("write a name with its octave, `c4` or `eb3`, or a MIDI note number"));
                return None;
            }
        },
    };
    if note.gate.value() <= 0.0 {
        let message =
            format!("a note is held for more than 0 percent of its steps, not for {}", note.gate.plain());
        let help = "write `\"gatePercent\": 100` for all of them, or leave the note out";
        problems.add(Problem::new(&json_codes::VALUE, note.step.span, message).help(help));
        return None;
    }
    Some(PlayedNote {
        step: note.step.value,
        steps: note.steps.value.clone(),
        note: number,
        vel: note.vel.value(),
        gate: scaled(&note.gate, -2),
        delay: scaled(&note.delay, -3),
        span: note.step.span,
    })
}

/// A decimal times a power of ten, rounded once.
fn scaled(decimal: &Decimal, exponent: i32) -> f64 {
    float::parse(&format!("{}e{exponent}", decimal.plain())).unwrap_or_else(|| decimal.value())
}

impl Row {
    /// Whether it plays something.
    pub(super) fn plays(&self) -> bool {
        self.steps.contains(&true) || !self.notes.is_empty()
    }
}

/// Reports a trigger of something other than an instrument.
fn playable(node: &Node, id: &Text, problems: &mut Problems) -> Option<()> {
    let what = match &node.kind {
        NodeKind::Sound(kind, _) if !kind.effect => return Some(()),
        NodeKind::Sound(kind, _) => format!("an effect, `{}`", kind.name),
        NodeKind::Transport => "a transport".to_owned(),
        NodeKind::Signal(..) => "a signal".to_owned(),
        NodeKind::Unknown => return None,
    };
    let message = format!("`{}` is {what}: it cannot be triggered", id.value);
    problems.add(Problem::new(&codes::NOT_PLAYABLE, id.span, message));
    None
}

fn set(
    node: &Node,
    id: &Text,
    name: &ParamName,
    value: &At<Scalar>,
    ramp: Option<&At<Decimal>>,
    problems: &mut Problems,
) -> Option<Setting> {
    let kind = match &node.kind {
        NodeKind::Sound(kind, _) => kind,
        NodeKind::Transport | NodeKind::Signal(..) => {
            let what = if matches!(node.kind, NodeKind::Transport) { "transport" } else { "signal" };
            let message = format!("`{}` is a {what}: it has no parameters to set", id.value);
            problems.add(Problem::new(&codes::NOT_PLAYABLE, id.span, message));
            return None;
        }
        NodeKind::Unknown => return None,
    };
    let param = param(kind, name, problems)?;
    if let Some(ramp) = ramp {
        check_ramp(param, ramp, problems);
    }
    setting(param, name.span(), value, problems)
}

impl Play {
    /// The instruments whose `pan` is set while they play have one from the beginning: in the middle, where nothing is said.
    pub(super) fn place(&self, nodes: &mut Nodes) {
        let locks = self.transports.iter().flat_map(|(_, rows)| rows);
        let locks = locks.flat_map(|row| row.locks.iter().map(|lock| (row.node, &lock.setting)));
        let sets = self.commands.iter().filter_map(|command| Some((command.node, &command.set.as_ref()?.0)));
        for (node, setting) in locks.chain(sets).filter(|(_, setting)| setting.param.is_place()) {
            let settings = &mut nodes.all[node].settings;
            if settings.iter().all(|own| own.param.id != setting.param.id) {
                let written = Number { digits: "0".into(), unit: None };
                settings.push(Setting { value: 0.0, written, ..setting.clone() });
            }
        }
    }

    /// For each node whether something triggers it: a command, a hit, or its own loop at some time.
    pub(super) fn triggered(&self, nodes: &Nodes) -> Vec<bool> {
        let mut triggered = vec![false; nodes.all.len()];
        let (mut loops, mut beats) = (triggered.clone(), triggered.clone());
        let mut note = |node: usize, setting: &Setting| match &*setting.param.name {
            "loop" => loops[node] |= setting.value > 0.0,
            "bpm" => beats[node] |= setting.value > 0.0,
            _ => {}
        };
        for (index, node) in nodes.all.iter().enumerate() {
            node.settings.iter().for_each(|setting| note(index, setting));
        }
        for row in self.transports.iter().flat_map(|t| &t.1) {
            triggered[row.node] |= row.plays();
            row.locks.iter().for_each(|lock| note(row.node, &lock.setting));
        }
        for command in &self.commands {
            match &command.set {
                Some((setting, _)) => note(command.node, setting),
                None => triggered[command.node] = true,
            }
        }
        (0..nodes.all.len()).map(|i| triggered[i] || (loops[i] && beats[i])).collect()
    }
}
