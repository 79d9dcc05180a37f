use mam_compiler::*;
use mam_grammar::*;
use std::sync::Arc;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let text = std::fs::read_to_string(&a[1]).unwrap();
    let mut sources = Sources::default();
    let id = sources.add(a[1].as_str(), text);
    let c = compile(
        &mut sources,
        id,
        &files::NoFiles,
        &Options { interpreter: a.len() > 3, ..Options::default() },
    );
    for p in c.problems.iter() {
        let s = p.span();
        println!(
            "{:?} {} {} {:?} {:?}",
            p.code.severity,
            p.code.name,
            p.message,
            sources.line_column(s.source, s.start as usize),
            p.help
        );
    }
    println!("{:?}", c.timings);
    println!("{}", c.stages.graph);
    println!("{}", c.stages.plan);
    let Some(p) = c.program else { return };
    let p = Arc::new(p);
    let secs: u64 = a[2].parse().unwrap();
    let t = std::time::Instant::now();
    let seq = mam_runtime::score::Sequencer::of(&p, mam_runtime::score::Extent::Forever);
    let mut r = mam_runtime::Renderer::new(p.clone(), seq, 2, 0, mam_runtime::Length::Frames(secs * 48000));
    let mut peak = 0f32;
    let mut n = 0usize;
    let mut sum = 0f64;
    let mut first = vec![];
    while let Some(b) = r.next_block() {
        for &x in &b[0] {
            peak = peak.max(x.abs());
            sum += (x * x) as f64;
            if n < 8 {
                first.push(x);
            }
            n += 1;
        }
    }
    println!("frames {n} peak {peak} rms {} first {first:?}", (sum / n as f64).sqrt());
    let e = t.elapsed().as_secs_f64();
    println!("{:.1} x real time, {:.1} ns/frame", secs as f64 / e, e * 1e9 / n as f64);
}
