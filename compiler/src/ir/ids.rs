//! Indices into the tables of a kernel: one type each, so that an index of the wrong kind does not compile.

/// Defines index types: for each its name and what it is an index of.
macro_rules! ids {
    ($($(#[$doc:meta])+ $name:ident;)+) => {$(
        $(#[$doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(u32);

        impl $name {
            /// The id of the first element.
            pub const ZERO: $name = $name(0);

            /// The `index`-th, from 0.
            pub fn new(index: usize) -> $name {
                $name(index as u32)
            }

            /// Its place, from 0.
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }
    )+};
}

ids! {
    /// A parameter of a kernel: an index into [`Kernel::params`](super::Kernel::params).
    ParamId;
    /// An input signal: an index into [`Kernel::inputs`](super::Kernel::inputs).
    InputId;
    /// An event port: an index into [`Kernel::ports`](super::Kernel::ports).
    PortId;
    /// A constant table: an index into [`Module::tables`](super::Module::tables).
    TableId;
}
