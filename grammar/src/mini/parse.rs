//! From text to the tree.

use super::codes::{MINI_SYNTAX, MINI_TOO_DEEP};
use super::{Base, Group, Item, Joined, Op, OpKind, Sequence, Word};
use crate::float;
use crate::problem::Problem;
use crate::source::Span;
use pest::Parser;
use pest::error::{Error, InputLocation};
use pest::iterators::Pair;
use pest_derive::Parser;

#[derive(Parser)]
#[grammar = "../mini.pest"]
struct MiniParser;

/// Brackets within one another.
pub const MOST_DEPTH: usize = 48;

/// Reads a pattern. `place` covers `text` in its source: problems and spans stand there.
pub fn parse(text: &str, place: Span) -> Result<Group, Problem> {
    check_depth(text, place)?;
    let reader = Reader { place };
    let mut pairs = MiniParser::parse(Rule::pattern, text).map_err(|e| problem(text, place, &e))?;
    match pairs.next().and_then(|pattern| pattern.into_inner().next()) {
        Some(group) => Ok(reader.group(group)),
        None => Err(syntax(place, 0, 0, "the pattern is empty")),
    }
}

/// Counts brackets before anything recurses.
fn check_depth(text: &str, place: Span) -> Result<(), Problem> {
    let mut depth = 0usize;
    for (i, c) in text.char_indices() {
        match c {
            '[' | '{' | '<' | '(' => depth += 1,
            ']' | '}' | '>' | ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MOST_DEPTH {
            let message = format!("more than {MOST_DEPTH} brackets stand within one another");
            let help = "brackets around one step alone can go, `[[x]]` is `x`; `cat(\"…\", \"…\")` and `stack(\"…\", \"…\")` join \
                        patterns without any";
            return Err(Problem::new(&MINI_TOO_DEEP, at(place, i, i + 1), message).help(help));
        }
    }
    Ok(())
}

fn at(place: Span, start: usize, end: usize) -> Span {
    let base = place.start as usize;
    Span::new(place.source, base + start, base + end)
}

fn syntax(place: Span, start: usize, end: usize, message: impl Into<String>) -> Problem {
    Problem::new(&MINI_SYNTAX, at(place, start, end), message)
}

/// Says what is wrong at the place where the parser could not go on.
fn problem(text: &str, place: Span, error: &Error<Rule>) -> Problem {
    let (InputLocation::Pos(found) | InputLocation::Span((found, _))) = error.location;
    if text.trim_matches([' ', '\n', '\r', '\t', '\u{A0}']).is_empty() {
        return syntax(place, 0, text.len(), "the pattern is empty")
            .help("a rest is written `~`")
            .guess(at(place, 0, text.len()), "~");
    }
    if let Some(problem) = unbalanced(text, place) {
        return problem;
    }
    let Some(c) = text[found..].chars().next() else {
        let last = text.trim_end().chars().next_back().unwrap_or(' ');
        let start = text.trim_end().len() - last.len_utf8();
        return syntax(place, start, start + last.len_utf8(), format!("nothing follows the last `{last}`"))
            .help(after(last));
    };
    let end = found + c.len_utf8();
    let rest = &text[found..];
    // The second `/` is where it is noticed after a step.
    let comment = found - usize::from(c == '/' && text[..found].ends_with('/'));
    let problem = match c {
        '/' if text[comment..].starts_with("//") => {
            let problem = syntax(place, comment, comment + 2, "there are no comments inside a pattern");
            return problem
                .help("a comment stands behind the quotes, at the end of the line")
                .guess(at(place, text[..comment].trim_end().len(), text.len()), "");
        }
        '+' if rest[1..].starts_with(|c: char| c.is_ascii_digit() || c == '.') => {
            return syntax(place, found, end, "a number has no `+` before it")
                .help("take the `+` away")
                .fix(at(place, found, end), "");
        }
        '.' | '_' => syntax(place, found, end, format!("`{c}` has no step before it")),
        ',' | '|' if text[..found].trim_end().ends_with([',', '|']) || text[..found].trim().is_empty() => {
            syntax(place, found, end, format!("nothing stands before this `{c}`"))
        }
        ',' | '|' => syntax(place, found, end, format!("`{c}` cannot stand here")),
        ']' | '}' | '>' | ')' => syntax(place, found, end, format!("something is missing before `{c}`")),
        '%' => syntax(place, found, end, "`%` stands only after a number or after `}`"),
        '(' if text[..found].trim_end().is_empty() || text[..found].ends_with(' ') => {
            let close = rest.find(')').map_or(rest.len(), |close| close + 1);
            let inside = rest[1..close].trim_end_matches(')').trim();
            return syntax(place, found, found + close, "parentheses do not group steps").help(format!(
                "brackets do: `[{inside}]` one after another, `[{}]` at once",
                inside.split([' ', ',']).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(",")
            ));
        }
        '(' => syntax(place, found, end, "a rhythm in `( )` belongs to the step before it"),
        _ if OPERATORS.contains(c) => syntax(place, found, end, format!("`{c}` has no step before it")),
        _ => syntax(place, found, end, format!("`{c}` is not a part of a pattern")),
    };
    problem.help(after(c))
}

const OPERATORS: &str = "@!?*/:([{<";

/// What may follow or replace a character.
fn after(c: char) -> &'static str {
    match c {
        '*' | '/' => "a factor follows: a number, or numbers in brackets, as in `x*2` or `x*<2 3>`",
        ':' => "a value follows, as in `c4:0.5`",
        '(' | ')' => "a rhythm is `x(3,8)` or `x(3,8,2)`: onsets, steps, and how many steps later",
        ',' => "`,` stands between sequences that sound together: `a b , c d e`; not mixed with `|` or `.`",
        '|' => "`|` stands between sequences one of which is chosen, in the pattern or in `[ ]`: `[a | b c]`",
        '.' => {
            "`.` stands between groups of steps: `a b . c d`; a rest is `~`, and a number has digits before the point"
        }
        '_' => "`_` makes the step before it longer: `a _ b`",
        '[' | ']' => "`[a b]` puts steps into the time of one; a rest is `~`",
        '<' | '>' => "`<a b>` plays one step a cycle; a rest is `~`",
        '{' | '}' => "`{a b c}%4` plays four steps a cycle; a rest is `~`",
        '%' => "as in `80%`, or `{a b c}%4`",
        _ => {
            "a word begins with a letter, a digit, `~` or `-`, and has `# . ^ _ + ° '` only within; a rest is `~`"
        }
    }
}

/// The first bracket that does not match.
fn unbalanced(text: &str, place: Span) -> Option<Problem> {
    const PAIRS: [(char, char); 4] = [('[', ']'), ('{', '}'), ('<', '>'), ('(', ')')];
    let mut open: Vec<(usize, char, char)> = Vec::new();
    for (i, c) in text.char_indices() {
        if let Some(&(left, right)) = PAIRS.iter().find(|p| p.0 == c) {
            open.push((i, left, right));
        } else if PAIRS.iter().any(|p| p.1 == c) {
            match open.pop() {
                Some((_, _, right)) if right == c => {}
                Some((j, left, right)) => {
                    let problem = syntax(place, i, i + 1, format!("`{c}` closes nothing that is open"));
                    let opened = at(place, j, j + 1);
                    let opened = problem.label(opened, format!("`{left}` is closed by `{right}`"));
                    return Some(opened.help(format!("write `{right}`")).guess(at(place, i, i + 1), right));
                }
                None => {
                    let problem = syntax(place, i, i + 1, format!("`{c}` closes nothing"));
                    let help = format!("take the `{c}` away, or open its group");
                    return Some(problem.help(help).guess(at(place, i, i + 1), ""));
                }
            }
        }
    }
    let (i, left, right) = open.pop()?;
    let message = format!("this `{left}` is never closed");
    let end = at(place, text.len(), text.len());
    let problem = syntax(place, i, i + 1, message).help(format!("add `{right}` where the group ends"));
    Some(problem.guess(end, right))
}

/// Turns pairs of the grammar into the tree; the grammar has seen to it that each has its parts.
struct Reader {
    place: Span,
}

impl Reader {
    fn span(&self, pair: &Pair<Rule>) -> Span {
        let text = pair.as_str();
        let start = pair.as_span().start();
        at(self.place, start, start + text.trim_end_matches([' ', '\n', '\r', '\t', '\u{A0}']).len())
    }

    fn group(&self, pair: Pair<Rule>) -> Group {
        let text = pair.as_str();
        let mut joined = Joined::Stack;
        let (mut parts, mut end) = (Vec::new(), pair.as_span().start());
        let start = end;
        for part in pair.into_inner() {
            let between = &text[end - start..part.as_span().start() - start];
            if part.as_rule() == Rule::foot {
                joined = Joined::Feet;
                continue;
            }
            if between.contains('|') {
                joined = Joined::Choice;
            }
            end = part.as_span().end();
            parts.push(self.sequence(part));
        }
        Group { joined, parts }
    }

    fn sequence(&self, pair: Pair<Rule>) -> Sequence {
        let mut sequence = Sequence { marked: false, items: Vec::new() };
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::mark => sequence.marked = true,
                _ => sequence.items.push(self.item(part)),
            }
        }
        sequence
    }

    fn layers(&self, pair: Pair<Rule>) -> Vec<Sequence> {
        pair.into_inner().map(|p| self.sequence(p)).collect()
    }

    fn item(&self, pair: Pair<Rule>) -> Item {
        let span = self.span(&pair);
        let mut base = None;
        let mut ops = Vec::new();
        for part in pair.into_inner() {
            match base {
                None => base = Some(self.base(part)),
                Some(_) => ops.push(self.op(part)),
            }
        }
        let base = base.unwrap_or_else(|| Base::Word(Word { text: "~".into(), span }));
        Item { base, ops, span }
    }

    fn base(&self, pair: Pair<Rule>) -> Base {
        let span = self.span(&pair);
        let rule = pair.as_rule();
        if rule == Rule::word {
            return Base::Word(Word { text: pair.as_str().into(), span });
        }
        let mut inner = pair.into_inner();
        match (rule, inner.next()) {
            (Rule::fast_group, Some(group)) => Base::Fast(self.group(group)),
            (Rule::slow, Some(layers)) => Base::Slow(self.layers(layers)),
            (_, layers) => {
                let layers = layers.map_or_else(Vec::new, |l| self.layers(l));
                let steps = inner.next().map(|p| {
                    let span = self.span(&p);
                    Box::new((self.base(p), span))
                });
                Base::Poly { layers, steps }
            }
        }
    }

    fn op(&self, pair: Pair<Rule>) -> Op {
        let span = self.span(&pair);
        let rule = pair.as_rule();
        let mut inner = pair.into_inner();
        if rule == Rule::euclid {
            let mut items = inner.map(|p| Box::new(self.item(p)));
            let rest = |span| {
                Box::new(Item { base: Base::Word(Word { text: "~".into(), span }), ops: vec![], span })
            };
            let pulses = items.next().unwrap_or_else(|| rest(span));
            let steps = items.next().unwrap_or_else(|| rest(span));
            return Op { kind: OpKind::Euclid { pulses, steps, rotation: items.next() }, span };
        }
        let argument = inner.next();
        let number = |default: f64| match &argument {
            Some(n) if n.as_rule() == Rule::number => float::parse(n.as_str()).unwrap_or(default),
            _ => default,
        };
        let kind = match rule {
            Rule::weight => OpKind::Weight(number(2.0)),
            Rule::replicate => OpKind::Replicate(number(2.0)),
            Rule::degrade => OpKind::Degrade(number(0.5)),
            _ => {
                let word = Word { text: "~".into(), span };
                let base = argument.map_or(Base::Word(word), |p| self.base(p));
                match rule {
                    Rule::fast => OpKind::Fast(base),
                    Rule::slower => OpKind::Slow(base),
                    Rule::tail => OpKind::Tail(base),
                    _ => OpKind::Range(base),
                }
            }
        };
        Op { kind, span }
    }
}
