//! Blocks against their definitions.

use super::{Block, Convolution, HEAD};
use crate::call::{Call, QUANTUM};
use crate::program::GUARD;

/// A block with its memory.
struct Rig {
    block: Block,
    state: Vec<u128>,
    lines: Vec<Vec<f32>>,
    frame: u32,
}

impl Rig {
    fn new(block: Block) -> Rig {
        let state = vec![0; block.state_bytes() / 16];
        let lines = block.lines().into_iter().map(|frames| vec![0.0; frames + 2 * GUARD]).collect();
        Rig { block, state, lines, frame: 0 }
    }

    /// Renders the frames of one quantum or a part of it. The result is the last output.
    fn run(&mut self, x: &[f32], wide: bool) -> Vec<f32> {
        let mut outs = vec![vec![0.0; x.len()]; self.block.channels().1];
        let inputs = [x.as_ptr()];
        let outputs: Vec<*mut f32> = outs.iter_mut().map(|out| out.as_mut_ptr()).collect();
        let lines: Vec<*mut f32> = self.lines.iter_mut().map(|line| line[GUARD..].as_mut_ptr()).collect();
        let call = Call {
            state: self.state.as_mut_ptr().cast(),
            delays: lines.as_ptr(),
            params: std::ptr::null(),
            moving: std::ptr::null(),
            inputs: inputs.as_ptr(),
            outputs: outputs.as_ptr(),
            ports: std::ptr::null(),
            frame: self.frame,
            frames: x.len() as u32,
            block: (&raw const self.block).cast(),
        };
        // SAFETY: the tables are those of the block.
        unsafe { if wide { self.block.run(&call) } else { self.block.run_plain(&call) } }
        self.frame += x.len() as u32;
        outs.pop().expect("it has an output")
    }

    fn all(&mut self, x: &[f32]) -> Vec<f32> {
        x.chunks(QUANTUM).flat_map(|x| self.run(x, true)).collect()
    }
}

/// Noise in [−1, 1) that is the same every time.
fn noise(seed: u32, count: usize) -> Vec<f32> {
    let mut word = seed;
    let mut next = || {
        word = word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (word >> 8) as f32 / 8_388_608.0 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// The definition, at every so many-th frame, in f64.
fn is_convolved(x: &[f32], response: &[f32], predelay: usize, out: &[f32], every: usize) {
    for n in (0..out.len()).step_by(every) {
        let term = |k: usize| {
            let at = n.checked_sub(k + predelay)?;
            Some(f64::from(x[at]) * f64::from(response[k]))
        };
        let exact: f64 = (0..response.len()).filter_map(term).sum();
        let scale = (1.0 + response.len() as f64).sqrt();
        assert!((f64::from(out[n]) - exact).abs() < 2e-6 * scale, "frame {n}: {} {exact}", out[n]);
    }
}

#[test]
fn it_is_the_sum_of_the_definition() {
    let lengths = [0, 1, HEAD, HEAD + 1, 200, 1024, 1025, 3000, 8192, 8193, 20_000];
    for (length, predelay) in lengths.into_iter().zip([0, 3, 0, 64, 777, 0, 5000, 1, 0, 0, 100]) {
        let response = noise(7, length);
        let x = noise(1, 30_016);
        let mut rig = Rig::new(Block::Convolution(Convolution::new(&[response.clone()], predelay)));
        let out = rig.all(&x);
        is_convolved(&x, &response, predelay, &out, 97);
    }
}

/// An impulse gives the response back, at whatever frame it comes.
#[test]
fn an_impulse_gives_the_response() {
    let response = noise(3, 9000);
    for at in [0, 63, 64, 511, 4095, 5000] {
        let mut x = vec![0.0; 16_384];
        x[at] = 1.0;
        let out = Rig::new(Block::Convolution(Convolution::new(&[response.clone()], 0))).all(&x);
        for (n, y) in out.iter().enumerate() {
            let exact = n.checked_sub(at).and_then(|k| response.get(k)).copied().unwrap_or(0.0);
            assert!((y - exact).abs() < 1e-6, "{at} {n}: {y} {exact}");
        }
    }
}

/// Parts of quanta and vectors of any width give the same bits.
#[test]
fn every_bit_is_the_same_however_it_is_called() {
    let (response, x) = (noise(5, 12_000), noise(2, 24_576));
    let block = || Block::Convolution(Convolution::new(&[response.clone()], 10));
    let whole = Rig::new(block()).all(&x);
    let (mut parts, mut plain) = (Rig::new(block()), Rig::new(block()));
    let mut cut: Vec<f32> = vec![];
    for (index, quantum) in x.chunks(QUANTUM).enumerate() {
        let (first, second) = quantum.split_at(index * 7 % QUANTUM);
        for part in [first, second].into_iter().filter(|part| !part.is_empty()) {
            cut.extend(parts.run(part, index % 2 == 0));
        }
    }
    let plain: Vec<f32> = x.chunks(QUANTUM).flat_map(|x| plain.run(x, false)).collect();
    let bits = |x: &[f32]| x.iter().map(|x| x.to_bits()).collect::<Vec<u32>>();
    assert!(bits(&whole) == bits(&cut) && bits(&whole) == bits(&plain));
}

/// Where the frames jump, what was before is silent and nothing half-computed is heard.
#[test]
fn nothing_half_computed_is_heard_after_a_jump() {
    let response = noise(9, 20_000);
    let mut rig = Rig::new(Block::Convolution(Convolution::new(&[response.clone()], 0)));
    rig.all(&noise(4, 10_048));
    rig.frame += 64 * 1001;
    rig.lines.iter_mut().for_each(|line| line.fill(0.0));
    let x = noise(6, 20_032);
    let out = rig.all(&x);
    is_convolved(&x, &response, 0, &out, 53);
}

/// Each of several responses has the bits that it has by itself.
#[test]
fn responses_that_share_an_input_have_their_own_bits() {
    let (one, other, x) = (noise(5, 12_000), noise(8, 7000), noise(2, 30_000));
    let padded = [other.clone(), vec![0.0; 5000]].concat();
    let both = Rig::new(Block::Convolution(Convolution::new(&[one, padded.clone()], 10))).all(&x);
    let alone = Rig::new(Block::Convolution(Convolution::new(&[padded], 10))).all(&x);
    assert!(both.iter().zip(&alone).all(|(a, b)| a.to_bits() == b.to_bits()));
    let shorter =
        Rig::new(Block::Convolution(Convolution::new(&[noise(5, 12_000), other.clone()], 10))).all(&x);
    is_convolved(&x, &other, 10, &shorter, 97);
}
