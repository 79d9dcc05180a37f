//! Constant tables: where their entries lie.

use super::body::Emitter;
use super::inst::pack;
use crate::ir::{self, Imm, Op, Scalar};
use crate::opt::intervals::{Interval, Intervals};
use cranelift_codegen::ir::{
    ExternalName, GlobalValueData, InstBuilder, MemFlagsData, UserExternalName, Value, types,
};
use cranelift_frontend::FunctionBuilder;

/// The namespace of constant tables in relocations; functions have 0.
const TABLES: u32 = 1;

impl Emitter<'_> {
    /// An entry of a table. An index that cannot lie outside is not bounded once more, and what is constant in it is a part of the
    /// address.
    pub(super) fn table(
        &mut self,
        b: &mut FunctionBuilder,
        table: u32,
        index: ir::Value,
        ty: ir::Type,
    ) -> Value {
        let last = self.last_entry(table);
        let is_within = self.is_within(index, last);
        let flags = MemFlagsData::trusted().with_readonly().with_can_move();
        if is_within && ty.lanes == 1 {
            let (address, ahead) = self.entry_within(b, table, index);
            return b.ins().load(types::F32, flags, address, ahead);
        }
        let (base, index) = (self.table_address(b, table), self.value(b, index));
        let entry = |emitter: &Self, b: &mut FunctionBuilder, lane: u8| {
            let index = emitter.lane(b, index, ir::Type::I32.with_lanes(ty.lanes), lane);
            let index = if is_within { index } else { bounded(b, index, last) };
            let address = entry_address(b, base, index);
            b.ins().load(types::F32, flags, address, 0)
        };
        let lanes: Vec<Value> = (0..ty.lanes).map(|lane| entry(self, b, lane)).collect();
        if ty.lanes == 1 { lanes[0] } else { pack(b, &lanes, Scalar::F32) }
    }

    /// Four neighbouring entries of a table: one vector where they cannot lie outside.
    pub(super) fn neighbours(&mut self, b: &mut FunctionBuilder, table: u32, index: ir::Value) -> Value {
        let last = self.last_entry(table);
        if self.is_within(index, last - 3) {
            let (address, ahead) = self.entry_within(b, table, index);
            // A vector may begin at any entry.
            let flags = MemFlagsData::new().with_notrap().with_readonly().with_can_move();
            return b.ins().load(types::F32X4, flags, address, ahead);
        }
        let (base, first) = (self.table_address(b, table), self.value(b, index));
        let entry = |lane: i64| {
            let index = b.ins().iadd_imm_s(first, lane);
            let index = bounded(b, index, last);
            let address = entry_address(b, base, index);
            b.ins().load(types::F32, MemFlagsData::trusted().with_readonly().with_can_move(), address, 0)
        };
        let lanes: Vec<Value> = (0..4).map(entry).collect();
        pack(b, &lanes, Scalar::F32)
    }

    /// The address of an entry that lies within its table, and how many bytes after it: those that are so many further on share it.
    fn entry_within(&mut self, b: &mut FunctionBuilder, table: u32, index: ir::Value) -> (Value, i32) {
        let (root, ahead) = self.index_and_constant(index);
        let bytes = size_of::<f32>() as i32 * ahead;
        if let Some(known) = self.table_addresses.entries.get(&(table, root)) {
            return (*known, bytes);
        }
        let (base, index) = (self.table_address(b, table), self.value(b, root));
        let address = entry_address(b, base, index);
        self.table_addresses.entries.insert((table, root), address);
        (address, bytes)
    }

    /// Where a table begins.
    fn table_address(&mut self, b: &mut FunctionBuilder, table: u32) -> Value {
        if let Some(known) = self.table_addresses.tables.get(&table) {
            return *known;
        }
        let name = b.func.declare_imported_user_function(UserExternalName::new(TABLES, table));
        let table_data = GlobalValueData::Symbol {
            name: ExternalName::user(name),
            offset: 0.into(),
            colocated: self.from.encoding.near_tables,
            tls: false,
        };
        let data = b.create_global_value(table_data);
        let address = b.ins().symbol_value(types::I64, data);
        self.table_addresses.tables.insert(table, address);
        address
    }

    /// The index of a table's last entry.
    fn last_entry(&self, table: u32) -> i64 {
        self.from.module.tables[table as usize].len() as i64 - 1
    }

    /// Whether a value is at least 0 and at most `last`, whatever the states are.
    fn is_within(&self, value: ir::Value, last: i64) -> bool {
        self.interval(value).is_some_and(|(low, high)| low >= 0.0 && high <= last as f64)
    }

    fn interval(&self, value: ir::Value) -> Interval {
        let analyse = || Intervals::of_any_states(self.from.kernel).within(self.from.body);
        self.intervals.get_or_init(analyse)[value.index()]
    }

    /// An index without what is added to it, where that is constant and what it is added to is an index as well that is known here.
    fn index_and_constant(&self, index: ir::Value) -> (ir::Value, i32) {
        const MOST: i32 = 1 << 20;
        let inst = &self.from.body.insts[index];
        if let (Op::Add, &[a, b]) = (inst.op, inst.args.as_slice()) {
            for (index, constant) in [(a, b), (b, a)] {
                let is_index = self.interval(index).is_some_and(|(low, _)| low >= 0.0);
                match self.imm(constant) {
                    Some(Imm::I32(ahead @ 0..MOST)) if is_index && self.values[index.index()].is_some() => {
                        return (index, ahead);
                    }
                    _ => {}
                }
            }
        }
        (index, 0)
    }
}

/// The address of an entry of a table; the index is not negative.
fn entry_address(b: &mut FunctionBuilder, base: Value, index: Value) -> Value {
    let index = b.ins().uextend(types::I64, index);
    let index = b.ins().ishl_imm_u(index, 2);
    b.ins().iadd(base, index)
}

/// An index that is at least 0 and at most `last`.
fn bounded(b: &mut FunctionBuilder, index: Value, last: i64) -> Value {
    let (zero, last) = (b.ins().iconst(types::I32, 0), b.ins().iconst(types::I32, last));
    let index = b.ins().smax(index, zero);
    b.ins().smin(index, last)
}
