//! Ramps that never arrive, because their own line sets the next value before.

use super::codes::RAMP_CUT;
use super::compose::WrittenLine;
use super::schedule::Heard;
use super::show;
use mam_grammar::{Problem, Problems};
use mam_runtime::score::{Action, Clock, Duration, Rational, Transport};

/// Frames a second in which times are compared.
const RATE: u32 = 48_000;

/// Warns of the first cut of each line among the events `heard`, which are in the order of time.
pub(super) fn check(
    heard: &[Heard],
    transport: &Transport,
    written: &[WrittenLine],
    problems: &mut Problems,
) {
    let mut begins: Vec<Vec<Rational>> = vec![vec![]; transport.lines.len()];
    heard.iter().for_each(|event| begins[event.line].push(event.begin));
    for ((index, line), begins) in transport.lines.iter().enumerate().zip(begins) {
        let Action::Set { ramp, .. } = &line.action else { continue };
        if ramp.over == Duration::default() {
            continue;
        }
        let cut = begins.windows(2).filter_map(|pair| {
            let gap = (pair[1] - pair[0]).ok().filter(|gap| gap.sign() > 0)?;
            let needs = bars(transport, ramp.over, pair[0])?;
            let slower = (needs / gap).map_or(i128::MAX, Rational::ceil);
            (needs > gap).then_some((slower, needs.ceil()))
        });
        // The slowest factor lets every ramp arrive.
        if let Some((slower, bars)) = cut.max() {
            problems.add(problem(&written[index], slower, bars));
        }
    }
}

/// How many bars a ramp from a bar on takes.
pub(super) fn bars(transport: &Transport, over: Duration, from: Rational) -> Option<Rational> {
    match over {
        Duration::Beats(beats) => (beats / transport.tempo.beats_per_bar).ok(),
        Duration::Seconds(seconds) => {
            let clock = Clock::new(&transport.tempo, RATE);
            let frame = clock.plain(from).to_f64() + seconds.to_f64() * f64::from(RATE);
            let bars = clock.bar_at(frame) - from.to_f64();
            // Rounded down, so that a ramp of exactly the time that there is counts as that.
            Rational::new((bars * 1e6 - 1.0).floor() as i128, 1_000_000).ok()
        }
    }
}

fn problem(written: &WrittenLine, slower: i128, bars: i128) -> Problem {
    let name = &written.name;
    let slow_by = |n: i128| match n {
        1 => String::new(),
        n => format!(".slow({})", show::number(Rational::new(n, 1).unwrap_or(Rational::ONE))),
    };
    // From one value to another, over all the time that the ramp takes.
    let words = written.text.as_deref().map(|text| text.split_whitespace().collect::<Vec<_>>());
    let fade = match words.as_deref() {
        Some([from, to]) => format!(
            "; a fade from one to the other is a signal: `{name} saw.range({from}, {to}){}.segment(8) over 1/8 bar`",
            slow_by(bars)
        ),
        _ => String::new(),
    };
    let message = "the next value of this line comes before the ramp to the one before it is over";
    let slow = slow_by(slower);
    let help = match &written.text {
        Some(text) => format!(
            "a pattern comes again in each bar: let it take longer, `{name} \"{text}\"{slow} over …`, or give it a \
             shorter ramp{fade}"
        ),
        None => format!(
            "write `{slow}` behind all that follows the pattern, before `over`, or give it a shorter ramp"
        ),
    };
    Problem::new(&RAMP_CUT, written.span, message).help(help)
}
