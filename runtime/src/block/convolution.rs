//! Convolution with a response of any length, without latency, with the same work in every quantum.
//!
//! The response is cut as W. G. Gardner does ("Efficient Convolution without Input-Output Delay", JAES 43, 1995): its first
//! [`HEAD`] taps are summed directly; what follows goes in partitions of 64, then of 512, then of 4096 frames, each multiplied
//! with the spectrum of a block of the input as old as it is (overlap-save, G. P. M. Egelmeers, P. C. W. Sommen, "A New Method for
//! Efficient Convolution in Frequency Domain by Nonuniform Partitioning", 1996). A level of longer partitions begins two blocks into
//! the response, so it has the time of a whole block to compute one: the work is cut into chunks, of which each quantum does
//! as many.
//!
//! A block of B frames and the one before are one complex sequence of B elements, `before − i·now`, turned by
//! e^(−iπn/2B): its cyclic convolution with the partition, turned likewise, is the product modulo z^B = −i, and minus its imaginary part is
//! the overlap-saved block (R. Crandall, B. Fagin, "Discrete Weighted Transforms and Large-Integer Arithmetic", 1994). So no
//! transform has to be taken apart, and none is longer than its block.
//!
//! What is convolved with several responses, such as both sides of a room, is turned and transformed once.

use super::fft::{CHUNK, LANES, Lanes, Real, Transform, store, times};
use crate::call::{Call, QUANTUM};
use crate::hash::splitmix64;
use std::f64::consts::PI;
use std::ops::Range;
use std::sync::Arc;

/// Taps that are summed directly.
pub const HEAD: usize = 64;
/// Frames of the partitions of each level.
const SIZES: [usize; 3] = [64, 512, 4096];
/// Below it input is silence, so that no product is subnormal.
const LEAST: f32 = 1e-20;
/// Words at the beginning of a level's work: which block is multiplied, which blocks its two outputs are of, and which one fades in.
const WORK_TAGS: usize = 4;
/// Which of them is the block that fades in.
const FADES: usize = 3;
/// Bins that are multiplied at a time.
const HALF: usize = CHUNK / 2;
/// Outputs that are summed at a time.
const WIDTH: usize = 32;

/// One channel's convolution with one or more responses, each with an output of its own.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub struct Convolution {
    /// Frames by which the response is heard later.
    predelay: usize,
    /// Taps of the longest response.
    taps: usize,
    /// The first taps of each response, filled up with zeros.
    heads: Vec<Vec<f32>>,
    /// Shared by all that differ in their predelay alone.
    levels: Arc<[Level]>,
    content: u64,
}

/// Partitions of one size.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub struct Level {
    transform: Transform,
    /// How the elements are turned: real parts, then imaginary parts.
    turns: Vec<f32>,
    partitions: usize,
    /// Of each response the spectra of the partitions, divided by the size: of some bins of each partition the real and the imaginary
    /// parts, then of the next bins.
    spectra: Vec<Vec<f32>>,
}

impl Convolution {
    /// The convolution with each of the `responses`, which are heard `predelay` frames late.
    pub fn new(responses: &[Vec<f32>], predelay: usize) -> Convolution {
        let taps = responses.iter().map(Vec::len).max().unwrap_or(0);
        let part = |range: Range<usize>| {
            let of = |response: &Vec<f32>| {
                let own = range.start.min(response.len())..range.end.min(response.len());
                let mut part = response[own].to_vec();
                part.resize(range.len(), 0.0);
                part
            };
            responses.iter().map(of).collect::<Vec<Vec<f32>>>()
        };
        let heads = part(0..HEAD);
        let mut levels = vec![];
        let mut begin = HEAD;
        for (index, &size) in SIZES.iter().enumerate() {
            let end = SIZES.get(index + 1).map_or(usize::MAX, |next| 2 * next).min(taps);
            if end > begin {
                levels.push(Level::new(size, &part(begin..end)));
                begin = end;
            }
        }
        Convolution { predelay, taps, heads, levels: levels.into(), content: content(responses, predelay) }
    }

    /// The convolution with the same `responses`, which are heard `predelay` frames late: their transforms are shared.
    pub fn delayed(&self, responses: &[Vec<f32>], predelay: usize) -> Convolution {
        Convolution { predelay, content: content(responses, predelay), ..self.clone() }
    }

    /// How many responses there are.
    pub fn responses(&self) -> usize {
        self.heads.len()
    }

    /// A hash of what it computes.
    pub fn content(&self) -> u64 {
        self.content
    }

    /// Frames of the line of its input, a power of two: what is heard of the past, and what the longest partitions read.
    pub fn line_frames(&self) -> usize {
        let longest = self.levels.last().map_or(QUANTUM, |level| level.size());
        (self.predelay + (self.taps + QUANTUM).max(3 * longest + QUANTUM)).next_power_of_two()
    }

    /// Frames by which the response is heard later.
    pub fn predelay(&self) -> usize {
        self.predelay
    }

    /// The first taps of each response, [`HEAD`] of them.
    pub fn heads(&self) -> &[Vec<f32>] {
        &self.heads
    }

    /// What comes after them, from short partitions to long ones.
    pub fn levels(&self) -> &[Level] {
        &self.levels
    }

    /// Its words of state: what is known of the input's past, and what is known of it with this response. Each has a name, which is another
    /// one where its form is.
    pub fn words(&self) -> [(String, usize); 2] {
        let shape: Vec<String> =
            self.levels.iter().map(|level| format!("{}x{}", level.size(), level.slots())).collect();
        let name = format!("spectra.{}.{}", shape.join("."), self.predelay);
        [(name, self.history()), (format!("work.{:016x}", self.content), self.work())]
    }

    /// Words of what is known of the past with these responses: what is heard of each in a quantum, and the work of the levels.
    fn work(&self) -> usize {
        self.responses() * (QUANTUM + self.levels.iter().map(Level::work).sum::<usize>())
    }

    /// Words of the past: the spectra of each level, and which quantum is the next.
    fn history(&self) -> usize {
        1 + self.levels.iter().map(Level::history).sum::<usize>()
    }

    /// Work a frame, in instructions of a kernel.
    pub fn cost(&self) -> usize {
        let head = self.responses() * HEAD / 4;
        head + self.levels.iter().map(|level| 2 * level.passes()).sum::<usize>()
    }

    /// Renders the frames of a call.
    ///
    /// # Safety
    /// The call has an input and an output for each response of so many frames, the line of [`Convolution::line_frames`], and the words of
    /// [`Convolution::words`].
    #[inline(always)]
    pub(super) unsafe fn run(&self, call: &Call) {
        let frames = call.frames as usize;
        // SAFETY: the caller's promise; none of these overlaps another.
        let (x, line, words) = unsafe {
            let words = self.history() + self.work();
            (
                std::slice::from_raw_parts(*call.inputs, frames),
                std::slice::from_raw_parts_mut(*call.delays, self.line_frames()),
                std::slice::from_raw_parts_mut(call.state.cast::<f32>(), words),
            )
        };
        let (history, work) = words.split_at_mut(self.history());
        let (tails, work) = work.split_at_mut(self.responses() * QUANTUM);
        let offset = call.frame as usize % QUANTUM;
        if offset == 0 {
            self.quantum(call.frame, line, history, (tails, work));
        }
        let at = call.frame as usize & (line.len() - 1);
        for (to, &x) in line[at..at + frames].iter_mut().zip(x) {
            *to = if x.abs() < LEAST { 0.0 } else { x };
        }
        for (response, tail) in tails.chunks_exact(QUANTUM).enumerate() {
            // SAFETY: the caller's promise.
            let out = unsafe { std::slice::from_raw_parts_mut(*call.outputs.add(response), frames) };
            self.sum(response, (call.frame, line), &tail[offset..offset + frames], out);
        }
    }

    /// Sums the first taps, and adds the others.
    #[inline(always)]
    fn sum(&self, response: usize, (frame, line): (u32, &[f32]), tail: &[f32], out: &mut [f32]) {
        let mut past = [0.0f32; HEAD + QUANTUM];
        let first = frame.wrapping_sub((self.predelay + HEAD) as u32);
        copy(line, first, &mut past[..HEAD + out.len()]);
        let rows = out.chunks_mut(WIDTH).zip(tail.chunks(WIDTH)).enumerate();
        for (row, (out, tail)) in rows {
            let mut sums = Lanes([0.0f32; WIDTH]);
            for (tap, &weight) in self.heads[response].iter().enumerate() {
                let x = Lanes::<f32, WIDTH>::load(&past, HEAD + row * WIDTH - tap);
                sums = sums + Lanes([weight; WIDTH]) * x;
            }
            for ((out, sum), tail) in out.iter_mut().zip(sums.0).zip(tail) {
                *out = flushed(sum + tail);
            }
        }
    }

    /// What is to be done once in a quantum: the sum of all that is heard of the past beyond the head is left in `tails`.
    #[inline(always)]
    fn quantum(
        &self,
        frame: u32,
        line: &[f32],
        history: &mut [f32],
        (tails, mut work): (&mut [f32], &mut [f32]),
    ) {
        let (mut history, next) = history.split_at_mut(history.len() - 1);
        let index = frame / QUANTUM as u32;
        let goes_on = next[0].to_bits() == index;
        next[0] = f32::from_bits((index + 1) & (u32::MAX / QUANTUM as u32));
        tails.fill(0.0);
        for level in &*self.levels {
            let (own, rest) = history.split_at_mut(level.history());
            let (own_work, rest_work) = work.split_at_mut(self.responses() * level.work());
            let input = Input { line, frame, predelay: self.predelay as u32, goes_on };
            level.quantum(&input, own, own_work, tails);
            (history, work) = (rest, rest_work);
        }
    }
}

/// What a level hears.
struct Input<'a> {
    line: &'a [f32],
    /// The first frame of the quantum.
    frame: u32,
    predelay: u32,
    /// Whether the quantum before was rendered too.
    goes_on: bool,
}

/// A block of a level.
#[derive(Clone, Copy)]
struct Job {
    /// How many blocks were before it.
    index: u32,
    /// Which of its quanta this is.
    quantum: usize,
}

/// A hash of responses that are heard late.
fn content(responses: &[Vec<f32>], predelay: usize) -> u64 {
    let words = responses.iter().flatten().map(|x| u64::from(x.to_bits()));
    let content = words.fold(predelay as u64, |hash, word| splitmix64(hash ^ word));
    responses.iter().skip(1).fold(content, |hash, x| splitmix64(hash ^ x.len() as u64))
}

impl Level {
    fn new(size: usize, responses: &[Vec<f32>]) -> Level {
        let transform = Transform::<f64>::new(size);
        let turn = |i: usize| {
            let angle = PI * i as f64 / (2 * size) as f64;
            (libm::cos(angle), -libm::sin(angle))
        };
        let spectra = |response: &Vec<f32>| {
            let mut parts = vec![];
            for part in response.chunks(size) {
                let tap = |i: usize| f64::from(part.get(i).copied().unwrap_or(0.0)) / size as f64;
                let (mut re, mut im): (Vec<f64>, Vec<f64>) =
                    (0..size).map(|i| times((tap(i), 0.0), turn(i))).unzip();
                transform.forward_all(&mut re, &mut im);
                parts.push([re, im]);
            }
            // In the order in which they are multiplied.
            let mut spectra = vec![];
            for bin in (0..size).step_by(CHUNK) {
                for half in parts.iter().flatten() {
                    spectra.extend(half[bin..bin + CHUNK].iter().map(|&x| significant(x)));
                }
            }
            spectra
        };
        let spectra: Vec<Vec<f32>> = responses.iter().map(spectra).collect();
        let turns = (0..size).map(|i| turn(i).0).chain((0..size).map(|i| turn(i).1));
        Level {
            transform: Transform::new(size),
            turns: turns.map(f32::nearest).collect(),
            partitions: responses[0].len().div_ceil(size),
            spectra,
        }
    }

    /// Frames of a partition.
    pub fn size(&self) -> usize {
        self.transform.size()
    }

    /// Stages of a transform.
    pub fn stages(&self) -> usize {
        self.transform.stages().len()
    }

    /// The factors of all stages, one after the other.
    pub fn factors(&self) -> Vec<f32> {
        self.transform.factors()
    }

    /// How the elements of a block are turned: real parts, then imaginary parts.
    pub fn turns(&self) -> &[f32] {
        &self.turns
    }

    /// How many partitions there are.
    pub fn partitions(&self) -> usize {
        self.partitions
    }

    /// Of each response the spectra of the partitions, divided by the size: of 64 bins of each partition the real and the imaginary
    /// parts, then of the next bins.
    pub fn spectra(&self) -> &[Vec<f32>] {
        &self.spectra
    }

    /// Spectra of the input that are kept, one more than are multiplied: a power of two, as indices of blocks wrap.
    pub fn slots(&self) -> usize {
        (self.partitions + 1).next_power_of_two()
    }

    /// Words of the past: which block each slot is of, counted from 1, and the spectra.
    fn history(&self) -> usize {
        self.slots() * (1 + self.stride())
    }

    /// Words of a slot, so many that two do not compete for a place in a cache.
    fn stride(&self) -> usize {
        2 * self.size() + CHUNK
    }

    /// Words of its work for a response: the tags, a spectrum, and two blocks of output.
    fn work(&self) -> usize {
        WORK_TAGS + 4 * self.size()
    }

    /// How often all elements of a block are passed through.
    fn passes(&self) -> usize {
        1 + self.stages() + self.spectra.len() * self.passes_back()
    }

    /// How often of these for each response: the products, the way back, and what is left of it.
    fn passes_back(&self) -> usize {
        self.partitions + self.stages() + 1
    }

    /// Whether a block is computed in the quantum that it is heard in.
    fn is_prompt(&self) -> bool {
        self.size() == QUANTUM
    }

    #[inline(always)]
    fn quantum(&self, input: &Input, history: &mut [f32], work: &mut [f32], tails: &mut [f32]) {
        let size = self.size() as u32;
        let job = Job { index: input.frame / size, quantum: (input.frame % size) as usize / QUANTUM };
        let (tags, spectra) = history.split_at_mut(self.slots());
        let slot = job.index as usize & (self.slots() - 1);
        if job.quantum == 0 {
            tags[slot] = tag(job.index);
        } else if !input.goes_on {
            tags[slot] = 0.0;
        }
        if is(tags[slot], job.index) {
            let first = job.quantum * self.passes();
            let mut run = Run { level: self, job, tags, spectra, work: &mut *work };
            run.chunks(first, first + self.passes(), input);
        }
        for (work, tail) in work.chunks_exact(self.work()).zip(tails.chunks_exact_mut(QUANTUM)) {
            self.hear(job, work, tail);
        }
    }

    /// Adds what is heard of a block with a response.
    #[inline(always)]
    fn hear(&self, job: Job, work: &[f32], tail: &mut [f32]) {
        let (work_tags, work) = work.split_at(WORK_TAGS);
        let heard = if self.is_prompt() { job.index.wrapping_add(1) } else { job.index };
        let half = heard as usize & 1;
        if is(work_tags[1 + half], heard) {
            let at = (2 + half) * self.size() + job.quantum * QUANTUM;
            let out = tail.iter_mut().zip(&work[at..at + QUANTUM]);
            match is(work_tags[FADES], heard) {
                true => {
                    for (i, (tail, x)) in out.enumerate() {
                        *tail += x * ((job.quantum * QUANTUM + i + 1) as f32 / self.size() as f32);
                    }
                }
                false => out.for_each(|(tail, x)| *tail += x),
            }
        }
    }
}

/// The tag of a block. As a number it is next to nothing, so that what detects silence passes over it.
fn tag(index: u32) -> f32 {
    f32::from_bits(index.wrapping_add(1))
}

fn is(word: f32, index: u32) -> bool {
    word.to_bits() == index.wrapping_add(1)
}

/// A block while it is computed.
struct Run<'a> {
    level: &'a Level,
    job: Job,
    tags: &'a mut [f32],
    spectra: &'a mut [f32],
    /// Of each response the tags, a spectrum, and two blocks of output.
    work: &'a mut [f32],
}

impl Run<'_> {
    /// Computes some chunks. All chunks of a pass come before those of the next; those of the products are in the order of bins.
    #[inline(always)]
    fn chunks(&mut self, mut chunk: usize, end: usize, input: &Input) {
        let level = self.level;
        let (size, stages) = (level.size(), level.stages());
        let shift = (size / CHUNK).trailing_zeros();
        let (there, back) = ((1 + stages) << shift, level.passes_back() << shift);
        let slot = level.stride() * (self.job.index as usize & (level.slots() - 1));
        while chunk < end {
            let (pass, place) = (chunk >> shift, chunk & ((1 << shift) - 1));
            let (re, im) = self.spectra[slot..][..2 * size].split_at_mut(size);
            if pass == 0 {
                level.turn(input, self.job.index, place * CHUNK, re, im);
            } else if pass <= stages {
                level.transform.forward(pass - 1, place, re, im);
            } else {
                let (response, own) = ((chunk - there) / back, (chunk - there) % back);
                chunk += self.back(response, own, end - chunk);
                continue;
            }
            chunk += 1;
        }
    }

    /// Computes chunk `own` of those of a response, and of the products up to `most`. The result is how many these were.
    #[inline(always)]
    fn back(&mut self, response: usize, own: usize, most: usize) -> usize {
        let level = self.level;
        let (size, stages) = (level.size(), level.stages());
        let shift = (size / CHUNK).trailing_zeros();
        let products = level.partitions << shift;
        if own < products {
            let last = products.min(own + most);
            self.products(response, own, last);
            return last - own;
        }
        let (pass, place) = (own >> shift, own & ((1 << shift) - 1));
        match (level.partitions + stages - 1).checked_sub(pass) {
            Some(stage) => {
                let (re, im) = self.work(response).1[..2 * size].split_at_mut(size);
                level.transform.inverse(stage, place, re, im);
            }
            None => self.unturn(response, place * CHUNK),
        }
        1
    }

    /// The tags of a response, and its other work.
    #[inline(always)]
    fn work(&mut self, response: usize) -> (&mut [f32], &mut [f32]) {
        let words = self.level.work();
        self.work[response * words..][..words].split_at_mut(WORK_TAGS)
    }

    /// Multiplies bins with those of partitions, and adds the products up.
    #[inline(always)]
    fn products(&mut self, response: usize, mut product: usize, end: usize) {
        let partitions = self.level.partitions;
        if product == 0 {
            let index = self.job.index;
            self.work(response).0[0] = tag(index);
        }
        while product < end {
            let (chunk, first) = (product / partitions, product % partitions);
            let last = partitions.min(first + end - product);
            for half in [0, HALF] {
                self.products_of(response, (chunk, half), first..last);
            }
            product += last - first;
        }
    }

    #[inline(always)]
    fn products_of(&mut self, response: usize, (chunk, half): (usize, usize), partitions: Range<usize>) {
        let level = self.level;
        let (size, stride, mask) = (level.size(), level.stride(), level.slots() - 1);
        let (all, bin) = (level.partitions, chunk * CHUNK + half);
        let words = level.work();
        let work = &mut self.work[response * words + WORK_TAGS..][..2 * size];
        let (re, im) = work.split_at_mut(size);
        let (re, im) = (&mut re[bin..bin + HALF], &mut im[bin..bin + HALF]);
        let mut sums = [(Lanes([0.0; LANES]), Lanes([0.0; LANES])); HALF / LANES];
        if partitions.start > 0 {
            for (k, sum) in sums.iter_mut().enumerate() {
                *sum = (load(re, k * LANES), load(im, k * LANES));
            }
        }
        for partition in partitions {
            let block = self.job.index.wrapping_sub(partition as u32);
            let slot = block as usize & mask;
            if !is(self.tags[slot], block) {
                continue;
            }
            let from = slot * stride + bin;
            let (a, b) = (&self.spectra[from..][..HALF], &self.spectra[from + size..][..HALF]);
            let factors = &level.spectra[response][(chunk * all + partition) * 2 * CHUNK..][..2 * CHUNK];
            let (c, d) = (&factors[half..half + HALF], &factors[CHUNK + half..][..HALF]);
            for (k, sum) in sums.iter_mut().enumerate() {
                let at = k * LANES;
                let z = times((load(a, at), load(b, at)), (load(c, at), load(d, at)));
                *sum = (sum.0 + z.0, sum.1 + z.1);
            }
        }
        for (k, sum) in sums.into_iter().enumerate() {
            store(sum, k * LANES, re, im);
        }
    }

    /// Makes some frames of output.
    #[inline(always)]
    fn unturn(&mut self, response: usize, at: usize) {
        let (level, index) = (self.level, self.job.index);
        let (size, next) = (level.size(), index.wrapping_add(1));
        let before = index.wrapping_sub(1);
        let is_known = is(self.tags[before as usize & (level.slots() - 1)], before);
        let half = next as usize & 1;
        let (tags, work) = self.work(response);
        let (spectrum, outputs) = work.split_at_mut(2 * size);
        let out = &mut outputs[half * size + at..][..CHUNK];
        let turns = &level.turns;
        for i in (0..CHUNK).step_by(LANES) {
            let (re, im) = (load(spectrum, at + i), load(spectrum, size + at + i));
            let (c, s) = (load(turns, at + i), load(turns, size + at + i));
            (re * s - im * c).store(out, i);
        }
        if at + CHUNK == size {
            let whole = is(tags[0], index);
            // Where there was sound before, and nothing was computed of it with this response, it begins in the middle.
            if is_known && !is(tags[2 - half], index) {
                tags[FADES] = tag(next);
            }
            tags[1 + half] = if whole { tag(next) } else { 0.0 };
        }
    }
}

impl Level {
    /// Reads some elements of a block and of the one before it, and turns them.
    #[inline(always)]
    fn turn(&self, input: &Input, block: u32, at: usize, re: &mut [f32], im: &mut [f32]) {
        let size = self.size();
        let begin = block.wrapping_mul(size as u32).wrapping_sub(input.predelay);
        let (mut before, mut now) = ([0.0; CHUNK], [0.0; CHUNK]);
        copy(input.line, begin.wrapping_sub((2 * size - at) as u32), &mut before);
        copy(input.line, begin.wrapping_sub((size - at) as u32), &mut now);
        let zero = Lanes([0.0; LANES]);
        for i in (0..CHUNK).step_by(LANES) {
            let turn = (load(&self.turns, at + i), load(&self.turns, size + at + i));
            let z = times((load(&before, i), zero - load(&now, i)), turn);
            store(z, at + i, re, im);
        }
    }
}

/// Some elements from a place on.
#[inline(always)]
fn load(all: &[f32], at: usize) -> Lanes<f32, LANES> {
    Lanes::load(all, at)
}

/// Copies frames of a line of a power of two, from one on.
#[inline(always)]
fn copy(line: &[f32], from: u32, to: &mut [f32]) {
    let at = from as usize & (line.len() - 1);
    let whole = to.len().min(line.len() - at);
    let (first, second) = to.split_at_mut(whole);
    first.copy_from_slice(&line[at..at + whole]);
    second.copy_from_slice(&line[..second.len()]);
}

/// A factor without what would make subnormal products.
fn significant(x: f64) -> f32 {
    const LEAST: f64 = 1e-15;
    if x.abs() < LEAST { 0.0 } else { x as f32 }
}

/// A subnormal is 0 with its sign.
#[inline(always)]
fn flushed(x: f32) -> f32 {
    if x.abs() < f32::MIN_POSITIVE { 0f32.copysign(x) } else { x }
}
