//! How each component of instructions that depend on each other is computed in lanes: the recognisers are asked one
//! after the other, and the first that knows a component describes it.

use super::block_filter::{self, BlockFilter, Users};
use super::bounds;
use super::clamp::{self, Clamp};
use super::component::{Component, components};
use super::induction::{self, Counter, Inductions, Phase, Ramp, ScaledSeries, Series};
use super::pulses::{self, Pulses};
use super::rotation::{self, Rotation};
use super::scalarize::ScalarRegion;
use super::scan::{self, Linear};
use super::schedule::Schedule;
use super::segmented::{self, Advance, Segmented};
use crate::ir::{DelayLine, Imm, Op, Value};
use crate::opt::analysis::{Analysis, ShortRead};
use mam_grammar::Handle;

/// How a component is computed in lanes.
pub(super) enum Form {
    /// One instruction on four frames at once.
    Elementwise(Value),
    /// One instruction frame by frame, as f64 has no lanes, and what has lanes no others.
    FrameByFrame(Value),
    /// `prev` of what is in no recurrence with it: what its state is set to, one frame later.
    Previous { get: Value, next: Value },
    /// What was written into a delay line less than four frames ago, and is in no recurrence with it.
    ShortRead { value: Value, read: ShortRead },
    /// A whole number that rises by the same in each frame.
    Ramp(Ramp),
    /// A power of two whose exponent is a line over a counter.
    Series(Series),
    /// A series times what is loop-invariant.
    ScaledSeries(ScaledSeries),
    /// The sine or cosine of a line over a held phase.
    Rotation(Rotation),
    /// `s + step` of whole numbers.
    Phase(Phase),
    /// `min(s + step, most)` of whole numbers.
    Counter(Counter),
    /// A state that a condition sets to a value, and that else keeps it or counts.
    Segmented(Segmented),
    /// A countdown that begins anew with a period.
    Pulses(Pulses),
    /// Linear in its states.
    Linear(Linear),
    /// Linear in its state within a bound.
    Clamp(Clamp),
    /// Filters of second order that do not hear each other, one or two.
    BlockFilters(Vec<BlockFilter>),
    /// Anything else: frame after frame.
    Scalar(ScalarRegion),
}

impl Form {
    /// Its name and the states or values that it is of, for `mamc dump plan`. None where there is nothing to be told.
    pub(super) fn describe(&self, a: &Analysis) -> Option<String> {
        let name = |state| a.name_of(state);
        match self {
            Form::Elementwise(_) | Form::FrameByFrame(_) | Form::Previous { .. } | Form::ShortRead { .. } => {
                None
            }
            Form::Ramp(_) | Form::ScaledSeries(_) | Form::BlockFilters(_) => None,
            Form::Series(series) => Some(format!("v{}: a geometric series", series.value.index())),
            Form::Rotation(rotation) => {
                let function = a.body.insts[rotation.value].op.row().name;
                Some(format!("v{}: a rotation ({function} of a phase)", rotation.value.index()))
            }
            Form::Phase(phase) => Some(format!("{}: a phase", name(phase.state))),
            Form::Counter(counter) => Some(format!("{}: a counter", name(counter.state))),
            Form::Segmented(segmented) => {
                let what = match segmented.advance {
                    Advance::Held => "a value that is held",
                    Advance::Counted { .. } => "a counter that begins anew",
                };
                Some(format!("{}: {what}", name(segmented.state)))
            }
            Form::Pulses(pulses) => {
                let late = pulses.late.map_or(String::new(), |late| format!(", {}", name(late.state)));
                Some(format!("{}{late}: a countdown that begins anew", name(pulses.left.state)))
            }
            Form::Linear(linear) => {
                let names: Vec<&str> = linear.states.iter().map(|state| name(*state)).collect();
                Some(format!("{}: linear, with a loop-invariant factor", names.join(", ")))
            }
            Form::Clamp(clamp) => {
                Some(format!("{}: linear within a bound, with a loop-invariant factor", name(clamp.state)))
            }
            Form::Scalar(region) => Some(region.describe(a)),
        }
    }
}

/// The components of a body in lanes.
pub(super) struct Forms {
    /// In the order in which they are built.
    pub(super) all: Vec<Form>,
    /// What is told of them, line by line.
    pub(super) reasons: Vec<String>,
}

/// Finds a form for each component of a steady body. Without `rounding` only those that keep every bit.
///
/// # Errors
/// Why the body can't be computed in lanes.
pub(super) fn recognise(a: &Analysis, rounding: bool) -> Result<Forms, String> {
    obstacle(a)?;
    let components = components(a);
    let users = Users::new(a.body);
    let filters = find_filters(a, &users, &components, rounding);
    let mut reasons: Vec<String> = filters.iter().flatten().map(|filter| filter.describe(a)).collect();
    let mut filters: Vec<Option<BlockFilter>> = filters;
    let schedule = Schedule::new(a, &components, &filters);
    let mut recogniser = Recogniser { a, users: &users, rounding, inductions: Inductions::default() };
    let mut all = vec![];
    for group in schedule.groups {
        let here: Vec<BlockFilter> = group.iter().filter_map(|i| filters[*i].take()).collect();
        let form = match here.is_empty() {
            false => Form::BlockFilters(here),
            true => recogniser.form(&components[group[0]]),
        };
        reasons.extend(form.describe(a));
        all.push(form);
    }
    Ok(Forms { all, reasons })
}

/// Why a body has no form in lanes at all, if it has not.
fn obstacle(a: &Analysis) -> Result<(), String> {
    if a.body.step != 1 {
        return Err("it is in lanes already".into());
    }
    for (value, inst) in a.body.insts.iter() {
        // What is made of a frame alone is made frame by frame, whatever its lanes; states are not.
        if inst.ty.lanes > 1 && matches!(inst.op, Op::Get(_)) && !a.is_invariant(value) {
            return Err("it has lanes of its own".into());
        }
        if matches!(inst.op, Op::LoopCarried | Op::LiveIn(_) | Op::CallFrame | Op::CallFrames) {
            return Err("it has loop-carried values already".into());
        }
        if let Op::Read(line) = inst.op {
            short_line(a, line)?;
            delay_fits(a, line, Distance::of_read(a, value))?;
        }
    }
    Ok(())
}

/// Why four neighbours of a line are not read at once.
fn short_line(a: &Analysis, line: Handle<DelayLine>) -> Result<(), String> {
    let DelayLine { name, frames, .. } = &a.kernel.delays[line];
    match *frames {
        DelayLine::LANES.. => Ok(()),
        _ => Err(format!("{name} has less than eight frames")),
    }
}

/// How far back a read goes.
#[derive(Clone, Copy)]
pub(super) struct Distance {
    /// In frames; of neighbours, the furthest.
    pub(super) ago: Value,
    /// The least with which nothing is read that an iteration of four frames writes.
    pub(super) least: f64,
}

impl Distance {
    pub(super) fn of_read(a: &Analysis, read: Value) -> Distance {
        let inst = &a.body.insts[read];
        let ago = inst.args.as_slice()[0];
        match (a.body.insts[ago].op, a.body.insts[ago].args.as_slice()) {
            (Op::Splat, &[ago]) => Distance { ago, least: 7.0 },
            _ => Distance { ago, least: 4.0 },
        }
    }
}

/// Why a delay is not one of four frames at once.
fn delay_fits(
    a: &Analysis,
    line: Handle<DelayLine>,
    Distance { ago, least }: Distance,
) -> Result<(), String> {
    let DelayLine { name, frames, .. } = &a.kernel.delays[line];
    if a.body.ty(ago).lanes > 1 || least > 4.0 && a.is_invariant(ago) {
        return Err("it has lanes of its own".into());
    }
    if a.is_invariant(ago) {
        // What is not a constant is a condition of the body.
        let never =
            matches!(a.body.as_const(ago), Some(Imm::I32(ago)) if !(1..*frames as i32).contains(&ago));
        return if never { Err(format!("{name} is read where nothing has been written")) } else { Ok(()) };
    }
    match a.interval(ago) {
        // Where it is not known to be four frames, the call may know it.
        Some((low, most)) if most <= f64::from(*frames) && (low >= least || bounds::has_bounds(a, ago)) => {
            Ok(())
        }
        _ => Err(format!(
            "the delay of {name} may change every frame, and is not known to be at least four frames: keep it above \
             them, as in `max(time, 4 * dt)`"
        )),
    }
}

/// Which components are filters in blocks.
fn find_filters(
    a: &Analysis,
    users: &Users,
    components: &[Component],
    rounding: bool,
) -> Vec<Option<BlockFilter>> {
    if !rounding {
        return components.iter().map(|_| None).collect();
    }
    let found = |component: &Component| match component.is_recurrence {
        true => block_filter::recognise(a, users, component),
        false => None,
    };
    components.iter().map(found).collect()
}

/// The recognisers, in order, and what they have found so far.
struct Recogniser<'a> {
    a: &'a Analysis<'a>,
    users: &'a Users,
    /// Whether last bits may change.
    rounding: bool,
    inductions: Inductions,
}

impl Recogniser<'_> {
    fn form(&mut self, component: &Component) -> Form {
        match component.is_recurrence {
            true => self.recurrence(component),
            false => self.single(component[0]),
        }
    }

    /// An instruction that is in no recurrence.
    fn single(&mut self, value: Value) -> Form {
        let inst = &self.a.body.insts[value];
        let packable = |v: &Value| self.a.body.ty(*v).is_packable();
        if let Some(next) = self.a.next_of(inst.op) {
            return Form::Previous { get: value, next };
        }
        if let Some(read) = self.a.short_read(value) {
            return Form::ShortRead { value, read };
        }
        if !packable(&value) || !inst.args.as_slice().iter().all(packable) {
            return Form::FrameByFrame(value);
        }
        if let Some(ramp) = self.inductions.ramp(self.a, value) {
            return Form::Ramp(ramp);
        }
        if self.rounding {
            if let Some(series) = self.inductions.series(self.a, value) {
                return Form::Series(series);
            }
            if let Some(rotation) = rotation::recognise(self.a, &self.inductions, value) {
                return Form::Rotation(rotation);
            }
        }
        match self.inductions.scaled_series(self.a, value) {
            Some(scaled) => Form::ScaledSeries(scaled),
            None => Form::Elementwise(value),
        }
    }

    fn recurrence(&mut self, component: &Component) -> Form {
        if let Some(phase) = self.inductions.phase(self.a, component) {
            return Form::Phase(phase);
        }
        if let Some(counter) = induction::counter(self.a, component) {
            self.inductions.add_counter(&counter);
            return Form::Counter(counter);
        }
        if let Some(segmented) = segmented::recognise(self.a, component) {
            return Form::Segmented(segmented);
        }
        if let Some(pulses) = pulses::recognise(self.a, self.users, component) {
            return Form::Pulses(pulses);
        }
        if !self.rounding {
            return Form::Scalar(ScalarRegion::unknown(component));
        }
        match scan::recognise(self.a, component) {
            Some(linear) if linear.creeps(self.a.body) => Form::Scalar(ScalarRegion::creeping(component)),
            Some(linear) => Form::Linear(linear),
            None => match clamp::recognise(self.a, component) {
                Some(clamp) => Form::Clamp(clamp),
                None => Form::Scalar(ScalarRegion::unknown(component)),
            },
        }
    }
}
