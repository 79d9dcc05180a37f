//! The mini-notation, fact by fact: what each pattern plays, to the exact fraction.

use mam_compiler::score::{notation, show};
use mam_grammar::{Problems, Severity, Sources, Span};
use mam_runtime::score::{PatternEvent, Rational, TimeSpan};

fn look(text: &str, cycles: i64) -> Result<Vec<PatternEvent>, String> {
    let source = Sources::default().add("pattern", text);
    let mut problems = Problems::default();
    let pattern = notation(text, Span::new(source, 0, text.len()), 1, &mut problems);
    if let Some(problem) = problems.iter().find(|problem| problem.code.severity != Severity::Note) {
        return Err(format!("{}: {}", problem.code.name, problem.message));
    }
    let span = TimeSpan::new(Rational::ZERO, Rational::whole(cycles));
    show::events(&pattern, span).map_err(|e| format!("{e:?}"))
}

/// `a 0..1/2` for an event, `a 0..1[0..1/2]` for a fragment with an onset, `(a 0..1[1/2..1])` for one without.
fn told(events: &[PatternEvent]) -> String {
    let number = |t: Rational| if t.den() == 1 { t.num().to_string() } else { t.to_string() };
    let span = |s: TimeSpan| format!("{}..{}", number(s.begin), number(s.end));
    let event = |e: &PatternEvent| {
        let part = if e.part == e.whole { String::new() } else { format!("[{}]", span(e.part)) };
        let text =
            format!("{} {}{part}", show::value_text(&e.value, &show::SetNames::default()), span(e.whole));
        if e.has_onset() { text } else { format!("({text})") }
    };
    events.iter().map(event).collect::<Vec<_>>().join(", ")
}

fn plays(cycles: i64, text: &str, expected: &str) {
    assert_eq!(told(&look(text, cycles).unwrap()), expected, "events of `{text}`");
}

/// Both patterns play the same for eight cycles.
fn same(a: &str, b: &str) {
    assert_eq!(told(&look(a, 8).unwrap()), told(&look(b, 8).unwrap()), "`{a}` and `{b}`");
}

fn onsets(text: &str) -> usize {
    look(text, 1).unwrap().iter().filter(|e| e.has_onset()).count()
}

/// The steps (of n) at which the first cycle has onsets.
fn steps(text: &str, n: i64) -> Vec<i128> {
    let events = look(text, 1).unwrap();
    let step = |e: &PatternEvent| (e.whole.begin * Rational::whole(n)).unwrap().num();
    events.iter().filter(|e| e.has_onset()).map(step).collect()
}

#[test]
fn steps_share_the_cycle() {
    plays(1, "a", "a 0..1");
    plays(2, "a b", "a 0..1/2, b 1/2..1, a 1..3/2, b 3/2..2");
    plays(1, "a ~ b -", "a 0..1/4, b 1/2..3/4");
    plays(1, "a [b c] d", "a 0..1/3, b 1/3..1/2, c 1/2..2/3, d 2/3..1");
    plays(1, "a,b c", "b 0..1/2, a 0..1, c 1/2..1");
    plays(1, "[a,b] c", "a 0..1/2, b 0..1/2, c 1/2..1");
    same("a . b c . d", "a [b c] d");
    plays(1, "~a -a -- a", "~a 0..1/4, -a 1/4..1/2, -- 1/2..3/4, a 3/4..1");
    same(" a\n\tb\u{A0}c ", "a b c");
    plays(1, "c#4 bd_sd 1_000 a.b", "c#4 0..1/4, bd_sd 1/4..1/2, 1_000 1/2..3/4, a.b 3/4..1");
    plays(1, "-1 .5 1. 1e3 007", "-1 0..1/5, 0.5 1/5..2/5, 1 2/5..3/5, 1000 3/5..4/5, 7 4/5..1");
    plays(1, "ä 80% 200Hz", "ä 0..1/3, 80% 1/3..2/3, 200Hz 2/3..1");
}

#[test]
fn operators_may_stand_apart_from_their_step() {
    same("a *2", "a*2");
    same("a (3,8)", "a(3,8)");
    same("a @3 b", "a@3 b");
    same("a .b", "[a] [.b]");
    plays(1, "a. b", "a. 0..1/2, b 1/2..1");
    same("a@.5 b", "a@0.5 b");
    same("a:2*2", "[a:2]*2");
}

#[test]
fn weights_and_repetitions() {
    plays(1, "a@3 b", "a 0..3/4, b 3/4..1");
    for text in ["a @ @ b", "a _ _ b", "a@2@2 b", "a __ b", "a@3 b"] {
        same(text, "a@3 b");
    }
    same("a@ b", "a@2 b");
    same("a _b", "a@2 b");
    same("a@1.5 b@.5", "a@1.5 b@0.5");
    plays(1, "a@1.5 b@0.5", "a 0..3/4, b 3/4..1");
    same("a!2 b", "a a b");
    same("a! b", "a a b");
    same("a!! b", "a a a b");
    same("a ! ! b", "a a a b");
    same("a!3!2 b", "a a a a b");
    same("a@3!2 b", "[a a]@2 b");
    plays(1, "a!2@3 b", "a 0..2/5, a 2/5..4/5, b 4/5..1");
    plays(2, "<a b>!2", "a 0..1/2, a 1/2..1, b 1..3/2, b 3/2..2");
    same("[<a b c>]!3 d", "<a b c> <a b c> <a b c> d");
    same("a!1 b", "a b");
}

#[test]
fn a_slot_hears_its_own_cycle() {
    plays(2, "a/2 b", "a 0..1[0..1/2], b 1/2..1, (a 1/2..3/2[1..3/2]), b 3/2..2");
    plays(2, "<a b> c", "a 0..1/2, c 1/2..1, b 1..3/2, c 3/2..2");
    plays(4, "<a <b c>>", "a 0..1, b 1..2, a 2..3, c 3..4");
    plays(3, "<a@2 b>", "a 0..2, b 2..3");
    plays(3, "<a!2 b>", "a 0..1, a 1..2, b 2..3");
    plays(3, "<a b, c d e>", "a 0..1, c 0..1, b 1..2, d 1..2, a 2..3, e 2..3");
}

#[test]
fn polymeters() {
    plays(1, "{a b c}%4", "a 0..1/4, b 1/4..1/2, c 1/2..3/4, a 3/4..1");
    same("{a b, c d e}", "{a b, c d e}%2");
    plays(
        2,
        "{a b, c d e}",
        "a 0..1/2, c 0..1/2, b 1/2..1, d 1/2..1, a 1..3/2, e 1..3/2, b 3/2..2, c 3/2..2",
    );
    plays(2, "{a b}%<2 4>", "a 0..1/2, b 1/2..1, a 1..5/4, b 5/4..3/2, a 3/2..7/4, b 7/4..2");
    plays(2, "{a b}%1.5", "a 0..2/3, b 2/3..4/3, a 4/3..2");
    same("{a b c}*2", "[{a b c}]*2");
    same("^a b", "a b");
    same("a [^b c]", "a [b c]");
}

#[test]
fn faster_and_slower() {
    plays(1, "a*2", "a 0..1/2, a 1/2..1");
    plays(2, "a*<2 3>", "a 0..1/2, a 1/2..1, a 1..4/3, a 4/3..5/3, a 5/3..2");
    plays(1, "a*[2 3]", "a 0..1/2, (a 1/3..2/3[1/2..2/3]), a 2/3..1");
    same("a*2*3", "a*6");
    same("a*2/2", "a");
    plays(2, "a*0", "");
    plays(2, "a/0", "");
    plays(2, "a*-1", "");
    plays(1, "a*1.5", "a 0..2/3, a 2/3..4/3[2/3..1]");
    plays(2, "a*<2 ~>", "a 0..1/2, a 1/2..1");
    plays(2, "[a b]/2", "a 0..1, b 1..2");
}

#[test]
fn euclidean_rhythms() {
    assert_eq!(steps("a(3,8)", 8), [0, 3, 6]);
    assert_eq!(steps("a(-3,8)", 8), [1, 2, 4, 5, 7]);
    assert_eq!(steps("a(3,8,2)", 8), [0, 2, 5]);
    assert_eq!(steps("a(3,8,1)", 8), [1, 4, 7]);
    assert_eq!(steps("a(3,8,-2)", 8), [1, 4, 6]);
    assert_eq!(steps("a(3,8,10)", 8), [0, 2, 5]);
    assert_eq!(steps("a(0,8)", 8), Vec::<i128>::new());
    assert_eq!(steps("a(8,8)", 8).len(), 8);
    assert_eq!(steps("a(-8,8)", 8), Vec::<i128>::new());
    plays(1, "[a b](3,8)", "a 0..1/8, a 3/8..1/2, b 3/4..7/8");
    plays(1, "[a b c](2,3)", "a 0..1/3, b 1/3..2/3");
    plays(1, "[a b]([1 1],1)", "a 0..1[0..1/2], (b 0..1[1/2..1])");
    same("a(<3 5>,8)", "<a(3,8) a(5,8)>");
    same("a(3,<8 4>)", "<a(3,8) a(3,4)>");
    same("a(3,8,<0 2>)", "<a(3,8) a(3,8,2)>");
}

/// Toussaint's examples, with `x` for an onset.
#[test]
fn toussaints_rhythms() {
    let rhythms = [
        (1, 2, "x."),
        (1, 3, "x.."),
        (1, 4, "x..."),
        (4, 12, "x..x..x..x.."),
        (2, 5, "x.x.."),
        (3, 4, "xxx."),
        (3, 5, "x.x.x"),
        (3, 7, "x.x.x.."),
        (3, 8, "x..x..x."),
        (4, 7, "x.x.x.x"),
        (4, 9, "x.x.x.x.."),
        (4, 11, "x..x..x..x."),
        (5, 6, "xxxxx."),
        (5, 7, "x.xx.xx"),
        (5, 8, "x.xx.xx."),
        (5, 9, "x.x.x.x.x"),
        (5, 11, "x.x.x.x.x.."),
        (5, 12, "x..x.x..x.x."),
        (5, 16, "x..x..x..x..x..."),
        (7, 8, "xxxxxxx."),
        (7, 12, "x.xx.x.xx.x."),
        (7, 16, "x..x.x.x..x.x.x."),
        (9, 16, "x.xx.x.x.xx.x.x."),
        (11, 24, "x..x.x.x.x.x..x.x.x.x.x."),
        (13, 24, "x.xx.x.x.x.x.xx.x.x.x.x."),
    ];
    for (k, n, expected) in rhythms {
        let on = steps(&format!("a({k},{n})"), n);
        let drawn: String = (0..n).map(|i| if on.contains(&i128::from(i)) { 'x' } else { '.' }).collect();
        assert_eq!(drawn, expected, "({k},{n})");
    }
}

#[test]
fn the_order_of_operators_counts() {
    assert_eq!(onsets("a*2(3,8)"), 3);
    assert_eq!(onsets("a(3,8)*2"), 6);
    assert_eq!(onsets("a(3,8)!2"), 6);
    assert_eq!(onsets("a!2(3,8)"), 3);
    let events = look("a*2!2 b", 1).unwrap();
    assert_eq!(told(&events), "a 0..1/6, a 1/6..1/3, a 1/3..1/2, a 1/2..2/3, b 2/3..1");
}

#[test]
fn lists_and_ranges() {
    plays(1, "a:b:c", "a:b:c 0..1");
    plays(1, "a:0.5 b:3", "a:0.5 0..1/2, b:3 1/2..1");
    plays(2, "a:<1 2>", "a:1 0..1, a:2 1..2");
    plays(1, "a:[1 2]", "a:1 0..1[0..1/2], (a:2 0..1[1/2..1])");
    plays(1, "a:~ b", "b 1/2..1");
    plays(1, "~:a b", "b 1/2..1");
    plays(1, "0 .. 3", "0 0..1/4, 1 1/4..1/2, 2 1/2..3/4, 3 3/4..1");
    plays(1, "0 ..3", "0 0..1/4, 1 1/4..1/2, 2 1/2..3/4, 3 3/4..1");
    plays(1, "3 .. 0", "3 0..1/4, 2 1/4..1/2, 1 1/2..3/4, 0 3/4..1");
    plays(1, "1 .. 1", "1 0..1");
    plays(1, "0 .. 3.5", "0 0..1/4, 1 1/4..1/2, 2 1/2..3/4, 3 3/4..1");
    plays(1, "0..3", "0..3 0..1");
    plays(1, "0.. 3", "0.. 0..1/2, 3 1/2..1");
    plays(1, "a .. 3", "");
    plays(1, "0 .. 1 5", "0 0..1/4, 1 1/4..1/2, 5 1/2..1");
    plays(2, "0 .. <1 2>", "0 0..1/2, 1 1/2..1, 0 1..4/3, 1 4/3..5/3, 2 5/3..2");
    let nested = look("c:d:[e:f]", 1).unwrap();
    assert_eq!(
        show::json(&nested, &show::SetNames::default())["events"][0]["value"],
        serde_json::json!(["c", "d", ["e", "f"]])
    );
}

#[test]
fn random_draws_are_fair_and_the_same_every_time() {
    let kept = look("a*100?", 100).unwrap().len();
    assert!((4700..5300).contains(&kept), "{kept} of 10000 kept");
    let kept = look("a*100?0.2", 100).unwrap().len();
    assert!((7800..8200).contains(&kept), "{kept} of 10000 kept");
    assert_eq!(look("a*100?0", 10).unwrap().len(), 1000);
    assert_eq!(look("a*100?1", 10).unwrap().len(), 0);
    let chosen = look("a | b | c c", 3000).unwrap();
    for (name, least, most) in [("a", 900, 1100), ("b", 900, 1100), ("c", 1800, 2200)] {
        let count =
            chosen.iter().filter(|e| show::value_text(&e.value, &show::SetNames::default()) == name).count();
        assert!((least..most).contains(&count), "{count} times {name}");
    }
    let both = look("[a|b] [a|b]", 2000).unwrap();
    let equal = both.chunks(2).filter(|pair| pair[0].value == pair[1].value).count();
    assert!((900..1100).contains(&equal), "the two choices agree {equal} of 2000 times");
    let again = look("a*100?", 100).unwrap();
    assert_eq!(told(&again), told(&look("a*100?", 100).unwrap()));
}

#[test]
fn what_is_not_the_notation_is_refused_at_its_place() {
    for text in [
        "",
        "  ",
        "a,",
        "a |",
        "a .",
        "a,,b",
        ". a",
        "_ a",
        "| a",
        ", a",
        "a // b",
        "a + b",
        "a%",
        "[a",
        "a]",
        "[a}",
        "<a",
        "a*",
        "a(3)",
        "a(3,",
        "$",
        "{a|b}",
        "<a . b>",
        "a, b | c",
        "[]",
        "a . b , c",
    ] {
        let refused = look(text, 1).expect_err(text);
        assert!(refused.starts_with("pattern-syntax"), "`{text}`: {refused}");
    }
    for text in [
        "a!0 b",
        "a!1.5",
        "a!-1",
        "a@0 b",
        "a@-1 b",
        "a(9,8)",
        "a(3,0)",
        "a(1.5,8)",
        "{a b}%0",
        "a*b",
        "a*<2 b>",
        "a(x,8)",
        "a!9999999",
        "a(3,99999999)",
    ] {
        let refused = look(text, 1).expect_err(text);
        assert!(refused.starts_with("pattern-number"), "`{text}`: {refused}");
    }
    let deep = ["[".repeat(60), "a".into(), "]".repeat(60)].concat();
    assert!(look(&deep, 1).unwrap_err().starts_with("pattern-too-deep"));
}

#[test]
fn a_hostile_pattern_ends_in_a_problem() {
    for text in [
        "x*1000000000",
        "[~ ~]*1000000000",
        "{a b c}%1000000000",
        "0 .. 1000000000",
        "x*1000*1000*1000*1000",
        "[[[[x*64]*64]*64]*64]",
        "x(3,8)*99999999",
        "a!1000!1000",
        "[a!1000]!1000",
    ] {
        assert!(look(text, 1).is_err(), "`{text}` is too much");
    }
    let primes = "x*1.000000000000007*1.00000000000011*1.00000000000013*1.0000000000017*1.000000000019";
    assert_eq!(look(primes, 1).unwrap_err(), "Overflow");
}

#[test]
fn a_query_in_pieces_finds_the_same_onsets() {
    for text in [
        "a b*2 <c d>",
        "[a b c]/2 d",
        "{a b c}%<4 5>",
        "a(<3 5>,8,<0 2>)*1.5",
        "a*8?",
        "[a|b c]*3",
        "0 .. <2 4>",
        "a:<1 2 3>*3",
        "<a b>!3 c@2",
        "[a b . c d]/3",
    ] {
        let mut problems = Problems::default();
        let source = Sources::default().add("pattern", text);
        let pattern = notation(text, Span::new(source, 0, text.len()), 1, &mut problems);
        let onsets = |from: Rational, to: Rational| {
            let mut events = pattern.query(TimeSpan::new(from, to)).unwrap();
            events.retain(PatternEvent::has_onset);
            let mut told: Vec<_> = events
                .iter()
                .map(|e| (e.whole.begin, e.whole.end, show::value_text(&e.value, &show::SetNames::default())))
                .collect();
            told.sort();
            told
        };
        let whole = onsets(Rational::ZERO, 6.into());
        assert!(whole.len() >= 6, "{text}");
        for pieces in [1, 3, 7, 16, 45] {
            let at = |i: i64| Rational::ratio(6 * i, pieces);
            let mut all: Vec<_> = (0..pieces.into()).flat_map(|i| onsets(at(i), at(i + 1))).collect();
            all.sort();
            assert_eq!(all, whole, "`{text}` in {pieces} pieces");
        }
    }
}

/// What `every`, `off` and `sometimes` change stands in their pattern twice, and in a chain of them at each level.
#[test]
fn shared_parts_are_asked_once() {
    use mam_runtime::score::pattern::Node;
    use mam_runtime::score::{Pattern, TimeSpan, Value};
    let note = || Pattern::pure(Value::Number(1.0));
    let reversed = |of: Pattern| Pattern::new(Node::Reverse(of));
    let keep = |of: Pattern, turned| Pattern::new(Node::Keep { seed: 3, chance: 0.5, turned, of });
    let chains: [&dyn Fn(Pattern) -> Pattern; 3] = [
        &|of| Pattern::new(Node::Every { n: 2, at: 0, then: reversed(of.clone()), otherwise: of }),
        &|of| Pattern::stack(vec![keep(of.clone(), false), reversed(keep(of, true))]),
        &|of| Pattern::new(Node::Apply(mam_runtime::score::pattern::Joint::Velocity, of.clone(), of)),
    ];
    for chain in chains {
        let pattern = (0..120).fold(note(), |of, _| chain(of));
        assert!(pattern.period().is_ok());
        let mut steps = u64::MAX;
        for cycle in 0..4 {
            pattern.query_within(TimeSpan::cycle(cycle), &mut steps).unwrap();
        }
        assert!(u64::MAX - steps < 20_000, "{} steps", u64::MAX - steps);
    }
    // What is over the steps that are left is an error, and takes no more than those.
    let many = Pattern::stack(vec![note(); 1000]);
    let mut steps = 100;
    assert!(many.query_within(TimeSpan::cycle(0), &mut steps).is_err() && steps == 0);
}

/// Ranges of what has units, as they are written.
#[test]
fn ranges_of_words_count_in_their_units() {
    let words = |text: &str| {
        let names = show::SetNames::default();
        let events = look(text, 1).unwrap_or_else(|problem| panic!("{text}: {problem}"));
        events.iter().map(|e| show::value_text(&e.value, &names)).collect::<Vec<_>>()
    };
    assert_eq!(words("10ms .. 13ms"), ["10ms", "11ms", "12ms", "13ms"]);
    assert_eq!(words("c4 .. e4"), ["c4", "c#4", "d4", "eb4", "e4"]);
    assert_eq!(words("-2dB .. 0dB"), ["-2dB", "-1dB", "0dB"]);
    assert_eq!(words("0 .. 2%"), ["0%", "1%", "2%"]);
    assert_eq!(words("a4 .. g4"), ["a4", "ab4", "g4"]);
    // Words and mixtures count nothing.
    assert_eq!(words("bd .. sd"), [""; 0]);
    assert_eq!(words("c4 .. 10ms"), [""; 0]);
}
