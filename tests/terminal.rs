//! `mamc play` on a terminal: a pseudo-terminal is its keyboard and its screen.
#![cfg(unix)]

use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcgetattr, tcsetwinsize};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const SONG: &str =
    "tempo 120\nbd = kick()\nsd = clap()\nplay { bd |x...x...x...x...| ; sd |..x.| }\nout = bd + sd\n";

/// A terminal with a program on it.
struct Terminal {
    keys: File,
    slave: OwnedFd,
    seen: Arc<Mutex<String>>,
    child: Child,
    folder: PathBuf,
}

impl Terminal {
    fn run(name: &str, args: &[&str]) -> Terminal {
        Terminal::of(name, SONG, (100, 30), args)
    }

    /// A terminal of so many columns and rows, on which a song is played.
    fn of(name: &str, song: &str, (columns, rows): (u16, u16), args: &[&str]) -> Terminal {
        let folder = std::env::temp_dir().join(format!("mamc-terminal-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("song.mam"), song).unwrap();
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let path = ptsname(&master, Vec::new()).unwrap();
        let slave = open(path.as_c_str(), OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
        tcsetwinsize(&slave, Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_mamc"));
        command.current_dir(&folder).args(["play", "song.mam", "--backend", "null"]).args(args);
        let end = || slave.try_clone().unwrap();
        command.env("NO_COLOR", "1").stdin(end()).stdout(end()).stderr(end());
        let child = command.spawn().unwrap();
        let (mut screen, seen) = (File::from(master), Arc::new(Mutex::new(String::new())));
        let (keys, shown) = (screen.try_clone().unwrap(), seen.clone());
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = screen.read(&mut bytes) {
                shown.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..count]));
            }
        });
        Terminal { keys, slave, seen, child, folder }
    }

    /// Waits until something is shown that was not shown before.
    fn sees(&self, what: &str) {
        let until = Instant::now() + Duration::from_secs(30);
        while !self.seen.lock().unwrap().contains(what) {
            let seen = self.seen.lock().unwrap().clone();
            assert!(Instant::now() < until, "`{what}` was not shown in:\n{}", seen.escape_debug());
            std::thread::sleep(Duration::from_millis(20));
        }
        self.seen.lock().unwrap().clear();
    }

    fn types(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// It ends by itself, well, and the terminal is as it was.
    fn ends(self) {
        self.ends_with(0);
    }

    fn ends_with(mut self, code: i32) {
        let until = Instant::now() + Duration::from_secs(30);
        let status = loop {
            match self.child.try_wait().unwrap() {
                Some(status) => break status,
                None => assert!(Instant::now() < until, "it does not end"),
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        assert_eq!(status.code(), Some(code));
        assert!(self.is_cooked(), "the terminal still hands over single keys");
        self.sees("\x1b[?1049l");
        fs::remove_dir_all(&self.folder).unwrap();
    }

    fn is_cooked(&self) -> bool {
        tcgetattr(&self.slave).unwrap().local_modes.contains(rustix::termios::LocalModes::ICANON)
    }
}

#[test]
fn keys_steer_a_song_and_the_display_shows_it() {
    let mut terminal = Terminal::run("keys", &[]);
    terminal.sees("2 sd");
    assert!(!terminal.is_cooked(), "keys are taken one by one");
    terminal.sees("bar 1.");
    terminal.types("m1");
    terminal.sees("1 bd muted");
    terminal.types("s2");
    terminal.sees("2 sd solo");
    terminal.types("\x1b[C\x1b[C\x1b[C");
    terminal.sees("bar 4.");
    terminal.types("\x1b[D");
    terminal.sees("bar 3.");
    terminal.types(" ");
    terminal.sees("■ stopped");
    terminal.types("r");
    terminal.sees("bar 1.");
    terminal.sees("▶ playing");
    fs::write(terminal.folder.join("song.mam"), SONG.replace("kick()", "kick(zz: 1)")).unwrap();
    terminal.sees("has no argument `zz`");
    fs::write(terminal.folder.join("song.mam"), SONG.replace("kick()", "kick(f0: 99Hz)")).unwrap();
    terminal.sees("ms after the save");
    terminal.types("u");
    terminal.sees("the last edit is taken back; the file stays as it is");
    terminal.types("u");
    terminal.sees("no edit is left to take back");
    let file = fs::read_to_string(terminal.folder.join("song.mam")).unwrap();
    assert!(file.contains("f0: 99Hz"), "{file}");
    terminal.types("q");
    terminal.ends();
}

#[test]
fn control_c_and_a_signal_give_the_terminal_back() {
    let mut terminal = Terminal::run("interrupt", &[]);
    terminal.sees("1 bd");
    terminal.types("\x03");
    terminal.ends();
    let terminal = Terminal::run("signal", &[]);
    terminal.sees("1 bd");
    Command::new("kill").args(["-TERM", &terminal.child.id().to_string()]).status().unwrap();
    terminal.ends();
}

/// What plays is seen: the steps of the bar with the one that is now, a level, the knobs; also where there is little room.
#[test]
fn the_display_shows_what_plays() {
    let song = "tempo 120\nbd = kick()\nsd = clap()\nknob bright = 800Hz in 100Hz..8kHz curve exp\n\
                section verse 4 bars { section fill 4 bars { bd |x...x...x...x...| }\nplay fill }\nplay verse\n\
                out = lowpass(bd + sd, bright)\n";
    let mut terminal = Terminal::of("plays", song, (80, 24), &[]);
    terminal.sees("verse › fill");
    terminal.sees("·●···●···");
    terminal.sees("·|·");
    terminal.sees("█");
    terminal.types("r");
    terminal.sees("bar 1.");
    terminal.types("q");
    terminal.ends();
    let mut terminal = Terminal::of("narrow", song, (28, 9), &[]);
    terminal.sees("1 bd   2 sd");
    terminal.types("m2");
    terminal.sees("2 sd muted");
    terminal.types("q");
    terminal.ends();
    let mut terminal = Terminal::of("knobs", song, (80, 24), &[]);
    terminal.sees("bright      800Hz  █████·····");
    terminal.types("q");
    terminal.ends();
}

/// A song with errors is waited for, and begins at its beginning; one that is never mended has failed.
#[test]
fn a_broken_song_is_played_when_it_is_mended() {
    let broken = SONG.replace("kick()", "kik()");
    let mut terminal = Terminal::of("broken", &broken, (80, 24), &[]);
    terminal.sees("no definition `kik`");
    std::thread::sleep(Duration::from_millis(2500));
    fs::write(terminal.folder.join("song.mam"), SONG).unwrap();
    terminal.sees("▶ playing   0:00");
    terminal.sees("bar 1.");
    fs::write(terminal.folder.join("song.mam"), &broken).unwrap();
    terminal.sees("no definition `kik`");
    terminal.types("q");
    terminal.ends();
    let mut terminal = Terminal::of("never", &broken, (80, 24), &[]);
    terminal.sees("waits for a song without errors");
    terminal.types("q");
    terminal.ends_with(1);
}

#[test]
fn plain_prints_lines_on_a_terminal_too() {
    let terminal = Terminal::run("plain", &["--plain"]);
    terminal.sees("song.mam on null");
    terminal.sees("bar 1.");
    assert!(terminal.is_cooked(), "the keyboard is left alone");
    Command::new("kill").args(["-INT", &terminal.child.id().to_string()]).status().unwrap();
    let Terminal { mut child, seen, folder, .. } = terminal;
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(!seen.lock().unwrap().contains('\x1b'));
    fs::remove_dir_all(folder).unwrap();
}

/// A message without arguments, as OSC lays it out.
#[cfg(feature = "osc")]
fn osc(address: &str) -> Vec<u8> {
    let mut bytes = address.as_bytes().to_vec();
    bytes.resize((bytes.len() / 4 + 1) * 4, 0);
    bytes.extend(b",\0\0\0");
    bytes
}

#[cfg(feature = "osc")]
#[test]
fn osc_steers_it_from_the_network() {
    let hand = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let free = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap();
    drop(free);
    let mut terminal = Terminal::run("osc", &["--osc", &port.port().to_string()]);
    terminal.sees("2 sd");
    for (message, shown) in [
        ("/mute/bd", "1 bd muted"),
        ("/solo/sd", "2 sd solo"),
        ("/stop", "■ stopped"),
        ("/mute/bdd", "there is no node `bdd`; did you mean `bd`?"),
        ("/\u{1b}[2J", "there is no address `/·[2J`"),
        ("/wrong", "there is no address `/wrong`"),
    ] {
        hand.send_to(&osc(message), port).unwrap();
        terminal.sees(shown);
    }
    // `w` saves what has been turned, each time as another preset.
    for (x, take, odd) in [
        (77.0_f32, "preset \"take1\" { bd.f0: 77Hz }", "/odd/one"),
        (66.0, "preset \"take2\" { bd.f0: 66Hz }", "/odd/two"),
    ] {
        let mut message = osc("/set/bd.f0");
        message.truncate(message.len() - 4);
        message.extend(b",f\0\0");
        message.extend(x.to_be_bytes());
        hand.send_to(&message, port).unwrap();
        // What comes after it has been heard once this is refused.
        hand.send_to(&osc(odd), port).unwrap();
        terminal.sees(odd);
        terminal.types("w");
        terminal.sees("song.presets.mam");
        let presets = fs::read_to_string(terminal.folder.join("song.presets.mam")).unwrap();
        assert!(presets.contains(take), "{presets}");
    }
    terminal.types("q");
    terminal.ends();
}
