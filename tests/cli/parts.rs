//! Stems, taps and loops: what is rendered of a song beside the whole, and that its frames can be counted.

use crate::{Folder, wav};

/// The sum of all stems, and how many there are.
fn sum_of(folder: &Folder, stems: &str) -> (Vec<f32>, Vec<String>) {
    let path = folder.0.join(stems);
    let names =
        std::fs::read_dir(&path).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    let mut sum = vec![];
    for name in &names {
        let (spec, samples) = wav(path.join(name));
        assert_eq!(spec.channels, 2, "{name}");
        sum.resize(samples.len(), 0.0);
        sum.iter_mut().zip(samples).for_each(|(sum, x)| *sum += x);
    }
    (sum, names)
}

#[test]
fn stems_are_the_terms_of_the_last_sum_and_add_up() {
    let score = "play { bd |x...x...|\nhh |..x...x.| }\nlength 1 bar\n";
    let nodes = "bd = kick()\nhh = clap()\n";
    // What is after the sum, how it is said, and the stems.
    let songs = [
        ("noise", "out = 0.5 * (bd - 0.3 * hh + (0.2 * hh + 0.1 * noise())) |> softclip()\n", true),
        ("named", "kit = bd + 0.5 * hh\nmix = kit + 0.1 * sine(330Hz)\nout = mix * 0.5\n", false),
        ("sides", "out = 0.5 * (0.9 * bd + 0.2 * hh, 0.3 * bd + hh - 0.1 * sine(330Hz))\n", false),
        ("effects", "out = 0.5 * (bd + (hh |> freeverb()))\n", false),
        ("single", "out = 0.5 * bd\n", false),
        ("last effect", "out = bd |> echo()\n", false),
        ("two effects", "out = 0.5 * bd |> echo() |> drive()\n", false),
        ("sides in", "out = (bd, hh) |> freeverb()\n", false),
    ];
    let expected: [&[&str]; 8] = [
        &["bd.wav", "hh-2.wav", "hh.wav", "noise.wav"],
        &["kit.wav", "sine.wav"],
        &["bd.wav", "hh.wav", "sine.wav"],
        &["bd.wav", "hh.wav"],
        &["bd.wav"],
        &["bd.wav"],
        &["bd.wav"],
        &["out.wav"],
    ];
    for ((name, out, clips), names) in songs.into_iter().zip(expected) {
        let folder = Folder::new(&format!("parts-{name}")).with("song.mam", &format!("{nodes}{out}{score}"));
        folder.run(&["render", "song.mam", "-d", "1bar", "-o", "plain.wav"]).exits(0);
        let run =
            folder.run(&["render", "song.mam", "-d", "1bar", "-o", "mix.wav", "--stems", "stems"]).exits(0);
        assert!(
            run.err.contains(if names.len() == 1 { "it is " } else { "their sum is" }),
            "{name}: {}",
            run.err
        );
        let mix = wav(folder.0.join("mix.wav")).1;
        assert!(mix == wav(folder.0.join("plain.wav")).1, "{name}: stems change nothing");
        let (sum, found) = sum_of(&folder, "stems");
        assert_eq!(found, names, "{name}");
        let master = |x: f32| match (name, clips) {
            ("single" | "last effect" | "two effects" | "sides in", _) => x,
            (_, true) => (0.5 * x).tanh(),
            _ => 0.5 * x,
        };
        let worst = sum.iter().zip(&mix).map(|(s, m)| (master(*s) - m).abs()).fold(0.0, f32::max);
        assert!(worst < 1e-6, "{name}: {worst}");
        assert!(sum.iter().any(|x| x.abs() > 0.01), "{name}: the stems sound");
    }
}

#[test]
fn every_equation_can_be_tapped() {
    let text = "bd = kick()\nkit = bd * 0.5\nwet = bd |> freeverb()\nunheard = 2 * kit\nfive = 5\nplay { bd |x...| }\nout = bd\n";
    let folder = Folder::new("taps").with("song.mam", text);
    let taps = ["bd", "kit", "wet", "unheard", "five", "out"].map(|name| format!("{name}={name}.wav"));
    let mut args = vec!["render", "song.mam", "-d", "500ms", "-o", "mix.wav"];
    taps.iter().for_each(|tap| args.extend(["--tap", tap]));
    folder.run(&args).exits(0);
    let read = |name: &str| wav(folder.0.join(format!("{name}.wav"))).1;
    let bd = read("bd");
    assert!(bd.iter().zip(read("kit")).all(|(bd, kit)| kit == 0.5 * bd));
    assert!(bd.iter().zip(read("unheard")).all(|(bd, x)| x == *bd));
    assert!(read("five").iter().all(|x| *x == 5.0));
    assert!(read("wet").iter().any(|x| *x != 0.0));
}

/// Each file of a render is of the kind that its own name says, or is refused before anything is written.
#[test]
fn a_tap_is_what_its_ending_says() {
    let folder = Folder::new("tap-kinds").with("song.mam", "bd = kick()\nplay { bd |x...| }\nout = bd\n");
    let render = |args: &[&str]| folder.run(&[&["render", "song.mam", "-d", "50ms"], args].concat());
    let beginning = |name: &str| std::fs::read(folder.0.join(name)).unwrap()[..4].to_vec();
    render(&["-o", "o.wav", "--tap", "bd=a.flac", "--tap", "bd=b.caf", "--tap", "bd=c.aiff"]).exits(0);
    assert_eq!(
        ["o.wav", "a.flac", "b.caf", "c.aiff"].map(beginning),
        [*b"RIFF", *b"fLaC", *b"caff", *b"FORM"]
    );
    render(&["-o", "p.flac", "--tap", "bd=p.wav"]).exits(0);
    assert_eq!(["p.flac", "p.wav"].map(beginning), [*b"fLaC", *b"RIFF"]);
    let before = folder.files();
    for (args, why) in [
        (&["-o", "q.wav", "--tap", "bd=x.mp3"][..], "mam does not write .mp3 files"),
        (&["-o", "q.wav", "--tap", "bd=x.mid"], "the notes of the whole song"),
        (&["-o", "q.wav", "--tap", "bd=x.json"], "the name of a song"),
        (&["-o", "q.wav", "--tap", "bd=x.flac", "-b", "32f"], "FLAC does not hold floats"),
        (&["-o", "q.wav", "--tap", "bd=x.flac", "--format", "wav"], "another format than --format says"),
        (&["-o", "-", "--tap", "bd=-"], "standard output would be written twice"),
        (&["-o", "q.wav", "--dither", "shaped"], "--dither is for integers"),
    ] {
        let run = render(args).exits(2);
        assert!(run.err.contains(why), "{args:?}: {}", run.err);
    }
    render(&["-o", "p.flac", "--tap", "bd=p.wav", "--dither", "shaped"]).exits(0);
    assert_eq!(folder.files(), before);
}

#[test]
fn a_loop_is_the_first_pass_that_is_as_the_one_before() {
    let text = "tempo 174\nbd = kick()\nwet = bd |> freeverb()\nplay { bd |x...x.x.| }\nlength 1 bar\nout = bd + wet * 0.5\n";
    let folder = Folder::new("loop").with("song.mam", text);
    let run = folder.run(&["render", "song.mam", "--loop", "-o", "loop.wav"]).exits(0);
    assert!(run.err.contains("is as the one before it"), "{}", run.err);
    let round = wav(folder.0.join("loop.wav")).1;
    // 4 beats at 174 are 66206.9 frames.
    assert_eq!(round.len(), 2 * 66_207);
    // The reverb of its end is in its beginning.
    let plain = folder.run(&["render", "song.mam", "-d", "66207smp", "-o", "plain.wav"]);
    plain.exits(0);
    assert!(round[..2_000] != wav(folder.0.join("plain.wav")).1[..2_000]);
    let free = text.replace("out = bd", "free = sine(111.3Hz)\nout = free + bd");
    let folder = Folder::new("free").with("song.mam", &free);
    let run = folder.run(&["render", "song.mam", "--loop", "-o", "loop.wav"]).exits(0);
    assert!(run.err.contains("never repeat: `free`"), "{}", run.err);
    let folder = Folder::new("no-bars").with("song.mam", "out = noise()\n");
    let run = folder.run(&["render", "song.mam", "--loop", "-o", "loop.wav"]).exits(2);
    assert!(run.err.contains("no bars"), "{}", run.err);
}

#[test]
fn a_frame_that_cannot_be_counted_to_is_an_error() {
    let text = "bd = kick()\nplay { bd |x...| }\nlength 1 bar\nout = bd\n";
    let folder = Folder::new("far").with("song.mam", text);
    for far in [
        ["--from", "9999999999999999"],
        ["--from", "999999999999beats"],
        ["-d", "999999999999999999s"],
        ["-d", "999999999999999999bars"],
        ["--tail", "999999999999999s"],
        ["--preroll", "999999999999999s"],
    ] {
        let run = folder.run(&[&["render", "song.mam", "-o", "x.wav"], &far[..]].concat()).exits(2);
        assert!(run.err.contains("1099511627776"), "{far:?}: {}", run.err);
    }
    let play = ["play", "song.mam", "--backend", "null", "--plain", "--quit-after", "1s"];
    let run = folder.run(&[&play[..], &["--from", "9999999999999999"]].concat()).exits(2);
    assert!(run.err.contains("1099511627776"), "{}", run.err);
    let slow = Folder::new("slow").with("song.mam", &format!("tempo 0.00001\n{text}"));
    let run = slow.run(&["check", "song.mam"]).exits(1);
    assert!(run.err.contains("score-number") && run.err.contains("66 days"), "{}", run.err);
}
