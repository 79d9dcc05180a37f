//! A song as an object file: its kernels in machine code, the program's tables as constant data, and the functions of the
//! header, which call the engine of `runtime/c/engine.c`.
//!
//! Symbols begin with the song's prefix: kernels are `mam_song_k0_steady` and so on. Nothing is undefined but the engine's
//! functions (`mam_engine_process` …), which one `engine.c` gives to all songs of a program.

mod data;
mod entry;
mod system;

pub use system::System;

use crate::emit::c::{Export, Field, Names, Tables, tables_and_header};
use crate::emit::native::{Abi, Compiled, FORMS, Settings, compile_for, signature, with_id};
use crate::ir::Module;
use crate::target::OptLevel;
use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_module::{DataDescription, DataId, FuncId, Linkage, Module as _, default_libcall_names};
use cranelift_object::{ObjectBuilder, ObjectModule};
use data::Image;
use std::collections::BTreeMap;

/// The files of an export.
#[derive(Clone, Debug)]
pub struct Files {
    /// The object file's bytes.
    pub object: Vec<u8>,
    /// The header of the song.
    pub header: String,
    /// Bytes of memory that the song takes when it plays.
    pub bytes: usize,
}

/// Makes the object file of a song for a system.
///
/// # Errors
/// When the song is too large, or the code generator fails, which is a bug of ours.
pub fn files(export: &Export, system: System) -> Result<Files, String> {
    let (tables, header) = tables_and_header(export).map_err(|why| why.to_string())?;
    let isa = system.isa()?;
    let settings =
        Settings { level: OptLevel::Best, machine: system.machine(), listing: false, abi: Abi::System };
    let kernels = export.module.kernels.values();
    let kernels: Vec<Compiled> = kernels
        .map(|kernel| compile_for(&*isa, export.module, kernel, &settings))
        .collect::<Result<_, _>>()?;
    let object = Writer::new(isa, export.names)?.finish(export.module, &kernels, &tables)?;
    Ok(Files { object, header, bytes: tables.bytes })
}

/// An object file in the making.
struct Writer<'a> {
    module: ObjectModule,
    names: &'a Names,
    kernels: Vec<[FuncId; 3]>,
    arrays: BTreeMap<&'static str, DataId>,
}

impl<'a> Writer<'a> {
    fn new(isa: OwnedTargetIsa, names: &'a Names) -> Result<Writer<'a>, String> {
        let builder = ObjectBuilder::new(isa, names.prefix.clone(), default_libcall_names());
        let module = ObjectModule::new(builder.map_err(|e| e.to_string())?);
        Ok(Writer { module, names, kernels: vec![], arrays: BTreeMap::new() })
    }

    fn finish(mut self, from: &Module, kernels: &[Compiled], tables: &Tables) -> Result<Vec<u8>, String> {
        // Relocations of kernels count tables from 0.
        for (index, table) in from.tables.iter().enumerate() {
            let bytes = table.iter().flat_map(|x| x.to_le_bytes()).collect();
            self.data(
                &format!("table_{index}"),
                Linkage::Local,
                &Image { bytes, align: 16, ..Image::default() },
            )?;
        }
        for (index, kernel) in kernels.iter().enumerate() {
            self.kernel(index, kernel)?;
        }
        for array in tables.arrays.iter().filter(|array| !array.rows.is_empty()) {
            let linkage = if array.name == "params" { Linkage::Export } else { Linkage::Local };
            let image = Image::of_rows(&array.rows);
            let id = self.data(array.name, linkage, &image)?;
            self.arrays.insert(array.name, id);
        }
        if !tables.instruments.is_empty() {
            let rows: Vec<Vec<Field>> =
                tables.instruments.iter().map(|name| vec![Field::Text(name.clone())]).collect();
            self.data("instruments", Linkage::Export, &Image::of_rows(&rows))?;
        }
        let program = self.arrays["program"];
        entry::functions(&mut self.module, &self.names.prefix, program)?;
        self.module.finish().emit().map_err(|e| e.to_string())
    }

    fn kernel(&mut self, index: usize, kernel: &Compiled) -> Result<(), String> {
        let signature = signature(self.module.isa(), Abi::System);
        let mut ids = [FuncId::from_u32(0); 3];
        for ((id, function), form) in ids.iter_mut().zip(&kernel.functions).zip(FORMS) {
            let form = format!("{form:?}").to_lowercase();
            let name = format!("{}_k{index}_{form}", self.names.prefix);
            *id = self
                .module
                .declare_function(&name, Linkage::Export, &signature)
                .map_err(|e| e.to_string())?;
            let relocs: Vec<_> = function.relocs.iter().map(|reloc| with_id(reloc, *id)).collect();
            self.module
                .define_function_bytes(*id, function.align, &function.code, &relocs)
                .map_err(|e| e.to_string())?;
        }
        self.kernels.push(ids);
        Ok(())
    }

    /// Defines constant data with the addresses in it.
    fn data(&mut self, name: &str, linkage: Linkage, image: &Image) -> Result<DataId, String> {
        let texts = match image.texts.is_empty() {
            true => None,
            false => Some(self.texts(name, &image.texts)?),
        };
        let full = format!("{}_{name}", self.names.prefix);
        let id = self.module.declare_data(&full, linkage, false, false).map_err(|e| e.to_string())?;
        let mut data = DataDescription::new();
        data.define(image.bytes.clone().into_boxed_slice());
        data.set_align(image.align);
        for &(at, kernel, form) in &image.kernels {
            let function = self.module.declare_func_in_data(self.kernels[kernel][form], &mut data);
            data.write_function_addr(at as u32, function);
        }
        for &(at, array) in &image.addresses {
            if let Some(&array) = self.arrays.get(array) {
                let address = self.module.declare_data_in_data(array, &mut data);
                data.write_data_addr(at as u32, address, 0);
            }
        }
        let mut first = 0;
        for ((at, text), texts) in image.texts.iter().zip(texts.iter().cycle()) {
            let address = self.module.declare_data_in_data(*texts, &mut data);
            data.write_data_addr(*at as u32, address, first);
            first += text.len() as i64 + 1;
        }
        self.module.define_data(id, &data).map_err(|e| e.to_string())?;
        Ok(id)
    }

    /// The strings of an array, one after the other.
    fn texts(&mut self, name: &str, texts: &[(usize, String)]) -> Result<DataId, String> {
        let bytes = texts.iter().flat_map(|(_, text)| text.bytes().chain([0])).collect();
        let image = Image { bytes, align: 1, ..Image::default() };
        self.data(&format!("{name}_texts"), Linkage::Local, &image)
    }
}
