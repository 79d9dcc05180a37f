//! What the parts of a program are.

use super::split::split;
use crate::ids::{BufferId, IdMap, SignalId};
use crate::program::{Call, Code, Form, Program, Step};
use crate::score::Score;
use std::sync::Arc;

struct Nothing;

impl Code for Nothing {
    unsafe fn call(&self, _: u32, _: Form, _: &Call) {}
}

/// A program of steps: what each hears, what it writes, and what it costs.
fn program(steps: &[(&[usize], usize, usize)], outputs: &[usize]) -> Program {
    let step = |&(inputs, output, cost): &(&[usize], usize, usize)| Step {
        inputs: inputs.iter().map(|&signal| SignalId::new(signal)).collect(),
        outputs: vec![SignalId::new(output)],
        cost,
        ..Step::default()
    };
    Program {
        rate: 48_000,
        latency: 0,
        layout: crate::ChannelLayout::default(),
        code: Arc::new(Nothing),
        steps: steps.iter().map(step).collect(),
        state: Arc::default(),
        delays: IdMap::default(),
        buffers: (0..16).map(BufferId::new).collect(),
        inputs: vec![],
        outputs: outputs.iter().map(|&signal| SignalId::new(signal)).collect(),
        params: IdMap::default(),
        names: Arc::default(),
        ports: 0,
        targets: vec![],
        score: Score::default(),
    }
}

/// The costs of the steps of each part, with the parts that it needs.
fn parts(program: &Program, shares: usize) -> Vec<(Vec<usize>, Vec<usize>)> {
    let costs = |program: &Program| program.steps.iter().map(|step| step.cost).collect();
    let split = split(program, shares).expect("it has parts");
    split.parts.iter().map(|part| (costs(&part.program), part.needs.clone())).collect()
}

#[test]
fn small_chains_and_fans_are_one_part() {
    // Two voices and their sum, an effect; another instrument; the mix.
    let program = program(
        &[(&[], 0, 5), (&[], 1, 6), (&[0, 1], 2, 1), (&[2], 3, 7), (&[], 4, 20), (&[3, 4], 5, 2)],
        &[5],
    );
    let expected = vec![(vec![5, 6, 1, 7], vec![]), (vec![20], vec![]), (vec![2], vec![0, 1])];
    assert_eq!(parts(&program, 2), expected);
}

#[test]
fn large_steps_of_a_chain_stand_alone() {
    let program = program(&[(&[], 0, 50), (&[0], 1, 50)], &[1]);
    assert_eq!(parts(&program, 4), vec![(vec![50], vec![]), (vec![50], vec![0])]);
}

#[test]
fn small_parts_that_do_the_same_are_joined() {
    let steps: Vec<(&[usize], usize, usize)> =
        vec![(&[], 0, 1), (&[], 1, 1), (&[], 2, 1), (&[], 3, 1), (&[0, 1, 2, 3], 4, 10)];
    let program = program(&steps, &[4]);
    assert_eq!(parts(&program, 7), vec![(vec![1, 1], vec![]), (vec![1, 1], vec![]), (vec![10], vec![0, 1])]);
}

#[test]
fn what_several_hear_is_joined_to_them() {
    let program = program(&[(&[], 0, 5), (&[0], 1, 5), (&[0], 2, 5), (&[1, 2], 3, 30)], &[3]);
    assert_eq!(parts(&program, 2), vec![(vec![5, 5, 5], vec![]), (vec![30], vec![0])]);
}

#[test]
fn parts_never_need_each_other() {
    // The first and the last would fit, but what stands between them hears the one and feeds the other.
    let program = program(&[(&[], 0, 5), (&[0], 1, 50), (&[0, 1], 2, 5)], &[2]);
    let expected = vec![(vec![5], vec![]), (vec![50], vec![0]), (vec![5], vec![0, 1])];
    assert_eq!(parts(&program, 2), expected);
}

#[test]
fn a_signal_that_is_written_twice_is_two() {
    let program = program(&[(&[], 0, 9), (&[0], 1, 9), (&[], 0, 9), (&[0, 1], 2, 9)], &[2]);
    let needs: Vec<_> = parts(&program, 8).into_iter().map(|part| part.1).collect();
    assert_eq!(needs, vec![vec![], vec![0], vec![], vec![1, 2]]);
}

#[test]
fn what_hears_a_later_step_has_no_parts() {
    assert!(split(&program(&[(&[1], 0, 9), (&[0], 1, 9)], &[1]), 2).is_none());
}
