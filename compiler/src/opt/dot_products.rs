//! Dot products within a frame: of a sum whose terms read neighbouring entries of a table or a delay line, at a place that moves from
//! frame to frame, four terms are the lanes of one vector.
//!
//! `t[i]·a + t[i+1]·b + t[i+2]·c + t[i+3]·d` loads four entries at once, multiplies once, and adds up the lanes at the end. What is
//! computed alike for the four terms is computed in lanes as well, as far as neighbours are read in it: weights that lie between two
//! rows of a table of their own, too. All else is put into lanes as it is. (At a distance that does not move, time lanes read
//! four frames of a line at once for each term.)
//!
//! [`super::reassociate`] asks it for every sum. Time lanes and instance lanes make such a vector for each of their lanes.

use crate::ir::{Body, Imm, Op, Rate, Type, Value};
use crate::opt::lanes::LANES;
use mam_runtime::sort::Sort;
use rustc_hash::{FxHashMap, FxHashSet};

/// How many operations lie between a term and a table at most.
const DEPTH: usize = 16;
/// How many values of a term are looked at to find what it reads.
const READS: usize = 32;

/// What is to be a lane: a value of the old body, or a factor that is not written.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Lane {
    Value(Value),
    One,
}

/// The lanes of a vector.
type Four = [Lane; LANES];

/// A term of a sum: which one it is, and its value.
pub(super) type Term = (usize, Value);

/// Where something is read.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Position {
    /// Whether it is a table or a line, and which.
    source: (u8, usize),
    /// What its index is made of, and how much is added to that.
    root: Option<Value>,
    ahead: i32,
}

/// Lanes that are neighbours in memory.
struct Neighbours {
    /// What reads one of them.
    read: Op,
    /// The index or the distance of the first of them.
    first: Value,
    /// Whether the last lane is the first of them.
    backwards: bool,
}

/// The vectors that sums of a body are made of.
pub(super) struct DotProducts<'b> {
    old: &'b Body,
    rates: Vec<Rate>,
    /// Whether neighbours are read in what these lanes are computed from.
    reading: FxHashMap<Four, bool>,
    /// The vectors that there are in the new body.
    made: FxHashMap<Four, Value>,
}

impl<'b> DotProducts<'b> {
    pub(super) fn new(old: &'b Body) -> DotProducts<'b> {
        DotProducts { old, rates: old.rates(), reading: FxHashMap::default(), made: FxHashMap::default() }
    }

    /// The terms of a sum that read tables and lines, those beside each other that read neighbours, as a sum has them in any order.
    pub(super) fn side_by_side(&self, terms: &[Value]) -> Vec<Term> {
        let mut reading: Vec<(Position, Term)> = vec![];
        if terms.len() >= LANES {
            let places = terms.iter().enumerate();
            reading.extend(places.filter_map(|(i, term)| Some((self.first_position(*term)?, (i, *term)))));
            reading.put_in_order();
        }
        reading.into_iter().map(|(_, term)| term).collect()
    }

    /// Of the places that a term reads the first one: which of them that is, is the same for terms that are alike.
    fn first_position(&self, term: Value) -> Option<Position> {
        let (mut open, mut seen) = (vec![term], FxHashSet::default());
        let mut first: Option<Position> = None;
        while let Some(value) = open.pop() {
            if seen.len() == READS || !seen.insert(value) {
                continue;
            }
            if let Some((op, index)) = self.read(Lane::Value(value)) {
                let (root, ahead) = self.index(index);
                let source = match op {
                    Op::Table(table) => (0, table.index()),
                    Op::Read(line) => (1, line.index()),
                    _ => continue,
                };
                let position = Position { source, root, ahead };
                first = Some(first.map_or(position, |first| first.min(position)));
            } else if self.old.insts[value].op.row().meaning.is_some() {
                open.extend(self.old.insts[value].args.as_slice());
            }
        }
        first
    }

    /// Four terms of a sum as a vector of the new body, in which old values are `map`; none where they read no neighbours, or too
    /// much of them would have to be put into lanes. The order of the lanes is the one in which more are loaded as they lie: backwards
    /// their sum is the same.
    pub(super) fn vector(&mut self, new: &mut Body, map: &[Value], terms: &[Term]) -> Option<Value> {
        let terms: [Term; LANES] = terms.try_into().ok()?;
        let lanes = terms.map(|(_, term)| Lane::Value(term));
        if !self.reads(&lanes, DEPTH) {
            return None;
        }
        let vectors = self.vectors(&lanes);
        if vectors.packed > vectors.forwards + vectors.backwards {
            return None;
        }
        let [a, b, c, d] = lanes;
        let turned = [d, c, b, a];
        if vectors.backwards > vectors.forwards && self.reads(&turned, DEPTH) {
            return Some(self.build(new, map, turned));
        }
        Some(self.build(new, map, lanes))
    }

    /// Whether neighbours are read in what these lanes are computed from.
    fn reads(&mut self, lanes: &Four, depth: usize) -> bool {
        if let Some(known) = self.reading.get(lanes) {
            return *known;
        }
        let columns = match self.neighbours(lanes) {
            None if depth > 0 => self.alike(lanes).map_or(vec![], |(_, columns)| columns),
            _ => vec![],
        };
        // Of each column, as all are built.
        let of_columns: Vec<bool> = columns.iter().map(|column| self.reads(column, depth - 1)).collect();
        let reads = self.neighbours(lanes).is_some() || of_columns.contains(&true);
        self.reading.insert(*lanes, reads);
        reads
    }

    /// How the vectors that these lanes are computed from come about.
    fn vectors(&self, lanes: &Four) -> Vectors {
        let mut seen = FxHashSet::default();
        let (mut vectors, mut open) = (Vectors::default(), vec![*lanes]);
        while let Some(lanes) = open.pop() {
            if !seen.insert(lanes) {
                continue;
            }
            match self.neighbours(&lanes) {
                Some(Neighbours { backwards: true, .. }) => vectors.backwards += 1,
                Some(_) => vectors.forwards += 1,
                None if self.reading.get(&lanes) == Some(&true) => {
                    open.extend(self.alike(&lanes).into_iter().flat_map(|(_, columns)| columns));
                }
                None if is_uniform(&lanes) => {}
                None => {
                    let constant = lanes.iter().all(|lane| self.constant(*lane).is_some());
                    vectors.packed += usize::from(!constant);
                }
            }
        }
        vectors
    }

    /// The vector of these lanes.
    fn build(&mut self, new: &mut Body, map: &[Value], lanes: Four) -> Value {
        if let Some(known) = self.made.get(&lanes) {
            return *known;
        }
        let made = if let Some(neighbours) = self.neighbours(&lanes) {
            self.load(new, map, lanes, &neighbours)
        } else if self.reading.get(&lanes) == Some(&true)
            && let Some((op, columns)) = self.alike(&lanes)
        {
            let args: Vec<Value> = columns.into_iter().map(|column| self.build(new, map, column)).collect();
            new.op(op, &args)
        } else {
            let each = lanes.map(|lane| match lane {
                Lane::Value(value) => map[value.index()],
                Lane::One => new.constant(Imm::F32(1.0), 1),
            });
            match (is_uniform(&lanes), new.as_const(each[0])) {
                (true, Some(imm)) => new.constant(imm, LANES as u8),
                (true, None) => new.op(Op::Splat, &each[..1]),
                (false, _) => new.op(Op::Pack, &each),
            }
        };
        self.made.insert(lanes, made);
        made
    }

    /// The vector of neighbours.
    fn load(&mut self, new: &mut Body, map: &[Value], lanes: Four, of: &Neighbours) -> Value {
        if of.backwards {
            let [a, b, c, d] = lanes;
            let forwards = self.build(new, map, [d, c, b, a]);
            let turned = [3, 2, 1, 0].map(|lane| new.op(Op::Extract(lane), &[forwards]));
            return new.op(Op::Pack, &turned);
        }
        let first = map[of.first.index()];
        match of.read {
            Op::Table(table) => new.op(Op::Neighbours(table), &[first]),
            // Lane k counts back from the k-th frame from here.
            read => {
                let distance = new.op(Op::Splat, &[first]);
                new.op(read, &[distance])
            }
        }
    }

    /// How these lanes lie in memory, where they are neighbours.
    fn neighbours(&self, lanes: &Four) -> Option<Neighbours> {
        let (op, first) = self.read(lanes[0])?;
        let (root, start) = self.index(first);
        let follows = |by: i32| {
            lanes.iter().enumerate().all(|(k, lane)| {
                let Some((other, index)) = self.read(*lane) else { return false };
                other == op && self.index(index) == (root, start.wrapping_add(by.wrapping_mul(k as i32)))
            })
        };
        // What lies further on in a line was written less long ago.
        let ahead = if matches!(op, Op::Read(_)) { -1 } else { 1 };
        if follows(ahead) {
            return Some(Neighbours { read: op, first, backwards: false });
        }
        let (_, last) = self.read(lanes[LANES - 1])?;
        follows(-ahead).then_some(Neighbours { read: op, first: last, backwards: true })
    }

    /// What a lane reads at a place that moves, and that place.
    fn read(&self, lane: Lane) -> Option<(Op, Value)> {
        let Lane::Value(value) = lane else { return None };
        let inst = &self.old.insts[value];
        match (inst.op, inst.args.as_slice()) {
            (Op::Table(_) | Op::Read(_), &[place]) => {
                let moves = self.rates[place.index()] == Rate::Sample;
                (inst.ty == Type::F32 && moves).then_some((inst.op, place))
            }
            _ => None,
        }
    }

    /// An index as something and a constant that is added to it.
    fn index(&self, index: Value) -> (Option<Value>, i32) {
        let (mut root, mut ahead) = (index, 0i32);
        loop {
            if let Some(Imm::I32(constant)) = self.old.as_const(root) {
                return (None, ahead.wrapping_add(constant));
            }
            let inst = &self.old.insts[root];
            let (Op::Add, &[a, b]) = (inst.op, inst.args.as_slice()) else { return (Some(root), ahead) };
            let (rest, constant) = match (self.old.as_const(a), self.old.as_const(b)) {
                (_, Some(Imm::I32(constant))) => (a, constant),
                (Some(Imm::I32(constant)), _) => (b, constant),
                _ => return (Some(root), ahead),
            };
            (root, ahead) = (rest, ahead.wrapping_add(constant));
        }
    }

    /// The operation that all of these lanes are, with its operands in lanes. What is no product is one with 1 among products.
    fn alike(&self, lanes: &Four) -> Option<(Op, Vec<Four>)> {
        if is_uniform(lanes) {
            return None;
        }
        let inst = |lane: Lane| match lane {
            Lane::Value(value) => Some(&self.old.insts[value]),
            Lane::One => None,
        };
        let product =
            |lane: &Lane| inst(*lane).is_some_and(|inst| inst.op == Op::Mul && inst.ty == Type::F32);
        let op = match lanes.iter().any(product) {
            true => Op::Mul,
            false => inst(lanes[0])?.op,
        };
        op.row().meaning?;
        let mut rows: Vec<Vec<Lane>> = vec![];
        for lane in lanes {
            let row: Vec<Lane> = match inst(*lane) {
                Some(inst) if inst.op == op => {
                    let args = inst.args.as_slice();
                    if !inst.ty.is_packable() || !args.iter().all(|arg| self.old.ty(*arg).is_packable()) {
                        return None;
                    }
                    args.iter().copied().map(Lane::Value).collect()
                }
                _ if op == Op::Mul => vec![*lane, Lane::One],
                _ => return None,
            };
            rows.push(self.in_order(op, row, rows.first()));
        }
        // Conversions have a choice of types.
        let types = |row: &[Lane]| row.iter().map(|lane| self.ty(*lane)).collect::<Vec<Type>>();
        let ty = |lane: Lane| self.ty(lane);
        let same = rows.iter().all(|row| types(row) == types(&rows[0]))
            && lanes.iter().all(|lane| ty(*lane) == ty(lanes[0]));
        let args = types(&rows[0]);
        if !same || op.result(&args) != Some(ty(lanes[0])) {
            return None;
        }
        let column = |i: usize| std::array::from_fn(|k| rows[k][i]);
        Some((op, (0..rows[0].len()).map(column).collect()))
    }

    /// The operands of a sum or product in the order in which they are like those of the first one.
    fn in_order(&self, op: Op, mut row: Vec<Lane>, first: Option<&Vec<Lane>>) -> Vec<Lane> {
        let kind = |lane: &Lane| match lane {
            Lane::Value(value) => Some(self.old.insts[*value].op),
            Lane::One => None,
        };
        if let (Op::Add | Op::Mul, Some(first)) = (op, first) {
            let turned: Vec<Lane> = row.iter().rev().copied().collect();
            let alike = |row: &[Lane]| row.iter().zip(first).filter(|(a, b)| kind(a) == kind(b)).count();
            if alike(&turned) > alike(&row) {
                row = turned;
            }
        }
        row
    }

    fn ty(&self, lane: Lane) -> Type {
        match lane {
            Lane::Value(value) => self.old.ty(value),
            Lane::One => Type::F32,
        }
    }

    fn constant(&self, lane: Lane) -> Option<Imm> {
        match lane {
            Lane::Value(value) => self.old.as_const(value),
            Lane::One => Some(Imm::F32(1.0)),
        }
    }
}

/// How many vectors come about in which way.
#[derive(Default)]
struct Vectors {
    /// Loaded as they lie in memory.
    forwards: usize,
    /// Loaded, and then turned round.
    backwards: usize,
    /// Put together of scalars.
    packed: usize,
}

/// Whether all lanes are one value.
fn is_uniform(lanes: &Four) -> bool {
    lanes.iter().all(|lane| *lane == lanes[0])
}
