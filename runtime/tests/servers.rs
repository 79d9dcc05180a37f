//! Real audio servers without a sound card: what is played is recorded and compared, bit for bit.
//!
//! The servers are started here, with private sockets, and stopped by their own process. They have to be installed
//! (`pulseaudio`, `pulseaudio-utils`, `jackd2`), so these tests run on request: `.ci/servers`.

use mam_runtime::output::{Backend, Callback, Frames, Heard, Keeper, News, Request, State, backend};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

const RATE: u32 = 48_000;
/// Silence before the signal, so that a recorder can attach.
const LEAD: usize = RATE as usize / 2;
const SIGNAL: usize = 2 * RATE as usize;

/// A process that ends with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn spawn(command: &mut Command) -> Server {
    let child = command.stderr(Stdio::null()).stdin(Stdio::null()).spawn();
    Server(child.unwrap_or_else(|error| panic!("{command:?}: {error}")))
}

fn wait_for(what: &str, mut ready: impl FnMut() -> bool) {
    let since = Instant::now();
    while !ready() {
        assert!(since.elapsed() < Duration::from_secs(15), "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("mam-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Every frame of each channel has a value of its own, never 0, exact in 16 bits.
fn signal(frame: usize, channel: usize) -> f32 {
    let mut x = (2 * frame + channel + 1) as u32;
    for factor in [0x7feb_352d_u32, 0x846c_a68b] {
        x = (x ^ (x >> 16)).wrapping_mul(factor);
    }
    let value = ((x >> 16) as i32 - 32_768).clamp(-32_767, 32_767);
    if value == 0 { 1.0 / 65_536.0 } else { value as f32 / 65_536.0 }
}

/// Silence, the signal, silence; says how far it has come.
fn player(progress: Arc<AtomicUsize>) -> Callback {
    let mut at = 0;
    let mut left = vec![0.0; 1 << 16];
    let mut right = vec![0.0; 1 << 16];
    Box::new(move |out: &mut Frames<'_>| {
        let frames = out.frames();
        for i in 0..frames {
            let frame = (at + i).checked_sub(LEAD).filter(|frame| *frame < SIGNAL);
            (left[i], right[i]) = frame.map_or((0.0, 0.0), |frame| (signal(frame, 0), signal(frame, 1)));
        }
        out.write(0, |channel| if channel == 0 { &left } else { &right }, frames);
        at += frames;
        progress.store(at, Relaxed);
    })
}

/// Compares interleaved stereo with the signal: the same samples, once, without a gap or a repeat.
fn compare(recorded: &[f32]) {
    let start = recorded.iter().position(|x| *x != 0.0).expect("something was recorded") / 2 * 2;
    for (i, x) in recorded[start..].iter().take(2 * SIGNAL).enumerate() {
        assert_eq!(*x, signal(i / 2, i % 2), "frame {} of {SIGNAL}, found from {}", i / 2, start / 2);
    }
    let after = recorded.get(start + 2 * SIGNAL..).expect("the whole signal was recorded");
    assert!(after.iter().all(|x| *x == 0.0), "nothing after the signal");
}

fn request(buffer: u32) -> Request {
    Request { device: None, rate: Some(RATE), buffer: Some(buffer), channels: 2 }
}

struct Pulse {
    folder: PathBuf,
    server: Option<Server>,
}

impl Pulse {
    fn start() -> Pulse {
        let folder = folder("pulse");
        // SAFETY: the tests of this file run one after the other (`.ci/servers`), and it is not read meanwhile.
        unsafe { std::env::set_var("PULSE_SERVER", format!("unix:{}/socket", folder.display())) };
        let mut pulse = Pulse { folder, server: None };
        pulse.run();
        pulse
    }

    fn run(&mut self) {
        let socket = self.folder.join("socket");
        let _ = std::fs::remove_file(&socket);
        let sink = format!("module-null-sink sink_name=mam format=float32le rate={RATE} channels=2");
        let listen = format!("module-native-protocol-unix socket={} auth-anonymous=1", socket.display());
        let mut command = Command::new("pulseaudio");
        command.args(["-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1", "--disallow-exit"]);
        command.args(["-L", &sink, "-L", &listen]);
        command.env("XDG_RUNTIME_DIR", &self.folder).env("HOME", &self.folder);
        self.server = Some(spawn(&mut command));
        wait_for("the server", || {
            Command::new("pactl").arg("info").output().is_ok_and(|out| out.status.success())
        });
    }

    fn record(&self, file: &Path) -> Server {
        let out = std::fs::File::create(file).unwrap();
        let mut command = Command::new("parec");
        command.args([
            "-d",
            "mam.monitor",
            "--format=float32le",
            "--channels=2",
            "--raw",
            "--latency-msec=20",
        ]);
        command.arg(format!("--rate={RATE}")).stdout(out);
        let recorder = spawn(&mut command);
        wait_for("the recorder", || std::fs::metadata(file).is_ok_and(|data| data.len() > 0));
        recorder
    }
}

fn raw(file: &Path) -> Vec<f32> {
    let bytes = std::fs::read(file).unwrap();
    bytes.chunks_exact(4).map(|x| f32::from_le_bytes(x.try_into().unwrap())).collect()
}

fn play_through(backend: Box<dyn Backend>, buffer: u32) -> Keeper {
    let opened = backend.open(&request(buffer)).unwrap();
    assert_eq!(opened.format().rate, RATE);
    let progress = Arc::new(AtomicUsize::new(0));
    let keeper = Keeper::start(backend, request(buffer), opened, player(progress.clone())).unwrap();
    wait_for("the signal", || progress.load(Relaxed) > LEAD + SIGNAL);
    keeper
}

#[test]
#[ignore = "needs a PulseAudio server; run by .ci/servers"]
fn pulse_plays_every_sample_once() {
    let pulse = Pulse::start();
    let file = pulse.folder.join("recorded");
    let recorder = pulse.record(&file);
    let keeper = play_through(backend("pulse").unwrap(), 1024);
    assert_eq!(keeper.underruns(), 0);
    assert!(keeper.stop(true).is_some());
    std::thread::sleep(Duration::from_millis(300));
    drop(recorder);
    compare(&raw(&file));
    let devices = backend("pulse").unwrap().devices().unwrap();
    assert!(devices.iter().any(|device| device.name == "mam" && device.rate == RATE && !device.is_input));
}

#[test]
#[ignore = "needs a PulseAudio server; run by .ci/servers"]
fn pulse_comes_back_when_the_server_does() {
    let mut pulse = Pulse::start();
    let backend = backend("pulse").unwrap();
    let opened = backend.open(&request(1024)).unwrap();
    let progress = Arc::new(AtomicUsize::new(0));
    let mut keeper = Keeper::start(backend, request(1024), opened, player(progress.clone())).unwrap();
    assert!(keeper.listen().unwrap().is_some());
    wait_for("sound", || progress.load(Relaxed) > 4096);
    pulse.server = None;
    wait_for("the loss to be noticed", || matches!(keeper.poll(), Some(News::Lost(_))));
    let before = progress.load(Relaxed);
    pulse.run();
    wait_for("the return", || matches!(keeper.poll(), Some(News::Back(_))));
    wait_for("the input", || matches!(keeper.poll(), Some(News::Heard(_))));
    wait_for("sound", || progress.load(Relaxed) > before + 4096);
    assert!(keeper.stop(false).is_some());
}

struct Jack {
    folder: PathBuf,
    server: Option<Server>,
}

impl Jack {
    fn start() -> Jack {
        let name = format!("mam{}", std::process::id());
        // SAFETY: as for PulseAudio.
        unsafe {
            std::env::set_var("JACK_DEFAULT_SERVER", &name);
            std::env::set_var("JACK_NO_AUDIO_RESERVATION", "1");
        }
        let mut jack = Jack { folder: folder("jack"), server: None };
        jack.run(&name);
        jack
    }

    fn run(&mut self, name: &str) {
        let mut command = Command::new("jackd");
        command.args(["-n", name, "-r", "-S", "-d", "dummy", "-r", &RATE.to_string()]);
        command.args(["-p", "256", "-C", "0", "-P", "2"]).stdout(Stdio::null());
        self.server = Some(spawn(&mut command));
        let ready = || Command::new("jack_lsp").output().is_ok_and(|out| !out.stdout.is_empty());
        wait_for("the server", ready);
    }

    fn record(&self, file: &Path, seconds: u32) -> Server {
        let mut command = Command::new("jack_rec");
        command.arg("-f").arg(file).args(["-d", &seconds.to_string(), "-b", "32", "mam:out_0", "mam:out_1"]);
        spawn(command.stdout(Stdio::null()))
    }
}

#[test]
#[ignore = "needs a JACK server; run by .ci/servers"]
fn jack_plays_every_sample_once() {
    let jack = Jack::start();
    let file = jack.folder.join("recorded.wav");
    let backend = backend("jack").unwrap();
    let asked = Request { rate: None, ..request(256) };
    let opened = backend.open(&asked).unwrap();
    assert_eq!((opened.format().rate, opened.format().buffer), (RATE, 256));
    let progress = Arc::new(AtomicUsize::new(0));
    let keeper = Keeper::start(backend, asked, opened, player(progress.clone())).unwrap();
    let mut recorder = jack.record(&file, 4);
    wait_for("the signal", || progress.load(Relaxed) > LEAD + SIGNAL);
    wait_for("the recorder", || recorder.0.try_wait().is_ok_and(|status| status.is_some()));
    assert!(keeper.stop(true).is_some());
    let mut wav = hound::WavReader::open(&file).unwrap();
    // 32-bit whole numbers: the signal has 16 of them.
    let samples: Vec<f32> =
        wav.samples::<i32>().map_while(Result::ok).map(|x| x as f32 / 2_147_483_648.0).collect();
    compare(&samples);
}

#[test]
#[ignore = "needs a JACK server; run by .ci/servers"]
fn jack_comes_back_when_the_server_does() {
    let mut jack = Jack::start();
    let backend = backend("jack").unwrap();
    let asked = Request { rate: None, ..request(256) };
    let opened = backend.open(&asked).unwrap();
    let progress = Arc::new(AtomicUsize::new(0));
    let mut keeper = Keeper::start(backend, asked, opened, player(progress.clone())).unwrap();
    assert!(keeper.listen().unwrap().is_some());
    wait_for("sound", || progress.load(Relaxed) > 4096);
    jack.server = None;
    wait_for("the loss to be noticed", || matches!(keeper.poll(), Some(News::Lost(_))));
    let before = progress.load(Relaxed);
    jack.run(&std::env::var("JACK_DEFAULT_SERVER").unwrap());
    wait_for("the return", || matches!(keeper.poll(), Some(News::Back(_))));
    wait_for("the input", || matches!(keeper.poll(), Some(News::Heard(_))));
    wait_for("sound", || progress.load(Relaxed) > before + 4096);
    assert!(keeper.stop(false).is_some());
}

/// ALSA's file plugin over its null device: no server, no sound card, no pace.
#[cfg(feature = "cpal")]
#[test]
#[ignore = "run by .ci/servers"]
fn alsa_plays_every_sample_once() {
    let folder = folder("alsa");
    let (settings, file) = (folder.join("alsa.conf"), folder.join("recorded"));
    let text = format!(
        "</usr/share/alsa/alsa.conf>\n\
         pcm.mamfile {{ type file slave.pcm \"null\" file \"{}\" format \"raw\" }}\n\
         pcm.!default {{ type plug slave {{ pcm \"mamfile\" format FLOAT_LE rate {RATE} channels 2 }} }}\n",
        file.display()
    );
    std::fs::write(&settings, text).unwrap();
    // SAFETY: as for PulseAudio.
    unsafe { std::env::set_var("ALSA_CONFIG_PATH", settings) };
    let keeper = play_through(backend("alsa").unwrap(), 512);
    assert!(keeper.stop(true).is_some());
    compare(&raw(&file));
}

#[test]
#[ignore = "needs a PulseAudio server; run by .ci/servers"]
fn pulse_hears_what_another_plays() {
    let pulse = Pulse::start();
    // What the null sink is given comes back from its monitor, which is made the default input.
    let chosen = Command::new("pactl").args(["set-default-source", "mam.monitor"]).status();
    assert!(chosen.is_ok_and(|status| status.success()));
    let (backend, asked) = (backend("pulse").unwrap(), request(1024));
    let opened = backend.open(&asked).unwrap();
    let heard = backend.listen(opened.format()).unwrap();
    let progress = Arc::new(AtomicUsize::new(0));
    let keeper = Keeper::start(backend, asked, opened, player(progress.clone())).unwrap();
    compare(&hear(heard, &progress));
    // What waits in the server: at least what was asked for, and less than the whole lead.
    assert!((1024..LEAD as u32).contains(&keeper.latency()), "{}", keeper.latency());
    drop((keeper, pulse));
}

/// What comes to an input while the signal is played.
fn hear(Heard { mut ring, input }: Heard, progress: &AtomicUsize) -> Vec<f32> {
    let mut sound = vec![];
    while progress.load(Relaxed) < LEAD + SIGNAL + RATE as usize / 2 {
        sound.extend(std::iter::from_fn(|| ring.pop().ok()));
        std::thread::sleep(Duration::from_millis(2));
    }
    assert_eq!(input.state(), State::Running);
    sound
}

#[test]
#[ignore = "needs a JACK server; run by .ci/servers"]
fn jack_hears_what_another_plays() {
    let jack = Jack::start();
    let (backend, asked) = (backend("jack").unwrap(), Request { rate: None, ..request(256) });
    let opened = backend.open(&asked).unwrap();
    let heard = backend.listen(opened.format()).unwrap();
    let progress = Arc::new(AtomicUsize::new(0));
    let keeper = Keeper::start(backend, asked, opened, player(progress.clone())).unwrap();
    for channel in 0..2 {
        let ports = [format!("mam:out_{channel}"), format!("mam-in:in_{channel}")];
        assert!(Command::new("jack_connect").args(ports).status().is_ok_and(|status| status.success()));
    }
    compare(&hear(heard, &progress));
    assert!((1..LEAD as u32).contains(&keeper.latency()), "{}", keeper.latency());
    drop((keeper, jack));
}
