//! From the notation's tree to a pattern.

use super::codes::{PATTERN_FRACTION, PATTERN_NUMBER, PATTERN_TOO_FINE, RHYTHM_EMPTY};
use super::steps::{self, Steps};
use super::words::Words;
use mam_grammar::float;
use mam_grammar::mini::{Base, Group, Item, Joined, Op, OpKind, Sequence};
use mam_grammar::{Problem, Problems, Span};
use mam_runtime::score::limits::{MOST_EUCLID_STEPS, MOST_REPEATS};
use mam_runtime::score::pattern::{Node, euclid, mix};
use mam_runtime::score::{Overflow, Pattern, Rational, Value};

/// Builds one pattern. Random operators draw from `seed` and their place in the text.
pub(super) struct Builder<'p> {
    seed: u64,
    draws: u64,
    problems: &'p mut Problems,
}

/// A step with the share that it takes of its sequence.
struct Step {
    weight: Rational,
    pattern: Pattern,
}

impl<'p> Builder<'p> {
    pub(super) fn new(seed: u64, problems: &'p mut Problems) -> Builder<'p> {
        Builder { seed, draws: 0, problems }
    }

    /// A whole group: the pattern of a text, or of brackets.
    pub(super) fn group(&mut self, group: &Group, words: Words) -> Pattern {
        let parts: Vec<Pattern> = group.parts.iter().map(|s| self.sequence(s, words).1).collect();
        if parts.len() == 1 {
            return Pattern::stack(parts);
        }
        match group.joined {
            Joined::Stack => {
                self.number_comma(group, words);
                Pattern::stack(parts)
            }
            Joined::Choice => Pattern::new(Node::Choose(self.draw(), parts)),
            Joined::Feet => {
                self.draw();
                let span = sequence_span(&group.parts[0]);
                let feet = parts.into_iter().map(|p| (Rational::ONE, p)).collect();
                self.exact(Pattern::sequence(feet), span)
            }
        }
    }

    /// `0,5` among numbers: what plays both at once was meant as one of them.
    fn number_comma(&mut self, group: &Group, words: Words) {
        // Notes and intervals at once are a chord.
        if matches!(words, Words::Notes { .. } | Words::AsWritten | Words::Semitones | Words::Pitches) {
            return;
        }
        let digits = |item: &Item| match &item.base {
            Base::Word(word) if word.text.bytes().all(|b| b.is_ascii_digit() || b == b'-') => {
                Some(word.text.clone())
            }
            _ => None,
        };
        for pair in group.parts.windows(2) {
            let (Some(a), Some(b)) = (pair[0].items.last(), pair[1].items.first()) else { continue };
            let (Some(whole), Base::Word(rest)) = (digits(a), &b.base) else { continue };
            if a.span.end + 1 == b.span.start && rest.text.bytes().all(|b| b.is_ascii_digit()) {
                let help = format!(
                    "the decimal sign is a point: `{whole}.{}`; two values at once have a space between them: `{whole}, {}`",
                    rest.text, rest.text
                );
                self.problem(a.span.to(b.span), "a comma stands within this number", &help);
            }
        }
    }

    /// A sequence in one cycle, with its total weight.
    fn sequence(&mut self, sequence: &Sequence, words: Words) -> (Rational, Pattern) {
        for pair in sequence.items.windows(2).filter(|pair| pair[0].span.end == pair[1].span.start) {
            self.percent_fraction(&pair[0], &pair[1]);
            self.changing_number(&pair[0], &pair[1]);
        }
        let steps: Vec<Step> = sequence.items.iter().map(|i| self.step(i, words)).collect();
        let span = sequence_span(sequence);
        let total = steps.iter().try_fold(Rational::ZERO, |sum, s| sum + s.weight);
        let total = total.map_err(|e| self.overflow(e, span)).unwrap_or(Rational::ONE);
        let parts = steps.into_iter().map(|s| (s.weight, s.pattern)).collect();
        (total, self.exact(Pattern::sequence(parts), span))
    }

    /// `1%8`, a fraction in Tidal: a percentage and a number, without a space between them.
    fn percent_fraction(&mut self, over: &Item, under: &Item) {
        let (Base::Word(a), Base::Word(b)) = (&over.base, &under.base) else { return };
        let number = a.text.strip_suffix('%').and_then(float::parse);
        let (Some(number), Some(by)) = (number, b.number().filter(|by| *by > 0.0)) else { return };
        if !over.ops.is_empty() {
            return;
        }
        let written = format!("{}", (number / by * 1e6).round() / 1e6);
        let whole = a.span.to(b.span);
        let message =
            format!("in quotes these are two steps, `{}` and `{}`, and not a fraction", a.text, b.text);
        let help = format!("write `{written}`; two steps have a space between them: `{} {}`", a.text, b.text);
        self.problems.add(Problem::new(&PATTERN_FRACTION, whole, message).help(help).guess(whole, written));
    }

    /// A group that touches an operator with a number of its own, `0@<1 2>`: a step after it, where its number was meant.
    fn changing_number(&mut self, step: &Item, group: &Item) {
        let Some(op) = step.ops.last().filter(|op| op.span.end - op.span.start == 1) else { return };
        let (what, help) = match op.kind {
            OpKind::Weight(_) => {
                ("a weight", "write one number, `x@3`, or choose between sequences: `<[a@2 b] [a b@2]>`")
            }
            OpKind::Replicate(_) => {
                ("a repetition", "write one number, `x!3`, or choose between sequences: `<[a!2 b] [a!3 b]>`")
            }
            OpKind::Degrade(_) => (
                "a chance",
                "write one number, `x?0.2`; `.degrade(\"<0.2 1>\")` drops events by a chance that changes",
            ),
            _ => return,
        };
        if !matches!(group.base, Base::Word(_)) {
            let message =
                format!("{what} is one number, and what stands in these brackets would be a step of its own");
            self.problem(op.span.to(group.span), message, help);
        }
    }

    fn step(&mut self, item: &Item, words: Words) -> Step {
        self.note_fraction(item, words);
        let range = item.ops.iter().rposition(|op| matches!(op.kind, OpKind::Range(_)));
        let steps = range.and_then(|_| self.steps(item, words));
        let counted = steps.map_or(words, Words::Steps);
        let mut pattern = self.base(&item.base, item.span, counted);
        let mut weight = Rational::ONE;
        let mut repeats = Rational::ONE;
        let last = item.ops.iter().rposition(|op| matches!(op.kind, OpKind::Replicate(_)));
        let mut velocities = item.ops.iter().filter(|op| matches!(op.kind, OpKind::Tail(_)));
        if let (Words::Notes { .. }, Some(again)) = (words, velocities.nth(1)) {
            let message = "this note has a velocity already";
            let problem = Problem::new(&PATTERN_NUMBER, again.span, message).help("take this one away");
            self.problems.add(problem.fix(again.span, ""));
        }
        for (i, op) in item.ops.iter().enumerate() {
            match op.kind {
                OpKind::Weight(n) => weight = self.grown(weight, n, "a weight", op.span),
                OpKind::Replicate(n) => {
                    repeats = self.grown(repeats, n, "a repetition", op.span);
                    weight = repeats;
                    if Some(i) == last {
                        pattern = self.repeated(pattern, repeats, op.span);
                    }
                }
                OpKind::Range(_) => pattern = self.operator(pattern, op, counted),
                _ => pattern = self.operator(pattern, op, words),
            }
            if let Some(steps) = steps.filter(|_| Some(i) == range) {
                pattern = pattern.map(steps.map());
            }
        }
        Step { weight, pattern }
    }

    /// The steps in which the ranges of an item count, where its words have units.
    fn steps<'a>(&mut self, item: &Item, words: Words<'a>) -> Option<Steps<'a>> {
        let ends = steps::ends(item);
        if let Words::Notes { of, degrees, .. } = words {
            let problem = steps::check_notes(of, degrees, &ends);
            problem.into_iter().for_each(|problem| self.problems.add(problem));
        }
        words.steps(&ends)
    }

    /// w + n − 1, where n has to be positive.
    fn grown(&mut self, w: Rational, n: f64, what: &str, span: Span) -> Rational {
        let n = match Rational::from_f64(n) {
            Some(n) if n.sign() > 0 => n,
            _ => {
                let message = format!("{what} has to be greater than 0");
                self.problem(span, message, "leave the step out, or write a rest: `~`");
                Rational::ONE
            }
        };
        let grown = (w + n).and_then(|x| x - Rational::ONE);
        grown.ok().filter(|x| x.sign() > 0).unwrap_or(w)
    }

    fn repeated(&mut self, pattern: Pattern, n: Rational, span: Span) -> Pattern {
        let count = u32::try_from(n.num()).ok().filter(|&c| n.den() == 1 && c <= MOST_REPEATS);
        match count {
            Some(1) => pattern,
            Some(count) => Pattern::new(Node::Repeat(count, pattern)).fast(n),
            None => {
                let message = format!("a repetition is a whole number up to {MOST_REPEATS}");
                self.problem(span, message, "`x*1.5` plays one and a half times as fast");
                pattern
            }
        }
    }

    fn base(&mut self, base: &Base, span: Span, words: Words) -> Pattern {
        match base {
            Base::Word(word) if word.is_rest() => Pattern::silence(),
            Base::Word(word) => words.pattern(word, self.problems),
            Base::Fast(group) => self.group(group, words),
            Base::Slow(layers) => {
                let slow = |b: &mut Self, layer| {
                    let (weight, pattern) = b.sequence(layer, words);
                    b.exact(weight.inverse().map(|f| pattern.fast(f)), span)
                };
                Pattern::stack(layers.iter().map(|layer| slow(self, layer)).collect())
            }
            Base::Poly { layers, steps } => self.poly(layers, steps.as_deref(), span, words),
        }
    }

    fn poly(
        &mut self,
        layers: &[Sequence],
        steps: Option<&(Base, Span)>,
        span: Span,
        words: Words,
    ) -> Pattern {
        let layers: Vec<_> = layers.iter().map(|layer| self.sequence(layer, words)).collect();
        let constant = match steps {
            None => layers.first().map(|l| l.0),
            Some((Base::Word(word), _)) if !word.is_rest() => {
                match word.number().and_then(Rational::from_f64).filter(|x| x.sign() > 0) {
                    Some(n) => Some(n),
                    None => {
                        let message = format!("`{}` is not a number of steps greater than 0", word.text);
                        self.problem(word.span, message, "`{a b c}%4` plays four steps a cycle");
                        return Pattern::silence();
                    }
                }
            }
            Some(_) => None,
        };
        let by = steps.filter(|_| constant.is_none()).map(|(base, at)| self.base(base, *at, Words::Numbers));
        let layer = |b: &mut Self, (weight, pattern): (Rational, Pattern)| {
            let scaled = match (&by, constant) {
                (Some(by), _) => weight.inverse().map(|scale| {
                    Pattern::new(Node::FastBy { by: by.clone(), scale, slow: false, of: pattern })
                }),
                (None, steps) => (steps.unwrap_or(weight) / weight).map(|f| pattern.fast(f)),
            };
            b.exact(scaled, span)
        };
        Pattern::stack(layers.into_iter().map(|l| layer(self, l)).collect())
    }

    fn operator(&mut self, of: Pattern, op: &Op, words: Words) -> Pattern {
        match &op.kind {
            OpKind::Fast(factor) => self.faster(of, factor, op.span, false),
            OpKind::Slow(factor) => self.faster(of, factor, op.span, true),
            OpKind::Degrade(chance) => {
                let chance = self.chance(*chance, op.span);
                Pattern::new(Node::Keep { seed: self.draw(), chance, turned: false, of })
            }
            OpKind::Tail(tail) => {
                let tail = self.base(tail, op.span, words.after_colon());
                Pattern::new(Node::Tail(of, tail))
            }
            OpKind::Range(to) => {
                let to = self.base(to, op.span, words);
                Pattern::new(Node::Range(of, to))
            }
            OpKind::Euclid { pulses, steps, rotation } => self.euclid(of, pulses, steps, rotation.as_deref()),
            OpKind::Weight(_) | OpKind::Replicate(_) => of,
        }
    }

    /// Says that `1/4` in quotes is a step that is four times as slow, where a number, or a velocity behind a `:`, was meant.
    fn note_fraction(&mut self, item: &Item, words: Words) {
        let is_number = matches!(
            words,
            Words::Numbers
                | Words::Plain
                | Words::Velocities
                | Words::Seconds
                | Words::Semitones
                | Words::Measured
                | Words::Values(_)
                | Words::Amounts(_)
        );
        let (over, slow) = match (&item.base, &item.ops[..]) {
            (Base::Word(over), [slow, ..]) if is_number => (over, slow),
            (_, [Op { kind: OpKind::Tail(Base::Word(over)), .. }, slow, ..])
                if matches!(words, Words::Notes { .. }) =>
            {
                (over, slow)
            }
            _ => return,
        };
        let OpKind::Slow(Base::Word(under)) = &slow.kind else { return };
        let (Some(number), Some(by)) = (over.number(), under.number().filter(|by| *by > 0.0)) else { return };
        let written = format!("{}", (number / by * 1e6).round() / 1e6);
        let whole = Span { end: slow.span.end, ..over.span };
        let message = format!("in quotes this is {number}, {by} times as slow, and not a fraction");
        let fraction = Rational::from_f64(number).zip(Rational::from_f64(by));
        let fraction = fraction.and_then(|(over, under)| (over / under).ok());
        let is_exact = fraction == Rational::from_decimal(&written);
        let help = match is_exact || !matches!(words, Words::Numbers | Words::Plain) {
            true => format!("write `{written}`"),
            false => format!(
                "in quotes it is `{written}`, nearly; without quotes `.fast({number}/{by})` is exact, and so are whole numbers the \
                 other way: `.slow(\"<1 {by}>\")`"
            ),
        };
        let problem = Problem::new(&PATTERN_FRACTION, whole, message);
        self.problems.add(problem.help(help).guess(whole, written));
    }

    fn chance(&mut self, chance: f64, span: Span) -> f64 {
        if !(0.0..=1.0).contains(&chance) {
            self.problem(span, "a chance is from 0 to 1", "`?0.25` drops a quarter of the events");
        }
        chance
    }

    fn faster(&mut self, of: Pattern, factor: &Base, span: Span, slow: bool) -> Pattern {
        let by = self.base(factor, span, Words::Numbers);
        let constant = match by.node() {
            Node::Pure(value, _) => value.number(),
            _ => return Pattern::new(Node::FastBy { by, scale: Rational::ONE, slow, of }),
        };
        let Some(factor) = constant.and_then(Rational::from_f64) else {
            self.problem(span, "this factor does not fit", "a factor is a number such as `2` or `1.5`");
            return of;
        };
        if factor.sign() <= 0 {
            let message = "a step at a speed of 0 or less is silent";
            self.problems.add(Problem::new(&RHYTHM_EMPTY, span, message).help("a rest is written `~`"));
            return Pattern::silence();
        }
        match slow {
            true => self.exact(factor.inverse().map(|f| of.fast(f)), span),
            false => of.fast(factor),
        }
    }

    fn euclid(&mut self, of: Pattern, k: &Item, n: &Item, r: Option<&Item>) -> Pattern {
        let pulses = self.argument(k);
        let steps = self.argument(n);
        let rotation = r.map_or_else(|| Pattern::pure(Value::Number(0.0)), |r| self.argument(r));
        let constant = |p: &Pattern| match p.node() {
            Node::Pure(value, _) => value.number(),
            _ => None,
        };
        let most = MOST_EUCLID_STEPS as f64;
        let (k_, n_) = (constant(&pulses), constant(&steps));
        let fine = |x: f64, low: f64, high: f64| x.fract() == 0.0 && x >= low && x <= high;
        if (k_, n_) == (Some(0.0), Some(0.0)) {
            let problem = Problem::new(&RHYTHM_EMPTY, k.span.to(n.span), "a rhythm of no steps is silent");
            self.problems.add(problem.help("a rest is written `~`"));
            return Pattern::silence();
        }
        if n_.is_some_and(|n| !fine(n, 1.0, most)) {
            let message = format!("the steps of a rhythm are a whole number from 1 to {MOST_EUCLID_STEPS}");
            self.problem(n.span, message, RHYTHM);
            return Pattern::silence();
        }
        let bound = n_.unwrap_or(most);
        if k_.is_some_and(|k| !fine(k, -bound, bound)) {
            let message = match n_ {
                Some(n) => format!("the onsets of a rhythm of {n} steps are a whole number up to {n}"),
                None => "the onsets of a rhythm are a whole number".into(),
            };
            self.problem(k.span, message, RHYTHM);
            return Pattern::silence();
        }
        let r_ = constant(&rotation);
        if r_.is_some_and(|r| !fine(r, -most, most)) {
            let message = format!(
                "a rhythm is turned by a whole number of steps, at most {MOST_EUCLID_STEPS} either way"
            );
            self.problem(r.map_or(n.span, |r| r.span), message, "`x(3,8,2)` begins two steps later");
            return Pattern::silence();
        }
        match (k_, n_, r_) {
            (Some(k), Some(n), Some(r)) => {
                Pattern::new(Node::Euclid(euclid(k as i64, n as usize, r as i64).into(), of))
            }
            _ => Pattern::new(Node::EuclidBy { pulses, steps, rotation, of }),
        }
    }

    /// An argument of a rhythm: an item without a share.
    fn argument(&mut self, item: &Item) -> Pattern {
        self.step(item, Words::Numbers).pattern
    }

    /// The seed of the next random operator.
    fn draw(&mut self) -> u64 {
        self.draws += 1;
        mix(self.seed, self.draws)
    }

    fn exact(&mut self, pattern: Result<Pattern, Overflow>, span: Span) -> Pattern {
        pattern.unwrap_or_else(|e| {
            self.overflow(e, span);
            Pattern::silence()
        })
    }

    fn overflow(&mut self, _: Overflow, span: Span) {
        let message = "these steps divide time more finely than exact fractions can hold";
        self.problems.add(Problem::new(&PATTERN_TOO_FINE, span, message));
    }

    fn problem(&mut self, span: Span, message: impl Into<String>, help: &str) {
        self.problems.add(Problem::new(&PATTERN_NUMBER, span, message).help(help));
    }
}

const RHYTHM: &str = "`x(3,8)` spreads 3 onsets over 8 steps, `x(-3,8)` plays where they are not";

fn sequence_span(sequence: &Sequence) -> Span {
    match (sequence.items.first(), sequence.items.last()) {
        (Some(first), Some(last)) => first.span.to(last.span),
        _ => Span::default(),
    }
}
