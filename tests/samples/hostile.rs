//! Sound files that are missing, broken or hostile: a problem at the place in the song, wherever one is named.

use super::{Compressed, Folder, RATE, noise};
use std::fs;

/// symphonia panics at the first of these; the others ask for gigabytes.
#[test]
fn codebooks_of_a_hostile_file_are_refused() {
    for dimensions in [32, 20] {
        let mut bits: Vec<bool> = vec![];
        let mut put = |value: u32, count: u32| bits.extend((0..count).map(|i| value >> i & 1 == 1));
        put(255, 8);
        for _ in 0..256 {
            // 2^17 entries, whose words all have 17 bits, of one multiplicand of one bit.
            let words = [(0x56_43_42, 24), (dimensions, 16), (1 << 17, 24), (1, 1), (16, 5), (1 << 17, 18)];
            let lookup = [(1, 4), (0, 32), (0, 32), (0, 4), (0, 1), (0, 1)];
            words.iter().chain(&lookup).for_each(|&(value, count)| put(value, count));
        }
        let byte = |bits: &[bool]| bits.iter().rev().fold(0_u8, |byte, &bit| byte << 1 | u8::from(bit));
        let setup = [b"\x05vorbis".to_vec(), bits.chunks(8).map(byte).collect(), vec![0; 3000]].concat();
        let whole = Compressed::open("stereo.ogg").bytes;
        let ident = whole.windows(7).position(|w| w == b"\x01vorbis").unwrap();
        let comment = b"\x03vorbis\0\0\0\0\0\0\0\0\x01";
        let pages = [
            page(2, 0, &[&whole[ident..ident + 30]]),
            page(0, 1, &[comment, &setup]),
            page(4, 2, &[&[0; 50]]),
        ];
        let refused = Compressed::read(pages.concat()).unwrap_err().why;
        assert!(refused.contains("the file is broken: "), "{refused}");
    }
}

/// A page of an Ogg file (RFC 3533, section 6).
fn page(flags: u8, number: u32, packets: &[&[u8]]) -> Vec<u8> {
    let lengths: Vec<u8> = packets
        .iter()
        .flat_map(|packet| std::iter::repeat_n(255, packet.len() / 255).chain([(packet.len() % 255) as u8]))
        .collect();
    let mut page =
        [&b"OggS\0"[..], &[flags], &[0; 8], &[7, 0, 0, 0], &number.to_le_bytes(), &[0; 4]].concat();
    page.push(lengths.len() as u8);
    page.extend(&lengths);
    packets.iter().for_each(|packet| page.extend(*packet));
    mam_testing::ogg::correct_checksums(&mut page);
    page
}

#[test]
fn files_that_are_missing_broken_or_hostile_end_in_a_problem() {
    let folder = Folder::new("hostile");
    folder.wav("good.wav", RATE, &[noise(1000, 5)]);
    folder.wav("nan.wav", RATE, &[vec![0.0, f32::NAN]]);
    folder.wav("empty.wav", RATE, &[vec![]]);
    let good = fs::read(folder.0.join("good.wav")).unwrap();
    fs::write(folder.0.join("cut.wav"), &good[..good.len() / 2]).unwrap();
    fs::write(folder.0.join("text.wav"), "this is not a sound").unwrap();
    fs::write(folder.0.join("nothing.wav"), "").unwrap();
    let mut lying = good.clone();
    // The size of the data: four gigabytes.
    let data = good.windows(4).position(|w| w == b"data").unwrap();
    lying[data + 4..data + 8].copy_from_slice(&u32::MAX.to_le_bytes());
    fs::write(folder.0.join("lying.wav"), &lying).unwrap();
    fs::create_dir(folder.0.join("folder.wav")).unwrap();
    for file in [
        "missing.wav",
        "nan.wav",
        "empty.wav",
        "cut.wav",
        "text.wav",
        "nothing.wav",
        "folder.wav",
        "../x.wav",
    ] {
        let problems = folder.render(&format!("out = playback(sample(\"{file}\"), 1)\n"), 10, false);
        let problems = problems.expect_err(file);
        assert_eq!(problems.len(), 1, "{file}: {problems:?}");
        assert!(problems[0].starts_with("cannot-use: "), "{file}: {problems:?}");
    }
    // What a long one says is behind its header is not there.
    let mut long = good.clone();
    long[data + 4..data + 8].copy_from_slice(&0x4000_0000_u32.to_le_bytes());
    fs::write(folder.0.join("long.wav"), &long).unwrap();
    let problems =
        folder.render("out = playback(sample(\"long.wav\"), 1)\n", 10, false).expect_err("long.wav");
    assert!(problems[0].contains("ends before its header says"), "{problems:?}");
    // Whatever a header says, no more is read than there is.
    let _ = folder.render("out = playback(sample(\"lying.wav\"), 1)\n", 10, false);
    for (text, wanted) in [
        ("out = sample(\"good.wav\")\n", "this is a buffer, where a signal is wanted"),
        ("out = playback(noise(), 1)\n", "`playback` plays a buffer"),
        ("x = \"good.wav\"\nout = playback(sample(x), 1)\n", ""),
        ("out = sample(\"good.wav\").pitch\n", "a buffer has no part `pitch`"),
        ("out = playback(sample(\"good.wav\"), 1, 440Hz)\n", "this argument of `playback` is a plain number"),
    ] {
        let problems = folder.render(text, 10, false).expect_err(text);
        assert!(problems.iter().any(|p| p.contains(wanted)), "{text}: {problems:?}");
    }
}

/// Files that are no sounds, or of which not all is there, beside a good one.
fn broken(folder: &Folder) -> [&'static str; 6] {
    folder.wav("good.wav", RATE, &[noise(3000, 5)]);
    folder.wav("nan.wav", RATE, &[vec![0.0, f32::NAN]]);
    folder.wav("empty.wav", RATE, &[vec![]]);
    let good = fs::read(folder.0.join("good.wav")).unwrap();
    fs::write(folder.0.join("cut.wav"), &good[..good.len() / 2]).unwrap();
    fs::write(folder.0.join("text.wav"), "this is not a sound").unwrap();
    fs::write(folder.0.join("nothing.wav"), "").unwrap();
    ["missing.wav", "nan.wav", "empty.wav", "cut.wav", "text.wav", "nothing.wav"]
}

#[test]
fn a_broken_file_is_one_problem_wherever_it_is_named() {
    let folder = Folder::new("everywhere");
    let files = broken(&folder);
    for place in [
        "out = playback(sample(\"FILE\"), 1)",
        "out = noise() |> convolve(sample(\"FILE\"))",
        "out = stretch(sample(\"FILE\"))",
        "out = loop_to(sample(\"FILE\"), 1 bar)",
        "out = wavetable(sample(\"FILE\"), 110Hz)",
        "out = grains(sample(\"FILE\"), 0.5)",
        "s = sampler(sample(\"FILE\"))\nplay { s |x...| }\nout = s",
        "s = keymap([{ sample: sample(\"FILE\"), pitch: a3, vel: 1 }])\nplay { s \"a3\" }\nout = s",
        "instrument i {\n  out = one_shot(sample(\"FILE\"), trig)\n  until since(trig) > 9\n}\ns = i()\nplay { s |x...| }\nout = s",
    ] {
        let good = format!("{}\n", place.replace("FILE", "good.wav"));
        let heard = folder.render(&good, 100, false);
        assert!(heard.is_ok() || place.contains("wavetable"), "{place}: {heard:?}");
        for file in files {
            let problems = folder.render(&format!("{}\n", place.replace("FILE", file)), 10, false);
            let problems = problems.expect_err(file);
            assert_eq!(problems.len(), 1, "{file} in {place}: {problems:?}");
            assert!(problems[0].starts_with("cannot-use: "), "{file} in {place}: {problems:?}");
        }
    }
}

#[test]
fn broken_files_of_a_folder_are_left_out_of_its_kit() {
    let folder = Folder::new("kit");
    fs::create_dir(folder.0.join("hits")).unwrap();
    broken(&folder);
    for file in ["good.wav", "nan.wav", "empty.wav", "cut.wav", "text.wav", "nothing.wav"] {
        fs::rename(folder.0.join(file), folder.0.join("hits").join(file)).unwrap();
    }
    let heard = |part: &str| {
        let text = format!("kit hits \"hits\"\nk = hits()\nplay {{ k.{part} |x...| }}\nout = k.{part}\n");
        folder.render(&text, 1000, false)
    };
    match heard("good") {
        Ok(heard) => assert!(heard[0].iter().any(|x| x.abs() > 0.1), "the good one is heard"),
        Err(problems) => assert!(problems.iter().all(|p| p.starts_with("cannot-use: ")), "{problems:?}"),
    }
}
