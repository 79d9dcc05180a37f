//! A JSON song as `.mam` text: its equations, and its transport and commands as lines of a score.
//!
//! The text plays the same events: swing, tempo and positions are said exactly. Two things differ, because `.mam` has
//! bars where JSON has frames: commands come again when the song loops, and at another sample rate they keep their
//! musical time. What cannot be said is left out with a warning at its place.

use super::grid::{Bars, Beat, sequence};
use super::known::Kind;
use super::nodes::{Nodes, Setting};
use super::play::{Command, Lock, PlayedNote, Row};
use super::{Song, codes, score, sound};
use crate::channels::DEFAULT_CHANNELS;
use mam_grammar::ast::{
    Arg, Ast, BinaryOp, Expr, ExprId, Ident, Item, ItemKind, Line, MusicalUnit, Number, PatternText, Quoted,
    Unit,
};
use mam_grammar::json::{Decimal, Transport};
use mam_grammar::syntax::{RESERVED, STATEMENTS, is_name};
use mam_grammar::{Problem, Problems, Span, fmt};
use mam_runtime::score::Rational;
use mam_runtime::sort::Sort;
use rustc_hash::FxHashSet;
use std::sync::Arc;

/// The rate of a song that does not say one.
const DEFAULT_RATE: u32 = 48_000;

/// The song as the text of a `.mam` file.
pub(super) fn to_mam(song: &Song, is_mono: bool, problems: &mut Problems) -> String {
    let (nodes, rest) = fold_start(song);
    let names = names(&nodes);
    other_noise(song, &names, problems);
    let mut ast = sound::ast(&song.graph, &nodes, &song.wires, &names, &song.mix);
    song.matrix.add(&mut ast, &names);
    let mut writer = Writer { song, names, ast, at: song.graph.head, lines: vec![], problems };
    let head = writer.head();
    writer.play(&rest);
    let out = writer.out(is_mono);
    let mut items = head;
    items.append(&mut writer.ast.items);
    if !writer.lines.is_empty() {
        let lines = std::mem::take(&mut writer.lines);
        items.push(Item { doc: None, kind: ItemKind::Play(lines), span: writer.at });
    }
    items.extend(out);
    writer.ast.items = items;
    fmt::print(&writer.ast)
}

/// What is set at the very start becomes part of the equations; the other commands are left.
fn fold_start(song: &Song) -> (Nodes, Vec<&Command>) {
    let mut nodes = song.nodes.clone();
    let mut moving: FxHashSet<(usize, usize)> = FxHashSet::default();
    let mut rest = vec![];
    for command in &song.play.commands {
        match &command.set {
            Some((setting, ramp)) if command.frame.value == 0 => {
                let param = (command.node, setting.param.id);
                if ramp.value() == 0.0 && !moving.contains(&param) {
                    nodes.all[command.node].set(setting.clone());
                } else {
                    moving.insert(param);
                    rest.push(command);
                }
            }
            _ => rest.push(command),
        }
    }
    (nodes, rest)
}

/// Says which nodes have other noise, because it is drawn by their names and these are not the same.
fn other_noise(song: &Song, names: &[Arc<str>], problems: &mut Problems) {
    for ((node, before), name) in song.nodes.all.iter().zip(&song.names).zip(names) {
        if name != before && node.sound().is_some_and(Kind::draws_noise) {
            let message = format!(
                "`{}` is called `{name}` in .mam text, and its noise, drawn by its name, is other noise",
                node.id.value
            );
            let problem = Problem::new(&codes::NOT_IN_MAM, node.id.span, message);
            problems.add(
                problem.help(format!(
                    "to hear the same, call it `{name}` here as well, before you render either"
                )),
            );
        }
    }
}

/// Names that a `.mam` file can have: letters, digits and underscores, none twice, none that mean something else.
fn names(nodes: &Nodes) -> Vec<Arc<str>> {
    let mut taken: FxHashSet<String> = FxHashSet::default();
    let mut name = |id: &str| {
        let mut name: String = id.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        if name.starts_with(|c: char| c.is_ascii_digit()) || name.is_empty() {
            name.insert(0, '_');
        }
        let means_something = |name: &str| {
            !is_name(name)
                || RESERVED.contains(&name)
                || STATEMENTS.contains(&name)
                || super::TAKEN.contains(&name)
        };
        while means_something(&name) || !taken.insert(name.clone()) {
            name.push('_');
        }
        Arc::from(name)
    };
    nodes.all.iter().map(|node| name(&node.id.value)).collect()
}

struct Writer<'a> {
    song: &'a Song,
    names: Vec<Arc<str>>,
    ast: Ast,
    /// The place of what has no other.
    at: Span,
    lines: Vec<Item>,
    problems: &'a mut Problems,
}

impl Writer<'_> {
    fn leave_out(&mut self, span: Span, what: &str) {
        let message = format!("{what} cannot be said in .mam text, and is left out");
        self.problems.add(Problem::new(&codes::NOT_IN_MAM, span, message));
    }

    /// `tempo`, `swing`, `length`.
    fn head(&mut self) -> Vec<Item> {
        let song = self.song;
        if let Some(rate) = song.graph.sample_rate.as_ref().filter(|rate| rate.value != DEFAULT_RATE) {
            self.leave_out(rate.span, "a sample rate");
        }
        let mut kinds = vec![];
        if let Some(count) = self.own_channels() {
            let count = self.number(count.to_string(), None);
            kinds.push(ItemKind::Channels { count, is_ambisonic: false });
        }
        let Some((transport, _)) = song.play.transports.first() else { return self.items(kinds) };
        for (bar, bpm) in score::tempo_steps(transport) {
            let bpm = self.decimal(bpm, None);
            let at = (bar > 0).then(|| self.number((bar + 1).to_string(), None));
            kinds.push(ItemKind::Tempo { bpm, to: None, at, until: None });
        }
        if transport.swing.value() > 0.0 {
            let amount = self.decimal(&transport.swing, Some(Unit::Percent));
            let of = (transport.resolution != 16).then(|| self.fraction(transport.resolution));
            kinds.push(ItemKind::Swing { amount, of });
        }
        let bars = self.number(transport.length_bars.to_string(), None);
        let length = self.ast.add(Expr::Length { amount: bars, unit: MusicalUnit::Bar }, self.at);
        kinds.push(ItemKind::Length(length));
        self.items(kinds)
    }

    fn items(&self, kinds: Vec<ItemKind>) -> Vec<Item> {
        kinds.into_iter().map(|kind| Item { doc: None, kind, span: self.at }).collect()
    }

    /// How many channels the song has, where these are not as many as where nothing is said.
    fn own_channels(&self) -> Option<usize> {
        let count = usize::from(self.song.graph.channels.as_ref()?.value);
        (count != DEFAULT_CHANNELS).then_some(count)
    }

    /// What is heard, the last equations of the text: `mix = …` and `out = [mix.left, mix.right, 0, 0]` where there are more
    /// channels than those of the mix. What is mono is heard on all.
    fn out(&mut self, is_mono: bool) -> Vec<Item> {
        let out = self.ast.items.pop();
        let more = self.own_channels().filter(|&count| count > DEFAULT_CHANNELS && !is_mono);
        let Some(count) = more else { return out.into_iter().collect() };
        let Some(Item { kind: ItemKind::Equation { name: out, value }, span, .. }) = out else {
            return vec![];
        };
        let mut name = "mix".to_owned();
        while self.names.iter().any(|taken| **taken == *name) {
            name.push('_');
        }
        let name = Ident::new(&name, span);
        let mut sides = vec![];
        for side in ["left", "right"] {
            let of = self.ast.add(Expr::Name(name.clone()), span);
            sides.push(self.ast.add(Expr::Field { of, field: Ident::new(side, span) }, span));
        }
        for _ in DEFAULT_CHANNELS..count {
            sides.push(self.number("0".into(), None));
        }
        let list = self.ast.add(Expr::List(sides), span);
        self.items(vec![ItemKind::Equation { name, value }, ItemKind::Equation { name: out, value: list }])
    }

    fn play(&mut self, commands: &[&Command]) {
        let song = self.song;
        for (other, _) in song.play.transports.iter().skip(1) {
            self.leave_out(other.node.as_ref().map_or(other.head, |id| id.span), "a second transport");
        }
        let first = song.play.transports.first();
        let plays = |row: &Row| !row.locks.is_empty() || row.plays();
        if commands.is_empty() && !first.is_some_and(|(_, rows)| rows.iter().any(plays)) {
            return; // Without `play`, every instrument plays once at the start, as here.
        }
        let bars = Bars::new(first.map(|(t, _)| t), song.rate.unwrap_or(DEFAULT_RATE), commands);
        for &node in &song.starts {
            self.start(node, &bars);
        }
        self.commands(commands, &bars);
        if let Some((transport, rows)) = first {
            for row in rows {
                self.row(transport, row);
            }
        }
    }

    /// An instrument that plays once, at the start.
    fn start(&mut self, node: usize, bars: &Bars) {
        let song = self.song;
        let id = &song.nodes.all[node].id;
        match bars.notation(&[(0, "x".to_owned())], true).map(|text| self.notation(text)) {
            Some(pattern) => {
                self.line(node, None, pattern, None, vec![]);
                let message = format!("`{}` plays once here; as .mam text, in each pass", id.value);
                self.problems.add(Problem::new(&codes::NOT_IN_MAM, id.span, message));
            }
            None => self.leave_out(id.span, "a hit in so many bars"),
        }
    }

    fn row(&mut self, transport: &Transport, row: &Row) {
        for group in score::lock_groups(&row.locks) {
            self.locks(transport, row.node, &group);
        }
        if row.steps.contains(&true) {
            match hit_bars(transport, &row.steps) {
                Some(bars) => {
                    let pattern = self.tab(bars);
                    self.line(row.node, None, pattern, None, vec![]);
                }
                None => self.leave_out(row.span, "a pattern that runs over so many bars"),
            }
        }
        self.notes(transport, row);
    }

    /// The notes of a row: a line for those of one length and delay that do not sound together.
    fn notes(&mut self, transport: &Transport, row: &Row) {
        let mut lines: Vec<Vec<(Placed, &PlayedNote)>> = vec![];
        let mut notes: Vec<(Placed, &PlayedNote)> = vec![];
        for note in &row.notes {
            match Placed::new(note, transport.resolution, row.bars) {
                Some(placed) => notes.push((placed, note)),
                None => self.leave_out(note.span, "a note that lasts beyond the bars of its pattern"),
            }
        }
        notes.sort_by_key(|(placed, _)| placed.begin);
        for (placed, note) in notes {
            let goes_on = |line: &&mut Vec<(Placed, &PlayedNote)>| {
                line.last().is_some_and(|(last, other)| {
                    last.end <= placed.begin && (other.gate, other.delay) == (note.gate, note.delay)
                })
            };
            match lines.iter_mut().find(goes_on) {
                Some(line) => line.push((placed, note)),
                None => lines.push(vec![(placed, note)]),
            }
        }
        for line in lines {
            let Some(text) = notation(&line) else {
                self.leave_out(row.span, "a time with so many digits");
                continue;
            };
            let (first, pattern) = (line[0].1, self.notation(text));
            let mut modifiers = vec![];
            if row.bars > 1 {
                modifiers.push(self.modifier("slow", row.bars.to_string(), None));
            }
            if first.gate != 1.0 {
                modifiers.push(self.modifier("legato", first.gate.to_string(), None));
            }
            if first.delay != 0.0 {
                modifiers.push(self.modifier("nudge", first.delay.to_string(), Some(Unit::S)));
            }
            self.line(row.node, None, pattern, None, modifiers);
        }
    }

    /// A change of a line by a number.
    fn modifier(&mut self, name: &str, digits: String, unit: Option<Unit>) -> ExprId {
        let value = self.number(digits, unit);
        let args = vec![Arg { name: None, value }];
        self.ast.add(Expr::Call { callee: Ident::new(name, self.at), args }, self.at)
    }

    fn locks(&mut self, transport: &Transport, node: usize, group: &[&Lock]) {
        let Some(first) = group.first() else { return };
        let mut beats: Vec<Beat> = group
            .iter()
            .map(|lock| {
                (Rational::ratio(lock.step.into(), transport.resolution), Some(written(&lock.setting)))
            })
            .collect();
        beats.put_in_order_by_key(|beat| beat.0);
        let pattern = sequence(&beats).map(|text| self.notation(text));
        self.setting_line(node, &first.setting, &first.ramp, pattern);
    }

    /// Commands as lines that last for the whole song: one for the triggers of each node, one for each parameter and
    /// ramp.
    fn commands(&mut self, commands: &[&Command], bars: &Bars) {
        let mut groups: Vec<Vec<&Command>> = vec![];
        for &command in commands {
            if !bars.contains(command.frame.value) {
                self.leave_out(command.frame.span, "a command after the song has begun again");
                continue;
            }
            let same = |other: &Command| {
                let key = |c: &Command| c.set.as_ref().map(|(s, ramp)| (s.param.id, ramp.text().to_owned()));
                other.node == command.node && key(other) == key(command)
            };
            match groups.iter_mut().find(|group| same(group[0])) {
                Some(group) => group.push(command),
                None => groups.push(vec![command]),
            }
        }
        groups.put_in_order_by_key(|group| group[0].set.is_none());
        for mut group in groups {
            group.put_in_order_by_key(|command| command.frame.value);
            let values = group
                .iter()
                .map(|c| (c.frame.value, c.set.as_ref().map_or("x".to_owned(), |s| written(&s.0))));
            let pattern = bars
                .notation(&values.collect::<Vec<_>>(), group[0].set.is_none())
                .map(|text| self.notation(text));
            match &group[0].set {
                Some((setting, ramp)) => self.setting_line(group[0].node, setting, ramp, pattern),
                None => match pattern {
                    Some(pattern) => self.line(group[0].node, None, pattern, None, vec![]),
                    None => self.leave_out(group[0].frame.span, "a time with so many digits"),
                },
            }
        }
    }

    fn setting_line(&mut self, node: usize, setting: &Setting, ramp: &Decimal, pattern: Option<PatternText>) {
        let Some(pattern) = pattern else {
            return self.leave_out(setting.span, "a time with so many digits");
        };
        let over = (ramp.value() > 0.0).then(|| self.decimal(ramp, Some(Unit::Ms)));
        self.line(node, Some(&setting.param.name), pattern, over, vec![]);
    }

    fn line(
        &mut self,
        node: usize,
        param: Option<&str>,
        pattern: PatternText,
        over: Option<ExprId>,
        modifiers: Vec<ExprId>,
    ) {
        let words = [Some(&*self.names[node]), param];
        let target = words.into_iter().flatten().map(|word| Ident::new(word, self.at)).collect();
        let line = Line { target, pattern, modifiers, over, curve_exp: false };
        self.lines.push(Item { doc: None, kind: ItemKind::Line(line), span: self.at });
    }

    fn tab(&self, bars: Vec<String>) -> PatternText {
        PatternText::Tab { bars: bars.into_iter().map(|bar| self.quoted(bar)).collect(), by: None }
    }

    fn notation(&self, text: String) -> PatternText {
        PatternText::Notation(self.quoted(text))
    }

    fn quoted(&self, text: String) -> Quoted {
        Quoted { text: text.into(), span: self.at }
    }

    fn number(&mut self, digits: String, unit: Option<Unit>) -> ExprId {
        self.ast.add(Expr::Number(Number { digits: digits.into(), unit }), self.at)
    }

    fn decimal(&mut self, decimal: &Decimal, unit: Option<Unit>) -> ExprId {
        self.number(decimal.plain(), unit)
    }

    /// `1/n`
    fn fraction(&mut self, n: u32) -> ExprId {
        let (a, b) = (self.number("1".to_owned(), None), self.number(n.to_string(), None));
        self.ast.add(Expr::Binary { op: BinaryOp::Div, a, b }, self.at)
    }
}

/// Where a note begins and ends, as parts of its row.
#[derive(Clone, Copy)]
struct Placed {
    begin: Rational,
    end: Rational,
}

impl Placed {
    /// The place of a note in `bars` of so many steps; None where it lasts longer than these.
    fn new(note: &PlayedNote, resolution: u32, bars: u32) -> Option<Placed> {
        let all = Rational::whole(i64::from(resolution) * i64::from(bars));
        let first = Rational::whole(note.step.into());
        let last = (first + Rational::from_decimal(note.steps.text())?).ok()?;
        (last <= all).then_some(())?;
        Some(Placed { begin: (first / all).ok()?, end: (last / all).ok()? })
    }
}

/// Notes one after the other: `c4@2 ~@2 60:0.5@4`. None when it does not fit.
fn notation(notes: &[(Placed, &PlayedNote)]) -> Option<String> {
    let ends = notes.iter().flat_map(|(placed, _)| [placed.begin, placed.end]);
    let slots = ends
        .into_iter()
        .try_fold(1_i128, |all, at| (all / num_integer::gcd(all, at.den())).checked_mul(at.den()))?;
    let slot = |at: Rational| slots / at.den() * at.num();
    let (mut words, mut at) = (vec![], 0);
    let mut push = |word: String, length: i128| match length {
        0 => {}
        1 => words.push(word),
        length => words.push(format!("{word}@{length}")),
    };
    for (placed, note) in notes {
        push("~".to_owned(), slot(placed.begin) - at);
        let pitch = note.note.map_or("x".to_owned(), |note| note.to_string());
        let word = if note.vel == 1.0 { pitch } else { format!("{pitch}:{}", note.vel) };
        push(word, slot(placed.end) - slot(placed.begin));
        at = slot(placed.end);
    }
    push("~".to_owned(), slots - at);
    Some(words.join(" "))
}

/// A value as a notation says it: `140Hz`.
fn written(setting: &Setting) -> String {
    let unit = setting.written.unit.map_or("", Unit::text);
    format!("{}{unit}", setting.written.digits)
}

/// The hits as bars of a drum tab; None when they are too many.
fn hit_bars(transport: &Transport, steps: &[bool]) -> Option<Vec<String>> {
    const MOST: usize = 64;
    let bar = transport.resolution as usize;
    let pass = bar * transport.length_bars as usize;
    let whole = match steps.len() {
        n if n <= bar => bar,
        n if n.is_multiple_of(bar) && pass.is_multiple_of(n) => n,
        _ => pass,
    };
    let cycle = if steps.len() <= bar { bar } else { whole };
    let repeated = steps.iter().cycle().take(cycle);
    let hits: Vec<char> = repeated.map(|&hit| if hit { 'x' } else { '.' }).collect();
    (hits.len() / bar <= MOST).then(|| hits.chunks(bar).map(|bar| bar.iter().collect()).collect())
}
