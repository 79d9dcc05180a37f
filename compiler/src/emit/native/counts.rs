//! How many machine instructions a frame takes: the loops of a function, counted in its listing.

use super::{Listing, Settings, compile};
use crate::ir::{Kernel, Module};
use crate::target::OptLevel;
use mam_runtime::Form;

/// What a kernel's steady form executes in a frame, where a call has as many frames as its iterations take at once.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counts {
    /// Machine instructions of all kinds.
    pub instructions: f64,
    /// Those that read memory.
    pub loads: f64,
}

/// Counts a kernel's instructions on this machine, of which the listing has to be that of an x86-64.
///
/// # Errors
/// What the code generator complains of; and where it lists another machine's instructions.
pub fn counts(module: &Module, kernel: &Kernel) -> Result<Counts, String> {
    if !cfg!(target_arch = "x86_64") {
        return Err("instructions are counted on an x86-64 only".into());
    }
    let settings = Settings { listing: true, ..Settings::host(OptLevel::Best) };
    let compiled = compile(module, kernel, &settings)?;
    let steady = compiled.functions[Form::Steady as usize].listing.as_ref();
    Ok(steady.map_or(Counts::default(), |listing| of_listing(listing, kernel.steady.step)))
}

/// One block of a function.
#[derive(Default)]
struct Block<'t> {
    label: usize,
    lines: Vec<&'t str>,
}

impl Block<'_> {
    /// The labels that it may go on to.
    fn targets(&self) -> impl Iterator<Item = usize> {
        let words = self.lines.last().copied().unwrap_or("").split([' ', ';']);
        words.filter_map(|word| word.strip_prefix("label")?.parse().ok())
    }
}

/// The loops of iterations of so many frames; those of one frame are the rest of a call where there are others.
fn of_listing(listing: &Listing, step: u32) -> Counts {
    let mut blocks: Vec<Block> = vec![];
    for line in listing.asm.lines() {
        match line.strip_prefix("block").and_then(|rest| rest.strip_suffix(':')) {
            Some(label) => blocks.push(Block { label: label.parse().unwrap_or(usize::MAX), lines: vec![] }),
            None => blocks.iter_mut().last().into_iter().for_each(|block| block.lines.push(line.trim())),
        }
    }
    let mut counts = Counts::default();
    for (at, block) in blocks.iter().enumerate() {
        // A loop's last block goes back by a block of its own, which only jumps.
        let onward = |label: usize| blocks.iter().find(|block| block.label == label);
        let through = |label: usize| match onward(label) {
            Some(next) if next.lines.len() == 1 => next.targets().next().unwrap_or(label),
            _ => label,
        };
        let Some(first) = block.targets().map(through).find(|label| *label <= block.label) else { continue };
        let Some(first) = blocks.iter().position(|block| block.label == first) else { continue };
        let lines: Vec<&str> =
            blocks[first..=at].iter().flat_map(|block| block.lines.iter().copied()).collect();
        if block.lines.len() == 1 || frames_of(&lines) != step {
            continue;
        }
        counts.instructions += lines.len() as f64 / f64::from(step);
        counts.loads += lines.iter().filter(|line| loads(line)).count() as f64 / f64::from(step);
    }
    counts
}

/// How many frames of four bytes a loop goes on by: what its counter of bytes gains.
fn frames_of(lines: &[&str]) -> u32 {
    let gain = |line: &&str| {
        let rest = line.strip_prefix("leaq")?.trim();
        let (offset, registers) = rest.split_once('(')?;
        let (base, to) = registers.split_once("), ")?;
        (base == to).then(|| u32::from_str_radix(offset.trim_start_matches("0x"), 16).ok()).flatten()
    };
    lines.iter().rev().find_map(gain).map_or(1, |bytes| bytes / 4)
}

/// Whether an instruction reads memory: an operand is there, and it is not the last one, which is written.
fn loads(line: &str) -> bool {
    line.contains('(') && !line.ends_with(')') && !line.starts_with("lea")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loop_of_whole_iterations_is_counted() {
        let asm = "  pushq %rbp\nblock0:\n  movq (%rdi), %r9\n  jmp     label3\nblock3:\n  vmovups (%r11, %r8), %xmm5
  vmulps 0x10(%r9), %xmm5, %xmm5\n  vmovups %xmm5, (%rcx, %r8)\n  leaq 0x10(%r8), %r8\n  cmpq %rsi, %r8
  jb      label4; j label5\nblock4:\n  jmp     label3\nblock5:\n  jmp     label6\nblock6:\n  vmovss (%rcx, %rsi), %xmm0
  leaq 4(%rsi), %rsi\n  cmpq %rax, %rsi\n  jb      label7; j label8\nblock7:\n  jmp     label6\nblock8:\n  ret";
        let listing = Listing { clif: String::new(), asm: asm.into() };
        assert_eq!(of_listing(&listing, 4), Counts { instructions: 1.5, loads: 0.5 });
        assert_eq!(of_listing(&listing, 1), Counts { instructions: 4.0, loads: 1.0 });
    }
}
