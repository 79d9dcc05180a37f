//! The tree as text, one item a line, expressions with the operator first: `(+ 1 (* 2 x))`.
//!
//! For reading and for tests: what has the same text says the same. It is not read back; `fmt` writes `.mam`.

use super::{
    Arg, Ast, Body, Condition, Definition, Expect, Expr, ExprId, Item, ItemKind, Line, MusicalUnit, Number,
    Over, Param, Part, PatternText, Route, Tuning, UnaryOp, Unit,
};
use crate::float;
use std::fmt::{self, Display, Formatter, Write};

impl Display for Ast {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&items(self, &self.items, 0))
    }
}

impl Ast {
    /// One expression as text.
    pub fn text_of(&self, expr: ExprId) -> String {
        let mut out = String::new();
        write_expr(self, expr, &mut out);
        out
    }
}

impl Number {
    /// The digits as a number, without the unit.
    pub fn value(&self) -> f64 {
        let value = |digits: &str| float::parse(digits).unwrap_or(f64::NAN);
        match self.digits.split_once('/') {
            Some((over, under)) => value(over) / value(under),
            None => value(&self.digits),
        }
    }
}

impl Display for Number {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.unit {
            Some(Unit::Octaves) if matches!(&*self.digits, "1" | "-1") => write!(f, "{} octave", self.digits),
            Some(Unit::Octaves) => write!(f, "{} octaves", self.digits),
            unit => write!(f, "{}{}", self.digits, unit.map_or("", Unit::text)),
        }
    }
}

fn items(ast: &Ast, all: &[Item], depth: usize) -> String {
    all.iter().map(|one| item(ast, one, depth)).collect()
}

fn item(ast: &Ast, item: &Item, depth: usize) -> String {
    let indent = "  ".repeat(depth);
    let mut out = String::new();
    for line in item.doc.iter().flat_map(|doc| doc.split('\n')) {
        let _ = writeln!(out, "{indent}/// {line}");
    }
    let _ = writeln!(out, "{indent}{}", kind(ast, &item.kind, depth));
    out
}

fn block(ast: &Ast, head: &str, inner: &[Item], depth: usize) -> String {
    format!("({head}\n{}{})", items(ast, inner, depth + 1), "  ".repeat(depth))
}

fn kind(ast: &Ast, kind: &ItemKind, depth: usize) -> String {
    let text = |expr: ExprId| ast.text_of(expr);
    let maybe =
        |word: &str, expr: Option<ExprId>| expr.map_or(String::new(), |e| format!(" {word}{}", text(e)));
    match kind {
        ItemKind::Equation { name, value } => format!("(= {name} {})", text(*value)),
        ItemKind::Param(param) => format!("({})", parameter(ast, param)),
        ItemKind::Input(name) => format!("(input {name})"),
        ItemKind::Until(expr) => format!("(until {})", text(*expr)),
        ItemKind::Latency(expr) => format!("(latency {})", text(*expr)),
        ItemKind::DefaultNote(note) => format!("(default-note {note})"),
        ItemKind::Midi(midi) => {
            let numbers: String = midi.ranges.iter().map(|r| format!(" {}", range(ast, r))).collect();
            format!("(midi-{}{numbers})", if midi.drum { "drum" } else { "program" })
        }
        ItemKind::Kit { name, folder, items } => {
            let folder = folder.as_ref().map_or(String::new(), |folder| format!(" {:?}", folder.text));
            block(ast, &format!("kit {name}{folder}"), items, depth)
        }
        ItemKind::Matrix(routes) => block(ast, "matrix", routes, depth),
        ItemKind::Route(route) => self::route(ast, route),
        ItemKind::Choke { parts, over } => {
            let parts: String = parts.iter().map(|part| format!(" {part}")).collect();
            format!("(choke{parts}{})", maybe("over: ", *over))
        }
        ItemKind::Preset { name, settings } => {
            let settings: String =
                settings.iter().map(|(param, value)| format!(" {param}: {}", text(*value))).collect();
            format!("(preset {:?}{settings})", name.text)
        }
        ItemKind::Definition(definition) => self::definition(ast, definition, depth),
        ItemKind::Use(path) => format!("(use {:?})", path.text),
        ItemKind::Title(title) => format!("(title {:?})", title.text),
        ItemKind::Tempo { bpm, to, at, until } => {
            format!(
                "(tempo {}{}{}{})",
                text(*bpm),
                maybe("to: ", *to),
                maybe("at: ", *at),
                maybe("until: ", *until)
            )
        }
        ItemKind::Meter { beats, unit } => format!("(meter {} {})", text(*beats), text(*unit)),
        ItemKind::Swing { amount, of } => format!("(swing {}{})", text(*amount), maybe("of: ", *of)),
        ItemKind::Length(length) => format!("(length {})", text(*length)),
        ItemKind::Seed(seed) => format!("(seed {})", text(*seed)),
        ItemKind::Channels { count, is_ambisonic } => {
            let ambisonic = if *is_ambisonic { " ambisonic" } else { "" };
            format!("(channels {}{ambisonic})", text(*count))
        }
        ItemKind::Expect(expect) => self::expect(ast, expect),
        ItemKind::Tuning(Tuning::Equal(steps)) => format!("(tuning edo {})", text(*steps)),
        ItemKind::Tuning(Tuning::Files { scale, keyboard }) => {
            let keyboard = keyboard.as_ref().map_or(String::new(), |k| format!(" {:?}", k.text));
            format!("(tuning {:?}{keyboard})", scale.text)
        }
        ItemKind::Play(inner) => block(ast, "play", inner, depth),
        ItemKind::Line(line) => format!("({})", score_line(ast, line)),
        ItemKind::Arrangement(parts) => {
            format!("(arrangement{})", parts.iter().map(|p| part(ast, p)).collect::<String>())
        }
        ItemKind::Section { name, length, items } => {
            block(ast, &format!("section {name} {}", text(*length)), items, depth)
        }
        ItemKind::Variation { name, of, items } => {
            block(ast, &format!("section {name} like {of}"), items, depth)
        }
        ItemKind::Broken(Some(name)) => format!("(broken {name})"),
        ItemKind::Broken(None) => "(broken)".to_owned(),
    }
}

fn route(ast: &Ast, route: &Route) -> String {
    let target: Vec<&str> = route.target.iter().map(|word| &*word.name).collect();
    let mut out =
        format!("(-> {} {} {}", ast.text_of(route.source), target.join("."), ast.text_of(route.depth));
    if let Some(scale) = route.scale {
        let _ = write!(out, " curve-{}", scale.word());
    }
    if let Some((low, high)) = route.range {
        let _ = write!(out, " in: {} {}", ast.text_of(low), ast.text_of(high));
    }
    out + ")"
}

fn expect(ast: &Ast, expect: &Expect) -> String {
    let text = |expr: ExprId| ast.text_of(expr);
    format!("(expect {}", text(expect.call))
        + &match expect.condition {
            None => ")".to_owned(),
            Some(Condition::Below(bound)) => format!(" < {})", text(bound)),
            Some(Condition::Above(bound)) => format!(" > {})", text(bound)),
            Some(Condition::Between(low, high)) => format!(" in: {} {})", text(low), text(high)),
            Some(Condition::Within { tolerance, of }) => {
                format!(" within: {} {})", text(tolerance), text(of))
            }
        }
}

fn range(ast: &Ast, (from, to): &(ExprId, Option<ExprId>)) -> String {
    to.map_or_else(|| ast.text_of(*from), |to| format!("{}..{}", ast.text_of(*from), ast.text_of(to)))
}

fn parameter(ast: &Ast, param: &Param) -> String {
    let mut out = format!(
        "{} {} {}",
        if param.knob { "knob" } else { "param" },
        param.name,
        ast.text_of(param.default)
    );
    if let Some((low, high)) = param.range {
        let _ = write!(out, " in: {} {}", ast.text_of(low), ast.text_of(high));
    }
    if !param.words.is_empty() {
        let words: Vec<&str> = param.words.iter().map(|word| &*word.name).collect();
        let _ = write!(out, " in: {}", words.join("|"));
    }
    out.push_str(if param.fixed { " fixed" } else { "" });
    out.push_str(if param.curve_exp { " curve-exp" } else { "" });
    out.push_str(if param.step { " step" } else { "" });
    for (word, value) in [("smooth", param.smooth), ("cc", param.cc)] {
        if let Some(value) = value {
            let _ = write!(out, " {word}: {}", ast.text_of(value));
        }
    }
    out
}

fn definition(ast: &Ast, definition: &Definition, depth: usize) -> String {
    let mut head = format!("{} {}", definition.kind.word(), definition.name);
    for formal in &definition.formals {
        let unit = formal.unit.map_or(String::new(), |unit| format!(": {}", unit.text()));
        let default = formal.default.map_or(String::new(), |value| format!(" = {}", ast.text_of(value)));
        let _ = write!(head, " ({}{unit}{default})", formal.name);
    }
    match &definition.body {
        Body::Expr(expr) => format!("({head} {})", ast.text_of(*expr)),
        Body::Items(inner) => block(ast, &head, inner, depth),
    }
}

fn score_line(ast: &Ast, line: &Line) -> String {
    let target: Vec<_> = line.target.iter().map(|word| &*word.name).collect();
    let mut out = format!("line {} ", target.join("."));
    match &line.pattern {
        PatternText::Tab { bars, by } => {
            let bars: Vec<_> = bars.iter().map(|bar| format!("{:?}", bar.text)).collect();
            let _ = write!(out, "(tab {}", bars.join(" "));
            if let Some(by) = by {
                let _ = write!(out, " by: {}", ast.text_of(*by));
            }
            out.push(')');
        }
        PatternText::Notation(text) => out += &format!("{:?}", text.text),
        PatternText::Made(expr) => out += &ast.text_of(*expr),
        PatternText::Nothing(_) => out += "nothing",
    }
    for modifier in &line.modifiers {
        let _ = write!(out, " .{}", ast.text_of(*modifier));
    }
    if let Some(over) = line.over {
        let _ = write!(out, " over: {}", ast.text_of(over));
    }
    out.push_str(if line.curve_exp { " curve-exp" } else { "" });
    out
}

fn part(ast: &Ast, part: &Part) -> String {
    match part.times {
        Some(times) => format!(" (* {} {})", part.section, ast.text_of(times)),
        None => format!(" {}", part.section),
    }
}

fn write_expr(ast: &Ast, expr: ExprId, out: &mut String) {
    match &ast.exprs[expr] {
        Expr::Number(number) => *out += &format!("{number}"),
        Expr::Length { amount, unit } => {
            let unit = if *unit == MusicalUnit::Bar { "bar" } else { "beat" };
            list(ast, unit, [*amount], out);
        }
        Expr::Name(name) => out.push_str(&name.name),
        Expr::Field { of, field } => list(ast, &format!(".{field}"), [*of], out),
        Expr::Call { callee, args } => {
            let _ = write!(out, "(call {callee}");
            args.iter().for_each(|arg| argument(ast, arg, out));
            out.push(')');
        }
        Expr::Method { of, callee, args } => {
            let _ = write!(out, "(call .{callee} {}", ast.text_of(*of));
            args.iter().for_each(|arg| argument(ast, arg, out));
            out.push(')');
        }
        Expr::Pipe { left, right } => list(ast, "|>", [*left, *right], out),
        Expr::Unary { op, x } => list(ast, if *op == UnaryOp::Neg { "-" } else { "not" }, [*x], out),
        Expr::Binary { .. } => row(ast, expr, out),
        Expr::If { condition, then, otherwise } => list(ast, "if", [*condition, *then, *otherwise], out),
        Expr::Reduce { reduction, index, over, body } => {
            let _ = write!(out, "({} {index} {} ", reduction.text(), over_text(ast, *over));
            write_body(ast, body, out);
        }
        Expr::Chain { value, start, index, over, body } => {
            let (start, over) = (ast.text_of(*start), over_text(ast, *over));
            let _ = write!(out, "(chain {value} {start} {index} {over} ");
            write_body(ast, body, out);
        }
        Expr::Oversample { factor, border, body } => {
            let border = border.as_ref().map_or(String::new(), |border| format!("{border} "));
            let _ = write!(out, "(oversample {} {border}", ast.text_of(*factor));
            write_body(ast, body, out);
        }
        Expr::Spectral { head, body } => {
            let _ = write!(out, "(spectral {} ", ast.text_of(*head));
            write_body(ast, body, out);
        }
        Expr::Index { of, index } => list(ast, "index", [*of, *index], out),
        Expr::Tuple(all) => list(ast, ",", all.iter().copied(), out),
        Expr::Paren(x) => list(ast, "paren", [*x], out),
        Expr::List(all) => list(ast, "list", all.iter().copied(), out),
        Expr::Record(entries) => {
            out.push_str("(record");
            for (name, value) in entries {
                let _ = write!(out, " {name}: ");
                write_expr(ast, *value, out);
            }
            out.push(')');
        }
        Expr::Text(text) => *out += &format!("{text:?}"),
    }
}

fn list(ast: &Ast, head: &str, parts: impl IntoIterator<Item = ExprId>, out: &mut String) {
    let _ = write!(out, "({head}");
    for part in parts {
        out.push(' ');
        write_expr(ast, part, out);
    }
    out.push(')');
}

fn over_text(ast: &Ast, over: Over) -> String {
    over.operands().into_iter().map(|part| ast.text_of(part)).collect::<Vec<_>>().join(" ")
}

fn argument(ast: &Ast, arg: &Arg, out: &mut String) {
    out.push(' ');
    if let Some(name) = &arg.name {
        let _ = write!(out, "{name}: ");
    }
    write_expr(ast, arg.value, out);
}

/// A row of operators, without recursing along it.
fn row(ast: &Ast, expr: ExprId, out: &mut String) {
    let (first, operations) = ast.row(expr, |_, _| false);
    for operation in operations.iter().rev() {
        let _ = write!(out, "({} ", operation.op.text());
    }
    write_expr(ast, first, out);
    for operation in operations {
        out.push(' ');
        write_expr(ast, operation.right, out);
        out.push(')');
    }
}

fn write_body(ast: &Ast, body: &Body, out: &mut String) {
    match body {
        Body::Expr(expr) => write_expr(ast, *expr, out),
        Body::Items(inner) => {
            let inner: Vec<_> = inner.iter().map(|one| kind(ast, &one.kind, 0)).collect();
            let _ = write!(out, "{{{}}}", inner.join(" "));
        }
    }
    out.push(')');
}
