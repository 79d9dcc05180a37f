//! In which order the components of a body are brought into lanes: each after what it needs, two blocks together where they
//! do not hear each other.

use super::block_filter::BlockFilter;
use super::component::Component;
use crate::ir::Value;
use crate::opt::analysis::Analysis;

/// The order of the components.
pub(super) struct Schedule {
    /// Components, by their index; those of a group together. What a block has taken in is not part of it.
    pub(super) groups: Vec<Vec<usize>>,
}

impl Schedule {
    /// The components of a body, of which some are blocks.
    pub(super) fn new(a: &Analysis, components: &[Component], blocks: &[Option<BlockFilter>]) -> Schedule {
        let mut component_of: Vec<Option<usize>> = vec![None; a.body.insts.len()];
        for (i, component) in components.iter().enumerate() {
            component.iter().for_each(|value| component_of[value.index()] = Some(i));
        }
        let mut taken = vec![false; components.len()];
        for (i, block) in blocks.iter().enumerate() {
            for value in block.iter().flat_map(|block| &block.members) {
                let own = component_of[value.index()].replace(i).expect("it is computed every frame");
                taken[own] = own != i;
            }
        }
        let needs = |i: usize| {
            let members: &[Value] = blocks[i].as_ref().map_or(&components[i], |block| &block.members);
            let before = |value: &Value| {
                let inst = &a.body.insts[*value];
                inst.args.as_slice().iter().copied().chain(a.earlier(*value)).collect::<Vec<_>>()
            };
            let all = members.iter().flat_map(before).filter_map(|value| component_of[value.index()]);
            all.filter(|other| *other != i).collect::<Vec<usize>>()
        };
        let needs: Vec<Vec<usize>> = (0..components.len()).map(needs).collect();
        let mut schedule = Schedule { groups: vec![] };
        let mut walk = Walk { needs: &needs, mates: mates(&needs, &taken, blocks), done: taken };
        (0..components.len()).for_each(|i| walk.reach(i, &mut schedule.groups));
        schedule
    }
}

/// For each block the one that it goes with: of as many in a row, so that neither hears the other.
fn mates(needs: &[Vec<usize>], taken: &[bool], blocks: &[Option<BlockFilter>]) -> Vec<Option<usize>> {
    // A component stands after what it needs.
    let mut rows: Vec<u32> = Vec::with_capacity(blocks.len());
    for (needs, block) in needs.iter().zip(blocks) {
        let before = needs.iter().map(|other| rows[*other]).max().unwrap_or(0);
        rows.push(before + u32::from(block.is_some()));
    }
    let mut mates = vec![None; blocks.len()];
    let mut unpaired: Vec<(u32, usize)> = vec![];
    for i in (0..blocks.len()).filter(|i| blocks[*i].is_some() && !taken[*i]) {
        match unpaired.iter().position(|(row, _)| *row == rows[i]) {
            Some(found) => {
                let (_, other) = unpaired.remove(found);
                (mates[i], mates[other]) = (Some(other), Some(i));
            }
            None => unpaired.push((rows[i], i)),
        }
    }
    mates
}

struct Walk<'a> {
    needs: &'a [Vec<usize>],
    mates: Vec<Option<usize>>,
    done: Vec<bool>,
}

impl Walk<'_> {
    fn reach(&mut self, i: usize, groups: &mut Vec<Vec<usize>>) {
        if self.done[i] {
            return;
        }
        let group: Vec<usize> = [i].into_iter().chain(self.mates[i]).collect();
        group.iter().for_each(|i| self.done[*i] = true);
        stacker::maybe_grow(64 << 10, 1 << 20, || {
            for other in group.iter().flat_map(|i| &self.needs[*i]) {
                self.reach(*other, groups);
            }
        });
        groups.push(group);
    }
}
