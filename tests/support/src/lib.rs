//! What the tests and the fuzz targets share.
//!
//! * [`exports`]: songs as C, compiled and run;
//! * [`agree`]: the oracle that two ways to run a kernel agree, on the random kernels of [`gen_ir`];
//! * [`gen_ir`]: random kernels;
//! * [`cases`]: the runner of the Markdown cases;
//! * [`gen_mam`]: random `.mam` programs;
//! * [`gen_tree`]: random trees of `.mam`;
//! * [`gen_json`]: random JSON songs, whole and broken;
//! * [`measure`]: levels, spectra and responses, in f64;
//! * [`mutants`]: songs that ask for more than was meant;
//! * [`oracle`]: JSON songs computed a second time, in f64, from the specification alone;
//! * [`parallel`]: long lists by all processors;
//! * [`render`](mod@render): a text rendered into memory;
//! * [`rig`]: a kernel with memory to run in;
//! * [`songs`]: random JSON songs;
//! * [`sound`]: what a rendered sound is like, in a few numbers;
//! * [`texts`]: texts of all kinds, and what must hold for each;
//! * [`wasm`]: kernels as WebAssembly, interpreted;
//! * [`written`]: what must hold when a program is formatted.

pub mod agree;
pub mod cases;
pub mod exports;
pub mod gen_dots;
pub mod gen_ir;
pub mod gen_json;
pub mod gen_mam;
pub mod gen_rows;
pub mod gen_sums;
pub mod gen_tree;
pub mod gen_triggers;
pub mod measure;
pub mod mutants;
pub mod ogg;
pub mod oracle;
pub mod parallel;
pub mod render;
pub mod rig;
pub mod songs;
pub mod sound;
pub mod texts;
pub mod wasm;
pub mod written;

/// On how many random inputs a property is tried: `MAM_CASES`, or a few.
pub fn random_cases(few: u32) -> u32 {
    std::env::var("MAM_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(few)
}
