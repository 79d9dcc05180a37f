//! The documents that `--json` prints, against the page that says what is in them.

use super::Folder;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const SONG: &str = "title \"Song\"\ntempo 120\nknob bright = 800Hz in 100Hz..8kHz\nbd = kick(voices: 2)\n\
                    lead = pluck() |> lowpass(bright)\nplay {\n  bd |x...x...|\n  lead \"c4 e4\"\n  \
                    bd.gain \"0.5 0.8\" over 40ms\n}\nlength 1 bar\nout = 0.5 * (bd + lead)\n\
                    expect peak(out) < 6dB\nexpect peak(out) < -90dB\n";

/// What each section of the page is compared with: its heading, and arguments of runs of `mamc`.
const RUNS: &[(&str, &[&str])] = &[
    (
        "check",
        &[
            "check song.mam bad.mam sounds.mam --json",
            "check bad.mam song.mam sounds.mam --format json",
            "check sounds.mam --json --limit samples=100",
        ],
    ),
    (
        "render",
        &[
            "render song.mam -o a.wav -d 0.5s --json",
            "render song.mam -o b.wav -b 16 --normalize -1dBTP --stems stems -d 0.5s --json",
            "render song.mam -o c.mid --json",
        ],
    ),
    ("fmt --check", &["fmt --check ugly.mam bad-form.mam --json"]),
    ("list", &["list --json"]),
    ("list params NAME", &["list params kick --json"]),
    ("list params SONG", &["list params song.mam --json"]),
    ("list nodes SONG", &["list nodes song.mam --json"]),
    ("list notes", &["list notes --json"]),
    ("list notes SONG", &["list notes song.mam --json"]),
    (
        "doc",
        &["doc kick --json", "doc saw --json", "doc tempo --json", "doc pluck --json", "doc epiano --json"],
    ),
    ("explain CODE", &["explain unknown-name --json"]),
    ("explain", &["explain --json"]),
    (
        "pattern",
        &[
            "pattern words --json",
            "pattern words:3 --json",
            "pattern 3 --json",
            "pattern \"c4\".legato(0.5).nudge(10ms).set(gain:0.5) --json",
        ],
    ),
    ("bench", &["bench song.mam --rounds 2 -d 10ms --json"]),
    ("bench --edit", &["bench song.mam --edit other.mam --rounds 2 --json"]),
    ("test", &["test song.mam --json"]),
    ("migrate", &["migrate old.json --json"]),
    ("dump STAGE", &["dump ir song.mam --json"]),
    ("dump graph", &["dump graph song.mam --json"]),
    ("dump events", &["dump events song.mam --json"]),
];

/// Sections of which a machine shows a part: what sound devices it has, and whether the code of a kernel can be counted.
const PARTLY: &[(&str, &[&str])] =
    &[("devices", &["devices --json"]), ("bench --counts", &["bench song.mam --counts --json"])];

/// The members of each section of the page, with what they may hold.
fn page() -> BTreeMap<String, BTreeMap<String, BTreeSet<String>>> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/json-output.md");
    let text = std::fs::read_to_string(path).unwrap();
    let mut sections: BTreeMap<String, BTreeMap<_, _>> = BTreeMap::new();
    let mut heading = String::new();
    for line in text.lines() {
        if let Some(command) = line.strip_prefix("## `mamc ") {
            heading = command.trim_end_matches('`').into();
        }
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        if let [member, kinds, ..] = cells[..]
            && let Some(member) = member.strip_prefix('`').and_then(|member| member.strip_suffix('`'))
        {
            let kinds = kinds.split(" or ").map(str::to_owned).collect();
            let known = sections.entry(heading.clone()).or_default().insert(member.to_owned(), kinds);
            assert_eq!(known, None, "{heading}: {member} stands there twice");
        }
    }
    sections
}

/// Adds the members of a value, by their paths, with the kinds of what they hold.
fn members(value: &Value, path: &str, found: &mut BTreeMap<String, BTreeSet<String>>) {
    let kind = match value {
        Value::Object(object) => {
            for (name, value) in object {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                members(value, &path, found);
            }
            return;
        }
        Value::Array(all) => return all.iter().for_each(|value| members(value, &format!("{path}[]"), found)),
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "text",
    };
    found.entry(path.into()).or_default().insert(kind.into());
}

#[test]
fn each_document_has_the_members_that_the_page_shows() {
    let folder = Folder::new("shapes")
        .with("song.mam", SONG)
        .with("other.mam", &SONG.replace("tempo 120", "tempo 130"))
        .with("bad.mam", "out = nothing_like_it + sie(2)\ntempo = 120\n")
        .with("bad-form.mam", "out = (1 +\n")
        .with("sounds.mam", "out = playback(sample(\"a.wav\"), every(1s))\n")
        .with("ugly.mam", "out=sine( 440Hz )\n")
        .with("old.json", "{ \"version\": 1, \"nodes\": [{ \"id\": \"a\", \"type\": \"kick\" }] }");
    folder.run(&["render", "kick", "-o", "a.wav", "-d", "10ms"]).exits(0);
    std::fs::copy(folder.0.join("a.wav"), folder.0.join("hit.wav")).unwrap();
    let folder = folder.with("sounds.mam", "out = playback(sample(\"hit.wav\"), every(1s))\n");
    let page = page();
    let all = || RUNS.iter().chain(PARTLY);
    let named: BTreeSet<&str> = all().map(|(heading, _)| *heading).collect();
    assert_eq!(page.keys().map(String::as_str).collect::<BTreeSet<_>>(), named);
    for (heading, runs) in all() {
        let mut found = BTreeMap::new();
        for run in *runs {
            let args: Vec<&str> = run.split(' ').collect();
            let out = folder.run(&args).out;
            let document = serde_json::from_str(&out).unwrap_or_else(|e| panic!("mamc {run}: {e}\n{out}"));
            members(&document, "", &mut found);
        }
        let shown = &page[*heading];
        // What other sections of the page describe.
        found.retain(|member, _| *heading != "test" || !member.starts_with("problems[]"));
        for (member, kinds) in &found {
            let Some(allowed) = shown.get(member) else {
                panic!("`mamc {heading}` prints `{member}`: {kinds:?}")
            };
            assert!(
                kinds.is_subset(allowed),
                "`mamc {heading}`: `{member}` holds {kinds:?}, not {allowed:?}"
            );
        }
        let partly = PARTLY.iter().any(|(partly, _)| partly == heading);
        let missing: Vec<_> = shown.keys().filter(|member| !found.contains_key(*member)).collect();
        assert!(partly || missing.is_empty(), "`mamc {heading}` does not print {missing:?}");
    }
}
