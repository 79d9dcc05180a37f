//! Rows of scores: numbers in quotes, and changes that change nothing.

use super::{In, Row};

pub(super) const ROWS: &[Row] = rows! {
    // Numbers in quotes, which are checked as those without.
    Line "lead \"c4 d4\".legato(\"0.5 0\")" => "pattern-modifier" "\"0.5 0\"" "`.legato(0.5)`" "lead \"c4 d4\".legato(\"0.5 0.1\")";
    Line "hh \"x*8\".degrade(\"0 1.5\")" => "pattern-modifier" "\"0 1.5\"" "use: " "hh \"x*8\".degrade(\"0 0.5\")";
    Line "bd \"x\".ply(\"<1.5 2>\")" => "score-number" "\"<1.5 2>\"" "write `2`" "bd \"x\".ply(\"<1 2>\")";
    Line "bd \"x*4\".fast(\"<2 -1>\")" => "pattern-modifier" "\"<2 -1>\"" "use: " "bd \"x*4\".fast(\"<2 1>\")";
    Line "bd \"x\".euclid(\"9\", 8)" => "pattern-modifier" "\"9\"" "use: " "bd \"x\".euclid(\"7\", 8)";
    Line "bd \"x*4\".linger(\"2\")" => "pattern-modifier" "\"2\"" "use: " "bd \"x*4\".linger(\"0.5\")";
    Line "bd \"x*4\".sometimes(\"-1\", rev)" => "pattern-modifier" "\"-1\"" "use: " "bd \"x*4\".sometimes(\"0.1\", rev)";
    Line "bd \"x*4\".every(\"1.5\", rev)" => "score-number" "\"1.5\"" "write `2`" "bd \"x*4\".every(\"2\", rev)";
    Line "bd \"x*4\".chunk(\"<4 0>\", rev)" => "pattern-modifier" "chunk(\"<4 0>\", rev)" "use: " "bd \"x*4\".chunk(\"<4 2>\", rev)";
    Song "lead = pluck(voices: 8)\nplay { lead \"c4*4\".shift(\"1%8\") }\nout = lead" => "pattern-fraction" "1%8" "`0.125`";
    Song "lead = pluck(voices: 8)\nplay { lead \"0 2%4\".scale(c4, minor) }\nout = lead" => "pattern-fraction" "2%4" "`0.5`";
    Line "lead \"60@<1 2> 63\"" => "pattern-number" "@<1 2>" "`x@3`" "lead \"60@2 63\"";
    Line "lead \"60![1 2] 63\"" => "pattern-number" "![1 2]" "`x!3`" "lead \"60!2 63\"";
    Line "lead \"60?<0.2 1> 63\"" => "pattern-number" "?<0.2 1>" "`.degrade(\"<0.2 1>\")`" "lead \"60 63\".degrade(\"<0.2 1>\")";
    Song "hh = closed_hat()\nplay { hh \"x:2 x\" }\nout = hh" => "note-velocity" "hh" "the number of a sample" "hh = closed_hat()\nplay { hh \"x:0.8 x\" }\nout = hh";
    // Changes of pitches that change none.
    Song "bd = kick()\nplay { bd \"x*4\".transpose(12st) }\nout = bd" => "pitch-unchanged" "transpose(12st)" "take it out" "bd = kick()\nplay { bd \"x*4\" }\nout = bd";
    Song "bd = kick()\nplay { bd \"x*4\".every(2, add(2)) }\nout = bd" => "pitch-unchanged" "add(2)" "take it out" "bd = kick()\nplay { bd \"x*4\" }\nout = bd";
    Song "lead = pluck(voices: 8)\nplay { lead \"0 2 4\".scale(c4, minor).scale(d4, major) }\nout = lead" => "pitch-unchanged" "scale(d4, major)" "`.transpose(2st)`" "lead = pluck(voices: 8)\nplay { lead \"0 2 4\".scale(c4, minor).transpose(2st) }\nout = lead";
    Song "lead = pluck(voices: 8)\nplay { lead \"<C E G>\".chord.scale(c, minor) }\nout = lead" => "pitch-unchanged" "scale(c, minor)" "degrees are numbers" "lead = pluck(voices: 8)\nplay { lead \"0 2\".scale(c, minor) }\nout = lead";
    Song "lead = pluck(voices: 8)\nplay { lead \"x*4\".arp(up) }\nout = lead" => "pitch-unchanged" "arp(up)" "write notes" "lead = pluck(voices: 8)\nplay { lead \"[c4,e4,g4]\".arp(up) }\nout = lead";
};
