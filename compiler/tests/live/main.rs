//! Compiled songs, played and edited: the callback is called by hand, under an allocator that ends the process when the
//! audio thread allocates or frees.

use mam_compiler::files::{Loader, Located, Unusable};
use mam_compiler::{Options, compile};
use mam_grammar::Sources;
use mam_runtime::control::{Options as Live, Scored, Sync};
use mam_runtime::output::Frames;
use mam_runtime::score::{Extent, Sequencer};
use mam_runtime::{Control, Length, Program, Renderer};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;

struct Guard;

thread_local! {
    static ON_AUDIO_THREAD: Cell<bool> = const { Cell::new(false) };
}

// SAFETY: hands everything to the system's allocator.
unsafe impl GlobalAlloc for Guard {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if ON_AUDIO_THREAD.get() {
            std::process::abort();
        }
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        if ON_AUDIO_THREAD.get() {
            std::process::abort();
        }
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static GUARD: Guard = Guard;

const SONG: &str = "
tempo 130
bd = kick(f0: 120Hz, amp_decay: 190ms)
sd = clap(amp_decay: 180ms)
hh = clap(amp_decay: 40ms, gain: 0.55)
play {
  bd      |x...x...x..x....|
  sd      |....x.......x...|
  hh      |x.x.x.x.x.x.x.x.|
  bd.gain \"~ ~ 1.0 ~\" over 40ms
}
room = sd |> echo(time: 150ms)
out = softclip(90% * (bd*85% + sd*60% + hh*50% + room*30%))
";

/// A song uses no other file here.
struct Alone;

impl Loader for Alone {
    fn locate(&self, _: &Located, path: &str) -> Result<Located, Unusable> {
        Err(format!("there is no `{path}`").into())
    }

    fn read(&self, file: &Located, _: usize) -> Result<String, Unusable> {
        Err(format!("there is no `{}`", file.name).into())
    }
}

fn program(text: &str) -> Arc<Program> {
    let mut sources = Sources::default();
    let song = sources.add("song.mam", text);
    let compilation = compile(&mut sources, song, &Alone, &Options::default());
    let problems: Vec<String> =
        compilation.problems.into_sorted().iter().map(|problem| format!("{problem:?}")).collect();
    Arc::new(compilation.program.unwrap_or_else(|| panic!("{problems:#?}")))
}

fn offline(program: &Arc<Program>, frames: usize) -> Vec<f32> {
    let sequencer = Sequencer::for_program(program, Extent::Forever);
    let mut renderer = Renderer::new(program.clone(), sequencer, 1, 0, Length::Frames(frames as u64));
    let mut sound = vec![];
    while let Some(block) = renderer.next_block() {
        sound.extend_from_slice(&block[0]);
    }
    sound
}

/// A player that is called back in sizes as devices have them.
struct Player {
    control: Control,
    live: mam_runtime::Live,
    sound: Vec<f32>,
    turn: usize,
}

impl Player {
    fn start(program: &Arc<Program>) -> Player {
        let options = Live { channels: 2, playing: true, limit: true };
        let (control, live) = Control::new(program.clone(), Box::new(Scored), options);
        Player { control, live, sound: vec![], turn: 0 }
    }

    fn until(&mut self, frame: usize) {
        const SIZES: [usize; 8] = [42, 170, 528, 529, 960, 1, 64, 1024];
        while self.sound.len() < frame {
            self.control.tick();
            let frames = SIZES[self.turn % SIZES.len()].min(frame - self.sound.len());
            self.turn += 1;
            let mut data = vec![f32::NAN; 2 * frames];
            ON_AUDIO_THREAD.set(true);
            self.live.process(&mut Frames::Interleaved { data: &mut data, channels: 2 });
            ON_AUDIO_THREAD.set(false);
            self.sound.extend(data.iter().step_by(2));
        }
    }
}

fn steepest(sound: &[f32]) -> f32 {
    sound.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max)
}

#[test]
fn live_is_offline_to_the_bit() {
    let song = program(SONG);
    let mut player = Player::start(&song);
    player.until(400_000);
    assert!(player.sound.iter().any(|x| x.abs() > 0.5));
    assert_eq!(player.sound, offline(&song, 400_000));
}

#[test]
fn an_edit_that_changes_no_sound_is_not_heard() {
    let song = program(SONG);
    let mut player = Player::start(&song);
    for (edit, at) in (30_000..300_000).step_by(7_777).enumerate() {
        player.until(at);
        let text = format!("{SONG}// edit {edit}\nquiet = kick(gain: 0)\n");
        player.control.edit(program(if edit % 2 == 0 { &text } else { SONG }), Sync::Now);
    }
    player.until(350_000);
    assert_eq!(player.sound, offline(&song, 350_000));
}

#[test]
fn what_an_edit_changes_changes_and_what_stays_goes_on() {
    let (song, without) = (program(SONG), program(&SONG.replace("hh*50%", "hh*0%")));
    let mut player = Player::start(&song);
    player.until(100_000);
    player.control.edit(without.clone(), Sync::Now);
    player.until(300_000);
    let (before, after) = (offline(&song, 300_000), offline(&without, 300_000));
    assert_eq!(player.sound[..100_000], before[..100_000]);
    // After the fade it is the other song, to the bit: the echo and all envelopes have gone on.
    assert_eq!(player.sound[102_000..], after[102_000..]);
    assert!(steepest(&player.sound) <= 1.01 * steepest(&before).max(steepest(&after)));
}

#[test]
fn another_tempo_keeps_the_place_in_the_bar() {
    let (song, faster) = (program(SONG), program(&SONG.replace("tempo 130", "tempo 140")));
    let place =
        |program: &Program, frame| mam_runtime::control::Position::at_frame(program, frame).unwrap().bar;
    let mut player = Player::start(&song);
    player.until(100_000);
    let bar = place(&song, player.control.song_frame());
    player.control.edit(faster.clone(), Sync::Now);
    player.until(100_064);
    player.control.tick();
    assert!(!player.control.is_changing());
    let now = place(&faster, player.control.song_frame());
    assert!((now - bar).abs() < 0.005, "bar {bar}, then {now}");
}

const DRONE: &str = "
instrument drone {
  param pitch = 40Hz in 1Hz..1kHz
  out = lowpass(saw(pitch), 900Hz + 500Hz * sine(0.02 * pitch), q: 5)
}
";

/// So many sawtooths through filters, each with its own pitch; from the fourth on they are not heard. Four are packed
/// into one step, three are not.
fn drones(count: usize) -> Arc<Program> {
    let drones: String = (0..count).map(|i| format!("n{i} = drone(pitch: {}Hz)\n", 40 + 30 * i)).collect();
    let unheard: String = (3..count).map(|i| format!(" + 0.000001 * n{i}")).collect();
    program(&format!("{DRONE}{drones}out = 0.2 * (n0 + n1 + n2){unheard}\n"))
}

#[test]
fn state_goes_on_whatever_is_packed_with_whom() {
    let parts = |program: &Program| program.steps.iter().map(|step| step.parts.len()).max();
    let (three, four) = (drones(3), drones(4));
    assert_eq!((parts(&three), parts(&four)), (Some(1), Some(4)));
    let mut player = Player::start(&three);
    for (edit, at) in (30_000..300_000).step_by(7_777).enumerate() {
        player.until(at);
        player.control.edit(drones([4, 3, 5, 9, 8, 3, 10][edit % 7]), Sync::Now);
    }
    player.until(350_000);
    let expected = offline(&three, 350_000);
    assert!(expected.iter().any(|x| x.abs() > 0.05));
    let difference = player.sound.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(difference < 1e-4, "{difference}");
}

#[test]
fn a_muted_node_in_lanes_mutes_no_other() {
    let (four, three) = (drones(4), drones(3));
    let mut player = Player::start(&four);
    ["n0", "n2"].into_iter().for_each(|node| player.control.mute(node, true));
    player.until(10_000);
    let mut others = Player::start(&three);
    ["n0", "n2"].into_iter().for_each(|node| others.control.mute(node, true));
    others.until(10_000);
    let late = player.sound.iter().zip(&others.sound).skip(1_000);
    let difference = late.clone().map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(difference < 1e-4, "{difference}");
    assert!(late.clone().any(|(a, _)| a.abs() > 0.05));
}
