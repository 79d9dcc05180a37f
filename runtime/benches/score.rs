//! How long a cycle of a pattern takes, and an hour of a song: `cargo bench -p mam-runtime --bench score`.
#![allow(clippy::print_stdout)] // What a benchmark is for.

use mam_runtime::Target;
use mam_runtime::ids::ParamId;
use mam_runtime::score::{
    Action, Clip, Extent, Line, Pattern, Rational, Score, Sequencer, Swing, Tempo, TempoMap, TimeSpan,
    Transport, Value,
};
use std::time::Instant;

fn grid(text: &str) -> Pattern {
    let hit = |c| (c == 'x').then(|| Value::hit(1.0));
    Pattern::grid(&text.chars().map(hit).collect::<Vec<_>>(), 16)
}

/// Steps, every third of them twice as fast.
fn steps(n: usize) -> Pattern {
    let step = |i| {
        let note = Pattern::pure(Value::note(60.0 + i as f64));
        (Rational::ONE, if i % 3 == 0 { note.fast(2.into()) } else { note })
    };
    Pattern::sequence((0..n).map(step).collect()).unwrap_or_else(|_| Pattern::silence())
}

fn query(name: &str, pattern: &Pattern) {
    const CYCLES: i64 = 10_000;
    let began = Instant::now();
    let events: usize = (0..CYCLES).map(|c| pattern.query(TimeSpan::cycle(c)).map_or(0, |e| e.len())).sum();
    let each = began.elapsed() / CYCLES as u32;
    println!("{name:24} {each:>10.1?} a cycle of {} events", events / CYCLES as usize);
}

fn main() {
    query("x...x...x..x....", &grid("x...x...x..x...."));
    query("eight steps", &steps(8));
    query("eight steps, faster", &steps(8).fast(3.into()).fast(Rational::ratio(1, 2)));
    let lines = vec![Line::new(grid("xxxxxxxxxxxxxxxx"), Action::Play { target: 0 }); 4];
    let mut tempo = TempoMap {
        swing: Some(Swing { amount: Rational::ratio(12, 100), step: Rational::ratio(1, 16) }),
        ..TempoMap::default()
    };
    tempo.changes[0].tempo = Tempo::Steady(Rational::ratio(1337, 10));
    let clips = (0..4).map(|line| Clip { line, start: Rational::ZERO, end: None }).collect();
    let transport = Transport { tempo, lines, clips, marks: vec![], length: 4.into(), restarts: true };
    let score = Score { transports: vec![transport], ..Score::default() };
    let target = Target {
        name: "bd".into(),
        voices: vec![mam_runtime::ids::PortId::new(0)],
        monitor: None,
        default_note: 36.0,
        midi: Default::default(),
        bpm: ParamId::new(9),
        looped: ParamId::new(9),
        note_params: vec![],
        priority: None,
        outside: None,
        sent: vec![],
    };
    let began = Instant::now();
    let mut events = vec![];
    Sequencer::new(48_000, &[target], &Default::default(), &score, Extent::Forever)
        .advance(3600 * 48_000, &mut events);
    println!("an hour of four lines    {:>10.1?}, {} events", began.elapsed(), events.len());
}
