//! Ogg Vorbis from any place: a page is found by the frame at which it ends, and decoding begins as much earlier as the decoder
//! remembers.

use super::FileError;
use super::decoders::several;
use super::intake::no_sound;
use super::ogg::{MOST_BYTES, Page, Pages};
use super::ogg_vorbis::Stream;
use super::pieces::{Anywhere, Piece, Pieces, split};
use super::source::{MOST_CHANNELS, Opened, Source, check, cut_off};

/// How much earlier decoding begins: two of the longest blocks.
const BEFORE: i64 = 2 * 8192;

/// Opens such a file.
pub(super) fn opened(source: Source) -> Result<Opened, FileError> {
    let mut stream = Stream::new(source.clone())?;
    let Some(heard) = stream.next()? else { return Err(no_sound()) };
    let (rate, channels) = (heard.rate, heard.channels);
    check(rate, channels)?;
    let end = end(&source, &stream)?.saturating_sub(stream.zero().unwrap_or(0));
    let frames = u64::try_from(end).map_err(|_| no_sound())?;
    let make = move || {
        let stream = Stream::new(source.clone())?;
        Ok(Box::new(Vorbis { source: source.clone(), stream }) as Box<dyn Pieces>)
    };
    let reader = Box::new(Anywhere::new(rate, Box::new(make)));
    Ok(Opened { rate, channels: channels.min(MOST_CHANNELS), frames, reader })
}

/// The pages of a file from a byte on.
fn pages_from(source: &Source, at: u64) -> Pages<Source> {
    Pages::new(Source { at, ..source.clone() }, at)
}

/// The frame behind the last, by the file's own count.
fn end(source: &Source, stream: &Stream<Source>) -> Result<i64, FileError> {
    // The last page begins in the last bytes, but where something else lies behind it.
    let near = source.length.saturating_sub(2 * MOST_BYTES as u64).max(stream.begin());
    for from in [near, stream.begin()] {
        let (mut pages, mut last) = (pages_from(source, from), None::<Page>);
        while let Some(page) = pages.next()? {
            if page.is_first {
                return Err(several());
            }
            if page.serial == stream.serial() && page.granule.is_some() {
                last = Some(page);
            }
        }
        if let Some(page) = last {
            return page.granule.filter(|_| page.is_last).ok_or_else(cut_off);
        }
    }
    Err(no_sound())
}

/// The pieces of a file.
struct Vorbis {
    source: Source,
    stream: Stream<Source>,
}

impl Vorbis {
    /// The byte at which a page begins that ends at or before a frame by the file's own count, or the first that has sound.
    fn page_before(&self, frame: i64) -> Result<u64, FileError> {
        let (mut from, mut to) = (self.stream.begin(), self.source.length);
        while to.saturating_sub(from) > 2 * MOST_BYTES as u64 {
            let middle = from + (to - from) / 2;
            let mut pages = pages_from(&self.source, middle);
            let found = loop {
                match pages.next()? {
                    Some(page) if page.at >= to => break None,
                    Some(page) if page.serial != self.stream.serial() => {}
                    Some(Page { at, granule: Some(end), .. }) => break Some((at, end)),
                    Some(_) => {}
                    None => break None,
                }
            };
            match found {
                Some((at, end)) if end <= frame => from = at,
                _ => to = middle,
            }
        }
        Ok(from)
    }
}

impl Pieces for Vorbis {
    fn next(&mut self) -> Result<Option<Piece>, FileError> {
        let heard = self.stream.next()?;
        Ok(heard.map(|heard| split(&heard.samples, heard.channels, heard.first as i64, heard.rate)))
    }

    fn leap(&mut self, frame: u64) -> Result<(), FileError> {
        while self.stream.zero().is_none() && self.next()?.is_some() {}
        let frame = (frame as i64).saturating_add(self.stream.zero().unwrap_or(0));
        let at = self.page_before(frame.saturating_sub(BEFORE))?;
        self.stream.go(Source { at, ..self.source.clone() }, at);
        Ok(())
    }
}
