//! A kernel with block nodes becomes stages: what computes the inputs of the blocks that need no other one, these blocks, what
//! computes the inputs of those that need their results, and so on. The last stage is the node itself.
//!
//! Each stage computes what it needs of the kernel for itself, but for what flows into blocks, which is heard of the stage that computes
//! it. What flows into a block must not depend on its result, through whatever state.

use super::terms::{Piece, Slicer};
use crate::ir::{InputId, Kernel, Op, Rate, Value};
use std::collections::BTreeSet;
use std::ops::Range;

/// What a block hears and what comes out of it, by number among all that flows into the blocks of a kernel and all that comes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ends {
    /// What flows in.
    pub(super) flows: Range<usize>,
    /// What comes out.
    pub(super) results: Range<usize>,
}

/// A kernel as stages.
pub(super) struct Stages {
    /// What comes before the last one.
    pub(super) before: Vec<Stage>,
    /// The node. Its last inputs are those of [`Stages::heard`].
    pub(super) last: Piece,
    /// What flows into blocks and the last stage hears.
    pub(super) heard: Vec<usize>,
}

/// What computes the inputs of some blocks.
pub(super) struct Stage {
    /// The blocks, by index.
    pub(super) blocks: Vec<usize>,
    /// What flows into them and is computed; the rest are inputs of the kernel.
    pub(super) computed: Vec<usize>,
    /// What computes them, in this order, if there is something to be computed. Its last inputs are those of [`Stage::heard`].
    pub(super) piece: Option<Piece>,
    /// What flows into other blocks and it hears.
    pub(super) heard: Vec<usize>,
}

/// Where what flows into a block comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// It is an input of the kernel.
    Input(usize),
    /// A stage computes it.
    Piece,
}

/// Where what flows into blocks at number `flow` comes from; the outputs of `kernel` are `own`, and one for each flow.
pub(super) fn source(kernel: &Kernel, own: usize, flow: usize) -> Source {
    let input = |value: Value| match kernel.steady.insts[value].op {
        Op::Input(input) => Some(input.index()),
        _ => None,
    };
    let both = [kernel.general.outs[own + flow], kernel.steady.outs[own + flow]];
    match (input(both[1]), kernel.general.insts[both[0]].op) {
        (Some(index), Op::Input(other)) if other == InputId::new(index) => Source::Input(index),
        _ => Source::Piece,
    }
}

/// Cuts a kernel whose outputs are `own`, and one for each flow of the `blocks`; `results` are the inputs that their results are,
/// where they are heard.
///
/// # Errors
/// The block that hears itself, if one does.
pub(super) fn stages(
    kernel: &Kernel,
    own: usize,
    blocks: &[Ends],
    results: &[Option<usize>],
) -> Result<Stages, usize> {
    let slicer = Slicer::new(kernel);
    let depths = depths(&slicer, own, blocks, results)?;
    let is_computed = |flow: &usize| source(kernel, own, *flow) == Source::Piece;
    let (mut before, mut known) = (vec![], vec![]);
    for depth in 0..=depths.iter().copied().max().unwrap_or(0) {
        let here: Vec<usize> = (0..depths.len()).filter(|&block| depths[block] == depth).collect();
        let flows = here.iter().flat_map(|&block| blocks[block].flows.clone());
        let computed: Vec<usize> = flows.filter(is_computed).collect();
        let outputs: Vec<usize> = computed.iter().map(|flow| own + flow).collect();
        let made = (!outputs.is_empty()).then(|| piece(&slicer, own, &outputs, &known));
        let (piece, heard) = made.map_or((None, vec![]), |(piece, heard)| (Some(piece), heard));
        known.extend(computed.iter().copied());
        before.push(Stage { blocks: here, computed, piece, heard });
    }
    let outputs: Vec<usize> = (0..own).collect();
    let (last, heard) = piece(&slicer, own, &outputs, &known);
    Ok(Stages { before, last, heard })
}

/// The piece that computes some outputs, and what it hears of the `known` that flows into blocks.
fn piece(slicer: &Slicer, own: usize, outputs: &[usize], known: &[usize]) -> (Piece, Vec<usize>) {
    let kernel = slicer.kernel();
    let forms = [(0, &kernel.general), (1, &kernel.steady)];
    let is_fast = |flow: &&usize| {
        forms.iter().all(|&(form, body)| slicer.rate(form, body.outs[own + **flow]) == Rate::Sample)
    };
    let known: Vec<usize> = known.iter().filter(is_fast).copied().collect();
    let values = |flows: &[usize]| {
        forms.map(|(_, body)| flows.iter().map(|flow| body.outs[own + flow]).collect::<Vec<Value>>())
    };
    let roots = || forms.map(|(_, body)| outputs.iter().map(|&output| body.outs[output]).collect());
    let all = values(&known);
    let slice = slicer.slice_that_hears(roots(), &all);
    let is_needed = |index: &usize| (0..2).any(|form| slice.needs(form, all[form][*index]));
    let heard: Vec<usize> = (0..known.len()).filter(is_needed).map(|index| known[index]).collect();
    let needed = values(&heard);
    let slice = slicer.slice_that_hears(roots(), &needed);
    let names = outputs.iter().map(|&output| kernel.outputs[output].clone()).collect();
    (slicer.piece(&slice, names), heard)
}

/// How many blocks stand before each one, at most, in a row.
fn depths(
    slicer: &Slicer,
    own: usize,
    blocks: &[Ends],
    results: &[Option<usize>],
) -> Result<Vec<usize>, usize> {
    let kernel = slicer.kernel();
    let count = blocks.len();
    let needs: Vec<BTreeSet<usize>> = (0..count)
        .map(|block| {
            let flows = blocks[block].flows.clone();
            let roots = [&kernel.general, &kernel.steady]
                .map(|body| flows.clone().map(|flow| body.outs[own + flow]).collect());
            let inputs = slicer.inputs(roots);
            let is_heard = |other: &usize| {
                let mut results = results[blocks[*other].results.clone()].iter().flatten();
                results.any(|input| inputs.contains(input))
            };
            (0..count).filter(is_heard).collect()
        })
        .collect();
    let mut depths = vec![0; count];
    // As often as a row of all blocks is long; what grows once more goes round.
    for _ in 0..=count {
        let mut grown = None;
        for block in 0..count {
            let depth = needs[block].iter().map(|&other| depths[other] + 1).max().unwrap_or(0);
            if depth > depths[block] {
                (depths[block], grown) = (depth, Some(block));
            }
        }
        if grown.is_none() {
            return Ok(depths);
        }
    }
    // A block that hears one that hears itself is deeper and deeper too: the problem is the circle.
    let mut reached = needs.clone();
    for _ in 0..count {
        for block in 0..count {
            let further: Vec<usize> =
                reached[block].iter().flat_map(|&other| reached[other].iter().copied()).collect();
            reached[block].extend(further);
        }
    }
    Err((0..count).find(|block| reached[*block].contains(block)).unwrap_or(0))
}
