//! What is said of mistakes: each once, at its place.

use mam_grammar::{Limits, Problem, Sources, fmt, syntax};

/// The problems of a text in the order of their places, each as its code and what it underlines.
fn problems_of(text: &str) -> Vec<(String, String)> {
    let mut sources = Sources::default();
    let id = sources.add("mistake.mam", text);
    let (_, problems) = syntax::parse(&sources, id, &Limits::default());
    let shown = |p: Problem| (p.code.name.to_owned(), sources.slice(p.span()).to_owned());
    problems.into_sorted().into_iter().map(shown).collect()
}

fn check(text: &str, expected: &[(&str, &str)]) {
    let expected: Vec<_> =
        expected.iter().map(|(code, place)| (code.to_string(), place.to_string())).collect();
    assert_eq!(problems_of(text), expected, "{text}");
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn one_mistake_is_one_problem_at_its_place() {
    let table: &[(&str, &[(&str, &str)])] = &[
        ("out = a b", &[("missing-operator", "b")]),
        ("out sine(440Hz)", &[("missing-equals", "")]),
        ("x", &[("missing-equals", "x")]),
        ("5 + 3", &[("leading-mark", "5")]),
        ("= 3", &[("leading-mark", "=")]),
        ("out = ", &[("missing-value", "")]),
        ("out = a +", &[("missing-value", "")]),
        ("out = (a + )", &[("missing-value", ")")]),
        ("out = f(a b)", &[("missing-operator", "b")]),
        ("out = f(a, , b)", &[("missing-value", ",")]),
        ("out = f(,)", &[("missing-value", ",")]),
        ("out = [1 2]", &[("missing-operator", "2")]),
        ("out = a * not b", &[("not-parentheses", "not")]),
        ("out = if a then b", &[("missing-branch", "if")]),
        ("out = (if a then b) + 1", &[("missing-branch", "if")]),
        ("out = if a { b } else { c }", &[("missing-branch", "if")]),
        ("out = if a b else c", &[("missing-branch", "if")]),
        ("out = if then b else c", &[("missing-value", "then")]),
        ("out = a.lowpass(800Hz)", &[("call-of-field", ".lowpass")]),
        ("out = a |> 5", &[("pipe-into-expression", "5")]),
        ("out = a |> f * 2 + 1", &[("pipe-into-expression", "f * 2 + 1")]),
        ("out = a |> (f)", &[("pipe-into-expression", "(f)")]),
        ("out = 1 < 2 < 3", &[("chained-comparison", "1 < 2 < 3")]),
        ("out = a < b == c", &[("chained-comparison", "a < b == c")]),
        ("tempo", &[("statement-form", "tempo")]),
        ("tempo 130 bpm", &[("statement-form", "bpm")]),
        ("tempo 130..150", &[("statement-form", "tempo")]),
        ("meter 7", &[("statement-form", "meter")]),
        ("param x = 3 in 0", &[("statement-form", "param")]),
        ("knob x = 3 in 0..1 curve", &[("statement-form", "curve")]),
        ("knob x 3 in 0..1", &[("statement-form", "3")]),
        ("instrument { out = 1 }", &[("statement-form", "instrument")]),
        ("instrument kick", &[("statement-form", "instrument")]),
        ("def f = 3", &[("statement-form", "=")]),
        ("def f(x) x", &[("statement-form", "x")]),
        ("def f(x = 3", &[("unclosed-bracket", "(")]),
        ("def f(x: foo) = x", &[("statement-form", "foo")]),
        ("section verse { bd |x| }", &[("statement-form", "section")]),
        ("play { bd |x...| fast(2) }", &[("line-form", "fast")]),
        ("play { bd |x..z...| }", &[("tab-character", "z")]),
        ("play { bd \"c2 }", &[("unclosed-quote", "\"")]),
        ("play { bd |x.. }", &[("unclosed-tab", "|")]),
        ("play { bd }", &[("missing-equals", "bd")]),
        ("play bd |x...|", &[("statement-form", "|x...|")]),
        ("play { x = 3 }", &[("misplaced-item", "x = 3")]),
        ("instument kick { out = 1; a = * 2 }", &[("misspelt-keyword", "instument"), ("missing-value", "*")]),
        ("tmepo 130", &[("misspelt-keyword", "tmepo")]),
        ("parm x = 3", &[("misspelt-keyword", "parm")]),
        ("let x = 3", &[("foreign-word", "let")]),
        ("float x = 3", &[("foreign-word", "float")]),
        ("for i in 1..3 { a }", &[("foreign-word", "for")]),
        ("return x", &[("foreign-word", "return")]),
        (
            "out = a && b || !c",
            &[("foreign-operator", "&&"), ("foreign-operator", "||"), ("foreign-operator", "!")],
        ),
        ("out = a % b", &[("foreign-operator", "%")]),
        ("out = 7%3", &[("foreign-operator", "%")]),
        ("out = 50 %", &[("unit-apart", "50 %")]),
        (
            "out = 50 ms + 3 hz + 5sec + 3sc",
            &[
                ("unit-apart", "50 ms"),
                ("unit-apart", "3 hz"),
                ("unknown-unit", "sec"),
                ("unknown-unit", "sc"),
            ],
        ),
        ("out = .5 + 5. + 5.ms", &[("open-point", ".5"), ("open-point", "5."), ("open-point", "5.")]),
        (
            "out = 1E3 + 1_000 + 0x10",
            &[("number-form", "1E3"), ("number-form", "1_000"), ("number-form", "0x10")],
        ),
        ("out = 1E-3", &[("number-form", "1E")]),
        ("out = 1e-3", &[]),
        ("out = 2x", &[("unknown-unit", "x")]),
        ("out = a ? b : c", &[("foreign-operator", "?")]),
        ("x += 3", &[("foreign-operator", "+=")]),
        ("out = kick(f0 = 120Hz)", &[("argument-equals", "=")]),
        ("out = if a = 1 then 2 else 3", &[("equals-or-compares", "=")]),
        ("out == 3", &[("equals-or-compares", "==")]),
        ("x := 3", &[("foreign-operator", ":=")]),
        ("sum = 3", &[("reserved-name", "sum")]),
        ("in = 3", &[("reserved-name", "in")]),
        ("def if(x) = 3", &[("reserved-name", "if")]),
        ("def f(in) = 3", &[("reserved-name", "in")]),
        ("out = play", &[("reserved-name", "play")]),
        ("out = sum", &[("statement-form", "")]),
        ("out = sum i 1..3 { i }", &[("statement-form", "1")]),
        ("out = prev", &[("reserved-name", "prev")]),
        ("out = sine(440Hz) × 0.5", &[("stray-character", "×")]),
        ("out = −6dB + “a”", &[("stray-character", "−"), ("foreign-quote", "“a”")]),
        ("out = $x + @", &[("stray-character", "$"), ("stray-character", "@")]),
        ("größe = 3", &[("stray-character", "ö")]),
        ("# hello", &[("foreign-comment", "# hello")]),
        ("out = 3 # foo", &[("foreign-comment", "# foo")]),
        ("out = 'hello'", &[("foreign-quote", "'hello'")]),
        ("out = a))", &[("unopened-bracket", ")"), ("unopened-bracket", ")")]),
        ("out = (a]", &[("unclosed-bracket", "]")]),
        ("out = {a: 1, b}", &[("unexpected", "b")]),
        ("out = f(x y: 3)", &[("missing-operator", "y")]),
        ("default note", &[("statement-form", "default")]),
        ("midi drum", &[("statement-form", "midi")]),
        ("midi drum 36", &[("misplaced-item", "midi drum 36")]),
        ("default note h9", &[("misplaced-item", "default note h9")]),
        ("use lib", &[("statement-form", "lib")]),
        ("title Song", &[("statement-form", "Song")]),
        ("out = -", &[("missing-value", "")]),
        ("out = ^2", &[("missing-value", "^")]),
        ("a b c = 3", &[("equation-form", "a b c")]),
        ("a, b = 3", &[("equation-form", "a, b")]),
        ("(a, b) = 3", &[("equation-form", "(a, b)")]),
        ("a.b = 3", &[("equation-form", "a.b")]),
        ("f(x) = 3", &[("equation-form", "f(x)")]),
        ("out = x[3]", &[]),
        ("out = 3 bar 4", &[("missing-operator", "4")]),
        (
            "out = a <> b =< c => d",
            &[
                ("chained-comparison", "a <> b =< c"),
                ("foreign-operator", "<>"),
                ("foreign-operator", "=<"),
                ("foreign-operator", "=>"),
            ],
        ),
        ("if a then b else c", &[("leading-mark", "if")]),
        ("out = if a then b elif c then d else e", &[("foreign-word", "elif")]),
        ("out = a & b", &[("stray-character", "&")]),
        ("titel \"x\"", &[("misplaced-item", "titel \"x\"")]),
        ("out = a = b", &[("equals-or-compares", "=")]),
        ("out = a ** b", &[("foreign-operator", "**")]),
        ("play verse*x", &[("statement-form", "x")]),
        ("knob a = 1 step step", &[("said-twice", "step")]),
        ("seed", &[("statement-form", "seed")]),
        ("out = |x...|", &[("missing-value", "|x...|")]),
        ("def f(x y) = 3", &[("statement-form", "y")]),
        ("def f(x, cutoff: ms = 3) ", &[("statement-form", "def")]),
        ("out = chain x = 3 { x }", &[("statement-form", "{")]),
        ("out = f(sum i in 1..3 { a = ; out = a })", &[("missing-value", "")]),
        ("play { bd \"c2 e2\" .fast(2 }", &[("unclosed-bracket", "(")]),
        ("out = {a 1}", &[("unexpected", "a")]),
        ("play { bd |x...| over }", &[("line-form", "over")]),
        ("play { bd |x...| by }", &[("line-form", "by")]),
        ("play { bd |x...| by 1/16 over 3 curve }", &[("line-form", "curve")]),
        ("section a 8 bars", &[("statement-form", "section")]),
        ("knob x = in 0..1", &[("statement-form", "0")]),
        ("param", &[("statement-form", "param")]),
        ("input", &[("statement-form", "input")]),
        ("until", &[("statement-form", "until")]),
        ("out = 3 |> ", &[("missing-value", "")]),
        ("out = |> f", &[("missing-value", "|>")]),
        ("out = f(a: )", &[("missing-value", ")")]),
        ("out = f(: a)", &[("missing-value", ":")]),
        ("out = f(a:: b)", &[("missing-value", ":")]),
        ("out = a and", &[("missing-value", "")]),
        ("out = and a", &[("missing-value", "and")]),
        ("out = not", &[("missing-value", "")]),
        ("out = (a, )", &[("missing-value", ")")]),
        ("out = ()", &[("missing-value", ")")]),
    ];
    let mut wrong = Vec::new();
    for (text, expected) in table {
        let expected: Vec<_> =
            expected.iter().map(|(code, place)| (code.to_string(), place.to_string())).collect();
        let found = problems_of(text);
        if found != expected {
            wrong.push(format!("{text}\n  found    {found:?}\n  expected {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_mistake_hides_no_other() {
    let text = "\
tempo 130 bpm
instrument kick {
  param f0 = 100 Hz in 40Hz..200Hz
  param gain = in 0..1
  amp = decay(trig, 200ms
  out = amp * * sine(f0)
  until amp < 0.001
}
def f(x) = x +
effect echo {
  out = in && 1
play { bd |x..z|
  sd |x...
  hh \"x x
}
out = softclip(kick(f0 = 3) |> f * 2
";
    check(
        text,
        &[
            ("statement-form", "bpm"),
            ("unit-apart", "100 Hz"),
            ("statement-form", "0"),
            ("unclosed-bracket", "("),
            ("missing-value", "*"),
            ("missing-value", ""),
            ("unclosed-bracket", "{"),
            ("foreign-operator", "&&"),
            ("tab-character", "z"),
            ("unclosed-tab", "|"),
            ("unclosed-quote", "\""),
            ("unclosed-bracket", "("),
            ("argument-equals", "="),
        ],
    );
}

#[test]
fn an_open_bracket_does_not_swallow_what_follows() {
    check("a = f(1, 2\nb = c c\n", &[("unclosed-bracket", "("), ("missing-operator", "c")]);
    check("a = [1, 2\ninstrument k { x y }\n", &[("unclosed-bracket", "["), ("missing-equals", "")]);
    check("instrument k {\n  out = 1\n\nb = c c\n", &[("unclosed-bracket", "{"), ("missing-operator", "c")]);
    check("a = \"x\nb = \"y\"\nc = d d\n", &[("unclosed-quote", "\""), ("missing-operator", "d")]);
    check("a = (1 + 2]\nb = c c\n", &[("unclosed-bracket", "]"), ("missing-operator", "c")]);
}

#[test]
fn what_could_not_be_read_keeps_its_name() {
    let mut sources = Sources::default();
    let text = "a = 1 +\ninstrument k {\n  param p = *\n  out = p\n}\nknob = ?\n5 5\n";
    let id = sources.add("broken.mam", text);
    let (ast, _) = syntax::parse(&sources, id, &Limits::default());
    let tree = "(broken a)\n(instrument k\n  (broken p)\n  (= out p)\n)\n(broken knob)\n(broken)\n";
    assert_eq!(ast.to_string(), tree);
}

/// The codes of a hostile text; reading it must end.
fn hostile(text: String) -> Vec<String> {
    let mut codes: Vec<_> = problems_of(&text).into_iter().map(|(code, _)| code).collect();
    codes.dedup();
    codes
}

#[test]
fn a_hostile_text_ends_in_a_problem() {
    assert_eq!(hostile(format!("out = {}1{}", "(".repeat(50_000), ")".repeat(50_000))), ["too-deep"]);
    assert!(hostile(format!("out = {}", "(".repeat(50_000))).contains(&"too-deep".to_owned()));
    assert_eq!(hostile(format!("out = {}1", "- ".repeat(50_000))), ["too-deep"]);
    assert_eq!(hostile(format!("out = {}1", "not ".repeat(50_000))), ["too-deep"]);
    assert_eq!(hostile(format!("out = 1{}", " ^ 1".repeat(50_000))), ["too-deep"]);
    assert_eq!(hostile(format!("out = a{}", ".a".repeat(50_000))), ["too-deep"]);
    assert_eq!(hostile(format!("out = a{}", " |> a".repeat(50_000))), ["too-deep"]);
    assert_eq!(hostile(format!("out = {}1", "if 1 then 1 else ".repeat(20_000))), ["too-deep"]);
    assert_eq!(hostile(format!("out = {}1", "sum i in 1..2 {".repeat(5_000)))[0], "unclosed-bracket");
    assert_eq!(hostile("instrument a {\n".repeat(5_000))[0], "unclosed-bracket");
    assert_eq!(hostile(format!("out = 1{}", "0".repeat(400))), ["number-too-large"]);
    assert_eq!(hostile("x".repeat(3 << 20)), ["file-too-large"]);
    assert_eq!(hostile("@".repeat(1 << 17)), ["stray-character"]);
    assert_eq!(hostile("= ".repeat(1 << 17)), ["equals-or-compares"]);
    assert!(!hostile("\"\n".repeat(1 << 18)).is_empty());
    assert!(!hostile("a |x".repeat(1 << 17)).is_empty());
    assert!(!hostile("}".repeat(1 << 18)).is_empty());
    // What stands too deep within a bracket that is never closed does not hide what does so behind it.
    let behind = format!("out = 1{}\nout {}\n", "[".repeat(50_000), "]".repeat(50_000));
    let hidden = format!("out{} = sine(440Hz)\nout =((( sine()))440Hz)\n{behind}", "(".repeat(133));
    assert_eq!(hostile(hidden).iter().filter(|code| *code == "too-deep").count(), 2);
}

#[test]
fn a_long_row_is_no_problem() {
    check(&format!("out = a{}\n", " + a".repeat(65_000)), &[]);
    check(&"\n".repeat(1 << 19), &[]);
    check(&"a = 1; ".repeat(20_000), &[]);
}

#[test]
fn what_stands_as_deep_as_it_may_is_read_and_written() {
    let nested = [
        format!("{}1{}", "(".repeat(127), ")".repeat(127)),
        format!("{}1{}", "f(x, [-{ a: (".repeat(25), ")}])".repeat(25)),
        format!("{}1", "if a then b else ".repeat(120)),
        format!("{}1{}", "sum i in 1..2 { out = ".repeat(60), " }".repeat(60)),
        format!("{}1", "- ".repeat(120)),
        format!("a{}", " ^ a".repeat(120)),
        format!("a{}", " |> f(1)".repeat(120)),
    ];
    for text in nested.map(|text| format!("out = {text}\n")) {
        check(&text, &[]);
        let mut sources = Sources::default();
        let id = sources.add("deep.mam", text.as_str());
        let (ast, _) = syntax::parse(&sources, id, &Limits::default());
        let written = fmt::format(&ast, &text);
        let again = sources.add("again.mam", written.as_str());
        assert_eq!(syntax::parse(&sources, again, &Limits::default()).0.to_string(), ast.to_string());
    }
}
