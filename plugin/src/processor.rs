//! What runs on the audio thread: events of the host become events of the engine, at their frames, and blocks are rendered.

use crate::buffers::Buffers;
use crate::controls::{Controls, Values};
use crate::events::{BlockSink, HostEvent, HostEvents, NoteEnds, Request};
use crate::notes::{Notes, Sink};
use crate::score::{Lengths, Score, Transport};
use crate::song::{Ready, Song};
use clap_sys::events::{clap_input_events, clap_output_events};
use clap_sys::process::{
    CLAP_PROCESS_CONTINUE, CLAP_PROCESS_ERROR, CLAP_PROCESS_SLEEP, clap_process, clap_process_status,
};
use mam_runtime::Engine;
use std::sync::Arc;

/// What both threads know of an instance.
pub(crate) struct Shared {
    /// The song that it plays.
    pub(crate) song: Arc<Song>,
    /// The values of its parameters.
    pub(crate) values: Values,
}

/// An activated instance.
pub(crate) struct Processor {
    engine: Engine,
    controls: Controls,
    notes: Notes,
    lengths: Lengths,
    /// Where the song is to play.
    score: Option<Score>,
    /// Other instances find it as long as this one has it.
    _ready: Arc<Ready>,
}

/// A block of the host: where it begins on the engine's timeline, and where its notes end.
#[derive(Clone, Copy)]
struct Block {
    start: u64,
    end: u64,
    ends: NoteEnds,
}

impl Processor {
    /// A program, ready to be played from its beginning. Allocates.
    ///
    /// # Errors
    /// When the program is not the one that the song's manifest describes.
    pub(crate) fn new(ready: &Arc<Ready>, shared: &Shared) -> Result<Processor, String> {
        let program = ready.program.clone();
        let mut processor = Processor {
            controls: Controls::new(&shared.song, &program, &shared.values)?,
            notes: Notes::new(&program),
            lengths: Lengths::new(&program),
            score: ready.list.clone().map(|list| Score::new(&program, list)),
            engine: Engine::new(program),
            _ready: ready.clone(),
        };
        processor.start(shared);
        Ok(processor)
    }

    /// Frames for which it may sound after its last note: the longest delay line, and a second.
    pub(crate) fn tail(&self) -> u32 {
        let program = self.engine.program();
        let memory = u32::try_from(program.memory()).unwrap_or(u32::MAX);
        memory.saturating_add(program.rate).saturating_add(program.latency)
    }

    /// Frames by which what it plays is late.
    pub(crate) fn latency(&self) -> u32 {
        self.engine.program().latency
    }

    /// As it was when it was made, with the present values. \[audio\]
    pub(crate) fn reset(&mut self, shared: &Shared) {
        self.engine.reset();
        self.notes.reset();
        if let Some(score) = &mut self.score {
            score.reset();
        }
        self.start(shared);
    }

    fn start(&mut self, shared: &Shared) {
        self.controls.start(&mut self.engine, &shared.values);
        for (param, value) in self.lengths.start() {
            self.engine.start_param(param, value);
        }
    }

    /// Takes events without rendering: they happen with the next frame. \[audio\]
    ///
    /// # Safety
    /// The lists are null or the host's, and outlive the call.
    pub(crate) unsafe fn flush(
        &mut self,
        shared: &Shared,
        events: *const clap_input_events,
        out: *const clap_output_events,
    ) {
        let start = self.engine.position();
        // SAFETY: as this function's.
        let (events, ends) = unsafe { (HostEvents::new(events), NoteEnds::new(out, start)) };
        let block = Block { start, end: start, ends };
        self.take_loaded(shared, block);
        for event in events.iter() {
            self.event(shared, event, start, block);
        }
    }

    /// Renders a block. \[audio\]
    ///
    /// # Safety
    /// All that `process` leads to is the host's, outlives the call, and is used by nothing else meanwhile.
    pub(crate) unsafe fn process(&mut self, shared: &Shared, process: &clap_process) -> clap_process_status {
        let start = self.engine.position();
        let end = start + u64::from(process.frames_count);
        // SAFETY: as this function's; the transport is null or the host's.
        let (buffers, events, ends, transport) = unsafe {
            (
                Buffers::borrow(process, start),
                HostEvents::new(process.in_events),
                NoteEnds::new(process.out_events, start),
                process.transport.as_ref(),
            )
        };
        let Some(mut buffers) = buffers else { return CLAP_PROCESS_ERROR };
        let block = Block { start, end, ends };
        self.take_loaded(shared, block);
        if let Some(transport) = transport {
            self.follow(Transport::read(transport), start, block);
        }
        for event in events.iter() {
            let frame = (start + u64::from(event.time())).min(end.saturating_sub(1)).max(start);
            self.play_score(frame, block, &mut buffers);
            if !self.sink(block).has_room() {
                buffers.render(&mut self.engine, frame);
            }
            self.event(shared, event, frame, block);
        }
        self.play_score(end, block, &mut buffers);
        buffers.render(&mut self.engine, end);
        self.report_ended(block);
        if self.is_done() { CLAP_PROCESS_SLEEP } else { CLAP_PROCESS_CONTINUE }
    }

    /// Whether nothing is heard until the next event, or input.
    fn is_done(&mut self) -> bool {
        let playing = self.score.as_ref().is_some_and(Score::is_playing);
        !playing && self.engine.is_silent() && self.engine.events().is_empty()
    }

    fn sink(&mut self, block: Block) -> BlockSink<'_> {
        BlockSink { queue: self.engine.events(), ends: block.ends }
    }

    fn take_loaded(&mut self, shared: &Shared, block: Block) {
        let mut sink = BlockSink { queue: self.engine.events(), ends: block.ends };
        self.controls.take_loaded(&shared.song, &shared.values, block.start, |event| sink.event(event));
    }

    fn follow(&mut self, transport: Transport, frame: u64, block: Block) {
        let mut sink = BlockSink { queue: self.engine.events(), ends: block.ends };
        self.lengths.follow(transport, frame, &mut sink);
        if let Some(score) = &mut self.score {
            let controls = &self.controls;
            let wanted = |param| controls.value_of(param);
            score.follow(transport, frame, (&mut self.notes, &wanted), &mut sink);
        }
    }

    /// Plays the score up to a frame. Where the queue is full, the frames before are rendered first.
    fn play_score(&mut self, until: u64, block: Block, buffers: &mut Buffers<'_>) {
        let Some(score) = &mut self.score else { return };
        loop {
            let mut sink = BlockSink { queue: self.engine.events(), ends: block.ends };
            let Some(frame) = score.advance(until, &mut self.notes, &mut sink) else { return };
            let before = self.engine.position();
            buffers.render(&mut self.engine, frame);
            if self.engine.position() == before {
                return; // What is left comes with the next block.
            }
        }
    }

    /// Tells the host which of its notes have faded away.
    fn report_ended(&mut self, block: Block) {
        let notes = &mut self.notes;
        let last = block.end.saturating_sub(1).max(block.start);
        self.engine.take_asleep(|port| {
            if let Some(note) = notes.asleep(port) {
                block.ends.push(note, last);
            }
        });
    }

    /// One event of the host, at a frame of the engine.
    fn event(&mut self, shared: &Shared, event: HostEvent, frame: u64, block: Block) {
        let Some(request) = event.request() else { return };
        let Shared { song, values } = shared;
        let mut sink = BlockSink { queue: self.engine.events(), ends: block.ends };
        let set = match request {
            Request::On(note, velocity) => return self.notes.on(note, velocity, frame, &mut sink),
            Request::Off(meant, velocity) => return self.notes.off(meant, velocity, frame, &mut sink),
            Request::Express(meant, expression) => {
                return self.notes.express(meant, expression, frame, &mut sink);
            }
            Request::Midi(port, data) => return self.notes.midi(port, data, frame, &mut sink),
            Request::Transport(at) => return self.follow(Transport::read(&at), frame, block),
            Request::Set(id, value) => {
                song.param(id).and_then(|index| self.controls.set(song, values, (index, value), frame))
            }
            Request::Modulate(id, amount) => {
                song.param(id).and_then(|index| self.controls.modulate(song, index, amount, frame))
            }
        };
        set.into_iter().for_each(|event| sink.event(event));
    }
}
