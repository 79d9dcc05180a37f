//! The sequencer as its users see it: scores in, events out.

use mam_runtime::ids::{IdMap, ParamId, PortId};
use mam_runtime::score::{
    Action, Change, Clip, Clock, Command, CommandKind, Duration, Extent, Line, MusicalLength, Pattern, Ramp,
    Rational, Score, Sequencer, Swing, Tempo, TempoMap, Transport, Value,
};
use mam_runtime::{Curve, Event, EventKind, ParamSlot, Target};
use std::sync::Arc;

fn tempo(bpm: &str) -> TempoMap {
    let bpm = Rational::from_decimal(bpm).unwrap();
    TempoMap {
        changes: vec![Change { bar: Rational::ZERO, tempo: Tempo::Steady(bpm) }],
        ..TempoMap::default()
    }
}

/// A target with so many voices (ports from 0, the monitor after them) and parameters gain, bpm, loop.
fn target(voices: usize) -> Target {
    Target {
        name: "bd".into(),
        voices: (0..voices).map(PortId::new).collect(),
        monitor: Some(PortId::new(voices)),
        default_note: 36.0,
        midi: mam_runtime::MidiRole { name: "bd".into(), ..Default::default() },
        bpm: ParamId::new(1),
        looped: ParamId::new(2),
        note_params: vec![],
        priority: None,
        outside: None,
        sent: vec![],
    }
}

fn params(bpm: f64, looped: f64) -> IdMap<ParamId, ParamSlot> {
    let slot = |name: &str, default, max| ParamSlot {
        name: Arc::from(name),
        default,
        min: 0.0,
        max,
        curve: Curve::Step,
        smooth: 0,
        follows: None,
    };
    [slot("bd.gain", 0.9, 1.5), slot("bd.bpm", bpm, 300.0), slot("bd.loop", looped, 1.0)]
        .into_iter()
        .collect()
}

fn line(target: usize, pattern: Pattern) -> Line {
    Line::new(pattern, Action::Play { target })
}

fn steps(text: &str, per_bar: u32) -> Pattern {
    let hit = |c| (c == 'x').then(|| Value::hit(1.0));
    Pattern::grid(&text.chars().map(hit).collect::<Vec<_>>(), per_bar)
}

fn transport(tempo: TempoMap, lines: Vec<Line>, bars: i64) -> Transport {
    let clips = (0..lines.len()).map(|line| Clip { line, start: Rational::ZERO, end: None }).collect();
    Transport { tempo, lines, clips, marks: Vec::new(), length: bars.into(), restarts: true }
}

fn events(score: &Score, voices: usize, extent: Extent, until: u64) -> Vec<Event> {
    let mut out = Vec::new();
    Sequencer::new(48_000, &[target(voices)], &params(0.0, 0.0), score, extent).advance(until, &mut out);
    out
}

fn ons(events: &[Event], port: usize) -> Vec<u64> {
    let port = PortId::new(port);
    let on = |e: &&Event| matches!(e.kind, EventKind::On { port: p, .. } if p == port);
    events.iter().filter(on).map(|e| e.frame).collect()
}

#[test]
fn bar_4_at_130_bpm_starts_at_frame_354462() {
    let score = Score {
        transports: vec![transport(tempo("130"), vec![line(0, steps("x...............", 16))], 330)],
        ..Score::default()
    };
    let events = events(&score, 1, Extent::Once, u64::MAX);
    let frames = ons(&events, 0);
    assert_eq!(frames.len(), 330);
    assert_eq!(frames[4], 354_462);
    // 329 bars of 4 · 60 · 48 000 / 130 frames, rounded once.
    assert_eq!(frames[329], (329.0 * 4.0 * 60.0 * 48_000.0 / 130.0 + 0.5_f64).floor() as u64);
}

#[test]
fn after_an_hour_with_swing_every_onset_is_within_half_a_frame() {
    let mut map = tempo("133.7");
    map.swing = Some(Swing { amount: Rational::ratio(12, 100), step: Rational::ratio(1, 16) });
    let score =
        Score { transports: vec![transport(map, vec![line(0, steps("xx", 16))], 1)], ..Score::default() };
    let events = events(&score, 1, Extent::Forever, 3600 * 48_000);
    for (i, frame) in ons(&events, 0).into_iter().enumerate() {
        // In units of 1/13 370 000 frame nothing is rounded: a step is 60·48 000·1000/(4·133.7·1000) frames.
        let late = if i % 2 == 1 { 6 } else { 0 };
        let exact = (i as i128 * 100 + late) * 60 * 48_000 * 10;
        let error = frame as i128 * (100 * 4 * 1337) - exact;
        assert!(error.abs() * 2 <= 100 * 4 * 1337, "step {i} at frame {frame}");
    }
}

#[test]
fn a_tempo_ramp_lands_where_the_integral_says() {
    let changes = vec![
        Change {
            bar: Rational::ZERO,
            tempo: Tempo::Ramp { from: 60.into(), to: 180.into(), until: 8.into() },
        },
        Change { bar: 8.into(), tempo: Tempo::Steady(180.into()) },
    ];
    let clock = Clock::new(&TempoMap { changes, ..TempoMap::default() }, 48_000);
    // 32 beats at 120 on average take 16 s; halfway in time 8 · 90/60 = 12 beats are over.
    assert_eq!(clock.at(8.into()).round(), 16 * 48_000);
    assert_eq!(clock.at(3.into()).round(), 8 * 48_000);
    assert_eq!(clock.at(9.into()).round(), 16 * 48_000 + 64_000);
    // Simpson's rule over 60/bpm(beat), bpm² being a straight line over beats, for each beat.
    let seconds = |x: f64| 60.0 / (3600.0 + (32_400.0 - 3600.0) * x / 32.0).sqrt();
    let mut sum = 0.0;
    for beat in 0..32 {
        let at = clock.at(Rational::ratio(beat, 4)).to_f64() / 48_000.0;
        assert!((at - sum).abs() < 1e-6, "beat {beat}: {at} instead of {sum}");
        let h = 1.0 / 512.0;
        for i in 0..256 {
            let x = f64::from(beat as i32) + f64::from(i) * 2.0 * h;
            sum += (seconds(x) + 4.0 * seconds(x + h) + seconds(x + 2.0 * h)) * h / 3.0;
        }
        assert!((clock.bar_at(at * 48_000.0) - f64::from(beat as i32) / 4.0).abs() < 1e-9);
    }
}

#[test]
fn a_note_takes_the_voice_released_longest_ago_else_the_oldest() {
    // Four notes of two bars each, a bar apart: the third finds voice 0 just released.
    let note = |i: i64, end| {
        mam_runtime::score::TableEvent::new(Rational::ratio(i, 4), end, Value::note(60.0 + i as f64))
    };
    let long = (0..4).map(|i| note(i, Rational::ratio(i + 2, 4))).collect();
    let held = (0..4).map(|i| note(i, Rational::whole(4))).collect();
    let play = |events| {
        let pattern = Pattern::table(8.into(), events);
        let score =
            Score { transports: vec![transport(tempo("60"), vec![line(0, pattern)], 8)], ..Score::default() };
        self::events(&score, 2, Extent::Once, u64::MAX)
    };
    let events = play(long);
    assert_eq!(ons(&events, 0), [0, 96_000]);
    assert_eq!(ons(&events, 1), [48_000, 144_000]);
    let monitor: Vec<_> = events
        .iter()
        .filter(|e| e.kind == EventKind::Off { port: PortId::new(2) })
        .map(|e| e.frame)
        .collect();
    assert_eq!(monitor, [5 * 48_000], "the monitor's gate is open while a voice's is");
    let events = play(held);
    assert_eq!(ons(&events, 0), [0, 96_000], "the oldest note's voice is taken");
    assert_eq!(ons(&events, 1), [48_000, 144_000]);
    let offs = events.iter().filter(|e| e.kind == EventKind::Off { port: PortId::new(0) }).count();
    assert_eq!(offs, 1, "a note that was taken over has no end of its own");
}

#[test]
fn at_one_frame_commands_set_first_then_lines_then_notes() {
    let set = |v: f64| Pattern::pure(Value::Number(v));
    let action = Action::Set {
        param: ParamId::new(0),
        ramp: Ramp { over: Duration::Seconds(Rational::ratio(1, 100)), curve: None },
    };
    let lines = vec![line(0, steps("x", 1)), Line::new(set(0.5), action)];
    let score = Score {
        transports: vec![transport(tempo("120"), lines, 1)],
        commands: vec![
            Command {
                frame: 0,
                kind: CommandKind::Set { param: ParamId::new(0), value: 0.1, over: Rational::ratio(1, 1000) },
            },
            Command { frame: 96_000, kind: CommandKind::Trigger { target: 0 } },
        ],
        ..Score::default()
    };
    let all = events(&score, 1, Extent::Forever, 96_001);
    let set = |value, ramp| EventKind::Set { param: ParamId::new(0), value, ramp, curve: None };
    let on = |port| EventKind::On { port: PortId::new(port), note: 36.0, vel: 1.0 };
    let off = |port| EventKind::Off { port: PortId::new(port) };
    let first = [set(0.1, 48), set(0.5, 480), on(0), on(1)];
    assert_eq!(all[..4].iter().map(|e| e.kind).collect::<Vec<_>>(), first);
    let then = [set(0.5, 480), off(0), off(1), on(0), on(1), on(0), on(1)];
    assert_eq!(all[4..].iter().map(|e| e.kind).collect::<Vec<_>>(), then);
}

#[test]
fn an_instrument_that_loops_keeps_its_beat_when_the_tempo_changes() {
    let set = |frame, param, value| Command {
        frame,
        kind: CommandKind::Set { param: ParamId::new(param), value, over: Rational::ZERO },
    };
    let run = |bpm, looped, commands| {
        let score = Score { commands, ..Score::default() };
        let mut out = Vec::new();
        let mut sequencer = Sequencer::new(48_000, &[target(1)], &params(bpm, looped), &score, Extent::Once);
        assert_eq!(sequencer.song_end(), None);
        sequencer.advance(120_000, &mut out);
        ons(&out, 0)
    };
    let expected: Vec<u64> =
        (0..5).map(|k| (f64::from(k) * 60.0 * 48_000.0 / 130.0 + 0.5).floor() as u64).collect();
    assert_eq!(run(130.0, 1.0, vec![]), [&expected[..], &[110_769]].concat());
    // Half a beat into the second beat the tempo doubles: the other half takes 6 000 frames.
    assert_eq!(run(120.0, 1.0, vec![set(36_000, 1, 240.0)])[..4], [0, 24_000, 42_000, 54_000]);
    // Turned on later, it begins at that moment.
    assert_eq!(run(120.0, 0.0, vec![set(1000, 2, 1.0)])[..2], [1000, 25_000]);
    // Out of range is clamped before it counts.
    assert_eq!(run(120.0, 1.0, vec![set(0, 1, 9000.0)])[..2], [0, 9600]);
}

#[test]
fn a_seek_takes_up_the_values_that_hold_there() {
    let values = Pattern::table(
        4.into(),
        (0..4)
            .map(|i| mam_runtime::score::TableEvent::new(i.into(), (i + 1).into(), Value::Number(i as f64)))
            .collect(),
    );
    let action = Action::Set { param: ParamId::new(0), ramp: Ramp::default() };
    let lines = vec![line(0, steps("x", 1)), Line::new(values, action)];
    let score = Score { transports: vec![transport(tempo("120"), lines, 4)], ..Score::default() };
    let mut sequencer = Sequencer::new(48_000, &[target(1)], &params(0.0, 0.0), &score, Extent::Once);
    sequencer.seek(2 * 96_000 + 100, 1000);
    let mut out = Vec::new();
    sequencer.advance(100_000, &mut out);
    let set = |value| EventKind::Set { param: ParamId::new(0), value, ramp: 0, curve: None };
    assert_eq!(out[0], Event { frame: 1000, kind: set(2.0) });
    assert_eq!(out[1], Event { frame: 1000 + 95_900, kind: set(3.0) });
    assert_eq!(ons(&out, 0), [96_900]);
}

#[test]
fn a_listing_and_a_midi_file_say_what_is_played() {
    let mut map = tempo("90");
    map.beats_per_bar = Rational::ratio(7, 2);
    let notes = Pattern::table(
        2.into(),
        vec![
            mam_runtime::score::TableEvent::new(
                Rational::ratio(2, 7),
                Rational::ratio(4, 7),
                Value::note(64.0),
            ),
            mam_runtime::score::TableEvent::new(Rational::whole(1), Rational::ratio(3, 2), Value::note(67.5)),
        ],
    );
    let score = Score { transports: vec![transport(map, vec![line(0, notes)], 2)], ..Score::default() };
    let (targets, params) = ([target(1)], params(0.0, 0.0));
    let mut events = Vec::new();
    Sequencer::new(48_000, &targets, &params, &score, Extent::Once).advance(u64::MAX, &mut events);
    let listing = mam_runtime::score::listing::table(48_000, &targets, &params, &score, &events);
    let expected = "        time    bar:beat       frame  target  what
    0.666667     1:2.000       32000  bd      note 64 (e4) velocity 1
    1.333333     1:3.000       64000  bd      off
    2.333333     2:1.000      112000  bd      note 67.5 velocity 1
    3.500000     2:2.750      168000  bd      off
";
    assert_eq!(listing, expected);

    let file = mam_runtime::score::midi::file(48_000, &targets, &params, &score, None, None).unwrap();
    let smf = midly::Smf::parse(&file.bytes).unwrap();
    let kinds = |track: usize| {
        let mut at = 0;
        let message = |e: &midly::TrackEvent| {
            at += e.delta.as_int();
            format!("{at} {:?}", e.kind)
        };
        smf.tracks[track].iter().map(message).collect::<Vec<_>>()
    };
    // 666666 2/3 microseconds are said exactly in a text.
    let exact = format!("0 Meta(Text({:?}))", b"tempo 90");
    let head = ["0 Meta(TimeSignature(7, 3, 24, 8))", &exact, "0 Meta(Tempo(u24(666667)))"];
    assert_eq!(kinds(0)[..3], head);
    assert_eq!(kinds(0)[3..], ["6720 Meta(EndOfTrack)"]);
    assert_eq!((file.rounded, file.limited), (0, 0), "its instrument has no pitches");
    let note = |at, what, key, vel| {
        let message = format!("{what} {{ key: u7({key}), vel: u7({vel}) }}");
        format!("{at} Midi {{ channel: u4(0), message: {message} }}")
    };
    let notes = [
        "0 Meta(TrackName([98, 100]))".to_string(),
        note(960, "NoteOn", 64, 100),
        note(1920, "NoteOff", 64, 0),
        note(3360, "NoteOn", 68, 100),
        note(5040, "NoteOff", 68, 0),
        "6720 Meta(EndOfTrack)".to_string(),
    ];
    assert_eq!(kinds(1), notes);
}

#[test]
fn a_musical_length_follows_the_tempo() {
    let mut map = tempo("120");
    map.changes.push(Change { bar: 1.into(), tempo: Tempo::Steady(60.into()) });
    let score = Score {
        transports: vec![transport(map, vec![], 2)],
        lengths: vec![MusicalLength::new(ParamId::new(0), Rational::ratio(3, 4))],
        ..Score::default()
    };
    let set = |frame, value| {
        let kind = EventKind::Set { param: ParamId::new(0), value, ramp: 0, curve: None };
        Event { frame, kind }
    };
    let all = events(&score, 1, Extent::Forever, 96_000 + 192_000 + 1);
    assert_eq!(all, [set(0, 0.375), set(96_000, 0.75), set(288_000, 0.375)]);
}

/// A song in which notes of all lengths share few voices, with an instrument that loops, and a musical length that follows
/// a tempo that rises.
fn crowded() -> (Score, Vec<Target>, IdMap<ParamId, ParamSlot>) {
    let long = |begin: i64, bars: i64| {
        mam_runtime::score::TableEvent::new(
            Rational::ratio(begin, 8),
            Rational::ratio(begin + bars, 8),
            Value::Number(60.0 + begin as f64),
        )
    };
    let notes = (0..21).map(|i| long(i, 1 + (i * 5) % 7)).collect();
    let lines = vec![line(0, Pattern::table(3.into(), notes)), line(0, steps("x.x.xx", 6))];
    let looping = Target {
        name: "loop".into(),
        voices: [4, 5].map(PortId::new).to_vec(),
        monitor: None,
        bpm: ParamId::new(3),
        looped: ParamId::new(4),
        note_params: vec![],
        priority: None,
        outside: None,
        sent: vec![],
        ..target(0)
    };
    let mut slots = params(0.0, 0.0);
    let more = [("loop.bpm", 97.0, 300.0), ("loop.loop", 1.0, 1.0), ("beat", 0.45, 10.0)];
    for (name, default, max) in more {
        let gain = slots[ParamId::new(0)].clone();
        slots.push(ParamSlot { name: name.into(), default, max, ..gain });
    }
    let mut map = tempo("133");
    let rises = Tempo::Ramp { from: 133.into(), to: 140.into(), until: 2.into() };
    map.changes.extend([
        Change { bar: 1.into(), tempo: rises },
        Change { bar: 2.into(), tempo: Tempo::Steady(140.into()) },
    ]);
    let score = Score {
        transports: vec![transport(map, lines, 3)],
        lengths: vec![MusicalLength::new(ParamId::new(5), Rational::ONE)],
        ..Score::default()
    };
    (score, vec![target(3), looping], slots)
}

/// A sequencer that goes on where another one is plays what that one would have played, voice by voice.
#[test]
fn going_on_in_the_middle_is_not_heard() {
    let (score, targets, slots) = crowded();
    let new = || Sequencer::new(48_000, &targets, &slots, &score, Extent::Forever);
    for at in [0, 64, 30_016, 400_000, 999_936, 3_000_000] {
        let mut one = new();
        let mut out = Vec::new();
        // It is asked ahead, in pieces, as it is live.
        for until in (0..at + 10_000).step_by(4800) {
            one.advance(until, &mut out);
        }
        let (mut other, held) = (new(), one.held_at(at).expect("it is not long ago"));
        other.go_on(at, at, &held);
        let (mut goes_on, mut takes_over) = (out, Vec::new());
        one.advance(at + 900_000, &mut goes_on);
        goes_on.retain(|event| event.frame >= at);
        other.advance(at + 900_000, &mut takes_over);
        // It reports what was set before; a sequencer that goes on knows that.
        takes_over
            .retain(|event| at == 0 || event.frame > at || !matches!(event.kind, EventKind::Set { .. }));
        assert!(goes_on.len() > 40);
        assert_eq!(takes_over, goes_on, "at {at}");
    }
}

/// After a hundred hours as after one: the work is that of the last seconds.
#[test]
fn going_on_takes_no_longer_the_longer_it_has_played() {
    let (score, targets, slots) = crowded();
    let mut playing = Sequencer::new(48_000, &targets, &slots, &score, Extent::Forever);
    let took = |hours: u64, playing: &mut Sequencer| {
        let at = hours * 3600 * 48_000 / 64 * 64;
        playing.seek(at, at);
        playing.advance(at + 9600, &mut Vec::new());
        let began = std::time::Instant::now();
        for _ in 0..20 {
            let mut other = Sequencer::new(48_000, &targets, &slots, &score, Extent::Forever);
            let held = playing.held_at(at + 4800).unwrap();
            other.go_on(at + 4800, at + 4800, &held);
            let mut out = Vec::new();
            other.advance(at + 96_000, &mut out);
            assert!(out.len() > 5 && out.iter().all(|event| event.frame >= at + 4800));
        }
        began.elapsed()
    };
    let (early, late) = (took(1, &mut playing), took(1000, &mut playing));
    // A replay would take a thousand times as long.
    assert!(late < 50 * early, "{early:?}, then {late:?}");
}

#[test]
fn a_changed_score_takes_over_what_is_held_and_leaves_what_is_new() {
    let (score, targets, slots) = crowded();
    let mut one = Sequencer::new(48_000, &targets, &slots, &score, Extent::Forever);
    let mut out = Vec::new();
    one.advance(420_000, &mut out);
    let held = one.held_at(400_000).unwrap();
    // Another number of voices is another instrument; the other one goes on.
    let other_targets = [
        Target { voices: [0, 1].map(PortId::new).to_vec(), monitor: Some(PortId::new(3)), ..target(0) },
        targets[1].clone(),
    ];
    let mut other = Sequencer::new(48_000, &other_targets, &slots, &score, Extent::Forever);
    other.go_on(400_000, 400_000, &held);
    let (mut before, mut after) = (Vec::new(), Vec::new());
    one.advance(900_000, &mut before);
    other.advance(900_000, &mut after);
    let of = |events: &[Event], port: usize| ons(events, port);
    let loops = of(&before, 4).len() + of(&out, 4).iter().filter(|&&frame| frame >= 400_000).count();
    assert_eq!(of(&after, 4).len(), loops);
    assert!(of(&after, 2).is_empty() && !of(&after, 0).is_empty());
    (1..60).for_each(|second| one.advance(900_000 + 48_000 * second, &mut before));
    assert!(one.held_at(48_000).is_none(), "that is too long ago");
}

#[test]
fn a_frame_that_f64_decides_is_that_of_the_exact_fraction() {
    // Frames that lie halfway, and tempi with many digits, on which a fraction does not fit in the end.
    for tempo in ["120", "133.7", "130.0108342361863", "59.99999999999999"] {
        let tempo = Tempo::Steady(Rational::from_decimal(tempo).expect("a number"));
        let changes = vec![Change { bar: Rational::ZERO, tempo }, Change { bar: Rational::whole(7), tempo }];
        for (rate, amount) in [(48_000, 0), (44_100, 0), (44_100, 1)] {
            let swing =
                (amount > 0).then(|| Swing { amount: Rational::ratio(1, 3), step: Rational::ratio(1, 16) });
            let map = TempoMap { changes: changes.clone(), swing, ..TempoMap::default() };
            let clock = Clock::new(&map, rate);
            let length = clock.plain(Rational::whole(9));
            for i in 0..2_000i64 {
                let bar = Rational::ratio(i * 37, [3, 16, 640, 88_200][i as usize % 4]);
                for pass in [0, 1, 1000] {
                    let exact = length.times(pass).plus(clock.at(bar)).round();
                    assert_eq!(clock.frame(length, pass, bar), exact, "{bar} of pass {pass}");
                }
            }
        }
    }
}
