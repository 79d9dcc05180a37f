//! Random `.mam` texts, drawn from bytes: for property tests, which draw the bytes at random and make them
//! fewer, and for fuzz targets, which are given them.
//!
//! [`program`] writes what is right, in every layout; [`soup`] and [`mutated`] what is wrong.

/// Decisions, one a byte; when the bytes are used up, each is the first choice.
pub struct Choices<'a> {
    bytes: std::slice::Iter<'a, u8>,
}

impl<'a> Choices<'a> {
    /// Decisions drawn from `bytes`.
    pub fn new(bytes: &'a [u8]) -> Choices<'a> {
        Choices { bytes: bytes.iter() }
    }

    /// A number below `n`, which is at least 1.
    pub fn below(&mut self, n: usize) -> usize {
        let byte = usize::from(self.bytes.next().copied().unwrap_or(0));
        if n > 256 {
            let low = usize::from(self.bytes.next().copied().unwrap_or(0));
            return (byte << 8 | low) % n;
        }
        byte % n
    }

    /// One of `all`.
    pub fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    /// True once in `n` times.
    pub fn once_in(&mut self, n: usize) -> bool {
        self.below(n) == n - 1
    }

    /// True while bytes are left.
    pub fn more(&self) -> bool {
        self.bytes.len() > 0
    }
}

#[rustfmt::skip]
pub(super) const NAMES: [&str; 12] =
    ["a", "b", "x", "bd", "pad", "cutoff", "a_long_name_of_a_signal", "tempo", "step", "length", "_1", "bar2"];
const OPERATORS: [&str; 15] =
    ["+", "++", "-", "*", "/", "mod", "^", "<", "<=", ">", ">=", "==", "!=", "and", "or"];
const UNITS: [&str; 10] = ["", "", "", "Hz", "kHz", "ms", "s", "dB", "%", "st"];

/// A text that is a right program as far as reading goes: names mean nothing.
pub fn program(choices: &mut Choices<'_>) -> String {
    let mut writer = Writer { choices, out: String::new(), soft: 0 };
    let items = 1 + writer.choices.below(8);
    for _ in 0..items {
        writer.top_item();
    }
    writer.out
}

struct Writer<'c, 'b> {
    choices: &'c mut Choices<'b>,
    out: String,
    /// How many brackets are open in which a new line ends nothing.
    soft: usize,
}

impl Writer<'_, '_> {
    fn put(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn name(&mut self) {
        let name = self.choices.of(&NAMES);
        self.put(name);
    }

    /// White space where a new line may stand.
    fn loose(&mut self) {
        let gap = match self.choices.below(24) {
            0..=14 => " ",
            15..=17 => "",
            18 => "\n    ",
            19 => "  \t",
            20 => "\n\n",
            21 => " // said here\n",
            22 => "\n  // on its own\n",
            _ => "\r\n ",
        };
        self.put(gap);
    }

    /// White space where a new line would end the item, unless a bracket is open.
    fn space(&mut self) {
        match (self.soft > 0, self.choices.below(6)) {
            (true, 5) => self.loose(),
            (_, 4) => self.put("  "),
            (_, 3) => {}
            _ => self.put(" "),
        }
    }

    /// The end of an item, with what may stand between two.
    fn end(&mut self) {
        let end = self.choices.of(&[
            "\n",
            "\n",
            "\n",
            ";",
            ";\n",
            "\n\n",
            "\n\n\n",
            " // trailing\n",
            "\n// own line\n",
            "\n\n// a\n\n//b\n\n",
            "\r\n",
        ]);
        self.put(end);
    }

    fn doc(&mut self) {
        if self.choices.once_in(6) {
            let doc = self.choices.of(&[
                "\n/// What it is.\n",
                "\n///One\n/// two\n///\n",
                "\n/// a\n// between\n/// b\n\n",
            ]);
            self.put(doc);
        }
    }

    fn top_item(&mut self) {
        self.doc();
        match self.choices.below(16) {
            0..=4 => self.equation(),
            5 => self.def(),
            6 => self.unit_of_sound("instrument "),
            7 => self.unit_of_sound("effect "),
            8 | 9 => self.play(),
            10 => self.section(1),
            11 => self.knob("knob "),
            12 => self.statement(),
            13 => self.put("play intro verse*2 chorus"),
            14 => self.put("use \"lib/mine.mam\""),
            _ => self.put("title \"a // b\n  c\""),
        }
        self.end();
    }

    fn statement(&mut self) {
        let text = self.choices.of(&[
            "tempo 130",
            "tempo 138 at bar 3",
            "tempo 130 .. 150 over bars 5..9",
            "meter 7 / 8",
            "swing 12%",
            "swing 12% of 1/8",
            "length 16 bars",
            "length 4",
            "seed 7",
        ]);
        self.put(text);
    }

    fn equation(&mut self) {
        let name = self.choices.of(&["out", "a", "bd", "cutoff", "line", "tempo"]);
        self.put(name);
        self.space();
        self.put("=");
        self.loose();
        self.expr(3);
    }

    fn def(&mut self) {
        self.put("def f");
        let formals = self.choices.of(&["()", "(x)", "(x, cutoff: Hz)", "(x, a: Hz = 440Hz, b = 1 + 2)"]);
        self.put(formals);
        if self.choices.once_in(2) {
            self.put(" = ");
            self.expr(3);
        } else {
            self.put(" ");
            self.block(|writer| writer.equation());
        }
    }

    fn block(&mut self, mut each: impl FnMut(&mut Self)) {
        let soft = std::mem::take(&mut self.soft);
        self.put("{");
        let open = self.choices.of(&["\n", " ", " // opened\n", "\n\n", "\n// first\n"]);
        self.put(open);
        for _ in 0..=self.choices.below(4) {
            self.doc();
            each(self);
            self.end();
        }
        self.put("}");
        self.soft = soft;
    }

    fn unit_of_sound(&mut self, head: &str) {
        self.put(head);
        self.name();
        self.put(" ");
        self.block(|writer| match writer.choices.below(9) {
            0 | 1 => writer.knob("param "),
            2 => writer.put("input key"),
            3 if head == "instrument " => {
                writer.put("until ");
                writer.expr(2);
            }
            4 if head == "instrument " => writer.put("default note c#2"),
            5 if head == "instrument " => writer.put("midi drum 36, 40..41"),
            _ => writer.equation(),
        });
    }

    fn knob(&mut self, head: &str) {
        self.put(head);
        self.name();
        self.space();
        self.put("= ");
        self.value(1);
        if self.choices.once_in(2) {
            self.put(" in ");
            self.operand(0);
            self.put("..");
            self.operand(0);
        }
        let rest = self.choices.of(&[
            "",
            " curve exp",
            " step",
            " smooth 5ms",
            " cc 74",
            " step  smooth 1ms curve exp",
        ]);
        self.put(rest);
    }

    fn play(&mut self) {
        self.put("play ");
        self.block(|writer| writer.line());
    }

    fn section(&mut self, depth: usize) {
        self.put("section verse 3/2 bars ");
        self.block(|writer| match writer.choices.below(6) {
            0 if depth > 0 => writer.section(depth - 1),
            1 => writer.put("play a b*2"),
            2 if depth > 0 => writer.play(),
            _ => writer.line(),
        });
    }

    fn line(&mut self) {
        self.name();
        if self.choices.once_in(4) {
            self.put(".gain");
        }
        self.put(" ");
        let pattern = self.choices.of(&[
            "|x...|",
            "|x..X|o_ 9-|",
            "|x...| by 1/16",
            "||",
            "\"c2 [e2 g2]\"",
            "\"~ ~\n    1.0 ~\"",
            "\"\"",
        ]);
        self.put(pattern);
        for _ in 0..self.choices.below(3) {
            let edge = self.choices.of(&["", " ", "\n  ", " // why\n  "]);
            self.put(edge);
            let modifier = self.choices.of(&[
                ".fast(2)",
                ".rev",
                ".every(4, rev)",
                ".off(1/8, transpose(7st))",
                ".vel(\"1 0.6\")",
                ".sometimes( 30% ,\n fast(2) )",
            ]);
            self.put(modifier);
        }
        let over = self.choices.of(&["", "", " over 40ms", " over 1 beat curve exp", " curve exp"]);
        self.put(over);
    }

    fn expr(&mut self, depth: usize) {
        self.value(depth);
        while self.choices.once_in(6) {
            let soft = self.soft > 0;
            if self.choices.once_in(3) || soft {
                self.loose();
            } else {
                self.put(" ");
            }
            self.put("|> ");
            self.stage(depth.saturating_sub(1));
        }
    }

    fn stage(&mut self, depth: usize) {
        if self.choices.once_in(2) {
            self.name()
        } else {
            self.call(depth)
        }
        if self.choices.once_in(4) {
            self.put(".low");
        }
    }

    /// A row of operands. Comparisons stand alone, because they do not chain.
    fn value(&mut self, depth: usize) {
        if depth == 0 {
            self.operand(0);
            return;
        }
        let mut compared = false;
        for index in 0..=self.choices.below(3) {
            if index > 0 {
                let operator = self.choices.of(&OPERATORS);
                let compares = OPERATORS[7..13].contains(&operator);
                let operator = if compares && compared { "+" } else { operator };
                compared = compares || compared && !matches!(operator, "and" | "or");
                self.infix(operator);
                if matches!(operator, "and" | "or") && self.choices.once_in(4) {
                    self.put("not ");
                }
            } else if self.choices.once_in(12) {
                self.put("not ");
            }
            if self.choices.once_in(8) {
                let minus = self.choices.of(&["-", "- ", "--"]);
                self.put(minus);
            }
            // An `if` takes in all that follows.
            if self.operand(depth - 1) {
                break;
            }
        }
    }

    fn infix(&mut self, operator: &str) {
        if matches!(operator, "*" | "/" | "^" | "+") && self.choices.once_in(4) {
            return self.put(operator);
        }
        self.put(" ");
        self.put(operator);
        self.put(" ");
        if self.choices.once_in(4) {
            self.loose();
        }
    }

    /// True when it is an `if`.
    fn operand(&mut self, depth: usize) -> bool {
        let kind = self.choices.below(if depth == 0 { 4 } else { 12 });
        match kind {
            0 | 1 => self.name(),
            2 => self.number(),
            3 => {
                let length = self.choices.of(&["3/16 bar", "1 beat", "0.5 bars", "2bars", "in", "out"]);
                self.put(length);
            }
            4 | 5 => self.call(depth - 1),
            6 => self.bracketed("(", ")", 1, depth - 1),
            7 => self.bracketed("(", ")", 2, depth - 1),
            8 => self.bracketed("[", "]", 2, depth - 1),
            9 => self.choice(depth - 1),
            10 => self.unrolled(depth - 1),
            _ => self.record(depth - 1),
        }
        if depth > 1 && kind != 9 && self.out.ends_with([')', '}']) && self.choices.once_in(6) {
            self.put(".low");
        }
        kind == 9
    }

    fn number(&mut self) {
        let sign = self.choices.of(&["", "", "-"]);
        let sign = if self.out.ends_with(['-', ' ', '(', '\n', ',']) { sign } else { "" };
        let digits = self.choices.of(&["1", "0.5", "440", "0", "12.25", "007", "-3"]);
        let unit = self.choices.of(&UNITS);
        self.put(sign);
        self.put(digits.trim_start_matches('-'));
        self.put(unit);
    }

    fn bracketed(&mut self, open: &str, close: &str, least: usize, depth: usize) {
        self.put(open);
        self.soft += 1;
        let more = if least == 1 { 0 } else { self.choices.below(3) };
        for index in 0..least + more {
            if index > 0 {
                self.put(",");
            }
            self.space();
            self.expr(depth);
        }
        self.space();
        self.soft -= 1;
        self.put(close);
    }

    fn call(&mut self, depth: usize) {
        let callee = self.choices.of(&["f", "lowpass", "prev", "tap", "a_long_name_of_a_definition"]);
        self.put(callee);
        self.put("(");
        self.soft += 1;
        for index in 0..self.choices.below(4) {
            if index > 0 {
                self.put(",");
            }
            self.space();
            if self.choices.once_in(3) {
                self.put("gain:");
                self.space();
            }
            self.expr(depth);
        }
        self.space();
        self.soft -= 1;
        self.put(")");
    }

    fn record(&mut self, depth: usize) {
        self.put("{ ");
        self.soft += 1;
        for index in 0..=self.choices.below(2) {
            let label = if index == 0 { "low: " } else { ", in: " };
            self.put(label);
            self.expr(depth);
        }
        self.space();
        self.soft -= 1;
        self.put("}");
    }

    fn choice(&mut self, depth: usize) {
        self.put("if ");
        self.expr(depth);
        let then = self.choices.of(&[" then ", "\n then\n", " then "]);
        self.put(then);
        self.expr(depth);
        let otherwise = self.choices.of(&[" else ", "\n else ", "\n // otherwise\n else "]);
        self.put(otherwise);
        self.value(depth);
    }

    fn unrolled(&mut self, depth: usize) {
        let head = self.choices.of(&[
            "sum i in 1..8 ",
            "chain x = in, i in 0..n + 1 ",
            "sum i in -1..-2 ",
            "list i in 0..7 ",
            "product a in xs ",
            "max a in [1, 2] ++ xs[1] ",
            "min i in 0..3 ",
            "chain x = in, a in xs ",
        ]);
        self.put(head);
        if self.choices.once_in(2) {
            return self.block(|writer| writer.equation());
        }
        let soft = std::mem::take(&mut self.soft);
        self.put("{ ");
        self.expr(depth);
        let close = self.choices.of(&[" }", "}", "\n}", " // end\n}"]);
        self.put(close);
        self.soft = soft;
    }
}

/// Tokens of the language and some that are not, in any order.
pub fn soup(choices: &mut Choices<'_>) -> String {
    const TOKENS: &str = "if then else and or not mod in out sum chain prev tap def instrument effect play section tempo \
        swing meter length seed use knob param until input title x bd a f( 1 0.5 -6dB 50ms .5 5. 50sec \
        1e9 1e-3 ++ list product max f#4 xs[0] + - * / ^ < <= == != = |> | |x...| |x..z| ( ) [ ] { } , : . .. ; # && || ! % ? @ let over by \
        step .fast(2) é −";
    #[rustfmt::skip]
    const MORE: [&str; 16] = ["default note", "x =", "out =", "3/16 bar", "1 beat", "50 ms", "\"", "\"c2 e2\"", "\n",
        "\n", " ", "// c\n", "/// d\n", "curve exp", "\r\n", "\t"];
    let tokens: Vec<&str> = TOKENS.split_whitespace().chain(MORE).collect();
    let mut out = String::new();
    while choices.more() {
        let token = choices.of(&tokens);
        out.push_str(token);
        if !choices.once_in(3) {
            out.push(' ');
        }
    }
    out
}

/// `text` with a few pieces taken out, doubled, or moved.
pub fn mutated(choices: &mut Choices<'_>, text: &str) -> String {
    let mut out: Vec<char> = text.chars().collect();
    for _ in 0..=choices.below(4) {
        if out.is_empty() {
            break;
        }
        let at = choices.below(out.len());
        let end = (at + 1 + choices.below(12)).min(out.len());
        match choices.below(5) {
            0 => drop(out.drain(at..end)),
            1 => out.splice(at..at, out[at..end].to_vec()).for_each(drop),
            2 => {
                let piece: Vec<char> = out.drain(at..end).collect();
                let to = choices.below(out.len() + 1);
                out.splice(to..to, piece).for_each(drop);
            }
            3 => out.insert(
                at,
                choices.of(&['(', ')', '{', '}', '"', '|', '\n', '=', '.', ',', '-', 'é', '/', ';']),
            ),
            _ => out[at] = choices.of(&[' ', '\n', '(', '"', '|', '0', 'x', '=']),
        }
    }
    out.into_iter().collect()
}
