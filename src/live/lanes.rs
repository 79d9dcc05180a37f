//! What is written for each instrument in the bar that plays: the steps of its lines, and which of them is now.

use super::instruments::Instrument;
use mam_compiler::score::show::{columns, lane};
use mam_runtime::Program;
use mam_runtime::control::Position;
use mam_runtime::score::{Action, PatternEvent, TimeSpan, Transport};
use std::fmt;
use std::sync::Arc;

/// A bar of an instrument, as it is drawn.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Lane {
    /// `●` where a note begins, `━` while it lasts, `·` where there is none.
    pub(super) cells: Vec<char>,
    /// The cell that is now.
    pub(super) lit: Option<usize>,
}

/// The lanes of a program's instruments: asked of the patterns once a bar.
#[derive(Clone, Default)]
pub(super) struct Lanes {
    program: Option<Arc<Program>>,
    cached: Vec<CachedLane>,
    /// Columns that a lane may have.
    most: usize,
}

impl fmt::Debug for Lanes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lanes").field("cached", &self.cached).finish_non_exhaustive()
    }
}

/// A lane with what it is the lane of.
#[derive(Clone, Debug, Default)]
struct CachedLane {
    /// The lines that are heard: transport, line, cycle.
    of: Vec<(usize, usize, i64)>,
    cells: Vec<char>,
}

/// A line that is heard now: which cycle, and how much of it is over.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Heard {
    transport: usize,
    line: usize,
    cycle: i64,
    done: f64,
}

impl Lanes {
    /// The lane of each of the program's instruments at a frame of the song.
    pub(super) fn at(
        &mut self,
        program: &Arc<Program>,
        instruments: &[Instrument],
        frame: u64,
        most: usize,
    ) -> Vec<Lane> {
        let same =
            self.program.as_ref().is_some_and(|known| Arc::ptr_eq(known, program)) && self.most == most;
        if !same {
            self.cached = instruments.iter().map(|_| CachedLane::default()).collect();
            (self.program, self.most) = (Some(program.clone()), most);
        }
        let heard = heard(program, frame);
        let lane = |(instrument, cached): (&Instrument, &mut CachedLane)| {
            let own = heard.iter().filter(|(target, _)| *target == instrument.plays);
            let own: Vec<Heard> = own.map(|(_, heard)| *heard).collect();
            let of: Vec<_> = own.iter().map(|h| (h.transport, h.line, h.cycle)).collect();
            if of != cached.of {
                cached.cells = cells(program, &of, most);
                cached.of = of;
            }
            let lit = own.first().map(|heard| (heard.done * cached.cells.len() as f64) as usize);
            Lane { cells: cached.cells.clone(), lit: lit.filter(|lit| *lit < cached.cells.len()) }
        };
        instruments.iter().zip(&mut self.cached).map(lane).collect()
    }
}

/// The lines that play at a frame, with the targets that they play.
fn heard(program: &Program, frame: u64) -> Vec<(usize, Heard)> {
    let of = |(index, transport): (usize, &Transport)| {
        // A frame is rounded, so a bar may seem to begin a hair late.
        let bar = Position::in_transport(transport, program.rate, frame).bar + 1e-6;
        let clips = transport.clips.iter().filter_map(move |clip| {
            let Action::Play { target } = transport.lines.get(clip.line)?.action else { return None };
            let within = bar - clip.start.to_f64();
            let is_over = clip.end.is_some_and(|end| bar >= end.to_f64());
            let heard = Heard {
                transport: index,
                line: clip.line,
                cycle: within.floor() as i64,
                done: within.fract(),
            };
            (within >= 0.0 && !is_over).then_some((target, heard))
        });
        clips.collect::<Vec<_>>()
    };
    program.score.transports.iter().enumerate().flat_map(of).collect()
}

/// What these lines play, all in one lane. What cannot be computed is not shown.
fn cells(program: &Program, of: &[(usize, usize, i64)], most: usize) -> Vec<char> {
    let events = |&(transport, line, cycle): &(usize, usize, i64)| {
        let line = &program.score.transports[transport].lines[line];
        let events = line.pattern.query(TimeSpan::cycle(cycle)).unwrap_or_default();
        (cycle, events)
    };
    let lines: Vec<(i64, Vec<PatternEvent>)> = of.iter().map(events).collect();
    let width = lines.iter().map(|(_, events)| columns(events, most)).max().unwrap_or(0);
    let mut cells = vec!['·'; if of.is_empty() { 0 } else { width }];
    for (cycle, events) in &lines {
        let drawn = lane(&events.iter().collect::<Vec<_>>(), i128::from(*cycle), width);
        for (cell, drawn) in cells.iter_mut().zip(drawn) {
            if *cell != '●' && drawn != '·' {
                *cell = drawn;
            }
        }
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::super::instruments::instruments;
    use super::*;
    use crate::args::HowArgs;
    use crate::compiling::compile_song;
    use crate::input::Song;

    fn program(text: &str) -> Arc<Program> {
        let song = Song::of_text("song.mam", text);
        let how = HowArgs { interp: true, ..HowArgs::default() };
        Arc::new(compile_song(song, &how).compilation.program.expect("it compiles"))
    }

    #[test]
    fn an_instrument_in_a_pipe_is_one_by_its_shortest_name() {
        let program = program("bd = kick() |> drive(3)\nsd = clap()\nplay { bd |x...| }\nout = bd + sd\n");
        let all = instruments(&program);
        let names: Vec<&str> = all.iter().map(|instrument| &*instrument.name).collect();
        assert_eq!(names, ["bd", "sd"]);
        let lanes = Lanes::default().at(&program, &all, 0, 48);
        assert!(lanes[0].cells.contains(&'●') && lanes[1].cells.is_empty());
    }

    #[test]
    fn each_instrument_shows_its_bar_and_the_step_that_is_now() {
        let program = program(
            "tempo 120\nbd = kick()\nsd = clap()\nhh = clap()\n\
             section a 1 bar { bd |x.......x.......| ; sd \"~ x\" }\nsection b 1 bar { bd |xx......| ; bd |....x...| }\n\
             play a b\nout = bd + sd + hh\n",
        );
        let mut lanes = Lanes::default();
        let mut shown = |frame: u64| {
            let of = |lane: Lane| (lane.cells.into_iter().collect::<String>(), lane.lit);
            lanes.at(&program, &instruments(&program), frame, 48).into_iter().map(of).collect::<Vec<_>>()
        };
        // A bar is two seconds.
        let first = shown(0);
        assert_eq!(first[0], ("●·······●·······".into(), Some(0)));
        assert_eq!(first[1], ("····●━━━".into(), Some(0)));
        assert_eq!(first[2], (String::new(), None), "nothing is written for it");
        assert_eq!(shown(48_000)[0].1, Some(8));
        assert_eq!(shown(95_999)[0].1, Some(15));
        let second = shown(96_000);
        assert_eq!(second[0], ("●●··●···".into(), Some(0)), "two lines in one lane");
        assert_eq!(second[1].0, "");
        assert_eq!(shown(2 * 96_000)[0].0, "●·······●·······", "the next pass");
    }
}
