//! Tier-up: a program that has begun with code of [`OptLevel::Quick`] gets code of [`OptLevel::Best`], which is made in the
//! background and replaces the other while the program runs.

use crate::emit::native::{Compiled, Jit, Settings, compile};
use crate::executor::Executor;
use crate::ir::{Kernel, Module};
use crate::target::OptLevel;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Weak};

/// Code on its way. It is given up when this is dropped.
pub(crate) struct TierUp {
    made: Receiver<(Kernel, Compiled)>,
    stop: Arc<AtomicBool>,
    /// Disconnected once the job is over; `Ok` is sent where it ended well.
    over: Option<Receiver<()>>,
}

struct Work {
    module: Arc<Module>,
    /// The kernels, by their index in the module.
    kernels: Vec<usize>,
    /// A program that is gone needs no better code.
    jit: Weak<Jit>,
    made: Sender<(Kernel, Compiled)>,
    stop: Arc<AtomicBool>,
}

impl TierUp {
    /// Begins to make better code for some kernels of a module; `None` where the executor has no thread for it: then the
    /// code stays as it is.
    pub(crate) fn begin(
        module: Arc<Module>,
        kernels: Vec<usize>,
        jit: &Arc<Jit>,
        executor: &dyn Executor,
    ) -> Option<TierUp> {
        let (sender, made) = channel();
        let (ended, over) = channel();
        let stop = Arc::<AtomicBool>::default();
        let work = Work { module, kernels, jit: Arc::downgrade(jit), made: sender, stop: stop.clone() };
        let job = move || {
            work.run();
            // The other end may be gone.
            _ = ended.send(());
        };
        executor.background(Box::new(job)).then_some(TierUp { made, stop, over: Some(over) })
    }

    /// Ends it: what was made until now.
    pub(crate) fn stop(self) -> Vec<(Kernel, Compiled)> {
        self.made.try_iter().collect()
    }

    /// Waits until all is made and linked.
    ///
    /// # Panics
    /// Where the code generator did.
    pub(crate) fn wait(&mut self) {
        if let Some(over) = self.over.take() {
            over.recv().expect("the code generator compiles in the background what it has compiled before");
        }
    }
}

impl Drop for TierUp {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl Work {
    fn run(self) {
        let kernels: Vec<&Kernel> = self.module.kernels.values().collect();
        let settings = Settings::host(OptLevel::Best);
        let mut better: Vec<(usize, Compiled)> = vec![];
        for &index in &self.kernels {
            if self.stop.load(Ordering::Relaxed) || self.jit.strong_count() == 0 {
                return;
            }
            let kernel = kernels[index];
            let compiled = compile(&self.module, kernel, &settings).expect("what compiled quickly compiles");
            // The cache may be gone.
            _ = self.made.send((kernel.clone(), compiled.clone()));
            better.push((index, compiled));
        }
        if let Some(jit) = self.jit.upgrade() {
            // Where there is no memory to be had, the code stays as it is.
            _ = jit.replace(&self.module, &better);
        }
    }
}
