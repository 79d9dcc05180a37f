//! The score as rows of a step sequencer.

use super::{Song, json_value};
use crate::graph::NodeId;
use crate::json::nodes::plain;
use crate::places::uses_gate;
use mam_grammar::Span;
use mam_grammar::ast::ItemKind;
use mam_grammar::float;
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
    /// Where a hit is not all that can be said of each note, what is played instead of the steps.
    pub(super) notes: Vec<PlayedNote>,
    /// After how many bars the notes come again.
    pub(super) bars: u32,
    pub(super) locks: Vec<Lock>,
}

/// A note of a row: decimals, where they are not what is assumed.
#[derive(Clone, PartialEq)]
pub(super) struct PlayedNote {
    /// The step, counted through the bars of the row.
    pub(super) step: u32,
    pub(super) steps: Option<String>,
    pub(super) note: Option<String>,
    pub(super) vel: Option<String>,
    /// In percent of its steps.
    pub(super) gate: Option<String>,
    /// By how many milliseconds the note comes later, where it does.
    pub(super) delay: Option<String>,
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
        let is_empty = Self::is_score_empty(score);
        let transport = score.transports.first().filter(|_| !is_empty || !score.lengths.is_empty())?;
        if transport.tempo.beats_per_bar != Rational::whole(4) {
            self.refuse(
                self.statement_span(|k| matches!(k, ItemKind::Meter { .. })),
                "a meter other than 4/4",
            );
        }
        let most = self.files.limits.json.bars as i128;
        let length = if is_empty { Rational::ONE } else { transport.length };
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
        self.check_chance(transport, targets);
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

    /// Refuses what is drawn by chance in a song that never begins anew: each time its patterns come round the draws are others.
    /// Where it does, those of the first pass come again, and can be written out.
    fn check_chance(&mut self, transport: &score::Transport, targets: &[Target]) {
        if transport.restarts {
            return;
        }
        for line in transport.lines.iter().filter(|line| line.pattern.draws()) {
            let name = match line.action {
                Action::Play { target } => targets[target].name.to_string(),
                Action::Set { param, .. } => self.lowered.slots.name(param.index()).to_string(),
            };
            let span = self.line_span(&name);
            let help = "`length 4 bars` plays the draws of the first four bars again and again, and these can be said";
            self.refuse_with(span, "chance that falls anew each time round", Some(help));
        }
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
        // Of several voices one that has been let go is taken first.
        let hears_the_end =
            self.graph.instance(node).is_some_and(|i| i.voices > 1 || uses_gate(self.files, i.def));
        let is_step = |length: Rational| length * Rational::whole(resolution.into()) == Ok(Rational::ONE);
        let is_hit = |event: &Placed| {
            let note = event.value.to_note();
            (!hears_the_end || is_step(event.length)) && note == Value::hit(1.0).to_note()
        };
        let (mut steps, mut notes, mut length) = (vec![], vec![], 1);
        if events.iter().all(is_hit) {
            steps = vec![false; (resolution * bars) as usize];
            for Placed { bar, at, .. } in events {
                if let Some(step) = steps.get_mut((bar * resolution + step(*at, resolution)) as usize) {
                    *step = true;
                }
            }
            steps = shortest(&steps, resolution as usize);
        } else {
            let span = self.line_span(target);
            let all: Option<Vec<PlayedNote>> =
                events.iter().map(|event| self.played(event, resolution, span)).collect();
            (notes, length) = repeated(all.unwrap_or_default(), resolution, bars);
        }
        let free = |row: &&mut Row| row.node == node && !row.steps.contains(&true) && row.notes.is_empty();
        match rows.iter_mut().find(free) {
            Some(row) => (row.steps, row.notes, row.bars) = (steps, notes, length),
            None => rows.push(Row { node, steps, notes, bars: length, locks: vec![] }),
        }
    }

    /// A note as it is said in JSON.
    fn played(&mut self, event: &Placed, resolution: u32, span: Span) -> Option<PlayedNote> {
        let note = event.value.to_note();
        if note.values.is_some() {
            self.refuse(span, "a note with values of its own (`.set`)");
            return None;
        }
        let number = match note.pitch {
            Pitch::Plain(0.0) => None,
            Pitch::Note(number) => Some(number.to_string()),
            _ => {
                self.refuse(span, "a hit above or below the instrument's own note");
                return None;
            }
        };
        let steps = (event.length * Rational::whole(resolution.into())).ok().and_then(finite_decimal);
        let Some(steps) = steps else {
            self.refuse(span, "a note whose steps are not a decimal number");
            return None;
        };
        Some(PlayedNote {
            step: event.bar * resolution + step(event.at, resolution),
            steps: Some(steps).filter(|steps| steps != "1"),
            note: number,
            vel: (note.vel != 1.0).then(|| note.vel.to_string()),
            gate: (note.length != 1.0).then(|| shifted(note.length, 2)),
            delay: (note.delay != 0.0).then(|| shifted(note.delay, 3)),
        })
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
            None => {
                let steps = vec![false; resolution as usize];
                rows.push(Row { node, steps, notes: vec![], bars: 1, locks });
            }
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

/// The notes of the fewest bars after which they repeat, and how many these are.
fn repeated(mut notes: Vec<PlayedNote>, resolution: u32, bars: u32) -> (Vec<PlayedNote>, u32) {
    notes.sort_by_key(|note| note.step);
    let repeats = |period: &u32| {
        let steps = period * resolution;
        let of = |turn: u32| {
            let within = notes.iter().filter(move |note| note.step / steps == turn);
            within.map(|note| PlayedNote { step: note.step % steps, ..note.clone() }).collect::<Vec<_>>()
        };
        bars.is_multiple_of(*period) && (1..bars / period).all(|turn| of(turn) == of(0))
    };
    // Few are looked for: of a song of many bars most repeat soon, or not at all.
    let period = (1..=bars.min(64)).find(repeats).unwrap_or(bars);
    notes.retain(|note| note.step < period * resolution);
    (notes, period)
}

/// A fraction as a decimal, if it has one.
fn finite_decimal(x: Rational) -> Option<String> {
    let text = x.to_f64().to_string();
    (Rational::from_decimal(&text) == Some(x)).then_some(text)
}

/// A number times a power of ten: the same number again once it has been divided.
fn shifted(x: f64, places: i32) -> String {
    let text = plain(x * 10f64.powi(places));
    match float::parse(&format!("{text}e-{places}")) {
        Some(same) if same == x => text,
        _ => {
            let text = format!("{x:e}");
            let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
            format!("{digits}e{}", exponent.parse().unwrap_or(0) + places)
        }
    }
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
