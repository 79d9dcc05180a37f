//! From what a song plays to the runtime's score.

use super::play::{Command, Lock, PlayedNote, Row};
use super::{Bindings, Song};
use mam_grammar::json::{Decimal, Transport};
use mam_runtime::score::{
    self, Action, Change, Clip, CommandKind, Duration, Line, Pattern, Ramp, Rational, Score, Swing,
    TableEvent, Tempo, TempoMap, Value,
};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// The score of a song whose nodes stand at `places`.
pub(super) fn score(song: &Song, places: &dyn Bindings) -> Score {
    let maker = Maker { song, places };
    let starts = song.starts.iter().filter_map(|&node| places.target(&song.names[node])).collect();
    Score {
        transports: song.play.transports.iter().map(|(t, rows)| maker.transport(t, rows)).collect(),
        commands: song.play.commands.iter().filter_map(|c| maker.command(c)).collect(),
        starts,
        lengths: vec![],
        note_params: vec![],
        tuning: None,
    }
}

struct Maker<'a> {
    song: &'a Song,
    places: &'a dyn Bindings,
}

impl Maker<'_> {
    fn transport(&self, transport: &Transport, rows: &[Row]) -> score::Transport {
        let resolution = transport.resolution;
        let mut lines = vec![];
        for row in rows {
            let groups = lock_groups(&row.locks);
            lines.extend(groups.iter().filter_map(|group| self.lock_line(row, group, resolution)));
            lines.extend(self.hits(row, resolution));
            lines.extend(self.notes(row, resolution));
        }
        let clips = (0..lines.len()).map(|line| Clip { line, start: Rational::ZERO, end: None }).collect();
        score::Transport {
            tempo: tempo_map(transport),
            lines,
            clips,
            marks: vec![],
            length: Rational::whole(transport.length_bars.into()),
            restarts: true,
        }
    }

    /// The hits of a row. Up to a bar of steps repeat inside the bar and start again at each bar line; more run on.
    fn hits(&self, row: &Row, resolution: u32) -> Option<Line> {
        if !row.steps.contains(&true) {
            return None;
        }
        let target = self.places.target(&self.song.names[row.node])?;
        let bar = resolution as usize;
        let steps: Vec<bool> = match row.steps.len() {
            n if n > bar => row.steps.clone(),
            _ => row.steps.iter().copied().cycle().take(bar).collect(),
        };
        let steps: Vec<Option<Value>> = steps.into_iter().map(|hit| hit.then(|| Value::hit(1.0))).collect();
        Some(Line::new(Pattern::grid(&steps, resolution), Action::Play { target }))
    }

    /// The notes of a row, which come again after its bars.
    fn notes(&self, row: &Row, resolution: u32) -> Option<Line> {
        if row.notes.is_empty() {
            return None;
        }
        let target = self.places.target(&self.song.names[row.node])?;
        let event = |note: &PlayedNote| {
            let begin = Rational::ratio(note.step.into(), resolution);
            let steps = exact(&note.steps);
            let end = (steps / Rational::whole(resolution.into())).and_then(|length| begin + length).ok()?;
            Some(TableEvent::new(begin, end, Value::Note(note.value())))
        };
        let events = row.notes.iter().filter_map(event).collect();
        let pattern = Pattern::table(Rational::whole(row.bars.into()), events);
        Some(Line::new(pattern, Action::Play { target }))
    }

    fn lock_line(&self, row: &Row, group: &[&Lock], resolution: u32) -> Option<Line> {
        let first = group.first()?;
        let param = self.places.param(&self.song.names[row.node], &first.setting.param.name)?;
        let at = |step: u32| Rational::ratio(step.into(), resolution);
        let event = |lock: &&Lock| {
            TableEvent::new(at(lock.step), at(lock.step + 1), Value::Number(lock.setting.value))
        };
        let pattern = Pattern::table(Rational::ONE, group.iter().map(event).collect());
        let ramp = Ramp { over: Duration::Seconds(seconds(&first.ramp)), curve: None };
        Some(Line::new(pattern, Action::Set { param, ramp }))
    }

    fn command(&self, command: &Command) -> Option<score::Command> {
        let node = &self.song.names[command.node];
        let kind = match &command.set {
            None => CommandKind::Trigger { target: self.places.target(node)? },
            Some((setting, ramp)) => CommandKind::Set {
                param: self.places.param(node, &setting.param.name)?,
                value: setting.value,
                over: seconds(ramp),
            },
        };
        Some(score::Command { frame: command.frame.value, kind })
    }
}

/// Locks with the same parameter and ramp together. At one step they act in the order of the file, so a lock never
/// joins a group before one that sets the same parameter at the same step.
pub(super) fn lock_groups(locks: &[Lock]) -> Vec<Vec<&Lock>> {
    let mut groups: Vec<Vec<&Lock>> = vec![];
    let mut open: FxHashMap<(usize, &str), usize> = FxHashMap::default();
    let mut latest: FxHashMap<(usize, u32), usize> = FxHashMap::default();
    for lock in locks {
        let id = lock.setting.param.id;
        let after = latest.get(&(id, lock.step)).map_or(0, |group| group + 1);
        let group = match open.get(&(id, lock.ramp.text())) {
            Some(&group) if group >= after => group,
            _ => {
                groups.push(vec![]);
                open.insert((id, lock.ramp.text()), groups.len() - 1);
                groups.len() - 1
            }
        };
        latest.insert((id, lock.step), group);
        groups[group].push(lock);
    }
    groups
}

/// Tempo, swing and meter.
pub(super) fn tempo_map(transport: &Transport) -> TempoMap {
    let change = |(bar, bpm): (u32, &Decimal)| Change {
        bar: Rational::whole(bar.into()),
        tempo: Tempo::Steady(exact(bpm)),
    };
    TempoMap {
        beats_per_bar: Rational::whole(4),
        swing: swing(transport),
        changes: tempo_steps(transport).into_iter().map(change).collect(),
    }
}

/// The tempos that are reached, by the bars from which they hold; the first is bar 0. Of two for the same bar the
/// later one holds.
pub(super) fn tempo_steps(transport: &Transport) -> BTreeMap<u32, &Decimal> {
    let reached = transport.tempo.iter().filter(|step| step.bar < transport.length_bars);
    let start = [(0, &transport.bpm)];
    start.into_iter().chain(reached.map(|step| (step.bar, &step.bpm))).collect()
}

fn swing(transport: &Transport) -> Option<Swing> {
    let amount = (exact(&transport.swing) / Rational::whole(100)).ok()?;
    (amount > Rational::ZERO).then(|| Swing { amount, step: Rational::ratio(1, transport.resolution) })
}

/// Converts milliseconds to seconds, exactly.
fn seconds(ms: &Decimal) -> Rational {
    (exact(ms) / Rational::whole(1000)).unwrap_or(Rational::ZERO)
}

/// A decimal that reading has found to fit.
fn exact(decimal: &Decimal) -> Rational {
    Rational::from_decimal(decimal.text()).unwrap_or(Rational::ZERO)
}
