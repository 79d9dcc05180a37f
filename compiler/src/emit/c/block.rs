//! Block nodes as C: constant tables, and functions that call `runtime/c/block.h`.

use super::literal::{array, scalar};
use crate::ir::Imm;
use mam_runtime::block::{Block, Convolution, Frames, Stretch, Tables};
use std::collections::BTreeSet;

/// The tables that blocks have in common.
#[derive(Default)]
pub(super) struct Blocks {
    /// The sizes of transforms that are written.
    sizes: BTreeSet<usize>,
    /// The same of spectral regions.
    halves: BTreeSet<usize>,
}

impl Blocks {
    /// The tables and the three functions of kernel number `index`, which is a block.
    pub(super) fn functions(&mut self, index: usize, block: &Block) -> String {
        let mut text = format!("\n/* {} */\n", block.name());
        let function = match block {
            Block::Convolution(convolution) => {
                text += &self.convolution(index, convolution);
                "mam_convolve"
            }
            Block::Analysis(analysis) => {
                text += &self.spectrum(index, analysis.frames(), analysis.tables());
                "mam_analyse"
            }
            Block::Synthesis(synthesis) => {
                text += &self.spectrum(index, synthesis.frames(), synthesis.tables());
                "mam_synthesise"
            }
            Block::Stretch(stretch) => {
                text += &stretched(index, stretch);
                "mam_stretch"
            }
            Block::Streamed(_) => unreachable!("a song with one is refused before"),
        };
        text += &format!("KERNEL void k{index}_setup(MamCall const* c) {{\n    (void)c;\n}}\n");
        for form in ["steady", "general"] {
            text += &format!(
                "KERNEL void k{index}_{form}(MamCall const* c) {{\n    {function}(c, &block{index});\n}}\n"
            );
        }
        text
    }

    fn spectrum(&mut self, index: usize, frames: Frames, tables: &Tables) -> String {
        let mut text = String::new();
        let (half, hop, streams) = (tables.half(), frames.hop(), frames.streams());
        if self.halves.insert(half) {
            text += &array(&format!("bin_factors{half}"), &tables.factors());
            text += &array(&format!("bin_turns{half}"), tables.turns());
            let places: Vec<String> = tables.places().iter().map(|place| format!("{place}u")).collect();
            text += &format!("static uint32_t const bin_places{half}[] = {{ {} }};\n", places.join(", "));
        }
        text += &array(&format!("window{index}"), tables.window());
        text += &format!(
            "static MamSpectrum const block{index} = {{\n    {{ {half}u, {}u, 0u, 0u, 0, bin_factors{half}, 0 }}, \
             {hop}u, {streams}u, bin_places{half}, bin_turns{half}, window{index}\n}};\n",
            tables.stages(),
        );
        text
    }

    fn convolution(&mut self, index: usize, convolution: &Convolution) -> String {
        let mut text = String::new();
        let mut rows = vec![];
        for level in convolution.levels() {
            let size = level.size();
            if self.sizes.insert(size) {
                text += &array(&format!("turns{size}"), level.turns());
                text += &array(&format!("factors{size}"), &level.factors());
            }
            text += &arrays(&format!("spectra{index}_{size}"), level.spectra());
            let numbers = [size, level.stages(), level.partitions(), level.slots()].map(|x| format!("{x}u"));
            rows.push(format!(
                "    {{ {}, turns{size}, factors{size}, spectra{index}_{size} }},\n",
                numbers.join(", ")
            ));
        }
        text += &arrays(&format!("heads{index}"), convolution.heads());
        let levels = if rows.is_empty() { "0".into() } else { format!("levels{index}") };
        if !rows.is_empty() {
            text += &format!("static MamLevel const levels{index}[] = {{\n{}}};\n", rows.concat());
        }
        text += &format!(
            "static MamConvolution const block{index} = {{ {}u, {}u, {}u, {}u, heads{index}, {levels} }};\n",
            convolution.predelay(),
            convolution.line_frames(),
            rows.len(),
            convolution.responses()
        );
        text
    }
}

fn stretched(index: usize, stretch: &Stretch) -> String {
    let mut text = String::new();
    text += &arrays(&format!("sounds{index}"), stretch.channels());
    for (name, values) in [
        ("mono", stretch.mono()),
        ("coarse", stretch.coarse()),
        ("window", stretch.window()),
        ("weights", stretch.weights()),
    ] {
        text += &array(&format!("{name}{index}"), values);
    }
    text += &format!(
        "static MamStretch const block{index} = {{\n    {}u, {}u, {}u, {}, sounds{index}, mono{index}, coarse{index}, \
         window{index}, weights{index}\n}};\n",
        stretch.channels().len(),
        stretch.frames(),
        stretch.hop(),
        scalar(Imm::F32(stretch.ratio())),
    );
    text
}

/// Arrays, and one of the places where they begin, which has the name.
fn arrays(name: &str, all: &[Vec<f32>]) -> String {
    let names: Vec<String> = (0..all.len()).map(|i| format!("{name}_{i}")).collect();
    let each: String = names.iter().zip(all).map(|(name, values)| array(name, values)).collect();
    each + &format!("static float const* const {name}[] = {{ {} }};\n", names.join(", "))
}
