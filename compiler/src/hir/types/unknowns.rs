//! Dimensions that are not known yet, and what is known of them.
//!
//! A dimension is a whole number, the power of time. Of an argument without a declared one it is a variable; products and
//! quotients make sums of variables. An operation says what has to hold: that a sum is 0 (a plain number is wanted), or one
//! of several equations (values that are added have one dimension, or one of them is plain). An equation that is left alone is solved
//! at once; what can still hold in several ways waits, and is looked at again when a variable becomes known. So a definition is
//! refused if no dimension of its arguments is right, as far as that follows one equation at a time.

use crate::dimension::Dimension;
use std::collections::BTreeSet;

/// A variable: an index into [`Unknowns::solved`].
type Variable = u32;

/// A sum of multiples of variables and a number: a power of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Form {
    constant: i32,
    /// In the order of the variables, each with a factor that is not 0.
    terms: Vec<(Variable, i32)>,
}

impl From<Dimension> for Form {
    fn from(dimension: Dimension) -> Form {
        Form { constant: i32::from(dimension.0), terms: vec![] }
    }
}

impl Form {
    /// The dimension, if there is no variable in it.
    pub(super) fn known(&self) -> Option<Dimension> {
        const MOST: i32 = i8::MAX as i32;
        self.terms.is_empty().then(|| Dimension(self.constant.clamp(-MOST, MOST) as i8))
    }

    /// `self + factor · other`
    pub(super) fn plus(&self, factor: i32, other: &Form) -> Form {
        let mut sum = self.clone();
        sum.constant = sum.constant.saturating_add(other.constant.saturating_mul(factor));
        for &(variable, count) in &other.terms {
            sum.add_term(variable, count.saturating_mul(factor));
        }
        sum
    }

    fn add_term(&mut self, variable: Variable, count: i32) {
        match self.terms.binary_search_by_key(&variable, |term| term.0) {
            Ok(at) => {
                self.terms[at].1 = self.terms[at].1.saturating_add(count);
                if self.terms[at].1 == 0 {
                    self.terms.remove(at);
                }
            }
            Err(at) if count != 0 => self.terms.insert(at, (variable, count)),
            Err(_) => {}
        }
    }

    /// The equation `self = 0` in lowest terms; `None` where no whole numbers solve it.
    fn equation(mut self) -> Option<Form> {
        let factor = self.terms.iter().fold(0, |all, term| gcd(all, term.1.unsigned_abs())) as i32;
        if factor == 0 {
            return (self.constant == 0).then_some(self);
        }
        let factor = if self.terms[0].1 < 0 { -factor } else { factor };
        if self.constant % factor != 0 {
            return None;
        }
        self.constant /= factor;
        self.terms.iter_mut().for_each(|term| term.1 /= factor);
        Some(self)
    }
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Nothing satisfies all that has to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Conflict;

/// One of the ways in which a condition can hold.
#[derive(Clone, Debug)]
struct Case {
    /// What is 0 then.
    zero: Form,
    /// The dimension of the result then.
    result: Form,
}

/// A condition that can hold in several ways.
#[derive(Clone, Debug)]
struct Condition {
    cases: Vec<Case>,
    /// The dimension of the result.
    result: Form,
}

/// The variables, and the conditions on them that are open.
#[derive(Clone, Debug, Default)]
pub(super) struct Unknowns {
    /// What each variable is, where that is known.
    solved: Vec<Option<Form>>,
    /// The open conditions; `None` where one was since decided.
    open: Vec<Option<Condition>>,
    /// The conditions in which each variable stands: indices into `open`.
    waiting: Vec<Vec<usize>>,
    /// Those of which a variable has become known, to be looked at again.
    due: BTreeSet<usize>,
}

impl Unknowns {
    /// A dimension of which nothing is known.
    pub(super) fn fresh(&mut self) -> Form {
        self.solved.push(None);
        self.waiting.push(vec![]);
        Form { constant: 0, terms: vec![(self.solved.len() as Variable - 1, 1)] }
    }

    /// The dimension with everything in it that is known by now.
    pub(super) fn resolve(&self, form: &Form) -> Form {
        let mut now = form.clone();
        while let Some(&(variable, count)) =
            now.terms.iter().find(|term| self.solved[term.0 as usize].is_some())
        {
            let Some(value) = &self.solved[variable as usize] else { break };
            now.add_term(variable, -count);
            now = now.plus(count, value);
        }
        now
    }

    /// Requires that a dimension is `wanted`.
    ///
    /// # Errors
    /// Where it cannot be.
    pub(super) fn require(&mut self, form: &Form, wanted: Dimension) -> Result<(), Conflict> {
        let zero = self.resolve(form).plus(-1, &wanted.into());
        match zero.terms.is_empty() {
            true => {
                if zero.constant == 0 {
                    Ok(())
                } else {
                    Err(Conflict)
                }
            }
            false => self.solve(zero),
        }
    }

    /// The dimension of two values that are added or compared, of which a plain one goes with anything.
    ///
    /// # Errors
    /// Where no dimensions that they can have go together.
    pub(super) fn common(&mut self, x: &Form, y: &Form) -> Result<Form, Conflict> {
        let (x, y) = (self.resolve(x), self.resolve(y));
        if let (Some(x), Some(y)) = (x.known(), y.known()) {
            return x.common(y).map(Form::from).ok_or(Conflict);
        }
        let cases = vec![
            Case { zero: y.clone(), result: x.clone() },
            Case { zero: x.clone(), result: y.clone() },
            Case { zero: x.plus(-1, &y), result: if y.known().is_some() { y } else { x } },
        ];
        self.one_of(cases)
    }

    /// Requires that a dimension is `wanted`, or plain.
    ///
    /// # Errors
    /// Where it can be neither.
    pub(super) fn fits(&mut self, form: &Form, wanted: Dimension) -> Result<(), Conflict> {
        let (form, wanted) = (self.resolve(form), Form::from(wanted));
        let same = Case { zero: form.plus(-1, &wanted), result: wanted.clone() };
        self.one_of(vec![same, Case { zero: form, result: wanted }]).map(|_| ())
    }

    fn one_of(&mut self, mut cases: Vec<Case>) -> Result<Form, Conflict> {
        cases.retain(|case| case.zero.clone().equation().is_some());
        if cases.is_empty() {
            return Err(Conflict);
        }
        let result = match cases.iter().all(|case| case.result == cases[0].result) {
            true => cases[0].result.clone(),
            false => self.fresh(),
        };
        if let Some(open) = self.look(Condition { cases, result: result.clone() })? {
            self.open.push(None);
            self.wait(self.open.len() - 1, open);
        }
        self.look_again()?;
        Ok(self.resolve(&result))
    }

    /// What of a condition is still open; nothing where one equation is left, which is solved.
    fn look(&mut self, condition: Condition) -> Result<Option<Condition>, Conflict> {
        let mut cases: Vec<Case> = vec![];
        for case in condition.cases {
            let Some(zero) = self.resolve(&case.zero).equation() else { continue };
            let holds = zero.terms.is_empty();
            let case = Case { zero, result: self.resolve(&case.result) };
            if holds {
                cases = vec![case];
                break;
            }
            if !cases.iter().any(|known| known.zero == case.zero) {
                cases.push(case);
            }
        }
        match &cases[..] {
            [] => Err(Conflict),
            [Case { zero, result }] => {
                let (zero, result) = (zero.clone(), condition.result.plus(-1, result));
                self.assign(zero)?;
                let result = self.resolve(&result);
                self.assign(result)?;
                Ok(None)
            }
            _ => Ok(Some(Condition { cases, ..condition })),
        }
    }

    /// Keeps a condition until one of its variables is known.
    fn wait(&mut self, place: usize, condition: Condition) {
        for (variable, _) in condition.cases.iter().flat_map(|case| &case.zero.terms) {
            let waiting = &mut self.waiting[*variable as usize];
            if waiting.last() != Some(&place) {
                waiting.push(place);
            }
        }
        self.open[place] = Some(condition);
    }

    /// Looks at open conditions until nothing more follows.
    fn look_again(&mut self) -> Result<(), Conflict> {
        let mut found = Ok(());
        while let Some(place) = self.due.pop_first() {
            let Some(condition) = self.open[place].take() else { continue };
            match self.look(condition) {
                Ok(Some(open)) => self.wait(place, open),
                Ok(None) => {}
                Err(Conflict) => found = Err(Conflict),
            }
        }
        found
    }

    fn solve(&mut self, zero: Form) -> Result<(), Conflict> {
        self.assign(zero)?;
        self.look_again()
    }

    /// Solves one equation for one of its variables. One in which no variable stands once is left open.
    fn assign(&mut self, zero: Form) -> Result<(), Conflict> {
        let zero = self.resolve(&zero).equation().ok_or(Conflict)?;
        let Some(&(variable, count)) = zero.terms.iter().rev().find(|term| term.1.abs() == 1) else {
            return Ok(());
        };
        let mut rest = zero;
        rest.add_term(variable, -count);
        self.solved[variable as usize] = Some(Form::default().plus(-count, &rest));
        self.due.extend(std::mem::take(&mut self.waiting[variable as usize]));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Dimension = Dimension::PLAIN;

    fn squared(x: &Form) -> Form {
        x.plus(1, x)
    }

    #[test]
    fn what_is_added_to_its_square_is_plain() {
        let mut unknowns = Unknowns::default();
        let x = unknowns.fresh();
        assert_eq!(unknowns.common(&squared(&x), &x), Ok(PLAIN.into()));
        assert_eq!(unknowns.resolve(&x).known(), Some(PLAIN));
        assert_eq!(unknowns.fits(&x, Dimension::TIME), Ok(()));
        assert_eq!(unknowns.require(&x, Dimension::TIME), Err(Conflict));
    }

    #[test]
    fn one_argument_has_one_dimension() {
        let mut unknowns = Unknowns::default();
        let x = unknowns.fresh();
        assert_eq!(unknowns.require(&x.plus(-1, &Dimension::FREQUENCY.into()), PLAIN), Ok(()));
        assert_eq!(unknowns.require(&x.plus(-1, &Dimension::TIME.into()), PLAIN), Err(Conflict));
    }

    #[test]
    fn what_waits_is_solved_when_a_variable_is_known() {
        let mut unknowns = Unknowns::default();
        let (x, y) = (unknowns.fresh(), unknowns.fresh());
        let sum = unknowns.common(&x, &y).unwrap();
        assert_eq!(unknowns.resolve(&sum).known(), None);
        assert_eq!(unknowns.require(&x, Dimension::TIME), Ok(()));
        assert_eq!(unknowns.require(&y, Dimension::TIME), Ok(()));
        assert_eq!(unknowns.resolve(&sum).known(), Some(Dimension::TIME));
    }

    #[test]
    fn a_condition_that_no_case_satisfies_any_more_is_a_conflict() {
        let mut unknowns = Unknowns::default();
        let (x, y) = (unknowns.fresh(), unknowns.fresh());
        assert!(unknowns.common(&x, &y).is_ok());
        assert_eq!(unknowns.require(&x, Dimension::TIME), Ok(()));
        assert_eq!(unknowns.require(&y, Dimension::FREQUENCY), Err(Conflict));
    }

    #[test]
    fn what_is_added_to_a_time_is_a_time_whatever_it_was() {
        let mut unknowns = Unknowns::default();
        let x = unknowns.fresh();
        assert_eq!(unknowns.common(&x, &Dimension::TIME.into()), Ok(Dimension::TIME.into()));
        assert_eq!(unknowns.require(&x, Dimension::FREQUENCY), Err(Conflict));
    }

    #[test]
    fn an_odd_power_is_not_twice_a_power() {
        let mut unknowns = Unknowns::default();
        let x = squared(&unknowns.fresh());
        assert_eq!(unknowns.require(&x, Dimension::TIME), Err(Conflict));
    }
}
