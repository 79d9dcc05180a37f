//! Actions by OSC: messages from the network, by addresses.
//!
//! `docs/playing.md` says which. What begins with `/play` or a like word does nothing when its argument is 0: buttons send
//! that when they are let go. Whatever arrives, what is handed on is bounded: each number by its range, the number of requests
//! that wait by [`MOST_WAITING`]; more are dropped.

use super::action::{Action, Key};
use rosc::{OscMessage, OscPacket, OscType, decoder};
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// The longest datagram there is.
const LONGEST: usize = 65_536;
/// A datagram can hold thousands of bundles one within the other, and reading them goes as deep.
const STACK: usize = 64 << 20;
/// Requests that may wait to be granted. A sender of more is faster than any controller.
const MOST_WAITING: usize = 4096;
/// How long to wait after the network failed.
const PATIENCE: Duration = Duration::from_millis(100);

/// A request's place among those that wait; it is free when this is dropped.
#[derive(Debug)]
pub(super) struct Waiting(Arc<AtomicUsize>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

/// Listens on a thread of its own, as long as `take` wants what it hears.
pub(super) fn listen(
    to: SocketAddr,
    mut take: impl FnMut(Result<Action, String>, Waiting) -> bool + Send + 'static,
) -> std::io::Result<()> {
    let socket = UdpSocket::bind(to)?;
    let waiting = Arc::new(AtomicUsize::new(0));
    let mut hand_on = move |request| {
        if waiting.load(Relaxed) >= MOST_WAITING {
            return true;
        }
        waiting.fetch_add(1, Relaxed);
        take(request, Waiting(waiting.clone()))
    };
    let work = move || {
        let mut bytes = vec![0; LONGEST];
        loop {
            let Ok((count, _)) = socket.recv_from(&mut bytes) else {
                std::thread::sleep(PATIENCE);
                continue;
            };
            if !heard(&bytes[..count]).into_iter().all(&mut hand_on) {
                return;
            }
        }
    };
    std::thread::Builder::new().name("osc".into()).stack_size(STACK).spawn(work)?;
    Ok(())
}

/// What a datagram asks for, in order.
fn heard(bytes: &[u8]) -> Vec<Result<Action, String>> {
    let Ok((_, packet)) = decoder::decode_udp(bytes) else {
        return vec![Err("OSC: a datagram is not OSC".into())];
    };
    let (mut waiting, mut actions) = (vec![packet], vec![]);
    while let Some(packet) = waiting.pop() {
        match packet {
            OscPacket::Message(message) => actions.extend(action(&message).transpose()),
            OscPacket::Bundle(bundle) => waiting.extend(bundle.content.into_iter().rev()),
        }
    }
    actions
}

/// What a message asks for, if anything.
fn action(message: &OscMessage) -> Result<Option<Action>, String> {
    let address = message.addr.as_str();
    let numbers = message.args.iter().map(|arg| number(arg).ok_or_else(|| wrong(address, "numbers")));
    let numbers: Vec<f64> = numbers.collect::<Result<_, _>>()?;
    let first = numbers.first().copied();
    let needed = |what: &str| first.ok_or_else(|| wrong(address, what));
    let on = first.map(|value| value != 0.0);
    let let_go = first == Some(0.0);
    let (verb, name) = address.strip_prefix('/').and_then(|a| a.split_once('/')).unwrap_or((address, ""));
    let name = name.replace('/', ".");
    let action = match (verb, name.is_empty()) {
        ("/play" | "/stop" | "/toggle" | "/top", true) | ("hit", false) if let_go => return Ok(None),
        ("/play", true) => Action::Play,
        ("/stop", true) => Action::Stop,
        ("/toggle", true) => Action::Toggle,
        ("/top", true) => Action::Top,
        ("/silence", true) => Action::Silence,
        ("/bars", true) => Action::Bars(needed("a number of bars")? as i64),
        ("/beat", true) => Action::Beat(needed("a place in quarter notes")?),
        ("/tempo", true) => Action::Tempo(needed("quarter notes a minute")?),
        ("mute", false) => Action::Mute(name, on),
        ("solo", false) => Action::Solo(name, on),
        ("set", false) => {
            let value = needed("a value")?;
            Action::Set(name, value, numbers.get(1).copied().unwrap_or(0.0))
        }
        ("turn", false) => Action::Turn(name, needed("a number from 0 to 1")?),
        ("note", false) => {
            let note = needed("a MIDI number and a velocity")?;
            match numbers.get(1).copied().unwrap_or(1.0) {
                vel if vel > 0.0 => Action::Press(Key { instrument: name, channel: 0, note }, vel, vec![]),
                _ => Action::Release(Key { instrument: name, channel: 0, note }),
            }
        }
        ("hit", false) => Action::Hit(name, first.unwrap_or(1.0)),
        _ => return Err(format!("OSC: there is no address `{}`; {KNOWN}", shown(address))),
    };
    action.check().map_err(|why| format!("OSC: `{}`: {why}", shown(address)))?;
    Ok(Some(action))
}

const KNOWN: &str = "there are /play /stop /toggle /top /bars /beat /tempo /silence, and with a name behind it \
                     /mute/ /solo/ /set/ /turn/ /note/ /hit/";

fn wrong(address: &str, needs: &str) -> String {
    format!("OSC: `{}` needs {needs}", shown(address))
}

/// An address as it may be shown: its sender can neither steer the terminal nor fill it.
fn shown(address: &str) -> String {
    const MOST: usize = 60;
    let mut text: String = address.chars().take(MOST).map(|c| if c.is_control() { '·' } else { c }).collect();
    if address.chars().nth(MOST).is_some() {
        text.push('…');
    }
    text
}

/// A finite number, or truth.
fn number(arg: &OscType) -> Option<f64> {
    let number = match *arg {
        OscType::Int(x) => x.into(),
        OscType::Long(x) => x as f64,
        OscType::Float(x) => x.into(),
        OscType::Double(x) => x,
        OscType::Bool(x) => f64::from(u8::from(x)),
        _ => return None,
    };
    number.is_finite().then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::osc_address;
    use proptest::prelude::*;
    use rosc::{OscBundle, OscTime, encoder};
    use std::sync::mpsc::channel;

    fn message(addr: &str, args: Vec<OscType>) -> OscPacket {
        OscPacket::Message(OscMessage { addr: addr.into(), args })
    }

    fn bundle(content: Vec<OscPacket>) -> OscPacket {
        OscPacket::Bundle(OscBundle { timetag: OscTime { seconds: 0, fractional: 1 }, content })
    }

    fn said(addr: &str, args: &[f32]) -> Vec<Result<Action, String>> {
        let args = args.iter().map(|&x| OscType::Float(x)).collect();
        heard(&encoder::encode(&message(addr, args)).unwrap())
    }

    #[test]
    fn each_address_is_a_request() {
        let key = Key { instrument: "bd".into(), channel: 0, note: 60.0 };
        use Action::*;
        let bd = || "bd".to_string();
        let all = [
            (said("/play", &[]), Play),
            (said("/stop", &[1.0]), Stop),
            (said("/toggle", &[]), Toggle),
            (said("/top", &[]), Top),
            (said("/silence", &[]), Silence),
            (said("/bars", &[-2.0]), Bars(-2)),
            (said("/beat", &[16.0]), Beat(16.0)),
            (said("/tempo", &[97.5]), Tempo(97.5)),
            (said("/mute/bd", &[1.0]), Mute(bd(), Some(true))),
            (said("/mute/bd", &[]), Mute(bd(), None)),
            (said("/solo/bd", &[0.0]), Solo(bd(), Some(false))),
            (said("/set/bd.gain", &[0.5]), Set("bd.gain".into(), 0.5, 0.0)),
            (said("/set/bd/gain", &[0.5, 2.0]), Set("bd.gain".into(), 0.5, 2.0)),
            (said("/turn/bright", &[0.25]), Turn("bright".into(), 0.25)),
            (said("/note/bd", &[60.0, 0.5]), Press(key.clone(), 0.5, vec![])),
            (said("/note/bd", &[60.0, 0.0]), Release(key)),
            (said("/hit/bd", &[]), Hit(bd(), 1.0)),
        ];
        for (heard, wanted) in all {
            assert_eq!(heard, [Ok(wanted)]);
        }
        assert_eq!([said("/play", &[0.0]), said("/hit/bd", &[0.0])], [vec![], vec![]], "a button is let go");
    }

    #[test]
    fn what_is_wrong_is_reported_with_a_way_out() {
        let why = |heard: Vec<Result<Action, String>>| heard[0].clone().unwrap_err();
        assert!(why(said("/plai", &[])).contains("there is no address `/plai`; there are /play"));
        assert!(why(said("/mute", &[])).contains("no address"));
        assert!(why(said("/tempo", &[])).contains("`/tempo` needs quarter notes a minute"));
        assert!(why(said("/set/bd.gain", &[f32::NAN])).contains("needs numbers"));
        assert!(why(heard(b"hello")).contains("not OSC"));
        assert!(why(said("/hit/bd", &[127.0])).contains("`/hit/bd`: a velocity"));
        assert!(why(said("/beat", &[1e15])).contains("a place in quarter notes"));
        let why = why(said(&format!("/\x1b[2J{}", "x".repeat(9999)), &[]));
        assert!(!why.contains('\x1b') && why.len() < 400, "{why}");
        assert!(osc_address("9000").unwrap().ip().is_loopback() && osc_address("0.0.0.0:9000").is_ok());
        assert!(osc_address("nine").unwrap_err().contains("9000"));
    }

    #[test]
    fn the_manual_names_each_address() {
        let manual = include_str!("../../docs/playing.md");
        for address in KNOWN
            .split_whitespace()
            .filter(|word| word.starts_with('/'))
            .map(|word| word.trim_end_matches(','))
        {
            assert!(manual.contains(&format!("`{address}")), "{address}");
        }
    }

    #[test]
    fn bundles_are_done_in_order_however_deep() {
        let row = bundle(vec![
            message("/play", vec![]),
            bundle(vec![message("/top", vec![])]),
            message("/stop", vec![]),
        ]);
        let heard_of = |packet| heard(&encoder::encode(&packet).unwrap());
        assert_eq!(heard_of(row), [Ok(Action::Play), Ok(Action::Top), Ok(Action::Stop)]);
        // As many levels as a datagram can hold, written by hand: every bundle is 16 bytes and its content's length.
        let mut deep = encoder::encode(&message("/play", vec![])).unwrap();
        while deep.len() + 20 <= 65_000 {
            let size = (deep.len() as u32).to_be_bytes();
            deep = [b"#bundle\0\0\0\0\0\0\0\0\x01", &size[..], &deep].concat();
        }
        let (sender, actions) = channel();
        let work = move || sender.send(heard(&deep).len()).unwrap();
        std::thread::Builder::new().stack_size(STACK).spawn(work).unwrap().join().unwrap();
        assert_eq!(actions.recv(), Ok(1));
    }

    #[test]
    fn a_port_is_listened_to() {
        let free = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap();
        assert!(listen(port, |_, _| true).is_err(), "it is taken");
        drop(free);
        let (sender, actions) = channel();
        listen(port, move |action, _| sender.send(action).is_ok()).unwrap();
        let voice = UdpSocket::bind("127.0.0.1:0").unwrap();
        voice.send_to(&encoder::encode(&message("/beat", vec![OscType::Int(8)])).unwrap(), port).unwrap();
        assert_eq!(actions.recv_timeout(Duration::from_secs(10)), Ok(Ok(Action::Beat(8.0))));
    }

    /// However many come, no more wait than there is room for.
    #[test]
    fn a_flood_does_not_pile_up() {
        let free = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap();
        drop(free);
        let (sender, requests) = channel();
        listen(port, move |request, waiting| sender.send((request, waiting)).is_ok()).unwrap();
        let voice = UdpSocket::bind("127.0.0.1:0").unwrap();
        let row = bundle((0..1000).map(|_| message("/toggle", vec![])).collect());
        let row = encoder::encode(&row).unwrap();
        let mut waiting_ones = vec![];
        for _ in 0..50 {
            voice.send_to(&row, port).unwrap();
            while let Ok(request) = requests.recv_timeout(Duration::from_millis(20)) {
                waiting_ones.push(request);
            }
        }
        assert!((1000..=MOST_WAITING).contains(&waiting_ones.len()), "{}", waiting_ones.len());
        drop(waiting_ones);
        voice.send_to(&row, port).unwrap();
        assert!(requests.recv_timeout(Duration::from_secs(10)).is_ok(), "there is room again");
    }

    /// Datagrams that are nearly right: bytes turned, cut, doubled. What is heard of them can be meant, and what is not is
    /// reported in a line.
    #[test]
    fn what_is_heard_of_broken_datagrams_can_be_meant() {
        let mut seed = 1_u64;
        let mut dice = |below: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as usize % below
        };
        let floats = [0.0, 1.0, -1.0, 1e9, 1e38, f32::NAN, f32::INFINITY, f32::MIN_POSITIVE];
        let addresses = [
            "/play",
            "/bars",
            "/beat",
            "/tempo",
            "/set/bd.gain",
            "/turn/x",
            "/note/bd",
            "/hit/bd",
            "/mute/bd",
        ];
        let mut heard_of = 0;
        for _ in 0..20_000 {
            let args = (0..dice(3)).map(|_| OscType::Float(floats[dice(floats.len())])).collect();
            let mut packet = message(addresses[dice(addresses.len())], args);
            for _ in 0..dice(3) {
                packet = bundle(vec![packet.clone(), packet]);
            }
            let mut bytes = encoder::encode(&packet).unwrap();
            for _ in 0..dice(4) {
                let at = dice(bytes.len());
                match dice(3) {
                    0 => bytes[at] = dice(256) as u8,
                    1 => bytes.truncate(at.max(1)),
                    _ => bytes.extend_from_within(at..),
                }
            }
            for request in heard(&bytes) {
                heard_of += 1;
                match request {
                    Ok(action) => assert_eq!(action.check(), Ok(()), "{action:?}"),
                    Err(why) => assert!(why.len() < 500 && !why.contains(char::is_control), "{why:?}"),
                }
            }
        }
        assert!(heard_of > 20_000);
    }

    proptest! {
        #[test]
        fn no_datagram_is_too_odd(bytes: Vec<u8>, args: Vec<f32>) {
            heard(&bytes);
            said("/note/x", &args);
        }
    }
}
