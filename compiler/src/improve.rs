//! Better code for a program that has begun with code that was made quickly: it is made beside everything else, and takes
//! the other's place while the program runs.

use crate::emit::isa::Care;
use crate::emit::jit::Jit;
use crate::emit::{Compiled, compile};
use crate::ir::{Kernel, Module};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Weak};
use std::thread::{Builder, JoinHandle};

/// Code on its way. It is given up when this is dropped.
pub(crate) struct Improvement {
    made: Receiver<(Kernel, Compiled)>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

struct Work {
    module: Arc<Module>,
    /// The kernels, by their place in the module.
    places: Vec<usize>,
    /// Nobody needs the better code of a program that is gone.
    jit: Weak<Jit>,
    made: Sender<(Kernel, Compiled)>,
    stop: Arc<AtomicBool>,
}

impl Improvement {
    /// Begins to make better code for some kernels of a module, on a thread of its own.
    pub(crate) fn begin(module: Arc<Module>, places: Vec<usize>, jit: &Arc<Jit>) -> Improvement {
        let (sender, made) = channel();
        let stop = Arc::<AtomicBool>::default();
        let work = Work { module, places, jit: Arc::downgrade(jit), made: sender, stop: stop.clone() };
        // Where there is no thread to be had, the code stays as it is.
        let thread = Builder::new().name("improve".into()).spawn(move || work.run());
        Improvement { made, stop, thread: thread.ok() }
    }

    /// Ends it: what was made until now.
    pub(crate) fn stop(self) -> Vec<(Kernel, Compiled)> {
        self.made.try_iter().collect()
    }

    /// Waits until all is made and in its place.
    ///
    /// # Panics
    /// Where the code generator did.
    pub(crate) fn wait(&mut self) {
        if let Some(Err(panic)) = self.thread.take().map(JoinHandle::join) {
            std::panic::resume_unwind(panic);
        }
    }
}

impl Drop for Improvement {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl Work {
    fn run(self) {
        let kernels: Vec<&Kernel> = self.module.kernels.values().collect();
        let mut better: Vec<(usize, Compiled)> = vec![];
        for &place in &self.places {
            if self.stop.load(Ordering::Relaxed) || self.jit.strong_count() == 0 {
                return;
            }
            let kernel = kernels[place];
            let compiled =
                compile(&self.module, kernel, Care::Best, false).expect("what compiled quickly compiles");
            // Nobody may be there to keep it.
            _ = self.made.send((kernel.clone(), compiled.clone()));
            better.push((place, compiled));
        }
        if let Some(jit) = self.jit.upgrade() {
            // Where there is no memory to be had, too.
            _ = jit.replace(&self.module, &better);
        }
    }
}
