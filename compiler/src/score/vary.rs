//! Sections that are like another one, with some lines replaced: `section verse2 = verse { hh ~ }`.

use super::codes::{SCORE_NUMBER, SECTION_VARIATION, UNKNOWN_SECTION};
use super::compose::{Composer, MOST_CLIPS, Section, Variation};
use mam_grammar::{Problem, Span};
use mam_runtime::score::Rational;
use rustc_hash::FxHashSet;

impl<'a> Composer<'a> {
    /// A line of a variation that leaves another out.
    pub(super) fn leave_out(&mut self, name: String, place: Span, mark: Span, level: usize) {
        self.levels[level].left_out.push((name, place.to(mark)));
    }

    /// Makes sections of the variations of a level; one may be a variation of another, in whatever order they stand.
    pub(super) fn vary(&mut self, mut open: Vec<Variation<'a>>, around: usize) {
        if open.is_empty() {
            return self.check_left_out(around);
        }
        while !open.is_empty() {
            let count = open.len();
            open = open.into_iter().filter_map(|variation| self.varied(variation, around)).collect();
            if open.len() == count {
                break;
            }
        }
        for Variation { name, of, level } in &open {
            let known = self.known_sections(around);
            // An arrangement that names it is not to blame.
            self.add_section(around, Section { name, length: Rational::ONE, level: *level, used: true });
            let loops = open.iter().any(|other| other.name.name == of.name);
            if loops {
                let message = format!("the section `{name}` is a variation of itself");
                let problem = Problem::new(&SECTION_VARIATION, of.span, message);
                self.problems
                    .add(problem.help("one of them is a section with a length: `section a 8 bars { … }`"));
                continue;
            }
            let message = format!("there is no section `{of}` here");
            let problem = Problem::new(&UNKNOWN_SECTION, of.span, message);
            self.problems.suggest(problem, &of.name, "sections", || known);
        }
        self.check_left_out(around);
    }

    /// Makes a section of a variation; gives it back where the section that it is like is not there.
    fn varied(&mut self, variation: Variation<'a>, around: usize) -> Option<Variation<'a>> {
        let Some(of) = self.section_of(around, &variation.of.name) else { return Some(variation) };
        let Variation { name, level, .. } = variation;
        self.check_named_once(name, around);
        self.sections[of].used = true;
        let (length, source) = (self.sections[of].length, self.sections[of].level);
        let named = |line: &usize| &*self.written[*line].name;
        let mut replaced: FxHashSet<&str> = self.levels[level].lines.iter().map(named).collect();
        let left_out = std::mem::take(&mut self.levels[level].left_out);
        let lines = &self.levels[source].lines;
        for (target, span) in &left_out {
            if !lines.iter().any(|line| named(line) == target) {
                let message = format!("the section `{}` has no line of `{target}`", variation.of);
                let problem = Problem::new(&SECTION_VARIATION, *span, message);
                self.problems.add(problem.help("leave it out here, too").guess(*span, ""));
            }
        }
        replaced.extend(left_out.iter().map(|(target, _)| target.as_str()));
        let left = MOST_CLIPS - self.taken_over;
        let taken = lines.iter().copied().filter(|line| !replaced.contains(named(line)));
        let remaining: Vec<usize> = taken.take(left).collect();
        self.taken_over += remaining.len();
        if remaining.len() == left {
            let message = format!("variations of sections have more than {MOST_CLIPS} lines of these");
            let help = "make fewer variations, or let what they share play beneath them, in `play { }`";
            self.problems.add(Problem::new(&SCORE_NUMBER, name.span, message).help(help));
        }
        let own = std::mem::take(&mut self.levels[level].lines);
        let (arrangement, inner) = (self.levels[source].arrangement, self.levels[source].sections.clone());
        let made = &mut self.levels[level];
        made.lines = [remaining, own].concat();
        made.arrangement = made.arrangement.or(arrangement);
        // Its own sections are found first.
        made.sections.extend(inner);
        let named = self.levels[source].named.clone();
        let made = &mut self.levels[level];
        named.into_iter().for_each(|(name, section)| _ = made.named.entry(name).or_insert(section));
        self.add_section(around, Section { name, length, level, used: false });
        None
    }

    /// Only a variation leaves lines out.
    fn check_left_out(&mut self, level: usize) {
        if self.levels[level].varies {
            return;
        }
        for (target, span) in std::mem::take(&mut self.levels[level].left_out) {
            let message = format!("only a variation of a section leaves the lines of `{target}` out");
            let problem = Problem::new(&SECTION_VARIATION, span, message);
            let help = format!(
                "take it out: a section without a line of `{target}` adds none; lines of `play {{ }}` go on beneath all sections, so what is \
                 to rest in one stands in the others"
            );
            self.problems.add(problem.help(help).guess(span, ""));
        }
    }
}
