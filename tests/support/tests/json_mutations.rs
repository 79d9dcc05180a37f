//! JSON songs by chance: whole ones load, broken ones are refused with problems at places that exist.

mod json_rig;

use json_rig::check;
use mam_grammar::json::read;
use mam_grammar::{Limits, Problems, Severity, Sources};
use mam_testing::gen_json::{injure, injuries, song};
use proptest::prelude::{ProptestConfig, prop_assert, prop_assert_eq, proptest};

proptest! {
    #![proptest_config(ProptestConfig { cases: mam_testing::random_cases(512), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_whole_song_loads_and_plays_each_of_its_nodes(song in song()) {
        let text = song.to_string();
        let (loaded, problems) = check(&text);
        let errors: Vec<_> = problems.iter().filter(|p| p.code.severity == Severity::Error).collect();
        prop_assert!(errors.is_empty(), "{errors:?}");
        let nodes = song["nodes"].as_array().map_or(0, Vec::len);
        prop_assert_eq!(loaded.map(|s| s.ast.items.len()), Some(nodes + 1));
    }

    #[test]
    fn a_broken_song_is_refused_with_problems_in_its_text(song in song(), injuries in injuries()) {
        let text = injure(&song.to_string(), &injuries);
        let (loaded, problems) = check(&text);
        let errors = problems.iter().any(|p| p.code.severity == Severity::Error);
        prop_assert_eq!(loaded.is_none(), errors, "{:?}", problems);
        for label in problems.iter().flat_map(|p| &p.labels) {
            prop_assert!(text.get(label.span.range()).is_some(), "{label:?} in {text}");
        }
    }

    /// What is JSON and what is not, another reader decides the same way.
    #[test]
    fn the_text_is_judged_as_serde_json_judges_it(song in song(), injuries in injuries()) {
        let text = injure(&song.to_string(), &injuries);
        let mut sources = Sources::default();
        let id = sources.add("song.json", &*text);
        let mut problems = Problems::default();
        read(&sources, id, &Limits::default(), &mut problems);
        let refused = serde_json::from_str::<serde_json::Value>(text.trim_start_matches('\u{feff}')).is_err();
        // It says "number out of range" where an f64 would be infinite, as we do.
        prop_assert_eq!(problems.has_errors(), refused, "{:?} {}", problems, text);
    }
}
