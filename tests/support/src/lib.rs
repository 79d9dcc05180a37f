//! What the tests and the fuzz targets share.
//!
//! * [`cases`]: the runner of the Markdown cases;
//! * [`gen_json`]: random JSON songs, whole and broken;
//! * [`gen_mam`]: random `.mam` texts and trees;
//! * [`oracle`]: JSON songs computed a second time, in f64, from the specification alone;
//! * [`rig`]: a kernel with memory to run in;
//! * [`songs`]: random JSON songs;
//! * [`sound`]: what a rendered sound is like, in a few numbers.

pub mod cases;
pub mod gen_json;
pub mod gen_mam;
pub mod oracle;
pub mod rig;
pub mod songs;
pub mod sound;
