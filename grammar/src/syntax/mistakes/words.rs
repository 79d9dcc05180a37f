//! Common mistakes in words: those of other languages, and words of the language where a name is expected.

use super::Mistakes;
use crate::foreign::{self, Role};
use crate::source::Span;
use crate::syntax::codes;
use crate::syntax::scan::{Kind, Token};
use crate::syntax::words::{RESERVED, STATEMENTS};

impl Mistakes<'_> {
    /// The first word of an item.
    pub(super) fn item(&mut self, index: usize) {
        let token = self.tokens[index];
        let word = token.text(self.text);
        if RESERVED.contains(&word) && word != "out" && self.is(index + 1, "=") {
            return self.reserved(index);
        }
        if RESERVED.contains(&word) && self.reserved_target(index) || self.field_of_record(index) {
            return;
        }
        if STATEMENTS.contains(&word) || RESERVED.contains(&word) {
            return;
        }
        if self.line_comment(index) || self.definition_as_value(index) || self.foreign_statement(index) {
            return;
        }
        self.line(index);
    }

    /// `; a comment`, as Csound has them: the mark is the first of its line.
    fn line_comment(&mut self, index: usize) -> bool {
        let Some(&mark) = self.before(index).filter(|before| before.is(";")) else { return false };
        let line = self.text[..mark.start].rfind('\n').map_or(0, |at| at + 1);
        let end = self.item_end(index);
        let equation = self.is(index + 1, "=") || end <= index + 1;
        if equation || !self.text[line..mark.start].trim().is_empty() {
            return false;
        }
        let stop = self.text[mark.end..].find('\n').map_or(self.text.len(), |at| mark.end + at);
        let problem = self.foreign_comment(mark.start, stop, ";");
        self.report(problem.fix(Span::new(self.source, mark.start, mark.end), "//"));
        self.layout.broken.push(self.tokens[index].start);
        self.done = stop;
        true
    }

    /// `verse = section { … }`: a definition where a value stands.
    fn definition_as_value(&mut self, index: usize) -> bool {
        let (name, word) = (self.word(index), self.word(index + 2));
        if !self.is(index + 1, "=") || !matches!(word, "section" | "play" | "instrument" | "effect" | "def") {
            return false;
        }
        let end = self.item_end(index);
        let (start, behind) = (self.tokens[index].start, self.tokens[index + 2].end);
        let form = match word {
            "section" => format!("section {name} 4 bars {{ … }}"),
            "play" => "play { bd |x...| }".into(),
            "def" => format!("def {name}(x) = …"),
            _ => format!("{word} {name} {{ … }}"),
        };
        let message = format!("`{word}` is not a value");
        let problem = self.problem(&codes::STATEMENT_FORM, start, behind, message);
        let problem = problem.help(format!("it begins a line of its own: `{form}`"));
        let place = Span::new(self.source, start, behind);
        let braces = self.is(index + 3, "{");
        self.report(match word {
            "section" if braces => problem.guess(place, format!("section {name} 4 bars")),
            "play" => problem.guess(place, "play"),
            "section" | "instrument" | "effect" => problem.guess(place, format!("{word} {name}")),
            _ if self.is(index + 3, "(") => problem.guess(place, format!("def {name}")),
            _ => problem,
        });
        self.layout.broken.push(start);
        self.layout.text[start] = b'?';
        self.done = self.tokens[end - 1].end;
        true
    }

    /// A line of a score whose target is a word of the language: `out |x...|`.
    fn reserved_target(&mut self, index: usize) -> bool {
        let pattern = if self.is(index + 1, ".") { index + 3 } else { index + 1 };
        let plays = self.at(pattern).is_some_and(|token| matches!(token.kind, Kind::Text | Kind::Tab));
        let is_parameter = self.word(index) == "out" && self.is(index + 1, ".");
        if !self.in_score() || !plays || is_parameter {
            return false;
        }
        let token = self.tokens[index];
        let word = token.text(self.text);
        let message = format!("`{word}` is a word of the language and cannot be played");
        let problem = self.problem(&codes::LINE_FORM, token.start, token.end, message);
        self.report(
            problem
                .help("a line begins with the name of an instrument's equation, or of a knob: `bd |x...|`"),
        );
        self.layout.broken.push(token.start);
        self.done = self.tokens[pattern].start;
        true
    }

    /// True for the first name of a record: `{ low: x }`.
    fn field_of_record(&self, index: usize) -> bool {
        let mut open = index;
        while self.before(open).is_some_and(|before| before.kind == Kind::Newline) {
            open -= 1;
        }
        let opens = open.checked_sub(1).filter(|&brace| self.is(brace, "{"));
        let expects_value = |brace: usize| match self.before(brace) {
            Some(Token { kind: Kind::Symbol(symbol), .. }) => !matches!(*symbol, ")" | "]" | "}"),
            _ => matches!(self.word(brace.wrapping_sub(1)), "then" | "else"),
        };
        self.is(index + 1, ":") && opens.is_some_and(expects_value)
    }

    /// An item that begins with a word of another tool.
    fn foreign_statement(&mut self, index: usize) -> bool {
        let token = self.tokens[index];
        let word = token.text(self.text);
        let next = self.at(index + 1);
        let follows = next.is_none_or(|next| match next.kind {
            Kind::Word | Kind::Number | Kind::Stray | Kind::Newline => true,
            Kind::Text => !self.in_score(),
            Kind::Tab => false,
            Kind::Symbol(symbol) => {
                matches!(symbol, "(" | "{" | "[" | ";" | "}" | "!") || symbol == ":" && !self.in_score()
            }
        });
        let own = |_: &&foreign::Foreign| self.in_score() && self.is_defined(word);
        let function = next.is_some() && self.is(index + 2, "=") && self.is_function(index + 3);
        let follows = follows && !function && !self.is_value(index);
        let row = follows.then(|| foreign::find(Role::Statement, word)).flatten();
        let Some(row) = row.filter(|row| !own(row)) else { return false };
        let span = Span::new(self.source, token.start, token.end);
        let problem =
            self.problem(&codes::FOREIGN_WORD, token.start, token.end, format!("mam has no `{word}`"));
        let rest = self.text[token.end..].split(['\n', ';', '}']).next().unwrap_or_default();
        let problem = problem.help(row.help_before(rest.trim()));
        let after = next.map_or(token.end, |next| next.start);
        if row.words().any(|word| word == "let") && self.is(index + 2, "=") {
            // `let a = 0.5`
            self.report(problem.fix(Span::new(self.source, token.start, after), ""));
            self.repair(token.start, token.end, "");
            return true;
        }
        let (text, end) =
            (rest.trim().contains(".mam\""), self.tokens[self.item_end(index).max(index + 1) - 1].end);
        self.report(match row.word {
            // What another tool's library has is there without it.
            "use" if !text => problem
                .help("what mam has is there without it, so take the line away; a file of your own is read by `use \"name.mam\"`")
                .guess(Span::new(self.source, token.start, end), ""),
            "" => problem,
            word => problem.guess(span, word),
        });
        self.layout.broken.push(token.start);
        // The grammar must not read it as a line or an equation.
        self.layout.text[token.start] = b'?';
        // What it is given belongs to the other tool: `sample :loop, rate: 2`, `d1 $ sound "x"`, `Pbind(\\dur, 0.25)`.
        let given =
            next.is_some_and(|next| next.is(":") || next.is("!") || next.is("(") || next.kind == Kind::Stray);
        self.done = if given { end } else { token.end };
        true
    }

    /// True for a name that is, or begins, the value of a block, `sum i in 0..3 { note }`: what it means is known when names are.
    fn is_value(&self, index: usize) -> bool {
        let ends = self.at(index + 1).is_some_and(|next| match next.kind {
            Kind::Newline => true,
            Kind::Symbol(symbol) => matches!(symbol, "(" | "[" | "}" | ";"),
            _ => false,
        });
        ends && self.in_value()
    }

    /// True where a function without a name begins, `(x) => …` or `x => …`, which is told at its arrow.
    fn is_function(&self, index: usize) -> bool {
        let arrow = if self.is(index, "(") { self.layout.partner[index] + 1 } else { index + 1 };
        self.is(arrow, "=>") || self.is(arrow, "->")
    }

    /// A word that names something, after the word that says what.
    pub(super) fn name(&mut self, index: usize) {
        const NAMING: [&str; 8] =
            ["def", "instrument", "effect", "section", "param", "knob", "input", "chain"];
        let word = self.word(index);
        if matches!(word, "elif" | "elsif" | "elseif") && self.begins_operand(index + 1) {
            let token = self.tokens[index];
            let problem =
                self.problem(&codes::FOREIGN_WORD, token.start, token.end, format!("mam has no `{word}`"));
            let span = Span::new(self.source, token.start, token.end);
            self.report(problem.help("write `else if`").fix(span, "else if"));
            return self.layout.broken.push(token.start);
        }
        if self.loop_head(index) || self.function_block(index) || !RESERVED.contains(&word) {
            return;
        }
        let before = self.word(index - 1);
        let names = NAMING.contains(&before) && (before == "chain" || self.starts_item(index - 1))
            || before == "sum" && self.word(index + 1) == "in";
        let formal = self.is_formal(index);
        if names || formal {
            self.reserved(index);
        }
    }

    /// True for the first word of a formal argument.
    fn is_formal(&self, index: usize) -> bool {
        if !(self.is(index - 1, "(") || self.is(index - 1, ","))
            || !(self.is(index + 1, ")") || self.is(index + 1, ",") || self.is(index + 1, ":"))
        {
            return false;
        }
        self.formals().is_some_and(|formals| formals.contains(&index))
    }

    fn reserved(&mut self, index: usize) {
        let token = self.tokens[index];
        let word = token.text(self.text);
        let message = format!("`{word}` is a word of the language and cannot be a name");
        let problem = self.problem(&codes::RESERVED_NAME, token.start, token.end, message);
        let span = Span::new(self.source, token.start, token.end);
        self.report(
            problem.help(format!("choose another name, such as `{word}_`")).guess(span, format!("{word}_")),
        );
        self.layout.broken.push(token.start);
    }
}
