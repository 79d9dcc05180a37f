//! The stand-in against the real thing, while compiling: constants, layouts and the functions' types, against
//! `coreaudio-sys` where a Mac is the target; the layouts against bindings made from Apple's own headers everywhere.

use super::standin as s;
use std::mem::offset_of;

macro_rules! same_layout {
    ($real:ident: $($name:ident { $($field:ident),* })*) => { $(
        const _: () = {
            assert!(size_of::<s::$name>() == size_of::<$real::$name>());
            assert!(align_of::<s::$name>() == align_of::<$real::$name>());
            $( assert!(offset_of!(s::$name, $field) == offset_of!($real::$name, $field)); )*
        };
    )* };
}

mod everywhere {
    use super::{offset_of, s};
    use objc2_core_audio_types as real;
    same_layout! { real:
        AudioStreamBasicDescription {
            mSampleRate, mFormatID, mFormatFlags, mBytesPerPacket, mFramesPerPacket, mBytesPerFrame,
            mChannelsPerFrame, mBitsPerChannel, mReserved
        }
        AudioBuffer { mNumberChannels, mDataByteSize, mData }
        AudioBufferList { mNumberBuffers, mBuffers }
        AudioTimeStamp { mSampleTime, mHostTime, mRateScalar, mWordClockTime, mSMPTETime, mFlags, mReserved }
        SMPTETime { mSubframes, mSubframeDivisor, mCounter, mType, mFlags, mHours, mMinutes, mSeconds, mFrames }
    }
    const _: () = {
        assert!(s::kAudioFormatLinearPCM == real::kAudioFormatLinearPCM);
        assert!(s::kAudioFormatFlagIsFloat == real::kAudioFormatFlagIsFloat);
        assert!(s::kAudioFormatFlagIsPacked == real::kAudioFormatFlagIsPacked);
        assert!(s::kAudioFormatFlagIsNonInterleaved == real::kAudioFormatFlagIsNonInterleaved);
    };
}

#[cfg(target_os = "macos")]
mod on_a_mac {
    use super::{offset_of, s};
    use coreaudio_sys as real;
    use std::ffi::c_void;

    macro_rules! same_number {
        ($($name:ident),* $(,)?) => { $( const _: () = assert!(s::$name as i64 == real::$name as i64); )* };
    }
    same_number! {
        kAudioUnitType_Output, kAudioUnitManufacturer_Apple, kAudioUnitSubType_DefaultOutput,
        kAudioUnitSubType_HALOutput, kAudioUnitScope_Global, kAudioUnitScope_Input, kAudioUnitScope_Output, kAudioUnitProperty_StreamFormat,
        kAudioUnitProperty_MaximumFramesPerSlice, kAudioUnitProperty_SetRenderCallback,
        kAudioOutputUnitProperty_CurrentDevice, kAudioOutputUnitProperty_EnableIO,
        kAudioOutputUnitProperty_SetInputCallback, kAudioDevicePropertyLatency, kAudioDevicePropertySafetyOffset,
        kAudioUnitErr_FailedInitialization, kAudioUnitErr_InvalidProperty, kAudioUnitErr_FormatNotSupported,
        kAudioUnitErr_Uninitialized, kAudioUnitErr_InvalidScope, kAudioUnitErr_Initialized, kAudioFormatLinearPCM,
        kAudioFormatFlagIsFloat, kAudioFormatFlagIsPacked, kAudioFormatFlagIsNonInterleaved, kAudioObjectUnknown,
        kAudioObjectSystemObject, kAudioObjectPropertyScopeGlobal, kAudioObjectPropertyScopeInput,
        kAudioObjectPropertyScopeOutput, kAudioObjectPropertyElementMain, kAudioHardwarePropertyDevices,
        kAudioHardwarePropertyDefaultOutputDevice, kAudioHardwarePropertyDefaultInputDevice,
        kAudioDevicePropertyDeviceName, kAudioDevicePropertyNominalSampleRate, kAudioDevicePropertyBufferFrameSize,
        kAudioDevicePropertyStreamConfiguration, kAudioDevicePropertyDeviceIsAlive, kAudioDeviceProcessorOverload,
        kAudioHardwareUnknownPropertyError, kAudioHardwareBadObjectError,
    }
    same_layout! { real:
        AudioComponentDescription {
            componentType, componentSubType, componentManufacturer, componentFlags, componentFlagsMask
        }
        AudioObjectPropertyAddress { mSelector, mScope, mElement }
        AURenderCallbackStruct { inputProc, inputProcRefCon }
    }

    /// Each function of both, as a value of the same type but for the names of the structures.
    macro_rules! same_function {
        ($($name:ident($($argument:ty),*) -> $result:ty;)*) => { $(
            const _: unsafe extern "C" fn($($argument),*) -> $result = real::$name;
        )* };
    }
    type Flags = *mut real::AudioUnitRenderActionFlags;
    type Address = *const real::AudioObjectPropertyAddress;
    same_function! {
        AudioComponentFindNext(real::AudioComponent, *const real::AudioComponentDescription) -> real::AudioComponent;
        AudioComponentInstanceNew(real::AudioComponent, *mut real::AudioComponentInstance) -> i32;
        AudioComponentInstanceDispose(real::AudioComponentInstance) -> i32;
        AudioUnitInitialize(real::AudioUnit) -> i32;
        AudioUnitUninitialize(real::AudioUnit) -> i32;
        AudioUnitSetProperty(real::AudioUnit, u32, u32, u32, *const c_void, u32) -> i32;
        AudioUnitRender(real::AudioUnit, Flags, *const real::AudioTimeStamp, u32, u32, *mut real::AudioBufferList) -> i32;
        AudioOutputUnitStart(real::AudioUnit) -> i32;
        AudioOutputUnitStop(real::AudioUnit) -> i32;
        AudioObjectGetPropertyDataSize(u32, Address, u32, *const c_void, *mut u32) -> i32;
        AudioObjectGetPropertyData(u32, Address, u32, *const c_void, *mut u32, *mut c_void) -> i32;
        AudioObjectSetPropertyData(u32, Address, u32, *const c_void, u32, *const c_void) -> i32;
        AudioObjectAddPropertyListener(u32, Address, real::AudioObjectPropertyListenerProc, *mut c_void) -> i32;
        AudioObjectRemovePropertyListener(u32, Address, real::AudioObjectPropertyListenerProc, *mut c_void) -> i32;
    }
}
