//! The border to C: panics, strings, the host's log.

use clap_sys::ext::log::{CLAP_EXT_LOG, CLAP_LOG_ERROR, clap_host_log};
use clap_sys::host::clap_host;
use std::ffi::{CStr, CString, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What `call` gives, or `failed` where it panics: no panic crosses the border.
pub(crate) fn guarded<R>(failed: R, call: impl FnOnce() -> R) -> R {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or(failed)
}

/// Writes as many whole characters of a text as fit, and a NUL.
pub(crate) fn put(into: &mut [c_char], text: &str) {
    let Some(most) = into.len().checked_sub(1) else { return };
    let text = text.split('\0').next().unwrap_or_default();
    let end = text.floor_char_boundary(most.min(text.len()));
    for (to, byte) in into.iter_mut().zip(text.as_bytes()[..end].iter().chain([&0])) {
        *to = *byte as c_char;
    }
}

/// A text without NULs for C.
pub(crate) fn c_string(text: &str) -> CString {
    CString::new(text.replace('\0', "")).unwrap_or_default()
}

/// A text from C; `None` for a null pointer.
///
/// # Safety
/// The pointer is null or leads to a text that ends with NUL and lives as long as the result.
pub(crate) unsafe fn text<'a>(text: *const c_char) -> Option<&'a CStr> {
    // SAFETY: as this function's.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) })
}

/// The host that an instance was made by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Host(*const clap_host);

// SAFETY: CLAP lets both threads of an instance call its host, each what its thread may.
unsafe impl Send for Host {}
// SAFETY: as for Send.
unsafe impl Sync for Host {}

impl Host {
    /// # Safety
    /// The pointer is null or leads to a host that outlives the instance.
    pub(crate) unsafe fn new(host: *const clap_host) -> Host {
        Host(host)
    }

    /// The pointer, and one of the host's extensions. \[main\]
    ///
    /// # Safety
    /// `T` is the type of the extension.
    pub(crate) unsafe fn extension<T>(&self, id: &CStr) -> Option<(*const clap_host, &T)> {
        // SAFETY: the host outlives the instance, and an extension its host.
        unsafe {
            let get = self.0.as_ref()?.get_extension?;
            Some((self.0, get(self.0, id.as_ptr()).cast::<T>().as_ref()?))
        }
    }

    /// Tells people through the host's log, if it has one. \[main\]
    pub(crate) fn report(&self, message: &str) {
        // SAFETY: the type is that of the extension, and the text ends with NUL.
        unsafe {
            if let Some((host, log)) = self.extension::<clap_host_log>(CLAP_EXT_LOG)
                && let Some(log) = log.log
            {
                log(host, CLAP_LOG_ERROR, c_string(message).as_ptr());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_between_characters_and_end_with_nul() {
        let mut into = [1 as c_char; 5];
        put(&mut into, "añöx");
        // SAFETY: it ends with NUL.
        assert_eq!(unsafe { CStr::from_ptr(into.as_ptr()) }.to_str(), Ok("añ"), "ö would be cut in two");
        put(&mut into, "");
        assert_eq!(into[0], 0);
        put(&mut [], "nowhere");
    }

    #[test]
    fn panics_end_at_the_border() {
        assert_eq!(guarded(3, || panic!("inside")), 3);
    }
}
