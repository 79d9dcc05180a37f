//! Buffers that are written while the song plays: what `record` records, `playback` plays, against the signal itself.

use mam_compiler::files::NoFiles;
use mam_compiler::{Options, compile};
use mam_grammar::Sources;
use mam_runtime::control::{self, Control, Scored, Sync};
use mam_runtime::output::Frames;
use mam_testing::render::{bits, program, render_program, render_shared};

const RATE: u32 = 48_000;
/// Something that is never the same twice, on the left, and `on` for the first 300 ms.
const SOURCE: &str =
    "x = 0.3 * sine(440Hz) + 0.2 * noise()\nage = since(1 - prev(1))\non = age < 14400\nend = age == 14400\n";

/// The song by machine code and by the interpreter, to the bit, as two channels.
fn heard(song: &str, frames: u64) -> [Vec<f32>; 2] {
    let text = format!("{SOURCE}{song}\n");
    let native = render_program(program("song.mam", &text, RATE, false), Some(frames)).channels;
    let reference = render_program(program("song.mam", &text, RATE, true), Some(frames)).channels;
    assert!(bits(&native) == bits(&reference), "interpreter and machine code differ: {text}");
    let shared = render_shared(program("song.mam", &text, RATE, false), Some(frames), 2).0.channels;
    assert!(bits(&native) == bits(&shared), "threads differ: {text}");
    native.try_into().expect("two channels")
}

/// The frames in which a recording fades in.
const FADE: usize = 96;

#[test]
fn a_take_is_heard_to_the_bit_however_long_it_is_held() {
    // The ring is about 360 ms long: it has come round ten times.
    let [x, y] = heard("take = record(x, on, max: 300ms)\nout = (x, playback(take, age == 192000))", 216_000);
    let start = 192_000;
    assert!(y[..start].iter().all(|y| *y == 0.0), "nothing is played before its trigger");
    for n in FADE..14_400 - FADE {
        assert_eq!(y[start + n].to_bits(), x[n].to_bits(), "frame {n}");
    }
    assert!(y[start + 14_400..].iter().all(|y| *y == 0.0), "nothing is played after its end");
}

#[test]
fn a_loop_is_as_long_as_its_take_and_has_no_seam() {
    let [x, y] =
        heard("take = record(x, on, max: 1s)\nout = (x, playback(take, end, loop: 1, fade: 10ms))", 120_000);
    let length = 14_400;
    for n in FADE..length {
        assert_eq!(y[length + n].to_bits(), x[n].to_bits(), "the first round, frame {n}");
    }
    for n in 2 * length..y.len() - length {
        assert_eq!(y[n].to_bits(), y[n + length].to_bits(), "frame {n} of the rounds after it");
    }
    // At the seam what came after the take fades into its beginning.
    for n in 0..480 {
        let share = n as f32 / 480.0;
        let begun = x[n] * ((n + 1) as f32 / FADE as f32).min(1.0);
        let wanted = x[length + n] + share * (begun - x[length + n]);
        assert!((y[2 * length + n] - wanted).abs() < 1e-5, "seam, frame {n}");
    }
}

#[test]
fn the_latest_of_what_is_longer_than_there_is_room_for_is_kept() {
    let [x, y] = heard("out = (x, playback(record(x, 1, max: 100ms), age == 96000))", 110_000);
    for n in FADE..4800 - FADE {
        assert_eq!(y[96_000 + n].to_bits(), x[96_000 - 4800 + n].to_bits(), "frame {n}");
    }
}

#[test]
fn other_speeds_are_interpolated_and_parts_and_backwards_begin_where_they_are_said_to() {
    let tone = "s = 0.5 * sine(440Hz)\ntake = record(s, on, max: 1s)\n";
    let sine = |frame: f64| 0.5 * (std::f64::consts::TAU * 440.0 / 48_000.0 * (frame + 1.0)).sin();
    for (call, from, speed) in [
        ("playback(take, age == 48000, 0.37)", 0.0, 0.37),
        ("playback(take, age == 48000, 1.9, begin: 0.25)", 3600.0, 1.9),
        ("playback(take, age == 48000, -0.5, end: 0.5)", 7199.0, -0.5),
    ] {
        let [_, y] = heard(&format!("{tone}out = (s, {call})"), 52_000);
        // Slower, the two milliseconds in which the take fades in last longer.
        for n in 3 * FADE..3000 {
            let wanted = sine(from + speed * n as f64);
            assert!(
                (f64::from(y[48_000 + n]) - wanted).abs() < 2e-4,
                "{call}, frame {n}: {} {wanted}",
                y[48_000 + n]
            );
        }
    }
}

#[test]
fn a_new_take_leaves_what_plays_as_it_was_until_it_is_written_over() {
    let song = "again = on or (age > 48000 and age < 50000)\ntake = record(x, again, max: 2s)\n\
                out = (x, playback(take, age == 40000))";
    let [x, y] = heard(song, 60_000);
    for n in FADE..14_400 - FADE {
        assert_eq!(y[40_000 + n].to_bits(), x[n].to_bits(), "frame {n}");
    }
    let [parts, _] = heard("take = record(x, on, max: 2s)\nout = (take.frames, take.time / 1s)", 20_000);
    assert_eq!((parts[100], parts[14_400], parts[19_999]), (100.0, 14_400.0, 14_400.0));
}

#[test]
fn a_recording_of_another_equation_is_the_same_one() {
    let [alone, _] = heard("take = record(x, on, max: 1s)\nout = playback(take, end, 1.3, loop: 1)", 60_000);
    let song = "take = record(x, on, max: 1s)\na = playback(take, end, 1.3, loop: 1)\n\
                b = 0.5 * playback(take, end, 1.3, loop: 1) |> echo(mix: 0%)\nout = (a, b)";
    let [a, b] = heard(song, 60_000);
    assert!(bits(&[a]) == bits(std::slice::from_ref(&alone)));
    assert!(alone.iter().zip(&b).all(|(a, b)| (0.5 * a - b).abs() < 1e-6));
}

#[test]
fn what_is_recorded_stays_over_edits() {
    let song = |gain: &str| {
        format!(
            "{SOURCE}take = record(x, on, max: 1s)\nlevel = {gain}\nout = level * playback(take, end, loop: 1)\n"
        )
    };
    let made = |text: &str| {
        let mut sources = Sources::default();
        let id = sources.add("song.mam", text);
        let program =
            compile(&mut sources, id, &NoFiles, &Options { rate: RATE, ..Options::default() }).program;
        std::sync::Arc::new(program.expect("the song is good"))
    };
    let programs = [made(&song("0.5")), made(&song("0.5 + 0 * sine(3Hz)"))];
    let options = control::Options { channels: 1, playing: true, limit: false };
    let (mut control, mut live) = Control::new(programs[0].clone(), Box::new(Scored), options);
    let mut sound: Vec<f32> = vec![];
    let mut play = |control: &mut Control, frames: usize| {
        let mut block = vec![0.0; frames];
        live.process(&mut Frames::Planar(&mut [&mut block]));
        control.tick();
        sound.extend(block);
    };
    (0..60).for_each(|_| play(&mut control, 1000));
    for edit in 1..12 {
        control.edit(programs[edit % 2].clone(), Sync::Now);
        (0..5).for_each(|_| play(&mut control, 1000));
    }
    let length = 14_400;
    let (early, late) = (&sound[2 * length..3 * length], &sound[sound.len() - length..]);
    let shift = (sound.len() - length - 2 * length) % length;
    let differs = (0..length).find(|&n| (early[(n + shift) % length] - late[n]).abs() > 1e-5);
    assert_eq!(differs, None, "the loop goes on as it was");
    assert!(early.iter().any(|x| x.abs() > 0.05), "and is heard");
}

/// Notes at 24000 and 48000, of which each is held for 12000 frames.
const NOTES: &str = "tempo 120\nlength 4 bars\nplay { p \"~ c4 c4 ~\".legato(0.5) }\n";

#[test]
fn a_voice_that_has_slept_plays_what_the_song_records() {
    let song = "take = record(x, on, max: 300ms)\n\
        instrument p { out = playback(take, trig)\n until since(trig) > 15000 }\np = p(voices: 2)\nout = (x, p)\n";
    let [x, y] = heard(&format!("{song}{NOTES}"), 72_000);
    for start in [24_000, 48_000] {
        for n in FADE..14_400 - FADE {
            assert_eq!(y[start + n].to_bits(), x[n].to_bits(), "note at {start}, frame {n}");
        }
        assert!(y[start + 14_400..start + 24_000].iter().all(|y| *y == 0.0), "behind the note at {start}");
    }
}

#[test]
fn a_recording_is_given_to_the_head_of_an_instrument() {
    let instrument = "instrument player(buffer) {\n  out = playback(buffer, trig, freq / c4)\n  until since(trig) > 20000\n}\n";
    for call in ["sampler(take)", "player(record(x, on, max: 300ms))", "player(takes.first)"] {
        let song = format!(
            "take = record(x, on, max: 300ms)\ntakes = {{ first: take, rest: 0 }}\n{instrument}p = {call}\nout = (x, p)\n{NOTES}"
        );
        let [x, y] = heard(&song, 40_000);
        for n in FADE..14_400 - FADE {
            assert_eq!(y[24_000 + n].to_bits(), x[n].to_bits(), "{call}: frame {n}");
        }
    }
}

#[test]
fn all_who_play_a_recording_read_the_line_in_which_it_is() {
    let players = "q = 0.1 * sum i in 1..9 { playback(take, since(age == 9000 + 100 * i) == 0, 1 + i / 8) }\n\
        instrument p { out = grains(take, vel / 2, size: 80ms, n: 3)\n until since(trig) > 20000 }\np = p(voices: 4)\n";
    let song = format!("take = record(x, on, max: 300ms)\n{players}out = (q, p)\n{NOTES}");
    let [q, p] = heard(&song, 32_000);
    assert!([&q[10_000..20_000], &p[26_000..30_000]].iter().all(|x| x.iter().any(|x| x.abs() > 0.01)));
    let text = format!("{SOURCE}{song}");
    let lines = program("song.mam", &text, RATE, false);
    let long: Vec<usize> =
        lines.delays.values().map(|line| line.frames).filter(|frames| *frames > 16_000).collect();
    assert_eq!(long.len(), 1, "{long:?}");
}

#[test]
fn what_is_played_of_a_recording_may_be_recorded_again() {
    // Each turn of 100 ms holds the one before at half the level.
    let song = "click = age == 100\nturn = pulses(4800)\nloop = click + 0.5 * playback(record(loop, 1, max: 100ms), turn)\nout = (click, loop)";
    let [_, y] = heard(song, 24_000);
    for turn in 0..5 {
        let found = y[100 + 4800 * turn];
        let wanted = 0.5_f32.powi(turn as i32);
        assert!((found - wanted).abs() < 1e-6, "turn {turn}: {found} and not {wanted}");
    }
}

#[test]
fn what_is_heard_later_than_it_is_recorded_is_aligned() {
    // The region is 66 samples late, so that the trigger is, too.
    let song = "late = oversample(2, linear) { 1 * age }\ntrig = late > 20000\n\
        take = record(x, on, max: 300ms)\nout = (x, playback(take, trig and not prev(trig)) + 0 * late)";
    let [x, y] = heard(song, 60_000);
    let start = y.iter().position(|y| *y != 0.0).expect("it plays");
    let first = x.iter().position(|x| *x != 0.0).expect("it sounds");
    let begins = start - 1..start + 2;
    let found = begins.clone().any(|start| {
        (FADE..14_400 - FADE)
            .all(|n| y[start + n].to_bits() == x[first + n].to_bits() || n + first >= x.len())
    });
    assert!(found, "begins at {start}");
}
