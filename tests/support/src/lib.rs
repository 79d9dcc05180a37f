//! What the tests and the fuzz targets share: generators, oracles, the case runner.

pub mod agree;
pub mod gen_ir;
pub mod rig;
