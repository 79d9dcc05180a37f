//! The functions of a song's header, in machine code: each calls the engine's function of the same arguments.

use cranelift_codegen::Context;
use cranelift_codegen::ir::{AbiParam, Function, InstBuilder, Signature, Type, UserFuncName, types};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_module::{DataId, Linkage, Module};
use cranelift_object::ObjectModule;

/// A function of the header, with the types of its arguments and of its result.
struct Entry {
    name: &'static str,
    args: &'static [Type],
    result: Option<Type>,
}

const POINTER: Type = types::I64;
const WORD: Type = types::I32;
const DOUBLE: Type = types::F64;

/// All but `init`, which has the program as its first argument.
const ENTRIES: &[Entry] = &[
    Entry { name: "process", args: &[POINTER, POINTER, POINTER, WORD], result: None },
    Entry { name: "set", args: &[POINTER, WORD, DOUBLE, WORD, WORD], result: Some(WORD) },
    Entry { name: "note_on", args: &[POINTER, WORD, DOUBLE, DOUBLE, WORD], result: Some(WORD) },
    Entry { name: "note_off", args: &[POINTER, WORD, DOUBLE, WORD], result: Some(WORD) },
    Entry { name: "silent", args: &[POINTER], result: Some(WORD) },
    Entry { name: "score", args: &[POINTER, WORD], result: None },
];

/// Defines the functions of the header of a song whose names have this prefix.
pub(super) fn functions(module: &mut ObjectModule, prefix: &str, program: DataId) -> Result<(), String> {
    define(module, prefix, &Entry { name: "init", args: &[POINTER], result: Some(POINTER) }, Some(program))?;
    ENTRIES.iter().try_for_each(|entry| define(module, prefix, entry, None))
}

fn define(
    module: &mut ObjectModule,
    prefix: &str,
    entry: &Entry,
    first: Option<DataId>,
) -> Result<(), String> {
    let signature = |args: &mut dyn Iterator<Item = Type>| {
        let mut signature = Signature::new(module.isa().default_call_conv());
        signature.params.extend(args.map(AbiParam::new));
        signature.returns.extend(entry.result.map(AbiParam::new));
        signature
    };
    let own = signature(&mut entry.args.iter().copied());
    let engine = signature(&mut first.map(|_| POINTER).into_iter().chain(entry.args.iter().copied()));
    let say = |e: cranelift_module::ModuleError| e.to_string();
    let callee = module
        .declare_function(&format!("mam_engine_{}", entry.name), Linkage::Import, &engine)
        .map_err(say)?;
    let id =
        module.declare_function(&format!("{prefix}_{}", entry.name), Linkage::Export, &own).map_err(say)?;
    let mut context = Context::for_function(Function::with_name_signature(UserFuncName::default(), own));
    let mut frontend = FunctionBuilderContext::new();
    let mut b = FunctionBuilder::new(&mut context.func, &mut frontend);
    let block = b.create_block();
    b.append_block_params_for_function_params(block);
    b.switch_to_block(block);
    let mut args = vec![];
    if let Some(data) = first {
        let symbol = module.declare_data_in_func(data, b.func);
        args.push(b.ins().symbol_value(POINTER, symbol));
    }
    args.extend_from_slice(b.block_params(block));
    let callee = module.declare_func_in_func(callee, b.func);
    let call = b.ins().call(callee, &args);
    let results = b.inst_results(call).to_vec();
    b.ins().return_(&results);
    b.seal_all_blocks();
    b.finalize(module.isa().frontend_config());
    module.define_function(id, &mut context).map_err(say)
}
