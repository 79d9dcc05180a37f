//! Problems: what is wrong with an input, as data.
//!
//! A [`Problem`] is made where it is found and rendered only at the edge (miette in the terminal, JSON for
//! tools). No stage stops at its first problem: each collects into [`Problems`] and goes on.

use crate::source::{SourceId, Span};
use rustc_hash::{FxHashMap, FxHashSet};
use std::fmt::Display;
use std::hash::{DefaultHasher, Hash, Hasher};

/// How grave a problem is: only an error stops the compilation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Good to know: nothing is wrong, and `--deny warnings` does not count it.
    Note,
    /// The input can be compiled, but is probably not what was meant.
    Warning,
    /// The input cannot be compiled.
    Error,
}

/// One kind of problem. Each is defined once, in the table of the crate that finds it.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// Its name in messages, JSON and `mamc explain`: lower case with hyphens, such as `unknown-parameter`.
    pub name: &'static str,
    /// Error, warning or note.
    pub severity: Severity,
    /// What the problem is and how one gets out of it, in a few sentences.
    pub explanation: &'static str,
}

/// A row of a table of kinds of problems. What reports problems needs the kinds alone: the examples are only where they are
/// asked for.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The kind of problem.
    pub code: &'static Code,
    /// A whole `.mam` (or, beginning with `{`, JSON) file that has exactly this problem; empty where no file has it.
    pub fails: &'static str,
    /// The same file, corrected.
    pub passes: &'static str,
}

/// A table of kinds of problems: a static [`Code`] for each [`Row`], and `ALL` rows in order.
///
/// ```text
/// NAME Severity "name-in-messages" {
///     "explanation"
///     fails "a whole file that has exactly this problem"
///     passes "the same file, corrected"
/// }
/// ```
#[macro_export]
macro_rules! codes {
    ($($id:ident $severity:ident $name:literal {
        $explanation:literal fails $fails:literal passes $passes:literal
    })*) => {
        $(#[doc = $explanation]
        pub static $id: $crate::Code = $crate::Code {
            name: $name,
            severity: $crate::Severity::$severity,
            explanation: $explanation,
        };)*
        /// Every row of this table, in order.
        pub static ALL: &[$crate::problem::Row] =
            &[$($crate::problem::Row { code: &$id, fails: $fails, passes: $passes }),*];
    };
}

/// What a label's span is to the problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Where the problem is: the first label, and no other.
    Primary,
    /// Another span with the same problem, which the same fix removes.
    Repeated,
    /// Why it is a problem: what opened a bracket, the first of two definitions, the other of two lines.
    Reason,
}

/// A span that takes part in a problem, with its role and a few words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The text that the label underlines.
    pub span: Span,
    /// What the span is to the problem.
    pub role: Role,
    /// What a report says of this span, a few words without a full stop; may be empty.
    pub text: String,
}

/// How likely a [`Fix`] is what was meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Applicability {
    /// The replacement says what the text was meant to say: a tool may apply it unasked.
    Exact,
    /// The replacement is accepted, but something else may have been meant: a person decides.
    Guess,
}

/// A change of the text that removes a problem, as data: editors offer it, tests apply it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fix {
    /// What is replaced; empty where something is inserted.
    pub span: Span,
    /// What is written in its place; empty where something is deleted.
    pub replacement: String,
    /// How likely it is what was meant.
    pub applicability: Applicability,
}

/// One thing that is wrong, with its place and a way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The row of the table of diagnostics that explains it.
    pub code: &'static Code,
    /// What is wrong, in one sentence without a full stop, naming the thing in backquotes.
    pub message: String,
    /// The spans that take part: the first is [`Role::Primary`], no other is.
    pub labels: Vec<Label>,
    /// What to do, in words.
    pub help: Option<String>,
    /// What to do, as a change of the text, where one change is enough.
    pub fix: Option<Fix>,
}

impl Problem {
    /// Makes a problem of kind `code` with a primary label at `span`, and neither help nor fix.
    pub fn new(code: &'static Code, span: Span, message: impl Into<String>) -> Problem {
        let label = Label { span, role: Role::Primary, text: String::new() };
        Problem { code, message: message.into(), labels: vec![label], help: None, fix: None }
    }

    /// Sets the words of the primary label.
    pub fn here(mut self, text: impl Into<String>) -> Problem {
        self.labels[0].text = text.into();
        self
    }

    /// Adds a span that gives the reason.
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Problem {
        self.labels.push(Label { span, role: Role::Reason, text: text.into() });
        self
    }

    /// Sets what to do, in words.
    pub fn help(mut self, text: impl Into<String>) -> Problem {
        self.help = Some(text.into());
        self
    }

    /// A replacement that says what was meant.
    pub fn fix(self, span: Span, replacement: impl Into<String>) -> Problem {
        self.change(span, replacement.into(), Applicability::Exact)
    }

    /// A replacement that is accepted, and may be what was meant.
    pub fn guess(self, span: Span, replacement: impl Into<String>) -> Problem {
        self.change(span, replacement.into(), Applicability::Guess)
    }

    fn change(mut self, span: Span, replacement: String, applicability: Applicability) -> Problem {
        self.fix = Some(Fix { span, replacement, applicability });
        self
    }

    /// Adds "did you mean …?" to the first place when one of `known` is near `name`; else lists what there is
    /// (`what` names it in the plural, such as "parameters of kick").
    pub fn nearest(self, name: &str, what: &str, known: &[impl AsRef<str>]) -> Problem {
        match nearest(name, known) {
            Some(near) => {
                let span = self.written(name);
                let problem = self.here(format!("did you mean `{near}`?")).help(list(what, known));
                match span {
                    Some(span) => problem.guess(span, near),
                    None => problem,
                }
            }
            None => self.help(list(what, known)),
        }
    }

    /// The bytes of `name` where the problem is: all of its place, or what is between its quotes.
    fn written(&self, name: &str) -> Option<Span> {
        let span = self.span();
        match (span.end - span.start) as usize - name.len().min((span.end - span.start) as usize) {
            0 => Some(span),
            2 => Some(Span { start: span.start + 1, end: span.end - 1, ..span }),
            _ => None,
        }
    }

    /// The span of the primary label: where the problem is.
    pub fn span(&self) -> Span {
        self.labels[0].span
    }
}

/// How many problems of names that are nothing come with the nearest name that is something. Each such search looks at all
/// names, and more problems than that are not drawn.
const MOST_SUGGESTIONS: usize = 100;

/// Problems that are kept: of more than that only whether there are errors is known, so that a file of noise does not fill
/// the memory.
pub const MOST_PROBLEMS: usize = 20_000;

/// The problems found so far, at most [`MOST_PROBLEMS`]. Adding one takes the same time however many there are.
#[derive(Clone, Debug, Default)]
pub struct Problems {
    all: Vec<Problem>,
    /// Digests of the problems, to find repetitions.
    seen: FxHashSet<u64>,
    /// Which problem has a fix: what one change removes has one cause.
    fixes: FxHashMap<Fix, usize>,
    /// How many are errors.
    errors: usize,
    suggestions: usize,
    /// How many were added, repetitions with them.
    added: usize,
}

/// Of what a problem says and where; two that have the same digest are the same, even if only one has a suggestion.
fn digest(problem: &Problem) -> u64 {
    let mut hasher = DefaultHasher::new();
    (problem.code.name, &problem.message).hash(&mut hasher);
    problem.labels.iter().for_each(|label| label.span.hash(&mut hasher));
    hasher.finish()
}

/// Further places of a problem that are marked.
const MOST_PLACES: usize = 8;

impl Problems {
    /// No problems yet, where those of `before` have been found in another part of the same text.
    pub fn after(before: &Problems) -> Problems {
        Problems { suggestions: before.suggestions, ..Problems::default() }
    }

    /// Adds one. The same problem at the same place is kept once; so are problems that the same change removes, with their
    /// places.
    pub fn add(&mut self, problem: Problem) {
        self.added += 1;
        if let Some(&first) = problem.fix.as_ref().and_then(|fix| self.fixes.get(fix)) {
            let span = problem.span();
            let first = &mut self.all[first];
            if first.labels.len() < MOST_PLACES && first.labels.iter().all(|label| label.span != span) {
                first.labels.push(Label { span, role: Role::Repeated, text: "and here".into() });
            }
            return;
        }
        let is_error = usize::from(problem.code.severity == Severity::Error);
        if self.all.len() >= MOST_PROBLEMS {
            self.errors += is_error;
        } else if self.seen.insert(digest(&problem)) {
            self.errors += is_error;
            if let Some(fix) = &problem.fix {
                self.fixes.insert(fix.clone(), self.all.len());
            }
            self.all.push(problem);
        }
    }

    /// Adds the problem of a name that is nothing, with the help of [`Problem::nearest`]; `known` says what there is. After a
    /// hundred of them they come without.
    pub fn suggest<S: AsRef<str>>(
        &mut self,
        problem: Problem,
        name: &str,
        what: &str,
        known: impl FnOnce() -> Vec<S>,
    ) {
        let problem = if self.may_suggest() { problem.nearest(name, what, &known()) } else { problem };
        self.add(problem);
    }

    /// Whether the nearest name is still looked for; counts how often.
    pub fn may_suggest(&mut self) -> bool {
        self.suggestions += 1;
        self.suggestions <= MOST_SUGGESTIONS
    }

    /// True when at least one is an error.
    pub fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// How many were added: those that are kept, and repetitions of them.
    pub fn added(&self) -> usize {
        self.added
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// All of them, in the order in which they were found.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.all.iter()
    }

    /// All of them in the order of their places.
    pub fn into_sorted(mut self) -> Vec<Problem> {
        self.all.sort_by_key(Problem::span);
        self.all
    }

    /// Takes over all of `other`.
    pub fn extend(&mut self, other: Problems) {
        self.suggestions = self.suggestions.max(other.suggestions);
        other.all.into_iter().for_each(|p| self.add(p));
    }

    /// Keeps those for which `keep` says so.
    pub fn retain(&mut self, keep: impl FnMut(&Problem) -> bool) {
        self.all.retain(keep);
        self.count();
    }

    /// Of those that were added since there were `len` and are `inside` something that was called, the place becomes that
    /// of the call of `callee`; where they were found is the reason. Of the errors the first is kept: a call that cannot work
    /// is one mistake, however many places of the definition it reaches.
    pub fn called_at(&mut self, len: usize, callee: &str, call: Span, inside: impl Fn(Span) -> bool) {
        for problem in self.all.iter_mut().skip(len).filter(|p| inside(p.span())) {
            self.seen.remove(&digest(problem));
            let inside = &mut problem.labels[0];
            inside.role = Role::Reason;
            if inside.text.is_empty() {
                inside.text = format!("in the definition of `{callee}`");
            }
            let call = Label { span: call, role: Role::Primary, text: "in this call".into() };
            problem.labels.insert(0, call);
            let shown = format!("`mamc doc {callee}` shows what each of its arguments is");
            if problem.code.severity == Severity::Error {
                problem.message = format!("`{callee}` cannot work with these arguments: {}", problem.message);
                problem.help = Some(shown);
            } else {
                problem.message = format!("in this call of `{callee}`, {}", problem.message);
                problem.help.get_or_insert(shown);
            }
            problem.fix = None;
            self.seen.insert(digest(problem));
        }
        self.keep_first_error(len, call);
    }

    /// Of the errors that were added since there were `len` and whose place is `call`, the first is kept.
    fn keep_first_error(&mut self, len: usize, call: Span) {
        let error = |p: &Problem| p.code.severity == Severity::Error && p.span() == call;
        if self.all.iter().skip(len).filter(|p| error(p)).count() < 2 {
            return;
        }
        let mut seen = false;
        let mut index = 0;
        self.all.retain(|problem| {
            index += 1;
            index <= len || !error(problem) || !std::mem::replace(&mut seen, true)
        });
        self.count();
    }

    /// Forgets all that were added since there were `len`.
    pub fn truncate(&mut self, len: usize) {
        self.all.truncate(len);
        self.count();
    }

    fn count(&mut self) {
        self.seen = self.all.iter().map(digest).collect();
        let fix = |(at, problem): (usize, &Problem)| Some((problem.fix.clone()?, at));
        self.fixes = self.all.iter().enumerate().filter_map(fix).collect();
        self.errors = self.all.iter().filter(|p| p.code.severity == Severity::Error).count();
    }
}

/// The fixes of a text that a tool may apply unasked, in the order of their places; of those that overlap, the first.
pub fn applicable(problems: &[Problem], source: SourceId) -> Vec<&Fix> {
    let fixes = problems.iter().filter_map(|problem| problem.fix.as_ref());
    let exact = |fix: &&Fix| fix.span.source == source && fix.applicability == Applicability::Exact;
    without_overlaps(fixes.filter(exact).collect())
}

/// Fixes of one text in the order of their places, without those that overlap one before, and each once.
pub fn without_overlaps(mut fixes: Vec<&Fix>) -> Vec<&Fix> {
    fixes.sort_by_key(|fix| (fix.span.start, fix.span.end));
    let mut end = 0;
    let mut last: Option<&Fix> = None;
    fixes.retain(|fix| {
        let fits = fix.span.start >= end && last != Some(*fix);
        if fits {
            (end, last) = (fix.span.end, Some(*fix));
        }
        fits
    });
    fixes
}

/// A text with fixes applied that are in the order of their places and do not overlap.
pub fn apply(text: &str, fixes: &[&Fix]) -> String {
    let mut mended = text.to_owned();
    for fix in fixes.iter().rev() {
        mended.replace_range(fix.span.range(), &fix.replacement);
    }
    mended
}

/// The one of `known` that is most like `name`: one from whose middle a word was left out, `x.bend` of `x.note.bend`, or one
/// near enough to be a typing error, of whose letters at most a third differ (optimal string alignment distance). Case is ignored.
pub fn nearest<'a>(name: &str, known: &'a [impl AsRef<str>]) -> Option<&'a str> {
    /// Letters. Longer names are not typed by hand, and comparing two takes the product of their lengths.
    const LONGEST: usize = 100;
    let name = name.to_lowercase();
    if let Some((first, last)) = name.split_once('.') {
        let shortened = |known: &&str| {
            let known = known.to_lowercase();
            let rest = known.strip_prefix(first).and_then(|rest| rest.strip_prefix('.'));
            rest.and_then(|rest| rest.strip_suffix(last)).is_some_and(|middle| middle.ends_with('.'))
        };
        let found = known.iter().map(AsRef::as_ref).find(shortened);
        if found.is_some() {
            return found;
        }
    }
    let length = name.chars().count();
    let mut bound = (length.max(3) / 3).max(1);
    let mut best = None;
    for known in known.iter().map(AsRef::as_ref).filter(|known| known.len() <= 4 * LONGEST) {
        let other = known.to_lowercase();
        let other_length = other.chars().count();
        if length.max(other_length) > LONGEST || length.abs_diff(other_length) > bound {
            continue;
        }
        let distance = strsim::osa_distance(&name, &other);
        // Of one or two letters half would be another, but in a beginning and where they are swapped.
        let swapped = length == other_length && name.chars().eq(other.chars().rev());
        let begins = other.starts_with(&name) || name.starts_with(&other);
        if length.min(other_length) < 3 && !begins && !swapped {
            continue;
        }
        if distance < bound || (distance == bound && best.is_none()) {
            (bound, best) = (distance, Some(known));
        }
    }
    best
}

fn list(what: &str, known: &[impl AsRef<str>]) -> String {
    const MOST: usize = 16;
    if known.is_empty() {
        return format!("{what}: none");
    }
    // One name may be there in two ways.
    let mut seen = FxHashSet::default();
    let mut names: Vec<_> = known.iter().map(AsRef::as_ref).filter(|name| seen.insert(*name)).collect();
    let more = if names.len() > MOST { ", …" } else { "" };
    names.truncate(MOST);
    format!("{what}: {}{more}", names.join(", "))
}

/// "1 error", "3 errors": a count with its noun.
pub fn count(n: usize, noun: impl Display) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceId;

    static CODE: Code = Code { name: "odd", severity: Severity::Error, explanation: "" };

    fn at(place: usize, message: &str) -> Problem {
        Problem::new(&CODE, Span::new(SourceId::default(), place, place + 1), message)
    }

    #[test]
    fn the_same_problem_is_kept_once_and_another_call_is_another_one() {
        let mut problems = Problems::default();
        for (place, message) in [(1, "a"), (1, "a"), (1, "b"), (2, "a")] {
            problems.add(at(place, message));
        }
        assert_eq!(problems.len(), 3);
        let call = |place| Span::new(SourceId::default(), place, place + 3);
        for place in [10, 20, 20] {
            let before = problems.len();
            problems.add(at(7, "inside"));
            problems.called_at(before, "kick", call(place), |_| true);
        }
        let again = problems.len();
        problems.add(at(7, "inside"));
        assert_eq!((again, problems.len()), (6, 7));
    }

    #[test]
    fn no_more_are_kept_or_compared_than_anybody_reads() {
        let mut problems = Problems::default();
        let mut asked = 0;
        for place in 0..MOST_PROBLEMS + 10 {
            problems.suggest(at(place, "nosuch"), "nosuch", "names", || {
                asked += 1;
                vec!["nosuck"]
            });
        }
        assert_eq!((problems.len(), asked), (MOST_PROBLEMS, MOST_SUGGESTIONS));
        assert!(problems.has_errors());
        assert!(problems.iter().next().unwrap().labels[0].text.contains("nosuck"));
    }

    #[test]
    fn a_slip_of_the_fingers_is_near_and_another_word_is_not() {
        let known = ["cutoff", "q", "gain", "pitchDecayMs"];
        assert_eq!(nearest("cutof", &known), Some("cutoff"));
        assert_eq!(nearest("cuotff", &known), Some("cutoff"));
        assert_eq!(nearest("GIAN", &known), Some("gain"));
        assert_eq!(nearest("pitchDekayMs", &known), Some("pitchDecayMs"));
        assert_eq!(nearest("reverb", &known), None);
        let paths = ["x.bpm", "y.note.bend", "x.note.bend"];
        assert_eq!(nearest("x.bend", &paths), Some("x.note.bend"));
        assert_eq!(nearest("x.pressed", &paths), None);
    }
}
