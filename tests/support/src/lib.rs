//! What the tests and the fuzz targets share: generators, oracles, the case runner.

pub mod gen_mam;
