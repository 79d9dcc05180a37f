//! Machines outside while a song plays: what the audio thread has taken up goes to MIDI ports and OSC receivers when it is heard.
//!
//! A thread of its own looks every millisecond. The audio thread renders whole buffers, so the count of frames stands still and
//! jumps; a straight line that follows it slowly says when a frame is heard.

use super::LoopEvent;
use super::midi::{PortEvent, Timed, ports};
use mam_runtime::Control;
use mam_runtime::control::Outgoing;
use mam_runtime::outside::{Machines, Message, OscValue, Receiver, Router};
use rtrb::Consumer;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{SocketAddr, ToSocketAddrs, UdpSocket};
use std::sync::Arc;
use std::sync::mpsc::{self, Sender, TryRecvError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often it is looked for what has happened.
const LOOK: Duration = Duration::from_millis(1);
/// How much of its distance the line goes towards the count of frames at each look.
const PULL: f64 = 0.002;
/// A distance in seconds that is a jump.
const FAR: f64 = 0.25;

/// The machines outside of the song that plays.
pub(super) struct Gear {
    orders: Sender<Order>,
    thread: Option<JoinHandle<()>>,
    /// The programs whose machines are known.
    known: BTreeSet<u32>,
}

/// What the thread is told.
enum Order {
    /// The device plays, from the beginning of its count.
    Device(Device),
    /// The machines of a program, by its number.
    Program(u32, Machines),
    /// Frames between a frame that is served and when it is heard.
    Ahead(u32),
    /// Something was lost.
    Lost,
}

struct Device {
    ring: Consumer<Outgoing>,
    served: Box<dyn Fn() -> u64 + Send>,
    rate: f64,
}

impl Gear {
    /// Begins to look after machines: before the device plays, so that no note of its first frames is missing. `network` allows OSC to go to other computers.
    pub(super) fn start(control: &mut Control, events: Sender<LoopEvent>, network: bool) -> Gear {
        let (orders, received) = channel();
        let worker = Worker {
            router: Router::default(),
            device: None,
            machines: BTreeMap::new(),
            ahead: 0.0,
            line: Line::default(),
            wires: Wires { events, network, ..Wires::default() },
        };
        let thread = std::thread::spawn(move || worker.run(&received));
        let mut gear = Gear { orders, thread: Some(thread), known: BTreeSet::new() };
        gear.device(control);
        gear
    }

    /// Another device plays, with a control of its own.
    pub(super) fn device(&mut self, control: &mut Control) {
        self.known.clear();
        let (ring, rate) = (control.send(), f64::from(control.rate()));
        self.order(Order::Device(Device { ring, served: Box::new(control.served()), rate }));
        self.tick(control, 0);
    }

    /// Tells of the programs that may play now, and of frames that wait in the device.
    pub(super) fn tick(&mut self, control: &Control, ahead: u32) {
        for (generation, program) in control.generations() {
            if self.known.insert(generation) {
                self.order(Order::Program(generation, Machines::new(&program)));
            }
        }
        if ahead > 0 {
            self.order(Order::Ahead(ahead));
        }
        if control.take_unsent() {
            self.order(Order::Lost);
        }
    }

    fn order(&self, order: Order) {
        // The thread ends with this.
        let _ = self.orders.send(order);
    }
}

impl Drop for Gear {
    /// All notes end, also where this comes of a panic.
    fn drop(&mut self) {
        let (orders, _) = channel();
        drop(std::mem::replace(&mut self.orders, orders));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Worker {
    router: Router,
    device: Option<Device>,
    machines: BTreeMap<u32, Machines>,
    ahead: f64,
    line: Line,
    wires: Wires,
}

impl Worker {
    fn run(mut self, orders: &mpsc::Receiver<Order>) {
        loop {
            match orders.try_recv() {
                Ok(order) => {
                    self.take_order(order);
                    continue;
                }
                Err(TryRecvError::Disconnected) => break,
                Err(TryRecvError::Empty) => {}
            }
            self.look();
            std::thread::sleep(LOOK);
        }
        self.look();
        self.router.end_all(u64::MAX);
        let now = Instant::now();
        for message in self.router.take() {
            self.wires.send(now, message.to);
        }
        self.wires.end();
    }

    fn take_order(&mut self, order: Order) {
        match order {
            Order::Device(device) => {
                self.machines.clear();
                (self.line, self.device) = (Line::default(), Some(device));
            }
            Order::Program(generation, machines) => _ = self.machines.insert(generation, machines),
            Order::Ahead(frames) => self.ahead = f64::from(frames),
            Order::Lost => {
                self.router.end_all(0);
                let now = Instant::now();
                self.router.take().into_iter().for_each(|message| self.wires.send(now, message.to));
            }
        }
    }

    /// Sends what has happened, each at its moment.
    fn look(&mut self) {
        let Some(device) = &mut self.device else { return };
        let now = Instant::now();
        let frame = self.line.look(now, (device.served)(), device.rate);
        while let Ok(&outgoing) = device.ring.peek() {
            // What it belongs to is told before long.
            let Some(machines) = self.machines.get(&outgoing.generation) else { break };
            self.router.hear(outgoing, machines);
            let _ = device.ring.pop();
        }
        self.router.advance((device.served)());
        let heard = frame - self.ahead;
        for Message { frame, to } in self.router.take() {
            let seconds = ((frame as f64 - heard) / device.rate).clamp(0.0, 2.0);
            self.wires.send(now + Duration::from_secs_f64(seconds), to);
        }
        self.wires.look(now);
        let newest = self.machines.keys().next_back().copied().unwrap_or_default();
        self.machines.retain(|generation, _| generation + 64 > newest);
    }
}

/// The frames that are served, as a straight line.
#[derive(Debug, Default)]
struct Line(Option<(Instant, f64)>);

impl Line {
    /// The frame on the line now.
    fn look(&mut self, now: Instant, served: u64, rate: f64) -> f64 {
        let served = served as f64;
        let expected = self.0.map(|(then, frame)| frame + now.duration_since(then).as_secs_f64() * rate);
        let frame = match expected {
            Some(expected) if (served - expected).abs() < FAR * rate => expected + PULL * (served - expected),
            _ => served,
        };
        self.0 = Some((now, frame));
        frame
    }
}

/// The thread that sends a port's messages at their moments, and the way to it.
type Port = (Sender<Timed>, JoinHandle<()>);

/// Ports and sockets, opened when they are first needed.
struct Wires {
    events: Sender<LoopEvent>,
    network: bool,
    /// By name; none for a port that could not be opened.
    midi: BTreeMap<Arc<str>, Option<Port>>,
    hosts: BTreeMap<Arc<str>, Option<SocketAddr>>,
    socket: Option<UdpSocket>,
    /// OSC messages that wait for their moment.
    waiting: Vec<(Instant, SocketAddr, Vec<u8>)>,
}

impl Default for Wires {
    fn default() -> Wires {
        let (events, _) = channel();
        Wires {
            events,
            network: false,
            midi: BTreeMap::new(),
            hosts: BTreeMap::new(),
            socket: None,
            waiting: vec![],
        }
    }
}

impl Wires {
    fn say(&self, words: String) {
        // The loop lives as long as this.
        let _ = self.events.send(LoopEvent::Midi(PortEvent::Words(words)));
    }

    fn send(&mut self, at: Instant, to: Receiver) {
        match to {
            Receiver::Midi(port, bytes, count) => {
                if !self.midi.contains_key(&port) {
                    let opened = self.open(&port);
                    self.midi.insert(port.clone(), opened);
                }
                if let Some(Some((port, _))) = self.midi.get(&port) {
                    let _ = port.send((at, bytes[..count].to_vec()));
                }
            }
            Receiver::Osc(address, path, values) => {
                if let (Some(host), Some(bytes)) = (self.host(&address), encoded(&path, &values)) {
                    self.waiting.push((at, host, bytes));
                }
            }
        }
    }

    fn open(&self, port: &Arc<str>) -> Option<(Sender<Timed>, JoinHandle<()>)> {
        let events = self.events.clone();
        let tell = move |event| events.send(LoopEvent::Midi(event)).is_ok();
        match ports::send(port.to_string(), "notes go", tell) {
            Ok(opened) => Some(opened),
            Err(failure) => {
                self.say(format!("{failure}; `{port}` is not played\n"));
                None
            }
        }
    }

    /// Where an address leads, if it may be sent there.
    fn host(&mut self, address: &Arc<str>) -> Option<SocketAddr> {
        if let Some(known) = self.hosts.get(address) {
            return *known;
        }
        let found = address.to_socket_addrs().ok().and_then(|mut all| all.next());
        let host = match found {
            Some(host) if host.ip().is_loopback() || self.network => Some(host),
            Some(_) => {
                self.say(format!(
                    "OSC: `{address}` is another computer; `--allow-network` lets notes go there\n"
                ));
                None
            }
            None => {
                self.say(format!("OSC: `{address}` leads nowhere; its notes are left out\n"));
                None
            }
        };
        self.hosts.insert(address.clone(), host);
        host
    }

    /// Sends the messages whose moment has come.
    fn look(&mut self, now: Instant) {
        if self.waiting.is_empty() {
            return;
        }
        let (due, waiting) = std::mem::take(&mut self.waiting).into_iter().partition(|(at, ..)| *at <= now);
        self.waiting = waiting;
        let due: Vec<(Instant, SocketAddr, Vec<u8>)> = due;
        for (_, host, bytes) in due {
            if self.socket.is_none() {
                let own: SocketAddr =
                    if host.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0_u16; 8], 0).into() };
                self.socket = UdpSocket::bind(own).ok();
            }
            // UDP does not say whether it arrives.
            self.socket.iter().for_each(|socket| drop(socket.send_to(&bytes, host)));
        }
    }

    /// Waits until everything has been sent.
    fn end(&mut self) {
        for (_, opened) in std::mem::take(&mut self.midi) {
            let Some((port, thread)) = opened else { continue };
            drop(port);
            let _ = thread.join();
        }
    }
}

/// A message of OSC as bytes.
#[cfg(feature = "osc")]
fn encoded(path: &str, values: &[(Arc<str>, OscValue)]) -> Option<Vec<u8>> {
    use rosc::{OscMessage, OscPacket, OscType, encoder};
    let value = |value: &OscValue| match value {
        OscValue::Number(x) => OscType::Float(*x),
        OscValue::Text(text) => OscType::String(text.to_string()),
    };
    let args = values.iter().flat_map(|(name, of)| [OscType::String(name.to_string()), value(of)]).collect();
    encoder::encode(&OscPacket::Message(OscMessage { addr: path.into(), args })).ok()
}

#[cfg(not(feature = "osc"))]
fn encoded(_: &str, _: &[(Arc<str>, OscValue)]) -> Option<Vec<u8>> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::HowArgs;
    use crate::compiling::compile_song_again;
    use crate::input::Song;
    use mam_compiler::CompilationCache;
    use mam_runtime::control::{Live, Options, Scored, Sync};
    use mam_runtime::score::{Extent, Sequencer};
    use mam_runtime::{EventKind, Frames, Program};

    fn program(text: &str) -> Arc<Program> {
        let mut cache = CompilationCache::default();
        let how = HowArgs { rate: Some(crate::values::Rate(48_000)), interp: true, ..HowArgs::default() };
        let made = compile_song_again(Song::of_text("song.mam", text), &how, &mut cache);
        Arc::new(made.compilation.program.unwrap_or_else(|| panic!("{text}")))
    }

    /// A song that plays by callbacks of 512 frames, and what goes out.
    struct Stage {
        control: Control,
        live: Live,
        ring: Consumer<Outgoing>,
        router: Router,
        machines: BTreeMap<u32, Machines>,
        all: Vec<Message>,
    }

    impl Stage {
        fn new(program: &Arc<Program>) -> Stage {
            let options = Options { channels: 2, playing: true, limit: true };
            let (mut control, live) = Control::new(program.clone(), Box::new(Scored), options);
            let ring = control.send();
            Stage { control, live, ring, router: Router::default(), machines: BTreeMap::new(), all: vec![] }
        }

        fn play(&mut self, callbacks: usize) {
            for _ in 0..callbacks {
                self.control.tick();
                for (generation, program) in self.control.generations() {
                    self.machines.entry(generation).or_insert_with(|| Machines::new(&program));
                }
                let mut block = vec![0.0f32; 2 * 512];
                self.live.process(&mut Frames::Interleaved { data: &mut block, channels: 2 });
                while let Ok(outgoing) = self.ring.pop() {
                    self.router.hear(outgoing, &self.machines[&outgoing.generation]);
                }
                self.all.extend(self.router.take());
            }
        }

        /// The notes that sound at the end, by port, channel and key.
        fn sounding(&self) -> BTreeSet<(Arc<str>, u8, u8)> {
            let mut sounding = BTreeSet::new();
            for message in &self.all {
                let Receiver::Midi(port, bytes, _) = &message.to else { continue };
                let key = (port.clone(), bytes[0] & 15, bytes[1]);
                match bytes[0] & 0xF0 {
                    0x90 => assert!(sounding.insert(key), "it sounds already"),
                    0x80 => assert!(sounding.remove(&key), "it does not sound"),
                    _ => {}
                }
            }
            sounding
        }
    }

    const SONG: &str = "tempo 120\nbass = midi_out(\"Minitaur\", channel: 2)\nbd = midi_out(\"TR\", channel: 10, key: 36)\nplay {\n  bass \"c2 eb2 [g2,bb2] f2\"\n  bd |x.x.x.x.|\n  bass.cc74 \"0 127\" over 1/4 bar\n  bass.program \"4\"\n  bass.note.bend \"0st 2st\"\n}\nout = bass + bd\n";

    #[test]
    fn notes_leave_at_the_frames_of_their_events() {
        let program = program(SONG);
        let mut stage = Stage::new(&program);
        stage.play(2 * 96_000 / 512);
        let mut events = vec![];
        Sequencer::for_program(&program, Extent::Forever).advance(2 * 96_000 / 512 * 512, &mut events);
        let begins = |target: usize| -> Vec<u64> {
            let of = |kind: &EventKind| matches!(kind, EventKind::On { port, .. } if program.targets[target].voices.contains(port));
            events.iter().filter(|event| of(&event.kind)).map(|event| event.frame).collect()
        };
        let sent = |status: u8| -> Vec<(u64, [u8; 3])> {
            let of = |message: &Message| match &message.to {
                Receiver::Midi(_, bytes, _) if bytes[0] == status => Some((message.frame, *bytes)),
                _ => None,
            };
            stage.all.iter().filter_map(of).collect()
        };
        let frames = |status: u8| sent(status).into_iter().map(|(frame, _)| frame).collect::<Vec<_>>();
        assert_eq!((frames(0x91), frames(0x99)), (begins(0), begins(1)), "no frame of jitter");
        assert_eq!(sent(0x91)[..3].iter().map(|(_, bytes)| bytes[1]).collect::<Vec<_>>(), [36, 39, 43]);
        assert!(sent(0x99).iter().all(|(_, bytes)| bytes[1] == 36));
        assert_eq!(sent(0xC1), [(0, [0xC1, 4, 0])]);
        assert_eq!(sent(0xE1)[..2], [(0, [0xE1, 0, 0x40]), (48_000, [0xE1, 0x7F, 0x7F])]);
        let glide: Vec<u8> =
            sent(0xB1).iter().filter(|(at, _)| (48_000..72_001).contains(at)).map(|(_, b)| b[2]).collect();
        assert!(glide.len() > 60 && glide.windows(2).all(|pair| pair[0] < pair[1]), "{glide:?}");
        assert_eq!(glide.last(), Some(&127));
    }

    #[test]
    fn notes_of_osc_have_the_arguments_that_lines_and_notes_give() {
        let song = "tempo 120\ninstrument own {\n  param depth = 3 in 0..9\n  out = osc_send(\"127.0.0.1:9\", \"/own\", \"\")\n}\n\
            d = osc_out(\"127.0.0.1:9\", sound: \"pad\", voices: 2)\no = own()\nplay {\n  \
            d \"c4 e4 g4 b4\".when(\"1 0 1 0\", set(cutoff: \"400Hz 2kHz\")).when(\"1 0\", set(n: 2)).every(2, set(pan: 1, gain: 0.5))\n  \
            d.room \"~ 0.25 0.5 1\"\n  o \"c4 d4\".when(\"0 1\", set(depth: 5))\n}\nout = d + o\n";
        let program = program(song);
        let mut stage = Stage::new(&program);
        stage.play(2 * 96_000 / 512);
        let sent = |path: &str, frame: u64| -> Vec<(String, f32)> {
            let number = |(name, value): &(Arc<str>, OscValue)| match value {
                OscValue::Number(x) => Some((name.to_string(), *x)),
                OscValue::Text(_) => None,
            };
            let of = |message: &Message| match &message.to {
                Receiver::Osc(_, own, values) if &**own == path && message.frame == frame => {
                    Some(values.iter().filter_map(number).collect())
                }
                _ => None,
            };
            stage.all.iter().find_map(of).unwrap_or_default()
        };
        let wanted =
            |all: &[(&str, f32)]| all.iter().map(|(name, x)| ((*name).to_owned(), *x)).collect::<Vec<_>>();
        // What no line and no note has given yet is not there; the order is that of the song's parameters.
        let first = [("midinote", 60.0), ("pan", 1.0), ("cutoff", 400.0), ("gain", 0.5), ("n", 2.0)];
        assert_eq!(sent("/dirt/play", 0), wanted(&first));
        let second = [("midinote", 64.0), ("pan", 1.0), ("gain", 0.5), ("n", 2.0), ("room", 0.25)];
        assert_eq!(sent("/dirt/play", 24_000), wanted(&second));
        let third = [("midinote", 67.0), ("pan", 1.0), ("cutoff", 2000.0), ("gain", 0.5), ("room", 0.5)];
        assert_eq!(sent("/dirt/play", 48_000), wanted(&third));
        // In the next bar nothing sets the gain: it is the velocity; the place is the middle.
        let fifth =
            [("midinote", 60.0), ("gain", 1.0), ("pan", 0.5), ("cutoff", 400.0), ("n", 2.0), ("room", 1.0)];
        assert_eq!(sent("/dirt/play", 96_000), wanted(&fifth));
        // A parameter of one's own is always there.
        assert_eq!(sent("/own", 0), wanted(&[("midinote", 60.0), ("gain", 1.0), ("depth", 3.0)]));
        assert_eq!(sent("/own", 48_000), wanted(&[("midinote", 62.0), ("gain", 1.0), ("depth", 5.0)]));
    }

    #[test]
    fn a_controller_that_notes_set_returns_to_what_its_line_says() {
        let song = "tempo 120\nb = midi_out(\"x\")\nplay {\n  b \"c2 d2 e2 f2\".every(2, when(\"1 0 1 0\", set(cc74: \"20 90\")).when(\"0 1\", set(pan: 1)))\n}\nout = b\n";
        let mut stage = Stage::new(&program(song));
        stage.play(2 * 96_000 / 512);
        let of = |message: &Message| match &message.to {
            Receiver::Midi(_, [0xB0, number @ (74 | 10), value], _) => Some((message.frame, *number, *value)),
            _ => None,
        };
        let sent: Vec<(u64, u8, u8)> = stage.all.iter().filter_map(of).collect();
        let middle = 64;
        let wanted = [
            (0, 74, 20),
            (0, 10, middle),
            (24_000, 74, 0),
            (48_000, 74, 90),
            (48_000, 10, 127),
            (72_000, 74, 0),
            (96_000, 10, middle),
        ];
        assert_eq!(sent, wanted);
    }

    #[test]
    fn no_note_hangs_through_edits_jumps_and_stops() {
        let other =
            SONG.replace("c2 eb2 [g2,bb2] f2", "[c3,e3,g3]@3 d2").replace("channel: 10", "channel: 9");
        let without = "tempo 120\nlead = pluck()\nplay { lead \"c4\" }\nout = lead\n";
        let songs = [program(SONG), program(&other), program(without)];
        let mut stage = Stage::new(&songs[0]);
        let mut random = 7_u32;
        let mut below = |limit: u32| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (random >> 8) % limit
        };
        for _ in 0..60 {
            match below(5) {
                0 | 1 => stage.control.edit(songs[below(3) as usize].clone(), Sync::Now),
                2 => stage.control.seek(u64::from(below(400_000))).expect("it is a place of the song"),
                3 => {
                    stage.control.stop();
                    stage.play(8);
                    assert_eq!(stage.sounding(), BTreeSet::new(), "it stands");
                    stage.control.play();
                }
                _ => _ = stage.control.note("bass", 3, 50.0, Some(1.0)),
            }
            stage.play(1 + below(40) as usize);
        }
        stage.control.edit(songs[2].clone(), Sync::Now);
        stage.play(20);
        assert_eq!(stage.sounding(), BTreeSet::new(), "the machines are gone");
        assert!(stage.all.len() > 200, "{}", stage.all.len());
    }

    #[test]
    fn a_frame_is_placed_within_a_millisecond() {
        let (start, mut line) = (Instant::now(), Line::default());
        let mut worst = 0.0_f64;
        for milli in 0..6000_u64 {
            // Callbacks of 1024 frames at 48 kHz.
            let served = (milli * 48 / 1024 + 1) * 1024;
            let frame = line.look(start + Duration::from_millis(milli), served, 48_000.0);
            if milli > 4000 {
                // On the average half a buffer is served ahead.
                let true_frame = milli as f64 * 48.0 + 512.0;
                worst = worst.max((frame - true_frame).abs() / 48.0);
            }
        }
        assert!(worst < 1.0, "{worst} ms");
    }

    #[test]
    #[cfg(feature = "osc")]
    fn notes_reach_a_receiver_of_osc_and_only_this_machine() {
        let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
        receiver.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let address: Arc<str> = receiver.local_addr().unwrap().to_string().into();
        let values =
            [("s".into(), OscValue::Text("superpiano".into())), ("midinote".into(), OscValue::Number(60.0))];
        let (events, told) = channel();
        let mut wires = Wires { events, ..Wires::default() };
        let now = Instant::now();
        wires.send(now, Receiver::Osc(address, "/dirt/play".into(), values.to_vec()));
        wires.send(now, Receiver::Osc("192.0.2.1:57120".into(), "/dirt/play".into(), vec![]));
        wires.look(now);
        let mut bytes = [0; 512];
        let (count, _) = receiver.recv_from(&mut bytes).unwrap();
        let (_, packet) = rosc::decoder::decode_udp(&bytes[..count]).unwrap();
        let rosc::OscPacket::Message(message) = packet else { panic!("{packet:?}") };
        assert_eq!((message.addr.as_str(), message.args.len()), ("/dirt/play", 4));
        let Ok(LoopEvent::Midi(PortEvent::Words(words))) = told.try_recv() else { panic!("nothing is said") };
        assert!(words.contains("--allow-network"), "{words}");
    }
}
