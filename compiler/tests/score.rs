//! Scores of `.mam` songs: text in, events and problems out.

use mam_compiler::dimension::Dimension;
use mam_compiler::file::File;
use mam_compiler::library::Units;
use mam_compiler::score::{Instrument, Meaning, Parameter, Remainder, Targets, complete, from_ast};
use mam_grammar::mini::Notations;
use mam_grammar::{Limits, Problems, Sources, syntax};
use mam_runtime::ids::{IdMap, ParamId, PortId};
use mam_runtime::score::{Extent, Score, Sequencer, listing};
use mam_runtime::{Curve, Event, EventKind, ParamSlot, Target};
use proptest::prelude::*;

/// A drum `bd`, a four-voice `pad`, a one-voice `bass`; parameters `bd.gain`, `bd.decay`, `bass.cutoff`; a knob.
struct Band;

const INSTRUMENTS: [(&str, bool, usize); 3] = [("bd", false, 1), ("pad", true, 4), ("bass", true, 1)];
const PARAMETERS: [(&str, Dimension, f64, (f64, f64)); 4] = [
    ("bd.gain", Dimension::PLAIN, 1.0, (0.0, 1.5)),
    ("bd.decay", Dimension::TIME, 0.001, (0.01, 0.2)),
    ("bass.cutoff", Dimension::FREQUENCY, 1.0, (20.0, 20_000.0)),
    ("bright", Dimension::PLAIN, 1.0, (0.0, 1.0)),
];

impl Targets for Band {
    fn find(&self, path: &[&str]) -> Meaning {
        let name = path.join(".");
        if let Some(index) = INSTRUMENTS.iter().position(|i| i.0 == name) {
            let (_, pitched, voices) = INSTRUMENTS[index];
            return Meaning::Instrument(Instrument {
                index,
                name,
                definition: "x".into(),
                pitched,
                numbered: false,
                pieces: None,
                voices,
            });
        }
        if let Some(index) = PARAMETERS.iter().position(|p| p.0 == name) {
            let (_, dimension, scale, range) = PARAMETERS[index];
            let units = Units::default();
            return Meaning::Parameter(Parameter {
                index: ParamId::new(index),
                name,
                dimension,
                scale,
                range,
                units,
                instrument: INSTRUMENTS.iter().position(|i| Some(i.0) == path.first().copied()),
                is_driven: false,
                is_argument: false,
            });
        }
        match name.as_str() {
            "mix" => Meaning::Other { what: "it is a signal".into(), parts: vec![], params: vec![] },
            _ => Meaning::Unknown,
        }
    }

    fn known(&self, _: &[&str]) -> Vec<String> {
        INSTRUMENTS.iter().map(|i| i.0.to_string()).collect()
    }
}

fn targets() -> Vec<Target> {
    let mut ports = 0..;
    let target = |(name, _, voices): (&str, bool, usize)| Target {
        name: name.into(),
        voices: ports.by_ref().take(voices).map(PortId::new).collect(),
        monitor: None,
        default_note: 36.0,
        midi: Default::default(),
        bpm: ParamId::new(u32::MAX as usize),
        looped: ParamId::new(u32::MAX as usize),
        note_params: vec![],
        priority: None,
        outside: None,
        sent: vec![],
    };
    INSTRUMENTS.map(target).to_vec()
}

fn params() -> IdMap<ParamId, ParamSlot> {
    let slot = |(name, _, _, (min, max)): (&str, Dimension, f64, (f64, f64))| ParamSlot {
        name: name.into(),
        default: min,
        min,
        max,
        curve: Curve::Linear,
        smooth: 0,
        follows: None,
    };
    PARAMETERS.map(slot).into_iter().collect()
}

fn score(text: &str) -> (Score, Vec<String>) {
    let mut sources = Sources::default();
    let id = sources.add("song.mam", text);
    let (ast, mut problems) = syntax::parse(&sources, id, &Limits::default());
    let file = File::new(ast);
    let (mut score, _) =
        from_ast(&file, 7, &Band, &Limits::default(), (&Notations::default(), None), &mut problems);
    complete(
        &mut score,
        &file.ast,
        false,
        Remainder { starts: vec![0, 1, 2], musical: (None, None), following: vec![] },
    );
    (score, told(&sources, problems))
}

/// `code at `text`: message`
fn told(sources: &Sources, problems: Problems) -> Vec<String> {
    let all = problems.into_sorted();
    let told =
        |p: &mam_grammar::Problem| format!("{} at `{}`: {}", p.code.name, sources.slice(p.span()), p.message);
    all.iter().map(told).collect()
}

fn sequencer(score: &Score, extent: Extent) -> Sequencer {
    Sequencer::new(48_000, &targets(), &params(), score, extent)
}

fn events(score: &Score) -> Vec<Event> {
    let mut events = Vec::new();
    sequencer(score, Extent::Once).advance(u64::MAX, &mut events);
    events
}

/// What one pass plays, without note-offs: `bar:beat target what`, in one line.
fn plays(text: &str) -> String {
    let (score, problems) = score(text);
    assert_eq!(problems, Vec::<String>::new(), "problems of\n{text}");
    let mut events = events(&score);
    events.retain(|e| !matches!(e.kind, EventKind::Off { .. }));
    compact(&score, &events)
}

fn compact(score: &Score, events: &[Event]) -> String {
    let table = listing::table(48_000, &targets(), &params(), score, events);
    let row = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let place = words[1].trim_end_matches('0').trim_end_matches('.');
        let what =
            words[4..].iter().filter(|w| !w.starts_with('(') && !matches!(**w, "note" | "set" | "velocity"));
        format!("{place} {} {}", words[3], what.copied().collect::<Vec<_>>().join(" "))
    };
    table.lines().skip(1).map(row).collect::<Vec<_>>().join(", ")
}

fn refused(text: &str) -> Vec<String> {
    score(text).1
}

#[test]
fn a_drum_tab_has_accents_ghosts_tenths_and_holds() {
    assert_eq!(plays("play { bd |xXo7| }"), "1:1 bd 36 1, 1:2 bd 36 1.25, 1:3 bd 36 0.5, 1:4 bd 36 0.7");
    assert_eq!(plays("play { bd | x . | . x | }"), "1:1 bd 36 1, 2:3 bd 36 1");
    let (score, _) = score("play { bd |x___|_.x.| }");
    let ends: Vec<_> =
        events(&score).iter().map(|e| (e.frame, matches!(e.kind, EventKind::On { .. }))).collect();
    assert_eq!(ends, [(0, true), (120_000, false), (144_000, true), (168_000, false)]);
}

#[test]
fn by_fixes_the_step_and_runs_against_the_bar() {
    assert_eq!(plays("play { bd |x..| by 1/4 }"), "1:1 bd 36 1, 1:4 bd 36 1, 2:3 bd 36 1, 3:2 bd 36 1");
    assert_eq!(plays("meter 3/4\nplay { bd |x.| by 1/2 }"), "1:1 bd 36 1, 2:2 bd 36 1, 3:3 bd 36 1");
}

#[test]
fn notes_have_names_numbers_velocities() {
    assert_eq!(
        plays("play { pad \"c eb3 60:0.5 f#2\" }"),
        "1:1 pad#1 60 1, 1:2 pad#2 51 1, 1:3 pad#3 60 0.5, 1:4 pad#4 42 1"
    );
    assert_eq!(plays("play { pad \"440Hz x\" }"), "1:1 pad#1 69 1, 1:3 pad#2 36 1");
    assert_eq!(plays("play { bd \"boom x 1 c9\" }").matches("bd 36 1").count(), 4);
}

#[test]
fn parameters_are_set_in_their_own_units_with_ramps() {
    assert_eq!(
        plays("play { bd |x.|\n bd.gain \"~ 80% -6dB 1.2\" over 40ms }"),
        "1:1 bd 36 1, 1:2 bd.gain 0.8 over 1920 frames, 1:3 bd.gain 0.5011872336272722 over 1920 frames, \
         1:4 bd.gain 1.2 over 1920 frames"
    );
    assert_eq!(
        plays("tempo 60\nplay { bd.decay \"50 0.1s\" over 1 beat curve exp }"),
        "1:1 bd.decay 0.05 over 48000 frames curve exp, 1:3 bd.decay 0.1 over 48000 frames curve exp"
    );
    assert_eq!(plays("play { bass.cutoff \"1kHz a4\" }"), "1:1 bass.cutoff 1000, 1:3 bass.cutoff 440");
    assert_eq!(plays("play { bright \"50% 1\" }"), "1:1 bright 0.5, 1:3 bright 1");
}

#[test]
fn modifiers_change_patterns() {
    let bass = |modifiers: &str| plays(&format!("length 4 bars\nplay {{ bass \"c d\"{modifiers} }}"));
    let notes = |modifiers: &str| {
        let all = bass(modifiers);
        let note = |e: &str| {
            let words: Vec<&str> = e.split(' ').collect();
            let name = match words[2] {
                "60" => "c",
                "62" => "d",
                other => other,
            };
            format!("{}{name}", words[0])
        };
        all.split(", ").map(note).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(notes(""), "1:1c 1:3d 2:1c 2:3d 3:1c 3:3d 4:1c 4:3d");
    assert_eq!(notes(".slow(2)"), "1:1c 2:1d 3:1c 4:1d");
    assert_eq!(notes(".fast(2).slow(2)"), notes(""));
    assert_eq!(notes(".rev.slow(2)"), "1:1d 2:1c 3:1d 4:1c");
    assert_eq!(notes(".every(2, rev)"), "1:1d 1:3c 2:1c 2:3d 3:1d 3:3c 4:1c 4:3d");
    assert_eq!(notes(".every(2, every(2, slow(2)))"), "1:1c 2:1c 2:3d 3:1c 4:1c 4:3d");
    assert_eq!(notes(".iter(2)"), "1:1c 1:3d 2:1d 2:3c 3:1c 3:3d 4:1d 4:3c");
    assert_eq!(notes(".ply(2).slow(4)"), "1:1c 2:1c 3:1d 4:1d");
    assert_eq!(notes(".shift(1/4).slow(4)"), "2:1c 4:1d");
    assert_eq!(notes(".transpose(7st).slow(4)"), "1:167 3:169");
    assert_eq!(notes(".transpose(\"0 12st\").slow(4)"), "1:1c 3:174");
    assert_eq!(
        plays("length 4 bars\nplay { bass \"c ~ ~ ~\".slow(4).off(1, transpose(12st)) }"),
        "1:1 bass 60 1, 2:1 bass 72 1"
    );
    assert_eq!(notes(".fast(\"<1 0.5>\")"), "1:1c 1:3d 2:1d 3:1c 3:3d 4:1d");
    assert_eq!(notes(".degrade(0%)"), notes(""));
    assert_eq!(
        refused("play { bass \"c d\".degrade(100%) }"),
        ["silent-line at `bass`: this line of `bass` never sounds"]
    );
    assert!(bass(".vel(\"1 0.6\").vel(50%)").starts_with("1:1 bass 60 0.5, 1:3 bass 62 0.3, "));
    let scaled = plays("play { bass \"0 2 7 -1\".scale(c3, minor) }");
    assert_eq!(scaled, "1:1 bass 48 1, 1:2 bass 51 1, 1:3 bass 60 1, 1:4 bass 46 1");
}

#[test]
fn sometimes_changes_a_share_of_the_events_and_drops_none() {
    let (score, _) = score("length 200 bars\nplay { bd |xxxxxxxx|.sometimes(30%, vel(0.5)) }");
    let soft = |e: &&Event| matches!(e.kind, EventKind::On { vel, .. } if vel == 0.5);
    let events = events(&score);
    let ons = events.iter().filter(|e| matches!(e.kind, EventKind::On { .. })).count();
    let soft = events.iter().filter(soft).count();
    assert_eq!(ons, 1600);
    assert!((400..560).contains(&soft), "{soft} of 1600");
}

#[test]
fn draws_depend_on_the_seed_and_the_line_alone() {
    let heard = |text: &str, seed| {
        let mut sources = Sources::default();
        let id = sources.add("song.mam", text);
        let (ast, mut problems) = syntax::parse(&sources, id, &Limits::default());
        let (score, _) = from_ast(
            &File::new(ast),
            seed,
            &Band,
            &Limits::default(),
            (&Notations::default(), None),
            &mut problems,
        );
        let mut all = events(&score);
        all.retain(|e| matches!(e.kind, EventKind::On { port, .. } if port == PortId::new(0)));
        all
    };
    let one = heard("length 8 bars\nplay { bd \"x*8?\" }", 1);
    assert_eq!(one, heard("length 8 bars\nplay {\n bass \"c?\"\n bd \"x*8?\" }", 1));
    assert_ne!(one, heard("length 8 bars\nplay { bd \"x*8?\" }", 2));
}

#[test]
fn sections_are_arranged_nested_and_cut() {
    let song = "
        section verse 2 bars {
          bd |x...|
          section fill 1 bar { bass \"c\" }
          section rest 1 bar { }
          play rest fill
        }
        section end 1 bar { pad |x___| }
        play verse*2 end";
    assert_eq!(
        plays(song),
        "1:1 bd 36 1, 2:1 bd 36 1, 2:1 bass 60 1, 3:1 bd 36 1, 4:1 bd 36 1, 4:1 bass 60 1, 5:1 pad#1 36 1"
    );
    // A note is held over its cycle's end, and ends with its section.
    let (score, _) = score("section a 1 bar { bass \"c/4\" }\nsection b 1 bar { }\nplay a b a");
    let ends: Vec<_> = events(&score).iter().map(|e| e.frame).collect();
    assert_eq!(ends, [0, 96_000, 192_000, 288_000]);
    // The lines of the block run throughout.
    assert_eq!(
        plays("play { bd \"x ~\" }\nsection a 1 bar { bass \"<c d>\" }\nplay a a"),
        "1:1 bd 36 1, 1:1 bass 60 1, 2:1 bd 36 1, 2:1 bass 60 1"
    );
}

#[test]
fn the_tempo_has_steps_and_ramps_and_the_meter_makes_the_bar() {
    let frames = |text: &str| {
        let (score, problems) = score(text);
        assert_eq!(problems, Vec::<String>::new());
        let on = |e: &&Event| matches!(e.kind, EventKind::On { .. });
        events(&score).iter().filter(on).map(|e| e.frame).collect::<Vec<_>>()
    };
    assert_eq!(frames("tempo 60\ntempo 120 at bar 2\nplay { bd |x.| }"), [0, 192_000]);
    assert_eq!(
        frames("tempo 60\ntempo 120 at bar 2\nlength 3 bars\nplay { bd |x.| }"),
        [0, 192_000, 288_000]
    );
    // 32 beats at 120 a minute on average.
    let ramp = frames("tempo 60..180 over bars 1..9\nlength 10 bars\nplay { bd |x.| }");
    assert_eq!((ramp[3], ramp[8], ramp[9]), (8 * 48_000, 16 * 48_000, 16 * 48_000 + 64_000));
    assert_eq!(frames("meter 7/8\ntempo 120\nlength 2 bars\nplay { bd |x......| }"), [0, 84_000]);
    // 12% of half a sixteenth of 6000 frames.
    assert_eq!(frames("swing 12%\nplay { bd |xxx.............| }"), [0, 6360, 12_000]);
    assert_eq!(frames("swing 50% of 1/8\nplay { bd |xxx.....| }"), [0, 15_000, 24_000]);
}

#[test]
fn a_song_without_a_play_plays_everything_once() {
    assert_eq!(plays("tempo 100"), "1:1 bd 36 1, 1:1 pad#1 36 1, 1:1 bass 36 1");
}

#[test]
fn a_song_is_as_long_as_its_lines_need_or_as_it_says() {
    let bars = |text: &str| score(text).0.transports[0].length.to_f64();
    assert_eq!(bars("play { bd \"<x ~>\"\n bass \"<c d e>\" }"), 6.0);
    assert_eq!(bars("play { bd |x..| by 1/16 }"), 3.0);
    assert_eq!(bars("play { bd \"<x!7 ~>\"\n bass \"<c!10 d>\" }"), 64.0);
    assert_eq!(bars("length 2 beats\nplay { bd \"x\" }"), 0.5);
    assert_eq!(bars("tempo 130\ntempo 138 at bar 5\nplay { bd \"<x ~>\" }"), 6.0);
}

#[test]
fn what_is_wrong_is_told_at_its_place() {
    let one = |text: &str, expected: &str| assert_eq!(refused(text), [expected], "{text}");
    one("play { dp |x.| }", "unknown-target at `dp`: there is no `dp` to play");
    one("play { mix |x.| }", "not-playable at `mix`: `mix` cannot be played: it is a signal");
    one(
        "play { bd.gain |x.| }",
        "not-playable at `x.`: `bd.gain` is a parameter, and a drum tab has no values for it",
    );
    one("play { bd |_.x.| }", "tab-hold at `_`: `_` holds a note, and no note comes before it");
    one("play { bd |x....| }", "tab-length at `x....`: 5 steps do not go with a bar of 4 beats");
    one("play { bd |....| }", "silent-line at `bd`: this line of `bd` never sounds");
    one("play { bass \"c4 [e4 zz]\" }", "pattern-value at `zz`: `zz` is not a note");
    one("play { bass \"c4 [e4\" }", "pattern-syntax at `[`: this `[` is never closed");
    one(
        "play { bd.gain \"40ms\" }",
        "pattern-value at `40ms`: `40ms` is not a plain number, such as `0.8`, `80%` or `-6dB`",
    );
    one("play { bd.gain \"7\" }", "value-clamped at `7`: `7` lies outside the range of `bd.gain`");
    one(
        "play { bass \"[c4,e4]\" }",
        "polyphony at `bass`: `bass` plays 2 notes at once (in bar 1), and has one voice",
    );
    one(
        "play { bd.gain \"1\"\n bd.gain \"~ 0.5\"\n bd.gain \"0.2 ~\" }",
        "lines-fight at `bd.gain`: two lines set `bd.gain` at one instant, in bar 1",
    );
    one(
        "section a 1 bar { bd |x.| }\nsection b 1 bar { bd |x.| }\nplay b",
        "unused-section at `a`: the section `a` is never played",
    );
    one("section a 1 bar { bd |x.| }\nplay a aa", "unknown-section at `aa`: there is no section `aa` here");
    one("section a 1 bar { play a }\nplay a", "section-nesting at `a`: the section `a` plays itself");
    one(
        "play { bd \"x*100000000\" }",
        "pattern-too-much at `x*100000000`: one cycle of this pattern holds too many events",
    );
    one("play { bd |x.|.fats(2) }", "pattern-modifier at `fats`: there is no modifier `fats`");
    one(
        "play { bd |x.|.fast(2, 3) }",
        "pattern-modifier at `fast(2, 3)`: `.fast` does not take these arguments",
    );
    one(
        "play { bd.gain \"1\".transpose(2st) }",
        "pattern-modifier at `transpose(2st)`: `.transpose` changes notes, and this line sets a parameter",
    );
    one(
        "tempo 0\nplay { bd |x.| }",
        "score-number at `0`: a tempo is greater than 0 and at most 10000 beats a minute",
    );
    one(
        "tempo 100\ntempo 120\nplay { bd |x.| }",
        "score-twice at `tempo 120`: the tempo of this place is already given",
    );
    one(
        "tempo 100..140 over bars 1..5\ntempo 120 at bar 3\nlength 8 bars\nplay { bd |x.| }",
        "score-twice at `tempo 120 at bar 3`: the tempo of this place is already given",
    );
    one(
        "tempo 140 at bar 9\nlength 4 bars\nplay { bd |x.| }",
        "score-unreached at `tempo 140 at bar 9`: the song has 4 bars and ends before this",
    );
    one("swing 120%\nplay { bd |x.| }", "score-number at `120%`: swing lies between 0% and 100%");
}

/// Patterns of the notation with everything in them.
fn notation() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec!["c", "e4", "g", "a3", "~", "x", "60"]);
    let leaf = word.prop_map(String::from);
    leaf.prop_recursive(3, 12, 3, |inner| {
        let some = prop::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            some.clone().prop_map(|all| format!("[{}]", all.join(" "))),
            some.clone().prop_map(|all| format!("<{}>", all.join(" "))),
            some.clone().prop_map(|all| format!("[{}]", all.join(","))),
            some.clone().prop_map(|all| format!("[{}]", all.join("|"))),
            some.prop_map(|all| format!("{{{}}}%3", all.join(" "))),
            (
                inner.clone(),
                prop::sample::select(vec!["*2", "/3", "@3", "!2", "?", "(3,8,1)", "*<2 1.5>", ":0.5"])
            )
                .prop_map(|(p, op)| format!("[{p}]{op} {p}")),
        ]
    })
    .prop_map(|text| if text.contains(' ') { format!("[{text}]") } else { text })
}

fn song() -> impl Strategy<Value = String> {
    let modifier = prop::sample::select(vec![
        "",
        ".rev",
        ".every(3, fast(2))",
        ".off(1/8, transpose(7st))",
        ".degrade(30%)",
        ".iter(4)",
        ".ply(2)",
        ".sometimes(40%, shift(1/16))",
    ]);
    let line = (prop::sample::select(vec!["pad", "bass", "bd"]), notation(), modifier)
        .prop_map(|(target, text, modifier)| format!("  {target} \"{text}\"{modifier}\n"));
    let head = prop::sample::select(vec![
        "tempo 133.7\nswing 12%\n",
        "tempo 90..180 over bars 2..4\nlength 5 bars\n",
        "meter 7/8\ntempo 100\ntempo 140.5 at bar 3\nlength 3 bars\n",
    ]);
    (head, prop::collection::vec(line, 1..4)).prop_map(|(head, lines)| {
        format!("{head}play {{\n  bd.gain \"0.5 1\" over 1 beat\n{}}}\n", lines.concat())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(mam_testing::random_cases(64)))]

    #[test]
    fn in_whatever_pieces_a_score_is_asked_its_events_are_the_same(
        song in song(),
        pieces in prop::collection::vec(1..200_000u64, 1..20),
    ) {
        let (score, _) = score(&song);
        let end: u64 = pieces.iter().sum();
        let mut whole = Vec::new();
        sequencer(&score, Extent::Forever).advance(end, &mut whole);
        let (mut split, mut at) = (Vec::new(), 0);
        let mut asked = sequencer(&score, Extent::Forever);
        for piece in &pieces {
            at += piece;
            asked.advance(at, &mut split);
        }
        prop_assert_eq!(&whole, &split);
        prop_assert!(whole.windows(2).all(|w| w[0].frame <= w[1].frame));
        // A seek goes on as if it had been there all the time, on whichever voices.
        let mut sought = Vec::new();
        let mut asked = sequencer(&score, Extent::Forever);
        asked.seek(end / 2, end / 2);
        asked.advance(end, &mut sought);
        let notes = |events: &[Event]| {
            let later = events.iter().filter(|e| e.frame >= end / 2);
            let note = |e: &Event| match e.kind {
                EventKind::On { note, vel, .. } => Some(format!("{} {note} {vel}", e.frame)),
                _ => None,
            };
            let mut notes: Vec<_> = later.filter_map(note).collect();
            notes.sort();
            notes
        };
        prop_assert_eq!(notes(&whole), notes(&sought));
    }
}
