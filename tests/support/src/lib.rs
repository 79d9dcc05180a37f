//! What the tests and the fuzz targets share.
//!
//! * [`agree`]: the oracle that two ways to run a kernel agree, on the random kernels of [`gen_ir`];
//! * [`cases`]: the runner of the Markdown cases;
//! * [`oracle`]: JSON songs computed a second time, in f64, from the specification alone;
//! * [`rig`]: a kernel with memory to run in;
//! * [`songs`]: random JSON songs;
//! * [`sound`]: what a rendered sound is like, in a few numbers.

pub mod agree;
pub mod cases;
pub mod gen_ir;
pub mod oracle;
pub mod rig;
pub mod songs;
pub mod sound;
