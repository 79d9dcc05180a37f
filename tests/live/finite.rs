//! What is not finite is silent, offline and live alike, until a note or an edit; and what else an edit must not let through.

use super::{callback, program, start, steepest};
use mam_runtime::control::{LIMIT, Options, Scored, Sync};
use mam_runtime::score::{Extent, Sequencer};
use mam_runtime::{Control, Length, Live, NotFinite, Program, Renderer};
use std::sync::Arc;

const RATE: u32 = 48_000;

/// Every second note of `x` becomes infinite in its middle; `y` goes on.
const FAILS: &str = r#"tempo 240
instrument p {
  bad = if note > 70 and since(trig) > 3000 then 0 else 1
  env = adsr(gate, 1ms, 0s, 100%, 10ms)
  out = env * sine(freq) / bad
  until env < 0.0001
}
x = p(voices: 1)
y = 0.1 * sine(100Hz)
z = 0.2 * prev(y)
play { x "c4 c5 c4 e4" }
out = x + y + z
"#;

/// The left channel of `frames` frames, and what was not finite.
fn render(
    program: &Arc<Program>,
    frames: usize,
    shape: impl Fn(&mut Renderer<Sequencer>),
) -> (Vec<f32>, Vec<NotFinite>) {
    let length = Length::Frames(frames as u64);
    let mut renderer =
        Renderer::new(program.clone(), Sequencer::for_program(program, Extent::Forever), 2, 0, length);
    shape(&mut renderer);
    let mut sound = vec![];
    while let Some(block) = renderer.next_block() {
        sound.extend_from_slice(&block[0]);
    }
    (sound, renderer.not_finite())
}

/// The left channel of at least so many frames.
fn play(control: &mut Control, live: &mut Live, frames: usize) -> Vec<f32> {
    let mut sound = vec![];
    while sound.len() < frames {
        let [left, _] = callback(live, 480);
        sound.extend(left);
        control.tick();
    }
    sound
}

fn edit(control: &mut Control, text: &str) {
    control.edit(program(text, RATE), Sync::Now);
}

/// The quantum in which a voice is not finite is silent, and so is the voice until its next note; it is the same in
/// blocks of all sizes, on several threads, without machine code and live.
#[test]
fn a_voice_that_is_not_finite_is_silent_until_its_next_note() {
    let song = program(FAILS, RATE);
    let without = program(&FAILS.replace("out = x + y + z", "out = 0 * x + y + z"), RATE);
    let (sound, failures) = render(&song, 48_000, |_| {});
    let (others, _) = render(&without, 48_000, |_| {});
    // The note begins at frame 12000 and fails after 3000: in the quantum of frame 14976.
    let names: Vec<(u64, Vec<&str>)> =
        failures.iter().map(|f| (f.frame, f.computes.iter().map(|name| &**name).collect())).collect();
    assert_eq!(names, [(14_976, vec!["x"])]);
    assert!(sound[14_976..24_000] == others[14_976..24_000], "all else goes on");
    assert!(
        sound[14_000..14_976] != others[14_000..14_976] && sound[24_100..24_200] != others[24_100..24_200]
    );
    for block in [1, 63, 64, 1000, 4096] {
        assert!(
            render(&song, 48_000, |r| r.in_blocks_of(block)) == (sound.clone(), failures.clone()),
            "{block}"
        );
    }
    for threads in [2, 5] {
        assert!(
            render(&song, 48_000, |r| r.share(threads)) == (sound.clone(), failures.clone()),
            "{threads}"
        );
    }
    let (mut control, mut live) = start(&song);
    let played = play(&mut control, &mut live, 48_000);
    assert!(played[..48_000] == sound[..]);
    let reported = control.not_finite();
    assert_eq!(reported.iter().map(|(_, failure)| failure.clone()).collect::<Vec<_>>(), failures);
}

/// An effect has no notes: it is silent until an edit changes it, or what it hears. What its delay line held is gone.
#[test]
fn an_edit_that_mends_what_was_not_finite_sounds_again_and_another_one_does_not() {
    let song = |factor: &str, beside: &str| {
        format!(
            "source = 0.2 * sine(300Hz)\nspoiled = source * {factor}\nroom = spoiled |> echo(time: 200ms, feedback: 50%)\n\
             beside = {beside}\nout = room + 0 * beside\n"
        )
    };
    let broken = "(1 / (0 * prev(source)))";
    let (mut control, mut live) = start(&program(&song(broken, "0.1 * sine(50Hz)"), RATE));
    assert!(play(&mut control, &mut live, 9_600).iter().all(|&x| x == 0.0));
    assert_eq!(control.not_finite().len(), 1);
    edit(&mut control, &song(broken, "0.1 * sine(60Hz)"));
    assert!(play(&mut control, &mut live, 9_600).iter().all(|&x| x == 0.0));
    assert!(control.not_finite().is_empty(), "it was not tried again");
    edit(&mut control, &song("1", "0.1 * sine(60Hz)"));
    let healed = play(&mut control, &mut live, 24_000);
    assert!(healed.iter().all(|x| x.is_finite()) && healed[12_000..].iter().any(|x| x.abs() > 0.1));
    assert!(control.not_finite().is_empty());
}

/// What is written into a delay line and not heard yet is no failure; but an edit does not carry it over.
#[test]
fn a_delay_line_that_holds_something_infinite_is_left_behind() {
    let song = |x: &str| {
        format!("late = tap(line, 300ms, max: 300ms)\nline = {x}\nout = 0.1 * sine(200Hz) + late\n")
    };
    let (mut control, mut live) = start(&program(&song("1 / (0 * sine(10Hz))"), RATE));
    play(&mut control, &mut live, 4_800);
    assert!(control.not_finite().is_empty(), "nothing has heard it");
    edit(&mut control, &song("0.1 * sine(10Hz)"));
    let sound = play(&mut control, &mut live, 24_000);
    assert!(control.not_finite().is_empty());
    assert!(sound[20_000..].iter().any(|x| x.abs() > 0.05));
}

const PAD: &str = r#"instrument pad {
  env = adsr(gate, 50ms, 0s, 100%, 800ms)
  out = sine(freq) * env * 30%
  until env < 0.0001
}
p = pad(voices: 4)
play { p "a4" }
length 1 bar
out = p
"#;

#[test]
fn a_renamed_instrument_goes_on_with_its_note() {
    let (mut control, mut live) = start(&program(PAD, RATE));
    let before = play(&mut control, &mut live, 24_000);
    edit(
        &mut control,
        &PAD.replace("p = pad", "lead = pad").replace("{ p ", "{ lead ").replace("out = p", "out = lead"),
    );
    let after = play(&mut control, &mut live, 24_000);
    let usual = steepest(before[12_000..].iter().copied());
    let there = steepest(before[20_000..].iter().chain(&after).copied());
    assert!(there <= 1.01 * usual, "{there} after {usual}");
    assert!(after[23_000..].iter().any(|x| x.abs() > 0.28), "the note sounds on");
}

/// A delay line that an edit adds begins to record in the middle of a sound: no edge is heard when that comes out.
#[test]
fn what_a_new_delay_line_records_fades_in() {
    for effect in ["echo(time: 300ms, mix: 50%)", "freeverb(mix: 50%)"] {
        let (mut control, mut live) = start(&program(PAD, RATE));
        play(&mut control, &mut live, 24_000);
        edit(&mut control, &PAD.replace("out = p", &format!("out = p |> {effect}")));
        let mut high = play(&mut control, &mut live, 24_000);
        for _ in 0..6 {
            high = high.windows(2).map(|pair| 0.5 * (pair[1] - pair[0])).collect();
        }
        let edge = high.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
        assert!(edge < 1e-6, "{effect}: {edge}");
    }
}

/// What is beyond ±12 dBFS is cut off, and said to be from there on; all else passes as it is.
#[test]
fn nothing_above_12_dbfs_leaves_unless_that_is_wanted() {
    let song = program("out = 6 * sine(100Hz) * sine(2Hz)\n", RATE);
    let (sound, _) = render(&song, 24_000, |_| {});
    let first = sound.iter().position(|x| x.abs() > LIMIT).unwrap();
    for limit in [true, false] {
        let options = Options { channels: 2, playing: true, limit };
        let (mut control, mut live) = Control::new(song.clone(), Box::new(Scored), options);
        let mut ring = control.record();
        let played = play(&mut control, &mut live, 24_000);
        let recorded: Vec<f32> = (0..24_000).map(|_| (ring.pop().unwrap(), ring.pop().unwrap()).0).collect();
        let cut = |x: &f32| if limit { x.clamp(-LIMIT, LIMIT) } else { *x };
        assert!(played.iter().zip(&sound).all(|(played, x)| *played == cut(x)));
        assert!(recorded == played[..24_000]);
        let telemetry = control.telemetry();
        assert_eq!(telemetry.limited_at, limit.then_some(first as u64));
        assert_eq!(telemetry.limited > 0, limit);
    }
}
