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
        all.push(format!("{} {:?}", token.start, analysis.definition(song, token.start)));
    }
    all
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
    let options = Options { until: Stage::Lower, ..Options::default() };
    let mut random: u64 = 7;
    let mut bytes = || {
        let next = |_| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 56) as u8
        };
        (0..64).map(next).collect::<Vec<u8>>()
    };
    let mut analyser = Analyser::new(Options::default());
    let (mut text, mut before) = (String::new(), String::new());
    for edit in 0..edits {
        if edit % OF_EACH == 0 {
            text = fs::read_to_string(&songs[edit / OF_EACH % songs.len()]).unwrap();
        }
        let known = analyser.analyse("song.mam", &text, &NoFiles);
        let mut sources = Sources::default();
        let song = sources.add("song.mam", text.as_str());
        let checked = compile(&mut sources, song, &NoFiles, &options).problems.into_sorted();
        assert_eq!(known.problems(), checked, "{text}");
        let alone = Analyser::new(Options::default()).analyse("song.mam", &text, &NoFiles);
        assert_eq!(shown(&known), shown(&alone), "{text}");
        // Now and then what was just changed is taken back.
        let next = if edit % 4 == 3 { before } else { mutated(&mut Choices::new(&bytes()), &text) };
        before = std::mem::replace(&mut text, next);
    }
}
