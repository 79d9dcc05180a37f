//! The grammar for editors names every token of every program in this repository.
//!
//! A small interpreter of TextMate grammars: at each place the first pattern that matches earliest wins; a pattern
//! with `begin` and `end` holds until its end. It knows what `mam.tmLanguage.json` uses, no more.

use fancy_regex::Regex;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

struct Rule {
    pattern: Regex,
    name: Option<String>,
    captures: BTreeMap<usize, String>,
    end: Option<Regex>,
    inner: Vec<Rule>,
}

fn grammar() -> Vec<Rule> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("editors/mam.tmLanguage.json");
    let text = std::fs::read_to_string(path).unwrap();
    let grammar: Value = serde_json::from_str(&text).unwrap();
    rules(&grammar["patterns"], &grammar)
}

fn rules(patterns: &Value, grammar: &Value) -> Vec<Rule> {
    let list = patterns.as_array().map_or(&[][..], Vec::as_slice);
    list.iter().flat_map(|pattern| rule(pattern, grammar)).collect()
}

fn rule(pattern: &Value, grammar: &Value) -> Vec<Rule> {
    if let Some(include) = pattern["include"].as_str() {
        let name = include.trim_start_matches('#');
        let included = &grammar["repository"][name]["patterns"];
        assert!(included.is_array(), "no rule {name}");
        return rules(included, grammar);
    }
    let regex = |key: &str| pattern[key].as_str().map(|text| Regex::new(text).unwrap());
    let captures = pattern["captures"].as_object().into_iter().flatten();
    vec![Rule {
        pattern: regex("match").or_else(|| regex("begin")).expect("a pattern matches something"),
        name: pattern["name"].as_str().map(str::to_owned),
        captures: captures
            .map(|(n, c)| (n.parse().unwrap(), c["name"].as_str().unwrap().to_owned()))
            .collect(),
        end: regex("end"),
        inner: rules(&pattern["patterns"], grammar),
    }]
}

/// The scope of each byte of `text`; none where no rule names it.
fn scopes(rules: &[Rule], text: &str) -> Vec<Option<String>> {
    let (mut out, mut open, mut start) = (vec![None; text.len()], None, 0);
    for line in text.split_inclusive('\n') {
        let (mut at, end) = (0, line.trim_end_matches('\n').len());
        while at < end {
            at = step(rules, &line[..end], at, &mut open, &mut |from, to, name| {
                out[start + from..start + to].fill(Some(name.to_owned()));
            });
        }
        start += line.len();
    }
    out
}

type Paint<'a> = dyn FnMut(usize, usize, &str) + 'a;

/// Takes the next match of the line from `at`, and returns where it ends.
fn step<'r>(
    rules: &'r [Rule],
    line: &str,
    at: usize,
    open: &mut Option<&'r Rule>,
    paint: &mut Paint<'_>,
) -> usize {
    if let Some(rule) = *open {
        let close = rule.end.as_ref().and_then(|end| end.find_from_pos(line, at).unwrap());
        let (inner, to) = close.map_or((line.len(), line.len()), |close| (close.start(), close.end()));
        paint(at, to, rule.name.as_deref().unwrap_or(""));
        let mut from = at;
        while from < inner {
            from = step(&rule.inner, &line[..inner], from, &mut None, paint);
        }
        if close.is_some() {
            *open = None;
        }
        return to.max(at + 1);
    }
    let matches =
        rules.iter().filter_map(|rule| Some((rule, rule.pattern.captures_from_pos(line, at).unwrap()?)));
    let Some((rule, captures)) = matches.min_by_key(|(_, captures)| captures.get(0).unwrap().start()) else {
        return line.len();
    };
    let whole = captures.get(0).unwrap();
    if let Some(name) = &rule.name {
        paint(whole.start(), whole.end(), name);
    }
    for (group, name) in &rule.captures {
        if let Some(part) = captures.get(*group) {
            paint(part.start(), part.end(), name);
        }
    }
    if rule.end.is_some() {
        *open = Some(rule);
    }
    whole.end().max(at + 1)
}

/// Every `.mam` file of the repository, and every fenced `mam` block of its documents.
fn programs() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut all = vec![(PathBuf::from("sample"), SAMPLE.to_owned())];
    for folder in ["compiler/prelude", "examples", "docs"] {
        let files = std::fs::read_dir(root.join(folder)).unwrap();
        for path in files.map(|file| file.unwrap().path()) {
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            match path.extension().and_then(|e| e.to_str()) {
                Some("mam") => all.push((path, text)),
                Some("md") => {
                    let blocks = text.split("```mam\n").skip(1).filter_map(|rest| rest.split("```").next());
                    all.extend(blocks.map(|block| (path.clone(), block.to_owned())));
                }
                _ => {}
            }
        }
    }
    all
}

const SAMPLE: &str = r#"// a song
title "My song"
tempo 138 at bar 3
tempo 130..150 over bars 5..9
meter 7/8
swing 12% of 1/8
length 16 bars
use "lib/mine.mam"
knob bright = 800Hz in 100Hz..8kHz cc 74 smooth 5ms
/// Documentation.
instrument kick {
  default note c#2
  midi drum 36, 35
  param f0 = 100Hz in 40Hz..200Hz curve exp
  amp = decay(trig, 3/16 bar)
  out = if since(trig) < 2 and not amp >= 0.5 then -6dB else prev(out) mod 2 ^ i
  until amp < 0.00005
}
def f(a, b: Hz = 440Hz) = { low: a, high: b }
tempo2 = tempo * 2
play {
  bd |x...X...|o_.9-...| by 1/16 .every(4, rev)
  bd.gain "~ 1.0 <a b>*2" over 1 beat curve exp
}
play intro verse*2
out = (saw(110Hz) |> svf(800Hz, q: 0.7).low) + sum i in 1..8 { sine(i * 110Hz) / i } + tau
"#;

#[test]
fn every_token_has_a_scope() {
    let grammar = grammar();
    for (path, text) in programs() {
        let scopes = scopes(&grammar, &text);
        for (at, c) in text.char_indices().filter(|(_, c)| !c.is_whitespace()) {
            let line = text[..at].matches('\n').count() + 1;
            assert!(scopes[at].is_some(), "{}:{line}: `{c}` has no scope", path.display());
        }
    }
}

#[test]
fn tokens_have_the_scopes_that_they_mean() {
    let scopes = scopes(&grammar(), SAMPLE);
    let expected = [
        ("// a song", "comment.line.double-slash.mam"),
        ("\"My song\"", "string.quoted.double.mam"),
        ("tempo 138", "keyword.other.statement.mam"),
        ("at bar", "keyword.other.statement.mam"),
        ("bars\nuse", "keyword.other.unit.mam"),
        ("bright", "variable.parameter.definition.mam"),
        ("Hz in 100", "keyword.other.unit.mam"),
        ("in 100Hz", "variable.language.mam"),
        ("cc 74", "storage.modifier.mam"),
        ("/// Doc", "comment.line.documentation.mam"),
        ("instrument kick", "storage.type.mam"),
        ("kick {", "entity.name.function.mam"),
        ("midi drum 36", "keyword.other.statement.mam"),
        ("36, 35", "constant.numeric.mam"),
        ("c#2", "constant.other.note.mam"),
        ("curve exp\n  amp", "storage.modifier.mam"),
        ("amp = decay", "variable.other.definition.mam"),
        ("decay(", "entity.name.function.call.mam"),
        ("16 bar)", "constant.numeric.mam"),
        ("bar)", "keyword.other.unit.mam"),
        ("if since", "keyword.control.mam"),
        ("and not", "keyword.operator.word.mam"),
        (">= 0.5", "keyword.operator.comparison.mam"),
        ("prev(", "support.function.mam"),
        ("until amp", "keyword.other.statement.mam"),
        ("low: a", "variable.parameter.mam"),
        ("tempo2 = ", "variable.other.definition.mam"),
        ("tempo * 2", "variable.other.mam"),
        ("x...X...", "string.other.tab.mam"),
        ("every(4", "variable.other.property.mam"),
        ("over 1 beat", "keyword.other.statement.mam"),
        ("|> svf", "keyword.operator.pipe.mam"),
        ("low) +", "variable.other.property.mam"),
        ("..8 {", "keyword.operator.range.mam"),
        ("tau", "constant.language.mam"),
    ];
    for (token, scope) in expected {
        let at = SAMPLE.find(token).unwrap_or_else(|| panic!("{token} is not in the sample"));
        assert_eq!(scopes[at].as_deref(), Some(scope), "{token}");
    }
}
