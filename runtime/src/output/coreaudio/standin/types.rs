//! Types and constants, as Apple's headers have them.
#![expect(non_snake_case, non_upper_case_globals, reason = "the names are Apple's")]

use std::ffi::c_void;

pub(in super::super) type OSStatus = i32;
pub(in super::super) type AudioObjectID = u32;
pub(in super::super) type AudioUnitRenderActionFlags = u32;
pub(in super::super) type AudioComponent = *mut c_void;

#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in super::super) struct AudioStreamBasicDescription {
    pub(in super::super) mSampleRate: f64,
    pub(in super::super) mFormatID: u32,
    pub(in super::super) mFormatFlags: u32,
    pub(in super::super) mBytesPerPacket: u32,
    pub(in super::super) mFramesPerPacket: u32,
    pub(in super::super) mBytesPerFrame: u32,
    pub(in super::super) mChannelsPerFrame: u32,
    pub(in super::super) mBitsPerChannel: u32,
    pub(in super::super) mReserved: u32,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct AudioBuffer {
    pub(in super::super) mNumberChannels: u32,
    pub(in super::super) mDataByteSize: u32,
    pub(in super::super) mData: *mut c_void,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct AudioBufferList {
    pub(in super::super) mNumberBuffers: u32,
    pub(in super::super) mBuffers: [AudioBuffer; 1],
}

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(in super::super) struct SMPTETime {
    pub(in super::super) mSubframes: i16,
    pub(in super::super) mSubframeDivisor: i16,
    pub(in super::super) mCounter: u32,
    pub(in super::super) mType: u32,
    pub(in super::super) mFlags: u32,
    pub(in super::super) mHours: i16,
    pub(in super::super) mMinutes: i16,
    pub(in super::super) mSeconds: i16,
    pub(in super::super) mFrames: i16,
}

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(in super::super) struct AudioTimeStamp {
    pub(in super::super) mSampleTime: f64,
    pub(in super::super) mHostTime: u64,
    pub(in super::super) mRateScalar: f64,
    pub(in super::super) mWordClockTime: u64,
    pub(in super::super) mSMPTETime: SMPTETime,
    pub(in super::super) mFlags: u32,
    pub(in super::super) mReserved: u32,
}

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(in super::super) struct AudioComponentDescription {
    pub(in super::super) componentType: u32,
    pub(in super::super) componentSubType: u32,
    pub(in super::super) componentManufacturer: u32,
    pub(in super::super) componentFlags: u32,
    pub(in super::super) componentFlagsMask: u32,
}

#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in super::super) struct AudioObjectPropertyAddress {
    pub(in super::super) mSelector: u32,
    pub(in super::super) mScope: u32,
    pub(in super::super) mElement: u32,
}

pub(in super::super) type AURenderCallback = Option<
    unsafe extern "C" fn(
        *mut c_void,
        *mut AudioUnitRenderActionFlags,
        *const AudioTimeStamp,
        u32,
        u32,
        *mut AudioBufferList,
    ) -> OSStatus,
>;

pub(in super::super) type AudioObjectPropertyListenerProc = Option<
    unsafe extern "C" fn(AudioObjectID, u32, *const AudioObjectPropertyAddress, *mut c_void) -> OSStatus,
>;

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct AURenderCallbackStruct {
    pub(in super::super) inputProc: AURenderCallback,
    pub(in super::super) inputProcRefCon: *mut c_void,
}

/// Four letters as a number.
const fn code(letters: &[u8; 4]) -> u32 {
    u32::from_be_bytes(*letters)
}

pub(in super::super) const kAudioUnitType_Output: u32 = code(b"auou");
pub(in super::super) const kAudioUnitManufacturer_Apple: u32 = code(b"appl");
pub(in super::super) const kAudioUnitSubType_DefaultOutput: u32 = code(b"def ");
pub(in super::super) const kAudioUnitSubType_HALOutput: u32 = code(b"ahal");
pub(in super::super) const kAudioUnitScope_Global: u32 = 0;
pub(in super::super) const kAudioUnitScope_Input: u32 = 1;
pub(in super::super) const kAudioUnitScope_Output: u32 = 2;
pub(in super::super) const kAudioUnitProperty_StreamFormat: u32 = 8;
pub(in super::super) const kAudioUnitProperty_MaximumFramesPerSlice: u32 = 14;
pub(in super::super) const kAudioUnitProperty_SetRenderCallback: u32 = 23;
pub(in super::super) const kAudioOutputUnitProperty_CurrentDevice: u32 = 2000;
pub(in super::super) const kAudioOutputUnitProperty_EnableIO: u32 = 2003;
pub(in super::super) const kAudioOutputUnitProperty_SetInputCallback: u32 = 2005;
pub(in super::super) const kAudioUnitErr_InvalidProperty: i32 = -10879;
pub(in super::super) const kAudioUnitErr_FailedInitialization: i32 = -10875;
pub(in super::super) const kAudioUnitErr_FormatNotSupported: i32 = -10868;
pub(in super::super) const kAudioUnitErr_Uninitialized: i32 = -10867;
pub(in super::super) const kAudioUnitErr_InvalidScope: i32 = -10866;
pub(in super::super) const kAudioUnitErr_Initialized: i32 = -10849;
pub(in super::super) const kAudioFormatLinearPCM: u32 = code(b"lpcm");
pub(in super::super) const kAudioFormatFlagIsFloat: u32 = 1;
pub(in super::super) const kAudioFormatFlagIsPacked: u32 = 8;
pub(in super::super) const kAudioFormatFlagIsNonInterleaved: u32 = 32;
pub(in super::super) const kAudioObjectUnknown: u32 = 0;
pub(in super::super) const kAudioObjectSystemObject: u32 = 1;
pub(in super::super) const kAudioObjectPropertyScopeGlobal: u32 = code(b"glob");
pub(in super::super) const kAudioObjectPropertyScopeInput: u32 = code(b"inpt");
pub(in super::super) const kAudioObjectPropertyScopeOutput: u32 = code(b"outp");
pub(in super::super) const kAudioObjectPropertyElementMain: u32 = 0;
pub(in super::super) const kAudioHardwarePropertyDevices: u32 = code(b"dev#");
pub(in super::super) const kAudioHardwarePropertyDefaultOutputDevice: u32 = code(b"dOut");
pub(in super::super) const kAudioHardwarePropertyDefaultInputDevice: u32 = code(b"dIn ");
pub(in super::super) const kAudioDevicePropertyDeviceName: u32 = code(b"name");
pub(in super::super) const kAudioDevicePropertyNominalSampleRate: u32 = code(b"nsrt");
pub(in super::super) const kAudioDevicePropertyBufferFrameSize: u32 = code(b"fsiz");
pub(in super::super) const kAudioDevicePropertyLatency: u32 = code(b"ltnc");
pub(in super::super) const kAudioDevicePropertySafetyOffset: u32 = code(b"saft");
pub(in super::super) const kAudioDevicePropertyStreamConfiguration: u32 = code(b"slay");
pub(in super::super) const kAudioDevicePropertyDeviceIsAlive: u32 = code(b"livn");
pub(in super::super) const kAudioDeviceProcessorOverload: u32 = code(b"over");
pub(in super::super) const kAudioHardwareUnknownPropertyError: i32 = code(b"who?") as i32;
pub(in super::super) const kAudioHardwareBadObjectError: i32 = code(b"!obj") as i32;
