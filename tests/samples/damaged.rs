//! Compressed files of which a part is damaged or not there: what follows stays in its place, and it is said what is missing.

use super::{Compressed, Folder, noise};
use mam_runtime::ChannelLayout;
use mam_runtime::file::{
    self, Bits, Container, Details, Dither, FileError, Format, Frames, Sound, Wanted, Writer,
};
use std::fs::{self, File};
use std::io::Cursor;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Frames of a block of a FLAC file, and the most that a damaged page of the fixture takes with it: its own and the half block
/// that overlaps with the next one.
const BLOCK: usize = 4096;
const PAGE: usize = 1536 + 512;

fn read(bytes: &[u8]) -> Result<Sound, FileError> {
    let wanted = Wanted { rate: None, channels: 2, frames: u64::MAX, most: None };
    file::read(Cursor::new(bytes.to_vec()), wanted)
}

/// The frames of a file as it is read from any place, in portions, the last first.
fn streamed(bytes: &[u8]) -> Vec<Vec<f32>> {
    const PORTION: usize = 700;
    // Tests run at the same time.
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let folder = Folder::new(&format!("damaged-streamed-{}", COUNT.fetch_add(1, Ordering::Relaxed)));
    let path = folder.0.join("sound");
    fs::write(&path, bytes).unwrap();
    let mut opened = file::open(File::open(path).unwrap()).unwrap();
    let mut channels = vec![vec![f32::NAN; opened.frames as usize]; opened.channels];
    for first in (0..opened.frames as usize).step_by(PORTION).rev() {
        let portions =
            channels.iter_mut().map(|channel| channel[first..].chunks_mut(PORTION).next().unwrap());
        opened.reader.read(first as u64, &mut portions.collect::<Vec<_>>()).unwrap();
    }
    channels
}

/// Where the samples of a damaged file begin and end to be others than those of the whole one; they are silent there.
fn difference(damaged: &Sound, whole: &Sound) -> (usize, usize) {
    let differs = |n: &usize| damaged.channels.iter().zip(&whole.channels).any(|(d, w)| d[*n] != w[*n]);
    assert_eq!(damaged.frames(), whole.frames());
    let first = (0..whole.frames()).find(differs).expect("something is missing");
    let end = (0..whole.frames()).rev().find(differs).unwrap() + 1;
    assert!(damaged.channels.iter().all(|channel| channel[first..end].iter().all(|x| *x == 0.0)));
    (first, end)
}

/// What is the matter with a file.
enum Mishap {
    Flipped(usize),
    Zeroed(std::ops::Range<usize>),
    CutOut(std::ops::Range<usize>),
}

impl Mishap {
    fn to(&self, whole: &[u8]) -> Vec<u8> {
        let mut bytes = whole.to_vec();
        match self {
            Mishap::Flipped(at) => bytes[*at] ^= 0x10,
            Mishap::Zeroed(range) => bytes[range.clone()].fill(0),
            Mishap::CutOut(range) => drop(bytes.drain(range.clone())),
        }
        bytes
    }
}

/// What is missing of a damaged file is said, and is silent in both ways of reading it.
fn check(bytes: &[u8], whole: &[u8], from: usize, most: usize) {
    let (damaged, whole) = (read(bytes).unwrap(), read(whole).unwrap());
    let (first, end) = difference(&damaged, &whole);
    assert!(first.abs_diff(from) <= BLOCK / 8 && end - first <= most, "{first} to {end}");
    let damage = damaged.damage.expect("it is said");
    let seconds = |frames: usize| frames as f64 / f64::from(whole.rate);
    let near = |own: f64, frames: usize| (own - seconds(frames)).abs() < seconds(BLOCK / 8);
    assert!(near(damage.at, first) && near(damage.seconds, end - first), "{damage:?}: {first} to {end}");
    assert!(!damaged.is_cut_off && whole.damage.is_none());
    assert_eq!(streamed(bytes), damaged.channels);
}

#[test]
fn a_damaged_ogg_file_keeps_its_time() {
    let whole = Compressed::open("stereo.ogg").bytes;
    let pages: Vec<usize> = (0..whole.len()).filter(|&at| whole[at..].starts_with(b"OggS")).collect();
    // Two pages of headers, then four of sound, which end at the frames 1024, 2560, 4096 and 5513.
    assert_eq!(pages.len(), 6);
    for (page, from) in [(2, 0), (3, 1024)] {
        let all = pages[page]..pages[page + 1];
        for mishap in [
            Mishap::Flipped(all.start + 200),
            Mishap::Flipped(all.start + 2),
            Mishap::Zeroed(all.start + 100..all.end - 10),
            Mishap::CutOut(all.start + 50..all.end - 20),
            Mishap::CutOut(all),
        ] {
            check(&mishap.to(&whole), &whole, from, PAGE);
        }
    }
    // Of the last page it is not known how much too many frames its packets have, where the page before is not there: it may be
    // early by as many.
    for mishap in [Mishap::Flipped(pages[4] + 200), Mishap::CutOut(pages[3]..pages[5])] {
        let bytes = mishap.to(&whole);
        let (damaged, whole) = (read(&bytes).unwrap(), read(&whole).unwrap());
        let silent =
            (0..damaged.frames()).filter(|&n| damaged.channels.iter().all(|channel| channel[n] == 0.0));
        let damage = damaged.damage.expect("it is said");
        assert!(damaged.frames() == whole.frames() && silent.count() > 1500 && damage.seconds > 0.05);
        assert_eq!(streamed(&bytes), damaged.channels);
    }
    // What is between the pages is no damage.
    let mut stuffed = whole.clone();
    stuffed.splice(pages[4]..pages[4], [b'x'; 300]);
    assert_eq!(read(&stuffed).unwrap(), read(&whole).unwrap());
    // A short file that is cut off is read as far as it goes; without a page of sound there is nothing to read.
    for (size, frames) in [(pages[3] + 100, 1024), (whole.len() - 1, 4096)] {
        let cut = read(&whole[..size]).unwrap();
        assert_eq!((cut.frames(), cut.is_cut_off), (frames, true));
    }
    for bytes in [&whole[..pages[2] + 100], &Mishap::Flipped(pages[1] + 300).to(&whole), &whole[..40]] {
        let words = read(bytes).unwrap_err().to_string();
        assert!(words.starts_with("the file "), "{words}");
    }
}

#[test]
fn a_damaged_flac_file_keeps_its_time() {
    let frames = 10 * BLOCK + 100;
    let (layout, bits) = (ChannelLayout::Speakers, Bits::Int16);
    let format =
        Format { container: Container::Flac, bits, dither: Dither::None, rate: 48_000, channels: 2, layout };
    let mut file = Cursor::new(vec![]);
    let mut writer =
        Writer::new(&mut file, format, &Details { title: None, frames: Frames::Unknown }).unwrap();
    writer.write(&noise(2 * frames, 7)).unwrap();
    writer.finish().unwrap();
    let whole = file.into_inner();
    // Noise is as long in each block.
    let block = whole.len() / 10;
    let byte = |block_index: usize| block_index * block + block / 3;
    for index in [0, 4, 8] {
        check(&Mishap::Flipped(byte(index)).to(&whole), &whole, index * BLOCK, BLOCK);
    }
    check(&Mishap::Zeroed(byte(3)..byte(5)).to(&whole), &whole, 3 * BLOCK, 3 * BLOCK);
    check(&Mishap::CutOut(byte(3)..byte(5) + 9).to(&whole), &whole, 3 * BLOCK, 3 * BLOCK);
    assert!(read(&whole[..byte(5)]).unwrap().is_cut_off);
}

/// A song does not play what is damaged as if it were whole.
#[test]
fn a_damaged_file_is_a_problem_at_its_place() {
    let folder = Folder::new("damaged-problem");
    let mut bytes = Compressed::open("stereo.ogg").bytes;
    bytes[4400] ^= 1;
    fs::write(folder.0.join("a.ogg"), bytes).unwrap();
    let problems = folder.render("out = playback(sample(\"a.ogg\"), 1)\n", 10, false).expect_err("damaged");
    assert!(
        problems[0].starts_with("cannot-use: ") && problems[0].contains("cannot be decoded"),
        "{problems:?}"
    );
}
