//! What is known of a text that is edited is what is known of it when it is opened.

use mam_compiler::files::NoFiles;
use mam_compiler::{Options, Stage, compile};
use mam_grammar::Sources;
use mam_grammar::syntax::tokens;
use mam_ide::{Analyser, Analysis};
use mam_testing::gen_mam::{Choices, mutated};
use std::path::Path;
use std::{env, fs};

/// All that an editor shows of a text, and where each of its words is defined.
fn shown(analysis: &Analysis) -> Vec<String> {
    let (song, text) = (analysis.song, &analysis.sources.get(analysis.song).text);
    let mut all: Vec<String> = analysis.problems().iter().map(|problem| format!("{problem:?}")).collect();
    all.extend(analysis.tokens(song).iter().map(|token| format!("{token:?}")));
    all.extend(analysis.symbols(song).iter().map(|symbol| format!("{symbol:?}")));
    all.extend(analysis.folds(song).iter().map(|fold| format!("{fold:?}")));
    for token in tokens(text).tokens {
        let (definition, hover) = (analysis.definition(song, token.start), analysis.hover(song, token.start));
        all.push(format!("{} {definition:?} {hover:?}", token.start));
    }
    all
}

/// Requires that all that is known of a version of a text is what is known of it when it has no version before.
fn assert_known(analyser: &mut Analyser, text: &str) {
    let known = analyser.analyse("song.mam", text, &NoFiles);
    let options = Options { until: Stage::Lower, ..Options::default() };
    let mut sources = Sources::default();
    let song = sources.add("song.mam", text);
    let checked = compile(&mut sources, song, &NoFiles, &options).problems.into_sorted();
    assert_eq!(known.problems(), checked, "{text}");
    let alone = Analyser::new(Options::default()).analyse("song.mam", text, &NoFiles);
    assert_eq!(shown(&known), shown(&alone), "{text}");
}

/// Bytes drawn at random.
struct Random(u64);

impl Random {
    fn byte(&mut self) -> u8 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 56) as u8
    }

    fn below(&mut self, n: usize) -> usize {
        (usize::from(self.byte()) << 8 | usize::from(self.byte())) % n.max(1)
    }
}

/// `MAM_EDITS=100000 cargo test --release -p mam-ide --test again` makes as many.
#[test]
fn after_any_edits_a_text_is_known_as_if_it_was_just_opened() {
    const OF_EACH: usize = 12;
    let edits: usize = env::var("MAM_EDITS").map_or(60, |count| count.parse().unwrap());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let songs = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut songs: Vec<_> =
        songs.filter(|path| path.extension().is_some_and(|ending| ending == "mam")).collect();
    songs.sort();
    let mut random = Random(7);
    let mut bytes = || (0..64).map(|_| random.byte()).collect::<Vec<u8>>();
    let mut analyser = Analyser::new(Options::default());
    let (mut text, mut before) = (String::new(), String::new());
    for edit in 0..edits {
        if edit % OF_EACH == 0 {
            text = fs::read_to_string(&songs[edit / OF_EACH % songs.len()]).unwrap();
        }
        assert_known(&mut analyser, &text);
        // Now and then what was just changed is taken back.
        let next = if edit % 4 == 3 { before } else { mutated(&mut Choices::new(&bytes()), &text) };
        before = std::mem::replace(&mut text, next);
    }
}

/// What songs are made of: signals that are read by others, chains, mixes, definitions of the song's own, a score.
fn song(blocks: usize) -> Vec<String> {
    let mut lines: Vec<String> =
        ["tempo 120", "knob wet = 30% in 0%..100%", "def bend(x, by) = x * (1 + by)", "slow = lfo(0.2Hz)"]
            .map(String::from)
            .to_vec();
    for b in 0..blocks {
        lines.extend([
            format!("bd{b} = kick(f0: {}Hz)", 50 + b),
            format!("keys{b} = bell(ratio: 1, index: 2, voices: 2)"),
            format!("wob{b} = lfo({}Hz) * 0.5 + 0.5", 1 + b),
            format!("cut{b} = bend(400Hz, slow * wob{b}) + 1kHz"),
            format!("filt{b} = keys{b} |> lowpass(cut{b}) |> echo(time: 200ms)"),
            format!("mem{b} = prev(filt{b}) * 0.5 + filt{b}.left * wet"),
            format!("sq{b} = wob{b} * wob{b} + sqrt(wob{b})"),
            format!("dry{b} = bd{b} * sq{b} + pan(mem{b}, {b}%)"),
            format!("section s{b} 4 bars {{"),
            format!("  bd{b} |x...x...x...x...|"),
            format!("  keys{b} \"<[a3,c4,e4] [g3,b3,d4]>\".ply(2)"),
            format!("  keys{b}.gain \"<0.1 0.2>\" over 1 bar"),
            "}".into(),
        ]);
    }
    let all = |name: &str, between: &str| {
        (0..blocks).map(|b| format!("{name}{b}")).collect::<Vec<_>>().join(between)
    };
    lines.push(format!("play {}", all("s", " ")));
    lines.push(format!("out = softclip(({}) * wet)", all("dry", " + ")));
    lines
}

#[test]
fn after_lines_come_and_go_and_names_change_a_text_is_known_as_if_it_was_just_opened() {
    const NAMES: [&str; 12] =
        ["wet", "slow", "bend", "lfo", "wob1", "cut0", "keys2", "sq1", "tau", "dry0", "s1", "pan"];
    const VALUES: [&str; 8] = ["440Hz", "0", "2", "(1, 2)", "in", "50ms", "(", "noise()"];
    let edits: usize = env::var("MAM_EDITS").map_or(60, |count| count.parse().unwrap());
    let (mut random, mut analyser) = (Random(3), Analyser::new(Options::default()));
    let (mut lines, mut before) = (song(3), vec![]);
    for edit in 0..edits {
        assert_known(&mut analyser, &(lines.join("\n") + "\n"));
        let next = if edit % 12 == 11 { song(3) } else { std::mem::take(&mut before) };
        let at = random.below(lines.len());
        before.clone_from(&lines);
        match random.below(8) {
            0 => lines.insert(0, "// one line more".into()),
            1 => lines.insert(0, format!("top{edit} = lfo({}Hz)", edit + 1)),
            2 => _ = lines.remove(at),
            3 => lines.insert(at, lines[random.below(lines.len())].clone()),
            4 => {
                let other = random.below(lines.len());
                lines.swap(at, other);
            }
            5 => {
                let (old, new) = (NAMES[random.below(12)], NAMES[random.below(12)]);
                lines.iter_mut().for_each(|line| *line = line.replace(old, new));
            }
            6 => {
                let value = VALUES[random.below(8)];
                if let Some((name, _)) = lines[at].clone().split_once(" = ") {
                    lines[at] = format!("{name} = {value}");
                }
            }
            _ => lines = if next.is_empty() { song(3) } else { next },
        }
    }
}
