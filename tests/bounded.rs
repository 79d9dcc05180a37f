//! Whatever a song is, compiling it takes bounded work and memory, and its problems can be drawn.
//!
//! Work is counted in bytes and pieces of memory that are asked for: everything that a compiler does asks for some. It is the
//! same on a slow machine and on a fast one.

use mam_compiler::files::NoFiles;
use mam_compiler::score::import::import;
use mam_compiler::{Options, compile};
use mam_grammar::Sources;
use mam_runtime::ChannelLayout;
use mam_runtime::file::{self, Bits, Container, Details, Dither, Wanted, Writer, read};
use mam_runtime::score::midi::midi;
use mam_testing::mutants::{Dice, mutant, mutated_bytes};
use mam_testing::ogg::correct_checksums;
use mamc::report::human::{Look, draw};
use mamc::report::{Found, json, short};
use std::alloc::{GlobalAlloc, Layout, System};
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The system's memory, counted.
struct Counted;

static PIECES: AtomicUsize = AtomicUsize::new(0);
static BYTES: AtomicUsize = AtomicUsize::new(0);
static HELD: AtomicUsize = AtomicUsize::new(0);
static MOST_HELD: AtomicUsize = AtomicUsize::new(0);

fn count(bytes: usize) {
    PIECES.fetch_add(1, Relaxed);
    BYTES.fetch_add(bytes, Relaxed);
    let held = HELD.fetch_add(bytes, Relaxed) + bytes;
    MOST_HELD.fetch_max(held, Relaxed);
}

// SAFETY: everything is left to the system's allocator, with the same arguments.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: as the caller vouches.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as the caller vouches.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static MEMORY: Counted = Counted;

/// What compiling a text and drawing its problems took.
#[derive(Debug)]
struct Taken {
    pieces: usize,
    bytes: usize,
    held: usize,
}

/// The counts are of the whole process: one test at a time.
static ONE: Mutex<()> = Mutex::new(());

/// Compiles a text to machine code and draws its problems in each form.
fn taken(name: &str, text: &str) -> (Taken, Vec<String>) {
    counted(|| {
        let mut sources = Sources::default();
        let id = sources.add(name, text);
        let compilation = compile(&mut sources, id, &NoFiles, &Options::default());
        let problems = compilation.problems.into_sorted();
        draw(&problems, &sources, Look { colour: true, width: 80 });
        short(&problems, &sources);
        json(&[Found { problems: &problems, sources: &sources }], Vec::<()>::new());
        problems.iter().map(|p| format!("{}: {}", p.code.name, p.message)).collect()
    })
}

const MEGABYTE: usize = 1 << 20;
/// Pieces of memory: a second of processor time asks for some millions.
const MOST_PIECES: usize = 12_000_000;
const MOST_BYTES: usize = 4000 * MEGABYTE;
const MOST_MEMORY: usize = 300 * MEGABYTE;

#[track_caller]
fn bounded(name: &str, text: &str) -> Vec<String> {
    let (taken, problems) = taken(name, text);
    let fine = taken.pieces < MOST_PIECES && taken.bytes < MOST_BYTES && taken.held < MOST_MEMORY;
    let start: String = text.chars().take(400).collect();
    assert!(fine, "{taken:?}\n{start}");
    problems
}

fn songs(ending: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == ending));
    paths.sort();
    let examples = paths.iter().map(|path| fs::read_to_string(path).unwrap());
    let short = mam_compiler::codes::all().flat_map(|c| [c.fails, c.passes]).filter(|t| !t.is_empty());
    let short = short.filter(|t| t.trim_start().starts_with('{') == (ending == "json"));
    examples.chain(short.map(String::from)).collect()
}

/// `MAM_MUTANTS=30000` takes as many songs, `MAM_MUTANTS=120000` a sixtieth as many files of each kind. Another `MAM_SEED` takes others.
fn mutants() -> usize {
    number_from("MAM_MUTANTS", 1000)
}

/// What draws the mutants of a test.
fn dice(test: u64) -> Dice {
    Dice(test.wrapping_add(1000 * number_from("MAM_SEED", 0) as u64))
}

fn number_from(variable: &str, otherwise: usize) -> usize {
    std::env::var(variable).ok().and_then(|n| n.parse().ok()).unwrap_or(otherwise)
}

#[test]
fn mutated_songs_are_bounded() {
    let cases = mutants();
    let mut dice = dice(7);
    for (ending, share) in [("mam", 3), ("json", 1)] {
        let songs = songs(ending);
        for _ in 0..cases * share / 4 {
            bounded(&format!("song.{ending}"), &mutant(&songs, &mut dice));
        }
    }
}

/// Counts what is asked for while something is done.
fn counted<T>(act: impl FnOnce() -> T) -> (Taken, T) {
    let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let before = HELD.load(Relaxed);
    [&PIECES, &BYTES].into_iter().for_each(|counter| counter.store(0, Relaxed));
    MOST_HELD.store(before, Relaxed);
    let done = act();
    let held = MOST_HELD.load(Relaxed).saturating_sub(before);
    (Taken { pieces: PIECES.load(Relaxed), bytes: BYTES.load(Relaxed), held }, done)
}

/// A short sound file of each kind of container and samples that is written.
fn sound_files() -> Vec<(String, Vec<u8>)> {
    let mut files = vec![];
    for &container in Container::ALL {
        for bits in [Bits::Int16, Bits::Int24, Bits::Float32] {
            let format = file::Format {
                container,
                bits,
                dither: Dither::None,
                rate: 44_100,
                channels: 2,
                layout: ChannelLayout::Speakers,
            };
            let details = Details { title: Some("Mutant".into()), frames: file::Frames::Exactly(300) };
            let mut bytes = std::io::Cursor::new(vec![]);
            let Ok(mut writer) = Writer::new(&mut bytes, format, &details) else { continue };
            let tone: Vec<f32> = (0..600).map(|i| (i as f32 * 0.05).sin() * 0.5).collect();
            writer.write(&tone).unwrap();
            writer.finish().unwrap();
            files.push((format!("{container} {bits:?}"), bytes.into_inner()));
        }
    }
    let rf64 = |wav: &[u8]| {
        let mut sizes = b"RF64\xff\xff\xff\xffWAVEds64\x1c\0\0\0".to_vec();
        sizes.extend([wav.len() as u64 + 28, 1200, 300].into_iter().flat_map(u64::to_le_bytes));
        [&sizes, &[0; 4][..], &wav[12..]].concat()
    };
    let wave64 = |wav: &[u8]| {
        let tail = [0xf3, 0xac, 0xd3, 0x11, 0x8c, 0xd1, 0, 0xc0, 0x4f, 0x8e, 0xdb, 0x8a];
        let chunk = |name: &[u8], content: &[u8]| {
            let size = content.len() as u64 + 24;
            [
                name,
                &tail,
                &size.to_le_bytes(),
                content,
                &[0; 8][..content.len().next_multiple_of(8) - content.len()],
            ]
            .concat()
        };
        let riff = [0x2e, 0x91, 0xcf, 0x11, 0xa5, 0xd6, 0x28, 0xdb, 0x04, 0xc1, 0, 0];
        let sound = [chunk(b"fmt ", &wav[20..36]), chunk(b"data", &wav[wav.len() - 1200..])].concat();
        let wave = [&b"wave"[..], &tail].concat();
        [b"riff", &riff[..], &(sound.len() as u64 + 40).to_le_bytes(), &wave, &sound].concat()
    };
    let wav = files[0].1.clone();
    assert!(wav.starts_with(b"RIFF") && &wav[12..16] == b"fmt ");
    files.extend([("RF64".into(), rf64(&wav)), ("Wave64".into(), wave64(&wav))]);
    for name in ["cbr.mp3", "vbr.mp3", "plain.mp3", "stereo.ogg", "short.ogg"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sounds").join(name);
        files.push((name.into(), fs::read(path).unwrap()));
    }
    files
}

/// Whatever bytes a sound file has, it is read or refused in bounded work.
#[test]
fn mutated_sound_files_are_bounded() {
    const FRAMES: u64 = 48_000;
    let mut dice = dice(11);
    let wanted = Wanted { rate: Some(48_000), channels: 2, frames: FRAMES, most: None };
    let files = sound_files();
    for container in Container::ALL.iter().map(Container::to_string) {
        assert!(files.iter().any(|(kind, _)| kind.starts_with(&container)), "{container}");
    }
    for (kind, whole) in &files {
        assert!(read(std::io::Cursor::new(whole.clone()), wanted).is_ok(), "{kind}");
        for round in 0..mutants() / 60 {
            // The beginning has most of what can lie; of frames, any byte.
            let most = if round % 2 == 0 { 120 } else { whole.len() };
            let mut bytes = mutated_bytes(whole, most, &mut dice);
            correct_checksums(&mut bytes);
            let source = std::io::Cursor::new(bytes.clone());
            let (taken, sound) = counted(|| read(source, wanted));
            let fine = taken.held < MOST_MEMORY && taken.pieces < 100_000 && taken.bytes < MOST_BYTES;
            assert!(fine, "{kind}: {taken:?}\n{bytes:x?}");
            match sound {
                Ok(sound) => assert!(sound.frames() as u64 <= FRAMES, "{kind}"),
                Err(error) => assert!(!error.to_string().is_empty()),
            }
        }
    }
}

/// Whatever bytes a MIDI file has, what is made of it compiles, or it is refused in words.
#[test]
fn mutated_midi_files_are_bounded() {
    let song = "bd = kick()\nlead = pluck()\ntempo 97\nmeter 7/8\nplay {\n  bd |x...x..|\n  lead \"c4 <e4 [g4 b4]> ~\"\n}\n\
                out = bd + lead\n";
    let mut sources = Sources::default();
    let id = sources.add("song.mam", song);
    let program = compile(&mut sources, id, &NoFiles, &Options::default()).program;
    let whole = midi(&program.unwrap(), Some("Mutant"), Some(480_000)).unwrap().bytes;
    let (mut dice, mut songs) = (dice(13), 0);
    for _ in 0..mutants() / 60 {
        let bytes = mutated_bytes(&whole, whole.len(), &mut dice);
        let (taken, imported) = counted(|| import(&bytes));
        let fine = taken.pieces < MOST_PIECES && taken.bytes < MOST_BYTES && taken.held < MOST_MEMORY;
        assert!(fine, "{taken:?}\n{bytes:x?}");
        let Ok(imported) = imported else { continue };
        songs += 1;
        if songs % 8 == 1 {
            let mut problems = bounded("song.mam", &imported.text);
            // The file's own notes may be too low to be heard.
            problems.retain(|problem| !problem.starts_with("note-pitch"));
            assert_eq!(problems, [""; 0], "{bytes:x?}");
        }
    }
    assert!(songs > mutants() / 240, "{songs} have notes left");
}

fn played(line: &str) -> String {
    format!("bd = kick()\nplay {{\n{line}\n}}\nout = bd\n")
}

/// So many instruments of so many voices.
fn crowd(instruments: usize, voices: usize) -> String {
    let equations: String =
        (0..instruments).map(|i| format!("p{i} = supersaw(voices: {voices})\n")).collect();
    let names: Vec<String> = (0..instruments).map(|i| format!("p{i}")).collect();
    format!("{equations}out = {}\n", names.join(" + "))
}

/// Lists in lists, each with the one before twice.
fn nested_lists(depth: usize) -> String {
    let lists: String = (1..depth).map(|i| format!("a{i} = [a{}, a{}]\n", i - 1, i - 1)).collect();
    format!("a0 = [1, 2]\n{lists}out = noise()\n")
}

/// Texts that ask for much, and a part of what is said: a limit, where one is passed.
#[test]
fn a_limit_that_is_passed_names_itself() {
    let numbered = |n: usize, line: &dyn Fn(usize) -> String| (0..n).map(line).collect::<String>();
    let nested = |n: usize| {
        let open: String = (0..n).map(|i| format!("chain x{i} = 1, i{i} in 0..1 {{ ")).collect();
        format!("out = {open}x0{}\n", " }".repeat(n))
    };
    let doubled = |n: usize| {
        let levels =
            numbered(n, &|i| format!("effect e{} {{\n  out = (in |> e{i}()) + (in |> e{i}())\n}}\n", i + 1));
        format!("effect e0 {{\n  out = 0.5 * in + 0.1 * prev(out)\n}}\n{levels}out = sine(440Hz) |> e{n}()\n")
    };
    let cases: Vec<(String, &str)> = vec![
        (nested(100), "loop_depth"),
        (doubled(20), "the limit `"),
        (doubled(60), "the limit `"),
        (
            numbered(5000, &|i| format!("a{i} = nosuch{i}\n")) + "out = a0\n",
            "nothing here is called `nosuch4999`",
        ),
        (numbered(5000, &|i| format!("a{i} = nosuch{i}(1)\n")) + "out = a0\n", "no definition `nosuch4999`"),
        (
            numbered(10_000, &|i| format!("a{i} = a{} + 1\n", (i + 1) % 10_000)) + "out = a0\n",
            "10000 equations need each other",
        ),
        (
            numbered(12_000, &|i| format!("a{i} = prev(a{}) + 1\n", (i + 1) % 12_000)) + "out = a0\n",
            "the limit `",
        ),
        (format!("x = noise()\nout = x{}\n", " + x".repeat(100_000)), "the limit `tokens`"),
        (format!("out = {}$\n", " ".repeat(70_000)), "means nothing here"),
        (format!("out = {}(1Hz + 3ms) + {}(2Hz + 1s)\n", "1 + ".repeat(20_000), "1 + ".repeat(20_000)), ""),
        (played(&format!("bd \"x\"{}", ".every(2, rev)".repeat(26))), ""),
        (played(&format!("bd \"x\"{}", ".every(2, rev)".repeat(120))), ""),
        (played(&format!("bd \"x\"{}", ".sometimes(50%, rev)".repeat(100))), ""),
        (played(&format!("bd \"x\"{}", ".off(1/8, rev)".repeat(40))), "too many events"),
        (played(&"bd \"x*64\"\n".repeat(5000)), ""),
        (played(&"bd \"x*4096\"\n".repeat(5000)), "score_work"),
        ("out = sum i in 1..4096 { sum j in 1..4096 { sine(i * j) } }\n".into(), "the limit `"),
        (crowd(32, 1024), "the limit `states`"),
        (crowd(1, 256), ""),
        (
            numbered(8000, &|i| format!("a{i} = lowpass(saw({}Hz), {}Hz) |> softclip\n", i + 1, i + 300))
                + &format!("out = {}\n", (0..8000).map(|i| format!("a{i}")).collect::<Vec<_>>().join(" + ")),
            "the limit `all_evaluations`",
        ),
        (nested_lists(26), "the limit `values`"),
        (
            numbered(2000, &|i| format!("x{i} = list i in 0..4000 {{ i }}\n")) + "out = noise()\n",
            "the limit `all_turns`",
        ),
        (
            numbered(4000, &|i| format!("x{} = x{i} ++ [1]\n", i + 1)) + "x0 = [1]\nout = noise()\n",
            "the limit `all_turns`",
        ),
        (
            format!("out = noise() * ({}0)\n", "len(list i in 0..4000 { noise() }) + ".repeat(500)),
            "the limit `all_turns`",
        ),
        (
            format!(
                "x = noise()\nout = x{}\n",
                " + spectral(x, size: 32768, overlap: 8) { mag }".repeat(4000)
            ),
            "`memory_bytes`",
        ),
        (
            numbered(9000, &|i| format!("section s{i} 1 bar {{ bd \"x\" }}\n"))
                + "bd = kick()\nplay s0 s8999\nout = bd\n",
            "`s1` is never played",
        ),
        (
            format!("bd = kick()\nsection a 1 bar {{\n{}}}\n", "bd |x|\n".repeat(8000))
                + &numbered(4000, &|i| format!("section s{i} = a {{ }}\n"))
                + "play s0\nout = bd\n",
            "have more than 65536 lines",
        ),
        (
            numbered(1800, &|i| {
                format!("effect e{i} {{ param p{i} = 1\nout = in * p{i} }}\na{} = a{i} |> e{i}()\n", i + 1)
            }) + "a0 = noise()\nout = a1800\n",
            "",
        ),
        (played(&format!("bd \"x\"{}", ".echo(2, 1/8, 0.5)".repeat(24))), "too many events"),
        (format!("x = noise()\nout = x{}\n", " + x".repeat(49_990)), ""),
        (
            "a = prev(out)\nout = a + chain x = noise(), i in 1..4000 { sine(x + i * 1Hz) }\n".into(),
            "the limit `",
        ),
        (format!("out = {}1{}\n", "(".repeat(49_000), ")".repeat(49_000)), "128 levels deep"),
        (format!("{} = 1\nout = {}b\n", "a".repeat(300_000), "a".repeat(299_999)), "nothing here is called"),
    ];
    cases.iter().for_each(|(text, wanted)| says(text, wanted));
}

/// Songs of many parts in a row, where each once took a look at all others.
#[test]
fn what_is_long_is_looked_at_once() {
    let numbered = |n: usize, line: &dyn Fn(usize) -> String| (0..n).map(line).collect::<String>();
    let cases: Vec<(String, &str)> = vec![
        (
            numbered(40, &|i| format!("def f{}(x) = f{i}(x) + f{i}(x + 1)\n", i + 1))
                + "def f0(x) = sine(x * 1Hz)\nout = f40(1)\n",
            "the limit `evaluations`",
        ),
        (
            numbered(200, &|i| format!("x{} = oversample(8) {{ tanh(x{i}) }}\n", i + 1))
                + "x0 = noise()\nout = x200\n",
            "",
        ),
        (
            numbered(250, &|i| format!("x{} = x{i} |> cloud()\n", i + 1)) + "x0 = noise()\nout = x250\n",
            "and is played by one",
        ),
    ];
    cases.iter().for_each(|(text, wanted)| says(text, wanted));
}

/// A text takes bounded work, and one of its problems has these words.
#[track_caller]
fn says(text: &str, wanted: &str) {
    let problems = bounded("song.mam", text);
    let start: String = text.chars().take(200).collect();
    let said = problems.iter().any(|problem| problem.contains(wanted));
    assert!(wanted.is_empty() || said, "{wanted}: {:?}\n{start}", &problems[..problems.len().min(5)]);
}

/// Characters of many scripts, of one to four bytes, wide, combining, and of no width.
fn characters() -> Vec<char> {
    let starts = [
        0x20, 0xa0, 0x100, 0x2b0, 0x300, 0x370, 0x400, 0x530, 0x590, 0x600, 0x900, 0xe00, 0x1100, 0x1e00,
        0x2000, 0x2010, 0x2040, 0x20a0, 0x2100, 0x2190, 0x2200, 0x2500, 0x2600, 0x3000, 0x3040, 0x4e00,
        0xac00, 0xe000, 0xf900, 0xfb00, 0xfe00, 0xff00, 0x10000, 0x1d100, 0x1f300, 0x1f600, 0x20000, 0xe0000,
        0x10_fff0, 0,
    ];
    let row = |start: u32| (start..start + 52).filter_map(char::from_u32);
    starts.into_iter().flat_map(row).chain("‘’‚‛“”„‟«»‹›`´…–—−×÷≤≥≠".chars()).collect()
}

#[test]
fn every_character_at_every_place_can_be_drawn() {
    let songs = [
        "bd = kick()\nplay { bd |x...x...| }\nout = bd\n",
        "use \"a.mam\"\nout = sine(440Hz)\n",
        "lead = sub(voices: 4)\nplay { lead \"c3 [e3 g3]\".fast(2) }\nout = lead\n",
        "def f(x, time: s) = x * 0.5\nout = f(noise(), 5ms)\n",
        "effect e {\n  param mix = 30% in 0..1\n  out = in * mix\n}\nout = noise() |> e(mix: 10%)\n",
        "// words\nout = if 1 > 2 then 3 else 4\n",
        "tempo 120\nsection a 2 bars { }\nplay a x2\nout = noise()\n",
        "out = sum i in 1..8 { sine(i * 110Hz) / i }\n",
        "a = { low: 1, high: 2 }\nout = (a.low, a.high)\n",
        "{ \"version\": 1, \"nodes\": [{ \"id\": \"a\", \"type\": \"kick\" }] }\n",
    ];
    let characters = characters();
    assert!(characters.len() >= 2000);
    let all: String = characters.iter().collect();
    let mut next = characters.iter().cycle();
    for song in songs {
        for at in (0..=song.len()).filter(|&at| song.is_char_boundary(at)) {
            let one = next.next().unwrap().to_string();
            for inserted in [&one, &all] {
                let mut text = song.to_string();
                text.insert_str(at, inserted);
                taken("song", &text);
            }
        }
    }
}
