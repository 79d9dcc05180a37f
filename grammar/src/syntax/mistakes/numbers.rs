//! Common mistakes in numbers: points without digits, units that do not exist or stand apart, other forms.

use super::Mistakes;
use crate::ast::Unit;
use crate::float;
use crate::problem::nearest;
use crate::source::Span;
use crate::syntax::codes;
use crate::syntax::scan::Kind;
use crate::syntax::words::digits_of;

impl Mistakes<'_> {
    pub(super) fn number(&mut self, index: usize) {
        let token = self.tokens[index];
        let text = token.text(self.text);
        let digits = digits_of(text);
        let (number, unit) = text.split_at(digits);
        if unit.is_empty() {
            self.plain_number(index, number);
        } else if unit == "%" && self.touches(index) && self.begins_operand(index + 1) {
            self.remainder(token.end - 1, token.end);
        } else if Unit::from_text(unit).is_none() && !MUSICAL.contains(&unit) {
            self.unknown_unit(token.start + digits, token.end, number);
        }
    }

    /// A number without a unit: what stands after it may have been meant as a part of it.
    fn plain_number(&mut self, index: usize, number: &str) {
        let token = self.tokens[index];
        let Some(&next) = self.at(index + 1) else { return };
        let word = self.word(index + 1);
        if next.is(".") && self.touches(index) && !number.contains('.') {
            return self.open_point(index);
        }
        // Octaves stand apart.
        let unit = Unit::from_text(word).filter(|unit| *unit != Unit::Octaves);
        let unit = unit.or_else(|| synonym(word).filter(|_| word.len() > 1));
        let percent = next.is("%") && !self.begins_operand(index + 2);
        if let Some(unit) = unit.or(percent.then_some(Unit::Percent)) {
            let unit = unit.text();
            if self.fraction(index, unit) {
                return;
            }
            let message = format!("the unit `{}` stands apart from its number", next.text(self.text));
            let problem = self.problem(&codes::UNIT_APART, token.start, next.end, message);
            let span = Span::new(self.source, token.start, next.end);
            self.report(problem.help(format!("write `{number}{unit}`")).fix(span, format!("{number}{unit}")));
            // The number keeps its place, where its sign may touch it.
            let width = next.end - token.start;
            self.repair(token.start, next.end, &format!("{:width$}", format!("{number}{unit}")));
        }
    }

    /// `1/2 kHz`, which is either half of the unit or the time of two.
    fn fraction(&mut self, index: usize, unit: &str) -> bool {
        let above = index.checked_sub(2).filter(|&above| self.tokens[above].kind == Kind::Number);
        let Some(above) = above.filter(|_| self.is(index - 1, "/")) else { return false };
        let (token, next) = (self.tokens[index], self.tokens[index + 1]);
        let (over, under) = (self.tokens[above].text(self.text), token.text(self.text));
        let message = format!("the unit `{}` stands apart from its number", next.text(self.text));
        let start = self.tokens[above].start;
        let problem = self.problem(&codes::UNIT_APART, start, next.end, message);
        self.report(problem.help(format!("write `{over}{unit} / {under}`, or `{over} / {under}{unit}`")));
        self.layout.broken.push(start);
        self.done = next.end;
        true
    }

    /// `5.`
    fn open_point(&mut self, index: usize) {
        let (token, point) = (self.tokens[index], self.tokens[index + 1]);
        let field = self.touches(index + 1) && self.at(index + 2).is_some_and(|next| next.kind == Kind::Word);
        let unit = field && Unit::from_text(self.word(index + 2)).is_some();
        if field && !unit {
            return;
        }
        let number = token.text(self.text);
        let tail = if unit { self.word(index + 2) } else { "" };
        let problem = self.problem(
            &codes::OPEN_POINT,
            token.start,
            point.end,
            "a number has digits on both sides of its point",
        );
        let span = Span::new(self.source, token.start, point.end + tail.len());
        let help = format!("write `{number}{tail}` or `{number}.0{tail}`");
        self.report(problem.help(help).fix(span, format!("{number}{tail}")));
        self.repair(point.start, point.end + tail.len(), &format!("{tail} "));
    }

    fn unknown_unit(&mut self, start: usize, end: usize, number: &str) {
        let unit = &self.text[start..end];
        let number_start = start - number.len();
        let form = |mistakes: &Self| {
            let message = "a number is written in decimal digits alone";
            mistakes.problem(&codes::NUMBER_FORM, number_start, end, message)
        };
        if let Some(value) = other_form(number, unit) {
            let span = Span::new(self.source, number_start, end);
            let help = format!("write `{value}`, without `E`, `_` or `0x`");
            self.report(form(self).help(help).fix(span, value.as_str()));
            return self.repair(number_start, end, &value);
        }
        if unit == "E" {
            // The exponent is a token of its own: `1E-3`.
            let problem = form(self).help("an exponent has an `e` in lower case: `1e-3`");
            self.report(problem.fix(Span::new(self.source, start, end), "e"));
            return self.repair(start, end, "e");
        }
        if matches!(&*unit.to_ascii_lowercase(), "edo" | "tet") && self.word(self.start()) == "tuning" {
            // `19edo`, as it is said.
            let meant = format!("edo {number}");
            let problem =
                self.problem(&codes::STATEMENT_FORM, number_start, end, "`edo` stands before its number");
            let place = Span::new(self.source, number_start, end);
            self.report(problem.help(format!("write `tuning {meant}`")).fix(place, meant));
            return self.layout.broken.push(number_start);
        }
        let span = Span::new(self.source, start, end);
        let problem = self.problem(&codes::UNKNOWN_UNIT, start, end, format!("there is no unit `{unit}`"));
        if let Some((factor, base)) = self.converted(unit) {
            let value = float::parse(number).unwrap_or(0.0) * factor;
            let (whole, value) = (Span::new(self.source, number_start, end), format!("{value}{base}"));
            let help = match base {
                "" => format!("write it with a plain number: `{value}`"),
                " * tau" => format!("an angle is in radians, `{value}`; a phase is in turns, without `tau`"),
                _ => format!("write it with another unit: `{value}`"),
            };
            self.report(problem.help(help).fix(whole, value.trim()));
            return self.repair(start, end, "");
        }
        let known: Vec<_> = Unit::ALL.iter().map(|unit| unit.text()).chain(["beats", "bars"]).collect();
        let meant =
            synonym(unit).map(Unit::text).or_else(|| nearest(unit, &known).filter(|_| unit.len() > 1));
        let list = format!("units: {}", known.join(", "));
        let problem = match meant {
            Some(meant) => problem.here(format!("did you mean `{meant}`?")).help(list).fix(span, meant),
            None => problem
                .help(format!("{list}; a product is written `{number} * {unit}`"))
                .guess(Span::new(self.source, start, start), " * "),
        };
        self.report(problem);
        // Without the unit it would be another number, of which other things are wrong.
        match meant.filter(|meant| meant.len() <= unit.len()) {
            Some(meant) => self.repair(start, end, &format!("{meant:width$}", width = unit.len())),
            None => self.layout.broken.push(start),
        }
    }

    /// What a unit of other programs is here: the factor to a unit of mam, or to a plain number.
    fn converted(&self, unit: &str) -> Option<(f64, &'static str)> {
        let unit = unit.to_ascii_lowercase();
        // The speed of a tempo is a number; everywhere else it is that of something that is repeated.
        if unit == "bpm" && self.word(self.start()) == "tempo" {
            return Some((1.0, ""));
        }
        CONVERTED.iter().find(|(other, ..)| *other == unit).map(|&(_, factor, base)| (factor, base))
    }
}

const MUSICAL: [&str; 5] = ["beat", "beats", "bar", "bars", "octave"];

/// Units of other programs, each with its factor to a unit of mam, or to a plain number.
const CONVERTED: [(&str, f64, &str); 16] = [
    ("bpm", 1.0 / 60.0, "Hz"),
    ("x", 1.0, ""),
    ("f", 1.0, ""),
    ("lufs", 1.0, ""),
    ("lkfs", 1.0, ""),
    ("deg", 1.0 / 360.0, " * tau"),
    ("min", 60.0, "s"),
    ("mins", 60.0, "s"),
    ("minutes", 60.0, "s"),
    ("m", 60.0, "s"),
    ("h", 3600.0, "s"),
    ("us", 0.001, "ms"),
    ("oct", 12.0, "st"),
    ("samples", 1.0, " * dt"),
    ("smp", 1.0, " * dt"),
    ("samp", 1.0, " * dt"),
];

/// Units as other programs write them.
fn synonym(word: &str) -> Option<Unit> {
    const WORDS: [(Unit, &[&str]); 8] = [
        (Unit::Hz, &["hz", "HZ", "hertz", "Hertz"]),
        (Unit::KHz, &["khz", "KHz", "KHZ", "k", "kilohertz"]),
        (Unit::Ms, &["msec", "msecs", "MS", "Ms", "millis", "milliseconds"]),
        (Unit::S, &["sec", "secs", "second", "seconds", "S"]),
        (Unit::Db, &["db", "DB", "Db", "decibel", "decibels", "dBFS", "dbfs", "dBTP", "dBu"]),
        (Unit::Percent, &["pct", "percent"]),
        (Unit::St, &["semi", "semis", "semitone", "semitones", "semitons"]),
        (Unit::Ct, &["c", "cent", "cents"]),
    ];
    WORDS.iter().find(|(_, words)| words.contains(&word)).map(|(unit, _)| *unit)
}

/// What a number in the form of another language says: `1E3`, `1_000`, `0x10`.
fn other_form(number: &str, unit: &str) -> Option<String> {
    if let Some(hexadecimal) = unit.strip_prefix(['x', 'X']).filter(|_| number == "0") {
        return u64::from_str_radix(hexadecimal, 16).ok().map(|value| value.to_string());
    }
    let whole: String = [number, unit].concat().replace('_', "");
    let plain = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let known = |unit: &str| unit.is_empty() || Unit::from_text(unit).is_some() || MUSICAL.contains(&unit);
    if unit.starts_with('_') {
        let (digits, unit) = whole.split_at(digits_of(&whole));
        return (plain(digits) && known(unit)).then_some(whole);
    }
    let exponent = unit.strip_prefix('E').filter(|exponent| !exponent.is_empty() && plain(exponent))?;
    Some(format!("{number}e{exponent}"))
}
