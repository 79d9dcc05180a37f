//! The score as rows of a step sequencer.

use super::{Song, json_value};
use crate::graph::NodeId;
use crate::places::uses_gate;
use mam_grammar::ast::ItemKind;
use mam_runtime::Target;
use mam_runtime::ids::ParamId;
use mam_runtime::score::pattern::Pitch;
use mam_runtime::score::{
    self, Action, Clip, Duration, Line, PatternEvent, Ramp, Rational, Score, Tempo, TimeSpan, Value,
};
use mam_runtime::sort::Sort;
use std::collections::BTreeSet;

/// The transport of the JSON song.
pub(super) struct Transport {
    pub(super) bpm: Rational,
    pub(super) length_bars: u32,
    pub(super) resolution: u32,
    pub(super) swing: Rational,
    pub(super) tempo: Vec<(u32, Rational)>,
    pub(super) rows: Vec<Row>,
    /// True when instruments that have no row play once, at the start.
    pub(super) others_play: bool,
}

/// What happens to one node.
pub(super) struct Row {
    pub(super) node: NodeId,
    pub(super) steps: Vec<bool>,
    pub(super) locks: Vec<Lock>,
}

/// A parameter set at a step of every bar.
pub(super) struct Lock {
    pub(super) step: u32,
    pub(super) param: String,
    pub(super) value: String,
    pub(super) ramp_ms: Rational,
}

/// An event of a line.
struct Placed {
    bar: u32,
    /// Where in the bar it begins.
    at: Rational,
    /// How many bars it is long.
    length: Rational,
    value: Value,
}

impl Song<'_> {
    /// The transport; None for a song without lines.
    pub(super) fn transport(&mut self, score: &Score, targets: &[Target]) -> Option<Transport> {
        let transport = score.transports.first().filter(|_| !Self::is_score_empty(score))?;
        if !score.lengths.is_empty() {
            self.refuse(self.statement_span(|_| true), "a parameter in beats");
        }
        if transport.tempo.beats_per_bar != Rational::whole(4) {
            self.refuse(
                self.statement_span(|k| matches!(k, ItemKind::Meter { .. })),
                "a meter other than 4/4",
            );
        }
        let most = self.files.limits.json.bars as i128;
        let length = transport.length;
        if length.den() != 1 || !(1..=most).contains(&length.num()) {
            self.refuse(
                self.statement_span(|k| matches!(k, ItemKind::Length(_))),
                "a length that is not whole bars",
            );
            return None;
        }
        let bars = length.num() as u32;
        let tempo = self.tempo(transport);
        let lines: Vec<(&Line, Vec<Placed>)> = transport
            .clips
            .iter()
            .map(|clip| (&transport.lines[clip.line], self.events(transport, clip, bars)))
            .collect();
        let resolution = self.resolution(transport, &lines)?;
        let mut rows = vec![];
        for (line, events) in &lines {
            match line.action {
                Action::Play { target } => {
                    self.hits(&mut rows, &targets[target].name, events, resolution, bars)
                }
                Action::Set { param, ramp } => {
                    self.locks(&mut rows, transport, param, ramp, events, resolution, bars)
                }
            }
        }
        let swing = transport.tempo.swing.map_or(Rational::ZERO, |s| s.amount);
        let swing = (swing * Rational::whole(100)).unwrap_or(Rational::ZERO);
        let (bpm, changes) = (tempo[0].1, tempo[1..].to_vec());
        let others_play = !score.starts.is_empty();
        Some(Transport { bpm, length_bars: bars, resolution, swing, tempo: changes, rows, others_play })
    }

    /// Tempos by bars, the first at bar 0.
    fn tempo(&mut self, transport: &score::Transport) -> Vec<(u32, Rational)> {
        let mut all = vec![];
        let most = Rational::whole(self.files.limits.json.bpm as i64);
        for change in &transport.tempo.changes {
            match change.tempo {
                Tempo::Steady(bpm) if bpm > most => self.refuse(
                    self.statement_span(|k| matches!(k, ItemKind::Tempo { .. })),
                    "a tempo above 1000 beats a minute",
                ),
                Tempo::Steady(bpm) if change.bar.den() == 1 => all.push((change.bar.num() as u32, bpm)),
                _ => self.refuse(
                    self.statement_span(|k| matches!(k, ItemKind::Tempo { .. })),
                    "a tempo that glides",
                ),
            }
        }
        if all.is_empty() {
            all.push((0, Rational::whole(120)));
        }
        all
    }

    /// The onsets of a line in one pass.
    fn events(&mut self, transport: &score::Transport, clip: &Clip, bars: u32) -> Vec<Placed> {
        let end = clip.end.unwrap_or(Rational::whole(bars.into())).min(Rational::whole(bars.into()));
        let line = &transport.lines[clip.line];
        let query = || -> Option<Vec<PatternEvent>> {
            let span = TimeSpan::new(Rational::ZERO, (end - clip.start).ok()?);
            line.pattern.query(span).ok()
        };
        let found = query().unwrap_or_else(|| {
            self.refuse(
                self.statement_span(|k| matches!(k, ItemKind::Play(_))),
                "a pattern as large as this one",
            );
            vec![]
        });
        let place = |event: PatternEvent| {
            let at = (event.whole.begin + clip.start).ok()?;
            let length = (event.whole.end - event.whole.begin).ok()?;
            Some(Placed { bar: at.floor() as u32, at: at.fract(), length, value: event.value })
        };
        let mut placed: Vec<Placed> =
            found.into_iter().filter(PatternEvent::has_onset).filter_map(place).collect();
        placed.put_in_order_by_key(|event| (event.bar, event.at));
        placed
    }

    /// How many steps of a bar everything falls on: as many as hits are long where these are all alike, since a hit is as
    /// long as a step; otherwise the fewest, 16 where that is enough.
    fn resolution(&mut self, transport: &score::Transport, lines: &[(&Line, Vec<Placed>)]) -> Option<u32> {
        let most = self.files.limits.json.resolution as i128;
        let played = lines.iter().filter(|(line, _)| matches!(line.action, Action::Play { .. }));
        let mut lengths = played.flat_map(|(_, events)| events).map(|event| event.length);
        let alike = lengths.next().filter(|first| lengths.all(|length| length == *first));
        let mut steps = match alike.filter(|length| length.num() == 1 && length.den() <= most) {
            Some(length) => length.den(),
            None => 16,
        };
        if let Some(swing) = transport.tempo.swing {
            if swing.step.num() != 1 {
                self.refuse(
                    self.statement_span(|k| matches!(k, ItemKind::Swing { .. })),
                    "swing of such a step",
                );
                return None;
            }
            steps = swing.step.den();
        }
        let positions: BTreeSet<i128> = lines.iter().flat_map(|l| &l.1).map(|event| event.at.den()).collect();
        for den in positions {
            steps = (steps / num_integer::gcd(steps, den)).saturating_mul(den);
            if steps > most || (transport.tempo.swing.is_some_and(|s| steps != s.step.den())) {
                self.refuse(
                    self.statement_span(|k| matches!(k, ItemKind::Play(_))),
                    "steps that lie off the grid",
                );
                return None;
            }
        }
        Some(steps as u32)
    }

    fn hits(&mut self, rows: &mut Vec<Row>, target: &str, events: &[Placed], resolution: u32, bars: u32) {
        let Some(node) = self.graph.nodes.iter().find(|(_, n)| &*n.path == target).map(|(id, _)| id) else {
            return;
        };
        let mut steps = vec![false; (resolution * bars) as usize];
        let hears_the_end = self.graph.instance(node).is_some_and(|i| uses_gate(self.files, i.def));
        for Placed { bar, at, length, value } in events {
            let note = value.to_note();
            if hears_the_end && *length * Rational::whole(resolution.into()) != Ok(Rational::ONE) {
                self.refuse(
                    self.line_span(target),
                    "a note that is longer or shorter than a step, of an instrument that hears where it ends",
                );
            }
            if note.values.is_some() {
                self.refuse(self.line_span(target), "a note with values of its own (`.set`)");
            }
            if note.vel != 1.0 {
                self.refuse(self.line_span(target), "a velocity other than 1");
            }
            if note.length != 1.0 || note.delay != 0.0 {
                self.refuse(
                    self.line_span(target),
                    "a note that is longer, shorter, earlier or later than its step",
                );
            }
            if note.pitch != Pitch::Plain(0.0) {
                self.refuse(self.line_span(target), "a note of a pitch");
            }
            if let Some(step) = steps.get_mut((bar * resolution + step(*at, resolution)) as usize) {
                *step = true;
            }
        }
        let steps = shortest(&steps, resolution as usize);
        match rows.iter_mut().find(|row| row.node == node && !row.steps.contains(&true)) {
            Some(row) => row.steps = steps,
            None => rows.push(Row { node, steps, locks: vec![] }),
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn locks(
        &mut self,
        rows: &mut Vec<Row>,
        transport: &score::Transport,
        slot: ParamId,
        ramp: Ramp,
        events: &[Placed],
        resolution: u32,
        bars: u32,
    ) {
        let name = self.lowered.slots.name(slot.index()).clone();
        let span = self.line_span(&name);
        let Some((node, index)) = self.owner(slot) else { return self.refuse(span, "a line for a knob") };
        let info = self.lowered.slots.info(self.lowered.slots.slot_of(node, index)).clone();
        if ramp.curve.is_some_and(|curve| curve != info.curve) {
            self.refuse(span, "a ramp of its own curve");
        }
        let Some(ramp_ms) = milliseconds(ramp.over, transport) else {
            return self.refuse(span, "a ramp in beats where the tempo changes");
        };
        let of_bar = |bar: u32| {
            let within = events.iter().filter(move |event| event.bar == bar);
            within.map(|event| (event.at, &event.value)).collect::<Vec<_>>()
        };
        if (1..bars).any(|bar| of_bar(bar) != of_bar(0)) {
            return self.refuse(span, "a line of a parameter that is not the same in every bar");
        }
        let mut locks = vec![];
        for (at, value) in of_bar(0) {
            let Some(value) = value.number() else { continue };
            let value = json_value(&info, value);
            locks.push(Lock { step: step(at, resolution), param: info.command_name(), value, ramp_ms });
        }
        match rows.iter_mut().find(|row| row.node == node) {
            Some(row) => row.locks.extend(locks),
            None => rows.push(Row { node, steps: vec![false; resolution as usize], locks }),
        }
    }

    /// The node and the index of the parameter that a slot is.
    pub(super) fn owner(&self, slot: ParamId) -> Option<(NodeId, usize)> {
        self.graph.nodes.handles().find_map(|node| {
            let count = self.graph.instance(node)?.args.len();
            let first = self.lowered.slots.slot_of(node, 0);
            (first..first + count).contains(&slot.index()).then(|| (node, slot.index() - first))
        })
    }
}

/// The step of a place in a bar, which lies on the grid.
fn step(at: Rational, resolution: u32) -> u32 {
    (at * Rational::whole(resolution.into())).map_or(0, |step| step.floor() as u32)
}

/// The bars after which the steps repeat: as many whole bars as needed.
fn shortest(steps: &[bool], bar: usize) -> Vec<bool> {
    let repeats = |length: &usize| {
        steps.len().is_multiple_of(*length) && steps.chunks(*length).all(|c| c == &steps[..*length])
    };
    let length = (bar..steps.len()).step_by(bar).find(repeats).unwrap_or(steps.len());
    steps[..length].to_vec()
}

/// A ramp in milliseconds, if the tempo lets it be said so.
fn milliseconds(over: Duration, transport: &score::Transport) -> Option<Rational> {
    let seconds = match (over, &transport.tempo.changes[..]) {
        (Duration::Seconds(seconds), _) => seconds,
        (Duration::Beats(beats), _) if beats == Rational::ZERO => beats,
        (Duration::Beats(beats), [change]) => match change.tempo {
            Tempo::Steady(bpm) => ((beats * Rational::whole(60)).ok()? / bpm).ok()?,
            Tempo::Ramp { .. } => return None,
        },
        _ => return None,
    };
    (seconds * Rational::whole(1000)).ok()
}
