//! MIDI files of all kinds as songs: bytes in, and out come the notes that the song plays.

use mam_compiler::files::{Files, NoFiles};
use mam_compiler::library::Library;
use mam_compiler::score::import::import;
use mam_compiler::{Options, compile};
use mam_grammar::{Limits, Sources, syntax};
use mam_runtime::ids::PortId;
use mam_runtime::score::midi::midi;
use mam_runtime::score::{Extent, Sequencer};
use mam_runtime::{EventKind, Program};
use std::collections::BTreeMap;

/// A file of these tracks; each is given its end.
fn file(format: u16, division: u16, tracks: &[&[u8]]) -> Vec<u8> {
    let mut bytes = b"MThd\0\0\0\x06".to_vec();
    for word in [format, tracks.len() as u16, division] {
        bytes.extend(word.to_be_bytes());
    }
    tracks.iter().for_each(|track| bytes.extend(chunk(b"MTrk", &[track, &[0, 0xFF, 0x2F, 0][..]].concat())));
    bytes
}

fn chunk(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    [&kind[..], &(body.len() as u32).to_be_bytes(), body].concat()
}

/// A note of one quarter, at 480 ticks, after `delta` ticks below 128.
fn quarter(delta: u8, channel: u8, key: u8) -> Vec<u8> {
    vec![delta, 0x90 | channel, key, 100, 0x83, 0x60, 0x80 | channel, key, 0]
}

/// A note as it is played: frame, instrument, note, and frames until its end.
type Played = (u64, String, f64, u64);

/// The program of a song, which has no problems.
fn program(text: &str) -> Program {
    let mut sources = Sources::default();
    let id = sources.add("song.mam", text);
    let options = Options { interpreter: true, ..Options::default() };
    let compiled = compile(&mut sources, id, &NoFiles, &options);
    let problems: Vec<String> =
        compiled.problems.iter().map(|p| format!("{}: {}", p.code.name, p.message)).collect();
    assert_eq!(problems, Vec::<String>::new(), "{text}");
    compiled.program.unwrap()
}

fn played(program: &Program) -> Vec<Played> {
    let mut events = vec![];
    let mut sequencer = Sequencer::for_program(program, Extent::Once);
    let end = sequencer.song_end().unwrap();
    sequencer.advance(end, &mut events);
    let mut open: BTreeMap<PortId, usize> = BTreeMap::new();
    let mut all: Vec<Played> = vec![];
    for event in events {
        match event.kind {
            EventKind::On { port, note, .. } => {
                let Some(target) = program.targets.iter().find(|t| t.voices.contains(&port)) else {
                    continue;
                };
                open.insert(port, all.len());
                all.push((event.frame, target.name.to_string(), note, end - event.frame));
            }
            EventKind::Off { port } => {
                let Some(note) = open.remove(&port).map(|index| &mut all[index]) else { continue };
                note.3 = event.frame - note.0;
            }
            EventKind::Set { .. } | EventKind::NoteValue { .. } | EventKind::Pitch { .. } => {}
        }
    }
    all.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)).then(a.2.total_cmp(&b.2)));
    all
}

/// What an imported file plays, and the remarks about it.
fn imported(bytes: &[u8]) -> (Vec<Played>, Vec<String>) {
    let song = import(bytes).unwrap();
    (played(&program(&song.text)), song.remarks)
}

/// Frame, note and frames of each note, of a file without remarks.
fn notes(bytes: &[u8]) -> Vec<(u64, f64, u64)> {
    let (played, remarks) = imported(bytes);
    assert_eq!(remarks, Vec::<String>::new());
    played.into_iter().map(|(frame, _, note, frames)| (frame, note, frames)).collect()
}

#[test]
fn a_song_is_written_for_people() {
    let conductor = [
        0, 0xFF, 0x58, 4, 3, 2, 24, 8, 0, 0xFF, 0x51, 3, 0x07, 0xA1, 0x20, 0x8B, 0x20, 0xFF, 0x51, 3, 6,
        0x1A, 0x80,
    ];
    // A chord, a note over the bar line, a drum on channel 10.
    let band = [
        0, 0x90, 60, 100, 0, 64, 80, 0x83, 0x60, 0x80, 60, 0, 0x81, 0x70, 64, 0, 0x82, 0x68, 0x90, 67, 100,
        0x85, 0x50, 67, 0, 0, 0x99, 36, 100, 100, 0x89, 36, 0,
    ];
    let bytes = file(1, 480, &[&conductor, &band]);
    let expected = "meter 3/4
tempo 120
tempo 150 at bar 2
length 2 bars

piano = piano(voices: 2)
kick = kick()

play {
  piano \"[
    c4@4 ~@5 g4@6
    ~@9
  ,
    e4:0.8@6 ~@6
    ~@12
  ]/2\"
  kick \"[
    ~@72
    ~@18 x@5 ~@49
  ]/2\"
}

out = softclip(50% * (piano + kick))
";
    assert_eq!(import(&bytes).unwrap().text, expected);
    // Quarters of 24 000 frames up to bar 2, then of 19 200.
    let frames: Vec<u64> = notes(&bytes).iter().map(|note| note.0).collect();
    assert_eq!(frames, [0, 0, 54_000, 72_000 + 14_400]);
}

#[test]
fn running_status_goes_on_after_texts_and_system_messages() {
    let scale = [(0, 60.0, 24_000), (24_000, 64.0, 24_000), (48_000, 67.0, 24_000)];
    for between in [
        &[0xFF, 5, 2, b'l', b'a'][..],
        &[0xF0, 5, 0x7E, 0x7F, 6, 1, 0xF7],
        &[0xF7, 2, 1, 2],
        &[0xFF, 0x7F, 0],
    ] {
        let mut track = vec![0, 0x90, 60, 100, 0x83, 0x60];
        track.extend(between);
        track.extend([0, 60, 0, 0, 64, 100, 0x83, 0x60, 64, 0, 0, 67, 100, 0x83, 0x60, 67, 0]);
        assert_eq!(notes(&file(0, 480, &[&track])), scale, "{between:x?}");
    }
}

#[test]
fn stray_messages_are_skipped_by_their_length_and_told_with_their_place() {
    for stray in [
        &[0xF1, 0x7F][..],
        &[0xF2, 0x7F, 0x7F],
        &[0xF3, 0x7F],
        &[0xF4],
        &[0xF5],
        &[0xF6],
        &[0xF8],
        &[0xF9],
        &[0xFA],
        &[0xFB],
        &[0xFC],
        &[0xFD],
        &[0xFE],
    ] {
        let track = [&[0x60][..], stray, &quarter(0, 0, 60)].concat();
        let (played, remarks) = imported(&file(0, 480, &[&track]));
        assert_eq!(played[0].0, 4800, "its time counts: {stray:x?}");
        assert_eq!(played.len(), 1);
        assert_eq!(remarks, [format!("track 1 has a stray {:02x} at byte 23; skipped", stray[0])]);
    }
}

#[test]
fn ticks_of_a_fixed_time_know_no_tempo() {
    let second = |ticks: u16| {
        let delta = [0x80 | (ticks >> 7) as u8, ticks as u8 & 0x7F];
        let tempo = [0, 0xFF, 0x51, 3, 0x0F, 0x42, 0x40, 0, 0xFF, 0x58, 4, 3, 3, 24, 8];
        [&tempo[..], &[0, 0x90, 60, 100], &delta, &[0x80, 60, 0, 0, 0x90, 64, 100], &delta, &[0x80, 64, 0]]
            .concat()
    };
    for (frames, ticks, frame) in
        [(24, 4, 48_000), (25, 1, 48_000), (25, 40, 48_000), (29, 80, 48_048), (30, 8, 48_000)]
    {
        let per_second = if frames == 29 { 30 } else { frames } * ticks;
        let division = (0x100 - frames) << 8 | ticks;
        let bytes = file(0, division, &[&second(per_second)]);
        assert_eq!(notes(&bytes), [(0, 60.0, frame), (frame, 64.0, frame)], "{frames} × {ticks}");
    }
    for division in [0, 0xE700, 0xE228 + 0x300] {
        import(&file(0, division, &[&quarter(0, 0, 60)])).unwrap_err();
    }
}

#[test]
fn tempos_are_those_of_the_file_to_a_frame_after_an_hour() {
    // 461 538 µs are not quite 130 a minute; 7800 quarters of them; 3 748 000 ticks are 4 bytes.
    let ticks = 7800_u32 * 480;
    let delta = [
        0x80 | (ticks >> 21) as u8,
        0x80 | (ticks >> 14) as u8,
        0x80 | (ticks >> 7) as u8,
        ticks as u8 & 0x7F,
    ];
    let after = |tempo: &[u8]| [tempo, &delta, &quarter(0, 0, 60)[1..]].concat();
    for micros in [461_538_u32, 333_333, 16_777_215, 500_000, 7, 1] {
        let [_, a, b, c] = micros.to_be_bytes();
        let played = notes(&file(0, 480, &[&after(&[0, 0xFF, 0x51, 3, a, b, c])]));
        let exact = 7800.0 * f64::from(micros) * 0.048;
        // The tempo is written to 10⁻¹⁰ of itself.
        assert!((played[0].0 as f64 - exact).abs() < 1.0, "{micros}: {} for {exact}", played[0].0);
    }
}

#[test]
fn a_long_silence_fits_into_the_bars_of_a_song() {
    let track = [&quarter(0, 0, 60)[..], &[0xFF, 0xFF, 0xFF, 0x7F], &quarter(0, 0, 62)[1..]].concat();
    let song = import(&file(0, 96, &[&track])).unwrap();
    let played = played(&program(&song.text));
    assert_eq!(played[1].0, (480 + (1 << 28) - 1) * 24_000 / 96);
    let bars: u32 = song.text.split("length ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    assert!(bars <= 100_000 && song.text.len() < 400, "{}", song.text);
}

#[test]
fn programs_hold_for_their_channel_from_their_time_on_in_whichever_track() {
    // The first track sets channel 2 to a bass; its own track makes it bells later on.
    let setup = [0, 0xC1, 33];
    let track =
        [&quarter(0, 1, 60)[..], &quarter(0, 1, 62), &[0, 0xC1, 14], &quarter(0, 1, 64), &quarter(0, 0, 65)]
            .concat();
    let (played, remarks) = imported(&file(1, 480, &[&setup, &track]));
    let who: Vec<(&str, f64)> = played.iter().map(|p| (p.1.as_str(), p.2)).collect();
    assert_eq!(who, [("bass_electric", 60.0), ("bass_electric", 62.0), ("bell", 64.0), ("piano", 65.0)]);
    assert_eq!(remarks, Vec::<String>::new());
}

#[test]
fn the_pedal_holds_notes_until_it_goes_up_or_their_key_is_struck_again() {
    let track = [
        &[0, 0xB0, 64, 127, 0, 0x90, 60, 100, 0x60, 60, 0, 0, 64, 100, 0x60, 64, 0][..],
        &[0x60, 60, 100, 0x60, 60, 0, 0x60, 0xB0, 64, 0],
    ]
    .concat();
    let frames = |ticks: u64| ticks * 50;
    let played = notes(&file(0, 480, &[&track]));
    // The key of the first note is struck again after 288 ticks; the pedal goes up at 480.
    let expected =
        [(0, 60.0, frames(288)), (frames(96), 64.0, frames(384)), (frames(288), 60.0, frames(192))];
    assert_eq!(played, expected);
}

#[test]
fn notes_of_one_key_end_in_the_order_in_which_they_began() {
    let track = [0, 0x90, 60, 100, 0x60, 60, 100, 0x60, 60, 0, 0x60, 60, 0, 0, 62, 100, 0, 62, 0];
    let played = notes(&file(0, 480, &[&track]));
    assert_eq!(played[..2], [(0, 60.0, 9600), (4800, 60.0, 9600)]);
    assert_eq!((played[2].0, played[2].2), (14_400, 50), "a note without a length lasts for a tick");
    // Those that never end last until their key is struck again, or the track ends.
    let (played, remarks) =
        imported(&file(0, 480, &[&[0, 0x90, 60, 100, 0x60, 60, 100, 0x60, 62, 100, 0x60, 62, 0]]));
    let ends: Vec<u64> = played.iter().map(|p| p.0 + p.3).collect();
    assert_eq!(ends, [4800, 14_400, 14_400]);
    assert_eq!(remarks.len(), 1);
}

#[test]
fn any_number_of_tracks_is_heard() {
    let track = quarter(0, 0, 60);
    for count in [1, 2, 16, 64, 65, 257, 1000] {
        let tracks: Vec<&[u8]> = vec![&track; count];
        let song = import(&file(1, 480, &tracks)).unwrap();
        assert_eq!(played(&program(&song.text)).len(), count);
        let share: f64 =
            song.text.split("softclip(").nth(1).unwrap().split('%').next().unwrap().parse().unwrap();
        assert!((4.0..=71.0).contains(&share), "{count} tracks: {share}%");
    }
}

#[test]
fn tracks_follow_one_another_in_format_2_alone() {
    let tracks =
        [&quarter(0, 0, 60)[..], &[&[0, 0xFF, 0x51, 3, 0x0F, 0x42, 0x40][..], &quarter(0, 0, 62)].concat()];
    let frames = |format| notes(&file(format, 480, &tracks)).iter().map(|n| (n.0, n.2)).collect::<Vec<_>>();
    // The tempo of the second is its own there, and that of all in the others.
    assert_eq!(frames(2), [(0, 24_000), (24_000, 48_000)]);
    assert_eq!(frames(1), [(0, 48_000), (0, 48_000)]);
    assert_eq!(frames(0), [(0, 48_000), (0, 48_000)]);
}

#[test]
fn what_is_broken_is_read_up_to_there_and_told_with_its_track_and_byte() {
    let whole = file(1, 480, &[&quarter(0, 0, 60), &[quarter(0, 0, 62), quarter(0, 0, 64)].concat()]);
    let (all, _) = imported(&whole);
    assert_eq!(all.len(), 3);
    // 14 bytes of header, 8 + 13 of the first track; the second note of the second track begins at byte 52.
    let told = |bytes: &[u8], notes: usize, words: &str| {
        let (played, remarks) = imported(bytes);
        assert_eq!(played.len(), notes, "{remarks:?}");
        assert!(remarks.iter().any(|remark| remark.contains(words)), "{words}: {remarks:?}");
    };
    told(&whole[..54], 2, "track 2 cannot be read on from byte 52: it breaks off within an event");
    told(&whole[..61], 3, "track 2 breaks off at byte 61, where the file ends");
    told(&whole[..30], 1, "its header says that it has 2 tracks; it has 1");
    let replaced = |at: usize, byte: u8| {
        let mut bytes = whole.clone();
        bytes[at] = byte;
        bytes
    };
    told(&replaced(44, 0x10), 1, "track 2 cannot be read on from byte 43: there is no event before it");
    told(&replaced(45, 0xFF), 3, "track 2 has a data byte above 7f at byte 45");
    // A length that is too small or too great hides nothing.
    told(&replaced(21, 12), 3, "1 byte from byte 34 on are of no chunk; skipped");
    let (played, remarks) = imported(&replaced(21, 100));
    assert_eq!((played.len(), remarks), (3, vec![]));
    // Other chunks, and other containers, are not in the way.
    let junk = [&whole[..14], &chunk(b"Junk", b"not a track"), &whole[14..]].concat();
    assert_eq!(imported(&junk), (all.clone(), vec![]));
    let data = [&b"RMID"[..], &chunk(b"data", &whole)].concat();
    assert_eq!(imported(&chunk(b"RIFF", &data)), (all, vec![]));
    for (bytes, why) in [
        (&b"not a MIDI file"[..], "not a MIDI file"),
        (b"", "not a MIDI file"),
        (&whole[..10], "its header breaks off"),
        (&file(0, 480, &[&[0, 0x90, 60, 0]]), "has no notes"),
    ] {
        let told = import(bytes).unwrap_err();
        assert!(told.contains(why), "{told}");
    }
}

#[test]
fn names_become_names_of_the_language_once_each() {
    let name =
        |name: &str| [&[0, 0xFF, 3, name.len() as u8][..], name.as_bytes(), &quarter(0, 0, 60)].concat();
    let named =
        ["Grand Piano", "bass", "bass", "1st Violin", "tempo", "out", "Größe \u{1b}[31m\"x", "日本", ""];
    let tracks: Vec<Vec<u8>> = named.into_iter().map(name).collect();
    let conductor = [&[0, 0xFF, 3, 16][..], b"My \"first\"\n song"].concat();
    let tracks: Vec<&[u8]> =
        std::iter::once(conductor.as_slice()).chain(tracks.iter().map(Vec::as_slice)).collect();
    let song = import(&file(1, 480, &tracks)).unwrap();
    let (head, _) = song.text.split_once("\nplay").unwrap();
    let names: Vec<&str> = head.lines().filter_map(|line| Some(line.split_once(" = ")?.0)).collect();
    let expected = [
        "grand_piano",
        "bass",
        "bass_2",
        "part_1st_violin",
        "piano",
        "piano_2",
        "gr_e_31m_x",
        "piano_3",
        "piano_4",
    ];
    assert_eq!(names, expected);
    assert!(head.starts_with("title \"My first song\"\n"), "{head}");
    program(&song.text);
}

#[test]
fn more_than_a_song_can_hold_is_refused_and_takes_little_time() {
    let many = |count: usize, note: &[u8]| file(0, 480, &[&note.repeat(count)]);
    let told = import(&many(300_000, &[1, 0x90, 60, 100, 1, 60, 0])).unwrap_err();
    assert!(told.contains("a song cannot hold them"), "{told}");
    let told = import(&many(200_000, &[1, 0x90, 60, 100, 1, 60, 0])).unwrap_err();
    assert!(told.contains("KiB"), "{told}");
    let told = import(&many(20_000, &[0, 0x90, 60, 100])).unwrap_err();
    assert!(told.contains("bar 1 has more than"), "{told}");
    // All keys of nine channels at once, in one track: an instrument has 1024 voices.
    let all =
        |status: u8| (0..9 * 128).flat_map(move |i: u16| [0, status | (i / 128) as u8, (i % 128) as u8, 100]);
    let track: Vec<u8> = all(0x90).chain([1, 0xB0, 1, 1]).chain(all(0x80)).collect();
    let song = import(&file(1, 480, &[&track])).unwrap();
    assert!(song.text.contains("piano(voices: 1024)"), "{}", &song.text[..200]);
}

#[test]
fn every_program_and_every_drum_key_has_an_instrument() {
    let files = Files::prelude(&mut Sources::default(), Limits::default());
    let library = Library::default();
    let (mut programs, mut keys) = (vec![false; 128], vec![false; 128]);
    for def in files.prelude_definitions() {
        let info = library.info(&files, def);
        info.midi_programs.iter().for_each(|&program| programs[usize::from(program)] = true);
        info.midi_keys.iter().for_each(|&key| keys[usize::from(key)] = true);
    }
    assert!(programs.iter().all(|&named| named), "{programs:?}");
    assert!((35..=81).all(|key| keys[key]), "{keys:?}");
}

/// What a file means without names: the instrument whose first number it is, and of several the first of the prelude.
#[test]
fn a_program_and_a_drum_key_mean_the_instrument_that_names_them_first() {
    let notes = |channel: u8, key: u8| [0, 0x90 | channel, key, 100, 96, 0x80 | channel, key, 0];
    let track: Vec<u8> =
        [0, 0xC0, 38].into_iter().chain(notes(0, 40)).chain(notes(9, 36)).chain(notes(9, 46)).collect();
    let song = import(&file(1, 480, &[&track])).unwrap().text;
    for instrument in ["kick(", "open_hat("] {
        assert!(song.contains(&format!("= {instrument}")), "{instrument} is not in {song}");
    }
}

/// A song of the prelude's instruments comes back from its MIDI file with the same notes and instruments.
#[test]
fn a_song_comes_back_from_its_file() {
    for song in [
        "tempo 133.7\nbd = kick()\nhh = closed_hat()\nmid = tom()\nbass = acid()\nlead = bell(voices: 4)
play {
  bd |x...x...x...x...|
  hh |x.X.o.5.| .fast(2)
  mid \"~ a2 ~ c3\"
  bass \"c2*3 ~ [eb2 f2]\"
  lead \"c5(3,8) [d5,f5,a5]\"
}\nout = 20% * (bd + hh + mid + bass + lead) |> echo()\n",
        // Drums off the drum keys, notes of one pitch within one another, a slow and a fast tempo, a ramp, swing, sevenths.
        "title \"Slow\"\nmeter 7/8\ntempo 3\ntempo 3000 at bar 2\ntempo 120..90 over bars 4..6\nswing 13%\nlength 6 bars
t = tom()\npad = supersaw(voices: 3)\nk = kick()
play {
  t \"c5 c2\"\n  pad \"[c4@7 ~, ~ c4@2 ~@4, c4 e4*7]\"\n  k |x.x.xx.|\n}\nout = softclip(20% * (t + pad + k))\n",
        // Notes that lie on no fine grid, where a tick beyond the middle of a frame would be the next one's.
        "tempo 120\nswing 33%\nlength 1 bar\np = bell()\nplay { p \"c4*7\" }\nout = p\n",
        "tempo 600\nswing 33%\nmeter 3/4\nlength 2 bars\nt = tom()\nplay { t \"c4*7\" }\nout = t\n",
        // Machines outside: their port, channel and voices.
        "bass = midi_out(\"Minitaur\", channel: 2)\nlead = midi_out(\"Moog One\", channel: 10, voices: 3)\nk = kick()
play { bass \"c2 ~ [c2 eb2] g1\" ; lead \"[c4,e4,g4] c4\" ; k |x.x.| }\nout = k\n",
        "bass = midi_out(\"Minitaur\", channel: 16)\nplay { bass \"c2\" }\nout = 0\n",
        "a = sub()\nb = pluck() |> echo()\nc = supersaw() + bell()\nplay { a \"c1\" ; b \"c4 x\" }\nout = 20% * (a + b + c)\n",
    ] {
        let original = program(song);
        let file = midi(&original, None, None).unwrap();
        assert_eq!(file.bytes, midi(&program(song), None, None).unwrap().bytes, "the same bytes twice");
        let back = import(&file.bytes).unwrap();
        assert_eq!(back.remarks, Vec::<String>::new());
        let back = program(&back.text);
        assert_eq!(named(&back), named(&original));
        let kinds = |p: &Program| p.targets.iter().map(|t| t.midi.definition.clone()).collect::<std::collections::BTreeSet<_>>();
        let heard: std::collections::BTreeSet<_> = kinds(&back);
        assert!(heard.is_subset(&kinds(&original)) && !heard.is_empty());
    }
}

/// What a program plays, by the names of its equations.
fn named(program: &Program) -> Vec<Played> {
    let name = |path: &str| program.targets.iter().find(|t| &*t.name == path).unwrap().midi.name.to_string();
    played(program)
        .into_iter()
        .map(|(frame, path, note, frames)| (frame, name(&path), note, frames))
        .collect()
}

/// Whatever bytes come, the import ends with a song that has no problems, or with words.
#[test]
fn broken_files_of_all_kinds_end_well() {
    let conductor = [
        0, 0xFF, 0x58, 4, 3, 2, 24, 8, 0, 0xFF, 0x51, 3, 0x07, 0xA1, 0x20, 0x8B, 0x20, 0xFF, 0x51, 3, 6,
        0x1A, 0x80,
    ];
    let band = [
        &[0, 0xC0, 33, 0, 0xFF, 3, 3, b'a', b'b', b'c', 0, 0x90, 60, 100, 0, 64, 80, 0x83, 0x60, 0x80, 60, 0]
            [..],
        &[
            0, 0xB0, 64, 127, 0x81, 0x70, 0x80, 64, 0, 0, 0x99, 36, 100, 100, 0x89, 36, 0, 0, 0xF0, 2, 1,
            0xF7, 0, 0xE0, 1, 2,
        ],
        &quarter(9, 3, 70),
    ]
    .concat();
    let whole = [
        file(1, 480, &[&conductor, &band]),
        file(0, 0xE728, &[&band]),
        file(2, 96, &[&band, &band, &conductor]),
    ];
    let mut state = 7_u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize
    };
    let mut songs = 0;
    for round in 0..240 {
        let mut bytes = whole[round % whole.len()].clone();
        for _ in 0..=random() % 6 {
            let at = random() % bytes.len();
            match random() % 5 {
                0 => bytes[at] = random() as u8,
                1 => bytes[at] ^= 1 << (random() % 8),
                2 => bytes.insert(at, random() as u8),
                3 => _ = bytes.remove(at),
                _ => bytes.truncate(at.max(1)),
            }
        }
        let Ok(song) = import(&bytes) else { continue };
        songs += 1;
        if songs % 32 == 0 {
            program(&song.text);
        } else {
            let mut sources = Sources::default();
            let id = sources.add("song.mam", song.text.as_str());
            let (_, problems) = syntax::parse(&sources, id, &Limits::default());
            assert!(problems.is_empty(), "{}", song.text);
        }
    }
    assert!(songs > 60, "{songs} of 240 have notes left");
}
