//! A program with another seed is what the song compiled with that seed is.

use mam_compiler::files::NoFiles;
use mam_compiler::opt::instances::Packing;
use mam_compiler::seed::reseed;
use mam_compiler::{Compilation, Options, Stage, compile};
use mam_grammar::Sources;
use std::fs;
use std::path::Path;
use std::sync::Arc;

fn compiled(text: &str, name: &str, seed: Option<u64>, packing: Packing) -> Compilation {
    let mut sources = Sources::default();
    let id = sources.add(name, text);
    let done = compile(
        &mut sources,
        id,
        &NoFiles,
        &Options { until: Stage::Plan, seed, packing, ..Options::default() },
    );
    assert!(!done.problems.has_errors(), "{name}: {:?}", done.problems);
    done
}

#[test]
fn a_reseeded_program_is_the_one_compiled_with_the_seed() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let mut songs: Vec<(String, String)> = fs::read_dir(examples)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| (path.display().to_string(), fs::read_to_string(&path).unwrap()))
        .collect();
    let chance = "tempo 120\nseed 9\nbd = kick()\nsd = clap()\nplay {\n  bd \"x? x*3? <x x?>\"\n  sd \"x? x\"\n}\n\
                  out = bd + sd + 0.1 * noise() * noise()\n";
    songs.push(("chance".into(), chance.into()));
    let mut changed = 0;
    for (name, text) in &songs {
        for (packing, seeds) in [(Packing::Paying, &[0, u64::MAX][..]), (Packing::Always, &[77])] {
            let mut base = compiled(text, name, None, packing);
            let mut image = base.program.take().unwrap().state;
            for &seed in seeds {
                let other = compiled(text, name, Some(seed), packing).program.unwrap();
                let before = image.clone();
                image.clone_from(&base.stages.plan.state);
                reseed(
                    Arc::make_mut(&mut image).as_mut_slice(),
                    &base.stages.plan.noises,
                    base.stages.seed,
                    seed,
                );
                assert!(image == other.state, "{name}, seed {seed}");
                assert_eq!(base.stages.score_of_seed(seed).unwrap(), other.score, "{name}, seed {seed}");
                changed += usize::from(before != image);
            }
            if name == "chance" {
                assert!(base.stages.score_draws());
            }
        }
    }
    assert!(changed > 8, "too few of the songs have noise: {changed}");
}
