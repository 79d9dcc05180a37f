//! What belongs to what: the reading of expressions, and of line ends.

use mam_grammar::{Limits, Sources, syntax};

/// The tree of `text` as text, which must have no problems.
fn read(text: &str) -> String {
    let mut sources = Sources::default();
    let id = sources.add("test.mam", text);
    let (ast, problems) = syntax::parse(&sources, id, &Limits::default());
    let problems: Vec<_> = problems.iter().map(|p| p.message.clone()).collect();
    assert!(problems.is_empty(), "{text}\n{problems:?}");
    ast.to_string()
}

#[test]
fn operators_hold_as_the_table_says() {
    let table = [
        ("a + b * c", "(+ a (* b c))"),
        ("a * b mod c / d", "(/ (mod (* a b) c) d)"),
        ("a - b - c", "(- (- a b) c)"),
        ("a ^ b ^ c", "(^ a (^ b c))"),
        ("-a ^ 2", "(- (^ a 2))"),
        ("-2 ^ 2", "(- (^ 2 2))"),
        ("-6dB", "-6dB"),
        ("- 6dB", "(- 6dB)"),
        ("a -6dB", "(- a 6dB)"),
        ("a - -6dB", "(- a -6dB)"),
        ("2 ^ -3", "(^ 2 -3)"),
        ("2 ^ -x * y", "(* (^ 2 (- x)) y)"),
        ("-x.low", "(- (.low x))"),
        ("--x", "(- (- x))"),
        ("a < b + 1", "(< a (+ b 1))"),
        ("not a < b", "(not (< a b))"),
        ("not a and b or c", "(or (and (not a) b) c)"),
        ("a or b and not c == d", "(or a (and b (not (== c d))))"),
        ("a or b |> f", "(|> (or a b) f)"),
        ("a |> f(1).low |> g", "(|> (|> a (.low (call f 1))) g)"),
        ("if a then b else c + 1", "(if a b (+ c 1))"),
        ("2 * if a then b else c + 1", "(* 2 (if a b (+ c 1)))"),
        ("if a then b else c |> f", "(|> (if a b c) f)"),
        ("if a then b else if c then d else e", "(if a b (if c d e))"),
        ("sum i in 1..8 { sine(i) / i } * 2", "(* (sum i 1 8 (/ (call sine i) i)) 2)"),
        ("chain x = in, i in 0..3 { y = x; out = y * i }", "(chain x in i 0 3 {(= y x) (= out (* y i))})"),
        ("3/16 bar", "(bar (/ 3 16))"),
        ("a * 3/16 bar", "(* a (bar (/ 3 16)))"),
        ("1 beat + 0.5 bars", "(+ (beat 1) (bar 0.5))"),
        ("8bars", "(bar 8)"),
        ("3 / 16", "(/ 3 16)"),
        ("bar / 4", "(/ bar 4)"),
        ("(l, r)", "(, l r)"),
        ("{ low: v2, band: v1 }", "(record low: v2 band: v1)"),
        ("table([0, 0.5, -1], x)", "(call table (list 0 0.5 -1) x)"),
        ("f(g: a, 80%, out, in)", "(call f g: a 80% out in)"),
        ("prev(tap(x, 5ms, max: 1s), 1)", "(call prev (call tap x 5ms max: 1s) 1)"),
    ];
    for (text, tree) in table {
        assert_eq!(read(&format!("x = {text}")), format!("(= x {tree})\n"), "{text}");
    }
}

#[test]
fn an_item_ends_where_the_layout_says() {
    let table = [
        ("a = 1; b = 2;; c = 3", "(= a 1)\n(= b 2)\n(= c 3)\n"),
        ("a = 1 +\n  2", "(= a (+ 1 2))\n"),
        ("a =\n  2", "(= a 2)\n"),
        ("a = f(\n 1\n ,\n 2\n)", "(= a (call f 1 2))\n"),
        ("a = x\n  |> f\n  // between\n\n  |> g", "(= a (|> (|> x f) g))\n"),
        ("a = if b\n then c\n else d", "(= a (if b c d))\n"),
        ("a = if b then\n c\n else\n d\n", "(= a (if b c d))\n"),
        ("a = b\n and c\n or d", "(= a (or (and b c) d))\n"),
        ("a = in\nb = 1", "(= a in)\n(= b 1)\n"),
        ("a = {\n x: 1,\n y: 2\n}", "(= a (record x: 1 y: 2))\n"),
        ("a = f(sum i in 0..1 {\n b = i\n out = b\n})", "(= a (call f (sum i 0 1 {(= b i) (= out b)})))\n"),
        (
            "play { bd |x...| ; sd |..x.| }",
            "(play\n  (line bd (tab \"x...\"))\n  (line sd (tab \"..x.\"))\n)\n",
        ),
        ("play { bd \"c2 e2\"\n .fast(2)\n .rev }", "(play\n  (line bd \"c2 e2\" .(call fast 2) .rev)\n)\n"),
        ("tempo = 5\ntempo 130", "(= tempo 5)\n(tempo 130)\n"),
        ("\u{feff}a = 1\r\nb = 2\r\n", "(= a 1)\n(= b 2)\n"),
    ];
    for (text, tree) in table {
        assert_eq!(read(text), tree, "{text}");
    }
}

#[test]
fn the_score_is_read_whole() {
    let text = "play {
  bd |x...X...|o_.9-...| by 1/16 .every(4, rev).off(1/8, transpose(7st)).vel(\"1 0.6\") over 1 beat curve exp
}
section verse 8 bars { play a*2 b; bd |x.| }
tempo 138 at bar 3
tempo 130..150 over bars 5..9
meter 7/8
swing 12% of 1/8
length 16 bars
knob bright = 800Hz in 100Hz..8kHz cc 74 smooth 5ms";
    let tree = "(play
  (line bd (tab \"x...X...\" \"o_.9-...\" by: (/ 1 16)) .(call every 4 rev) .(call off (/ 1 8) (call transpose 7st)) \
                .(call vel \"1 0.6\") over: (beat 1) curve-exp)
)
(section verse (bar 8)
  (arrangement (* a 2) b)
  (line bd (tab \"x.\"))
)
(tempo 138 at: 3)
(tempo 130 to: 150 at: 5 until: 9)
(meter 7 8)
(swing 12% of: (/ 1 8))
(length (bar 16))
(knob bright 800Hz in: 100Hz 8kHz smooth: 5ms cc: 74)
";
    assert_eq!(read(text), tree);
}
