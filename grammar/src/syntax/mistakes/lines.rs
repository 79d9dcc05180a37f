//! Common mistakes in the lines of a score: marks after the target, patterns without quotes, functions as changes.

use super::Mistakes;
use crate::foreign::{self, Role};
use crate::problem::nearest;
use crate::source::Span;
use crate::syntax::codes;
use crate::syntax::layout::{closing, is_separator};
use crate::syntax::scan::Kind;
use crate::syntax::words::{JOINS, SIGNALS};

impl Mistakes<'_> {
    /// True for an item of a `play` block or a section.
    pub(super) fn in_score(&self) -> bool {
        self.block_word().is_some_and(|word| matches!(word, "play" | "section"))
    }

    /// True for an item of a block, which the braces of a record are not.
    pub(super) fn in_block(&self) -> bool {
        const BLOCKS: [&str; 4] = ["play", "section", "instrument", "effect"];
        self.block_word().is_some_and(|word| BLOCKS.contains(&word))
    }

    /// True within a block that has a value: of a sum, a region or a definition.
    pub(super) fn in_value(&self) -> bool {
        const OTHERS: [&str; 7] = ["play", "section", "instrument", "effect", "kit", "matrix", "preset"];
        self.block_word().is_some_and(|word| !OTHERS.contains(&word))
    }

    /// The first word of the item whose block is open here.
    fn block_word(&self) -> Option<&str> {
        let around = self.starts.len().checked_sub(2)?;
        Some(self.word(self.starts[around]))
    }

    /// The end of the item around a token: the token after its last.
    pub(super) fn item_end(&self, index: usize) -> usize {
        let mut at = index;
        while at < self.tokens.len() && !is_separator(&self.tokens[at]) && closing(&self.tokens[at]).is_none()
        {
            at = self.layout.partner[at].max(at) + 1;
        }
        at.min(self.tokens.len())
    }

    /// The end of the written line around a token, or `end` where that comes first: the token after its last. Grids without bar
    /// lines end in marks that would go on with the next line.
    fn row_end(&self, index: usize, end: usize) -> usize {
        let mut at = index;
        while at < end {
            let next = self.layout.partner[at].max(at) + 1;
            if next >= end || self.text[self.tokens[next - 1].end..self.tokens[next].start].contains('\n') {
                return next.min(end);
            }
            at = next;
        }
        end
    }

    /// A line of a score whose pattern is not between quotes or bar lines, or that has a mark after its target.
    pub(super) fn line(&mut self, index: usize) -> bool {
        if !self.in_score() {
            return false;
        }
        let mut at = index + 1;
        while self.is(at, ".") && !self.word(at + 1).is_empty() {
            at += 2;
        }
        let item_end = self.item_end(at);
        let end = self.row_end(at, item_end);
        let Some(next) = self.at(at).filter(|_| at < end) else { return false };
        if matches!(next.kind, Kind::Text | Kind::Tab) || self.is_made(at, end) {
            return false;
        }
        if at + 1 == end && (self.text[next.start..next.end] == *"~" || next.is("-")) {
            self.done = next.end;
            return true;
        }
        let name = &self.text[self.tokens[index].start..self.tokens[at - 1].end];
        let marked = [":", "=", "->", "=>", "|>", ",", "<", "-", ">", ">>", "+=", ":="]
            .iter()
            .any(|mark| next.is(mark));
        let pattern =
            (at + 1..end.min(at + 3)).find(|&at| matches!(self.tokens[at].kind, Kind::Text | Kind::Tab));
        if let Some(pattern) = pattern.filter(|_| marked) {
            self.marked(at, pattern, name);
            return true;
        }
        let equation = next.is("=") && at == index + 1;
        if equation || next.is(".") {
            return false;
        }
        self.unquoted(at, end, name);
        if end < item_end {
            self.line(end);
        }
        true
    }

    /// What may stand in the place of a quoted pattern: a signal, or patterns joined.
    fn is_made(&self, at: usize, end: usize) -> bool {
        let ends = at + 1 >= end || self.is(at + 1, ".") || matches!(self.word(at + 1), "over" | "curve");
        SIGNALS.contains(&self.word(at)) && ends || JOINS.contains(&self.word(at)) && self.is(at + 1, "(")
    }

    /// `bd: |x...|`
    fn marked(&mut self, at: usize, pattern: usize, name: &str) {
        let (start, end) = (self.tokens[at].start, self.tokens[pattern - 1].end);
        let (gap, mark) = (self.tokens[at - 1].end, &self.text[start..end]);
        let message = format!("no `{mark}` stands between a target and its pattern");
        let problem = self.problem(&codes::LINE_FORM, start, end, message);
        let shown = self.text[self.tokens[pattern].start..self.tokens[pattern].end]
            .lines()
            .next()
            .unwrap_or_default();
        let span = Span::new(self.source, gap, self.tokens[pattern].start);
        self.report(problem.help(format!("write `{name} {shown}`")).fix(span, " "));
        self.repair(start, end, "");
        self.done = end;
    }

    /// `bd x ~ x`, `bd [x x]`, `bd.gain 0.5`, `bd("x*4")`
    fn unquoted(&mut self, at: usize, end: usize, name: &str) {
        if self.called_pattern(at, end, name) {
            return;
        }
        let mark = self.is(at, "=") || self.is(at, ":");
        let first = if mark && at + 1 < end { at + 1 } else { at };
        let (start, stop) = (self.tokens[first].start, self.tokens[end - 1].end);
        let rest = &self.text[start..stop];
        let call = !self.word(first).is_empty() && self.is(first + 1, "(");
        let plays = call && !name.contains('.');
        let place = (self.tokens[at].start, stop);
        let problem =
            self.problem(&codes::LINE_FORM, place.0, place.1, "a pattern stands between quotes or bar lines");
        let problem = if let Some(meant) =
            called_last(self.word(first), rest).filter(|_| call && !name.contains('.'))
        {
            let span = Span::new(self.source, self.tokens[at - 1].end, stop);
            problem.help(format!("write `{name} {meant}`")).guess(span, format!(" {meant}"))
        } else if let Some(row) =
            foreign::find(Role::Modifier, self.word(first)).filter(|row| !call && !row.value.is_empty())
        {
            // `isaw.segment(4)`: what takes the place of a signal that mam has not.
            let meant = format!("{}{}", row.value, &rest[self.word(first).len()..]);
            let span = Span::new(self.source, self.tokens[at - 1].end, stop);
            problem.help(format!("write `{name} {meant}`")).guess(span, format!(" {meant}"))
        } else if self.is(first + 1, ".")
            && let Some(signal) = nearest(self.word(first), &SIGNALS)
        {
            let meant = format!("{signal}{}", &rest[self.word(first).len()..]);
            let word = self.tokens[first].start..self.tokens[first].end;
            let span = Span::new(self.source, word.start, word.end);
            problem.help(format!("did you mean `{name} {meant}`?")).guess(span, signal)
        } else if let Some(row) =
            foreign::find(Role::Modifier, self.word(first)).filter(|row| row.word.is_empty() && plays)
        {
            problem.help(row.help())
        } else if call {
            let param = name.rsplit('.').next().unwrap_or(name);
            problem.help(format!(
                "a line takes its values from a text, such as `{name} \"0.2 1\" over 1 bar`; a signal is given to the call that \
                 makes the instrument: `{param}: {rest}`"
            ))
        } else if rest.contains('"') && !rest.starts_with("(\"") {
            problem.help("a line is a target, a pattern and modifiers: `bd \"x*4\".fast(2)`")
        } else if let Some((target, _)) =
            name.split_once('.').filter(|_| rest.starts_with("(\"") && has_no_number(rest))
        {
            // `bd.play("x*4")`: the pattern is not one of values.
            let meant = pattern_of(rest);
            let start = self.tokens[at - 1].end - (name.len() - target.len());
            let span = Span::new(self.source, start, stop);
            problem.help(format!("write `{target} {meant}`")).guess(span, format!(" {meant}"))
        } else {
            let meant = pattern_of(rest);
            let span = Span::new(self.source, self.tokens[at - 1].end, stop);
            problem.help(format!("write `{name} {meant}`")).guess(span, format!(" {meant}"))
        };
        self.report(problem);
        self.layout.broken.push(place.0);
        self.done = place.1;
    }

    /// `"0.5 1".over(1 beat)`: what stands behind the pattern of a line, written as a modifier.
    pub(super) fn called_clause(&mut self, point: usize) -> bool {
        let (word, open) = (self.word(point + 1), point + 2);
        let behind = self.before(point).is_some_and(|before| {
            matches!(before.kind, Kind::Text | Kind::Tab) || before.is(")") || before.kind == Kind::Word
        });
        let close = if self.is(open, "(") { self.layout.partner[open] } else { open };
        if !self.in_score() || !behind || !matches!(word, "over" | "by") || close <= open + 1 {
            return false;
        }
        let inside = &self.text[self.tokens[open].end..self.tokens[close].start];
        let meant = format!(" {word} {}", inside.trim());
        let (start, end) = (self.tokens[point].start, self.tokens[close].end);
        let name = self.tokens[point + 1];
        let message = format!("`{word}` is not a modifier: it stands behind the pattern without a point");
        let span = Span::new(self.source, start, end);
        let mut problem = self.problem(&codes::LINE_FORM, name.start, name.end, message);
        problem = problem.help(format!("write `{}`, as the last of the line", meant.trim()));
        // Modifiers stand before it.
        let last = close + 1 >= self.item_end(close);
        self.report(if last || word == "by" { problem.fix(span, meant) } else { problem });
        for at in [point, open, close] {
            self.layout.text[self.tokens[at].start] = b' ';
        }
        if !last && word == "over" {
            self.layout.broken.push(start);
            self.done = self.tokens[self.item_end(close) - 1].end;
        }
        true
    }

    /// `p note("c3 e3")`, `p chord("<Am C>")`: the pattern is what another tool's function was given.
    fn called_pattern(&mut self, at: usize, end: usize, name: &str) -> bool {
        let word = self.word(at);
        let text = self
            .at(at + 2)
            .filter(|text| text.kind == Kind::Text && self.is(at + 1, "(") && self.is(at + 3, ")"));
        let Some(text) = text.filter(|_| at + 4 <= end) else { return false };
        let pattern = text.text(self.text);
        let modifier = foreign::is_modifier(word);
        let meant = if modifier { format!("{pattern}.{word}") } else { pattern.to_owned() };
        let (start, stop) = (self.tokens[at].start, self.tokens[at + 3].end);
        let message = format!("`{word}` does not stand before the pattern of a line");
        let problem = self
            .problem(&codes::LINE_FORM, start, stop, message)
            .help(format!("write `{name} {meant}`"))
            .fix(Span::new(self.source, start, stop), meant.as_str());
        self.report(problem);
        if modifier {
            self.layout.broken.push(start);
            self.layout.text[start] = b'?';
        } else {
            self.layout.text[start..text.start].fill(b' ');
            self.layout.text[text.end..stop].fill(b' ');
        }
        self.done = stop;
        true
    }

    /// A function where a change of a pattern stands: `x => x.fast(2)`, `\x -> x.fast(2)`, `lambda x: x.fast(2)`.
    pub(super) fn lambda(&mut self, index: usize) -> bool {
        // The name, and where the function begins.
        let arrow = !self.is_stray(index);
        let (name, start) = match arrow {
            true if self.is(index.wrapping_sub(1), ")") => (index.wrapping_sub(2), index.wrapping_sub(3)),
            true => (index.wrapping_sub(1), index.wrapping_sub(1)),
            false => (index + 1, index),
        };
        let body = if arrow { index + 1 } else { index + 3 };
        let word = self.word(name);
        let fun = arrow && matches!(self.word(start.wrapping_sub(1)), "fun" | "fn" | "function" | "lambda");
        let start = if fun || arrow && self.is_stray(start.wrapping_sub(1)) { start - 1 } else { start };
        let opens = self.before(start).is_some_and(|before| before.is("(") || before.is(","));
        if word.is_empty() || !opens || !self.begins_operand(body) {
            return false;
        }
        self.function(start, body, word);
        true
    }

    /// `|x| x.fast(2)`
    pub(super) fn closure(&mut self, index: usize) -> bool {
        let opens = self.before(index).is_some_and(|before| before.is("(") || before.is(","));
        let word = self.word(index + 1);
        if !opens || word.is_empty() || !self.is(index + 2, "|") || !self.begins_operand(index + 3) {
            return false;
        }
        self.function(index, index + 3, word);
        true
    }

    fn is_stray(&self, index: usize) -> bool {
        self.at(index).is_some_and(|token| token.kind == Kind::Stray)
    }

    /// Reports a function whose body begins with token `body`, and leaves the body alone.
    pub(super) fn function(&mut self, start: usize, body: usize, word: &str) {
        let applied = self.word(body) == word && self.is(body + 1, ".");
        let body = if applied { body + 2 } else { body };
        let (from, to) = (self.tokens[start].start, self.tokens[body].start);
        let problem = self
            .problem(&codes::FOREIGN_OPERATOR, from, to, "a change is written by itself, without a function")
            .help("write the modifier alone: `.every(4, fast(2))`; one after another: `.every(4, fast(2).rev())`");
        self.report(problem.fix(Span::new(self.source, from, to), ""));
        self.layout.text[from..to].fill(b' ');
        self.done = to;
    }
}

/// What was probably meant by a pattern without quotes.
fn pattern_of(rest: &str) -> String {
    let rest = rest.trim();
    let inner = rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or(rest).trim();
    if inner.starts_with('"') {
        return inner.to_owned();
    }
    // A quote of another kind that nothing closes.
    if matches!(inner, "silence" | "hush" | "rest" | "mute") {
        return "\"~\"".into();
    }
    let inner = inner.trim_matches(['\'', '`', '´', '“', '”', '„', '‘', '’']);
    let step = |c: char| crate::syntax::TAB_CHARACTERS.contains(c);
    let tab = inner.len() > 2 && inner.chars().all(step) && inner.contains("..") && !inner.contains("_ ");
    if tab
        || inner.len() > 2
            && inner.chars().all(step)
            && inner.contains('.')
            && inner.contains('x')
            && !inner.contains(' ')
    {
        return format!("|{inner}|");
    }
    // A list of other languages: its elements follow one another.
    let list = inner.strip_prefix('[').and_then(|inner| inner.strip_suffix(']'));
    if let Some(list) = list.filter(|list| list.contains(',') && !list.contains('[')) {
        let steps: Vec<&str> = list.split(',').map(str::trim).collect();
        return format!("\"{}\"", steps.join(" ").replace('"', ""));
    }
    format!("\"{}\"", inner.replace('"', ""))
}

/// `fast(2, "x*4")`, with the pattern as the last argument, as a line has it: `"x*4".fast(2)`.
fn called_last(callee: &str, call: &str) -> Option<String> {
    let args = call.strip_prefix(callee)?.trim_start().strip_prefix('(')?.strip_suffix(')')?;
    let (others, pattern) = args.strip_suffix('"')?.rsplit_once('"')?;
    let others = others.trim_end().strip_suffix(',')?.trim();
    (!others.contains('"')).then(|| format!("\"{pattern}\".{callee}({others})"))
}

/// Whether no word of a text begins as a number does.
fn has_no_number(text: &str) -> bool {
    let number = |word: &str| word.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '.'));
    !text.split(|c: char| c.is_whitespace() || "([{<\"',".contains(c)).any(number)
}
